"""Why, and who can, in Chromium: from a resource to a person, and to what would give it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import expect

from bridge.app import create_web
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.labels import parse_label
from bridge.flows.context import OPERATOR
from bridge.flows.map_groups import MappingDraft, add_mapping
from bridge.flows.passwords import hash_password
from bridge.flows.resources import ResourceDraft, add_resource
from bridge.flows.roles_given import parse_role_in_scope
from bridge.storage import people
from bridge.storage.changes import changing
from bridge.storage.database import Database
from tests.browser.conftest import NewPage, served
from tests.browser.test_directory import PASSWORD, sign_in
from tests.browser.test_gallery import axe_finds, too_wide
from tests.databases import Engine
from tests.world import World, make_world

pytestmark = [pytest.mark.browser, pytest.mark.long]

ANN = "ann.with.a.long.name@acme.example"


@pytest.fixture(params=["sqlite"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """One kind of database is enough here."""
    engine: Engine = request.param
    return engine


@pytest.fixture
def world(database: Database) -> World:
    """acme, whose owner Olga has a password. Whoever Okta puts into eng-mobile edits sources of production."""
    world = make_world(database, datetime.now(UTC))
    with changing(database, OPERATOR, world.now) as change:
        people.set_user(change, world.owner.key, password_hash=hash_password(PASSWORD))
    for name, label in (("Orders", "environment:prod"), ("Sandbox", "environment:dev")):
        draft = ResourceDraft("source", name, name.lower(), frozenset({parse_label(label)}))
        add_resource(world.context, OPERATOR, "acme", draft, world.now)
    world.push_group("eng-mobile", world.push(ANN, name="Ann With A Long Name"))
    roles = (parse_role_in_scope("Source Admin", ["label:environment:prod"]),)
    rule = MappingDraft(world.connection.id, GroupMatch("glob", "eng-*"), (), roles)
    add_mapping(world.context, OPERATOR, "acme", rule, world.now)
    return world


@pytest.fixture
def address(world: World) -> Iterator[str]:
    """Where the bridge is served."""
    with served(create_web(world.context)) as address:
        yield address


@pytest.mark.parametrize(
    ("width", "scheme", "script"),
    [(1440, "light", True), (360, "dark", False), (360, "light", True)],
    ids=["wide", "phone-without-script", "phone"],
)
def test_from_a_resource_to_why_and_why_not(
    address: str, world: World, new_page: NewPage, screenshots: Path | None, width: int, scheme: str, script: bool
) -> None:
    page = new_page(width=width, scheme=scheme, script=script)

    def look(name: str) -> None:
        if screenshots is not None:
            page.screenshot(path=screenshots / f"why-{name}-{width}-{scheme}.png", full_page=True)
        if script:
            assert axe_finds(page) == [], name
            assert too_wide(page) == [], name

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
