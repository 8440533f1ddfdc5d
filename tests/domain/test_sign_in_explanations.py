"""Each refusal tells its reader what is wrong, whose turn it is, and where in that IdP's console to mend it."""

import inspect
import re
from datetime import UTC, datetime
from typing import get_args

import pytest

from bridge.domain.sign_in_consoles import CONSOLES, OidcSetting, Protocol, SamlSetting
from bridge.domain.sign_in_explanations import EXPLANATIONS, OIDC_EXPLANATIONS, Explanation, Turn, explain
from oidc import errors as oidc_errors
from oidc.claims import PRESETS as OIDC_PRESETS
from saml import errors as saml_errors
from saml.attributes import PRESETS as SAML_PRESETS

SETTINGS = {"saml": set(get_args(SamlSetting)), "oidc": set(get_args(OidcSetting))}
#: Words by which a console path of one protocol would betray itself in the other's.
FOREIGN = {
    "saml": re.compile(r"OpenID|ID token|OAuth|Client Secret|App registrations|[Ss]copes?\b"),
    "oidc": re.compile(r"SAML|Assertion|Name ID|NameID|Attributes & Claims|Relying Party|ACS|Attribute [Ss]tatements"),
}
#: A sentence that tells somebody to do something.
FIX = re.compile(
    r"(?:^|[.;:,] |At the identity provider |be, )(?:if it stays so, )?(?:set|choose|import|have|check|start|switch"
    r"|correct|encrypt|see|add|remove|send|follow|take|compare|try|show|sign|invite|allow|assign|give|reactivate|begin|read|make|enable|they|let"
    r"|use|allow|look|nothing is to be|its log|it is decided|whoever)\b",
    re.IGNORECASE,
)


def told(code: str, preset: str, kind: Protocol) -> Explanation:
    found = explain(code, preset, "Acme IdP", kind)
    assert found
    return found


def codes(kind: Protocol) -> set[str]:
    return set(EXPLANATIONS) | (set(OIDC_EXPLANATIONS) if kind == "oidc" else set())


@pytest.mark.parametrize("kind", ["saml", "oidc"])
def test_every_preset_has_a_console_that_answers_for_every_setting_of_its_protocol(kind: Protocol) -> None:
    presets = SAML_PRESETS if kind == "saml" else OIDC_PRESETS
    assert set(CONSOLES[kind]) == set(presets) - {"generic"}
    for preset, console in CONSOLES[kind].items():
        assert set(console) == SETTINGS[kind], preset
        for setting, place in console.items():
            assert bool(place.path) != bool(place.instead), (preset, setting)
            assert not FOREIGN[kind].search(place.path), (preset, setting)


@pytest.mark.parametrize("kind", ["saml", "oidc"])
def test_every_refusal_is_about_a_setting_of_its_own_protocol_and_every_setting_is_used(kind: Protocol) -> None:
    other = SETTINGS["oidc" if kind == "saml" else "saml"] - SETTINGS[kind]
    used = {told(code, "generic", kind).setting for code in codes(kind)}
    assert not used & other
    assert SETTINGS[kind] <= used


@pytest.mark.parametrize("kind", ["saml", "oidc"])
def test_every_explanation_is_whole_and_tells_what_to_do(kind: Protocol) -> None:
    for preset in (*CONSOLES[kind], "generic"):
        for code in codes(kind):
            found = told(code, preset, kind)
            assert "{" not in f"{found.title}{found.todo}{found.where}"
            assert FIX.search(found.todo), (code, found.todo)
            assert found.turn != "idp" or not found.todo.startswith("It is decided here"), code
            if found.setting in SETTINGS[kind] and preset != "generic":
                place = CONSOLES[kind][preset][found.setting]
                assert found.where == (place.path or None)
                assert place.instead in found.todo
            if found.turn in ("person", "vendor"):
                assert found.where is None, code


