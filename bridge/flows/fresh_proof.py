"""A fresh proof: changing an account's email, password, factors or links asks for the account's own password or factor
within the last ten minutes of this session (product.md 2.7).

A login by password or passkey is one, with its second factor where there is one. Who signed in longer ago shows the
password again, or where they have a second factor, a code of their app or a passkey. Who has nothing of the account's
own, or has it at Twilio, signs in anew where they came from: their IdP, or Twilio, is told to ask them, whatever
session they have there.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bridge.domain.errors import DomainError, Forbidden
from bridge.domain.identity import LoginKind
from bridge.domain.second_factors import Answer
from bridge.domain.sign_in import Client
from bridge.domain.sign_in_refusals import WrongCredentials
from bridge.flows.context import Context
from bridge.flows.password_tries import TOO_MANY, limits_of
from bridge.flows.passwords import verify
from bridge.flows.second_factors import check_answer, count_answer
from bridge.flows.sessions import CurrentSession, shows_here
from bridge.flows.tries import count_tries, note_good_try
from bridge.storage import second_factors, sign_in
from bridge.storage.changes import Change
from bridge.storage.connections import names_by_id
from bridge.storage.sessions import note_proved

PROOF_LASTS = timedelta(minutes=10)


class FreshProofNeeded(DomainError):
    """The account's own password or factor was shown too long ago in this session, or never."""

    code = "fresh_proof_needed"

    def __init__(self) -> None:
        super().__init__("Show once more that it is you: your last proof is more than ten minutes old.")


@dataclass(frozen=True, slots=True)
class SignInAnew:
    """Where somebody can sign in anew: at a connection, or at Twilio, which has no id."""

    kind: LoginKind
    name: str
    connection_id: str | None = None


@dataclass(frozen=True, slots=True)
class WaysToProve:
    """How somebody can prove now that it is them. `by_code`: of their authenticator app. `anew`: where they sign in
    anew, for who has nothing of the account's own to show.
    """

    by_password: bool
    by_code: bool = False
    by_passkey: bool = False
    anew: tuple[SignInAnew, ...] = ()


def is_fresh(session: CurrentSession, now: datetime) -> bool:
    """Whether the last proof in this session still counts."""
    return session.proved_at is not None and now - session.proved_at <= PROOF_LASTS


def require_fresh(session: CurrentSession, now: datetime) -> None:
    """Raises FreshProofNeeded where `is_fresh` says no."""
    if not is_fresh(session, now):
        raise FreshProofNeeded


def ways_to_prove(context: Context, session: CurrentSession) -> WaysToProve:
    """How this session's person can prove that it is them. By none: they sign in again, as they usually do."""
    with context.database.reading() as rows:
        ways = _ways(context, rows, session)
        return ways if shows_here(context, rows, session.user) else replace(ways, anew=_anew(rows, session))


def _ways(context: Context, rows: object, session: CurrentSession) -> WaysToProve:
    if not shows_here(context, rows, session.user):
        return WaysToProve(by_password=False)
    kinds = {one.kind for one in second_factors.list_factors(rows, session.user.key)}
    has_password = sign_in.find_password_hash(rows, session.user.key) is not None
    return WaysToProve(has_password and not kinds, "totp" in kinds, "passkey" in kinds)


def _anew(rows: object, session: CurrentSession) -> tuple[SignInAnew, ...]:
    """The IdPs in this session that vouch for the account, each once."""
    ways = {one.connection_id: one.kind for one in session.vouching if one.connection_id or one.kind == "twilio"}
    names = names_by_id(rows, [uid for uid in ways if uid])
    return tuple(SignInAnew(kind, names.get(uid or "", "Twilio"), uid) for uid, kind in ways.items())


def prove_by_password(
    context: Context, session: CurrentSession, password: str, client: Client, now: datetime, *, known: str | None = None
) -> None:
    """The account's password, typed once more; `known` as at a login (`password_login.Credentials`). Raises
    WrongCredentials, TooManyTries, Forbidden (a second factor is asked for as well, or there is no password).
    """
    with context.database.reading() as rows:
        allowed, kept = _ways(context, rows, session).by_password, sign_in.find_password_hash(rows, session.user.key)
    limits = limits_of(context, session.user.email, client, known, kept)
    count_tries(context, limits, TOO_MANY, now)
    if not allowed:
        raise Forbidden("Sign in again to prove that it is you.")
    if not verify(kept, password):
        raise WrongCredentials
    with context.changing(f"user:{session.user.id}", now) as change:
        # Compared outside any transaction, for it takes long: by now there may be another, or a factor.
        _mark(context, change, session, "by_password")
        if sign_in.find_password_hash(change.connection, session.user.key) != kept:
            raise WrongCredentials
        note_good_try(change.connection, limits)


def prove_by_code(context: Context, session: CurrentSession, code: str, client: Client, now: datetime) -> None:
    """What the authenticator app shows now. Raises WrongFactor, TooManyTries, Forbidden (there is no app)."""
    count_answer(context, session.user, client, now)
    with context.changing(f"user:{session.user.id}", now) as change:
        _mark(context, change, session, "by_code")
        check_answer(context, change, session.user, Answer("totp", code), client)


def prove_by_passkey(context: Context, session: CurrentSession, answer: str, client: Client, now: datetime) -> None:
    """A passkey's answer to `second_factors.ask_passkey`. Raises WrongFactor, TooManyTries, Forbidden (has none)."""
    count_answer(context, session.user, client, now)
    with context.changing(f"user:{session.user.id}", now) as change:
        _mark(context, change, session, "by_passkey")
        check_answer(context, change, session.user, Answer("passkey", answer), client)


def _mark(context: Context, change: Change, session: CurrentSession, way: str) -> None:
    if not getattr(_ways(context, change.connection, session), way):
        raise Forbidden("Sign in again to prove that it is you.")
    note_proved(change, session.key)
