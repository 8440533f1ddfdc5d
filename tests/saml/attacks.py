"""Bad responses, each one small named mutation of a good one, with the refusal that it must meet.

`@attack(Class)` or `@attack(Class, "check")` registers a function that gives the form. Most begin with a
response that KICKS really signed for Mei and try to bring in Mallory, or time, or an addressee. `wild` marks
those that would hang, or read a device file, if the check that stops them were off: the guard table leaves
them out.
"""

import base64
import zlib
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import xmlsec
from lxml import etree

from saml import errors
from saml.gate import MOST_KEYS
from tests.saml.canary import CANARY
from tests.saml.idp import (
    BRIDGE,
    KICKS,
    NAME_ID,
    NOW,
    NS,
    answer,
    assertion_of,
    bridge,
    confirmation,
    encrypt,
    hide,
    keys,
    post,
    reparsed,
    respond,
    sign,
    signature_of,
    without,
)

Form = dict[str, str]
Element = etree._Element


@dataclass(frozen=True)
class Attack:
    """A bad form, and how it must be refused."""

    name: str
    make: Callable[[], Form]
    refusal: type[errors.Refused]
    check: str | None = None
    wild: bool = False
    allow_unsolicited: bool = False

    def octets(self) -> bytes:
        """The message itself; empty where the form has none that is base64."""
        try:
            return base64.b64decode(self.make().get("SAMLResponse", ""))
        except ValueError:
            return b""


ATTACKS: list[Attack] = []


def attack(refusal: type[errors.Refused], check: str | None = None, **how: Any) -> Callable[[Callable[[], Any]], None]:
    """Registers the decorated function, which gives a tree, bytes or a whole form."""

    def register(make: Callable[[], Any]) -> None:
        ATTACKS.append(Attack(make.__name__, lambda: _form(make()), refusal, check, **how))

    return register


def _form(made: Any) -> Form:
    return made if isinstance(made, dict) else post(made)


def says(refusal: type[errors.Refused], check: str, name: str, **changes: Any) -> None:
    """An IdP that signs something wrong: in each way of signing it is refused alike."""
    for signed in ("assertion", "response", "both"):
        ATTACKS.append(
            Attack(
                f"{name}, {signed} signed",
                lambda signed=signed: post(respond(KICKS, answer(**changes), signed=signed)),  # type: ignore[misc]
                refusal,
                check,
            )
        )


def signed_for_mei(**how: Any) -> Element:
    """A good response, from which the mutations start."""
    return respond(KICKS, answer(), **how)


def mallory(element: Element, *, new_id: str | None = "_evil") -> Element:
    """A copy that names Mallory, without its signatures."""
    copy = without(element, "descendant-or-self::*/ds:Signature")
    for name_id in copy.iter(f"{{{NS['saml']}}}NameID"):
        name_id.text = "mallory@evil.example"
    if new_id is not None:
        for number, element in enumerate(copy.xpath("descendant-or-self::*[@ID]")):
            element.set("ID", f"{new_id}{number}")
    return copy


def swap(octets: bytes | Element, old: str, new: str) -> bytes:
    """The response with one text replaced, which must be in it."""
    whole = octets if isinstance(octets, bytes) else etree.tostring(octets)
    assert old.encode() in whole
    return whole.replace(old.encode(), new.encode())


# -- signature wrapping: the eight of Somorovsky et al. (USENIX Security 2012) ----------------------------------------


def _wrapped_response(*, inside: bool) -> Element:
    original = signed_for_mei(signed="response")
    signature = signature_of(original)
    evil = mallory(original)
    original.remove(signature)
    if inside:
        signature.append(original)
        evil.insert(1, signature)
    else:
        evil.insert(1, signature)
        evil.insert(1, original)
    return evil


@attack(errors.NotOneAssertion, "one-assertion")
def xsw1_original_response_inside_the_signature() -> Element:
    return _wrapped_response(inside=True)


@attack(errors.NotOneAssertion, "one-assertion")
def xsw2_original_response_before_the_detached_signature() -> Element:
    return _wrapped_response(inside=False)


@attack(errors.NotOneAssertion, "one-assertion")
def xsw3_evil_assertion_before_the_original() -> Element:
    root = signed_for_mei()
    original = assertion_of(root)
    original.addprevious(mallory(original))
    return root


@attack(errors.NotOneAssertion, "one-assertion")
def xsw4_original_inside_the_evil_assertion() -> Element:
    root = signed_for_mei()
    original = assertion_of(root)
    evil = mallory(original)
    root.replace(original, evil)
    evil.append(original)
    return root


@attack(errors.NotOneAssertion, "one-assertion")
def xsw5_signature_in_the_evil_assertion_and_original_at_the_end() -> Element:
    root = signed_for_mei()
    original = assertion_of(root)
    signature = signature_of(original)
    evil = mallory(original)
    original.remove(signature)
    root.replace(original, evil)
    evil.insert(1, signature)
    root.append(original)
    return root


@attack(errors.NotOneAssertion, "one-assertion")
def xsw6_original_inside_the_signature_of_the_evil_assertion() -> Element:
    root = signed_for_mei()
    original = assertion_of(root)
    signature = signature_of(original)
    evil = mallory(original)
    original.remove(signature)
    root.replace(original, evil)
    evil.insert(1, signature)
    signature.append(original)
    return root


