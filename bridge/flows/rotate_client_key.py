"""Our key of an OpenID Connect connection that proves itself by private_key_jwt: replaced in two steps.

`begin_rotation` makes the next key, and publishes both at `/oidc/<connection>/jwks`; tokens are asked for with the
present one. The provider reads our keys there, or is given the next one. `finish_rotation` makes it the present one,
and the old key is forgotten, also in the rows of the past. `cancel_rotation` forgets the next one instead.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bridge.domain.errors import Conflict, DomainError, Stale
from bridge.domain.workspace import Connection
from bridge.flows.connect_oidc import PRIVATE_KEY, new_private_key
from bridge.flows.connection_secrets import read_secrets, seal
from bridge.flows.context import Context
from bridge.flows.named import get_connection, get_own_connection, get_workspace
from bridge.storage import connections

_Secrets = dict[str, Any]


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
    with context.database.reading() as rows:
        found = get_connection(rows, get_workspace(rows, workspace_slug), connection_id)
        _check(found)
        return _told(read_secrets(context, rows, found))


def begin_rotation(context: Context, actor: str, workspace_slug: str, connection_id: str, now: datetime) -> ClientKeys:
    """Make the next key and publish it beside the present one. Nothing else changes yet.

    Raises Conflict (under way already), NotFound, Forbidden (not an owner), DomainError (no such key).
    """
    made = new_private_key()  # outside the transaction: it takes a tenth of a second

    def begin(kept: _Secrets) -> _Secrets:
        if kept.get("next"):
            raise Conflict("A next key is there already. Finish that rotation, or cancel it.")
        return {**kept, "next": made}

    return _change(context, actor, workspace_slug, connection_id, "connection.key_rotation_begun", begin, now)


def finish_rotation(
    context: Context, actor: str, workspace_slug: str, connection_id: str, now: datetime, *, shown: str | None = None
) -> ClientKeys:
    """The next key is the present one from now on; the old one is forgotten. A provider that doesn't know it yet
    refuses us, and nobody can sign in.

    `shown` is the name of the next key that somebody was asked about. Raises Conflict (none under way), Stale (another
    one is), NotFound, Forbidden (not an owner), DomainError (no such key).
    """

    def finish(kept: _Secrets) -> _Secrets:
        return dict(_next(kept, shown))

    return _change(context, actor, workspace_slug, connection_id, "connection.key_rotated", finish, now)


def cancel_rotation(
    context: Context, actor: str, workspace_slug: str, connection_id: str, now: datetime, *, shown: str | None = None
) -> ClientKeys:
    """Forget the next key; the present one stays. Raises as `finish_rotation`."""

    def cancel(kept: _Secrets) -> _Secrets:
        _next(kept, shown)
        return {name: value for name, value in kept.items() if name != "next"}

    return _change(context, actor, workspace_slug, connection_id, "connection.key_rotation_cancelled", cancel, now)


def _next(kept: Mapping[str, Any], shown: str | None) -> Mapping[str, str]:
    coming: Mapping[str, str] | None = kept.get("next")
    if not coming:
        raise Conflict("There is no next key. Begin a rotation first.")
    if shown is not None and coming["kid"] != shown:
        raise Stale("Another next key was made meanwhile. See that the provider has it first.")
    return coming


def _check(found: Connection) -> None:
    if not has_own_key(found):
        raise DomainError(f"{found.name} proves itself by no key of ours, so there is none to replace.")


def _change(
    context: Context,
    actor: str,
    workspace_slug: str,
    connection_id: str,
    event: str,
    rotate: Callable[[_Secrets], _Secrets],
    now: datetime,
) -> ClientKeys:
    with context.changing(actor, now) as change:
        workspace, found = get_own_connection(change, workspace_slug, connection_id)
        _check(found)
        kept = read_secrets(context, change.connection, found)
        rotated = rotate(kept)
        connections.set_secrets(change, found.key, seal(context, rotated))
        before, after = _told(kept), _told(rotated)
        change.record(workspace.key, event, found.id, before=_names(before), after=_names(after))
        return after


def _told(kept: Mapping[str, Any]) -> ClientKeys:
    coming = kept.get("next")
    return ClientKeys(kept["kid"], coming["kid"] if coming else None)


def _names(keys: ClientKeys) -> dict[str, str | None]:
    return {"current": keys.current, "next": keys.next}
