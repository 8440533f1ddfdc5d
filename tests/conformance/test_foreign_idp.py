"""A SAML identity provider of other people's making signs people in: npm `samlp`, which Auth0 answers with.

tests/node/saml_idp.js runs it. saml-idp (npm) is the same code once more, and pysaml2 (PyPI) needs an xmlsec1 that
isn't in its wheel, so this is the one from there. The other peer is SimpleSAMLphp (test_simplesamlphp.py).
"""

import base64
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from lxml import etree

from tests.conftest import NODE_PEERS
from tests.running import Bridge, running
from tests.saml.idp import keys

pytestmark = [pytest.mark.node, pytest.mark.long]

ISSUER = "urn:samlp:kicks.example"
NS = {"md": "urn:oasis:names:tc:SAML:2.0:metadata", "ds": "http://www.w3.org/2000/09/xmldsig#"}
RESPONSE_ONLY = {"signAssertion": False, "signResponse": True}
CBC = "http://www.w3.org/2001/04/xmlenc#aes256-cbc"

_serial = count(1)


# -- The parts ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ServiceProvider:
    """What our metadata tells an IdP."""

    entity_id: str
    acs_url: str
    slo_url: str
    signing: str
    encryption: str

    @property
    def encryption_options(self) -> dict[str, str]:
        """samlp's options to encrypt for us."""
        public = x509.load_pem_x509_certificate(self.encryption.encode()).public_key()
        pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        return {"encryptionCert": self.encryption, "encryptionPublicKey": pem.decode()}


def read_metadata(url: str) -> ServiceProvider:
    """Our metadata, read as an IdP's console reads it."""
    entity = etree.fromstring(requests.get(url, timeout=30).content)
    acs = entity.find(".//md:AssertionConsumerService", NS)
    slo = entity.find(".//md:SingleLogoutService", NS)
    assert acs is not None
    assert slo is not None
    return ServiceProvider(
        entity_id=entity.get("entityID", ""),
        acs_url=acs.get("Location", ""),
        slo_url=slo.get("Location", ""),
        signing=_certificate(entity, "signing"),
        encryption=_certificate(entity, "encryption"),
    )


def _certificate(entity: etree._Element, use: str) -> str:
    written = entity.findtext(f".//md:KeyDescriptor[@use='{use}']//ds:X509Certificate", "", NS)
    certificate = x509.load_der_x509_certificate(base64.b64decode(written))
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


@contextmanager
def running_samlp(node_path: Path) -> Iterator[str]:
    """samlp, for the length of a block: its address."""
    ours = keys("samlp")
    start = {"issuer": ISSUER, "key": ours.private, "certificate": ours.certificate}
    with subprocess.Popen(
        [node_path, "--no-deprecation", "saml_idp.js"],
        cwd=NODE_PEERS,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(start) + "\n")
        process.stdin.flush()
        yield process.stdout.readline().strip()  # then its stdin is closed, which ends it


@dataclass(frozen=True, slots=True)
class Form:
    """A form that a page would send for its reader."""

    action: str
    fields: dict[str, str]

    @property
    def message(self) -> str:
        """The SAML message in it, as XML."""
        return base64.b64decode(self.fields[self._name]).decode()

    def saying(self, xml: str) -> "Form":
        """The same with another message in it."""
        return Form(self.action, {**self.fields, self._name: base64.b64encode(xml.encode()).decode()})

    @property
    def _name(self) -> str:
        return next(name for name in self.fields if name.startswith("SAML"))


def form_in(page: requests.Response) -> Form:
    """The first form of a page."""
    assert page.ok, page.text
    (form,) = etree.HTML(page.text).iter("form")
    inputs = ((each.get("name"), each.get("value", "")) for each in form.iter("input"))
    return Form(urljoin(page.url, form.get("action", "")), {name: value for name, value in inputs if name})


class Browser:
    """Somebody's browser. One that posts a form cross-site leaves our cookies, which are SameSite=Lax, at home."""

    def __init__(self, person: str, idp_url: str) -> None:
        self.person = person
        self.session = requests.Session()
        self.session.cookies.set("person", person, domain=str(urlsplit(idp_url).hostname))

    def get(self, url: str) -> requests.Response:
        """Follow a link, and where it leads."""
        return self.session.get(url, timeout=30)

    def post(self, form: Form) -> requests.Response:
        """What one gets for a form that stands on another site's page, and where that leads."""
        answer = requests.post(form.action, data=form.fields, allow_redirects=False, timeout=30)
        return self.get(urljoin(form.action, answer.headers["Location"])) if answer.is_redirect else answer