@attack(errors.DuplicateId, "unique-ids")
def xsw7_evil_assertion_in_extensions() -> Element:
    root = signed_for_mei()
    extensions = etree.SubElement(root, f"{{{NS['samlp']}}}Extensions")
    root.insert(1, extensions)
    extensions.append(mallory(assertion_of(root), new_id=None))
    return root


@attack(errors.NotOneAssertion, "one-assertion")
def xsw8_original_in_an_object_of_the_signature() -> Element:
    root = signed_for_mei()
    original = assertion_of(root)
    signature = signature_of(original)
    evil = mallory(original)
    original.remove(signature)
    root.replace(original, evil)
    evil.insert(1, signature)
    etree.SubElement(signature, f"{{{NS['ds']}}}Object").append(original)
    return root


@attack(errors.NotOneAssertion, "one-assertion")
def evil_assertion_under_the_same_namespace_in_the_status_detail() -> Element:
    root = signed_for_mei()
    status = root.find("samlp:Status", NS)
    assert status is not None
    etree.SubElement(status, f"{{{NS['samlp']}}}StatusDetail").append(mallory(assertion_of(root)))
    return root


@attack(errors.NotOneAssertion, "one-assertion")
def two_assertions_both_signed() -> Element:
    root = signed_for_mei()
    root.append(assertion_of(respond(KICKS, answer(name_id="paul@kicks.example"))))
    return root


@attack(errors.NotOneAssertion, "one-assertion")
def no_assertion() -> Element:
    return without(signed_for_mei(signed="response"), "saml:Assertion")


@attack(errors.NotOneAssertion, "one-assertion")
def a_plain_assertion_beside_an_encrypted_one() -> Element:
    root = respond(KICKS, answer(), encrypted="AES256_GCM")
    root.append(mallory(assertion_of(signed_for_mei())))
    return root


@attack(errors.DuplicateId, "unique-ids")
def response_and_assertion_share_an_id() -> Element:
    root = signed_for_mei()
    root.set("ID", assertion_of(root).get("ID", ""))
    return root


@attack(errors.DuplicateId, "unique-ids")
def an_attribute_value_with_the_assertions_id() -> Element:
    root = signed_for_mei()
    value = root.find(".//saml:AttributeValue", NS)
    assert value is not None
    value.set("Id", assertion_of(root).get("ID", ""))
    return root


# -- signatures taken away, moved, exchanged --------------------------------------------------------------------------


@attack(errors.NotSigned)
def never_signed() -> Element:
    return respond(KICKS, answer(), signed="nothing")


@attack(errors.NotSigned)
def stripped_of_its_signature() -> Element:
    return without(signed_for_mei(), "saml:Assertion/ds:Signature")


@attack(errors.ForbiddenSignature, "signatures-cover-their-parent")
def assertion_signature_moved_to_the_response() -> Element:
    root = signed_for_mei()
    root.insert(1, signature_of(assertion_of(root)))
    return root


@attack(errors.ForbiddenSignature, "signatures-in-place")
def signature_moved_into_the_subject() -> Element:
    root = signed_for_mei()
    subject = root.find("saml:Assertion/saml:Subject", NS)
    assert subject is not None
    subject.append(signature_of(assertion_of(root)))
    return root


@attack(errors.ForbiddenSignature, "signatures-in-place")
def two_signatures_on_one_assertion() -> Element:
    root = signed_for_mei()
    sign(assertion_of(root), "mallory")
    return root


@attack(errors.ForbiddenSignature, "signatures-cover-their-parent")
def an_empty_reference() -> bytes:
    root = signed_for_mei()
    return swap(root, f'URI="#{assertion_of(root).get("ID")}"', 'URI=""')


@attack(errors.ForbiddenSignature, "signatures-cover-their-parent")
def a_reference_by_xpointer() -> bytes:
    root = signed_for_mei()
    return swap(root, f'URI="#{assertion_of(root).get("ID")}"', 'URI="#xpointer(/)"')


@attack(errors.ForbiddenSignature, "signatures-cover-their-parent", wild=True)
def a_reference_to_a_device_file() -> bytes:
    root = signed_for_mei()
    return swap(root, f'URI="#{assertion_of(root).get("ID")}"', 'URI="file:///dev/zero"')


@attack(errors.ForbiddenSignature, "signatures-cover-their-parent", wild=True)
def a_reference_to_another_host() -> bytes:
    root = signed_for_mei()
    return swap(root, f'URI="#{assertion_of(root).get("ID")}"', f'URI="http://{CANARY}/x"')


@attack(errors.ForbiddenSignature, "signatures-cover-their-parent")
def a_second_reference() -> Element:
    root = signed_for_mei()
    reference = root.find(".//ds:Reference", NS)
    assert reference is not None
    reference.addnext(deepcopy(reference))
    return root


@attack(errors.ForbiddenSignature, "nothing-beside-signatures")
def an_object_in_the_signature() -> Element:
    root = signed_for_mei()
    etree.SubElement(signature_of(assertion_of(root)), f"{{{NS['ds']}}}Object").text = "rides along"
    return root


@attack(errors.BadSignature)
def signed_by_another_key() -> Element:
    root = respond(KICKS, answer(), signed="nothing")
    sign(assertion_of(root), "mallory")
    return root


@attack(errors.BadSignature)
def response_signed_by_another_key_and_assertion_by_the_right_one() -> Element:
    root = signed_for_mei()
    sign(root, "mallory")
    return root


