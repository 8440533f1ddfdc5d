"""Pages of the people and groups that a search finds, in order: by number, and from place to place.

Where a filter's clause isn't exact (`bridge.storage.directory_search`), the rows left are read in chunks, and the
filter is asked of each. A page from a place reads what comes after it (or before it) by key, never what lies on the
way: the whole walk costs what the rows cost, and whoever is there all the time is met once, whoever comes and goes.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, Generic, TypeVar

from sqlalchemy import Column, ColumnElement, Table, Text, and_, func, or_, select, true

from bridge.domain.directory import DirectoryGroup, DirectoryUser, GroupMemberRef
from bridge.domain.people import fold, fold_user_name
from bridge.storage.directory import (
    StoredGroup,
    StoredUser,
    groups_of_users,
    list_groups,
    list_users,
    members_of_groups,
    pushed_groups,
    pushed_users,
    totals,
)
from bridge.storage.directory_search import EVERY, GROUPS, USERS, compile_filter
from bridge.storage.tables import directory_groups, directory_users
from scim.errors import TooMany
from scim.filter_tree import Filter, attributes_tested, matches
from scim.resources import Meta, Reference, render_group, render_user
from scim.sorting import Order, sort_key
from scim.versions import render_version

Found = TypeVar("Found", StoredUser, StoredGroup)

#: Rows read at a time where a filter must be asked of each.
_CHUNK = 1000
#: So many at most are sorted by what is kept in the document only.
MAX_SORTED = 5000


@dataclass(frozen=True, slots=True)
class Place:
    """Beside one row of an ordered search: its key, and the value it is sorted by, None where it has none.

    It stays a place when the row is gone.
    """

    key: int
    value: Any = None


@dataclass(frozen=True, slots=True)
class Stretch(Generic[Found]):
    """Rows from a place on, in the direction that was asked for, and whether more follow."""

    found: list[Found]
    more: bool
    places: Callable[[Found], Place]


@dataclass(frozen=True, slots=True)
class _Key(Generic[Found]):
    """What people or groups are sorted by in SQL, a text as filters compare it: the column, and a row's value in it."""

    column: Column[Any]
    of: Callable[[Found], Any]


#: Members of groups that are looked at together, where a filter or an order is of members.
MEMBERS_AT_ONCE = 10_000

_users, _groups = directory_users.c, directory_groups.c
_Keys = Mapping[tuple[str, str | None], _Key[Found]]

_KEYS_OF_USERS: _Keys[StoredUser] = {
    ("id", None): _Key(_users.uid, lambda each: each.user.id),
    ("userName", None): _Key(_users.user_name_ci, lambda each: fold_user_name(each.user.pushed.user_name)),
    ("externalId", None): _Key(_users.external_id, lambda each: each.user.pushed.external_id),
    ("meta", "created"): _Key(_users.created_at, lambda each: each.user.created_at),
    ("meta", "lastModified"): _Key(_users.modified_at, lambda each: each.user.modified_at),
}
_KEYS_OF_GROUPS: _Keys[StoredGroup] = {
    ("id", None): _Key(_groups.uid, lambda each: each.group.id),
    ("displayName", None): _Key(_groups.name_ci, lambda each: fold(each.group.name)),
    ("externalId", None): _Key(_groups.external_id, lambda each: each.group.external_id),
    ("meta", "created"): _Key(_groups.created_at, lambda each: each.group.created_at),
    ("meta", "lastModified"): _Key(_groups.modified_at, lambda each: each.group.modified_at),
}


def search_users(connection: Any, connection_key: int, filter_: Filter | None, base: str) -> "Search[StoredUser]":
    """The pushed people that match. `base` is what the locations of resources begin with."""
    clause = EVERY if filter_ is None else compile_filter(filter_, USERS)
    where = and_(pushed_users(connection_key), clause.sql)
    asked = None if clause.exact else filter_
    known = None if filter_ is not None else lambda: totals(connection, connection_key)[0]
    show = partial(_user_resources, base, connection)
    return Search(connection, directory_users, list_users, show, where, asked, known, _KEYS_OF_USERS)


def search_groups(connection: Any, connection_key: int, filter_: Filter | None, base: str) -> "Search[StoredGroup]":
    """The same for pushed groups."""
    clause = EVERY if filter_ is None else compile_filter(filter_, GROUPS)
    where = and_(pushed_groups(connection_key), clause.sql)
    asked = None if clause.exact else filter_
    known = None if filter_ is not None else lambda: totals(connection, connection_key)[1]
    show = partial(_group_resources, base, connection)
    return Search(connection, directory_groups, list_groups, show, where, asked, known, _KEYS_OF_GROUPS)


