"""What applications ask: may this person do this to that resource? And how long they may keep the answer.

A check that names somebody or something that the workspace doesn't have is answered with no, and says which of the two
is unknown: whose program asks must fail closed, and other workspaces stay unseen.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from bridge.domain.access import Action, ResourceRef

#: The most that one call may ask.
MOST_CHECKS = 1000
#: However still the workspace is, an answer is kept for no longer.
KEPT_FOR = timedelta(seconds=60)

Unknown = Literal["subject", "resource"]


@dataclass(frozen=True, slots=True)
class Check:
    """One question. `subject` is an account's id, or an address (which no id looks like).

    `resource` is None where something is to be created, which is about the type alone, or where `type` is an area
    that has no resources.
    """

    subject: str
    action: Action
    type: str
    resource: ResourceRef | None = None


@dataclass(frozen=True, slots=True)
class CheckAnswer:
    """Yes or no; and what the workspace doesn't have, where it has no such person or resource."""

    allowed: bool
    unknown: Unknown | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """The answers, in the order of the checks, all of one moment at which the workspace was at `revision`.

    `until`: the first moment at which time alone changes any of them; None where nothing has an end.
    """

    answers: tuple[CheckAnswer, ...]
    revision: int
    until: datetime | None


def keep_for(now: datetime, until: datetime | None) -> int:
    """For how many whole seconds an answer may be kept: at most sixty, and never to where time alone changes it."""
    left = KEPT_FOR if until is None else min(KEPT_FOR, until - now)
    return max(0, int(left.total_seconds()))
