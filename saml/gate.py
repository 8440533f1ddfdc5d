"""The gate: what a message must be before any library that resolves references, transforms or decrypts sees
it.

python3-saml and xmlsec do what a message's own signature block tells them: run an XSLT stylesheet, open a
file that a Reference names, verify RSA-MD5. A stranger without any key can send such a message. So this table
of named items looks at it first, as text, as bytes, then as a tree, and refuses what no identity provider
sends. It reads nothing out of the message: what passes is still not trusted.

Each item is data: `admit(…, gate=…)` takes another table, so that the tests can switch each one off.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

from lxml import etree

from saml import algorithms, toolkit
from saml.errors import (
    DuplicateId,
    ForbiddenAlgorithm,
    ForbiddenDoctype,
    ForbiddenEncryption,
    ForbiddenSignature,
    IdpSaidNo,
    MalformedMessage,
    NotOneAssertion,
    Refused,
    SplitText,
    TooLarge,
)
from saml.markup import Element, children, finder, parse, reader, tag

LARGEST_TEXT = 1_000_000  # characters of base64; 600 groups in an encrypted assertion take 300,000
DEEPEST = 32
MOST_ELEMENTS = 20_000
MOST_ATTRIBUTES = 20_000
MOST_ATTRIBUTES_OF_ONE = 100  # canonicalization sorts them in quadratic time
MOST_SAID = 5_000  # attributes and their values: Entra ID sends 150 groups, a Windows token holds 1,024
MOST_COMMENTS = 50
MOST_NAMESPACES = 50  # in scope of one element: lxml copies them in quadratic time where it renders a part of a tree


class Stage(Enum):
    """What an item looks at."""

    TEXT = "the form's value, a str"
    OCTETS = "the decoded bytes"
    TREE = "the parsed tree, an Element; again after decryption"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that must hold; `check` raises a `Refused` when it doesn't."""

    name: str
    stage: Stage
    check: Callable[[Any], None]


# -- text -------------------------------------------------------------------------------------------------------------


def not_too_long(encoded: str) -> None:
    """A size cap before anything is decoded."""
    if len(encoded) > LARGEST_TEXT:
        raise TooLarge


def strict_base64(encoded: str) -> None:
    """RFC 4648 base64 in its one canonical spelling, broken by line ends only (SAML Bindings 3.5.4); white space around
    it is nothing."""
    joined = encoded.strip(" \t\r\n").replace("\r", "").replace("\n", "")
    try:
        octets = binascii.a2b_base64(joined)  # which skips what it doesn't know, so the other way back must agree
    except ValueError:
        raise MalformedMessage("The answer isn't base64.") from None
    if binascii.b2a_base64(octets, newline=False).decode() != joined:
        raise MalformedMessage("The answer isn't base64 in its canonical form.")


# -- octets -----------------------------------------------------------------------------------------------------------

_DECLARED_ENCODING = re.compile(rb"""\A(?:\xef\xbb\xbf)?<\?xml[^>]*?\sencoding\s*=\s*["']([^"'>]*)["']""")


def utf8_only(octets: bytes) -> None:
    """UTF-8, declared as nothing else: two parsers must not read two messages."""
    try:
        octets.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedMessage("The answer isn't UTF-8.") from None
    declared = _DECLARED_ENCODING.match(octets)
    if b"\x00" in octets or (declared and declared[1].lower() not in (b"utf-8", b"us-ascii")):
        raise MalformedMessage("The answer isn't UTF-8.")


def no_doctype(octets: bytes) -> None:
    """No document type declaration: no entities, no external subsets."""
    if b"<!DOCTYPE" in octets or b"<!ENTITY" in octets:
        raise ForbiddenDoctype


_DECLARED_VERSION = re.compile(rb"""\A(?:\xef\xbb\xbf)?<\?xml\s+version\s*=\s*["']([^"'>]*)["']""")


def xml_1_0(octets: bytes) -> None:
    """XML 1.0: by 1.1 other characters end a line and others are allowed, which readers know or don't."""
    declared = _DECLARED_VERSION.match(octets)
    if declared and declared[1] != b"1.0":
        raise MalformedMessage("The answer isn't XML 1.0.")


# -- tree: shape ------------------------------------------------------------------------------------------------------

