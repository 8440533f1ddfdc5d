"""The second factor: an authenticator app (TOTP, RFC 6238), or a code by SMS."""

import hmac
import re
import secrets
from io import BytesIO

import pyotp
import segno

from simulated.twilio.errors import Invalid

STEP_SECONDS = 30
CODE_SECONDS = 5 * 60
_ISSUER = "Twilio (simulated)"


def new_secret() -> str:
    """160 random bits for an authenticator app."""
    return pyotp.random_base32()


def address_for_app(secret: str, email: str) -> str:
    """The otpauth address that an app reads from the picture."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=_ISSUER)


def picture_for_app(secret: str, email: str) -> str:
    """The QR code of that address, as an SVG document."""
    document = BytesIO()
    segno.make_qr(address_for_app(secret, email), error="m").save(
        document, kind="svg", scale=5, border=4, dark="#121c2d", light="#fff", xmldecl=False
    )
    return document.getvalue().decode()


def find_step(secret: str, code: str, now: float) -> int | None:
    """The time step that this code is of: the present one, or one beside it (RFC 6238 5.2). None: of none."""
    totp, present = pyotp.TOTP(secret), int(now) // STEP_SECONDS
    steps = (present - 1, present, present + 1)
    right = [step for step in steps if hmac.compare_digest(totp.generate_otp(step).encode(), digits(code).encode())]
    return right[-1] if right else None


def new_code() -> str:
    """Six digits for an SMS."""
    return f"{secrets.randbelow(10**6):06}"


def parse_phone(text: str) -> str:
    """A number in international form (E.164). Raises Invalid."""
    number = re.sub(r"[ ()./-]", "", text)
    if not re.fullmatch(r"\+[1-9][0-9]{6,14}", number, re.ASCII):
        raise Invalid("Write the number with its country, such as +1 415 555 0100.")
    return number


def digits(text: str) -> str:
    """A typed code without what people put between its digits."""
    return re.sub(r"[\s-]", "", text)