@attack(errors.BadSignature)
def assertion_signed_by_another_key_in_a_response_signed_by_the_right_one() -> Element:
    root = respond(KICKS, answer(), signed="nothing")
    sign(assertion_of(root), "mallory")
    sign(root, KICKS.key)
    return root


@attack(errors.BadSignature)
def the_right_certificate_in_key_info_of_a_wrong_signature() -> Element:
    root = respond(KICKS, answer(), signed="nothing")
    sign(assertion_of(root), "mallory")
    certificate = root.find(".//ds:X509Certificate", NS)
    assert certificate is not None
    certificate.text = "".join(keys(KICKS.key).certificate.split("\n")[1:-2])
    return root


@attack(errors.BadSignature)
def the_attackers_key_value_in_key_info() -> Element:
    root = respond(KICKS, answer(), signed="nothing")
    assertion = assertion_of(root)
    sign(assertion, "mallory")
    root = reparsed(root)
    key_info = root.find(".//ds:KeyInfo", NS)
    assert key_info is not None
    key_info.clear()
    value = etree.SubElement(etree.SubElement(key_info, f"{{{NS['ds']}}}KeyValue"), f"{{{NS['ds']}}}RSAKeyValue")
    etree.SubElement(value, f"{{{NS['ds']}}}Modulus").text = "AQAB"
    etree.SubElement(value, f"{{{NS['ds']}}}Exponent").text = "AQAB"
    return root


@attack(errors.ForbiddenSignature, "keys-are-not-fetched")
def a_retrieval_method_in_key_info() -> Element:
    root = signed_for_mei()
    key_info = root.find(".//ds:KeyInfo", NS)
    assert key_info is not None
    key_info.clear()
    etree.SubElement(key_info, f"{{{NS['ds']}}}RetrievalMethod", URI="#elsewhere")
    return root


@attack(errors.BadSignature)
def a_changed_attribute() -> bytes:
    return swap(signed_for_mei(), ">eng-mobile<", ">owners<")


@attack(errors.BadSignature)
def a_changed_name_id() -> bytes:
    return swap(signed_for_mei(signed="response"), "mei@kicks.example", "mallory@evil.example")


@attack(errors.BadSignature)
def a_truncated_signature_value() -> Element:
    root = signed_for_mei()
    value = root.find(".//ds:SignatureValue", NS)
    assert value is not None
    value.text = "AAAA"
    return root


@attack(errors.InResponseToMismatch, "request-is-one")
def in_response_to_replaced_outside_the_signed_part() -> Element:
    root = signed_for_mei()
    root.set("InResponseTo", "_request_of_mallory")
    return root


@attack(errors.InResponseToMismatch, "request-is-one", allow_unsolicited=True)
def in_response_to_removed_outside_the_signed_part() -> Element:
    root = signed_for_mei()
    del root.attrib["InResponseTo"]
    return root


# -- algorithms -------------------------------------------------------------------------------------------------------


def _renamed(old: str, new: str) -> bytes:
    return swap(signed_for_mei(), f'Algorithm="{old}"', f'Algorithm="{new}"')


_RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
_SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
_EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
_ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"


@attack(errors.ForbiddenAlgorithm, "signature-algorithms-allowed")
def signed_with_rsa_sha1() -> Element:
    return respond(KICKS, answer(), method="RSA_SHA1", digest="SHA1")


@attack(errors.ForbiddenAlgorithm, "signature-algorithms-allowed")
def digested_with_sha1() -> Element:
    return respond(KICKS, answer(), digest="SHA1")


@attack(errors.ForbiddenAlgorithm, "signature-algorithms-allowed")
def signed_with_rsa_md5() -> bytes:
    return _renamed(_RSA_SHA256, "http://www.w3.org/2001/04/xmldsig-more#rsa-md5")


@attack(errors.ForbiddenAlgorithm, "signature-algorithms-allowed")
def signed_with_hmac_over_the_public_certificate() -> Element:
    secret = xmlsec.Key.from_binary_data(xmlsec.KeyData.HMAC, keys(KICKS.key).certificate.encode())
    return respond(KICKS, answer(), method="HMAC_SHA256", signing_key=secret)


@attack(errors.ForbiddenAlgorithm, "signature-algorithms-allowed")
def signed_with_none() -> bytes:
    return _renamed(_RSA_SHA256, "none")


@attack(errors.ForbiddenAlgorithm, "signature-algorithms-allowed")
def an_hmac_output_length() -> Element:
    root = signed_for_mei()
    method = root.find(".//ds:SignatureMethod", NS)
    assert method is not None
    etree.SubElement(method, f"{{{NS['ds']}}}HMACOutputLength").text = "0"
    return root


@attack(errors.ForbiddenAlgorithm, "signature-algorithms-allowed")
def canonicalized_inclusively_with_comments() -> Element:
    return respond(KICKS, answer(), canonicalization="C14N_COMMENTS")


def _transform(algorithm: str, inner: str = "") -> bytes:
    new = f'<ds:Transform Algorithm="{algorithm}">{inner}</ds:Transform>'
    return swap(signed_for_mei(), f'<ds:Transform Algorithm="{_ENVELOPED}"/>', new)