@dataclass(frozen=True, slots=True)
class Search(Generic[Found]):
    """One search: rows of `table` that fit `where`, and of which `filter`, if there is one to be asked, is true.

    Its pages are ordered by an Order, else as the rows came. Raises TooMany for an order that can't be had of so many.
    """

    connection: Any
    table: Table
    read: Callable[..., list[Found]]
    resources: Callable[[list[Found], frozenset[str]], Iterable[dict[str, Any]]]
    where: ColumnElement[bool]
    filter: Filter | None
    known: Callable[[], int] | None
    keys: _Keys[Found]

    def total(self) -> int:
        """How many match."""
        if self.known is not None:
            return self.known()
        if self.filter is not None:
            return sum(1 for _ in self._matching([]))
        counted = select(func.count()).select_from(self.table).where(self.where)
        total: int = self.connection.execute(counted).scalar_one()
        return total

    def page(self, order: Order | None, offset: int, count: int) -> tuple[list[Found], int]:
        """`count` of the matches after `offset`, and how many there are."""
        key = self._key(order)
        if order is not None and key is None:
            found = [row for _, row in self._sorted(order)]
            return found[offset : offset + count], len(found)
        by = [] if order is None or key is None else [_ordered(self._sql(key), order.descending)]
        if self.filter is not None:
            return _page(self._matching(by), offset, count)
        found = self.read(self.connection, self.where, by=by, limit=count, offset=offset)
        if len(found) < count and (found or not offset):
            return found, offset + len(found)  # that was the last of them: IdPs mostly look for one person
        return found, self.total()

    def stretch(self, order: Order | None, place: Place | None, count: int, *, backwards: bool) -> Stretch[Found]:
        """At most `count` of the matches after a place, or before it; without one from the beginning, or the end."""
        key = self._key(order)
        if order is not None and key is None:
            return self._stretch_of_sorted(order, place, count, backwards)
        falls = order is not None and order.descending
        by = None if key is None else _By(self._sql(key), key.column.nullable is True, falls != backwards)

        def place_of(row: Found) -> Place:
            return Place(row.key, None if key is None else key.of(row))

        found: list[Found] = []
        chunk = count + 1
        while len(found) <= count:
            beyond = true() if place is None else _beyond(self.table.c.id, by, place, backwards)
            rows = self.read(self.connection, and_(self.where, beyond), by=self._by(by, backwards), limit=chunk)
            found += self._asked(rows)
            if len(rows) < chunk:
                break
            place, chunk = place_of(rows[-1]), min(chunk * 2, _CHUNK)
        return Stretch(found[:count], len(found) > count, place_of)

    def _by(self, by: "_By | None", backwards: bool) -> list[ColumnElement[Any]]:
        first: list[ColumnElement[Any]] = [] if by is None else [_ordered(by.column, by.falls)]
        return [*first, self.table.c.id.desc()] if backwards else first

    def _key(self, order: Order | None) -> _Key[Found] | None:
        """The column that gives the order; None where there is no such column."""
        if order is None or order.path.in_extension:
            return None
        return self.keys.get((order.path.attribute.name, order.path.sub.name if order.path.sub else None))

    def _sql(self, key: _Key[Found]) -> ColumnElement[Any]:
        """Texts by code point on both engines."""
        by_code_point = isinstance(key.column.type, Text) and self.connection.dialect.name == "postgresql"
        return key.column.collate("C") if by_code_point else key.column

    def _matching(self, by: Sequence[Any]) -> Iterator[Found]:
        key = self.table.c.id
        keys = self.connection.execute(select(key).where(self.where).order_by(*by, key)).scalars().all()
        for start in range(0, len(keys), _CHUNK):
            chunk = and_(self.where, key.in_(keys[start : start + _CHUNK]))
            yield from self._asked(self.read(self.connection, chunk, by=by))

    def _asked(self, rows: list[Found]) -> list[Found]:
        if self.filter is None:
            return rows
        resources = self.resources(rows, attributes_tested(self.filter))
        return [row for row, resource in zip(rows, resources, strict=True) if matches(self.filter, resource)]

    def _sorted(self, order: Order) -> list[tuple[Any, Found]]:
        """All matches, sorted here, each with the value that it is sorted by, None where it has none."""
        found = list(islice(self._matching([]), MAX_SORTED + 1))
        if len(found) > MAX_SORTED:
            raise TooMany(f"By {order.path} this server sorts at most {MAX_SORTED}; by userName and id, any number.")
        resources = self.resources(found, frozenset({order.path.attribute.name}))
        keys = {row.key: sort_key(order.path, resource) for row, resource in zip(found, resources, strict=True)}
        in_order = sorted(found, key=lambda row: keys[row.key], reverse=order.descending)
        return [(keys[row.key][1], row) for row in in_order]

    def _stretch_of_sorted(self, order: Order, place: Place | None, count: int, backwards: bool) -> Stretch[Found]:
        in_order = self._sorted(order)
        places = {row.key: Place(row.key, value) for value, row in in_order}
        rows = [row for _, row in (reversed(in_order) if backwards else in_order)]
        if place is not None:
            rows = [row for row in rows if _is_beyond(places[row.key], place, order.descending, backwards)]
        return Stretch(rows[:count], len(rows) > count, lambda row: places[row.key])


