"""A pushed group is linked to an existing User Group, and what that changes is told before (product.md 4.5)."""

from datetime import datetime

import pytest

from bridge.domain.directory import DirectoryGroup
from bridge.domain.errors import Conflict, Forbidden, NotFound
from bridge.domain.members import UserGroup
from bridge.domain.previews import MovedPeople
from bridge.flows.context import OPERATOR
from bridge.flows.give_roles import give_to_user_group
from bridge.flows.map_groups import link_group
from bridge.flows.roles_given import parse_role_in_scope
from bridge.flows.tie_groups import get_tie, list_groups, preview_link, preview_unlink, unlink_group
from bridge.flows.user_groups import add_members, create_user_group, list_members, list_user_groups
from tests.flows.audit import audit_events
from tests.world import World

ANN, BOB = "ann@kicks.example", "bob@kicks.example"


@pytest.fixture
def eng(kicks: World) -> DirectoryGroup:
    """A pushed group of Ann and Bob."""
    return kicks.push_group("eng", kicks.push(ANN), kicks.push(BOB))


@pytest.fixture
def guild(kicks: World, eng: DirectoryGroup, now: datetime) -> UserGroup:
    """A User Group of the workspace's own, which gives a role and has Bob by hand."""
    made = create_user_group(kicks.context, OPERATOR, "kicks", "Data Guild", now, emails=[BOB])
    give(kicks, made.id, "Source Admin", now)
    return made


def give(kicks: World, user_group_id: str, role: str, now: datetime) -> None:
    give_to_user_group(kicks.context, OPERATOR, "kicks", user_group_id, parse_role_in_scope(role, []), now)


def link(kicks: World, eng: DirectoryGroup, name: str, now: datetime) -> None:
    link_group(kicks.context, OPERATOR, "kicks", kicks.connection.id, eng.id, name, now)


def moved(side: MovedPeople) -> dict[str, list[str]]:
    return {one.email: [role.role.name for role in one.roles] for one in side.people}


def names(kicks: World, user_group_id: str, now: datetime) -> list[str]:
    return [one.email for one in list_members(kicks.context, "kicks", user_group_id, now).members]


def user_groups(kicks: World, now: datetime) -> list[str]:
    return [one.name for one in list_user_groups(kicks.context, "kicks", now).groups]


def test_groups_are_listed_with_what_they_are_tied_to(
    kicks: World, eng: DirectoryGroup, guild: UserGroup, now: datetime
) -> None:
    kicks.push_group("ops")
    link(kicks, eng, "data guild", now)
    found = list_groups(kicks.context, "kicks", kicks.connection.id)
    told = [
        (one.name, one.members, one.tie and one.tie.origin, one.user_group and one.user_group[1])
        for one in found.groups
    ]
    assert told == [("eng", 2, "link", "Data Guild"), ("ops", 0, "mirror", "ops")]
    assert list_groups(kicks.context, "kicks", kicks.connection.id, search="OP").total == 1
    assert list_groups(kicks.context, "kicks", kicks.connection.id, page=2, size=1).groups[0].name == "ops"


def test_linking_does_what_its_preview_says(kicks: World, eng: DirectoryGroup, guild: UserGroup, now: datetime) -> None:
    [mirror] = [one for one in list_user_groups(kicks.context, "kicks", now).groups if one.mirror]
    give(kicks, mirror.id, "Function Admin", now)
    seen = preview_link(kicks.context, "kicks", kicks.connection.id, eng.id, "Data Guild", now)
    assert (seen.now.group, seen.now.members, seen.now.user_group, seen.now.mirrored) == ("eng", 2, "eng", True)
    assert moved(seen.gains) == {ANN: ["Source Admin"]}
    assert moved(seen.loses) == {ANN: ["Function Admin"], BOB: ["Function Admin"]}
    link(kicks, eng, "Data Guild", now)
    assert names(kicks, guild.id, now) == [ANN, BOB]
    assert names(kicks, mirror.id, now) == []
    assert audit_events(kicks.context)[-1][1] == "mapping.linked"


