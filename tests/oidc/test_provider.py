"""Discovery documents and key sets, good and bad."""

import json
from typing import Any

import pytest

from oidc import errors
from oidc.provider import Provider, discovery_url, parse_discovery, parse_keys
from tests.oidc.provider import DISCOVERY, ISSUER, KICKS, encode, key, public, published


def document(**changes: Any) -> bytes:
    """KICKS's discovery document with some members changed; one that is None is left out."""
    return json.dumps({name: value for name, value in {**DISCOVERY, **changes}.items() if value is not None}).encode()


@pytest.mark.parametrize(
    ("issuer", "url"),
    [
        ("https://login.kicks.example", "https://login.kicks.example/.well-known/openid-configuration"),
        ("https://kicks.eu.auth0.com/", "https://kicks.eu.auth0.com/.well-known/openid-configuration"),
        ("https://kicks.okta.com/oauth2/x", "https://kicks.okta.com/oauth2/x/.well-known/openid-configuration"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000/.well-known/openid-configuration"),
        ("http://localhost:9000", "http://localhost:9000/.well-known/openid-configuration"),
        ("http://[::1]:9000/a", "http://[::1]:9000/a/.well-known/openid-configuration"),
    ],
)
def test_where_the_discovery_document_stands(issuer: str, url: str) -> None:
    assert discovery_url(issuer) == url


@pytest.mark.parametrize(
    "issuer",
    [
        "",
        "login.kicks.example",
        "http://login.kicks.example",
        "http://10.0.0.1",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "ftp://login.kicks.example",
        "javascript:alert(1)",
        "https://",
        "https:///path",
        "https://user:pass@login.kicks.example",
        "https://login.kicks.example?tenant=1",
        "https://login.kicks.example#x",
        "https://login.kicks.example\\@evil.example",
        "https://login.kicks.example\\x",
        "https://login.kicks.example/ x",
        "https://login.kicks.example\n",
        "https://login.kicks.example:0",
        "https://login.kicks.example:99999",
        "https://login.kicks.example:x",
        "https://[::1",
        "https://kïcks.example",
        "https://login.kicks.example/" + "x" * 2_000,
    ],
)
def test_an_issuer_that_is_no_https_address_is_refused(issuer: str) -> None:
    with pytest.raises(errors.InvalidProvider):
        discovery_url(issuer)
    with pytest.raises(errors.InvalidProvider):
        parse_discovery(document(issuer=issuer), issuer)


def test_a_discovery_document_gives_what_the_bridge_needs() -> None:
    assert parse_discovery(document(), ISSUER) == KICKS
    assert (KICKS.token_endpoint, KICKS.jwks_uri) == (f"{ISSUER}/token", f"{ISSUER}/keys")
    assert KICKS.names_itself
    assert not {"none", "HS256"} & set(KICKS.algorithms)


def test_a_provider_is_stored_as_json_and_read_again() -> None:
    assert Provider.from_facts(json.loads(json.dumps(KICKS.facts()))) == KICKS


def test_what_may_be_absent() -> None:
    least = {name: DISCOVERY[name] for name in ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")}
    provider = parse_discovery(json.dumps(least).encode(), ISSUER)
    assert (provider.userinfo_endpoint, provider.end_session_endpoint, provider.names_itself) == (None, None, False)
    assert "RS256" in provider.algorithms


@pytest.mark.parametrize("found", [ISSUER + "/", ISSUER.upper(), "https://evil.example", ISSUER + ":443", None, 1, []])
def test_another_issuer_than_the_configured_one_is_refused(found: object) -> None:
    """The Foundation's oidcc-client-test-discovery-issuer-mismatch."""
    with pytest.raises(errors.IssuerMismatch):
        parse_discovery(document(issuer=found), ISSUER)


@pytest.mark.parametrize("tenant", ["common", "organizations", "consumers", "9188040d-6c67-4c5b-b112-36a304b66dad"])
def test_entras_addresses_for_everybody_are_refused(tenant: str) -> None:
    issuer = f"https://login.microsoftonline.com/{tenant}/v2.0"
    said = issuer if "-" in tenant else "https://login.microsoftonline.com/{tenantid}/v2.0"
    with pytest.raises(errors.TemplateIssuer) as refused:
        parse_discovery(document(issuer=said), issuer)
    assert "tenant" in refused.value.text


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize("address", [None, 1, "", [], "/token", "http://login.kicks.example/token"])
def test_an_address_that_is_needed_must_be_one(name: str, address: object) -> None:
    with pytest.raises(errors.InvalidProvider, match=name):
        parse_discovery(document(**{name: address}), ISSUER)


@pytest.mark.parametrize("name", ["userinfo_endpoint", "end_session_endpoint"])
@pytest.mark.parametrize("address", [1, "", [], "javascript:alert(1)", "http://127.0.0.1/", "https://u@kicks.example/"])
def test_an_address_that_may_be_absent_must_be_one_too(name: str, address: object) -> None:
    with pytest.raises(errors.InvalidProvider, match=name):
        parse_discovery(document(**{name: address}), ISSUER)


def test_loopback_may_do_without_tls_but_only_if_the_issuer_is_there() -> None:
    local = {name: f"http://127.0.0.1:9000/{name}" for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
    others = {"userinfo_endpoint": None, "end_session_endpoint": None}
    assert parse_discovery(document(issuer="http://127.0.0.1:9000", **local, **others), "http://127.0.0.1:9000")
    with pytest.raises(errors.InvalidProvider):
        parse_discovery(document(**local, **others), ISSUER)
    away = {**local, "token_endpoint": "http://10.0.0.1/token"}
    with pytest.raises(errors.InvalidProvider):
        parse_discovery(document(issuer="http://127.0.0.1:9000", **away, **others), "http://127.0.0.1:9000")


@pytest.mark.parametrize(
    "changes",
    [
        {"response_types_supported": ["id_token"]},
        {"response_modes_supported": ["form_post"]},
        {"grant_types_supported": ["implicit"]},
        {"code_challenge_methods_supported": ["plain"]},
        {"id_token_signing_alg_values_supported": ["HS256", "none"]},
        {"id_token_signing_alg_values_supported": "RS256"},
        {"id_token_signing_alg_values_supported": [1]},
        {"token_endpoint_auth_methods_supported": {"client_secret_basic": True}},
    ],
)
def test_a_provider_that_lists_nothing_that_the_bridge_can_use_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(errors.InvalidProvider):
        parse_discovery(document(**changes), ISSUER)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"<html>",
        b"\xff",
        document()[:-1],
        document() + b"{}",
        document()[:-1] + b',"issuer":"https://evil.example"}',
        document()[:-1] + b',"x":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
        document(x="x" * 600_000),
    ],
)
def test_what_is_no_single_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(errors.InvalidProvider):
        parse_discovery(body, ISSUER)


@pytest.mark.parametrize(
    "strange",
    [
        "text",
        None,
        1,
        [],
        {},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "secret"},
        {"kty": "RSA", "kid": "no modulus"},
        {"kty": "RSA", "n": "!!", "e": "AQAB"},
        {"kty": "RSA", "n": 1, "e": 2},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"},
        {"kty": "OKP", "crv": "X25519", "x": "AA"},
        {"kty": "AKP", "alg": "ML-DSA-65", "pub": "AA"},
        {"kty": 1},
        {"kty": ["RSA"]},
    ],
)
def test_unknown_and_malformed_keys_are_ignored(strange: object) -> None:
    body = json.dumps({"keys": [strange, public("rsa"), strange]}).encode()
    assert [found.kid for found in parse_keys(body).keys] == ["rsa"]


