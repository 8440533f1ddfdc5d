"""A change under way: one transaction, one cause, its audit events, and facts that begin and end by it."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError, OperationalError

from bridge.storage.columns import Instant
from bridge.storage.database import Database
from bridge.storage.prepared import Prepared
from bridge.storage.tables import PAST, audit, workspaces


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """Who changed what. `before` and `after` never hold a secret."""

    workspace_id: int
    type: str
    subject: str
    before: Any = None
    after: Any = None
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One transaction of a flow. Whatever it does is done by `actor`, at `now`, for `cause`."""

    connection: Connection
    actor: str
    now: datetime
    cause: int
    events: list[AuditEvent] = field(default_factory=list)

    def record(self, workspace_id: int, kind: str, subject: str, *, before: Any = None, after: Any = None) -> None:
        """Note one audit event; it is written with the transaction's last statements."""
        self.events.append(AuditEvent(workspace_id, kind, subject, before, after))

    def record_by(self, actor: str, workspace_id: int, kind: str, subject: str, *, after: Any) -> None:
        """Note an event of somebody other than the change's actor, who had it done."""
        self.events.append(AuditEvent(workspace_id, kind, subject, None, after, actor))

    @property
    def stands(self) -> dict[str, Any]:
        """The columns that say since when and by what a fact stands."""
        return {"since": self.now, "cause": self.cause}


class Collision(Exception):
    """Another transaction took a unique row, or a lock, first; nothing of this one happened. Look again."""


#: PostgreSQL's serialization_failure and deadlock_detected.
_LOST_RACES = frozenset({"40001", "40P01"})


@contextmanager
def changing(database: Database, actor: str, now: datetime, *, durable: bool = True) -> Iterator[Change]:
    """One transaction with its audit events; when the block raises, neither happened. Raises Collision."""
    try:
        with database.writing(durable=durable) as connection:
            change = Change(connection, actor, now, secrets.randbits(62))
            yield change
            write_audit(change)
    except IntegrityError as error:
        raise Collision(str(error.orig)) from error
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) in _LOST_RACES:
            raise Collision(str(error.orig)) from error
        raise


def lock_workspace(change: Change, workspace_id: int) -> None:
    """Hold the workspace's row until the change ends: one at a time past this point (properties.md, owners).

    On PostgreSQL all flows lock rows in one order, so that no two wait for each other: a connection, its records of
    people, its groups, memberships, and then the workspace, whose row every change with an audit event locks at its
    end. (A plain change of members refers to its group before its people; nobody who holds people waits for that.)
    """
    _NEXT_REVISION.run(change.connection, workspace=workspace_id)


_NEXT_REVISION = Prepared(
    update(workspaces).where(workspaces.c.id == bindparam("workspace")).values(rev=workspaces.c.rev + 1)
)
_NEXT_IN_SEQUENCE = Prepared(
    update(workspaces)
    .where(workspaces.c.id == bindparam("workspace"))
    .values(rev=workspaces.c.rev + 1, audit_seq=workspaces.c.audit_seq + bindparam("events"))
    .returning(workspaces.c.audit_seq)
)


def write_audit(change: Change) -> None:
    """Write the events noted so far: the last of all statements, since it locks the workspace's row to the commit.

    Earlier only for who holds that row already and notes more events than memory should keep.
    """
    for workspace_id in sorted({event.workspace_id for event in change.events}):
        events = [event for event in change.events if event.workspace_id == workspace_id]
        last = _NEXT_IN_SEQUENCE.scalar(change.connection, workspace=workspace_id, events=len(events))
        first = last - len(events) + 1
        _insert_many(change, audit, [_audit_row(change, event, first + n) for n, event in enumerate(events)])
    change.events.clear()


def _audit_row(change: Change, event: AuditEvent, seq: int) -> dict[str, Any]:
    return {
        "workspace_id": event.workspace_id,
        "seq": seq,
        "at": change.now,
        "cause": change.cause,
        "actor": event.actor or change.actor,
        "type": event.type,
        "subject": event.subject,
        "before": event.before,
        "after": event.after,
    }


@cache
def _insert(table: Table, names: tuple[str, ...]) -> Prepared:
    """One statement for a table and the columns that are given, made once."""
    return Prepared(insert(table), names)


@cache
def _insert_for_key(table: Table, names: tuple[str, ...]) -> Prepared:
    return Prepared(insert(table).returning(table.c.id), names)


#: From so many rows on, PostgreSQL takes them faster by COPY than by INSERT.
_WORTH_A_COPY = 50


