"""How long the searches of one request may work: a filter can be short, allowed, and dear all the same.

Counted is what this thread has had of the processor, since a machine that is busy elsewhere makes any search long; and,
where the database is a server, the time it was waited for.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from typing import Any

from sqlalchemy.exc import OperationalError

from scim.errors import TooMany

#: Steps of SQLite's machine between two looks at the clock: some hundred rows, less than a tenth of a millisecond.
_STEPS = 1_000
_QUERY_CANCELED = "57014"
#: What a connection is used for now, and how many seconds its server was told.
_LIMIT, _TOLD = "bridge.search_limit", "bridge.statement_timeout"


@dataclass(slots=True)
class TimeLimit:
    """`seconds` of work, for all that runs under it together."""

    seconds: float
    spent: float = 0.0
    _since: float = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """The block works under the limit. A statement that was ended for it raises TooMany."""
        self._since = time.thread_time()
        try:
            self.check()
            yield
        except OperationalError as error:
            if _was_ended(error.orig):
                raise self._told() from error
            raise
        finally:
            self.spent, self._since = self._sum(), time.thread_time()

    def check(self) -> None:
        """Raises TooMany where no time is left (RFC 7644 3.12)."""
        if self.is_over():
            raise self._told()

    def is_over(self) -> bool:
        """Whether no time is left."""
        return self.left() <= 0

    def left(self) -> float:
        """Seconds."""
        return self.seconds - self._sum()

    def waited(self, seconds: float) -> None:
        """So long somebody else worked for it."""
        self.spent += seconds

    def _sum(self) -> float:
        return self.spent + time.thread_time() - self._since

    def _told(self) -> TooMany:
        return TooMany(
            f"This takes longer than the {self.seconds:g} s that the searches of one request may work. Ask for less, "
            "or by id, userName, externalId or an email, which are looked up."
        )


@contextmanager
def ending_sqlite(connection: Any, limit: TimeLimit) -> Iterator[None]:
    """SQLite's statements of this connection end when the limit is reached."""
    driver = connection.connection.dbapi_connection
    driver.set_progress_handler(limit.is_over, _STEPS)
    try:
        yield
    finally:
        driver.set_progress_handler(None, 0)


@contextmanager
def ending_postgresql(connection: Any, limit: TimeLimit) -> Iterator[None]:
    """PostgreSQL's statements of this connection end when they take what is left of the limit (`tell_server`)."""
    connection.info[_LIMIT] = limit
    try:
        yield
    finally:
        connection.info[_LIMIT] = None


def tell_server(connection: Any, cursor: Any, *_statement: Any) -> None:
    """Before a statement: until when it may work. To say so is a way to the server and back, so it is said anew where
    the last word is wrong by more than a twentieth of the limit, and then by that at most too long.
    """
    limit: TimeLimit | None = connection.info.get(_LIMIT)
    if limit is None:
        return
    left = max(limit.left(), 0.001)
    if not left <= connection.info.get(_TOLD, 0.0) <= left + limit.seconds / 20:
        cursor.execute(f"SET statement_timeout = {ceil(left * 1000)}")
        connection.info[_TOLD] = ceil(left * 1000) / 1000


@contextmanager
def waiting(connection: Any, limit: TimeLimit) -> Iterator[None]:
    """The block waits for statements of this connection: a server's time counts, SQLite's is our own."""
    began = time.perf_counter()
    try:
        yield
    finally:
        if connection.dialect.name != "sqlite":
            limit.waited(time.perf_counter() - began)


def _was_ended(error: Any) -> bool:
    return str(error) == "interrupted" or getattr(error, "sqlstate", None) == _QUERY_CANCELED
