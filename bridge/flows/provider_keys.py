"""A provider's keys: kept for some minutes, read anew when they ran out, or when a token names one that isn't there.

Of a login, whose code the provider has just taken, each may have them read once more. A logout token may be anybody's
nonsense, so those together may only a few times a minute.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar

from bridge.domain.errors import OutsideFailed
from bridge.domain.web_calls import Ask, WebCall
from bridge.flows.context import Context
from bridge.storage.counters import count_try
from bridge.storage.provider_keys import KeptKeys, find_keys, keep_keys
from oidc.errors import BadSignature, UnknownKey
from oidc.keys import Keys, parse_keys
from oidc.provider import Provider

#: A key that a provider has taken back counts no longer than this.
KEPT_FOR: Final = timedelta(minutes=10)
STRANGERS_READS_A_MINUTE: Final = 6

Proved = TypeVar("Proved")


class Keyed(Protocol):
    """Whose keys are kept."""

    @property
    def provider(self) -> Provider:
        """Who publishes them."""

    @property
    def keys_of(self) -> int | None:
        """The key of the connection that they are kept for, None for Twilio's."""


class TooManyReads(OutsideFailed):
    """Strangers' tokens have had the keys read often enough for now."""

    code = "too_many_reads"

    def __init__(self) -> None:
        super().__init__("The provider’s keys were read too often within this minute. Try again in a minute.")


def prove_by_keys(
    context: Context,
    ours: Keyed,
    ask: Ask,
    now: datetime,
    prove: Callable[[Keys], Proved],
    *,
    stranger: bool = False,
) -> Proved:
    """What `prove` gives by the provider's keys: those that are kept, or, where none fits, as they stand there now.

    (A provider may also put a new key under an old name: that looks like a bad signature.) Raises what `prove` raises;
    OutsideFailed, InvalidKeys where the keys can't be read.
    """
    kept = _kept(context, ours, now)
    if kept is not None or stranger:
        try:
            return prove(kept or Keys())  # by none at all: for what no key could make good, nothing is read
        except (UnknownKey, BadSignature) as refusal:
            if stranger and not _may_read(context, ours, now):
                raise TooManyReads if kept is None else refusal from None
    return prove(_read(context, ours, ask, now))


def _kept(context: Context, ours: Keyed, now: datetime) -> Keys | None:
    with context.database.reading() as rows:
        kept = find_keys(rows, ours.keys_of)
    if kept is None or kept.url != ours.provider.jwks_uri or now - kept.read_at >= KEPT_FOR:
        return None
    return parse_keys(kept.body)


def _may_read(context: Context, ours: Keyed, now: datetime) -> bool:
    with context.database.writing() as connection:
        tries, _ = count_try(connection, f"provider-keys:{ours.keys_of or 'twilio'}", now, timedelta(minutes=1))
    return tries <= STRANGERS_READS_A_MINUTE


def _read(context: Context, ours: Keyed, ask: Ask, now: datetime) -> Keys:
    url = ours.provider.jwks_uri
    reply = ask(WebCall(url, {"Accept": "application/json"}))
    if reply.status != 200:
        raise OutsideFailed(f"The provider’s keys can’t be read: its jwks_uri answers with status {reply.status}.")
    keys = parse_keys(reply.body)
    with context.database.writing() as connection:
        keep_keys(connection, ours.keys_of, KeptKeys(url, reply.body, now))
    return keys
