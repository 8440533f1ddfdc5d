"""May they, why, and what would give it (product.md 5.4, 5.5; properties 10, 11)."""

from collections.abc import Callable

import pytest

from bridge.domain.access import Because, ResourceRef
from bridge.domain.errors import Invalid, NotFound
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.labels import parse_label
from bridge.flows.administer import set_plan
from bridge.flows.context import OPERATOR
from bridge.flows.explain import Answer, access_of, ask, check, left_out_by_plan, what_would_give
from bridge.flows.give_roles import give_to_member, give_to_user_group
from bridge.flows.map_groups import MappingDraft, add_mapping, remove_mapping
from bridge.flows.map_groups import set_enabled as switch_rule
from bridge.flows.members import find_member_id, remove_member
from bridge.flows.own_connections import set_enabled as switch_connection
from bridge.flows.resources import ResourceDraft, add_resource
from bridge.flows.roles_given import parse_role_in_scope
from bridge.flows.user_groups import add_members, create_user_group, remove_members
from tests.world import World

INES = "ines@kicks.example"


@pytest.fixture
def shop(kicks: World, marcus: str) -> World:
    """Three sources, and Ines, whom Okta pushed into eng-web."""
    for name, labels in (
        ("web", "environment:prod team:web"),
        ("orders", "environment:prod"),
        ("test", "environment:dev"),
    ):
        carried = frozenset(map(parse_label, labels.split()))
        add_resource(kicks.context, marcus, "kicks", ResourceDraft("source", name, name, carried), kicks.now)
    kicks.push_group("eng-web", kicks.push(INES, name="Ines"))
    return kicks


def may(shop: World, action: str, target: str, email: str = INES) -> Answer:
    return check(shop.context, "kicks", email, ask(action, target), shop.now)


def add_rule(shop: World, *, user_groups: tuple[str, ...] = (), role: str = "", scope: tuple[str, ...] = ()) -> str:
    roles = (parse_role_in_scope(role, scope),) if role else ()
    draft = MappingDraft(shop.connection.id, GroupMatch("name", "eng-web"), user_groups, roles)
    return add_mapping(shop.context, OPERATOR, "kicks", draft, shop.now).id


def paths(answer: Answer) -> list[Because]:
    return [path for permission in answer.because for path in permission.because]


def give(shop: World, role: str, *scope: str) -> None:
    member = find_member_id(shop.context, "kicks", INES)
    give_to_member(shop.context, OPERATOR, "kicks", member, parse_role_in_scope(role, scope), shop.now)


def test_by_hand(shop: World) -> None:
    give(shop, "Source Read-only", "source:web")
    answer = may(shop, "read", "source:web")
    assert [(path.kind, path.given_by) for path in paths(answer)] == [("individual", OPERATOR)]
    assert answer.allowed
    assert not may(shop, "edit", "source:web").allowed
    assert not may(shop, "read", "source:orders").allowed


def test_by_a_rule_that_gives_a_role(shop: World) -> None:
    rule = add_rule(shop, role="Source Admin", scope=("label:team:web",))
    [path] = paths(may(shop, "edit", "source:web"))
    assert (path.kind, path.mapping_id, path.idp_group, path.connection) == ("mapping", rule, "eng-web", "Okta")
    assert (path.user_group, path.idp_group_source, path.in_group_since) == (None, "scim", shop.now)


def test_by_a_rule_and_a_user_group(shop: World, marcus: str) -> None:
    group = create_user_group(shop.context, marcus, "kicks", "Web", shop.now)
    give_to_user_group(shop.context, marcus, "kicks", group.id, parse_role_in_scope("Source Admin", []), shop.now)
    add_rule(shop, user_groups=("Web",))
    [path] = paths(may(shop, "edit", "source:orders"))
    assert (path.kind, path.user_group, path.idp_group) == ("mapping", "Web", "eng-web")


def test_every_path_is_told(shop: World, marcus: str) -> None:
    group = create_user_group(shop.context, marcus, "kicks", "Web", shop.now)
    give_to_user_group(shop.context, marcus, "kicks", group.id, parse_role_in_scope("Source Admin", []), shop.now)
    add_members(shop.context, marcus, "kicks", group.id, [INES], shop.now)
    add_rule(shop, user_groups=("Web",))
    give(shop, "Source Read-only")
    kinds = sorted(path.kind for path in paths(may(shop, "read", "source:web")))
    assert kinds == ["individual", "mapping", "user_group"]
    [admin] = [one for one in access_of(shop.context, "kicks", INES, shop.now) if one.role.name == "Source Admin"]
    assert sorted(path.kind for path in admin.because) == ["mapping", "user_group"]


def test_labels_on_one_grant_narrow_and_two_grants_widen(shop: World) -> None:
    give(shop, "Source Read-only", "label:environment:prod", "label:team:web")
    assert [may(shop, "read", f"source:{name}").allowed for name in ("web", "orders", "test")] == [True, False, False]
    give(shop, "Source Read-only", "label:environment:dev")
    assert [may(shop, "read", f"source:{name}").allowed for name in ("web", "orders", "test")] == [True, False, True]


