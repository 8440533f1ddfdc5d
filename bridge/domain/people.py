"""E-mail addresses and names: how they are checked and compared."""

import re
from functools import lru_cache

import email_validator
import idna
from email_validator import EmailNotValidError, validate_email

from bridge.domain.errors import Invalid

# Companies run directories under .local, .test and the like, and their people sign in with such addresses.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()


def fold(text: str) -> str:
    """The form in which names are compared: without case, the same on every database.

    Not for what opens an account: "ß" is "ss" here. That is `fold_letters`.
    """
    return text.strip().casefold()


def fold_user_name(text: str) -> str:
    """The form in which user names are unique: as SCIM compares them, so that a name which no filter finds is free."""
    return text.casefold()


def fold_letters(text: str) -> str:
    """The form in which addresses, and names that a login brings, are compared: without case, letter by letter.

    Only where a capital and a small letter are a pair: a mailbox with ß, ſ, ﬁ or a Kelvin sign is another mailbox
    than the one it looks like (a reset mailed to a look-alike once gave away accounts of a well-known product).
    """
    stripped = text.strip()
    return stripped.lower() if stripped.isascii() else "".join(map(_small, stripped))


def _small(letter: str) -> str:
    small = letter.lower()
    return small if small.upper() == letter else letter


def parse_email(text: str) -> str:
    """A well-formed address as typed, less surrounding space. Raises Invalid; asks no DNS."""
    try:
        checked = validate_email(text.strip(), check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as error:
        shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in text.strip()[:100])
        raise Invalid(f"“{shown}” is not an e-mail address.", field="email") from error
    return checked.normalized


#: Most addresses: `parse_email` would give them as they are, after fifty times as long.
_PLAIN = re.compile(r"[A-Za-z0-9_]+(?:[.+-][A-Za-z0-9_]+)*@(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z]{2,20}")
_LONGEST_PLAIN = 64


@lru_cache(4096)
def find_email(text: str | None) -> str | None:
    """The address in `text`, or None where it holds none that could receive mail."""
    if text is None or (len(text) <= _LONGEST_PLAIN and _PLAIN.fullmatch(text)):
        return text
    try:
        return parse_email(text)
    except Invalid:
        return None


def fold_typed(text: str) -> str:
    """What is typed as an address, in the form under which tries are counted: the same for each of its spellings.

    `anna@ａcme.example` finds the account of `anna@acme.example`, so it is that one's tries that it uses up.
    """
    return fold_letters(find_email(text) or text)


def email_domain(email: str) -> str:
    """The part behind the last @, as DNS knows it: `bücher.example` is `xn--bcher-kva.example`."""
    domain = email.rpartition("@")[2]
    return find_dns_name(domain) or fold_letters(domain)


@lru_cache(1024)
def find_dns_name(domain: str) -> str | None:
    """A domain's ASCII form in small letters (IDNA 2008, so that ß is not ss), or None where it has none."""
    try:
        return idna.encode(domain.strip(), uts46=True).decode()
    except idna.IDNAError:
        return None


def clean_name(text: str, *, field: str = "name", longest: int = 200) -> str:
    """A display name without control characters, 1 to `longest` characters. Raises Invalid."""
    name = " ".join(text.split())
    if not name or len(name) > longest or not name.isprintable():
        raise Invalid(f"A {field} has 1 to {longest} printable characters.", field=field)
    return name
