"""Good responses, in all the ways in which identity providers write them, give their assertion."""

import base64
import dataclasses
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import xmlsec
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from lxml import etree

from saml import errors
from saml.assertion import Assertion
from saml.markup import PERSISTENT, UNSPECIFIED
from saml.response import validate
from tests.saml.idp import (
    BRIDGE,
    KICKS,
    NAME_ID,
    NOW,
    NS,
    PSS,
    Signed,
    TestIdp,
    answer,
    bridge,
    confirmation,
    encrypt,
    hide,
    issue,
    keys,
    post,
    render,
    reparsed,
    respond,
    self_signed,
    sign,
    sign_in,
)

CIPHERS = ("AES128", "AES192", "AES256", "AES128_GCM", "AES192_GCM", "AES256_GCM")


def accept(response: etree._Element | bytes | dict[str, str], *, allow_unsolicited: bool = False) -> Assertion:
    """What the bridge makes of it."""
    form = response if isinstance(response, dict) else post(response)
    return validate(form, KICKS.trusted, BRIDGE, NOW, allow_unsolicited=allow_unsolicited)


@pytest.mark.parametrize("encrypted", [None, *CIPHERS])
@pytest.mark.parametrize("signed", ["assertion", "response", "both"])
def test_any_way_of_signing_and_encrypting_is_accepted(signed: Signed, encrypted: str | None) -> None:
    assertion = accept(respond(KICKS, answer(), signed=signed, encrypted=encrypted))
    assert assertion.name_id == "mei@kicks.example"
    assert assertion.attributes["groups"] == ("eng", "eng-mobile")


def test_an_assertion_says_what_the_identity_provider_said() -> None:
    said = answer(
        name_id="00u1",
        name_id_format=PERSISTENT,
        sp_name_qualifier=BRIDGE.entity_id,
        session_not_on_or_after=NOW + timedelta(hours=8),
        confirmation_not_on_or_after=NOW + timedelta(minutes=3),
    )
    assertion = accept(respond(KICKS, said))
    assert assertion.id == said.assertion_id
    assert assertion.response_id == said.response_id
    assert assertion.issuer == KICKS.entity_id
    assert assertion.name_id == "00u1"
    assert assertion.name_id_format == PERSISTENT
    assert (assertion.name_qualifier, assertion.sp_name_qualifier) == (None, BRIDGE.entity_id)
    assert assertion.session_index == "_session1"
    assert assertion.session_not_on_or_after == NOW + timedelta(hours=8)
    assert assertion.authn_instant == NOW - timedelta(minutes=1)
    assert assertion.authn_context == "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
    assert assertion.in_response_to == "_request1"
    assert assertion.attributes["email"] == ("mei@kicks.example",)


def test_it_is_remembered_until_the_slowest_clock_refuses_it() -> None:
    assertion = accept(respond(KICKS, answer(confirmation_not_on_or_after=NOW + timedelta(minutes=3))))
    form = sign_in(confirmation_not_on_or_after=NOW + timedelta(minutes=3))
    assert assertion.not_on_or_after == NOW + timedelta(minutes=3, seconds=BRIDGE.clock_skew)
    last = assertion.not_on_or_after - timedelta(seconds=1)
    validate(form, KICKS.trusted, BRIDGE, last, allow_unsolicited=False)
    with pytest.raises(errors.Expired):
        validate(form, KICKS.trusted, BRIDGE, assertion.not_on_or_after, allow_unsolicited=False)


def test_an_expiry_in_the_year_9999_is_remembered_until_then() -> None:
    end = "9999-12-31T23:59:59Z"
    assertion = accept(respond(KICKS, answer(not_on_or_after=end, confirmation_not_on_or_after=end)))
    assert assertion.not_on_or_after.year == 9999


def test_clock_skew_forgives_as_much_as_is_configured_and_no_more() -> None:
    early = respond(KICKS, answer(not_before=NOW + timedelta(seconds=BRIDGE.clock_skew)))
    assert accept(early).name_id
    strict = dataclasses.replace(BRIDGE, clock_skew=0)
    with pytest.raises(errors.NotYetValid):
        validate(post(early), KICKS.trusted, strict, NOW, allow_unsolicited=False)


