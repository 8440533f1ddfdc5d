"""User Groups by hand, by rule, and as mirrors (product.md 4.5)."""

import pytest

from bridge.domain.errors import Conflict, Forbidden, Invalid, NotFound
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.members import UserGroup
from bridge.flows.context import OPERATOR
from bridge.flows.explain import access_of
from bridge.flows.give_roles import give_to_user_group
from bridge.flows.map_groups import MappingDraft, add_mapping, list_mappings
from bridge.flows.members import find_member_id, get_person
from bridge.flows.provision_groups import delete_group
from bridge.flows.roles_given import parse_role_in_scope
from bridge.flows.user_groups import (
    add_members,
    create_user_group,
    delete_user_group,
    find_user_group_id,
    get_user_group,
    list_members,
    list_user_groups,
    preview_delete,
    remove_members,
    rename_user_group,
)
from tests.flows.audit import audit_events
from tests.world import World

READING = parse_role_in_scope("Source Read-only", [])


@pytest.fixture
def guild(kicks: World, marcus: str) -> UserGroup:
    """An empty User Group."""
    return create_user_group(kicks.context, marcus, "kicks", "Data Guild", kicks.now)


def read(kicks: World, group_id: str) -> UserGroup:
    return get_user_group(kicks.context, "kicks", group_id, kicks.now)


def mirror_of(kicks: World, name: str) -> str:
    return find_user_group_id(kicks.context, "kicks", name)


def ways(kicks: World, group_id: str) -> dict[str, tuple[bool, tuple[str, ...]]]:
    page = list_members(kicks.context, "kicks", group_id, kicks.now)
    return {one.email: (one.by_hand_since is not None, one.idp_groups) for one in page.members}


def test_a_user_group_begins_empty(kicks: World, guild: UserGroup) -> None:
    assert (guild.name, guild.mirror, guild.member_count) == ("Data Guild", False, 0)


@pytest.mark.parametrize("name", ["", " ", "x" * 201, "tab\x00"])
def test_a_name_can_be_read(kicks: World, name: str) -> None:
    with pytest.raises(Invalid):
        create_user_group(kicks.context, OPERATOR, "kicks", name, kicks.now)


def test_a_name_is_used_once_without_case(kicks: World, guild: UserGroup, marcus: str) -> None:
    other = create_user_group(kicks.context, marcus, "kicks", "Other", kicks.now)
    with pytest.raises(Conflict):
        create_user_group(kicks.context, marcus, "kicks", "DATA guild", kicks.now)
    with pytest.raises(Conflict):
        rename_user_group(kicks.context, marcus, "kicks", other.id, "data GUILD", kicks.now)


def test_members_by_hand_come_and_go(kicks: World, guild: UserGroup, marcus: str) -> None:
    for name in ("ines", "lars"):
        kicks.push(f"{name}@kicks.example")
    both = ["ines@kicks.example", "LARS@kicks.example"]
    assert add_members(kicks.context, marcus, "kicks", guild.id, both, kicks.now).member_count == 2
    assert remove_members(kicks.context, marcus, "kicks", guild.id, both[:1], kicks.now).member_count == 1
    assert ways(kicks, guild.id) == {"lars@kicks.example": (True, ())}


def test_adding_twice_adds_once_and_says_so_once(kicks: World, guild: UserGroup, marcus: str) -> None:
    kicks.push("ines@kicks.example")
    before = len(audit_events(kicks.context))
    for _ in range(2):
        added = add_members(kicks.context, marcus, "kicks", guild.id, ["ines@kicks.example"], kicks.now)
        assert added.member_count == 1
    assert [kind for _, kind, _ in audit_events(kicks.context)[before:]] == ["user_group.members_added"]


def test_who_is_no_member_of_the_workspace_is_in_no_user_group(kicks: World, guild: UserGroup, marcus: str) -> None:
    with pytest.raises(NotFound, match="nobody@"):
        add_members(
            kicks.context, marcus, "kicks", guild.id, ["marcus@kicks.example", "nobody@kicks.example"], kicks.now
        )
    assert read(kicks, guild.id).member_count == 0


def test_taking_out_who_is_not_in_by_hand_is_refused_whole(kicks: World, guild: UserGroup, marcus: str) -> None:
    kicks.push("ines@kicks.example")
    add_members(kicks.context, marcus, "kicks", guild.id, ["ines@kicks.example"], kicks.now)
    with pytest.raises(NotFound):
        remove_members(
            kicks.context, marcus, "kicks", guild.id, ["ines@kicks.example", "marcus@kicks.example"], kicks.now
        )
    assert read(kicks, guild.id).member_count == 1


def test_a_mirror_takes_no_members_by_hand(kicks: World, marcus: str) -> None:
    kicks.push_group("engineering", kicks.push("ines@kicks.example"))
    mirror = mirror_of(kicks, "engineering")
    for change in (add_members, remove_members):
        with pytest.raises(Conflict, match="mirrors"):
            change(kicks.context, marcus, "kicks", mirror, ["marcus@kicks.example"], kicks.now)
    with pytest.raises(Conflict):
        rename_user_group(kicks.context, marcus, "kicks", mirror, "Mine", kicks.now)
    assert ways(kicks, mirror) == {"ines@kicks.example": (False, ("engineering",))}


