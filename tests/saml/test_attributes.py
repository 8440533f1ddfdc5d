"""What each preset reads from an assertion, and who is refused for want of an email."""

import pytest

from saml.assertion import Assertion
from saml.attributes import PRESETS, AttributeMapping, is_email, read
from saml.errors import MalformedEmail, MissingEmail
from saml.markup import EMAIL_ADDRESS, PERSISTENT, TRANSIENT, UNSPECIFIED
from saml.response import validate
from tests.saml.idp import BRIDGE, KICKS, NOW, answer, post, respond

SOAP = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
ENTRA = "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups"

SENT = {
    "generic": {"mail": "mei@kicks.example", "displayName": "Mei Tanaka", "memberOf": "eng"},
    "okta": {"email": "mei@kicks.example", "firstName": "Mei", "lastName": "Tanaka", "groups": "eng"},
    "entra": {
        f"{SOAP}/emailaddress": "mei@kicks.example",
        f"{SOAP}/name": "mei@kicks.example",
        "http://schemas.microsoft.com/identity/claims/displayname": "Mei Tanaka",
        ENTRA: "eng",
    },
    "onelogin": {
        "User.email": "mei@kicks.example",
        "User.FirstName": "Mei",
        "User.LastName": "Tanaka",
        "memberOf": "eng",
    },
    "google": {"email": "mei@kicks.example", "firstName": "Mei", "lastName": "Tanaka", "groups": "eng"},
    "jumpcloud": {"email": "mei@kicks.example", "firstname": "Mei", "lastname": "Tanaka", "memberOf": "eng"},
    "ping": {"email": "mei@kicks.example", "givenName": "Mei", "familyName": "Tanaka", "memberOf": "eng"},
    "adfs": {
        f"{SOAP}/emailaddress": "mei@kicks.example",
        f"{SOAP}/givenname": "Mei",
        f"{SOAP}/surname": "Tanaka",
        "http://schemas.xmlsoap.org/claims/Group": "eng",
    },
}


def asserted(name_id: str = "00u1", name_id_format: str = PERSISTENT, **attributes: tuple[str, ...]) -> Assertion:
    said = answer(name_id=name_id, name_id_format=name_id_format, attributes=attributes)
    return validate(post(respond(KICKS, said)), KICKS.trusted, BRIDGE, NOW, allow_unsolicited=False)


@pytest.mark.parametrize("preset", PRESETS)
def test_each_preset_reads_what_that_identity_provider_sends(preset: str) -> None:
    claims = read(asserted(**{name: (value,) for name, value in SENT[preset].items()}), PRESETS[preset])
    assert (claims.subject, claims.email, claims.name, claims.groups) == (
        "00u1",
        "mei@kicks.example",
        "Mei Tanaka",
        ("eng",),
    )


def test_without_a_preset_the_names_that_auth0_and_ad_fs_use_are_read() -> None:
    claims = read(asserted(**{name: (value,) for name, value in SENT["adfs"].items()}), PRESETS["generic"])
    assert (claims.email, claims.name, claims.groups) == ("mei@kicks.example", "Mei Tanaka", ("eng",))


@pytest.mark.parametrize(
    ("email", "groups"),
    [("EmailAddress", "Group"), ("email_address", "member_of"), ("User.email", "isMemberOf"), ("user.email", "Groups")],
)
def test_without_a_preset_other_usual_names_are_read(email: str, groups: str) -> None:
    claims = read(asserted(**{email: ("mei@kicks.example",), groups: ("eng", "ops")}), PRESETS["generic"])
    assert (claims.email, claims.groups) == ("mei@kicks.example", ("eng", "ops"))


def test_the_first_attribute_that_has_a_value_wins() -> None:
    mapping = AttributeMapping(email=("work", "home"), groups=("a", "b"))
    claims = read(asserted(work=(), home=("mei@home.example",), a=(), b=("x", "y", "x")), mapping)
    assert (claims.email, claims.groups) == ("mei@home.example", ("x", "y"))


def test_names_of_attributes_compare_exactly() -> None:
    with pytest.raises(MissingEmail, match="“email”"):
        read(asserted(EMAIL=("mei@kicks.example",)), AttributeMapping(email=("email",)))


@pytest.mark.parametrize("name_id_format", [EMAIL_ADDRESS, UNSPECIFIED])
def test_without_attribute_a_name_id_that_is_an_email_serves(name_id_format: str) -> None:
    claims = read(asserted("mei@kicks.example", name_id_format), PRESETS["okta"])
    assert (claims.subject, claims.email, claims.name) == ("mei@kicks.example", "mei@kicks.example", "mei")


@pytest.mark.parametrize(
    ("name_id", "name_id_format"),
    [("mei@kicks.example", PERSISTENT), ("mei", UNSPECIFIED), ("mei@kicks.example", TRANSIENT)],
)
def test_other_name_ids_are_no_email(name_id: str, name_id_format: str) -> None:
    with pytest.raises(MissingEmail):
        read(asserted(name_id, name_id_format), PRESETS["okta"])


def test_a_transient_name_id_leaves_the_email_as_subject() -> None:
    claims = read(asserted("_7f3a", TRANSIENT, email=("Mei@Kicks.example",)), PRESETS["okta"])
    assert (claims.subject, claims.email) == ("mei@kicks.example", "Mei@Kicks.example")


def test_an_email_that_is_none_is_refused_and_quoted() -> None:
    with pytest.raises(MalformedEmail, match="“mei”"):
        read(asserted(email=("mei",)), PRESETS["okta"])
    with pytest.raises(MalformedEmail):
        read(asserted("mei", EMAIL_ADDRESS), PRESETS["okta"])


def test_entras_overage_is_told_and_gives_no_groups() -> None:
    link = {"http://schemas.microsoft.com/claims/groups.link": ("https://graph.example/me",)}
    claims = read(asserted(email=("mei@kicks.example",), **link), PRESETS["okta"])
    assert (claims.groups, claims.groups_left_out) == ((), True)


@pytest.mark.parametrize(
    "written", ["mei@kicks.example", "m.t+x@a-b.co", "o'neil@kicks.example", "x@xn--tkuka-m3a.example"]
)
def test_emails(written: str) -> None:
    assert is_email(written)


@pytest.mark.parametrize(
    "written",
    [
        "mei",
        "mei@",
        "@kicks.example",
        "mei@kicks",
        "mei@@kicks.example",
        "mei@kicks.example@evil.example",
        "mei @kicks.example",
        "mei@kicks.example ",
        "mei@kicks.example\n",
        "mei@kicks..example",
        ".mei@kicks.example",
        "mei@-kicks.example",
        "mei@kicks.example,paul@kicks.example",
        "<mei@kicks.example>",
        '"mei"@kicks.example',
        "mei@[127.0.0.1]",
        "mei@127.0.0.1",
        "mеi@kicks.example",  # a Cyrillic е
        "m" * 65 + "@kicks.example",
        "mei@" + "k" * 250 + ".example",
    ],
)
def test_no_emails(written: str) -> None:
    assert not is_email(written)
