"""Second factors of an account: codes of an authenticator app (RFC 6238), recovery codes, codes by mail, passkeys."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import pyotp

from bridge.domain.errors import DomainError
from bridge.domain.identity import Factor
from bridge.domain.sign_in_refusals import SignInRefused

#: What is kept of an account as a factor of its own; codes by mail and for recovery only stand in for one.
FactorKind = Literal["totp", "passkey"]
FACTOR_NAMES: Mapping[Factor, str] = {
    "totp": "A code of an authenticator app",
    "recovery_code": "A recovery code",
    "mailed_code": "A code by mail",
    "passkey": "A passkey",
    "provider": "Asked for by Twilio",
}
SECONDS_A_STEP = 30
DIGITS = 6
#: How many steps a clock may be off, either way (RFC 6238 5.2).
_STEPS_OFF = 1
RECOVERY_CODES = 10
# Without letters and digits that are taken for one another.
RECOVERY_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
RECOVERY_LENGTH, _GROUP = 16, 4


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """One that an account has. `key` is the row's; `used_at` None: never since it was set up."""

    key: int
    id: str
    kind: FactorKind
    name: str
    created_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody shows as their second factor: a code of one kind, or a passkey's answer (JSON)."""

    by: Factor
    text: str


class WrongFactor(SignInRefused):
    """The code or the passkey isn't right: one text, whichever it was, and whether it was right before."""

    code = "wrong_factor"
    title = "That didn’t work"

    def __init__(self) -> None:
        super().__init__("That isn’t right, or was used already. A code of an app changes every 30 seconds.")


class LoginStepGone(SignInRefused):
    """The password was right too long ago, or another login took its place."""

    code = "login_step_gone"
    title = "Please sign in again"

    def __init__(self) -> None:
        super().__init__("Your password was checked more than ten minutes ago, or the sign-in was finished already.")


class FactorNeeded(DomainError):
    """The password was right, and the account has a second factor: `token` is good for ten minutes, to show it with."""

    code = "factor_needed"

    def __init__(self, token: str) -> None:
        super().__init__("Your second factor is needed, too.")
        self.token = token


def find_step(secret: str, code: str, now: datetime) -> int | None:
    """The time step in which an app with this secret (Base32) shows `code`, at most one off (RFC 6238 4, 5.2)."""
    typed = "".join(code.split())
    if len(typed) != DIGITS or not (typed.isascii() and typed.isdigit()):
        return None
    app, present = pyotp.TOTP(secret, digits=DIGITS, interval=SECONDS_A_STEP), int(now.timestamp()) // SECONDS_A_STEP
    near = range(max(present - _STEPS_OFF, 0), present + _STEPS_OFF + 1)
    found = [step for step in near if hmac.compare_digest(app.generate_otp(step), typed)]
    return found[-1] if found else None


def app_address(secret: str, email: str) -> str:
    """The `otpauth:` address that a QR code holds for an authenticator app."""
    return pyotp.TOTP(secret, digits=DIGITS, interval=SECONDS_A_STEP).provisioning_uri(name=email, issuer_name="bridge")


def group(letters: str) -> str:
    """Four and four, to be read and typed: `k7m2-9xqp-…`."""
    return "-".join(letters[start : start + _GROUP] for start in range(0, len(letters), _GROUP))


def letters_of(typed: str) -> str:
    """A code as it was typed: case, spaces and dashes don't matter."""
    return "".join(letter for letter in typed.lower() if letter.isalnum())