def test_a_key_published_with_its_private_half_is_ignored() -> None:
    assert published({**key("rsa").as_dict(private=True), "kid": "rsa"}).keys == ()


@pytest.mark.parametrize("bits", [1024, 2040, 2047, 8200, 16384])
def test_rsa_keys_too_small_or_too_large_are_ignored(bits: int) -> None:
    modulus = ((1 << (bits - 1)) | 1).to_bytes((bits + 7) // 8)
    other = {"kty": "RSA", "e": "AQAB", "n": encode(modulus)}
    assert published(other).keys == ()


def test_what_stands_beside_a_key_does_not_matter() -> None:
    more = public("rsa", x5c=["AA=="], x5t="AA", issuer="https://x.example", nbf=1, key_ops=["verify"], use="sig")
    assert [found.kid for found in published(more).keys] == ["rsa"]


def test_at_most_a_hundred_keys_are_read() -> None:
    assert published(*([public("p256")] * 150)).keys[99:] == published(public("p256")).keys


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"keys":{}}', b'{"keys":null}', b"{}", b'{"keys":[],"keys":[]}', b"\xff", b"{" * 5_000]
)
def test_what_is_no_key_set_is_refused(body: bytes) -> None:
    with pytest.raises(errors.InvalidKeys):
        parse_keys(body)
