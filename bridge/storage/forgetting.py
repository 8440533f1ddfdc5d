"""Forgetting what is past: ended facts and audit events that are older than the operator keeps them.

Nothing is indexed by age for it: what ends by thousands a second would pay for that. A twin is read from its beginning
to its end, in slices by where its rows lie, by a reader for whom nobody waits; only a slice with something old in it is
written, each in a transaction of its own. Of the audit trail the lowest numbers of each workspace go.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Table,
    TextClause,
    and_,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    text,
    update,
)

from bridge.storage.changes import Change
from bridge.storage.columns import Instant
from bridge.storage.tables import PAST, audit, connections, kept_since, memberships, workspaces

#: Of a slice: rows on SQLite, pages on PostgreSQL (8 KB each, as it comes).
_ROWS, _PAGES = 2_000, 64

_gone, _once = PAST[memberships].c, PAST[connections].c
#: What stays, however old. By a removal the tokens are known that ended with it; by the rows of a connection that was
#: deleted its id is known, which is never given again.
_STAYS: Mapping[Table, ColumnElement[bool]] = {
    PAST[memberships]: _gone.status == "removed",
    PAST[connections]: ~exists().where(connections.c.id == _once.id),
}


def note_kept_since(change: Change, at: datetime) -> None:
    """Ended facts are known from that moment on only, or from a later one if that was said before."""
    known = change.connection.execute(select(kept_since.c.at).where(kept_since.c.what == "facts")).scalar()
    if known is None:
        change.connection.execute(insert(kept_since).values(what="facts", at=at))
    elif known < at:
        change.connection.execute(update(kept_since).where(kept_since.c.what == "facts").values(at=at))


def old_slices(connection: Any, twin: Table, before: datetime) -> Iterator[TextClause]:
    """Where in a twin there is something that ended before that moment and may go."""
    for place in _slices(connection, twin):
        old = select(literal(1)).select_from(twin).where(_is_old(twin, before), place).limit(1)
        if connection.execute(old).first() is not None:
            yield place


def delete_slice(change: Change, twin: Table, before: datetime, place: TextClause) -> int:
    """Forget what is old in one slice. Returns how many rows went."""
    return change.connection.execute(delete(twin).where(_is_old(twin, before), place)).rowcount


def _is_old(twin: Table, before: datetime) -> ColumnElement[bool]:
    old = twin.c.until < literal(before, Instant)
    return and_(old, ~_STAYS[twin]) if twin in _STAYS else old


def _slices(connection: Any, twin: Table) -> Iterator[TextClause]:
    """All of a table as it is now, one place after the other."""
    if connection.dialect.name == "sqlite":
        ends = select(func.min(text("rowid")), func.max(text("rowid"))).select_from(twin)
        first, last = connection.execute(ends).one()
        for start in range(first, last + 1, _ROWS) if first is not None else ():
            yield text(f"rowid >= {start} AND rowid < {start + _ROWS}")
        return
    size = text("SELECT pg_relation_size(:name) / current_setting('block_size')::int")
    pages = connection.execute(size, {"name": twin.name}).scalar_one()
    for start in range(0, pages, _PAGES):
        yield text(f"ctid >= '({start},0)' AND ctid < '({start + _PAGES},0)'")


def delete_old_events(change: Change, workspace_id: int, before: datetime, limit: int) -> int:
    """Forget the old ones among the `limit` lowest numbers of a workspace's audit trail. Returns how many went."""
    columns = audit.c
    lowest = select(columns.seq).where(columns.workspace_id == workspace_id).order_by(columns.seq).limit(limit)
    old = and_(columns.workspace_id == workspace_id, columns.seq.in_(lowest), columns.at < literal(before, Instant))
    return change.connection.execute(delete(audit).where(old)).rowcount


def workspaces_with_old_events(connection: Any, before: datetime) -> list[int]:
    """The keys of workspaces whose lowest event is older than that moment."""
    columns = audit.c
    lowest = select(columns.at).where(columns.workspace_id == workspaces.c.id).order_by(columns.seq).limit(1)
    chosen = select(workspaces.c.id).where(lowest.scalar_subquery() < literal(before, Instant))
    return list(connection.execute(chosen).scalars())
