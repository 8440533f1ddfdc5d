"""`validate`: from a form that a browser POSTed to an `Assertion`, or a refusal with its reason.

Four steps, each of which sees only what the one before let through:

1. `saml.gate`: what no identity provider sends is refused before a library resolves, transforms or decrypts
anything; 2. `saml.encryption`: an encrypted assertion is opened, and the gate looks at the whole tree again;
3. `saml.toolkit`: python3-saml verifies every signature under the connection's certificates; 4. `saml.rules`:
our own checks, over an assertion read anew from the bytes that a signature covers.

Left to the flow, since only it has the rows: whether `in_response_to` is a pending request of this browser
and connection (`UnknownRequest`), and whether the assertion was used before (`Replayed`).
"""

from collections.abc import Mapping
from copy import deepcopy
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TypeVar
from xml.sax.saxutils import quoteattr

from lxml import etree

from saml import gate as gates
from saml import toolkit
from saml.assertion import SEAL, Assertion
from saml.encryption import decrypt
from saml.errors import DecryptionFailed, MalformedMessage, MissingResponse, NoCertificate, NotSigned, Refused
from saml.gate import GATE, Item, Stage
from saml.identity_provider import IdentityProvider
from saml.markup import NAMESPACES, UNSPECIFIED, Element, children, parse, tag, text
from saml.rules import RULES, Proof, Rule, instant
from saml.service_provider import ServiceProvider

Given = TypeVar("Given")


def validate(
    form: Mapping[str, str],
    idp: IdentityProvider,
    sp: ServiceProvider,
    now: datetime,
    *,
    allow_unsolicited: bool,
    gate: tuple[Item, ...] = GATE,
    rules: tuple[Rule, ...] = RULES,
) -> Assertion:
    """The verified assertion in a form's SAMLResponse (SAML Profiles 4.1.4.3, SAML Bindings 3.5).

    `now` is an aware datetime. `gate` and `rules` are the tables to apply: all of them, but in tests. Raises
    a `Refused`, one class a reason; no input raises anything else.
    """
    if not idp.certificates:
        raise NoCertificate
    encoded = form.get("SAMLResponse")
    if not encoded:
        raise MissingResponse
    response = gates.admit(encoded, gate)
    assertion = _verified(response, idp, sp, gate)
    proof = Proof(response, assertion, idp, sp, now, allow_unsolicited)
    for rule in rules:
        rule.check(proof)
    return _read(proof)


def _verified(response: Element, idp: IdentityProvider, sp: ServiceProvider, gate: tuple[Item, ...]) -> Element:
    """The one assertion, read from what a good signature covers."""
    encrypted = children(response, "saml:EncryptedAssertion")
    if encrypted:
        if children(response, "ds:Signature"):
            toolkit.verify_response(response, idp)  # ciphertext that the IdP signed gives a stranger no oracle
        return _opened(response, encrypted[0], idp, sp, gate)
    toolkit.verify(response, None, idp, sp)
    return _covered(response)


def _opened(
    response: Element, encrypted: Element, idp: IdentityProvider, sp: ServiceProvider, gate: tuple[Item, ...]
) -> Element:
    """`_verified` for an encrypted assertion. Until its signature is known to be good, one error for
    everything."""
    octets = decrypt(encrypted, sp.private_key_pem)
    try:
        gates.check(octets, Stage.OCTETS, gate)
        opened = _with_clear_assertion(response, octets)
        gates.check(opened, Stage.TREE, gate)
        toolkit.verify(response, opened, idp, sp)
        return _covered(opened)
    except Refused:
        raise DecryptionFailed from None


def _with_clear_assertion(response: Element, octets: bytes) -> Element:
    """A copy of the response with the decrypted assertion in the encrypted one's place (SAML Core 2.3.4).

    The octets may lean on namespaces that are declared around them (XML Encryption 4.3.3), so they are parsed
    inside an element that declares the same.
    """
    copy = deepcopy(response)
    encrypted = children(copy, "saml:EncryptedAssertion")[0]
    declared = (
        f"xmlns{':' if prefix else ''}{prefix or ''}={quoteattr(uri)}" for prefix, uri in encrypted.nsmap.items()
    )
    whole = gates.parse_message(f"<around {' '.join(declared)}>".encode() + octets + b"</around>")
    if [child.tag for child in whole] != [tag("saml:Assertion")]:
        raise MalformedMessage
    copy.replace(encrypted, whole[0])
    return copy


def _covered(response: Element) -> Element:
    """The assertion read anew from its canonical form, without its signature: nothing of the tree around it
    comes along.

    The gate holds that each signature covers the whole element that it stands in, so this is a part of what
    was signed.
    """
    assertion = children(response, "saml:Assertion")[0]
    signatures = children(assertion, "ds:Signature")
    if not signatures and not children(response, "ds:Signature"):
        raise NotSigned
    for signature in signatures:
        assertion.remove(signature)
    try:
        return parse(etree.tostring(assertion, method="c14n", exclusive=True, with_comments=False))
    except (etree.LxmlError, ValueError):
        raise MalformedMessage from None


def _read(proof: Proof) -> Assertion:
    name_id = _demand(proof.first("saml:Subject/saml:NameID"))
    statement = _demand(proof.first("saml:AuthnStatement"))
    return Assertion(
        id=proof.assertion.get("ID", ""),
        response_id=proof.response.get("ID", ""),
        issuer=proof.idp.entity_id,
        name_id=text(name_id),
        name_id_format=name_id.get("Format") or UNSPECIFIED,
        name_qualifier=name_id.get("NameQualifier"),
        sp_name_qualifier=name_id.get("SPNameQualifier"),
        session_index=statement.get("SessionIndex"),
        session_not_on_or_after=instant(statement, "SessionNotOnOrAfter"),
        authn_instant=_demand(instant(statement, "AuthnInstant")),
        authn_context=text(statement.find("saml:AuthnContext/saml:AuthnContextClassRef", NAMESPACES)) or None,
        in_response_to=_demand(proof.confirmation()).get("InResponseTo") or None,
        not_on_or_after=_remember_until(proof),
        attributes=_attributes(proof.assertion),
        seal=SEAL,
    )


def _demand(found: Given | None) -> Given:
    """What the rules have made sure of, unless one of them is switched off."""
    if found is None:
        raise MalformedMessage
    return found


def _remember_until(proof: Proof) -> datetime:
    """The first instant at which the rules refuse this assertion by themselves, by the slowest clock."""
    ends = [instant(proof.confirmation(), "NotOnOrAfter"), instant(proof.first("saml:Conditions"), "NotOnOrAfter")]
    end = min(_demand(one) for one in ends)
    try:
        return end + timedelta(seconds=proof.sp.clock_skew)
    except OverflowError:  # in the year 9999
        return end


def _attributes(assertion: Element) -> Mapping[str, tuple[str, ...]]:
    """Values by attribute Name, in their order; an attribute that comes in several elements is one (SAML Core
    2.7.3.1)."""
    found: dict[str, list[str]] = {}
    for attribute in children(assertion, "saml:AttributeStatement/saml:Attribute"):
        values = (text(value) for value in children(attribute, "saml:AttributeValue"))
        found.setdefault(attribute.get("Name", ""), []).extend(value for value in values if value)
    return MappingProxyType({name: tuple(values) for name, values in found.items()})
