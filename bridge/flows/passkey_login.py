"""Signing in by a passkey alone: it is something that the person has, and it has verified who they are, so it is
password and second factor in one (product.md 2.8).
"""

from dataclasses import replace
from datetime import datetime, timedelta

from bridge.domain.errors import TooManyTries
from bridge.domain.sign_in import Client
from bridge.flows.bearer_secrets import digest
from bridge.flows.context import SYSTEM, Context
from bridge.flows.login_requests import Keepsake, new_keepsake
from bridge.flows.passkeys import ask_for_login, check_login
from bridge.flows.sessions import SignedIn, open_session
from bridge.flows.sign_in_log import Trail, log_signed_in
from bridge.storage.changes import Change
from bridge.storage.counters import count_try, take_back
from bridge.storage.sessions import NewAuthentication

WINDOW = timedelta(minutes=15)
TRIES_BY_ADDRESS = 100


def begin_passkey_login(context: Context, return_to: str, now: datetime) -> tuple[str, Keepsake]:
    """The question that a browser puts to a passkey, as JSON, and what that browser keeps of it."""
    keepsake = new_keepsake(return_to)
    return ask_for_login(context, keepsake, now), keepsake


def sign_in_with_passkey(
    context: Context, answer: str, keepsake: Keepsake | None, client: Client, now: datetime, *, old: str | None = None
) -> SignedIn:
    """Check a passkey's answer, and open a session; it leads to where the browser wanted to go. Raises WrongFactor,
    TooManyTries.
    """
    with context.database.writing() as connection:
        tries, until = count_try(connection, _by_address(client), now, WINDOW)
    if tries > TRIES_BY_ADDRESS:
        raise TooManyTries("Too many tries. Wait a while, then try again.", int((until - now).total_seconds()) + 1)
    return context.change(SYSTEM, now, lambda change: _sign_in(context, change, answer, keepsake, client, old))


def _by_address(client: Client) -> str:
    return f"passkey:address:{digest(client.network).hex()}"


def _sign_in(
    context: Context, change: Change, answer: str, keepsake: Keepsake | None, client: Client, old: str | None
) -> SignedIn:
    user = check_login(context, change, answer, keepsake)
    take_back(change.connection, _by_address(client))  # a whole office comes from one
    acting = replace(change, actor=f"user:{user.id}")
    proof = NewAuthentication("passkey", user.id, change.now + context.session_lifetime, factor="passkey")
    cookie = open_session(context, acting, user, (proof,), client, old)
    trail = Trail()
    trail.note("passkey", "It verified its person.")
    log_signed_in(acting, "passkey", user.email, client, None, trail)
    return SignedIn(cookie, keepsake.return_to if keepsake else None)
