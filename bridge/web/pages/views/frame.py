"""What is around every page."""

from dataclasses import dataclass

from bridge.web.pages.views.parts import Link, Note, Theme


@dataclass(frozen=True, slots=True)
class NavItem:
    """A page of the side navigation; `icon` is a name of icons.html."""

    text: str
    href: str
    icon: str
    current: bool = False
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class NavSection:
    """A heading of the side navigation with its pages."""

    title: str
    items: tuple[NavItem, ...]


@dataclass(frozen=True, slots=True)
class Me:
    """The person who looks at the page, and what they are in this workspace."""

    name: str
    role: str
    href: str | None = None
    """Their account; None where the session may not open it."""


@dataclass(frozen=True, slots=True)
class OtherWorkspace:
    """A workspace to switch to. `asks` says what it asks for first, None when it opens at once."""

    name: str
    href: str
    asks: str | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """What surrounds every page of a workspace."""

    workspace: str
    plan: str
    people: int
    home_href: str
    switch_href: str
    """The choice of workspaces."""
    nav: tuple[NavSection, ...]
    me: Me
    path: str
    """The path and query of this page: where the theme switch returns to."""
    theme: Theme | None = None
    """What the cookie says; None follows the device."""
    theme_action: str = "/theme"
    sign_out_action: str = "/logout"
    notices: tuple[Note, ...] = ()
    """What the request before this one did, said once."""
    others: tuple[OtherWorkspace, ...] = ()
    """Where else one may go; none: there is nothing to switch to."""
    products: tuple[Link, ...] = ()
    """Where Twilio's product switcher leads: its Console, then its other products; empty for who came another way."""


@dataclass(frozen=True, slots=True)
class BareFrame:
    """What surrounds the pages outside a workspace: signing in, refusals, errors."""

    site: str
    """The host name, shown in the foot so that people see where they are."""
    theme: Theme | None = None
