"""The simulated Twilio in a real browser: the stories of people, on a client's site and back, and accessibility."""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pyotp
import pytest
from flask import Flask, redirect, request
from playwright.sync_api import Browser, ConsoleMessage, Page, expect
from werkzeug.wrappers import Response

from simulated.serving import listen
from simulated.twilio.app import create_app
from simulated.twilio.site import SESSION_COOKIE, Site, open_site
from tests.axe import axe_finds
from tests.simulated.twilio.at_google import listening as google_listening
from tests.simulated.twilio.at_google import registration
from tests.simulated.twilio.browser import PASSWORD
from tests.simulated.twilio.conftest import PERSON
from tests.simulated.twilio.listening import address, serving
from tests.simulated.twilio.relying_party import CLIENT, RelyingParty

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]


@dataclass(frozen=True, slots=True)
class World:
    """Twilio, Google, and a client on another site (`localhost`), all listening."""

    twilio: Site
    google: str
    client: str


@pytest.fixture(scope="module")
def world(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("twilio-world")
    shutil.copytree(prepared, folder / "state")
    at_twilio, at_client = listen(0), listen(0)
    here, there = address(at_twilio), address(at_client, "localhost")
    with google_listening(folder / "google", here) as google:
        site = open_site(folder / "state", here, time.time, registration(google), durable=False)
        moved = json.loads(json.dumps(CLIENT).replace("http://localhost:8000", there))
        site.provider.clients.register(moved)
        twilio = create_app(site)
        with serving(twilio, at_twilio), serving(make_client(twilio, here, there), at_client):
            yield World(site, google.public_url, there)
        site.close()


def make_client(twilio: Flask, issuer: str, own: str) -> Flask:
    """A client that asks for a login by Twilio when it is told to, and then says who arrived."""
    app = Flask("client")
    rp = RelyingParty(twilio, issuer)

    @app.get("/initiate")
    def initiate() -> Response:
        assert request.args.to_dict() == {"iss": issuer, "target_link_uri": f"{own}/start"}
        return redirect(issuer + rp.request(redirect_uri=f"{own}/callback"))

    @app.get("/callback")
    def callback() -> str:
        form = {"redirect_uri": f"{own}/callback"}
        tokens = rp.redeem(request.args["code"], **form).json or {}
        person = rp.read(tokens["id_token"]).claims
        bye = urlencode({"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": f"{own}/bye"})
        return shown(f"Segment of {person['name']}", f'<a href="{issuer}/oauth2/logout?{bye}">Log out</a>')

    @app.get("/bye")
    def bye() -> str:
        return shown("Signed out of Segment")

    return app


def shown(heading: str, more: str = "") -> str:
    return f"<!doctype html><title>Segment</title><link rel=icon href=data:,><h1>{heading}</h1>{more}"


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Opens a page in a context of its own; the test fails if it logs an error, as a broken policy does."""
    faults: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and "status of 4" not in message.text:  # a page that says what was refused
            faults.append(f"{message.location.get('url')}: {message.text}")

    def open_it(url: str, *, width: int = 1200, script: bool = True) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 800}, java_script_enabled=script)
        page = context.new_page()
        page.on("console", note)
        page.goto(url)
        return page

    yield open_it
    for context in browser.contexts:
        context.close()
    assert faults == []


def sign_up(page: Page, email: str) -> None:
    """Fills in the form of the page, and opens the mailed link."""
    page.get_by_label("First name").fill("Mei")
    page.get_by_label("Last name").fill("Tanaka")
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Start").click()
    page.get_by_role("link", name="Open the simulated inbox").click()
    page.get_by_role("link", name="Open the link").first.click()
    page.get_by_role("button", name="Confirm and go on").click()


def log_in(world: World, page: Page) -> None:
    """Types Priya's password and SMS."""
    page.get_by_label("Email address").fill(PERSON["email"])
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue", exact=True).click()
    page.get_by_label("Code").fill(world.twilio.messages.latest("sms")[0].text[:6])
    page.get_by_role("button", name="Log in", exact=True).click()


def begin(world: World, page: Page) -> None:
    """Logs Priya in without a page."""
    priya = world.twilio.accounts.find_by_email(PERSON["email"])
    assert priya
    secret = world.twilio.sessions.begin(priya.id, ("pwd",), "Firefox on Linux", "127.0.0.1")
    page.context.add_cookies([{"name": SESSION_COOKIE, "value": secret, "url": world.twilio.public_url}])


def third_party(world: World) -> str:
    """What the Product Switcher says to a client (Core 4)."""
    return urlencode({"iss": world.twilio.public_url, "target_link_uri": f"{world.client}/start"})


def arrive(page: Page, heading: str) -> None:
    expect(page.get_by_role("heading", name=heading)).to_be_visible()


def test_signing_up_with_an_app_on_the_way_to_a_client_and_switching_back_and_forth(
    world: World, open_page: OpenPage
) -> None:
    twilio = world.twilio.public_url
    page = open_page(
        f"{world.client}/initiate?{urlencode({'iss': twilio, 'target_link_uri': world.client + '/start'})}"
    )
    page.get_by_role("link", name="Sign up").click()
    sign_up(page, "mei@kicks.example")
    assert page.get_by_alt_text("QR code").evaluate("image => image.complete && image.naturalWidth > 0")
    page.get_by_label("Code that the app shows").fill(
        pyotp.TOTP(page.locator(".key").inner_text().replace(" ", "")).now()
    )
    page.get_by_role("button", name="Use the app").click()
    arrive(page, "Segment of Mei Tanaka")
    before = world.twilio.request_log.latest(1)[0]
    page.goto(f"{twilio}/console")
    page.get_by_text("Products", exact=True).first.click()
    examine(page, "switcher")
    page.get_by_role("navigation", name="Product Switcher").get_by_role("link", name="Segment").click()
    arrive(page, "Segment of Mei Tanaka")
    lines = world.twilio.request_log.latest(50)
    since = lines[: lines.index(before)]
    assert any(line["route"] == "/switch/<client_id>" for line in since)
    assert [line for line in since if line["fields"] and line["route"] != "/oauth2/token"] == []
    page.get_by_role("link", name="Log out").click()
    arrive(page, "Signed out of Segment")
    page.goto(f"{twilio}/console")
    arrive(page, "Log in")


@pytest.mark.long
def test_signing_up_with_google(world: World, open_page: OpenPage) -> None:
    page = open_page(f"{world.twilio.public_url}/sign-up")
    page.get_by_role("button", name="Sign up with Google").click()
    examine(page, "google-chooser")
    page.get_by_role("button", name="Noor Haddad").click()
    arrive(page, "Welcome, Noor")


@pytest.mark.long
def test_without_script_a_login_goes_on_to_the_client(world: World, open_page: OpenPage) -> None:
    page = open_page(f"{world.client}/initiate?{third_party(world)}", script=False)
    log_in(world, page)
    arrive(page, "Segment of Priya Raman")


@pytest.mark.long
def test_a_forgotten_password(world: World, open_page: OpenPage) -> None:
    page = open_page(f"{world.twilio.public_url}/login")
    page.get_by_role("link", name="Sign up").click()
    sign_up(page, "ada@kicks.example")
    examine(page, "set-up")
    page.get_by_label("Phone number").fill("+44 20 7946 0001")
    page.get_by_role("button", name="Send a code").click()
    examine(page, "set-up-code")
    page.get_by_label("Code").fill(world.twilio.messages.latest("sms")[0].text[:6])
    page.get_by_role("button", name="Use this phone").click()
    arrive(page, "Welcome, Mei")
    page.get_by_role("button", name="Log out").click()
    page.get_by_role("link", name="Log in again").click()
    page.get_by_role("link", name="Forgotten password").click()
    page.get_by_label("Email address").fill("ada@kicks.example")
    page.get_by_role("button", name="Mail me a link").click()
    page.get_by_role("link", name="Open the simulated inbox").click()
    page.get_by_role("link", name="Open the link").first.click()
    examine(page, "reset")
    page.get_by_label("New password").fill("another good phrase")
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_text("Your password is changed")).to_be_visible()


