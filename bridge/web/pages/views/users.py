"""Access Management: Users, and inviting them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bridge.web.pages.views.form_parts import Choice, Field, ScopePicker
from bridge.web.pages.views.parts import Chip, Fact, Link, Note, NothingFound, Pager, Post, Status, Tab


@dataclass(frozen=True, slots=True)
class Source:
    """Where somebody's access comes from, shortly: an IdP by its name, or by hand."""

    text: str
    kind: Literal["idp", "hand", "first_sign_in"]


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A line of Users: a member, or somebody invited (no `href`, a `status`, and posts to resend)."""

    name: str
    email: str
    access: str
    sources: tuple[Source, ...] = ()
    owner: bool = False
    access_note: str | None = None
    href: str | None = None
    selected_href: str | None = None
    """Users with this person's summary beside it."""
    summary_href: str | None = None
    """The fragment `person_summary.html` alone."""
    selected: bool = False
    status: Status | None = None
    last_sign_in: datetime | None = None
    resend: Post | None = None
    revoke_href: str | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """A line of "May edit" or "May read": a kind of resource and which of them."""

    what: str
    which: str


@dataclass(frozen=True, slots=True)
class Origin:
    """A line of "Comes from": a thing and the IdP or person behind it."""

    chip: Chip
    by: str


@dataclass(frozen=True, slots=True)
class PersonSummary:
    """The panel beside Users, `person_summary.html` (a fragment, also under its own address)."""

    name: str
    email: str
    href: str
    edit_href: str | None
    owner: bool
    may_edit: tuple[Reach, ...]
    may_read: tuple[Reach, ...]
    comes_from: tuple[Origin, ...]
    facts: tuple[Fact, ...]
    status: Status | None = None


@dataclass(frozen=True, slots=True)
class UsersPage:
    """`users.html`. `only_you` when nobody else is there yet; `nothing_found` when a search has no result."""

    tabs: tuple[Tab, ...]
    action: str
    query: str
    filters: tuple[Choice, ...]
    rows: tuple[PersonRow, ...]
    pager: Pager
    summary: PersonSummary | None = None
    csv_href: str | None = None
    invite_href: str | None = None
    only_you: bool = False
    nothing_found: NothingFound | None = None


@dataclass(frozen=True, slots=True)
class InvitePage:
    """`invite.html`. Posts `emails`, `role` (empty for none) with its scope, any number of `user_group`."""

    crumbs: tuple[Link, ...]
    action: str
    cancel_href: str
    emails: Field
    role: Choice
    scope: ScopePicker
    user_groups: Choice
    expires_days: int
    notice: Note | None = None
