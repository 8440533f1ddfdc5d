"""Why somebody may do something, or not; resources, and who may read and edit one."""

from dataclasses import dataclass

from bridge.web.pages.views.form_parts import Choice, Field
from bridge.web.pages.views.parts import Chip, Fact, Link, NothingFound, Pager, Path, Tab
from bridge.web.pages.views.person import PermissionLine, WhyAnswer


@dataclass(frozen=True, slots=True)
class WhyPage:
    """`why_page.html`: the question, and its answer once it is asked. `person` None: about oneself."""

    action: str
    person: Field | None
    act: Choice
    resource: Field
    at: Field
    answer: WhyAnswer | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class ResourceRow:
    """A resource in the list: `href` leads to it."""

    name: str
    kind: str
    labels: tuple[str, ...]
    href: str


@dataclass(frozen=True, slots=True)
class ResourcesPage:
    """`resources.html`. `empty`: there are none at all, and what that means to whoever looks."""

    tabs: tuple[Tab, ...]
    says: str
    action: str
    query: str
    filters: tuple[Choice, ...]
    rows: tuple[ResourceRow, ...]
    pager: Pager
    create: tuple[Link, ...] = ()
    """Who can create each kind."""
    empty: str | None = None
    nothing_found: NothingFound | None = None


@dataclass(frozen=True, slots=True)
class WhoMayRow:
    """A member who may, with some of the paths that let them; `more` says how many others there are."""

    name: str
    email: str
    href: str
    why_href: str
    paths: tuple[Path, ...]
    more: str = ""


@dataclass(frozen=True, slots=True)
class ResourcePage:
    """`resource.html`: one resource, or a kind to create one of.

    For owners `rows`, who may; `next_href` where more of them are; `changes` lead to what shows its effect first.
    For others `own`, what they may themselves. Without an address a label leads nowhere.
    """

    name: str
    says: str
    crumbs: tuple[Link, ...]
    facts: tuple[Fact, ...]
    labels: tuple[Link, ...] = ()
    changes: tuple[Link, ...] = ()
    tabs: tuple[Tab, ...] = ()
    rows: tuple[WhoMayRow, ...] | None = None
    counted: str = ""
    first_href: str | None = None
    next_href: str | None = None
    given_by: tuple[Chip, ...] = ()
    own: tuple[WhyAnswer, ...] = ()
    ask_href: str | None = None


@dataclass(frozen=True, slots=True)
class GivesRule:
    """A rule, what it gives with the path of each, and what stands in its way."""

    sentence: str
    people: str
    href: str
    obstacles: tuple[str, ...]
    lines: tuple[PermissionLine, ...]


@dataclass(frozen=True, slots=True)
class GivesPage:
    """`gives.html`: what an IdP group or a rule gives."""

    name: str
    says: str
    crumbs: tuple[Link, ...]
    facts: tuple[Fact, ...]
    rules: tuple[GivesRule, ...]
