"""Our key of an OpenID Connect connection that proves itself by private_key_jwt: replaced in two steps.

`begin_rotation` makes the next key, and publishes both at `/oidc/<connection>/jwks`; tokens are asked for with the
present one. The provider reads our keys there, or is given the next one. `finish_rotation` makes it the present one,
and the old key is forgotten, also in the rows of the past. `cancel_rotation` forgets the next one instead.
"""

from dataclasses import dataclass
from datetime import datetime

from bridge.domain.errors import DomainError
from bridge.domain.workspace import Connection
from bridge.flows.connect_oidc import PRIVATE_KEY, new_private_key
from bridge.flows.context import Context
from bridge.flows.key_rotation import KeyKind, Secrets


@dataclass(frozen=True, slots=True)
class ClientKeys:
    """The names (`kid`, RFC 7517 4.5) of our keys; `next` only while a rotation is under way."""

    current: str
    next: str | None = None


def has_own_key(found: Connection) -> bool:
    """Whether a connection proves itself by a key of ours."""
    return found.kind == "oidc" and found.config["token_auth"] == PRIVATE_KEY


def find_keys(context: Context, workspace_slug: str, connection_id: str) -> ClientKeys:
    """Our keys of a connection. Raises NotFound, DomainError (it has none, or they can't be read)."""
    return _KEYS.find(context, workspace_slug, connection_id)


def begin_rotation(context: Context, actor: str, workspace_slug: str, connection_id: str, now: datetime) -> ClientKeys:
    """Make the next key and publish it beside the present one. Nothing else changes yet.

    Raises Conflict (under way already), NotFound, Forbidden (not an owner), DomainError (no such key).
    """
    made = new_private_key()  # outside the transaction: it takes a tenth of a second
    return _KEYS.begin(context, actor, workspace_slug, connection_id, made, now)


def finish_rotation(
    context: Context, actor: str, workspace_slug: str, connection_id: str, now: datetime, *, shown: str | None = None
) -> ClientKeys:
    """The next key is the present one from now on; the old one is forgotten. A provider that doesn't know it yet
    refuses us, and nobody can sign in.

    `shown` is the name of the next key that somebody was asked about. Raises Conflict (none under way), Stale (another
    one is), NotFound, Forbidden (not an owner), DomainError (no such key).
    """
    return _KEYS.finish(context, actor, workspace_slug, connection_id, now, shown)


def cancel_rotation(
    context: Context, actor: str, workspace_slug: str, connection_id: str, now: datetime, *, shown: str | None = None
) -> ClientKeys:
    """Forget the next key; the present one stays. Raises as `finish_rotation`."""
    return _KEYS.cancel(context, actor, workspace_slug, connection_id, now, shown)


def _check(found: Connection) -> None:
    if not has_own_key(found):
        raise DomainError(f"{found.name} proves itself by no key of ours, so there is none to replace.")


def _told(kept: Secrets) -> ClientKeys:
    coming = kept.get("next")
    return ClientKeys(kept["kid"], coming["kid"] if coming else None)


def _names(keys: ClientKeys) -> dict[str, str | None]:
    return {"current": keys.current, "next": keys.next}


_KEYS = KeyKind(
    _check,
    _told,
    _names,
    dict,
    missed="Another next key was made meanwhile. See that the provider has it first.",
)
