"""Single logout messages: good ones are read, bad ones refused for their own reason, and each check is needed."""

import base64
import dataclasses
import re
import zlib
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Any
from urllib.parse import parse_qs, quote, quote_plus, urlsplit

import pytest
import xmlsec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from onelogin.saml2.xml_utils import OneLogin_Saml2_XML

from saml import errors
from saml.bindings import QUERY, PostForm, QueryItem, RedirectTo, open_query
from saml.errors import Refused
from saml.gate import Item
from saml.logout import (
    COUNTS_FOR,
    GATE,
    RULES,
    LogoutRequest,
    LogoutResponse,
    Rule,
    SessionName,
    build_request,
    build_response,
)
from saml.markup import PERSISTENT, UNSPECIFIED
from tests.costs import bounded
from tests.saml.idp import BRIDGE, KICKS, NAME_ID, NOW, NS, PSS, hide, keys, self_signed
from tests.saml.logouts import (
    LOGOUT_ATTACKS,
    MEI,
    LogoutAttack,
    ecdsa,
    lower_case,
    posted,
    receive,
    redirected,
    request,
    response,
    thorough,
)

IDP = KICKS.trusted
BY_POST = dataclasses.replace(IDP, slo_by_post=True)
TABLES: dict[str, tuple[Any, ...]] = {"query": QUERY, "gate": GATE, "rules": RULES}
GUARDS = tuple(dict.fromkeys(guard.name for table in TABLES.values() for guard in table))
#: A second, independent check refuses the same with the same class.
HELD_TWICE = frozenset({"root-is-logout"})


# -- Received ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("send", [redirected, posted], ids=["by redirect", "by post"])
def test_a_signed_request_says_whose_sessions_end(send: Callable[[bytes], Any]) -> None:
    asked = receive(send(request(id="_l1", session_index=("_s1", "_s2"))))
    assert isinstance(asked, LogoutRequest)
    assert (asked.id, asked.name_id, asked.session_indexes) == ("_l1", MEI, ("_s1", "_s2"))
    assert asked.until == NOW + COUNTS_FOR + timedelta(seconds=BRIDGE.clock_skew)


def test_without_a_session_index_all_sessions_are_meant() -> None:
    asked = receive(redirected(request(session_index=())))
    assert isinstance(asked, LogoutRequest)
    assert asked.session_indexes == ()


def test_a_request_need_not_say_until_when_it_counts() -> None:
    """Most identity providers leave it out; the time it was made bounds it."""
    assert receive(redirected(request(not_on_or_after=None)))
    with pytest.raises(errors.Expired):
        receive(redirected(request(not_on_or_after=None)), now=NOW + COUNTS_FOR * 1.2)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({}, "success"),
        ({"status": "Responder", "inner": "PartialLogout"}, "partial"),
        ({"status": "Success", "inner": "PartialLogout"}, "partial"),
        ({"status": "PartialLogout"}, "partial"),
        ({"status": "Requester"}, "failed"),
    ],
)
@pytest.mark.parametrize("send", [redirected, posted], ids=["by redirect", "by post"])
def test_a_signed_response_says_what_came_of_it(send: Callable[..., Any], said: dict[str, str], status: str) -> None:
    told = receive(send(response("_r7", **said), field="SAMLResponse"))
    assert told == LogoutResponse("_r7", status)


@pytest.mark.parametrize("encode", [quote_plus, quote, lower_case, thorough])
def test_the_signature_is_over_the_characters_as_they_came(encode: Callable[[str], str]) -> None:
    """Percent-encoding has many spellings; decoded and encoded again, only one's signature would fit."""
    asked = receive(redirected(request(), relay_state="a b+c/ü&=~*", encode=encode))
    assert isinstance(asked, LogoutRequest)
    assert asked.relay_state == "a b+c/ü&=~*"


def test_lower_case_is_what_it_says() -> None:
    assert lower_case("A+B/c=") == "A%2bB%2fc%3d"


@pytest.mark.parametrize("algorithm", PSS)
def test_a_query_may_be_signed_by_pss(algorithm: str) -> None:
    assert receive(redirected(request(), algorithm=algorithm))
    with pytest.raises(errors.BadSignature):
        receive(redirected(request(), algorithm=algorithm, key="mallory"))


