"""Second factors as logins meet them: asked for after a right password, shown, and used up (product.md 2.8).

Codes are counted before they are looked at, by account and by address, as passwords are: of 1,000,000 codes three
are good at a time, so ten tries in a quarter of an hour and fifty a day leave nothing to guess.
"""

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.domain.errors import Forbidden
from bridge.domain.identity import Factor
from bridge.domain.second_factors import (
    DIGITS,
    Answer,
    LoginStepGone,
    SecondFactor,
    WrongFactor,
    find_step,
    letters_of,
)
from bridge.domain.sign_in import Client
from bridge.domain.workspace import User
from bridge.flows.account_mails import login_code, recovery_code_used
from bridge.flows.bearer_secrets import digest, new_secret
from bridge.flows.context import SYSTEM, Context
from bridge.flows.deliver import queue_mail
from bridge.flows.everywhere import record_everywhere
from bridge.flows.passkeys import ask_for_factor, check_shown
from bridge.flows.tries import A_DAY, AN_HOUR, Limit, by_address, count_tries, note_good_try
from bridge.storage import pending, people
from bridge.storage import second_factors as kept
from bridge.storage.changes import Change
from bridge.storage.pending import Pending
from bridge.storage.sign_in import find_password_hash

STEP_LASTS = timedelta(minutes=10)
TRIES_BY_ACCOUNT, TRIES_A_DAY, TRIES_BY_ADDRESS = 10, 50, 100
TRIES_BY_MAIL, MAILS_AN_HOUR = 5, 5
TOO_MANY = "Too many codes were tried."
PURPOSE = "second_factors.data_enc"


@dataclass(frozen=True, slots=True)
class AskedFactor:
    """A login that waits for its second factor: whose, and by what it can be shown."""

    user: User
    factors: tuple[SecondFactor, ...]
    recovery_codes: int
    by_mail: bool = False

    def has(self, kind: str) -> bool:
        """Whether the account has a factor of this kind."""
        return any(factor.kind == kind for factor in self.factors)


# -- Between the password and the factor -------------------------------------------------------------


def begin_step(change: Change, user: User, kept_password: str) -> str:
    """The password was right: wait for the second factor. Returns the secret that names the step, good once."""
    token, result = new_secret(), {"password": digest(kept_password).hex()}
    until = change.now + STEP_LASTS
    pending.put_pending(change, digest(token), Pending("factor", None, user.key, digest(token), "/", result, until))
    return token


def find_step_of(context: Context, token: str, now: datetime) -> AskedFactor:
    """The login that waits. Raises LoginStepGone."""
    with context.database.reading() as rows:
        waiting = pending.find_pending(rows, digest(token), "factor", now)
        user = people.find_user_by_key(rows, waiting.user_key or 0) if waiting else None
        if user is None:
            raise LoginStepGone
        factors, codes = tuple(kept.list_factors(rows, user.key)), kept.count_recovery_codes(rows, user.key)
        return AskedFactor(user, factors, codes, user.email_proved and not kept.mail_is_refused(rows, user.key))


def take_step(change: Change, token: str) -> User:
    """Whose password was right, in the change that ends their login. Raises LoginStepGone, also where the password
    was changed since.
    """
    waiting = pending.take_pending(change, digest(token), "factor")
    user = people.find_user_by_key(change.connection, waiting.user_key or 0) if waiting else None
    if waiting is None or user is None:
        raise LoginStepGone
    password = find_password_hash(change.connection, user.key)
    if password is None or digest(password).hex() != waiting.result["password"]:
        raise LoginStepGone
    return user


# -- Showing one -------------------------------------------------------------------------------------


def count_answer(context: Context, user: User, client: Client, now: datetime) -> None:
    """Count the try before it is made: many at once count as many. Raises TooManyTries."""
    count_tries(context, _limits(user, client), TOO_MANY, now)


def _limits(user: User, client: Client) -> tuple[Limit, ...]:
    return (
        by_address("factor", client, TRIES_BY_ADDRESS),
        Limit(f"factor:day:{user.key}", TRIES_A_DAY, A_DAY),
        Limit(f"factor:account:{user.key}", TRIES_BY_ACCOUNT, good="anew"),
    )


