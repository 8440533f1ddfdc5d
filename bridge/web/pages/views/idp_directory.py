"""The directory: groups and people as each IdP says them."""

from dataclasses import dataclass
from datetime import datetime

from bridge.web.pages.views.form_parts import Choice
from bridge.web.pages.views.mapping import RulePart
from bridge.web.pages.views.parts import Chip, Fact, Link, Note, NothingFound, Pager, Status, Tab


@dataclass(frozen=True, slots=True)
class IdpGroupRow:
    """An IdP group: how its IdP tells of it, how many are in it, and what comes of it here."""

    chip: Chip
    connection: str
    said: str
    members: int
    gives: Status


@dataclass(frozen=True, slots=True)
class IdpGroupsPage:
    """`idp_groups.html`. `empty`: there are none at all, and why."""

    tabs: tuple[Tab, ...]
    action: str
    query: str
    filters: tuple[Choice, ...]
    rows: tuple[IdpGroupRow, ...]
    pager: Pager
    empty: Note | None = None
    nothing_found: NothingFound | None = None


@dataclass(frozen=True, slots=True)
class IdpPersonRow:
    """A record of a person; `group_name` where it is listed without a group is its user name's connection."""

    name: str
    user_name: str
    href: str
    connection: str
    state: Status
    at: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class IdpPeoplePage:
    """`idp_people.html`."""

    tabs: tuple[Tab, ...]
    action: str
    query: str
    filters: tuple[Choice, ...]
    rows: tuple[IdpPersonRow, ...]
    pager: Pager
    empty: Note | None = None
    nothing_found: NothingFound | None = None


@dataclass(frozen=True, slots=True)
class TakingRule:
    """A rule that takes a group, as a sentence; `href` leads to it, None for a mirror's."""

    sentence: tuple[RulePart, ...]
    href: str | None


@dataclass(frozen=True, slots=True)
class IdpGroupPage:
    """`idp_group.html`: one group with a page of who is in it."""

    name: str
    says: str
    crumbs: tuple[Link, ...]
    links: tuple[Link, ...]
    facts: tuple[Fact, ...]
    rules: tuple[TakingRule, ...]
    action: str
    query: str
    filters: tuple[Choice, ...]
    rows: tuple[IdpPersonRow, ...]
    pager: Pager
    asserted: bool
    note: Note | None = None
    nothing_found: NothingFound | None = None


@dataclass(frozen=True, slots=True)
class InIdpGroupRow:
    """A group that a record is in."""

    chip: Chip
    said: str
    since: datetime


@dataclass(frozen=True, slots=True)
class IdpPersonPage:
    """`idp_person.html`: one record, and what the IdP sent."""

    name: str
    says: str
    crumbs: tuple[Link, ...]
    state: Status
    facts: tuple[Fact, ...]
    groups: tuple[InIdpGroupRow, ...]
    document: str
    person_href: str | None = None
    note: Note | None = None
