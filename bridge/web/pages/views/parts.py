"""Parts that pages of every family are made of."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Kind = Literal["idp", "rule", "group", "role", "resource", "hand"]
Tone = Literal["ok", "warn", "bad", "off", "mail"]
NoteTone = Literal["info", "idp", "ok", "warn", "bad", "plain"]
Theme = Literal["light", "dark"]


@dataclass(frozen=True, slots=True)
class Link:
    """A way to go; `primary` makes it the page's one filled button where it is shown as a button."""

    text: str
    href: str
    primary: bool = False


@dataclass(frozen=True, slots=True)
class Chip:
    """A thing of one of the six kinds, always shown with the same icon, tint and word."""

    kind: Kind
    text: str
    href: str | None = None
    title: str | None = None
    """A sentence that explains it, for who points at it."""


@dataclass(frozen=True, slots=True)
class Path:
    """One path that gives a permission: IdP group or hand, rule, User Group, role, as far as they take part."""

    steps: tuple[Chip, ...]
    reason: str | None = None
    """What the giver wrote, e.g. "debugging enrichment"."""
    links: tuple[str, ...] = ()
    """Who made each link of it, and when, a sentence each; where that is asked."""


@dataclass(frozen=True, slots=True)
class Status:
    """A state: an icon of its own shape and a word."""

    tone: Tone
    text: str


@dataclass(frozen=True, slots=True)
class Note:
    """A title that says it all, one paragraph, one action. `urgent` has it read out at once."""

    tone: NoteTone
    title: str
    text: str | None = None
    action: Link | None = None
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Tab:
    """One of the tabs under a heading: a link."""

    text: str
    href: str
    count: int | None = None
    current: bool = False


@dataclass(frozen=True, slots=True)
class Pager:
    """Which of how many rows are shown; `total` is counted by the server."""

    first: int
    last: int
    total: int
    previous: str | None = None
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of a list of facts; `at`, when there, is written before the text."""

    label: str
    text: str = ""
    at: datetime | None = None
    href: str | None = None


@dataclass(frozen=True, slots=True)
class Consequence:
    """What happens when one goes on: somebody loses, gains or keeps something, or a thing is remembered."""

    effect: Literal["lose", "gain", "keep", "remember"]
    text: str


@dataclass(frozen=True, slots=True)
class Post:
    """A button that changes something: its words, where it posts to, what a screen reader hears after them."""

    text: str
    action: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class NothingFound:
    """A search without result: what was asked, perhaps a better spelling, and how to clear."""

    title: str
    clear_href: str
    filters: int = 0
    suggestion: Link | None = None
