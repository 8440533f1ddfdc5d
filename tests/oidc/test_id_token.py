"""ID tokens that are good, in every way that providers make them."""

import dataclasses
import re
from datetime import timedelta
from pathlib import Path

import pytest

from oidc import errors, toolkit
from oidc.id_token import CHECKS, IdToken
from tests.oidc.provider import (
    CLIENT_ID,
    KICKS,
    NOW,
    SECONDS,
    at_hash,
    claims,
    keys,
    public,
    published,
    sign,
    validated,
)

ALGORITHMS = (
    *((f"{family}{bits}", "rsa") for family in ("RS", "PS") for bits in (256, 384, 512)),
    ("ES256", "p256"),
    ("ES384", "p384"),
    ("ES512", "p521"),
    ("EdDSA", "ed"),
    ("Ed25519", "ed"),
)


def test_a_good_token_says_who_when_and_in_which_session() -> None:
    token = validated(sign(claims()))
    assert (token.issuer, token.subject, token.session_id) == (KICKS.issuer, "mei-1", "session-1")
    assert token.expires_at == NOW + timedelta(seconds=300)
    assert token.authenticated_at == NOW - timedelta(seconds=20)
    assert token.claims["groups"] == ["Engineering", "Runners"]


@pytest.mark.parametrize(("algorithm", "by"), ALGORITHMS)
@pytest.mark.parametrize("kid", [True, False])
def test_every_accepted_algorithm_with_and_without_a_key_id(algorithm: str, by: str, kid: bool) -> None:
    token = sign(claims(at_hash=at_hash(algorithm=algorithm)), by=by, alg=algorithm, kid=by if kid else None)
    assert validated(token).subject == "mei-1"


@pytest.mark.parametrize("typ", [None, "JWT", "jwt", "application/jwt", "id_token+jwt"])
def test_a_type_may_be_absent_or_said_in_any_case(typ: str | None) -> None:
    assert validated(sign(claims(), typ=typ)).subject == "mei-1"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": [CLIENT_ID]},
        {"aud": [CLIENT_ID, "another"], "azp": CLIENT_ID},
        {"azp": CLIENT_ID},
        {"nbf": SECONDS},
        {"iat": SECONDS - 0.5, "exp": SECONDS + 60.25},
        {"auth_time": None, "sid": None},
        {"amr": ["pwd", "otp"], "acr": "2"},
        {"sub": "x" * 255},
        {"events": {"https://other.example": {}}},
        {"sub": "mei|日本"},
    ],
)
def test_what_the_standard_leaves_open_is_accepted(changes: dict[str, object]) -> None:
    assert validated(sign(claims(**changes))).issuer == KICKS.issuer


def test_keys_that_the_token_brings_or_points_to_are_not_read() -> None:
    token = sign(claims(), jku="https://evil.example/keys", jwk=public("mallory"), x5u="https://evil.example/x5u")
    assert validated(token).subject == "mei-1"


@pytest.mark.parametrize("skewed", [{"exp": SECONDS - 59}, {"iat": SECONDS + 60, "nbf": SECONDS + 60}])
def test_clocks_may_differ_by_the_connections_clock_skew(skewed: dict[str, int]) -> None:
    assert validated(sign(claims(**skewed))).subject == "mei-1"
    with pytest.raises((errors.Expired, errors.NotYetValid)):
        validated(sign(claims(**skewed)), clock_skew=30)


def test_six_hundred_groups_fit() -> None:
    groups = [f"{number:08d}-0000-4000-8000-{number:012d} a group with a rather long name" for number in range(600)]
    assert len(validated(sign(claims(groups=groups))).claims["groups"]) == 600


def test_max_age_asks_for_a_recent_sign_in() -> None:
    assert validated(sign(claims(auth_time=SECONDS - 300)), max_age=300).authenticated_at is not None
    with pytest.raises(errors.NotFresh):
        validated(sign(claims(auth_time=SECONDS - 361)), max_age=300)
    with pytest.raises(errors.NotFresh):
        validated(sign(claims(auth_time=None)), max_age=300)


def test_max_age_zero_is_one_that_was_asked_for() -> None:
    assert validated(sign(claims(auth_time=SECONDS)), max_age=0).subject == "mei-1"
    with pytest.raises(errors.NotFresh):
        validated(sign(claims(auth_time=SECONDS - 61)), max_age=0)


def test_a_key_that_is_not_known_yet_is_said_to_be_unknown() -> None:
    old = published(public("rsa"))
    token = sign(claims(), by="next")
    with pytest.raises(errors.UnknownKey):
        validated(token, keys=old)
    assert validated(token, keys=keys()).subject == "mei-1"


def test_without_a_key_id_every_fitting_key_is_tried_and_a_new_one_may_help() -> None:
    several = published(public("next"), public("p256"), public("rsa", kid=None))
    token = sign(claims(), kid=None)
    assert validated(token, keys=several).subject == "mei-1"
    with pytest.raises(errors.UnknownKey):
        validated(token, keys=published(public("next"), public("p256")))


def test_keys_may_share_an_id() -> None:
    same = published(public("p256", kid="same"), public("next", kid="same"), public("rsa", kid="same"))
    assert validated(sign(claims(), kid="same"), keys=same).subject == "mei-1"


def test_only_so_many_keys_are_tried() -> None:
    many = published(*(public("next", kid=None) for _ in range(10)), public("rsa", kid=None))
    with pytest.raises(errors.UnknownKey):
        validated(sign(claims(), kid=None), keys=many)


def test_only_validate_makes_an_id_token() -> None:
    token = validated(sign(claims()))
    with pytest.raises((TypeError, ValueError)):
        dataclasses.replace(token, subject="mallory")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        IdToken(
            issuer="", subject="", issued_at=NOW, expires_at=NOW, authenticated_at=None, session_id=None, claims={},
            text="", seal=object(),
        )  # fmt: skip


def test_the_token_itself_is_not_shown_where_it_is_printed() -> None:
    text = sign(claims())
    assert text not in repr(validated(text))
    assert "mei@" not in repr(validated(text))


def test_checks_have_distinct_names_and_say_what_they_hold() -> None:
    assert len({check.name for check in CHECKS}) == len(CHECKS)
    assert all(check.check.__doc__ and check.paragraph for check in CHECKS)


def test_no_other_module_names_the_seal() -> None:
    root = Path(__file__).parents[2]
    paths = (path for package in ("bridge", "oidc", "simulated") for path in (root / package).rglob("*.py"))
    naming = {path.name for path in paths if re.search(r"\b_SEAL\b", path.read_text(encoding="utf-8"))}
    assert naming == {"id_token.py", "logout_token.py", "security_event.py"}  # each its own


@pytest.mark.parametrize("algorithm", ["PS256", "RS512", "HS256", "none"])
def test_a_signature_is_verified_by_the_chosen_algorithm_whatever_the_header_says(algorithm: str) -> None:
    [native] = [one.native for one in keys().keys if one.kid == "rsa"]
    assert toolkit.verify(sign(claims()), native, "RS256") is not None
    assert toolkit.verify(sign(claims(), alg=algorithm), native, "RS256") is None
    assert toolkit.verify(sign(claims()), native, algorithm) is None
