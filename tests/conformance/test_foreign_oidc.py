"""OpenID providers of other people's making sign people in, and out: npm `oidc-provider`, which is certified, as a
company's and in Twilio's place, and PyPI `oidc-provider-mock`.

tests/node/oidc_provider.js runs the first, which puts what scopes ask for into userinfo alone, names itself in its
answers (RFC 9207), and speaks back-channel logout.
"""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
import requests

from tests.conformance.test_foreign_idp import form_in
from tests.conftest import NODE_PEERS
from tests.running import Bridge, free_port, running
from tests.simulated.twilio.browser import Form

pytestmark = pytest.mark.long

_serial = count(1)


class Browser(requests.Session):
    """Somebody's browser, signed in at the provider as `person`."""

    def __init__(self, person: str = "") -> None:
        super().__init__()
        self.person = person
        self.cookies.set("person", person, domain="127.0.0.1")

    def whoami(self, bridge: Bridge) -> Any:
        """What `/session` says, None when signed out."""
        told = self.get(f"{bridge.url}/session", timeout=30)
        return told.json() if told.ok else None

    def submit(self, page: requests.Response, **more: str) -> requests.Response:
        """Send the form of a page, and follow where that leads."""
        form = form_in(page)
        return self.post(form.action or page.url, data=form.fields | more, timeout=30)


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bridge]:
    with running(tmp_path_factory.mktemp("foreign-oidc")) as bridge:
        yield bridge


def connect(bridge: Bridge, slug: str, issuer: str, *options: str) -> dict[str, Any]:
    """A workspace and its connection with the provider."""
    bridge.run("workspace", "create", slug, "--name", slug.title(), "--owner", f"olga@{slug}.example")
    own = ("--kind", "oidc", "--issuer", issuer, "--client-id", slug)
    secret = () if "private_key_jwt" in options else ("--client-secret-stdin",)
    made = bridge.run("connection", "create", slug, *own, *secret, *options, stdin="a secret of 32 letters at least!\n")
    connection: dict[str, Any] = made["connection"]
    return connection


def check_signed_in(bridge: Bridge, browser: Browser, page: requests.Response, slug: str, groups: list[str]) -> None:
    """Fails unless `/session` names this person, these groups, and the company's workspace alone."""
    said = browser.whoami(bridge)
    assert said is not None, page.text
    assert said["user"]["email"] == f"{browser.person}@{slug}.example"
    assert [one["slug"] for one in said["workspaces"]] == [slug]
    assert [(one["kind"], one["groups"]) for one in said["authenticated_by"]] == [("oidc", groups)]


