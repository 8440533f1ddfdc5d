"""Responses as real identity providers write them: each is accepted however it is signed, and gives the same person.

The files in `responses` follow what each vendor's own documentation and public samples show, in names, prefixes, order
and white space; people and addresses are ours, and the signature is made here.
"""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
import xmlsec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree

from saml import attributes
from saml.assertion import Assertion
from saml.response import validate
from tests.saml.idp import BRIDGE, KICKS, NOW, NS, Signed, assertion_of, issue, keys, post, self_signed, sign

FOLDER = Path(__file__).parent / "responses"
VENDORS = tuple(sorted(path.stem for path in FOLDER.glob("*.xml")))
#: Nobody here asks for a password, as most connections don't.
OURS = dataclasses.replace(BRIDGE, authn_contexts=())
PRESETS = {"pingfederate": "ping", "shibboleth": "generic", "keycloak": "generic", "simplesamlphp": "generic"}


def unsigned(vendor: str) -> bytes:
    """The vendor's response to us, before it is signed."""
    written = (FOLDER / f"{vendor}.xml").read_text()
    for name, value in {"acs": OURS.acs_url, "idp": KICKS.entity_id, "audience": OURS.entity_id}.items():
        written = written.replace(f"{{{name}}}", value)
    return written.encode()


def accept(root: etree._Element | bytes, certificates: tuple[str, ...] | None = None) -> Assertion:
    trusted = dataclasses.replace(KICKS.trusted, certificates=certificates or KICKS.trusted.certificates)
    return validate(post(root), trusted, OURS, NOW, allow_unsolicited=False)


@pytest.mark.parametrize("encrypted", [None, "AES256", "AES128_GCM"])
@pytest.mark.parametrize("signed", ["assertion", "response", "both"])
@pytest.mark.parametrize("vendor", VENDORS)
def test_it_is_accepted_however_it_is_signed_and_encrypted(vendor: str, signed: Signed, encrypted: str | None) -> None:
    proved = accept(issue(KICKS, unsigned(vendor), signed=signed, encrypted=encrypted, sp=OURS))
    preset = PRESETS.get(vendor, vendor if vendor in attributes.PRESETS else "generic")
    named = attributes.read(proved, attributes.PRESETS[preset])
    assert (named.email, named.groups) == ("mei@kicks.example", ("eng", "ops & more"))
    assert proved.in_response_to == "_request1"


# -- How they sign ---------------------------------------------------------------------------------------------------


def _no_key_info(root: etree._Element) -> None:
    for info in root.iterfind(".//ds:KeyInfo", NS):
        info.getparent().remove(info)


def _key_info(xml: str) -> Callable[[etree._Element], None]:
    def change(root: etree._Element) -> None:
        for info in root.iterfind(".//ds:KeyInfo", NS):
            info.clear()
            info.append(etree.fromstring(f'<x xmlns:ds="{NS["ds"]}">{xml}</x>')[0])

    return change


def _chain() -> str:
    bare = ["".join(keys(name).certificate.split("\n")[1:-2]) for name in (KICKS.key, "intermediate", "root")]
    return "".join(f"<ds:X509Certificate>\n{one}\n</ds:X509Certificate>" for one in bare)


KEY_INFOS: dict[str, Callable[[etree._Element], None]] = {
    "none": _no_key_info,
    "a name": _key_info("<ds:KeyName>kicks signing 2026</ds:KeyName>"),
    "a chain": _key_info(f"<ds:X509Data>{_chain()}</ds:X509Data>"),
    "a subject's name": _key_info("<ds:X509Data><ds:X509SubjectName>CN=kicks</ds:X509SubjectName></ds:X509Data>"),
    "an issuer and a number": _key_info(
        "<ds:X509Data><ds:X509IssuerSerial><ds:X509IssuerName>CN=kicks</ds:X509IssuerName>"
        "<ds:X509SerialNumber>7</ds:X509SerialNumber></ds:X509IssuerSerial></ds:X509Data>"
    ),
    "an RSA key": _key_info(
        "<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AQAB</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue>"
        "</ds:KeyValue>"
    ),
    "an elliptic curve's key": _key_info(
        '<ds:KeyValue><ECKeyValue xmlns="http://www.w3.org/2009/xmldsig11#">'
        '<NamedCurve URI="urn:oid:1.2.840.10045.3.1.7"/>'
        "<PublicKey>BA==</PublicKey></ECKeyValue></ds:KeyValue>"
    ),
}


