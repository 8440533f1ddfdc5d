"""A provider's token, from text to claims that a good signature covers: for ID tokens, logout tokens and signed
userinfo alike.

First `GATE`, what no provider sends and what readers differ about; then one key of the provider's own, never one that
the token brings or points to (`jwk`, `jku`, `x5u` and `x5c` are not read); then joserfc verifies, with that key and
that algorithm and no other; and what it verified is parsed, strictly.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from oidc import toolkit
from oidc.checks import Check, Stage, run
from oidc.errors import (
    BadSignature,
    EncryptedToken,
    ForbiddenAlgorithm,
    ForbiddenExtension,
    MalformedToken,
    TooLarge,
    UnknownKey,
    WrongType,
)
from oidc.json_text import Members, NotJson, TooMuch, parse_object
from oidc.keys import Keys, decode_base64url

LONGEST = 300_000  # characters; 600 groups with long names take 60,000
LARGEST_HEADER = 8_000  # bytes
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*", re.ASCII)
_ENCRYPTED = re.compile(r"[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*){4}", re.ASCII)
_LONGEST_KID = 1_000


@dataclass(frozen=True, slots=True)
class Envelope:
    """A token's header, which isn't verified yet, and what is expected of it: algorithms, and `typ` in small letters,
    which may always be absent."""

    header: Members
    algorithms: tuple[str, ...]
    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verified:
    """The header and claims of a token with a good signature."""

    header: Members
    claims: Members
    algorithm: str


def not_too_long(text: str) -> None:
    """A size cap before anything is decoded."""
    if len(text) > LONGEST:
        raise TooLarge


def is_compact(text: str) -> None:
    """Three parts of base64url: neither encrypted (five parts) nor the JSON form, nothing before or after."""
    if _ENCRYPTED.fullmatch(text):
        raise EncryptedToken
    if not _COMPACT.fullmatch(text):
        raise MalformedToken


def is_canonical(text: str) -> None:
    """Each part is base64url in its one spelling, so that no two texts are one token."""
    try:
        for part in text.split("."):
            decode_base64url(part)
    except ValueError:
        raise MalformedToken("The provider's token isn't base64url in its canonical form.") from None


def algorithm_is_accepted(envelope: Envelope) -> None:
    """`alg` is on the allow-list and among those that the provider announces. Before any key is looked for."""
    if envelope.header.get("alg") not in envelope.algorithms:
        raise ForbiddenAlgorithm


def nothing_is_critical(envelope: Envelope) -> None:
    """No `crit`, and no `b64`: the bridge knows no extension, and what it doesn't know it must refuse."""
    if {"crit", "b64", "zip", "enc"} & envelope.header.keys():
        raise ForbiddenExtension


def type_is_expected(envelope: Envelope) -> None:
    """`typ`, where given, is that of the token that is expected; `cty` is absent, since a nested JWT is never one."""
    typ = envelope.header.get("typ", envelope.types[0])
    if not isinstance(typ, str) or typ.lower().removeprefix("application/") not in envelope.types:
        raise WrongType
    if "cty" in envelope.header:
        raise WrongType


def key_is_named_by_text(envelope: Envelope) -> None:
    """`kid`, where given, is a text that can be compared."""
    kid = envelope.header.get("kid", "-")
    if not isinstance(kid, str) or not 0 < len(kid) <= _LONGEST_KID:
        raise MalformedToken("The provider's token names its key (kid) by something that isn't a text.")


GATE: tuple[Check, ...] = (
    Check("not-too-long", Stage.TEXT, "RFC 8725 2.2", not_too_long),
    Check("is-compact", Stage.TEXT, "RFC 7515 7.1, Core 2", is_compact),
    Check("is-canonical", Stage.TEXT, "RFC 7515 2, RFC 4648 3.5", is_canonical),
    Check("algorithm-is-accepted", Stage.HEADER, "RFC 8725 3.1, 3.2, Core 3.1.3.7", algorithm_is_accepted),
    Check("nothing-is-critical", Stage.HEADER, "RFC 7515 4.1.11, RFC 7797 6", nothing_is_critical),
    Check("type-is-expected", Stage.HEADER, "RFC 8725 3.11", type_is_expected),
    Check("key-is-named-by-text", Stage.HEADER, "RFC 7515 4.1.4", key_is_named_by_text),
)


def verify(
    text: str, algorithms: tuple[str, ...], types: tuple[str, ...], keys: Keys, checks: tuple[Check, ...]
) -> Verified:
    """The token's claims, which a key of `keys` signed. Raises a `Refused`; `UnknownKey` where other keys may help."""
    run(checks, Stage.TEXT, text)
    header = _header(text)
    run(checks, Stage.HEADER, Envelope(header, algorithms, types))
    algorithm = _text(header, "alg") or ""
    return Verified(header, _claims(_payload(text, _text(header, "kid"), algorithm, keys)), algorithm)


def _payload(text: str, kid: str | None, algorithm: str, keys: Keys) -> bytes:
    """What is signed. Without a `kid` every key that fits may have signed, and so may one not published before."""
    for key in keys.candidates(kid, algorithm):
        payload = toolkit.verify(text, key.native, algorithm)
        if payload is not None:
            return payload
    raise BadSignature if kid is not None else UnknownKey


def _header(text: str) -> Members:
    try:
        return parse_object(decode_base64url(text.partition(".")[0]), most_bytes=LARGEST_HEADER)
    except TooMuch:
        raise TooLarge from None
    except ValueError:
        raise MalformedToken from None


def _claims(payload: bytes) -> Members:
    try:
        return parse_object(payload, most_bytes=LONGEST)
    except TooMuch:
        raise TooLarge from None
    except NotJson:
        raise MalformedToken("The provider's token doesn't hold a well-formed JSON object.") from None


def _text(header: Mapping[str, Any], name: str) -> str | None:
    value = header.get(name)
    return value if isinstance(value, str) else None