_too_deep = reader("boolean(" + "/*" * (DEEPEST + 1) + ")")
_crowded = reader(f"boolean(//*[count(@*) > {MOST_ATTRIBUTES_OF_ONE}])")
_elements = reader("count(//*)")
_attributes = reader("count(//@*)")
_innermost = finder("//*[not(*)]")
_comments = reader("count(//comment() | //processing-instruction())")
_said = reader("count(//saml:Attribute | //saml:AttributeValue)")
_instructions = reader("boolean(//processing-instruction())")
_hints = reader(
    "boolean(//@xsi:schemaLocation | //@xsi:noNamespaceSchemaLocation"
    " | //@xsi:*[not(parent::saml:AttributeValue or parent::saml:Condition or parent::saml:SubjectConfirmationData)])"
)
_split_text = reader("boolean((//comment() | //processing-instruction())[../text()[normalize-space()]])")
_ids = reader("//@*[string-length(local-name()) = 2 and translate(local-name(), 'id', 'ID') = 'ID']")
_assertions = finder("//saml:Assertion | //saml:EncryptedAssertion")
_status = finder("/samlp:Response/samlp:Status/samlp:StatusCode")
_status_message = reader("string(/samlp:Response/samlp:Status/samlp:StatusMessage)")

_masks = finder("//xenc:EncryptedKey/xenc:EncryptionMethod/xenc11:MGF")
_typed = finder("//saml:AttributeValue[@xsi:type]")

_SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"


def root_is_response(root: Element) -> None:
    """The message is a samlp:Response (SAML Profiles 4.1.4.2)."""
    if root.tag != tag("samlp:Response"):
        raise MalformedMessage("The answer isn't a SAML response.")


def bounded(root: Element) -> None:
    """Caps on depth, elements, attributes, comments with processing instructions, namespaces, and what is said."""
    counted = ((_elements, MOST_ELEMENTS), (_comments, MOST_COMMENTS), (_said, MOST_SAID))
    if _too_deep(root) or any(count(root) > most for count, most in counted):
        raise TooLarge
    attributes = _attributes(root)
    if attributes > MOST_ATTRIBUTES or (attributes > MOST_ATTRIBUTES_OF_ONE and _crowded(root)):
        raise TooLarge
    # No element has more in scope than are declared in all; else the innermost have all that is around them. Without
    # XPath's namespace axis, which is itself quadratic.
    declared = etree.tostring(root).count(b"xmlns")
    if declared > MOST_NAMESPACES and any(len(element.nsmap) > MOST_NAMESPACES for element in _innermost(root)):
        raise TooLarge


def unbroken_text(root: Element) -> None:
    """No comment or processing instruction beside text: canonicalization drops it, and readers differ about
    the rest."""
    if _split_text(root):
        raise SplitText


def no_instructions(root: Element) -> None:
    """No processing instruction anywhere: they speak to programs, and no identity provider has anything to tell
    ours."""
    if _instructions(root):
        raise MalformedMessage("The answer has an XML processing instruction, which SAML messages never have.")


def no_schema_hints(root: Element) -> None:
    """No xsi:schemaLocation, and xsi:type only where SAML leaves the type open (SAML Core 2.4.1.3, 2.5.1, 2.7.3.1.1):
    a message doesn't choose the schema that it is held against."""
    if _hints(root):
        raise MalformedMessage("The answer says by which schema it should be read.")


def unique_ids(root: Element) -> None:
    """Every ID once, whatever its spelling or namespace, so that a Reference can mean one element only (SAML
    Core 1.3.4)."""
    found = _ids(root)
    if len(set(found)) != len(found):
        raise DuplicateId


def status_is_success(root: Element) -> None:
    """The top StatusCode is Success, and none inside it says why not (SAML Core 3.2.2.2).

    First of the tree's content, since such a response has no assertion to check. The status isn't signed
    then: it may refuse, and nothing else.
    """
    codes = _status(root)
    if len(codes) != 1:
        raise MalformedMessage("The answer has no status.")
    inner = children(codes[0], "samlp:StatusCode")
    if inner or codes[0].get("Value") != _SUCCESS:
        raise IdpSaidNo(
            ((inner or codes)[0].get("Value") or "").rpartition(":")[2], _status_message(root)[:500] or None
        )


def one_assertion(root: Element) -> None:
    """Exactly one assertion in the whole message, plain or encrypted, directly below the response."""
    found = _assertions(root)
    if len(found) != 1 or found[0].getparent() is not root:
        raise NotOneAssertion


def fits_schema(root: Element) -> None:
    """What saml-schema-protocol-2.0.xsd allows, in its order and number.

    Its part for encryption is of 2002 and doesn't know the MGF of XML Encryption 1.1, which Keycloak sends:
    not shown to it. Nor, where the message fails with them, are the types of attributes' values: an IdP may write types
    of its own, whose schema isn't here (SAML Core 2.7.3.1.1), and no value is read by its type.
    """
    shown = deepcopy(root) if _masks(root) else root
    for mask in _masks(shown):
        cast(Element, mask.getparent()).remove(mask)
    if not toolkit.fits_schema(shown) and not (_typed(shown) and toolkit.fits_schema(_untyped(shown))):
        raise MalformedMessage("The answer isn't what the SAML 2.0 schema allows.")


