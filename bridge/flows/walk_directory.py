"""A walk through a connection's directory by cursor, from page to page (RFC 9865)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bridge.domain.directory import DirectoryGroup, ShownUser
from bridge.domain.workspace import Connection
from bridge.flows.context import Context
from bridge.flows.cursors import Position, open_cursor, seal_cursor
from bridge.storage import directory_members, directory_people
from bridge.storage.directory_members import StoredGroup
from bridge.storage.directory_order import Place
from bridge.storage.directory_pages import Search, search_groups, search_users
from bridge.storage.directory_people import ShownRow
from bridge.storage.time_limit import TimeLimit
from scim.filter_tree import Filter
from scim.schemas import USER, ResourceType
from scim.sorting import Order


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for among the resources of one type."""

    resource_type: ResourceType
    filter: Filter | None = None
    order: Order | None = None
    with_members: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """One page: who is on it, how many the first page counted in all, and the cursors of the pages beside it."""

    found: list[ShownUser | DirectoryGroup]
    total: int
    next: str | None = None
    previous: str | None = None


@dataclass(frozen=True, slots=True)
class _Met:
    """A row, in which part it was met, and its place there."""

    part: int
    place: Place
    row: ShownRow | StoredGroup


def walk_directory(
    context: Context,
    connection: Connection,
    sought: Sequence[Sought],
    query: str,
    cursor: str,
    count: int,
    now: datetime,
) -> Page:
    """At most `count` of what is sought, from where `cursor` says; "" is the beginning.

    `query` is what has to be the same on every page. Whoever is there during the whole walk is met once: what each
    page finds follows what the one before ended with, wherever that is by now. Raises InvalidCursor, ExpiredCursor,
    InvalidCount, TooMany.
    """
    limit = context.limit_of_search()
    asked = any(each.filter is not None or each.order is not None for each in sought)
    with context.database.searching(limit) if asked else context.database.reading() as rows:
        parts = [_search(context, rows, connection, each, limit) for each in sought]
        if cursor:
            position = open_cursor(context, connection, query, count, cursor, now)
        else:
            position = Position(total=sum(each.total() for each in parts))
        in_order = len(parts) > 1 and any(each.order for each in sought)
        met, more = (_meet_in_order if in_order else _meet_in_turn)(parts, sought, position, count)
        here = _filled(rows, [each.row for each in met], with_members=any(each.with_members for each in sought))
    before, after = _beside(met, position, more=more, begun=bool(cursor))

    def seal(to: Position | None) -> str | None:
        return None if to is None else seal_cursor(context, connection, query, count, to, now)

    return Page(here, position.total, seal(after), seal(before))


def _search(context: Context, rows: Any, connection: Connection, sought: Sought, limit: TimeLimit) -> Search[Any]:
    search = search_users if sought.resource_type is USER else search_groups
    return search(rows, connection.key, sought.filter, context.scim_url, limit)


def _meet_in_turn(
    parts: Sequence[Search[Any]], sought: Sequence[Sought], position: Position, count: int
) -> tuple[list[_Met], bool]:
    """The rows of a page in their order, part after part, and whether there are more in the walk's direction."""
    met: list[_Met] = []
    place, more = position.place, False
    direction, end = (-1, -1) if position.backwards else (1, len(parts))
    for part in range(position.part, end, direction):
        order = sought[part].order
        stretch = parts[part].stretch(order, place, count - len(met), backwards=position.backwards)
        met += [_Met(part, stretch.places(row), row) for row in stretch.found]
        place, more = None, stretch.more
        if more:
            break
    return met[::direction], more


def _meet_in_order(
    parts: Sequence[Search[Any]], sought: Sequence[Sought], position: Position, count: int
) -> tuple[list[_Met], bool]:
    """The same where all parts are in one order; of equals those of an earlier part come first."""
    descending = any(each.order.descending for each in sought if each.order)
    met: list[_Met] = []
    more = False
    for part, search in enumerate(parts):
        place = _seen_from(part, sought[part], position, descending)
        stretch = search.stretch(sought[part].order, place, count, backwards=position.backwards)
        found = [_Met(part, stretch.places(row), row) for row in stretch.found]
        met += reversed(found) if position.backwards else found
        more = more or stretch.more
    met.sort(key=lambda each: (each.place.value is None, each.place.value), reverse=descending)
    page = met[max(len(met) - count, 0) :] if position.backwards else met[:count]
    return page, more or len(met) > len(page)


#: Keys before and behind every key that there is.
_FIRST, _LAST = -1, 2**62


def _seen_from(part: int, sought: Sought, position: Position, descending: bool) -> Place | None:
    """The place in a part from which its rows follow a position in another; None: from where one begins to read."""
    place = position.place
    if place is None or part == position.part:
        return place
    if sought.order is None and place.value is not None:
        # Nobody in this part has a value, and no value is greater than all: all of them follow, or none does.
        return None if descending == position.backwards else Place(_FIRST if position.backwards else _LAST)
    falls = sought.order is not None and sought.order.descending
    return Place(_FIRST if (part > position.part) != falls else _LAST, place.value)


def _beside(
    met: Sequence[_Met], position: Position, *, more: bool, begun: bool
) -> tuple[Position | None, Position | None]:
    """Where the pages before and after begin; None where there is none, and where a page shows nobody."""
    if not met:
        return None, None
    first, last = met[0], met[-1]
    has_before = more if position.backwards else begun
    before = replace(position, part=first.part, place=first.place, backwards=True) if has_before else None
    has_after = more or position.backwards
    after = replace(position, part=last.part, place=last.place, backwards=False) if has_after else None
    return before, after


def _filled(
    rows: Any, stored: Sequence[ShownRow | StoredGroup], *, with_members: bool
) -> list[ShownUser | DirectoryGroup]:
    """People with their groups, and groups with their members where they are wanted."""
    groups = directory_people.groups_of_users(rows, [each.key for each in stored if isinstance(each, ShownRow)])
    wanted = [each.key for each in stored if isinstance(each, StoredGroup)] if with_members else []
    members = directory_members.members_of_groups(rows, wanted)
    return [
        each.with_groups(groups.get(each.key, ()))
        if isinstance(each, ShownRow)
        else replace(each.group, members=members.get(each.key))
        for each in stored
    ]
