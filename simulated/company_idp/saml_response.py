"""The answer to a sign-in request: a Response with one signed Assertion, and this IdP's own metadata.

SAML Core 2 and 3.3.3, Profiles 4.1.4.2: one bearer confirmation that names the recipient, the request and an end; an
audience; a statement of when and how the person logged in.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import xmlsec
from lxml import etree

from simulated.company_idp.directory import Person
from simulated.company_idp.safe_xml import NS, POST, REDIRECT, tag
from simulated.company_idp.service_provider import ServiceProvider
from simulated.company_idp.settings import NameId, SignIn
from simulated.company_idp.signing_key import SigningKey

LIFETIME = timedelta(minutes=5)
SESSION = timedelta(hours=8)
NAME_ID_FORMATS: dict[NameId, str] = {
    "persistent": "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
    "emailAddress": "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
}
_BASIC = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"
_BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
_PASSWORD = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"  # noqa: S105 - a class's name
_SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"


@dataclass(frozen=True, slots=True)
class Login:
    """Who logged in, with the groups to name, which request that answers (none: it began here), and what the session
    is called in the answer (SessionIndex)."""

    person: Person
    group_names: Sequence[str]
    in_response_to: str | None
    session_index: str


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    """This side: its name, its key, and how it makes assertions."""

    entity_id: str
    key: SigningKey
    sign_in: SignIn


def render_response(
    login: Login, idp: IdentityProvider, sp: ServiceProvider, now: datetime, new_id: Callable[[], str]
) -> bytes:
    """The signed Response as XML, encrypted inside if so set. `new_id` gives NCNames that nobody can guess."""
    assertion = _assertion(login, idp, sp, now, new_id)
    if idp.sign_in.signs in ("both", "assertion"):
        _sign(assertion, idp.key)
    response = etree.Element(tag("samlp:Response"), nsmap={"samlp": NS["samlp"], "saml": NS["saml"]})
    set_attributes(response, ID=new_id(), Version="2.0", IssueInstant=written_time(now), Destination=sp.acs_url)
    set_attributes(response, InResponseTo=login.in_response_to)
    add(response, "saml:Issuer", idp.entity_id)
    add(add(response, "samlp:Status"), "samlp:StatusCode", Value=_SUCCESS)
    if idp.sign_in.encrypt_assertions and sp.encryption_certificate:
        add(response, "saml:EncryptedAssertion").append(_encrypted(assertion, sp.encryption_certificate))
    else:
        response.append(assertion)
    if idp.sign_in.signs in ("both", "response"):
        _sign(response, idp.key)
    return etree.tostring(response)


def name_of(person: Person, name_id: NameId) -> str:
    """What a person's NameID says."""
    return person.id if name_id == "persistent" else person.email


def render_metadata(idp: IdentityProvider, sso_url: str, slo_url: str) -> bytes:
    """This IdP's EntityDescriptor (SAML Metadata 2.4.3)."""
    root = etree.Element(tag("md:EntityDescriptor"), nsmap={"md": NS["md"], "ds": NS["ds"]})
    set_attributes(root, entityID=idp.entity_id)
    role = add(root, "md:IDPSSODescriptor", protocolSupportEnumeration=NS["samlp"], WantAuthnRequestsSigned="false")
    key = add(role, "md:KeyDescriptor", use="signing")
    add(add(add(key, "ds:KeyInfo"), "ds:X509Data"), "ds:X509Certificate", idp.key.certificate_base64)
    for binding in (REDIRECT, POST):
        add(role, "md:SingleLogoutService", Binding=binding, Location=slo_url)
    for name_id in NAME_ID_FORMATS.values():
        add(role, "md:NameIDFormat", name_id)
    for binding in (REDIRECT, POST):
        add(role, "md:SingleSignOnService", Binding=binding, Location=sso_url)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _assertion(
    login: Login, idp: IdentityProvider, sp: ServiceProvider, now: datetime, new_id: Callable[[], str]
) -> etree._Element:
    assertion = etree.Element(tag("saml:Assertion"), nsmap={k: NS[k] for k in ("saml", "xs", "xsi")})
    set_attributes(assertion, ID=new_id(), Version="2.0", IssueInstant=written_time(now))
    add(assertion, "saml:Issuer", idp.entity_id)
    _add_subject(assertion, login, idp.sign_in.name_id, sp, now)
    conditions = add(
        assertion, "saml:Conditions", NotBefore=written_time(now - LIFETIME), NotOnOrAfter=written_time(now + LIFETIME)
    )
    add(add(conditions, "saml:AudienceRestriction"), "saml:Audience", sp.entity_id)
    statement = add(
        assertion,
        "saml:AuthnStatement",
        AuthnInstant=written_time(now),
        SessionIndex=login.session_index,
        SessionNotOnOrAfter=written_time(now + SESSION),
    )
    add(add(statement, "saml:AuthnContext"), "saml:AuthnContextClassRef", _PASSWORD)
    _add_attributes(assertion, login, idp.sign_in)
    return assertion


