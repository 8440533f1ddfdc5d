"""Bad ID tokens and logout tokens, each one small named mutation of a good one, with the refusal that it must meet.

`@attack(Class, "check")` registers a function that gives the token's text; `says` a provider that signs something
wrong for real. They try to bring in Mallory, or time, or another client, or to make two readers see two tokens. The
names in the comments `rp: …` are those of the OpenID Foundation's tests for relying parties.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from joserfc import jwe, jwk

from oidc import errors, id_token, logout_token
from oidc.checks import Check
from tests.oidc.provider import (
    CLIENT,
    CLIENT_ID,
    ISSUER,
    KICKS,
    LOGOUT_EVENT,
    NONCE,
    NOW,
    SECONDS,
    answer,
    as_json,
    at_hash,
    claims,
    encode,
    key,
    keys,
    logout_claims,
    pem,
    public,
    published,
    sign,
    signature,
)


@dataclass(frozen=True)
class Attack:
    """A bad token, how it must be refused, and what the sign-in it is brought to has asked for."""

    name: str
    make: Callable[[], str]
    refusal: type[errors.Refused]
    check: str = ""
    logout: bool = False
    asked: dict[str, Any] = field(default_factory=dict)


ATTACKS: list[Attack] = []


def attack(refusal: type[errors.Refused], check: str = "", **how: Any) -> Callable[[Callable[[], str]], None]:
    """Registers the decorated function, which gives a token's text."""

    def register(make: Callable[[], str]) -> None:
        ATTACKS.append(Attack(make.__name__, make, refusal, check, **how))

    return register


def says(refusal: type[errors.Refused], check: str, name: str, /, asked: Any = None, **changes: Any) -> None:
    """A provider that signs an ID token with something wrong in it."""
    ATTACKS.append(Attack(name, lambda: sign(claims(**changes)), refusal, check, asked=asked or {}))


def says_at_logout(refusal: type[errors.Refused], check: str, name: str, /, **changes: Any) -> None:
    """A provider that signs a logout token with something wrong in it."""
    ATTACKS.append(Attack(f"logout: {name}", lambda: sign(logout_claims(**changes)), refusal, check, logout=True))


def headed(refusal: type[errors.Refused], check: str, name: str, /, **changes: Any) -> None:
    """A good ID token, signed for real, under a wrong header; a logout token, too."""
    for logout, good in ((False, claims), (True, logout_claims)):
        ATTACKS.append(
            Attack(
                f"{'logout: ' if logout else ''}{name}",
                lambda good=good: sign(good(), **changes),  # type: ignore[misc]
                refusal,
                check,
                logout=logout,
            )
        )


def mallory(**changes: Any) -> dict[str, Any]:
    """The claims that an attacker would like."""
    return claims(sub="mallory", email="mallory@evil.example", **changes)


def forged(payload: object, header: object, signed: Callable[[bytes], bytes] = lambda _: b"") -> str:
    """A token whose signature the attacker makes."""
    text = f"{encode(as_json(header))}.{encode(as_json(payload))}"
    return f"{text}.{encode(signed(text.encode()))}"


def parts(**changes: Any) -> list[str]:
    """A good token's three parts."""
    return sign(claims(**changes)).split(".")


def hmac_with(secret: bytes, digest: str = "sha256") -> Callable[[bytes], bytes]:
    """Signs as HS256 does."""
    return lambda text: hmac.new(secret, text, getattr(hashlib, digest)).digest()


# -- the form: two readers, two tokens --------------------------------------------------------------------------------


@attack(errors.TooLarge, "not-too-long")
def a_huge_token() -> str:
    return sign(claims(padding="x" * 300_000))


@attack(errors.TooLarge, "not-too-long")
def a_huge_text_that_is_no_token() -> str:
    return "." * 1_000_000


for _name, _text in {
    "nothing": "",
    "a dot": ".",
    "two dots": "..",
    "no signature part": "e30.e30",
    "not ASCII": "é.é.é",
    "a NUL": "e30.e30.\x00",
    "a lone surrogate": "e30.e30.\ud800",
    "six parts": "a.b.c.d.e.f",
    "JSON": "{}",
}.items():
    ATTACKS.append(Attack(f"text: {_name}", lambda text=_text: text, errors.MalformedToken, "is-compact"))  # type: ignore[misc]

