"""Opening the house: the database brought to this version's schema, and everything flows are handed."""

from datetime import timedelta

from bridge.domain.errors import DomainError
from bridge.flows.context import Context, TwilioClient
from bridge.storage.database import Database, Synchronous, open_database
from bridge.storage.schema import UnknownSchema, pending, upgrade
from bridge.storage.secret_box import SecretBox
from bridge.storage.unreachable import DatabaseFailed, first_line


class CannotOpen(DomainError):
    """The database can't be reached, written, or is newer than this version."""

    code = "database"


def open_context(
    *,
    database_url: str,
    synchronous: Synchronous,
    secret_keys: tuple[str, ...],
    public_url: str,
    session_days: int,
    invite_days: int,
    asserted_groups_days: int = 7,
    scim_log_days: int = 30,
    scim_search_seconds: int = 1,
    sign_in_log_days: int = 90,
    audit_days: int = 90,
    metadata_refresh_hours: int = 24,
    twilio: TwilioClient | None = None,
) -> Context:
    """What every flow is handed, over a database whose schema is this version's: made so where it wasn't.

    Call it after a fork, never before. Raises CannotOpen.
    """
    database = open_database(database_url, synchronous=synchronous)
    _bring_up_to_date(database)
    return Context(
        database=database,
        secrets=SecretBox(secret_keys),
        public_url=public_url,
        session_lifetime=timedelta(days=session_days),
        invite_lifetime=timedelta(days=invite_days),
        asserted_groups_days=asserted_groups_days,
        scim_log_days=scim_log_days,
        scim_search_seconds=scim_search_seconds,
        sign_in_log_days=sign_in_log_days,
        audit_days=audit_days,
        metadata_refresh_every=timedelta(hours=metadata_refresh_hours),
        twilio=twilio,
    )


def _bring_up_to_date(database: Database) -> None:
    try:
        if pending(database):
            upgrade(database)
    except UnknownSchema as error:
        raise CannotOpen(str(error)) from error
    except DatabaseFailed as error:
        raise CannotOpen(f"The database can't be used: {first_line(error)}.") from error
