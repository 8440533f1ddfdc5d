"""python3-saml, held by the hand: the one module that imports `onelogin`.

What the library is trusted with: verifying the XML signatures of a message that `saml.gate` has let through,
its schemas, and signing our own messages. What it isn't asked: times (it reads the wall clock), audience,
recipient, destination, request. Those are `saml.rules`, over the verified bytes. So it runs with `strict`
off, and only its structural and signature checks remain. Everything that it raises becomes a refusal.

Kept between calls, because making them costs more than a whole validation: the compiled schema and the
settings of a connection. Neither depends on what a message says.
"""

from functools import cache, lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import xmlsec  # before onelogin and lxml's first use: a wrong pair of wheels fails here, with a clear message
from lxml import etree
from onelogin import saml2
from onelogin.saml2.errors import OneLogin_Saml2_Error, OneLogin_Saml2_ValidationError
from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings
from onelogin.saml2.utils import OneLogin_Saml2_Utils

from saml.errors import BadSignature, ForbiddenSignature, NotSigned
from saml.identity_provider import IdentityProvider
from saml.markup import Element
from saml.service_provider import ServiceProvider

_SCHEMA_FILE = Path(saml2.__file__).parent / "schemas" / "saml-schema-protocol-2.0.xsd"
_schema_lock = Lock()


class _Message(OneLogin_Saml2_Response):  # type: ignore[misc]
    """The library's response over a tree that is parsed, let through by the gate, and decrypted already.

    `document` is what arrived; `opened` the same with the assertion in clear, or None when it wasn't
    encrypted.
    """

    def __init__(self, settings: OneLogin_Saml2_Settings, document: Element, opened: Element | None) -> None:
        self._settings = settings
        self._error = None
        self.document = document
        self.decrypted_document = opened
        self.encrypted = opened is not None
        self.valid_scd_not_on_or_after = None


def verify(document: Element, opened: Element | None, idp: IdentityProvider, sp: ServiceProvider) -> None:
    """Every signature of the message is good under a certificate of `idp`, and there is at least one.

    Raises `NotSigned`, `BadSignature` or `ForbiddenSignature`.
    """
    try:
        _Message(_settings(idp, sp), document, opened).is_valid({}, raise_exceptions=True)
    except OneLogin_Saml2_ValidationError as error:
        raise _REFUSALS.get(error.code, ForbiddenSignature)() from error
    except (OneLogin_Saml2_Error, xmlsec.Error, etree.LxmlError, ValueError, LookupError, AttributeError) as error:
        raise BadSignature from error


def verify_response(document: Element, idp: IdentityProvider) -> None:
    """The signature on the response itself is good; asked before anything in it is decrypted. Raises
    `BadSignature`."""
    try:
        good = OneLogin_Saml2_Utils.validate_sign(
            document, multicerts=list(idp.certificates), xpath=OneLogin_Saml2_Utils.RESPONSE_SIGNATURE_XPATH
        )
    except (OneLogin_Saml2_Error, xmlsec.Error, etree.LxmlError, ValueError) as error:
        raise BadSignature from error
    if not good:
        raise BadSignature


def fits_schema(document: Element) -> bool:
    """Whether the message is what saml-schema-protocol-2.0.xsd allows."""
    with _schema_lock:
        return _schema().validate(document)


def sign(xml: bytes, sp: ServiceProvider) -> bytes:
    """A message of ours with an enveloped signature after its Issuer, RSA-SHA256 (SAML Core 5.4)."""
    signed: bytes | str = OneLogin_Saml2_Utils.add_sign(xml, sp.private_key_pem, sp.certificates[0])
    return signed.encode() if isinstance(signed, str) else signed


_REFUSALS = {
    OneLogin_Saml2_ValidationError.NO_SIGNATURE_FOUND: NotSigned,
    OneLogin_Saml2_ValidationError.INVALID_SIGNATURE: BadSignature,
}


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(_SCHEMA_FILE)))


@lru_cache(maxsize=256)
def _settings(idp: IdentityProvider, sp: ServiceProvider) -> OneLogin_Saml2_Settings:
    settings: dict[str, Any] = {
        "strict": False,
        "sp": {"entityId": sp.entity_id, "assertionConsumerService": {"url": sp.acs_url}},
        "idp": {"entityId": idp.entity_id, "x509certMulti": {"signing": list(idp.certificates)}},
        "security": {"allowSingleLabelDomains": True},
    }
    return OneLogin_Saml2_Settings(settings, sp_validation_only=True)
