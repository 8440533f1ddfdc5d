"""How messages come and go: by Redirect, deflated in a query (Bindings 3.4), and by POST, in a form (3.5).

A signature is checked where the service provider has a certificate here; whether there must be one is the caller's.
"""

import binascii
import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote_plus, unquote_plus

import xmlsec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from lxml import etree

from simulated.company_idp.errors import SamlRequestRefused
from simulated.company_idp.safe_xml import LARGEST, NS, parse
from simulated.company_idp.service_provider import ServiceProvider
from simulated.company_idp.signing_key import SigningKey

_HASHES = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
_RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
_FIELDS = ("SAMLRequest", "SAMLResponse")


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as it came. `signed`: by the registered certificate; False where it has no signature."""

    root: etree._Element
    relay_state: str | None
    signed: bool


def open_redirect(query: str, sp: ServiceProvider) -> Incoming:
    """Reads the raw query of a GET. Raises SamlRequestRefused."""
    raw = dict(part.split("=", 1) for part in query.split("&") if "=" in part)
    values = {key: unquote_plus(value) for key, value in raw.items()}
    field = _field(values)
    root = parse(_inflate(_base64(values.get(field, ""))))
    signed = "Signature" in raw and sp.signing_certificate is not None
    if signed:
        _check_query_signature(field, raw, values, str(sp.signing_certificate))
    return Incoming(root, values.get("RelayState"), signed)


def open_post(form: Mapping[str, str], sp: ServiceProvider) -> Incoming:
    """Reads the form of a POST. Raises SamlRequestRefused."""
    root = parse(_base64(form.get(_field(form), "")))
    signed = root.find("ds:Signature", NS) is not None and sp.signing_certificate is not None
    if signed:
        _check_enveloped_signature(root, str(sp.signing_certificate))
    return Incoming(root, form.get("RelayState"), signed)


def redirect_url(url: str, field: str, document: bytes, key: SigningKey, relay_state: str | None = None) -> str:
    """Where to send the browser with a message: the query is signed (Bindings 3.4.4.1)."""
    deflater = zlib.compressobj(wbits=-15)
    packed = b64encode(deflater.compress(document) + deflater.flush()).decode()
    parameters = {field: packed, "RelayState": relay_state, "SigAlg": _RSA_SHA256}
    query = "&".join(f"{name}={quote_plus(value)}" for name, value in parameters.items() if value is not None)
    private = serialization.load_pem_private_key(key.private_pem, None)
    assert isinstance(private, rsa.RSAPrivateKey)
    signature = private.sign(query.encode(), padding.PKCS1v15(), hashes.SHA256())
    joint = "&" if "?" in url else "?"
    return f"{url}{joint}{query}&Signature={quote_plus(b64encode(signature).decode())}"


def _field(values: Mapping[str, str]) -> str:
    return next((field for field in _FIELDS if field in values), _FIELDS[0])


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


def _check_query_signature(field: str, raw: Mapping[str, str], values: Mapping[str, str], certificate: str) -> None:
    """Bindings 3.4.4.1: over the values still encoded, in this order, however the query had them."""
    signed = "&".join(f"{key}={raw[key]}" for key in (field, "RelayState", "SigAlg") if key in raw)
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
