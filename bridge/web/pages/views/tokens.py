"""Tokens of IdPs and programs."""

from dataclasses import dataclass
from datetime import datetime

from bridge.domain.tokens import TokenKind
from bridge.web.pages.views.form_parts import Choice, Field, ScopePicker
from bridge.web.pages.views.parts import Fact, Link, Note, NothingFound, Pager, Tab


@dataclass(frozen=True, slots=True)
class NewToken:
    """A secret, shown in place, this one time. An OAuth client's comes with its id and the token endpoint."""

    name: str
    secret: str
    done_href: str
    base_url: str
    base_url_help: str
    client_id: str | None = None
    token_url: str | None = None


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token. `expires` None means never; expired and soon-to-expire ones are marked by the template.

    `note` says in a few words what is special about it, e.g. that it stopped with who made it.
    """

    name: str
    note: str | None
    kind: TokenKind
    may: str
    last_used: datetime | None
    expires: datetime | None
    href: str
    selected: bool = False


@dataclass(frozen=True, slots=True)
class TokenSummary:
    """The panel beside Tokens. `stops` says who can't work any more once it is revoked."""

    name: str
    text: str
    facts: tuple[Fact, ...]
    stops: str
    note: Note | None = None
    second_href: str | None = None
    revoke_href: str | None = None
    new_secret: tuple[Link, ...] = ()
    take_over: Link | None = None


@dataclass(frozen=True, slots=True)
class TokensPage:
    """`tokens.html`: Public API and SCIM tokens in one list, since both are keys."""

    tabs: tuple[Tab, ...]
    action: str
    query: str
    filters: tuple[Choice, ...]
    rows: tuple[TokenRow, ...]
    pager: Pager
    summary: TokenSummary | None = None
    new: NewToken | None = None
    create_href: str | None = None
    none_yet: bool = False
    nothing_found: NothingFound | None = None


@dataclass(frozen=True, slots=True)
class TokenFormPage:
    """`token_new.html`. Posts `name`, `expires`, and `role` with its scope (api) or `connection` (the others)."""

    tabs: tuple[Tab, ...]
    crumbs: tuple[Link, ...]
    kind: TokenKind
    action: str
    cancel_href: str
    name: Field
    expires: Choice
    role: Choice | None = None
    scope: ScopePicker | None = None
    connection: Choice | None = None
    """None for a SCIM token when no connection exists: the page then says so."""
    connections_href: str | None = None
