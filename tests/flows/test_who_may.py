"""Backwards: who may, and by what; what an IdP group, a rule, a User Group gives (product.md 5.4).

That the people are those of whom `may` says yes is held in generated worlds (tests/properties/test_worlds.py).
"""

import pytest

from bridge.domain.errors import NotFound
from bridge.domain.group_mapping import GroupMatch
from bridge.flows.administer import set_plan
from bridge.flows.context import OPERATOR
from bridge.flows.explain import ask
from bridge.flows.give_roles import give_to_member, give_to_user_group
from bridge.flows.map_groups import MappingDraft, add_mapping
from bridge.flows.map_groups import set_enabled as switch_rule
from bridge.flows.members import find_member_id
from bridge.flows.own_connections import set_enabled as switch_connection
from bridge.flows.resources import ResourceDraft, add_resource
from bridge.flows.roles_given import parse_role_in_scope
from bridge.flows.user_groups import add_members, create_user_group
from bridge.flows.what_it_gives import idp_group_gives, rule_gives, user_group_gives
from bridge.flows.who_may import PeopleWhoMay, given_by, who_may
from bridge.storage import access_backwards
from tests.world import World

ADMIN = parse_role_in_scope("Source Admin", [])


@pytest.fixture
def shop(kicks: World, marcus: str) -> World:
    """The source Web; Ann, Ben and Cem in eng-web, which a rule puts into Guild, of Source Admins; Dora by hand."""
    add_resource(kicks.context, marcus, "kicks", ResourceDraft("source", "Web", "web"), kicks.now)
    people = [kicks.push(f"{name}@kicks.example", name=name.title()) for name in ("ann", "ben", "cem", "dora")]
    kicks.push_group("eng-web", *people[:3])
    guild = create_user_group(kicks.context, marcus, "kicks", "Guild", kicks.now)
    give_to_user_group(kicks.context, marcus, "kicks", guild.id, ADMIN, kicks.now)
    add_members(kicks.context, marcus, "kicks", guild.id, ["ben@kicks.example"], kicks.now)
    dora = find_member_id(kicks.context, "kicks", "dora@kicks.example")
    on_web = parse_role_in_scope("Source Admin", ["source:web"])
    give_to_member(kicks.context, marcus, "kicks", dora, on_web, kicks.now)
    return kicks


@pytest.fixture
def rule(shop: World) -> str:
    """The rule."""
    draft = MappingDraft(shop.connection.id, GroupMatch("name", "eng-web"), ("Guild",))
    return add_mapping(shop.context, OPERATOR, "kicks", draft, shop.now).id


def asked(shop: World, action: str = "edit", target: str = "source:web", **page: object) -> PeopleWhoMay:
    return who_may(shop.context, "kicks", ask(action, target), shop.now, **page)  # type: ignore[arg-type]


def test_everybody_who_may_is_there_with_every_path(shop: World, rule: str) -> None:
    found = asked(shop)
    kinds = {
        one.name: sorted(path.kind for permission in one.because for path in permission.because) for one in found.people
    }
    assert kinds == {
        "Ann": ["mapping"],
        "Ben": ["mapping", "user_group"],
        "Cem": ["mapping"],
        "Dora": ["individual"],
        "Marcus": ["individual"],
    }
    assert (found.total, found.after) == (5, None)


def test_a_list_is_not_enough_to_create(shop: World, rule: str) -> None:
    assert [one.name for one in asked(shop, "create", "source").people] == ["Ann", "Ben", "Cem", "Marcus"]


def test_other_permissions_of_those_people_are_not_told(shop: World, rule: str) -> None:
    dora = find_member_id(shop.context, "kicks", "dora@kicks.example")
    reader = parse_role_in_scope("Source Read-only", [])
    give_to_member(shop.context, OPERATOR, "kicks", dora, reader, shop.now)
    [told] = [one for one in asked(shop).people if one.name == "Dora"]
    assert [permission.role.name for permission in told.because] == ["Source Admin"]


