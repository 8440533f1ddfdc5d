"""Tries of passwords, counted by account and by address in the database, so that no process forgets (product.md 2.8).

Wherever a password is typed, the same two counters slow guessing down. A browser in which the account's password was
right before keeps a note of that, and its tries are counted apart: so strangers who guess at an account can slow each
other down, and not its person.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from bridge.domain.people import fold_typed
from bridge.domain.sign_in import Client
from bridge.flows.bearer_secrets import digest, new_secret
from bridge.flows.context import Context
from bridge.flows.tries import Limit, by_address
from bridge.storage.counters import forget_tries

TRIES_BY_ACCOUNT = 10
TRIES_BY_ADDRESS = 100
_PURPOSE = "known browsers"


#: What `count_tries` tells who exceeded one.
TOO_MANY = "Too many tries."


def limits_of(
    context: Context, email: str, client: Client, note: str | None = None, kept: str | None = None
) -> tuple[Limit, ...]:
    """The limits of tries for this address of an account, from this address of a client. `note`: what the browser
    brings of `note_known`; `kept`: the hash of the account's password, without which none counts.
    """
    nonce = _known_by(context, _known(email, kept), note) if note else None
    whose = f"password:browser:{digest(nonce).hex()}" if nonce else _by_account(email)
    return by_address("password", client, TRIES_BY_ADDRESS), Limit(whose, TRIES_BY_ACCOUNT, good="anew")


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


def forget_account(connection: Any, email: str) -> None:
    """Its password was reset: whoever guessed at the former one doesn't keep its person out."""
    forget_tries(connection, _by_account(email))
