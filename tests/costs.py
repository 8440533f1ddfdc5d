"""What things cost: how tests measure it, and what is made cheap for those that are not about it.

`bounded` measures work by the processor's time, so that a bound says something of the work and not of who else runs.

Passwords are hashed by argon2id with little memory, and RSA keys come from a few that each worker makes once. Only
inside pytest's own processes: programs that a test starts pay in full, and a test that asks for `full_costs` does too.
"""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import cycle
from typing import TypeVar

import pytest
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric import rsa

from bridge.flows import passwords

_KEYS = 6  # more than any test holds against each other
NEW_KEY = rsa.generate_private_key
_SHIPPED, _SHIPPED_NOBODY = passwords._HASHER, passwords._NOBODY
_CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
_turns = cycle(range(_KEYS))

#: Seconds by the clock after which anything that isn't work but waiting counts as hanging, on a machine that is busy.
LONGEST_WAIT = 30.0
_COUNTS = 3

Given = TypeVar("Given")


# -- Measured ----------------------------------------------------------------------------------------


def bounded(work: Callable[[], Given], seconds: float, what: str = "it") -> Given:
    """What `work` gives, where it takes less than so many seconds of the processor; an AssertionError where not.

    Counted in this thread alone, and once more when it is over the bound: the least of three counts is the work's own,
    the rest is what happened beside it. So `work` can be done three times.
    """
    counts: list[float] = []
    while True:
        with _undisturbed():
            began, started = time.monotonic(), time.thread_time()
            given = work()
            counts.append(time.thread_time() - started)
        assert time.monotonic() - began < LONGEST_WAIT, f"{what} waits"
        if counts[-1] < seconds:
            return given
        assert len(counts) < _COUNTS, f"{what} takes {min(counts):.2f} s of the processor, {seconds} s are allowed"


@contextmanager
def _undisturbed() -> Iterator[None]:
    """The collector leaves alone what is there already: a worker that has run 6,000 tests has a heap that takes longer
    to walk than most work. What the work leaves behind is collected as ever, at its cost.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


# -- Made cheap --------------------------------------------------------------------------------------


@cache
def _key(_turn: int, exponent: int, size: int) -> rsa.RSAPrivateKey:
    return NEW_KEY(exponent, size)


def _one_of_a_few(public_exponent: int, key_size: int) -> rsa.RSAPrivateKey:
    return _key(next(_turns), public_exponent, key_size)


@pytest.fixture(autouse=True, scope="session")
def cheap_costs() -> Iterator[None]:
    """Cheap hashes and keys in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rsa, "generate_private_key", _one_of_a_few)
        patch.setattr(passwords, "_HASHER", _CHEAP)
        patch.setattr(passwords, "_NOBODY", _CHEAP.hash("nobody has this password"))
        yield


@pytest.fixture
def full_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes as they are shipped, that of nobody's password too."""
    monkeypatch.setattr(passwords, "_HASHER", _SHIPPED)
    monkeypatch.setattr(passwords, "_NOBODY", _SHIPPED_NOBODY)
