"""Logout messages of the IdP of `tests.saml.idp`, good or told to be otherwise, by both bindings; and bad ones.

redirected(request())                      a raw query, signed over its characters as a browser brings them
posted(request(session_index="_s1"))       a form, signed within the XML
LOGOUT_ATTACKS                             bad ones, each with the refusal that it must meet
"""

import base64
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from lxml import etree

from saml import errors
from saml.identity_provider import IdentityProvider
from saml.logout import LogoutRequest, LogoutResponse, receive_form, receive_query
from saml.markup import EMAIL_ADDRESS
from saml.service_provider import ServiceProvider
from tests.saml.idp import BRIDGE, KICKS, NAME_ID, NOW, NS, PSS, hide, keys, sign
from tests.saml.idp import _attributes as attributes

RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
RSA_SHA1 = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
STATUS = "urn:oasis:names:tc:SAML:2.0:status:"
MEI = "mei@kicks.example"
_serial = count(1)

Form = dict[str, str]


# -- what an IdP says --------------------------------------------------------------------------------


def request(sp: ServiceProvider = BRIDGE, now: datetime = NOW, **changes: Any) -> bytes:
    """A good LogoutRequest for Mei, but for `changes`; None leaves a thing out, `inside` adds XML."""
    said = {"id": f"_logout{next(_serial)}", "name_id": MEI, "session_index": ("_session1",), "issued": now}
    said |= {"destination": sp.slo_url, "issuer": KICKS.entity_id, "not_on_or_after": now + timedelta(minutes=5)}
    said |= {"version": "2.0", "format": EMAIL_ADDRESS, "name_qualifier": None, "sp_name_qualifier": None, "inside": ""}
    said |= changes
    head = attributes(
        ID=said["id"],
        Version=said["version"],
        IssueInstant=said["issued"],
        Destination=said["destination"],
        NotOnOrAfter=said["not_on_or_after"],
    )
    naming = attributes(
        Format=said["format"], NameQualifier=said["name_qualifier"], SPNameQualifier=said["sp_name_qualifier"]
    )
    named = "" if said["name_id"] is None else f"<saml:NameID{naming}>{escape(said['name_id'])}</saml:NameID>"
    sessions = "".join(f"<samlp:SessionIndex>{escape(one)}</samlp:SessionIndex>" for one in said["session_index"])
    return _message("LogoutRequest", head, said["issuer"], f"{named}{said['inside']}{sessions}")


def response(to: str = "_r1", sp: ServiceProvider = BRIDGE, now: datetime = NOW, **changes: Any) -> bytes:
    """A good LogoutResponse to the request `to`, but for `changes`."""
    said = {"id": f"_done{next(_serial)}", "issued": now, "destination": sp.slo_url, "issuer": KICKS.entity_id}
    said |= {"version": "2.0", "status": "Success", "inner": None, "to": to, **changes}
    head = attributes(
        ID=said["id"],
        Version=said["version"],
        IssueInstant=said["issued"],
        Destination=said["destination"],
        InResponseTo=said["to"],
    )
    inner = "" if said["inner"] is None else f'<samlp:StatusCode Value="{STATUS}{said["inner"]}"/>'
    code = f'<samlp:StatusCode Value="{STATUS}{said["status"]}">{inner}</samlp:StatusCode>'
    return _message("LogoutResponse", head, said["issuer"], f"<samlp:Status>{code}</samlp:Status>")


def _message(name: str, head: str, issuer: str | None, inside: str) -> bytes:
    by = "" if issuer is None else f"<saml:Issuer>{escape(issuer)}</saml:Issuer>"
    spaces = f'xmlns:samlp="{NS["samlp"]}" xmlns:saml="{NS["saml"]}"'
    return f"<samlp:{name} {spaces}{head}>{by}{inside}</samlp:{name}>".encode()


# -- how it travels ----------------------------------------------------------------------------------


def deflated(xml: bytes) -> str:
    """A message as the Redirect binding packs it, before percent-encoding."""
    packer = zlib.compressobj(wbits=-15)
    return base64.b64encode(packer.compress(xml) + packer.flush()).decode()


def redirected(
    xml: bytes | str,
    *,
    field: str = "SAMLRequest",
    relay_state: str | None = None,
    key: str = "kicks",
    algorithm: str = RSA_SHA256,
    encode: Callable[[str], str] = quote_plus,
) -> bytes:
    """The raw query of a message (XML, or what stands for it), signed; `encode` is how its sender percent-encodes."""
    packed = xml if isinstance(xml, str) else deflated(xml)
    parameters = {field: packed, "RelayState": relay_state, "SigAlg": algorithm}
    signed = "&".join(f"{name}={encode(value)}" for name, value in parameters.items() if value is not None)
    return f"{signed}&Signature={encode(query_signature(signed, key, algorithm))}".encode()


