"""Attacks of published advisories and papers that `attacks` doesn't have yet, each built from a good response.

Where an advisory is about two parsers that disagree (ruby-saml, xml-crypto, Keycloak), the message that fooled them is
sent all the same: whatever of it is read here must be what was signed.
"""

import base64
import hashlib
from copy import deepcopy

from lxml import etree

from saml import errors
from tests.saml.attacks import (
    _encrypted_bytes,
    _transform,
    attack,
    encrypted,
    mallory,
    says,
    signed_for_mei,
    swap,
)
from tests.saml.canary import CANARY
from tests.saml.idp import (
    BRIDGE,
    KICKS,
    NOW,
    NS,
    answer,
    assertion_of,
    confirmation,
    encrypt,
    keys,
    reparsed,
    respond,
    sign,
    signature_of,
    without,
)

Element = etree._Element
_DSIG11 = "http://www.w3.org/2009/xmldsig11#"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_XS = "http://www.w3.org/2001/XMLSchema"
_EMPTY_SHA256 = base64.b64encode(hashlib.sha256(b"").digest()).decode()


def found(root: Element, path: str) -> Element:
    """The one element at `path`, which must be there."""
    element = root.find(path, NS)
    assert element is not None, path
    return element


def made(parent: Element, name: str, **attributes: str) -> Element:
    """A new last child."""
    prefix, local = name.split(":")
    return etree.SubElement(parent, f"{{{NS[prefix]}}}{local}", attributes)


def forged(**how: str) -> Element:
    """A response that names Mallory with the signature block that was made for Mei."""
    root = signed_for_mei(**how)
    found(root, ".//saml:NameID").text = "mallory@evil.example"
    return root


# -- More wrapping ---------------------------------------------------------------------------------------------------


@attack(errors.NotOneAssertion, "one-assertion")
def an_evil_assertion_after_the_original() -> Element:
    root = signed_for_mei()
    root.append(mallory(assertion_of(root)))
    return root


@attack(errors.NotOneAssertion, "one-assertion")
def the_original_in_the_advice_of_the_evil_assertion() -> Element:
    root = signed_for_mei()
    original = assertion_of(root)
    evil = mallory(original)
    root.replace(original, evil)
    advice = etree.Element(f"{{{NS['saml']}}}Advice")
    found(evil, "saml:Conditions").addnext(advice)
    advice.append(original)
    return root


@attack(errors.NotOneAssertion, "one-assertion")
def the_original_in_the_confirmation_data_of_the_evil_assertion() -> Element:
    root = signed_for_mei()
    original = assertion_of(root)
    evil = mallory(original)
    root.replace(original, evil)
    found(evil, ".//saml:SubjectConfirmationData").append(original)
    return root


@attack(errors.NotOneAssertion, "one-assertion")
def the_original_in_an_attribute_value_of_the_evil_assertion() -> Element:
    root = signed_for_mei()
    original = assertion_of(root)
    evil = mallory(original)
    root.replace(original, evil)
    value = found(evil, ".//saml:AttributeValue")
    value.text = None
    value.append(original)
    return root


@attack(errors.NotOneAssertion, "one-assertion")
def the_original_in_the_key_info_of_the_evil_assertion() -> Element:
    root = signed_for_mei()
    original = assertion_of(root)
    signature = signature_of(original)
    evil = mallory(original)
    original.remove(signature)
    root.replace(original, evil)
    evil.insert(1, signature)
    found(signature, "ds:KeyInfo").append(original)
    return root


@attack(errors.NotOneAssertion, "one-assertion")
def the_original_response_in_the_extensions_of_an_evil_one() -> Element:
    original = signed_for_mei(signed="response")
    evil = mallory(original)
    extensions = etree.Element(f"{{{NS['samlp']}}}Extensions")
    found(evil, "saml:Issuer").addnext(extensions)
    extensions.append(original)
    return evil


@attack(errors.MalformedMessage, "root-is-response")
def a_response_in_a_soap_envelope() -> Element:
    envelope = etree.Element("{http://schemas.xmlsoap.org/soap/envelope/}Envelope")
    body = etree.SubElement(envelope, "{http://schemas.xmlsoap.org/soap/envelope/}Body")
    body.append(signed_for_mei())
    return envelope


@attack(errors.ForbiddenSignature, "signatures-cover-their-parent")
def a_response_signature_that_covers_the_assertion() -> Element:
    """Keycloak CVE-2024-8698: where a signature stands isn't what it signs."""
    root = forged()
    original = assertion_of(signed_for_mei())
    signature = signature_of(original)
    assertion_of(root).remove(signature_of(assertion_of(root)))
    found(root, "saml:Issuer").addnext(signature)
    return root


@attack(errors.NotOneAssertion, "one-assertion")
def an_encrypted_assertion_of_a_stranger_beside_the_signed_one() -> Element:
    """Keycloak CVE-2026-2092: a signed assertion vouches for an encrypted one beside it."""
    root = signed_for_mei()
    stranger = _encrypted_bytes(etree.tostring(mallory(assertion_of(signed_for_mei()))))
    root.append(found(stranger, "saml:EncryptedAssertion"))
    return root


@attack(errors.NotOneAssertion, "one-assertion")
def two_encrypted_assertions() -> Element:
    root = encrypted()
    root.append(found(encrypted(), "saml:EncryptedAssertion"))
    return root


@attack(errors.DecryptionFailed)
def an_encrypted_assertion_exchanged_for_a_strangers() -> Element:
    root = encrypted()
    stranger = _encrypted_bytes(etree.tostring(mallory(assertion_of(signed_for_mei()))))
    root.replace(found(root, "saml:EncryptedAssertion"), found(stranger, "saml:EncryptedAssertion"))
    return root


@attack(errors.BadSignature)
def an_encrypted_assertion_exchanged_in_a_signed_response() -> Element:
    root = encrypted(signed="response")
    stranger = _encrypted_bytes(etree.tostring(mallory(assertion_of(signed_for_mei()))))
    root.replace(found(root, "saml:EncryptedAssertion"), found(stranger, "saml:EncryptedAssertion"))
    return root


