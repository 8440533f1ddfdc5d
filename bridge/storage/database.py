"""Engines and transactions.

A `Database` is a value: a write engine, and a read engine whose statements each see the latest commit.
It is made after a fork, never before: connections must not be shared by processes.

SQLite allows one writer. Waiting in its busy handler polls and starves (p99 three times worse, measured),
so writers queue on a lock: of threads in this process, then of processes on a side file.
"""

import fcntl
import os
import select
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import QueuePool

from bridge.storage.time_limit import TimeLimit, ending_postgresql, ending_sqlite, tell_server

#: As many as there are threads that have work to do, most times.
_MOST_IDLE = 8
#: A connection for each thread (bridge.server), and on SQLite, where snapshots are of the same pool, one more for each.
_THREADS = 16

#: In bytes. psycopg looks for the parameters in a text each time, unless it keeps what it found: of short ones only, as
#: it comes. A check of access is longer, and took 40 µs of that (docs/decisions/0022-prepared-statements.md).
_LONGEST_KEPT_TEXT = 16 * 2**10

Synchronous = Literal["FULL", "NORMAL"]
WriteLock = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Database:
    """Where rows are: `writing()` for one transaction, `reading()` for statements outside any.

    A server's connections for searches are apart: they keep what the server was told of the limit.
    """

    write_engine: Engine
    read_engine: Engine
    write_lock: WriteLock = field(default=nullcontext)
    search_engine: Engine | None = None
    _readers: list[Connection] = field(default_factory=list, repr=False, compare=False)
    _writers: list[Connection] = field(default_factory=list, repr=False, compare=False)
    _searchers: list[Connection] = field(default_factory=list, repr=False, compare=False)

    @property
    def is_sqlite(self) -> bool:
        """Whether the embedded default is in use."""
        return self.write_engine.dialect.name == "sqlite"

    @contextmanager
    def writing(self, *, durable: bool = True) -> Iterator[Connection]:
        """One transaction: committed, and on disk, when the block ends; rolled back when it raises.

        Not `durable`: the next one that is brings it to the disk, and a power cut before that takes it, whole. Others
        see it at once all the same, and the end of a process takes nothing.
        """
        with self.write_lock(), _kept(self.write_engine, self._writers) as connection:
            begin = connection.begin if durable else partial(_begin_lazily, connection, self.is_sqlite)
            with begin():
                yield connection

    def reading(self) -> AbstractContextManager[Connection]:
        """A connection in autocommit: each statement sees the latest commit. Write nothing through it."""
        return _kept(self.read_engine, self._readers)

    @contextmanager
    def searching(self, limit: TimeLimit) -> Iterator[Connection]:
        """As `reading`, for work of which nobody knows how long it takes: it ends at the limit, with TooMany."""
        if self.search_engine is None:
            with limit.running(), self.reading() as connection, ending_sqlite(connection, limit):
                yield connection
        else:
            with (
                limit.running(),
                _kept(self.search_engine, self._searchers) as connection,
                ending_postgresql(connection, limit),
            ):
                yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A connection whose statements all see one moment. Write nothing through it."""
        if self.is_sqlite:
            with _kept(self.read_engine, self._readers) as connection:
                driver: Any = connection.connection.driver_connection
                driver.execute("BEGIN").close()
                try:
                    yield connection
                finally:
                    driver.execute("ROLLBACK").close()
        else:
            engine = self.write_engine.execution_options(isolation_level="REPEATABLE READ")
            with engine.connect() as connection:
                yield connection
                # Not rolled back: at that psycopg forgets what it has prepared, and each statement is planned anew.
                connection.commit()

    def close(self) -> None:
        """Give every connection back."""
        _close_all(self._readers)
        _close_all(self._writers)
        _close_all(self._searchers)
        if self.search_engine is not None:
            self.search_engine.dispose()
        self.write_engine.dispose()
        self.read_engine.dispose()


@contextmanager
def _kept(engine: Engine, idle: list[Connection]) -> Iterator[Connection]:
    """A connection that is kept for who comes next: to fetch one from the pool and bring it back costs as much as a
    statement. Whatever went wrong with it, it goes back to the pool, which knows what to do.
    """
    connection = _pop_living(idle) or engine.connect()
    try:
        yield connection
    except BaseException:
        if connection.invalidated:  # the server is gone, and so are they all
            _close_all(idle)
        connection.close()
        raise
    if len(idle) < _MOST_IDLE:
        idle.append(connection)
    else:
        connection.close()


def _pop_living(idle: list[Connection]) -> Connection | None:
    """One that was kept; those whose server has gone meanwhile are closed."""
    while idle:
        try:
            connection = idle.pop()  # in one step: no two threads get the same
        except IndexError:
            return None
        if connection.dialect.name == "sqlite" or not _was_left(connection.connection.driver_connection):
            return connection
        connection.invalidate()
        connection.close()
    return None


def _was_left(connection: Any) -> bool:
    """Whether the server of a connection that waits for work has said something: that it ends, or nothing more.

    Two microseconds; to ask it would be a round trip before each first statement.
    """
    if connection.closed:
        return True
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    return bool(waiting.poll(0))


def _refuse_left(connection: Any, _record: Any, _fairy: Any) -> None:
    """Of the pool: it makes another instead."""
    if _was_left(connection):
        raise DisconnectionError


@contextmanager
def _begin_lazily(connection: Connection, is_sqlite: bool) -> Iterator[None]:
    """A transaction whose end waits for no disk."""
    if not is_sqlite:
        with connection.begin():
            connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
            yield
        return
    driver = connection.connection.cursor()  # SQLite wants to hear it before a transaction begins
    (as_set,) = driver.execute("PRAGMA synchronous").fetchone()
    driver.execute("PRAGMA synchronous=NORMAL")
    try:
        with connection.begin():
            yield
    finally:
        driver.execute(f"PRAGMA synchronous={as_set}")
        driver.close()


def _close_all(idle: list[Connection]) -> None:
    while idle:
        with suppress(IndexError):  # another thread took the last one
            idle.pop().close()


def open_database(url: str, *, synchronous: Synchronous = "FULL") -> Database:
    """Open `sqlite:///PATH` or `postgresql://…`. `synchronous` is SQLite's: NORMAL may lose the last commits
    at a power cut, FULL loses none.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(parsed, synchronous)
    return _open_postgresql(parsed.set(drivername="postgresql+psycopg"))


