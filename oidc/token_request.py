"""Changing a code for tokens, and saying who we are (RFC 6749 2.3.1, 4.1.3; RFC 7523; OpenID Connect Core 9)."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from urllib.parse import quote_plus, urlencode

from oidc.client import Client
from oidc.errors import InvalidRequest
from oidc.provider import Provider
from oidc.toolkit import import_private, sign

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_LIFETIME = 120  # seconds


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A POST of `body` to `url`. Both headers and body hold secrets."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def build(provider: Provider, client: Client, code: str, code_verifier: str, now: datetime, jti: str) -> TokenRequest:
    """The request for the tokens of `code` (RFC 6749 4.1.3, RFC 7636 4.5).

    `now` and the random `jti` are for private_key_jwt. Raises `InvalidRequest` if the client's key is none.
    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": client.redirect_uri,
        "code_verifier": code_verifier,
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    if client.token_auth == "client_secret_basic":  # noqa: S105
        headers["Authorization"] = _basic(client)
    elif client.token_auth == "client_secret_post":  # noqa: S105
        form |= {"client_id": client.client_id, "client_secret": client.client_secret or ""}
    else:
        form |= {
            "client_id": client.client_id,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": _assertion(provider, client, now, jti),
        }
    return TokenRequest(provider.token_endpoint, MappingProxyType(headers), urlencode(form).encode())


def _basic(client: Client) -> str:
    """Both parts form-urlencoded first (RFC 6749 2.3.1), which Authlib's own doesn't do."""
    parts = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret or '')}"
    return "Basic " + base64.b64encode(parts.encode()).decode()


def _assertion(provider: Provider, client: Client, now: datetime, jti: str) -> str:
    """A JWT by which we prove our key (RFC 7523 3). Its audience is the token endpoint: the spelling that Core
    9 recommends and Entra ID asks for."""
    key = import_private(client.private_key or "", "RSA")
    if key is None:
        raise InvalidRequest("The connection's private key isn't an RSA key. Make a new one.")
    issued = int(now.timestamp())
    claims = {
        "iss": client.client_id,
        "sub": client.client_id,
        "aud": provider.token_endpoint,
        "jti": jti,
        "iat": issued,
        "nbf": issued,
        "exp": issued + _ASSERTION_LIFETIME,
    }
    header = {"typ": "JWT"} | ({"kid": client.key_id} if client.key_id else {})
    return sign(header, json.dumps(claims).encode(), key, "RS256")
