"""Signing out by OpenID Connect: the provider says that somebody left (Back-Channel Logout 1.0), or we ask it to let
them go (RP-Initiated Logout 1.0).
"""

from datetime import datetime

from bridge.domain.errors import DomainError
from bridge.domain.identity import Replay, Whose
from bridge.domain.web_calls import Ask
from bridge.flows.bearer_secrets import digest
from bridge.flows.connect_oidc import OidcConnection, load_oidc
from bridge.flows.context import Context
from bridge.flows.oidc_login import Party, open_hint
from bridge.flows.provider_keys import prove_by_keys
from bridge.flows.single_logout import Ended, end_by_idp
from bridge.storage import sessions
from bridge.storage.secret_box import CannotDecrypt
from oidc import logout_request, logout_token
from oidc.errors import OidcError
from oidc.logout_token import LogoutToken

_LONGEST_ID = 1_000


def end_by_token(context: Context, ours: OidcConnection, token: str, ask: Ask, now: datetime) -> int:
    """End what a logout token names. Returns of how many people.

    Raises `oidc.errors.Refused`, InvalidKeys, OutsideFailed, Replayed.
    """
    named = prove_logout(context, ours, token, ask, now)
    sessions_named = (named.session_id,) if named.session_id else ()
    whose = Whose(named.subject, session_indexes=sessions_named)
    ended = Ended(ours.connection.id, Replay(named.id, named.until), whose)
    return end_by_idp(context, ended, now)


def prove_logout(context: Context, ours: Party, token: str, ask: Ask, now: datetime) -> LogoutToken:
    """What a logout token says, whoever brought it. Raises `oidc.errors.Refused`, InvalidKeys, OutsideFailed."""
    return prove_by_keys(
        context,
        ours,
        ask,
        now,
        lambda keys: logout_token.validate(token, ours.provider, keys, ours.client, now=now),
        stranger=True,
    )


def find_provider_logout(context: Context, cookie: str, now: datetime) -> str | None:
    """Where to send a browser that signs out here, so that its provider's session ends, too: the one of its last such
    login. None where there was none, or the provider offers no such thing. Ask before the session ends.
    """
    with context.database.reading() as rows:
        stored = sessions.find_session(rows, digest(cookie), now)
        hints = sessions.find_logout_hints(rows, stored.key, "oidc") if stored else []
    for connection_id, sealed in hints:
        url = _logout_url(context, connection_id, sealed)
        if url is not None:
            return url
    return None


def _logout_url(context: Context, connection_id: str, sealed: bytes | None) -> str | None:
    try:
        ours = load_oidc(context, connection_id)
        hint = open_hint(context, sealed) if sealed else None
    except (DomainError, CannotDecrypt, OidcError):  # whatever is wrong with it, our own session ends
        return None
    return logout_request.build(ours.provider, ours.client, hint, None, return_to=ours.logout_return)
