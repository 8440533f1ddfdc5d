"""Metadata of identity providers, as their consoles give it, and the clear refusals of everything else."""

import dataclasses
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from saml.certificates import certificate_facts, parse_certificate
from saml.errors import InvalidMetadata, SeveralIdentityProviders
from saml.identity_provider import parse_address, parse_metadata
from saml.markup import EMAIL_ADDRESS, UNSPECIFIED
from saml.service_provider import render_metadata
from tests.saml.idp import BRIDGE, KICKS, NOW, keys, self_signed

FILES = Path(__file__).parent / "metadata"


def file(name: str) -> bytes:
    return (FILES / f"{name}.xml").read_bytes()


def test_okta() -> None:
    okta = parse_metadata(file("okta"))
    assert okta.entity_id == "http://www.okta.com/exk1kicks"
    assert okta.sso_redirect_url == okta.sso_post_url == "https://kicks.okta.example/app/bridge/exk1kicks/sso/saml"
    assert (len(okta.certificates), okta.slo_url, okta.want_requests_signed) == (1, None, False)
    assert okta.name_id_format == UNSPECIFIED


def test_entra_has_two_certificates_and_its_ws_federation_one_is_left_out() -> None:
    entra = parse_metadata(file("entra"))
    subjects = [certificate_facts(pem).subject for pem in entra.certificates]
    assert subjects == ["CN=Microsoft Azure Federated SSO Certificate"] * 2
    assert entra.slo_url == "https://login.entra.example/8b5a2f3c/saml2"


def test_logout_goes_by_redirect_where_it_can_and_answers_where_they_are_wanted() -> None:
    both = file("okta").replace(
        b"<md:SingleSignOnService",
        b"""<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://i.example/p"/>
        <md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
        Location="https://i.example/r" ResponseLocation="https://i.example/answers"/><md:SingleSignOnService""",
        1,
    )
    okta = parse_metadata(both)
    assert (okta.slo_url, okta.slo_by_post) == ("https://i.example/r", False)
    assert okta.slo_answer_url == "https://i.example/answers"


def test_google_names_one_name_id_format_and_it_is_asked_for() -> None:
    assert parse_metadata(file("google")).name_id_format == EMAIL_ADDRESS


def test_a_federations_file_needs_the_entity_id() -> None:
    with pytest.raises(SeveralIdentityProviders, match=r"several.*idp\.kicks\.example.*idp\.boots\.example") as told:
        parse_metadata(file("federation"))
    assert told.value.found == (
        ("https://idp.kicks.example/shibboleth", "Kicks Login"),
        ("https://idp.boots.example/shibboleth", "Bottes & Cie"),
    )
    kicks = parse_metadata(file("federation"), "https://idp.kicks.example/shibboleth")
    assert (kicks.sso_redirect_url, kicks.sso_post_url) == (None, "https://idp.kicks.example/post/sso")
    assert (kicks.slo_url, kicks.slo_by_post, kicks.want_requests_signed) == (
        "https://idp.kicks.example/post/slo",
        True,
        True,
    )
    assert [certificate_facts(pem).subject for pem in kicks.certificates] == ["CN=idp.kicks.example"]


def test_a_nested_identity_provider_is_found() -> None:
    boots = parse_metadata(file("federation"), "https://idp.boots.example/shibboleth")
    assert boots.sso_redirect_url == "https://idp.boots.example/sso"


def test_an_entity_id_that_is_not_in_the_file_is_said() -> None:
    with pytest.raises(InvalidMetadata, match=r"doesn't describe “https://nobody\.example”"):
        parse_metadata(file("okta"), "https://nobody.example")


def test_the_test_idps_own_metadata_is_what_it_is_trusted_as() -> None:
    assert parse_metadata(KICKS.metadata).certificates == KICKS.trusted.certificates


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "web page"),
        (b"\xef\xbb\xbf\n<HTML>", "web page"),
        (b"", "isn't XML"),
        (b'{"issuer": "https://idp.example"}', "isn't XML"),
        (b"\xff\xfe<\x00a\x00", "isn't XML"),
        (b"<rss/>", "begins with “rss”"),
        (b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///dev/zero">]><r>&x;</r>', "document type"),
        (b"<a>" * 100_000, "isn't XML"),
        (b"<a/>" + b" " * 5_000_000, "over 4 MB"),
    ],
)
def test_what_is_no_metadata_is_refused_with_what_it_is(given: bytes, said: str) -> None:
    with pytest.raises(InvalidMetadata, match=said):
        parse_metadata(given)


def test_our_own_metadata_is_recognised_as_a_service_providers() -> None:
    with pytest.raises(InvalidMetadata, match="no identity provider"):
        parse_metadata(render_metadata(BRIDGE))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('use="signing"', 'use="encryption"', "no signing certificate"),
        ("HTTP-", "HTTP_", "no sign-in address"),
        ('entityID="https://idp.kicks.example/saml"', "", "no entity ID"),
        ("https://idp.kicks.example/sso/post", "javascript:alert(1)", "isn't an http or https URL"),
        ("<ds:X509Certificate>MII", "<ds:X509Certificate>NII", "can't be read"),
        ("SAML:2.0:protocol", "SAML:1.1:protocol", "no identity provider"),
    ],
)
def test_each_missing_or_wrong_part_is_named(old: str, new: str, said: str) -> None:
    changed = KICKS.metadata.replace(old.encode(), new.encode())
    assert changed != KICKS.metadata
    with pytest.raises(InvalidMetadata, match=said):
        parse_metadata(changed)


@pytest.mark.parametrize(
    "url", ["/sso", "ftp://idp.example", "https://", "https://idp.example/a b", "https://[::1", "x"]
)
def test_an_address_that_no_browser_should_be_sent_to_is_refused(url: str) -> None:
    with pytest.raises(InvalidMetadata):
        parse_address(url)


def test_a_certificate_may_be_pasted_in_any_form() -> None:
    pem = keys("kicks").certificate
    bare = "".join(pem.split("\n")[1:-2])
    crooked = pem.replace("\n", "\r\n  ")
    assert {parse_certificate(one) for one in (pem, bare, crooked)} == {pem}


def test_the_facts_of_a_certificate_are_for_pages() -> None:
    facts = certificate_facts(keys("kicks").certificate)
    assert facts.subject == "CN=kicks"
    assert facts.not_before < NOW < facts.not_after
    assert len(facts.sha256.split(":")) == 32


def test_keys_that_are_weak_or_of_no_use_are_refused() -> None:
    with pytest.raises(InvalidMetadata, match="1024 bits"):
        parse_certificate(self_signed(rsa.generate_private_key(65537, 1024)))
    with pytest.raises(InvalidMetadata, match="neither"):
        parse_certificate(self_signed(ed25519.Ed25519PrivateKey.generate()))


def test_an_identity_provider_is_a_value() -> None:
    assert hash(KICKS.trusted) == hash(dataclasses.replace(KICKS.trusted))
