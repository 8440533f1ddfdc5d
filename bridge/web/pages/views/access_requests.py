"""Access asked for, and answered."""

from dataclasses import dataclass
from datetime import datetime

from bridge.web.pages.views.form_parts import Choice, Field
from bridge.web.pages.views.parts import Link, Note, Post


@dataclass(frozen=True, slots=True)
class AskedRow:
    """What somebody asks for, and what the reader can do about it: answer it, or take their own back."""

    name: str
    email: str
    asks: str
    message: str
    at: datetime
    href: str | None = None
    grant: Post | None = None
    refuse_href: str | None = None
    withdraw: Post | None = None


@dataclass(frozen=True, slots=True)
class RequestsPage:
    """`access_requests.html`: an owner's list of all, or a member's of their own."""

    rows: tuple[AskedRow, ...]
    ask_href: str | None
    notice: Note | None = None


@dataclass(frozen=True, slots=True)
class AskPage:
    """`access_request_new.html`: which role, on what, and why."""

    crumbs: tuple[Link, ...]
    action: str
    cancel_href: str
    role: Choice
    resource: Field
    message: Field
    whom: str
    """Who answers: `Ask Mei Tanaka or Marcus Lindqvist.`"""
    notice: Note | None = None


@dataclass(frozen=True, slots=True)
class RefuseRequestPage:
    """`access_request_refuse.html`: with a word to who asked, or without."""

    name: str
    asks: str
    message: str
    crumbs: tuple[Link, ...]
    action: str
    cancel_href: str
    reason: Field
    notice: Note | None = None
