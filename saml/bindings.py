"""The two bindings by which messages travel through the browser: Redirect (SAML Bindings 3.4) and POST (3.5).

`send` is ours, signed or not. `open_query` takes apart the query of a message that must be signed, by the table
`QUERY`: its signature is over the very characters that arrived, so it is verified before anything is decoded,
inflated or parsed, and a stranger's octets reach none of that.
"""

import base64
import binascii
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import quote_plus, unquote_plus

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from saml import algorithms, toolkit
from saml.algorithms import RSA_SHA256
from saml.errors import (
    BadSignature,
    ForbiddenAlgorithm,
    InvalidRequest,
    MalformedMessage,
    NotSigned,
    Refused,
    TooLarge,
)
from saml.keys import private_key
from saml.service_provider import ServiceProvider

_LONGEST_RELAY_STATE = 80  # bytes, SAML Bindings 3.4.3
LONGEST_QUERY = 32_000  # characters; servers take less, and a logout message has two thousand
LARGEST_INFLATED = 100_000  # octets
_TOO_LARGE = "The message is larger than the bridge accepts."

_DEFLATE = "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE"
_MESSAGES = ("SAMLRequest", "SAMLResponse")
_NAMES = (*_MESSAGES, "RelayState", "SigAlg", "Signature", "SAMLEncoding")


# -- sending ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RedirectTo:
    """Send the browser to `url` by GET (SAML Bindings 3.4)."""

    url: str


@dataclass(frozen=True, slots=True)
class PostForm:
    """Let the browser POST `fields` to `url` (SAML Bindings 3.5)."""

    url: str
    fields: Mapping[str, str]


def send_redirect(
    url: str, field: str, xml: bytes, sp: ServiceProvider, relay_state: str | None, *, sign: bool
) -> RedirectTo:
    """`xml` as `field` (SAMLRequest or SAMLResponse), the query signed with RSA-SHA256 (SAML Bindings 3.4.4.1)."""
    query = f"{field}={_quoted_base64(_deflate(xml))}"
    if relay_state is not None:
        query += f"&RelayState={quote_plus(relay_state)}"
    if sign:
        query += _SIG_ALG
        query += f"&Signature={_quoted_base64(_sign(query, sp))}"
    return RedirectTo(url + ("&" if "?" in url else "?") + query)


def send_post(
    url: str, field: str, xml: bytes, sp: ServiceProvider, relay_state: str | None, *, sign: bool
) -> PostForm:
    """The same by a form, the message with an enveloped XML signature (SAML Bindings 3.5.4)."""
    signed = toolkit.sign(xml, sp) if sign else xml
    fields = {field: base64.b64encode(signed).decode()}
    if relay_state is not None:
        fields["RelayState"] = relay_state
    return PostForm(url, MappingProxyType(fields))


def check_relay_state(relay_state: str | None) -> None:
    """What we begin has 80 bytes at most; what we give back is as long as it came. Raises `InvalidRequest`."""
    if relay_state is not None and len(relay_state.encode()) > _LONGEST_RELAY_STATE:
        raise InvalidRequest(f"RelayState may have {_LONGEST_RELAY_STATE} bytes.")


_SIG_ALG = f"&SigAlg={quote_plus(RSA_SHA256)}"


def _quoted_base64(octets: bytes) -> str:
    """Only three of its signs mean something else in a query; `quote_plus` looks at each."""
    return base64.b64encode(octets).decode().replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")


def _deflate(xml: bytes) -> bytes:
    """Raw DEFLATE, no zlib header (SAML Bindings 3.4.4.1)."""
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflater.compress(xml) + deflater.flush()


def _sign(query: str, sp: ServiceProvider) -> bytes:
    return private_key(sp.private_key_pem).sign(query.encode(), padding.PKCS1v15(), hashes.SHA256())


# -- receiving a signed query -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Query:
    """A raw query as it arrived, and the certificates (PEM) of whom it must be from.

    `pairs` are its parameters in their order: the name decoded, then name and value as written.
    """

    raw: str
    pairs: tuple[tuple[str, str, str], ...]
    certificates: tuple[str, ...]

    def written(self, name: str) -> str | None:
        """The value of a parameter as it was written, still percent-encoded; None where it is absent."""
        return next((value for known, _, value in self.pairs if known == name), None)

    def value(self, name: str) -> str:
        """The same decoded; "" where it is absent."""
        return unquote_plus(self.written(name) or "")

    @property
    def field(self) -> str:
        """SAMLRequest or SAMLResponse, whichever is there."""
        return next((name for name in _MESSAGES if self.written(name) is not None), "")


@dataclass(frozen=True, slots=True)
class QueryItem:
    """One thing that must hold of a query; `check` raises a `Refused` when it doesn't."""

    name: str
    paragraph: str
    check: Callable[[Query], None]


@dataclass(frozen=True, slots=True)
class Opened:
    """What a verified query brings: the message's octets, in which parameter, and the RelayState to give back."""

    field: str
    octets: bytes
    relay_state: str | None


def query_is_short(query: Query) -> None:
    """A size cap before anything else."""
    if len(query.raw) > LONGEST_QUERY:
        raise TooLarge(_TOO_LARGE)


def parameters_come_once(query: Query) -> None:
    """Each parameter that means something comes once, under its own name plainly written.

    Readers differ over the first and the last of two, and over `SAML%52equest`.
    """
    known = [name for name, _, _ in query.pairs if name in _NAMES]
    plainly = all(name == written for name, written, _ in query.pairs if name in _NAMES)
    if len(set(known)) != len(known) or not plainly:
        raise MalformedMessage("A parameter of the message comes twice, or isn't written plainly.")


