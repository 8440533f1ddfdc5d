"""Domains of e-mail addresses: claimed by a workspace, proved by DNS or on the site's root page (product.md 2.4)."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from bridge.domain.errors import Invalid
from bridge.domain.people import find_dns_name

TOKEN_LIFETIME = timedelta(days=14)
_NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Domain:
    """A workspace's claim of a domain, and whether it was proved. Its people are sent to `connection_id`."""

    name: str
    connection_id: str | None
    token: str
    token_expires_at: datetime
    proved_at: datetime | None
    proved_by: str | None

    @property
    def status(self) -> Literal["pending", "proved"]:
        """Whether the proof is there."""
        return "pending" if self.proved_at is None else "proved"

    @property
    def dns_record(self) -> str:
        """The TXT record that proves it, as a zone file has it."""
        return f'_bridge-challenge.{self.name} TXT "{self.token}"'

    @property
    def meta_tag(self) -> str:
        """The tag on the site's root page that proves it."""
        return f'<meta name="bridge-domain-verification" content="{self.token}">'


def parse_domain(text: str) -> str:
    """A domain's name in its ASCII form, in small letters. Raises Invalid."""
    written = text.strip().rstrip(".")
    name = find_dns_name(written) or ""
    if not _NAME.fullmatch(name) or len(name) > 253:
        raise Invalid(f"{text.strip()[:80]!r} is no domain. Write it like kicks.example.", field="domain")
    return name