@pytest.mark.parametrize("send", [redirected, posted], ids=["by redirect", "by post"])
def test_an_encrypted_name_is_opened(send: Callable[[bytes], Any]) -> None:
    """SAML Core 2.2.4, 3.7.1."""
    named = NAME_ID.replace("<saml:NameID", f'<saml:NameID Format="{PERSISTENT}" NameQualifier="here"')
    asked = receive(send(request(name_id=None, inside=hide(named))))
    assert isinstance(asked, LogoutRequest)
    assert (asked.name_id, asked.name_id_format, asked.name_qualifier) == (MEI, PERSISTENT, "here")


def test_the_parameters_may_come_in_another_order_and_with_others() -> None:
    """SAML Bindings 3.4.4.1: what is signed has an order; the query hasn't."""
    parts = redirected(request(), relay_state="one").split(b"&")
    assert receive(b"&".join([b"idpid=C0", *reversed(parts)]))


def test_an_empty_relay_state_is_signed_as_it_came() -> None:
    assert receive(redirected(request(), relay_state=""))


def _side_by_side(der: bytes) -> bytes:
    return b"".join(number.to_bytes(32, "big") for number in decode_dss_signature(der))


@pytest.mark.parametrize("shape", [_side_by_side, bytes], ids=["as XML Signature", "as DER"])
def test_elliptic_curves_sign_queries_too(shape: Callable[[bytes], bytes]) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    idp = dataclasses.replace(IDP, certificates=(*IDP.certificates, self_signed(private)))
    assert receive(ecdsa(request(), private, shape), idp)
    with pytest.raises(errors.BadSignature):
        receive(ecdsa(request(), private, shape))


@pytest.mark.parametrize("bits", [256, 384, 512])
def test_any_certificate_of_the_connection_and_any_strong_hash_will_do(bits: int) -> None:
    algorithm = f"http://www.w3.org/2001/04/xmldsig-more#rsa-sha{bits}"
    idp = dataclasses.replace(IDP, certificates=(keys("other").certificate, *IDP.certificates))
    assert receive(redirected(request(), algorithm=algorithm), idp)


@pytest.mark.parametrize("send", [redirected, posted], ids=["by redirect", "by post"])
def test_a_connection_without_a_certificate_believes_nobody(send: Callable[[bytes], Any]) -> None:
    with pytest.raises(errors.NoCertificate):
        receive(send(request()), dataclasses.replace(IDP, certificates=()))


def test_without_a_logout_address_of_ours_nothing_is_addressed_to_it() -> None:
    with pytest.raises(errors.WrongLogoutDestination):
        receive(redirected(request(destination=None)), sp=dataclasses.replace(BRIDGE, slo_url=None))


def test_two_messages_in_a_form_or_none_are_refused() -> None:
    both = posted(request()) | posted(response(), field="SAMLResponse")
    for form in (both, {}, {"SAMLRequest": ""}):
        with pytest.raises(errors.MissingResponse):
            receive(form)


# -- Bad ones ----------------------------------------------------------------------------------------


def test_attacks_have_distinct_names() -> None:
    assert len({attack.name for attack in LOGOUT_ATTACKS}) == len(LOGOUT_ATTACKS)


@pytest.mark.parametrize("attack", LOGOUT_ATTACKS, ids=lambda attack: attack.name)
def test_refused_for_its_own_reason_in_bounded_time(attack: LogoutAttack) -> None:
    sent = attack.make()
    refused = bounded(lambda: refusal_of(sent), seconds=2)
    assert type(refused) is attack.refusal, refused
    assert refused.check == attack.check
    assert refused.text


def refusal_of(sent: dict[str, str]) -> Refused:
    with pytest.raises(Refused) as refused:
        receive(sent)
    return refused.value


def outcome(attack: LogoutAttack, off: str) -> tuple[str, str]:
    """(class, check) of the refusal with one guard off; ("accepted", "") without one."""
    tables = {name: tuple(guard for guard in table if guard.name != off) for name, table in TABLES.items()}
    try:
        receive(attack.make(), **tables)
    except Refused as refusal:
        return type(refusal).__name__, refusal.check
    return "accepted", ""


