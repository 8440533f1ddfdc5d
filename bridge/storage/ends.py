"""When time alone next ends something that access is made of, in a whole workspace."""

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, union_all

from bridge.storage.columns import Instant
from bridge.storage.prepared import Prepared
from bridge.storage.tables import connections, directory_users, grants, principals

_ASKED = bindparam("now", type_=Instant)
_GRANTS = (
    select(func.min(grants.c.expires_at).label("at"))
    .join_from(grants, principals, principals.c.id == grants.c.principal_id)
    .where(principals.c.workspace_id == bindparam("workspace"), grants.c.expires_at > _ASKED)
)
_GROUPS = (
    select(func.min(directory_users.c.asserted_until))
    .join_from(connections, directory_users, directory_users.c.connection_id == connections.c.id)
    .where(connections.c.workspace_id == bindparam("workspace"), directory_users.c.asserted_until >= _ASKED)
)
_ENDS = union_all(_GRANTS, _GROUPS).subquery()
_NEXT_END = Prepared(select(func.min(_ENDS.c.at)))


def next_end(connection: Any, workspace_key: int, now: datetime) -> datetime | None:
    """When the next grant runs out, or groups that a sign-in named count no longer; None where nothing ends so."""
    found: datetime | None = _NEXT_END.scalar(connection, workspace=workspace_key, now=now)
    return found
