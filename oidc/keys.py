"""Keys: what a provider publishes at its jwks_uri (RFC 7517), and which of them may have signed a token.

Unknown and malformed keys are ignored, not fatal: providers publish keys for other ends beside those for signing. So
are keys that are too weak, secret (kty oct), or published with their private half.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from oidc.algorithms import KEY_OF
from oidc.errors import InvalidKeys, UnfitKey, UnknownKey
from oidc.json_text import NotJson, TooMuch, parse_object
from oidc.toolkit import NativeKey, import_public

LARGEST_SET = 500_000  # bytes
MOST_KEYS = 100
MOST_TRIED = 10  # of keys with one kid, or none
_RSA_BITS = range(2048, 8192 + 1)  # RFC 7518 3.3; the upper end bounds the time that one signature takes
_LONGEST_EXPONENT = 8  # bytes
_PUBLIC = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Key:
    """One public key, with what its publisher says it is for: each "" or empty where that is open."""

    kid: str
    kty: str
    curve: str
    use: str
    algorithm: str
    operations: tuple[str, ...]
    native: NativeKey = field(repr=False)

    def fits(self, algorithm: str) -> bool:
        """Whether it may verify signatures by `algorithm` (RFC 7517 4.2–4.4)."""
        return (
            KEY_OF.get(algorithm) == (self.kty, self.curve)
            and self.use in ("", "sig")
            and self.algorithm in ("", algorithm)
            and (not self.operations or "verify" in self.operations)
        )


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one provider, in its order."""

    keys: tuple[Key, ...] = ()

    def candidates(self, kid: str | None, algorithm: str) -> tuple[Key, ...]:
        """The keys to try for a token with this header: at most 10, at least one.

        Raises `UnknownKey` if none has that kid, or, without a kid, none goes with the algorithm; `UnfitKey` if those
        with the kid don't.
        """
        named = [key for key in self.keys if kid is None or key.kid == kid]
        fitting = tuple(key for key in named if key.fits(algorithm))
        if not fitting:
            raise UnfitKey if named and kid is not None else UnknownKey
        return fitting[:MOST_TRIED]


def parse_keys(body: bytes) -> Keys:
    """The usable keys of a JWK Set (RFC 7517 5), perhaps none. Raises `InvalidKeys`."""
    try:
        found = parse_object(body, most_bytes=LARGEST_SET).get("keys")
    except (NotJson, TooMuch):
        raise InvalidKeys from None
    if not isinstance(found, list):
        raise InvalidKeys
    return Keys(tuple(_usable(found[:MOST_KEYS])))


def decode_base64url(text: str) -> bytes:
    """The octets of base64url without padding, in its one canonical spelling (RFC 7515 2, RFC 4648 3.5). Raises
    ValueError."""
    if not _BASE64URL.fullmatch(text):
        raise ValueError("a letter that isn't of base64url")
    try:
        octets = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ValueError("not base64url") from error
    if base64.urlsafe_b64encode(octets).rstrip(b"=").decode() != text:
        raise ValueError("base64url with bits to spare")
    return octets


def _usable(found: Iterable[object]) -> Iterable[Key]:
    for members in found:
        key = _key(members) if isinstance(members, dict) else None
        if key is not None:
            yield key


def _key(members: Mapping[str, Any]) -> Key | None:
    kty = _text(members, "kty")
    needed = _PUBLIC.get(kty or "")
    if kty is None or needed is None or members.keys() & _PRIVATE:
        return None
    public = {name: members.get(name) for name in needed}
    said = {name: _text(members, name) for name in ("kid", "use", "alg")}
    operations = members.get("key_ops", [])
    if any(not isinstance(value, str) for value in (*public.values(), *said.values())) or not _are_texts(operations):
        return None
    curve = str(public.get("crv", ""))
    if (kty, curve) not in KEY_OF.values() or (kty == "RSA" and not _is_strong(public)):
        return None
    native = import_public({"kty": kty, **{name: str(value) for name, value in public.items()}})
    if native is None:
        return None
    return Key(str(said["kid"]), kty, curve, str(said["use"]), str(said["alg"]), tuple(operations), native)


def _text(members: Mapping[str, Any], name: str) -> str | None:
    """A member, "" if it is absent, None if it isn't text."""
    value = members.get(name, "")
    return value if isinstance(value, str) else None


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_strong(public: Mapping[str, object]) -> bool:
    """An RSA modulus of 2048 to 8192 bits, an exponent that bounds the work."""
    try:
        modulus, exponent = (decode_base64url(str(public[name]).rstrip("=")) for name in ("n", "e"))
    except ValueError:
        return False
    return int.from_bytes(modulus).bit_length() in _RSA_BITS and len(exponent.lstrip(b"\0")) <= _LONGEST_EXPONENT