def _pool(most: int) -> dict[str, Any]:
    return {"pool_size": _MOST_IDLE, "max_overflow": most - _MOST_IDLE}


def _open_postgresql(url: URL) -> Database:
    options: dict[str, Any] = _pool(_THREADS) | {"pool_pre_ping": False}
    read, search = (create_engine(url, isolation_level="AUTOCOMMIT", **options) for _ in range(2))
    write = create_engine(url, **options)
    for engine in (write, read, search):
        event.listen(engine, "checkout", _refuse_left)
    event.listen(search, "before_cursor_execute", tell_server)
    psycopg: Any = write.dialect.loaded_dbapi
    psycopg._queries.MAX_CACHED_STATEMENT_LENGTH = _LONGEST_KEPT_TEXT
    return Database(write, read, search_engine=search)


def _open_sqlite(url: URL, synchronous: Synchronous) -> Database:
    if not url.database or url.database == ":memory:":
        raise ValueError("SQLite needs a file: several connections must see the same rows.")
    options: dict[str, Any] = _pool(2 * _THREADS) | {"poolclass": QueuePool}
    options["connect_args"] = {"timeout": 10, "check_same_thread": False, "isolation_level": None}
    write, read = create_engine(url, **options), create_engine(url, **options)
    for engine in (write, read):
        event.listen(engine, "connect", _prepare_sqlite(synchronous))
    write.dialect.do_begin = _begin_at_once  # type: ignore[method-assign, assignment]
    return Database(write, read, _file_queue(Path(f"{url.database}.lock")))


def _begin_at_once(connection: Any) -> None:
    """As the one writer, from the beginning: to become it later can fail."""
    connection.execute("BEGIN IMMEDIATE").close()


def _prepare_sqlite(synchronous: Synchronous) -> Callable[[Any, Any], None]:
    def prepare(connection: Any, _record: Any) -> None:
        for pragma in (
            "journal_mode=WAL",
            f"synchronous={synchronous}",
            "foreign_keys=ON",
            "busy_timeout=10000",
            "cache_size=-64000",
            "mmap_size=0",
            "temp_store=MEMORY",
            # Pages that are written again and again are copied into the file a fourth as often: 6 % of a change.
            "wal_autocheckpoint=4000",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    return prepare


def _file_queue(path: Path) -> WriteLock:
    threads = threading.Lock()

    @contextmanager
    def lock() -> Iterator[None]:
        with threads:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                yield
            finally:
                os.close(handle)

    return lock
