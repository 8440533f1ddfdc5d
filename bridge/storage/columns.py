"""Column types that mean the same on SQLite and PostgreSQL, and the helper that makes `_past` twins."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import BigInteger, Column, Dialect, Index, Integer, MetaData, Table, Text
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

#: A number that a database gives out. SQLite only does so for INTEGER.
Id = BigInteger().with_variant(Integer(), "sqlite")


#: A text that is compared and sorted by code point on both engines; so an index of it serves order and prefixes too.
Folded = Text().with_variant(Text(collation="C"), "postgresql")


class Instant(TypeDecorator[datetime]):
    """A moment in UTC, kept as microseconds since 1970: same order and equality on every engine."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """A moment to its number."""
        return None if value is None else (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """A number to its moment."""
        return _moment(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[int | None], datetime | None]:
        """The same, called without a detour: it is, several times for each row."""
        return _moment


class Json(TypeDecorator[Any]):
    """A JSON value kept as text, keys in the order they came."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """A value to its text."""
        return None if value is None else orjson.dumps(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """A text to its value."""
        return _json(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[str | None], Any]:
        """The same, called without a detour."""
        return _json


def _moment(value: int | None) -> datetime | None:
    return None if value is None else EPOCH + value * MICROSECOND


def _json(value: str | None) -> Any:
    return None if value is None else orjson.loads(value)


def past_twin(table: Table, metadata: MetaData, *asked_by: tuple[str, ...]) -> Table:
    """The table of `table`'s ended rows: same columns, then when and by which cause each ended.

    No constraints: what a row once pointed to may be gone. Each of `asked_by` names columns by which `access_past`
    looks for rows that stood at a moment; their index ends with `until`, so that what ended before isn't read. Whatever
    ends pays for each: one is what most have.
    """
    columns = [Column(column.name, column.type, nullable=column.nullable) for column in table.columns]
    twin = Table(
        f"{table.name}_past",
        metadata,
        *columns,
        Column("until", Instant, nullable=False),
        Column("ended_by", BigInteger, nullable=False),
    )
    for names in asked_by:
        Index(f"ix_{twin.name}_{'_'.join(names)}", *(twin.c[name] for name in names), twin.c.until)
    return twin
