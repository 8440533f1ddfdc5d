"""Signing in across two real sites in Chromium: the bridge on localhost, the company's IdP on 127.0.0.1.

What no test client shows: SameSite=Lax keeps our cookies from the IdP's POST, and form-action holds for redirects.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html import escape
from urllib.parse import urlsplit

import pytest
from flask import Flask, Response, request
from playwright.sync_api import Browser, Page, Request, Route
from sqlalchemy import update

from bridge.app import create_web
from bridge.flows.context import OPERATOR
from bridge.flows.try_connection import allow_test
from bridge.storage.changes import changing
from bridge.storage.connections import find_by_uid, set_connection
from bridge.storage.database import Database
from bridge.storage.tables import connections
from tests.browser.conftest import NewPage, served
from tests.flows.logins import prove_domain
from tests.saml import logouts
from tests.saml.idp import TestIdp
from tests.web.browsing import Company, authn_request_in, connect, message_in
from tests.world import World, make_context, make_world

pytestmark = pytest.mark.browser


class CompanyIdp:
    """An IdP's web site: it knows Mei, and answers whatever asks."""

    def __init__(self) -> None:
        self.company: Company | None = None
        self.app = Flask("idp")
        self.app.get("/sso/redirect")(self.sign_in)
        self.app.get("/start")(self.start)
        self.app.get("/slo")(self.sign_out)

    def sign_in(self) -> str:
        """The page behind the AuthnRequest."""
        return self._page(authn_request_in(request.url).get("ID"))

    def sign_out(self) -> Response:
        """It is told that Mei signed out, and answers."""
        assert self.company is not None
        request_id = message_in(request.url).get("ID", "")
        answer = logouts.response(request_id, self.company.sp, datetime.now(UTC).replace(microsecond=0))
        query = logouts.redirected(answer, field="SAMLResponse").decode()
        return Response(status=303, headers={"Location": f"{self.company.sp.slo_url}?{query}"})

    def start(self) -> str:
        """The company's own dashboard: it asks nobody."""
        return self._page(None)

    def _page(self, request_id: str | None) -> str:
        assert self.company is not None
        form = self.company.answer(in_response_to=request_id)
        fields = "".join(f'<input type="hidden" name="{name}" value="{escape(form[name])}">' for name in form)
        action = escape(self.company.sp.acs_url)
        head = '<!doctype html><title>Kicks</title><link rel="icon" href="data:,">'
        return f'{head}<form method="post" action="{action}">{fields}<button>Mei</button>'


@pytest.fixture
def idp() -> Iterator[tuple[CompanyIdp, str]]:
    """The company's IdP and its address."""
    site = CompanyIdp()
    with served(site.app) as address:
        yield site, address


@pytest.fixture
def bridge(database: Database, idp: tuple[CompanyIdp, str]) -> Iterator[str]:
    """The bridge, connected to the IdP, with its domain proved; gives the address people use."""
    site, idp_address = idp
    front = Flask("front")
    with served(front) as address:
        public_url = f"http://localhost:{urlsplit(address).port}"
        made = make_world(database, datetime.now(UTC))
        world = replace(made, context=replace(made.context, public_url=public_url))
        prove_domain(world, "kicks.example")
        site.company = connect(world.context, "acme", TestIdp(base_url=idp_address), name="Kicks", idp_initiated=True)
        disable_first_connection(world)
        front.wsgi_app = create_web(world.context).wsgi_app  # type: ignore[method-assign]
        yield public_url


def disable_first_connection(world: World) -> None:
    with changing(world.context.database, OPERATOR, world.now) as change:
        set_connection(change, world.connection.key, enabled=False)


def workspaces(page: Page, bridge: str) -> list[str]:
    """What the browser's session reaches."""
    told = page.request.get(f"{bridge}/session")
    return [workspace["slug"] for workspace in told.json()["workspaces"]] if told.ok else []


def test_from_the_email_through_the_idp_to_the_page_asked_for(bridge: str, new_page: NewPage) -> None:
    page = new_page()
    page.goto(f"{bridge}/login?return_to=/logout")
    page.get_by_label("Email").fill("mei@kicks.example")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Mei").click()
    page.wait_for_url(f"{bridge}/logout")
    assert page.get_by_text("mei@kicks.example").is_visible()
    assert workspaces(page, bridge) == ["acme"]
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{bridge}/login")
    assert workspaces(page, bridge) == []


def test_the_idps_post_brings_no_cookie_and_the_get_after_it_does(bridge: str, new_page: NewPage) -> None:
    """Else the POST alone would sign in whoever it comes from (login CSRF); the session has an id of its own."""
    page = new_page()
    sent: dict[str, str] = {}
    page.on("request", lambda one: sent.update({urlsplit(one.url).path.rpartition("/")[2]: _cookies_of(one)}))
    ids = []
    for _ in range(2):
        page.goto(f"{bridge}/login?return_to=/logout")
        page.get_by_label("Email").fill("mei@kicks.example")
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("button", name="Mei").click()
        page.wait_for_url(f"{bridge}/logout")
        kept = {one["name"]: one for one in page.context.cookies(bridge)}
        ids.append(kept["bridge_session"]["value"])
        assert not any(name.startswith("bridge_login_") for name in kept)  # it is over
        for name in ("bridge_session", "bridge_browser"):
            assert (kept[name]["httpOnly"], kept[name]["sameSite"]) == (True, "Lax")
    assert "bridge_" not in sent["acs"]
    assert "bridge_login_" in sent["continue"]
    assert ids[0] != ids[1]


