"""OAuth client credentials as the second way to push by SCIM (product.md 4.2; RFC 6749 4.4).

A client belongs to one connection, as a SCIM token does; it is listed, runs out and is revoked in the same way
(`tokens`). For its secret it is given access tokens that last an hour. Wrong secrets, and only those, are counted by
client and address together and by address.
"""

import hmac
import re
from datetime import datetime, timedelta

from bridge.domain.errors import Conflict, NotFound
from bridge.domain.sign_in import Client
from bridge.domain.tokens import AccessToken, NewScimClient
from bridge.flows.bearer_secrets import digest, new_secret
from bridge.flows.context import Context
from bridge.flows.named import check_sso_in_plan, get_workspace, owner_acting
from bridge.flows.tokens import ACCESS_PREFIX, CLIENT_PREFIX, create_scim_token, iso
from bridge.flows.tries import Limit, by_address, count_tries
from bridge.storage import scim_clients, tokens

#: How long an access token works; its client asks for the next by itself.
ACCESS_LASTS = timedelta(hours=1)
#: How long the former secret works on after a rotation, so that nobody has to be quick.
OVERLAP = timedelta(days=1)
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
    made = create_scim_token(
        context, actor, workspace_slug, connection_id, expires_in_days, description, now, kind="scim_client"
    )
    return NewScimClient(made.id, made.token, token_url(context), made.base_url, made.expires_at)


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

    A right secret is never one try too many: nobody guesses 256 bits, so what is counted slows down who sends wrong
    ones, and keeps out no IdP that shares an address with them. A switched-off connection or a plan without SCIM is no
    reason: the call that comes next is told so, and logged. Raises TooManyTries.
    """
    token = new_secret(ACCESS_PREFIX)
    if _OURS.fullmatch(client_id) and _give(context, client_id, secret, token, now):
        return AccessToken(token, int(ACCESS_LASTS.total_seconds()))
    # By address first, so that who makes up ids leaves no more rows than tries.
    by_client = f"scim_client:client:{digest(f'{client_id} {client.network}').hex()}"
    limits = (by_address("scim_client", client, TRIES_BY_ADDRESS), Limit(by_client, TRIES_BY_CLIENT))
    count_tries(context, limits, "Too many wrong secrets.", now)
    return None


def _give(context: Context, client_id: str, secret: str, token: str, now: datetime) -> bool:
    """Whether the secret is this client's, which then has the token."""
    with context.database.writing() as connection:
        found = scim_clients.hold_client(connection, client_id, now)
        if found is None or not _is_of(found, secret):
            return False
        scim_clients.insert_access_token(connection, found.key, digest(token), now, now + ACCESS_LASTS)
    return True


def _is_of(found: scim_clients.FoundClient, secret: str) -> bool:
    said = digest(secret)
    return any(hmac.compare_digest(kept, said) for kept in (found.hash, found.former_hash) if kept is not None)
