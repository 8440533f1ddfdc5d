"""User Groups."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bridge.web.pages.views.form_parts import Choice, Field
from bridge.web.pages.views.parts import Chip, Link, NoteTone, NothingFound, Pager, Path, Status, Tab
from bridge.web.pages.views.person import GrantRow
from bridge.web.pages.views.users import Reach


@dataclass(frozen=True, slots=True)
class UserGroupRow:
    """A line of User Groups. `decided_by`: the IdP groups behind it; `by_hand`: people are put in by hand too."""

    name: str
    href: str
    members: int
    gives: str
    decided_by: tuple[Chip, ...] = ()
    by_hand: bool = False
    status: Status | None = None


@dataclass(frozen=True, slots=True)
class UserGroupsPage:
    """`user_groups.html`."""

    tabs: tuple[Tab, ...]
    action: str
    query: str
    filters: tuple[Choice, ...]
    rows: tuple[UserGroupRow, ...]
    pager: Pager
    new_href: str | None = None
    none_yet: bool = False
    nothing_found: NothingFound | None = None


@dataclass(frozen=True, slots=True)
class Deciders:
    """Who decides the members of a User Group: the page's first words, with the ways people come in."""

    tone: NoteTone
    title: str
    text: str
    paths: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A member and how they came in; `remove_href` None with `locked` says who could change it."""

    name: str
    email: str
    href: str
    by: Chip
    since: datetime | None = None
    remove_href: str | None = None
    locked: str | None = None


@dataclass(frozen=True, slots=True)
class UserGroupPage:
    """`user_group.html`. `add` is None where members can't be put in by hand."""

    name: str
    members: int
    summary: str
    crumbs: tuple[Link, ...]
    tabs: tuple[Tab, ...]
    tab: Literal["roles", "members"]
    deciders: Deciders
    may_edit: tuple[Reach, ...] = ()
    may_read: tuple[Reach, ...] = ()
    grants: tuple[GrantRow, ...] = ()
    give_href: str | None = None
    rename_href: str | None = None
    delete_href: str | None = None
    delete_locked: str | None = None
    action: str = ""
    query: str = ""
    filters: tuple[Choice, ...] = ()
    rows: tuple[MemberRow, ...] = ()
    pager: Pager | None = None
    nothing_found: NothingFound | None = None
    add: Field | None = None
    add_action: str = ""
    first_members: tuple[MemberRow, ...] = ()
    members_href: str = ""


@dataclass(frozen=True, slots=True)
class UserGroupFormPage:
    """`user_group_new.html`: create a User Group, or rename one (then `members` is None)."""

    title: str
    text: str
    crumbs: tuple[Link, ...]
    action: str
    cancel_href: str
    name: Field
    members: Field | None = None
    button: str = "Create the User Group"
