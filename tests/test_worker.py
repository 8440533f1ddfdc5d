"""The worker's jobs: done when due, by one worker at a time, and a bad one costs the others nothing (property 19)."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from bridge.flows.context import Context
from bridge.flows.jobs import HEARTBEAT, worker_state
from bridge.flows.outside import Outside
from bridge.storage.database import Database
from bridge.storage.jobs import JobRow, list_jobs
from bridge.worker import JOBS, Job, Worker
from tests.flows.mailer import KeptMail, nothing_there
from tests.world import make_context

OUTSIDE = Outside(nothing_there, KeptMail())
MINUTE = timedelta(minutes=1)


@pytest.fixture
def context(database: Database) -> Context:
    """What every flow is handed."""
    return make_context(database)


@dataclass(slots=True)
class Clock:
    """The time, which passes when a test says so."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


@dataclass(slots=True)
class Counting:
    """A job's work: counts its runs, after doing something."""

    first: Callable[[], object] = lambda: None
    times: list[datetime] = field(default_factory=list)

    def __call__(self, _context: Context, _outside: Outside, now: datetime) -> None:
        self.times.append(now)
        self.first()


def fail() -> None:
    """What some jobs do."""
    raise RuntimeError("the disk is on fire")


def make_worker(context: Context, clock: Clock, *jobs: Job) -> Worker:
    return Worker(context, OUTSIDE, jobs, clock)


def look(*workers: Worker) -> None:
    """Each looks once at what is due, and what that started comes to its end."""
    for worker in workers:
        worker.look()
    for worker in workers:
        finish(worker)


def finish(worker: Worker) -> None:
    for thread in worker.running.values():
        thread.join(30)


def row(context: Context, name: str) -> JobRow:
    with context.database.reading() as connection:
        [found] = [row for row in list_jobs(connection) if row.name == name]
    return found


def test_a_job_is_done_at_first_and_then_when_its_time_has_come(context: Context, now: datetime) -> None:
    counting, clock = Counting(), Clock(now)
    worker = make_worker(context, clock, Job("count", 3600, counting))
    for minutes in (0, 1, 59, 60, 61, 121):
        clock.now = now + minutes * MINUTE
        look(worker)
    assert counting.times == [now, now + 60 * MINUTE, now + 121 * MINUTE]


def test_a_restart_neither_skips_nor_repeats(context: Context, now: datetime) -> None:
    counting, clock = Counting(), Clock(now)
    for minutes in (0, 30, 59, 60, 61):
        clock.now = now + minutes * MINUTE
        worker = make_worker(context, clock, Job("count", 3600, counting))
        look(worker)
        worker.end()
    assert counting.times == [now, now + 60 * MINUTE]


def test_two_workers_do_it_once(context: Context, now: datetime) -> None:
    counting, clock = Counting(), Clock(now)
    workers = [make_worker(context, clock, Job("count", 3600, counting)) for _ in range(4)]
    look(*workers)
    clock.now += 60 * MINUTE
    at_once(*(worker.look for worker in workers))
    for worker in workers:
        finish(worker)
    assert counting.times == [now, now + 60 * MINUTE]


def at_once(*things: Callable[[], object]) -> None:
    """Do these in threads of their own, all started before any is waited for."""
    threads = [threading.Thread(target=thing) for thing in things]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)


def test_a_worker_that_is_killed_in_the_middle_loses_the_job_after_ten_minutes(context: Context, now: datetime) -> None:
    clock, never = Clock(now), threading.Event()
    killed = make_worker(context, clock, Job("count", 3600, Counting(never.wait)))
    killed.look()
    wait_for(lambda: row(context, "count").claim == killed.claim)
    counting = Counting()
    other = make_worker(context, clock, Job("count", 3600, counting))
    clock.now = now + 9 * MINUTE
    look(other)
    assert counting.times == []
    clock.now = now + 10 * MINUTE
    look(other)
    assert counting.times == [now + 10 * MINUTE]
    never.set()  # it lives after all: what it notes of its lost claim counts for nothing
    clock.now = now + 20 * MINUTE
    finish(killed)
    assert row(context, "count").good_at == now + 10 * MINUTE


