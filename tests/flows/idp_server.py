"""An IdP's web server on this machine, with metadata that tests change."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from saml.certificates import bare_base64

ENTITY = "https://idp.kicks.example/saml"
SSO = "https://idp.kicks.example/sso"
FIRST_DAY = datetime(2020, 1, 1, tzinfo=UTC)


@cache
def certificate(name: str, until: datetime, since: datetime = FIRST_DAY) -> str:
    """A signing certificate, PEM: the same for the same words."""
    key = ec.generate_private_key(ec.SECP256R1())
    called = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    built = x509.CertificateBuilder(called, called, key.public_key(), x509.random_serial_number())
    signed = built.not_valid_before(since).not_valid_after(until).sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def metadata(
    certificates: Sequence[str], *, entity_id: str = ENTITY, sso: str = SSO, attributes: str = "", asks: str = "false"
) -> bytes:
    """An IdP's metadata. `attributes` are more ones of its EntityDescriptor."""
    keys = "".join(
        '<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>'
        f"<ds:X509Certificate>{bare_base64(pem)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        for pem in certificates
    )
    return (
        f'<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{entity_id}" {attributes}>'
        f'<md:IDPSSODescriptor WantAuthnRequestsSigned="{asks}" '
        f'protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">{keys}'
        f'<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{sso}"/>'
        "</md:IDPSSODescriptor></md:EntityDescriptor>"
    ).encode()


@dataclass(slots=True)
class IdpServer:
    """What it answers to every GET, and how often it was asked."""

    url: str
    body: bytes = b""
    status: int = 200
    asked: list[str] = field(default_factory=list)


@contextmanager
def idp_server() -> Iterator[IdpServer]:
    """A server for the length of a block."""

    class Request(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked.append(self.path)
            self.send_response(server.status)
            self.send_header("Content-Length", str(len(server.body)))
            self.end_headers()
            self.wfile.write(server.body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Request) as listening:
        server = IdpServer(f"http://127.0.0.1:{listening.server_port}/metadata")
        thread = Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()