@pytest.mark.long
def test_changing_name_and_address_and_closing(world: World, open_page: OpenPage) -> None:
    mei = world.twilio.accounts.create("closing@kicks.example", "Zoe", "Z", google_subject="closing")
    page = open_page(f"{world.twilio.public_url}/login")
    secret = world.twilio.sessions.begin(mei.id, (), "", "")
    page.context.add_cookies([{"name": SESSION_COOKIE, "value": secret, "url": world.twilio.public_url}])
    page.goto(f"{world.twilio.public_url}/console/profile")
    page.get_by_label("First name").fill("Zoë")
    page.get_by_role("button", name="Save name").click()
    expect(page.get_by_role("status")).to_contain_text("Your name is changed")
    page.get_by_label("New email address").fill("zoe@kicks.example")
    page.get_by_role("button", name="Mail a link there").click()
    page.goto(world.twilio.public_url + world.twilio.messages.latest("mail")[0].link)
    page.get_by_role("button", name="Use this address").click()
    expect(page.get_by_text("zoe@kicks.example").first).to_be_visible()
    page.get_by_role("link", name="Security").click()
    page.get_by_label("Type zoe@kicks.example").fill("zoe@kicks.example")
    page.get_by_role("button", name="Close my account").click()
    arrive(page, "Your account is closed")


PAGES = (
    *("login", "sign-up", "forgotten-password", "simulated/inbox", "simulated/phone", "simulated/deliveries"),
    *("simulated/requests", "console", "console/profile", "console/security", "console/products", "products/messaging"),
    *("oauth2/logout", "second-factor"),
)


@pytest.mark.long
@pytest.mark.parametrize("width", [360, 1200])
def test_every_page_is_accessible_and_fits(world: World, open_page: OpenPage, width: int) -> None:
    page = open_page(f"{world.twilio.public_url}/login", width=width)
    log_in(world, page)
    for path in PAGES:
        page.goto(f"{world.twilio.public_url}/{path}")
        if path == "products/messaging":
            page.get_by_text("Products", exact=True).first.click()
            menu = page.get_by_role("navigation", name="Product Switcher").bounding_box()
            assert menu
            assert 0 <= menu["x"] <= menu["x"] + menu["width"] <= width
        examine(page, f"{path.replace('/', '-')}-{width}")


@pytest.mark.long
@pytest.mark.parametrize("width", [360, 1200])
def test_google_s_pages_are_accessible_and_fit(world: World, open_page: OpenPage, width: int) -> None:
    page = open_page(world.google, width=width)
    examine(page, f"google-{width}")
    page.goto(f"{world.google}/oauth2/authorize?client_id=x&response_type=code")
    examine(page, f"google-refused-{width}")


def examine(page: Page, name: str) -> None:
    """Fails where axe finds a barrier, or the page is wider than its window. Takes a picture where one is wanted."""
    if wanted := os.environ.get("BRIDGE_TEST_SCREENSHOTS"):
        page.screenshot(path=Path(wanted) / f"twilio-{name}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), name
    assert axe_finds(page) == [], name