@cache
def _checks() -> tuple[tuple[LogoutAttack, str], ...]:
    return tuple((attack, outcome(attack, "")[1]) for attack in LOGOUT_ATTACKS)


@pytest.mark.parametrize("guard", GUARDS)
def test_without_it_something_bad_gets_further(guard: str) -> None:
    caught = [attack for attack, check in _checks() if check == guard]
    assert caught
    changed = {outcome(attack, guard)[0] for attack in caught} - {attack.refusal.__name__ for attack in caught}
    assert bool(changed) == (guard not in HELD_TWICE)


@pytest.mark.parametrize("guard", [*QUERY, *GATE, *RULES], ids=lambda guard: guard.name)
def test_each_says_what_it_holds(guard: Item | QueryItem | Rule) -> None:
    assert guard.check.__doc__
    assert isinstance(guard, Item) or guard.paragraph.startswith(("Core ", "Profiles ", "Bindings "))


@given(st.binary(max_size=300))
def test_any_query_is_read_or_refused(raw: bytes) -> None:
    with pytest.raises(Refused):
        receive(raw)


@given(st.data())
def test_any_one_character_changed_is_refused(data: st.DataObject) -> None:
    good = redirected(request(id="_l1"), relay_state="token")
    place = data.draw(st.integers(0, len(good) - 1))
    octet = data.draw(st.integers(0x21, 0x7E).filter(lambda one: one != good[place]))
    changed = good[:place] + bytes([octet]) + good[place + 1 :]
    try:
        receive(changed)
    except Refused:
        return
    # What a reader may spell otherwise: the hexadecimal digits of the signature itself, which is signed by nobody.
    assert changed.partition(b"&Signature=")[0] == good.partition(b"&Signature=")[0]


@given(st.dictionaries(st.sampled_from(["SAMLRequest", "SAMLResponse", "RelayState", "x"]), st.text(max_size=60)))
def test_any_form_is_read_or_refused(form: dict[str, str]) -> None:
    with pytest.raises(Refused):
        receive(form)


# -- Sent --------------------------------------------------------------------------------------------

WHOSE = SessionName(MEI, PERSISTENT, "https://idp.kicks.example/saml", BRIDGE.entity_id, "_session1")


def inflated(url: str, field: str) -> etree._Element:
    (packed,) = parse_qs(urlsplit(url).query)[field]
    return etree.fromstring(zlib.decompress(base64.b64decode(packed), -15))


def check_query(url: str) -> None:
    """Signed by us, as this package itself reads queries."""
    assert open_query(urlsplit(url).query.encode(), BRIDGE.certificates)


def test_our_request_names_the_session_as_the_identity_provider_did() -> None:
    sent = build_request(IDP, BRIDGE, "_r1", NOW, WHOSE)
    assert isinstance(sent, RedirectTo)
    check_query(sent.url)
    root = inflated(sent.url, "SAMLRequest")
    named = root.find("saml:NameID", NS)
    assert named is not None
    assert (named.text, dict(named.items())) == (
        MEI,
        {"Format": PERSISTENT, "NameQualifier": KICKS.entity_id, "SPNameQualifier": BRIDGE.entity_id},
    )
    assert root.findtext("samlp:SessionIndex", None, NS) == "_session1"
    assert (root.get("Destination"), root.get("NotOnOrAfter")) == (IDP.slo_url, "2026-11-21T11:08:00Z")
    assert root.findtext("saml:Issuer", None, NS) == BRIDGE.entity_id
    assert OneLogin_Saml2_XML.validate_xml(etree.tostring(root), "saml-schema-protocol-2.0.xsd") != "invalid_xml"


def test_what_the_identity_provider_left_out_is_left_out() -> None:
    sent = build_request(IDP, BRIDGE, "_r1", NOW, SessionName(MEI, UNSPECIFIED))
    assert isinstance(sent, RedirectTo)
    root = inflated(sent.url, "SAMLRequest")
    named = root.find("saml:NameID", NS)
    assert named is not None
    assert dict(named.items()) == {}
    assert root.find("samlp:SessionIndex", NS) is None


