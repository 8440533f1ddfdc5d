"""Security Event Tokens that are good, and what of an ID token is never one (RFC 8417)."""

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from oidc import errors, id_token, logout_token
from oidc.security_event import CHECKS, OLDEST, SecurityEvent, validate
from tests.oidc.provider import CLIENT, CLIENT_ID, ISSUER, KICKS, NOW, SECONDS, answer, keys, sign

KIND = "https://schemas.openid.net/secevent/risc/event-type/identifier-changed"
PERSON = {"format": "iss_sub", "iss": ISSUER, "sub": "mei-1"}


def event_claims(**changes: Any) -> dict[str, Any]:
    """A good event about Mei; a claim that is None is left out."""
    good: dict[str, Any] = {"iss": ISSUER, "aud": CLIENT_ID, "iat": SECONDS - 5, "jti": "event-1", "sub_id": PERSON}
    good |= {"events": {KIND: {"new-value": "mei@home.example", "email_verified": True}}}
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def event(*, without: str = "", typ: str | None = "secevent+jwt", **changes: Any) -> SecurityEvent:
    """An event of KICKS's, validated by all checks but one."""
    checks = tuple(check for check in CHECKS if check.name != without)
    return validate(sign(event_claims(**changes), typ=typ), KICKS, keys(), CLIENT, now=NOW, checks=checks)


def test_an_event_says_what_about_whom_and_until_when_to_remember_it() -> None:
    told = event()
    assert (told.type, told.subject, told.email, told.id) == (KIND, "mei-1", "mei@home.example", "event-1")
    assert told.at == datetime.fromtimestamp(SECONDS - 5, UTC)
    assert told.until == told.at + OLDEST + timedelta(seconds=60)


@pytest.mark.parametrize(
    ("about", "said", "who"),
    [
        pytest.param({"format": "complex", "user": PERSON}, {}, "mei-1", id="complex"),
        pytest.param({"format": "email", "email": "mei@kicks.example"}, {"account": PERSON}, "mei-1", id="account"),
        pytest.param({"format": "email", "email": "mei@kicks.example"}, {}, None, id="address"),
        pytest.param({**PERSON, "iss": "https://evil.example"}, {}, None, id="another issuer's"),
        pytest.param({**PERSON, "sub": 7}, {}, None, id="number"),
        pytest.param(None, {}, None, id="nobody"),
    ],
)
def test_a_person_is_named_by_issuer_and_subject_alone(about: object, said: dict[str, Any], who: str | None) -> None:
    assert event(sub_id=about, events={KIND: said}).subject == who


ATTACKS = [
    pytest.param("type-is-a-security-events", errors.NotASecurityEvent, {"typ": None}, id="no type"),
    pytest.param("issuer-is-the-provider", errors.WrongIssuer, {"iss": "https://evil.example"}, id="issuer"),
    pytest.param("audience-is-ours", errors.WrongAudience, {"aud": "another"}, id="audience"),
    pytest.param("is-not-from-the-future", errors.NotYetValid, {"iat": SECONDS + 3600}, id="future"),
    pytest.param("is-not-too-old", errors.TooOld, {"iat": SECONDS - 31 * 86400}, id="old"),
    pytest.param("has-an-id", errors.MissingTokenId, {"jti": None}, id="no id"),
    pytest.param("has-no-claims-of-other-tokens", errors.NotASecurityEvent, {"nonce": "n"}, id="nonce"),
    pytest.param("has-no-claims-of-other-tokens", errors.NotASecurityEvent, {"sub": "mei-1"}, id="sub"),
    pytest.param("has-no-claims-of-other-tokens", errors.NotASecurityEvent, {"exp": SECONDS + 60}, id="exp"),
]


@pytest.mark.parametrize(("check", "reason", "changes"), ATTACKS)
def test_each_check_refuses_and_without_it_the_attack_gets_through(
    check: str, reason: type[errors.Refused], changes: dict[str, Any]
) -> None:
    with pytest.raises(reason) as refusal:
        event(**changes)
    assert refusal.value.check == check
    assert event(without=check, **changes).type == KIND


@pytest.mark.parametrize("events", [None, {}, [], {"a": {}, "b": {}}, {KIND: "x"}])
def test_anything_but_one_event_is_refused(events: object) -> None:
    with pytest.raises(errors.NotASecurityEvent):
        event(events=events)


def test_no_token_is_taken_for_one_of_another_kind() -> None:
    pushed = sign(event_claims(), typ="secevent+jwt")
    with pytest.raises(errors.WrongType):
        id_token.validate(answer(pushed), KICKS, keys(), CLIENT, nonce="n", now=NOW, max_age=None)
    with pytest.raises(errors.WrongType):
        logout_token.validate(pushed, KICKS, keys(), CLIENT, now=NOW)
    for typ in ("JWT", "logout+jwt", "at+jwt"):
        with pytest.raises(errors.WrongType):
            event(typ=typ)


def test_only_validate_makes_an_event() -> None:
    with pytest.raises((TypeError, ValueError)):
        dataclasses.replace(event(), subject="mallory")  # type: ignore[call-arg]
