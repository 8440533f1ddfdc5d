"""Signing in by a passkey alone: it is something that the person has, and it has verified who they are, so it is
password and second factor in one (product.md 2.8).
"""

from dataclasses import replace
from datetime import datetime

from bridge.domain.second_factors import WrongFactor
from bridge.domain.sign_in import Client
from bridge.flows.context import SYSTEM, Context
from bridge.flows.login_requests import Keepsake, new_keepsake
from bridge.flows.passkeys import ask_for_login, check_login
from bridge.flows.password_tries import TOO_MANY
from bridge.flows.sessions import SignedIn, open_session
from bridge.flows.sign_in_log import Trail, log_signed_in
from bridge.flows.tries import by_address, count_tries, note_good_try
from bridge.flows.twilio import keeps_secrets_of
from bridge.storage.changes import Change
from bridge.storage.sessions import NewAuthentication

TRIES_BY_ADDRESS = 100


def begin_passkey_login(context: Context, return_to: str, now: datetime) -> tuple[str, Keepsake]:
    """The question that a browser puts to a passkey, as JSON, and what that browser keeps of it."""
    keepsake = new_keepsake(return_to)
    return ask_for_login(context, keepsake, now), keepsake


def sign_in_with_passkey(
    context: Context, answer: str, keepsake: Keepsake | None, client: Client, now: datetime, *, old: str | None = None
) -> SignedIn:
    """Check a passkey's answer, and open a session; it leads to where the browser wanted to go. Raises TooManyTries,
    WrongFactor (also where the account is linked to Twilio).
    """
    count_tries(context, [by_address("passkey", client, TRIES_BY_ADDRESS)], TOO_MANY, now)
    return context.change(SYSTEM, now, lambda change: _sign_in(context, change, answer, keepsake, client, old))


def _sign_in(
    context: Context, change: Change, answer: str, keepsake: Keepsake | None, client: Client, old: str | None
) -> SignedIn:
    user, passkey = check_login(context, change, answer, keepsake)
    if keeps_secrets_of(context, change.connection, user.key):
        raise WrongFactor
    note_good_try(change.connection, [by_address("passkey", client, TRIES_BY_ADDRESS)])
    acting = replace(change, actor=f"user:{user.id}")
    ends_at = change.now + context.session_lifetime
    proof = NewAuthentication("passkey", user.id, ends_at, session_index=passkey, factor="passkey")
    cookie = open_session(context, acting, user, (proof,), client, old)
    trail = Trail()
    trail.note("passkey", "It verified its person.")
    log_signed_in(acting, "passkey", user.email, client, None, trail)
    return SignedIn(cookie, keepsake.return_to if keepsake else None)
