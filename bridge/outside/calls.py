"""Calls to companies' providers while somebody waits: few at a time, so that one that is slow doesn't stop the house.

Each waits in a thread of the server. At most `SLOTS` of a process's do, of one company's `OF_ONE`, so that a provider
that is silent leaves a turn to the others. Who finds theirs taken waits for a moment, or, where none of those turns
can be expected to end soon, is told so at once (properties.md 19).
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

SLOTS: Final = 3
OF_ONE: Final = 2
#: Seconds for all the calls of one turn, and bytes of one answer.
LONGEST, LARGEST = 10.0, 2**20
SLOW, PATIENCE = 2.0, 3.0


class TooBusy(OutsideFailed):
    """All turns are taken, by providers that don't answer or by many logins at once."""

    code = "too_busy"

    def __init__(self) -> None:
        super().__init__("Too many wait for an answer from outside at this moment. Try again in a few seconds.")


@dataclass(slots=True)
class Calls:
    """Whatever calls providers, in one process. `allow_private`: whether also in private networks.

    There are `slots` turns, of which one company may have `of_one`. A turn has `longest` seconds for all its calls, and
    counts as slow from `slow` seconds on; who finds all turns taken waits for `patience` seconds.
    """

    allow_private: bool = True
    longest: float = LONGEST
    slow: float = SLOW
    patience: float = PATIENCE
    resolve: Resolve = resolve_by_dns
    slots: int = SLOTS
    of_one: int = OF_ONE
    _under_way: list[tuple[str, float]] = field(default_factory=list, init=False)
    _changed: Condition = field(default_factory=Condition, init=False)

    @contextmanager
    def turn(self, whose: str = "") -> Iterator[Ask]:
        """A turn to call `whose` provider, for as many calls as `longest` seconds allow in all. Raises TooBusy."""
        mine = self._enter(whose)
        try:
            yield lambda call: self._ask(call, mine[1] + self.longest)
        finally:
            with self._changed:
                self._under_way.remove(mine)
                self._changed.notify_all()

    def _enter(self, whose: str) -> tuple[str, float]:
        until = time.monotonic() + self.patience
        with self._changed:
            while (slow_at := self._slow_at(whose)) is not None:
                now = time.monotonic()
                if now >= min(until, slow_at):
                    raise TooBusy
                self._changed.wait(min(until, slow_at) - now)
            mine = (whose, time.monotonic())
            self._under_way.append(mine)
            return mine

    def _slow_at(self, whose: str) -> float | None:
        """When whoever is in the way counts as slow; None where nobody is."""
        own = [began for one, began in self._under_way if one == whose]
        if len(own) >= self.of_one:
            return min(own) + self.slow
        if len(self._under_way) >= self.slots:
            return max(began for _, began in self._under_way) + self.slow
        return None

    def _ask(self, call: WebCall, deadline: float) -> WebReply:
        seconds = max(0.001, deadline - time.monotonic())
        return ask(call, timeout=seconds, max_bytes=LARGEST, allow_private=self.allow_private, resolve=self.resolve)