#: By (kind, code, preset): whose turn it is, and a part of the path; "" where that console has no such setting.
TABLE: list[tuple[Protocol, str, str, Turn, str]] = [
    ("saml", "too-large", "okta", "idp", "Group Attribute Statements"),
    ("saml", "too-large", "adfs", "idp", "the rule that gives Group"),
    ("saml", "missing-expiry", "onelogin", "idp", "SAML notOnOrAfter"),
    ("saml", "missing-expiry", "adfs", "idp", "-TokenLifetime"),
    ("saml", "missing-expiry", "google", "idp", ""),
    ("saml", "never-valid", "ping", "idp", "Assertion Validity Duration"),
    ("saml", "not-one-authentication", "okta", "vendor", ""),
    ("saml", "not-one-assertion", "entra", "vendor", ""),
    ("saml", "duplicate-id", "adfs", "vendor", ""),
    ("saml", "split-text", "generic", "vendor", ""),
    ("saml", "wrong-version", "okta", "vendor", ""),
    ("saml", "unknown-condition", "okta", "vendor", ""),
    ("saml", "forbidden-doctype", "okta", "vendor", ""),
    ("saml", "in-response-to-mismatch", "okta", "vendor", ""),
    ("saml", "not-confirmed", "okta", "vendor", ""),
    ("saml", "wrong-authn-context", "okta", "idp", "Authentication context class"),
    ("saml", "wrong-authn-context", "entra", "idp", "Conditional Access"),
    ("saml", "wrong-authn-context", "jumpcloud", "idp", ""),
    ("saml", "not_fresh", "okta", "idp", "Honor Force Authentication"),
    ("saml", "not_fresh", "adfs", "idp", "-AlwaysRequireAuthentication"),
    ("saml", "wrong-logout-destination", "okta", "idp", "Single Logout URL"),
    ("saml", "wrong-logout-destination", "google", "idp", ""),
    ("saml", "logout_repeated", "okta", "person", ""),
    ("saml", "bad-signature", "okta", "bridge", "Metadata URL"),
    ("saml", "unsolicited", "okta", "bridge", ""),
    ("saml", "shared_email", "entra", "idp", "Users › the person"),
    ("saml", "expired", "okta", "servers", ""),
    ("oidc", "email-not-verified", "entra", "idp", "App registrations › your application › Manifest"),
    ("oidc", "email-not-verified", "keycloak", "idp", "Email verified: On"),
    ("oidc", "missing-email", "entra", "idp", "Token configuration"),
    ("oidc", "malformed-email", "auth0", "idp", "User Management"),
    ("oidc", "wrong-issuer", "keycloak", "bridge", "Realm settings"),
    ("oidc", "issuer-mismatch", "okta", "bridge", "OpenID Connect ID Token › Issuer"),
    ("oidc", "wrong-tenant", "entra", "bridge", "Directory (tenant) ID"),
    ("oidc", "template-issuer", "google", "bridge", ""),
    ("oidc", "forbidden-algorithm", "auth0", "idp", "JSON Web Token Signature Algorithm"),
    ("oidc", "encrypted-token", "okta", "idp", "ID Token Encryption"),
    ("oidc", "forbidden-algorithm", "okta", "idp", ""),
    ("oidc", "not-fresh", "google", "idp", "Session age claims"),
    ("oidc", "not_fresh", "entra", "idp", "auth_time"),
    ("oidc", "too-large", "keycloak", "idp", "mapper"),
    ("oidc", "unusable_identity", "okta", "vendor", ""),
    ("oidc", "wrong-hosted-domain", "google", "person", ""),
    ("oidc", "mixed-up", "keycloak", "bridge", "Realm settings"),
]


@pytest.mark.parametrize(
    ("kind", "code", "preset", "turn", "path"), TABLE, ids=[f"{row[0]}-{row[1]}-{row[2]}" for row in TABLE]
)
def test_a_refusal_says_whose_turn_it_is_and_where(
    kind: Protocol, code: str, preset: str, turn: Turn, path: str
) -> None:
    found = told(code, preset, kind)
    assert found.turn == turn
    assert path in (found.where or "")
    assert bool(path) == bool(found.where)
    if turn == "idp" and not path:
        assert "We know of no setting" in found.todo


def below(base: type) -> list[type]:
    subclasses: list[type] = base.__subclasses__()
    return [base, *(found for one in subclasses for found in below(one))]


def made(kind: type[Exception]) -> Exception:
    """One of that class, of whatever it asks for."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    samples = {"datetime": at, "tuple": ("a",)}
    wanted = [one for one in inspect.signature(kind).parameters.values() if one.default is inspect.Parameter.empty]
    return kind(*(next((v for k, v in samples.items() if k in str(one.annotation)), "a") for one in wanted))


ROOTS = (saml_errors.Refused, oidc_errors.Refused)
REFUSALS = [one for root in ROOTS for one in below(root) if one is not root]


@pytest.mark.parametrize("refusal", REFUSALS, ids=[f"{one.__module__}.{one.__name__}" for one in REFUSALS])
def test_the_text_of_every_refusal_names_a_fix(refusal: type[Exception]) -> None:
    text = made(refusal).text  # type: ignore[attr-defined]
    assert len(re.findall(r"[.!](?: |$)", text)) >= 2, text
    assert FIX.search(text.partition(". ")[2]) or FIX.search(text.partition(": ")[2]), text


def test_whatever_an_idp_says_no_with_the_text_names_a_fix() -> None:
    for status in (*saml_errors._STATUS_TEXTS, "SomethingElse"):
        assert FIX.search(saml_errors.IdpSaidNo(status).text.partition(". ")[2]), status
    for error in (*oidc_errors._ERROR_TEXTS, "something_else"):
        assert FIX.search(oidc_errors.ProviderSaidNo(error).text.partition(". ")[2]), error
