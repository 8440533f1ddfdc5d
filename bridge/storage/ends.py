"""When time alone next ends something that access is made of, in a whole workspace."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, bindparam, column, text

from bridge.storage.columns import Instant
from bridge.storage.prepared import Prepared

# Beginning with the few grants that run out at all; and of each connection the first in its index.
_NEXT_END = Prepared(
    text("""SELECT MIN(ends) AS ends FROM (
SELECT MIN(g.expires_at) AS ends FROM grants g
    WHERE g.expires_at > :now AND (SELECT p.workspace_id FROM principals p WHERE p.id = g.principal_id) = :workspace
UNION ALL
SELECT (SELECT MIN(d.asserted_until) FROM directory_users d WHERE d.connection_id = c.id AND d.asserted_until >= :now)
    FROM connections c WHERE c.workspace_id = :workspace) AS each_way""")
    .bindparams(bindparam("now", type_=Instant), bindparam("workspace", type_=BigInteger))
    .columns(column("ends", Instant))
)


def next_end(connection: Any, workspace_key: int, now: datetime) -> datetime | None:
    """When the next grant runs out, or groups that a sign-in named count no longer; None where nothing ends so."""
    found: datetime | None = _NEXT_END.scalar(connection, workspace=workspace_key, now=now)
    return found