@attack(errors.DecryptionFailed)
def two_assertions_inside_the_encrypted_one() -> Element:
    original = assertion_of(signed_for_mei())
    both = etree.tostring(mallory(original)) + etree.tostring(original, with_tail=False)
    return _encrypted_bytes(both)


@attack(errors.DecryptionFailed)
def a_whole_response_inside_the_encrypted_assertion() -> Element:
    return _encrypted_bytes(etree.tostring(signed_for_mei(signed="response")))


@attack(errors.DecryptionFailed)
def a_comment_in_the_name_inside_the_encrypted_assertion() -> Element:
    octets = etree.tostring(assertion_of(respond(KICKS, answer(name_id="mei@kicks.example.evil"))), with_tail=False)
    return _encrypted_bytes(swap(octets, "mei@kicks.example.evil", "mei@kicks.example<!---->.evil"))


@attack(errors.DecryptionFailed)
def an_assertion_refused_by_the_gate_inside_the_encrypted_one() -> Element:
    root = respond(KICKS, answer(), method="RSA_SHA1", digest="SHA1")
    return _encrypted_bytes(etree.tostring(assertion_of(root), with_tail=False))


@attack(errors.DecryptionFailed)
def a_key_of_another_length_than_the_algorithms() -> bytes:
    """The cipher would take it; the message named another."""
    return swap(encrypted(algorithm="AES128_GCM"), "xmlenc11#aes128-gcm", "xmlenc11#aes256-gcm")


@attack(errors.DecryptionFailed)
def gcm_declared_as_cbc() -> bytes:
    return swap(encrypted(algorithm="AES256_GCM"), "2009/xmlenc11#aes256-gcm", "2001/04/xmlenc#aes256-cbc")


def _ciphertext(octets: bytes, path: str, algorithm: str = "AES256") -> Element:
    root = encrypted(algorithm=algorithm)
    found(root, f".//{path}/xenc:CipherData/xenc:CipherValue").text = base64.b64encode(octets).decode()
    return root


@attack(errors.DecryptionFailed)
def no_ciphertext_in_cbc() -> Element:
    return _ciphertext(b"", "xenc:EncryptedData")


@attack(errors.DecryptionFailed)
def an_initial_vector_only() -> Element:
    return _ciphertext(b"v" * 16, "xenc:EncryptedData")


@attack(errors.DecryptionFailed)
def half_a_block_of_ciphertext() -> Element:
    return _ciphertext(b"v" * 40, "xenc:EncryptedData")


@attack(errors.DecryptionFailed)
def no_ciphertext_in_gcm() -> Element:
    return _ciphertext(b"", "xenc:EncryptedData", "AES128_GCM")


@attack(errors.DecryptionFailed)
def gcm_without_its_tag() -> Element:
    return _ciphertext(b"n" * 14, "xenc:EncryptedData", "AES128_GCM")


@attack(errors.DecryptionFailed)
def an_empty_encrypted_key() -> Element:
    return _ciphertext(b"", "xenc:EncryptedKey")


@attack(errors.DecryptionFailed)
def an_encrypted_key_of_noughts() -> Element:
    return _ciphertext(b"\x00" * 256, "xenc:EncryptedKey")


@attack(errors.DecryptionFailed)
def an_encrypted_key_of_ones() -> Element:
    return _ciphertext(b"\xff" * 256, "xenc:EncryptedKey")


# -- ruby-saml -------------------------------------------------------------------------------------------------------


def _digest_of(root: Element) -> str:
    """The digest that would be right for the changed assertion."""
    clear = without(assertion_of(root), "ds:Signature")
    return base64.b64encode(hashlib.sha256(etree.tostring(clear, method="c14n", exclusive=True)).digest()).decode()


@attack(errors.BadSignature)
def a_digest_smuggled_into_the_status_detail() -> Element:
    """CVE-2024-45409: `//ds:DigestValue` finds one that isn't signed."""
    root = forged()
    detail = made(found(root, "samlp:Status"), "samlp:StatusDetail")
    made(detail, "ds:DigestValue").text = _digest_of(root)
    return reparsed(root)


@attack(errors.BadSignature)
def a_digest_smuggled_into_the_extensions() -> Element:
    root = forged()
    extensions = etree.Element(f"{{{NS['samlp']}}}Extensions")
    found(root, "saml:Issuer").addnext(extensions)
    reference = made(extensions, "ds:Reference", URI=f"#{assertion_of(root).get('ID')}")
    made(reference, "ds:DigestMethod", Algorithm=f"{NS['xenc']}sha256")
    made(reference, "ds:DigestValue").text = _digest_of(root)
    return reparsed(root)


@attack(errors.BadSignature)
def a_digest_recomputed_in_the_signature() -> Element:
    root = forged()
    found(root, ".//ds:DigestValue").text = _digest_of(root)
    return root


@attack(errors.ForbiddenSignature, "signatures-in-place")
def a_second_signature_in_the_status_detail() -> Element:
    """CVE-2025-25291: one parser finds the first signature, the other the second."""
    root = forged()
    detail = made(found(root, "samlp:Status"), "samlp:StatusDetail")
    detail.append(deepcopy(signature_of(assertion_of(signed_for_mei()))))
    return root


@attack(errors.ForbiddenDoctype, "no-doctype")
def a_doctype_that_one_parser_reads_otherwise() -> bytes:
    """CVE-2025-25291: quotes and comments in an internal subset, where REXML and libxml2 disagree."""
    subset = '<!DOCTYPE r [<!ENTITY % p \'"><!--\'><!ENTITY q "-->"> ]>'
    return subset.encode() + etree.tostring(forged())


@attack(errors.ForbiddenDoctype, "no-doctype")
def an_attribute_given_by_a_doctype() -> bytes:
    """A default ID for every assertion."""
    return b'<!DOCTYPE r [<!ATTLIST saml:Assertion ID CDATA "_default">]>' + etree.tostring(signed_for_mei())