_XSL = "http://www.w3.org/1999/XSL/Transform"
_ENDLESS = (
    f'<xsl:stylesheet version="1.0" xmlns:xsl="{_XSL}"><xsl:template match="/" name="f">'
    '<xsl:call-template name="f"/><xsl:call-template name="f"/></xsl:template></xsl:stylesheet>'
)


@attack(errors.ForbiddenAlgorithm, "transforms-allowed", wild=True)
def an_xslt_transform_that_never_ends() -> bytes:
    return _transform("http://www.w3.org/TR/1999/REC-xslt-19991116", _ENDLESS)


@attack(errors.ForbiddenAlgorithm, "transforms-allowed")
def an_xpath_transform() -> bytes:
    inner = "<ds:XPath>not(ancestor-or-self::*)</ds:XPath>"
    return _transform("http://www.w3.org/TR/1999/REC-xpath-19991116", inner)


@attack(errors.ForbiddenAlgorithm, "transforms-allowed")
def a_base64_transform() -> bytes:
    return _transform("http://www.w3.org/2000/09/xmldsig#base64")


@attack(errors.ForbiddenAlgorithm, "transforms-allowed")
def an_allowed_transform_with_a_stylesheet_inside() -> bytes:
    return _transform(_ENVELOPED, _ENDLESS)


@attack(errors.ForbiddenAlgorithm, "transforms-allowed")
def a_thousand_transforms() -> bytes:
    one = f'<ds:Transform Algorithm="{_EXCLUSIVE}"/>'
    return swap(signed_for_mei(), one, one * 1000)


# -- encryption -------------------------------------------------------------------------------------------------------


def encrypted(**how: Any) -> Element:
    """A good response with an encrypted assertion."""
    return respond(KICKS, answer(), encrypted=how.pop("algorithm", "AES256_GCM"), **how)


@attack(errors.DecryptionFailed)
def encrypted_without_any_signature() -> Element:
    return encrypted(signed="nothing")


@attack(errors.DecryptionFailed)
def encrypted_and_signed_by_another_key() -> Element:
    root = respond(KICKS, answer(), signed="nothing")
    sign(assertion_of(root), "mallory")
    encrypt(root, BRIDGE, "AES256_GCM")
    return root


@attack(errors.DecryptionFailed)
def encrypted_for_somebody_else() -> Element:
    other = bridge("https://other.example")
    foreign = keys("other bridge")
    root = signed_for_mei()
    encrypt(
        root, type(other)(other.entity_id, other.acs_url, None, foreign.private, (foreign.certificate,)), "AES256_GCM"
    )
    return root


def _changed_ciphertext(algorithm: str, at: int) -> Element:
    root = encrypted(algorithm=algorithm)
    value = root.find(".//xenc:EncryptedData/xenc:CipherData/xenc:CipherValue", NS)
    assert value is not None
    octets = bytearray(base64.b64decode(value.text or ""))
    octets[at] ^= 1
    value.text = base64.b64encode(bytes(octets)).decode()
    return root


@attack(errors.DecryptionFailed)
def a_changed_octet_in_gcm() -> Element:
    return _changed_ciphertext("AES256_GCM", 100)


@attack(errors.DecryptionFailed)
def a_changed_octet_in_cbc_that_breaks_the_xml() -> Element:
    return _changed_ciphertext("AES256", 16)


@attack(errors.DecryptionFailed)
def a_changed_octet_in_cbc_that_breaks_the_padding() -> Element:
    return _changed_ciphertext("AES256", -17)


@attack(errors.DecryptionFailed)
def an_encrypted_assertion_inside_the_encrypted_assertion() -> Element:
    return _encrypted_bytes(etree.tostring(encrypted().find("saml:EncryptedAssertion", NS)))


@attack(errors.DecryptionFailed)
def an_entity_bomb_inside_the_encrypted_assertion() -> Element:
    return _encrypted_bytes(_BOMB)


@attack(errors.DecryptionFailed)
def octets_closing_the_element_they_are_parsed_in() -> Element:
    return _encrypted_bytes(b"</bridge:Response><bridge:Response>")


@attack(errors.DecryptionFailed)
def a_wrapped_assertion_inside_the_encrypted_one() -> Element:
    root = signed_for_mei()
    original = assertion_of(root)
    evil = mallory(original)
    evil.append(original)
    return _encrypted_bytes(etree.tostring(evil))


def _encrypted_bytes(octets: bytes) -> Element:
    """A response with other octets encrypted, as anybody who has our certificate can make it."""
    root = respond(KICKS, answer(), signed="nothing")
    encrypt(root, BRIDGE, "AES256_GCM", octets=octets)
    return root


@attack(errors.ForbiddenAlgorithm, "encryption-algorithms-allowed")
def a_key_sent_by_pkcs1_v1_5() -> Element:
    root = signed_for_mei()
    encrypt(root, BRIDGE, "AES256_GCM", "RSA_PKCS1")
    return root


@attack(errors.ForbiddenAlgorithm, "encryption-algorithms-allowed")
def encrypted_with_triple_des() -> bytes:
    return swap(
        encrypted(), "http://www.w3.org/2009/xmlenc11#aes256-gcm", "http://www.w3.org/2001/04/xmlenc#tripledes-cbc"
    )


@attack(errors.ForbiddenAlgorithm, "encryption-algorithms-allowed")
def encrypted_without_a_named_method() -> Element:
    return without(encrypted(), ".//xenc:EncryptedData/xenc:EncryptionMethod")


