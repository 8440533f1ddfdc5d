"""Tries, counted in a window of time by all processes together."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, select, text, update
from sqlalchemy.types import Integer

from bridge.storage.columns import Instant
from bridge.storage.prepared import Prepared
from bridge.storage.tables import counters

_COUNT = Prepared(
    text("""
INSERT INTO counters (key, window_start, n) VALUES (:key, :now, 1)
ON CONFLICT (key) DO UPDATE SET
  n = CASE WHEN counters.window_start <= :ended THEN 1 ELSE counters.n + 1 END,
  window_start = CASE WHEN counters.window_start <= :ended THEN :now ELSE counters.window_start END
RETURNING n, window_start
""")
    .bindparams(bindparam("now", type_=Instant), bindparam("ended", type_=Instant))
    .columns(n=Integer, window_start=Instant)
)


def count_try(connection: Any, key: str, now: datetime, window: timedelta) -> tuple[int, datetime]:
    """Count one more under `key`. Returns how many in the present window, and when that ends."""
    row = _COUNT.first(connection, key=key, now=now, ended=now - window)
    return row.n, row.window_start + window


_COUNT_MANY = text("""
INSERT INTO counters (key, window_start, n) VALUES (:key, :now, :by)
ON CONFLICT (key) DO UPDATE SET
  n = CASE WHEN counters.window_start <= :ended THEN :by ELSE counters.n + :by END,
  window_start = CASE WHEN counters.window_start <= :ended THEN :now ELSE counters.window_start END
""").bindparams(bindparam("now", type_=Instant), bindparam("ended", type_=Instant), bindparam("by", type_=Integer))


def count_many(connection: Any, key: str, by: int, now: datetime, window: timedelta) -> None:
    """Count `by` more under `key`, as `count_try` does one."""
    connection.execute(_COUNT_MANY, {"key": key, "by": by, "now": now, "ended": now - window})


_FIND = Prepared(select(counters.c.n, counters.c.window_start).where(counters.c.key == bindparam("key")))


def find_count(connection: Any, key: str) -> tuple[int, datetime] | None:
    """How many were counted under `key` in its window, and since when."""
    row = _FIND.first(connection, key=key)
    return None if row is None else (row.n, row.window_start)


def forget_tries(connection: Any, key: str) -> None:
    """Begin anew under `key`."""
    connection.execute(delete(counters).where(counters.c.key == key))


def delete_old_counters(connection: Any, before: datetime) -> int:
    """Forget windows that began before. Returns how many."""
    gone: int = connection.execute(delete(counters).where(counters.c.window_start < before)).rowcount
    return gone


def take_back(connection: Any, key: str) -> None:
    """The last try under `key` was a good one: it doesn't count."""
    connection.execute(update(counters).where(counters.c.key == key, counters.c.n > 0).values(n=counters.c.n - 1))
