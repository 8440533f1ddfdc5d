"""Why, and who can, in Chromium: from a resource to a person, and to what would give it."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from bridge.domain.group_mapping import GroupMatch
from bridge.domain.labels import parse_label
from bridge.flows.context import OPERATOR
from bridge.flows.map_groups import MappingDraft, add_mapping
from bridge.flows.resources import ResourceDraft, add_resource
from bridge.flows.roles_given import parse_role_in_scope
from bridge.storage.database import Database
from tests.browser.acme import make_acme, sign_in
from tests.browser.conftest import NewPage
from tests.browser.looking import Looker
from tests.world import World

pytestmark = [pytest.mark.browser, pytest.mark.long]

ANN = "ann.with.a.long.name@acme.example"


@pytest.fixture
def world(database: Database) -> World:
    """acme, whose owner Olga has a password. Whoever Okta puts into eng-mobile edits sources of production."""
    world = make_acme(database)
    for name, label in (("Orders", "environment:prod"), ("Sandbox", "environment:dev")):
        draft = ResourceDraft("source", name, name.lower(), frozenset({parse_label(label)}))
        add_resource(world.context, OPERATOR, "acme", draft, world.now)
    world.push_group("eng-mobile", world.push(ANN, name="Ann With A Long Name"))
    roles = (parse_role_in_scope("Source Admin", ["label:environment:prod"]),)
    rule = MappingDraft(world.connection.id, GroupMatch("glob", "eng-*"), (), roles)
    add_mapping(world.context, OPERATOR, "acme", rule, world.now)
    return world


@pytest.mark.parametrize(
    ("width", "scheme", "script"),
    [(1440, "light", True), (360, "dark", False), (360, "light", True)],
    ids=["wide", "phone-without-script", "phone"],
)
def test_from_a_resource_to_why_and_why_not(
    address: str, world: World, new_page: NewPage, screenshots: Path | None, width: int, scheme: str, script: bool
) -> None:
    page = new_page(width=width, scheme=scheme, script=script)
    looker = Looker(page, screenshots, f"why-{width}-{scheme}")
    look = looker.here if script else looker.there  # axe is a script
    sign_in(page, address)
    page.goto(f"{address}/w/acme/resources")
    look("resources")
    page.get_by_role("link", name="Orders").click()
    expect(page.get_by_role("heading", name="2 people can")).to_be_visible()
    look("resource")
    page.get_by_role("link", name="Why Ann With A Long Name can").click()
    expect(page.get_by_text("Ann With A Long Name can edit Orders.")).to_be_visible()
    page.get_by_text("Who made it, and when").click()
    expect(page.get_by_text("Okta put them into eng-mobile, by SCIM")).to_be_visible()
    look("yes")
    page.get_by_label("On what").fill("Sandbox")
    page.get_by_role("button", name="Explain").click()
    expect(page.get_by_text("Sandbox lacks")).to_be_visible()
    look("no")
    page.get_by_label("As of").fill("2001-03-03")
    page.get_by_role("button", name="Explain").click()
    expect(page.get_by_role("alert")).to_contain_text("There was no source:sandbox")
    look("then")
