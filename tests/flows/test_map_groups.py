"""Product.md 5: rules, what they give, and who would gain or lose."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bridge.domain.access import EVERYWHERE, RoleInScope, parse_scope
from bridge.domain.directory import DirectoryUser, GroupRenamed, MembersRemoved
from bridge.domain.errors import Conflict, Forbidden, Invalid, NotFound
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.previews import MappingDraft, Preview
from bridge.domain.roles import OWNER, ROLES, get_role
from bridge.domain.workspace import Membership
from bridge.flows.context import OPERATOR
from bridge.flows.give_roles import give_to_user_group
from bridge.flows.map_groups import (
    MappingFacts,
    add_mapping,
    change_mapping,
    link_group,
    list_mappings,
    preview_add,
    preview_change,
    preview_delete,
    remove_mapping,
    set_enabled,
)
from bridge.flows.provision_groups import change_group, delete_group
from bridge.flows.provision_users import delete_user
from bridge.flows.user_groups import create_user_group, find_user_group_id, list_user_groups
from bridge.storage import access, people
from bridge.storage.changes import changing
from bridge.storage.connections import set_connection
from bridge.storage.database import Database
from bridge.storage.mappings import refresh_connection_matches
from tests.flows.audit import audit_events
from tests.flows.logins import sign_in
from tests.world import World, another_connection, make_world

SOURCE_ADMIN, SOURCE_READ = get_role("Source Admin"), get_role("Source Read-only")


@pytest.fixture
def world(database: Database, now: datetime) -> World:
    return make_world(database, now)


def rule(world: World, kind: str, value: str, *roles: RoleInScope, user_groups: tuple[str, ...] = ()) -> MappingDraft:
    return MappingDraft(world.connection.id, GroupMatch(kind, value), user_groups, roles)  # type: ignore[arg-type]


def add(world: World, kind: str, value: str, *roles: RoleInScope, user_groups: tuple[str, ...] = ()) -> MappingFacts:
    draft = rule(world, kind, value, *roles, user_groups=user_groups)
    return add_mapping(world.context, OPERATOR, world.workspace.slug, draft, world.now)


def everywhere(role: str) -> RoleInScope:
    return RoleInScope(get_role(role), EVERYWHERE)


def membership_of(world: World, user: DirectoryUser) -> Membership:
    with world.context.database.reading() as rows:
        account = people.find_user_by_email(rows, user.pushed.user_name)
        assert account is not None
        found = people.find_member(rows, world.workspace.key, account.key)
    assert found is not None
    return found


def roles(world: World, user: DirectoryUser) -> set[str]:
    """What a person has, Minimal Workspace Access aside."""
    every = [role.id for role in ROLES]
    with world.context.database.reading() as rows:
        held = access.paths(rows, membership_of(world, user).key, every, world.now)
    return {grant.role for grant in held} - {"minimal_workspace_access"}


def emails(moved: tuple[object, ...]) -> list[str]:
    return [person.email for person in moved]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("kind", "value"),
    [("name", "ENG-prod"), ("glob", "eng-*"), ("glob", "???-PROD"), ("external_id", "00g1")],
)
def test_a_rule_gives_its_role_to_the_people_of_the_groups_it_matches(world: World, kind: str, value: str) -> None:
    ann, ben = world.push("ann@acme.example"), world.push("ben@acme.example")
    world.push_group("eng-prod", ann, external_id="00g1")
    world.push_group("marketing", ben)
    add(world, kind, value, everywhere("Source Admin"))
    assert roles(world, ann) == {"source_admin"}
    assert roles(world, ben) == set()


def test_a_rule_by_name_takes_a_group_pushed_later(world: World) -> None:
    add(world, "name", "eng-prod", everywhere("Source Admin"))
    ann = world.push("ann@acme.example")
    world.push_group("eng-prod", ann)
    assert roles(world, ann) == {"source_admin"}


def test_a_rename_leaves_and_enters_rules(world: World) -> None:
    add(world, "glob", "eng-*", everywhere("Source Admin"))
    ann = world.push("ann@acme.example")
    group = world.push_group("eng-prod", ann)
    change_group(world.context, world.connection, group.id, [GroupRenamed("ops-prod")], world.now)
    assert roles(world, ann) == set()
    change_group(world.context, world.connection, group.id, [GroupRenamed("eng-ops")], world.now)
    assert roles(world, ann) == {"source_admin"}


def test_deleting_a_rule_takes_its_access_at_once(world: World) -> None:
    ann = world.push("ann@acme.example")
    world.push_group("eng-prod", ann)
    made = add(world, "name", "eng-prod", everywhere("Source Admin"))
    remove_mapping(world.context, OPERATOR, world.workspace.slug, made.id, world.now)
    assert roles(world, ann) == set()
    with pytest.raises(NotFound):
        remove_mapping(world.context, OPERATOR, world.workspace.slug, made.id, world.now)


def test_a_rule_switched_off_gives_nothing_until_it_is_on_again(world: World) -> None:
    ann = world.push("ann@acme.example")
    world.push_group("eng-prod", ann)
    made = add(world, "name", "eng-prod", everywhere("Source Admin"))
    set_enabled(world.context, OPERATOR, world.workspace.slug, made.id, False, world.now)
    assert roles(world, ann) == set()
    set_enabled(world.context, OPERATOR, world.workspace.slug, made.id, True, world.now)
    assert roles(world, ann) == {"source_admin"}


def test_a_disabled_connection_gives_nothing(world: World) -> None:
    ann = world.push("ann@acme.example")
    world.push_group("eng-prod", ann)
    add(world, "name", "eng-prod", everywhere("Source Admin"))
    for enabled, held in ((False, set[str]()), (True, {"source_admin"})):
        with changing(world.context.database, OPERATOR, world.now) as change:
            set_connection(change, world.connection.key, enabled=enabled)
            refresh_connection_matches(change, world.connection.key)
        assert roles(world, ann) == held


def test_a_rule_sees_its_own_connections_groups_only(world: World) -> None:
    add(world, "name", "eng-prod", everywhere("Source Admin"))
    second = another_connection(world, "Entra")
    ann = second.push("ann@acme.example")
    second.push_group("eng-prod", ann)
    assert roles(world, ann) == set()


def test_a_group_never_gives_anything_by_its_name_alone(world: World) -> None:
    """Properties.md 6: a SCIM group called like a local group, or a role, becomes neither."""
    ann = world.push("ann@acme.example")
    world.push_group("Workspace Owner", ann)
    assert roles(world, ann) == set()


def test_a_member_removed_and_a_person_held_out_lose_it_at_once(world: World) -> None:
    ann, ben = world.push("ann@acme.example"), world.push("ben@acme.example")
    group = world.push_group("eng-prod", ann, ben)
    add(world, "name", "eng-prod", everywhere("Source Admin"))
    change_group(world.context, world.connection, group.id, [MembersRemoved((ann.id,))], world.now)
    delete_user(world.context, world.connection, ben.id, world.now)
    assert roles(world, ann) == set()
    assert roles(world, ben) == set()


def test_ownership_is_never_given_by_a_pattern(world: World) -> None:
    with pytest.raises(Invalid):
        add(world, "glob", "*", RoleInScope(OWNER, EVERYWHERE))
    add(world, "name", "admins", RoleInScope(OWNER, EVERYWHERE))


def test_a_rule_says_itself_in_one_sentence(world: World) -> None:
    made = add(world, "glob", "eng-*", RoleInScope(SOURCE_ADMIN, parse_scope(["label:environment:prod"], SOURCE_ADMIN)))
    assert made.sentence == "People in Okta groups named eng-* get Source Admin on sources labelled environment:prod."
    assert [each.sentence for each in list_mappings(world.context, world.workspace.slug)] == [made.sentence]


def preview(world: World, kind: str, value: str, *roles: RoleInScope) -> Preview:
    return preview_add(world.context, world.workspace.slug, rule(world, kind, value, *roles), world.now)


def test_a_preview_names_who_gains_and_saving_gives_just_that(world: World) -> None:
    ann, ben = world.push("ann@acme.example", name="Ann"), world.push("ben@acme.example")
    world.push("cyd@acme.example")
    world.push_group("eng-prod", ann, ben)
    seen = preview(world, "glob", "eng-*", everywhere("Source Admin"))
    assert emails(seen.gains.people) == ["ann@acme.example", "ben@acme.example"]
    assert seen.loses.people == ()
    assert roles(world, ann) == set()
    add(world, "glob", "eng-*", everywhere("Source Admin"))
    assert roles(world, ann) == {"source_admin"}


def test_who_has_as_much_by_another_path_neither_gains_nor_loses(world: World) -> None:
    ann, ben = world.push("ann@acme.example"), world.push("ben@acme.example")
    world.push_group("eng-prod", ann, ben)
    world.push_group("leads", ann)
    add(world, "name", "leads", everywhere("Source Admin"))
    assert emails(preview(world, "name", "eng-prod", everywhere("Source Read-only")).gains.people) == [
        "ben@acme.example"
    ]
    made = add(world, "name", "eng-prod", everywhere("Source Read-only"))
    lost = preview_delete(world.context, world.workspace.slug, made.id, world.now)
    assert emails(lost.loses.people) == ["ben@acme.example"]


def test_suspended_people_gain_nothing(world: World) -> None:
    ann = world.push("ann@acme.example", active=False)
    world.push_group("eng-prod", ann)
    assert preview(world, "name", "eng-prod", everywhere("Source Admin")).gains.people == ()


def test_a_preview_of_a_rule_that_matches_nothing_is_empty(world: World) -> None:
    assert preview(world, "name", "nobody", everywhere("Source Admin")).gains.people == ()


def test_a_rule_through_a_user_group_gives_what_the_user_group_has(world: World) -> None:
    ann = world.push("ann@acme.example")
    ben = world.push("ben@acme.example")
    world.push_group("Production Engineering", ben)
    world.push_group("eng-prod", ann)
    made = add(world, "name", "eng-prod", user_groups=("production engineering",))
    assert made.user_groups[0][1] == "Production Engineering"
    with pytest.raises(NotFound):
        add(world, "name", "eng-prod", user_groups=("No Such",))


def test_a_mirrors_rule_is_linked_elsewhere_not_deleted(world: World) -> None:
    ann = world.push("ann@acme.example")
    group = world.push_group("eng-prod", ann)
    world.push_group("Production Engineering")
    mirror = next(each for each in list_mappings(world.context, world.workspace.slug, mirrors_too=True))
    with pytest.raises(Conflict):
        remove_mapping(world.context, OPERATOR, world.workspace.slug, mirror.id, world.now)
    slug, connection = world.workspace.slug, world.connection.id
    linked = link_group(world.context, OPERATOR, slug, connection, group.id, "Production Engineering", world.now)
    assert linked.origin == "link"
    assert linked.sentence == "People in the Okta group eng-prod join Production Engineering."
    delete_group(world.context, world.connection, group.id, world.now)
    left = list_mappings(world.context, world.workspace.slug, mirrors_too=True)
    assert [each.user_groups[0][1] for each in left] == ["Production Engineering"]


@pytest.mark.parametrize("in_use", [False, True])
def test_a_group_linked_to_its_own_mirror_keeps_it_as_a_user_group_like_any_other(world: World, in_use: bool) -> None:
    group, slug = world.push_group("eng-prod", world.push("ann@acme.example")), world.workspace.slug
    mirror = find_user_group_id(world.context, slug, "eng-prod")
    if in_use:
        give_to_user_group(world.context, OPERATOR, slug, mirror, everywhere("Source Admin"), world.now)
    link_group(world.context, OPERATOR, slug, world.connection.id, group.id, "eng-prod", world.now)
    [left] = list_user_groups(world.context, slug, world.now).groups
    assert (left.id, left.mirror, left.orphan_of, left.member_count) == (mirror, False, None, 1)


def test_a_snapshot_of_the_past_needs_nothing_but_time(world: World) -> None:
    """Facts stand since a moment: the rule's was before now, whenever it is asked later."""
    ann = world.push("ann@acme.example")
    world.push_group("eng-prod", ann)
    add(world, "name", "eng-prod", everywhere("Source Admin"))
    with world.context.database.reading() as rows:
        held = access.paths(rows, membership_of(world, ann).key, ["source_admin"], world.now + timedelta(days=900))
    assert [grant.because.in_group_since for grant in held] == [world.now]


