"""The signature algorithms that are accepted (RFC 7518 3.1, RFC 8037, RFC 9864): those with a public key, with
SHA-256 or stronger, and for each the type and curve of the key that it goes with. Never none, never HS256."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

#: Algorithm to (kty, crv) of its keys; crv "" for RSA.
KEY_OF: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        **{f"{family}{bits}": ("RSA", "") for family in ("RS", "PS") for bits in (256, 384, 512)},
        "ES256": ("EC", "P-256"),
        "ES384": ("EC", "P-384"),
        "ES512": ("EC", "P-521"),
        "EdDSA": ("OKP", "Ed25519"),
        "Ed25519": ("OKP", "Ed25519"),
    }
)
ACCEPTED: Final = tuple(KEY_OF)
