"""Opening an EncryptedID (SAML Core 2.2.4), as a subject or a logout request may name a person.

Only after the signature around it has been verified: a stranger's ciphertext never meets our keys here. What it holds
is held to the schema, since the schema was asked before it was there; whatever is wrong with it is the one
`DecryptionFailed`, as with assertions.
"""

from xml.sax.saxutils import quoteattr

from saml import gate
from saml.encryption import decrypt
from saml.errors import DecryptionFailed, Refused
from saml.markup import Element, children, tag, text

_ATTRIBUTES = {"Format", "NameQualifier", "SPNameQualifier", "SPProvidedID"}


def open_name(owner: Element, private_keys: tuple[str, ...]) -> bool:
    """Put the NameID in the place of the saml:EncryptedID that `owner` has as a child. Returns whether there was one.

    Raises `DecryptionFailed`, whatever was wrong.
    """
    for hidden in children(owner, "saml:EncryptedID"):
        owner.replace(hidden, _opened(hidden, private_keys))
        return True
    return False


def _opened(hidden: Element, private_keys: tuple[str, ...]) -> Element:
    octets = decrypt(hidden, private_keys)
    try:
        gate.utf8_only(octets)
        gate.no_doctype(octets)
        around = gate.parse_message(_start(hidden) + octets + b"</bridge>")
        for check in (gate.bounded, gate.unbroken_text, gate.no_instructions, gate.no_schema_hints):
            check(around)
    except Refused:
        raise DecryptionFailed from None
    named = list(around)
    if len(named) != 1 or text(around) or (named[0].tail or "").strip() or not _is_name_id(named[0]):
        raise DecryptionFailed
    return named[0]


def _start(hidden: Element) -> bytes:
    """A start tag with all namespaces in scope: the octets may lean on them (XML Encryption 1.1, 4.4)."""
    spaces = [f"xmlns{f':{prefix}' if prefix else ''}={quoteattr(uri)}" for prefix, uri in hidden.nsmap.items()]
    return f"<bridge {' '.join(spaces)}>".encode()


def _is_name_id(element: Element) -> bool:
    """What the schema allows of one: text, and four attributes."""
    return element.tag == tag("saml:NameID") and not len(element) and _ATTRIBUTES.issuperset(element.keys())