#: How often two tabs may be opened until neither waited for the other.
_TRIES = 10


def _cookies_of(request: Request) -> str:
    return request.all_headers().get("cookie", "")


def test_a_test_of_the_connection_shows_its_result_and_signs_nobody_in(
    bridge: str, idp: tuple[CompanyIdp, str], new_page: NewPage, database: Database
) -> None:
    site, _ = idp
    assert site.company is not None
    context = make_context(database)
    url = allow_test(context, OPERATOR, "acme", site.company.connection_id, datetime.now(UTC))
    page = new_page()
    page.goto(f"{bridge}{url}")
    page.get_by_role("button", name="Mei").click()
    page.get_by_role("heading", name="The test went all the way").wait_for()
    assert page.get_by_text("The signature is good").is_visible()
    assert workspaces(page, bridge) == []
    page.reload()
    assert page.get_by_role("heading", name="What would happen").is_visible()


@pytest.mark.long
def test_signing_out_on_any_page_goes_round_by_the_idp(
    bridge: str, idp: tuple[CompanyIdp, str], database: Database, new_page: NewPage
) -> None:
    """A page's form-action holds for redirects, too: it must not keep the browser from the IdP."""
    _set_slo(database, idp)
    page = new_page()
    page.goto(f"{bridge}/login?return_to=/")
    page.get_by_label("Email").fill("mei@kicks.example")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Mei").click()
    page.wait_for_url(f"{bridge}/**")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{bridge}/logout?sso=done")
    assert page.get_by_text("You are signed out").is_visible()
    assert workspaces(page, bridge) == []


def _set_slo(database: Database, idp: tuple[CompanyIdp, str]) -> None:
    site, address = idp
    assert site.company is not None
    with database.writing() as connection:
        found = find_by_uid(connection, site.company.connection_id)
        assert found is not None
        config = {**found.config, "idp": {**found.config["idp"], "slo_url": f"{address}/slo"}}
        connection.execute(update(connections).where(connections.c.id == found.key).values(config=config))


@pytest.mark.long
def test_two_tabs_of_one_browser(bridge: str, new_page: NewPage) -> None:
    first = new_page()
    second = first.context.new_page()
    for tab in (first, second):
        tab.goto(f"{bridge}/login?return_to=/logout")
        tab.get_by_label("Email").fill("mei@kicks.example")
        tab.get_by_role("button", name="Continue").click()
    for tab in (second, first):
        tab.get_by_role("button", name="Mei").click()
        tab.wait_for_url(f"{bridge}/logout")
    assert workspaces(first, bridge) == ["acme"]


def test_two_tabs_that_open_at_the_very_same_moment(
    bridge: str, idp: tuple[CompanyIdp, str], new_page: NewPage
) -> None:
    """In a browser that was never here: each gets a cookie, and neither takes the other's away."""
    site, idp_address = idp
    assert site.company is not None
    url = f"{bridge}{site.company.path('login')}?return_to=/logout"
    for _ in range(_TRIES):
        page = new_page()
        page.goto(f"{idp_address}/start")
        first, second, cookies = _two_tabs_at_once(page, url, f"{idp_address}/**")
        if cookies == ["", ""]:
            break
    assert cookies == ["", ""], "the second always came after the first one's answer"
    for tab in (first, second):
        tab.get_by_role("button", name="Mei").click()
        tab.wait_for_url(f"{bridge}/logout")
    assert workspaces(first, bridge) == ["acme"]


def _two_tabs_at_once(page: Page, url: str, arrived: str) -> tuple[Page, Page, list[str]]:
    """Both tabs, when they have arrived, and what cookies each sent to the address that it was opened with."""
    sent: list[Route] = []

    def both_together(one: Route) -> None:
        sent.append(one)
        if len(sent) == 2:
            for each in sent:
                each.continue_()

    page.context.route(url, both_together)
    page.evaluate("url => { window.open(url); window.open(url) }", url)
    while len(page.context.pages) < 3:
        page.wait_for_timeout(20)
    first, second = page.context.pages[1:]
    for tab in (second, first):
        tab.wait_for_url(arrived)
    return first, second, [_cookies_of(one.request) for one in sent]


@pytest.mark.long
def test_from_the_companys_own_dashboard(bridge: str, idp: tuple[CompanyIdp, str], browser: Browser) -> None:
    _, idp_address = idp
    page = browser.new_page()
    page.goto(f"{idp_address}/start")
    with page.expect_response(f"{bridge}/saml/*/continue?*") as told:
        page.get_by_role("button", name="Mei").click()
    assert told.value.status == 303
    page.wait_for_url(f"{bridge}/**")
    assert workspaces(page, bridge) == ["acme"]
    page.close()


def test_an_answer_carried_into_another_browser_signs_nobody_in(
    bridge: str, idp: tuple[CompanyIdp, str], new_page: NewPage, browser: Browser
) -> None:
    """Login CSRF: a stranger's login, finished in the victim's browser by the stranger's page."""
    _, idp_address = idp
    stranger, victim = new_page(), browser.new_page()
    stranger.goto(f"{bridge}/login")
    stranger.get_by_label("Email").fill("mei@kicks.example")
    stranger.get_by_role("button", name="Continue").click()
    assert stranger.url.startswith(idp_address)
    victim.goto(stranger.url)
    victim.get_by_role("button", name="Mei").click()
    victim.get_by_role("heading", name="Please start again").wait_for()
    assert workspaces(victim, bridge) == []
    victim.close()
