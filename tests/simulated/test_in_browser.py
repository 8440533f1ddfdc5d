"""The company IdP in a real browser: cookies across sites, the page that posts by itself, and accessibility."""

from base64 import b64encode
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs

import pytest
import requests
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.axe import axe_finds
from tests.simulated.program import DEMO, running
from tests.simulated.saml_peer import authn_request, redirect_query, sp_metadata

pytestmark = pytest.mark.browser

PAGES = (
    "/login",
    "/console/people",
    "/console/people/00uWHrTmvi",
    "/console/groups",
    "/console/groups/00gm820nA8",
    "/console/provisioning",
    "/console/settings",
)


class Provider:
    """A service provider on another site (`localhost`): keeps what is posted to it, and can send a request by POST."""

    def __init__(self) -> None:
        provider = self
        self.posted: list[dict[str, list[str]]] = []
        self.idp = ""

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                request = b64encode(authn_request()).decode()
                self.say(
                    f'<form method="post" action="{provider.idp}/sso"><input name="SAMLRequest" value="{request}">'
                    "<button>Sign in</button></form>"
                )

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                provider.posted.append(parse_qs(body))
                self.say("<h1>Arrived</h1>")

            def say(self, page: str) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(f"<!doctype html><link rel=icon href=data:,>{page}".encode())

            def log_message(self, *_: object) -> None:
                """Says nothing on the test's output."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://localhost:{self.server.server_port}"
        self.thread = Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    provider = Provider()
    yield provider
    provider.close()


@pytest.fixture(scope="module")
def idp(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> Iterator[str]:
    """The demo's company IdP, which knows the provider."""
    with running(tmp_path_factory.mktemp("idp"), "--story", str(DEMO)) as url:
        metadata = sp_metadata().replace("http://localhost:8000/saml/c1/acs", f"{provider.url}/acs")
        wanted = {"service_provider": {"metadata": metadata}}
        requests.put(f"{url}/api/settings", json=wanted, timeout=10).raise_for_status()
        provider.idp = url
        yield url


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page in a context of its own; the test fails if it logs an error, as a broken policy does."""
    faults: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error":
            faults.append(message.text)

    def open_it(url: str, *, width: int = 1440, scheme: str = "light", script: bool = True) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme="dark" if scheme == "dark" else "light",
            java_script_enabled=script,
        )
        page = context.new_page()
        page.on("console", note)
        page.goto(url)
        return page

    yield open_it
    for context in browser.contexts:
        context.close()
    assert faults == []


def test_one_click_signs_in_and_the_answer_goes_on_by_itself(
    idp: str, provider: Provider, open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{idp}/sso?{redirect_query(authn_request(), 'back/here')}")
    page.get_by_role("button", name="Priya Raman").click()
    page.get_by_role("heading", name="Arrived").wait_for()
    assert page.url == f"{provider.url}/acs"
    assert provider.posted[-1]["RelayState"] == ["back/here"]
    assert provider.posted[-1]["SAMLResponse"]


def test_without_script_a_button_sends_it_on(idp: str, open_page: Callable[..., Page]) -> None:
    page = open_page(f"{idp}/sso?{redirect_query(authn_request())}", script=False)
    page.get_by_label("Work email").fill("priya.raman@kicks.example")
    page.get_by_label("Password").fill("kicks-demo")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("heading", name="Arrived").wait_for()


def test_a_request_posted_by_another_site_finds_the_session(
    idp: str, provider: Provider, open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{idp}/login")
    page.get_by_role("button", name="Mei Tanaka").click()
    page.get_by_role("heading", name="Apps of Mei Tanaka").wait_for()
    page.goto(provider.url)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Arrived").wait_for()


@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        (360, "dark"),
        pytest.param(1440, "dark", marks=pytest.mark.long),
        pytest.param(1440, "light", marks=pytest.mark.long),
        pytest.param(360, "light", marks=pytest.mark.long),
    ],
)
def test_every_page_is_accessible_and_fits(idp: str, open_page: Callable[..., Page], width: int, scheme: str) -> None:
    page = open_page(idp, width=width, scheme=scheme)
    for path in PAGES:
        page.goto(idp + path)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), path
        assert axe_finds(page) == [], path