def matched(world: World) -> list[tuple[str, str]]:
    """The rules and groups of `mapping.matched`, in order."""
    every = [after for _, kind, after in audit_events(world.context) if kind == "mapping.matched"]
    return [(after["rule"], after["idp_group"]) for after in every]


def test_a_group_that_a_rule_takes_later_is_an_event(world: World) -> None:
    """Product.md 5.2; what its preview could show is none, nor what it took all the time."""
    ann = world.push("ann@acme.example")
    first = world.push_group("eng-one", ann)
    add(world, "glob", "eng-*", everywhere("Source Admin"))
    add(world, "name", "eng-two", everywhere("Function Admin"))
    add(world, "id", first.id, everywhere("Warehouse Admin"))
    assert matched(world) == []
    world.push_group("eng-two", ann)
    assert matched(world) == [("eng-*", "eng-two"), ("eng-two", "eng-two")]
    change_group(world.context, world.connection, first.id, [GroupRenamed("eng-1")], world.now)
    change_group(world.context, world.connection, first.id, [MembersRemoved((ann.id,))], world.now)
    assert len(matched(world)) == 2
    change_group(world.context, world.connection, first.id, [GroupRenamed("ops")], world.now)
    change_group(world.context, world.connection, first.id, [GroupRenamed("eng-3")], world.now)
    assert matched(world)[2:] == [("eng-*", "eng-3")]


