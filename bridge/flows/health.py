"""Whether the house can work: its database answers, is at this version's schema, and takes a write."""

from bridge.domain.errors import DomainError
from bridge.flows.context import Context
from bridge.flows.open_context import CannotOpen
from bridge.storage import unreachable
from bridge.storage.schema import pending
from bridge.storage.unreachable import DatabaseFailed, first_line

#: Seconds after which to try again while the database is away: PostgreSQL restarts in a few.
AWAY_FOR = 5


def is_away(failure: BaseException) -> bool:
    """Whether a request failed since the database is away for a moment, and by no fault of its own or of ours."""
    return unreachable.is_away(failure)


class NotReady(DomainError):
    """Something that requests need is missing."""

    code = "not_ready"


def check_ready(context: Context) -> None:
    """Raises NotReady when the database doesn't answer, or isn't at this version's schema."""
    try:
        behind = pending(context.database)
    except DatabaseFailed as error:
        raise NotReady(f"The database doesn't answer: {first_line(error)}.") from error
    if behind:
        raise NotReady("The database is not at this version's schema: bridge db upgrade.")


def check_writable(context: Context) -> None:
    """Raises CannotOpen when the database takes no write. Nothing is kept of the try."""
    try:
        with context.database.writing():
            pass
    except DatabaseFailed as error:
        raise CannotOpen(f"The database can't be written: {first_line(error)}.") from error
