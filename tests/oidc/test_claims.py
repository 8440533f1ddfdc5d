"""From claims to names, by preset."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import pytest

from oidc import errors
from oidc.claims import PRESETS, AssertedNames, ClaimMapping, needs_userinfo, read
from oidc.id_token import IdToken
from oidc.userinfo import Userinfo
from saml.attributes import AssertedNames as SamlNames
from tests.oidc.provider import KICKS, claims, sign, validated


def token(**changes: Any) -> IdToken:
    """A validated ID token of Mei's with other claims."""
    return validated(sign(claims(**changes)))


def names(preset: str = "generic", info: Mapping[str, Any] | None = None, **changes: Any) -> AssertedNames:
    """What is read from Mei's token, and userinfo, by a preset."""
    told = None if info is None else Userinfo("mei-1", {"sub": "mei-1", **info})
    return read(token(**changes), told, PRESETS[preset])


def test_the_usual_claims() -> None:
    asserted = ("mei-1", "mei@kicks.example", "Mei Tanaka", ("Engineering", "Runners"))
    assert names() == AssertedNames(*asserted, email_vouched=True)


def test_what_is_asserted_is_what_saml_asserts() -> None:
    theirs = [(one.name, one.type) for one in fields(SamlNames)]
    assert [(one.name, one.type) for one in fields(AssertedNames)][: len(theirs)] == theirs


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"name": None, "given_name": "Mei", "family_name": "Tanaka"}, "Mei Tanaka"),
        ({"name": None, "given_name": "Mei"}, "Mei"),
        ({"name": " "}, "mei"),
        ({"name": "x" * 1_000}, "x" * 256),
        ({"name": " Mei\t Tanaka\r\n"}, "Mei Tanaka"),
        ({"name": "Mei\x07"}, "Mei"),
        ({"name": "می\u200cسا"}, "می\u200cسا"),
    ],
)
def test_a_name_is_put_together_from_what_there_is(changes: dict[str, Any], name: str) -> None:
    assert names(**changes).name == name


@pytest.mark.parametrize("preset", [name for name in PRESETS if name != "google"])
def test_every_preset_reads_the_standard_claims(preset: str) -> None:
    assert names(preset) == names()


# -- email ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("email", ["", " ", None, []])
def test_without_an_email_nobody_is_signed_in(email: object) -> None:
    with pytest.raises(errors.MissingEmail):
        names(email=email)


@pytest.mark.parametrize(
    "email",
    [
        "mei",
        "mei@",
        "@kicks.example",
        "mei@kicks",
        "mei@kicks.example,mallory@evil.example",
        "mei@kicks.example mallory@evil.example",
        "<mei@kicks.example>",
        "mei@@kicks.example",
        "mei\n@kicks.example",
        "mei@kicks.example\n",
        "mei@kicks.example\u200b",
        "mei@kicks.example.",
        "méi@kicks.example",
        '"mei"@kicks.example',
        "x" * 65 + "@kicks.example",
        "mei@" + "x." * 150 + "example",
    ],
)
def test_an_email_that_is_none_is_refused(email: str) -> None:
    with pytest.raises(errors.MalformedEmail):
        names(email=email)


@pytest.mark.parametrize("email", [1, True, ["mei@kicks.example"], {"value": "mei@kicks.example"}])
def test_an_email_of_another_type_is_refused(email: object) -> None:
    with pytest.raises(errors.MalformedClaim):
        names(email=email)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("word", [False, "false", 0, "no", "", "True ", None, [], [True], {}, 2, 1.0])
def test_an_email_that_the_provider_does_not_vouch_for_is_refused(preset: str, word: object) -> None:
    changes = {"hd": "kicks.example"} if preset == "google" else {}
    mei = validated(_signed_with(word, **changes))
    with pytest.raises(errors.EmailNotVerified):
        read(mei, None, PRESETS[preset])


def _signed_with(word: object, **changes: Any) -> str:
    return sign({**claims(**changes), "email_verified": word})


@pytest.mark.parametrize("word", [True, "true"])
def test_an_email_that_is_verified_in_either_spelling_is_taken(word: object) -> None:
    assert names(email_verified=word).email == "mei@kicks.example"