@pytest.mark.parametrize("what", ["request", "response"])
def test_by_post_it_is_signed_within_the_xml(what: str) -> None:
    asked = LogoutRequest("_l1", MEI, (), NOW, NOW, relay_state="their token")
    sent = (
        build_request(BY_POST, BRIDGE, "_r1", NOW, WHOSE)
        if what == "request"
        else build_response(BY_POST, BRIDGE, "_r1", NOW, asked)
    )
    assert isinstance(sent, PostForm)
    assert sent.url == IDP.slo_url
    assert sent.fields.get("RelayState") == ("their token" if what == "response" else None)
    root = etree.fromstring(base64.b64decode(sent.fields["SAMLRequest" if what == "request" else "SAMLResponse"]))
    xmlsec.tree.add_ids(root, ["ID"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(BRIDGE.certificates[0], xmlsec.KeyFormat.CERT_PEM)
    context.verify(root.find("ds:Signature", NS))
    assert OneLogin_Saml2_XML.validate_xml(etree.tostring(root), "saml-schema-protocol-2.0.xsd") != "invalid_xml"


@pytest.mark.parametrize(("status", "codes"), [("success", 1), ("partial", 2), ("failed", 1)])
def test_our_response_says_to_what_and_how_it_went(status: Any, codes: int) -> None:
    theirs = "a token of theirs that is longer than eighty characters " * 2
    asked = LogoutRequest("_l1", MEI, (), NOW, NOW, relay_state=theirs)
    sent = build_response(IDP, BRIDGE, "_r1", NOW, asked, status)
    assert isinstance(sent, RedirectTo)
    check_query(sent.url)
    root = inflated(sent.url, "SAMLResponse")
    assert (root.get("InResponseTo"), root.get("Destination")) == ("_l1", IDP.slo_url)
    assert len(list(root.iter(f"{{{NS['samlp']}}}StatusCode"))) == codes
    assert ("Success" in etree.tostring(root).decode()) == (status == "success")
    assert parse_qs(urlsplit(sent.url).query)["RelayState"] == [asked.relay_state]
    assert OneLogin_Saml2_XML.validate_xml(etree.tostring(root), "saml-schema-protocol-2.0.xsd") != "invalid_xml"


def test_answers_go_where_the_identity_provider_wants_them() -> None:
    elsewhere = dataclasses.replace(IDP, slo_answer_url="https://idp.kicks.example/slo/answers?x=1")
    sent = build_response(elsewhere, BRIDGE, "_r1", NOW, LogoutRequest("_l1", MEI, (), NOW, NOW))
    assert isinstance(sent, RedirectTo)
    assert sent.url.startswith("https://idp.kicks.example/slo/answers?x=1&SAMLResponse=")
    assert inflated(sent.url, "SAMLResponse").get("Destination") == elsewhere.slo_answer_url
    asked = build_request(elsewhere, BRIDGE, "_r1", NOW, WHOSE)
    assert isinstance(asked, RedirectTo)
    assert re.match(r"https://idp\.kicks\.example/slo\?SAMLRequest=", asked.url)


def test_logout_messages_are_signed_also_where_sign_in_requests_are_not() -> None:
    sent = build_request(IDP, dataclasses.replace(BRIDGE, sign_requests=False), "_r1", NOW, WHOSE)
    assert isinstance(sent, RedirectTo)
    check_query(sent.url)


def test_an_identity_provider_without_a_logout_address_gets_none() -> None:
    quiet = dataclasses.replace(IDP, slo_url=None)
    with pytest.raises(errors.InvalidRequest, match="no address for single logout"):
        build_request(quiet, BRIDGE, "_r1", NOW, WHOSE)


def test_what_is_ours_is_not_taken_for_theirs() -> None:
    """A message of ours sent back to us is no message of the identity provider's."""
    sent = build_request(IDP, BRIDGE, "_r1", NOW, WHOSE)
    assert isinstance(sent, RedirectTo)
    with pytest.raises(errors.BadSignature):
        receive(urlsplit(sent.url).query.encode())