@attack(errors.ForbiddenEncryption, "ciphertext-is-here")
def a_cipher_reference() -> Element:
    root = encrypted()
    data = root.find(".//xenc:EncryptedData/xenc:CipherData", NS)
    assert data is not None
    data.clear()
    etree.SubElement(data, f"{{{NS['xenc']}}}CipherReference", URI="file:///dev/zero")
    return root


@attack(errors.ForbiddenEncryption, "ciphertext-is-here")
def an_encrypted_key_to_be_retrieved_from_elsewhere() -> Element:
    root = encrypted()
    info = root.find(".//xenc:EncryptedData/ds:KeyInfo", NS)
    assert info is not None
    etree.SubElement(info, f"{{{NS['ds']}}}RetrievalMethod", URI=f"http://{CANARY}/key")
    return root


@attack(errors.ForbiddenEncryption, "ciphertext-is-here")
def an_encrypted_key_to_be_retrieved_from_where_none_is() -> Element:
    root = encrypted()
    info = root.find(".//xenc:EncryptedData/ds:KeyInfo", NS)
    assert info is not None
    etree.SubElement(info, f"{{{NS['ds']}}}RetrievalMethod", URI="#_another")
    return root


@attack(errors.ForbiddenEncryption, "encryption-in-place")
def an_encrypted_key_for_each_of_many() -> Element:
    root = encrypted()
    key = root.find(".//xenc:EncryptedKey", NS)
    assert key is not None
    for _ in range(MOST_KEYS):
        key.addnext(deepcopy(key))
    return root


@attack(errors.ForbiddenEncryption, "encryption-in-place")
def an_encrypted_key_outside_of_what_is_encrypted() -> Element:
    root = encrypted()
    key = root.find(".//xenc:EncryptedKey", NS)
    assert key is not None
    extensions = etree.Element(f"{{{NS['samlp']}}}Extensions")
    extensions.append(deepcopy(key))
    root.insert(1, extensions)
    return root


@attack(errors.ForbiddenEncryption, "encryption-in-place")
def an_encrypted_name_in_a_confirmation() -> Element:
    """Of somebody else who may deliver the assertion: nobody asks who that is."""
    more = confirmation(Recipient=BRIDGE.acs_url, InResponseTo="_request1", NotOnOrAfter="2026-11-21T11:03:00Z")
    named = more.replace("<saml:SubjectConfirmationData", f"{hide()}<saml:SubjectConfirmationData")
    return respond(KICKS, answer(more_confirmations=named))


@attack(errors.ForbiddenAlgorithm, "encryption-algorithms-allowed")
def an_encrypted_name_under_pkcs1() -> Element:
    return respond(KICKS, answer(hidden_name=hide(transport="RSA_PKCS1")))


@attack(errors.NotSigned)
def an_encrypted_name_in_an_unsigned_answer() -> Element:
    """It is refused before it is opened."""
    return respond(KICKS, answer(hidden_name=hide("<no name/>")), signed="nothing")


@attack(errors.BadSignature)
def an_encrypted_name_put_in_place_of_the_signed_one() -> Element:
    root = respond(KICKS, answer(hidden_name=hide()))
    subject = root.find(".//saml:Subject", NS)
    assert subject is not None
    subject.replace(subject[0], etree.fromstring(hide(NAME_ID.replace("mei", "ines"))))
    return root


@attack(errors.WrongSubjectQualifier, "subject-is-named-for-us")
def an_encrypted_name_for_somebody_else() -> Element:
    theirs = NAME_ID.replace("<saml:NameID", '<saml:NameID SPNameQualifier="https://other.example"')
    return respond(KICKS, answer(hidden_name=hide(theirs)))


@attack(errors.MissingSubject, "subject-is-named")
def an_encrypted_name_of_nobody() -> Element:
    return respond(KICKS, answer(hidden_name=hide(NAME_ID.replace("mei@kicks.example", " "))))


#: What an encrypted name may not hold.
NO_NAMES: dict[str, str | bytes] = {
    "nothing": " ",
    "text": "mei@kicks.example",
    "two_names": 2 * NAME_ID,
    "text_beside_it": f"{NAME_ID} mei@kicks.example",
    "a_base_id": f'<saml:BaseID xmlns:saml="{NS["saml"]}"/>',
    "a_name_of_no_namespace": "<NameID>mei@kicks.example</NameID>",
    "an_assertion": etree.tostring(assertion_of(respond(KICKS, answer()))),
    "an_element_in_the_name": NAME_ID.replace("mei@", "<saml:NameID>mei@</saml:NameID>"),
    "a_comment_in_the_name": NAME_ID.replace("mei@", "mei@<!-- -->"),
    "an_instruction": NAME_ID + "<?go?>",
    "another_attribute": NAME_ID.replace("<saml:NameID", '<saml:NameID ID="_session1"'),
    "a_doctype": f"<!DOCTYPE a [<!ENTITY b 'c'>]>{NAME_ID}",
    "an_entity": NAME_ID.replace("mei@", "&mei;"),
    "the_end_of_what_is_around_it": f"{NAME_ID}</bridge><bridge>",
    "latin_1": NAME_ID.replace("mei@", "mëi@").encode("latin-1"),
    "too_deep": "<a>" * 60 + "</a>" * 60,
}