def _untyped(root: Element) -> Element:
    copy = deepcopy(root)
    for value in _typed(copy):
        del value.attrib[tag("xsi:type")]
    return copy


# -- tree: signatures -------------------------------------------------------------------------------------------------

_signatures = finder("//ds:Signature")
_key_info = finder("//ds:Signature/ds:KeyInfo/*")
_references = finder("ds:SignedInfo/ds:Reference")
_transforms = finder("//ds:Transform")
_unsigned_parts = finder("//ds:Signature/*[not(self::ds:SignedInfo or self::ds:SignatureValue or self::ds:KeyInfo)]")

_KEY_INFO = {tag("ds:X509Data"), tag("ds:KeyName"), tag("ds:KeyValue")}


def signatures_in_place(root: Element) -> None:
    """At most one signature on the response and one on the assertion, a direct child of what it signs (SAML
    Core 5.4.1)."""
    parents = [signature.getparent() for signature in _signatures(root)]
    allowed = [root, *children(root, "saml:Assertion")]
    if len(set(parents)) != len(parents) or not set(parents) <= set(allowed):
        raise ForbiddenSignature


def signatures_cover_their_parent(root: Element) -> None:
    """Exactly one Reference, by ID, to the element that the signature stands in (SAML Core 5.4.2)."""
    for signature in _signatures(root):
        references, owner = _references(signature), signature.getparent()
        covered = "" if owner is None else owner.get("ID", "")
        if len(references) != 1 or not covered or references[0].get("URI") != f"#{covered}":
            raise ForbiddenSignature


def nothing_beside_signatures(root: Element) -> None:
    """No ds:Object: nothing may ride in a signature that the signature doesn't cover."""
    if _unsigned_parts(root):
        raise ForbiddenSignature


def keys_are_not_fetched(root: Element) -> None:
    """KeyInfo has a certificate, a name or a value, all of them ignored; nothing that points elsewhere
    (RetrievalMethod)."""
    if any(element.tag not in _KEY_INFO for element in _key_info(root)):
        raise ForbiddenSignature


def transforms_allowed(root: Element) -> None:
    """Enveloped signature and exclusive canonicalization, no other transform (SAML Core 5.4.4): no XSLT, no
    XPath."""
    for transform in _transforms(root):
        parameters = [
            child for child in transform if child.tag != f"{{{algorithms.EXCLUSIVE_C14N}}}InclusiveNamespaces"
        ]
        if transform.get("Algorithm") not in algorithms.TRANSFORMS or parameters:
            raise ForbiddenAlgorithm
    if any(len(element) > 2 for element in root.iter(tag("ds:Transforms"))):
        raise ForbiddenAlgorithm


def signature_algorithms_allowed(root: Element) -> None:
    """RSA (PKCS #1 v1.5, PSS) or ECDSA; SHA-256, -384 or -512; no parameters (HMACOutputLength, RSAPSSParams). The
    block that is signed is canonicalized exclusively, or in the way that every reader of signatures has (SAML Core
    5.4.3)."""
    _only(root.iter(tag("ds:CanonicalizationMethod")), algorithms.BLOCK_CANONICALIZATIONS)
    _only(root.iter(tag("ds:SignatureMethod")), algorithms.SIGNATURES)
    signed = (digest for signature in _signatures(root) for digest in signature.iter(tag("ds:DigestMethod")))
    _only(signed, algorithms.DIGESTS)
    if any(len(element) for element in root.iter(tag("ds:SignatureMethod"))):
        raise ForbiddenAlgorithm


def _only(elements: Iterable[Element], allowed: frozenset[str]) -> None:
    if any(element.get("Algorithm") not in allowed for element in elements):
        raise ForbiddenAlgorithm


# -- tree: encryption -------------------------------------------------------------------------------------------------

_encrypted = finder("//xenc:EncryptedData")
_encrypted_elsewhere = finder(
    "//saml:EncryptedID[not(parent::saml:Subject)] | //saml:NewEncryptedID | //saml:EncryptedAttribute"
    " | //samlp:NewEncryptedID"
)
_pointers = finder("//xenc:CipherReference | //ds:RetrievalMethod/*")
_retrieved = finder("//ds:RetrievalMethod")
_keys = finder("//xenc:EncryptedKey")
_stray_keys = finder("//xenc:EncryptedKey[not(ancestor::saml:EncryptedAssertion or ancestor::saml:EncryptedID)]")

MOST_KEYS = 8  # one for each recipient of a message; each costs a private operation of RSA
_ENCRYPTION_METHOD = "xenc:EncryptionMethod"


