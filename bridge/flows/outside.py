"""The ways out of the house, as values: made in `bridge.wiring`, handed to worker and web, and by them to flows.

A flow uses them before its transaction or after it, never inside.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from bridge.domain.domains import Looked
from bridge.domain.errors import OutsideFailed
from bridge.domain.mail import Mail
from bridge.domain.web_calls import Ask, Turns
from bridge.flows.deliver import Mailer

#: A domain's name and its token to what looking for it gave. It takes seconds, and never raises.
Look = Callable[[str, str], Looked]


class Fetch(Protocol):
    """Whatever gets the bytes behind an address, with the operator's word on private ones built in."""

    def __call__(self, url: str, *, timeout: float, max_bytes: int) -> bytes:
        """The body of a 200 answer; `timeout` is in seconds, for all of it. Raises `OutsideFailed`."""


def look_nowhere(_name: str, _token: str) -> Looked:
    """Look for a domain's proof without any way out."""
    return Looked(problem="There is no way out to look for it.")


class _NoTurns:
    """Calls to providers without any way out."""

    def turn(self, whose: str = "", provider: str = "") -> AbstractContextManager[Ask]:
        raise OutsideFailed("There is no way out to call them.")


#: None may be had.
NO_TURNS = _NoTurns()


@dataclass(frozen=True, slots=True)
class Outside:
    """All ways out, each with its limits of time, size and address.

    `calls` are those of people who sign in at companies' providers, `twilio` those to Twilio, which is everybody's, so
    that neither waits for the other; `errands` those of owners who set something up: of them whoever fetches or looks
    while a page waits takes a turn, so that no owner holds up the server, or anybody's sign-in.
    """

    fetch: Fetch
    mailer: Mailer
    look_for_proof: Look = look_nowhere
    calls: Turns = NO_TURNS
    twilio: Turns = NO_TURNS
    errands: Turns = NO_TURNS


class _NoWayOut:
    """Stands in for what a program was made without."""

    def __call__(self, url: str, *, timeout: float, max_bytes: int) -> bytes:
        raise OutsideFailed("There is no way out to fetch it.")

    def send(self, mail: Mail) -> None:
        raise OutsideFailed("There is no way out for mail.")


#: No way out at all: for tests, and for what needs none.
NOWHERE = Outside(fetch=_NoWayOut(), mailer=_NoWayOut())
