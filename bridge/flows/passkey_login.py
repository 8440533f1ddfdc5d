"""Signing in by a passkey alone: it is something that the person has, and it has verified who they are, so it is
password and second factor in one (product.md 2.8).
"""

from dataclasses import replace
from datetime import datetime, timedelta

from bridge.domain.errors import TooManyTries
from bridge.domain.second_factors import WrongFactor
from bridge.domain.sign_in import Client
from bridge.flows.bearer_secrets import digest
from bridge.flows.context import SYSTEM, Context
from bridge.flows.passkeys import ask_for_login, check_shown
from bridge.flows.sessions import SignedIn, open_session
from bridge.flows.sign_in_log import Trail, log_signed_in
from bridge.storage import people
from bridge.storage.changes import Change
from bridge.storage.counters import count_try
from bridge.storage.sessions import NewAuthentication

WINDOW = timedelta(minutes=15)
TRIES_BY_ADDRESS = 100


def begin_passkey_login(context: Context, now: datetime) -> str:
    """The question that a browser puts to a passkey, as JSON: the same for everybody."""
    with context.changing(SYSTEM, now) as change:
        return ask_for_login(context, change)


def sign_in_with_passkey(
    context: Context, answer: str, client: Client, now: datetime, *, old: str | None = None
) -> SignedIn:
    """Check a passkey's answer, and open a session. Raises WrongFactor, TooManyTries."""
    with context.database.writing() as connection:
        tries, until = count_try(connection, f"passkey:address:{digest(client.address).hex()}", now, WINDOW)
    if tries > TRIES_BY_ADDRESS:
        raise TooManyTries("Too many tries. Wait a while, then try again.", int((until - now).total_seconds()) + 1)
    return context.change(SYSTEM, now, lambda change: _sign_in(context, change, answer, client, old))


def _sign_in(context: Context, change: Change, answer: str, client: Client, old: str | None) -> SignedIn:
    user = people.find_user_by_key(change.connection, check_shown(context, change, answer, "login"))
    if user is None:
        raise WrongFactor
    acting = replace(change, actor=f"user:{user.id}")
    proof = NewAuthentication("passkey", user.id, change.now + context.session_lifetime, factor="passkey")
    cookie = open_session(context, acting, user, (proof,), client, old)
    trail = Trail()
    trail.note("passkey", "It verified its person.")
    log_signed_in(acting, "passkey", user.email, client, None, trail)
    return SignedIn(cookie)