@pytest.mark.parametrize("kind", KEY_INFOS)
def test_whatever_the_key_info_says_the_configured_key_counts(kind: str) -> None:
    root = issue(KICKS, unsigned("okta"), signed="assertion")
    KEY_INFOS[kind](root)
    assert accept(root).name_id == "mei@kicks.example"


def test_white_space_around_a_signatures_value_is_nothing() -> None:
    root = issue(KICKS, unsigned("okta"), signed="assertion")
    value = root.find(".//ds:SignatureValue", NS)
    assert value is not None
    value.text = f"\n   {(value.text or '').strip()}\n"
    assert accept(root).name_id == "mei@kicks.example"


def test_a_signature_without_prefixes_is_good() -> None:
    """As Entra ID and AD FS write it."""
    root = etree.fromstring(unsigned("entra"))
    sign(assertion_of(root), KICKS.key, prefix=None)
    written = etree.tostring(root)
    assert b"<Signature xmlns=" in written
    assert accept(written).in_response_to == "_request1"


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()], ids=lambda curve: curve.name)
def test_each_usual_curve_is_accepted(curve: ec.EllipticCurve) -> None:
    key = ec.generate_private_key(curve)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    signing = xmlsec.Key.from_memory(pem, xmlsec.KeyFormat.PEM)
    root = issue(KICKS, unsigned("okta"), signed="both", method="ECDSA_SHA384", digest="SHA384", signing_key=signing)
    assert accept(root, (self_signed(key),)).name_id == "mei@kicks.example"


def test_a_rotated_certificate_beside_the_old_ones_is_enough() -> None:
    others = tuple(keys(name).certificate for name in ("old", "older", "next"))
    assert accept(issue(KICKS, unsigned("google"), signed="response"), (*others, keys(KICKS.key).certificate)).name_id


# -- How they write --------------------------------------------------------------------------------------------------

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_NIL = f'<saml2:Attribute Name="x"><saml2:AttributeValue xmlns:xsi="{_XSI}" xsi:nil="true"/></saml2:Attribute>'
_EMPTY = '<saml2:Attribute Name="x"><saml2:AttributeValue/></saml2:Attribute>'
_XS = f'xmlns:xsi="{_XSI}" xmlns:xs="http://www.w3.org/2001/XMLSchema"'
_OWN_TYPE = (
    f'<saml2:Attribute Name="x"><saml2:AttributeValue {_XS} xmlns:k="urn:kicks" xsi:type="k:size">XL'
    "</saml2:AttributeValue></saml2:Attribute>"
)
_MISTYPED = (
    f'<saml2:Attribute Name="x"><saml2:AttributeValue {_XS} xsi:type="xs:boolean">True</saml2:AttributeValue>'
    "</saml2:Attribute>"
)
_HOLDER_OF_KEY = (
    '<saml2:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"><saml2:SubjectConfirmationData '
    f'{_XS} xsi:type="saml2:KeyInfoConfirmationDataType"><ds:KeyInfo xmlns:ds="{NS["ds"]}"><ds:KeyName>mei</ds:KeyName>'
    "</ds:KeyInfo></saml2:SubjectConfirmationData></saml2:SubjectConfirmation>"
)
_RESTRICTION = (
    f"<saml2:AudienceRestriction><saml2:Audience>{OURS.entity_id}</saml2:Audience></saml2:AudienceRestriction>"
)
_ADVICE = (
    f'<saml2:Advice xmlns:saml2="{NS["saml"]}"><saml2:AssertionURIRef>urn:x</saml2:AssertionURIRef></saml2:Advice>'
)


def _swapped(*pairs: tuple[str, str]) -> Callable[[bytes], bytes]:
    def swap(xml: bytes) -> bytes:
        for old, new in pairs:
            xml = xml.replace(old.encode(), new.encode())
        return xml

    return swap


def _before(mark: str, more: str) -> Callable[[bytes], bytes]:
    return _swapped((mark, more + mark))