@pytest.mark.parametrize("preset", PRESETS)
def test_silence_is_a_no_where_the_provider_always_says_it(preset: str) -> None:
    """properties.md 2: a missing claim is a no; Entra ID, Okta and others leave it out of good tokens."""
    silent: dict[str, Any] = {"email_verified": None, "hd": "kicks.example"}
    if PRESETS[preset].says_verified:
        with pytest.raises(errors.EmailNotVerified):
            names(preset, **silent)
    else:
        assert names(preset, **silent).email == "mei@kicks.example"
    assert {name for name, one in PRESETS.items() if one.says_verified} == {"google", "auth0", "keycloak"}


def test_a_no_in_userinfo_counts_too() -> None:
    with pytest.raises(errors.EmailNotVerified):
        names(info={"email_verified": False})


# -- whether an account may be opened by it ----------------------------------------------------------------------------

SILENT: dict[str, Any] = {"email_verified": None}
VOUCHED: dict[str, tuple[str, dict[str, Any], dict[str, Any] | None, bool]] = {
    "the token says it": ("generic", {}, None, True),
    "nobody says it": ("okta", SILENT, None, False),
    "userinfo says it of the same address": (
        "okta",
        SILENT,
        {"email": "mei@kicks.example", "email_verified": True},
        True,
    ),
    "userinfo says it of another address": ("okta", SILENT, {"email": "m@evil.example", "email_verified": True}, False),
    "it is said of no address": ("okta", SILENT, {"email_verified": True}, False),
    "Entra ID, as it comes": ("entra", SILENT, None, False),
    "Entra ID with xms_edov": ("entra", SILENT | {"xms_edov": True}, None, True),
    "Entra ID with xms_edov as a digit": ("entra", SILENT | {"xms_edov": "1"}, None, True),
    "the sign-in name stands in": (
        "entra",
        SILENT | {"xms_edov": True, "email": None, "preferred_username": "mei@kicks.example"},
        None,
        False,
    ),
}


@pytest.mark.parametrize("case", VOUCHED)
def test_an_address_is_vouched_for_only_where_the_provider_says_so_of_it(case: str) -> None:
    preset, changes, info, vouched = VOUCHED[case]
    told = names(preset, info, **changes)
    assert (told.email, told.email_vouched) == ("mei@kicks.example", vouched)


def test_an_owner_may_vouch_for_what_the_provider_says_nothing_of() -> None:
    trusting = replace(PRESETS["entra"], trusted=True)
    assert read(token(email_verified=None), None, trusting).email_vouched
    with pytest.raises(errors.EmailNotVerified):
        read(token(email_verified=None, xms_edov=False), None, trusting)


def test_entra_pushes_people_by_another_id_than_it_signs_them_in() -> None:
    assert names("entra", oid="object-1").directory_id == "object-1"
    assert names("entra").directory_id is None
    assert names("okta", oid="object-1").directory_id is None


# -- userinfo ---------------------------------------------------------------------------------------------------------


def test_userinfo_gives_what_the_token_does_not() -> None:
    thin = {"email": None, "email_verified": None, "groups": None, "name": None}
    info = {"email": "mei@kicks.example", "email_verified": True, "name": "Mei", "groups": ["a"]}
    told = names("okta", info, **thin)
    assert told == AssertedNames("mei-1", "mei@kicks.example", "Mei", ("a",), email_vouched=True)


def test_what_the_token_says_wins() -> None:
    assert names(info={"email": "other@kicks.example", "groups": ["other"]}) == names()


@pytest.mark.parametrize(
    ("preset", "changes", "needed"),
    [
        ("okta", {}, False),
        ("okta", {"email": None}, True),
        ("okta", {"groups": None}, True),
        ("okta", {"groups": []}, True),
        ("entra", {"groups": None}, False),
        ("google", {"groups": None}, False),
        ("google", {"email": None}, True),
        ("keycloak", {"email_verified": None}, True),
        ("okta", {"email_verified": None}, False),
    ],
)
def test_userinfo_is_asked_where_it_can_help(preset: str, changes: dict[str, Any], needed: bool) -> None:
    assert needs_userinfo(token(**changes), PRESETS[preset]) is needed


# -- groups -----------------------------------------------------------------------------------------------------------


