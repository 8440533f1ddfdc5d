"""When each job of the worker is due, who runs it, and how it went: by row, so that one at a time does it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from bridge.storage.tables import jobs


@dataclass(frozen=True, slots=True)
class JobRow:
    """One job. `tries` counts runs since it last succeeded, the present one too; `claim` is set while one runs."""

    name: str
    seconds: int
    due_at: datetime
    claim: str | None
    tries: int
    began_at: datetime | None
    good_at: datetime | None
    last_error: str | None


_ROW = select(*(jobs.c[name] for name in JobRow.__slots__)).order_by(jobs.c.name)


def list_jobs(connection: Any) -> list[JobRow]:
    """Every job that is known, by name."""
    return [JobRow(*row) for row in connection.execute(_ROW)]


def plan_jobs(connection: Any, seconds: Mapping[str, int], now: datetime) -> None:
    """Have exactly these jobs, by name with the seconds between runs. A new one is due now, an old one when it was.

    For one process at a time: others wait at the rows' keys, or lose (IntegrityError), and find it done.
    """
    known = {row.name: row.seconds for row in list_jobs(connection)}
    connection.execute(delete(jobs).where(jobs.c.name.not_in(seconds)))
    for name, between in seconds.items():
        if name not in known:
            row = {"name": name, "seconds": between, "due_at": now, "tries": 0}
            connection.execute(insert(jobs).values(row))
        elif known[name] != between:
            connection.execute(update(jobs).where(jobs.c.name == name).values(seconds=between))


def due_jobs(connection: Any, now: datetime) -> list[str]:
    """The names of the jobs that may be claimed."""
    return list(connection.execute(_DUE, {"now": now}).scalars())


_DUE = select(jobs.c.name).where(jobs.c.due_at <= bindparam("now")).order_by(jobs.c.due_at, jobs.c.name)


def claim_job(connection: Any, name: str, claim: str, now: datetime, *, until: datetime) -> int | None:
    """Take a job that is due for oneself until a time. Returns which try this is; None where another was quicker."""
    taken = update(jobs).where(jobs.c.name == name, jobs.c.due_at <= now)
    values = {"due_at": until, "claim": claim, "began_at": now, "tries": jobs.c.tries + 1}
    tries: int | None = connection.execute(taken.values(values).returning(jobs.c.tries)).scalar()
    return tries


def note_done(connection: Any, name: str, claim: str, now: datetime, *, due_at: datetime) -> None:
    """It went well. Nothing happens where the claim was lost to another."""
    values = {"due_at": due_at, "claim": None, "tries": 0, "good_at": now, "last_error": None}
    connection.execute(_claimed(name, claim).values(values))


def note_failed(connection: Any, name: str, claim: str, error: str, *, due_at: datetime) -> None:
    """It failed, and is due again at a time."""
    connection.execute(_claimed(name, claim).values(due_at=due_at, claim=None, last_error=error))


def give_back(connection: Any, claim: str, now: datetime) -> None:
    """Whoever claimed by this name ends: what they didn't finish is due now."""
    values = {"due_at": now, "claim": None, "tries": jobs.c.tries - 1}
    connection.execute(update(jobs).where(jobs.c.claim == claim).values(values))


def _claimed(name: str, claim: str) -> Any:
    return update(jobs).where(jobs.c.name == name, jobs.c.claim == claim)