for _name, _change in {
    "padding": lambda p: f"{p[0]}.{p[1]}.{p[2]}==",
    "a line end": lambda p: f"{p[0]}.{p[1]}.{p[2]}\n",
    "a line end inside": lambda p: f"{p[0]}.{p[1][:40]}\n{p[1][40:]}.{p[2]}",
    "a space before": lambda p: f" {p[0]}.{p[1]}.{p[2]}",
    "bytes after it": lambda p: f"{p[0]}.{p[1]}.{p[2]}.",
    "the letters of base64": lambda p: f"{p[0]}.{p[1]}.{p[2]}".replace("-", "+").replace("_", "/") + "/",
    "another token after it": lambda p: ".".join(p) + " " + ".".join(p),
    "a header parameter as of HTTP": lambda p: "Bearer " + ".".join(p),
}.items():
    ATTACKS.append(
        Attack(f"form: {_name}", lambda change=_change: change(parts()), errors.MalformedToken, "is-compact")  # type: ignore[misc]
    )


@attack(errors.MalformedToken, "is-canonical")
def a_signature_with_bits_to_spare() -> str:
    text = sign(claims())
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) + 1]


@attack(errors.MalformedToken, "is-canonical")
def a_part_of_an_impossible_length() -> str:
    first, second, third = parts()
    return f"{first}.{second}.{third[:341]}"


@attack(errors.EncryptedToken, "is-compact")
def an_encrypted_token() -> str:
    bare = jwk.RSAKey.import_key(pem("encryption"))
    return jwe.encrypt_compact({"alg": "RSA-OAEP", "enc": "A256GCM"}, sign(claims()), bare)


@attack(errors.MalformedToken, "is-compact")
def the_json_form() -> str:
    first, second, third = parts()
    return json.dumps({"protected": first, "payload": second, "signature": third})


@attack(errors.MalformedToken, "is-compact")
def the_json_form_with_two_signatures() -> str:
    first, second, third = parts()
    return json.dumps({"payload": second, "signatures": [{"protected": first, "signature": third}] * 2})


@attack(errors.MalformedToken, "is-compact")
def a_detached_payload() -> str:
    first, _, third = parts()
    return f"{first}..{third}"


def _headers() -> None:
    """Headers that aren't one JSON object; each signed for real."""
    good = '"alg":"RS256","kid":"rsa"'
    for name, header in {
        "two algorithms": f'{{"alg":"none",{good}}}',
        "two algorithms, the first good": f'{{{good},"alg":"none"}}',
        "two key ids": f'{{"kid":"mallory",{good}}}',
        "duplicates by an escape": f'{{{good},"\\u0061lg":"none"}}',
        "a list": f"[{{{good}}}]",
        "a text": '"RS256"',
        "nothing": "null",
        "something after it": f"{{{good}}} x",
        "a byte order mark": "\ufeff{" + good + "}",
        "a comment": "{/**/" + good + "}",
        "single quotes": "{" + good.replace('"', "'") + "}",
        "NaN": f'{{{good},"x":NaN}}',
        "a NUL": f'{{{good},"x":"\\u0000"}}',
        "half a letter": f'{{{good},"x":"\\ud800"}}',
    }.items():
        ATTACKS.append(
            Attack(
                f"header: {name}",
                lambda header=header: sign(claims(), header=header.encode()),  # type: ignore[misc]
                errors.MalformedToken,
            )
        )


_headers()


@attack(errors.MalformedToken)
def a_header_in_utf_16() -> str:
    return sign(claims(), header='{"alg":"RS256","kid":"rsa"}'.encode("utf-16"))


@attack(errors.MalformedToken)
def a_header_in_latin_1() -> str:
    return sign(claims(), header='{"alg":"RS256","kid":"rsa","x":"é"}'.encode("latin-1"))


@attack(errors.TooLarge)
def a_deeply_nested_header() -> str:
    return sign(claims(), header=b'{"alg":"RS256","x":' + b"[" * 3_000 + b"]" * 3_000 + b"}")


@attack(errors.TooLarge)
def a_long_header() -> str:
    return sign(claims(), x="x" * 9_000)


