"""Statements compiled once and handed to the driver.

Of what SQLAlchemy takes for a look-up by key, most goes into objects that live for one execution
(docs/decisions/0022). A `Prepared` keeps what comes out of them each time: the text, how values go in, how rows come
out. It is declared at module level, beside what calls it; of the calls one is enough for each need:

    _FIND = Prepared(select(users.c.id, users.c.name).where(users.c.uid == bindparam("uid")))
    _PUT = Prepared(insert(seen), ("hash", "expires_at"))

    rows = _FIND(connection, uid=uid)        # all of them, named tuples: row.name, or key, name = row
    row = _FIND.first(connection, uid=uid)   # the first, or None
    key = _FIND.scalar(connection, uid=uid)  # the first value of the first, or None
    _PUT.run(connection, hash=digest, expires_at=until)  # how many rows it touched
    _PUT.many(connection, rows)              # once for each mapping; nothing comes back

It is a select, insert, update, delete or text, with `bindparam` for what changes; constants in it, as in
`kind == "scim"`, stay where they are. Each call names all that it takes, and nothing else (TypeError). An `insert`
lists its columns, unless it has `values` or a select, and asks for the id that the database gives out by
`.returning(table.c.id)`. Columns of a text have names and types by `text(…).columns(…)`, else its rows are tuples.

An expanding `bindparam` takes a list. Its text is made for each length, and kept for as many as `_MOST_TEXTS`: where
lists may be long, bind them as one value (`directory.groups_of_users`). Not for a statement put together at each call,
nor for an INSERT of many rows that returns something: those go through `connection.execute`.

All else is as Core has it: values and rows through the types of their columns, transactions, pools, listeners to
`before_cursor_execute`, the classes of errors, and that a connection is invalidated whose server has gone. What
SQLAlchemy keeps private of that is used here only; `tests/storage/test_prepared.py` holds it to Core.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

from sqlalchemy import ClauseElement, Connection, Dialect, Executable, Insert
from sqlalchemy.sql.compiler import SQLCompiler

_Convert = Callable[[Any], Any] | None
_Read = Callable[[Sequence[Any]], list[Any]]
#: Of a statement with lists.
_MOST_TEXTS = 64


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """One statement, called with a connection and its values by name. `columns`: those of an INSERT. `row`: a class of
    named tuples, whose names then stand for the statement's columns.
    """

    statement: Executable
    columns: Sequence[str] = ()
    row: type[tuple[Any, ...]] | None = None
    _compiled: dict[str, "_Compiled"] = field(default_factory=dict, repr=False)

    def __call__(self, connection: Connection, /, **values: Any) -> list[Any]:
        """All rows."""
        text = self._text(connection, values)
        return text.read(_execute(connection, text, text.bind(values)))

    def first(self, connection: Connection, /, **values: Any) -> Any:
        """The first row, or None."""
        text = self._text(connection, values)
        found = _execute(connection, text, text.bind(values))
        return text.read(found[:1])[0] if found else None

    def scalar(self, connection: Connection, /, **values: Any) -> Any:
        """The first value of the first row, or None."""
        row = self.first(connection, **values)
        return None if row is None else row[0]

    def run(self, connection: Connection, /, **values: Any) -> int:
        """Do it. Returns how many rows it touched."""
        text = self._text(connection, values)
        touched: int = _execute(connection, text, text.bind(values))
        return touched

    def many(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Do it for each of the rows, which have no lists in them."""
        if rows:
            text = self._text(connection, rows[0])
            _execute(connection, text, [text.bind(row) for row in rows], many=True)

    def _text(self, connection: Connection, values: Mapping[str, Any]) -> "_Text":
        dialect = connection.dialect
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = _compile(self, dialect)
        if values.keys() != compiled.takes:
            raise TypeError(f"It takes {sorted(compiled.takes)}, not {sorted(values)}: {self.statement}")
        lengths = tuple([len(values[name]) for name in compiled.lists])
        return compiled.texts.get(lengths) or compiled.add_text(lengths, values)