@pytest.mark.parametrize("few", [10_000, 0], ids=["in-order", "walking"])
def test_pages_go_on_after_an_address(shop: World, rule: str, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_backwards, "_FEW", few)
    seen, after = [], ""
    while True:
        page = asked(shop, size=2, after=after)
        seen.append([one.name for one in page.people])
        assert page.total == 5
        if page.after is None:
            break
        after = page.after
    assert seen == [["Ann", "Ben"], ["Cem", "Dora"], ["Marcus"]]


def test_what_gives_it_to_whoever_is_in_it(shop: World, rule: str) -> None:
    ways = given_by(shop.context, "kicks", ask("edit", "source:web"), shop.now)
    assert [(way.kind, way.user_group, way.idp_groups) for way in ways] == [
        ("user_group", "Guild", ()),
        ("idp_group", "Guild", ("eng-web",)),
    ]


def test_an_unknown_resource_is_not_found(shop: World) -> None:
    with pytest.raises(NotFound):
        asked(shop, target="source:nowhere")


# -- What it gives -----------------------------------------------------------------------------------


def group_of(shop: World, name: str = "eng-web") -> str:
    [path] = [
        path
        for one in asked(shop).people
        if one.name == "Ann"
        for permission in one.because
        for path in permission.because
        if path.idp_group == name
    ]
    assert path.idp_group_id
    return path.idp_group_id


def test_what_an_idp_group_gives(shop: World, rule: str) -> None:
    gives = idp_group_gives(shop.context, "kicks", group_of(shop), shop.now)
    assert (gives.name, gives.source, gives.connection, gives.members, gives.people) == (
        "eng-web",
        "scim",
        (shop.connection.id, "Okta"),
        3,
        3,
    )
    [mirror, by_rule] = gives.rules
    assert (mirror.rule.origin, by_rule.rule.id, by_rule.people, by_rule.obstacles) == ("mirror", rule, 3, ())
    [into] = by_rule.user_groups
    assert (into.name, into.people, [one.given for one in into.roles]) == ("Guild", 3, [ADMIN])


def test_who_is_suspended_is_a_member_of_the_group_and_has_nothing_by_it(shop: World, rule: str) -> None:
    group = shop.push_group("eng-eve", shop.push("eva@kicks.example", active=False))
    gives = idp_group_gives(shop.context, "kicks", group.id, shop.now)
    assert (gives.members, gives.people) == (1, 0)


def test_what_gives_nothing_now_says_why(shop: World, rule: str) -> None:
    group = group_of(shop)
    switch_rule(shop.context, OPERATOR, "kicks", rule, False, shop.now)
    switch_connection(shop.context, OPERATOR, "kicks", shop.connection.id, False, shop.now)
    by_rule = idp_group_gives(shop.context, "kicks", group, shop.now).rules[1]
    assert ([one.kind for one in by_rule.obstacles], by_rule.people) == (["connection_disabled", "rule_off"], 0)


def test_a_role_outside_the_plan_is_told_as_giving_nothing(shop: World) -> None:
    set_plan(shop.context, OPERATOR, "kicks", "business", shop.now)
    guild = user_group_gives(shop.context, "kicks", "guild", shop.now)
    assert [one.obstacle for one in guild.roles] == [None]
    add = parse_role_in_scope("Warehouse Admin", [])
    give_to_user_group(shop.context, OPERATOR, "kicks", guild.id, add, shop.now)
    set_plan(shop.context, OPERATOR, "kicks", "team", shop.now)
    roles = user_group_gives(shop.context, "kicks", "Guild", shop.now).roles
    assert [(one.given.role.name, one.obstacle and one.obstacle.kind) for one in roles] == [
        ("Source Admin", None),
        ("Warehouse Admin", "role_not_in_plan"),
    ]


def test_what_a_rule_gives(shop: World, rule: str) -> None:
    gives = rule_gives(shop.context, "kicks", rule, shop.now)
    assert (gives.rule.sentence, gives.people) == ("People in the Okta group eng-web join Guild.", 3)


@pytest.mark.parametrize("which", [idp_group_gives, rule_gives, user_group_gives])
def test_what_is_not_there_gives_nothing(shop: World, which: object) -> None:
    with pytest.raises(NotFound):
        which(shop.context, "kicks", "nothing", shop.now)  # type: ignore[operator]
