"""What must leave the house, kept until it has: written in the transaction that wants it sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, select, update

from bridge.storage.changes import Change
from bridge.storage.tables import outbox


@dataclass(frozen=True, slots=True)
class Due:
    """A claimed row. `tries` counts this one."""

    key: int
    body: dict[str, Any]
    tries: int
    created_at: datetime


def put(change: Change, kind: str, subject: str, body: Mapping[str, Any]) -> None:
    """Keep one message until it is delivered. `body` holds no secret in the clear."""
    row = {"kind": kind, "subject": subject, "body": dict(body), "tries": 0}
    change.connection.execute(insert(outbox).values(**row, due_at=change.now, created_at=change.now))


def claim(connection: Any, now: datetime, *, until: datetime, at_most: int) -> list[Due]:
    """Take what is due for oneself until a time, oldest first; nobody else gets the same rows meanwhile."""
    due = (
        select(outbox.c.id)
        .where(outbox.c.due_at <= now, outbox.c.given_up_at.is_(None))
        .order_by(outbox.c.due_at, outbox.c.id)
        .limit(at_most)
    )
    chosen = connection.execute(due.with_for_update(skip_locked=True)).scalars().all()
    taken = update(outbox).where(outbox.c.id.in_(chosen)).values(due_at=until, tries=outbox.c.tries + 1)
    rows = connection.execute(taken.returning(outbox.c.id, outbox.c.body, outbox.c.tries, outbox.c.created_at))
    return sorted((Due(*row) for row in rows), key=lambda row: row.key)


def put_off(connection: Any, key: int, due_at: datetime, error: str) -> None:
    """Try again later."""
    connection.execute(update(outbox).where(outbox.c.id == key).values(due_at=due_at, last_error=error))


def delete_row(connection: Any, key: int) -> None:
    """It has left the house."""
    connection.execute(delete(outbox).where(outbox.c.id == key))


def give_up(connection: Any, key: int, now: datetime, error: str) -> None:
    """It never will leave. What it said is forgotten now, that it was there later."""
    given_up = {"given_up_at": now, "last_error": error, "body": {}}
    connection.execute(update(outbox).where(outbox.c.id == key).values(given_up))


def forget_given_up(connection: Any, before: datetime) -> None:
    """Forget what was given up before."""
    connection.execute(delete(outbox).where(outbox.c.given_up_at < before))


@dataclass(frozen=True, slots=True)
class Stuck:
    """How many messages failed at least once and are tried again, how many were given up, and the latest errors."""

    failing: int
    failing_error: str | None
    given_up: int
    given_up_error: str | None


def find_stuck(connection: Any) -> Stuck:
    """What doesn't leave."""
    failing = _count(connection, outbox.c.given_up_at.is_(None) & outbox.c.last_error.is_not(None))
    return Stuck(*failing, *_count(connection, outbox.c.given_up_at.is_not(None)))


def _count(connection: Any, where: ColumnElement[bool]) -> tuple[int, str | None]:
    count: int = connection.execute(select(func.count()).select_from(outbox).where(where)).scalar_one()
    last = select(outbox.c.last_error).where(where).order_by(outbox.c.id.desc()).limit(1)
    return count, connection.execute(last).scalar()
