"""What PostgreSQL knows of its tables' sizes, and plans by. (SQLite plans without.)"""

import logging

from sqlalchemy.exc import DBAPIError

from bridge.storage.database import Database
from bridge.storage.tables import metadata

_ANALYZE = f"ANALYZE {', '.join(metadata.tables)}"

log = logging.getLogger(__name__)


def refresh_statistics(database: Database) -> None:
    """Have it look now, after many rows came at once, and not a minute later by itself; at small tables it never
    does, and guesses. Takes about a second for 100,000 people. Where it can't, it will later.
    """
    if database.is_sqlite:
        return
    try:
        with database.reading() as connection:
            connection.exec_driver_sql(_ANALYZE)
    except DBAPIError:
        log.warning("PostgreSQL can't refresh its statistics", exc_info=True)
