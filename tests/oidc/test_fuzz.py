"""Whatever arrives, there is Mei's token or an `OidcError`: no other error, and never anybody else."""

import json
from contextlib import suppress
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from oidc import authorization_answer, claims, errors, id_token, logout_token, token_answer, userinfo
from oidc.provider import discovery_url, parse_discovery, parse_keys
from tests.oidc.provider import (
    CLIENT,
    DISCOVERY,
    ISSUER,
    KICKS,
    NONCE,
    NOW,
    answer,
    as_json,
    at_hash,
    encode,
    keys,
    logout_claims,
    public,
    sign,
    validated,
)
from tests.oidc.provider import claims as mei

KINDS = (("rsa", "RS256"), ("rsa", "PS384"), ("p256", "ES256"), ("ed", "EdDSA"))
FRAGMENTS = (
    b"{",
    b"}",
    b"[",
    b'"',
    b",",
    b":",
    b".",
    b"=",
    b"\x00",
    b"\xff",
    b"\\ud800",
    b"1e999",
    b"NaN",
    b"null",
    b"",
)

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(ISSUER)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)


@cache
def good(kind: int) -> str:
    by, algorithm = KINDS[kind]
    return sign(mei(at_hash=at_hash(algorithm=algorithm)), by=by, alg=algorithm)


def names_mei_or_refuses(text: str) -> None:
    """As an ID token and as a logout token."""
    with suppress(errors.OidcError):
        token = id_token.validate(answer(text), KICKS, keys(), CLIENT, nonce=NONCE, now=NOW)
        assert (token.subject, token.claims["email"]) == ("mei-1", "mei@kicks.example")
    with suppress(errors.OidcError):
        assert logout_token.validate(text, KICKS, keys(), CLIENT, now=NOW).subject == "mei-1"


def cut(data: st.DataObject, octets: bytes) -> bytes:
    """The octets with some of them replaced."""
    start = data.draw(st.integers(0, len(octets)))
    end = data.draw(st.integers(start, min(len(octets), start + 20)))
    return octets[:start] + data.draw(st.sampled_from(FRAGMENTS) | st.binary(max_size=8)) + octets[end:]


kinds = st.integers(0, len(KINDS) - 1)


@given(st.text() | st.text(alphabet="eyJh.-_=0", max_size=200))
def test_any_text(text: str) -> None:
    names_mei_or_refuses(text)


@given(kinds, st.data())
def test_a_good_token_with_letters_replaced(kind: int, data: st.DataObject) -> None:
    names_mei_or_refuses(cut(data, good(kind).encode()).decode("latin-1"))


@given(kinds, st.data())
def test_a_good_token_with_octets_of_a_part_replaced(kind: int, data: st.DataObject) -> None:
    parts = good(kind).split(".")
    number = data.draw(st.integers(0, 2))
    parts[number] = encode(
        data.draw(st.binary(max_size=600)) if data.draw(st.booleans()) else cut(data, as_json(mei()))
    )
    names_mei_or_refuses(".".join(parts))


@given(st.dictionaries(st.sampled_from(sorted(mei(alg=1, kid=1, typ=1, crit=1, amr=1, azp=1))), values, max_size=5))
@settings(deadline=None)
def test_any_header_signed_for_real(header: dict[str, Any]) -> None:
    with suppress(UnicodeEncodeError):
        names_mei_or_refuses(sign(mei(), header={"alg": "RS256", "kid": "rsa", **header}))


@given(
    st.dictionaries(
        st.sampled_from((*sorted(mei(nbf=1, amr=1, azp=1, at_hash=1)), "events", "jti", "hd", "acr", "tid")), values
    ),
    st.booleans(),
)
@settings(deadline=None)
def test_any_claims_signed_for_real(changes: dict[str, Any], logout: bool) -> None:
    payload = json.dumps({**(logout_claims() if logout else mei()), **changes}).encode()
    with suppress(errors.OidcError):
        token = id_token.validate(answer(sign(payload)), KICKS, keys(), CLIENT, nonce=NONCE, now=NOW)
        assert token.subject == changes.get("sub", "mei-1")
        found = claims.read(token, None, claims.PRESETS["generic"])
        assert claims.is_email(found.email)
        assert all(isinstance(group, str) for group in found.groups)
    with suppress(errors.OidcError):
        ended = logout_token.validate(sign(payload), KICKS, keys(), CLIENT, now=NOW)
        assert ended.subject or ended.session_id


