"""A small identity provider for tests: it answers as a company's does, and it can be told to answer wrongly.

`KICKS` is the company's IdP, `BRIDGE` our side. A test says what differs from a good answer and gets the form
that a browser would POST:

    form = sign_in(KICKS, BRIDGE, NOW, email="mei@kicks.example", in_response_to="_r1")
    form = post(respond(KICKS, answer(BRIDGE, NOW, audiences=(("https://other.example",),)),
    signed="response"))

Everything is made with xmlsec and string templates, nothing with the package under test but its value
classes.
"""

import base64
import secrets
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from typing import Any, Literal
from xml.sax.saxutils import escape, quoteattr

import pytest
import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from lxml import etree

from saml.identity_provider import IdentityProvider
from saml.markup import EMAIL_ADDRESS, UNSPECIFIED
from saml.service_provider import ServiceProvider, make_key_pair
from tests.costs import NEW_KEY

NOW = datetime(2026, 11, 21, 10, 58, tzinfo=UTC)
#: Of the connection that `BRIDGE` is our side of.
CONNECTION_ID = "00000000-0000-4000-8000-0000000000c1"
NS = {
    "samlp": "urn:oasis:names:tc:SAML:2.0:protocol",
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "xenc": "http://www.w3.org/2001/04/xmlenc#",
}
NAME_ID = f'<saml:NameID xmlns:saml="{NS["saml"]}">mei@kicks.example</saml:NameID>'
PASSWORD = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
PSS = tuple(f"http://www.w3.org/2007/05/xmldsig-more#sha{bits}-rsa-MGF1" for bits in (256, 384, 512))
Signed = Literal["assertion", "response", "both", "nothing"]

_serial = count(1)


@dataclass(frozen=True)
class Keys:
    """An IdP's or SP's private key and certificate, both PEM."""

    private: str
    certificate: str


@cache
def keys(name: str) -> Keys:
    """The key pair of that name, made once a test run: never another name's, as one of `tests.costs`' few may be."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rsa, "generate_private_key", NEW_KEY)
        return Keys(*make_key_pair(name, NOW))


@dataclass(frozen=True)
class TestIdp:
    """An identity provider that signs with `keys(key)`."""

    __test__ = False

    entity_id: str = "https://idp.kicks.example/saml"
    base_url: str = "https://idp.kicks.example"
    key: str = "kicks"

    @property
    def trusted(self) -> IdentityProvider:
        """What a connection to this IdP is configured with."""
        return IdentityProvider(
            entity_id=self.entity_id,
            sso_redirect_url=f"{self.base_url}/sso/redirect",
            sso_post_url=f"{self.base_url}/sso/post",
            slo_url=f"{self.base_url}/slo",
            certificates=(keys(self.key).certificate,),
        )

    @property
    def metadata(self) -> bytes:
        """Its metadata, as an admin would import it."""
        certificate = "".join(keys(self.key).certificate.split("\n")[1:-2])
        return f"""<?xml version="1.0" encoding="UTF-8"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID={quoteattr(self.entity_id)}>
  <md:IDPSSODescriptor WantAuthnRequestsSigned="true"
  protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"> <md:KeyDescriptor
  use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>
  <ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
  <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
  Location="{self.base_url}/sso/redirect"/> <md:SingleSignOnService
  Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="{self.base_url}/sso/post"/>
  </md:IDPSSODescriptor> </md:EntityDescriptor> """.encode()

    @property
    def metadata_with_logout(self) -> bytes:
        """The same with an address for single logout, by Redirect."""
        service = f"""<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
  Location="{self.base_url}/slo"/> <md:SingleSignOnService"""
        return self.metadata.replace(b"<md:SingleSignOnService", service.encode(), 1)


@cache
def bridge(base_url: str = f"https://bridge.example/saml/{CONNECTION_ID}") -> ServiceProvider:
    """Our side of a connection at `base_url`, which asks for a sign-in by password."""
    ours = keys("bridge")
    return ServiceProvider(
        entity_id=f"{base_url}/metadata",
        acs_url=f"{base_url}/acs",
        slo_url=f"{base_url}/slo",
        private_key_pem=ours.private,
        certificates=(ours.certificate,),
        authn_contexts=(PASSWORD,),
    )


KICKS = TestIdp()
BRIDGE = bridge()


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What an IdP says in one response. None leaves the thing out."""

    destination: str | None
    recipient: str | None
    audiences: tuple[tuple[str, ...], ...]
    response_issued: datetime | str | None
    issued: datetime | str | None
    authenticated: datetime | str | None
    not_before: datetime | str | None
    not_on_or_after: datetime | str | None
    confirmation_not_on_or_after: datetime | str | None
    confirmation_not_before: datetime | str | None = None
    session_not_on_or_after: datetime | str | None = None
    response_id: str = field(default_factory=lambda: f"_response{next(_serial)}")
    assertion_id: str = field(default_factory=lambda: f"_assertion{next(_serial)}")
    issuer: str | None = KICKS.entity_id
    response_issuer: str | None = KICKS.entity_id
    in_response_to: str | None = "_request1"
    confirmation_in_response_to: str | None = "_request1"
    version: str = "2.0"
    status: str = SUCCESS
    inner_status: str | None = None
    status_message: str | None = None
    name_id: str | None = "mei@kicks.example"
    name_id_format: str | None = EMAIL_ADDRESS
    name_qualifier: str | None = None
    sp_name_qualifier: str | None = None
    method: str = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
    session_index: str | None = "_session1"
    authn_context: str | None = PASSWORD
    attributes: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: {
            "email": ("mei@kicks.example",),
            "firstName": ("Mei",),
            "lastName": ("Tanaka",),
            "groups": ("eng", "eng-mobile"),
        }
    )
    more_conditions: str = ""
    more_confirmations: str = ""
    more_statements: str = ""
    in_name_id: str = ""
    hidden_name: str = ""