@dataclass(frozen=True, slots=True)
class _Text:
    """What is sent: its SQL; which value goes where, by which conversion; `read` makes rows of what comes back."""

    sql: str
    slots: tuple[tuple[str, _Convert], ...]
    constants: Mapping[str, Any]
    lists: Mapping[str, Sequence[str]]
    positional: bool
    read: _Read

    def bind(self, values: Mapping[str, Any]) -> Any:
        """The values in the driver's form."""
        if self.constants or self.lists:
            values = {**self.constants, **values}
            for name, parts in self.lists.items():
                values.update(zip(parts, values[name], strict=True))
        if self.positional:
            return tuple([values[name] if put is None else put(values[name]) for name, put in self.slots])
        return {name: values[name] if put is None else put(values[name]) for name, put in self.slots}


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A statement in one dialect. `lists` are the expanding ones of the names it takes; a text for their lengths."""

    sql: SQLCompiler
    takes: frozenset[str]
    lists: tuple[str, ...]
    read: _Read
    texts: dict[tuple[int, ...], _Text] = field(default_factory=dict)

    def add_text(self, lengths: tuple[int, ...], values: Mapping[str, Any]) -> _Text:
        """The text for lists of these lengths; where there are many already, those are forgotten."""
        if len(self.texts) >= _MOST_TEXTS:
            self.texts.clear()
        state = self.sql.construct_expanded_state(dict(values))
        names = state.parameters.keys() if state.positiontup is None else state.positiontup
        converts: dict[str, Any] = {**self.sql._bind_processors, **state.processors}
        slots = tuple((name, converts.get(name)) for name in names)
        lists = {name: parts for name, parts in state.parameter_expansion.items() if name in self.lists}
        varying = self.takes.union(*lists.values())
        constants = {name: state.parameters[name] for name, _ in slots if name not in varying}
        text = _Text(state.statement, slots, constants, lists, state.positiontup is not None, self.read)
        self.texts[lengths] = text
        return text


def _compile(of: Prepared, dialect: Dialect) -> _Compiled:
    statement = of.statement
    if isinstance(statement, Insert) and not statement.returning_column_descriptions:
        statement = statement.inline()  # PostgreSQL would be asked for its key
    sql: Any = cast(ClauseElement, statement).compile(dialect=dialect, column_keys=list(of.columns) or None)
    wanted = {name: bind for bind, name in sql.bind_names.items() if bind.required}
    lists = tuple(sorted(name for name, bind in wanted.items() if bind.expanding))
    return _Compiled(sql, frozenset(wanted), lists, _reader_of(sql, dialect, of.row))


def _reader_of(sql: SQLCompiler, dialect: Dialect, row: type[tuple[Any, ...]] | None) -> _Read:
    """Makes named tuples of rows from the driver, by the types of the columns: a column at a time, which takes half."""
    columns = sql._result_columns
    if not columns:
        return list
    names = [column.keyname for column in columns]
    make = partial(tuple.__new__, row or namedtuple("Row", names, rename=True))
    converts = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
    changed = [(n, convert) for n, convert in enumerate(converts) if convert is not None]

    def read(found: Sequence[Any]) -> list[Any]:
        if not changed or not found:
            return list(map(make, found))
        values: list[Any] = list(zip(*found, strict=True))
        for n, convert in changed:
            values[n] = map(convert, values[n])
        return list(map(make, zip(*values, strict=True)))

    return read


def _execute(connection: Connection, text: _Text, values: Any, *, many: bool = False) -> Any:
    """The rows as they come from the driver; where it gives none, how many were touched. As Core would: a transaction
    begins, listeners hear of it, errors of the driver are translated.
    """
    driver, sql = connection.connection, text.sql
    if not connection.in_transaction():
        connection.begin()
    cursor = driver.cursor()
    try:
        if connection._has_events or connection.engine._has_events:
            for hear in connection.dispatch.before_cursor_execute:
                sql, values = hear(connection, cursor, sql, values, None, many)
        (cursor.executemany if many else cursor.execute)(sql, values)
        found = cursor.rowcount if cursor.description is None or many else cursor.fetchall()
    except BaseException as error:
        of_driver = isinstance(error, connection.dialect.loaded_dbapi.Error)
        connection._handle_dbapi_exception(error, sql if of_driver else None, values, cursor, None)
    cursor.close()
    return found