@given(st.data())
@settings(deadline=None)
def test_any_octets_signed_for_real(data: st.DataObject) -> None:
    names = as_json(mei())
    payload = cut(data, names)
    with suppress(errors.OidcError):
        token = id_token.validate(answer(sign(payload)), KICKS, keys(), CLIENT, nonce=NONCE, now=NOW)
        assert dict(token.claims) == json.loads(payload)


@given(st.data())
def test_discovery_with_octets_replaced_is_read_or_refused(data: st.DataObject) -> None:
    with suppress(errors.OidcError):
        assert parse_discovery(cut(data, json.dumps(DISCOVERY).encode()), ISSUER).issuer == ISSUER


@given(st.dictionaries(st.sampled_from(sorted(DISCOVERY)), values), st.booleans())
def test_discovery_with_any_values_is_read_or_refused(changes: dict[str, Any], keep: bool) -> None:
    document = {**DISCOVERY, **changes, **({"issuer": ISSUER} if keep else {})}
    with suppress(errors.OidcError):
        found = parse_discovery(json.dumps(document).encode(), ISSUER)
        assert found.token_endpoint.startswith("https://")
        assert found.algorithms


@given(st.text())
def test_any_issuer_is_taken_or_refused(issuer: str) -> None:
    for one in (issuer, f"https://{issuer}", f"http://{issuer}"):
        with suppress(errors.OidcError):
            assert discovery_url(one).endswith("/.well-known/openid-configuration")


@given(st.data())
@settings(deadline=None)
def test_keys_with_octets_replaced_are_read_or_refused(data: st.DataObject) -> None:
    whole = json.dumps({"keys": [public("rsa"), public("p256"), public("ed")]}).encode()
    with suppress(errors.OidcError):
        parse_keys(cut(data, whole))


members = st.sampled_from(("kty", "n", "e", "crv", "x", "y", "kid", "use", "alg", "key_ops"))


@given(st.lists(st.dictionaries(members, values, max_size=3), max_size=3), kinds)
@settings(deadline=None)
def test_keys_with_any_members_are_read_or_ignored(changes: list[dict[str, Any]], kind: int) -> None:
    base = public(KINDS[kind][0])
    with suppress(errors.OidcError):
        found = parse_keys(json.dumps({"keys": [{**base, **one} for one in changes]}).encode())
        assert len(found.keys) <= len(changes)


@given(st.lists(st.tuples(st.sampled_from(("code", "state", "iss", "error", "error_description")), st.text())))
def test_any_answer_of_the_browser_is_read_or_refused(pairs: list[tuple[str, str]]) -> None:
    with suppress(errors.OidcError):
        assert all(authorization_answer.parse(pairs, KICKS))


@given(st.integers(100, 599), st.sampled_from((None, "", "application/json", "application/jwt", "x")), st.data())
def test_any_answer_of_an_endpoint_is_read_or_refused(
    status: int, content_type: str | None, data: st.DataObject
) -> None:
    body = data.draw(st.binary() | values.map(lambda value: json.dumps(value).encode()))
    with suppress(errors.OidcError):
        assert token_answer.parse(status, content_type, body).id_token
    with suppress(errors.OidcError):
        told = userinfo.parse(content_type, body, _mei(), provider=KICKS, keys=keys(), client=CLIENT)
        assert told.subject == "mei-1"


@cache
def _mei() -> id_token.IdToken:
    return validated(good(0))


@given(st.dictionaries(st.sampled_from(("email", "name", "groups", "hasgroups", "_claim_names", "xms_edov")), values))
def test_any_userinfo_is_read_or_refused(told: dict[str, Any]) -> None:
    thin = validated(sign({name: value for name, value in mei().items() if name not in ("email", "groups", "name")}))
    body = json.dumps({"sub": "mei-1", **told}).encode()
    with suppress(errors.OidcError):
        about = userinfo.parse("application/json", body, thin, provider=KICKS, keys=keys(), client=CLIENT)
        for mapping in claims.PRESETS.values():
            with suppress(errors.OidcError):
                assert claims.is_email(claims.read(thin, about, mapping).email)