def query_signature(signed: str, key: str = "kicks", algorithm: str = RSA_SHA256) -> str:
    """The signature over the characters of a query, base64."""
    digest = getattr(hashes, re.findall(r"sha\d+", algorithm)[0].upper())()
    private = load_pem_private_key(keys(key).private.encode(), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
    padded = pss if algorithm in PSS else padding.PKCS1v15()
    return base64.b64encode(private.sign(signed.encode(), padded, digest)).decode()


def posted(xml: bytes, *, field: str = "SAMLRequest", key: str = "kicks", signed: bool = True, **how: Any) -> Form:
    """The form of a message, with its signature in the XML. `how` goes to `tests.saml.idp.sign`."""
    root = etree.fromstring(xml)
    if signed:
        sign(root, key, **how)
    return {field: base64.b64encode(etree.tostring(root)).decode()}


def receive(
    sent: bytes | Mapping[str, str],
    idp: IdentityProvider = KICKS.trusted,
    sp: ServiceProvider = BRIDGE,
    now: datetime = NOW,
    **tables: Any,
) -> LogoutRequest | LogoutResponse:
    """Either way of sending, received. `tables` may replace `query`, `gate` and `rules`."""
    if isinstance(sent, bytes):
        return receive_query(sent, idp, sp, now, **tables)
    return receive_form(sent, idp, sp, now, **{name: table for name, table in tables.items() if name != "query"})


def lower_case(text: str) -> str:
    """Percent-encoding as .NET writes it: `%2b`."""
    return re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), quote(text, safe=""))


def thorough(text: str) -> str:
    """Every character percent-encoded."""
    return "".join(f"%{octet:02X}" for octet in text.encode())


# -- bad ones ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LogoutAttack:
    """A bad message, and how it must be refused."""

    name: str
    make: Callable[[], bytes | Form]
    refusal: type[errors.Refused]
    check: str


LOGOUT_ATTACKS: list[LogoutAttack] = []


def attack(refusal: type[errors.Refused], check: str) -> Callable[[Callable[[], bytes | Form]], None]:
    """Registers the decorated function, which gives a query or a form."""

    def register(make: Callable[[], bytes | Form]) -> None:
        LOGOUT_ATTACKS.append(LogoutAttack(make.__name__, make, refusal, check))

    return register


def says(refusal: type[errors.Refused], check: str, name: str, **changes: Any) -> None:
    """An IdP that signs something wrong: by either binding it is refused alike."""
    ways: dict[str, Callable[[bytes], bytes | Form]] = {"redirect": redirected, "post": posted}
    for way, send in ways.items():
        LOGOUT_ATTACKS.append(
            LogoutAttack(f"{name}, by {way}", lambda send=send: send(request(**changes)), refusal, check)  # type: ignore[misc]
        )


def answers(refusal: type[errors.Refused], check: str, name: str, **changes: Any) -> None:
    """The same for responses."""
    ways: dict[str, Callable[..., bytes | Form]] = {"redirect": redirected, "post": posted}
    for way, send in ways.items():
        LOGOUT_ATTACKS.append(
            LogoutAttack(
                f"{name}, by {way}",
                lambda send=send: send(response(**changes), field="SAMLResponse"),  # type: ignore[misc]
                refusal,
                check,
            )
        )


def mallory(xml: bytes) -> bytes:
    """The same about somebody else."""
    return xml.replace(MEI.encode(), b"ines@kicks.example")


@attack(errors.NotSigned, "query-is-signed")
def an_unsigned_query() -> bytes:
    return f"SAMLRequest={quote_plus(deflated(request()))}".encode()


@attack(errors.NotSigned, "query-is-signed")
def a_query_whose_signature_was_cut_off() -> bytes:
    return redirected(request()).partition(b"&Signature=")[0]


@attack(errors.NotSigned, "query-is-signed")
def an_empty_signature() -> bytes:
    return redirected(request()).partition(b"&Signature=")[0] + b"&Signature="


@attack(errors.NotSigned, "query-is-signed")
def a_signature_of_no_algorithm() -> bytes:
    signed = f"SAMLRequest={quote_plus(deflated(request()))}"
    return f"{signed}&Signature={quote_plus(query_signature(signed))}".encode()


