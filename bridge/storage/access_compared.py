"""Access before and after a change, within its transaction: whose paths lead to other grants than they did.

What everybody held is kept in tables of this transaction alone, and the database compares: rows come out only for
those whom the change moves, however many people there are.
"""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, MetaData, Table, insert, select, text, union
from sqlalchemy.schema import DropTable

from bridge.storage.access import held_by_everybody, in_batches
from bridge.storage.changes import Change


def _table(name: str) -> Table:
    numbers = [Column(column, BigInteger, primary_key=True, autoincrement=False) for column in _COLUMNS]
    return Table(name, MetaData(), *numbers, prefixes=["TEMPORARY"])


_COLUMNS = ("membership_id", "grant_id")
_BEFORE, _AFTER = _table("held_before"), _table("held_after")
_NOTE_BEFORE, _NOTE_AFTER = (
    insert(table).from_select(_COLUMNS, held_by_everybody().columns(*(Column(name, BigInteger) for name in _COLUMNS)))
    for table in (_BEFORE, _AFTER)
)
_LOST = select(*_BEFORE.c).except_(select(*_AFTER.c)).subquery("lost")
_GAINED = select(*_AFTER.c).except_(select(*_BEFORE.c)).subquery("gained")
_MOVED = union(select(_LOST.c.membership_id), select(_GAINED.c.membership_id))


def note_access(change: Change, workspace_key: int, roles: Collection[str], now: datetime) -> None:
    """Keep who in the workspace holds which grants of these roles at this point of the transaction, before it changes.

    Of all roles, those would be over a million rows where each of 100,000 people is in ten groups that are mirrored.
    """
    forget_access(change)
    for table in (_BEFORE, _AFTER):
        table.create(change.connection)
    change.connection.execute(_NOTE_BEFORE, {"workspace": workspace_key, "roles": list(roles), "now": now})


def note_access_after(change: Change, workspace_key: int, roles: Collection[str], now: datetime) -> None:
    """Keep what they hold now, to compare."""
    change.connection.execute(_NOTE_AFTER, {"workspace": workspace_key, "roles": list(roles), "now": now})
    if change.connection.dialect.name != "sqlite":  # nobody analyses a temporary table by itself
        for table in (_BEFORE, _AFTER):
            change.connection.execute(text(f"ANALYZE {table.name}"))


def moved_members(change: Change, touched: Collection[int]) -> list[int]:
    """Those who hold other grants than before, or one of the `touched`, which reach something else now; by key."""
    found = set(change.connection.execute(_MOVED).scalars())
    for batch in in_batches(touched):
        for table in (_BEFORE, _AFTER):
            holding = select(table.c.membership_id).where(table.c.grant_id.in_(batch)).distinct()
            found.update(change.connection.execute(holding).scalars())
    return sorted(found)


def grants_held(change: Change, members: Collection[int]) -> Iterator[tuple[int, list[int], list[int]]]:
    """For each of these members, the keys of the grants that they held, and that they hold now."""
    for batch in in_batches(members):
        before, after = (_by_member(change.connection, table, batch) for table in (_BEFORE, _AFTER))
        for member in batch:
            yield member, before.get(member, []), after.get(member, [])


def _by_member(connection: Any, table: Table, members: Collection[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    chosen = select(table.c.membership_id, table.c.grant_id).where(table.c.membership_id.in_(list(members)))
    for member, grant in connection.execute(chosen.order_by(table.c.grant_id)):
        found.setdefault(member, []).append(grant)
    return found


def forget_access(change: Change) -> None:
    """Drop what was kept: the connection is used again by others."""
    for table in (_BEFORE, _AFTER):
        change.connection.execute(DropTable(table, if_exists=True))
