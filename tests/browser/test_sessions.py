"""Sessions in Chromium: the switcher, closing unused, and ending another browser's session; each page sound."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import update

from bridge.storage.database import Database
from bridge.storage.tables import authentications, sessions
from tests.browser.acme import sign_in
from tests.browser.conftest import NewPage
from tests.browser.looking import Looker
from tests.flows.logins import PASSWORD, account, join, set_workspace
from tests.world import World, make_world

pytestmark = pytest.mark.browser

ANN = "ann@acme.example"
LOOKS = [(1440, "light"), pytest.param(360, "dark", marks=pytest.mark.long)]


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
    def open_switcher() -> None:
        if width < 1024:
            page.get_by_role("link", name="Menu").click()
        page.locator("summary", has_text="Switch workspace").press("Enter")

    other, page = new_page(), new_page(width=width, scheme=scheme, refused=True)
    look = Looker(page, screenshots, f"sessions-{width}-{scheme}")
    sign_in(other, address, ANN)
    sign_in(page, address, ANN)
    open_switcher()
    expect(page.get_by_role("link", name="Bank asks for Okta")).to_be_visible()
    look.here("switcher")
    page.get_by_role("link", name="Clinic", exact=True).click()
    page.wait_for_url("**/w/clinic/**")
    clinic = page.url

    page.goto(f"{address}/account/sessions")
    expect(page.get_by_role("heading", name="2 sessions")).to_be_visible()
    look.here("list")
    page.get_by_role("button", name="End it").click()
    expect(page.get_by_role("heading", name="1 session ended")).to_be_visible()
    other.reload()
    expect(other.get_by_role("heading", name="You have been signed out")).to_be_visible()

    leave_alone(world)
    page.goto(clinic)
    expect(page.get_by_role("heading", name="Clinic was closed after 15 minutes without use")).to_be_visible()
    look.here("closed")
    page.get_by_role("link", name="Sign in with your password").click()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(clinic)
