"""Labels in Chromium: a resource is relabelled, with who loses by it beside the form before it is saved."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from bridge.domain.labels import parse_label
from bridge.flows.context import OPERATOR
from bridge.flows.give_roles import give_to_member
from bridge.flows.members import find_member_id
from bridge.flows.resources import ResourceDraft, add_resource
from bridge.flows.roles_given import parse_role_in_scope
from bridge.storage.database import Database
from tests.browser.acme import make_acme, sign_in
from tests.browser.conftest import NewPage
from tests.browser.looking import Looker
from tests.world import World

pytestmark = [pytest.mark.browser, pytest.mark.long]


@pytest.fixture
def world(database: Database) -> World:
    """acme: Olga owns it; Ann, whom Okta pushes, edits sources of production."""
    world = make_acme(database)
    prod = frozenset({parse_label("environment:prod")})
    add_resource(world.context, OPERATOR, "acme", ResourceDraft("source", "Orders", "orders", prod), world.now)
    world.push("ann@acme.example", name="Ann Example")
    member = find_member_id(world.context, "acme", "ann@acme.example")
    given = parse_role_in_scope("Source Admin", ["label:environment:prod"])
    give_to_member(world.context, OPERATOR, "acme", member, given, world.now)
    return world


@pytest.mark.parametrize(
    ("width", "scheme", "script"),
    [(1440, "light", True), (360, "dark", True), (360, "light", False)],
    ids=["wide", "phone", "phone-without-script"],
)
def test_a_resource_is_relabelled_as_it_was_shown(
    address: str, new_page: NewPage, screenshots: Path | None, width: int, scheme: str, script: bool
) -> None:
    page = new_page(width=width, scheme=scheme, script=script)
    looker = Looker(page, screenshots, f"labels-{width}-{scheme}")
    look = looker.here if script else looker.there  # axe is a script
    sign_in(page, address)
    page.goto(f"{address}/w/acme/labels")
    look("all")
    page.get_by_role("link", name="environment:prod").click()
    look("one")
    page.get_by_role("link", name="Orders").click()
    page.get_by_role("link", name="Change labels…").click()
    page.get_by_label("environment").select_option("dev")
    if not script:
        page.get_by_role("button", name="Show who gains and who loses").click()
    expect(page.get_by_role("button", name="Save: 1 loses")).to_be_visible()
    expect(page.locator("#loses + ul")).to_contain_text("1 person loses Source Admin")
    look("change")
    page.get_by_role("button", name="Save: 1 loses").click()
    expect(page.get_by_role("link", name="environment:dev")).to_be_visible()
    page.get_by_role("link", name="Delete…").click()
    expect(page.get_by_role("button", name="Delete it: 1 loses")).to_be_visible()
    look("delete")
