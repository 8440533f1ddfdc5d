"""A person's page: what they may do and by which path, giving, taking, removing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bridge.web.pages.views.form_parts import Choice, Field, Option, OptionGroup, ScopePicker
from bridge.web.pages.views.mapping import PreviewPanel
from bridge.web.pages.views.parts import Chip, Consequence, Fact, Link, Note, Pager, Path, Status, Tab


@dataclass(frozen=True, slots=True)
class PermissionLine:
    """A permission as a sentence ("Read all sources with environment:prod"), and the paths that give it; `left` counts
    those beyond, where somebody has very many.
    """

    sentence: str
    paths: tuple[Path, ...]
    left: int = 0


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One thing gained, or lost."""

    gained: bool
    text: str


@dataclass(frozen=True, slots=True)
class AccessChange:
    """What a person gained and lost at a moment, told once by what: `how`, a sentence each."""

    at: datetime
    lines: tuple[ChangeLine, ...]
    how: tuple[str, ...]
    why_href: str
    """Why, as of then."""
    lines_left: int = 0
    how_left: int = 0


@dataclass(frozen=True, slots=True)
class History:
    """The changes of what a person may do, the newest first; `about` one resource, if that was asked."""

    rows: tuple[AccessChange, ...]
    about: str | None = None
    whole_href: str | None = None
    newest_href: str | None = None
    older_href: str | None = None
    begins: str = ""
    """Since when it is known, where that is its end."""


@dataclass(frozen=True, slots=True)
class WayToGet:
    """One thing that would give what is missing, and who can do it."""

    title: str
    text: str
    action: Link | None = None


@dataclass(frozen=True, slots=True)
class NearlyPath:
    """A path that nearly gives it, and what stands in its way, a sentence each."""

    path: Path
    obstacles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WhyAnswer:
    """The answer of "Why can't ... ?": when they can, by which paths; when not, what stands in the way and what would
    give it.
    """

    allowed: bool
    title: str
    text: str
    paths: tuple[Path, ...] = ()
    ways: tuple[WayToGet, ...] = ()
    is_past: bool = False
    """Obstacles, and what was near, are those of the moment that was asked about."""
    ways_left: int = 0
    ways_total: int = 0
    """How many ways to get it there are, those by hand aside."""
    total: int = 0
    """How many paths there are in all."""
    obstacles: tuple[str, ...] = ()
    """What stands in the way of the person, whatever they are given."""
    nearly: tuple[NearlyPath, ...] = ()
    nearly_left: int = 0
    more: Link | None = None
    """Where all of it stands."""
    pager: Pager | None = None


@dataclass(frozen=True, slots=True)
class WhyPanel:
    """The question: `act` and `resource`, asked by GET at `action`."""

    action: str
    act: Choice
    resource: Field
    answer: WhyAnswer | None = None
    problem: str | None = None
    """Why there is no answer, said in its place: htmx swaps no more than that."""


@dataclass(frozen=True, slots=True)
class GrantRow:
    """A role given to this very person or User Group."""

    role: str
    text: str
    scope: tuple[Chip, ...]
    """Resources or labels; empty for all of its kind."""
    reach: str
    """How many that is now: "2 of 11 sources", "all 2, and future ones"."""
    given_by: str
    at: datetime
    reason: str | None = None
    change_href: str | None = None
    take_href: str | None = None
    locked: str | None = None
    plan_note: str | None = None
    """That it gives nothing on the workspace's plan."""


@dataclass(frozen=True, slots=True)
class InGroupRow:
    """A User Group that the person is in, and the ways by which they came in."""

    name: str
    href: str | None
    ways: tuple[Chip, ...]
    leave_href: str | None = None
    """Where the person is taken out; None where only an IdP could."""


@dataclass(frozen=True, slots=True)
class PersonPage:
    """`person.html`. `tab` says which is shown: "access", "grants" (Roles by hand), "groups" or "history"."""

    name: str
    short_name: str
    """What to call them in a sentence, e.g. the given name the IdP pushed, else the whole name."""
    email: str
    crumbs: tuple[Link, ...]
    member_since: datetime
    status: Status | None
    tabs: tuple[Tab, ...]
    tab: Literal["access", "grants", "groups", "history"]
    facts: tuple[Fact, ...]
    notes: tuple[Note, ...] = ()
    permissions: tuple[PermissionLine, ...] = ()
    nothing: tuple[str, str] | None = None
    """Where there are no permissions, what that means here: a title and a sentence; None: a member without any."""
    totals: str = ""
    not_in_plan: tuple[PermissionLine, ...] = ()
    """What was given and gives nothing, since the workspace's plan doesn't include it."""
    history: History | None = None
    why: WhyPanel | None = None
    grants: tuple[GrantRow, ...] = ()
    groups: tuple[InGroupRow, ...] = ()
    give_href: str | None = None
    ask_href: str | None = None
    """Where a member asks for more, on their own page."""
    remove_href: str | None = None
    remove_locked: str | None = None
    """Why nobody can remove this person; shown in the button's place."""


@dataclass(frozen=True, slots=True)
class RemovePersonPage:
    """`person_remove.html`. `button` names the consequence: "Remove Priya Raman: loses 6 permissions"."""

    name: str
    email: str
    crumbs: tuple[Link, ...]
    person_href: str
    action: str
    button: str
    consequences: tuple[Consequence, ...]
    loses: tuple[PermissionLine, ...] = ()
    tokens: tuple[str, ...] = ()
    note: Note | None = None
    keep: str = "Keep them"
    hidden: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class GrantPage:
    """`grant_new.html`: give a role, or change its scope. First the role (GET `role`), then where (POST)."""

    title: str
    crumbs: tuple[Link, ...]
    cancel_href: str
    action: str
    roles: tuple[OptionGroup, ...] = ()
    """The first step: roles to choose from. Empty in the second."""
    role: Option | None = None
    """The second step: the role chosen, with what it gives."""
    other_role_href: str | None = None
    scope: ScopePicker | None = None
    """None when the role has no listable resources."""
    reason: Field | None = None
    button: str = "Give the role"
    """Empty where it has to be shown first what it does."""
    note: Note | None = None
    hidden: tuple[tuple[str, str], ...] = ()
    panel: PreviewPanel | None = None
    """Of a scope that is changed: who gains and who loses."""


@dataclass(frozen=True, slots=True)
class ConfirmPage:
    """`confirm.html`: any other step that takes something away. The button names what."""

    title: str
    crumbs: tuple[Link, ...]
    action: str
    button: str
    consequences: tuple[Consequence, ...]
    cancel_href: str
    text: str | None = None
    keep: str = "Keep it"
    hidden: tuple[tuple[str, str], ...] = ()
    panel: PreviewPanel | None = None
    """Who loses and gains by it, where that is counted."""