for _holds, _octets in NO_NAMES.items():
    ATTACKS.append(
        Attack(
            f"an_encrypted_name_holds_{_holds}",
            lambda octets=_octets: post(respond(KICKS, answer(hidden_name=hide(octets)))),  # type: ignore[misc]
            errors.DecryptionFailed,
        )
    )


@attack(errors.DecryptionFailed)
def a_name_encrypted_for_somebody_else() -> Element:
    theirs = replace(BRIDGE, certificates=(keys("stranger").certificate,))
    return respond(KICKS, answer(hidden_name=hide(sp=theirs)))


# -- bytes and XML ----------------------------------------------------------------------------------------------------

_BOMB = b"""<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa">%s]><r>&z;</r>""" % b"".join(
    b'<!ENTITY %c "%s">' % (letter, b"&%c;" % (letter - 1) * 10) for letter in range(ord("b"), ord("z") + 1)
)


@attack(errors.MissingResponse)
def no_response_in_the_form() -> Form:
    return {"RelayState": "token"}


@attack(errors.MissingResponse)
def an_empty_response() -> Form:
    return {"SAMLResponse": ""}


@attack(errors.MalformedMessage, "strict-base64")
def not_base64() -> Form:
    return {"SAMLResponse": "<samlp:Response/>"}


@attack(errors.MalformedMessage, "strict-base64")
def base64_with_foreign_characters() -> Form:
    encoded = post(signed_for_mei())["SAMLResponse"]
    return {"SAMLResponse": encoded[:40] + "!*" + encoded[40:]}


@attack(errors.MalformedMessage, "strict-base64")
def base64_with_something_after_the_padding() -> Form:
    return {"SAMLResponse": base64.b64encode(b"<a/>").decode() + post(signed_for_mei())["SAMLResponse"]}


@attack(errors.MalformedMessage, "strict-base64")
def base64_of_the_url_alphabet_beyond_ascii() -> Form:
    return {"SAMLResponse": "É" * 40}


@attack(errors.MalformedMessage, "utf8-only")
def utf16() -> bytes:
    return etree.tostring(signed_for_mei()).decode().encode("utf-16")


@attack(errors.MalformedMessage, "utf8-only")
def latin1_declared() -> bytes:
    return b'<?xml version="1.0" encoding="ISO-8859-1"?>' + etree.tostring(signed_for_mei())


@attack(errors.MalformedMessage, "utf8-only")
def utf7_declared() -> bytes:
    return b'<?xml version="1.0" encoding="UTF-7"?>' + etree.tostring(signed_for_mei())


@attack(errors.MalformedMessage, "utf8-only")
def a_nul() -> bytes:
    return etree.tostring(signed_for_mei()) + b"\x00"


@attack(errors.MalformedMessage)
def deflated_as_for_the_redirect_binding() -> bytes:
    return zlib.compress(etree.tostring(signed_for_mei()))[2:-4]


@attack(errors.ForbiddenDoctype, "no-doctype", wild=True)
def an_entity_bomb() -> bytes:
    return _BOMB


@attack(errors.ForbiddenDoctype, "no-doctype")
def an_external_entity() -> bytes:
    return b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]>' + swap(signed_for_mei(), "Mei<", "&x;<")


@attack(errors.ForbiddenDoctype, "no-doctype")
def ids_declared_by_a_doctype() -> bytes:
    return b"<!DOCTYPE r [<!ATTLIST r other ID #IMPLIED>]>" + etree.tostring(signed_for_mei())


@attack(errors.MalformedMessage)
def not_xml() -> bytes:
    return b"hello"


@attack(errors.MalformedMessage)
def two_documents() -> bytes:
    return etree.tostring(signed_for_mei()) * 2


@attack(errors.MalformedMessage, "root-is-response")
def a_logout_response() -> bytes:
    return swap(
        swap(signed_for_mei(), "<samlp:Response", "<samlp:LogoutResponse"), "</samlp:Response", "</samlp:LogoutResponse"
    )


@attack(errors.MalformedMessage, "root-is-response")
def a_bare_assertion() -> Element:
    return assertion_of(signed_for_mei())


@attack(errors.TooLarge, "not-too-long")
def two_million_characters() -> bytes:
    root = respond(KICKS, answer(attributes={"groups": tuple(f"group-{n:06}" for n in range(20_000))}))
    return etree.tostring(root)


@attack(errors.TooLarge, "not-too-long")
def one_value_of_a_megabyte() -> Element:
    return respond(KICKS, answer(attributes={"displayName": ("m" * 1_000_000,)}))


@attack(errors.TooLarge, "bounded")
def thirty_thousand_elements() -> bytes:
    return swap(signed_for_mei(), ">eng-mobile<", ">" + "<a/>" * 30_000 + "<")


@attack(errors.TooLarge, "bounded")
def two_hundred_levels() -> bytes:
    return swap(signed_for_mei(), ">eng-mobile<", ">" + "<a>" * 200 + "</a>" * 200 + "<")


@attack(errors.TooLarge, "bounded", wild=True)
def sixty_thousand_attributes() -> bytes:
    many = " ".join(f'a{n}=""' for n in range(60_000))
    return swap(signed_for_mei(), ">eng-mobile<", f"><a {many}/><")


@attack(errors.TooLarge, "bounded")
def a_hundred_and_one_attributes_of_one_element() -> bytes:
    many = " ".join(f'a{n}=""' for n in range(101))
    return swap(signed_for_mei(), ">eng-mobile<", f"><a {many}/><")