def wait_for(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_worker_that_is_told_to_end_gives_the_job_back(
    context: Context, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.worker._SECONDS_TO_FINISH", 0.05)
    clock, never = Clock(now), threading.Event()
    ended = make_worker(context, clock, Job("count", 3600, Counting(never.wait)))
    ended.look()
    wait_for(lambda: row(context, "count").claim == ended.claim)
    ended.end()
    counting = Counting()
    look(make_worker(context, clock, Job("count", 3600, counting)))
    assert counting.times == [now]
    assert row(context, "count").tries == 0
    never.set()
    finish(ended)


def test_a_worker_may_be_told_to_end_between_naming_a_job_and_starting_it(context: Context, now: datetime) -> None:
    worker = make_worker(context, Clock(now))
    worker.running["told"] = threading.Thread(target=fail)
    worker.end()


def test_what_fails_is_logged_and_tried_again_later_and_later(
    context: Context, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    counting, clock = Counting(fail), Clock(now)
    worker = make_worker(context, clock, Job("burn", 600, counting))
    with caplog.at_level(logging.ERROR):
        for _ in range(60):
            look(worker)
            clock.now += MINUTE
    waits = [(after - before) / MINUTE for before, after in zip(counting.times, counting.times[1:], strict=False)]
    assert waits == [1, 2, 4, 8, 10, 10, 10, 10]
    assert "the disk is on fire" in (row(context, "burn").last_error or "")
    assert "the job burn failed" in caplog.text


def test_what_succeeds_again_is_forgiven(context: Context, now: datetime) -> None:
    clock, trouble = Clock(now), [fail, fail]
    worker = make_worker(context, clock, Job("burn", 600, Counting(lambda: trouble and trouble.pop()())))
    for _ in range(4):
        look(worker)
        clock.now += MINUTE
    assert (row(context, "burn").tries, row(context, "burn").last_error) == (0, None)
    assert row(context, "burn").due_at == now + 13 * MINUTE


def test_a_slow_or_failing_job_holds_up_no_other(context: Context, now: datetime) -> None:
    clock, never, counting, looking = Clock(now), threading.Event(), Counting(), Counting()
    slow, bad = Job("slow", 60, Counting(never.wait)), Job("bad", 60, Counting(fail))
    own = Job("own", 60, Counting(fail), claims_rows=True)
    good, often = Job("good", 60, counting), Job("often", 0, looking, claims_rows=True)
    worker = make_worker(context, clock, slow, bad, own, good, often)
    for _ in range(3):
        worker.look()
        for name in ("bad", "own", "good", "often"):
            if name in worker.running:
                worker.running[name].join(30)
        clock.now += MINUTE
    never.set()
    finish(worker)
    assert counting.times == [now, now + MINUTE, now + 2 * MINUTE]
    assert len(looking.times) == 3


def test_a_database_that_is_away_ends_no_worker(
    context: Context, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting, clock = Counting(), Clock(now)
    worker = make_worker(context, clock, Job("count", 3600, counting))
    with monkeypatch.context() as broken:
        broken.setattr("bridge.storage.jobs.list_jobs", lambda _connection: fail())
        assert worker.look() > 1
    look(worker)
    assert counting.times == [now]


def test_jobs_of_another_version_are_forgotten_and_new_times_hold(context: Context, now: datetime) -> None:
    clock = Clock(now)
    look(make_worker(context, clock, Job("old", 60, Counting()), Job("kept", 60, Counting())))
    look(make_worker(context, clock, Job("new", 60, Counting()), Job("kept", 90, Counting())))
    with context.database.reading() as connection:
        known = {row.name: row.seconds for row in list_jobs(connection)}
    assert known == {"new": 60, "kept": 90, HEARTBEAT: 30}


def test_it_is_told_when_a_worker_last_lived_and_what_is_overdue(context: Context, now: datetime) -> None:
    clock = Clock(now)
    assert worker_state(context, now).last_alive is None
    trouble: list[Callable[[], object]] = []
    worker = make_worker(context, clock, Job("burn", 600, Counting(lambda: trouble and trouble[0]())))
    look(worker)
    assert worker_state(context, now) == worker_state(context, now + 24 * MINUTE)
    trouble.append(fail)
    for _ in range(26):
        clock.now += MINUTE
        look(worker)
    state = worker_state(context, clock.now)
    assert state.last_alive == clock.now
    [(name, why)] = state.overdue
    assert name == "burn"
    assert "last succeeded on 20 Nov 2026, 09:00 UTC; RuntimeError: the disk is on fire" in why


def test_each_job_has_a_name_of_its_own() -> None:
    names = [job.name for job in JOBS]
    assert len({*names, HEARTBEAT}) == len(names) + 1
    assert all(job.seconds >= 60 for job in JOBS if not job.claims_rows)
