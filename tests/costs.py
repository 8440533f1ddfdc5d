"""What takes long on purpose or by nature is made cheap for tests that are not about its cost.

Passwords are hashed by argon2id with little memory, and RSA keys come from a few that each worker makes once. Only
inside pytest's own processes: programs that a test starts pay in full, and a test that asks for `full_costs` does too.
"""

from collections.abc import Iterator
from functools import cache
from itertools import cycle

import pytest
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric import rsa

from bridge.flows import passwords

_KEYS = 6  # more than any test holds against each other
NEW_KEY = rsa.generate_private_key
_SHIPPED = passwords._HASHER
_CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
_turns = cycle(range(_KEYS))


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
    """Hashes as they are shipped."""
    monkeypatch.setattr(passwords, "_HASHER", _SHIPPED)
