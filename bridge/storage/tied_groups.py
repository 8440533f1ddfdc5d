"""Pushed groups with the User Group that each is tied to: its mirror, or one it was linked to (product.md 4.5)."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, select

from bridge.domain.people import fold
from bridge.storage.directory import pushed_groups
from bridge.storage.mappings import StoredMapping, list_mappings, user_groups_given
from bridge.storage.tables import directory_groups, mappings

_COLUMNS = directory_groups.c


@dataclass(frozen=True, slots=True)
class TiedGroup:
    """A pushed group. `tie` is its system-made rule, `user_group` the (outside id, name) that this gives, if any."""

    id: str
    name: str
    members: int
    tie: StoredMapping | None
    user_group: tuple[str, str] | None


def list_tied_groups(
    connection: Any, connection_key: int, *, search: str = "", limit: int, offset: int
) -> tuple[list[TiedGroup], int]:
    """A connection's groups whose name holds `search`, by name; and how many there are in all."""
    where = and_(pushed_groups(connection_key), _COLUMNS.name_ci.contains(fold(search), autoescape=True))
    chosen = select(_COLUMNS.uid, _COLUMNS.name, _COLUMNS.n_members).where(where)
    rows = connection.execute(chosen.order_by(_COLUMNS.name_ci, _COLUMNS.id).limit(limit).offset(offset)).all()
    total = connection.execute(select(func.count()).select_from(directory_groups).where(where)).scalar_one()
    ties = find_ties(connection, connection_key, [row.uid for row in rows])
    given = user_groups_given(connection, [tie.key for tie in ties.values()])
    return [_tied(row, ties.get(row.uid), given) for row in rows], int(total)


def find_ties(connection: Any, connection_key: int, group_uids: Collection[str]) -> dict[str, StoredMapping]:
    """The system-made rules of these groups, by the group's outside id."""
    by_id = and_(mappings.c.match == "id", mappings.c.value.in_(list(group_uids)))
    made = and_(mappings.c.connection_id == connection_key, by_id, mappings.c.origin.in_(("mirror", "link")))
    return {each.match.value: each for each in list_mappings(connection, made)}


def _tied(row: Any, tie: StoredMapping | None, given: dict[int, list[tuple[int, str, str]]]) -> TiedGroup:
    of_tie = given.get(tie.key, []) if tie else []
    return TiedGroup(row.uid, row.name, row.n_members, tie, of_tie[0][1:] if of_tie else None)
