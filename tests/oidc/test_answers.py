"""What the provider answers: by the browser, at the token endpoint, at the userinfo endpoint."""

import json
from dataclasses import replace
from typing import Any

import pytest

from oidc import authorization_answer, errors, token_answer, userinfo
from oidc.userinfo import Userinfo
from tests.oidc.provider import CLIENT, CLIENT_ID, ISSUER, KICKS, claims, keys, public, published, sign, validated

GOOD = {"code": "c0de", "state": "s" * 43, "iss": ISSUER}
QUIET = replace(KICKS, names_itself=False)
JSON = "application/json"
TOKENS = {"id_token": "a.b.c", "access_token": "t0ken", "token_type": "Bearer", "expires_in": 300}


def tokens(**changes: Any) -> bytes:
    """A token endpoint's answer; a member that is None is left out."""
    return json.dumps({name: value for name, value in {**TOKENS, **changes}.items() if value is not None}).encode()


def told(body: object, content_type: str | None = JSON, **changes: Any) -> Userinfo:
    """Userinfo for Mei."""
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()
    given: dict[str, Any] = {"provider": KICKS, "keys": keys(), "client": CLIENT, **changes}
    return userinfo.parse(content_type, octets, validated(sign(claims())), **given)


# -- the browser ------------------------------------------------------------------------------------------------------


def test_a_code_and_its_state() -> None:
    assert authorization_answer.parse(GOOD, KICKS) == ("c0de", "s" * 43)
    assert authorization_answer.parse([*GOOD.items(), ("session_state", "x"), ("scope", "a")], KICKS).code == "c0de"


@pytest.mark.parametrize("iss", ["https://evil.example", ISSUER + "/", "", None])
def test_an_answer_of_another_provider_is_refused(iss: str | None) -> None:
    """RFC 9207 2.4: where the provider promises to name itself, silence is another's too; also with an error."""
    named = {**GOOD, "iss": iss} if iss is not None else {name: GOOD[name] for name in ("code", "state")}
    with pytest.raises(errors.MixedUp):
        authorization_answer.parse(named, KICKS)
    with pytest.raises(errors.MixedUp):
        authorization_answer.parse({**named, "error": "access_denied"}, KICKS)


def test_a_provider_that_promises_nothing_may_be_silent_but_not_another() -> None:
    assert authorization_answer.parse({"code": "c", "state": "s"}, QUIET).code == "c"
    with pytest.raises(errors.MixedUp):
        authorization_answer.parse({**GOOD, "iss": "https://evil.example"}, QUIET)


def test_a_providers_no_is_said_with_what_to_do() -> None:
    pairs = {"error": "access_denied", "error_description": "<b>no</b>" * 100, "state": "s1", "iss": ISSUER}
    with pytest.raises(errors.ProviderSaidNo) as refused:
        authorization_answer.parse(pairs, KICKS)
    assert (refused.value.error, refused.value.state) == ("access_denied", "s1")
    assert "assigned" in refused.value.text
    assert "<b>" not in refused.value.text
    assert len(refused.value.description or "") == 500


@pytest.mark.parametrize("error", ["Your account is blocked, call 0900-EVIL", "x" * 100, "a/b", "é"])
def test_a_page_shows_no_words_that_a_link_brought(error: str) -> None:
    with pytest.raises(errors.ProviderSaidNo) as refused:
        authorization_answer.parse({"error": error, "state": "s1", "iss": ISSUER}, KICKS)
    assert error not in refused.value.text
    with pytest.raises(errors.MixedUp) as mixed:
        authorization_answer.parse({"error": "x", "state": "s1", "iss": error}, KICKS)
    assert error not in mixed.value.text


def test_an_unknown_error_is_named_where_it_is_a_word() -> None:
    with pytest.raises(errors.ProviderSaidNo, match="unmet_authentication_requirements"):
        authorization_answer.parse({"error": "unmet_authentication_requirements", "state": "s", "iss": ISSUER}, KICKS)


def test_an_error_wins_over_a_code() -> None:
    with pytest.raises(errors.ProviderSaidNo):
        authorization_answer.parse({**GOOD, "error": "server_error"}, KICKS)


@pytest.mark.parametrize("name", ["code", "state", "iss", "error"])
def test_a_parameter_that_comes_twice_or_is_too_long_or_not_printable_is_refused(name: str) -> None:
    with pytest.raises(errors.MalformedAnswer):
        authorization_answer.parse([*GOOD.items(), (name, "x"), (name, "x")], QUIET)
    for value in ("x" * 9_000, "a\x00b", "a\nb", "\ud800"):
        with pytest.raises(errors.MalformedAnswer):
            authorization_answer.parse({**GOOD, name: value}, QUIET)


def test_an_answer_without_state_or_code_is_refused() -> None:
    with pytest.raises(errors.MissingState):
        authorization_answer.parse({"code": "c0de", "iss": ISSUER}, KICKS)
    with pytest.raises(errors.MissingState):
        authorization_answer.parse({**GOOD, "state": ""}, KICKS)
    with pytest.raises(errors.MissingCode):
        authorization_answer.parse({**GOOD, "code": ""}, KICKS)
    with pytest.raises(errors.MissingState):
        authorization_answer.parse({}, KICKS)


# -- the token endpoint -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content_type", [JSON, "application/json; charset=utf-8", "Application/JSON;x=y"])
@pytest.mark.parametrize("kind", ["Bearer", "bearer", None])
def test_tokens(content_type: str, kind: str | None) -> None:
    found = token_answer.parse(200, content_type, tokens(token_type=kind))
    assert (found.id_token, found.access_token) == ("a.b.c", "t0ken")
    assert "t0ken" not in repr(found)