def _payloads() -> None:
    """Payloads that aren't one JSON object read in one way; each signed for real."""
    good = as_json(claims()).decode()
    for name, payload in {
        "duplicate subject": good[:-1] + ',"sub":"mallory"}',
        "duplicate subject by an escape": good[:-1] + ',"\\u0073ub":"mallory"}',
        "a duplicate deep inside": good[:-1] + ',"x":{"y":[{"z":1,"z":2}]}}',
        "NaN": good[:-1] + ',"x":NaN}',
        "infinity": good[:-1] + ',"x":-Infinity}',
        "a number beyond all": good[:-1] + ',"x":1e999}',
        "a number of many digits": good[:-1] + ',"x":' + "9" * 10_000 + "}",
        "a number of thirty digits": good[:-1] + ',"x":' + "9" * 30 + "}",
        "a NUL": good.replace("mei-1", "mei-1\\u0000"),
        "a NUL in a name": good[:-1] + ',"\\u0000":1}',
        "half a letter": good.replace("mei-1", "\\ud83d"),
        "halves in the wrong order": good.replace("mei-1", "\\udc00\\ud83d"),
        "a raw control character": good.replace("mei-1", "mei\n-1"),
        "a list": f"[{good}]",
        "nothing": "null",
        "a text": '"mei"',
        "no JSON": "<xml/>",
        "empty": " ",
        "two objects": good + good,
        "something after it": good + "x",
        "a byte order mark": "\ufeff" + good,
        "a comma too many": good[:-1] + ",}",
    }.items():
        ATTACKS.append(
            Attack(
                f"payload: {name}",
                lambda payload=payload: sign(payload.encode()),  # type: ignore[misc]
                errors.MalformedToken,
            )
        )


_payloads()


@attack(errors.MalformedToken)
def a_payload_in_utf_16() -> str:
    return sign(as_json(claims()).decode().encode("utf-16"))


@attack(errors.MalformedToken)
def a_payload_with_octets_that_are_no_letters() -> str:
    return sign(as_json(claims()).replace(b"mei-1", b"mei-\xff"))


@attack(errors.MalformedToken)
def a_payload_with_overlong_octets() -> str:
    return sign(as_json(claims()).replace(b"mei-1", b"mei\xc0\xaf"))


@attack(errors.TooLarge)
def a_deeply_nested_payload() -> str:
    return sign(as_json(claims())[:-1] + b',"x":' + b"[" * 20 + b"]" * 20 + b"}")


@attack(errors.TooLarge)
def an_abyss() -> str:
    return sign(as_json(claims())[:-1] + b',"x":' + b'{"x":' * 30_000 + b"1" + b"}" * 30_000 + b"}")


@attack(errors.TooLarge)
def ten_thousand_lists() -> str:
    return sign(claims(x=[[]] * 10_000))


@attack(errors.MalformedToken)
def a_token_within_a_token() -> str:
    return sign(sign(claims()).encode())


# -- algorithms and keys ----------------------------------------------------------------------------------------------

for _none in ("none", "None", "NONE", "nOnE", "", " none"):  # rp: oidcc-client-test-idtoken-sig-none
    headed(errors.ForbiddenAlgorithm, "algorithm-is-accepted", f"signed, but says {_none!r}", alg=_none)
    ATTACKS.append(
        Attack(
            f"unsigned, says {_none!r}",
            lambda none=_none: forged(mallory(), {"alg": none, "kid": "rsa"}),  # type: ignore[misc]
            errors.ForbiddenAlgorithm,
            "algorithm-is-accepted",
        )
    )

for _alg in ("rs256", "RS1", "RS256 ", "ES256K", "HS256", "HS384", "HS512", "dir", "RSA-OAEP", "Ed448", "ML-DSA-65"):
    headed(errors.ForbiddenAlgorithm, "algorithm-is-accepted", f"an algorithm off the list, {_alg!r}", alg=_alg)

for _odd in (1, True, ["RS256"], {"RS256": 1}, 0.5):
    headed(errors.ForbiddenAlgorithm, "algorithm-is-accepted", f"an algorithm that is {_odd!r}", alg=_odd)

headed(errors.ForbiddenAlgorithm, "algorithm-is-accepted", "no algorithm", alg=None)


@attack(errors.ForbiddenAlgorithm, "algorithm-is-accepted", asked={"provider": replace(KICKS, algorithms=("ES256",))})
def an_algorithm_that_the_provider_does_not_announce() -> str:
    return sign(claims())


def _public_pem() -> bytes:
    return bytes(key("rsa").as_pem(private=False))


