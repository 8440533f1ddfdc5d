"""In which order people and groups are read, and how reading goes on from a place between two of them.

What is sorted by has many equals (people who came by one import came at one moment), so the key orders those: falling
is rising read backwards, and an index of column and key gives any page of either. NULL is greater than every value, as
PostgreSQL has it. SQLite has it the other way round, and no index for both: who has no value is read apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, literal, true, tuple_


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
        beyond = true() if place is None else self._beyond(place)
        # A place without a value may lie in rows of another kind, beside which these are.
        at_value = place is None or place.value is not None
        if self.column is None or (at_value and not self.nullable):
            return [(beyond, self.by)]
        by_key = self._directed(self.key)
        parts = [(self.column.is_not(None), [self._directed(self.column), by_key]), (self.column.is_(None), [by_key])]
        if self.falls:
            parts.reverse()
        if place is not None and at_value == self.falls:
            parts = parts[1:]
        (first, by), *others = parts
        return [(and_(first, beyond), by), *others]

    def _beyond(self, place: Place) -> ColumnElement[bool]:
        if self.column is None or place.value is None:
            return self.key < place.key if self.falls else self.key > place.key
        # As one comparison, which both engines look up in an index of both, however many equals there are.
        here = tuple_(self.column, self.key)
        there = tuple_(literal(place.value, self.column.type), literal(place.key, self.key.type))
        return here < there if self.falls else here > there

    def _directed(self, column: ColumnElement[Any]) -> Any:
        return column.desc() if self.falls else column.asc()


def rank(place: Place) -> tuple[bool, Any, int]:
    """What sorts places as a line that rises does."""
    return (place.value is None, place.value, place.key)


def is_beyond(row: Place, place: Place, *, falls: bool) -> bool:
    """Whether a row that was sorted here follows a place."""
    return rank(row) < rank(place) if falls else rank(row) > rank(place)
