"""What ends by itself, and when its owners are warned: 30, 14 and 3 days before, and when it is over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

#: Days before the end at which owners are warned; 0: it is over.
WARNED_AT = (30, 14, 3, 0)
#: How long what is over is still warned of: later, nobody waits for it.
STILL_WARNED = timedelta(days=30)

Ending = Literal["idp_certificate", "our_certificate", "scim_token", "api_token"]


@dataclass(frozen=True, slots=True)
class Expiry:
    """One thing that ends. `subject` is the outside id of its connection or token, `name` what people call that.

    `mark` tells this thing from what comes after it: a certificate's SHA-256, a token's id. Nobody is warned of what
    they gave so short a time on purpose: `since` is when it began.
    """

    kind: Ending
    workspace_key: int
    subject: str
    name: str
    mark: str
    since: datetime
    ends_at: datetime

    @property
    def is_certificate(self) -> bool:
        """Whether it is one, of either side."""
        return self.kind in ("idp_certificate", "our_certificate")

    def is_over(self, now: datetime) -> bool:
        """Whether it has ended."""
        return self.ends_at <= now

    def warning(self, now: datetime) -> int | None:
        """Which of the warnings is due, in days before the end; None: none yet, or none any more."""
        left = self.ends_at - now
        if left < -STILL_WARNED:
            return None
        nearest = min((days for days in WARNED_AT if left <= timedelta(days=days)), default=None)
        return nearest if nearest is not None and self.ends_at - self.since > timedelta(days=nearest) else None


def covered_until(spans: Sequence[tuple[datetime, datetime]], now: datetime) -> int | None:
    """Which of several certificates (since, until) is the last to stand: after its end there is a time without any.

    None where there are none. Where none is good at present: the one that ended last, else the first to come.
    """
    standing = [place for place, (since, until) in enumerate(spans) if since <= now < until]
    if not standing:
        return max(range(len(spans)), key=lambda place: spans[place][1]) if spans else None
    last = max(standing, key=lambda place: spans[place][1])
    while True:
        end = spans[last][1]
        following = [place for place, (since, until) in enumerate(spans) if since <= end < until]
        if not following:
            return last
        last = max(following, key=lambda place: spans[place][1])