def check_answer(context: Context, change: Change, user: User, answer: Answer, client: Client) -> Factor:
    """Use up what is shown, which `count_answer` has counted: the account begins anew, and the address isn't charged
    for it. Raises WrongFactor, and then nothing is used up: the change is undone.
    """
    checks = {
        "totp": _check_app,
        "recovery_code": _check_recovery_code,
        "passkey": _check_passkey,
        "mailed_code": _check_mailed,
    }
    check = checks.get(answer.by)
    if check is None or not check(context, change, user, answer.text):
        raise WrongFactor
    note_good_try(change.connection, _limits(user, client))
    return answer.by


def _check_app(context: Context, change: Change, user: User, code: str) -> bool:
    for app in kept.list_apps(change.connection, user.key):
        step = find_step(open_secret(context, app.sealed), code, change.now)
        if step is not None and kept.use_step(change, app.key, step):
            return True
    return False


def _check_passkey(context: Context, change: Change, user: User, answer: str) -> bool:
    return check_shown(context, change, answer, user)


def ask_passkey(context: Context, user: User, now: datetime) -> str:
    """The question that the browser puts to one of the account's passkeys, as JSON."""
    with context.changing(SYSTEM, now) as change:
        return ask_for_factor(context, change, user)


def mail_code(context: Context, token: str, now: datetime) -> AskedFactor:
    """Mail six digits to the account's stored address, for the login that waits; those mailed before are good no more.

    Raises LoginStepGone, Forbidden (a workspace of theirs refuses it, or the address was never confirmed),
    TooManyTries: five an hour.
    """
    waiting = find_step_of(context, token, now)
    if not waiting.by_mail:
        raise Forbidden("A workspace of yours takes no codes by mail.")
    user, code = waiting.user, f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    by_account = Limit(f"factor:mail:{user.key}", MAILS_AN_HOUR, AN_HOUR)
    count_tries(context, [by_account], "Enough codes were mailed for now.", now)
    with context.changing(SYSTEM, now) as change:
        kept.drop_mailed_codes(change, user.key)
        mailed = Pending("mailed_code", None, user.key, None, "/", {}, now + STEP_LASTS)
        pending.put_pending(change, _hash_mailed(code_for(token, code)), mailed)
        queue_mail(context, change, login_code(user.email, code, int(STEP_LASTS.total_seconds() // 60)))
    return waiting


def code_for(token: str, code: str) -> str:
    """A mailed code is one login's: what is shown of it is checked together with that login's secret."""
    return f"{token}:{''.join(code.split())}"


def count_mailed(context: Context, token: str, now: datetime) -> None:
    """Five tries for each login. Raises TooManyTries."""
    by_login = Limit(f"factor:mailed:{digest(token).hex()}", TRIES_BY_MAIL)
    count_tries(context, [by_login], f"{TOO_MANY} Sign in again.", now)


def _hash_mailed(shown: str) -> bytes:
    return digest(f"mailed-code:{shown}")


def _check_mailed(context: Context, change: Change, user: User, shown: str) -> bool:
    mailed = pending.take_pending(change, _hash_mailed(shown), "mailed_code")
    return mailed is not None and mailed.user_key == user.key and not kept.mail_is_refused(change.connection, user.key)


def _check_recovery_code(context: Context, change: Change, user: User, code: str) -> bool:
    if not kept.has_factor(change.connection, user.key):
        return False
    if not kept.use_recovery_code(change, user.key, hash_recovery_code(user, code)):
        return False
    left = kept.count_recovery_codes(change.connection, user.key)
    record_everywhere(change, user, "user.recovery_code_used", after={"left": left})
    queue_mail(context, change, recovery_code_used(user.email, left, f"{context.public_url}/account/factors"))
    return True


def hash_recovery_code(user: User, code: str) -> bytes:
    """What is kept of a code; as it was typed."""
    return digest(f"recovery-code:{user.id}:{letters_of(code)}")


def seal_secret(context: Context, secret: str) -> bytes:
    """An app's secret, as it is kept."""
    return context.secrets.encrypt(base64.b32decode(secret), PURPOSE)


def open_secret(context: Context, sealed: bytes) -> str:
    """The same in Base32, as apps take it."""
    return base64.b32encode(context.secrets.decrypt(sealed, PURPOSE)).decode()
