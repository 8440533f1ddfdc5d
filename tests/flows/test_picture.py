"""The picture of access says of each role how many people have it by a rule, as access itself does (product.md 5.7)."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bridge.domain.access import EVERYWHERE, RoleInScope
from bridge.domain.errors import NotFound
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.picture import REST, NodeId
from bridge.domain.roles import MINIMAL, OWNER, get_role
from bridge.flows.administer import set_plan
from bridge.flows.context import OPERATOR
from bridge.flows.give_roles import give_to_user_group
from bridge.flows.map_groups import MappingDraft, add_mapping, set_enabled
from bridge.flows.overview import count_holders
from bridge.flows.picture import AccessPicture, PictureWish, get_picture
from bridge.flows.provision_users import change_user
from bridge.flows.user_groups import create_user_group
from bridge.storage import people
from bridge.storage.asserted_groups import LoginRecord, record_of_login, replace_asserted
from bridge.storage.changes import changing
from bridge.storage.database import Database
from bridge.storage.mappings import refresh_group_matches
from tests.world import World, another_connection, make_world, pushed

ADMIN, READ = (RoleInScope(get_role(name), EVERYWHERE) for name in ("Source Admin", "Source Read-only"))


@pytest.fixture
def world(database: Database, now: datetime) -> World:
    return make_world(database, now)


def see(world: World, **wish: object) -> AccessPicture:
    return get_picture(world.context, "acme", PictureWish(**wish), world.now)  # type: ignore[arg-type]


def rule(world: World, kind: str, value: str, *roles: RoleInScope, user_groups: tuple[str, ...] = ()) -> str:
    draft = MappingDraft(world.connection.id, GroupMatch(kind, value), user_groups, roles)  # type: ignore[arg-type]
    return add_mapping(world.context, OPERATOR, "acme", draft, world.now).id


def guild(world: World, name: str, *gives: RoleInScope) -> str:
    made = create_user_group(world.context, OPERATOR, "acme", name, world.now)
    for given in gives:
        give_to_user_group(world.context, OPERATOR, "acme", made.id, given, world.now)
    return made.id


def sign_in(world: World, email: str, *groups: str) -> None:
    """Somebody's IdP names their groups at a login; whom it doesn't push becomes a member by that."""
    with changing(world.context.database, OPERATOR, world.now) as change:
        user = people.find_user_by_email(change.connection, email) or people.insert_user(change, email, email)
        found = people.find_member(change.connection, world.workspace.key, user.key)
        member = (found or people.insert_membership(change, world.workspace.key, user.key, accepted=True)).key
        record = record_of_login(change, world.connection.key, member, LoginRecord(email, email, email))
        named = replace_asserted(change, world.connection.key, record, groups, world.now + timedelta(days=7))
        refresh_group_matches(change, world.connection.key, [key for key, _, _ in named.made])


@pytest.fixture
def story(world: World) -> World:
    """Four people in three pushed groups, one of them suspended; two by logins; a second IdP with a group so named."""
    ann, bob, cid, dan = (world.push(f"{name}@acme.example") for name in ("ann", "bob", "cid", "dan"))
    world.push_group("eng-prod", ann, bob, dan)
    world.push_group("eng-dev", bob, cid)
    world.push_group("lunch", ann, cid)
    change_user(world.context, world.connection, dan.id, lambda _: pushed("dan@acme.example", active=False), world.now)
    sign_in(world, "eve@acme.example", "eng-web")
    sign_in(world, "fay@acme.example", "eng-prod", "eng-web")
    other = another_connection(world, "Entra")
    other.push_group("eng-prod", other.push("gus@acme.example"))
    guild(world, "Guild", READ, RoleInScope(get_role("PII Access"), EVERYWHERE))
    rule(world, "glob", "eng-*", ADMIN)
    rule(world, "name", "eng-prod", user_groups=("Guild",))
    rule(other, "glob", "eng-*", user_groups=("Guild",))
    return world


def test_each_role_has_the_people_that_access_says_have_it(story: World) -> None:
    seen = see(story)
    drawn = {node.id.id: node.people for node in seen.nodes if node.id.kind == "role"}
    held = count_holders(story.context, "acme", story.now)
    assert drawn == {role: count for role, count in held.items() if role not in (MINIMAL.id, OWNER.id)}
    assert drawn == {"source_admin": 5, "source_read_only": 4, "pii_access": 4}
    assert seen.people == 6
    assert (seen.rules.total, seen.rules.off, seen.rules.unmatched, seen.rules.silent) == (3, 0, 0, 0)


def test_a_pushed_group_decides_alone_for_whom_its_idp_pushes(story: World) -> None:
    sign_in(story, "cid@acme.example", "eng-prod")
    drawn = {node.id.id: node.people for node in see(story).nodes if node.id.kind == "role"}
    assert drawn == {"source_admin": 5, "source_read_only": 4, "pii_access": 4}, "as before"
    groups = [node.people for node in see(story).nodes if node.id.kind == "idp" and node.name == "eng-prod"]
    assert sorted(groups) == [1, 1, 2]
    assert count_holders(story.context, "acme", story.now)["source_read_only"] == 4


def test_pushed_and_asserted_groups_of_one_name_are_two_nodes(story: World) -> None:
    groups = sorted((node.name, node.people) for node in see(story).nodes if node.id.kind == "idp")
    assert groups == [("eng-dev", 2), ("eng-prod", 1), ("eng-prod", 1), ("eng-prod", 2), ("eng-web", 2)]


def test_following_a_node_counts_who_passes_it(story: World) -> None:
    [group] = [node for node in see(story).nodes if node.name == "eng-dev"]
    seen = see(story, follow=group.id)
    assert seen.followed is not None
    assert (seen.followed.people, seen.people, seen.total_routes) == (2, 2, 1)
    assert set(seen.lit.values()) == {2}
    assert len(seen.nodes) == len(see(story).nodes)
    alone = see(story, follow=group.id, alone=True)
    assert {node.name for node in alone.nodes} >= {"eng-dev", "Source Admin", "all sources (0)"}
    assert all(node.people == 2 for node in alone.nodes)


def test_a_search_draws_only_what_passes_what_it_finds(story: World) -> None:
    seen = see(story, search="guild", kind="group")
    assert [node.name for node in seen.nodes if node.id.kind == "group"] == ["Guild"]
    assert seen.people == 4
    assert {one.route.rule.value for one in seen.routes} == {"eng-prod", "eng-*"}
    assert see(story, search="guild", kind="role").nodes == ()


def test_what_is_gone_cannot_be_followed_and_everything_is_shown(story: World) -> None:
    seen = see(story, follow=NodeId("idp", "nobody"))
    assert (seen.gone, seen.followed) == (True, None)
    assert seen.people == 6


def test_rules_that_give_nothing_now_are_counted_and_not_drawn(story: World) -> None:
    off = rule(story, "name", "lunch", ADMIN)
    set_enabled(story.context, OPERATOR, "acme", off, False, story.now)
    rule(story, "name", "nowhere", ADMIN)
    guild(story, "Empty")
    rule(story, "name", "lunch", user_groups=("Empty",))
    rules = see(story).rules
    assert (rules.total, rules.off, rules.unmatched, rules.silent) == (6, 1, 1, 1)
    assert "lunch" not in {node.name for node in see(story).nodes}


def test_roles_outside_the_plan_are_not_drawn(story: World) -> None:
    set_plan(story.context, OPERATOR, "acme", "team", story.now)
    assert {node.id.id for node in see(story).nodes if node.id.kind == "role"} == {"source_admin"}


def test_of_many_groups_the_largest_are_drawn_and_the_rest_is_one_node(world: World) -> None:
    crowd = [world.push(f"p{n}@acme.example") for n in range(20)]
    for n in range(20):
        world.push_group(f"team-{n:02}", *crowd[: n + 1])
    rule(world, "glob", "team-*", ADMIN)
    seen = see(world)
    groups = {node.id: node for node in seen.nodes if node.id.kind == "idp"}
    assert len(groups) == 13
    rest = groups[NodeId("idp", REST)]
    assert (rest.folded, rest.people, rest.name) == (8, 8, "8 more")
    assert seen.total_routes == 20
    [small] = [one.route.group.id for one in seen.routes if one.route.group.name == "team-00"]
    followed = see(world, follow=NodeId("idp", small))
    assert NodeId("idp", small) in {node.id for node in followed.nodes}, "what is followed is always drawn"
    assert len(see(world, page=2).routes) == 0


def test_another_workspace_has_another_picture(story: World, database: Database) -> None:
    other = make_world(database, story.now, slug="other", owner="o@other.example")
    assert get_picture(other.context, "other", PictureWish(), story.now).nodes == ()
    with pytest.raises(NotFound):
        get_picture(other.context, "nowhere", PictureWish(), story.now)


def test_asserted_groups_are_gone_when_their_time_is_over(story: World) -> None:
    late = replace(story, now=story.now + timedelta(days=8))
    assert see(late).people == 4