@attack(errors.NotSigned, "query-is-signed")
def a_query_signed_within_the_xml_only() -> bytes:
    return f"SAMLRequest={quote_plus(deflated(base64.b64decode(posted(request())['SAMLRequest'])))}".encode()


@attack(errors.BadSignature, "signature-is-the-idps")
def a_query_signed_by_another_key() -> bytes:
    return redirected(request(), key="mallory")


@attack(errors.BadSignature, "signature-is-the-idps")
def a_query_signed_by_our_own_key() -> bytes:
    return redirected(request(), key="bridge")


@attack(errors.BadSignature, "signature-is-the-idps")
def somebody_elses_signature() -> bytes:
    signature = redirected(request()).partition(b"&Signature=")[2]
    return redirected(mallory(request())).partition(b"&Signature=")[0] + b"&Signature=" + signature


@attack(errors.BadSignature, "signature-is-the-idps")
def another_relay_state() -> bytes:
    return redirected(request(), relay_state="one").replace(b"RelayState=one", b"RelayState=two")


@attack(errors.BadSignature, "signature-is-the-idps")
def a_relay_state_added() -> bytes:
    return redirected(request()).replace(b"&SigAlg=", b"&RelayState=two&SigAlg=")


@attack(errors.BadSignature, "signature-is-the-idps")
def a_relay_state_taken_away() -> bytes:
    return redirected(request(), relay_state="one").replace(b"&RelayState=one", b"")


@attack(errors.BadSignature, "signature-is-the-idps")
def a_request_given_out_as_a_response() -> bytes:
    return redirected(response()).replace(b"SAMLRequest=", b"SAMLResponse=")


@attack(errors.BadSignature, "signature-is-the-idps")
def another_algorithm_than_was_signed() -> bytes:
    return redirected(request()).replace(b"rsa-sha256", b"rsa-sha512")


@attack(errors.BadSignature, "signature-is-the-idps")
def an_algorithm_of_another_kind_of_key() -> bytes:
    return redirected(request(), algorithm=RSA_SHA256.replace("rsa", "ecdsa"))


@attack(errors.BadSignature, "signature-is-the-idps")
def percent_encoded_anew_after_signing() -> bytes:
    return redirected(request(), encode=thorough).replace(b"%41", b"A")


@attack(errors.BadSignature, "signature-is-the-idps")
def a_signature_given_out_as_pss() -> bytes:
    named, as_pss = (f"SigAlg={quote_plus(one)}".encode() for one in (RSA_SHA256, PSS[0]))
    return redirected(request()).replace(named, as_pss)


@attack(errors.ForbiddenAlgorithm, "signature-algorithm-is-allowed")
def a_query_signed_with_sha1() -> bytes:
    return redirected(request(), algorithm=RSA_SHA1)


@attack(errors.ForbiddenAlgorithm, "signature-algorithm-is-allowed")
def a_query_signed_by_hmac_with_the_certificate() -> bytes:
    return redirected(request()).replace(b"rsa-sha256", b"hmac-sha256")


@attack(errors.ForbiddenAlgorithm, "signature-algorithm-is-allowed")
def an_algorithm_called_none() -> bytes:
    return redirected(request()).replace(quote_plus(RSA_SHA256).encode(), b"none")


@attack(errors.ForbiddenAlgorithm, "signature-algorithm-is-allowed")
def an_algorithm_with_a_line_end() -> bytes:
    return redirected(request()).replace(b"rsa-sha256", b"rsa-sha256%0A")


@attack(errors.MalformedMessage, "parameters-come-once")
def two_requests_the_good_one_first() -> bytes:
    return redirected(request()) + b"&SAMLRequest=" + quote_plus(deflated(mallory(request()))).encode()


@attack(errors.MalformedMessage, "parameters-come-once")
def two_requests_the_good_one_last() -> bytes:
    return b"SAMLRequest=" + quote_plus(deflated(mallory(request()))).encode() + b"&" + redirected(request())


@attack(errors.MalformedMessage, "parameters-come-once")
def two_algorithms() -> bytes:
    return redirected(request()) + b"&SigAlg=none"


@attack(errors.MalformedMessage, "parameters-come-once")
def two_signatures() -> bytes:
    return redirected(request()) + b"&Signature=AAAA"


@attack(errors.MalformedMessage, "parameters-come-once")
def a_second_request_under_a_name_in_disguise() -> bytes:
    return redirected(request()) + b"&SAML%52equest=" + quote_plus(deflated(mallory(request()))).encode()


