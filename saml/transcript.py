"""A message as it may be kept and shown: indented, cut where it is long, and no longer of any use to a thief.

Left out are the values of signatures (without which nobody takes an assertion for one), ciphertexts, and attributes
whose name speaks of secrets. A certificate is shown by its fingerprint, so that one sees which it was. What can't be
read as XML is an excerpt. Nothing here is trusted, and nothing that is read here decides anything.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from copy import deepcopy
from hashlib import sha256

from lxml import etree

from saml.errors import Refused
from saml.gate import LARGEST_TEXT, bounded
from saml.markup import Element, parse, tag

LONGEST = 64_000
"""Characters that are kept of a message whose signature may be good."""
LONGEST_EXCERPT = 4_000
"""Characters that are kept of one that couldn't be read."""

_LOOKED_INTO = 8_000
_SPEAKS_OF_SECRETS = re.compile(
    r"passw|passphrase|secret|token|credential|authorization|apikey|privatekey|accesskey|bearer|cookie"
)
_TOKEN = re.compile(r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]*")
_RUN = re.compile(r"[A-Za-z0-9+/=_.-]{40,}")
_IN_RESPONSE_TO = re.compile(rb"""\sInResponseTo\s*=\s*["']([\x21-\x7e]{1,200}?)["']""")
_LEFT_OUT = (tag("ds:SignatureValue"), tag("xenc:CipherValue"))


def render(message: Element) -> str:
    """A message that was parsed, as text of at most `LONGEST` characters."""
    copied = deepcopy(message)
    for element in copied.iter(*_LEFT_OUT):
        _say(element, f"[left out: {_length(element):,} characters]")
    for element in copied.iter(tag("ds:X509Certificate")):
        _say(element, _fingerprint(element.text or ""))
    for element in _secret_values(copied):
        _say(element, "[blacked out]")
    etree.indent(copied)
    written = _TOKEN.sub("[left out: a token]", etree.tostring(copied, encoding="unicode"))
    return cut(written, LONGEST)


def read(encoded: str) -> str:
    """The same of a SAMLResponse as it came, whoever sent it; an excerpt where it can't be read."""
    if len(encoded) > LARGEST_TEXT:
        return excerpt(encoded)
    try:
        octets = base64.b64decode(encoded, validate=False)
        message = parse(octets) if b"<!DOCTYPE" not in octets and b"<!ENTITY" not in octets else None
        if message is None:
            return excerpt(encoded)
        bounded(message)
        return render(message)
    except (Refused, etree.LxmlError, binascii.Error, ValueError):
        return excerpt(encoded)


def excerpt(encoded: str) -> str:
    """The beginning of what came, decoded where that makes sense; long runs, which may be keys, are left out."""
    beginning = encoded[: _LOOKED_INTO * 2]
    shown = "".join(letter if letter.isprintable() or letter in "\n\t" else "?" for letter in _decoded(beginning))
    spared = _RUN.sub(lambda run: f"[left out: {len(run[0]):,} characters]", shown)
    if len(beginning) == len(encoded) and len(spared) <= LONGEST_EXCERPT:
        return spared
    return f"{spared[:LONGEST_EXCERPT]}\n… cut here: {len(encoded):,} characters came"


def _decoded(encoded: str) -> str:
    try:
        return base64.b64decode(encoded[: len(encoded) // 4 * 4], validate=False).decode()
    except (binascii.Error, ValueError):
        return encoded


def find_in_response_to(encoded: str) -> str | None:
    """The first InResponseTo near the beginning of a message that nobody has verified yet, None for none."""
    beginning = encoded[:_LOOKED_INTO]
    try:
        octets = base64.b64decode(beginning[: len(beginning) // 4 * 4], validate=False)
    except (binascii.Error, ValueError):
        return None
    found = _IN_RESPONSE_TO.search(octets)
    return found[1].decode("ascii") if found else None


def cut(text: str, most: int) -> str:
    """A text of at most so many characters, and a mark where it was longer."""
    return text if len(text) <= most else f"{text[:most]}\n… cut here: {len(text):,} characters"


def _secret_values(message: Element) -> Iterator[Element]:
    for attribute in message.iter(tag("saml:Attribute")):
        names = f"{attribute.get('Name', '')} {attribute.get('FriendlyName', '')}"
        if _SPEAKS_OF_SECRETS.search(re.sub(r"[^a-z]", "", names.lower())):
            yield from attribute.iter(tag("saml:AttributeValue"))


def _say(element: Element, words: str) -> None:
    for child in list(element):
        element.remove(child)
    element.text = words


def _length(element: Element) -> int:
    return len("".join((element.text or "").split()))


def _fingerprint(written: str) -> str:
    try:
        der = base64.b64decode("".join(written.split()), validate=True)
    except (binascii.Error, ValueError):
        return f"[left out: {len(written):,} characters that are no certificate]"
    return f"[certificate, SHA-256 fingerprint {sha256(der).digest().hex(':').upper()}]"
