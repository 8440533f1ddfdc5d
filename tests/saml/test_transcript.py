"""What may be kept of a message: all that an admin needs, nothing that a thief could use."""

import base64
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from saml import transcript
from saml.errors import DecryptionFailed, WrongAudience
from saml.markup import Element
from saml.response import validate
from saml.witness import Passed
from tests.saml.idp import BRIDGE, KICKS, NOW, answer, post, respond, sign_in


class Listener:
    """A witness that remembers."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, str]] = []
        self.seen: list[str] = []

    def note(self, step: Passed, detail: str) -> None:
        """Remember it."""
        self.steps.append((step, detail))

    def see(self, message: Element) -> None:
        """Remember it."""
        self.seen.append(transcript.render(message))


def heard(form: dict[str, str], **how: Any) -> Listener:
    """What the witness of one validation heard, whatever came of it."""
    listener = Listener()
    validate(form, KICKS.trusted, BRIDGE, NOW, allow_unsolicited=True, witness=listener, **how)
    return listener


def signature_values(form: dict[str, str]) -> list[str]:
    root = etree.fromstring(base64.b64decode(form["SAMLResponse"]))
    return ["".join(one.text.split()) for one in root.iter("{http://www.w3.org/2000/09/xmldsig#}SignatureValue")]


def test_each_step_is_told_in_its_order() -> None:
    form = sign_in(KICKS, BRIDGE, NOW, in_response_to="_r1")
    steps = [name for name, _ in heard(form).steps]
    assert steps == ["shape", "signature", "addressee", "subject", "request", "times"]


def test_the_signature_names_algorithm_and_certificate() -> None:
    form = sign_in(KICKS, BRIDGE, NOW, in_response_to="_r1")
    (told,) = [detail for name, detail in heard(form).steps if name == "signature"]
    assert "rsa-sha256" in told
    assert "valid until 20" in told


def test_a_clock_that_is_ahead_is_told() -> None:
    said = answer(BRIDGE, NOW, issued=NOW + timedelta(seconds=40))
    assert dict(heard(post(respond(KICKS, said))).steps)["times"].startswith("Issued 40 s ahead of our clock")


def test_steps_end_where_it_was_refused() -> None:
    listener = Listener()
    form = post(respond(KICKS, answer(BRIDGE, NOW, audiences=(("https://other.example",),))))
    with pytest.raises(WrongAudience):
        validate(form, KICKS.trusted, BRIDGE, NOW, allow_unsolicited=True, witness=listener)
    assert [name for name, _ in listener.steps] == ["shape", "signature"]
    assert "https://other.example" in listener.seen[-1]


def test_no_signature_value_is_kept() -> None:
    form = sign_in(KICKS, BRIDGE, NOW, in_response_to="_r1", signed="both")
    for kept in (heard(form).seen[-1], transcript.read(form["SAMLResponse"])):
        assert "left out: 344 characters" in kept
        assert not any(value in kept.replace("\n", "") for value in signature_values(form))


def test_an_opened_assertion_is_shown_in_clear_without_its_ciphertext() -> None:
    form = post(respond(KICKS, answer(BRIDGE, NOW), encrypted="AES256_GCM", sp=BRIDGE))
    listener = heard(form)
    assert "mei@kicks.example" not in listener.seen[0]
    assert "mei@kicks.example" in listener.seen[-1]
    assert [name for name, _ in listener.steps][-1] == "times"
    assert "opened" in [name for name, _ in listener.steps]


def test_of_an_assertion_that_cant_be_used_nothing_inside_is_seen() -> None:
    listener = Listener()
    form = post(respond(KICKS, answer(BRIDGE, NOW), encrypted="AES256_GCM", sp=BRIDGE))
    root = etree.fromstring(base64.b64decode(form["SAMLResponse"]))
    for value in root.iter("{http://www.w3.org/2001/04/xmlenc#}CipherValue"):
        value.text = base64.b64encode(b"\0" * 400).decode()
    broken = {"SAMLResponse": base64.b64encode(etree.tostring(root)).decode()}
    with pytest.raises(DecryptionFailed):
        validate(broken, KICKS.trusted, BRIDGE, NOW, allow_unsolicited=True, witness=listener)
    assert all("mei@kicks.example" not in seen for seen in listener.seen)
    assert "opened" not in [name for name, _ in listener.steps]


@pytest.mark.parametrize("name", ["password", "userPassword", "Access-Token", "client_secret", "apiKey"])
def test_attributes_that_speak_of_secrets_are_blacked_out(name: str) -> None:
    xml = (
        '<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" '
        'xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"><saml:Attribute '
        f'Name="{name}"><saml:AttributeValue>hunter2</saml:AttributeValue></saml:Attribute></samlp:Response>'
    )
    kept = transcript.read(base64.b64encode(xml.encode()).decode())
    assert "hunter2" not in kept
    assert "[blacked out]" in kept


def test_what_cant_be_read_is_a_short_excerpt_without_long_runs() -> None:
    secret = "A" * 60
    for sent in (
        f"<samlp:Response {secret}",
        base64.b64encode(f"<x {secret}".encode()).decode(),
        "\0" * 10,
        "é" * 9000,
    ):
        kept = transcript.read(sent)
        assert secret not in kept
        assert len(kept) < transcript.LONGEST_EXCERPT + 100


def test_a_long_message_is_cut() -> None:
    said = answer(BRIDGE, NOW, attributes={"groups": tuple(f"group-{n}-{'x' * 200}" for n in range(600))})
    kept = heard(post(respond(KICKS, said))).seen[-1]
    assert len(kept) < transcript.LONGEST + 100
    assert "cut here" in kept


@given(st.one_of(st.text(max_size=300), st.binary(max_size=300).map(lambda octets: base64.b64encode(octets).decode())))
def test_any_input_gives_a_text(sent: str) -> None:
    assert len(transcript.read(sent)) <= transcript.LONGEST_EXCERPT + 100
    transcript.find_in_response_to(sent)


def test_the_request_that_it_claims_to_answer_is_found() -> None:
    form = sign_in(KICKS, BRIDGE, NOW, in_response_to="_r1")
    assert transcript.find_in_response_to(form["SAMLResponse"]) == "_r1"
    assert transcript.find_in_response_to("") is None
