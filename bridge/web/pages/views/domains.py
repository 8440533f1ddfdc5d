"""Domains of e-mail addresses."""

from dataclasses import dataclass
from datetime import datetime

from bridge.web.pages.views.form_parts import Choice, Field
from bridge.web.pages.views.parts import Fact, Note, Status


@dataclass(frozen=True, slots=True)
class DomainRow:
    """A claimed domain. `sent_to` is where its people sign in; `name` has both its forms, where there are two."""

    name: str
    status: Status
    sent_to: str
    looked: datetime | None
    href: str
    selected: bool = False


@dataclass(frozen=True, slots=True)
class DomainPanel:
    """The panel beside Domains: what proves the one that is selected, and what can be done with it.

    `renew`: (action, name) of the form that asks for a new token, where the old one ran out.
    """

    name: str
    facts: tuple[Fact, ...]
    verify_action: str
    record_name: str
    token: str
    meta_tag: str
    route: Choice
    route_action: str
    remove_href: str
    proved: bool
    note: Note | None = None
    renew: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class DomainsPage:
    """`domains.html`: claimed domains, one of them opened, and the form that claims another."""

    action: str
    rows: tuple[DomainRow, ...]
    field: Field
    route: Choice
    panel: DomainPanel | None = None
