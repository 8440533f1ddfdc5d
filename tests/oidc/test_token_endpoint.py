"""A token request as it is read (RFC 6749 2.3.1, 3.2, 4.4, 5.2)."""

import base64
import contextlib
import re
from typing import Any

import pytest
from authlib.oauth2.auth import ClientAuth
from hypothesis import given
from hypothesis import strategies as st

from oidc.token_endpoint import FORM, ClientSecret, TokenRefused, parse_token_request

GRANT = ("grant_type", "client_credentials")
MINE = (("client_id", "me"), ("client_secret", "mine"))


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def parse(
    *form: tuple[str, str], by: str | None = None, media_type: str = FORM, address: tuple[str, ...] = ()
) -> ClientSecret:
    return parse_token_request(by, media_type, address, form, "scim")


def refusal(*form: tuple[str, str], **more: Any) -> tuple[int, str]:
    with pytest.raises(TokenRefused) as refused:
        parse(*form, **more)
    assert re.fullmatch(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+", refused.value.text)
    assert "mine" not in refused.value.text
    return refused.value.status, refused.value.error


@pytest.mark.parametrize("scope", [(), (("scope", ""),), (("scope", "scim"),)], ids=["none", "empty", "scim"])
def test_a_client_says_who_it_is_by_basic_or_in_the_body(scope: tuple[tuple[str, str], ...]) -> None:
    assert parse(GRANT, *MINE, *scope) == ClientSecret("me", "mine")
    assert parse(GRANT, *scope, by=basic("me:mine")) == ClientSecret("me", "mine")


def test_both_parts_of_basic_are_form_urlencoded() -> None:
    assert parse(GRANT, by=basic("m%C3%A9+you:a%3Ab%25")) == ClientSecret("mé you", "a:b%")


def test_an_id_beside_basic_may_be_the_same() -> None:
    assert parse(GRANT, ("client_id", "me"), by=basic("me:mine")) == ClientSecret("me", "mine")


def test_what_is_unknown_is_ignored() -> None:
    assert parse(GRANT, *MINE, ("audience", "bridge"), address=("tenant",)) == ClientSecret("me", "mine")


@pytest.mark.parametrize(
    ("form", "more", "error"),
    [
        ((GRANT, *MINE), {"media_type": "application/json"}, "invalid_request"),
        ((GRANT, *MINE), {"address": ("client_secret",)}, "invalid_request"),
        ((GRANT, GRANT, *MINE), {}, "invalid_request"),
        ((GRANT, *MINE, ("x", "1"), ("x", "")), {}, "invalid_request"),
        ((GRANT, *MINE), {"by": basic("me:mine")}, "invalid_request"),
        ((GRANT, ("client_id", "you")), {"by": basic("me:mine")}, "invalid_request"),
        (MINE, {}, "invalid_request"),
        ((("grant_type", ""), *MINE), {}, "invalid_request"),
        ((GRANT,), {}, "invalid_client"),
        ((GRANT, ("client_id", "me")), {}, "invalid_client"),
        ((GRANT, ("client_id", "me"), ("client_secret", "")), {}, "invalid_client"),
        ((GRANT, ("client_assertion", "eyJ"), *MINE), {}, "invalid_client"),
        ((GRANT,), {"by": "Bearer bscim_x"}, "invalid_client"),
        ((GRANT,), {"by": "Basic"}, "invalid_client"),
        ((GRANT,), {"by": "Basic %%%"}, "invalid_client"),
        ((GRANT,), {"by": "Basic //8="}, "invalid_client"),
        ((GRANT,), {"by": basic("me")}, "invalid_client"),
        ((GRANT,), {"by": basic("me:")}, "invalid_client"),
        ((("grant_type", "password"), *MINE), {}, "unsupported_grant_type"),
        ((("grant_type", "Client_Credentials"), *MINE), {}, "unsupported_grant_type"),
        ((GRANT, *MINE, ("scope", "scim admin")), {}, "invalid_scope"),
        ((GRANT, *MINE, ("scope", "SCIM")), {}, "invalid_scope"),
        ((GRANT, *MINE, ("scope", " scim")), {}, "invalid_scope"),
        ((GRANT, *MINE, ("scope", 'sc"im')), {}, "invalid_scope"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_fault_has_its_error(form: tuple[tuple[str, str], ...], more: dict[str, Any], error: str) -> None:
    assert refusal(*form, **more) == (401 if error == "invalid_client" else 400, error)


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_requests_of_authlibs_client_are_understood(method: str) -> None:
    sign = ClientAuth("0b7f4d5e", "bscs_-_aZ9", method)
    _, headers, body = sign.prepare("POST", "https://b.example/t", {}, "grant_type=client_credentials")
    pairs = [tuple(pair.split("=", 1)) for pair in body.split("&")]
    assert parse(*pairs, by=headers.get("Authorization")) == ClientSecret("0b7f4d5e", "bscs_-_aZ9")


@given(
    by=st.none() | st.text(max_size=40) | st.text(max_size=30).map(lambda text: f"Basic {text}") | st.text().map(basic),
    form=st.lists(
        st.tuples(
            st.sampled_from(["grant_type", "client_id", "client_secret", "scope", "client_assertion"]) | st.text(),
            st.sampled_from(["client_credentials", "scim", ""]) | st.text(),
        ),
        max_size=5,
    ),
)
def test_whatever_is_sent_is_a_client_or_a_refusal(by: str | None, form: list[tuple[str, str]]) -> None:
    with contextlib.suppress(TokenRefused):
        found = parse(*form, by=by)
        assert found.client_id
        assert found.secret