@dataclass(frozen=True, slots=True)
class Company:
    """A company: its workspace, and samlp as its IdP, at `url`."""

    slug: str
    bridge: Bridge
    connection: dict[str, Any]
    sp: ServiceProvider
    url: str

    def answers_with(self, **options: Any) -> None:
        """From now on samlp answers by these options of its own; requests must be signed."""
        sp = {"entityId": self.sp.entity_id, "acsUrl": self.sp.acs_url, "sloUrl": self.sp.slo_url}
        sp["signingCert"] = self.sp.signing
        requests.put(f"{self.url}/service-provider", json=sp | {"options": options}, timeout=30).raise_for_status()

    def hire(self, *groups: str) -> Browser:
        """Somebody new, who is signed in at the IdP: `person<n>@<slug>.example`."""
        browser = Browser(f"person{next(_serial)}", self.url)
        self.describe(browser, *groups)
        return browser

    def describe(self, browser: Browser, *groups: str, email: str | None = None) -> None:
        """What the IdP says of this browser's person from now on."""
        profile = {
            "emails": [{"value": email or f"{browser.person}@{self.slug}.example"}],
            "displayName": "Mei",
            "name": {"givenName": "Mei", "familyName": f"Šrámková-{browser.person}"},
            "groups": groups,
        }
        requests.put(f"{self.url}/people/{browser.person}", json=profile, timeout=30).raise_for_status()

    def ask(self, browser: Browser) -> Form:
        """From the bridge's login address to the IdP's answer, not brought yet."""
        return form_in(browser.get(self.connection["login_url"]))

    def session(self, browser: Browser) -> dict[str, Any] | None:
        """What `/session` says of this browser, None when signed out."""
        answer = browser.get(f"{self.bridge.url}/session")
        said: dict[str, Any] | None = answer.json() if answer.ok else None
        return said


@pytest.fixture(scope="module")
def parts(node_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Bridge, str]]:
    """A bridge, and the address of samlp, both running."""
    with running(tmp_path_factory.mktemp("foreign")) as bridge, running_samlp(node_path) as url:
        yield bridge, url


def connect(bridge: Bridge, url: str, slug: str, metadata: str) -> Company:
    """A workspace, and its connection with samlp by each other's metadata."""
    bridge.run("workspace", "create", slug, "--name", slug.title(), "--owner", f"olga@{slug}.example")
    made = bridge.run("connection", "create", slug, "--kind", "saml", "--idp-metadata", metadata)["connection"]
    company = Company(slug, bridge, made, read_metadata(made["sp_metadata_url"]), url)
    company.answers_with()
    return company


@pytest.fixture(scope="module")
def connected(parts: tuple[Bridge, str]) -> Company:
    bridge, url = parts
    return connect(bridge, url, "kicks", f"{url}/metadata")


@pytest.fixture
def kicks(connected: Company) -> Company:
    """The company Kicks, with samlp as it answers when nothing is set."""
    connected.answers_with()
    return connected


@pytest.fixture(scope="module")
def boots(parts: tuple[Bridge, str], tmp_path_factory: pytest.TempPathFactory) -> Company:
    """Another workspace's company, which samlp serves too, but takes requests by POST only."""
    bridge, url = parts
    written = requests.get(f"{url}/metadata", timeout=30).text
    file = tmp_path_factory.mktemp("boots") / "metadata.xml"
    file.write_text(re.sub(r"<SingleSignOnService [^>]*HTTP-Redirect[^>]*/>", "", written))
    return connect(bridge, url, "boots", str(file))


# -- It signs in -------------------------------------------------------------------------------------

SIGNED: dict[str, dict[str, Any]] = {
    "assertion": {},
    "response": RESPONSE_ONLY,
    "both": {"signResponse": True},
    "both, with prefixes": {"signResponse": True, "signatureNamespacePrefix": "ds"},
}
ENCRYPTED: dict[str, dict[str, Any]] = {
    "AES-GCM": {},
    "AES-CBC, with a warning there": {"encryptionAlgorithm": CBC, "disallowEncryptionWithInsecureAlgorithm": False},
    "and the response signed": {"signResponse": True},
    "and only the response signed": RESPONSE_ONLY,
}


@pytest.mark.parametrize("signed", SIGNED)
def test_its_signed_answer_signs_in(kicks: Company, signed: str) -> None:
    kicks.answers_with(**SIGNED[signed])
    mei = kicks.hire("eng", "R&D <core>")
    form = kicks.ask(mei)
    assert len(re.findall(r"<(?:ds:)?SignatureValue>", form.message)) == 1 + ("both" in signed)
    check_signed_in(kicks, mei, mei.post(form), ["eng", "R&D <core>"])