# -- Order and places --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _By:
    """What rows are read by before their key, and whether from the greatest down. NULL is greater than everything."""

    column: ColumnElement[Any]
    nullable: bool
    falls: bool


def _ordered(column: ColumnElement[Any], falls: bool) -> ColumnElement[Any]:
    return column.desc().nulls_first() if falls else column.asc().nulls_last()


def _beyond(key: ColumnElement[Any], by: _By | None, place: Place, backwards: bool) -> ColumnElement[bool]:
    """The rows that follow a place, in the direction of the reading."""
    after_key = key < place.key if backwards else key > place.key
    if by is None:
        return after_key
    column = by.column
    if place.value is None:
        nulls = and_(column.is_(None), after_key)
        return or_(nulls, column.is_not(None)) if by.falls else nulls
    if by.falls:
        return and_(column <= place.value, or_(column < place.value, after_key))
    rising = and_(column >= place.value, or_(column > place.value, after_key))
    return or_(rising, column.is_(None)) if by.nullable else rising


def _is_beyond(row: Place, place: Place, descending: bool, backwards: bool) -> bool:
    """The same of a row that was sorted here."""
    value, other = (row.value is None, row.value), (place.value is None, place.value)
    if value == other:
        return row.key < place.key if backwards else row.key > place.key
    return (value > other) == (descending == backwards)


def _page(every: Iterator[Found], offset: int, count: int) -> tuple[list[Found], int]:
    page, total = [], 0
    for found in every:
        if offset <= total < offset + count:
            page.append(found)
        total += 1
    return page, total


# -- What a filter is asked of -----------------------------------------------------------------------


def _user_resources(
    base: str, connection: Any, people: list[StoredUser], asked: frozenset[str]
) -> list[dict[str, Any]]:
    # A version tells the groups apart that it was shown with.
    wanted = asked & {"groups", "meta"}
    groups = groups_of_users(connection, [each.key for each in people]) if wanted else {}
    return [_user_resource(base, each, groups.get(each.key, ())) for each in people]


def _group_resources(
    base: str, connection: Any, groups: list[StoredGroup], asked: frozenset[str]
) -> Iterator[dict[str, Any]]:
    """One after the other, so that not all members of all groups are held at once."""
    for some in _by_members(groups) if "members" in asked else [groups]:
        members = members_of_groups(connection, [each.key for each in some]) if "members" in asked else {}
        yield from (_group_resource(base, each, members.get(each.key, ())) for each in some)


def _by_members(groups: list[StoredGroup]) -> Iterator[list[StoredGroup]]:
    """The groups in parts of at most MEMBERS_AT_ONCE members, a larger group alone."""
    part: list[StoredGroup] = []
    size = 0
    for group in groups:
        if part and size + group.n_members > MEMBERS_AT_ONCE:
            yield part
            part, size = [], 0
        part.append(group)
        size += group.n_members
    if part:
        yield part


def _user_resource(base: str, stored: StoredUser, groups: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """A person as their IdP is shown them, with those of their groups that were read."""
    user = stored.user
    shown = [Reference(uid, f"{base}/Groups/{uid}", name) for uid, name in groups]
    meta = _meta("User", f"{base}/Users/{user.id}", user, groups)
    # The column, as in SQL: a document whose `active` was removed doesn't say it.
    return {**render_user(user.pushed.document, user.id, meta, shown), "active": user.pushed.active}


def _group_resource(base: str, stored: StoredGroup, members: tuple[GroupMemberRef, ...]) -> dict[str, Any]:
    group = stored.group
    shown = [Reference(member.id, f"{base}/Users/{member.id}", member.name) for member in members]
    meta = _meta("Group", f"{base}/Groups/{group.id}", group)
    return render_group(group.name, group.external_id, group.id, meta, shown)


def _meta(
    kind: str, location: str, resource: DirectoryUser | DirectoryGroup, groups: Iterable[tuple[str, str]] = ()
) -> Meta:
    version = render_version(resource.version, groups)
    return Meta(kind, resource.created_at, resource.modified_at, location, version)
