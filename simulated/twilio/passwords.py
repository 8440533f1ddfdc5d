"""Passwords: Twilio's rule for them, and what is kept of one.

The rule is the one of Twilio's article "Minimum Password Requirements for Twilio": 16 characters or more, no three
equal ones in a row, not the names of Twilio and SendGrid or mangled forms of them, not the last password again.
"""

import re
import secrets
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from simulated.twilio.errors import Invalid

SHORTEST, LONGEST = 16, 256
RULE = f"At least {SHORTEST} characters, no character three times in a row, and not Twilio or SendGrid."
_MANGLED = str.maketrans("013457@$!|", "oieastasil")
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
#: Each takes 19 MiB for a while: two at once are enough for a demo.
_TURNS = BoundedSemaphore(2)
#: Checked in place of an account that isn't there, so that the time doesn't tell.
_NOBODY = _HASHER.hash(secrets.token_hex(32))


def check_rule(password: str) -> None:
    """Raises Invalid, with what the password breaks."""
    if len(password) < SHORTEST:
        raise Invalid(f"The password has {len(password)} characters; it needs {SHORTEST} or more.")
    if len(password) > LONGEST:
        raise Invalid(f"The password is longer than {LONGEST} characters.")
    if re.search(r"(.)\1\1", password, re.DOTALL):
        raise Invalid("The password repeats a character three times in a row.")
    plain = password.casefold().translate(_MANGLED)
    if "twilio" in plain or "sendgrid" in plain:
        raise Invalid("The password holds the name of Twilio or SendGrid.")


def hash_password(password: str) -> str:
    """What is kept of it (argon2id)."""
    with _TURNS:
        return _HASHER.hash(_bytes(password))


def is_right(password: str, kept: str | None) -> bool:
    """Whether that is the password; `None`, of an account that has none, takes as long and is never right."""
    with _TURNS:
        try:
            return _HASHER.verify(kept or _NOBODY, _bytes(password[: 4 * LONGEST])) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