@attack(errors.MalformedMessage, "one-message")
def a_request_and_a_response() -> bytes:
    return redirected(request()) + b"&SAMLResponse=" + quote_plus(deflated(response())).encode()


@attack(errors.MalformedMessage, "one-message")
def no_message() -> bytes:
    return b"RelayState=one"


@attack(errors.MalformedMessage, "encoding-is-deflate")
def another_encoding() -> bytes:
    return redirected(request()) + b"&SAMLEncoding=urn%3Agzip"


@attack(errors.TooLarge, "query-is-short")
def an_endless_query() -> bytes:
    return redirected(request()) + b"&x=" + b"x" * 40_000


@attack(errors.TooLarge, "query-is-short")
def a_thousand_parameters() -> bytes:
    return redirected(request()) + b"&x=1" * 20_000


@attack(errors.TooLarge, "")
def a_deflate_bomb() -> bytes:
    return redirected(b"<a>" + b" " * 10_000_000)


@attack(errors.MalformedMessage, "")
def a_deflate_stream_that_is_cut_short() -> bytes:
    return redirected(base64.b64encode(base64.b64decode(deflated(request()))[:-9]).decode())


@attack(errors.MalformedMessage, "")
def a_second_message_behind_the_first() -> bytes:
    one, two = (base64.b64decode(deflated(xml)) for xml in (request(), mallory(request())))
    return redirected(base64.b64encode(one + two).decode())


@attack(errors.MalformedMessage, "")
def a_query_that_is_not_deflated() -> bytes:
    return redirected(base64.b64encode(request()).decode())


@attack(errors.MalformedMessage, "")
def a_query_that_is_not_base64() -> bytes:
    return redirected("<samlp:LogoutRequest/>")


@attack(errors.NotSigned, "")
def an_unsigned_form() -> Form:
    return posted(request(), signed=False)


@attack(errors.BadSignature, "")
def a_form_signed_by_another_key() -> Form:
    return posted(request(), key="mallory")


@attack(errors.BadSignature, "")
def a_form_about_somebody_else() -> Form:
    return {"SAMLRequest": base64.b64encode(mallory(base64.b64decode(posted(request())["SAMLRequest"]))).decode()}


@attack(errors.NotSigned, "")
def a_form_signed_like_a_query() -> Form:
    parts = (part.partition("=") for part in redirected(request()).decode().split("&"))
    form = {name: value for name, _, value in parts}
    return form | {"SAMLRequest": base64.b64encode(request()).decode()}


@attack(errors.ForbiddenAlgorithm, "signature-algorithms-allowed")
def a_form_signed_with_sha1() -> Form:
    return posted(request(), method="RSA_SHA1", digest="SHA1")


@attack(errors.ForbiddenAlgorithm, "transforms-allowed")
def a_form_with_a_stylesheet() -> Form:
    root = etree.fromstring(base64.b64decode(posted(request())["SAMLRequest"]))
    transform = root.find(".//ds:Transform", NS)
    assert transform is not None
    transform.set("Algorithm", "http://www.w3.org/TR/1999/REC-xslt-19991116")
    return {"SAMLRequest": base64.b64encode(etree.tostring(root)).decode()}


@attack(errors.ForbiddenSignature, "signatures-cover-their-parent")
def a_form_whose_signature_points_elsewhere() -> Form:
    xml = base64.b64decode(posted(request(id="_good"))["SAMLRequest"]).replace(b'URI="#_good"', b'URI=""')
    return {"SAMLRequest": base64.b64encode(xml).decode()}


@attack(errors.ForbiddenSignature, "signatures-in-place")
def a_good_request_wrapped_into_a_bad_one() -> Form:
    good = etree.fromstring(base64.b64decode(posted(request())["SAMLRequest"]))
    bad = etree.fromstring(mallory(request(id="_evil")))
    extensions = etree.SubElement(bad, f"{{{NS['samlp']}}}Extensions")
    bad.insert(1, extensions)
    extensions.append(good)
    return {"SAMLRequest": base64.b64encode(etree.tostring(bad)).decode()}


@attack(errors.ForbiddenSignature, "nothing-beside-signatures")
def a_good_request_carried_in_the_signature() -> Form:
    root = etree.fromstring(base64.b64decode(posted(request())["SAMLRequest"]))
    signature = root.find("ds:Signature", NS)
    assert signature is not None
    carried = etree.SubElement(signature, f"{{{NS['ds']}}}Object")
    carried.append(etree.fromstring(mallory(request(id="_evil"))))
    return {"SAMLRequest": base64.b64encode(etree.tostring(root)).decode()}