def _add_subject(assertion: etree._Element, login: Login, name_id: NameId, sp: ServiceProvider, now: datetime) -> None:
    subject = add(assertion, "saml:Subject")
    add(subject, "saml:NameID", name_of(login.person, name_id), Format=NAME_ID_FORMATS[name_id])
    confirmation = add(subject, "saml:SubjectConfirmation", Method=_BEARER)
    add(
        confirmation,
        "saml:SubjectConfirmationData",
        NotOnOrAfter=written_time(now + LIFETIME),
        Recipient=sp.acs_url,
        InResponseTo=login.in_response_to,
    )


def _add_attributes(assertion: etree._Element, login: Login, sign_in: SignIn) -> None:
    person = login.person
    attributes: dict[str, Sequence[str]] = {
        "email": [person.email],
        "firstName": [person.given_name],
        "lastName": [person.family_name],
        "displayName": [person.name],
        "name": [person.name],
    }
    if sign_in.send_groups and login.group_names:
        attributes["groups"] = login.group_names
    statement = add(assertion, "saml:AttributeStatement")
    for name, values in attributes.items():
        attribute = add(statement, "saml:Attribute", Name=name, NameFormat=_BASIC)
        for value in values:
            add(attribute, "saml:AttributeValue", value).set(tag("xsi:type"), "xs:string")


def _sign(element: etree._Element, key: SigningKey) -> None:
    """An enveloped signature right after Issuer, where the schema wants it, that covers `element` by its ID."""
    constants = xmlsec.constants
    signature = xmlsec.template.create(element, constants.TransformExclC14N, constants.TransformRsaSha256, ns="ds")
    element.insert(1, signature)
    reference = xmlsec.template.add_reference(signature, constants.TransformSha256, uri=f"#{element.get('ID')}")
    xmlsec.template.add_transform(reference, constants.TransformEnveloped)
    xmlsec.template.add_transform(reference, constants.TransformExclC14N)
    x509_data = xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(signature))
    xmlsec.template.x509_data_add_certificate(x509_data)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(key.private_pem, constants.KeyDataFormatPem, None)
    context.key.load_cert_from_memory(key.certificate_pem, constants.KeyDataFormatCertPem)
    xmlsec.tree.add_ids(element, ["ID"])
    context.sign(signature)


def _encrypted(assertion: etree._Element, certificate: str) -> etree._Element:
    """EncryptedData around the assertion: AES-256-GCM, its key by RSA-OAEP to the certificate (SAML Core 2.3.4).

    The assertion is encrypted as bytes, since in the Response's tree it would lose its own namespace declarations.
    """
    constants = xmlsec.constants
    wrapper = etree.Element(tag("saml:EncryptedAssertion"))
    encrypted = xmlsec.template.encrypted_data_create(
        wrapper, constants.TransformAes256Gcm, type=constants.TypeEncElement, ns="xenc"
    )
    xmlsec.template.encrypted_data_ensure_cipher_value(encrypted)
    key_info = xmlsec.template.encrypted_data_ensure_key_info(encrypted, ns="ds")
    encrypted_key = xmlsec.template.add_encrypted_key(key_info, constants.TransformRsaOaep)
    xmlsec.template.encrypted_data_ensure_cipher_value(encrypted_key)
    manager = xmlsec.KeysManager()
    manager.add_key(xmlsec.Key.from_memory(certificate.encode(), constants.KeyDataFormatCertPem, None))
    context = xmlsec.EncryptionContext(manager)
    context.key = xmlsec.Key.generate(constants.KeyDataAes, 256, constants.KeyDataTypeSession)
    done: etree._Element = context.encrypt_binary(encrypted, etree.tostring(assertion))
    return done


def add(parent: etree._Element, name: str, text: str | None = None, **attributes: str | None) -> etree._Element:
    """A new last child."""
    element = etree.SubElement(parent, tag(name))
    element.text = text
    set_attributes(element, **attributes)
    return element


def set_attributes(element: etree._Element, **attributes: str | None) -> None:
    """Sets those that aren't None."""
    for name, value in attributes.items():
        if value is not None:
            element.set(name, value)


def written_time(moment: datetime) -> str:
    """An instant as SAML writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
