"""X.509 certificates as admins paste them and as metadata carries them."""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from saml.errors import InvalidMetadata

_ARMOUR = re.compile(r"-----(BEGIN|END) CERTIFICATE-----")
_BLOCK_ENDS = re.compile(r"(?<=-----END CERTIFICATE-----)")
_SMALLEST_RSA = 2048


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What a page shows of a certificate. Trust doesn't depend on it: a certificate is trusted because it is
    configured."""

    subject: str
    not_before: datetime
    not_after: datetime
    sha256: str


def parse_certificate(written: str) -> str:
    """A certificate as PEM, from PEM or from bare base64 with any white space.

    Raises `InvalidMetadata` if it isn't one, or if its key can't verify what the bridge accepts (RSA of 2048
    bits or more, or an elliptic curve).
    """
    certificate = _load(written)
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _SMALLEST_RSA:
        raise InvalidMetadata(
            f"The certificate has an RSA key of {key.key_size} bits; the bridge needs 2048 or more. "
            "Make a new signing certificate at the identity provider."
        )
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise InvalidMetadata("The certificate has neither an RSA nor an elliptic-curve key.")
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def parse_certificates(written: str) -> tuple[str, ...]:
    """Several certificates as PEM, each once, in their order: PEM blocks one after the other, or one as bare base64.

    Raises `InvalidMetadata`, also where there is none.
    """
    blocks = [block for block in _BLOCK_ENDS.split(written) if block.strip()]
    if not blocks:
        raise InvalidMetadata("There is no certificate. Paste at least one, whole.")
    return tuple(dict.fromkeys(map(parse_certificate, blocks)))


@lru_cache(maxsize=256)
def certificate_facts(pem: str) -> CertificateFacts:
    """Subject, times and SHA-256 fingerprint of a certificate; raises `InvalidMetadata`."""
    certificate = _load(pem)
    return CertificateFacts(
        subject=certificate.subject.rfc4514_string(),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        sha256=certificate.fingerprint(hashes.SHA256()).hex(":").upper(),
    )


def public_key_pem(pem: str) -> str:
    """The certificate's public key as PEM (SubjectPublicKeyInfo); raises `InvalidMetadata`."""
    key = _load(pem).public_key()
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def bare_base64(pem: str) -> str:
    """The certificate's base64 without armour or line breaks, as `ds:X509Certificate` holds it."""
    return "".join(_ARMOUR.sub("", pem).split())


def _load(written: str) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(base64.b64decode(bare_base64(written), validate=True))
    except (binascii.Error, ValueError):
        raise InvalidMetadata(
            "A certificate can't be read. Paste it whole, with its BEGIN and END lines, or as base64."
        ) from None