@attack(errors.ForbiddenSignature, "keys-are-not-fetched")
def a_form_that_says_where_its_key_is() -> Form:
    root = etree.fromstring(base64.b64decode(posted(request())["SAMLRequest"]))
    info = root.find(".//ds:KeyInfo", NS)
    assert info is not None
    etree.SubElement(info, f"{{{NS['ds']}}}RetrievalMethod", URI="https://evil.example/key")
    return {"SAMLRequest": base64.b64encode(etree.tostring(root)).decode()}


@attack(errors.TooLarge, "form-is-short")
def an_endless_form() -> Form:
    return {"SAMLRequest": "A" * 300_000}


@attack(errors.MalformedMessage, "strict-base64")
def a_form_with_junk_in_its_base64() -> Form:
    encoded = posted(request())["SAMLRequest"]
    return {"SAMLRequest": encoded[:100] + "!" + encoded[100:]}


@attack(errors.MalformedMessage, "utf8-only")
def a_message_in_another_encoding() -> bytes:
    return redirected(b'<?xml version="1.0" encoding="ISO-8859-1"?>' + request())


@attack(errors.ForbiddenDoctype, "no-doctype")
def a_document_type() -> bytes:
    return redirected(b'<!DOCTYPE a [<!ENTITY b "c">]>' + request())


@attack(errors.MalformedMessage, "root-is-logout")
def a_logout_that_is_a_sign_in() -> bytes:
    return redirected(request().replace(b"samlp:LogoutRequest", b"samlp:AuthnRequest"))


@attack(errors.TooLarge, "bounded")
def a_deep_message() -> bytes:
    deep = "<samlp:Extensions>" + '<a xmlns="urn:a">' * 40 + "</a>" * 40 + "</samlp:Extensions>"
    return redirected(request().replace(b"</saml:Issuer>", b"</saml:Issuer>" + deep.encode()))


@attack(errors.SplitText, "unbroken-text")
def a_comment_in_the_name() -> bytes:
    return redirected(request().replace(b"mei@", b"mei<!-- -->@"))


@attack(errors.MalformedMessage, "xml-1-0")
def another_xml() -> bytes:
    return redirected(b'<?xml version="1.1"?>' + request())


@attack(errors.MalformedMessage, "no-instructions")
def an_instruction() -> bytes:
    return redirected(request().replace(b"<saml:Issuer>", b"<?run me?><saml:Issuer>"))


@attack(errors.MalformedMessage, "no-schema-hints")
def a_schema_of_its_own() -> bytes:
    hint = b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:a https://evil.example/"'
    return redirected(request().replace(b" ID=", hint + b" ID=", 1))


@attack(errors.DuplicateId, "unique-ids")
def the_same_id_twice() -> bytes:
    more = b'</saml:Issuer><samlp:Extensions><a xmlns="urn:a" ID="_same"/></samlp:Extensions>'
    return redirected(request(id="_same").replace(b"</saml:Issuer>", more))


@attack(errors.MalformedMessage, "fits-schema")
def two_names() -> bytes:
    return redirected(request(inside="<saml:NameID>ines@kicks.example</saml:NameID>"))


@attack(errors.MalformedMessage, "fits-schema")
def no_time() -> bytes:
    return redirected(request(issued=None))


@attack(errors.ForbiddenEncryption, "only-the-name-is-encrypted")
def an_encrypted_name_with_two_keys() -> bytes:
    key = etree.tostring(next(etree.fromstring(hide()).iter(f"{{{NS['xenc']}}}EncryptedKey"))).decode()
    return redirected(request(name_id=None, inside=hide().replace("</saml:EncryptedID>", f"{key}</saml:EncryptedID>")))


@attack(errors.ForbiddenEncryption, "ciphertext-is-here")
def an_encrypted_name_that_is_elsewhere() -> bytes:
    reference = '<xenc:CipherReference URI="file:///dev/zero"/>'
    there = re.sub(r"<xenc:CipherValue>.*?</xenc:CipherValue>", reference, hide(), flags=re.DOTALL)
    return redirected(request(name_id=None, inside=there))


@attack(errors.ForbiddenAlgorithm, "encryption-algorithms-allowed")
def an_encrypted_name_under_pkcs1() -> bytes:
    return redirected(request(name_id=None, inside=hide(transport="RSA_PKCS1")))


