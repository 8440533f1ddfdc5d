"""What an IdP pushed, in Chromium: the lists, a group that is linked, an OAuth client that is made."""

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import expect

from bridge.flows.context import OPERATOR
from bridge.flows.provision_users import create_user
from bridge.flows.user_groups import create_user_group
from bridge.storage.database import Database
from tests.browser.acme import make_acme, sign_in
from tests.browser.conftest import NewPage
from tests.browser.looking import Looker
from tests.world import World, pushed

pytestmark = [pytest.mark.browser, pytest.mark.long]

ANN = "ann.with.a.long.name@acme.example"


@pytest.fixture
def world(database: Database) -> World:
    """acme, whose owner Olga has a password; Okta pushed a group of Ann, a second record of hers, and nobody's."""
    world = make_acme(database)
    world.push_group("eng-mobile", world.push(ANN, name="Ann"))
    create_user(world.context, world.connection, replace(pushed(ANN, name="Ann"), user_name="ann.two"), world.now)
    world.push("ghost", name="Gil Ghost")
    create_user_group(world.context, OPERATOR, "acme", "Data Guild", world.now)
    return world


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (360, "dark")])
def test_the_directory_is_looked_after_without_barriers(
    address: str, world: World, new_page: NewPage, screenshots: Path | None, width: int, scheme: str
) -> None:
    page = new_page(width=width, scheme=scheme)
    look = Looker(page, screenshots, f"directory-{width}-{scheme}")

    sign_in(page, address)
    page.goto(f"{address}/w/acme/connections/{world.connection.id}/directory")
    expect(page.get_by_text("None of its addresses")).to_be_visible()
    look.here("waiting")
    page.get_by_role("link", name="Groups", exact=True).first.click()
    look.here("groups")
    page.get_by_role("link", name="Link… eng-mobile").click()
    look.here("choose")
    page.get_by_label("User Group").select_option("Data Guild")
    page.get_by_role("button", name="Continue: what would change").click()
    look.here("link")
    page.get_by_role("button", name="Link it to Data Guild").click()
    expect(page.get_by_text("linked", exact=True)).to_be_visible()
    page.goto(f"{address}/w/acme/tokens/new?kind=scim_client")
    page.get_by_label("Name").fill("PingOne")
    look.here("client-new")
    page.get_by_role("button", name="Create the client").click()
    expect(page.get_by_text("The client id:")).to_be_visible()
    look.here("client")
