"""The service provider that this IdP answers, as its metadata tells (SAML Metadata 2.4.4)."""

from dataclasses import dataclass

from cryptography import x509
from lxml import etree

from simulated.company_idp.errors import Invalid, SamlRequestRefused
from simulated.company_idp.safe_xml import NS, POST, REDIRECT, parse, tag


@dataclass(frozen=True, slots=True)
class ServiceProvider:
    """Its name, the only address that answers go to, its certificates (PEM) where it has them, where its logout
    messages go, and whether it says that it signs its requests."""

    entity_id: str
    acs_url: str
    signing_certificate: str | None = None
    encryption_certificate: str | None = None
    slo_url: str | None = None
    signs_requests: bool = False


def parse_metadata(document: bytes) -> ServiceProvider:
    """Reads an EntityDescriptor. Raises Invalid, saying what is missing."""
    try:
        root = parse(document)
    except SamlRequestRefused as error:
        raise Invalid(f"The metadata can't be read. {error}") from error
    entity_id = root.get("entityID")
    if root.tag != tag("md:EntityDescriptor") or not entity_id:
        raise Invalid("The metadata isn't an EntityDescriptor with an entityID.")
    return ServiceProvider(
        entity_id=entity_id,
        acs_url=_acs_url(root),
        signing_certificate=_certificate(root, "signing"),
        encryption_certificate=_certificate(root, "encryption"),
        slo_url=_slo_url(root),
        signs_requests=_signs_requests(root),
    )


def _slo_url(root: etree._Element) -> str | None:
    services = root.findall("md:SPSSODescriptor/md:SingleLogoutService", NS)
    return next((one.get("Location") for one in services if one.get("Binding") == REDIRECT), None)


def _signs_requests(root: etree._Element) -> bool:
    role = root.find("md:SPSSODescriptor", NS)
    return role is not None and role.get("AuthnRequestsSigned") in ("true", "1")


def _acs_url(root: etree._Element) -> str:
    services = root.findall("md:SPSSODescriptor/md:AssertionConsumerService", NS)
    by_post = [service for service in services if service.get("Binding") == POST]
    # The default one, else the first: SAML Metadata 2.2.3.
    by_post.sort(key=lambda service: service.get("isDefault") not in ("true", "1"))
    if not by_post or not by_post[0].get("Location"):
        raise Invalid("The metadata names no AssertionConsumerService with the POST binding.")
    return str(by_post[0].get("Location"))


def _certificate(root: etree._Element, use: str) -> str | None:
    """The first certificate for `use`; a KeyDescriptor without a use serves both (SAML Metadata 2.4.1.1)."""
    for key in root.findall("md:SPSSODescriptor/md:KeyDescriptor", NS):
        text = key.findtext("ds:KeyInfo/ds:X509Data/ds:X509Certificate", namespaces=NS)
        if text and key.get("use", use) == use:
            return as_pem(text)
    return None


def as_pem(text: str) -> str:
    """A certificate's base64 with PEM's first and last line. Raises Invalid."""
    body = "".join(text.split())
    lines = [body[start : start + 64] for start in range(0, len(body), 64)]
    pem = "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])
    try:
        x509.load_pem_x509_certificate(pem.encode())
    except ValueError as error:
        raise Invalid("The metadata has a certificate that can't be read.") from error
    return pem
