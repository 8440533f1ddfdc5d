"""How reading connections' metadata anew goes: when each is due, who reads it, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, or_, select, update

from bridge.domain.workspace import Connection
from bridge.storage.changes import Change
from bridge.storage.connections import COLUMNS
from bridge.storage.tables import connections, metadata_refreshes


@dataclass(frozen=True, slots=True)
class Refresh:
    """One connection's row. `failures` counts tries since the last that went well; `error` is the last one's."""

    url: str | None
    next_at: datetime | None
    tried_at: datetime | None
    good_at: datetime | None
    changed_at: datetime | None
    failures: int
    error: str | None


_REFRESH = tuple(metadata_refreshes.c[name] for name in Refresh.__slots__)


def find_refresh(connection: Any, key: int) -> Refresh | None:
    """How it goes for one connection, or None: not planned yet."""
    row = connection.execute(select(*_REFRESH).where(metadata_refreshes.c.connection_id == key)).first()
    return None if row is None else Refresh(*row)


def list_refreshes(connection: Any, workspace_key: int) -> dict[str, Refresh]:
    """The same for a workspace's connections that have something to read, by outside id."""
    chosen = (
        select(connections.c.uid, *_REFRESH)
        .join_from(metadata_refreshes, connections)
        .where(connections.c.workspace_id == workspace_key, metadata_refreshes.c.url.is_not(None))
    )
    return {row[0]: Refresh(*row[1:]) for row in connection.execute(chosen)}


def list_failing(connection: Any, at_least: int) -> list[tuple[Connection, Refresh]]:
    """Enabled connections whose metadata couldn't be read so many times in a row, or more."""
    chosen = (
        select(*COLUMNS, *_REFRESH)
        .join_from(metadata_refreshes, connections)
        .where(connections.c.enabled, metadata_refreshes.c.failures >= at_least)
        .order_by(connections.c.id)
    )
    count = len(COLUMNS)
    return [(Connection(*row[:count]), Refresh(*row[count:])) for row in connection.execute(chosen)]


def list_unplanned(connection: Any, at_most: int) -> list[Connection]:
    """Connections that are new, or were changed since they were planned."""
    chosen = (
        select(*COLUMNS)
        .join_from(connections, metadata_refreshes, isouter=True)
        .where(
            or_(metadata_refreshes.c.version.is_(None), metadata_refreshes.c.version != connections.c.version),
        )
        .order_by(connections.c.id)
        .limit(at_most)
    )
    return [Connection(*row) for row in connection.execute(chosen)]


def plan(change: Change, found: Connection, url: str | None, next_at: datetime) -> None:
    """Have a connection's metadata read from `url` at a time; an address that was known keeps its own times."""
    here = metadata_refreshes.c.connection_id == found.key
    known = change.connection.execute(select(metadata_refreshes.c.url).where(here)).first()
    fresh = {"url": url, "next_at": next_at if url else None, "failures": 0, "error": None}
    if known is None:
        row = {"connection_id": found.key, "version": found.version, **fresh}
        change.connection.execute(insert(metadata_refreshes).values(row))
        return
    anew = {} if known.url == url else {**fresh, "tried_at": None, "good_at": None, "content_hash": None}
    change.connection.execute(update(metadata_refreshes).where(here).values(version=found.version, **anew))


def claim_due(connection: Any, now: datetime, *, until: datetime, at_most: int) -> Sequence[str]:
    """Take the enabled connections whose metadata is due, oldest first: their outside ids. Nobody else gets them."""
    due = (
        select(metadata_refreshes.c.connection_id, connections.c.uid)
        .join_from(metadata_refreshes, connections)
        .where(metadata_refreshes.c.next_at <= now, metadata_refreshes.c.url.is_not(None), connections.c.enabled)
        .order_by(metadata_refreshes.c.next_at, metadata_refreshes.c.connection_id)
        .limit(at_most)
        .with_for_update(of=metadata_refreshes, skip_locked=True)
    )
    chosen = connection.execute(due).all()
    keys = [row.connection_id for row in chosen]
    taken = update(metadata_refreshes).where(metadata_refreshes.c.connection_id.in_(keys)).values(next_at=until)
    connection.execute(taken)
    return [row.uid for row in chosen]


def set_refresh(change: Change, key: int, **values: Any) -> None:
    """Change columns of a connection's row."""
    change.connection.execute(
        update(metadata_refreshes).where(metadata_refreshes.c.connection_id == key).values(values)
    )