def answer(sp: ServiceProvider = BRIDGE, now: datetime = NOW, **changes: Any) -> Answer:
    """A good answer to `sp` at `now`, but for `changes`."""
    good = Answer(
        destination=sp.acs_url,
        recipient=sp.acs_url,
        audiences=((sp.entity_id,),),
        response_issued=now,
        issued=now,
        authenticated=now - timedelta(minutes=1),
        not_before=now - timedelta(minutes=5),
        not_on_or_after=now + timedelta(minutes=5),
        confirmation_not_on_or_after=now + timedelta(minutes=5),
    )
    return replace(good, **changes)


def sign_in(
    idp: TestIdp = KICKS,
    sp: ServiceProvider = BRIDGE,
    now: datetime = NOW,
    *,
    email: str = "mei@kicks.example",
    in_response_to: str | None = "_request1",
    groups: tuple[str, ...] = ("eng",),
    name_id: str | None = None,
    name_id_format: str = UNSPECIFIED,
    given_name: str = "Mei",
    family_name: str = "Tanaka",
    signed: Signed = "assertion",
    relay_state: str | None = None,
    **changes: Any,
) -> dict[str, str]:
    """The form that a browser brings from `idp` after a good sign-in of one person. For tests of flows and
    web."""
    said = answer(
        sp,
        now,
        issuer=idp.entity_id,
        response_issuer=idp.entity_id,
        in_response_to=in_response_to,
        confirmation_in_response_to=in_response_to,
        name_id=name_id or email,
        name_id_format=name_id_format,
        attributes={"email": (email,), "firstName": (given_name,), "lastName": (family_name,), "groups": groups},
    )
    return post(respond(idp, replace(said, **changes), signed=signed), relay_state)


def confirmation(**attributes: str) -> str:
    """One more SubjectConfirmation by the bearer method, with these attributes in its data."""
    written = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return (
        '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">'
        f"<saml:SubjectConfirmationData{written}/></saml:SubjectConfirmation>"
    )


def respond(
    idp: TestIdp,
    said: Answer,
    *,
    signed: Signed = "assertion",
    encrypted: str | None = None,
    sp: ServiceProvider = BRIDGE,
    **how: Any,
) -> etree._Element:
    """The response as a tree. `encrypted` is the name of an xmlsec transform, `how` goes to `sign`."""
    return issue(idp, render(said), signed=signed, encrypted=encrypted, sp=sp, **how)