def test_a_group_named_at_a_login_for_the_first_time_is_an_event_too(world: World) -> None:
    add(world, "glob", "night*", everywhere("Source Admin"))
    for _ in range(2):
        sign_in(world, "ann@acme.example", groups=("night-shift",))
    assert matched(world) == [("night*", "night-shift")]


def test_a_rule_that_is_changed_gives_what_it_says_then_and_keeps_its_name(world: World) -> None:
    """Properties.md 11: what it gave before is gone; what both give stands since it was first given."""
    ann, ben = world.push("ann@acme.example"), world.push("ben@acme.example")
    world.push_group("eng", ann)
    world.push_group("ops", ben)
    create_user_group(world.context, OPERATOR, "acme", "Guild", world.now)
    made = add(world, "name", "eng", everywhere("Source Admin"), everywhere("Function Admin"))
    later = world.now + timedelta(days=1)
    draft = rule(world, "glob", "*", everywhere("Function Admin"), RoleInScope(SOURCE_READ, EVERYWHERE))
    draft = replace(draft, user_group_names=("Guild",))
    changed = change_mapping(world.context, OPERATOR, "acme", made.id, draft, later)
    assert (changed.id, changed.matched_groups, [name for _, name in changed.user_groups]) == (made.id, 2, ["Guild"])
    assert roles(world, ann) == roles(world, ben) == {"function_admin", "source_read_only"}
    with world.context.database.reading() as rows:
        held = access.paths(rows, membership_of(world, ann).key, ["function_admin", "source_read_only"], later)
    assert {(one.role, one.because.since) for one in held} == {
        ("function_admin", world.now),
        ("source_read_only", later),
    }
    told = [after for _, kind, after in audit_events(world.context) if kind == "mapping.changed"]
    assert told == [{"rule": changed.sentence}]
    change_mapping(world.context, OPERATOR, "acme", made.id, draft, later)
    assert len([kind for _, kind, _ in audit_events(world.context) if kind == "mapping.changed"]) == 1