@attack(errors.TooLarge, "bounded", wild=True)
def sixty_thousand_comments() -> bytes:
    return swap(signed_for_mei(), ">eng-mobile<", ">" + "<!---->x" * 60_000 + "<")


@attack(errors.MalformedMessage)
def a_hundred_thousand_levels() -> bytes:
    return b"<a>" * 100_000 + b"</a>" * 100_000


@attack(errors.TooLarge, "bounded")
def fifteen_thousand_namespaces() -> bytes:
    return swap(signed_for_mei(), ">eng-mobile<", f"><a {_namespaces(15_000)}>" + "<a0:b/>" * 15_000 + "</a><")


@attack(errors.TooLarge, "bounded")
def namespaces_around_a_good_signature() -> bytes:
    return swap(signed_for_mei(), "<samlp:Response ", f"<samlp:Response {_namespaces(51)} ")


@attack(errors.TooLarge, "bounded", wild=True)
def thirty_thousand_namespaces_around_an_encrypted_assertion() -> bytes:
    return swap(encrypted(), "<samlp:Response ", f"<samlp:Response {_namespaces(30_000)} ")


@attack(errors.DecryptionFailed, wild=True)
def fifteen_thousand_namespaces_inside_the_encrypted_assertion() -> Element:
    clear = etree.tostring(assertion_of(signed_for_mei()))
    return _encrypted_bytes(
        clear.replace(b"<saml:Assertion ", b"<saml:Assertion " + _namespaces(15_000).encode() + b" ")
    )


def _namespaces(number: int) -> str:
    return " ".join(f'xmlns:a{n}="urn:{n}"' for n in range(number))


@attack(errors.SplitText, "unbroken-text")
def a_comment_in_the_name_id() -> bytes:
    root = respond(KICKS, answer(name_id="mei@kicks.example.evil.example"))
    return swap(root, "mei@kicks.example.evil", "mei@kicks.example<!---->.evil")


@attack(errors.SplitText, "unbroken-text")
def a_processing_instruction_in_an_attribute_value() -> bytes:
    return swap(signed_for_mei(), ">eng-mobile<", ">eng<?x?>-mobile<")


@attack(errors.MalformedMessage, "fits-schema")
def an_element_in_the_name_id() -> Element:
    return respond(KICKS, answer(in_name_id="<saml:b/>"))


@attack(errors.MalformedMessage, "fits-schema")
def conditions_before_the_subject() -> Element:
    root = respond(KICKS, answer(), signed="nothing")
    assertion = assertion_of(root)
    conditions = assertion.find("saml:Conditions", NS)
    assert conditions is not None
    assertion.insert(1, conditions)
    sign(assertion, KICKS.key)
    return root


@attack(errors.MalformedMessage, "fits-schema")
def two_subjects() -> Element:
    root = respond(KICKS, answer(), signed="nothing")
    assertion = assertion_of(root)
    subject = assertion.find("saml:Subject", NS)
    assert subject is not None
    subject.addnext(mallory(subject))
    sign(assertion, KICKS.key)
    return root


@attack(errors.MalformedMessage, "fits-schema")
def an_id_that_is_no_name() -> Element:
    return respond(KICKS, answer(assertion_id="1'or'1"), signed="response")


# -- what the IdP says, in each way of signing ------------------------------------------------------------------------

_PAST, _FUTURE = NOW - timedelta(minutes=2), NOW + timedelta(minutes=2)
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_ACS = BRIDGE.acs_url