for _kid in ("rsa", None):  # rp: oidcc-client-test-invalid-sig-hs256; CVE-2015-9235
    for _what, _secret in {
        "the public key as PEM": _public_pem,
        "the public key as PEM, stripped": lambda: _public_pem().strip(),
        "the public key as JSON": lambda: as_json(public("rsa")),
        "the client's secret": lambda: b"s3cret",
        "nothing": lambda: b"",
    }.items():
        ATTACKS.append(
            Attack(
                f"HS256 with {_what}, kid {_kid}",
                lambda secret=_secret, kid=_kid: forged(  # type: ignore[misc]
                    mallory(), {"alg": "HS256", **({"kid": kid} if kid else {})}, hmac_with(secret())
                ),
                errors.ForbiddenAlgorithm,
                "algorithm-is-accepted",
            )
        )


@attack(errors.BadSignature)  # rp: oidcc-client-test-invalid-sig-rs256
def a_changed_payload() -> str:
    first, _, third = parts()
    return f"{first}.{encode(as_json(mallory()))}.{third}"


@attack(errors.BadSignature)
def a_changed_header() -> str:
    _, second, third = parts()
    return f"{encode(as_json({'alg': 'RS256', 'kid': 'rsa', 'x': 1}))}.{second}.{third}"


@attack(errors.BadSignature)  # rp: oidcc-client-test-invalid-sig-es256
def a_changed_payload_under_es256() -> str:
    first, _, third = sign(claims(), by="p256", alg="ES256").split(".")
    return f"{first}.{encode(as_json(mallory()))}.{third}"


@attack(errors.BadSignature)
def no_signature() -> str:
    first, second, _ = parts()
    return f"{first}.{second}."


@attack(errors.BadSignature)
def a_signature_cut_short() -> str:
    first, second, third = parts()
    return f"{first}.{second}.{third[:340]}"


@attack(errors.BadSignature)
def a_signature_with_a_zero_before_it() -> str:
    first, second, _ = parts()
    return f"{first}.{second}.{encode(bytes(1) + signature(f'{first}.{second}', 'rsa', 'RS256'))}"


@attack(errors.BadSignature)
def a_signature_of_zeros() -> str:
    first, second, _ = parts()
    return f"{first}.{second}.{encode(bytes(256))}"


@attack(errors.BadSignature)  # CVE-2022-21449
def an_ecdsa_signature_of_zeros() -> str:
    return forged(mallory(), {"alg": "ES256", "kid": "p256"}, lambda _: bytes(64))


@attack(errors.BadSignature)
def an_ecdsa_signature_of_the_groups_order() -> str:
    order = bytes.fromhex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")
    return forged(mallory(), {"alg": "ES256", "kid": "p256"}, lambda _: order + order)


@attack(errors.BadSignature)
def an_ecdsa_signature_in_der() -> str:
    return forged(claims(), {"alg": "ES256", "kid": "p256"}, lambda text: base64.b64decode("MAYCAQECAQE=") + text[:0])


@attack(errors.BadSignature)
def an_ecdsa_signature_with_bytes_after_it() -> str:
    first, second, _ = sign(claims(), by="p256", alg="ES256").split(".")
    return f"{first}.{second}.{encode(signature(f'{first}.{second}', 'p256', 'ES256') + bytes(2))}"


@attack(errors.BadSignature)
def an_ed25519_signature_with_the_order_added() -> str:
    order = 2**252 + 27742317777372353535851937790883648493
    first, second, _ = sign(claims(), by="ed", alg="EdDSA").split(".")
    good = signature(f"{first}.{second}", "ed", "EdDSA")
    moved = (int.from_bytes(good[32:], "little") + order).to_bytes(32, "little")
    return f"{first}.{second}.{encode(good[:32] + moved)}"


@attack(errors.BadSignature)
def signed_by_another_under_our_key_id() -> str:
    return sign(mallory(), by="mallory", kid="rsa")


@attack(errors.UnknownKey)
def signed_by_another_under_their_key_id() -> str:
    return sign(mallory(), by="mallory")


@attack(errors.UnknownKey)
def signed_by_another_without_a_key_id() -> str:  # rp: oidcc-client-test-kid-absent-multiple-jwks
    return sign(mallory(), by="mallory", kid=None)


