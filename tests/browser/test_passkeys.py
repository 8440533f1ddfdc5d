"""Passkeys in Chromium, kept by its virtual authenticator (WebAuthn Automation): added, used alone and as second
factor, refused when replayed, copied, or without user verification.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Browser, CDPSession, Page, expect
from sqlalchemy import select, update

from bridge.app import create_web
from bridge.storage.database import Database
from bridge.storage.tables import second_factors, sessions, sign_in_attempts
from tests.browser.conftest import NewPage, served
from tests.flows.logins import PASSWORD, account, join
from tests.world import World, make_world

pytestmark = pytest.mark.browser
ANN = "ann@acme.example"


@pytest.fixture
def bridge(database: Database) -> Iterator[tuple[str, World]]:
    """The bridge's address, and what is behind it: Ann is a member with a password."""
    front = Flask("front")
    with served(front) as address:
        public_url = f"http://localhost:{urlsplit(address).port}"
        made = make_world(database, datetime.now(UTC))
        world = replace(made, context=replace(made.context, public_url=public_url))
        join(world, account(world, ANN, password=PASSWORD))
        front.wsgi_app = create_web(world.context).wsgi_app  # type: ignore[method-assign]
        yield public_url, world


@pytest.fixture
def plain_page(browser: Browser) -> Iterator[Page]:
    """A page that isn't watched: a refusal's status is an error on its console."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


def authenticator(page: Page, *, verifies: bool = True) -> tuple[CDPSession, str]:
    """The page's browser has a device that keeps passkeys; `verifies` its person."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "isUserVerified": verifies,
               "hasUserVerification": True, "automaticPresenceSimulation": True}  # fmt: skip
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session, made["authenticatorId"]


def enter_password(page: Page, url: str) -> None:
    page.goto(f"{url}/login?way=password")
    page.get_by_label("Email").fill(ANN)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def add_passkey(page: Page, url: str) -> None:
    enter_password(page, url)
    page.wait_for_url(lambda at: "/login" not in at)
    page.goto(f"{url}/account/factors/passkey")
    page.get_by_label("A name for it").fill("Laptop")
    page.get_by_role("button", name="Make a passkey").click()
    page.get_by_role("heading", name="Store your recovery codes").wait_for()
    page.get_by_role("link", name="I stored them").click()
    expect(page.get_by_text("Laptop").first).to_be_visible()


def workspaces(page: Page, url: str) -> list[str]:
    told = page.request.get(f"{url}/session")
    return [workspace["slug"] for workspace in told.json()["workspaces"]] if told.ok else []


def sign_out(page: Page) -> None:
    page.context.clear_cookies()


def test_a_passkey_signs_in_alone_and_after_the_password(bridge: tuple[str, World], new_page: NewPage) -> None:
    url, _ = bridge
    page = new_page()
    authenticator(page)
    add_passkey(page, url)
    sign_out(page)
    page.goto(f"{url}/login?return_to=/w/acme/roles")
    page.get_by_role("link", name="Sign in with a passkey").click()
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(f"{url}/w/acme/roles")
    assert workspaces(page, url) == ["acme"]
    by = page.request.get(f"{url}/session").json()["authenticated_by"][0]
    assert (by["kind"], by["method"]) == ("password", "passkey")
    sign_out(page)
    enter_password(page, url)
    page.wait_for_url(f"{url}/login/factor")
    assert workspaces(page, url) == []
    page.get_by_role("button", name="Use your passkey").click()
    page.wait_for_url(lambda at: "/login" not in at)
    assert workspaces(page, url) == ["acme"]


def test_it_is_the_fresh_proof_before_an_account_changes(bridge: tuple[str, World], new_page: NewPage) -> None:
    url, world = bridge
    page = new_page()
    authenticator(page)
    add_passkey(page, url)
    with world.context.database.writing() as connection:
        connection.execute(update(sessions).values(proved_at=datetime(2026, 1, 1, tzinfo=UTC)))
    page.goto(f"{url}/account/password")
    page.wait_for_url(f"{url}/account/prove?return_to=/account/password")
    page.get_by_role("button", name="Use your passkey").click()
    page.wait_for_url(f"{url}/account/password")


def test_alone_it_must_verify_its_person(bridge: tuple[str, World], plain_page: Page) -> None:
    url, world = bridge
    page = plain_page
    session, device = authenticator(page)
    add_passkey(page, url)
    sign_out(page)
    session.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
    page.goto(f"{url}/login/passkey")
    # A browser that was tampered with asks for less than we said.
    page.evaluate("""() => { const form = document.querySelector("[data-passkey]"); const asked =
        JSON.parse(form.dataset.options); asked.userVerification = "discouraged";
        form.dataset.options = JSON.stringify(asked); }""")
    with page.expect_response(lambda told: told.request.method == "POST") as told:
        page.get_by_role("button", name="Use a passkey").click()
    assert told.value.status == 403
    assert workspaces(page, url) == []
    with world.context.database.reading() as rows:
        found = rows.execute(select(sign_in_attempts.c.kind, sign_in_attempts.c.outcome)).all()
    assert ("passkey", "refused") in found


def test_an_answer_counts_once_and_a_copied_key_is_noticed(bridge: tuple[str, World], plain_page: Page) -> None:
    url, world = bridge
    page = plain_page
    authenticator(page)
    add_passkey(page, url)
    sign_out(page)
    page.goto(f"{url}/login/passkey")
    with page.expect_request(lambda sent: sent.method == "POST") as sent:
        page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(lambda at: "/login" not in at)
    (answer,) = parse_qs(sent.value.post_data or "")["code"]
    sign_out(page)
    page.goto(f"{url}/login/passkey")
    token = page.locator("input[name=csrf_token]").first.input_value()
    for code in (answer, "", "{}", "[]", "null", '{"response": {"clientDataJSON": "e30"}}', "x" * 30_000, answer[:-9]):
        told = page.request.post(f"{url}/login/passkey", form={"csrf_token": token, "code": code})
        assert told.status == 403
    with world.context.database.writing() as connection:
        connection.execute(update(second_factors).values(last_step=1_000_000))  # its copy was used as often
    page.goto(f"{url}/login/passkey")
    with page.expect_response(lambda told: told.request.method == "POST") as refused:
        page.get_by_role("button", name="Use a passkey").click()
    assert refused.value.status == 403
    assert workspaces(page, url) == []
