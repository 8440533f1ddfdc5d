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

    def note_beginning(_connection: Any) -> None:
        said.append(Statement("BEGIN IMMEDIATE", ()))

    engines = (database.read_engine, database.write_engine, database.search_engine)
    listeners: list[tuple[Any, str, Any]] = [(each, "before_cursor_execute", note) for each in engines if each]
    if database.is_sqlite:  # psycopg says BEGIN by itself, with the first statement
        listeners.append((database.write_engine, "begin", note_beginning))
    for listener in listeners:
        event.listen(*listener)
    try:
        yield said
    finally:
        for listener in listeners:
            event.remove(*listener)
