"""Sessions in Chromium: the switcher, closing unused, and ending another browser's session; each page sound."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import update

from bridge.app import create_web
from bridge.storage.database import Database
from bridge.storage.tables import authentications, sessions
from tests.browser.conftest import NewPage, served
from tests.browser.test_gallery import axe_finds, too_wide
from tests.databases import Engine
from tests.flows.logins import PASSWORD, account, join, set_workspace
from tests.world import World, make_world

pytestmark = pytest.mark.browser

ANN = "ann@acme.example"
LOOKS = [(1440, "light"), *(pytest.param(*look, marks=pytest.mark.long) for look in [(360, "dark"), (1440, "dark")])]


@pytest.fixture(params=["sqlite"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """One kind of database is enough here."""
    engine: Engine = request.param
    return engine


@pytest.fixture
def world(database: Database) -> World:
    """Ann is in acme, in a clinic that closes unused, and in a bank that asks for single sign-on."""
    now = datetime.now(UTC)
    slugs = ("acme", "clinic", "bank")
    world, clinic, bank = (make_world(database, now, slug=slug, owner=f"o@{slug}.example") for slug in slugs)
    key = account(world, ANN, password=PASSWORD)
    for one in (world, clinic, bank):
        join(one, key)
    set_workspace(clinic, hipaa=True)
    set_workspace(bank, require_sso=True)
    return world


@pytest.fixture
def address(world: World) -> Iterator[str]:
    """Where the bridge is served."""
    with served(create_web(world.context)) as address:
        yield address


def enter(page: Page, address: str) -> None:
    page.set_default_timeout(10_000)
    page.goto(f"{address}/login?way=password&return_to=/w/acme")
    page.get_by_label("Email").fill(ANN)
    page.keyboard.press("Enter")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/w/acme/**")


def leave_alone(world: World) -> None:
    """As if whoever is signed in had done so, and used nothing, for 16 minutes."""
    then = datetime.now(UTC) - timedelta(minutes=16)
    with world.context.database.writing() as rows:
        rows.execute(update(sessions).values(seen_at=then))
        rows.execute(update(authentications).values(at=then))


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_switching_closing_unused_and_ending_another_session(
    world: World, address: str, new_page: NewPage, screenshots: Path | None, width: int, scheme: str
) -> None:
    def look_at(name: str) -> None:
        if screenshots is not None:
            page.screenshot(path=screenshots / f"sessions-{name}-{width}-{scheme}.png", full_page=True)
        assert axe_finds(page) == [], name
        assert too_wide(page) == [], name

    def open_switcher() -> None:
        if width < 1024:
            page.get_by_role("link", name="Menu").click()
        page.locator("summary", has_text="Switch workspace").press("Enter")

    other, page = new_page(), new_page(width=width, scheme=scheme, refused=True)
    enter(other, address)
    enter(page, address)
    open_switcher()
    expect(page.get_by_role("link", name="Bank asks for Okta")).to_be_visible()
    look_at("switcher")
    page.get_by_role("link", name="Clinic", exact=True).click()
    page.wait_for_url("**/w/clinic/**")
    clinic = page.url

    page.goto(f"{address}/account/sessions")
    expect(page.get_by_role("heading", name="2 sessions")).to_be_visible()
    look_at("list")
    page.get_by_role("button", name="End it").click()
    expect(page.get_by_role("heading", name="1 session ended")).to_be_visible()
    other.reload()
    expect(other.get_by_role("heading", name="You have been signed out")).to_be_visible()

    leave_alone(world)
    page.goto(clinic)
    expect(page.get_by_role("heading", name="Clinic was closed after 15 minutes without use")).to_be_visible()
    look_at("closed")
    page.get_by_role("link", name="Sign in with your password").click()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(clinic)
