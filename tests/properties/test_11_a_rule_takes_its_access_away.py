"""11. Deleting or editing a rule takes its access away. What a person gave by hand is never touched by an IdP, and the
reverse.

Beside: tests/flows/test_map_groups.py, tests/storage/test_access.py.
"""

from collections.abc import Callable
from itertools import count, product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from bridge.domain.access import EVERYWHERE, RoleInScope
from bridge.domain.directory import DirectoryGroup, DirectoryUser, GroupRenamed, MembersAdded, MembersRemoved
from bridge.domain.errors import DomainError
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.roles import get_role
from bridge.flows.context import OPERATOR
from bridge.flows.explain import access_of
from bridge.flows.give_roles import end_grant, give_to_member, give_to_user_group
from bridge.flows.map_groups import MappingDraft, add_mapping, remove_mapping
from bridge.flows.map_groups import set_enabled as set_mapping_enabled
from bridge.flows.members import find_member_id
from bridge.flows.own_connections import delete_connection, set_enabled
from bridge.flows.provision_groups import change_group, delete_group
from bridge.flows.provision_users import delete_user
from bridge.flows.user_groups import add_members, create_user_group, delete_user_group, remove_members
from bridge.storage.tables import directory_groups, directory_users, grants, group_members, user_group_members
from tests.flows.logins import sign_in
from tests.properties.outsiders import ADMIN
from tests.properties.ways import say, set_active
from tests.world import World, pushed

ANN = "ann@acme.example"
BY_HAND = RoleInScope(get_role("Warehouse Admin"), EVERYWHERE)
_serial = count(1)


def roles(world: World, email: str = ANN) -> set[str]:
    found = access_of(world.context, "acme", email, world.now)
    return {one.role.name for one in found} - {"Minimal Workspace Access"}


# -- Each way in which a rule stops giving ---------------------------------------------------------------------------


def stop_by_deleting_the_rule(world: World, rule: str, group: DirectoryGroup, ann: DirectoryUser) -> None:
    remove_mapping(world.context, OPERATOR, "acme", rule, world.now)


def stop_by_switching_it_off(world: World, rule: str, group: DirectoryGroup, ann: DirectoryUser) -> None:
    set_mapping_enabled(world.context, OPERATOR, "acme", rule, False, world.now)


def stop_by_renaming_the_group(world: World, rule: str, group: DirectoryGroup, ann: DirectoryUser) -> None:
    change_group(world.context, world.connection, group.id, [GroupRenamed("Sales")], world.now)


def stop_by_removing_the_member(world: World, rule: str, group: DirectoryGroup, ann: DirectoryUser) -> None:
    change_group(world.context, world.connection, group.id, [MembersRemoved((ann.id,))], world.now)


def stop_by_deleting_the_group(world: World, rule: str, group: DirectoryGroup, ann: DirectoryUser) -> None:
    delete_group(world.context, world.connection, group.id, world.now)


def stop_by_disabling_the_connection(world: World, rule: str, group: DirectoryGroup, ann: DirectoryUser) -> None:
    set_enabled(world.context, OPERATOR, "acme", world.connection.id, False, world.now)


def stop_by_deleting_the_connection(world: World, rule: str, group: DirectoryGroup, ann: DirectoryUser) -> None:
    delete_connection(world.context, OPERATOR, "acme", world.connection.id, world.now)


def stop_by_deleting_the_user_group(world: World, rule: str, group: DirectoryGroup, ann: DirectoryUser) -> None:
    given = add_mapping(world.context, OPERATOR, "acme", draft(world, "name", "nobody", "Guild"), world.now)
    delete_user_group(world.context, OPERATOR, "acme", given.user_groups[0][0], world.now)


STOPS: tuple[Callable[[World, str, DirectoryGroup, DirectoryUser], None], ...] = (
    stop_by_deleting_the_rule,
    stop_by_switching_it_off,
    stop_by_renaming_the_group,
    stop_by_removing_the_member,
    stop_by_deleting_the_group,
    stop_by_disabling_the_connection,
    stop_by_deleting_the_connection,
)


def draft(world: World, kind: str, value: str, user_group: str | None = None) -> MappingDraft:
    match = GroupMatch(kind, value)  # type: ignore[arg-type]
    given = ((user_group,), ()) if user_group else ((), (ADMIN,))
    return MappingDraft(world.connection.id, match, *given)


@pytest.mark.parametrize("kind", ["name", "glob"])
@pytest.mark.parametrize(
    ("stop", "user_group"),
    [*product(STOPS, (None, "Guild")), (stop_by_deleting_the_user_group, "Guild")],
    ids=lambda each: getattr(each, "__name__", each),
)
def test_what_a_rule_gave_is_gone_and_what_a_hand_gave_stays(
    acme: World, kind: str, user_group: str | None, stop: Callable[..., None]
) -> None:
    ann = acme.push(ANN)
    group = acme.push_group("Engineering", ann)
    guild = create_user_group(acme.context, OPERATOR, "acme", "Guild", acme.now)
    if user_group:
        give_to_user_group(acme.context, OPERATOR, "acme", guild.id, ADMIN, acme.now)
    member = find_member_id(acme.context, "acme", ANN)
    give_to_member(acme.context, OPERATOR, "acme", member, BY_HAND, acme.now)
    value = "engineering" if kind == "name" else "eng*"
    rule = add_mapping(acme.context, OPERATOR, "acme", draft(acme, kind, value, user_group), acme.now)
    assert roles(acme) == {"Source Admin", "Warehouse Admin"}
    stop(acme, rule.id, group, ann)
    assert roles(acme) == {"Warehouse Admin"}