for _header in ("jwk", "jku", "x5u", "x5c"):
    _brought: Any = {
        "jwk": lambda: public("mallory"),
        "jku": lambda: "https://evil.example/keys.json",
        "x5u": lambda: "https://evil.example/cert.pem",
        "x5c": lambda: [base64.b64encode(_public_pem()).decode()],
    }[_header]
    for _kid, _refusal in (("rsa", errors.BadSignature), ("mallory", errors.UnknownKey), (None, errors.UnknownKey)):
        ATTACKS.append(
            Attack(
                f"signed by another, who brings {_header}, kid {_kid}",
                lambda header=_header, brought=_brought, kid=_kid: sign(  # type: ignore[misc]
                    mallory(), by="mallory", **{header: brought(), "kid": kid}
                ),
                _refusal,
            )
        )

for _kid in ("../../../dev/null", "rsa' OR '1'='1", "/proc/self/environ", "RSA", "rsa ", "https://evil.example", "0"):
    headed(errors.UnknownKey, "", f"a key id of {_kid!r}", kid=_kid)

for _bad in ("", 1, True, ["rsa"], {"rsa": 1}, "x" * 2_000):
    headed(errors.MalformedToken, "key-is-named-by-text", f"a key id that is {str(_bad)[:20]!r}", kid=_bad)

# Key confusion: the named key is one of KICKS's, but not for this algorithm or use.
headed(errors.UnfitKey, "", "an RSA key named for ES256", by="p256", kid="rsa", alg="ES256")
headed(errors.UnfitKey, "", "an EC key named for RS256", kid="p256")
headed(errors.UnfitKey, "", "an EC key of another curve", by="p384", kid="p384", alg="ES256")
headed(errors.UnfitKey, "", "a key for encryption", by="encryption")
headed(errors.UnfitKey, "", "an Ed25519 key named for RS256", kid="ed")


def brought(name: str, refusal: type[errors.Refused], *jwks: Any, **header: Any) -> None:
    """A token, really signed by the key "rsa" (or `by`), of a provider that publishes only these keys."""
    ATTACKS.append(Attack(f"keys: {name}", lambda: sign(claims(), **header), refusal, asked={"keys": published(*jwks)}))


_weak = rsa.generate_private_key(65537, 1024)
ATTACKS.append(
    Attack(
        "keys: a weak one",
        lambda: forged(
            claims(), {"alg": "RS256", "kid": "rsa"}, lambda text: _weak.sign(text, PKCS1v15(), hashes.SHA256())
        ),
        errors.UnknownKey,
        asked={"keys": published({**public("rsa"), "n": encode(_weak.public_key().public_numbers().n.to_bytes(128))})},
    )
)
brought("none", errors.UnknownKey)
brought("one for another algorithm", errors.UnfitKey, public("rsa", alg="RS512"))
brought("one for encryption", errors.UnfitKey, public("rsa", use="enc"))
brought("one of an unknown use", errors.UnfitKey, public("rsa", use="tls"))
brought("one that may not verify", errors.UnfitKey, public("rsa", key_ops=["encrypt"]))
brought("one with its private half", errors.UnknownKey, {**key("rsa").as_dict(private=True), "kid": "rsa"})
brought("a secret one", errors.UnknownKey, {"kty": "oct", "k": encode(b"s3cret" * 10), "kid": "rsa"})
brought("one off its curve", errors.UnknownKey, {**public("p256"), "x": encode(bytes(32))}, by="p256", alg="ES256")
brought("a point of another curve", errors.UnknownKey, {**public("p384"), "crv": "P-256"}, by="p384", alg="ES384")
brought("one whose key id is a number", errors.UnknownKey, public("rsa", kid=1))
brought("one without a key id, but the token names one", errors.UnknownKey, public("rsa", kid=None))
brought("an exponent of one", errors.UnknownKey, public("rsa", e="AQ"))
brought("an even exponent", errors.UnknownKey, public("rsa", e="Ag"))
brought("a huge exponent", errors.UnknownKey, public("rsa", e=public("rsa")["n"]))
brought("a long exponent", errors.UnknownKey, public("rsa", e=encode(b"\x01" * 9)))
brought("a huge modulus", errors.UnknownKey, public("rsa", n=encode(b"\xff" * 10_000)))
brought("a modulus that is a number", errors.UnknownKey, public("rsa", n=5))

# -- headers ----------------------------------------------------------------------------------------------------------

