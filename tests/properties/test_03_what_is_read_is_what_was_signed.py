"""3. What is read is what was signed (first form).

Identity, attributes, InResponseTo and SubjectConfirmation are taken from the verified bytes alone.

Beside: tests/saml/test_fuzz.py (anything changed anywhere: Mei or refused), test_attacks.py (each known attack by
name), test_guards.py (each rule switched off in turn), tests/web/test_saml_login.py (the same over HTTP).
"""

from contextlib import suppress
from copy import deepcopy
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from saml import attributes
from saml.attributes import PRESETS
from saml.errors import Refused
from saml.response import validate
from tests.saml.idp import BRIDGE, KICKS, NOW, NS, Signed, TestIdp, answer, keys, post, respond, sign_in

MALLORY = TestIdp(entity_id=KICKS.entity_id, base_url=KICKS.base_url, key="mallory")
TEXTS = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=30).map(str.strip)


def read(form: dict[str, str]) -> tuple[object, ...]:
    """Everything the product takes from a response."""
    proved = validate(form, KICKS.trusted, BRIDGE, NOW, allow_unsolicited=True)
    claims = attributes.read(proved, PRESETS["okta"])
    return claims, proved.in_response_to, proved.id, proved.name_id, proved.session_index


@given(subject=TEXTS.filter(bool), groups=st.lists(TEXTS.filter(bool), max_size=4, unique=True).map(tuple))
def test_what_the_idp_signed_is_read_letter_by_letter(subject: str, groups: tuple[str, ...]) -> None:
    claims = attributes.read(
        validate(
            sign_in(name_id=subject, groups=groups, signed="assertion"),
            KICKS.trusted,
            BRIDGE,
            NOW,
            allow_unsolicited=False,
        ),
        PRESETS["okta"],
    )
    assert (claims.subject, claims.groups) == (subject, groups)


@pytest.mark.parametrize("signed", ["assertion", "response", "both"])
@given(place=st.integers(0, 40), wrap=st.sampled_from(["before", "inside", "after"]), drop_signature=st.booleans())
def test_a_second_assertion_anywhere_changes_nothing_that_is_read(
    signed: Signed, place: int, wrap: str, drop_signature: bool
) -> None:
    """Signature wrapping in general: Mallory's own assertion, signed by Mallory or not, at every place of the tree."""
    good = respond(KICKS, answer(), signed=signed)
    forged = respond(MALLORY, answer(name_id="owner@kicks.example"), signed="assertion").find("saml:Assertion", NS)
    assert forged is not None
    if drop_signature:
        forged.remove(forged.find("ds:Signature", NS))  # type: ignore[arg-type]
    expected, elements = read(post(deepcopy(good))), list(good.iter())
    target = elements[place % len(elements)]
    if wrap == "inside" or target is good:
        target.append(forged)
    else:
        getattr(target, "addprevious" if wrap == "before" else "addnext")(forged)
    with suppress(Refused):
        assert read(post(good)) == expected


def test_what_stands_outside_of_the_signed_assertion_adds_nothing() -> None:
    good = respond(KICKS, answer(), signed="assertion")
    expected = read(post(deepcopy(good)))
    good.set("Consent", "urn:oasis:names:tc:SAML:2.0:consent:obtained")
    good.set("ID", "_another")
    assert read(post(good)) == expected


@pytest.mark.parametrize("signed", ["assertion", "response"])
def test_in_response_to_is_the_signed_one(signed: Signed) -> None:
    good = respond(KICKS, answer(in_response_to="_ours", confirmation_in_response_to="_ours"), signed=signed)
    good.set("InResponseTo", "_anothers")
    with pytest.raises(Refused):
        read(post(good))


def test_a_comment_inside_a_name_cuts_nothing_off() -> None:
    said = replace(answer(), name_id="owner@kicks.example.mallory.example")
    good = respond(KICKS, said)
    name = good.find(".//saml:NameID", NS)
    assert name is not None
    name.text = "owner@kicks.example"
    name.insert(0, comment := etree.Comment("x"))
    comment.tail = ".mallory.example"
    with suppress(Refused):
        assert read(post(good))[3] == "owner@kicks.example.mallory.example"


def test_mallory_has_a_key_of_their_own() -> None:
    assert keys("mallory") != keys(KICKS.key)
