"""What a connection's IdP pushed: records without an account, and what groups are tied to."""

from dataclasses import dataclass
from datetime import datetime

from bridge.web.pages.views.connections import ConnectionHead
from bridge.web.pages.views.form_parts import Choice
from bridge.web.pages.views.mapping import PreviewPanel
from bridge.web.pages.views.parts import Consequence, Link, NothingFound, Pager, Status


@dataclass(frozen=True, slots=True)
class UnlinkedRow:
    """A record without an account: why, and what to do; `href` leads to the person it is about, if there is one."""

    name: str
    user_name: str
    why: str
    advice: str
    since: datetime
    href: str | None = None


@dataclass(frozen=True, slots=True)
class UnlinkedPage:
    """`directory_waiting.html`."""

    head: ConnectionHead
    rows: tuple[UnlinkedRow, ...]
    pager: Pager


@dataclass(frozen=True, slots=True)
class TiedGroupRow:
    """A pushed group and its User Group; `user_group` None: none."""

    name: str
    members: int
    tie: Status
    link_href: str
    user_group: Link | None = None
    unlink_href: str | None = None


@dataclass(frozen=True, slots=True)
class DirectoryGroupsPage:
    """`directory_groups.html`."""

    head: ConnectionHead
    action: str
    query: str
    filters: tuple[Choice, ...]
    rows: tuple[TiedGroupRow, ...]
    pager: Pager
    none_yet: bool = False
    nothing_found: NothingFound | None = None


@dataclass(frozen=True, slots=True)
class TieGroupPage:
    """`directory_link.html`: first the User Group is chosen, then what follows is shown, then it is done.

    `consequences` None: nothing is chosen yet; `choice` None: there is no User Group that could be.
    """

    title: str
    text: str
    crumbs: tuple[Link, ...]
    action: str
    cancel_href: str
    choice: Choice | None = None
    new_href: str | None = None
    confirm_action: str | None = None
    button: str = ""
    consequences: tuple[Consequence, ...] | None = None
    hidden: tuple[tuple[str, str], ...] = ()
    panel: PreviewPanel | None = None
