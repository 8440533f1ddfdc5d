"""A person looks after their own second factors: adds, takes away, makes recovery codes (product.md 2.8).

What is set up counts only once it was shown to work. Each change is told by mail to the account's address. Of one that
is linked to Twilio, second factors are kept there: here they can be seen, and shown, and no more (product.md 3.4).
"""

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp

from bridge.domain.errors import Conflict, Expired, Forbidden, Invalid, NotFound
from bridge.domain.identity import Factor
from bridge.domain.second_factors import (
    RECOVERY_CODES,
    RECOVERY_LENGTH,
    RECOVERY_LETTERS,
    SecondFactor,
    app_address,
    find_step,
    group,
)
from bridge.domain.sign_in import Client
from bridge.domain.workspace import User
from bridge.flows.account_mails import factor_changed
from bridge.flows.account_settings import keeping_last_owners, lock_own
from bridge.flows.bearer_secrets import digest, new_secret
from bridge.flows.context import Context
from bridge.flows.deliver import queue_mail
from bridge.flows.everywhere import record_everywhere
from bridge.flows.fresh_proof import require_fresh
from bridge.flows.passkeys import ask_to_add, check_new, seal_key
from bridge.flows.second_factors import (
    count_answer,
    hash_recovery_code,
    open_secret,
    seal_secret,
)
from bridge.flows.sessions import CurrentSession
from bridge.storage import own_account, pending
from bridge.storage import second_factors as kept
from bridge.storage.changes import Change
from bridge.storage.pending import Pending
from bridge.storage.sessions import end_passkey_logins

SET_UP_LASTS = timedelta(minutes=30)
MOST = 10
LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class OwnFactors:
    """What an account has. `at_twilio`: it is linked, so nothing of it changes here."""

    factors: tuple[SecondFactor, ...]
    recovery_codes: int
    at_twilio: bool


@dataclass(frozen=True, slots=True)
class NewApp:
    """An authenticator app that is being set up: its secret (Base32), the address for its QR code, and the secret that
    names the set-up.
    """

    secret: str
    address: str
    token: str


@dataclass(frozen=True, slots=True)
class Added:
    """A factor was added; with the first one come recovery codes, shown this once."""

    recovery_codes: tuple[str, ...] = ()


def list_own(context: Context, session: CurrentSession) -> OwnFactors:
    """What the account has. Raises Forbidden."""
    user = _own(session)
    with context.database.snapshot() as rows:
        at_twilio = own_account.find_twilio(rows, user.key) is not None
        factors, codes = tuple(kept.list_factors(rows, user.key)), kept.count_recovery_codes(rows, user.key)
    return OwnFactors(factors, codes, at_twilio)


def _fresh(session: CurrentSession, now: datetime) -> User:
    user = _own(session)
    require_fresh(session, now)
    return user


def _own(session: CurrentSession) -> User:
    if not session.may_change_account:
        raise Forbidden("Your company signed you in, which doesn’t open your account. Sign in by your own login first.")
    return session.user


# -- An authenticator app ----------------------------------------------------------------------------


def begin_app(context: Context, session: CurrentSession, now: datetime) -> NewApp:
    """A new secret, which counts once a code of it was shown.

    Raises Forbidden (also: kept at Twilio), FreshProofNeeded, Conflict (ten already).
    """
    user, token, secret = _fresh(session, now), new_secret(), pyotp.random_base32()
    sealed = base64.b64encode(seal_secret(context, secret)).decode()
    with context.changing(f"user:{user.id}", now) as change:
        lock_own(change, session)
        _check_room(change, user)
        result = {"sealed": sealed}
        asked = Pending("enrol", None, user.key, digest(token), "/", result, now + SET_UP_LASTS)
        pending.put_pending(change, digest(token), asked)
    return NewApp(secret, app_address(secret, user.email), token)


def find_app(context: Context, session: CurrentSession, token: str, now: datetime) -> NewApp:
    """The same once more, for the page that says that a code was wrong. Raises Expired, Forbidden."""
    user = _own(session)
    with context.database.reading() as rows:
        secret = _secret_of(context, user, pending.find_pending(rows, digest(token), "enrol", now))
    return NewApp(secret, app_address(secret, user.email), token)


def confirm_app(
    context: Context, session: CurrentSession, token: str, name: str, code: str, client: Client, now: datetime
) -> Added:
    """The first code of an app: from now on it is a second factor. Raises Invalid, Expired, Forbidden, TooManyTries."""
    user = _own(session)
    count_answer(context, user, client, now)
    with context.changing(f"user:{user.id}", now) as change:
        lock_own(change, session)
        secret = _secret_of(context, user, pending.take_pending(change, digest(token), "enrol"))
        step = find_step(secret, code, now)
        if step is None:
            text = "This isn’t the code that the app shows now. Is the clock of your phone right?"
            raise Invalid(text, field="code")
        sealed, called = seal_secret(context, secret), _clean(name, "Authenticator app")
        kept.insert_factor(change, user.key, "totp", called, sealed, used=step)
        return _added(context, change, session, "totp", called)


def _secret_of(context: Context, user: User, asked: Pending | None) -> str:
    if asked is None or asked.user_key != user.key:
        raise Expired("This set-up took too long, or was finished already. Begin anew.")
    return open_secret(context, base64.b64decode(asked.result["sealed"]))


def _clean(name: str, otherwise: str) -> str:
    return "".join(letter for letter in name if letter.isprintable()).strip()[:LONGEST_NAME] or otherwise


def _check_room(change: Change, user: User) -> None:
    if len(kept.list_factors(change.connection, user.key)) >= MOST:
        raise Conflict(f"An account has at most {MOST} second factors. Take one away first.")


