"""The SCIM log."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bridge.web.pages.views.form_parts import Choice
from bridge.web.pages.views.parts import Fact, NothingFound, Status


@dataclass(frozen=True, slots=True)
class OpenedRequest:
    """All that is kept of one call. `request` and `answer` are text to be shown as it is, empty for none."""

    facts: tuple[Fact, ...]
    request: str
    answer: str


@dataclass(frozen=True, slots=True)
class RequestRow:
    """One SCIM call: `href` opens it, or closes it where it is `opened`."""

    at: datetime
    sentence: str
    outcome: Literal["changed", "unchanged", "read", "refused"]
    status: Status
    call: str
    connection: str
    href: str
    opened: OpenedRequest | None = None


@dataclass(frozen=True, slots=True)
class ScimLogPage:
    """`scim_log.html`: calls of IdPs, newest first, kept `days`."""

    action: str
    query: str
    filters: tuple[Choice, ...]
    rows: tuple[RequestRow, ...]
    days: int
    token_href: str
    newest_href: str | None = None
    older_href: str | None = None
    none_yet: bool = False
    nothing_found: NothingFound | None = None
