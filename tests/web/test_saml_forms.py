"""What comes to the assertion consumer service, as a form: one answer, url-encoded; and how long a refusal takes."""

import base64
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import pytest
from flask import Flask
from lxml import etree

from tests.saml.idp import KICKS, NS, answer, encrypt, post, reparsed, respond, sign
from tests.web.browsing import Company, Surfer

Form = dict[str, str]
MALLORY = {"SAMLResponse": base64.b64encode(b"<mallory/>").decode()}


def two(first: Form, second: Form) -> dict[str, Any]:
    """A form with two answers, as Werkzeug's client takes it."""
    return {"data": {"SAMLResponse": [first["SAMLResponse"], second["SAMLResponse"]]}}


ODD: dict[str, Callable[[Form], dict[str, Any]]] = {
    "a good one and another": lambda good: two(good, MALLORY),
    "another and a good one": lambda good: two(MALLORY, good),
    "one good one twice": lambda good: two(good, good),
    "another in the query": lambda good: {"data": good, "query_string": MALLORY},
    "in the query": lambda good: {"query_string": good},
    "in parts": lambda good: {"data": good, "content_type": "multipart/form-data"},
    "as JSON": lambda good: {"json": good},
    "in parts, called url-encoded": lambda good: {
        "data": b'--x\r\nContent-Disposition: form-data; name="SAMLResponse"\r\n\r\n%b\r\n--x--'
        % good["SAMLResponse"].encode(),
        "content_type": "application/x-www-form-urlencoded; boundary=x",
    },
    "under a name in small letters": lambda good: {"data": {"samlresponse": good["SAMLResponse"]}},
    "as a list of one": lambda good: {"data": {"SAMLResponse[]": good["SAMLResponse"]}},
    "as a request": lambda good: {"data": {"SAMLRequest": good["SAMLResponse"]}},
}


@pytest.mark.parametrize("odd", ODD)
def test_an_answer_in_an_odd_form_is_refused_and_not_used_up(
    app: Flask, company: Company, surfer: Surfer, odd: str
) -> None:
    good = company.answer(in_response_to=surfer.start(company))
    told = app.test_client().post(company.path("acs"), **ODD[odd](good))
    assert told.status_code == 400, told.text
    assert b"<main" in told.data
    surfer.bring(app, company, good)
    assert surfer.workspaces() == ["acme"]


def test_a_charset_of_the_form_and_other_fields_change_nothing(app: Flask, company: Company, surfer: Surfer) -> None:
    good = company.answer(in_response_to=surfer.start(company))
    told = app.test_client().post(
        company.path("acs"),
        data=good | {"RelayState": "https://evil.example/", "SAMLRequest": "x", "next": "//evil.example"},
        content_type="application/x-www-form-urlencoded; charset=utf-7",
    )
    assert told.status_code == 303
    surfer.get(told.headers["Location"])
    assert surfer.workspaces() == ["acme"]


def encrypted(company: Company, broken: str) -> Form:
    """An encrypted answer that fails where `broken` says."""
    root = respond(KICKS, answer(company.sp), signed="nothing")
    if broken == "by its signature":
        sign(root.find("saml:Assertion", NS), "mallory")  # type: ignore[arg-type]
    encrypt(root, company.sp, "AES256")
    at = {"by its padding": -17, "by its XML": 16}.get(broken)
    if at is not None:
        value = reparsed(root).find(".//xenc:EncryptedData/xenc:CipherData/xenc:CipherValue", NS)
        assert value is not None
        octets = bytearray(base64.b64decode(value.text or ""))
        octets[at] ^= 1
        root = value.getroottree().getroot()
        value.text = base64.b64encode(octets).decode()
    return post(root)


def test_each_failure_of_decryption_takes_as_long_and_says_the_same(app: Flask, company: Company) -> None:
    kinds = ("by its padding", "by its XML", "by its signature", "for want of one")
    forms = {broken: encrypted(company, broken) for broken in kinds}
    took: dict[str, list[float]] = {broken: [] for broken in kinds}
    texts = set()
    for broken in kinds * 3:
        began = time.perf_counter()
        told = app.test_client().post(company.path("acs"), data=forms[broken])
        took[broken].append(time.perf_counter() - began)
        text = etree.HTML(told.text).findtext(".//main//p")
        texts.add((told.status_code, told.headers["Content-Type"], text))
    assert len(texts) == 1
    assert min(median(times) for times in took.values()) >= 0.1
