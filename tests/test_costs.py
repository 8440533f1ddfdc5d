"""What tests measure costs by: the work's own time, whatever else the process holds or does."""

import gc
import threading
import time

import pytest

from tests.costs import bounded


def spin(seconds: float) -> None:
    """Use the processor for so long."""
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def test_work_over_its_bound_is_counted_three_times_and_fails() -> None:
    done = []

    def work() -> None:
        done.append("once")
        spin(0.02)

    with pytest.raises(AssertionError, match=r"the loop takes 0\.0\d s of the processor, 0\.01 s are allowed"):
        bounded(work, 0.01, "the loop")
    assert len(done) == 3


def test_one_count_below_its_bound_will_do() -> None:
    durations = iter((0.05, 0.0))
    bounded(lambda: spin(next(durations)), 0.04)
    assert bounded(lambda: "given", 0.04) == "given"
    assert next(durations, None) is None


def test_other_threads_and_waits_are_not_counted() -> None:
    def wait() -> None:
        other = threading.Thread(target=spin, args=(0.05,))
        other.start()
        other.join()

    bounded(wait, 0.02)


def test_what_is_there_already_is_not_walked_by_the_collector() -> None:
    assert bounded(gc.get_freeze_count, 1) > 10_000
    assert gc.get_freeze_count() == 0


def test_the_collector_sees_everything_again_after_a_failure() -> None:
    with pytest.raises(ZeroDivisionError):
        bounded(lambda: 1 // 0, 1)
    assert gc.get_freeze_count() == 0