def issue(
    idp: TestIdp,
    unsigned: bytes,
    *,
    signed: Signed = "assertion",
    encrypted: str | None = None,
    sp: ServiceProvider = BRIDGE,
    **how: Any,
) -> etree._Element:
    """An unsigned response with its assertion signed, then encrypted, then itself signed, as asked for."""
    root = etree.fromstring(unsigned)
    if signed in ("assertion", "both") and root.find("saml:Assertion", NS) is not None:
        sign(assertion_of(root), idp.key, **how)
    if encrypted:
        encrypt(root, sp, encrypted)
    if signed in ("response", "both"):
        sign(root, idp.key, **how)
    return reparsed(root)


def reparsed(root: etree._Element) -> etree._Element:
    """The tree as it arrives. lxml doesn't find by name what xmlsec has put into a tree."""
    return etree.fromstring(etree.tostring(root))


def post(response: etree._Element | bytes, relay_state: str | None = None) -> dict[str, str]:
    """The form of the POST binding around a response."""
    octets = response if isinstance(response, bytes) else etree.tostring(response)
    form = {"SAMLResponse": base64.b64encode(octets).decode()}
    return form if relay_state is None else {**form, "RelayState": relay_state}


def assertion_of(root: etree._Element) -> etree._Element:
    """The response's plain assertion."""
    found = root.find("saml:Assertion", NS)
    assert found is not None
    return found


def signature_of(element: etree._Element) -> etree._Element:
    """The signature that stands in `element`."""
    found = element.find("ds:Signature", NS)
    assert found is not None
    return found


def sign(
    element: etree._Element,
    key: str,
    *,
    method: str = "RSA_SHA256",
    digest: str = "SHA256",
    canonicalization: str = "EXCL_C14N",
    signing_key: xmlsec.Key | None = None,
    inclusive: str | None = None,
    prefix: str | None = "ds",
) -> None:
    """An enveloped signature after the Issuer, its Reference to the element's own ID, with the certificate in
    KeyInfo."""
    named = "RSA_SHA256" if method.startswith("http") else method  # the binding has no name for each
    signature = xmlsec.template.create(
        element, getattr(xmlsec.Transform, canonicalization), getattr(xmlsec.Transform, named), ns=prefix
    )
    if method.startswith("http"):
        next(signature.iter(f"{{{NS['ds']}}}SignatureMethod")).set("Algorithm", method)
    issuer = element.find("saml:Issuer", NS)
    element.insert(0 if issuer is None else 1, signature)
    reference = xmlsec.template.add_reference(signature, getattr(xmlsec.Transform, digest), uri=f"#{element.get('ID')}")
    xmlsec.template.add_transform(reference, xmlsec.Transform.ENVELOPED)
    exclusive = xmlsec.template.add_transform(reference, xmlsec.Transform.EXCL_C14N)
    if inclusive is not None:
        xmlsec.template.transform_add_c14n_inclusive_namespaces(exclusive, inclusive)
    if signing_key is None:
        xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(signature))
    xmlsec.tree.add_ids(element.getroottree().getroot(), ["ID"])
    context = xmlsec.SignatureContext()
    context.key = signing_key or _signing_key(key)
    context.sign(signature)


def encrypt(
    root: etree._Element,
    sp: ServiceProvider,
    algorithm: str,
    transport: str = "RSA_OAEP",
    *,
    octets: bytes | None = None,
    oaep: tuple[hashes.HashAlgorithm, hashes.HashAlgorithm | None] | None = None,
) -> None:
    """The assertion (or other `octets` in its place) replaced by an EncryptedAssertion for `sp`'s first certificate.

    `oaep` is (digest, mask's digest) and wraps the key anew, as xmlsec's Python binding can't.
    """
    clear = assertion_of(root)
    if octets is None:
        octets = etree.tostring(clear, with_tail=False)
    around = _encrypted("EncryptedAssertion", sp, algorithm, transport, octets, oaep)
    root.replace(clear, around)


def hide(
    name: str | bytes = NAME_ID,
    sp: ServiceProvider | None = None,
    algorithm: str = "AES256_GCM",
    transport: str = "RSA_OAEP",
) -> str:
    """A saml:EncryptedID for `sp`'s first certificate, to be put where a NameID stands."""
    octets = name if isinstance(name, bytes) else name.encode()
    return etree.tostring(_encrypted("EncryptedID", sp or BRIDGE, algorithm, transport, octets, None)).decode()


