"""The IdP's own key and certificate: made at the first start, kept in the state folder."""

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

YEARS = 10


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and its certificate, both PEM."""

    private_pem: bytes
    certificate_pem: bytes

    @property
    def certificate_base64(self) -> str:
        """The certificate as metadata holds it: base64 on one line, without PEM's frame."""
        return "".join(self.certificate_pem.decode().strip().splitlines()[1:-1])


def make_signing_key(name: str, now: datetime) -> SigningKey:
    """A new RSA-2048 key with a self-signed certificate, valid from the day before `now`."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} (simulated)"[:64])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * YEARS))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return SigningKey(private, certificate.public_bytes(serialization.Encoding.PEM))


def load_or_make(state: Path, name: str, now: datetime) -> SigningKey:
    """The key in the state folder, made first if there is none (mode 0600)."""
    path = state / "saml-signing.pem"
    if not path.exists():
        made = make_signing_key(name, now)
        # Written whole, then named: a start that is interrupted leaves no half key behind.
        unfinished = path.with_suffix(".new")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(made.private_pem + made.certificate_pem)
        unfinished.replace(path)
    private, marker, certificate = path.read_bytes().partition(b"-----BEGIN CERTIFICATE-----")
    return SigningKey(private, marker + certificate)