def one_message(query: Query) -> None:
    """A request or a response, not both."""
    if sum(query.written(name) is not None for name in _MESSAGES) != 1:
        raise MalformedMessage("There must be one message: a SAMLRequest or a SAMLResponse.")


def encoding_is_deflate(query: Query) -> None:
    """The one encoding that there is, named or not."""
    if query.written("SAMLEncoding") is not None and query.value("SAMLEncoding") != _DEFLATE:
        raise MalformedMessage("The message is in an encoding that the bridge doesn't know.")


def query_is_signed(query: Query) -> None:
    """With Signature and SigAlg: a message without them could be anybody's."""
    if not query.written("Signature") or not query.written("SigAlg"):
        raise NotSigned(
            "The message isn't signed. Switch on signing of logout messages at the identity provider; the bridge "
            "signs nobody out on an unsigned word."
        )


def signature_algorithm_is_allowed(query: Query) -> None:
    """RSA (PKCS #1 v1.5, PSS) or ECDSA with SHA-256, -384 or -512."""
    if query.value("SigAlg") not in algorithms.SIGNATURES:
        raise ForbiddenAlgorithm


def signature_is_the_idps(query: Query) -> None:
    """Good under one of the connection's certificates, over the characters as they arrived.

    They are put in the standard's order, whichever order they came in; nothing else of the query is looked at.
    """
    order = (query.field, "RelayState", "SigAlg")
    signed = "&".join(f"{name}={query.written(name)}" for name in order if query.written(name) is not None)
    signature = _decode(query.value("Signature"))
    if not any(_is_good(signed, signature, query.value("SigAlg"), one) for one in query.certificates):
        raise BadSignature


QUERY: tuple[QueryItem, ...] = (
    QueryItem("query-is-short", "Bindings 3.4.4", query_is_short),
    QueryItem("parameters-come-once", "Bindings 3.4.4.1", parameters_come_once),
    QueryItem("one-message", "Bindings 3.4.3", one_message),
    QueryItem("encoding-is-deflate", "Bindings 3.4.4", encoding_is_deflate),
    QueryItem("query-is-signed", "Profiles 4.4.3.1, 4.4.3.4", query_is_signed),
    QueryItem("signature-algorithm-is-allowed", "Bindings 3.4.4.1", signature_algorithm_is_allowed),
    QueryItem("signature-is-the-idps", "Bindings 3.4.4.1", signature_is_the_idps),
)


def open_query(raw: bytes, certificates: tuple[str, ...], items: tuple[QueryItem, ...] = QUERY) -> Opened:
    """The message in a raw query (what follows the `?`), signed by one of `certificates` (PEM).

    Raises a `Refused` with `check` set to the item that failed.
    """
    text = raw.decode("ascii", "replace")  # an address is ASCII (RFC 3986 2): else no signature fits
    query = Query(text, _pairs(text), certificates)
    for item in items:
        try:
            item.check(query)
        except Refused as refusal:
            refusal.check = item.name
            raise
    relay_state = None if query.written("RelayState") is None else query.value("RelayState")
    return Opened(query.field, _inflate(_decode(query.value(query.field))), relay_state)


def _pairs(raw: str) -> tuple[tuple[str, str, str], ...]:
    halves = (part.partition("=") for part in raw.split("&", 1000))
    return tuple((unquote_plus(name), name, value) for name, _, value in halves)


def _decode(written: str) -> bytes:
    # Without line ends: some break base64 also here (Bindings 3.4.4.1 tells to strip them).
    try:
        return base64.b64decode("".join(written.split()), validate=True)
    except (binascii.Error, ValueError):
        raise MalformedMessage("The message isn't base64.") from None


def _inflate(deflated: bytes) -> bytes:
    """At most `LARGEST_INFLATED` octets, whatever the message would grow to."""
    inflater = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    try:
        octets = inflater.decompress(deflated, LARGEST_INFLATED)
    except zlib.error:
        raise MalformedMessage("The message isn't deflated.") from None
    if inflater.unconsumed_tail:
        raise TooLarge(_TOO_LARGE)
    if not inflater.eof or inflater.unused_data:
        raise MalformedMessage("The message isn't deflated whole.")
    return octets


def _is_good(signed: str, signature: bytes, algorithm: str, certificate: str) -> bool:
    if algorithm not in algorithms.SIGNED_BY:
        return False
    kind, digest = algorithms.SIGNED_BY[algorithm]
    key = x509.load_pem_x509_certificate(certificate.encode()).public_key()
    octets = signed.encode()
    try:
        if kind != "ecdsa" and isinstance(key, rsa.RSAPublicKey):
            pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
            key.verify(signature, octets, pss if kind == "rsa-pss" else padding.PKCS1v15(), digest)
            return True
        if kind == "ecdsa" and isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(_as_der(signature, key), octets, ec.ECDSA(digest))
            return True
    except InvalidSignature:
        return False
    return False


def _as_der(signature: bytes, key: ec.EllipticCurvePublicKey) -> bytes:
    """ECDSA as XML Signature writes it, two numbers side by side (RFC 4051 2.3.6), or as Java's libraries do: DER."""
    size = (key.key_size + 7) // 8
    if len(signature) != 2 * size:
        return signature
    return encode_dss_signature(int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big"))