headed(errors.ForbiddenExtension, "nothing-is-critical", "crit", crit=["exp"], exp=SECONDS + 300)
headed(errors.ForbiddenExtension, "nothing-is-critical", "an empty crit", crit=[])
headed(errors.ForbiddenExtension, "nothing-is-critical", "crit of a known name", crit=["alg"])
headed(errors.ForbiddenExtension, "nothing-is-critical", "b64", b64=True)
headed(errors.ForbiddenExtension, "nothing-is-critical", "b64 false, critical", b64=False, crit=["b64"])
headed(errors.ForbiddenExtension, "nothing-is-critical", "b64 false, not critical", b64=False)
headed(errors.ForbiddenExtension, "nothing-is-critical", "zip", zip="DEF")
headed(errors.WrongType, "type-is-expected", "an access token", typ="at+jwt")
headed(errors.WrongType, "type-is-expected", "a DPoP proof", typ="dpop+jwt")
headed(errors.WrongType, "type-is-expected", "a type that is a number", typ=1)
headed(errors.WrongType, "type-is-expected", "an empty type", typ="")
headed(errors.WrongType, "type-is-expected", "a nested token's type", cty="JWT")


@attack(errors.WrongType, "type-is-expected")
def a_logout_token_by_its_type() -> str:
    return sign(claims(), typ="logout+jwt")


@attack(errors.ForbiddenExtension, "nothing-is-critical")
def an_unencoded_payload() -> str:
    header = encode(as_json({"alg": "RS256", "kid": "rsa", "b64": False, "crit": ["b64"]}))
    payload = encode(as_json(claims()))
    return f"{header}.{payload}.{encode(signature(f'{header}.{payload}', 'rsa', 'RS256'))}"


# -- claims: who and to whom ------------------------------------------------------------------------------------------

_ODD: tuple[Any, ...] = (0, 1, True, False, 1.5, [], {}, ["x"], {"x": "y"}, [[]])


def _of_wrong_types() -> None:
    """Every claim that is looked at, with a value of every other type."""
    for odd in _ODD:
        says(errors.WrongIssuer, "issuer-is-the-provider", f"iss is {odd!r}", iss=odd)
        says(errors.WrongAudience, "audience-is-ours", f"aud is {odd!r}", aud=odd)
        says(errors.WrongAudience, "authorized-party-is-ours", f"azp is {odd!r}", azp=odd)
        says(errors.MissingSubject, "subject-is-named", f"sub is {odd!r}", sub=odd)
        says(errors.MalformedClaim, "session-is-named-by-text", f"sid is {odd!r}", sid=odd)
        says(errors.WrongNonce, "nonce-is-ours", f"nonce is {odd!r}", nonce=odd)
        says(errors.WrongTokenHash, "access-token-belongs-to-it", f"at_hash is {odd!r}", at_hash=odd)
        says(errors.WrongHostedDomain, "hosted-domain-is-ours", f"hd is {odd!r}", asked=_HOSTED, hd=odd)
        says_at_logout(errors.MissingTokenId, "has-an-id", f"jti is {odd!r}", jti=odd)
        says_at_logout(errors.NobodyToSignOut, "names-somebody", f"sub is {odd!r}", sub=odd)
        says_at_logout(errors.NobodyToSignOut, "names-somebody", f"sid is {odd!r}", sid=odd)
        says_at_logout(errors.NotALogoutToken, "has-no-nonce", f"nonce is {odd!r}", nonce=odd)
    for odd in (True, False, "1", str(SECONDS + 300), [SECONDS], {}, -1, 1e300, 10**19, SECONDS * 1_000):
        says(errors.MalformedClaim, "has-not-expired", f"exp is {odd!r}", exp=odd)
        says(errors.MalformedClaim, "is-not-from-the-future", f"iat is {odd!r}", iat=odd)
        says(errors.MalformedClaim, "is-valid-already", f"nbf is {odd!r}", nbf=odd)
        says(errors.MalformedClaim, "authenticated-already", f"auth_time is {odd!r}", auth_time=odd)
        says_at_logout(errors.MalformedClaim, "has-not-expired", f"exp is {odd!r}", exp=odd)
        says_at_logout(errors.MalformedClaim, "is-not-from-the-future", f"iat is {odd!r}", iat=odd)
    for odd in (*_ODD, "", LOGOUT_EVENT, [LOGOUT_EVENT], {LOGOUT_EVENT: True}, {LOGOUT_EVENT: []}, {"other": {}}):
        says_at_logout(errors.NotALogoutToken, "is-a-logout", f"events is {odd!r}", events=odd)


_HOSTED = {"hosted_domain": "kicks.example"}
_of_wrong_types()