@attack(errors.ForbiddenDoctype, "no-doctype")
def a_parameter_entity_from_elsewhere() -> bytes:
    return f'<!DOCTYPE r [<!ENTITY % x SYSTEM "http://{CANARY}/x"> %x;]>'.encode() + etree.tostring(signed_for_mei())


@attack(errors.ForbiddenDoctype, "no-doctype")
def an_external_subset() -> bytes:
    return f'<!DOCTYPE r SYSTEM "http://{CANARY}/r.dtd">'.encode() + etree.tostring(signed_for_mei())


@attack(errors.MalformedMessage)
def an_entity_that_nobody_declared() -> bytes:
    return swap(signed_for_mei(), ">Mei<", ">&mei;<")


@attack(errors.MalformedMessage, "fits-schema")
def a_signature_of_another_namespace_before_the_real_one() -> bytes:
    """CVE-2025-25292: `ds` bound to something else for one of the parsers."""
    return swap(forged(), "<ds:Signature ", '<ds:Signature xmlns:ds="urn:x"/><ds:Signature ')


@attack(errors.MalformedMessage, "fits-schema")
def an_id_in_a_namespace_beside_the_id() -> bytes:
    """Attribute pollution: which of the two is `ID` to whom?"""
    return swap(signed_for_mei(), "<saml:Assertion ", '<saml:Assertion saml:ID="_other" ')


@attack(errors.DuplicateId, "unique-ids")
def the_same_id_in_a_namespace_on_another_element() -> bytes:
    root = signed_for_mei()
    return swap(root, "<samlp:Response ", f'<samlp:Response samlp:ID="{assertion_of(root).get("ID")}" ')


@attack(errors.DuplicateId, "unique-ids")
def the_same_xml_id_on_another_element() -> bytes:
    root = signed_for_mei()
    return swap(root, "<samlp:Status>", f'<samlp:Status xml:id="{assertion_of(root).get("ID")}">')


@attack(errors.ForbiddenSignature, "signatures-cover-their-parent")
def an_xml_id_that_stands_in_for_the_id() -> Element:
    return _id_named("{http://www.w3.org/XML/1998/namespace}id")


@attack(errors.MalformedMessage)
def one_attribute_twice() -> bytes:
    return swap(signed_for_mei(), "<saml:Assertion ", '<saml:Assertion ID="_other" ')


@attack(errors.MalformedMessage)
def one_attribute_twice_by_two_prefixes() -> bytes:
    twice = 'xmlns:p="urn:p" xmlns:q="urn:p" p:a="1" q:a="2"'
    return swap(signed_for_mei(), "<samlp:Response ", f"<samlp:Response {twice} ")


@attack(errors.BadSignature)
def a_relative_namespace_that_canonicalizes_to_nothing() -> bytes:
    """CVE-2025-66568, void canonicalization: libxml2 gives up, and the digest of nothing is taken for right."""
    root = swap(forged(), "<saml:Assertion ", '<saml:Assertion xmlns:a="1" ')
    tree = etree.fromstring(root)
    found(tree, ".//ds:DigestValue").text = _EMPTY_SHA256
    return etree.tostring(tree)


@attack(errors.BadSignature)
def a_relative_namespace_in_a_signed_info_that_canonicalizes_to_nothing() -> bytes:
    return swap(forged(), "<ds:SignedInfo>", '<ds:SignedInfo xmlns:a="1">')


@attack(errors.BadSignature)
def the_digest_of_nothing() -> Element:
    root = forged()
    found(root, ".//ds:DigestValue").text = _EMPTY_SHA256
    return root


@attack(errors.BadSignature)
def an_empty_digest() -> Element:
    root = forged()
    found(root, ".//ds:DigestValue").text = ""
    return root


@attack(errors.BadSignature)
def an_empty_signature_value() -> Element:
    root = forged()
    found(root, ".//ds:SignatureValue").text = ""
    return root


# -- xml-crypto, node-saml, xmlseclibs, goxmldsig, crewjam ------------------------------------------------------------


@attack(errors.ForbiddenSignature, "signatures-cover-their-parent")
def two_signed_infos_the_evil_one_first() -> Element:
    """xml-crypto CVE-2025-29774: one is verified, the other one's references are taken."""
    root = forged()
    info = found(root, ".//ds:SignedInfo")
    evil = deepcopy(info)
    found(evil, ".//ds:DigestValue").text = _digest_of(root)
    info.addprevious(evil)
    return root


@attack(errors.ForbiddenSignature, "signatures-cover-their-parent")
def two_signed_infos_the_evil_one_last() -> Element:
    root = forged()
    info = found(root, ".//ds:SignedInfo")
    evil = deepcopy(info)
    found(evil, ".//ds:DigestValue").text = _digest_of(root)
    info.addnext(evil)
    return root


@attack(errors.MalformedMessage, "fits-schema")
def a_second_signed_info_without_a_reference() -> Element:
    root = forged()
    info = found(root, ".//ds:SignedInfo")
    evil = deepcopy(info)
    evil.remove(found(evil, "ds:Reference"))
    info.addprevious(evil)
    return root


@attack(errors.MalformedMessage, "fits-schema")
def two_signature_values() -> Element:
    root = forged()
    value = found(root, ".//ds:SignatureValue")
    value.addnext(deepcopy(value))
    return root


@attack(errors.SplitText, "unbroken-text")
def a_comment_in_the_digest() -> Element:
    """xml-crypto CVE-2025-29775: `<DigestValue><!--right-->wrong</DigestValue>`."""
    root = forged()
    digest = found(root, ".//ds:DigestValue")
    real = digest.text or ""
    digest.text = None
    comment = etree.Comment(_digest_of(root))
    comment.tail = real
    digest.append(comment)
    return root


@attack(errors.SplitText, "unbroken-text")
def a_comment_in_the_signature_value() -> Element:
    root = signed_for_mei()
    found(root, ".//ds:SignatureValue").append(etree.Comment("x"))
    return root


@attack(errors.ForbiddenSignature, "signatures-cover-their-parent")
def two_digests_in_two_references_of_one_signed_info() -> Element:
    root = forged()
    reference = found(root, ".//ds:Reference")
    evil = deepcopy(reference)
    found(evil, "ds:DigestValue").text = _digest_of(root)
    reference.addprevious(evil)
    return root