def test_six_hundred_groups() -> None:
    assert len(names(groups=[f"group {number}" for number in range(600)]).groups) == 600


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (["a", "b", "a", ""], ("a", "b")),
        ("a", ("a",)),
        ("a, b", ("a, b",)),
        ([], ()),
        (None, ()),
        (["/Engineering/Ops"], ("/Engineering/Ops",)),
        (["👩\u200d💻 Engineering"], ("👩\u200d💻 Engineering",)),
    ],
)
def test_groups_are_texts_in_their_order_each_once(given: object, found: tuple[str, ...]) -> None:
    assert names(groups=given).groups == found


@pytest.mark.parametrize("name", ["name", "given_name", "family_name"])
@pytest.mark.parametrize("value", [1, True, ["Mei"], {"formatted": "Mei"}])
def test_a_name_of_another_type_is_refused(name: str, value: object) -> None:
    with pytest.raises(errors.MalformedClaim):
        read(token(**{name: value}), None, PRESETS["generic"])


@pytest.mark.parametrize("groups", [1, True, {"a": 1}, [1], ["a", None], [["a"]], ["a\nb"], ["x" * 2_000]])
def test_groups_of_another_type_are_refused(groups: object) -> None:
    with pytest.raises(errors.MalformedClaim):
        names(groups=groups)


def test_too_many_groups_are_refused() -> None:
    with pytest.raises(errors.TooLarge):
        names(groups=[str(number) for number in range(5_001)])


def test_keycloaks_realm_roles_are_members_within() -> None:
    assert names("keycloak", groups=None, realm_access={"roles": ["offline_access"]}).groups == ("offline_access",)
    assert names("keycloak", groups=None, realm_access=["roles"]).groups == ()


def test_an_admin_may_name_other_claims() -> None:
    chosen = ClaimMapping(email=("work.email",), groups=("https://kicks.example/groups",), verified=())
    found = read(token(**{"work": {"email": "m@kicks.example"}, "https://kicks.example/groups": ["a"]}), None, chosen)
    assert (found.email, found.groups) == ("m@kicks.example", ("a",))


# -- Entra ID ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "overage",
    [
        {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "https://graph.windows.net/x"}}},
        {"hasgroups": True},
        {"hasgroups": "true"},
    ],
)
def test_more_groups_than_entra_sends_is_said(overage: dict[str, Any]) -> None:
    found = names("entra", groups=None, **overage)
    assert (found.groups, found.groups_left_out) == ((), True)


@pytest.mark.parametrize(
    "none", [{}, {"hasgroups": False}, {"_claim_names": {"address": "x"}}, {"_claim_names": ["groups"]}]
)
def test_no_overage_is_not_said_to_be_one(none: dict[str, Any]) -> None:
    assert names("entra", **none).groups_left_out is False


def test_entras_sign_in_name_stands_in_for_an_email() -> None:
    assert (
        names("entra", email=None, preferred_username="mei@kicks.onmicrosoft.com").email == "mei@kicks.onmicrosoft.com"
    )
    with pytest.raises(errors.MissingEmail):
        names("okta", email=None, preferred_username="mei@kicks.example")


@pytest.mark.parametrize(("word", "taken"), [(True, True), ("1", True), (1, True), (False, False), ("0", False)])
def test_entras_word_on_the_owner_of_the_domain_counts(word: object, taken: bool) -> None:
    if taken:
        assert names("entra", email_verified=None, xms_edov=word).email == "mei@kicks.example"
    else:
        with pytest.raises(errors.EmailNotVerified):
            names("entra", email_verified=None, xms_edov=word)


# -- Google -----------------------------------------------------------------------------------------------------------


def test_a_google_account_without_a_workspace_is_refused_by_every_preset() -> None:
    assert names("google", hd="kicks.example").groups == ()
    with pytest.raises(errors.WrongHostedDomain):
        names("google")
    with pytest.raises(errors.WrongHostedDomain):  # only the ID token's word counts
        names("google", {"hd": "kicks.example"})
    google = "https://accounts.google.com"
    private = validated(sign(claims(iss=google)), provider=replace(KICKS, issuer=google))
    with pytest.raises(errors.WrongHostedDomain):
        read(private, None, PRESETS["generic"])


def test_the_hosted_domain_compares_without_case() -> None:
    assert validated(sign(claims(hd="Kicks.Example")), hosted_domain="kicks.example").subject == "mei-1"
