"""What the database says when it fails: named here, since SQLAlchemy is known in storage only."""

import psycopg
from sqlalchemy.exc import DBAPIError as DatabaseFailed

__all__ = ["DatabaseFailed", "first_line", "is_away"]


def is_away(error: BaseException) -> bool:
    """Whether it failed since a PostgreSQL server is away, such as during its restart: nothing is wrong with what was
    asked, and it can be asked again.
    """
    if not isinstance(error, DatabaseFailed):
        return False
    # Without a state, the server said nothing: there was no connection. 57P01 to 57P03 is one that ends or begins.
    state = getattr(error.orig, "sqlstate", "") or ""
    return isinstance(error.orig, psycopg.OperationalError) and (
        error.connection_invalidated or not state or state.startswith(("08", "57P0"))
    )


def first_line(error: DatabaseFailed) -> str:
    """What the driver said, without the statement and its values."""
    lines = str(error.orig).splitlines()
    return lines[0] if lines else type(error.orig).__name__
