"""One's own account in Chromium: a forgotten password, then name, email, password and ways in; each page sound."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bridge.app import create_web
from bridge.flows.deliver import deliver_due
from bridge.storage.database import Database
from tests.browser.conftest import NewPage, served
from tests.browser.test_gallery import axe_finds, too_wide
from tests.databases import Engine
from tests.flows.logins import PASSWORD, account, join, sign_in
from tests.flows.mailer import KeptMail
from tests.world import World, make_world

pytestmark = pytest.mark.browser

ANN, NEW = "ann@acme.example", "nine quiet dogs walk"
LOOKS = [(360, "dark"), *(pytest.param(*look, marks=pytest.mark.long) for look in [(1440, "light"), (360, "light")])]


@pytest.fixture(params=["sqlite"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """One kind of database is enough here."""
    engine: Engine = request.param
    return engine


@pytest.fixture
def world(database: Database) -> World:
    """acme, and Ann, who comes by a password and by Okta."""
    world = make_world(database, datetime.now(UTC))
    join(world, account(world, ANN, password=PASSWORD))
    sign_in(world, ANN)
    return world


@pytest.fixture
def address(world: World) -> Iterator[str]:
    """Where the bridge is served."""
    with served(create_web(world.context)) as address:
        yield address


def mailed(world: World) -> str:
    """The path of the last link that was mailed."""
    mailer = KeptMail()
    deliver_due(world.context, mailer, world.now + timedelta(days=1))
    found = [re.search(r"(/(?:reset|account/confirm)/\S+)", mail.text) for mail in mailer.sent]
    return [one[1] for one in found if one][-1]


class Looker:
    """Looks at each page: it fits, and has no barriers."""

    def __init__(self, page: Page, pictures: Path | None, look: str) -> None:
        self.page, self.pictures, self.look = page, pictures, look

    def at(self, name: str) -> None:
        """The page that is shown."""
        if self.pictures is not None:
            self.page.screenshot(path=self.pictures / f"account-{name}-{self.look}.png", full_page=True)
        assert axe_finds(self.page) == [], name
        assert too_wide(self.page) == [], name


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_an_account_from_forgotten_to_another_address(
    world: World, address: str, new_page: NewPage, screenshots: Path | None, width: int, scheme: str
) -> None:
    page = new_page(width=width, scheme=scheme)
    page.set_default_timeout(10_000)
    look = Looker(page, screenshots, f"{width}-{scheme}")
    _forget(page, address, world, look)
    _sign_in(page, address)
    look.at("workspace")
    page.goto(f"{address}/account")
    look.at("index")
    page.get_by_role("textbox", name="Name").fill("Ann Other")
    page.get_by_role("button", name="Save the name").click()
    expect(page.get_by_text("Your name was changed")).to_be_visible()
    _change_email(page, address, world, look)
    page.get_by_role("link", name="Change… Password").click()
    look.at("password")
    page.get_by_label("New password").fill("another quiet sentence")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Your password was changed")).to_be_visible()
    page.get_by_role("link", name="Unlink… Okta").click()
    look.at("unlink")
    page.get_by_role("button", name="Unlink it").click()
    expect(page.get_by_text("It doesn’t open your account any more")).to_be_visible()
    page.goto(f"{address}/account/prove")
    look.at("prove")


def _forget(page: Page, address: str, world: World, look: Looker) -> None:
    page.goto(f"{address}/login")
    page.get_by_label("Email").fill(ANN)
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Forgotten your password?").click()
    look.at("forgotten")
    page.get_by_role("button", name="Mail me a link").click()
    expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
    look.at("sent")
    page.goto(address + mailed(world))
    look.at("choose")
    page.get_by_label("New password").fill(NEW)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your password is changed")).to_be_visible()
    look.at("done")
    page.get_by_role("link", name="Sign in").click()


def _sign_in(page: Page, address: str) -> None:
    page.get_by_label("Email").fill(ANN)
    page.keyboard.press("Enter")
    page.get_by_label("Password").fill(NEW)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/w/acme**")


def _change_email(page: Page, address: str, world: World, look: Looker) -> None:
    page.get_by_role("link", name="Change… the email").click()
    look.at("email")
    page.get_by_label("New email").fill("ann@else.example")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Look into your mail")).to_be_visible()
    page.goto(address + mailed(world))
    look.at("confirm")
    page.get_by_role("button", name="Change the email").click()
    expect(page.get_by_text("ann@else.example").first).to_be_visible()
