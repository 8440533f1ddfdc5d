"""The sign-in log, and what a test of a connection found out."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bridge.web.pages.views.form_parts import Choice
from bridge.web.pages.views.parts import Fact, Link, Note, NothingFound, Post, Status


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One attempt in the list: of whom, when, how it ended, by which way."""

    who: str
    at: datetime
    status: Status
    how: str
    href: str
    times: int = 1


@dataclass(frozen=True, slots=True)
class SignInLogPage:
    """`sign_in_log.html`: attempts, newest first, kept `days`."""

    action: str
    query: str
    filters: tuple[Choice, ...]
    rows: tuple[AttemptRow, ...]
    days: int
    newest_href: str | None = None
    older_href: str | None = None
    none_yet: bool = False
    nothing_found: NothingFound | None = None


@dataclass(frozen=True, slots=True)
class TraceStep:
    """A step that was taken (`ok`, `warn`), that stopped it (`bad`), or that it never came to (`off`)."""

    tone: Literal["ok", "warn", "bad", "off"]
    title: str
    detail: str = ""
    clock: str = ""


@dataclass(frozen=True, slots=True)
class Fix:
    """What to change: a sentence, the path in the IdP's console, our value to copy into it, the guide."""

    heading: str
    text: str
    where: str | None = None
    value: str | None = None
    guide: str | None = None


@dataclass(frozen=True, slots=True)
class WouldBox:
    """What a test found out: what the IdP said, and what a login would do."""

    heading: str
    said: tuple[Fact, ...]
    would: tuple[Fact, ...]
    rules: tuple[str, ...] = ()
    access: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AttemptCard:
    """One attempt in full. `message` is text to be shown as it is, empty for none; `explanation` None: it worked.
    `agent` is how the browser names itself.
    """

    title: str
    about: str
    ref: str
    status: Status
    explanation: Note | None
    steps: tuple[TraceStep, ...]
    fix: Fix | None = None
    message: str = ""
    would: WouldBox | None = None
    agent: str = ""


@dataclass(frozen=True, slots=True)
class AttemptPage:
    """`sign_in_attempt.html`: one attempt, inside its workspace."""

    card: AttemptCard
    crumbs: tuple[Link, ...]
    test: Post | None = None
    leads_to: Link | None = None


@dataclass(frozen=True, slots=True)
class TestResultPage:
    """`connection_test_result.html`: what a test found out, for the browser that began it."""

    __test__ = False

    card: AttemptCard
    connection: str
    log_href: str
    connection_href: str


@dataclass(frozen=True, slots=True)
class TestConnectionPage:
    """`connection_test.html`: a button that begins a test of a connection."""

    __test__ = False

    connection: str
    enabled: bool
    action: str
    crumbs: tuple[Link, ...]
