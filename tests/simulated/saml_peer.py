"""The service provider's side, for the tests: makes requests, and lets python3-saml judge the answers."""

import re
import zlib
from base64 import b64decode, b64encode
from typing import Any
from urllib.parse import quote_plus, urlencode

import xmlsec
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree
from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings

from simulated.company_idp.signing_key import SigningKey
from tests.simulated.conftest import PUBLIC_URL, SP

RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
SSO = f"{PUBLIC_URL}/sso"


def authn_request(extra: str = "", *, issuer: str = SP["entity_id"], id_: str = "_request1") -> bytes:
    """An AuthnRequest with `extra` attributes."""
    return (
        '<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" '
        'xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" '
        f'ID="{id_}" Version="2.0" IssueInstant="2026-01-01T00:00:00Z" {extra}>'
        f"<saml:Issuer>{issuer}</saml:Issuer></samlp:AuthnRequest>"
    ).encode()


def redirect_query(request: bytes, relay_state: str | None = None, key: SigningKey | None = None) -> str:
    """The query of the Redirect binding, signed if there is a key."""
    deflater = zlib.compressobj(wbits=-15)
    deflated = deflater.compress(request) + deflater.flush()
    values = {"SAMLRequest": b64encode(deflated).decode()}
    if relay_state is not None:
        values["RelayState"] = relay_state
    if key is None:
        return urlencode(values)
    signed = urlencode({**values, "SigAlg": RSA_SHA256})
    private = serialization.load_pem_private_key(key.private_pem, None)
    assert isinstance(private, rsa.RSAPrivateKey)
    signature = private.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{signed}&Signature={quote_plus(b64encode(signature))}"


def signed_request(key: SigningKey) -> bytes:
    """An AuthnRequest with an enveloped signature, as the POST binding carries it."""
    root = etree.fromstring(authn_request())
    signature = xmlsec.template.create(root, xmlsec.constants.TransformExclC14N, xmlsec.constants.TransformRsaSha256)
    root.insert(1, signature)
    reference = xmlsec.template.add_reference(signature, xmlsec.constants.TransformSha256, uri="#_request1")
    xmlsec.template.add_transform(reference, xmlsec.constants.TransformEnveloped)
    xmlsec.template.add_transform(reference, xmlsec.constants.TransformExclC14N)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(key.private_pem, xmlsec.constants.KeyDataFormatPem, None)
    xmlsec.tree.add_ids(root, ["ID"])
    context.sign(signature)
    return etree.tostring(root)


def sp_metadata(key: SigningKey | None = None) -> str:
    """The service provider's metadata, with its key for both uses if it has one."""
    keys = "".join(
        f'<md:KeyDescriptor use="{use}"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>'
        f"<ds:X509Certificate>{key.certificate_base64}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
        "</md:KeyDescriptor>"
        for use in (("signing", "encryption") if key else ())
        if key
    )
    return (
        '<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" '
        f'entityID="{SP["entity_id"]}"><md:SPSSODescriptor '
        f'protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">{keys}'
        '<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" '
        f'Location="{SP["acs_url"]}" index="0"/></md:SPSSODescriptor></md:EntityDescriptor>'
    )


def form_of(page: str) -> dict[str, str]:
    """The hidden fields and the address of the page that posts the answer."""
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))
    action = re.search(r'<form id="answer" method="post" action="([^"]*)">', page)
    assert action, page
    return {**fields, "action": action[1]}


def document_of(page: str) -> etree._Element:
    """The Response that the page posts."""
    return etree.fromstring(b64decode(form_of(page)["SAMLResponse"]))


def judge(
    page: str, idp: SigningKey, *, request_id: str | None = "_request1", sp_key: SigningKey | None = None, **strict: Any
) -> Any:
    """python3-saml's strict verdict on the page's answer: the accepted Response, or its error as AssertionError."""
    settings: dict[str, Any] = {
        "strict": True,
        "idp": {
            "entityId": f"{PUBLIC_URL}/metadata",
            "singleSignOnService": {"url": SSO},
            "x509cert": idp.certificate_base64,
        },
        "sp": {"entityId": SP["entity_id"], "assertionConsumerService": {"url": SP["acs_url"]}},
        "security": {"wantAssertionsSigned": True, "wantMessagesSigned": True, **strict},
    }
    if sp_key:
        settings["sp"] |= {"x509cert": sp_key.certificate_base64, "privateKey": sp_key.private_pem.decode()}
    response = OneLogin_Saml2_Response(OneLogin_Saml2_Settings(settings), form_of(page)["SAMLResponse"])
    received = {"http_host": "localhost:8000", "script_name": "/saml/c1/acs", "https": "off"}
    assert response.is_valid(received, request_id), response.get_error()
    return response