for _iss in (  # rp: oidcc-client-test-invalid-iss
    "https://evil.example",
    ISSUER + "/",
    ISSUER.upper(),
    "http://login.kicks.example",
    ISSUER + ":443",
    ISSUER + "#",
    ISSUER + "@evil.example",
    "login.kicks.example",
    [ISSUER],
    "",
    None,
):
    says(errors.WrongIssuer, "issuer-is-the-provider", f"issued by {_iss!r}", iss=_iss)
    says_at_logout(errors.WrongIssuer, "issuer-is-the-provider", f"issued by {_iss!r}", iss=_iss)

for _aud in (  # rp: oidcc-client-test-invalid-aud, oidcc-client-test-missing-aud
    "another-client",
    CLIENT_ID.upper(),
    CLIENT_ID + " ",
    f"{CLIENT_ID} another",
    ["another"],
    [[CLIENT_ID]],
    [CLIENT_ID, 1],
    [CLIENT_ID, None],
    [CLIENT_ID] * 60,
    {CLIENT_ID: 1},
    "",
    None,
):
    says(errors.WrongAudience, "audience-is-ours", f"for {str(_aud)[:60]}", aud=_aud)
    says_at_logout(errors.WrongAudience, "audience-is-ours", f"for {str(_aud)[:60]}", aud=_aud)

says(errors.WrongAudience, "authorized-party-is-ours", "for several, not said whose", aud=[CLIENT_ID, "another"])
says(errors.WrongAudience, "authorized-party-is-ours", "for several, another's", aud=[CLIENT_ID, "b"], azp="b")
says(errors.WrongAudience, "authorized-party-is-ours", "another's, though for us", azp="another")
says_at_logout(errors.WrongAudience, "authorized-party-is-ours", "for several", aud=[CLIENT_ID, "another"])

for _sub in ("", " ", "x" * 256, "mei\u202e1", "mei\u0007", "mei\u200b", "\u00a0", None):  # rp: …-missing-sub
    says(errors.MissingSubject, "subject-is-named", f"names {_sub!r}"[:40], sub=_sub)

for _sid in ("", "x" * 256, "a\nb"):
    says(errors.MalformedClaim, "session-is-named-by-text", f"a session called {_sid!r}"[:40], sid=_sid)

for _hd in ("evil.example", "kicks.example.evil.example", "", None, ["kicks.example"]):
    says(errors.WrongHostedDomain, "hosted-domain-is-ours", f"of the domain {_hd!r}", asked=_HOSTED, hd=_hd)

_TENANT, _OTHER = "11111111-2222-4333-8444-555555555555", "99999999-2222-4333-8444-555555555555"
_ENTRA = f"https://login.microsoftonline.com/{_TENANT}/v2.0"
_ENTRA_PROVIDER = replace(KICKS, issuer=_ENTRA)
for _tid in (_OTHER, _TENANT.upper() + "x", "", 1, [_TENANT]):
    says(
        errors.WrongTenant,
        "tenant-is-the-issuers",
        f"tenant {_tid!r}",
        asked={"provider": _ENTRA_PROVIDER},
        iss=_ENTRA,
        tid=_tid,
    )
for _iss in (_ENTRA.replace(_TENANT, _OTHER), _ENTRA.replace(_TENANT, "{tenantid}"), _ENTRA.replace(_TENANT, "common")):
    says(errors.WrongIssuer, "issuer-is-the-provider", f"tenant {_iss}", asked={"provider": _ENTRA_PROVIDER}, iss=_iss)

# -- claims: when -----------------------------------------------------------------------------------------------------

for _name, _good in (("", says), ("logout ", says_at_logout)):
    _good(errors.Expired, "has-not-expired", f"{_name}expired by the clock skew", exp=SECONDS - 60)
    _good(errors.Expired, "has-not-expired", f"{_name}expired long ago", exp=0)
    _good(errors.MissingTime, "has-not-expired", f"{_name}valid for ever", exp=None)
    _good(errors.MissingTime, "is-not-from-the-future", f"{_name}of no time", iat=None)  # rp: …-missing-iat
    _good(errors.NotYetValid, "is-not-from-the-future", f"{_name}a second beyond the clock skew", iat=SECONDS + 61)
    _good(errors.NotYetValid, "is-valid-already", f"{_name}not valid yet", nbf=SECONDS + 61)
