"""Tries of passwords, counted by account and by address in the database, so that no process forgets (product.md 2.8).

Wherever a password is typed, the same two counters slow guessing down. A browser in which the account's password was
right before keeps a note of that, and its tries are counted apart: so strangers who guess at an account can slow each
other down, and not its person.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta
from typing import Any

from bridge.domain.errors import TooManyTries
from bridge.domain.people import fold_typed
from bridge.domain.sign_in import Client
from bridge.flows.bearer_secrets import digest, new_secret
from bridge.flows.context import Context
from bridge.storage.counters import count_try, forget_tries, take_back

WINDOW = timedelta(minutes=15)
TRIES_BY_ACCOUNT = 10
TRIES_BY_ADDRESS = 100
_PURPOSE = "known browsers"


def keys_of(
    context: Context, email: str, client: Client, note: str | None = None, kept: str | None = None
) -> tuple[str, str]:
    """Under what the tries for this address of an account, from this address of a client, are counted. `note`: what the
    browser brings of `note_known`; `kept`: the hash of the account's password, without which none counts.
    """
    nonce = _known_by(context, _known(email, kept), note) if note else None
    whose = f"password:browser:{digest(nonce).hex()}" if nonce else _by_account(email)
    return whose, f"password:address:{digest(client.network).hex()}"


def note_known(context: Context, email: str, kept: str) -> str:
    """What a browser keeps in which the password of this account was right: nobody else can make one, and nobody but us
    can tell for which account it is. It ends with that password: who knew a former one may have gathered many.
    """
    nonce = new_secret()
    return f"{nonce}.{urlsafe_b64encode(context.secrets.sign(_noted(nonce, _known(email, kept)), _PURPOSE)).decode()}"


def _known_by(context: Context, whose: bytes, note: str) -> str | None:
    """What tells this note from others, however its seal is spelled; None where it is none of this password's."""
    nonce, _, seal = note.partition(".")
    try:
        good = context.secrets.is_signed(_noted(nonce, whose), urlsafe_b64decode(seal), _PURPOSE)
    except ValueError:
        return None
    return nonce if good else None


def _known(email: str, kept: str | None) -> bytes:
    return digest(f"{kept} {fold_typed(email)}")


def _noted(nonce: str, whose: bytes) -> bytes:
    return digest(nonce) + whose


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
