"""What is said to a database while a test listens."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import event

from bridge.storage.database import Database


class Statement(NamedTuple):
    """One statement as it went to the driver."""

    sql: str
    values: Any


@contextmanager
def statements(database: Database) -> Iterator[list[Statement]]:
    """Every statement, in order, for reading and for writing."""
    said: list[Statement] = []

    def note(_connection: Any, _cursor: Any, sql: str, values: Any, *_: Any) -> None:
        said.append(Statement(sql, values))

    engines = (database.read_engine, database.write_engine)
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)
