"""Passwords: what is long enough, how they are kept (argon2id), and how they are compared.

Each comparison costs 19 MiB and some 25 ms on purpose. Two at once are enough for one process; who comes while
they are busy for longer than a moment is told to wait, so that guessing can't starve everybody else.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from bridge.domain.errors import Invalid, TooManyTries

SHORTEST, LONGEST = 12, 1024
_AT_ONCE = threading.BoundedSemaphore(2)
_PATIENCE = 5.0
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
#: What is compared when there is no account, so that the time taken tells nobody.
_NOBODY = _HASHER.hash("nobody has this password")


def check_password(password: str) -> str:
    """The password, if it has 12 to 1,024 characters. Raises Invalid."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise Invalid(f"A password has at least {SHORTEST} characters, and at most {LONGEST}.", field="password")
    return password


def hash_password(password: str) -> str:
    """An argon2id hash to keep. Raises Invalid where the password is too short, TooManyTries when busy."""
    checked = check_password(password)
    with _one_of_two():
        return _HASHER.hash(_bytes(checked))


def verify(kept: str | None, password: str) -> bool:
    """Whether `password` is the one that `kept` was made from. `None` (no account) takes as long and says no.

    Raises TooManyTries when busy.
    """
    with _one_of_two():
        try:
            return _HASHER.verify(kept or _NOBODY, _bytes(password[: LONGEST + 1])) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")


@contextmanager
def _one_of_two() -> Iterator[None]:
    if not _AT_ONCE.acquire(timeout=_PATIENCE):
        raise TooManyTries("Many people sign in at this moment. Try again shortly.", retry_after=10)
    try:
        yield
    finally:
        _AT_ONCE.release()