for _iat in (0, SECONDS - 86_400, SECONDS - 3_661):
    says(errors.TooOld, "was-made-for-this-sign-in", f"made {SECONDS - _iat} seconds ago", iat=_iat)
says(errors.NotYetValid, "authenticated-already", "authenticated in the future", auth_time=SECONDS + 61)
says(errors.NotFresh, "authenticated-recently", "an old sign-in", asked={"max_age": 60}, auth_time=SECONDS - 121)
says(errors.NotFresh, "authenticated-recently", "a sign-in of no time", asked={"max_age": 60}, auth_time=None)

# -- claims: which sign-in --------------------------------------------------------------------------------------------

for _nonce in ("another", NONCE + " ", NONCE.upper(), "", None, [NONCE]):  # rp: oidcc-client-test-nonce-invalid
    says(errors.WrongNonce, "nonce-is-ours", f"nonce {_nonce!r}", nonce=_nonce)
says(errors.WrongNonce, "nonce-is-ours", "no nonce where none is kept", asked={"nonce": ""}, nonce="")

for _hash in ("", at_hash("another-token"), at_hash(algorithm="RS512"), at_hash() + "=", at_hash()[:20], "="):
    says(errors.WrongTokenHash, "access-token-belongs-to-it", f"at_hash {_hash!r}", at_hash=_hash)

says(errors.DisagreeingLibrary, "library-agrees", "ways of signing in that are no list", amr="pwd")
says(errors.DisagreeingLibrary, "library-agrees", "ways of signing in that are an object", amr={"pwd": 1})
says(errors.NotAnIdToken, "is-no-logout-token", "an ID token that is a logout token, too", events={LOGOUT_EVENT: {}})

# -- logout tokens ----------------------------------------------------------------------------------------------------

says_at_logout(errors.NotALogoutToken, "has-no-nonce", "with a nonce", nonce=NONCE)
says_at_logout(errors.NotALogoutToken, "is-a-logout", "without an event", events=None)
says_at_logout(errors.MissingTokenId, "has-an-id", "without an id", jti=None)
says_at_logout(errors.MissingTokenId, "has-an-id", "with an empty id", jti="")
says_at_logout(errors.NobodyToSignOut, "names-somebody", "of nobody", sub=None, sid=None)
says_at_logout(errors.NobodyToSignOut, "names-somebody", "of an empty subject", sub="")
says_at_logout(errors.NobodyToSignOut, "names-somebody", "of an empty session", sid="")
ATTACKS.append(
    Attack(
        "logout: another tenant's",
        lambda: sign(logout_claims(iss=_ENTRA, tid=_OTHER)),
        errors.WrongTenant,
        "tenant-is-the-issuers",
        logout=True,
        asked={"provider": _ENTRA_PROVIDER},
    )
)


@attack(errors.NotALogoutToken, "is-a-logout", logout=True)
def an_id_token_posted_as_a_logout_token() -> str:
    return sign(claims())


@attack(errors.WrongNonce, "nonce-is-ours")
def a_logout_token_as_an_id_token() -> str:
    return sign(logout_claims())


@attack(errors.BadSignature, logout=True)
def a_logout_token_by_another() -> str:
    return sign(logout_claims(), by="mallory", kid="rsa")


@attack(errors.ForbiddenAlgorithm, "algorithm-is-accepted", logout=True)
def an_unsigned_logout_token() -> str:
    return forged(logout_claims(), {"alg": "none"})


# What a text must be is held of logout tokens, too.
ATTACKS += [
    replace(one, name=f"logout: {one.name}", logout=True)
    for one in ATTACKS
    if one.check in ("not-too-long", "is-compact", "is-canonical")
]

#: Every attack's text, made before anything is timed.
BUILT = {attack.name: attack.make() for attack in ATTACKS}


def bring(attack: Attack, text: str, checks: tuple[Check, ...] | None = None) -> object:
    """The token, brought to where it pretends to belong."""
    asked = dict(attack.asked)
    provider, found = asked.pop("provider", KICKS), asked.pop("keys", keys())
    client = replace(CLIENT, hosted_domain=asked.pop("hosted_domain", None))
    if attack.logout:
        table = logout_token.CHECKS if checks is None else checks
        return logout_token.validate(text, provider, found, client, now=NOW, checks=table)
    wanted = {"nonce": NONCE, **asked}
    table = id_token.CHECKS if checks is None else checks
    return id_token.validate(answer(text), provider, found, client, now=NOW, checks=table, **wanted)
