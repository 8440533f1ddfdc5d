"""Tries, counted in the database before they are made: many at once count as many, and no process forgets.

A `Limit` says under what a try is counted, how many there may be within a window, and what a good one does to them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from bridge.domain.errors import TooManyTries
from bridge.domain.sentences import counted
from bridge.domain.sign_in import Client
from bridge.flows.bearer_secrets import digest
from bridge.flows.context import Context
from bridge.storage.counters import count_try, forget_tries, take_back

WINDOW: Final = timedelta(minutes=15)
AN_HOUR: Final = timedelta(hours=1)
A_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` tries under `key` within a `window` that begins with the first. A good try may begin it `anew`, as
    that of an account does; be `given_back`, as to an address, from which a whole office may come; or be `counted`.
    """

    key: str
    most: int
    window: timedelta = WINDOW
    good: Literal["anew", "given_back", "counted"] = "counted"


def by_address(what: str, client: Client, most: int) -> Limit:
    """The limit of an address, or of a whole IPv6 network, for tries of one kind."""
    return Limit(f"{what}:address:{digest(client.network).hex()}", most, good="given_back")


def count_tries(context: Context, limits: Sequence[Limit], why: str, now: datetime) -> None:
    """Count one try in a transaction of its own, before it is made. Raises TooManyTries, whose text begins with `why`,
    at the first limit that is exceeded; under those behind it nothing is counted.
    """
    with context.database.writing() as connection:
        ends = _first_exceeded(connection, limits, now)
    if ends is not None:
        seconds = int((ends - now).total_seconds()) + 1
        raise TooManyTries(f"{why} Wait {_in_words(seconds)}, then try again.", seconds)


def note_good_try(connection: Any, limits: Sequence[Limit]) -> None:
    """What was counted was a good one, in the transaction of what it does."""
    for limit in limits:
        if limit.good == "anew":
            forget_tries(connection, limit.key)
        elif limit.good == "given_back":
            take_back(connection, limit.key)


def _first_exceeded(connection: Any, limits: Sequence[Limit], now: datetime) -> datetime | None:
    for limit in limits:
        tries, ends = count_try(connection, limit.key, now, limit.window)
        if tries > limit.most:
            return ends
    return None


def _in_words(seconds: int) -> str:
    minutes = -(-seconds // 60)
    if minutes == 1:
        return "a minute"
    return counted(minutes, "minute") if minutes < 120 else counted(-(-minutes // 60), "hour")