@pytest.mark.parametrize("encrypted", ENCRYPTED)
def test_its_encrypted_answer_signs_in(kicks: Company, encrypted: str) -> None:
    kicks.answers_with(**kicks.sp.encryption_options, **ENCRYPTED[encrypted])
    mei = kicks.hire("eng")
    form = kicks.ask(mei)
    assert "EncryptedAssertion" in form.message
    assert "@kicks.example" not in form.message
    check_signed_in(kicks, mei, mei.post(form), ["eng"])


def check_signed_in(company: Company, browser: Browser, page: requests.Response, groups: list[str]) -> None:
    """Fails unless `/session` names this person, these groups, and the company's workspace alone."""
    said = company.session(browser)
    assert said is not None, page.text
    assert said["user"]["email"] == f"{browser.person}@{company.slug}.example"
    assert said["user"]["name"] == f"Mei Šrámková-{browser.person}"
    assert [(one["slug"], one["owner"]) for one in said["workspaces"]] == [(company.slug, False)]
    (by,) = said["authenticated_by"]
    assert (by["kind"], by["connection"], by["groups"]) == ("saml", company.connection["id"], groups)


def test_groups_are_those_of_the_last_login(kicks: Company) -> None:
    mei = kicks.hire("eng", "ops")
    mei.post(kicks.ask(mei))
    kicks.describe(mei, "ops", "sales")
    check_signed_in(kicks, mei, mei.post(kicks.ask(mei)), ["ops", "sales"])


# -- It takes our requests ---------------------------------------------------------------------------


def test_it_verifies_our_signed_request(kicks: Company) -> None:
    mei = kicks.hire()
    ours, later = (_redirect(kicks, mei) for _ in range(2))
    assert "SAMLResponse" in mei.get(ours).text
    swapped = mei.get(ours.partition("&Signature=")[0] + "&Signature=" + later.partition("&Signature=")[2])
    assert (swapped.status_code, "does not match" in swapped.text) == (400, True)
    unsigned = mei.get(ours.partition("&SigAlg=")[0])
    assert (unsigned.status_code, "MUST be signed" in unsigned.text) == (400, True)


def _redirect(company: Company, browser: Browser) -> str:
    told = browser.session.get(company.connection["login_url"], allow_redirects=False, timeout=30)
    return told.headers["Location"]


def test_it_verifies_our_signed_request_also_by_post(boots: Company) -> None:
    mei = boots.hire("eng")
    ours = form_in(mei.get(boots.connection["login_url"]))
    answer = form_in(mei.session.post(ours.action, data=ours.fields, timeout=30))
    check_signed_in(boots, mei, mei.post(answer), ["eng"])
    unsigned = re.sub("<ds:Signature .*</ds:Signature>", "", ours.message, flags=re.DOTALL)
    refused = mei.session.post(ours.action, data=ours.saying(unsigned).fields, timeout=30)
    assert (refused.status_code, "MUST be signed" in refused.text) == (400, True)


# -- Signing out -------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_post", [False, True], ids=["by redirect", "by post"])
def test_who_signs_out_there_is_signed_out_here(kicks: Company, by_post: bool) -> None:
    kicks.answers_with(logoutByPost=by_post)
    mei, ines = kicks.hire("eng"), kicks.hire("eng")
    for browser in (mei, ines):
        check_signed_in(kicks, browser, browser.post(kicks.ask(browser)), ["eng"])
    left = mei.get(f"{kicks.url}/slo")
    if by_post:
        left = mei.post(form_in(left))
    assert left.ok, left.text
    assert left.url.startswith(f"{kicks.url}/slo?SAMLResponse=")  # ours, which it has verified
    assert kicks.session(mei) is None
    assert kicks.session(ines) is not None


@pytest.mark.parametrize("by_post", [False, True], ids=["by redirect", "by post"])
def test_who_signs_out_here_is_signed_out_there(kicks: Company, by_post: bool) -> None:
    kicks.answers_with(logoutByPost=by_post)
    mei = kicks.hire("eng")
    check_signed_in(kicks, mei, mei.post(kicks.ask(mei)), ["eng"])
    asked = form_in(mei.get(f"{kicks.bridge.url}/logout"))
    told = mei.session.post(asked.action, data=asked.fields, timeout=30)
    if by_post:
        told = mei.post(form_in(told))
    assert "You are signed out" in told.text, told.text
    assert "didn’t confirm" not in told.text
    assert kicks.session(mei) is None
    assert mei.get(kicks.connection["login_url"]).text == "401"  # what samlp says, with 200, to whom it doesn't know


