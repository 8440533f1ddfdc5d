"""Authlib and joserfc, held by the hand: the one module that imports them.

Taken from joserfc: keys and signatures, one key and one algorithm at a time, both chosen by us beforehand. Taken
from Authlib: the hash of an access token, the code challenge, and a second opinion on the claims of an ID token.

What the libraries aren't asked: which key a token may be verified with, which algorithm, what time it is, and
whether a token is what we wanted. Those are `keys`, `token` and the tables of checks. Everything that the libraries
raise becomes a refusal.
"""

from collections.abc import Mapping
from typing import Any, cast

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from authlib.oidc.core.util import create_half_hash
from cryptography.exceptions import UnsupportedAlgorithm
from joserfc import jws
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwk import ECKey, OKPKey, RSAKey

NativeKey = RSAKey | ECKey | OKPKey

_MAKERS: Mapping[str, type[NativeKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
_FAULTS = (JoseError, UnsupportedAlgorithm, ValueError, TypeError, KeyError, AttributeError, OverflowError)


def import_public(members: Mapping[str, str]) -> NativeKey | None:
    """The public key of a JWK's own members (kty, n, e, crv, x, y), or None if it is none."""
    try:
        return _MAKERS[members["kty"]].import_key(cast(Any, dict(members)))
    except _FAULTS:
        return None


def import_private(pem: str, kty: str) -> NativeKey | None:
    """The private key of a PEM, or None if it is none of that type."""
    try:
        key = _MAKERS[kty].import_key(pem)
        return key if key.is_private else None
    except _FAULTS:
        return None


def verify(token: str, key: NativeKey, algorithm: str) -> bytes | None:
    """The payload of a compact JWS whose signature is good under this key and algorithm, else None."""
    try:
        return jws.deserialize_compact(token, key, registry=_registry(algorithm, len(token))).payload
    except _FAULTS:
        return None


def sign(header: Mapping[str, Any], payload: bytes, key: NativeKey, algorithm: str) -> str:
    """A compact JWS of ours."""
    return jws.serialize_compact(
        {**header, "alg": algorithm}, payload, key, registry=_registry(algorithm, len(payload))
    )


def half_hash(access_token: str, algorithm: str) -> str:
    """The left half of a token's hash, base64url, by the algorithm of the ID token (OpenID Connect Core 3.1.3.6)."""
    found = create_half_hash(access_token, _as_authlib_calls(algorithm))
    return found.decode() if isinstance(found, bytes) else str(found)


def code_challenge(verifier: str) -> str:
    """The S256 challenge of a code verifier (RFC 7636 4.2)."""
    return str(create_s256_code_challenge(verifier))


def agrees(header: Mapping[str, Any], claims: Mapping[str, Any], *, now: int, leeway: int, **asked: Any) -> bool:
    """Whether Authlib, too, accepts an ID token's claims: `asked` is its client_id, nonce, access_token, max_age and
    issuer."""
    options = {"iss": {"essential": True, "value": asked.pop("issuer")}}
    try:
        named = {**header, "alg": _as_authlib_calls(str(header.get("alg")))}
        CodeIDToken(dict(claims), named, options, asked).validate(now=now, leeway=leeway)
    except _FAULTS:
        return False
    return True


def _as_authlib_calls(algorithm: str) -> str:
    return "EdDSA" if algorithm == "Ed25519" else algorithm


class _OneAlgorithm(jws.JWSRegistry):
    """A registry of one algorithm, which was chosen before. EdDSA, deprecated in name only (RFC 9864), doesn't warn."""

    def get_alg(self, name: str) -> Any:
        if not self.allowed or name not in self.allowed:
            raise UnsupportedAlgorithmError(name)
        return self.algorithms[name]


def _registry(algorithm: str, size: int) -> jws.JWSRegistry:
    """Sizes were bounded before."""
    registry = _OneAlgorithm(algorithms=[algorithm], strict_check_header=False)
    registry.max_header_length = registry.max_payload_length = registry.max_signature_length = max(size, 1024)
    return registry
