"""The keys of OpenID providers as last read, so that not each login asks for them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from bridge.storage.tables import provider_keys


@dataclass(frozen=True, slots=True)
class KeptKeys:
    """A JWK Set, as it stood at `url`."""

    url: str
    body: bytes
    read_at: datetime


def find_keys(connection: Any, connection_key: int) -> KeptKeys | None:
    """What was last read for a connection."""
    columns = provider_keys.c
    chosen = select(columns.url, columns.body, columns.read_at).where(columns.connection_id == connection_key)
    row = connection.execute(chosen).first()
    return None if row is None else KeptKeys(*row)


def keep_keys(connection: Any, connection_key: int, kept: KeptKeys) -> None:
    """Keep what was read now, in the place of what was before."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    values = {"url": kept.url, "body": kept.body, "read_at": kept.read_at}
    row = dialect.insert(provider_keys).values(connection_id=connection_key, **values)
    connection.execute(row.on_conflict_do_update(index_elements=["connection_id"], set_=values))