def test_what_the_user_group_gives_too_is_not_lost(
    kicks: World, eng: DirectoryGroup, guild: UserGroup, now: datetime
) -> None:
    [mirror] = [one for one in list_user_groups(kicks.context, "kicks", now).groups if one.mirror]
    give(kicks, mirror.id, "Source Read-only", now)
    seen = preview_link(kicks.context, "kicks", kicks.connection.id, eng.id, "Data Guild", now)
    assert seen.loses.count == 0


def test_a_preview_changes_nothing(kicks: World, eng: DirectoryGroup, guild: UserGroup, now: datetime) -> None:
    before = len(audit_events(kicks.context))
    preview_link(kicks.context, "kicks", kicks.connection.id, eng.id, "Data Guild", now)
    assert len(audit_events(kicks.context)) == before
    assert get_tie(kicks.context, "kicks", kicks.connection.id, eng.id).mirrored


def test_unlinking_leaves_who_is_in_by_hand(kicks: World, eng: DirectoryGroup, guild: UserGroup, now: datetime) -> None:
    link(kicks, eng, "Data Guild", now)
    seen = preview_unlink(kicks.context, "kicks", kicks.connection.id, eng.id, now)
    assert moved(seen.loses) == {ANN: ["Source Admin"]}
    unlink_group(kicks.context, OPERATOR, "kicks", kicks.connection.id, eng.id, now)
    assert names(kicks, guild.id, now) == [BOB]
    tie = get_tie(kicks.context, "kicks", kicks.connection.id, eng.id)
    assert (tie.user_group, tie.mirrored) == (None, False)
    link(kicks, eng, "Data Guild", now)
    assert names(kicks, guild.id, now) == [ANN, BOB]


def test_a_mirror_is_not_unlinked(kicks: World, eng: DirectoryGroup, now: datetime) -> None:
    for ask in (preview_unlink, lambda *asked: unlink_group(asked[0], OPERATOR, *asked[1:])):
        with pytest.raises(Conflict, match="is mirrored"):
            ask(kicks.context, "kicks", kicks.connection.id, eng.id, now)


def test_what_is_linked_can_be_linked_to_another(
    kicks: World, eng: DirectoryGroup, guild: UserGroup, now: datetime
) -> None:
    other = create_user_group(kicks.context, OPERATOR, "kicks", "Builders", now)
    link(kicks, eng, "Data Guild", now)
    seen = preview_link(kicks.context, "kicks", kicks.connection.id, eng.id, "Builders", now)
    assert moved(seen.loses) == {ANN: ["Source Admin"]}
    link(kicks, eng, "Builders", now)
    assert (names(kicks, guild.id, now), names(kicks, other.id, now)) == ([BOB], [ANN, BOB])
    assert user_groups(kicks, now) == ["Builders", "Data Guild"]


def test_what_is_not_there_is_not_found(kicks: World, eng: DirectoryGroup, guild: UserGroup, now: datetime) -> None:
    asked = (kicks.context, "kicks", kicks.connection.id)
    with pytest.raises(NotFound):
        preview_link(*asked, "00000000-0000-4000-8000-000000000000", "Data Guild", now)
    with pytest.raises(NotFound):
        preview_link(*asked, eng.id, "No Such Group", now)
    with pytest.raises(NotFound):
        get_tie(*asked, guild.id)


def test_a_member_links_and_unlinks_nothing(kicks: World, eng: DirectoryGroup, guild: UserGroup, now: datetime) -> None:
    add_members(kicks.context, OPERATOR, "kicks", guild.id, [ANN], now)
    link(kicks, eng, "Data Guild", now)
    actor = f"user:{kicks.push('eve@kicks.example').id}"
    with pytest.raises(Forbidden):
        unlink_group(kicks.context, actor, "kicks", kicks.connection.id, eng.id, now)
