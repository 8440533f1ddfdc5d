"""E-mail addresses and names: how they are checked and compared."""

import email_validator
from email_validator import EmailNotValidError, validate_email

from bridge.domain.errors import Invalid

# Companies run directories under .local, .test and the like, and their people sign in with such addresses.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()


def fold(text: str) -> str:
    """The form in which names and addresses are compared: without case, the same on every database."""
    return text.strip().casefold()


def parse_email(text: str) -> str:
    """A well-formed address as typed, less surrounding space. Raises Invalid; asks no DNS."""
    try:
        checked = validate_email(text.strip(), check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as error:
        raise Invalid(f"{text.strip()[:100]!r} is not an e-mail address.", field="email") from error
    return checked.normalized


def find_email(text: str | None) -> str | None:
    """The address in `text`, or None where it holds none that could receive mail."""
    if text is None:
        return None
    try:
        return parse_email(text)
    except Invalid:
        return None


def email_domain(email: str) -> str:
    """The part behind the last @, compared without case."""
    return fold(email.rpartition("@")[2])


def clean_name(text: str, *, field: str = "name", longest: int = 200) -> str:
    """A display name without control characters, 1 to `longest` characters. Raises Invalid."""
    name = " ".join(text.split())
    if not name or len(name) > longest or not name.isprintable():
        raise Invalid(f"A {field} has 1 to {longest} printable characters.", field=field)
    return name
