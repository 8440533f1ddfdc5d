"""Group mapping in Chromium: a rule is written, with its effect beside it; the picture; the directory."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from bridge.domain.access import EVERYWHERE, RoleInScope
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.roles import get_role
from bridge.flows.context import OPERATOR
from bridge.flows.give_roles import give_to_user_group
from bridge.flows.map_groups import MappingDraft, add_mapping, list_mappings
from bridge.flows.user_groups import create_user_group
from bridge.storage.database import Database
from tests.axe import axe_finds
from tests.browser.acme import make_acme, sign_in
from tests.browser.conftest import NewPage
from tests.browser.looking import Looker
from tests.flows.test_picture import sign_in as sign_in_by_idp
from tests.world import World

pytestmark = pytest.mark.browser

LOOKS = [(1440, "light"), (360, "dark")]
LONG_NAME = "emea-customer-data-platform-engineering-on-call-rotation"


@pytest.fixture
def world(database: Database) -> World:
    """acme, whose owner Olga has a password. Okta pushed three groups; two rules, one of them by a User Group."""
    world = make_acme(database)
    ann, bob, cid = (world.push(f"{name.lower()}@acme.example", name=name) for name in ("Ann", "Bob", "Cid"))
    world.push_group("eng-prod", ann, bob)
    world.push_group("eng-mobile", cid)
    world.push_group(LONG_NAME, ann, cid)
    sign_in_by_idp(world, "eve@acme.example", "contractors")
    made = create_user_group(world.context, OPERATOR, "acme", "Data Guild", world.now)
    give_to_user_group(world.context, OPERATOR, "acme", made.id, role("Warehouse Read-only"), world.now)
    for match, groups, gives in (
        (GroupMatch("name", "eng-prod"), (), (role("Source Admin"), role("PII Access"))),
        (GroupMatch("name", LONG_NAME), ("Data Guild",), ()),
    ):
        draft = MappingDraft(world.connection.id, match, groups, gives)
        add_mapping(world.context, OPERATOR, "acme", draft, world.now)
    return world


def role(name: str) -> RoleInScope:
    return RoleInScope(get_role(name), EVERYWHERE)


def rules(world: World) -> list[str]:
    return [rule.sentence for rule in list_mappings(world.context, "acme")]


@pytest.mark.parametrize(
    "script", [True, pytest.param(False, marks=pytest.mark.long)], ids=["with script", "without script"]
)
def test_a_rule_is_written_and_its_effect_seen_before_it_is_saved(
    address: str, world: World, new_page: NewPage, script: bool
) -> None:
    page = new_page(script=script)
    sign_in(page, address)
    page.goto(f"{address}/w/acme/mapping")
    page.get_by_role("link", name="Add a rule").click()
    page.get_by_label("By pattern").check()
    page.get_by_label("Pattern", exact=True).fill("eng-*")
    page.get_by_label("Role", exact=True).select_option("source_read_only")
    if not script:
        page.get_by_role("button", name="Show who gains and who loses").last.click()
    saving = page.get_by_role("button", name="Save: 1 gains")
    expect(saving).to_be_visible()
    expect(page.get_by_text("Matches 2 groups now, 3 people:")).to_be_visible()
    expect(page.locator("#preview").get_by_text("Cid", exact=True)).to_be_visible()
    expect(page.locator("#sentence")).to_contain_text("Source Read-only on all sources")
    world.push_group("eng-web", world.push("dora@acme.example", name="Dora"))
    saving.click()
    expect(page.get_by_text("Something changed while you were looking. Not saved yet.")).to_be_visible()
    assert len(rules(world)) == 2
    page.get_by_role("button", name="Save: 2 gain").click()
    expect(page.get_by_role("heading", name="Rule 3")).to_be_visible()
    assert rules(world)[2] == "People in Okta groups named eng-* get Source Read-only on all sources."


def test_a_click_on_a_node_follows_it_and_the_keyboard_reaches_each(
    address: str, world: World, new_page: NewPage
) -> None:
    page = new_page()
    sign_in(page, address)
    page.goto(f"{address}/w/acme/mapping/picture")
    node = page.get_by_role("link", name="IdP group eng-prod, pushed by Okta, 2 people")
    node.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("2 people on 2 paths.")).to_be_visible()
    expect(page.locator("path.b-ribbon.is-on")).to_have_count(6)
    expect(page.locator("a.is-dim")).to_have_count(5)
    page.get_by_role("link", name="Only these paths").click()
    expect(page.get_by_role("link", name=f"IdP group {LONG_NAME}")).to_have_count(0)
    page.get_by_role("link", name="Follow nothing").click()
    page.get_by_label("Search names").fill("guild")
    expect(page.get_by_role("link", name="IdP group eng-prod, pushed by Okta, 2 people")).to_have_count(0)
    expect(page).to_have_url(f"{address}/w/acme/mapping/picture?q=guild&kind=")


@pytest.mark.long
@pytest.mark.parametrize(("width", "scheme"), LOOKS, ids=[f"{width}-{scheme}" for width, scheme in LOOKS])
def test_mapping_the_picture_and_the_directory_are_without_barriers(
    address: str, world: World, new_page: NewPage, screenshots: Path | None, width: int, scheme: str
) -> None:
    page = new_page(width=width, scheme=scheme)
    look = Looker(page, screenshots, f"mapping-{width}-{scheme}")

    sign_in(page, address)
    base = f"{address}/w/acme"
    rule = list_mappings(world.context, "acme")[0].id
    for name, path in (
        ("rules", "/mapping"),
        ("rules-none", "/mapping?q=nothing"),
        ("rule", f"/mapping/rules/{rule}"),
        ("picture", "/mapping/picture"),
        ("picture-none", "/mapping/picture?q=nothing"),
        ("delete", f"/mapping/rules/{rule}/delete"),
        ("delete-all", f"/mapping/rules/{rule}/delete?side=loses"),
        ("switch", f"/mapping/rules/{rule}/switch"),
        ("new", "/mapping/new"),
        ("groups", "/directory"),
        ("people", "/directory/people"),
    ):
        page.goto(base + path)
        look.here(name)
    for kind, links in (("asserted", 1), ("pushed", 1)):
        page.goto(f"{base}/directory?kind={kind}")
        page.locator("#rows a").nth(links - 1).click()
        expect(page.get_by_role("heading", name="What its people get")).to_be_visible()
        look.here(f"group-{kind}")
    page.locator("#rows a").first.click()
    expect(page.get_by_role("heading", name="In these IdP groups")).to_be_visible()
    look.here("person")
    page.goto(f"{base}/mapping/rules/{rule}/change")
    page.get_by_label("Data Guild").check()
    page.locator("summary", has_text="Add a role").click()
    expect(page.get_by_role("button", name="Save: 1 gains")).to_be_visible()  # Ann has as much already
    look.here("change")


@pytest.mark.long
def test_a_picture_of_many_groups_stays_readable(
    address: str, world: World, new_page: NewPage, screenshots: Path | None
) -> None:
    crowd = [world.push(f"p{n}@acme.example") for n in range(40)]
    names = ("Source Admin", "Source Read-only", "Function Admin", "Warehouse Admin", "Entities Admin")
    for n in range(60):
        world.push_group(f"team-{n:02}", *crowd[n % 30 : n % 30 + n % 9 + 1])
        gives = (role(names[n % 5]), role(names[n % 3]))
        draft = MappingDraft(world.connection.id, GroupMatch("glob", f"team-*{n:02}"), (), tuple(dict.fromkeys(gives)))
        add_mapping(world.context, OPERATOR, "acme", draft, world.now)
    page = new_page()
    sign_in(page, address)
    page.goto(f"{address}/w/acme/mapping/picture")
    expect(page.locator(".b-flow text", has_text="50 more").first).to_be_visible()
    overlaps = page.evaluate("""() => {
        const texts = [...document.querySelectorAll('.b-flow a text, .b-flow g text')];
        const boxes = texts.map(one => one.getBoundingClientRect());
        return boxes.flatMap((one, n) => boxes.slice(n + 1).filter(other => one.left < other.right
            && other.left < one.right && one.top + 2 < other.bottom - 2 && other.top + 2 < one.bottom - 2)).length;
    }""")
    assert overlaps == 0, "labels stand on each other"
    if screenshots is not None:
        page.screenshot(path=screenshots / "mapping-picture-many.png", full_page=True)
    assert axe_finds(page) == []
