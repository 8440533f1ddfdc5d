"""SimpleSAMLphp signs people in and out: the identity provider of universities, and another hand than samlp's."""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import pytest
import requests
from lxml import etree

from tests.conformance.simplesamlphp import PASSWORD, PEOPLE, SimpleSamlPhp, running_simplesamlphp
from tests.running import Bridge, running

pytestmark = [pytest.mark.simplesamlphp, pytest.mark.long]


@dataclass(frozen=True, slots=True)
class Company:
    """Kicks: its workspace's bridge and connection, and its identity provider."""

    bridge: Bridge
    connection: dict[str, Any]
    idp: SimpleSamlPhp
    metadata: str


class Browser:
    """Somebody's browser. One that posts a form cross-site leaves our cookies, which are SameSite=Lax, at home."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.session = requests.Session()

    def get(self, url: str) -> requests.Response:
        """Follow a link, and where it leads."""
        return self.session.get(url, timeout=30)

    def sign_in(self, person: str) -> str:
        """By the bridge's login address and the password page. Returns the answer, as XML."""
        asked = self.get(self.company.connection["login_url"])
        action, fields = form_in(asked)
        named = {"username": person, "password": PASSWORD}
        shown = self.session.post(action, data=fields | named, timeout=30)
        return self.bring(shown)

    def bring(self, shown: requests.Response) -> str:
        """Post the answer that stands on a page of the IdP. Returns it, as XML."""
        action, fields = form_in(shown)
        assert action == self.company.connection["acs_url"], shown.text
        brought = requests.post(action, data=fields, allow_redirects=False, timeout=30)
        assert brought.status_code == 303, brought.text
        self.get(urljoin(action, brought.headers["Location"]))
        return base64.b64decode(fields["SAMLResponse"]).decode()

    def session_here(self) -> Any:
        """What `/session` says, None when signed out."""
        answer = self.get(f"{self.company.bridge.url}/session")
        return answer.json() if answer.ok else None

    def is_signed_in_there(self) -> bool:
        """Whether the IdP answers without asking for a password."""
        return "SAMLResponse" in self.get(self.company.connection["login_url"]).text


def form_in(page: requests.Response) -> tuple[str, dict[str, str]]:
    """Where the only form of a page leads, and its fields."""
    assert page.ok, page.text
    (form,) = etree.HTML(page.text).iter("form")
    fields = ((one.get("name"), one.get("value", "")) for one in form.iter("input"))
    return urljoin(page.url, form.get("action", "")), {name: value for name, value in fields if name}


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """Both, introduced to each other by their metadata."""
    folders = tmp_path_factory.mktemp("bridge"), tmp_path_factory.mktemp("simplesamlphp")
    with running(folders[0]) as bridge, running_simplesamlphp(folders[1]) as idp:
        bridge.run("workspace", "create", "kicks", "--name", "Kicks", "--owner", "olga@kicks.example")
        named = ("--kind", "saml", "--idp-metadata", idp.metadata_url)
        made = bridge.run("connection", "create", "kicks", *named)["connection"]
        yield Company(bridge, made, idp, requests.get(made["sp_metadata_url"], timeout=30).text)


@pytest.fixture
def kicks(company: Company) -> Company:
    """Its IdP as it answers when nothing is set."""
    company.idp.knows(company.metadata)
    company.idp.configure()
    return company


def check_signed_in(company: Company, browser: Browser, person: str) -> None:
    """Fails unless `/session` names this person, their groups, and the company's workspace alone."""
    said = browser.session_here()
    assert said is not None
    assert said["user"]["email"] == f"{person}@kicks.example"
    assert said["user"]["name"] == f"{person.title()} Šrámková"
    assert [one["slug"] for one in said["workspaces"]] == ["kicks"]
    (by,) = said["authenticated_by"]
    assert (by["kind"], by["connection"]) == ("saml", company.connection["id"])
    assert tuple(by["groups"]) == PEOPLE[person]


#: Options of its manual, and what stands in its answer then. Our metadata says that it need not sign assertions.
ANSWERS: dict[str, tuple[dict[str, Any], str]] = {
    "as it comes": ({}, "<saml:NameID"),
    "by rsa-sha512": ({"signature.algorithm": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"}, "rsa-sha512"),
    "the assertion encrypted": ({"assertion.encryption": True}, "<saml:EncryptedAssertion"),
    "the name encrypted": ({"nameid.encryption": True}, "<saml:EncryptedID"),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_its_answer_signs_in(kicks: Company, answer: str) -> None:
    options, shown = ANSWERS[answer]
    kicks.idp.configure(**options)
    browser = Browser(kicks)
    assert shown in browser.sign_in("mei")
    check_signed_in(kicks, browser, "mei")


@pytest.mark.parametrize("both", [False, True], ids=["the assertion alone", "both"])
def test_its_signed_assertion_signs_in(kicks: Company, both: bool) -> None:
    kicks.idp.knows(kicks.metadata.replace('WantAssertionsSigned="false"', 'WantAssertionsSigned="true"'))
    kicks.idp.configure(**{"saml20.sign.response": both})
    browser = Browser(kicks)
    assert browser.sign_in("mei").count("<ds:SignatureValue>") == 1 + both
    check_signed_in(kicks, browser, "mei")


def test_each_is_who_they_are(kicks: Company) -> None:
    for person in PEOPLE:
        browser = Browser(kicks)
        browser.sign_in(person)
        check_signed_in(kicks, browser, person)


def test_it_verifies_our_signed_request(kicks: Company) -> None:
    asked = Browser(kicks).session.get(kicks.connection["login_url"], allow_redirects=False, timeout=30)
    ours = asked.headers["Location"]
    assert "AuthState" in Browser(kicks).get(ours).url
    unsigned = Browser(kicks).get(ours.partition("&SigAlg=")[0])
    assert "AuthState" not in unsigned.url
    assert "no signature found on message" in unsigned.text


@pytest.mark.parametrize("hidden", [False, True], ids=["in clear", "encrypted"])
def test_who_signs_out_there_is_signed_out_here(kicks: Company, hidden: bool) -> None:
    kicks.idp.configure(**{"nameid.encryption": hidden})
    mei, ines = Browser(kicks), Browser(kicks)
    mei.sign_in("mei")
    ines.sign_in("ines")
    left = mei.get(f"{kicks.idp.url}/saml2/idp/SingleLogoutService.php?ReturnTo={kicks.idp.metadata_url}")
    assert any("/slo?SAMLRequest=" in one.url for one in left.history)
    assert left.url == kicks.idp.metadata_url  # it took our answer
    assert (mei.session_here(), mei.is_signed_in_there()) == (None, False)
    check_signed_in(kicks, ines, "ines")


def test_who_signs_out_here_is_signed_out_there(kicks: Company) -> None:
    mei = Browser(kicks)
    mei.sign_in("mei")
    assert mei.is_signed_in_there()
    page = mei.get(f"{kicks.bridge.url}/logout")
    token = re.findall(r'name="csrf_token" value="([^"]+)"', page.text)[0]
    told = mei.session.post(f"{kicks.bridge.url}/logout", data={"csrf_token": token}, timeout=30)
    assert any("SingleLogoutService.php?SAMLRequest=" in one.url for one in told.history)
    assert told.url == f"{kicks.bridge.url}/logout?sso=done"
    assert (mei.session_here(), mei.is_signed_in_there()) == (None, False)
