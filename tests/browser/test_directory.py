"""What an IdP pushed, in Chromium: the lists, a group that is linked, an OAuth client that is made."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bridge.app import create_web
from bridge.flows.context import OPERATOR
from bridge.flows.passwords import hash_password
from bridge.flows.provision_users import create_user
from bridge.flows.user_groups import create_user_group
from bridge.storage import people
from bridge.storage.changes import changing
from bridge.storage.database import Database
from tests.browser.conftest import NewPage, served
from tests.browser.test_gallery import axe_finds, too_wide
from tests.databases import Engine
from tests.world import World, make_world, pushed

pytestmark = [pytest.mark.browser, pytest.mark.long]

PASSWORD = "correct horse battery"
ANN = "ann.with.a.long.name@acme.example"


@pytest.fixture(params=["sqlite"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """One kind of database is enough here."""
    engine: Engine = request.param
    return engine


@pytest.fixture
def world(database: Database) -> World:
    """acme, whose owner Olga has a password; Okta pushed a group of Ann, a second record of hers, and nobody's."""
    world = make_world(database, datetime.now(UTC))
    with changing(database, OPERATOR, world.now) as change:
        people.set_user(change, world.owner.key, password_hash=hash_password(PASSWORD))
    world.push_group("eng-mobile", world.push(ANN, name="Ann"))
    create_user(world.context, world.connection, replace(pushed(ANN, name="Ann"), user_name="ann.two"), world.now)
    world.push("ghost", name="Gil Ghost")
    create_user_group(world.context, OPERATOR, "acme", "Data Guild", world.now)
    return world


@pytest.fixture
def address(world: World) -> Iterator[str]:
    """Where the bridge is served."""
    with served(create_web(world.context)) as address:
        yield address


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (360, "dark")])
def test_the_directory_is_looked_after_without_barriers(
    address: str, world: World, new_page: NewPage, screenshots: Path | None, width: int, scheme: str
) -> None:
    page = new_page(width=width, scheme=scheme)

    def look(name: str) -> None:
        if screenshots is not None:
            page.screenshot(path=screenshots / f"directory-{name}-{width}-{scheme}.png", full_page=True)
        assert axe_finds(page) == [], name
        assert too_wide(page) == [], name

    sign_in(page, address)
    page.goto(f"{address}/w/acme/connections/{world.connection.id}/directory")
    expect(page.get_by_text("None of its addresses")).to_be_visible()
    look("waiting")
    page.get_by_role("link", name="Groups", exact=True).first.click()
    look("groups")
    page.get_by_role("link", name="Link… eng-mobile").click()
    look("choose")
    page.get_by_label("User Group").select_option("Data Guild")
    page.get_by_role("button", name="Continue: what would change").click()
    look("link")
    page.get_by_role("button", name="Link it to Data Guild").click()
    expect(page.get_by_text("linked", exact=True)).to_be_visible()
    page.goto(f"{address}/w/acme/tokens/new?kind=scim_client")
    page.get_by_label("Name").fill("PingOne")
    look("client-new")
    page.get_by_role("button", name="Create the client").click()
    expect(page.get_by_text("The client id:")).to_be_visible()
    look("client")


def sign_in(page: Page, address: str) -> None:
    page.set_default_timeout(10_000)
    page.goto(f"{address}/login?way=password")
    page.get_by_label("Email").fill("olga@acme.example")
    page.keyboard.press("Enter")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/w/acme**")
