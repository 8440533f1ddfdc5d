"""An owner takes over a token that somebody else made, so that what uses it need not end with them (product.md 2.9).

The secret is another from then on: whoever left may still have the former one. What the token may do, its name and its
end stay.
"""

from datetime import datetime

from bridge.domain.errors import Conflict, NotFound
from bridge.domain.tokens import NewScimClient, NewToken, TokenFacts
from bridge.flows.bearer_secrets import digest, new_secret
from bridge.flows.context import Context
from bridge.flows.named import get_workspace, owner_acting
from bridge.flows.scim_clients import token_url
from bridge.flows.tokens import API_PREFIX, CLIENT_PREFIX, SCIM_PREFIX
from bridge.storage import scim_clients, tokens

_PREFIXES = {"scim": SCIM_PREFIX, "scim_client": CLIENT_PREFIX, "api": API_PREFIX}


def take_over_token(
    context: Context, actor: str, workspace_slug: str, token_id: str, now: datetime
) -> NewToken | NewScimClient:
    """The token is the acting owner's, with a new secret; the former one is refused from now on.

    Raises NotFound, Conflict (theirs already, the operator's, or run out), Forbidden (not an owner).
    """
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        maker = owner_acting(change, workspace)
        found = next(iter(tokens.list_tokens(change.connection, workspace.key, now, tokens.with_id(token_id))), None)
        if found is None:
            raise NotFound(f"{workspace.name} has no token {token_id[:80]!r}.")
        why_not = why_not_taken(found, actor, now)
        if why_not:
            raise Conflict(why_not)
        secret = new_secret(_PREFIXES[found.kind])
        tokens.take_over(change, workspace.key, token_id, digest(secret), maker)
        if found.kind == "scim_client":
            scim_clients.end_access_tokens(change, workspace.key, token_id)
        before = {"kind": found.kind, "description": found.description, "made_by": found.made_by}
        change.record(workspace.key, "token.taken_over", token_id, before=before, after={"made_by": actor})
    return _shown_once(context, found, secret)


def why_not_taken(token: TokenFacts, actor: str, now: datetime) -> str | None:
    """Why there is nothing to take over; None where there is."""
    if token.made_by_membership is None:
        return "Whoever runs this bridge made it. It belongs to no person, and ends with nobody."
    if token.made_by == actor and token.works:
        return "It is yours already. Make a second one, and put it in the place of this one."
    if token.expires_at is not None and token.expires_at <= now:
        return "It has run out. Make a new one in its place."
    return None


def _shown_once(context: Context, found: TokenFacts, secret: str) -> NewToken | NewScimClient:
    if found.kind == "scim_client":
        return NewScimClient(found.id, secret, token_url(context), context.scim_url, found.expires_at)
    base_url = context.scim_url if found.kind == "scim" else f"{context.public_url}/api"
    return NewToken(secret, found.id, base_url, found.expires_at)
