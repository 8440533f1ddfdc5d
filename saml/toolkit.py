"""python3-saml, held by the hand: the one module that imports `onelogin`.

Three things are taken from the library: its own opinion of which elements a message signs (a second one,
beside the gate's, written by others), its schemas, and the signing of our own messages. The signatures are
verified as it does it, by xmlsec with nothing but the connection's certificates, yet with keys that are kept:
the library parses each certificate again for each signature, which costs as much as verifying.

What the library isn't asked: times (it reads the wall clock), audience, recipient, destination, request.
Those are `saml.rules`, over the verified bytes. Everything that it or xmlsec raises becomes a refusal.

Kept between calls are the compiled schema, the library's compiled questions and the connection's parsed keys. None
depends on what a message says.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from threading import Lock
from typing import cast

import xmlsec
from lxml import etree
from onelogin import saml2
from onelogin.saml2.constants import OneLogin_Saml2_Constants
from onelogin.saml2.errors import OneLogin_Saml2_Error, OneLogin_Saml2_ValidationError
from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings
from onelogin.saml2.utils import OneLogin_Saml2_Utils

from saml.certificates import public_key_pem
from saml.errors import BadSignature, ForbiddenSignature, NotSigned
from saml.markup import Element, children
from saml.service_provider import ServiceProvider

_SCHEMA_FILE = Path(saml2.__file__).parent / "schemas" / "saml-schema-protocol-2.0.xsd"
_schema_lock = Lock()


@dataclass(frozen=True, slots=True)
class _Searched:
    """An element as the library searches it: it would compile each of its dozen questions anew for each message."""

    element: Element

    def xpath(self, query: str, namespaces: dict[str, str]) -> list["_Searched"]:
        """What the library asks goes by its own names and prefixes: nothing in it is from a message."""
        return [_Searched(found) for found in _compiled(query)(self.element)]

    def getparent(self) -> Element | None:
        return self.element.getparent()

    def get(self, name: str) -> str | None:
        return self.element.get(name)


class _Message(OneLogin_Saml2_Response):  # type: ignore[misc]
    """The library's response over trees that are parsed, let through by the gate, and decrypted already.

    `document` is what arrived; `opened` the same with the assertion in clear, or None when it wasn't
    encrypted.
    """

    def __init__(self, document: Element, opened: Element | None) -> None:
        self._settings = _settings()
        self._error = None
        self.document = _Searched(document)
        self.decrypted_document = None if opened is None else _Searched(opened)
        self.encrypted = opened is not None


def check_signed_elements(document: Element, opened: Element | None) -> None:
    """The library, too, finds one assertion, and signatures only where they cover the element that they stand
    in.

    Raises `NotSigned` or `ForbiddenSignature`.
    """
    message = _Message(document, opened)
    try:
        signed, one = message.process_signed_elements(), message.validate_num_assertions()
    except (OneLogin_Saml2_Error, OneLogin_Saml2_ValidationError, etree.LxmlError) as error:
        raise ForbiddenSignature from error
    if not signed:
        raise NotSigned
    if not one:
        raise ForbiddenSignature


def verify(element: Element, certificates: tuple[str, ...]) -> str:
    """The signature that stands in `element` is good under one of `certificates` (PEM). Returns which. Raises
    `BadSignature`.

    KeyInfo isn't read: the context has its key already (xmlSecDSigCtx with signKey set), and that is
    configuration.
    """
    signature = children(element, "ds:Signature")[0]
    xmlsec.tree.add_ids(element.getroottree().getroot(), ["ID"])
    for certificate in certificates:
        if _is_good(signature, certificate):
            return certificate
    raise BadSignature


def fits_schema(document: Element) -> bool:
    """Whether the message is what saml-schema-protocol-2.0.xsd allows."""
    with _schema_lock:
        try:
            return _schema().validate(document)
        except etree.XMLSchemaValidateError:  # an internal error of libxml2, e.g. over an entity reference
            return False


def sign(xml: bytes, sp: ServiceProvider) -> bytes:
    """A message of ours with an enveloped signature after its Issuer, RSA-SHA256 (SAML Core 5.4)."""
    signed: bytes | str = OneLogin_Saml2_Utils.add_sign(xml, sp.private_key_pem, sp.certificates[0])
    return signed.encode() if isinstance(signed, str) else signed


def _is_good(signature: Element, certificate: str) -> bool:
    try:
        context = xmlsec.SignatureContext()
        context.key = _key(certificate)
        context.verify(signature)
    except (xmlsec.Error, etree.LxmlError, ValueError):
        return False
    return True


@lru_cache(maxsize=1024)
def _key(certificate: str) -> xmlsec.Key:
    """Its public key alone, safe to share: a context takes a copy, which of a whole certificate costs as much again."""
    return xmlsec.Key.from_memory(public_key_pem(certificate), xmlsec.constants.KeyDataFormatPem)


@cache
def _compiled(query: str) -> Callable[[Element], list[Element]]:
    compiled = etree.XPath(query, namespaces=OneLogin_Saml2_Constants.NSMAP)
    return cast(Callable[[Element], list[Element]], compiled)


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(_SCHEMA_FILE)))


@cache
def _settings() -> OneLogin_Saml2_Settings:
    """The library demands settings of a service provider; of these, only `security` is read here."""
    ours = {"entityId": "unused", "assertionConsumerService": {"url": "https://unused.invalid/"}}
    security = {"rejectDeprecatedAlgorithm": True}
    return OneLogin_Saml2_Settings({"strict": False, "sp": ours, "security": security}, sp_validation_only=True)
