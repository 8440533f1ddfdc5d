"""What the database says when it can't be reached, or written: named here, since SQLAlchemy is known in storage only."""

from sqlalchemy.exc import DBAPIError as DatabaseFailed

__all__ = ["DatabaseFailed"]
