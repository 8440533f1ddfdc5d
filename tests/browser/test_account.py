"""One's own account in Chromium: a forgotten password, then name, email, password and ways in; each page sound."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bridge.flows.deliver import deliver_due
from bridge.storage.database import Database
from tests.browser.conftest import NewPage
from tests.browser.looking import Looker
from tests.flows.logins import PASSWORD, account, join, sign_in
from tests.flows.mailer import KeptMail
from tests.world import World, make_world

pytestmark = pytest.mark.browser

ANN, NEW = "ann@acme.example", "nine quiet dogs walk"
LOOKS = [(360, "dark"), pytest.param(1440, "light", marks=pytest.mark.long)]


@pytest.fixture
def world(database: Database) -> World:
    """acme, and Ann, who comes by a password and by Okta."""
    world = make_world(database, datetime.now(UTC))
    join(world, account(world, ANN, password=PASSWORD))
    sign_in(world, ANN)
    return world


def mailed(world: World) -> str:
    """The path of the last link that was mailed."""
    mailer = KeptMail()
    deliver_due(world.context, mailer, world.now + timedelta(days=1))
    found = [re.search(r"(/(?:reset|account/confirm)/\S+)", mail.text) for mail in mailer.sent]
    return [one[1] for one in found if one][-1]


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_an_account_from_forgotten_to_another_address(
    world: World, address: str, new_page: NewPage, screenshots: Path | None, width: int, scheme: str
) -> None:
    page = new_page(width=width, scheme=scheme)
    page.set_default_timeout(10_000)
    look = Looker(page, screenshots, f"account-{width}-{scheme}")
    _forget(page, address, world, look)
    _sign_in(page, address)
    look.here("workspace")
    page.goto(f"{address}/account")
    look.here("index")
    page.get_by_role("textbox", name="Name").fill("Ann Other")
    page.get_by_role("button", name="Save the name").click()
    expect(page.get_by_text("Your name was changed")).to_be_visible()
    _change_email(page, address, world, look)
    page.get_by_role("link", name="Change… Password").click()
    look.here("password")
    page.get_by_label("New password").fill("another quiet sentence")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Your password was changed")).to_be_visible()
    page.get_by_role("link", name="Unlink… Okta").click()
    look.here("unlink")
    page.get_by_role("button", name="Unlink it").click()
    expect(page.get_by_text("It doesn’t open your account any more")).to_be_visible()
    page.goto(f"{address}/account/prove")
    look.here("prove")


def _forget(page: Page, address: str, world: World, look: Looker) -> None:
    page.goto(f"{address}/login")
    page.get_by_label("Email").fill(ANN)
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Forgotten your password?").click()
    look.here("forgotten")
    page.get_by_role("button", name="Mail me a link").click()
    expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
    look.here("sent")
    page.goto(address + mailed(world))
    look.here("choose")
    page.get_by_label("New password").fill(NEW)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your password is changed")).to_be_visible()
    look.here("done")
    page.get_by_role("link", name="Sign in").click()


def _sign_in(page: Page, address: str) -> None:
    page.get_by_label("Email").fill(ANN)
    page.keyboard.press("Enter")
    page.get_by_label("Password").fill(NEW)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/w/acme**")


def _change_email(page: Page, address: str, world: World, look: Looker) -> None:
    page.get_by_role("link", name="Change… the email").click()
    look.here("email")
    page.get_by_label("New email").fill("ann@else.example")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Look into your mail")).to_be_visible()
    page.goto(address + mailed(world))
    look.here("confirm")
    page.get_by_role("button", name="Change the email").click()
    expect(page.get_by_text("ann@else.example").first).to_be_visible()
