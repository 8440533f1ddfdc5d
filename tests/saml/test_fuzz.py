"""Whatever arrives, `validate` gives Mei's assertion or a `Refused`: no other error, and never anybody else."""

import base64
from contextlib import suppress
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from saml.errors import InvalidMetadata, Refused
from saml.identity_provider import parse_metadata
from saml.response import validate
from tests.saml.idp import BRIDGE, KICKS, NOW, answer, post, respond

KINDS = (("assertion", None), ("response", None), ("both", None), ("assertion", "AES256"), ("both", "AES128_GCM"))
FRAGMENTS = (
    b"<",
    b">",
    b'"',
    b"&#0;",
    b"&lt;",
    b"<!--",
    b"-->",
    b"<![CDATA[",
    b"]]>",
    b"<?x?>",
    b"\x00",
    b"\xff",
    b"xmlns:a",
    b"",
)


@cache
def good(kind: int) -> bytes:
    signed, encrypted = KINDS[kind]
    return etree.tostring(respond(KICKS, answer(), signed=signed, encrypted=encrypted))


def names_mei_or_refuses(form: dict[str, str]) -> None:
    with suppress(Refused):
        assertion = validate(form, KICKS.trusted, BRIDGE, NOW, allow_unsolicited=True)
        assert (assertion.name_id, assertion.attributes["email"]) == ("mei@kicks.example", ("mei@kicks.example",))


kinds = st.integers(0, len(KINDS) - 1)


@given(st.text())
def test_any_text(encoded: str) -> None:
    names_mei_or_refuses({"SAMLResponse": encoded})


@given(st.binary())
def test_any_octets(octets: bytes) -> None:
    names_mei_or_refuses({"SAMLResponse": base64.b64encode(octets).decode()})


@given(kinds, st.data())
@settings(deadline=None)
def test_a_good_response_with_octets_replaced(kind: int, data: st.DataObject) -> None:
    octets = good(kind)
    start = data.draw(st.integers(0, len(octets)))
    end = data.draw(st.integers(start, min(len(octets), start + 50)))
    new = data.draw(st.sampled_from(FRAGMENTS) | st.binary(max_size=8))
    names_mei_or_refuses(post(octets[:start] + new + octets[end:]))


@given(kinds, st.data())
@settings(deadline=None)
def test_a_good_response_with_elements_moved_copied_or_dropped(kind: int, data: st.DataObject) -> None:
    root = etree.fromstring(good(kind))
    for _ in range(data.draw(st.integers(1, 3))):
        elements = list(root.iter())[1:]
        chosen, target = (data.draw(st.sampled_from(elements)) for _ in range(2))
        copied = etree.fromstring(etree.tostring(chosen, with_tail=False))
        if data.draw(st.booleans()) and chosen.getparent() is not None:
            chosen.getparent().remove(chosen)
        target.insert(data.draw(st.integers(0, 3)), copied)
    names_mei_or_refuses(post(root))


@given(kinds, st.data())
@settings(deadline=None)
def test_a_good_response_with_an_attribute_changed(kind: int, data: st.DataObject) -> None:
    root = etree.fromstring(good(kind))
    element = data.draw(st.sampled_from([one for one in root.iter() if one.attrib]))
    name = data.draw(st.sampled_from(sorted(str(key) for key in element.attrib)))
    others = sorted({str(value) for one in root.iter() for value in one.attrib.values()})
    element.set(name, data.draw(st.sampled_from(["", "#", "x", *others])))
    names_mei_or_refuses(post(root))


@given(st.data())
def test_metadata_with_octets_replaced_is_read_or_refused(data: st.DataObject) -> None:
    octets = KICKS.metadata
    start = data.draw(st.integers(0, len(octets)))
    end = data.draw(st.integers(start, min(len(octets), start + 50)))
    changed = octets[:start] + data.draw(st.sampled_from(FRAGMENTS) | st.binary(max_size=8)) + octets[end:]
    with suppress(InvalidMetadata):
        assert parse_metadata(changed).certificates
