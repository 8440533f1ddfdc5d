"""AuthnRequests, read and verified as an identity provider would."""

import base64
import dataclasses
import zlib
from urllib.parse import parse_qs, urlsplit

import pytest
import xmlsec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree
from onelogin.saml2.xml_utils import OneLogin_Saml2_XML

from saml.authn_request import build, build_form
from saml.errors import InvalidRequest
from saml.markup import PERSISTENT
from tests.saml.idp import BRIDGE, KICKS, NOW, NS, keys

IDP = KICKS.trusted


def query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query, strict_parsing=True).items()}


def inflated(url: str) -> etree._Element:
    return etree.fromstring(zlib.decompress(base64.b64decode(query(url)["SAMLRequest"]), wbits=-15))


def verify_query(url: str) -> None:
    signed, _, signature = urlsplit(url).query.rpartition("&Signature=")
    key = x509.load_pem_x509_certificate(BRIDGE.certificates[0].encode()).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    written = base64.b64decode(query(f"?Signature={signature}")["Signature"])
    key.verify(written, signed.encode(), padding.PKCS1v15(), hashes.SHA256())


def test_a_redirect_carries_the_request_relay_state_and_signature_in_the_order_that_is_signed() -> None:
    url = build(IDP, BRIDGE, "_r1", NOW, relay_state="token-1").url
    assert url.startswith("https://idp.kicks.example/sso/redirect?SAMLRequest=")
    assert list(query(url)) == ["SAMLRequest", "RelayState", "SigAlg", "Signature"]
    assert query(url)["SigAlg"] == "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
    verify_query(url)


def test_a_changed_relay_state_breaks_the_signature() -> None:
    url = build(IDP, BRIDGE, "_r1", NOW, relay_state="token-1").url
    with pytest.raises(InvalidSignature):
        verify_query(url.replace("token-1", "token-2"))


def test_the_request_says_who_asks_when_and_where_to_answer() -> None:
    request = inflated(build(IDP, BRIDGE, "_r1", NOW, relay_state=None).url)
    assert dict(request.items()) == {
        "ID": "_r1",
        "Version": "2.0",
        "IssueInstant": "2026-11-21T10:58:00Z",
        "Destination": "https://idp.kicks.example/sso/redirect",
        "AssertionConsumerServiceURL": BRIDGE.acs_url,
        "ProtocolBinding": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
    }
    assert request.findtext("saml:Issuer", None, NS) == BRIDGE.entity_id


def test_a_step_up_asks_for_a_fresh_sign_in() -> None:
    asked = inflated(build(IDP, BRIDGE, "_r1", NOW, relay_state=None, force_authn=True).url)
    assert asked.get("ForceAuthn") == "true"
    assert inflated(build(IDP, BRIDGE, "_r1", NOW, relay_state=None).url).get("ForceAuthn") is None


def test_the_kinds_of_sign_in_are_asked_for_that_the_connection_names() -> None:
    asked = ("urn:oasis:names:tc:SAML:2.0:ac:classes:TimeSyncToken", "urn:x")
    strict = dataclasses.replace(BRIDGE, authn_contexts=asked)
    request = inflated(build(IDP, strict, "_r1", NOW, relay_state=None).url)
    assert request.xpath("//saml:AuthnContextClassRef/text()", namespaces=NS) == list(asked)
    assert request.xpath("string(//samlp:RequestedAuthnContext/@Comparison)", namespaces=NS) == "exact"
    easy = inflated(build(IDP, dataclasses.replace(BRIDGE, authn_contexts=()), "_r1", NOW, relay_state=None).url)
    assert easy.find("samlp:RequestedAuthnContext", NS) is None


def test_a_name_id_format_is_asked_for_only_when_it_is_set() -> None:
    assert inflated(build(IDP, BRIDGE, "_r", NOW, relay_state=None).url).find("samlp:NameIDPolicy", NS) is None
    strict = dataclasses.replace(IDP, name_id_format=PERSISTENT)
    policy = inflated(build(strict, BRIDGE, "_r", NOW, relay_state=None).url).find("samlp:NameIDPolicy", NS)
    assert policy is not None
    assert policy.get("Format") == PERSISTENT


def test_an_address_with_a_query_keeps_it() -> None:
    google = dataclasses.replace(IDP, sso_redirect_url="https://idp.example/saml2?idpid=C0")
    url = build(google, BRIDGE, "_r", NOW, relay_state=None).url
    assert query(url)["idpid"] == "C0"
    assert url.count("?") == 1


def test_an_unsigned_redirect_has_no_signature() -> None:
    unsigned = dataclasses.replace(BRIDGE, sign_requests=False)
    assert list(query(build(IDP, unsigned, "_r", NOW, relay_state="t").url)) == ["SAMLRequest", "RelayState"]


def test_a_form_carries_an_enveloped_signature() -> None:
    form = build_form(IDP, BRIDGE, "_r1", NOW, relay_state="token-1")
    assert (form.url, form.fields["RelayState"]) == ("https://idp.kicks.example/sso/post", "token-1")
    request = etree.fromstring(base64.b64decode(form.fields["SAMLRequest"]))
    xmlsec.tree.add_ids(request, ["ID"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(BRIDGE.certificates[0], xmlsec.KeyFormat.CERT_PEM)
    context.verify(request.find("ds:Signature", NS))
    assert request.get("Destination") == form.url


@pytest.mark.parametrize("sign", [True, False])
def test_requests_fit_the_schema(sign: bool) -> None:
    form = build_form(
        dataclasses.replace(IDP, name_id_format=PERSISTENT),
        dataclasses.replace(BRIDGE, sign_requests=sign),
        "_r1",
        NOW,
        relay_state=None,
        force_authn=True,
    )
    octets = base64.b64decode(form.fields["SAMLRequest"])
    assert OneLogin_Saml2_XML.validate_xml(octets, "saml-schema-protocol-2.0.xsd") != "invalid_xml"
    assert "RelayState" not in form.fields


def test_during_a_rotation_requests_are_signed_with_the_present_key() -> None:
    following = keys("bridge next")
    rotating = dataclasses.replace(
        BRIDGE,
        certificates=(*BRIDGE.certificates, following.certificate),
        next_private_key_pem=following.private,
    )
    verify_query(build(IDP, rotating, "_r1", NOW, relay_state="t").url)


def test_a_binding_that_the_identity_provider_lacks_is_said() -> None:
    with pytest.raises(InvalidRequest, match="HTTP-Redirect"):
        build(dataclasses.replace(IDP, sso_redirect_url=None), BRIDGE, "_r", NOW, relay_state=None)
    with pytest.raises(InvalidRequest, match="HTTP-POST"):
        build_form(dataclasses.replace(IDP, sso_post_url=None), BRIDGE, "_r", NOW, relay_state=None)


def test_relay_state_is_a_token_of_at_most_80_bytes() -> None:
    build(IDP, BRIDGE, "_r", NOW, relay_state="é" * 40)
    with pytest.raises(InvalidRequest, match="80 bytes"):
        build(IDP, BRIDGE, "_r", NOW, relay_state="é" * 41)