# -- Refused -----------------------------------------------------------------------------------------


def check_refused(company: Company, browser: Browser, page: requests.Response, text: str) -> None:
    """Fails unless the page is a refusal that says `text` and a reference, and nobody is signed in."""
    assert page.status_code == 403, page.text
    assert text in page.text, page.text[page.text.index("<main") :]
    assert re.search(r'id="reference"[^>]*>[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}<', page.text)
    assert company.session(browser) is None


@pytest.mark.parametrize("options", [{}, RESPONSE_ONLY], ids=["assertion signed", "response signed"])
def test_the_same_answer_a_second_time_is_refused(kicks: Company, options: dict[str, Any]) -> None:
    kicks.answers_with(**options)
    mei = kicks.hire()
    form = kicks.ask(mei)
    check_signed_in(kicks, mei, mei.post(form), [])
    again = mei.post(form)
    assert (again.status_code, "used already" in again.text) == (403, True)
    other = kicks.hire()
    check_refused(kicks, other, other.post(form), "used already")


ALTERED: dict[str, Callable[[str], str]] = {
    "another email": lambda xml: xml.replace("@kicks.example<", "@kicks.examp1e<"),
    "one group more": lambda xml: xml.replace(">eng<", ">eng</saml:AttributeValue><saml:AttributeValue>owners<"),
    "another audience": lambda xml: re.sub(r"<saml:Audience>[^<]*", "<saml:Audience>https://other.example", xml),
    "a later end": lambda xml: re.sub(r'NotOnOrAfter="\d{4}', 'NotOnOrAfter="2999', xml),
    "no signature": lambda xml: re.sub(r"<Signature .*?</Signature>", "", xml, flags=re.DOTALL),
    "a comment in the name": lambda xml: xml.replace("</saml:NameID>", "<!-- -->.evil</saml:NameID>"),
    "a comment that c14n drops": lambda xml: xml.replace("@kicks.example<", "<!-- -->@kicks.example<"),
    "the assertion twice": lambda xml: re.sub(r"(<saml:Assertion .*</saml:Assertion>)", r"\1\1", xml, flags=re.DOTALL),
    "another destination": lambda xml: re.sub(r'Destination="[^"]*', 'Destination="https://other.example/acs', xml),
    "another request": lambda xml: re.sub(r'(<samlp:Response [^>]*InResponseTo=")_', r"\1_x", xml),
    "another issuer": lambda xml: xml.replace(f">{ISSUER}<", ">urn:other<", 1),
}


@pytest.mark.parametrize("options", [{}, RESPONSE_ONLY], ids=["assertion signed", "response signed"])
@pytest.mark.parametrize("altered", ALTERED)
def test_an_altered_answer_is_refused(kicks: Company, altered: str, options: dict[str, Any]) -> None:
    kicks.answers_with(**options)
    mei = kicks.hire("eng")
    form = kicks.ask(mei)
    xml = ALTERED[altered](form.message)
    assert xml != form.message
    check_refused(kicks, mei, mei.post(form.saying(xml)), "The answer of your identity provider was refused")
    check_signed_in(kicks, mei, mei.post(form), ["eng"])  # it was good before


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "signed with SHA-1": ({"signatureAlgorithm": "rsa-sha1", "digestAlgorithm": "sha1"}, "algorithm"),
    "not signed": ({"signAssertion": False}, "signed"),
    "its default Destination, the audience": ({"destination": ""}, "addressed to another address"),
    "no Recipient": ({"recipient": ""}, "recipient is nothing"),
    "a failure": ({"samlStatusCode": "urn:oasis:names:tc:SAML:2.0:status:Responder"}, "had a fault of its own"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_it_does_when_set_up_wrongly_is_refused_with_the_reason(kicks: Company, wrong: str) -> None:
    options, text = WRONG[wrong]
    kicks.answers_with(**options)
    mei = kicks.hire()
    check_refused(kicks, mei, mei.post(kicks.ask(mei)), text)


def test_its_answer_for_one_workspace_is_refused_by_another(kicks: Company, boots: Company) -> None:
    mei = kicks.hire()
    form = kicks.ask(mei)
    elsewhere = Form(boots.sp.acs_url, form.fields)
    check_refused(kicks, mei, mei.post(elsewhere), "refused")


def test_it_signs_nobody_into_an_account_of_another_workspace(kicks: Company) -> None:
    mallory = kicks.hire()
    kicks.describe(mallory, email="olga@boots.example")
    assert "Is this account yours?" in mallory.post(kicks.ask(mallory)).text
    assert kicks.session(mallory) is None