says(errors.WrongVersion, "version-is-2", "SAML 1.1", version="1.1")
says(
    errors.WrongIssuer, "response-issuer-is-the-idp", "another response issuer", response_issuer="https://evil.example"
)
says(errors.WrongIssuer, "response-issuer-is-the-idp", "no response issuer", response_issuer=None)
says(errors.WrongIssuer, "assertion-issuer-is-the-idp", "another assertion issuer", issuer="https://evil.example")
says(errors.MalformedMessage, "fits-schema", "no assertion issuer", issuer=None)
says(errors.WrongDestination, "destination-is-ours", "another destination", destination="https://evil.example/acs")
says(errors.WrongDestination, "destination-is-ours", "a longer destination", destination=_ACS + "/more")
says(errors.WrongDestination, "destination-is-ours", "an empty destination", destination="")
says(errors.WrongDestination, "destination-is-ours", "no destination", destination=None)
says(errors.WrongAudience, "audience-is-ours", "another audience", audiences=(("https://evil.example",),))
says(errors.WrongAudience, "audience-is-ours", "no audience", audiences=())
says(errors.WrongAudience, "audience-is-ours", "a longer audience", audiences=((BRIDGE.entity_id + "/",),))
says(
    errors.WrongAudience,
    "audience-is-ours",
    "two restrictions, one of them another's",
    audiences=((BRIDGE.entity_id,), ("https://evil.example",)),
)
says(errors.WrongRecipient, "recipient-is-ours", "another recipient", recipient="https://evil.example/acs")
says(
    errors.WrongRecipient,
    "recipient-is-ours",
    "our address within another recipient",
    recipient=f"https://evil.example/?{_ACS}",
)
says(errors.WrongRecipient, "recipient-is-ours", "no recipient", recipient=None)
says(
    errors.NotConfirmed,
    "subject-is-confirmed-for-bearer",
    "a holder-of-key",
    method="urn:oasis:names:tc:SAML:2.0:cm:holder-of-key",
)
says(errors.MissingSubject, "subject-is-named", "no name", name_id=None)
says(errors.MissingSubject, "subject-is-named", "an empty name", name_id=" ")
says(errors.MissingSubject, "subject-is-named", "an endless name", name_id="m" * 2000)
says(errors.MissingSubject, "subject-is-named", "an invisible character in the name", name_id="mei\u200b@kicks.example")
says(
    errors.WrongSubjectQualifier,
    "subject-is-named-for-us",
    "a name for another",
    sp_name_qualifier="https://evil.example",
)
says(errors.InResponseToMismatch, "request-is-one", "two requests", in_response_to="_request2")
says(errors.InResponseToMismatch, "request-is-one", "a request in the envelope only", confirmation_in_response_to=None)
says(errors.Unsolicited, "request-was-made", "unsolicited", in_response_to=None, confirmation_in_response_to=None)
says(errors.Expired, "confirmation-has-not-expired", "delivered late", confirmation_not_on_or_after=_PAST)
says(errors.MissingExpiry, "confirmation-has-not-expired", "deliverable for ever", confirmation_not_on_or_after=None)
says(errors.NotYetValid, "confirmation-is-valid-already", "delivered early", confirmation_not_before=_FUTURE)
says(errors.Expired, "conditions-have-not-expired", "expired", not_on_or_after=_PAST)
says(errors.MissingExpiry, "conditions-have-not-expired", "valid for ever", not_on_or_after=None)
says(errors.NotYetValid, "conditions-are-valid-already", "not yet valid", not_before=_FUTURE)
says(errors.NotYetValid, "response-is-not-from-the-future", "response from the future", response_issued=_FUTURE)
says(errors.NotYetValid, "assertion-is-not-from-the-future", "assertion from the future", issued=_FUTURE)
says(errors.NotOneAuthentication, "authenticated-once", "no authentication", authenticated=None)
says(
    errors.NotOneAuthentication,
    "authenticated-once",
    "two authentications",
    more_statements=(
        '<saml:AuthnStatement AuthnInstant="2026-11-21T10:57:00Z" SessionIndex="_other"><saml:AuthnContext>'
        "<saml:AuthnContextDeclRef>urn:x</saml:AuthnContextDeclRef></saml:AuthnContext></saml:AuthnStatement>"
    ),
)
says(errors.NotYetValid, "authenticated-already", "authenticated in the future", authenticated=_FUTURE)
says(
    errors.WrongAuthnContext,
    "authenticated-as-asked",
    "another kind of sign-in than was asked for",
    authn_context="urn:oasis:names:tc:SAML:2.0:ac:classes:PreviousSession",
)
says(errors.WrongAuthnContext, "authenticated-as-asked", "no kind of sign-in", authn_context=None)
says(
    errors.WrongAuthnContext,
    "authenticated-as-asked",
    "a longer kind of sign-in",
    authn_context="urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport2",
)
says(errors.Expired, "session-has-not-ended", "session over", session_not_on_or_after=_PAST)
says(
    errors.MalformedMessage,
    "confirmation-has-not-expired",
    "a local time",
    confirmation_not_on_or_after="2026-11-21T23:00:00",
)
says(
    errors.MalformedMessage,
    "conditions-have-not-expired",
    "another time zone",
    not_on_or_after="2026-11-21T11:00:00+05:00",
)
says(errors.MalformedMessage, "conditions-have-not-expired", "the year 12026", not_on_or_after="12026-11-21T11:00:00Z")
says(errors.MalformedMessage, "conditions-have-not-expired", "a 25th hour", not_on_or_after="2026-11-21T24:00:00Z")
says(
    errors.UnknownCondition,
    "conditions-are-understood",
    "an unknown condition",
    more_conditions=f'<saml:Condition xmlns:x="{_XSI}" x:type="saml:OneTimeUseType"/>',
)
says(errors.IdpSaidNo, "status-is-success", "no", status="urn:oasis:names:tc:SAML:2.0:status:Requester")


@attack(errors.WrongAudience, "audience-is-ours")
def a_response_for_another_connection_of_ours() -> Element:
    other = bridge("https://bridge.example/saml/c2")
    return respond(KICKS, answer(other, destination=_ACS, recipient=_ACS))


@attack(errors.WrongIssuer, "response-issuer-is-the-idp")
def an_idp_signing_as_another_with_the_same_key() -> Element:
    return respond(KICKS, answer(issuer="https://idp.other.example", response_issuer="https://idp.other.example"))


@attack(errors.IdpSaidNo, "status-is-success")
def a_refusal_with_an_assertion_all_the_same() -> bytes:
    return swap(signed_for_mei(), "status:Success", "status:Responder")


@attack(errors.MalformedMessage, "status-is-success")
def no_status() -> Element:
    return without(signed_for_mei(), "samlp:Status")


@attack(errors.WrongAudience, "audience-is-ours")
def encrypted_with_another_audience() -> Element:
    return respond(KICKS, answer(audiences=(("https://evil.example",),)), encrypted="AES256_GCM")


@attack(errors.Expired, "confirmation-has-not-expired")
def encrypted_and_expired() -> Element:
    return respond(KICKS, answer(confirmation_not_on_or_after=_PAST), encrypted="AES256", signed="both")
