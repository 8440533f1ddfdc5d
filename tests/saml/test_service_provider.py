"""Our metadata and keys, as an identity provider reads them."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from lxml import etree
from onelogin.saml2.xml_utils import OneLogin_Saml2_XML

from saml.certificates import bare_base64
from saml.markup import EMAIL_ADDRESS, PERSISTENT, TRANSIENT, UNSPECIFIED
from saml.response import validate
from saml.service_provider import ServiceProvider, make_key_pair, render_metadata
from tests.saml.idp import BRIDGE, KICKS, NOW, answer, keys, post, respond

MD = {"md": "urn:oasis:names:tc:SAML:2.0:metadata", "ds": "http://www.w3.org/2000/09/xmldsig#"}


def described(sp: ServiceProvider) -> etree._Element:
    return etree.fromstring(render_metadata(sp))


def test_metadata_fits_its_schema() -> None:
    assert OneLogin_Saml2_XML.validate_xml(render_metadata(BRIDGE), "saml-schema-metadata-2.0.xsd") != "invalid_xml"


def test_metadata_names_entity_and_addresses() -> None:
    entity = described(BRIDGE)
    assert entity.get("entityID") == BRIDGE.entity_id
    assert entity.xpath("string(//md:AssertionConsumerService/@Location)", namespaces=MD) == BRIDGE.acs_url
    assert entity.xpath("//md:SingleLogoutService/@Location", namespaces=MD) == [BRIDGE.slo_url] * 2


def test_metadata_without_logout_address_offers_no_logout() -> None:
    quiet = ServiceProvider(BRIDGE.entity_id, BRIDGE.acs_url, None, BRIDGE.private_key_pem, BRIDGE.certificates)
    assert not described(quiet).xpath("//md:SingleLogoutService", namespaces=MD)


def test_during_a_rotation_both_certificates_are_published() -> None:
    ours, following = keys("bridge"), keys("bridge next")
    rotating = ServiceProvider(
        BRIDGE.entity_id, BRIDGE.acs_url, None, ours.private, (ours.certificate, following.certificate)
    )
    for use in ("signing", "encryption"):
        published = described(rotating).xpath(
            f"//md:KeyDescriptor[@use='{use}']//ds:X509Certificate/text()", namespaces=MD
        )
        assert published == [bare_base64(ours.certificate), bare_base64(following.certificate)]


@pytest.mark.parametrize(("sign", "said"), [(True, "true"), (False, "false")])
def test_metadata_says_whether_requests_are_signed(sign: bool, said: str) -> None:
    role = described(replace(BRIDGE, sign_requests=sign)).find("md:SPSSODescriptor", MD)
    assert role is not None
    assert role.get("AuthnRequestsSigned") == said


def test_metadata_demands_no_more_than_we_do() -> None:
    """A response-only signature is taken, so it must not say that assertions have to be signed."""
    role = described(BRIDGE).find("md:SPSSODescriptor", MD)
    assert role is not None
    assert role.get("WantAssertionsSigned") == "false"
    assert validate(
        post(respond(KICKS, answer(), signed="response")), KICKS.trusted, BRIDGE, NOW, allow_unsolicited=False
    )


def test_metadata_names_every_name_id_format_that_is_taken() -> None:
    formats = described(BRIDGE).xpath("//md:NameIDFormat/text()", namespaces=MD)
    assert formats == [EMAIL_ADDRESS, PERSISTENT, UNSPECIFIED, TRANSIENT]


def test_an_address_is_escaped() -> None:
    odd = ServiceProvider('https://b.example/?a="&b=<', "https://b.example/acs?x=1&y=2", None, "", ())
    assert described(odd).get("entityID") == 'https://b.example/?a="&b=<'


def test_a_new_key_is_rsa_and_its_certificate_belongs_to_it() -> None:
    private, certificate = make_key_pair("bridge.example " + "x" * 100, NOW)
    key, read = load_pem_private_key(private.encode(), None), x509.load_pem_x509_certificate(certificate.encode())
    assert isinstance(key, rsa.RSAPrivateKey)
    assert key.key_size >= 2048
    assert read.public_key() == key.public_key()
    assert read.not_valid_before_utc < NOW < NOW + timedelta(days=1000) < read.not_valid_after_utc


def test_the_private_key_is_not_in_the_repr() -> None:
    assert "PRIVATE" not in repr(BRIDGE)
    with pytest.raises(AttributeError):
        BRIDGE.private_key_pem = ""  # type: ignore[misc]
