"""What the bridge sends: the browser to the provider, a code for tokens, the browser to sign out."""

import base64
import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from joserfc import jws

from oidc import authorization_request, errors, logout_request, token_request
from oidc.client import Client
from tests.oidc.provider import CLIENT, CLIENT_ID, KICKS, NOW, SECONDS, key, pem

ASKED: dict[str, Any] = {
    "state": "s" * 43,
    "nonce": "n" * 43,
    "code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
}
SIGNER = replace(CLIENT, token_auth="private_key_jwt", client_secret=None, private_key=pem("rsa"), key_id="k1")


def asked(**changes: Any) -> dict[str, str]:
    """The parameters of an authorization request."""
    url = authorization_request.build(changes.pop("provider", KICKS), CLIENT, **{**ASKED, **changes})
    return dict(parse_qsl(urlsplit(url).query, strict_parsing=True))


def form(client: Client = CLIENT) -> dict[str, str]:
    """The form of a token request."""
    return dict(parse_qsl(token_request.build(KICKS, client, "c&d", "v" * 43, NOW, "jti-1").body.decode()))


# -- the browser ------------------------------------------------------------------------------------------------------


def test_an_authorization_request_is_for_a_code_with_state_nonce_and_pkce() -> None:
    """RFC 7636, appendix B has this verifier and challenge."""
    assert asked() == {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": "https://bridge.example/oidc/c1/callback",
        "scope": "openid email profile",
        "state": "s" * 43,
        "nonce": "n" * 43,
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }


def test_what_else_may_be_asked_for() -> None:
    found = asked(login_hint="mei@kicks.example", max_age=0, prompt="login", scopes=["groups", "openid", "groups"])
    assert (found["login_hint"], found["max_age"], found["prompt"]) == ("mei@kicks.example", "0", "login")
    assert found["scope"] == "openid groups"
    assert "login_hint" not in asked(login_hint="x" * 400)


def test_google_is_told_which_domain() -> None:
    google = replace(CLIENT, hosted_domain="kicks.example")
    assert "hd=kicks.example" in authorization_request.build(KICKS, google, **ASKED)


def test_a_query_that_the_address_has_is_kept() -> None:
    provider = replace(KICKS, authorization_endpoint="https://login.kicks.example/authorize?tenant=a%26b")
    assert asked(provider=provider)["tenant"] == "a&b"


@pytest.mark.parametrize(
    "changes",
    [
        {"state": ""},
        {"state": "a b" * 20},
        {"nonce": "short"},
        {"nonce": "é" * 43},
        {"code_verifier": "v" * 42},
        {"code_verifier": "v" * 129},
        {"code_verifier": "v" * 43 + "\n"},
        {"scopes": ["a b"]},
        {"scopes": ['"']},
        {"scopes": [""]},
    ],
)
def test_a_request_that_could_be_guessed_or_misread_is_not_made(changes: dict[str, Any]) -> None:
    with pytest.raises(errors.InvalidRequest):
        asked(**changes)


# -- the token endpoint -----------------------------------------------------------------------------------------------


def test_a_code_is_changed_with_its_verifier_and_address() -> None:
    request = token_request.build(KICKS, CLIENT, "c&d", "v" * 43, NOW, "jti-1")
    assert request.url == KICKS.token_endpoint
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert form() == {
        "grant_type": "authorization_code",
        "code": "c&d",
        "redirect_uri": CLIENT.redirect_uri,
        "code_verifier": "v" * 43,
    }


def test_client_secret_basic_encodes_both_parts_first() -> None:
    """RFC 6749 2.3.1: a colon in the client ID, and anything in the secret."""
    odd = replace(CLIENT, client_id="a:b c", client_secret="s%&é:+/")
    header = token_request.build(KICKS, odd, "c", "v" * 43, NOW, "jti-1").headers["Authorization"]
    assert base64.b64decode(header.removeprefix("Basic ")) == b"a%3Ab+c:s%25%26%C3%A9%3A%2B%2F"


def test_client_secret_post_puts_both_into_the_form() -> None:
    posted = form(replace(CLIENT, token_auth="client_secret_post"))
    assert (posted["client_id"], posted["client_secret"]) == (CLIENT_ID, "s3cret")
    assert (
        "Authorization"
        not in token_request.build(
            KICKS, replace(CLIENT, token_auth="client_secret_post"), "c", "v" * 43, NOW, "j"
        ).headers
    )


def test_private_key_jwt_proves_the_key_for_two_minutes() -> None:
    """RFC 7523 3: iss and sub are the client, aud the token endpoint, jti is used once."""
    posted = form(SIGNER)
    assert posted["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    proof = jws.deserialize_compact(posted["client_assertion"], key("rsa"), algorithms=["RS256"])
    assert proof.headers() == {"typ": "JWT", "alg": "RS256", "kid": "k1"}
    assert json.loads(proof.payload or b"") == {
        "iss": CLIENT_ID,
        "sub": CLIENT_ID,
        "aud": KICKS.token_endpoint,
        "jti": "jti-1",
        "iat": SECONDS,
        "nbf": SECONDS,
        "exp": SECONDS + 120,
    }
    assert "client_secret" not in posted


@pytest.mark.parametrize("private", ["", "no key", pem("p256")])
def test_a_key_that_is_none_makes_no_request(private: str) -> None:
    with pytest.raises(errors.InvalidRequest):
        form(replace(SIGNER, private_key=private))


@pytest.mark.parametrize(
    "changes",
    [{"token_auth": "none"}, {"client_secret": None}, {"client_secret": ""}, {"token_auth": "private_key_jwt"}],
)
def test_a_client_without_a_secret_is_none(changes: dict[str, Any]) -> None:
    with pytest.raises(errors.InvalidRequest):
        replace(CLIENT, **changes)


def test_secrets_are_not_shown_where_they_are_printed() -> None:
    request = token_request.build(KICKS, CLIENT, "c0de", "v" * 43, NOW, "jti-1")
    assert "s3cret" not in repr((CLIENT, request, SIGNER))
    assert "c0de" not in repr(request)
    assert "PRIVATE" not in repr(SIGNER)


# -- signing out ------------------------------------------------------------------------------------------------------


def test_a_logout_request_names_the_session_and_the_way_back() -> None:
    url = logout_request.build(KICKS, CLIENT, "a.b.c", "state-1", return_to="https://bridge.example/signed-out")
    assert parse_qs(urlsplit(url or "").query) == {
        "client_id": [CLIENT_ID],
        "id_token_hint": ["a.b.c"],
        "post_logout_redirect_uri": ["https://bridge.example/signed-out"],
        "state": ["state-1"],
    }


def test_a_hint_that_no_address_holds_is_left_out() -> None:
    url = logout_request.build(KICKS, CLIENT, "x" * 5_000, "no way back")
    assert parse_qs(urlsplit(url or "").query) == {"client_id": [CLIENT_ID]}


def test_a_provider_without_a_logout_address_gets_no_request() -> None:
    assert logout_request.build(replace(KICKS, end_session_endpoint=None), CLIENT, "a.b.c", None) is None
