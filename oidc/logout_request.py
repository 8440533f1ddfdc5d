"""Asking the provider to end its session, too (OpenID Connect RP-Initiated Logout 1.0)."""

from oidc.authorization_request import with_query
from oidc.client import Client
from oidc.provider import Provider

_LONGEST_HINT = 4_000  # characters; servers refuse addresses over 8,000


def build(
    provider: Provider,
    client: Client,
    id_token_hint: str | None,
    state: str | None,
    *,
    return_to: str | None = None,
) -> str | None:
    """The address to send the browser to, None if the provider has none for it.

    `id_token_hint` is the ID token's text; one with many groups is too long for an address and left out, then the
    provider may ask the person. `return_to` is the registered post_logout_redirect_uri, to which `state` comes back.
    """
    if provider.end_session_endpoint is None:
        return None
    asked = {
        "client_id": client.client_id,
        "id_token_hint": id_token_hint if id_token_hint and len(id_token_hint) <= _LONGEST_HINT else None,
        "post_logout_redirect_uri": return_to,
        "state": state if return_to else None,
    }
    return with_query(provider.end_session_endpoint, asked)
