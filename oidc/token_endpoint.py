"""A token request as the one who answers it reads it (RFC 6749 3.2, 4.4): who asks, and for which scope.

Only what a token endpoint of client credentials needs. Nothing is looked up here: whether the secret is right, the
caller decides.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import unquote_plus

FORM = "application/x-www-form-urlencoded"
GRANT_TYPE = "client_credentials"

Refusal = Literal[
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
]
# RFC 6749 3.3.
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*", re.ASCII)


class TokenRefused(Exception):
    """A refusal of a token endpoint: `error` is RFC 6749 5.2's word, `text` its description (printable ASCII)."""

    def __init__(self, error: Refusal, text: str) -> None:
        super().__init__(text)
        self.error = error
        self.text = text

    @property
    def status(self) -> int:
        """401 where the client isn't known by what it sent, 400 for all else (RFC 6749 5.2)."""
        return 401 if self.error == "invalid_client" else 400


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """By what a client says who it is."""

    client_id: str
    secret: str = field(repr=False)


def parse_token_request(
    authorization: str | None, media_type: str, address: Iterable[str], form: Iterable[tuple[str, str]], scope: str
) -> ClientSecret:
    """Who asks for a token for `scope`, the only one there is. Raises TokenRefused.

    `authorization` is the header's value, `address` the names of parameters in the request's URI, `form` the pairs of
    its body. A parameter without a value counts as left out, an unknown one is ignored, none may stand twice (RFC 6749
    3.2); a secret never comes in the URI (2.3.1).
    """
    if media_type != FORM:
        raise TokenRefused("invalid_request", f"Send the parameters in the body, as {FORM}.")
    if {"client_secret", "client_id", "grant_type"} & set(address):
        raise TokenRefused("invalid_request", "Parameters belong into the body, never into the address.")
    asked = _once(form)
    client = _client(authorization, asked)
    grant_type = asked.get("grant_type")
    if grant_type is None:
        raise TokenRefused("invalid_request", "grant_type is missing.")
    if grant_type != GRANT_TYPE:
        raise TokenRefused("unsupported_grant_type", f"The grant_type here is {GRANT_TYPE}.")
    wanted = asked.get("scope", scope)
    if not _SCOPE.fullmatch(wanted) or set(wanted.split()) != {scope}:
        raise TokenRefused("invalid_scope", f"The only scope here is {scope}; it may be left out.")
    return client


def _once(form: Iterable[tuple[str, str]]) -> dict[str, str]:
    asked: dict[str, str] = {}
    seen = set()
    for name, value in form:
        if name in seen:
            raise TokenRefused("invalid_request", "A parameter stands twice.")
        seen.add(name)
        if value:
            asked[name] = value
    return asked


def _client(authorization: str | None, asked: dict[str, str]) -> ClientSecret:
    """RFC 6749 2.3.1: by HTTP Basic or in the body, one of the two."""
    if "client_assertion" in asked:
        raise TokenRefused("invalid_client", "Clients are known here by client_id and client_secret.")
    if authorization is None:
        if "client_id" not in asked or "client_secret" not in asked:
            raise TokenRefused("invalid_client", "Send client_id and client_secret, by HTTP Basic or in the body.")
        return ClientSecret(asked["client_id"], asked["client_secret"])
    if "client_secret" in asked:
        raise TokenRefused("invalid_request", "The client says who it is in two ways: choose one.")
    client = _basic(authorization)
    if asked.get("client_id", client.client_id) != client.client_id:
        raise TokenRefused("invalid_request", "The body names another client than the Authorization header.")
    return client


def _basic(authorization: str) -> ClientSecret:
    """Both parts form-urlencoded, then as RFC 7617 has it."""
    scheme, _, said = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise TokenRefused("invalid_client", "The Authorization header has to be of the Basic scheme.")
    try:
        client_id, colon, secret = base64.b64decode(said.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise TokenRefused("invalid_client", "The Authorization header can't be read.") from None
    if not colon or not client_id or not secret:
        raise TokenRefused("invalid_client", "The Authorization header lacks the client's id or its secret.")
    return ClientSecret(unquote_plus(client_id), unquote_plus(secret))