@attack(errors.MalformedMessage, "fits-schema")
def two_digests_in_one_reference() -> Element:
    root = forged()
    digest = found(root, ".//ds:DigestValue")
    digest.addnext(deepcopy(digest))
    digest.text = _digest_of(root)
    return root


@attack(errors.ForbiddenSignature, "signatures-cover-their-parent")
def a_signed_info_of_nothing() -> Element:
    root = signed_for_mei()
    info = found(root, ".//ds:SignedInfo")
    info.remove(found(info, "ds:Reference"))
    return root


@attack(errors.ForbiddenSignature, "signatures-cover-their-parent")
def an_empty_signature() -> Element:
    root = signed_for_mei()
    signature_of(assertion_of(root)).clear()
    return root


@attack(errors.MalformedMessage)
def a_second_root_after_the_first() -> bytes:
    """node-saml CVE-2022-39299: the first root is verified, the last one read."""
    return etree.tostring(signed_for_mei()) + etree.tostring(mallory(signed_for_mei()))


@attack(errors.MalformedMessage)
def a_second_root_before_the_signed_one() -> bytes:
    return etree.tostring(mallory(signed_for_mei())) + etree.tostring(signed_for_mei())


@attack(errors.MalformedMessage)
def names_with_two_colons() -> bytes:
    """crewjam CVE-2020-27846: Go's encoding/xml wrote other names than it read."""
    return swap(signed_for_mei(), "<samlp:Status>", "<samlp::Status>")


@attack(errors.MalformedMessage)
def text_after_the_root() -> bytes:
    return etree.tostring(signed_for_mei()) + b"mallory"


@attack(errors.NotOneAssertion, "one-assertion")
def an_assertion_of_saml_1() -> bytes:
    return swap(
        swap(forged(), "<saml:Assertion ", '<old:Assertion xmlns:old="urn:oasis:names:tc:SAML:1.0:assertion" '),
        "</saml:Assertion>",
        "</old:Assertion>",
    )


@attack(errors.NotOneAssertion, "one-assertion")
def an_assertion_of_no_namespace() -> bytes:
    return swap(swap(forged(), "<saml:Assertion ", "<Assertion "), "</saml:Assertion>", "</Assertion>")


@attack(errors.MalformedMessage, "root-is-response")
def a_response_of_another_namespace() -> bytes:
    return swap(signed_for_mei(), 'xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"', 'xmlns:samlp="urn:x"')


# -- Keys ------------------------------------------------------------------------------------------------------------


def _with_key_info(*content: str) -> Element:
    """A response that Mallory signed, with other key information."""
    root = respond(KICKS, answer(name_id="mallory@evil.example"), signed="nothing")
    sign(assertion_of(root), "mallory")
    root = reparsed(root)
    info = found(root, ".//ds:KeyInfo")
    info.clear()
    for xml in content:
        info.append(etree.fromstring(xml))
    return root


def _x509(name: str) -> str:
    bare = "".join(keys(name).certificate.split("\n")[1:-2])
    return f'<ds:X509Data xmlns:ds="{NS["ds"]}"><ds:X509Certificate>{bare}</ds:X509Certificate></ds:X509Data>'


_RSA_KEY_VALUE = (
    f'<ds:KeyValue xmlns:ds="{NS["ds"]}"><ds:RSAKeyValue><ds:Modulus>AQAB</ds:Modulus>'
    "<ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>"
)


@attack(errors.BadSignature)
def dupe_key_confusion() -> Element:
    """Muñoz and Mirosh, 2019: one identifier verifies the signature, the other is found trusted."""
    return _with_key_info(_RSA_KEY_VALUE, _x509(KICKS.key))


@attack(errors.BadSignature)
def dupe_key_confusion_the_other_way() -> Element:
    return _with_key_info(_x509(KICKS.key), _x509("mallory"))


@attack(errors.BadSignature)
def both_certificates_in_one_x509_data() -> Element:
    both = _x509(KICKS.key).replace("</ds:X509Data>", "") + _x509("mallory").partition(">")[2]
    return _with_key_info(both)


@attack(errors.BadSignature)
def no_key_info_of_a_wrong_signature() -> Element:
    return without(_with_key_info(), ".//ds:KeyInfo")


@attack(errors.BadSignature)
def a_key_name_that_is_a_file() -> Element:
    return _with_key_info(f'<ds:KeyName xmlns:ds="{NS["ds"]}">/etc/passwd</ds:KeyName>')


@attack(errors.ForbiddenSignature, "keys-are-not-fetched")
def a_key_info_reference() -> Element:
    return _with_key_info(f'<KeyInfoReference xmlns="{_DSIG11}" URI="http://{CANARY}/k"/>')


@attack(errors.ForbiddenSignature, "keys-are-not-fetched")
def a_der_encoded_key_value() -> Element:
    return _with_key_info(f'<DEREncodedKeyValue xmlns="{_DSIG11}">AQAB</DEREncodedKeyValue>')


@attack(errors.ForbiddenSignature, "keys-are-not-fetched")
def pgp_data() -> Element:
    return _with_key_info(f'<ds:PGPData xmlns:ds="{NS["ds"]}"><ds:PGPKeyID>AQAB</ds:PGPKeyID></ds:PGPData>')


@attack(errors.ForbiddenSignature, "keys-are-not-fetched")
def an_encrypted_key_in_a_signatures_key_info() -> Element:
    key = etree.tostring(found(encrypted(), ".//xenc:EncryptedKey")).decode()
    return _with_key_info(key)


@attack(errors.BadSignature)
def our_own_certificates_key() -> Element:
    """The service provider's key pair signs nothing that it takes."""
    root = respond(KICKS, answer(), signed="nothing")
    sign(assertion_of(root), "bridge")
    return root


# -- Algorithms ------------------------------------------------------------------------------------------------------


def _named(path: str, algorithm: str) -> Element:
    root = signed_for_mei()
    found(root, f".//{path}").set("Algorithm", algorithm)
    return root


