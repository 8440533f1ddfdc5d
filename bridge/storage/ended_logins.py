"""Logins that an IdP has ended, for what it stated before and arrives after (SAML Core 3.7.3.2)."""

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select

from bridge.domain.identity import Whose
from bridge.storage.changes import Change
from bridge.storage.columns import Instant
from bridge.storage.prepared import Prepared
from bridge.storage.tables import ended_logins

_COLUMNS = ("name_id", "session_indexes", "name_id_format", "name_qualifier")
_REMEMBER = Prepared(insert(ended_logins), ("connection_id", *_COLUMNS, "said_at", "expires_at"))
_FIND = Prepared(
    select(*(ended_logins.c[name] for name in _COLUMNS)).where(
        ended_logins.c.connection_id == bindparam("connection"),
        ended_logins.c.name_id == bindparam("named"),
        ended_logins.c.said_at > bindparam("stated_at", type_=Instant),
    )
)


def remember_end(change: Change, connection_key: int, whose: Whose, said_at: datetime, until: datetime) -> None:
    """Remember until then that the IdP said at `said_at` that these ended; `whose` names a person by a NameID."""
    _REMEMBER.run(
        change.connection,
        connection_id=connection_key,
        name_id=whose.name_id,
        session_indexes=list(whose.session_indexes),
        name_id_format=whose.name_id_format,
        name_qualifier=whose.name_qualifier,
        said_at=said_at,
        expires_at=until,
    )


def find_ends(connection: Any, connection_key: int, name_id: str, stated_at: datetime) -> list[Whose]:
    """What the IdP has ended of this person since. (Many write whole seconds: the same one isn't before.)"""
    rows = _FIND(connection, connection=connection_key, named=name_id, stated_at=stated_at)
    return [
        Whose(
            name_id=row.name_id,
            session_indexes=tuple(row.session_indexes),
            name_id_format=row.name_id_format,
            name_qualifier=row.name_qualifier,
        )
        for row in rows
    ]
