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
from saml.certificates import certificate_facts
from saml.encrypted_name import open_name
from saml.encryption import decrypt
from saml.errors import DecryptionFailed, MalformedMessage, MissingResponse, NoCertificate, NotSigned, Refused
from saml.gate import GATE, Item, Stage
from saml.identity_provider import IdentityProvider
from saml.markup import NAMESPACES, UNSPECIFIED, Element, children, parse, text
from saml.rules import RULES, Proof, Rule, check_all, instant
from saml.service_provider import ServiceProvider
from saml.witness import NOBODY, Witness

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
    witness: Witness = NOBODY,
) -> Assertion:
    """The verified assertion in a form's SAMLResponse (SAML Profiles 4.1.4.3, SAML Bindings 3.5).

    `now` is an aware datetime. `gate` and `rules` are the tables to apply: all of them, but in tests. `witness`
    hears what the message has passed, and changes nothing. Raises a `Refused`, one class a reason; no input raises
    anything else.
    """
    if not idp.certificates:
        raise NoCertificate
    encoded = form.get("SAMLResponse")
    if not encoded:
        raise MissingResponse
    response = gates.admit(encoded, gate)
    witness.see(response)
    witness.note("shape", f"{len(encoded):,} characters; a SAML response that hides nothing.")
    assertion = _verified(response, idp, sp, gate, witness)
    for subject in children(assertion, "saml:Subject"):
        if open_name(subject, sp.private_keys):
            witness.note("opened", "The name identifier was encrypted for one of our certificates.")
    proof = Proof(response, assertion, idp, sp, now, allow_unsolicited)
    check_all(rules, proof, witness)
    return _read(proof)


def _verified(
    response: Element, idp: IdentityProvider, sp: ServiceProvider, gate: tuple[Item, ...], witness: Witness
) -> Element:
    """The one assertion, read from what a good signature covers."""
    if _is_signed(response):
        _verify(response, idp, witness)
    if children(response, "saml:EncryptedAssertion"):
        return _opened(response, idp, sp, gate, witness)
    toolkit.check_signed_elements(response, None)
    return _covered(response, idp, witness)


def _verify(element: Element, idp: IdentityProvider, witness: Witness) -> None:
    method = children(element, "ds:Signature/ds:SignedInfo/ds:SignatureMethod")[0].get("Algorithm", "")
    facts = certificate_facts(toolkit.verify(element, idp.certificates))
    signed = etree.QName(element).localname
    by = f"certificate {facts.sha256[:23]}…, valid until {facts.not_after:%Y-%m-%d}"
    witness.note("signature", f"{signed} signed, {method.rpartition('#')[2]}, {by}.")


def _opened(
    response: Element, idp: IdentityProvider, sp: ServiceProvider, gate: tuple[Item, ...], witness: Witness
) -> Element:
    """`_verified` for an encrypted assertion: whatever is wrong with what was inside, one error."""
    octets = decrypt(children(response, "saml:EncryptedAssertion")[0], sp.private_keys)
    try:
        gates.check(octets, Stage.OCTETS, gate)
        opened = _with_clear_assertion(response, octets)
        gates.check(opened, Stage.TREE, gate)
        toolkit.check_signed_elements(response, opened)
        shown = deepcopy(opened)  # `_covered` takes the signature out
        covered = _covered(opened, idp, witness)
    except Refused:
        raise DecryptionFailed from None
    witness.see(shown)
    witness.note("opened", "The assertion was encrypted for one of our certificates.")
    return covered


def _with_clear_assertion(response: Element, octets: bytes) -> Element:
    """The response, written anew with the decrypted octets in the encrypted assertion's place (SAML Core
    2.3.4).

    Written, not moved from tree to tree: lxml would merge equal namespaces under one prefix, which breaks the
    signature inside. All namespaces in scope are declared, since the octets may lean on them (XML Encryption
    1.1, 4.4).
    """
    encrypted = children(response, "saml:EncryptedAssertion")[0]
    scope = {**encrypted.nsmap, "bridge": NAMESPACES["samlp"]}
    declared = [f"xmlns{f':{prefix}' if prefix else ''}={quoteattr(uri)}" for prefix, uri in scope.items()]
    said = {str(name): str(value) for name, value in response.items()}
    attributes = [f"{name}={quoteattr(value)}" for name, value in said.items() if not name.startswith("{")]
    start = f"<bridge:Response {' '.join(declared + attributes)}>"
    others = [
        etree.tostring(child, with_tail=False, encoding="unicode") for child in response if child is not encrypted
    ]
    return gates.parse_message("".join([start, *others]).encode() + octets + b"</bridge:Response>")


def _covered(response: Element, idp: IdentityProvider, witness: Witness) -> Element:
    """The assertion, covered by its own good signature or by that of the response, which is verified by now.

    It is read anew from its canonical form, without its signature: nothing of the tree around it comes along.
    The gate holds that a signature covers the whole element that it stands in, so this is a part of what was
    signed.
    """
    assertion = _demand(response.find("saml:Assertion", NAMESPACES))
    if _is_signed(assertion):
        _verify(assertion, idp, witness)
        assertion.remove(children(assertion, "ds:Signature")[0])
    elif not _is_signed(response):
        raise NotSigned
    try:
        return parse(etree.tostring(assertion, method="c14n", exclusive=True, with_comments=False))
    except (etree.LxmlError, ValueError):
        raise MalformedMessage from None


def _is_signed(element: Element) -> bool:
    return bool(children(element, "ds:Signature"))


def _read(proof: Proof) -> Assertion:
    name_id = _demand(proof.first("saml:Subject/saml:NameID"))
    statement = _demand(proof.first("saml:AuthnStatement"))
    return Assertion(
        id=proof.assertion.get("ID", ""),
        issued_at=_demand(instant(proof.assertion, "IssueInstant")),
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
    """The first instant at which the rules refuse this assertion by themselves, by the slowest clock: of several
    confirmations, the last that ends."""
    delivered = max(filter(None, (_end(one) for one in proof.bearer_confirmations())), default=None)
    end = min(_demand(delivered), _demand(instant(proof.first("saml:Conditions"), "NotOnOrAfter")))
    try:
        return end + timedelta(seconds=proof.sp.clock_skew)
    except OverflowError:  # in the year 9999
        return end


def _end(confirmation: Element) -> datetime | None:
    """None also where it is no time in UTC: such a confirmation never holds."""
    try:
        return instant(confirmation, "NotOnOrAfter")
    except MalformedMessage:
        return None


def _attributes(assertion: Element) -> Mapping[str, tuple[str, ...]]:
    """Values by attribute Name, in their order; an attribute that comes in several elements is one (SAML Core
    2.7.3.1)."""
    found: dict[str, list[str]] = {}
    for attribute in children(assertion, "saml:AttributeStatement/saml:Attribute"):
        values = (_value(value) for value in children(attribute, "saml:AttributeValue"))
        found.setdefault(attribute.get("Name", ""), []).extend(value for value in values if value)
    return MappingProxyType({name: tuple(values) for name, values in found.items()})


def _value(element: Element) -> str:
    """The text; "" where there are elements in it, since half a value is another value."""
    return "" if len(element) else text(element)
