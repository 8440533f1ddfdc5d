"""Why not: what stands in the way, what nearly gives it, and what would (product.md 5.4)."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import update

from bridge.domain.directory import DirectoryUser
from bridge.domain.errors import NotFound
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.labels import parse_label
from bridge.domain.obstacles import NearMiss
from bridge.flows.administer import set_plan
from bridge.flows.context import OPERATOR
from bridge.flows.explain import ask, check
from bridge.flows.explain_not import MOST_TOLD, WhyNot, why_not
from bridge.flows.give_roles import give_to_member, give_to_user_group
from bridge.flows.map_groups import MappingDraft, add_mapping
from bridge.flows.map_groups import set_enabled as switch_rule
from bridge.flows.members import find_member_id, remove_member
from bridge.flows.own_connections import set_enabled as switch_connection
from bridge.flows.provision_users import change_user
from bridge.flows.resources import ResourceDraft, add_resource
from bridge.flows.roles_given import parse_role_in_scope
from bridge.flows.user_groups import add_members, create_user_group
from bridge.storage import people
from bridge.storage.asserted_groups import LoginRecord, record_of_login, replace_asserted
from bridge.storage.changes import changing
from bridge.storage.mappings import refresh_group_matches
from bridge.storage.tables import grants
from tests.world import World, pushed

INES = "ines@kicks.example"


@pytest.fixture
def ines(kicks: World) -> DirectoryUser:
    """Ines, whom Okta pushed."""
    return kicks.push(INES, name="Ines")


@pytest.fixture
def shop(kicks: World, marcus: str, ines: DirectoryUser) -> World:
    """Two sources, and Ines in eng-web."""
    for name, *labels in (("Web", "environment:prod"), ("Test", "environment:dev")):
        draft = ResourceDraft("source", name, name.lower(), frozenset(map(parse_label, labels)))
        add_resource(kicks.context, marcus, "kicks", draft, kicks.now)
    kicks.push_group("eng-web", ines)
    return kicks


def asked(shop: World, action: str = "edit", target: str = "source:web", email: str = INES) -> WhyNot:
    question = ask(action, target)
    assert not check(shop.context, "kicks", email, question, shop.now).allowed
    return why_not(shop.context, "kicks", email, question, shop.now)


def rule(shop: World, match: GroupMatch, role: str = "Source Admin", *scope: str, user_group: str = "") -> str:
    roles = (parse_role_in_scope(role, scope),) if role else ()
    draft = MappingDraft(shop.connection.id, match, (user_group,) if user_group else (), roles)
    return add_mapping(shop.context, OPERATOR, "kicks", draft, shop.now).id


def give(shop: World, role: str, *scope: str) -> None:
    member = find_member_id(shop.context, "kicks", INES)
    give_to_member(shop.context, OPERATOR, "kicks", member, parse_role_in_scope(role, scope), shop.now)


def sign_in(shop: World, *groups: str, days: int = 7) -> None:
    """Ines signs in through Okta, which names these groups."""
    with changing(shop.context.database, OPERATOR, shop.now) as change:
        account = people.find_user_by_email(change.connection, INES)
        assert account
        member = people.find_member(change.connection, shop.workspace.key, account.key)
        assert member
        record = record_of_login(change, shop.connection.key, member.key, LoginRecord("ines", INES, "Ines"))
        until = shop.now + timedelta(days=days)
        named = replace_asserted(change, shop.connection.key, record, groups, until)
        refresh_group_matches(change, shop.connection.key, [key for key, _, _ in named.made])


def kinds(one: NearMiss) -> list[str]:
    return [obstacle.kind for obstacle in one.obstacles]


def only(found: WhyNot) -> NearMiss:
    assert found.person == ()
    [one] = found.nearly
    assert found.total == 1
    return one


def test_nothing_is_near_where_nothing_was_given(shop: World) -> None:
    found = asked(shop)
    assert (found.person, found.nearly, found.total) == ((), (), 0)
    assert [way.kind for way in found.ways] == ["role"]


def test_a_rule_that_is_off(shop: World) -> None:
    made = rule(shop, GroupMatch("glob", "eng-*"))
    switch_rule(shop.context, OPERATOR, "kicks", made, False, shop.now)
    found = asked(shop)
    one = only(found)
    assert (one.kind, one.mapping_id, one.idp_groups, one.connection) == ("mapping", made, ("eng-web",), "Okta")
    assert [obstacle.text for obstacle in one.obstacles] == ["The rule eng-* is switched off."]
    [by_hand, way] = found.ways
    assert (by_hand.kind, way.kind, way.idp_groups) == ("role", "idp_group", ("eng-web",))
    assert [obstacle.kind for obstacle in way.obstacles] == ["rule_off"]


def test_a_disabled_connection(shop: World) -> None:
    create_user_group(shop.context, OPERATOR, "kicks", "Guild", shop.now)
    rule(shop, GroupMatch("name", "eng-web"), user_group="Guild")
    switch_connection(shop.context, OPERATOR, "kicks", shop.connection.id, False, shop.now)
    one = only(asked(shop))
    assert kinds(one) == ["connection_disabled"]
    assert one.obstacles[0].connection == (shop.connection.id, "Okta")


def test_a_label_that_is_missing(shop: World) -> None:
    rule(shop, GroupMatch("name", "eng-web"), "Source Admin", "label:environment:prod")
    one = only(asked(shop, target="source:test"))
    assert [obstacle.text for obstacle in one.obstacles] == ["Test lacks environment:prod."]
    assert one.obstacles[0].labels == (parse_label("environment:prod"),)


def test_a_list_without_the_resource(shop: World) -> None:
    give(shop, "Source Admin", "source:web")
    one = only(asked(shop, target="source:test"))
    assert (one.kind, kinds(one)) == ("individual", ["resource_not_listed"])
    assert only(asked(shop, "create", "source")).obstacles[0].kind == "scope_not_everywhere"


def test_a_role_that_only_reads(shop: World) -> None:
    give(shop, "Source Read-only")
    assert kinds(only(asked(shop))) == ["role_reads_only"]


def test_a_plan_without_the_role(shop: World) -> None:
    give(shop, "Source Read-only")
    set_plan(shop.context, OPERATOR, "kicks", "team", shop.now)
    one = only(asked(shop, "read"))
    assert [obstacle.text for obstacle in one.obstacles] == [
        "The team plan has no Source Read-only, so it gives nothing."
    ]


def test_a_grant_that_ended(shop: World) -> None:
    give(shop, "Source Admin")
    with changing(shop.context.database, OPERATOR, shop.now) as change:
        ended = shop.now - timedelta(days=1)
        change.connection.execute(update(grants).where(grants.c.role == "source_admin").values(expires_at=ended))
    [obstacle] = only(asked(shop)).obstacles
    assert (obstacle.kind, obstacle.at) == ("grant_expired", shop.now - timedelta(days=1))


def test_a_group_of_a_login_that_counts_no_longer(shop: World) -> None:
    rule(shop, GroupMatch("name", "on-call"))
    sign_in(shop, "on-call", days=-1)
    [obstacle] = only(asked(shop)).obstacles
    assert (obstacle.kind, obstacle.at) == ("group_stale", shop.now - timedelta(days=1))
    assert "It would count again after a login that names it." in obstacle.text


def test_a_group_of_a_login_in_the_shadow_of_a_pushed_one(shop: World) -> None:
    rule(shop, GroupMatch("name", "on-call"))
    sign_in(shop, "on-call")
    shop.push_group("On-Call")
    assert kinds(only(asked(shop))) == ["group_shadowed"]


def removed(shop: World, ines: DirectoryUser) -> None:
    remove_member(shop.context, OPERATOR, "kicks", find_member_id(shop.context, "kicks", INES), shop.now)


def deactivated(shop: World, ines: DirectoryUser) -> None:
    change_user(shop.context, shop.connection, ines.id, lambda _: pushed(INES, name="Ines", active=False), shop.now)


@pytest.mark.parametrize(
    ("out", "kind", "text"),
    [
        (removed, "removed", "Ines was removed from the workspace on "),
        (
            deactivated,
            "held_out",
            "Okta has deactivated Ines: nothing works until Okta, or an owner, lets them in again.",
        ),
    ],
    ids=["removed", "deactivated"],
)
def test_who_is_out(
    shop: World, ines: DirectoryUser, out: Callable[[World, DirectoryUser], None], kind: str, text: str
) -> None:
    rule(shop, GroupMatch("name", "eng-web"))
    out(shop, ines)
    found = asked(shop)
    assert [one.kind for one in found.person] == [kind]
    assert found.person[0].text.startswith(text)
    assert [kinds(one) for one in found.nearly] == [[]], "the path is there, and waits for them"


def test_a_stranger(shop: World) -> None:
    found = asked(shop, email="nobody@kicks.example")
    assert [one.text for one in found.person] == ["nobody@kicks.example is no member of Kicks Co."]
    assert found.nearly == ()


def test_several_obstacles_are_all_told_and_the_nearest_path_comes_first(shop: World) -> None:
    far = rule(shop, GroupMatch("glob", "eng-*"), "Source Read-only", "source:test")
    switch_rule(shop.context, OPERATOR, "kicks", far, False, shop.now)
    rule(shop, GroupMatch("name", "eng-web"), "Source Admin", "label:environment:dev")
    assert [kinds(one) for one in asked(shop).nearly] == [
        ["label_missing"],
        ["rule_off", "role_reads_only", "resource_not_listed"],
    ]


def test_the_group_that_counts_stands_for_a_rule_that_takes_several(shop: World) -> None:
    rule(shop, GroupMatch("glob", "*"), "Source Admin", "source:test")
    sign_in(shop, "old-times", days=-1)
    one = only(asked(shop))
    assert (one.idp_groups, kinds(one)) == (("eng-web",), ["resource_not_listed"])


def test_by_hand_in_a_user_group(shop: World, marcus: str) -> None:
    guild = create_user_group(shop.context, marcus, "kicks", "Guild", shop.now)
    given = parse_role_in_scope("Source Admin", ["source:test"])
    give_to_user_group(shop.context, marcus, "kicks", guild.id, given, shop.now)
    add_members(shop.context, marcus, "kicks", guild.id, [INES], shop.now)
    one = only(asked(shop))
    assert (one.kind, one.user_group, one.mapping_id) == ("user_group", "Guild", None)


def test_of_very_many_the_nearest_are_told_and_all_are_counted(shop: World, marcus: str) -> None:
    for n in range(MOST_TOLD + 5):
        draft = ResourceDraft("source", f"S{n}", f"s{n}")
        add_resource(shop.context, marcus, "kicks", draft, shop.now)
        give(shop, "Source Admin", f"source:s{n}")
    found = asked(shop)
    assert (len(found.nearly), found.total) == (MOST_TOLD, MOST_TOLD + 5)


def test_an_unknown_resource_is_not_found(shop: World) -> None:
    with pytest.raises(NotFound):
        why_not(shop.context, "kicks", INES, ask("read", "source:nowhere"), shop.now)
