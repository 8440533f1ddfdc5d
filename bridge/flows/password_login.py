"""The login page's two questions: which way an email signs in, and whether a password is right (product.md 2.8).

Guessing is counted in the database, by account and by address, so that no process forgets. Whether an account exists
shows neither in the text nor in the time. An account with a second factor is asked for it before there is a session:
every session that a password opens is opened by `_open`. An account that is linked to Twilio has its password there.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from bridge.domain.identity import Factor
from bridge.domain.people import email_domain, find_email
from bridge.domain.second_factors import FACTOR_NAMES, Answer, FactorNeeded, LoginStepGone
from bridge.domain.sign_in import Client
from bridge.domain.sign_in_refusals import WrongCredentials
from bridge.domain.workspace import User
from bridge.flows.context import SYSTEM, Context
from bridge.flows.link_account import link_proved
from bridge.flows.password_tries import TOO_MANY, limits_of, note_known
from bridge.flows.passwords import verify
from bridge.flows.second_factors import (
    begin_step,
    check_answer,
    code_for,
    count_answer,
    count_mailed,
    find_step_of,
    take_step,
)
from bridge.flows.sessions import SignedIn, open_session
from bridge.flows.sign_in_log import Trail, log_signed_in
from bridge.flows.tries import Limit, count_tries, note_good_try
from bridge.flows.twilio import keeps_secrets_of
from bridge.storage import people, sign_in
from bridge.storage.changes import Change
from bridge.storage.own_account import hold_account
from bridge.storage.second_factors import has_factor
from bridge.storage.sessions import NewAuthentication


@dataclass(frozen=True, slots=True)
class Way:
    """A connection by which people of a domain sign in."""

    connection_id: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Credentials:
    """What was typed. `proving`: the token of a pending proof and the browser's secret, where the login is one.
    `known`: what the browser keeps of a login of before (`SignedIn.known`).
    """

    email: str
    password: str
    proving: tuple[str, str] | None = None
    known: str | None = None


def ways_of(context: Context, email: str) -> tuple[Way, ...]:
    """The connections that people with this email's domain sign in through; none where nobody proved it.

    Depends on the domain only, never on whether the account exists.
    """
    with context.database.reading() as rows:
        found = sign_in.list_connections_of_domain(rows, email_domain(email))
    return tuple(Way(one.id, one.kind, one.name) for one in found)


def sign_in_with_password(
    context: Context, credentials: Credentials, client: Client, now: datetime, *, old: str | None = None
) -> SignedIn:
    """Check a password and open a session; link an identity, where the login proves an account.

    Raises WrongCredentials, TooManyTries, FactorNeeded (the account has a second factor: `finish_with_factor` goes
    on), what `link_account.link_proved` refuses.
    """
    email = find_email(credentials.email)
    user, kept = _look_up(context, email)
    limits = limits_of(context, credentials.email, client, credentials.known, kept)
    count_tries(context, limits, TOO_MANY, now)
    if not verify(kept, credentials.password) or user is None or kept is None:
        raise WrongCredentials
    right = _Right(user, kept, limits, credentials.proving)
    told = context.change(SYSTEM, now, lambda change: _sign_in(context, change, right, client, old))
    if isinstance(told, FactorNeeded):
        raise told
    return told


def finish_with_factor(
    context: Context,
    token: str,
    answer: Answer,
    client: Client,
    now: datetime,
    *,
    proving: tuple[str, str] | None = None,
    old: str | None = None,
) -> SignedIn:
    """The second factor of a login whose password was right, `proving` and `old` as there: open the session.

    Raises LoginStepGone, WrongFactor (the step stays), TooManyTries, what `link_account.link_proved` refuses.
    """
    whose = find_step_of(context, token, now).user
    count_answer(context, whose, client, now)
    if answer.by == "mailed_code":
        count_mailed(context, token, now)
        answer = replace(answer, text=code_for(token, answer.text))

    def finish(change: Change) -> SignedIn:
        hold_account(change, whose.key)  # first, as whoever changes its password does
        user = take_step(change, token)
        if keeps_secrets_of(context, change.connection, user.key):
            raise LoginStepGone
        acting = replace(change, actor=f"user:{user.id}")
        factor = check_answer(context, acting, user, answer, client)
        return _open(context, acting, user, proving, client, old, factor)

    return context.change(SYSTEM, now, finish)


@dataclass(frozen=True, slots=True)
class _Right:
    """A password that was right, when it was compared."""

    user: User
    kept: str
    limits: tuple[Limit, ...]
    proving: tuple[str, str] | None


def _look_up(context: Context, email: str | None) -> tuple[User | None, str | None]:
    if email is None:
        return None, None
    with context.database.reading() as rows:
        return people.find_login_by_email(rows, email, unless_at_twilio=context.twilio is not None)


def _sign_in(
    context: Context, change: Change, right: _Right, client: Client, old: str | None
) -> SignedIn | FactorNeeded:
    # Compared outside any transaction, for it takes long: by now it may have been changed, or the account closed.
    hold_account(change, right.user.key)
    user = people.find_user_by_key(change.connection, right.user.key)
    if user is None or sign_in.find_password_hash(change.connection, user.key) != right.kept:
        raise WrongCredentials
    if keeps_secrets_of(context, change.connection, user.key):
        raise WrongCredentials
    note_good_try(change.connection, right.limits)
    if has_factor(change.connection, user.key):
        return FactorNeeded(begin_step(change, user, right.kept))
    return _open(context, replace(change, actor=f"user:{user.id}"), user, right.proving, client, old)


def _open(
    context: Context,
    change: Change,
    user: User,
    proving: tuple[str, str] | None,
    client: Client,
    old: str | None,
    factor: Factor | None = None,
) -> SignedIn:
    proofs: tuple[NewAuthentication, ...] = (_by_password(context, user, change.now, factor),)
    return_to = None
    if proving:
        token, browser = proving
        linked, return_to = link_proved(context, change, token, browser, user, client)
        proofs = (*proofs, linked)
    cookie = open_session(context, change, user, proofs, client, old)
    trail = Trail()
    trail.note("typed", "The password was right.")
    if factor:
        trail.note("factor", f"{FACTOR_NAMES[factor]}.")
    log_signed_in(change, "password", user.email, client, None, trail)
    kept = sign_in.find_password_hash(change.connection, user.key)
    return SignedIn(cookie, return_to, note_known(context, user.email, kept) if kept else None)


def _by_password(context: Context, user: User, now: datetime, factor: Factor | None) -> NewAuthentication:
    return NewAuthentication("password", user.id, now + context.session_lifetime, factor=factor)