REWRITES: dict[str, Callable[[bytes], bytes]] = {
    "line ends of Windows": _swapped(("><", ">\r\n  <")),
    "comments between elements": _before("<saml2p:Status ", "<!-- okta -->"),
    "a comment before the root": _swapped(("?>", "?><!-- by okta -->")),
    "character references": _swapped((">eng<", ">e&#110;&#x67;<")),
    "a CDATA section": _swapped((">eng<", "><![CDATA[eng]]><")),
    "white space around values": _swapped((">https:", ">\n  https:"), ("</saml2:Audience>", "\n</saml2:Audience>")),
    "no session index": _swapped(('SessionIndex="_request1"', "")),
    "no fractions": _swapped((".413Z", "Z"), (".412Z", "Z")),
    "nanoseconds": _swapped((".413Z", ".413413413Z")),
    "an offset of nothing": _swapped((".413Z", "+00:00")),
    "a message with the status": _before("</saml2p:Status>", "<saml2p:StatusMessage>Welcome</saml2p:StatusMessage>"),
    "a once-only condition": _before("</saml2:Conditions>", "<saml2:OneTimeUse/>"),
    "an empty value": _before("</saml2:AttributeStatement>", _EMPTY),
    "a value that is nil": _before("</saml2:AttributeStatement>", _NIL),
    "a value of the IdP's own type": _before("</saml2:AttributeStatement>", _OWN_TYPE),
    "a value that isn't of its type": _before("</saml2:AttributeStatement>", _MISTYPED),
    "a confirmation by another method first": _before("<saml2:SubjectConfirmation ", _HOLDER_OF_KEY),
    "a second audience": _before("<saml2:Audience>", "<saml2:Audience>urn:x</saml2:Audience>"),
    "the same audience twice": _before("<saml2:AudienceRestriction>", _RESTRICTION),
    "advice": _swapped(("</saml2:Conditions>", f"</saml2:Conditions>{_ADVICE}")),
    "extensions": _before("<saml2p:Status ", '<saml2p:Extensions><a xmlns="urn:a"/></saml2p:Extensions>'),
}


@pytest.mark.parametrize("signed", ["assertion", "response"])
@pytest.mark.parametrize("kind", REWRITES)
def test_odd_and_allowed_is_accepted(kind: str, signed: Signed) -> None:
    xml = REWRITES[kind](unsigned("okta"))
    assert xml != unsigned("okta")
    proved = accept(issue(KICKS, xml, signed=signed))
    assert (proved.name_id, proved.attributes["email"]) == ("mei@kicks.example", ("mei@kicks.example",))
    assert proved.attributes["groups"] == ("eng", "ops & more")


def test_what_stands_around_the_signed_octets_may_be_there() -> None:
    signed = etree.tostring(issue(KICKS, unsigned("okta"), signed="assertion"))
    for octets in (b"\xef\xbb\xbf" + signed, b"\n" + signed + b"\n", b'<?xml version="1.0"?>\r\n' + signed):
        assert accept(octets).name_id == "mei@kicks.example"


def test_white_space_around_the_base64_is_nothing() -> None:
    encoded = post(issue(KICKS, unsigned("okta"), signed="assertion"))["SAMLResponse"]
    form = {"SAMLResponse": f"\r\n \t{encoded} \n"}
    assert validate(form, KICKS.trusted, OURS, NOW, allow_unsolicited=False).name_id == "mei@kicks.example"


@pytest.mark.parametrize("signed", ["assertion", "response", "both"])
def test_the_signed_block_may_be_canonicalized_inclusively(signed: Signed) -> None:
    """As .NET's SignedXml does it unless told otherwise (SAML Core 5.4.3 only prefers the exclusive kind)."""
    root = issue(KICKS, unsigned("okta"), signed=signed, canonicalization="C14N")
    assert accept(root).name_id == "mei@kicks.example"


@pytest.mark.parametrize("seconds", [59, 0])
def test_skew_is_granted_at_both_ends_to_the_last_second(seconds: int) -> None:
    early = unsigned("okta").replace(b"10:52:59.413Z", f"10:58:{seconds:02}Z".encode())
    late = unsigned("okta").replace(b"11:02:59.413Z", f"10:57:{60 - seconds if seconds else 1:02}Z".encode())
    for xml in (early, late):
        assert accept(issue(KICKS, xml, signed="assertion")).name_id == "mei@kicks.example"


def test_six_hundred_groups_of_every_vendor_work() -> None:
    for vendor in VENDORS:
        xml = unsigned(vendor)
        start = xml.index(b"eng</")
        opening = xml[xml.rindex(b"<", 0, start) : start]
        closing = xml[start + 3 : xml.index(b">", start) + 1]
        more = b"".join(opening + b"group-%04d" % number + closing for number in range(598))
        at = start + 3 + len(closing)
        proved = accept(issue(KICKS, xml[:at] + more + xml[at:], signed="both", encrypted="AES256", sp=OURS))
        assert max(len(values) for values in proved.attributes.values()) == 600, vendor
