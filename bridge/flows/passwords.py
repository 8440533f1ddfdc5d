"""Passwords: which are taken, how they are kept (argon2id), and how they are compared.

Each comparison costs 19 MiB and some 25 ms on purpose. Two at once are enough for one process; who comes while
they are busy for longer than a moment is told to wait, so that guessing can't starve everybody else.

`common_passwords.txt` holds those that are tried first, folded: where they are from is in docs/decisions/0025.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from bridge.domain.errors import TooManyTries
from bridge.domain.passwords import LONGEST, check_length, check_not_own, check_uncommon, normalize

_COMMON = Path(__file__).with_name("common_passwords.txt")
_AT_ONCE = threading.BoundedSemaphore(2)
_PATIENCE = 5.0
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
#: What is compared when there is no account, so that the time taken tells nobody.
_NOBODY = _HASHER.hash("nobody has this password")


def check_password(password: str, *own: str) -> str:
    """The password as it is kept, where it may be one. `own` are its person's email and name. Raises Invalid."""
    password = normalize(password)
    check_length(password)
    check_uncommon(password, _common_ones())
    check_not_own(password, own)
    return password


@cache
def _common_ones() -> frozenset[str]:
    """Read when first needed: some 30,000, less than 3 MB."""
    return frozenset(_COMMON.read_text(encoding="utf-8").splitlines())


def hash_password(password: str, *own: str) -> str:
    """An argon2id hash to keep. `own` are its person's email and name.

    Raises Invalid where it may not be a password, TooManyTries when busy.
    """
    checked = check_password(password, *own)
    with _one_of_two():
        return _HASHER.hash(_bytes(checked))


def verify(kept: str | None, password: str) -> bool:
    """Whether `password` is the one that `kept` was made from. `None` (no account) takes as long and says no.

    Raises TooManyTries when busy.
    """
    with _one_of_two():
        try:
            return _HASHER.verify(kept or _NOBODY, _bytes(normalize(password)[: LONGEST + 1])) and kept is not None
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
