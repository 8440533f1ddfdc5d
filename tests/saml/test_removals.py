"""A missing claim is a no (properties.md 2): of a good response, each element and each attribute is taken out in turn,
and each attribute and text set to something else, and the IdP signs the rest.

What may go, or be otherwise, is listed by name; whatever isn't listed is refused. So a part that comes new into the
response of `tests.saml.idp` is refused here until somebody decides.
"""

from copy import deepcopy
from functools import cache

import pytest
from lxml import etree

from saml.errors import Refused
from saml.response import validate
from tests.saml.idp import BRIDGE, KICKS, NOW, NS, Signed, answer, assertion_of, post, render, reparsed, sign

Element = etree._Element

#: Parts that the profile leaves open, and we do: their value isn't used, or its absence says less, not more.
MAY_GO = {
    "Assertion/AttributeStatement",
    "Assertion/AttributeStatement/Attribute",
    "Assertion/AttributeStatement/Attribute/AttributeValue",
    "Assertion/AuthnStatement/@SessionIndex",
    "Assertion/AuthnStatement/@SessionNotOnOrAfter",
    "Assertion/Conditions/@NotBefore",
    "Assertion/Subject/NameID/@Format",
    "Assertion/Subject/NameID/@SPNameQualifier",
    "Assertion/Subject/SubjectConfirmation/SubjectConfirmationData/@NotBefore",
}
#: Parts that may say anything of their kind: the name of something, or a claim that is the IdP's to make.
MAY_SAY = {
    "@ID",
    "Assertion/@ID",
    "Assertion/AttributeStatement/Attribute/@Name",
    "Assertion/AttributeStatement/Attribute/AttributeValue",
    "Assertion/AuthnStatement/@SessionIndex",
    "Assertion/Subject/NameID",
    "Assertion/Subject/NameID/@Format",
}
SOMETHING_ELSE = "_else"


@cache
def unsigned() -> bytes:
    """A good response with everything in it that may be there."""
    return render(
        answer(
            session_not_on_or_after="2026-11-21T18:00:00Z",
            confirmation_not_before="2026-11-21T10:50:00Z",
            sp_name_qualifier=BRIDGE.entity_id,
        )
    )


def path_of(element: Element) -> str:
    """The local names from below the root, without it."""
    above = [one for one in (element, *element.iterancestors()) if one.getparent() is not None]
    return "/".join(etree.QName(one).localname for one in reversed(above))


def places() -> list[tuple[int, str | None, str]]:
    """(number of the element, name of its attribute or None, path) of everything in the response but its root."""
    found: list[tuple[int, str | None, str]] = []
    for number, element in enumerate(etree.fromstring(unsigned()).iter()):
        path = path_of(element)
        found += [] if number == 0 else [(number, None, path)]
        found += [(number, str(name), f"{path}/@{name!s}".lstrip("/")) for name in element.attrib]
    return found


def taken_out(number: int, attribute: str | None) -> Element:
    """The response without that."""
    root = etree.fromstring(unsigned())
    element = list(root.iter())[number]
    if attribute is not None:
        del element.attrib[attribute]
    else:
        parent = element.getparent()
        assert parent is not None
        parent.remove(element)
    return root


def said_otherwise(number: int, attribute: str | None) -> Element | None:
    """The response with something else there; None where there is no text to change."""
    root = etree.fromstring(unsigned())
    element = list(root.iter())[number]
    if attribute is not None:
        element.set(attribute, SOMETHING_ELSE)
    elif (element.text or "").strip():
        element.text = SOMETHING_ELSE
    else:
        return None
    return root


def is_accepted(root: Element, signed: Signed) -> bool:
    """Whether it is, after the IdP signed what is left of it."""
    root = deepcopy(root)
    assertion = root.find("saml:Assertion", NS)
    if signed == "assertion" and assertion is not None and assertion.get("ID"):
        sign(assertion_of(root), KICKS.key)
    elif root.get("ID"):
        sign(root, KICKS.key)
    try:
        validate(post(reparsed(root)), KICKS.trusted, BRIDGE, NOW, allow_unsolicited=False)
    except Refused:
        return False
    return True


WAYS: tuple[Signed, ...] = ("assertion", "response")


@pytest.mark.parametrize("signed", WAYS)
def test_whole_it_is_accepted(signed: Signed) -> None:
    assert is_accepted(etree.fromstring(unsigned()), signed)


@pytest.mark.parametrize("signed", WAYS)
def test_what_is_absent_is_refused_unless_it_may_be(signed: Signed) -> None:
    accepted = {path for number, name, path in places() if is_accepted(taken_out(number, name), signed)}
    assert accepted == MAY_GO


@pytest.mark.parametrize("signed", WAYS)
def test_what_is_otherwise_is_refused_unless_it_may_be(signed: Signed) -> None:
    changed = ((path, said_otherwise(number, name)) for number, name, path in places())
    accepted = {path for path, root in changed if root is not None and is_accepted(root, signed)}
    assert accepted == MAY_SAY


@pytest.mark.parametrize("signed", ["assertion", "response", "both"])
def test_after_signing_nothing_of_it_may_be_taken_out_or_changed(signed: Signed) -> None:
    """But what no signature covers and nobody reads: in the envelope around a signed assertion, its own ID."""
    whole = etree.fromstring(unsigned())
    if signed in ("assertion", "both"):
        sign(assertion_of(whole), KICKS.key)
    if signed in ("response", "both"):
        sign(whole, KICKS.key)
    whole, let_through = reparsed(whole), set()
    for number, element in enumerate(whole.iter()):
        for name in element.attrib:
            changed = deepcopy(whole)
            list(changed.iter())[number].set(name, SOMETHING_ELSE)
            let_through |= {f"{path_of(element)}/@{name!s}"} if _passes(changed) else set()
    assert let_through == ({"/@ID"} if signed == "assertion" else set())


def _passes(root: Element) -> bool:
    try:
        validate(post(root), KICKS.trusted, BRIDGE, NOW, allow_unsolicited=True)
    except Refused:
        return False
    return True