def test_a_rule_that_is_off_stays_off_when_it_is_changed(world: World) -> None:
    ann = world.push("ann@acme.example")
    world.push_group("eng", ann)
    made = add(world, "name", "ops", everywhere("Source Admin"))
    set_enabled(world.context, OPERATOR, "acme", made.id, False, world.now)
    draft = rule(world, "name", "eng", everywhere("Source Admin"))
    assert preview_change(world.context, "acme", made.id, draft, world.now).gains.count == 0
    assert not change_mapping(world.context, OPERATOR, "acme", made.id, draft, world.now).enabled
    assert roles(world, ann) == set()
    set_enabled(world.context, OPERATOR, "acme", made.id, True, world.now)
    assert roles(world, ann) == {"source_admin"}


def test_only_owners_change_rules_and_only_their_own(world: World) -> None:
    eve = world.push("eve@acme.example")
    world.push_group("eng", eve)
    made = add(world, "name", "eng", everywhere("Source Admin"))
    draft = rule(world, "name", "eng", everywhere("Source Read-only"))
    with pytest.raises(Forbidden):
        change_mapping(world.context, f"user:{eve.id}", "acme", made.id, draft, world.now)
    [mirror] = [one for one in list_mappings(world.context, "acme", mirrors_too=True) if one.origin == "mirror"]
    with pytest.raises(Conflict):
        change_mapping(world.context, OPERATOR, "acme", mirror.id, draft, world.now)
    owned = rule(world, "glob", "*", RoleInScope(OWNER, EVERYWHERE))
    with pytest.raises(Invalid):
        change_mapping(world.context, OPERATOR, "acme", made.id, owned, world.now)
    assert roles(world, eve) == {"source_admin"}