_ALGORITHMS = {
    "HMAC-SHA1": ("ds:SignatureMethod", "http://www.w3.org/2000/09/xmldsig#hmac-sha1"),
    "HMAC-SHA256": ("ds:SignatureMethod", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"),
    "DSA-SHA1": ("ds:SignatureMethod", "http://www.w3.org/2000/09/xmldsig#dsa-sha1"),
    "DSA-SHA256": ("ds:SignatureMethod", "http://www.w3.org/2009/xmldsig11#dsa-sha256"),
    "RSA-SHA224": ("ds:SignatureMethod", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha224"),
    "RSA-RIPEMD160": ("ds:SignatureMethod", "http://www.w3.org/2001/04/xmldsig-more#rsa-ripemd160"),
    "ECDSA-SHA1": ("ds:SignatureMethod", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1"),
    "no signature method": ("ds:SignatureMethod", ""),
    "a signature method in capitals": ("ds:SignatureMethod", "http://www.w3.org/2001/04/xmldsig-more#RSA-SHA256"),
    "a signature method with a space": ("ds:SignatureMethod", " http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"),
    "MD5": ("ds:DigestMethod", "http://www.w3.org/2001/04/xmldsig-more#md5"),
    "SHA-1": ("ds:DigestMethod", "http://www.w3.org/2000/09/xmldsig#sha1"),
    "SHA-224": ("ds:DigestMethod", "http://www.w3.org/2001/04/xmldsig-more#sha224"),
    "no digest method": ("ds:DigestMethod", ""),
    "C14N 1.0 with comments": (
        "ds:CanonicalizationMethod",
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments",
    ),
    "C14N 1.1": ("ds:CanonicalizationMethod", "http://www.w3.org/2006/12/xml-c14n11"),
    "a stylesheet as canonicalization": (
        "ds:CanonicalizationMethod",
        "http://www.w3.org/TR/1999/REC-xslt-19991116",
    ),
}


def _algorithm_attacks() -> None:
    for name, (path, algorithm) in _ALGORITHMS.items():

        def make(path: str = path, algorithm: str = algorithm) -> Element:
            return _named(path, algorithm)

        make.__name__ = f"{name} named"
        attack(errors.ForbiddenAlgorithm, "signature-algorithms-allowed")(make)


_algorithm_attacks()

_TRANSFORMS = {
    "XPath filter 2": "http://www.w3.org/2002/06/xmldsig-filter2",
    "XPointer": "http://www.w3.org/2001/04/xmldsig-more/xptr",
    "decryption": "http://www.w3.org/2002/07/decrypt#XML",
    "inclusive canonicalization": "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
    "canonicalization 1.1": "http://www.w3.org/2006/12/xml-c14n11",
    "XInclude": "http://www.w3.org/2001/XInclude",
    "STR": "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#STR-Transform",
    "no name": "",
}


def _transform_attacks() -> None:
    for name, algorithm in _TRANSFORMS.items():

        def make(algorithm: str = algorithm) -> bytes:
            return _transform(algorithm)

        make.__name__ = f"a transform by {name}"
        attack(errors.ForbiddenAlgorithm, "transforms-allowed")(make)


_transform_attacks()

# -- References ------------------------------------------------------------------------------------------------------

_REFERENCES = {
    "no URI": None,
    "a bare hash": "#",
    "an xpointer to the ID": "#xpointer(id('{id}'))",
    "an xpath": "#xpath(/)",
    "the ID without its hash": "{id}",
    "the ID with a space": "# {id}",
    "the ID with another's": "#{id} #_other",
    "the ID encoded": "#%5f{tail}",
    "the response's ID": "#{response}",
    "an ID that isn't there": "#_nothing",
    "a file": "file:///etc/hostname",
    "a file and the ID": "file:///etc/hostname#{id}",
    "a relative file": "pyproject.toml",
    "an ftp address": f"ftp://{CANARY}/x",
    "a data URI": "data:text/xml,<a/>",
    "the ID in fullwidth": "#\uff3f{tail}",
}


def _reference(uri: str | None) -> Element:
    root = signed_for_mei()
    reference, one = found(root, ".//ds:Reference"), assertion_of(root).get("ID", "")
    if uri is None:
        del reference.attrib["URI"]
    else:
        reference.set("URI", uri.format(id=one, tail=one[1:], response=root.get("ID")))
    return root


def _reference_attacks() -> None:
    for name, uri in _REFERENCES.items():

        def make(uri: str | None = uri) -> Element:
            return _reference(uri)

        make.__name__ = f"a reference: {name}"
        attack(errors.ForbiddenSignature, "signatures-cover-their-parent")(make)


_reference_attacks()


def _id_named(name: str) -> Element:
    """The ID as SAML 1.1 or another format spells it."""
    root = signed_for_mei()
    assertion = assertion_of(root)
    assertion.set(name, assertion.attrib.pop("ID"))
    return root


@attack(errors.ForbiddenSignature, "signatures-cover-their-parent")
def an_assertion_id_of_saml_1() -> Element:
    return _id_named("AssertionID")


@attack(errors.ForbiddenSignature, "signatures-cover-their-parent")
def an_id_in_mixed_case() -> Element:
    return _id_named("Id")


@attack(errors.ForbiddenSignature, "signatures-cover-their-parent")
def an_id_in_small_letters() -> Element:
    return _id_named("id")


@attack(errors.DuplicateId, "unique-ids")
def one_id_in_two_spellings() -> Element:
    root = signed_for_mei()
    assertion_of(root).set("id", assertion_of(root).get("ID", ""))
    return root


# -- Encodings -------------------------------------------------------------------------------------------------------


def _octets() -> bytes:
    return etree.tostring(signed_for_mei())


@attack(errors.MalformedMessage, "utf8-only")
def utf16_without_a_mark() -> bytes:
    return _octets().decode().encode("utf-16-be")


@attack(errors.MalformedMessage, "utf8-only")
def utf32() -> bytes:
    return _octets().decode().encode("utf-32")


@attack(errors.MalformedMessage, "utf8-only")
def utf16_declared_over_utf8() -> bytes:
    return b'<?xml version="1.0" encoding="UTF-16"?>' + _octets()


@attack(errors.MalformedMessage, "utf8-only")
def ebcdic_declared() -> bytes:
    return b"<?xml version='1.0' encoding='IBM037'?>" + _octets()


@attack(errors.MalformedMessage, "utf8-only")
def an_overlong_sequence() -> bytes:
    return _octets().replace(b">Mei<", b">M\xc1\xa5i<")


@attack(errors.MalformedMessage, "utf8-only")
def half_a_sequence() -> bytes:
    return _octets().replace(b">Mei<", b">Me\xc3<")


@attack(errors.MalformedMessage, "utf8-only")
def a_surrogate() -> bytes:
    return _octets().replace(b">Mei<", b">\xed\xa0\xbd\xed\xb0\x80<")


@attack(errors.MalformedMessage)
def a_nul_as_a_character_reference() -> bytes:
    return swap(_octets(), ">Mei<", ">Me&#0;i<")


@attack(errors.MalformedMessage)
def a_control_character() -> bytes:
    return swap(_octets(), ">Mei<", ">Me\x01i<")


@attack(errors.MalformedMessage)
def two_byte_order_marks() -> bytes:
    return b"\xef\xbb\xbf\xef\xbb\xbf" + _octets()


@attack(errors.MalformedMessage)
def a_declaration_that_does_not_come_first() -> bytes:
    return b' <?xml version="1.0"?>' + _octets()


@attack(errors.MalformedMessage, "xml-1.0")
def xml_1_1() -> bytes:
    return b'<?xml version="1.1" encoding="UTF-8"?>' + _octets()


@attack(errors.MalformedMessage, "xml-1.0")
def xml_of_a_version_to_come() -> bytes:
    return b"\xef\xbb\xbf<?xml\tversion = '1.9'?>" + _octets()


@attack(errors.MalformedMessage, "no-instructions")
def a_stylesheet_of_the_document() -> bytes:
    return f'<?xml-stylesheet type="text/xsl" href="http://{CANARY}/x.xsl"?>'.encode() + _octets()


@attack(errors.MalformedMessage, "no-instructions")
def an_instruction_between_elements() -> bytes:
    return swap(_octets(), "<samlp:Status>", "<?php echo 1 ?><samlp:Status>")


@attack(errors.MalformedMessage)
def base64_of_base64() -> bytes:
    return base64.b64encode(_octets())


@attack(errors.MalformedMessage)
def gzip_as_for_no_binding() -> bytes:
    return b"\x1f\x8b\x08\x00" + _octets()


def _base64(change: str) -> dict[str, str]:
    octets = _octets()
    octets += b" " * ((1 - len(octets)) % 3)  # so that it ends in ==
    written = base64.b64encode(octets).decode()
    assert written.endswith("==")
    return {
        "without padding": {"SAMLResponse": written.rstrip("=")},
        "too much padding": {"SAMLResponse": written + "="},
        "a line of junk": {"SAMLResponse": f"{written[:64]}\n-----BEGIN-----\n{written[64:]}"},
        "a NUL": {"SAMLResponse": written[:64] + "\x00" + written[64:]},
        "spaces for plus signs": {"SAMLResponse": written[:64] + " " + written[64:]},
        "loose bits in the last character": {"SAMLResponse": written[:-3] + chr(ord(written[-3]) + 1) + "=="},
        "of the url alphabet": {"SAMLResponse": written[:64] + "-_" + written[66:]},
        "percent-encoded once more": {"SAMLResponse": written.replace("=", "%3D")},
        "a letter beyond ASCII": {"SAMLResponse": written[:64] + "\uff21" + written[65:]},
    }[change]


def _base64_attacks() -> None:
    changes = (
        *("without padding", "too much padding", "a line of junk", "a NUL", "spaces for plus signs"),
        *("loose bits in the last character", "of the url alphabet", "percent-encoded once more"),
        "a letter beyond ASCII",
    )
    for change in changes:

        def make(change: str = change) -> dict[str, str]:
            return _base64(change)

        make.__name__ = f"base64: {change}"
        attack(errors.MalformedMessage, "strict-base64")(make)


_base64_attacks()

# -- Schemas ---------------------------------------------------------------------------------------------------------


@attack(errors.MalformedMessage, "no-schema-hints")
def a_schema_from_elsewhere() -> bytes:
    hint = f'xmlns:xsi="{_XSI}" xsi:schemaLocation="{NS["saml"]} http://{CANARY}/x.xsd"'
    return swap(_octets(), "<samlp:Response ", f"<samlp:Response {hint} ")


@attack(errors.MalformedMessage, "no-schema-hints")
def a_schema_without_a_namespace_from_elsewhere() -> bytes:
    hint = f'xmlns:xsi="{_XSI}" xsi:noNamespaceSchemaLocation="file:///dev/zero"'
    return swap(_octets(), "<samlp:Response ", f"<samlp:Response {hint} ")


@attack(errors.MalformedMessage, "no-schema-hints")
def a_type_for_the_response() -> bytes:
    hint = f'xmlns:xsi="{_XSI}" xsi:type="samlp:ResponseType"'
    return swap(_octets(), "<samlp:Response ", f"<samlp:Response {hint} ")


@attack(errors.MalformedMessage, "no-schema-hints")
def an_authentication_by_the_type_of_a_bare_statement() -> Element:
    statement = (
        f'<saml:Statement xmlns:xsi="{_XSI}" xsi:type="saml:AuthnStatementType" AuthnInstant="2026-11-21T10:57:00Z">'
        "<saml:AuthnContext><saml:AuthnContextDeclRef>urn:x</saml:AuthnContextDeclRef></saml:AuthnContext>"
        "</saml:Statement>"
    )
    return respond(KICKS, answer(authenticated=None, more_statements=statement))


@attack(errors.BadSignature)
def a_type_that_the_value_is_not_of() -> bytes:
    """Put in by a stranger. What the IdP itself says of a value's type is put up with (`test_vendors.py`)."""
    return swap(
        etree.tostring(signed_for_mei()),
        "<saml:AttributeValue>eng<",
        f'<saml:AttributeValue xmlns:xsi="{_XSI}" xmlns:xs="{_XS}" xsi:type="xs:integer">eng<',
    )


@attack(errors.MalformedMessage, "fits-schema")
def a_type_that_nobody_declared_where_types_are_declared() -> Element:
    typed = f'xmlns:xsi="{_XSI}" xmlns:x="urn:x" xsi:type="x:y" Recipient="{BRIDGE.acs_url}"'
    more = confirmation(Recipient=BRIDGE.acs_url).replace(f'Recipient="{BRIDGE.acs_url}"', typed)
    return respond(KICKS, answer(more_confirmations=more))


@attack(errors.MalformedMessage, "fits-schema")
def a_value_of_a_type_in_a_message_that_does_not_fit() -> Element:
    typed = f'<saml:AttributeValue xmlns:xsi="{_XSI}" xmlns:x="urn:x" xsi:type="x:y">ops</saml:AttributeValue>'
    more = f'<saml:Attribute Name="x">{typed}</saml:Attribute><z/>'
    return respond(KICKS, answer(more_statements=f"<saml:AttributeStatement>{more}</saml:AttributeStatement>"))


@attack(errors.MalformedMessage, "fits-schema")
def an_included_file() -> bytes:
    include = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/hostname" parse="text"/>'
    return swap(_octets(), "<samlp:Status>", f"{include}<samlp:Status>")


@attack(errors.BadSignature)
def an_included_file_in_a_value() -> bytes:
    include = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/hostname" parse="text"/>'
    return swap(_octets(), ">Mei<", f">{include}<")


# -- Counts ----------------------------------------------------------------------------------------------------------


@attack(errors.TooLarge, "bounded")
def ten_thousand_groups() -> Element:
    return respond(KICKS, answer(attributes={"groups": tuple(f"g{n}" for n in range(10_000))}))


@attack(errors.TooLarge, "bounded")
def ten_thousand_attributes() -> Element:
    return respond(KICKS, answer(attributes={f"a{n}": () for n in range(10_000)}))


@attack(errors.DecryptionFailed)
def ten_thousand_groups_inside_the_encrypted_assertion() -> Element:
    return respond(KICKS, answer(attributes={"groups": tuple(f"g{n}" for n in range(10_000))}), encrypted="AES256_GCM")


@attack(errors.NotOneAssertion, "one-assertion")
def five_thousand_assertions() -> bytes:
    many = "".join(f'<saml:Assertion ID="a{n}"/>' for n in range(5000))
    return swap(_octets(), "</samlp:Response>", f"{many}</samlp:Response>")


@attack(errors.ForbiddenSignature, "signatures-in-place")
def five_thousand_signatures() -> bytes:
    return swap(_octets(), "<samlp:Status>", f'<ds:Signature xmlns:ds="{NS["ds"]}"/>' * 5000 + "<samlp:Status>")


# -- What the IdP says, in each way of signing ------------------------------------------------------------------------


says(
    errors.NeverValid,
    "times-leave-room",
    "a validity that skew alone would open",
    not_before="2026-11-21T10:58:30Z",
    not_on_or_after="2026-11-21T10:57:30Z",
)
says(
    errors.NeverValid,
    "times-leave-room",
    "a validity of no time",
    not_before="2026-11-21T10:58:00Z",
    not_on_or_after="2026-11-21T10:58:00Z",
)
says(
    errors.NeverValid,
    "times-leave-room",
    "a delivery that skew alone would open",
    confirmation_not_before="2026-11-21T10:58:30Z",
    confirmation_not_on_or_after="2026-11-21T10:57:30Z",
)
says(errors.UnusableSessionIndex, "session-index-can-be-kept", "an endless session index", session_index="s" * 1025)
says(
    errors.UnusableSessionIndex,
    "session-index-can-be-kept",
    "a session index that turns round",
    session_index="a\u202e",
)
says(errors.MissingSubject, "subject-is-named", "a name that turns round", name_id="mei\u202e@kicks.example")
says(errors.MissingSubject, "subject-is-named", "a name in two lines", name_id="mei\n@kicks.example")
says(errors.WrongVersion, "version-is-2", "SAML 3.0", version="3.0")
says(errors.WrongVersion, "version-is-2", "SAML 2.0 and more", version="2.0 ")
says(errors.WrongIssuer, "assertion-issuer-is-the-idp", "an issuer in capitals", issuer=KICKS.entity_id.upper())
says(errors.WrongIssuer, "assertion-issuer-is-the-idp", "an issuer with a slash more", issuer=KICKS.entity_id + "/")
says(errors.WrongIssuer, "assertion-issuer-is-the-idp", "an empty issuer", issuer="")
says(errors.WrongDestination, "destination-is-ours", "a destination in capitals", destination=BRIDGE.acs_url.upper())
says(errors.WrongDestination, "destination-is-ours", "a destination with a query", destination=BRIDGE.acs_url + "?a=b")
says(
    errors.WrongDestination,
    "destination-is-ours",
    "a destination by plain http",
    destination=BRIDGE.acs_url.replace("https", "http"),
)
says(errors.WrongDestination, "destination-is-ours", "a shorter destination", destination="https://bridge.example/")
says(errors.WrongRecipient, "recipient-is-ours", "a longer recipient", recipient=BRIDGE.acs_url + "/x")
says(errors.WrongRecipient, "recipient-is-ours", "an empty recipient", recipient="")
says(errors.WrongAudience, "audience-is-ours", "an empty audience", audiences=(("",),))
says(errors.WrongAudience, "audience-is-ours", "an audience in capitals", audiences=((BRIDGE.entity_id.upper(),),))
says(errors.WrongAudience, "audience-is-ours", "the beginning of our name", audiences=((BRIDGE.entity_id[:-1],),))
says(
    errors.WrongAudience,
    "audience-is-ours",
    "us and another in one audience",
    audiences=((f"{BRIDGE.entity_id} https://evil.example",),),
)
says(
    errors.NotConfirmed,
    "subject-is-confirmed-for-bearer",
    "a sender who vouches",
    method="urn:oasis:names:tc:SAML:2.0:cm:sender-vouches",
)
says(
    errors.Expired,
    "confirmation-has-not-expired",
    "ended to the second, skew and all",
    confirmation_not_on_or_after="2026-11-21T10:57:00Z",
)
says(
    errors.Expired,
    "conditions-have-not-expired",
    "over to the second, skew and all",
    not_on_or_after="2026-11-21T10:57:00Z",
)
says(
    errors.NotYetValid,
    "conditions-are-valid-already",
    "a moment too early, skew and all",
    not_before="2026-11-21T10:59:00.000001Z",
)
says(errors.MalformedMessage, "fits-schema", "a day that isn't", not_on_or_after="2026-02-30T00:00:00Z")
says(errors.MalformedMessage, "fits-schema", "a time that is a word", not_on_or_after="tomorrow")
says(errors.MalformedMessage, "fits-schema", "an empty time", not_on_or_after="")
says(errors.MalformedMessage, "fits-schema", "a request that is no name", in_response_to="1 2")
says(
    errors.IdpSaidNo,
    "status-is-success",
    "a success that failed inside",
    inner_status="urn:oasis:names:tc:SAML:2.0:status:AuthnFailed",
)
says(
    errors.IdpSaidNo, "status-is-success", "a success in capitals", status="URN:OASIS:NAMES:TC:SAML:2.0:STATUS:SUCCESS"
)
says(errors.IdpSaidNo, "status-is-success", "a success of SAML 1.1", status="samlp:Success")


@attack(errors.WrongRecipient, "recipient-is-ours")
def only_a_confirmation_of_another_method_is_ours() -> Element:
    """The right recipient in a confirmation that doesn't count, the wrong one in the bearer's."""
    more = confirmation(Recipient=BRIDGE.acs_url).replace("cm:bearer", "cm:sender-vouches")
    return respond(KICKS, answer(recipient="https://evil.example/acs", more_confirmations=more))


@attack(errors.Expired, "confirmation-has-not-expired")
def a_second_confirmation_does_not_lend_its_time() -> Element:
    more = confirmation(
        Recipient="https://other.example/acs", NotOnOrAfter="2026-11-21T12:00:00Z", InResponseTo="_request1"
    )
    return respond(KICKS, answer(confirmation_not_on_or_after="2026-11-21T10:00:00Z", more_confirmations=more))


@attack(errors.Expired, "confirmation-has-not-expired")
def two_confirmations_each_good_by_half_in_time() -> Element:
    """Ours is over, the other's time is for somebody else; neither holds as a whole."""
    other = {"Recipient": "https://other.example/acs", "InResponseTo": "_request1"}
    over = {"Recipient": BRIDGE.acs_url, "InResponseTo": "_request1", "NotOnOrAfter": "2026-11-21T10:00:00Z"}
    more = confirmation(**over) + confirmation(**other, NotOnOrAfter="2026-11-21T12:00:00Z")
    return respond(KICKS, answer(confirmation_not_on_or_after="2026-11-21T10:01:00Z", more_confirmations=more))


@attack(errors.InResponseToMismatch, "request-is-one")
def two_confirmations_each_good_by_half_in_the_request() -> Element:
    """The one for us answers another request, the one of this request is for somebody else."""
    more = confirmation(
        Recipient="https://other.example/acs", NotOnOrAfter="2026-11-21T12:00:00Z", InResponseTo="_request1"
    )
    return respond(KICKS, answer(confirmation_in_response_to="_request2", more_confirmations=more))


@attack(errors.Unsolicited, "request-was-made")
def the_answered_request_cut_off_where_one_confirmation_names_none() -> Element:
    """Unsigned, the response says what it likes: it chooses among confirmations, and none may come unasked."""
    more = confirmation(Recipient=BRIDGE.acs_url, NotOnOrAfter="2026-11-21T11:03:00Z")
    return respond(KICKS, answer(in_response_to=None, more_confirmations=more))


@attack(errors.WrongRecipient, "recipient-is-ours")
def many_confirmations_none_of_them_for_us() -> Element:
    """A first for each other service provider of the company."""
    more = "".join(
        confirmation(
            Recipient=f"https://{n}.example/acs", NotOnOrAfter="2026-11-21T12:00:00Z", InResponseTo="_request1"
        )
        for n in range(500)
    )
    return respond(KICKS, answer(recipient="https://evil.example/acs", more_confirmations=more))


@attack(errors.UnknownCondition, "conditions-are-understood")
def no_conditions() -> Element:
    root = respond(KICKS, answer(), signed="nothing")
    assertion = assertion_of(root)
    assertion.remove(found(assertion, "saml:Conditions"))
    sign(assertion, KICKS.key)
    return reparsed(root)


@attack(errors.WrongDestination, "destination-is-ours")
def unsolicited_and_not_for_us() -> Element:
    return respond(
        KICKS,
        answer(in_response_to=None, confirmation_in_response_to=None, destination="https://evil.example/acs", now=NOW),
    )


@attack(errors.ForbiddenEncryption, "encryption-in-place")
def an_encrypted_attribute() -> Element:
    root = respond(KICKS, answer(), signed="nothing")
    statement = found(root, ".//saml:AttributeStatement")
    around = made(statement, "saml:EncryptedAttribute")
    around.append(found(encrypted(), ".//xenc:EncryptedData"))
    sign(assertion_of(root), KICKS.key)
    return reparsed(root)


@attack(errors.ForbiddenEncryption, "ciphertext-is-here")
def a_retrieval_method_with_a_transform() -> Element:
    root = encrypted()
    info = found(root, ".//xenc:EncryptedData/ds:KeyInfo")
    method = made(info, "ds:RetrievalMethod", URI="#_key")
    made(method, "ds:Transforms")
    return root


@attack(errors.DecryptionFailed)
def encrypted_for_us_by_whoever_has_our_certificate() -> Element:
    root = respond(KICKS, answer(name_id="mallory@evil.example"), signed="nothing")
    sign(assertion_of(root), "mallory")
    encrypt(root, BRIDGE, "AES256")
    return root