def test_two_rules_give_until_both_are_gone(acme: World) -> None:
    acme.push_group("Engineering", acme.push(ANN))
    made = [
        add_mapping(acme.context, OPERATOR, "acme", draft(acme, kind, value), acme.now).id
        for kind, value in (("name", "Engineering"), ("glob", "*"))
    ]
    remove_mapping(acme.context, OPERATOR, "acme", made[0], acme.now)
    assert roles(acme) == {"Source Admin"}
    remove_mapping(acme.context, OPERATOR, "acme", made[1], acme.now)
    assert roles(acme) == set()


def test_what_a_login_named_stops_with_the_rule_too(acme: World) -> None:
    sign_in(acme, ANN, groups=("staff",))
    rule = add_mapping(acme.context, OPERATOR, "acme", draft(acme, "name", "Staff"), acme.now)
    assert roles(acme) == {"Source Admin"}
    remove_mapping(acme.context, OPERATOR, "acme", rule.id, acme.now)
    assert roles(acme) == set()


def test_a_scim_removal_is_not_undone_by_the_next_login(acme: World) -> None:
    ann = acme.push(ANN)
    group = acme.push_group("Staff", ann)
    add_mapping(acme.context, OPERATOR, "acme", draft(acme, "name", "staff"), acme.now)
    sign_in(acme, ANN, groups=("Staff",))
    stop_by_removing_the_member(acme, "", group, ann)
    sign_in(acme, ANN, groups=("Staff",))
    assert roles(acme) == set()


# -- By hand and by IdP never touch each other -----------------------------------------------------------------------


def hand_given(world: World) -> list[tuple[object, ...]]:
    by_hand = select(grants.c.id, grants.c.principal_id, grants.c.role, grants.c.since, grants.c.given_by)
    inside = select(user_group_members)
    with world.context.database.snapshot() as rows:
        mine = [tuple(row) for row in rows.execute(by_hand.where(grants.c.given_by == OPERATOR))]
        return sorted(mine + [tuple(row) for row in rows.execute(inside)], key=repr)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=st.lists(st.integers(0, 7), max_size=12))
def test_no_idp_touches_what_was_given_by_hand(acme: World, steps: list[int]) -> None:
    email = f"ann{next(_serial)}@acme.example"
    ann = acme.push(email)
    guild = create_user_group(acme.context, OPERATOR, "acme", f"Guild of {email}", acme.now, emails=[email])
    give_to_member(acme.context, OPERATOR, "acme", find_member_id(acme.context, "acme", email), BY_HAND, acme.now)
    group = acme.push_group("Guild", ann)
    before = hand_given(acme)
    tricks: tuple[Callable[[], object], ...] = (
        lambda: set_active(acme, ann.id, email, False),
        lambda: set_active(acme, ann.id, email, True),
        lambda: change_group(acme.context, acme.connection, group.id, [MembersRemoved((ann.id,))], acme.now),
        lambda: change_group(acme.context, acme.connection, group.id, [MembersAdded((ann.id,))], acme.now),
        lambda: change_group(acme.context, acme.connection, group.id, [GroupRenamed(guild.name)], acme.now),
        lambda: acme.push_group(guild.name, ann),
        lambda: sign_in(acme, email, subject=email, groups=(guild.name, "Workspace Owner")),
        lambda: say(acme, ann.id, pushed(email, name="Another")),
    )
    for step in steps:
        try:
            tricks[step]()
        except DomainError:
            continue
    assert hand_given(acme) == before


def test_nothing_by_hand_touches_what_an_idp_says(acme: World) -> None:
    ann = acme.push(ANN)
    acme.push_group("Engineering", ann)
    said = (directory_users, directory_groups, group_members)

    def rows_said() -> list[list[tuple[object, ...]]]:
        with acme.context.database.snapshot() as rows:
            return [[tuple(row) for row in rows.execute(select(table))] for table in said]

    before, now, context = rows_said(), acme.now, acme.context
    member = find_member_id(context, "acme", ANN)
    given = give_to_member(context, OPERATOR, "acme", member, ADMIN, now)
    guild = create_user_group(context, OPERATOR, "acme", "Guild", now)
    add_members(context, OPERATOR, "acme", guild.id, [ANN], now)
    remove_members(context, OPERATOR, "acme", guild.id, [ANN], now)
    end_grant(context, OPERATOR, "acme", given.id, now)
    delete_user_group(context, OPERATOR, "acme", guild.id, now)
    assert rows_said() == before


def test_deletion_by_the_idp_ends_what_was_given_by_hand_for_good(acme: World) -> None:
    ann = acme.push(ANN)
    give_to_member(acme.context, OPERATOR, "acme", find_member_id(acme.context, "acme", ANN), BY_HAND, acme.now)
    delete_user(acme.context, acme.connection, ann.id, acme.now)
    acme.push(ANN)
    assert roles(acme) == set()