def test_a_response_nobody_asked_for_is_accepted_only_where_allowed() -> None:
    unsolicited = respond(KICKS, answer(in_response_to=None, confirmation_in_response_to=None))
    assert accept(unsolicited, allow_unsolicited=True).in_response_to is None
    with pytest.raises(errors.Unsolicited):
        accept(unsolicited)


def test_allowing_unsolicited_responses_still_names_the_request_of_a_solicited_one() -> None:
    assert accept(respond(KICKS, answer()), allow_unsolicited=True).in_response_to == "_request1"


def test_a_name_id_without_format_is_unspecified() -> None:
    assert accept(respond(KICKS, answer(name_id_format=None))).name_id_format == UNSPECIFIED


# -- whom we trust ----------------------------------------------------------------------------------------------------


def test_a_connection_without_certificate_refuses_everybody() -> None:
    nobody = dataclasses.replace(KICKS.trusted, certificates=())
    with pytest.raises(errors.NoCertificate):
        validate(sign_in(), nobody, BRIDGE, NOW, allow_unsolicited=False)


@pytest.mark.parametrize("order", [("kicks", "next"), ("next", "kicks"), ("a", "b", "c", "kicks")])
def test_any_of_several_certificates_will_do(order: tuple[str, ...]) -> None:
    trusted = dataclasses.replace(KICKS.trusted, certificates=tuple(keys(name).certificate for name in order))
    assert validate(sign_in(signed="both"), trusted, BRIDGE, NOW, allow_unsolicited=False).name_id


def test_the_two_signatures_may_be_by_two_certificates() -> None:
    root = respond(KICKS, answer())
    sign(root, "next")
    trusted = dataclasses.replace(KICKS.trusted, certificates=(keys("kicks").certificate, keys("next").certificate))
    assert validate(post(root), trusted, BRIDGE, NOW, allow_unsolicited=False).name_id


@pytest.mark.parametrize("encrypted", [None, "AES256"])
@pytest.mark.parametrize("signed", ["assertion", "response", "both"])
def test_an_encrypted_name_is_opened(signed: Signed, encrypted: str | None) -> None:
    """SAML Core 2.2.4; in an assertion in clear, or in an encrypted one."""
    named = NAME_ID.replace("<saml:NameID", f'<saml:NameID Format="{PERSISTENT}"').replace("mei@kicks.example", "00u1")
    for algorithm in ("AES256_GCM", "AES128"):
        said = answer(hidden_name=hide(f"\n {named} ", algorithm=algorithm))
        assertion = accept(respond(KICKS, said, signed=signed, encrypted=encrypted))
        assert (assertion.name_id, assertion.name_id_format) == ("00u1", PERSISTENT)


def test_an_encrypted_name_may_lean_on_the_namespaces_around_it() -> None:
    bare = NAME_ID.replace(f' xmlns:saml="{NS["saml"]}"', "")
    assert accept(respond(KICKS, answer(hidden_name=hide(bare)))).name_id == "mei@kicks.example"


def test_a_name_encrypted_for_the_next_key_is_opened() -> None:
    following = keys("following")
    both = dataclasses.replace(
        BRIDGE,
        certificates=(*BRIDGE.certificates, following.certificate),
        next_private_key_pem=following.private,
    )
    theirs = dataclasses.replace(BRIDGE, certificates=(following.certificate,))
    form = post(respond(KICKS, answer(hidden_name=hide(sp=theirs))))
    assert validate(form, KICKS.trusted, both, NOW, allow_unsolicited=False).name_id == "mei@kicks.example"


def test_an_expired_certificate_is_trusted_as_long_as_it_is_configured() -> None:
    later = NOW + timedelta(days=4000)
    form = post(respond(KICKS, answer(now=later)))
    assert validate(form, KICKS.trusted, BRIDGE, later, allow_unsolicited=False).name_id


