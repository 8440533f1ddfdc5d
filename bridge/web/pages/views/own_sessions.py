"""Where somebody is signed in."""

from dataclasses import dataclass
from datetime import datetime

from bridge.web.pages.views.parts import Post


@dataclass(frozen=True, slots=True)
class OwnSessionRow:
    """One session. `device`: browser and system in words. `ways`: each way in, in words. `end`: None for this one,
    which is ended by signing out.
    """

    device: str
    address: str
    ways: tuple[str, ...]
    opened: datetime
    used: datetime
    ends: datetime
    current: bool
    end: Post | None = None


@dataclass(frozen=True, slots=True)
class OwnSessionsPage:
    """`account_sessions.html`. This session is the first row; `others` counts the rest."""

    rows: tuple[OwnSessionRow, ...]
    others: int
    end_others_action: str
    end_all_action: str
    password_at_twilio: bool = False
