"""Provider: the OpenID provider of a connection, as its discovery document describes it (OpenID Connect Discovery
3, 4). Its keys are `parse_keys`."""

import ipaddress
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from oidc.algorithms import ACCEPTED
from oidc.errors import InvalidProvider, IssuerMismatch, TemplateIssuer, quoted
from oidc.json_text import Members, NotJson, TooMuch, parse_object
from oidc.keys import Keys, parse_keys

__all__ = ["Keys", "Provider", "check_issuer", "discovery_url", "parse_discovery", "parse_keys"]

LARGEST_DOCUMENT = 500_000  # bytes
_LONGEST_ADDRESS = 2_000
_PERSONAL_ACCOUNTS = "9188040d-6c67-4c5b-b112-36a304b66dad"  # the tenant of Entra ID where everybody can sign up


@dataclass(frozen=True, slots=True)
class Provider:
    """What the bridge needs of a provider. Addresses are https, or on loopback where the issuer is.

    `algorithms` are those of the allow-list that it announces for ID tokens. `token_auth_methods` and `scopes` are what
    it announces, () where it doesn't say. `names_itself`: it promises `iss` in its answers (RFC 9207 3).
    """

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    end_session_endpoint: str | None = None
    algorithms: tuple[str, ...] = ACCEPTED
    token_auth_methods: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    names_itself: bool = False

    def facts(self) -> dict[str, Any]:
        """The same as plain JSON, to be stored; `from_facts` reads it."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """The provider that `facts` wrote."""
        read: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in facts.items()
        }
        return cls(**read)


def discovery_url(issuer: str) -> str:
    """Where an issuer's discovery document stands (OpenID Connect Discovery 4.1). Raises `InvalidProvider`."""
    check_issuer(issuer)
    return issuer.removesuffix("/") + "/.well-known/openid-configuration"


def check_issuer(issuer: str) -> None:
    """An issuer is an https address without query or fragment; http only on loopback (Discovery 3). Raises
    `InvalidProvider`."""
    _check_address("issuer", issuer, allow_http=True)
    if "?" in issuer:
        raise InvalidProvider("An issuer has no query (? and what follows).")


def parse_discovery(body: bytes, issuer: str) -> Provider:
    """The provider that a discovery document describes. `issuer` is the configured one.

    Raises `InvalidProvider`, or its kinds `IssuerMismatch` and `TemplateIssuer`.
    """
    check_issuer(issuer)
    found = _parse(body)
    _check_issuer_is(found, issuer)
    plain = urlsplit(issuer).scheme == "http"
    addresses: dict[str, Any] = {name: _address(found, name, plain, demanded=True) for name in _DEMANDED}
    addresses |= {name: _address(found, name, plain, demanded=False) for name in _OPTIONAL}
    _check_flow(found)
    return Provider(
        issuer=issuer,
        **addresses,
        algorithms=_algorithms(found),
        token_auth_methods=_listed(found, "token_endpoint_auth_methods_supported"),
        scopes=_listed(found, "scopes_supported"),
        names_itself=found.get("authorization_response_iss_parameter_supported") is True,
    )


_DEMANDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_OPTIONAL = ("userinfo_endpoint", "end_session_endpoint")


def _parse(body: bytes) -> Members:
    try:
        return parse_object(body, most_bytes=LARGEST_DOCUMENT)
    except TooMuch:
        raise InvalidProvider("The provider's discovery document is larger than the bridge accepts.") from None
    except NotJson:
        raise InvalidProvider("What stands at the provider's discovery address isn't a JSON document.") from None


def _check_issuer_is(found: Members, issuer: str) -> None:
    """Exactly the configured one: no case, slash or port is put up with (Discovery 4.3)."""
    said = found.get("issuer")
    if _PERSONAL_ACCOUNTS in issuer:
        raise TemplateIssuer
    if isinstance(said, str) and ("{" in said or "%7B" in said.upper()):
        raise TemplateIssuer
    if said != issuer:
        raise IssuerMismatch(issuer, said)


def _address(found: Members, name: str, plain: bool, *, demanded: bool) -> str | None:
    address = found.get(name)
    if address is None and not demanded:
        return None
    if not isinstance(address, str):
        raise InvalidProvider(f"The provider's discovery document has no usable {name}.")
    _check_address(name, address, allow_http=plain)
    return address


def _check_address(name: str, address: str, *, allow_http: bool) -> None:
    """An absolute https address that a browser or client can be sent to; http on loopback where that is allowed."""
    if len(address) > _LONGEST_ADDRESS or not address.isascii() or not address.isprintable() or " " in address:
        raise InvalidProvider(f"The {name} {quoted(address)} isn't an address.")
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise InvalidProvider(f"The {name} {quoted(address)} isn't an address.") from None
    if not host or port == 0 or "@" in parts.netloc or "#" in address or "\\" in address:
        raise InvalidProvider(f"The {name} {quoted(address)} isn't an address that can be used.")
    if parts.scheme != "https" and not (allow_http and parts.scheme == "http" and _is_loopback(host)):
        raise InvalidProvider(f"The {name} {quoted(address)} doesn't begin with https://.")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_flow(found: Members) -> None:
    """What it lists, if it lists it, holds what the bridge uses: the code flow, in the query, with PKCE S256."""
    for name, needed in _NEEDED.items():
        listed = _listed(found, name)
        if listed and needed not in listed:
            raise InvalidProvider(f"The provider doesn't support {needed} ({name}), which the bridge needs.")


_NEEDED = {
    "response_types_supported": "code",
    "response_modes_supported": "query",
    "grant_types_supported": "authorization_code",
    "code_challenge_methods_supported": "S256",
}


def _algorithms(found: Members) -> tuple[str, ...]:
    listed = _listed(found, "id_token_signing_alg_values_supported")
    accepted = tuple(name for name in ACCEPTED if not listed or name in listed)
    if not accepted:
        raise InvalidProvider(
            "The provider signs ID tokens with no algorithm that the bridge accepts. Choose one with a public key "
            "there: RS256, PS256, ES256 or stronger, or EdDSA."
        )
    return accepted


def _listed(found: Members, name: str) -> tuple[str, ...]:
    """A member that is a list of texts, () if it is absent."""
    value = found.get(name, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise InvalidProvider(f"The provider's discovery document is faulty: {name} isn't a list of texts.")
    return tuple(value)
