"""What the userinfo endpoint says about the person whom an ID token names (OpenID Connect Core 5.3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from oidc import token
from oidc.algorithms import ACCEPTED
from oidc.client import Client
from oidc.errors import BadUserinfo, TooLarge, WrongAudience, WrongIssuer, WrongUserinfoSubject
from oidc.id_token import IdToken
from oidc.json_text import Members, NotJson, TooMuch, parse_object
from oidc.keys import Keys
from oidc.provider import Provider
from oidc.token_answer import media_type

LARGEST_ANSWER = 300_000  # bytes
_TYPES = ("jwt", "userinfo+jwt")


@dataclass(frozen=True, slots=True)
class Userinfo:
    """Claims about the subject of the ID token that they were fetched for, and about nobody else."""

    subject: str
    claims: Mapping[str, Any] = field(repr=False)


def parse(
    content_type: str | None, body: bytes, id_token: IdToken, *, provider: Provider, keys: Keys, client: Client
) -> Userinfo:
    """The userinfo in a 200 answer: JSON, which TLS vouches for, or a JWT signed by the provider.

    Raises a `Refused`; `WrongUserinfoSubject` when it is about somebody else, `UnknownKey` as `id_token.validate` does.
    """
    kind = media_type(content_type)
    if kind == "application/json":
        claims = _plain(body)
    elif kind == "application/jwt":
        claims = _signed(body, provider, keys, client)
    else:
        raise BadUserinfo
    if claims.get("sub") != id_token.subject:
        raise WrongUserinfoSubject
    return Userinfo(id_token.subject, claims)


def _plain(body: bytes) -> Members:
    try:
        return parse_object(body, most_bytes=LARGEST_ANSWER)
    except TooMuch:
        raise TooLarge from None
    except NotJson:
        raise BadUserinfo from None


def _signed(body: bytes, provider: Provider, keys: Keys, client: Client) -> Members:
    """The claims of a signed answer. Its issuer and audience, where given, are the provider and we (Core 5.3.2)."""
    try:
        text = body.decode("ascii").strip()
    except UnicodeDecodeError:
        raise BadUserinfo from None
    claims = token.verify(text, ACCEPTED, _TYPES, keys, token.GATE).claims
    if claims.get("iss", provider.issuer) != provider.issuer:
        raise WrongIssuer(provider.issuer, claims["iss"])
    audience = claims.get("aud", client.client_id)
    if client.client_id not in (audience if isinstance(audience, list) else [audience]):
        raise WrongAudience(client.client_id, audience)
    return claims