def test_creating_takes_a_scope_of_all(shop: World) -> None:
    give(shop, "Source Admin", "label:environment:prod")
    assert not may(shop, "create", "source").allowed
    give(shop, "Source Admin")
    assert may(shop, "create", "source").allowed
    assert not may(shop, "create", "warehouse").allowed


def take_out_of_group(shop: World, rule: str) -> None:
    remove_member(shop.context, OPERATOR, "kicks", find_member_id(shop.context, "kicks", INES), shop.now)


@pytest.mark.parametrize(
    "undo",
    [
        lambda shop, rule: remove_mapping(shop.context, OPERATOR, "kicks", rule, shop.now),
        lambda shop, rule: switch_rule(shop.context, OPERATOR, "kicks", rule, False, shop.now),
        lambda shop, rule: switch_connection(shop.context, OPERATOR, "kicks", shop.connection.id, False, shop.now),
        take_out_of_group,
    ],
)
def test_what_a_rule_gave_is_gone_at_once(shop: World, undo: Callable[[World, str], object]) -> None:
    rule = add_rule(shop, role="Source Admin")
    assert may(shop, "edit", "source:web").allowed
    undo(shop, rule)
    assert may(shop, "edit", "source:web") == Answer(False)


def test_what_was_given_by_hand_outlives_the_rule(shop: World) -> None:
    rule = add_rule(shop, role="Source Admin")
    give(shop, "Source Admin")
    remove_mapping(shop.context, OPERATOR, "kicks", rule, shop.now)
    assert [path.kind for path in paths(may(shop, "edit", "source:web"))] == ["individual"]


def test_a_plan_without_the_role_gives_nothing_and_keeps_the_grant(shop: World) -> None:
    give(shop, "Source Read-only")
    set_plan(shop.context, OPERATOR, "kicks", "team", shop.now)
    assert not may(shop, "read", "source:web").allowed
    left_out = {one.role.name: one.because for one in left_out_by_plan(shop.context, "kicks", INES, shop.now)}
    assert [one.kind for one in left_out["Source Read-only"]] == ["individual"]
    set_plan(shop.context, OPERATOR, "kicks", "business", shop.now)
    assert not left_out_by_plan(shop.context, "kicks", INES, shop.now)
    assert may(shop, "read", "source:web").allowed


def test_a_stranger_may_nothing_and_has_nothing_to_show(shop: World) -> None:
    assert not may(shop, "read", "source:web", "nobody@kicks.example").allowed
    with pytest.raises(NotFound):
        access_of(shop.context, "kicks", "nobody@kicks.example", shop.now)


def test_an_unknown_resource_is_not_found(shop: World) -> None:
    with pytest.raises(NotFound):
        may(shop, "read", "source:nowhere")


@pytest.mark.parametrize(
    ("action", "target"),
    [("delete", "source:web"), ("read", "web"), ("read", "ship:web"), ("create", "ship"), ("read", "")],
)
def test_a_question_must_make_sense(action: str, target: str) -> None:
    with pytest.raises(Invalid):
        ask(action, target)


def test_what_would_give_it(shop: World, marcus: str) -> None:
    guild = create_user_group(shop.context, marcus, "kicks", "Guild", shop.now)
    give_to_user_group(shop.context, marcus, "kicks", guild.id, parse_role_in_scope("Source Admin", []), shop.now)
    shop.push_group("eng-data")
    by_group = MappingDraft(shop.connection.id, GroupMatch("name", "eng-data"), ("Guild",))
    add_mapping(shop.context, marcus, "kicks", by_group, shop.now)
    elsewhere = MappingDraft(
        shop.connection.id, GroupMatch("name", "eng-data"), (), (parse_role_in_scope("Source Admin", ["source:test"]),)
    )
    add_mapping(shop.context, marcus, "kicks", elsewhere, shop.now)
    ways = what_would_give(shop.context, "kicks", ask("edit", "source:web"), shop.now)
    assert [(way.kind, way.user_group, way.idp_groups, way.role.name) for way in ways] == [
        ("user_group", "Guild", (), "Source Admin"),
        ("idp_group", "Guild", ("eng-data",), "Source Admin"),
        ("role", None, (), "Source Admin"),
    ]
    assert ways[-1].scope.resources == {ResourceRef("source", "web")}


def test_each_way_would_really_give_it(shop: World, marcus: str) -> None:
    guild = create_user_group(shop.context, marcus, "kicks", "Guild", shop.now)
    give_to_user_group(
        shop.context, marcus, "kicks", guild.id, parse_role_in_scope("Source Read-only", ["label:team:web"]), shop.now
    )
    [way, by_hand] = what_would_give(shop.context, "kicks", ask("read", "source:web"), shop.now)
    assert way.user_group == "Guild"
    add_members(shop.context, marcus, "kicks", guild.id, [INES], shop.now)
    assert may(shop, "read", "source:web").allowed
    remove_members(shop.context, marcus, "kicks", guild.id, [INES], shop.now)
    give(shop, by_hand.role.name, *by_hand.scope.render())
    assert may(shop, "read", "source:web").allowed
    assert by_hand.role.name == "Source Read-only"