def test_people_are_counted_once_by_hand_and_by_rules_together(kicks: World, guild: UserGroup, marcus: str) -> None:
    ines, lars = kicks.push("ines@kicks.example"), kicks.push("lars@kicks.example")
    for name in ("eng-web", "eng-app"):
        kicks.push_group(name, ines, lars)
    add_members(kicks.context, marcus, "kicks", guild.id, ["ines@kicks.example", "marcus@kicks.example"], kicks.now)
    draft = MappingDraft(kicks.connection.id, GroupMatch("glob", "eng-*"), ("Data Guild",))
    add_mapping(kicks.context, marcus, "kicks", draft, kicks.now)
    found = read(kicks, guild.id)
    assert (found.member_count, found.by_hand) == (3, 2)
    assert [decider.idp_group for decider in found.deciders] == ["eng-app", "eng-web"]
    assert ways(kicks, guild.id) == {
        "ines@kicks.example": (True, ("eng-app", "eng-web")),
        "lars@kicks.example": (False, ("eng-app", "eng-web")),
        "marcus@kicks.example": (True, ()),
    }


def test_who_is_suspended_is_not_counted(kicks: World, guild: UserGroup, marcus: str) -> None:
    group = kicks.push_group("eng", kicks.push("lars@kicks.example", active=False), kicks.push("ines@kicks.example"))
    assert read(kicks, mirror_of(kicks, group.name)).member_count == 1


def test_members_are_searched_and_paged(kicks: World, marcus: str) -> None:
    people = [kicks.push(f"p{n:02}@kicks.example", name=f"Person {n:02}") for n in range(55)]
    kicks.push_group("everyone", *people)
    mirror = mirror_of(kicks, "everyone")
    first = list_members(kicks.context, "kicks", mirror, kicks.now)
    second = list_members(kicks.context, "kicks", mirror, kicks.now, page=2)
    found = list_members(kicks.context, "kicks", mirror, kicks.now, search="person 07")
    assert (first.total, len(first.members), len(second.members)) == (55, 50, 5)
    assert [one.email for one in found.members] == ["p07@kicks.example"]


def test_the_list_is_searched_and_counted(kicks: World, guild: UserGroup, marcus: str) -> None:
    create_user_group(kicks.context, marcus, "kicks", "On-call", kicks.now)
    page = list_user_groups(kicks.context, "kicks", kicks.now, search="GUILD")
    assert ([one.name for one in page.groups], page.total) == (["Data Guild"], 1)
    assert list_user_groups(kicks.context, "kicks", kicks.now).total == 2


def test_deleting_says_what_is_lost_and_takes_it(kicks: World, guild: UserGroup, marcus: str) -> None:
    kicks.push("ines@kicks.example")
    add_members(kicks.context, marcus, "kicks", guild.id, ["ines@kicks.example"], kicks.now)
    give_to_user_group(kicks.context, marcus, "kicks", guild.id, READING, kicks.now)
    loss = preview_delete(kicks.context, "kicks", guild.id, kicks.now)
    assert (loss.members, [grant.given for grant in loss.grants], loss.rules) == (1, [READING], 0)
    assert delete_user_group(kicks.context, marcus, "kicks", guild.id, kicks.now) == loss
    names = {one.role.name for one in access_of(kicks.context, "kicks", "ines@kicks.example", kicks.now)}
    assert "Source Read-only" not in names
    with pytest.raises(NotFound):
        read(kicks, guild.id)


def test_a_rule_that_gave_only_it_goes_too_and_others_stay(kicks: World, guild: UserGroup, marcus: str) -> None:
    only = MappingDraft(kicks.connection.id, GroupMatch("name", "a"), ("Data Guild",))
    also = MappingDraft(kicks.connection.id, GroupMatch("name", "b"), ("Data Guild",), (READING,))
    add_mapping(kicks.context, marcus, "kicks", only, kicks.now)
    stays = add_mapping(kicks.context, marcus, "kicks", also, kicks.now)
    assert delete_user_group(kicks.context, marcus, "kicks", guild.id, kicks.now).rules == 1
    assert [one.id for one in list_mappings(kicks.context, "kicks")] == [stays.id]


def test_a_mirror_deleted_here_stays_gone_while_its_group_lives(kicks: World, marcus: str) -> None:
    group = kicks.push_group("eng", kicks.push("ines@kicks.example"))
    delete_user_group(kicks.context, marcus, "kicks", mirror_of(kicks, "eng"), kicks.now)
    assert list_mappings(kicks.context, "kicks", mirrors_too=True) == ()
    delete_group(kicks.context, kicks.connection, group.id, kicks.now)
    with pytest.raises(NotFound):
        mirror_of(kicks, "eng")


def test_a_name_that_was_deleted_is_free(kicks: World, guild: UserGroup, marcus: str) -> None:
    delete_user_group(kicks.context, marcus, "kicks", guild.id, kicks.now)
    assert create_user_group(kicks.context, marcus, "kicks", "Data Guild", kicks.now).id != guild.id


def test_only_owners_change_user_groups(kicks: World, guild: UserGroup) -> None:
    kicks.push("ines@kicks.example")
    ines = get_person(
        kicks.context, "kicks", find_member_id(kicks.context, "kicks", "ines@kicks.example"), kicks.now
    ).member
    actor = f"user:{ines.user_id}"
    with pytest.raises(Forbidden):
        create_user_group(kicks.context, actor, "kicks", "Mine", kicks.now)
    with pytest.raises(Forbidden):
        add_members(kicks.context, actor, "kicks", guild.id, ["ines@kicks.example"], kicks.now)
    with pytest.raises(Forbidden):
        delete_user_group(kicks.context, actor, "kicks", guild.id, kicks.now)
    with pytest.raises(Forbidden):
        give_to_user_group(kicks.context, actor, "kicks", guild.id, READING, kicks.now)
