"""A fresh proof: changing an account's email, password, factors or links asks for the account's own password or factor
within the last ten minutes of this session (product.md 2.7).

A login by password or passkey is one, with its second factor where there is one. Who signed in longer ago shows the
password again, or a code of their app where they have one; else they sign in again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.domain.errors import DomainError, Forbidden
from bridge.domain.second_factors import Answer
from bridge.domain.sign_in import Client, WrongCredentials
from bridge.flows.context import Context
from bridge.flows.password_tries import count_tries, forget_good_try, keys_of
from bridge.flows.passwords import verify
from bridge.flows.second_factors import check_answer, count_answer
from bridge.flows.sessions import CurrentSession
from bridge.storage import accounts, second_factors, sign_in
from bridge.storage.changes import Change
from bridge.storage.sessions import note_proved

PROOF_LASTS = timedelta(minutes=10)


class FreshProofNeeded(DomainError):
    """The account's own password or factor was shown too long ago in this session, or never."""

    code = "fresh_proof_needed"

    def __init__(self) -> None:
        super().__init__("Show once more that it is you: your last proof is more than ten minutes old.")


@dataclass(frozen=True, slots=True)
class WaysToProve:
    """How somebody can prove now that it is them. `by_code`: of their authenticator app. `by_login`: they have nothing
    of the account's own to show, and their sign-in is of the last ten minutes.
    """

    by_password: bool
    by_login: bool
    by_code: bool = False


def is_fresh(session: CurrentSession, now: datetime) -> bool:
    """Whether the last proof in this session still counts."""
    return session.proved_at is not None and now - session.proved_at <= PROOF_LASTS


def require_fresh(session: CurrentSession, now: datetime) -> None:
    """Raises FreshProofNeeded where `is_fresh` says no."""
    if not is_fresh(session, now):
        raise FreshProofNeeded


def ways_to_prove(context: Context, session: CurrentSession, now: datetime) -> WaysToProve:
    """How this session's person can prove now that it is them. By none: they sign in again."""
    with context.database.reading() as rows:
        return _ways(rows, session, now)


def _ways(rows: object, session: CurrentSession, now: datetime) -> WaysToProve:
    has_factor = accounts.has_second_factor(rows, session.user.key)
    has_password = sign_in.find_password_hash(rows, session.user.key) is not None
    came_just_now = any(now - one.at <= PROOF_LASTS for one in session.authentications)
    by_code = bool(second_factors.list_apps(rows, session.user.key))
    return WaysToProve(has_password and not has_factor, came_just_now and not has_password and not has_factor, by_code)


def prove_by_password(context: Context, session: CurrentSession, password: str, client: Client, now: datetime) -> None:
    """The account's password, typed once more. Raises WrongCredentials, TooManyTries, Forbidden (a second factor is
    asked for as well, or there is no password).
    """
    keys = keys_of(session.user.email, client)
    count_tries(context, keys, now)
    with context.database.reading() as rows:
        allowed, kept = _ways(rows, session, now).by_password, sign_in.find_password_hash(rows, session.user.key)
    if not allowed:
        raise Forbidden("Sign in again to prove that it is you.")
    if not verify(kept, password):
        raise WrongCredentials
    with context.changing(f"user:{session.user.id}", now) as change:
        # Compared outside any transaction, for it takes long: by now there may be another, or a factor.
        _mark(change, session, "by_password")
        if sign_in.find_password_hash(change.connection, session.user.key) != kept:
            raise WrongCredentials
        forget_good_try(change.connection, keys)


def prove_by_code(context: Context, session: CurrentSession, code: str, client: Client, now: datetime) -> None:
    """What the authenticator app shows now. Raises WrongFactor, TooManyTries, Forbidden (there is no app)."""
    count_answer(context, session.user, client, now)
    with context.changing(f"user:{session.user.id}", now) as change:
        _mark(change, session, "by_code")
        check_answer(context, change, session.user, Answer("totp", code))


def prove_by_login(context: Context, session: CurrentSession, now: datetime) -> None:
    """For who has nothing of the account's own to show: a sign-in of the last ten minutes counts. Raises Forbidden."""
    with context.changing(f"user:{session.user.id}", now) as change:
        _mark(change, session, "by_login")


def _mark(change: Change, session: CurrentSession, way: str) -> None:
    if not getattr(_ways(change.connection, session, change.now), way):
        raise Forbidden("Sign in again to prove that it is you.")
    note_proved(change, session.key)
