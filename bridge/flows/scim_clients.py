"""OAuth client credentials as the second way to push by SCIM (product.md 4.2; RFC 6749 4.4).

A client belongs to one connection, as a SCIM token does; it is listed, runs out and is revoked in the same way
(`tokens`). For its secret it is given access tokens that last an hour. Wrong secrets are counted by client and address
together, so that nobody who guesses from elsewhere keeps the IdP out.
"""

import hmac
import re
from datetime import datetime, timedelta

from bridge.domain.errors import Conflict, NotFound, TooManyTries
from bridge.domain.sign_in import Client
from bridge.domain.tokens import AccessToken, NewScimClient
from bridge.flows.bearer_secrets import digest, new_secret
from bridge.flows.context import Context
from bridge.flows.named import check_sso_in_plan, get_connection, get_workspace, owner_acting
from bridge.flows.tokens import ACCESS_PREFIX, CLIENT_PREFIX, clean_description, end_of_life, iso
from bridge.storage import scim_clients, tokens
from bridge.storage.counters import count_try, forget_tries, take_back
from bridge.storage.tokens import TokenDraft

#: How long an access token works; its client asks for the next by itself.
ACCESS_LASTS = timedelta(hours=1)
#: How long the former secret works on after a rotation, so that nobody has to be quick.
OVERLAP = timedelta(days=1)
WINDOW = timedelta(minutes=15)
TRIES_BY_CLIENT, TRIES_BY_ADDRESS = 10, 100
_OURS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def token_url(context: Context) -> str:
    """Where clients ask for access tokens."""
    return f"{context.public_url}/scim/oauth2/token"


def create_scim_client(
    context: Context,
    actor: str,
    workspace_slug: str,
    connection_id: str,
    expires_in_days: int | None,
    description: str,
    now: datetime,
) -> NewScimClient:
    """A new OAuth client of one connection. Raises NotFound, NotInPlan, Forbidden (not an owner), Invalid."""
    expires_at = end_of_life(expires_in_days, now)
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        maker = owner_acting(change, workspace)
        check_sso_in_plan(workspace)
        connection = get_connection(change.connection, workspace, connection_id)
        name = clean_description(description, f"{connection.name} provisioning")
        draft = TokenDraft("scim_client", workspace.key, name, expires_at, maker, connection_key=connection.key)
        secret = new_secret(CLIENT_PREFIX)
        uid = tokens.insert_token(change, draft, digest(secret))
        after = {"kind": "scim_client", "description": name, "connection": connection.id, "expires_at": iso(expires_at)}
        change.record(workspace.key, "token.created", uid, after=after)
    return NewScimClient(uid, secret, token_url(context), context.scim_url, expires_at)


def rotate_scim_client(
    context: Context, actor: str, workspace_slug: str, client_id: str, *, at_once: bool, now: datetime
) -> NewScimClient:
    """Another secret for a client. The former one, and what it was given, works on for a day; `at_once`: no longer.

    Raises NotFound, Conflict (it works no more), NotInPlan, Forbidden (not an owner).
    """
    until, secret = None if at_once else now + OVERLAP, new_secret(CLIENT_PREFIX)
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        check_sso_in_plan(workspace)
        name = scim_clients.rotate(change, workspace.key, client_id, digest(secret), until)
        if name is None:
            raise NotFound(f"{workspace.name} has no OAuth client {client_id[:80]!r}.")
        after = {"kind": "scim_client", "description": name, "former_until": iso(until)}
        change.record(workspace.key, "token.rotated", client_id, after=after)
        [found] = tokens.list_tokens(change.connection, workspace.key, now, tokens.with_id(client_id))
        if not found.works:
            raise Conflict("It has run out, or whoever made it has left: take it over, or make a new one in its place.")
    return NewScimClient(client_id, secret, token_url(context), context.scim_url, found.expires_at, until)


def exchange_secret(context: Context, client_id: str, secret: str, client: Client, now: datetime) -> AccessToken | None:
    """An access token for a client's secret; None where the two don't belong together, or don't work any more.

    A switched-off connection or a plan without SCIM is no reason: the call that comes next is told so, and logged.
    Raises TooManyTries.
    """
    _count_tries(context, client_id, client, now)
    if not _OURS.fullmatch(client_id):
        return None
    token = new_secret(ACCESS_PREFIX)
    with context.database.writing() as connection:
        found = scim_clients.hold_client(connection, client_id, now)
        if found is None or not _is_of(found, secret):
            return None
        forget_tries(connection, _by_client(client_id, client))
        take_back(connection, _by_address(client))
        scim_clients.insert_access_token(connection, found.key, digest(token), now, now + ACCESS_LASTS)
    return AccessToken(token, int(ACCESS_LASTS.total_seconds()))


def _is_of(found: scim_clients.FoundClient, secret: str) -> bool:
    said = digest(secret)
    return any(hmac.compare_digest(kept, said) for kept in (found.hash, found.former_hash) if kept is not None)


def _by_client(client_id: str, client: Client) -> str:
    return f"scim_client:client:{digest(f'{client_id} {client.network}').hex()}"


def _by_address(client: Client) -> str:
    return f"scim_client:address:{digest(client.network).hex()}"


def _count_tries(context: Context, client_id: str, client: Client, now: datetime) -> None:
    """Count the try before it is made: many at once count as many. Raises TooManyTries.

    By address first, so that who makes up ids leaves no more rows than tries.
    """
    limits = ((_by_address(client), TRIES_BY_ADDRESS), (_by_client(client_id, client), TRIES_BY_CLIENT))
    for key, most in limits:
        with context.database.writing() as connection:
            tries, until = count_try(connection, key, now, WINDOW)
        if tries > most:
            seconds = int((until - now).total_seconds()) + 1
            raise TooManyTries(f"Too many wrong secrets. Ask again in {seconds} seconds.", seconds)