# -- npm oidc-provider -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def node_provider(node_path: Path) -> Iterator[str]:
    """Its address."""
    with subprocess.Popen(
        [node_path, "--no-deprecation", "oidc_provider.js"],
        cwd=NODE_PEERS,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()  # then its stdin is closed, which ends it


def register(issuer: str, connection: dict[str, Any], slug: str, **said: Any) -> None:
    """What an admin does at the provider."""
    client = {
        "client_secret": "a secret of 32 letters at least!",
        "redirect_uris": [connection["redirect_uri"]],
        "backchannel_logout_uri": connection["backchannel_logout_uri"],
        "backchannel_logout_session_required": True,
        "scope": "openid email profile groups",
    }
    client = {name: value for name, value in (client | said).items() if value is not None}
    requests.put(f"{issuer}/clients/{slug}", json=client, timeout=30).raise_for_status()


def hire(issuer: str, slug: str, *groups: str) -> Browser:
    """Somebody new, signed in there: `person<n>@<slug>.example`."""
    browser = Browser(f"person{next(_serial)}")
    claims = {"email": f"{browser.person}@{slug}.example", "email_verified": True, "name": "Mei", "groups": groups}
    requests.put(f"{issuer}/people/{browser.person}", json=claims, timeout=30).raise_for_status()
    return browser


@pytest.fixture(scope="module")
def kicks(bridge: Bridge, node_provider: str) -> dict[str, Any]:
    connection = connect(bridge, "kicks", node_provider, "--preset", "okta")
    register(node_provider, connection, "kicks")
    return connection


@pytest.mark.node
def test_a_certified_provider_signs_in(bridge: Bridge, node_provider: str, kicks: dict[str, Any]) -> None:
    mei = hire(node_provider, "kicks", "eng", "R&D <core>")
    check_signed_in(bridge, mei, mei.get(kicks["login_url"], timeout=30), "kicks", ["eng", "R&D <core>"])


WAYS: dict[str, dict[str, Any]] = {
    "client_secret_post": {},
    "private_key_jwt": {"client_secret": None, "token_endpoint_auth_signing_alg": "RS256"},
}


@pytest.mark.node
@pytest.mark.parametrize("way", WAYS)
def test_by_each_way_of_authenticating(bridge: Bridge, node_provider: str, way: str) -> None:
    slug = way.replace("_", "-")
    connection = connect(bridge, slug, node_provider, "--token-auth", way)
    said = {"token_endpoint_auth_method": way, **WAYS[way]}
    said |= {"jwks_uri": connection["login_url"].replace("/login", "/jwks")} if way == "private_key_jwt" else {}
    register(node_provider, connection, slug, **said)
    mei = hire(node_provider, slug, "eng")
    check_signed_in(bridge, mei, mei.get(connection["login_url"], timeout=30), slug, ["eng"])


@pytest.mark.node
def test_who_is_nobody_there_is_refused_with_its_words(bridge: Bridge, kicks: dict[str, Any]) -> None:
    page = Browser("nobody").get(kicks["login_url"], timeout=30)
    assert page.status_code == 403, page.text
    assert "denied the sign-in" in page.text
    assert re.search(r'id="reference"', page.text)


@pytest.mark.node
def test_signing_out_here_ends_it_there_and_in_the_other_browser_nothing(
    bridge: Bridge, node_provider: str, kicks: dict[str, Any]
) -> None:
    laptop = hire(node_provider, "kicks")
    laptop.get(kicks["login_url"], timeout=30)
    phone = Browser(laptop.person)
    phone.get(kicks["login_url"], timeout=30)
    asked = laptop.submit(laptop.get(f"{bridge.url}/logout", timeout=30))
    assert asked.url.startswith(f"{node_provider}/session/end"), asked.text
    left = laptop.submit(asked, logout="yes")
    assert left.ok, left.text
    assert laptop.whoami(bridge) is None
    assert phone.whoami(bridge) is not None


@pytest.mark.node
def test_signing_out_there_ends_it_here(bridge: Bridge, node_provider: str, kicks: dict[str, Any]) -> None:
    mei, olga = hire(node_provider, "kicks"), hire(node_provider, "kicks")
    for one in (mei, olga):
        one.get(kicks["login_url"], timeout=30)
    assert mei.submit(mei.get(f"{node_provider}/session/end", timeout=30), logout="yes").ok
    deadline = time.monotonic() + 5
    while mei.whoami(bridge) is not None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert mei.whoami(bridge) is None
    assert olga.whoami(bridge) is not None


# -- In Twilio's place -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def by_twilio(node_provider: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bridge]:
    """A bridge whose "Log in with Twilio" leads there. The provider serves both bridges: clients are told apart."""
    known = {"ISSUER": node_provider, "CLIENT_ID": "segment", "CLIENT_SECRET": "a secret of 32 letters at least!"}
    more = {f"BRIDGE_TWILIO_{name}": value for name, value in known.items()}
    with running(tmp_path_factory.mktemp("foreign-twilio"), more=more) as bridge:
        own = f"{bridge.url}/twilio"
        addresses = {"redirect_uri": f"{own}/callback", "backchannel_logout_uri": f"{own}/backchannel-logout"}
        leaving = [f"{bridge.url}/login"]
        register(node_provider, addresses, "segment", scope="openid email profile", post_logout_redirect_uris=leaving)
        owner = ("--owner", "owner@segment.example", "--owner-password-stdin")
        bridge.run("workspace", "create", "kicks", "--name", "Kicks", *owner, stdin="a-sentence-for-olga\n")
        yield bridge


def arrive(bridge: Bridge, browser: Browser, path: str = "/twilio/login") -> requests.Response:
    """The page that somebody who was never here is welcomed by."""
    page = browser.get(f"{bridge.url}{path}", timeout=30)
    assert "Welcome from Twilio" in page.text, page.text
    return page


def send(browser: Browser, page: requests.Response, action: str, **typed: str) -> requests.Response:
    """Send the form of a page that goes there."""
    fields = next(fields for to, fields in Form(page.text).forms if to == action)
    return browser.post(urljoin(page.url, action), data=fields | typed, timeout=30)


def ways_in(bridge: Bridge, browser: Browser) -> list[str]:
    said = browser.whoami(bridge)
    return sorted(one["kind"] for one in said["authenticated_by"]) if said else []


@pytest.mark.node
@pytest.mark.parametrize("path", ["/twilio/login", "/twilio/login?sign_up=1"])
def test_in_twilio_s_place_it_makes_an_account_and_then_one_click_is_enough(
    by_twilio: Bridge, node_provider: str, path: str
) -> None:
    mei = hire(node_provider, "segment")
    page = arrive(by_twilio, mei, path)
    send(mei, page, f"{urlsplit(page.url).path}/create")
    said = mei.whoami(by_twilio)
    assert (said["user"]["email"], said["user"]["name"]) == (f"{mei.person}@segment.example", "Mei")
    again = Browser(mei.person)
    again.get(f"{by_twilio.url}/twilio/login", timeout=30)
    assert again.whoami(by_twilio)["user"] == said["user"]
    assert ways_in(by_twilio, again) == ["twilio"]


@pytest.mark.node
def test_in_twilio_s_place_it_is_linked_to_the_account_that_one_has(by_twilio: Bridge, node_provider: str) -> None:
    olga = hire(node_provider, "segment")
    link = arrive(by_twilio, olga).url.replace("/welcome/", "/link/")
    page = olga.get(link, timeout=30)
    typed = {"email": "owner@segment.example", "password": "a-sentence-for-olga", "way": "password"}
    page = send(olga, page, "/login", **typed)
    send(olga, page, urlsplit(link).path)
    assert ways_in(by_twilio, olga) == ["password", "twilio"]
    again = Browser(olga.person)
    page = again.get(f"{by_twilio.url}/twilio/login", timeout=30)
    assert urlsplit(page.url).path == "/w/kicks/users"
    assert ways_in(by_twilio, again) == ["twilio"]


@pytest.mark.node
def test_in_twilio_s_place_an_address_that_it_did_not_verify_makes_no_account(
    by_twilio: Bridge, node_provider: str
) -> None:
    mei = hire(node_provider, "segment")
    claims = {"email": f"{mei.person}@segment.example", "email_verified": False, "name": "Mei"}
    requests.put(f"{node_provider}/people/{mei.person}", json=claims, timeout=30).raise_for_status()
    page = mei.get(f"{by_twilio.url}/twilio/login", timeout=30)
    assert page.status_code == 403, page.text
    assert mei.whoami(by_twilio) is None


@pytest.mark.node
def test_in_twilio_s_place_signing_out_there_ends_it_here(by_twilio: Bridge, node_provider: str) -> None:
    mei = hire(node_provider, "segment")
    page = arrive(by_twilio, mei)
    send(mei, page, f"{urlsplit(page.url).path}/create")
    assert ways_in(by_twilio, mei) == ["twilio"]
    assert mei.submit(mei.get(f"{node_provider}/session/end", timeout=30), logout="yes").ok
    deadline = time.monotonic() + 5
    while mei.whoami(by_twilio) is not None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert mei.whoami(by_twilio) is None


# -- PyPI oidc-provider-mock -------------------------------------------------------------------------


@contextmanager
def running_mock() -> Iterator[str]:
    """oidc-provider-mock, for the length of a block: its address."""
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + 30
        try:
            while time.monotonic() < deadline:
                try:
                    requests.get(url, timeout=5)
                    break
                except requests.ConnectionError:
                    time.sleep(0.1)
            yield url
        finally:
            process.terminate()


def test_the_mock_signs_in_and_out(bridge: Bridge) -> None:
    with running_mock() as issuer:
        connection = connect(bridge, "mocked", issuer)
        person = {"email": "mei@mocked.example", "groups": ["eng", "ops"]}
        requests.put(f"{issuer}/users/mei", json=person, timeout=30).raise_for_status()
        mei = Browser("mei")
        shown = mei.get(connection["login_url"], timeout=30)
        check_signed_in(bridge, mei, mei.post(shown.url, data={"sub": "mei"}, timeout=30), "mocked", ["eng", "ops"])
        asked = mei.submit(mei.get(f"{bridge.url}/logout", timeout=30))
        assert urlsplit(asked.url).path == "/oauth2/end_session"
        assert "id_token_hint=" in asked.url
        assert mei.whoami(bridge) is None