def encryption_in_place(root: Element) -> None:
    """One EncryptedData, the assertion's or its subject's name, with one EncryptedKey or one for each of a few
    recipients (XML Encryption 1.1, 3.5.1). No encrypted attribute, no other encrypted name."""
    encrypted, keys = _encrypted(root), _keys(root)
    whole = children(root, "saml:EncryptedAssertion/xenc:EncryptedData")
    named = children(root, "saml:Assertion/saml:Subject/saml:EncryptedID/xenc:EncryptedData")
    if _encrypted_elsewhere(root) or encrypted != (whole or named) or _stray_keys(root):
        raise ForbiddenEncryption
    if len(encrypted) > 1 or bool(keys) != bool(encrypted) or len(keys) > MOST_KEYS:
        raise ForbiddenEncryption


def ciphertext_is_here(root: Element) -> None:
    """No CipherReference, and no RetrievalMethod but to a key of this document (XML Encryption 3.5.2): nothing is
    fetched, and nothing guessed."""
    there = {f"#{key.get('Id')}" for key in _keys(root)}
    if _pointers(root) or any(method.get("URI") not in there for method in _retrieved(root)):
        raise ForbiddenEncryption


def encryption_algorithms_allowed(root: Element) -> None:
    """AES by GCM or CBC under a key sent by RSA-OAEP; RSA PKCS #1 v1.5 is refused (Bleichenbacher)."""
    content = (child for element in _encrypted(root) for child in _methods(element))
    _only(content, frozenset(algorithms.AES_CBC | algorithms.AES_GCM))
    _only((child for element in _keys(root) for child in _methods(element)), algorithms.KEY_TRANSPORTS)


def _methods(element: Element) -> list[Element]:
    methods = children(element, _ENCRYPTION_METHOD)
    if len(methods) != 1:
        raise ForbiddenAlgorithm
    return methods


GATE: tuple[Item, ...] = (
    Item("not-too-long", Stage.TEXT, not_too_long),
    Item("strict-base64", Stage.TEXT, strict_base64),
    Item("utf8-only", Stage.OCTETS, utf8_only),
    Item("no-doctype", Stage.OCTETS, no_doctype),
    Item("xml-1.0", Stage.OCTETS, xml_1_0),
    Item("root-is-response", Stage.TREE, root_is_response),
    Item("bounded", Stage.TREE, bounded),
    Item("unbroken-text", Stage.TREE, unbroken_text),
    Item("no-instructions", Stage.TREE, no_instructions),
    Item("no-schema-hints", Stage.TREE, no_schema_hints),
    Item("unique-ids", Stage.TREE, unique_ids),
    Item("status-is-success", Stage.TREE, status_is_success),
    Item("one-assertion", Stage.TREE, one_assertion),
    Item("signatures-in-place", Stage.TREE, signatures_in_place),
    Item("signatures-cover-their-parent", Stage.TREE, signatures_cover_their_parent),
    Item("nothing-beside-signatures", Stage.TREE, nothing_beside_signatures),
    Item("keys-are-not-fetched", Stage.TREE, keys_are_not_fetched),
    Item("transforms-allowed", Stage.TREE, transforms_allowed),
    Item("signature-algorithms-allowed", Stage.TREE, signature_algorithms_allowed),
    Item("encryption-in-place", Stage.TREE, encryption_in_place),
    Item("ciphertext-is-here", Stage.TREE, ciphertext_is_here),
    Item("encryption-algorithms-allowed", Stage.TREE, encryption_algorithms_allowed),
    Item("fits-schema", Stage.TREE, fits_schema),
)


def admit(encoded: str, gate: tuple[Item, ...] = GATE) -> Element:
    """The tree of a SAMLResponse form value that passed every item. Raises a `Refused` naming the first that
    failed."""
    check(encoded, Stage.TEXT, gate)
    try:
        octets = base64.b64decode(encoded)
    except (binascii.Error, ValueError):
        raise MalformedMessage("The answer isn't base64.") from None
    check(octets, Stage.OCTETS, gate)
    root = parse_message(octets)
    check(root, Stage.TREE, gate)
    return root


def check(subject: str | bytes | Element, stage: Stage, gate: tuple[Item, ...] = GATE) -> None:
    """Every item of one stage; the first that doesn't hold raises its `Refused`, with `check` set to the
    item's name."""
    for item in gate:
        if item.stage is not stage:
            continue
        try:
            item.check(subject)
        except Refused as refusal:
            refusal.check = item.name
            raise


def parse_message(octets: bytes) -> Element:
    """`saml.markup.parse`, refusing what isn't well-formed XML."""
    try:
        return parse(octets)
    except (etree.XMLSyntaxError, ValueError):
        raise MalformedMessage("The answer isn't well-formed XML.") from None
