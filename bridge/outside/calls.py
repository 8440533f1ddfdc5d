"""Calls to companies' providers while somebody waits: few at a time, so that one that is slow doesn't stop the house.

Each waits in a thread of the server. At most `SLOTS` of a process's do; who comes when all are taken waits for a
moment, or, where one of them has been waiting long already, is told so at once (properties.md 19).
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Condition
from typing import Final

from bridge.domain.errors import OutsideFailed
from bridge.domain.web_calls import Ask, WebCall, WebReply
from bridge.outside.web import Resolve, ask, resolve_by_dns

SLOTS: Final = 2
#: Seconds for all the calls of one turn, and bytes of one answer.
LONGEST, LARGEST = 10.0, 2**20
SLOW, PATIENCE = 2.0, 3.0


class TooBusy(OutsideFailed):
    """All turns are taken, by providers that don't answer or by many logins at once."""

    code = "too_busy"

    def __init__(self) -> None:
        super().__init__("Too many sign-ins wait for an answer at this moment. Try again in a few seconds.")


@dataclass(slots=True)
class Calls:
    """Whatever calls providers, in one process. `allow_private`: whether also in private networks.

    A turn has `longest` seconds for all its calls, and counts as slow from `slow` seconds on; who finds all turns taken
    waits for `patience` seconds.
    """

    allow_private: bool = True
    longest: float = LONGEST
    slow: float = SLOW
    patience: float = PATIENCE
    resolve: Resolve = resolve_by_dns
    _under_way: list[float] = field(default_factory=list, init=False)
    _changed: Condition = field(default_factory=Condition, init=False)

    @contextmanager
    def turn(self) -> Iterator[Ask]:
        """A turn to call, for as many calls as `longest` seconds allow in all. Raises TooBusy."""
        began = self._enter()
        try:
            yield lambda call: self._ask(call, began + self.longest)
        finally:
            with self._changed:
                self._under_way.remove(began)
                self._changed.notify()

    def _enter(self) -> float:
        until = time.monotonic() + self.patience
        with self._changed:
            while len(self._under_way) >= SLOTS:
                now = time.monotonic()
                if now >= until or now - min(self._under_way) >= self.slow:
                    raise TooBusy
                self._changed.wait(min(until, min(self._under_way) + self.slow) - now)
            self._under_way.append(began := time.monotonic())
            return began

    def _ask(self, call: WebCall, deadline: float) -> WebReply:
        seconds = max(0.001, deadline - time.monotonic())
        return ask(call, timeout=seconds, max_bytes=LARGEST, allow_private=self.allow_private, resolve=self.resolve)
