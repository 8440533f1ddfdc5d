"""ServiceProvider: our side of a connection, its metadata, and the making of its key pair."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from saml.algorithms import OFFERED_ENCRYPTION
from saml.certificates import bare_base64
from saml.markup import (
    EMAIL_ADDRESS,
    HTTP_POST,
    HTTP_REDIRECT,
    NAMESPACES,
    PERSISTENT,
    TRANSIENT,
    UNSPECIFIED,
    Element,
    make,
)

_KEY_BITS = 2048  # decrypting costs a third of what 3072 bits would
_KEY_LIFETIME = timedelta(days=3 * 365)
_LONGEST_COMMON_NAME = 64  # RFC 5280, ub-common-name


@dataclass(frozen=True, slots=True)
class ServiceProvider:
    """The bridge as one connection's service provider.

    `certificates` are the published ones, PEM, that of `private_key_pem` first; during a rotation the second is
    that of `next_private_key_pem`: requests are signed with the present key, what is encrypted for either is
    opened. `clock_skew` is in seconds and applies to every instant of a message. `slo_url` None: no single logout.
    `sign_requests` is about AuthnRequests alone: logout messages are always signed. `authn_contexts` are the
    AuthnContextClassRefs that are asked for, and one of which must then be named; none: any will do.
    """

    entity_id: str
    acs_url: str
    slo_url: str | None
    private_key_pem: str = field(repr=False)
    certificates: tuple[str, ...]
    clock_skew: int = 60
    next_private_key_pem: str | None = field(default=None, repr=False)
    sign_requests: bool = True
    authn_contexts: tuple[str, ...] = ()

    @property
    def private_keys(self) -> tuple[str, ...]:
        """PEM; those that open what is encrypted for one of `certificates`, the present one first."""
        return tuple(key for key in (self.private_key_pem, self.next_private_key_pem) if key)


def render_metadata(sp: ServiceProvider) -> bytes:
    """The service provider's metadata for the identity provider, UTF-8 XML (SAML Metadata 2.4.4).

    WantAssertionsSigned is false, since an assertion that the response's signature covers is taken as well.
    """
    role = make(
        "md:SPSSODescriptor",
        *(_key(certificate, use) for certificate in sp.certificates for use in ("signing", "encryption")),
        *_logout_services(sp.slo_url),
        *(make("md:NameIDFormat", name) for name in (EMAIL_ADDRESS, PERSISTENT, UNSPECIFIED, TRANSIENT)),
        make("md:AssertionConsumerService", Binding=HTTP_POST, Location=sp.acs_url, index="0", isDefault="true"),
        AuthnRequestsSigned="true" if sp.sign_requests else "false",
        WantAssertionsSigned="false",
        protocolSupportEnumeration=NAMESPACES["samlp"],
    )
    entity = make("md:EntityDescriptor", role, entityID=sp.entity_id)
    return etree.tostring(entity, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def make_key_pair(common_name: str, now: datetime) -> tuple[str, str]:
    """A new RSA key and its self-signed certificate, both PEM, valid for three years from `now`.

    The key is unencrypted PKCS #8: whoever stores it encrypts it. IdPs compare the certificate byte for byte
    and look at nothing in it but, some of them, its dates.
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name[:_LONGEST_COMMON_NAME])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _KEY_LIFETIME)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private.decode(), certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key(certificate: str, use: str) -> Element:
    info = make("ds:KeyInfo", make("ds:X509Data", make("ds:X509Certificate", bare_base64(certificate))))
    methods = OFFERED_ENCRYPTION if use == "encryption" else ()
    return make(
        "md:KeyDescriptor", info, *(make("md:EncryptionMethod", Algorithm=method) for method in methods), use=use
    )


def _logout_services(slo_url: str | None) -> list[Element]:
    if slo_url is None:
        return []
    return [make("md:SingleLogoutService", Binding=binding, Location=slo_url) for binding in (HTTP_REDIRECT, HTTP_POST)]
