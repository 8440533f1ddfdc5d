"""Twilio Unified Login as the bridge's provider, from the operator's settings and what Twilio publishes of itself.

It is no connection: it belongs to no workspace, and vouches for the account, as a password does. What is asked of it
and proved is what any OpenID provider is asked (`oidc`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from bridge.domain.errors import DomainError, NotFound, OutsideFailed
from bridge.domain.web_calls import Ask, WebCall
from bridge.flows.context import Context, TwilioClient
from bridge.storage import own_account
from bridge.storage.provider_keys import KeptKeys, find_document, keep_document
from oidc import logout_request
from oidc.claims import ClaimMapping
from oidc.client import TOKEN_AUTH, Client
from oidc.errors import OidcError
from oidc.provider import Provider, discovery_url, parse_discovery

#: What Twilio says of itself is read anew after this.
KEPT_FOR: Final = timedelta(hours=1)
_CLAIMS: Final = ClaimMapping(groups=(), says_verified=True, groups_in_userinfo=False)
_LINKS: Final = ("twilio_account", "twilio_products", "prompt_values_supported")
_MOST_PRODUCTS, _LONGEST_NAME, _LONGEST_URL = 12, 60, 2_000


@dataclass(frozen=True, slots=True)
class TwilioLinks:
    """Where the bridge's pages lead at Twilio: each None or empty where it doesn't say. `signs_up`: a login may ask to
    begin with the sign-up (Initiating User Registration 1.0).
    """

    console: str | None = None
    profile: str | None = None
    security: str | None = None
    products: tuple[tuple[str, str], ...] = ()
    signs_up: bool = False


@dataclass(frozen=True, slots=True)
class Twilio:
    """Both sides of a login at Twilio. `keys_of`: its keys belong to no connection."""

    provider: Provider
    client: Client
    links: TwilioLinks
    name: str = "Twilio"
    claims: ClaimMapping = _CLAIMS
    keys_of: int | None = None


def keeps_secrets_of(context: Context, rows: Any, user_key: int) -> bool:
    """Whether password and factors of this account are Twilio's alone: it is linked. What it had here opens nothing
    until it is unlinked, or while the operator has no Twilio: it can't be changed here, so nobody could mend a leak.
    """
    return context.twilio is not None and own_account.find_twilio(rows, user_key) is not None


def twilio_addresses(context: Context) -> Mapping[str, str]:
    """Our URLs, as Twilio registers them."""
    base = f"{context.public_url}/twilio"
    return {
        "redirect_uris": f"{base}/callback",
        "initiate_login_uri": f"{base}/login",
        "target_link_uri": f"{context.public_url}/",
        "post_logout_redirect_uris": f"{context.public_url}/login",
        "backchannel_logout_uri": f"{base}/backchannel-logout",
        "event_endpoint": f"{base}/events",
    }


def load_twilio(context: Context, ask: Ask, now: datetime) -> Twilio:
    """Twilio as it describes itself, asked now where the last word is more than an hour old.

    Raises NotFound where the operator hasn't set it up; OutsideFailed where it doesn't answer, or talks nonsense, and
    nothing is kept from before.
    """
    known = context.twilio
    if known is None:
        raise NotFound("This bridge has no login with Twilio.")
    kept = _kept(context, known)
    if kept is None or now - kept.read_at >= KEPT_FOR:
        kept = _read(context, known, ask, now, kept)
    return _made(context, known, kept.body)


def find_links(context: Context) -> TwilioLinks | None:
    """Where pages lead at Twilio, as it last said; None where nobody has asked it yet."""
    kept = _kept(context, context.twilio) if context.twilio else None
    return parse_links(kept.body) if kept else None


def find_twilio_logout(context: Context) -> str | None:
    """Where a browser that signed out here can be sent to sign out of Twilio, too (RP-Initiated Logout 1.0): it asks
    the person, since it is shown no ID token. None where it has no such place, or nobody has asked it yet.
    """
    known = context.twilio
    kept = _kept(context, known) if known else None
    if known is None or kept is None:
        return None
    ours = _made(context, known, kept.body)
    back = twilio_addresses(context)["post_logout_redirect_uris"]
    return logout_request.build(ours.provider, ours.client, None, None, return_to=back)


def _kept(context: Context, known: TwilioClient) -> KeptKeys | None:
    with context.database.reading() as rows:
        kept = find_document(rows, "discovery")
    return kept if kept and kept.url == discovery_url(known.issuer) else None


def _read(context: Context, known: TwilioClient, ask: Ask, now: datetime, kept: KeptKeys | None) -> KeptKeys:
    try:
        found = KeptKeys(discovery_url(known.issuer), _ask(known, ask), now)
    except DomainError:
        if kept is None:
            raise
        return kept  # what it said an hour ago is better than nothing
    with context.database.writing() as connection:
        keep_document(connection, "discovery", found)
    return found


def _ask(known: TwilioClient, ask: Ask) -> bytes:
    reply = ask(WebCall(discovery_url(known.issuer), {"Accept": "application/json"}))
    if reply.status != 200:
        raise OutsideFailed(f"Twilio’s discovery address answers with status {reply.status}.")
    try:
        parse_discovery(reply.body, known.issuer)
    except OidcError as error:
        raise OutsideFailed(error.text) from error
    return reply.body


def _made(context: Context, known: TwilioClient, body: bytes) -> Twilio:
    provider = parse_discovery(body, known.issuer)
    announced = provider.token_auth_methods or TOKEN_AUTH
    client = Client(
        client_id=known.client_id,
        redirect_uri=twilio_addresses(context)["redirect_uris"],
        token_auth="client_secret_basic" if "client_secret_basic" in announced else "client_secret_post",
        client_secret=known.client_secret,
    )
    return Twilio(provider, client, parse_links(body))


# -- Where its pages are -----------------------------------------------------------------------------


def parse_links(body: bytes) -> TwilioLinks:
    """The addresses of pages in a discovery document; whatever isn't one is left out."""
    try:
        said = orjson.loads(body)
    except ValueError:
        return TwilioLinks()
    account, products, prompts = (said.get(name) for name in _LINKS)
    own: Mapping[str, Any] = account if isinstance(account, dict) else {}
    listed = products if isinstance(products, list) else []
    signs_up = isinstance(prompts, list) and "create" in prompts
    return TwilioLinks(
        console=_address(said.get("twilio_console")),
        profile=_address(own.get("profile")),
        security=_address(own.get("security")),
        products=tuple(found for one in listed[:_MOST_PRODUCTS] if (found := _product(one))),
        signs_up=signs_up,
    )


def _product(said: Any) -> tuple[str, str] | None:
    name = said.get("name") if isinstance(said, dict) else None
    url = _address(said.get("url")) if isinstance(said, dict) else None
    fits = isinstance(name, str) and 0 < len(name) <= _LONGEST_NAME and name.isprintable()
    return (str(name), url) if fits and url else None


def _address(said: Any) -> str | None:
    if not isinstance(said, str) or len(said) > _LONGEST_URL or not said.isascii() or not said.isprintable():
        return None
    try:
        parts = urlsplit(said)
    except ValueError:
        return None
    return said if parts.scheme in ("https", "http") and parts.hostname and " " not in said else None
