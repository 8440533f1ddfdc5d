"""Metadata that is held to a certificate is read from what a signature by that covers (SAML Metadata 3)."""

from collections.abc import Callable
from copy import deepcopy

import pytest
import xmlsec
from lxml import etree

from saml.errors import InvalidMetadata
from saml.identity_provider import parse_metadata
from tests.saml.idp import KICKS, NS, TestIdp, keys, reparsed, sign, signature_of

Element = etree._Element

MD = {"md": "urn:oasis:names:tc:SAML:2.0:metadata", **NS}
BOOTS = TestIdp(entity_id="https://idp.boots.example/saml", base_url="https://idp.boots.example", key="boots")
FEDERATION = (keys("federation").certificate,)


def described(idp: TestIdp = KICKS, identifier: str = "_kicks") -> Element:
    """An IdP's metadata, which can be signed."""
    root = etree.fromstring(idp.metadata)
    root.set("ID", identifier)
    return root


def together(*entities: Element) -> Element:
    """An aggregate."""
    root = etree.Element(f"{{{MD['md']}}}EntitiesDescriptor", nsmap={"md": MD["md"]})
    root.set("ID", "_all")
    root.extend(entities)
    return root


def signed(element: Element, key: str = "federation", **how: str) -> Element:
    sign(element, key, **how)
    return reparsed(element)


def read(root: Element, entity_id: str | None = None, signed_by: tuple[str, ...] = FEDERATION) -> str | None:
    """Where its people are sent to sign in."""
    return parse_metadata(etree.tostring(root), entity_id, signed_by=signed_by).sso_redirect_url


def test_what_is_signed_is_read() -> None:
    assert read(signed(described())) == "https://idp.kicks.example/sso/redirect"
    either = (keys("kicks").certificate, *FEDERATION)
    assert read(signed(described()), signed_by=either)


def test_without_a_certificate_metadata_is_read_signed_or_not() -> None:
    for root in (described(), signed(described()), signed(described(), "stranger")):
        assert read(root, signed_by=()) == "https://idp.kicks.example/sso/redirect"


def test_one_of_a_signed_aggregate_is_read() -> None:
    root = signed(together(described(), described(BOOTS, "_boots")))
    assert read(root, BOOTS.entity_id) == "https://idp.boots.example/sso/redirect"


def test_one_that_is_signed_in_an_aggregate_is_read() -> None:
    root = together(described(), described(BOOTS, "_boots"))
    sign(root[0], "federation")
    assert read(root, KICKS.entity_id) == "https://idp.kicks.example/sso/redirect"
    with pytest.raises(InvalidMetadata, match="isn't signed, and"):
        read(root, BOOTS.entity_id)


def moved(root: Element) -> Element:
    """The same, leading people to Mallory."""
    for service in root.iterfind(".//md:SingleSignOnService", MD):
        service.set("Location", "https://evil.example/sso")
    return root


BAD: dict[str, Callable[[], Element]] = {}


def bad(make: Callable[[], Element]) -> Callable[[], Element]:
    """Registers metadata that must be refused."""
    BAD[make.__name__] = make
    return make


@bad
def unsigned() -> Element:
    return described()


@bad
def signed_by_the_idp_itself() -> Element:
    return signed(described(), "kicks")


@bad
def signed_by_a_stranger_whose_certificate_is_in_it() -> Element:
    return signed(moved(described()), "stranger")


@bad
def changed_after_signing() -> Element:
    return moved(signed(described()))


@bad
def an_aggregate_changed_after_signing() -> Element:
    root = signed(together(described(), described(BOOTS, "_boots")))
    moved(root)
    return root


@bad
def signed_with_sha1() -> Element:
    return signed(described(), method="RSA_SHA1", digest="SHA1")


@bad
def signed_with_sha1_digests() -> Element:
    return signed(described(), digest="SHA1")


def wrapped(identifier: str) -> Element:
    """XSW: Boots is in the federation, too. What it signed for them rides along in an evil Kicks, whose signature it
    seems to be."""
    boots = signed(described(BOOTS, "_boots"))
    evil = moved(described(identifier=identifier))
    evil.insert(0, deepcopy(signature_of(boots)))
    boots.remove(signature_of(boots))
    etree.SubElement(evil, f"{{{MD['md']}}}Extensions").append(boots)
    return evil


@bad
def a_members_own_signature_around_another_member() -> Element:
    return wrapped("_kicks")


@bad
def the_same_with_one_id_for_both() -> Element:
    return wrapped("_boots")


@bad
def two_signatures() -> Element:
    """The second covers the first."""
    return signed(signed(described(), "stranger"))


@bad
def other_transforms() -> Element:
    """Good for xmlsec, and not what SAML allows (SAML Core 5.4.4)."""
    root = described()
    signature = xmlsec.template.create(root, xmlsec.Transform.EXCL_C14N, xmlsec.Transform.RSA_SHA256, ns="ds")
    root.insert(0, signature)
    reference = xmlsec.template.add_reference(signature, xmlsec.Transform.SHA256, uri="#_kicks")
    for transform in (xmlsec.Transform.ENVELOPED, xmlsec.Transform.C14N):
        xmlsec.template.add_transform(reference, transform)
    xmlsec.tree.add_ids(root, ["ID"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(keys("federation").private, xmlsec.KeyFormat.PEM)
    context.sign(signature)
    return reparsed(root)


@bad
def a_reference_to_the_whole_document() -> Element:
    root = signed(described())
    next(root.iter(f"{{{NS['ds']}}}Reference")).set("URI", "")
    return root


@bad
def a_transform_that_runs_code() -> Element:
    root = signed(described())
    next(root.iter(f"{{{NS['ds']}}}Transform")).set("Algorithm", "http://www.w3.org/TR/1999/REC-xslt-19991116")
    return root


@bad
def an_object_in_the_signature() -> Element:
    root = signed(described())
    etree.SubElement(signature_of(root), f"{{{NS['ds']}}}Object").append(described(BOOTS, "_boots"))
    return root


@bad
def a_key_to_be_fetched() -> Element:
    root = signed(described())
    info = next(signature_of(root).iter(f"{{{NS['ds']}}}KeyInfo"))
    etree.SubElement(info, f"{{{NS['ds']}}}RetrievalMethod", URI="http://127.0.0.1:9/key")
    return root


@bad
def a_signature_of_another_entity() -> Element:
    """Of two that are signed, one's signature was put into the other."""
    boots = signed(described(BOOTS, "_boots"))
    root = described()
    root.insert(0, deepcopy(signature_of(boots)))
    return root


@pytest.mark.parametrize("make", BAD.values(), ids=BAD)
def test_what_the_certificate_has_not_signed_is_refused(make: Callable[[], Element]) -> None:
    with pytest.raises(InvalidMetadata):
        read(make(), KICKS.entity_id)


def test_the_refusals_say_what_to_do() -> None:
    for make, said in ((unsigned, "take back the certificate"), (changed_after_signing, "has a new one")):
        with pytest.raises(InvalidMetadata, match=said):
            read(make())


def test_a_comment_cuts_no_value_short() -> None:
    root = described()
    certificate = next(root.iter(f"{{{NS['ds']}}}X509Certificate"))
    certificate.text, rest = (certificate.text or "")[:40], (certificate.text or "")[40:]
    certificate.append(etree.Comment("x"))
    certificate[0].tail = rest
    with pytest.raises(InvalidMetadata):
        read(signed(root))
