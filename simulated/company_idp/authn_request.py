"""Sign-in requests as they arrive: read, and checked against the one service provider that is registered.

An AuthnRequest (SAML Core 3.4.1) comes deflated in a query (Bindings 3.4) or as a form field (Bindings 3.5). It says
where to answer, but the answer only ever goes to the registered address: a request that names another is refused.
"""

import binascii
import zlib
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_plus

import xmlsec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from lxml import etree

from simulated.company_idp.errors import SamlRequestRefused
from simulated.company_idp.safe_xml import LARGEST, NS, POST, parse, tag
from simulated.company_idp.service_provider import ServiceProvider

_HASHES = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}


@dataclass(frozen=True, slots=True)
class AuthnRequest:
    """A checked request: its id, the opaque RelayState to give back, and whether to log in even who has."""

    id: str
    relay_state: str | None = None
    force_authn: bool = False
    signed: bool = False


def read_redirect(query: str, sp: ServiceProvider, sso_url: str) -> AuthnRequest:
    """Reads the raw query of a GET. Raises SamlRequestRefused. A signature is checked if the SP has a certificate."""
    raw = dict(part.split("=", 1) for part in query.split("&") if "=" in part)
    values = {key: unquote_plus(value) for key, value in raw.items()}
    root = parse(_inflate(_base64(values.get("SAMLRequest", ""))))
    signed = "Signature" in raw and sp.signing_certificate is not None
    if signed:
        _check_query_signature(raw, values, str(sp.signing_certificate))
    return _checked(root, sp, sso_url, values.get("RelayState"), signed=signed)


def read_post(form: Mapping[str, str], sp: ServiceProvider, sso_url: str) -> AuthnRequest:
    """Reads the form of a POST. Raises SamlRequestRefused."""
    root = parse(_base64(form.get("SAMLRequest", "")))
    signed = root.find("ds:Signature", NS) is not None and sp.signing_certificate is not None
    if signed:
        _check_enveloped_signature(root, str(sp.signing_certificate))
    return _checked(root, sp, sso_url, form.get("RelayState"), signed=signed)


def _checked(
    root: etree._Element, sp: ServiceProvider, sso_url: str, relay_state: str | None, *, signed: bool
) -> AuthnRequest:
    request_id = root.get("ID")
    if root.tag != tag("samlp:AuthnRequest") or not request_id or root.get("Version") != "2.0":
        raise SamlRequestRefused("That isn't a SAML 2.0 AuthnRequest with an ID.")
    issuer = (root.findtext("saml:Issuer", namespaces=NS) or "").strip()
    if issuer != sp.entity_id:
        raise SamlRequestRefused(f"{issuer[:200] or 'Nobody'} isn't registered here; {sp.entity_id} is.")
    if root.get("AssertionConsumerServiceURL", sp.acs_url) != sp.acs_url:
        raise SamlRequestRefused("The request asks for an answer at another address than the one registered here.")
    if root.get("ProtocolBinding", POST) != POST:
        raise SamlRequestRefused("Answers are sent by the POST binding only.")
    if root.get("Destination", sso_url) != sso_url:
        raise SamlRequestRefused("The request was meant for another address.")
    return AuthnRequest(request_id, relay_state, root.get("ForceAuthn") in ("true", "1"), signed)


def _base64(text: str) -> bytes:
    if not text:
        raise SamlRequestRefused("There is no SAMLRequest.")
    try:
        return b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise SamlRequestRefused("The SAMLRequest isn't base64.") from error


def _inflate(deflated: bytes) -> bytes:
    inflater = zlib.decompressobj(wbits=-15)
    try:
        document = inflater.decompress(deflated, LARGEST)
    except zlib.error as error:
        raise SamlRequestRefused("The SAMLRequest isn't deflated.") from error
    if inflater.unconsumed_tail:
        raise SamlRequestRefused("The SAMLRequest is larger than 64 KB.")
    return document


def _check_query_signature(raw: Mapping[str, str], values: Mapping[str, str], certificate: str) -> None:
    """Bindings 3.4.4.1: over the values still encoded, in this order, however the query had them."""
    signed = "&".join(f"{key}={raw[key]}" for key in ("SAMLRequest", "RelayState", "SigAlg") if key in raw)
    algorithm = _HASHES.get(values.get("SigAlg", "").rpartition("-")[2])
    if algorithm is None:
        raise SamlRequestRefused("The request's signature isn't RSA or ECDSA with SHA-256 or better.")
    signature = _base64(values["Signature"])
    key = x509.load_pem_x509_certificate(certificate.encode()).public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, signed.encode(), padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, signed.encode(), ec.ECDSA(algorithm))
        else:
            raise SamlRequestRefused("The registered certificate has a key of a kind that isn't checked here.")
    except InvalidSignature as error:
        raise SamlRequestRefused("The request's signature isn't by the registered certificate.") from error


def _check_enveloped_signature(root: etree._Element, certificate: str) -> None:
    signature = root.find("ds:Signature", NS)
    reference = root.find("ds:Signature/ds:SignedInfo/ds:Reference", NS)
    if signature is None or reference is None or reference.get("URI") != f"#{root.get('ID')}":
        raise SamlRequestRefused("The request's signature doesn't cover the request.")
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(certificate.encode(), xmlsec.constants.KeyDataFormatCertPem, None)
    for transform in (
        xmlsec.constants.TransformEnveloped,
        xmlsec.constants.TransformExclC14N,
        xmlsec.constants.TransformSha256,
        xmlsec.constants.TransformRsaSha256,
    ):
        context.enable_reference_transform(transform)
        context.enable_signature_transform(transform)
    xmlsec.tree.add_ids(root, ["ID"])
    try:
        context.verify(signature)
    except xmlsec.Error as error:
        raise SamlRequestRefused("The request's signature isn't by the registered certificate.") from error
