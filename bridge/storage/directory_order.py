"""In which order people and groups are read, and how reading goes on from a place between two of them.

What is sorted by has many equals (people who came by one import came at one moment), so the key orders those: falling
is rising read backwards, and an index of column and key gives any page of either. NULL is greater than every value, as
PostgreSQL has it. SQLite has it the other way round, and no index for both: who has no value is read apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, true


@dataclass(frozen=True, slots=True)
class Place:
    """Beside one row of an ordered search: its key, and the value it is sorted by, None where it has none.

    It stays a place when the row is gone.
    """

    key: int
    value: Any = None


@dataclass(frozen=True, slots=True)
class Line:
    """Rows by `column`, where there is one, then by `key`; all of it the other way round where it falls."""

    key: ColumnElement[int]
    column: ColumnElement[Any] | None = None
    nullable: bool = False
    falls: bool = False

    @property
    def by(self) -> list[ColumnElement[Any]]:
        """To order one statement by."""
        if self.column is None:
            return [self._directed(self.key)]
        first = self._directed(self.column)
        if self.nullable:
            first = first.nulls_first() if self.falls else first.nulls_last()
        return [first, self._directed(self.key)]

    def parts_from(self, place: Place | None) -> list[tuple[ColumnElement[bool], Sequence[Any]]]:
        """What follows a place (None: all there is) in parts, one after the other: a condition, and the order in it."""
        by_key = [self._directed(self.key)]
        if self.column is None:
            return [(true() if place is None else self._beyond(self.key, place.key), by_key)]
        by_value = [self._directed(self.column), *by_key]
        without = [(self.column.is_(None), by_key)] if self.nullable else []
        if place is None:
            valued = (self.column.is_not(None) if self.nullable else true(), by_value)
            return [*without, valued] if self.falls else [valued, *without]
        beside = self._beyond(self.key, place.key)
        if place.value is None:
            # It may lie in rows of another kind, beside which these are: then nobody here has no value.
            return [
                (and_(self.column.is_(None), beside), by_key),
                *([(self.column.is_not(None), by_value)] * self.falls),
            ]
        # Equals apart: SQLite wouldn't look (value, key) up in an index of both, but read all equals first.
        equals = and_(self.column == place.value, beside)
        further = (self._beyond(self.column, place.value), by_value)
        return [(equals, by_key), further, *([] if self.falls else without)]

    def _beyond(self, column: ColumnElement[Any], value: Any) -> ColumnElement[bool]:
        beyond: ColumnElement[bool] = column < value if self.falls else column > value
        return beyond

    def _directed(self, column: ColumnElement[Any]) -> Any:
        return column.desc() if self.falls else column.asc()


def rank(place: Place) -> tuple[bool, Any, int]:
    """What sorts places as a line that rises does."""
    return (place.value is None, place.value, place.key)


def is_beyond(row: Place, place: Place, *, falls: bool) -> bool:
    """Whether a row that was sorted here follows a place."""
    return rank(row) < rank(place) if falls else rank(row) > rank(place)
