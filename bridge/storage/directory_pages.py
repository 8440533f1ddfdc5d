"""Pages of the people and groups that a search finds, in order: by number, and from place to place.

Where a filter's clause isn't exact (`bridge.storage.directory_search`), the rows left are read in chunks, no more of
each than the filter asks for, and the filter is asked of each; only whoever is on the page is read whole. A page from a
place reads what comes after it (or before it) by key, never what lies on the way: the whole walk costs what the rows
cost, and whoever is there all the time is met once, whoever comes and goes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, Generic, TypeVar

from sqlalchemy import Column, ColumnElement, Table, Text, and_, func, null, select

from bridge.domain.people import fold, fold_user_name
from bridge.storage.directory import pushed_groups, pushed_users, totals
from bridge.storage.directory_lean import Lean, lean_groups, lean_users
from bridge.storage.directory_members import StoredGroup, list_groups
from bridge.storage.directory_order import Line, Place, is_beyond, rank
from bridge.storage.directory_people import ShownRow, first_users, list_shown_users
from bridge.storage.directory_search import EVERY, GROUPS, USERS, compile_filter
from bridge.storage.tables import directory_groups, directory_users
from bridge.storage.time_limit import TimeLimit, waiting
from scim.errors import TooMany
from scim.filter_tree import And, Filter, attributes_tested, truth_of
from scim.sorting import Order, sort_key

Row = TypeVar("Row")
_Read = Callable[[ColumnElement[bool], Sequence[Any], int], Sequence[Row]]
Found = TypeVar("Found", ShownRow, StoredGroup)

#: Rows read at a time where a filter must be asked of each.
_CHUNK = 2000
#: Rows between two looks at the clock: with the dearest filter some milliseconds.
_LOOK_EVERY = 32
#: So many at most are sorted by what is kept in the document only, and with so many characters in that.
MAX_SORTED, MAX_SORTED_TEXT = 100_000, 10_000_000


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


_users, _groups = directory_users.c, directory_groups.c
_Keys = Mapping[tuple[str, str | None], _Key[Found]]

_KEYS_OF_USERS: _Keys[ShownRow] = {
    ("id", None): _Key(_users.uid, lambda each: each.uid),
    ("userName", None): _Key(_users.user_name_ci, lambda each: fold_user_name(each.user_name)),
    ("externalId", None): _Key(_users.external_id, lambda each: each.external_id),
    ("meta", "created"): _Key(_users.created_at, lambda each: each.created_at),
    ("meta", "lastModified"): _Key(_users.modified_at, lambda each: each.modified_at),
}
_KEYS_OF_GROUPS: _Keys[StoredGroup] = {
    ("id", None): _Key(_groups.uid, lambda each: each.group.id),
    ("displayName", None): _Key(_groups.name_ci, lambda each: fold(each.group.name)),
    ("externalId", None): _Key(_groups.external_id, lambda each: each.group.external_id),
    ("meta", "created"): _Key(_groups.created_at, lambda each: each.group.created_at),
    ("meta", "lastModified"): _Key(_groups.modified_at, lambda each: each.group.modified_at),
}


def search_users(
    connection: Any, connection_key: int, filter_: Filter | None, base: str, limit: TimeLimit
) -> "Search[ShownRow]":
    """The pushed people that match. `base` is what the locations of resources begin with."""
    clause = EVERY if filter_ is None else compile_filter(filter_, USERS)
    where = and_(pushed_users(connection_key), clause.sql)
    asked = None if clause.exact else filter_
    known = first = None
    if filter_ is None:
        known = lambda: totals(connection, connection_key)[0]  # noqa: E731
        first = partial(first_users, connection, connection_key)
    lean = lean_users(base)
    return Search(
        connection, directory_users, list_shown_users, lean, where, asked, known, _KEYS_OF_USERS, limit, first
    )


def search_groups(
    connection: Any, connection_key: int, filter_: Filter | None, base: str, limit: TimeLimit
) -> "Search[StoredGroup]":
    """The same for pushed groups."""
    clause = EVERY if filter_ is None else compile_filter(filter_, GROUPS)
    where = and_(pushed_groups(connection_key), clause.sql)
    asked = None if clause.exact else filter_
    known = None if filter_ is not None else lambda: totals(connection, connection_key)[1]
    lean = lean_groups(base)
    return Search(connection, directory_groups, list_groups, lean, where, asked, known, _KEYS_OF_GROUPS, limit)


@dataclass(frozen=True, slots=True)
class Search(Generic[Found]):
    """One search: rows of `table` that fit `where`, and of which `filter`, if there is one to be asked, is true.

    Its pages are ordered by an Order, else as the rows came. Raises TooMany for an order that can't be had of so many,
    and where its time is over.
    """

    connection: Any
    table: Table
    read: Callable[..., list[Found]]
    lean: Lean
    where: ColumnElement[bool]
    filter: Filter | None
    known: Callable[[], int] | None
    keys: _Keys[Found]
    limit: TimeLimit
    first: Callable[[int], list[Found]] | None = None

    def total(self) -> int:
        """How many match."""
        if self.known is not None:
            return self.known()
        if self.filter is not None:
            return sum(1 for _ in self._matching(Line(self.table.c.id), None, _CHUNK))
        counted = select(func.count()).select_from(self.table).where(self.where)
        with waiting(self.connection, self.limit):
            total: int = self.connection.execute(counted).scalar_one()
        return total

    def page(self, order: Order | None, offset: int, count: int) -> tuple[list[Found], int]:
        """`count` of the matches after `offset`, and how many there are."""
        key = self._key(order)
        if order is not None and key is None:
            in_order = self._sorted(order)
            return self._whole(in_order[offset : offset + count]), len(in_order)
        line = self._line(order, key)
        if self.filter is not None:
            met, total = _page(self._matching(line, None, _CHUNK), offset, count)
            return self._whole(met), total
        found = self.first(count) if self.first and not (order or offset) else self._numbered(line, offset, count)
        if len(found) < count and (found or not offset):
            return found, offset + len(found)  # that was the last of them: IdPs mostly look for one person
        return found, self.total()

    def stretch(self, order: Order | None, place: Place | None, count: int, *, backwards: bool) -> Stretch[Found]:
        """At most `count` of the matches after a place, or before it; without one from the beginning, or the end."""
        key = self._key(order)
        if order is not None and key is None:
            met = self._sorted_from(order, place, backwards)[: count + 1]
        elif self.filter is None:
            found = self._from(self._read, self._line(order, key, backwards), place, count + 1)
            return Stretch(found[:count], len(found) > count, partial(_place_of, key))
        else:
            line = self._line(order, key, backwards)
            met = list(islice(self._matching(line, place, count + 1), count + 1))
        places = {each.key: each for each in met}
        return Stretch(self._whole(met[:count]), len(met) > count, lambda row: places[row.key])

    # -- Whole rows

    def _numbered(self, line: Line, offset: int, count: int) -> list[Found]:
        if not offset:
            return self._read(self.where, by=line.by, limit=count)
        # What is skipped is skipped in the index, and nobody's document is touched on the way.
        keys = select(self.table.c.id).where(self.where).order_by(*line.by).limit(count).offset(offset)
        return self._read(self.table.c.id.in_(keys), by=line.by)

    def _read(self, where: ColumnElement[bool], by: Sequence[Any] = (), limit: int | None = None) -> list[Found]:
        with waiting(self.connection, self.limit):
            return self.read(self.connection, where, by=by, limit=limit)

    def _whole(self, met: Sequence[Place]) -> list[Found]:
        """Who is at these places, in this order."""
        keys = [each.key for each in met]
        found = {each.key: each for each in self._read(self.table.c.id.in_(keys))} if keys else {}
        return [found[key] for key in keys if key in found]

    # -- The filter, asked

    def _matching(self, line: Line, place: Place | None, chunk: int) -> Iterator[Place]:
        """The places of the matches from there on, each once; `chunk` rows are read at first, then more at a time."""
        filter_, read = self.filter or And(()), self._lean_rows
        fits = truth_of(filter_)
        return (met for met, resource in read(line, place, chunk, attributes_tested(filter_)) if fits(resource))

    def _lean_rows(
        self, line: Line, place: Place | None, chunk: int, asked: frozenset[str]
    ) -> Iterator[tuple[Place, dict[str, Any]]]:
        """Each row's place, with what is asked of its resource."""
        sorted_by = null() if line.column is None else line.column
        chosen = select(line.key.label("key"), sorted_by.label("sorted_by"), *self.lean.columns(asked))

        def read(where: ColumnElement[bool], by: Sequence[Any], limit: int) -> Sequence[Any]:
            with waiting(self.connection, self.limit):
                rows: Sequence[Any] = self.connection.execute(chosen.where(where).order_by(*by).limit(limit)).all()
            return rows

        met = set[int]()  # a change in the meantime may have moved somebody further down
        while True:
            rows = self._from(read, line, place, chunk)
            resources = self.lean.resources(self.connection, rows, asked)
            for n, (row, resource) in enumerate(zip(rows, resources, strict=True)):
                if not n % _LOOK_EVERY:
                    self.limit.check()
                place = Place(row.key, row.sorted_by)
                if row.key not in met:
                    yield place, resource
            if len(rows) < chunk:
                return
            met |= set() if line.column is None else {row.key for row in rows}
            chunk = min(chunk * 2, _CHUNK)

    def _from(self, read: _Read[Row], line: Line, place: Place | None, limit: int) -> list[Row]:
        """At most so many rows from a place on."""
        found: list[Row] = []
        for part, by in line.parts_from(place):
            found += read(and_(self.where, part), by, limit - len(found))
            if len(found) == limit:
                break
        return found

    # -- Order

    def _key(self, order: Order | None) -> _Key[Found] | None:
        """The column that gives the order; None where there is no such column."""
        if order is None or order.path.in_extension:
            return None
        return self.keys.get((order.path.attribute.name, order.path.sub.name if order.path.sub else None))

    def _line(self, order: Order | None, key: _Key[Found] | None, backwards: bool = False) -> Line:
        falls = (order is not None and order.descending) != backwards
        if key is None:
            return Line(self.table.c.id, falls=falls)
        # Texts by code point on both engines.
        by_code_point = isinstance(key.column.type, Text) and self.connection.dialect.name == "postgresql"
        column = key.column.collate("C") if by_code_point else key.column
        return Line(self.table.c.id, column, key.column.nullable is True, falls)

    def _sorted(self, order: Order) -> list[Place]:
        """The places of all matches, sorted here."""
        filter_ = self.filter or And(())
        fits, asked = truth_of(filter_), attributes_tested(filter_) | {order.path.attribute.name}
        found: list[Place] = []
        characters = 0
        for met, resource in self._lean_rows(Line(self.table.c.id), None, _CHUNK, asked):
            if fits(resource):
                _, value = sort_key(order.path, resource)
                found.append(Place(met.key, value))
                characters += len(value) if isinstance(value, str) else 0
                if len(found) > MAX_SORTED or characters > MAX_SORTED_TEXT:
                    raise TooMany(f"By {order.path} this server sorts at most {MAX_SORTED}; by userName, any number.")
        return sorted(found, key=rank, reverse=order.descending)

    def _sorted_from(self, order: Order, place: Place | None, backwards: bool) -> list[Place]:
        in_order = self._sorted(order)
        if backwards:
            in_order.reverse()
        falls = order.descending != backwards
        return [each for each in in_order if place is None or is_beyond(each, place, falls=falls)]


def _place_of(key: _Key[Found] | None, row: Found) -> Place:
    return Place(row.key, None if key is None else key.of(row))


def _page(every: Iterator[Place], offset: int, count: int) -> tuple[list[Place], int]:
    page, total = [], 0
    for found in every:
        if offset <= total < offset + count:
            page.append(found)
        total += 1
    return page, total