def _encrypted(
    around_it: str,
    sp: ServiceProvider,
    algorithm: str,
    transport: str,
    octets: bytes,
    oaep: tuple[hashes.HashAlgorithm, hashes.HashAlgorithm | None] | None,
) -> etree._Element:
    root = etree.Element(f"{{{NS['saml']}}}{around_it}", nsmap={"saml": NS["saml"]})
    data = xmlsec.template.encrypted_data_create(
        root, getattr(xmlsec.Transform, algorithm), type=xmlsec.EncryptionType.ELEMENT, ns="xenc"
    )
    xmlsec.template.encrypted_data_ensure_cipher_value(data)
    key_info = xmlsec.template.encrypted_data_ensure_key_info(data, ns="ds")
    encrypted_key = xmlsec.template.add_encrypted_key(key_info, getattr(xmlsec.Transform, transport))
    xmlsec.template.encrypted_data_ensure_cipher_value(encrypted_key)
    size = 128 if "128" in algorithm else 192 if "192" in algorithm else 256
    secret = secrets.token_bytes(size // 8)
    context = xmlsec.EncryptionContext(_recipient(sp.certificates[0]))
    context.key = xmlsec.Key.from_binary_data(xmlsec.KeyData.AES, secret)
    around = etree.Element(f"{{{NS['saml']}}}{around_it}")
    around.append(reparsed(context.encrypt_binary(data, octets)))
    if oaep is not None:
        _wrap_anew(around, sp, secret, *oaep)
    return around


def _wrap_anew(
    around: etree._Element,
    sp: ServiceProvider,
    secret: bytes,
    digest: hashes.HashAlgorithm,
    mask: hashes.HashAlgorithm | None,
) -> None:
    """The AES key by RSA-OAEP with other digests: `rsa-oaep-mgf1p`, or with `mask` XML Encryption 1.1's `rsa-oaep`."""
    key = around.find(".//xenc:EncryptedKey", NS)
    assert key is not None
    method, value = key.find("xenc:EncryptionMethod", NS), key.find("xenc:CipherData/xenc:CipherValue", NS)
    assert method is not None
    assert value is not None
    method.clear()
    method.set("Algorithm", f"{NS['xenc']}rsa-oaep-mgf1p" if mask is None else f"{_XENC11}rsa-oaep")
    etree.SubElement(method, f"{{{NS['ds']}}}DigestMethod", Algorithm=_DIGEST_NAMES[digest.name])
    if mask is not None:
        etree.SubElement(method, f"{{{_XENC11}}}MGF", Algorithm=f"{_XENC11}mgf1{mask.name}")
    public = x509.load_pem_x509_certificate(sp.certificates[0].encode()).public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    oaep = padding.OAEP(padding.MGF1(mask or hashes.SHA1()), digest, None)
    value.text = base64.b64encode(public.encrypt(secret, oaep)).decode()


_XENC11 = "http://www.w3.org/2009/xmlenc11#"
_DIGEST_NAMES = {
    "sha1": f"{NS['ds']}sha1",
    "sha256": f"{NS['xenc']}sha256",
    "sha384": "http://www.w3.org/2001/04/xmldsig-more#sha384",
    "sha512": f"{NS['xenc']}sha512",
}


def self_signed(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> str:
    """A certificate of any key, PEM."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "kicks")])
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    dated = built.serial_number(1).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
    return (
        dated.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
        .decode()
    )


def without(root: etree._Element, path: str) -> etree._Element:
    """A copy of `root` without the elements at `path`."""
    copy = deepcopy(root)
    for element in copy.xpath(path, namespaces=NS):
        element.getparent().remove(element)
    return copy


@cache
def _signing_key(name: str) -> xmlsec.Key:
    key = xmlsec.Key.from_memory(keys(name).private, xmlsec.KeyFormat.PEM)
    key.load_cert_from_memory(keys(name).certificate, xmlsec.KeyFormat.PEM)
    return key


@cache
def _recipient(certificate: str) -> xmlsec.KeysManager:
    manager = xmlsec.KeysManager()
    manager.add_key(xmlsec.Key.from_memory(certificate, xmlsec.KeyFormat.CERT_PEM))
    return manager


def render(said: Answer) -> bytes:
    """The answer as XML, unsigned."""
    issuer = "" if said.response_issuer is None else f"<saml:Issuer>{escape(said.response_issuer)}</saml:Issuer>"
    response = _attributes(
        ID=said.response_id,
        Version=said.version,
        IssueInstant=said.response_issued,
        Destination=said.destination,
        InResponseTo=said.in_response_to,
    )
    assertion = "" if said.status != SUCCESS else _assertion(said)
    return f"""<samlp:Response xmlns:samlp="{NS["samlp"]}" xmlns:saml="{NS["saml"]}"{response}>{issuer}
  <samlp:Status>{_status(said)}</samlp:Status>
  {assertion}
</samlp:Response>""".encode()


def _status(said: Answer) -> str:
    inner = "" if said.inner_status is None else f'<samlp:StatusCode Value="{said.inner_status}"/>'
    message = (
        ""
        if said.status_message is None
        else f"<samlp:StatusMessage>{escape(said.status_message)}</samlp:StatusMessage>"
    )
    return f'<samlp:StatusCode Value="{said.status}">{inner}</samlp:StatusCode>{message}'


def _assertion(said: Answer) -> str:
    issuer = "" if said.issuer is None else f"<saml:Issuer>{escape(said.issuer)}</saml:Issuer>"
    head = _attributes(ID=said.assertion_id, Version=said.version, IssueInstant=said.issued)
    return f"""<saml:Assertion xmlns:xs="http://www.w3.org/2001/XMLSchema"{head}>{issuer}
    {_subject(said)}
    {_conditions(said)}
    {_statement(said)}{said.more_statements}
    {_attribute_statement(said)}
  </saml:Assertion>"""


def _subject(said: Answer) -> str:
    naming = _attributes(
        Format=said.name_id_format, NameQualifier=said.name_qualifier, SPNameQualifier=said.sp_name_qualifier
    )
    named = f"<saml:NameID{naming}>{escape(said.name_id or '')}{said.in_name_id}</saml:NameID>"
    name_id = said.hidden_name or ("" if said.name_id is None else named)
    confirmed = _attributes(
        NotBefore=said.confirmation_not_before,
        NotOnOrAfter=said.confirmation_not_on_or_after,
        Recipient=said.recipient,
        InResponseTo=said.confirmation_in_response_to,
    )
    return f"""<saml:Subject>{name_id}{said.more_confirmations}
      <saml:SubjectConfirmation
      Method="{said.method}"><saml:SubjectConfirmationData{confirmed}/></saml:SubjectConfirmation>
      </saml:Subject>"""


def _conditions(said: Answer) -> str:
    times = _attributes(NotBefore=said.not_before, NotOnOrAfter=said.not_on_or_after)
    restrictions = "".join(
        "<saml:AudienceRestriction>"
        + "".join(f"<saml:Audience>{escape(name)}</saml:Audience>" for name in names)
        + "</saml:AudienceRestriction>"
        for names in said.audiences
    )
    return f"<saml:Conditions{times}>{restrictions}{said.more_conditions}</saml:Conditions>"


def _statement(said: Answer) -> str:
    if said.authenticated is None:
        return ""
    attributes = _attributes(
        AuthnInstant=said.authenticated,
        SessionIndex=said.session_index,
        SessionNotOnOrAfter=said.session_not_on_or_after,
    )
    context = "<saml:AuthnContextDeclRef>urn:other</saml:AuthnContextDeclRef>"
    if said.authn_context is not None:
        context = f"<saml:AuthnContextClassRef>{escape(said.authn_context)}</saml:AuthnContextClassRef>"
    return f"""<saml:AuthnStatement{attributes}><saml:AuthnContext>
      {context}
      </saml:AuthnContext></saml:AuthnStatement>"""


def _attribute_statement(said: Answer) -> str:
    if not said.attributes:
        return ""
    rows = "".join(
        f"<saml:Attribute Name={quoteattr(name)}>"
        + "".join(f"<saml:AttributeValue>{escape(value)}</saml:AttributeValue>" for value in values)
        + "</saml:Attribute>"
        for name, values in said.attributes.items()
    )
    return f"<saml:AttributeStatement>{rows}</saml:AttributeStatement>"


def _attributes(**values: datetime | str | None) -> str:
    written = {name: _instant(value) for name, value in values.items() if value is not None}
    return "".join(f" {name}={quoteattr(value)}" for name, value in written.items())


def _instant(value: datetime | str) -> str:
    return value if isinstance(value, str) else value.strftime("%Y-%m-%dT%H:%M:%SZ")
