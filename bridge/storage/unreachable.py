"""What the database says when it fails: named here, since SQLAlchemy is known in storage only."""

from sqlalchemy.exc import DBAPIError as DatabaseFailed

__all__ = ["DatabaseFailed", "first_line"]


def first_line(error: DatabaseFailed) -> str:
    """What the driver said, without the statement and its values."""
    lines = str(error.orig).splitlines()
    return lines[0] if lines else type(error.orig).__name__