def _insert_many(change: Change, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if change.connection.dialect.name == "sqlite" or len(rows) < _WORTH_A_COPY:
        _insert(table, tuple(rows[0])).many(change.connection, rows)
        return
    names = list(rows[0])
    kinds = [table.c[name].type.dialect_impl(change.connection.dialect) for name in names]
    writers = [kind.bind_processor(change.connection.dialect) for kind in kinds]
    cursor: Any = change.connection.connection.cursor()
    listed = ", ".join(f'"{name}"' for name in names)
    with closing(cursor), cursor.copy(f'COPY "{table.name}" ({listed}) FROM STDIN') as copy:
        for row in rows:
            values = zip((row[name] for name in names), writers, strict=True)
            copy.write_row([value if write is None else write(value) for value, write in values])


def reserve_keys(change: Change, table: Table, count: int) -> list[int]:
    """So many new ids of a table, rising, for rows that are inserted with them."""
    if change.connection.dialect.name == "sqlite":  # one writer, so that nobody else takes them
        last = change.connection.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one()
        return list(range(last + 1, last + count + 1))
    drawn = select(func.nextval(func.pg_get_serial_sequence(table.name, "id"))).select_from(
        func.generate_series(1, count)
    )
    return sorted(change.connection.execute(drawn).scalars())


def insert_rows(change: Change, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert many rows that all name the same columns, ids among them where the table has one."""
    if rows:
        _insert_many(change, table, rows)


def insert_row(change: Change, table: Table, values: Mapping[str, Any]) -> int:
    """Insert one row into a table with an `id`. Returns that id."""
    key: int = _insert_for_key(table, tuple(values)).scalar(change.connection, **values)
    return key


def begin_fact(change: Change, table: Table, values: Mapping[str, Any]) -> int:
    """Insert one fact with an `id`, standing from now. Returns that id."""
    return insert_row(change, table, {**values, **change.stands})


def begin_facts(change: Change, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert many facts that all name the same columns."""
    insert_rows(change, table, [{**row, **change.stands} for row in rows])


def end_facts(change: Change, table: Table, *where: ColumnElement[bool], returning: str | None = None) -> list[Any]:
    """Move the rows that match to the table's twin. Returns their `returning` column (else their number of Nones).

    On PostgreSQL one statement does both, so that two transactions never end one row twice; on SQLite there is one
    writer, and two statements do. An `Ending` does the same by statements made once.
    """
    ends = {"ends_at": change.now, "ends_by": change.cause}
    if change.connection.dialect.name != "sqlite":
        moved = change.connection.execute(_move_to_twin(table, where, returning), ends).scalars().all()
        return list(moved) if returning else [None] * len(moved)
    change.connection.execute(_copy_to_twin(table, table, where), ends)
    gone = delete(table).where(*where)
    if returning:
        return list(change.connection.execute(gone.returning(table.c[returning])).scalars())
    return [None] * change.connection.execute(gone).rowcount


def _move_to_twin(table: Table, where: Sequence[ColumnElement[bool]], returning: str | None) -> Any:
    ended = delete(table).where(*where).returning(*table.c).cte("ended")
    return _copy_to_twin(table, ended, ()).returning(PAST[table].c[returning or "ended_by"])


class Ending:
    """How those facts end that `where` names by bound parameters: a constant of its module, called with their values.

    Gives the `returning` column of those that ended, as `end_facts` does.
    """

    def __init__(self, table: Table, *where: ColumnElement[bool], returning: str) -> None:
        self._copied = Prepared(_copy_to_twin(table, table, where))
        self._deleted = Prepared(delete(table).where(*where).returning(table.c[returning]))
        self._moved = Prepared(_move_to_twin(table, where, returning))

    def __call__(self, change: Change, /, **values: Any) -> list[Any]:
        """End them. Returns the column of each."""
        ends = {"ends_at": change.now, "ends_by": change.cause}
        if change.connection.dialect.name != "sqlite":
            return [row[0] for row in self._moved(change.connection, **values, **ends)]
        if not self._copied.run(change.connection, **values, **ends):
            return []
        return [row[0] for row in self._deleted(change.connection, **values)]


def alter_facts(change: Change, table: Table, *where: ColumnElement[bool], values: Mapping[str, Any]) -> int:
    """Keep what the rows said in the twin, then change them. Returns how many.

    On PostgreSQL the copy locks the rows, so that of two transactions the second copies what the first made.
    """
    ends = {"ends_at": change.now, "ends_by": change.cause}
    change.connection.execute(_copy_to_twin(table, table, where, locking=True), ends)
    altered = update(table).where(*where).values(**values, **change.stands)
    return change.connection.execute(altered).rowcount


def alter_fact(change: Change, table: Table, key: int, values: Mapping[str, Any], *, is_held: bool = False) -> None:
    """The same for the row with this `id`, by statements made once a table. `is_held`: the caller has it locked."""
    copy, altered = _altering_one(table, tuple(values), is_held)
    copy.run(change.connection, _id=key, ends_at=change.now, ends_by=change.cause)
    altered.run(change.connection, **values, **change.stands, _id=key)


@cache
def _altering_one(table: Table, names: tuple[str, ...], is_held: bool) -> tuple[Prepared, Prepared]:
    this = (table.c.id == bindparam("_id"),)
    copy = _copy_to_twin(table, table, this, locking=not is_held)
    return Prepared(copy), Prepared(update(table).where(*this), (*names, *_STANDS))


_STANDS = ("since", "cause")


def alter_each(change: Change, table: Table, rows: Mapping[int, Mapping[str, Any]]) -> None:
    """Keep what these rows said, then give each, by its `id`, values of its own: the same columns for all."""
    keys = sorted(rows)
    for start in range(0, len(keys), 500):
        batch = keys[start : start + 500]
        ends = {"ends_at": change.now, "ends_by": change.cause}
        change.connection.execute(_copy_to_twin(table, table, [table.c.id.in_(batch)], locking=True), ends)
        names = [*rows[batch[0]], *change.stands]
        one = update(table).where(table.c.id == bindparam("_key"))
        values = {name: bindparam(f"_{name}", type_=table.c[name].type) for name in names}
        said = [{"_key": key} | {f"_{name}": {**rows[key], **change.stands}[name] for name in names} for key in batch]
        change.connection.execute(one.values(values), said)


def _copy_to_twin(table: Table, source: Any, where: Sequence[ColumnElement[bool]], *, locking: bool = False) -> Any:
    names = [column.name for column in table.columns]
    whole: Any = _rows_of(table) if source is table else select(*(source.c[name] for name in names))
    rows = whole.add_columns(bindparam("ends_at", type_=Instant), bindparam("ends_by", type_=BigInteger)).where(*where)
    copy = rows.with_for_update() if locking else rows
    return insert(PAST[table]).from_select([*names, "until", "ended_by"], copy)


@cache
def _rows_of(table: Table) -> Any:
    return select(*table.columns)