@pytest.mark.parametrize("absent", [None, ""])
def test_an_answer_without_an_id_token_signs_nobody_in(absent: str | None) -> None:
    with pytest.raises(errors.MissingIdToken):
        token_answer.parse(200, JSON, tokens(id_token=absent))


@pytest.mark.parametrize(
    ("status", "content_type", "body"),
    [
        (200, "text/html", tokens()),
        (200, "text/plain", tokens()),
        (200, None, tokens()),
        (200, "application/x-www-form-urlencoded", b"id_token=a.b.c&access_token=t"),
        (200, JSON, b""),
        (200, JSON, b"[]"),
        (200, JSON, b"\xff"),
        (200, JSON, tokens()[:-1] + b',"id_token":"d.e.f"}'),
        (200, JSON, tokens(id_token=1)),
        (200, JSON, tokens(id_token=["a.b.c"])),
        (200, JSON, tokens(access_token=None)),
        (200, JSON, tokens(access_token="")),
        (200, JSON, tokens(access_token=1)),
        (200, JSON, tokens(access_token="a b")),
        (200, JSON, tokens(access_token="a\r\nX: y")),
        (200, JSON, tokens(access_token="é")),
        (200, JSON, tokens(access_token="x" * 200_000)),
        (200, JSON, tokens(token_type="DPoP")),
        (200, JSON, tokens(token_type=1)),
        (201, JSON, tokens()),
        (204, JSON, b""),
        (302, "text/html", b""),
        (400, "text/html", b"<h1>Bad Request</h1>"),
        (500, JSON, b'{"error":""}'),
        (500, JSON, b'{"error":["x"]}'),
        (502, None, b"x" * 700_000),
    ],
)
def test_an_answer_that_cannot_be_read_is_refused(status: int, content_type: str | None, body: bytes) -> None:
    with pytest.raises(errors.BadTokenAnswer):
        token_answer.parse(status, content_type, body)


def test_a_huge_or_deep_answer_is_refused() -> None:
    with pytest.raises(errors.TooLarge):
        token_answer.parse(200, JSON, tokens(x="x" * 700_000))
    with pytest.raises(errors.TooLarge):
        token_answer.parse(200, JSON, b'{"x":' * 5_000 + b"1" + b"}" * 5_000)


@pytest.mark.parametrize("status", [200, 400, 401])
def test_an_error_of_the_token_endpoint_says_what_to_do(status: int) -> None:
    body = json.dumps({"error": "invalid_client", "error_description": "AADSTS7000222: expired"}).encode()
    with pytest.raises(errors.ProviderSaidNo) as refused:
        token_answer.parse(status, JSON, body)
    assert "secret" in refused.value.text
    assert refused.value.description == "AADSTS7000222: expired"


# -- userinfo ---------------------------------------------------------------------------------------------------------


def test_userinfo_about_the_same_person() -> None:
    assert told({"sub": "mei-1", "email": "mei@kicks.example"}).claims["email"] == "mei@kicks.example"


@pytest.mark.parametrize("sub", ["mei-2", "MEI-1", "mei-1 ", "", 1, None, ["mei-1"]])
def test_userinfo_about_another_person_is_refused(sub: object) -> None:
    """OpenID Connect Core 5.3.2; the Foundation's oidcc-client-test-userinfo-invalid-sub."""
    with pytest.raises(errors.WrongUserinfoSubject):
        told({"sub": sub, "email": "mallory@evil.example"})
    with pytest.raises(errors.WrongUserinfoSubject):
        told({"email": "mallory@evil.example"})
    with pytest.raises(errors.WrongUserinfoSubject):
        told(sign({"sub": sub}).encode(), "application/jwt")


@pytest.mark.parametrize("said", [{}, {"iss": ISSUER, "aud": CLIENT_ID}, {"aud": [CLIENT_ID]}])
def test_signed_userinfo(said: dict[str, object]) -> None:
    assert told(sign({"sub": "mei-1", **said}).encode(), "application/jwt").subject == "mei-1"


def test_signed_userinfo_must_be_the_providers_and_ours() -> None:
    with pytest.raises(errors.BadSignature):
        told(sign({"sub": "mei-1"}, by="mallory", kid="rsa").encode(), "application/jwt")
    with pytest.raises(errors.UnknownKey):
        told(sign({"sub": "mei-1"}, by="next").encode(), "application/jwt", keys=published(public("rsa")))
    with pytest.raises(errors.ForbiddenAlgorithm):
        told(sign({"sub": "mei-1"}, alg="none").encode(), "application/jwt")
    with pytest.raises(errors.WrongIssuer):
        told(sign({"sub": "mei-1", "iss": "https://evil.example"}).encode(), "application/jwt")
    for audience in ("another", ["another"], None, 1, {CLIENT_ID: 1}):
        with pytest.raises(errors.WrongAudience):
            told(sign({"sub": "mei-1", "aud": audience}).encode(), "application/jwt")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/html", b"{}"),
        (None, b"{}"),
        (JSON, b"[]"),
        (JSON, b'{"sub":"mei-1","sub":"mei-1"}'),
        (JSON, sign({"sub": "mei-1"}).encode()),
        ("application/jwt", b"\xff"),
    ],
)
def test_userinfo_that_cannot_be_read_is_refused(content_type: str | None, body: bytes) -> None:
    with pytest.raises(errors.BadUserinfo):
        told(body, content_type)


def test_huge_userinfo_is_refused() -> None:
    with pytest.raises(errors.TooLarge):
        told({"sub": "mei-1", "x": "x" * 400_000})