@pytest.mark.parametrize("method", ["RSA_SHA256", "RSA_SHA384", "RSA_SHA512"])
@pytest.mark.parametrize("digest", ["SHA256", "SHA384", "SHA512"])
def test_each_rsa_algorithm_is_accepted(method: str, digest: str) -> None:
    assert accept(respond(KICKS, answer(), method=method, digest=digest)).name_id


@pytest.mark.parametrize("method", PSS)
@pytest.mark.parametrize("signed", ["assertion", "both"])
def test_each_form_of_pss_without_parameters_is_accepted(method: str, signed: Signed) -> None:
    assert accept(respond(KICKS, answer(), method=method, signed=signed)).name_id
    with pytest.raises(errors.BadSignature):
        accept(issue(TestIdp(key="mallory"), render(answer()), method=method, signed=signed))


def test_pss_as_another_library_makes_it_is_accepted() -> None:
    root = etree.fromstring(etree.tostring(respond(KICKS, answer(), method=PSS[0])))
    signed, value = (next(root.iter(f"{{{NS['ds']}}}{name}")) for name in ("SignedInfo", "SignatureValue"))
    private = serialization.load_pem_private_key(keys("kicks").private.encode(), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    made = private.sign(etree.tostring(signed, method="c14n", exclusive=True), pss, hashes.SHA256())
    assert value.text != base64.b64encode(made).decode()
    value.text = base64.b64encode(made).decode()
    assert accept(root).name_id


@pytest.mark.parametrize("method", ["ECDSA_SHA256", "ECDSA_SHA384", "ECDSA_SHA512"])
def test_each_elliptic_curve_algorithm_is_accepted(method: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    trusted = dataclasses.replace(KICKS.trusted, certificates=(self_signed(key),))
    root = respond(KICKS, answer(), method=method, signing_key=xmlsec.Key.from_memory(pem, xmlsec.KeyFormat.PEM))
    assert validate(post(root), trusted, BRIDGE, NOW, allow_unsolicited=False).name_id


def test_another_connections_response_is_refused_by_this_one() -> None:
    theirs = bridge("https://bridge.example/saml/c2")
    form = sign_in(sp=theirs)
    assert validate(form, KICKS.trusted, theirs, NOW, allow_unsolicited=False).name_id
    with pytest.raises(errors.WrongDestination):
        validate(form, KICKS.trusted, BRIDGE, NOW, allow_unsolicited=False)


# -- how identity providers write -------------------------------------------------------------------------------------


def _default_namespace(xml: bytes) -> bytes:
    """The assertion without prefixes, as Entra ID writes it."""
    start, end = xml.index(b"<saml:Assertion"), xml.index(b"</saml:Assertion>") + len(b"</saml:Assertion>")
    plain = xml[start:end].replace(b"<saml:", b"<").replace(b"</saml:", b"</")
    plain = plain.replace(b"<Assertion", f'<Assertion xmlns="{NS["saml"]}"'.encode(), 1)
    return xml[:start] + plain + xml[end:]


def _other_prefixes(xml: bytes) -> bytes:
    """saml2 and saml2p, as Okta writes them."""
    return xml.replace(b"saml:", b"saml2:").replace(b":saml=", b":saml2=").replace(b"samlp", b"saml2p", 1000)


def _typed_values(xml: bytes) -> bytes:
    """xsi:type and its namespaces on each value, as Okta writes them."""
    typed = (
        b'<saml:AttributeValue xmlns:xs="http://www.w3.org/2001/XMLSchema" '
        b'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string">'
    )
    return xml.replace(b"<saml:AttributeValue>", typed)


def _roomy(xml: bytes) -> bytes:
    """White space around values, as pretty printers leave it."""
    return xml.replace(b"<saml:Audience>", b"<saml:Audience>\n    ").replace(b"</saml:NameID>", b"\n  </saml:NameID>")


def _cdata(xml: bytes) -> bytes:
    """A value in a CDATA section."""
    return xml.replace(b">eng-mobile<", b"><![CDATA[eng-mobile]]><")


def _comment_between_elements(xml: bytes) -> bytes:
    """A comment that interrupts no value."""
    return xml.replace(b"<samlp:Status>", b"<!-- made by kicks --><samlp:Status>")


def _fractions(xml: bytes) -> bytes:
    """Milliseconds and more on every instant, as Entra ID and ADFS write them."""
    return xml.replace(b':00Z"', b':00.1234567Z"')


@pytest.mark.parametrize("signed", ["assertion", "response", "both"])
@pytest.mark.parametrize(
    "rewrite",
    [_default_namespace, _other_prefixes, _typed_values, _roomy, _cdata, _comment_between_elements, _fractions],
    ids=lambda rewrite: rewrite.__name__.strip("_"),
)
def test_the_spellings_of_identity_providers_are_read_alike(rewrite: Callable[[bytes], bytes], signed: Signed) -> None:
    xml = rewrite(render(answer()))
    assert xml != render(answer())
    for encrypted in (None, "AES256_GCM"):
        assertion = accept(issue(KICKS, xml, signed=signed, encrypted=encrypted))
        assert (assertion.name_id, assertion.attributes["groups"]) == ("mei@kicks.example", ("eng", "eng-mobile"))


def test_a_declaration_and_a_byte_order_mark_are_accepted() -> None:
    octets = b'\xef\xbb\xbf<?xml version="1.0" encoding="UTF-8"?>\n' + etree.tostring(respond(KICKS, answer()))
    assert accept(octets).name_id


def test_base64_in_lines_is_accepted() -> None:
    octets = etree.tostring(respond(KICKS, answer()))
    assert accept({"SAMLResponse": base64.encodebytes(octets).decode().replace("\n", "\r\n")}).name_id


def test_characters_beyond_ascii_are_kept() -> None:
    assertion = accept(respond(KICKS, answer(attributes={"displayName": ("Łukasz 田中 🚲",)}), encrypted="AES256"))
    assert assertion.attributes["displayName"] == ("Łukasz 田中 🚲",)


def test_inclusive_namespaces_of_the_canonicalization_are_honoured() -> None:
    root = etree.fromstring(render(answer()))
    assertion = root.find("saml:Assertion", NS)
    assert assertion is not None
    sign(assertion, KICKS.key, inclusive="xs")
    assert accept(reparsed(root)).name_id


@pytest.mark.parametrize("encrypted", [None, "AES256_GCM"])
def test_six_hundred_groups_in_one_assertion_work(encrypted: str | None) -> None:
    groups = tuple(f"kicks-engineering-team-with-a-long-name-{number:04}" for number in range(600))
    xml = _typed_values(render(answer(attributes={"groups": groups})))
    assert accept(issue(KICKS, xml, signed="both", encrypted=encrypted)).attributes["groups"] == groups


def test_one_attribute_in_several_elements_is_one() -> None:
    again = '<saml:AttributeStatement><saml:Attribute Name="groups"><saml:AttributeValue>ops</saml:AttributeValue>'
    more = again + "</saml:Attribute></saml:AttributeStatement>"
    assert accept(respond(KICKS, answer(more_statements=more))).attributes["groups"] == ("ops", "eng", "eng-mobile")


def test_of_several_bearer_confirmations_the_one_addressed_to_us_counts() -> None:
    other = (
        '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">'
        '<saml:SubjectConfirmationData Recipient="https://other.example/acs"/></saml:SubjectConfirmation>'
    )
    assert accept(respond(KICKS, answer(more_confirmations=other))).in_response_to == "_request1"


GOOD = {"Recipient": BRIDGE.acs_url, "NotOnOrAfter": "2026-11-21T11:03:00Z", "InResponseTo": "_request1"}
#: What is wrong with the first of two bearer confirmations.
BAD_FIRST: dict[str, dict[str, str]] = {
    "expired": GOOD | {"NotOnOrAfter": "2026-11-21T10:00:00Z"},
    "to somebody else": GOOD | {"Recipient": "https://other.example/acs"},
    "of another request": GOOD | {"InResponseTo": "_request2"},
    "of no request": {name: value for name, value in GOOD.items() if name != "InResponseTo"},
    "without an end": {name: value for name, value in GOOD.items() if name != "NotOnOrAfter"},
    "with an end that is no time in utc": GOOD | {"NotOnOrAfter": "2026-11-21T11:03:00+01:00"},
    "not valid yet": GOOD | {"NotBefore": "2026-11-21T11:02:00Z"},
    "never valid": GOOD | {"NotBefore": "2026-11-21T11:03:00Z"},
    "empty": {},
}


@pytest.mark.parametrize("bad", BAD_FIRST)
def test_of_two_bearer_confirmations_one_must_hold_as_a_whole(bad: str) -> None:
    """SAML Profiles 4.1.4.2."""
    found = accept(respond(KICKS, answer(more_confirmations=confirmation(**BAD_FIRST[bad]))))
    assert found.in_response_to == "_request1"


def test_it_is_remembered_until_its_last_confirmation_ends() -> None:
    """Else it came again when the first is over and its entry forgotten."""
    first = confirmation(**GOOD | {"NotOnOrAfter": "2026-11-21T10:59:00Z"})
    last = confirmation(**GOOD | {"NotOnOrAfter": "2026-11-21T11:02:00Z"})
    broken = confirmation(**GOOD | {"NotOnOrAfter": "2026-11-21T11:03:00+01:00"})
    root = respond(KICKS, answer(more_confirmations=first + last + broken, confirmation_not_on_or_after=NOW))
    assertion = accept(root)
    assert assertion.not_on_or_after == NOW + timedelta(minutes=4, seconds=BRIDGE.clock_skew)
    validate(post(root), KICKS.trusted, BRIDGE, NOW + timedelta(minutes=3), allow_unsolicited=False)
    with pytest.raises(errors.Expired):
        validate(post(root), KICKS.trusted, BRIDGE, assertion.not_on_or_after, allow_unsolicited=False)


def test_several_audiences_in_one_restriction_are_alternatives() -> None:
    said = answer(audiences=(("https://other.example", BRIDGE.entity_id),))
    assert accept(respond(KICKS, said)).name_id


def test_one_time_use_and_proxy_restriction_are_understood() -> None:
    more = '<saml:OneTimeUse/><saml:ProxyRestriction Count="0"/>'
    assert accept(respond(KICKS, answer(more_conditions=more))).name_id


# -- encryption -------------------------------------------------------------------------------------------------------


def test_the_encrypted_key_may_stand_beside_the_data() -> None:
    """As Shibboleth writes it: EncryptedData/KeyInfo/RetrievalMethod points to a sibling."""
    root = respond(KICKS, answer(), encrypted="AES256_GCM")
    key = root.find(".//xenc:EncryptedKey", NS)
    around = root.find("saml:EncryptedAssertion", NS)
    info = root.find(".//xenc:EncryptedData/ds:KeyInfo", NS)
    assert key is not None
    assert around is not None
    assert info is not None
    key.set("Id", "_key")
    around.append(key)
    etree.SubElement(info, f"{{{NS['ds']}}}RetrievalMethod", URI="#_key", Type=f"{NS['xenc']}EncryptedKey")
    assert accept(root).name_id


@pytest.mark.parametrize("place", [0, 1])
def test_of_several_encrypted_keys_the_one_for_us_opens(place: int) -> None:
    """As an IdP writes it that encrypts for several recipients at once (XML Encryption 1.1, 3.5.1)."""
    root = respond(KICKS, answer(), encrypted="AES256_GCM")
    another = dataclasses.replace(BRIDGE, certificates=(keys("another-sp").certificate,))
    other = respond(KICKS, answer(), sp=another, encrypted="AES256_GCM")
    info, theirs = root.find(".//xenc:EncryptedData/ds:KeyInfo", NS), other.find(".//xenc:EncryptedKey", NS)
    assert info is not None
    assert theirs is not None
    info.insert(place, theirs)
    assert accept(root).name_id


@pytest.mark.parametrize("digest", ["SHA1", "SHA256", "SHA384", "SHA512"])
@pytest.mark.parametrize("mask", [None, "SHA256", "SHA512"])
def test_each_oaep_variant_is_accepted(digest: str, mask: str | None) -> None:
    root = etree.fromstring(render(answer()))
    assertion = root.find("saml:Assertion", NS)
    assert assertion is not None
    sign(assertion, KICKS.key)
    encrypt(root, BRIDGE, "AES128_GCM", oaep=(getattr(hashes, digest)(), mask and getattr(hashes, mask)()))
    assert accept(reparsed(root)).name_id


@pytest.mark.parametrize("which", [0, 1])
def test_during_a_rotation_either_key_opens(which: int) -> None:
    following = keys("bridge next")
    rotating = dataclasses.replace(
        BRIDGE, certificates=(*BRIDGE.certificates, following.certificate), next_private_key_pem=following.private
    )
    meant_for = dataclasses.replace(BRIDGE, certificates=rotating.certificates[which:])
    form = post(respond(KICKS, answer(), encrypted="AES256_GCM", sp=meant_for))
    assert validate(form, KICKS.trusted, rotating, NOW, allow_unsolicited=False).name_id == "mei@kicks.example"
    if which == 1:
        with pytest.raises(errors.DecryptionFailed):
            validate(form, KICKS.trusted, BRIDGE, NOW, allow_unsolicited=False)


def test_an_encrypted_assertion_may_lean_on_the_namespaces_around_it() -> None:
    root = etree.fromstring(render(answer()))
    assertion = root.find("saml:Assertion", NS)
    assert assertion is not None
    sign(assertion, KICKS.key)
    bare = etree.tostring(assertion, with_tail=False).replace(f' xmlns:saml="{NS["saml"]}"'.encode(), b"")
    encrypt(root, BRIDGE, "AES256", octets=bare)
    assert accept(reparsed(root)).name_id


def test_every_failure_of_decryption_reads_alike() -> None:
    wrong_key = dataclasses.replace(BRIDGE, private_key_pem=keys("other bridge").private)
    texts = set()
    for sp, form in (
        (wrong_key, post(respond(KICKS, answer(), encrypted="AES256"))),
        (BRIDGE, post(respond(KICKS, answer(), signed="nothing", encrypted="AES256"))),
        (BRIDGE, post(respond(dataclasses.replace(KICKS, key="mallory"), answer(), encrypted="AES256"))),
    ):
        with pytest.raises(errors.DecryptionFailed) as refused:
            validate(form, KICKS.trusted, sp, NOW, allow_unsolicited=False)
        texts.add((refused.value.text, refused.value.check, refused.value.__cause__))
    assert len(texts) == 1


def test_nothing_is_decrypted_under_a_bad_signature_of_the_response() -> None:
    root = respond(KICKS, answer(), encrypted="AES256")
    sign(root, "mallory")
    with pytest.raises(errors.BadSignature):
        accept(root)


def test_what_an_idp_says_with_no_is_kept_for_the_log_and_not_for_the_page() -> None:
    said = answer(
        status="urn:oasis:names:tc:SAML:2.0:status:Responder",
        inner_status="urn:oasis:names:tc:SAML:2.0:status:AuthnFailed",
        status_message="call 555-0100 for your account",
    )
    with pytest.raises(errors.IdpSaidNo) as refused:
        accept(respond(KICKS, said, signed="nothing"))
    assert (refused.value.status, refused.value.idp_message) == ("AuthnFailed", "call 555-0100 for your account")
    assert "555" not in refused.value.text


def test_threads_validate_side_by_side() -> None:
    """Schema, certificates and keys are shared; each thread gets its own person."""

    def one(number: int) -> bool:
        email = f"person{number}@kicks.example"
        form = forms[number]
        return validate(form, KICKS.trusted, BRIDGE, NOW, allow_unsolicited=False).attributes["email"] == (email,)

    kinds: list[tuple[Signed, str | None]] = [("assertion", None), ("both", "AES256_GCM"), ("response", "AES256")]
    forms = [
        post(
            respond(KICKS, answer(attributes={"email": (f"person{n}@kicks.example",)}), signed=signed, encrypted=cipher)
        )
        for n in range(60)
        for signed, cipher in [kinds[n % 3]]
    ]
    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(one, list(range(60)) * 3))
