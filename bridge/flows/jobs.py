"""The worker's jobs: each is claimed by one process at a time, noted when done, and tried again when it failed.

Times are kept in the database. A worker that ends gives its jobs back; one that is killed loses them after a while.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.flows.context import SYSTEM, Context
from bridge.storage import jobs
from bridge.storage.jobs import JobRow

#: How long a claimed job is left to the one who claimed it, should they never come back.
LEASE = timedelta(minutes=10)
#: The job that does nothing but show that a worker lives, and every how many seconds it does.
HEARTBEAT, HEARTBEAT_SECONDS = "heartbeat", 30
#: A worker that showed no life for so long isn't there.
WORKER_MISSED_AFTER = timedelta(minutes=5)
_SHORTEST_WAIT = timedelta(minutes=1)
#: What a job may be late before somebody should look: the lease of one who was killed, and a little.
_PATIENCE = LEASE + timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class WorkerState:
    """How background work goes. `overdue` names jobs that should have succeeded long ago, each with why not."""

    last_alive: datetime | None
    overdue: tuple[tuple[str, str], ...]


def plan_jobs(context: Context, seconds: Mapping[str, int], now: datetime) -> None:
    """Have exactly these jobs: what is new is due now, what was known is due when it was."""
    wanted = {**seconds, HEARTBEAT: HEARTBEAT_SECONDS}
    context.change(SYSTEM, now, lambda change: jobs.plan_jobs(change.connection, wanted, now))


def due_jobs(context: Context, now: datetime) -> list[str]:
    """The names of the jobs that are due."""
    with context.database.reading() as connection:
        return jobs.due_jobs(connection, now)


def claim_job(context: Context, name: str, claim: str, now: datetime) -> int | None:
    """Take a job that is due for oneself. Returns which try this is; None where another was quicker."""
    with context.database.writing() as connection:
        return jobs.claim_job(connection, name, claim, now, until=now + LEASE)


def note_done(context: Context, name: str, claim: str, now: datetime, seconds: int) -> None:
    """It went well: it is due again after so many seconds."""
    with context.database.writing() as connection:
        jobs.note_done(connection, name, claim, now, due_at=now + timedelta(seconds=seconds))


def note_failed(context: Context, name: str, claim: str, error: str, now: datetime, seconds: int, tries: int) -> None:
    """It failed: it is due after a minute, and ever later, but never later than it would be anyway (or a minute)."""
    wait = min(_SHORTEST_WAIT * 2 ** min(tries - 1, 16), max(timedelta(seconds=seconds), _SHORTEST_WAIT))
    with context.database.writing() as connection:
        jobs.note_failed(connection, name, claim, error[:500], due_at=now + wait)


def give_back(context: Context, claim: str, now: datetime) -> None:
    """This worker ends: what it began and didn't finish is due now, for another."""
    with context.database.writing() as connection:
        jobs.give_back(connection, claim, now)


def worker_state(context: Context, now: datetime) -> WorkerState:
    """When a worker last lived, and what is overdue."""
    with context.database.reading() as connection:
        known = jobs.list_jobs(connection)
    alive = next((row.good_at for row in known if row.name == HEARTBEAT), None)
    late = [row for row in known if row.name != HEARTBEAT and _is_late(row, now)]
    return WorkerState(alive, tuple((row.name, _reason(row)) for row in late))


def _is_late(row: JobRow, now: datetime) -> bool:
    if row.good_at is None:
        return row.tries > 1 or row.due_at + _PATIENCE < now
    return row.good_at + timedelta(seconds=row.seconds) + _PATIENCE < now


def _reason(row: JobRow) -> str:
    since = "it never succeeded" if row.good_at is None else f"it last succeeded on {row.good_at:%d %b %Y, %H:%M} UTC"
    return f"{since}; {row.last_error}" if row.last_error else since
