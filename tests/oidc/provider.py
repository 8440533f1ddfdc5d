"""KICKS, an OpenID provider for the tests: it signs whatever a test asks it to, right or wrong."""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import serialization
from joserfc import jwk, jws

from oidc.algorithms import ACCEPTED
from oidc.client import Client
from oidc.id_token import IdToken, validate
from oidc.provider import Keys, Provider, parse_discovery, parse_keys
from oidc.token_answer import TokenAnswer
from oidc.toolkit import half_hash

NOW = datetime(2026, 11, 21, 11, 0, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
ISSUER = "https://login.kicks.example"
CLIENT_ID = "bridge-client"
NONCE = "nonce-of-this-sign-in"
ACCESS_TOKEN = "an-access-token"
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"

CLIENT = Client(
    client_id=CLIENT_ID, redirect_uri="https://bridge.example/oidc/c1/callback", client_secret="s3cret", clock_skew=60
)

DISCOVERY: dict[str, Any] = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/keys",
    "userinfo_endpoint": f"{ISSUER}/userinfo",
    "end_session_endpoint": f"{ISSUER}/logout",
    "response_types_supported": ["code", "id_token"],
    "subject_types_supported": ["public"],
    "id_token_signing_alg_values_supported": [
        *(f"{family}{bits}" for family in ("RS", "PS", "ES", "HS") for bits in (256, 384, 512)),
        "EdDSA",
        "Ed25519",
        "none",
    ],
    "token_endpoint_auth_methods_supported": ["client_secret_basic", "private_key_jwt"],
    "code_challenge_methods_supported": ["S256"],
    "authorization_response_iss_parameter_supported": True,
}

AnyKey = jwk.RSAKey | jwk.ECKey | jwk.OKPKey


@cache
def key(name: str) -> AnyKey:
    """One of KICKS's keys, or MALLORY's, made once a run."""
    made: dict[str, Any] = {
        "rsa": lambda: jwk.RSAKey.generate_key(2048),
        "next": lambda: jwk.RSAKey.generate_key(2048),
        "mallory": lambda: jwk.RSAKey.generate_key(2048),
        "encryption": lambda: jwk.RSAKey.generate_key(2048),
        "p256": lambda: jwk.ECKey.generate_key("P-256"),
        "p384": lambda: jwk.ECKey.generate_key("P-384"),
        "p521": lambda: jwk.ECKey.generate_key("P-521"),
        "ed": lambda: jwk.OKPKey.generate_key("Ed25519"),
    }
    found: AnyKey = made[name]()
    return found


def public(name: str, **members: Any) -> dict[str, Any]:
    """A key as KICKS publishes it; a member that is None is left out."""
    whole = {**key(name).as_dict(private=False), "kid": name, **members}
    return {member: value for member, value in whole.items() if value is not None}


def published(*jwks: Mapping[str, Any]) -> Keys:
    """The keys of a JWK Set."""
    return parse_keys(json.dumps({"keys": list(jwks)}).encode())


@cache
def keys() -> Keys:
    """All that KICKS publishes."""
    return published(
        public("rsa", use="sig"),
        public("next"),
        public("encryption", use="enc"),
        public("p256", alg="ES256"),
        public("p384"),
        public("p521"),
        public("ed"),
    )


KICKS: Provider = parse_discovery(json.dumps(DISCOVERY).encode(), ISSUER)


def claims(**changes: Any) -> dict[str, Any]:
    """A good ID token's claims for Mei; a claim that is None is left out."""
    good: dict[str, Any] = {
        "iss": ISSUER,
        "sub": "mei-1",
        "aud": CLIENT_ID,
        "exp": SECONDS + 300,
        "iat": SECONDS - 5,
        "auth_time": SECONDS - 20,
        "nonce": NONCE,
        "sid": "session-1",
        "email": "mei@kicks.example",
        "email_verified": True,
        "name": "Mei Tanaka",
        "groups": ["Engineering", "Runners"],
    }
    whole = {**good, **changes}
    return {name: value for name, value in whole.items() if value is not None}


def logout_claims(**changes: Any) -> dict[str, Any]:
    """A good logout token's claims for Mei; a claim that is None is left out."""
    good: dict[str, Any] = {
        "iss": ISSUER,
        "sub": "mei-1",
        "aud": CLIENT_ID,
        "exp": SECONDS + 120,
        "iat": SECONDS - 5,
        "jti": "logout-1",
        "sid": "session-1",
        "events": {LOGOUT_EVENT: {}},
    }
    whole = {**good, **changes}
    return {name: value for name, value in whole.items() if value is not None}


def encode(octets: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def as_json(value: object) -> bytes:
    """JSON as providers write it; bytes are taken as they are."""
    return value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()


def sign(payload: object, *, by: str = "rsa", header: object = None, **changes: Any) -> str:
    """A compact JWS, signed for real over whatever header and payload are given; a header member that is None is left
    out."""
    usual = {"alg": "RS256", "kid": by, "typ": "JWT"}
    whole = {name: value for name, value in {**usual, **changes}.items() if value is not None}
    first, second = encode(as_json(whole if header is None else header)), encode(as_json(payload))
    return f"{first}.{second}.{encode(signature(f'{first}.{second}', by, changes.get('alg', 'RS256')))}"


def signature(text: str, by: str, algorithm: object) -> bytes:
    """The octets of a signature by one of the keys; by RS256 where the algorithm is none of them."""
    name = algorithm if algorithm in list(ACCEPTED) else "RS256"
    return jws.JWSRegistry.algorithms[name].sign(text.encode(), key(by))


def answer(token: str, access_token: str = ACCESS_TOKEN) -> TokenAnswer:
    """What the token endpoint gave."""
    return TokenAnswer(token, access_token)


def at_hash(access_token: str = ACCESS_TOKEN, algorithm: str = "RS256") -> str:
    """The hash of an access token."""
    return half_hash(access_token, algorithm)


def validated(token: str, **changes: Any) -> IdToken:
    """The ID token, validated as this sign-in's; `changes` are to the client, or `keys`, `nonce`, `max_age`."""
    asked: dict[str, Any] = {"keys": keys(), "nonce": NONCE, "max_age": None, "provider": KICKS, "now": NOW}
    asked |= {name: changes.pop(name) for name in tuple(changes) if name in asked}
    provider, found = asked.pop("provider"), asked.pop("keys")
    return validate(answer(token), provider, found, replace(CLIENT, **changes), **asked)


def pem(name: str) -> str:
    """A private key as PEM."""
    native = key(name).private_key
    assert native is not None
    return native.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