@attack(errors.DecryptionFailed, "")
def a_name_encrypted_for_somebody_else() -> Form:
    theirs = replace(BRIDGE, certificates=(keys("stranger").certificate,))
    return posted(request(name_id=None, inside=hide(sp=theirs)))


@attack(errors.DecryptionFailed, "")
def an_encrypted_name_that_is_two() -> bytes:
    return redirected(request(name_id=None, inside=hide(2 * NAME_ID)))


@attack(errors.WrongSubjectQualifier, "person-is-named-for-us")
def an_encrypted_name_for_another_service_provider() -> bytes:
    theirs = NAME_ID.replace("<saml:NameID", '<saml:NameID SPNameQualifier="https://other.example"')
    return redirected(request(name_id=None, inside=hide(theirs)))


@attack(errors.NotSigned, "query-is-signed")
def an_encrypted_name_that_nobody_signed() -> bytes:
    return redirected(request(name_id=None, inside=hide(2 * NAME_ID))).partition(b"&SigAlg=")[0]


@attack(errors.MalformedMessage, "message-is-where-it-belongs")
def a_response_as_a_request() -> bytes:
    return redirected(response(), field="SAMLRequest")


@attack(errors.MalformedMessage, "message-is-where-it-belongs")
def a_request_as_a_response() -> Form:
    return posted(request(), field="SAMLResponse")


_PAST, _FUTURE = NOW - timedelta(minutes=12), NOW + timedelta(minutes=12)
_ELSEWHERE = "https://bridge.example/saml/c2/slo"

says(errors.WrongVersion, "version-is-2", "another version", version="2.1")
says(errors.WrongIssuer, "issuer-is-the-idp", "another issuer", issuer="https://evil.example")
says(errors.WrongIssuer, "issuer-is-the-idp", "no issuer", issuer=None)
says(errors.WrongLogoutDestination, "destination-is-ours", "another destination", destination=_ELSEWHERE)
says(errors.WrongLogoutDestination, "destination-is-ours", "no destination", destination=None)
says(errors.WrongLogoutDestination, "destination-is-ours", "the place for answers", destination=BRIDGE.acs_url)
says(errors.WrongLogoutDestination, "destination-is-ours", "a longer one", destination=f"{BRIDGE.slo_url}/x")
says(errors.NotYetValid, "issued-already", "from the future", issued=_FUTURE, not_on_or_after=None)
says(errors.Expired, "issued-lately", "from long ago", issued=_PAST, not_on_or_after=None)
says(errors.Expired, "issued-lately", "old, and said to be good for years", issued=_PAST, not_on_or_after=_FUTURE)
says(errors.Expired, "request-has-not-expired", "expired", not_on_or_after=NOW - timedelta(minutes=2))
says(errors.MalformedMessage, "request-has-not-expired", "expiring nowhen", not_on_or_after="2026-11-21T11:00:00+01:00")
says(errors.MissingSubject, "person-is-named", "an empty name", name_id=" ")
says(errors.MissingSubject, "person-is-named", "an endless name", name_id="m" * 2000)
says(errors.MissingSubject, "person-is-named", "an invisible character", name_id="mei\u200b@kicks.example")
says(errors.WrongSubjectQualifier, "person-is-named-for-us", "for another", sp_name_qualifier="https://other.example")
says(errors.MalformedMessage, "sessions-are-named", "an empty session", session_index=("",))
says(errors.MalformedMessage, "sessions-are-named", "endless sessions", session_index=tuple(map(str, range(101))))
answers(errors.WrongIssuer, "issuer-is-the-idp", "an answer of another", issuer="https://evil.example")
answers(errors.WrongLogoutDestination, "destination-is-ours", "an answer to elsewhere", destination=_ELSEWHERE)
answers(errors.Expired, "issued-lately", "an old answer", issued=_PAST)
answers(errors.Unsolicited, "response-names-its-request", "an answer to nothing", to=None)


def ecdsa(xml: bytes, private: ec.EllipticCurvePrivateKey, shape: Callable[[bytes], bytes]) -> bytes:
    """A query signed by an elliptic-curve key; `shape` writes the signature as its sender does."""
    algorithm = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
    signed = f"SAMLRequest={quote_plus(deflated(xml))}&SigAlg={quote_plus(algorithm)}"
    signature = shape(private.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{signed}&Signature={quote_plus(base64.b64encode(signature).decode())}".encode()
