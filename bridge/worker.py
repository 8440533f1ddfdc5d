"""Background work, in a process of its own beside the server: jobs, each done again and again.

Several workers may run at once. A job is claimed by its row in the table `jobs`, where its times are kept too; one that
claims by row what it works on (`claims_rows`), such as mail in the outbox, is looked at by each worker. Each job has a
thread of its own while it runs: one that waits for a slow host, or fails, costs the others nothing.
"""

import logging
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NoReturn

from bridge.flows.context import Context
from bridge.flows.deliver import deliver_due, forget_given_up
from bridge.flows.domains import recheck_domains
from bridge.flows.forget_past import forget_past
from bridge.flows.jobs import (
    HEARTBEAT,
    HEARTBEAT_SECONDS,
    claim_job,
    due_jobs,
    give_back,
    note_done,
    note_failed,
    plan_jobs,
)
from bridge.flows.outside import Outside
from bridge.flows.refresh_metadata import refresh_due
from bridge.flows.renew_secrets import renew_secrets
from bridge.flows.request_log import forget_old_requests
from bridge.flows.sessions import sweep_expired
from bridge.flows.sign_in_log import forget_old_attempts
from bridge.flows.warn_expiries import warn_of_expiries

_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_AFTER_FAILURE = 10.0
#: What jobs that run are given to finish when the worker is told to end.
_SECONDS_TO_FINISH = 2.0
_MINUTE, _HOUR = 60, 3600
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """What is done every so many `seconds`: a function of the house, the ways out, and the moment."""

    name: str
    seconds: int
    run: Callable[[Context, Outside, datetime], object]
    claims_rows: bool = False


def _deliver_mail(context: Context, outside: Outside, now: datetime) -> None:
    deliver_due(context, outside.mailer, now)


def _refresh_metadata(context: Context, outside: Outside, now: datetime) -> None:
    refresh_due(context, outside, now)


def _warn_of_expiries(context: Context, _outside: Outside, now: datetime) -> None:
    warn_of_expiries(context, now)


def _forget_expired(context: Context, _outside: Outside, now: datetime) -> None:
    sweep_expired(context, now)
    forget_given_up(context, now)


def _forget_scim_calls(context: Context, _outside: Outside, now: datetime) -> None:
    forget_old_requests(context, now)


def _forget_sign_ins(context: Context, _outside: Outside, now: datetime) -> None:
    forget_old_attempts(context, now)


def _forget_past(context: Context, _outside: Outside, now: datetime) -> None:
    forget_past(context, now)


def _look_for_proofs(context: Context, outside: Outside, now: datetime) -> None:
    recheck_domains(context, outside.look_for_proof, now)


def _renew_secrets(context: Context, _outside: Outside, _now: datetime) -> None:
    renew_secrets(context)


def _live(_context: Context, _outside: Outside, _now: datetime) -> None:
    """That it is noted as done is all."""


JOBS = (
    Job("mail", 1, _deliver_mail, claims_rows=True),
    Job("metadata", 60, _refresh_metadata),
    Job("expiries", 6 * _HOUR, _warn_of_expiries),
    Job("sweep-expired", _HOUR, _forget_expired),
    Job("sweep-scim-log", _HOUR, _forget_scim_calls),
    Job("sweep-sign-in-log", _HOUR, _forget_sign_ins),
    Job("forget-past", 6 * _HOUR, _forget_past),
    Job("renew-secrets", _HOUR, _renew_secrets),
    Job("look-for-proofs", 5 * _MINUTE, _look_for_proofs),
)
_HEARTBEAT = Job(HEARTBEAT, HEARTBEAT_SECONDS, _live)


def work(context: Context, outside: Outside, jobs: Sequence[Job] = JOBS) -> NoReturn:
    """Do each job when it is due, until the process is told to end (by an exception in this thread)."""
    worker = Worker(context, outside, jobs)
    try:
        while True:
            time.sleep(worker.look())
    finally:
        worker.end()


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Worker:
    """One worker: what it runs at the moment, and under which name it claims jobs."""

    context: Context
    outside: Outside
    jobs: Sequence[Job]
    clock: Callable[[], datetime] = _utc_now
    claim: str = field(default_factory=lambda: secrets.token_hex(8))
    running: dict[str, threading.Thread] = field(default_factory=dict)
    not_before: dict[str, float] = field(default_factory=dict)
    is_planned: bool = False

    def look(self) -> float:
        """Start what is due and not running here. Returns the seconds to wait before the next look."""
        try:
            now = self.clock()
            if not self.is_planned:
                plan_jobs(self.context, {job.name: job.seconds for job in self.jobs if not job.claims_rows}, now)
                self.is_planned = True
            due = set(due_jobs(self.context, now))
        except Exception:  # a database that is away for a moment mustn't end the worker
            log.exception("the jobs can't be read")
            return _SECONDS_AFTER_FAILURE
        for job in (*self.jobs, _HEARTBEAT):
            if (job.claims_rows and self._may_look(job)) or job.name in due:
                self._start(job)
        return _SECONDS_BETWEEN_LOOKS

    def end(self) -> None:
        """Let what runs finish, for a moment; what doesn't is due again for another worker."""
        deadline = time.monotonic() + _SECONDS_TO_FINISH
        for thread in self.running.values():
            if not thread.is_alive():  # or told to end before it had begun: that one can't be waited for
                continue
            thread.join(max(0.0, deadline - time.monotonic()))
        try:
            give_back(self.context, self.claim, self.clock())
        except Exception:
            log.exception("jobs can't be given back; they are taken over when their time is up")

    def _may_look(self, job: Job) -> bool:
        return time.monotonic() >= self.not_before.get(job.name, 0.0)

    def _start(self, job: Job) -> None:
        before = self.running.get(job.name)
        if before is not None and before.is_alive():
            return
        thread = threading.Thread(target=self._run, args=[job], name=f"job {job.name}", daemon=True)
        self.running[job.name] = thread
        thread.start()

    def _run(self, job: Job) -> None:
        try:
            if job.claims_rows:
                self._run_unclaimed(job)
            else:
                self._run_claimed(job)
        except Exception:  # the database is away: it is claimed anew when its time is up
            log.exception("the job %s can't be claimed or noted", job.name)

    def _run_unclaimed(self, job: Job) -> None:
        wait: float = job.seconds
        try:
            job.run(self.context, self.outside, self.clock())
        except Exception:
            log.exception("the job %s failed", job.name)
            wait = max(wait, _SECONDS_AFTER_FAILURE)
        self.not_before[job.name] = time.monotonic() + wait

    def _run_claimed(self, job: Job) -> None:
        tries = claim_job(self.context, job.name, self.claim, self.clock())
        if tries is None:
            return
        try:
            job.run(self.context, self.outside, self.clock())
        except Exception as error:
            log.exception("the job %s failed at try %s", job.name, tries)
            text = f"{type(error).__name__}: {error}"
            note_failed(self.context, job.name, self.claim, text, self.clock(), job.seconds, tries)
        else:
            note_done(self.context, job.name, self.claim, self.clock(), job.seconds)
