"""Calls to companies' providers while somebody waits: few at a time, so that one that is slow doesn't stop the house.

Each waits in a thread of the server. Of turns that began just now a process has `SLOTS`, with those that last long
`MOST`, and one company has `OF_ONE` of them, and one more for another provider of its own: a provider that is silent
leaves turns to the others. A connection whose
provider was silent rests for some seconds, in which nobody waits for it; then one login at a time tries, until it
answers again. Who finds the turns taken waits for a moment, or, where none can be expected to end soon, or others wait
already, is told so at once (properties.md 19).
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Condition
from typing import Final, NamedTuple

from bridge.domain.errors import Crowded, OutsideFailed
from bridge.domain.web_calls import Ask, WebCall, WebReply
from bridge.outside.web import Resolve, ask, resolve_by_dns

SLOTS: Final = 3
OF_ONE: Final = 2
#: Of all, those that last long included: to keep others out, three providers must go silent at once.
MOST: Final = 5
#: Who finds no turn waits in a thread, too: so many, each of another company; whoever else comes is to come again.
WAITING: Final = 3
#: Twilio has turns of its own: neither its silence nor a company's is to keep the other's people out.
OF_TWILIO: Final = 4
#: Seconds for all the calls of one turn, and bytes of one answer.
LONGEST, LARGEST = 10.0, 2**20
SLOW, PATIENCE, REST = 2.0, 3.0, 10.0
#: Seconds after which nobody remembers that a provider was silent.
_FORGOTTEN: Final = 600.0


class TooBusy(OutsideFailed):
    """All turns are taken, by providers that don't answer or by many logins at once."""

    code = "too_busy"

    def __init__(self) -> None:
        super().__init__("Too many wait for an answer from outside at this moment. Try again in a few seconds.")


class Silent(OutsideFailed):
    """The provider was waited for in vain a moment ago."""

    code = "provider_silent"

    def __init__(self) -> None:
        super().__init__("The identity provider didn’t answer a moment ago. Try again in a few seconds.")


class _Turn(NamedTuple):
    whose: str
    provider: str
    began: float


class _InTheWay(NamedTuple):
    """Turns that are in the way until then, or, where they `last`, longer: then nobody waits for them."""

    until: float
    last: bool


@dataclass(slots=True)
class Calls:
    """Whatever calls providers, in one process. `allow_private`: whether also in private networks.

    There are `slots` turns for those who began less than `slow` seconds ago, `most` in all, of which one company may
    have `of_one`, and one more for another of its connections while that leaves a turn. A turn has `longest` seconds
    for all its calls; who finds none waits for `patience` seconds (`WAITING` may, one of each company). After a call
    that failed by lasting `slow` seconds its connection rests for `rest` seconds.
    """

    allow_private: bool = True
    longest: float = LONGEST
    slow: float = SLOW
    patience: float = PATIENCE
    rest: float = REST
    resolve: Resolve = resolve_by_dns
    slots: int = SLOTS
    most: int = MOST
    of_one: int = OF_ONE
    _waiting: list[str] = field(default_factory=list, init=False)
    _under_way: list[_Turn] = field(default_factory=list, init=False)
    _silent: dict[str, float] = field(default_factory=dict, init=False)
    _changed: Condition = field(default_factory=Condition, init=False)

    @contextmanager
    def turn(self, whose: str = "", provider: str = "") -> Iterator[Ask]:
        """A turn to call `whose` provider, for as many calls as `longest` seconds allow in all.

        `provider` names the connection that rests when it is silent; without it, none does. Raises TooBusy,
        Silent; Crowded, at once, where others wait for one already.
        """
        mine = self._enter(whose, provider)
        try:
            yield lambda call: self._ask(call, mine)
        finally:
            with self._changed:
                self._under_way.remove(mine)
                self._changed.notify_all()

    # -- Whose turn it is ----------------------------------------------------------------------------

    def _enter(self, whose: str, provider: str) -> _Turn:
        patience_ends = time.monotonic() + self.patience
        with self._changed:
            while (ahead := self._in_the_way(whose, provider, now := time.monotonic())) is not None:
                if now >= patience_ends or (ahead.last and now >= ahead.until):
                    raise TooBusy
                self._wait(whose, min(patience_ends, ahead.until) - now)
            mine = _Turn(whose, provider, now)
            self._under_way.append(mine)
            return mine

    def _wait(self, whose: str, seconds: float) -> None:
        if len(self._waiting) >= WAITING or whose in self._waiting:
            raise Crowded
        self._waiting.append(whose)
        try:
            self._changed.wait(seconds)
        finally:
            self._waiting.remove(whose)

    def _in_the_way(self, whose: str, provider: str, now: float) -> _InTheWay | None:
        """Who is before a newcomer; None for nobody. Raises Silent for a provider that rests."""
        silent_at = self._silent.get(provider)
        if silent_at is not None and now < silent_at + self.rest:
            raise Silent
        own = [turn.began for turn in self._under_way if turn.whose == whose]
        trying = [turn.began for turn in self._under_way if silent_at is not None and turn.provider == provider]
        if trying or (len(own) >= self.of_one and not self._may_have_another(whose, provider)):
            return _InTheWay(min(trying or own) + self.slow, last=True)
        if len(self._under_way) >= self.most:
            return _InTheWay(max(turn.began for turn in self._under_way) + self.slow, last=True)
        young = [turn.began for turn in self._under_way if turn.began + self.slow > now]
        return _InTheWay(min(young) + self.slow, last=False) if len(young) >= self.slots else None

    def _may_have_another(self, whose: str, provider: str) -> bool:
        """Whether a company that has all of its turns may have one more, for a provider that has none of them, and is
        not to suffer for the other. One is left for other companies.
        """
        waiting = [turn.provider for turn in self._under_way if turn.whose == whose]
        is_another = bool(provider) and provider not in waiting
        return is_another and len(waiting) == self.of_one and len(self._under_way) + 1 < self.most

    # -- Calling -------------------------------------------------------------------------------------

    def _ask(self, call: WebCall, mine: _Turn) -> WebReply:
        began = time.monotonic()
        left = max(0.001, mine.began + self.longest - began)
        try:
            reply = ask(call, timeout=left, max_bytes=LARGEST, allow_private=self.allow_private, resolve=self.resolve)
        except OutsideFailed:
            # By this very call, and not by others that left it no time.
            if mine.provider and time.monotonic() - began >= self.slow:
                self._note_silence(mine.provider)
            raise
        with self._changed:
            self._silent.pop(mine.provider, None)
        return reply

    def _note_silence(self, provider: str) -> None:
        with self._changed:
            now = time.monotonic()
            remembered = {name: at for name, at in self._silent.items() if at + _FORGOTTEN > now}
            self._silent = {**remembered, provider: now}
            self._changed.notify_all()
