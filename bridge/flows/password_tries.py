"""Tries of passwords, counted by account and by address in the database, so that no process forgets (product.md 2.8).

Wherever a password is typed, the same two counters slow guessing down.
"""

from datetime import datetime, timedelta
from typing import Any

from bridge.domain.errors import TooManyTries
from bridge.domain.people import fold_typed
from bridge.domain.sign_in import Client
from bridge.flows.bearer_secrets import digest
from bridge.flows.context import Context
from bridge.storage.counters import count_try, forget_tries, take_back

WINDOW = timedelta(minutes=15)
TRIES_BY_ACCOUNT = 10
TRIES_BY_ADDRESS = 100


def keys_of(email: str, client: Client) -> tuple[str, str]:
    """Under what the tries for this address of an account, from this address of a client, are counted."""
    return _by_account(email), f"password:address:{digest(client.network).hex()}"


def _by_account(email: str) -> str:
    return f"password:account:{digest(fold_typed(email)).hex()}"


def count_tries(context: Context, keys: tuple[str, str], now: datetime) -> None:
    """Count the try before it is made: many at once count as many. Raises TooManyTries."""
    with context.database.writing() as connection:
        counted = [count_try(connection, key, now, WINDOW) for key in keys]
    for (tries, until), most in zip(counted, (TRIES_BY_ACCOUNT, TRIES_BY_ADDRESS), strict=True):
        if tries > most:
            seconds = int((until - now).total_seconds()) + 1
            minutes = -(-seconds // 60)
            wait = "a minute" if minutes == 1 else f"{minutes} minutes"
            raise TooManyTries(f"Too many tries. Wait {wait}, then try again.", seconds)


def forget_account(connection: Any, email: str) -> None:
    """Its password was reset: whoever guessed at the former one doesn't keep its person out."""
    forget_tries(connection, _by_account(email))


def forget_good_try(connection: Any, keys: tuple[str, str]) -> None:
    """The password was right: the account begins anew, and the address isn't charged for it."""
    account, address = keys
    forget_tries(connection, account)
    take_back(connection, address)
