"""XML from strangers: small, without DOCTYPE, entities or network."""

from lxml import etree

from simulated.company_idp.errors import SamlRequestRefused

LARGEST = 64 * 1024

NS = {
    "samlp": "urn:oasis:names:tc:SAML:2.0:protocol",
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "md": "urn:oasis:names:tc:SAML:2.0:metadata",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "xs": "http://www.w3.org/2001/XMLSchema",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
}
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"


def tag(name: str) -> str:
    """`samlp:Response` as lxml names it, `{urn:…}Response`."""
    prefix, local = name.split(":")
    return f"{{{NS[prefix]}}}{local}"


def parse(document: bytes) -> etree._Element:
    """The root element. Raises SamlRequestRefused for what is too large, no XML, or has a DOCTYPE."""
    if len(document) > LARGEST:
        raise SamlRequestRefused("The XML is larger than 64 KB.")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        root = etree.fromstring(document, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise SamlRequestRefused("That isn't XML.") from error
    if etree.ElementTree(root).docinfo.internalDTD is not None:
        raise SamlRequestRefused("A DOCTYPE isn't taken.")
    return root
