"""Logout tokens that are good (OpenID Connect Back-Channel Logout 1.0)."""

import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from oidc import errors
from oidc.logout_token import CHECKS, LogoutToken, validate
from tests.oidc.provider import CLIENT, CLIENT_ID, KICKS, NOW, keys, logout_claims, public, published, sign


def validated(**changes: Any) -> LogoutToken:
    """A logout token of KICKS's, validated."""
    header = {name: changes.pop(name) for name in ("typ", "by", "alg") if name in changes}
    return validate(sign(logout_claims(**changes), **header), KICKS, keys(), CLIENT, now=NOW)


def test_a_logout_token_says_whom_and_until_when_to_remember_it() -> None:
    token = validated()
    assert (token.subject, token.session_id, token.id) == ("mei-1", "session-1", "logout-1")
    assert token.until == NOW + timedelta(seconds=120 + 60)


@pytest.mark.parametrize(("changes", "named"), [({"sid": None}, ("mei-1", None)), ({"sub": None}, (None, "session-1"))])
def test_one_of_subject_and_session_is_enough(changes: dict[str, Any], named: tuple[str | None, str | None]) -> None:
    token = validated(**changes)
    assert (token.subject, token.session_id) == named


@pytest.mark.parametrize("typ", [None, "JWT", "logout+jwt", "LOGOUT+JWT", "application/logout+jwt"])
def test_a_type_may_be_absent(typ: str | None) -> None:
    assert validated(typ=typ).subject == "mei-1"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": [CLIENT_ID]},
        {"events": {"http://schemas.openid.net/event/backchannel-logout": {"x": 1}, "other": {}}},
        {"by": "p256", "alg": "ES256"},
    ],
)
def test_what_the_standard_leaves_open_is_accepted(changes: dict[str, Any]) -> None:
    assert validated(**changes).subject == "mei-1"


def test_a_new_key_is_said_to_be_unknown() -> None:
    with pytest.raises(errors.UnknownKey):
        validate(sign(logout_claims(), by="next"), KICKS, published(public("rsa")), CLIENT, now=NOW)


def test_only_validate_makes_a_logout_token() -> None:
    with pytest.raises((TypeError, ValueError)):
        dataclasses.replace(validated(), subject="mallory")  # type: ignore[call-arg]


def test_checks_have_distinct_names_and_say_what_they_hold() -> None:
    assert len({check.name for check in CHECKS}) == len(CHECKS)
    assert all(check.check.__doc__ and check.paragraph for check in CHECKS)