def _added(context: Context, change: Change, session: CurrentSession, kind: Factor, name: str) -> Added:
    """It was shown just now, so this session's login is one with a factor."""
    user = session.user
    kept.note_shown(change, session.key, kind)
    record_everywhere(change, user, "user.factor_added", after={"kind": kind, "name": name})
    _tell(context, change, user, f"{name} was added to your account: it is asked for after your password.")
    if kept.count_recovery_codes(change.connection, user.key):
        return Added()
    return Added(_new_codes(change, user))


def _tell(context: Context, change: Change, user: User, what: str) -> None:
    queue_mail(context, change, factor_changed(user.email, what, f"{context.public_url}/account/factors"))


# -- A passkey ---------------------------------------------------------------------------------------


def begin_passkey(context: Context, session: CurrentSession, now: datetime) -> str:
    """What a browser makes a passkey from, as JSON. Raises Forbidden, FreshProofNeeded, Conflict (ten already)."""
    user = _fresh(session, now)
    with context.changing(f"user:{user.id}", now) as change:
        lock_own(change, session)
        _check_room(change, user)
        return ask_to_add(context, change, user)


def add_passkey(context: Context, session: CurrentSession, name: str, answer: str, now: datetime) -> Added:
    """It was made: from now on it signs in, alone or after the password. Raises WrongFactor, Forbidden, Conflict."""
    user = _own(session)
    with context.changing(f"user:{user.id}", now) as change:
        lock_own(change, session)
        _check_room(change, user)
        made, called = check_new(context, change, user, answer), _clean(name, "Passkey")
        sealed = seal_key(context, made.public_key)
        kept.insert_factor(change, user.key, "passkey", called, sealed, used=made.counter, credential=made.credential)
        return _added(context, change, session, "passkey", called)


# -- Called otherwise, and taken away ----------------------------------------------------------------


def get_own(context: Context, session: CurrentSession, factor_id: str) -> tuple[SecondFactor, bool]:
    """One of them, and whether it is the last. Raises NotFound, Forbidden."""
    own = list_own(context, session).factors
    found = next((factor for factor in own if factor.id == factor_id), None)
    if found is None:
        raise NotFound("There is no such second factor. It may have been taken away already.")
    return found, len(own) == 1


def rename_factor(context: Context, session: CurrentSession, factor_id: str, name: str, now: datetime) -> None:
    """Call it otherwise. Raises NotFound, Invalid (`name`), Forbidden, FreshProofNeeded."""
    user, (factor, _) = _fresh(session, now), get_own(context, session, factor_id)
    called = _clean(name, "")
    if not called or len(name.strip()) > LONGEST_NAME:
        raise Invalid(f"A name has 1 to {LONGEST_NAME} printable characters.", field="name")
    with context.changing(f"user:{user.id}", now) as change:
        lock_own(change, session)
        if not kept.rename_factor(change, user.key, factor_id, called):
            raise NotFound("There is no such second factor. It may have been taken away already.")
        before, after = {"kind": factor.kind, "name": factor.name}, {"kind": factor.kind, "name": called}
        record_everywhere(change, user, "user.factor_renamed", before=before, after=after)


def remove(context: Context, session: CurrentSession, factor_id: str, now: datetime) -> None:
    """Take one away: what a passkey opened by itself ends, but for this session. With the last one go the recovery
    codes, exemptions stop counting, and sessions are without.

    Raises NotFound, Forbidden, FreshProofNeeded, Conflict (a passkey that is the only way in), LastOwner.
    """
    user, (factor, _) = _fresh(session, now), get_own(context, session, factor_id)
    with context.changing(f"user:{user.id}", now) as change:
        lock_own(change, session)
        with keeping_last_owners(change, user):
            if kept.delete_factor(change, user.key, factor_id) is None:
                raise NotFound("There is no such second factor. It may have been taken away already.")
            if factor.kind == "passkey" and not own_account.find_ways_in(change.connection, user.key).work:
                raise Conflict("This passkey is your only way in. Set a password first.")
        if factor.kind == "passkey":
            end_passkey_logins(change, user.key, factor_id, but=session.key)
        if not kept.has_factor(change.connection, user.key):
            kept.replace_recovery_codes(change, user.key, ())
            kept.forget_shown(change, user.key)
        record_everywhere(change, user, "user.factor_removed", after={"kind": factor.kind, "name": factor.name})
        _tell(context, change, user, f"{factor.name} was taken away from your account.")


# -- Recovery codes ----------------------------------------------------------------------------------


def make_recovery_codes(context: Context, session: CurrentSession, now: datetime) -> tuple[str, ...]:
    """Ten new ones in the place of all there were.

    Raises Conflict (no second factor to stand in for), Forbidden, FreshProofNeeded.
    """
    user = _fresh(session, now)
    with context.changing(f"user:{user.id}", now) as change:
        lock_own(change, session)
        if not kept.has_factor(change.connection, user.key):
            raise Conflict("Recovery codes stand in for a second factor. Set one up first.")
        record_everywhere(change, user, "user.recovery_codes_made", after={"codes": RECOVERY_CODES})
        _tell(context, change, user, "New recovery codes were made. The old ones work no longer.")
        return _new_codes(change, user)


def _new_codes(change: Change, user: User) -> tuple[str, ...]:
    """Each has 79 random bits."""
    codes = tuple(
        group("".join(secrets.choice(RECOVERY_LETTERS) for _ in range(RECOVERY_LENGTH))) for _ in range(RECOVERY_CODES)
    )
    kept.replace_recovery_codes(change, user.key, [hash_recovery_code(user, code) for code in codes])
    return codes
