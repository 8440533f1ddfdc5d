"""What a log may keep of a message: no secret, nothing endless."""

from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scim.redaction import BLACKED_OUT, LONGEST_BODY, is_secret, redact_address, redact_body, redact_text

SECRET = "correct-horse-battery"
PASSWORD = "urn:ietf:params:scim:schemas:core:2.0:User:password"


def kept(body: Any) -> Any:
    return redact_body(orjson.dumps(body)).value


@pytest.mark.parametrize(
    "body",
    [
        {"password": SECRET},
        {"PassWord": [SECRET]},
        {PASSWORD: SECRET},
        {"urn:example:2.0:User": {"apiToken": {"value": SECRET}}},
        {"Operations": [{"op": "Replace", "Path": "password", "Value": SECRET}]},
        {"Operations": [{"op": "add", "path": PASSWORD, "value": {"any": [SECRET]}}]},
        {"Operations": [{"op": "add", "value": {"password": SECRET}}]},
        {"Operations": [{"method": "POST", "path": "/Users", "data": {"password": SECRET}}]},
        {"Operations": [{"op": "remove", "path": f'members[password eq "{SECRET}"]'}]},
        {"filter": f'password eq "{SECRET}"'},
    ],
)
def test_a_secret_is_blacked_out_wherever_it_stands(body: dict[str, Any]) -> None:
    shown = orjson.dumps(kept(body)).decode()
    assert SECRET not in shown
    assert BLACKED_OUT in shown


def test_what_is_no_secret_stays_as_it_was() -> None:
    body = {"userName": "ann", "active": True, "emails": [{"value": "a@b.c", "primary": None}], "n": 1.5}
    assert kept(body) == body


def test_an_echo_of_a_secret_is_blacked_out_too() -> None:
    request = redact_body(orjson.dumps({"password": SECRET}))
    answer = redact_body(orjson.dumps({"detail": f"{SECRET} is too short"}), request.secrets)
    assert answer.value == {"detail": f"{BLACKED_OUT} is too short"}
    assert redact_text(f"no {SECRET}", request.secrets) == f"no {BLACKED_OUT}"


def test_of_what_is_not_json_only_the_length_is_kept() -> None:
    assert redact_body(b'{"password": "hunter2').value == "21 bytes that are not JSON, not kept"
    assert redact_body(b"x" * (LONGEST_BODY + 1)).value == "100,001 bytes, too long to keep"
    assert redact_body(b" ").value is None


def test_long_lists_and_texts_are_cut_and_say_so() -> None:
    body = kept({"members": [{"value": str(n)} for n in range(1_000)], "title": "x" * 1_500})
    assert len(body["members"]) == 21
    assert body["members"][-1] == "… 980 more"
    assert body["title"] == f"{'x' * 1_000}… 1,500 characters"


@pytest.mark.parametrize(
    ("path", "query", "shown"),
    [
        ("/Users", b"", "/Users"),
        ("/Users", b"filter=userName%20eq%20%22ann%22&count=2", '/Users?filter=userName eq "ann"&count=2'),
        ("/Users", b"access_token=hunter22&x", f"/Users?access_token={BLACKED_OUT}&x"),
        ("/Users", b"filter=password+sw+%22hun%22", f'/Users?filter=password sw "{BLACKED_OUT}"'),
        ("/Us\ners", b"a=%00%26b", "/Us%0Aers?a=%00%26b"),
        ("/Users", b"a=%ff", "/Users?a=�"),
    ],
)
def test_an_address_is_kept_without_secrets_on_one_line(path: str, query: bytes, shown: str) -> None:
    assert redact_address(path, query) == shown


def test_names_that_speak_of_secrets_are_known_by_what_they_say() -> None:
    assert all(map(is_secret, ("password", PASSWORD, "x:clientSecret", "refresh_token", "Authorization", "apiKey")))
    assert not any(map(is_secret, ("userName", "passport", "members", "externalId", "keyboard")))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=30) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=60,
)


@given(_JSON, st.sampled_from(["password", "PASSWORD", "token"]))
def test_no_value_under_a_secret_name_is_kept(inner: Any, name: str) -> None:
    marked = {"deep": [{name: [SECRET, inner]}], "more": inner}
    shown = redact_body(orjson.dumps(marked)).value
    assert SECRET not in orjson.dumps(shown).decode()


_NAMES = st.sampled_from(
    [
        "userName",
        "pass-word",
        "pass",
        "word",
        "toKen",
        "to\u212aen",
        "api_Key",
        "path",
        "filter",
        "value",
        "é",
        "n\\",
        "",
    ]
)
_TEXTS = st.sampled_from(["ann", "password", 'emails[type eq "work"]', 'pass"x"word eq "1"', "x" * 990, "to", "ken"])
_BODIES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | _TEXTS,
    lambda inner: st.lists(inner, max_size=24) | st.dictionaries(_NAMES, inner, max_size=5),
    max_leaves=40,
)


@given(_BODIES)
@example([[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["deep"]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]])
@example([0] * 21)
@example({"members": [{}] * 20})
@example({"path": "value", "value": ["a"]})
@example({"pass": "word"})
@example({"path": 'pass"x"word', "value": "a"})
@example({"path": 'pass"x', "value": "a"})
@example({"path": 'members[value eq "a"]'})
@example({"filter": 'a"word"pass eq "b'})
def test_a_body_without_a_hint_of_a_secret_is_kept_as_the_walk_through_it_would_keep_it(body: Any) -> None:
    sent = orjson.dumps(body)
    by_the_walk = redact_body(sent, frozenset({"a secret that is not in it"}))
    assert redact_body(sent) == by_the_walk
