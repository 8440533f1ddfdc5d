"""Product.md 4.5 and 4.7: an IdP pushes groups; a change of members is rows added or removed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from bridge.domain.directory import (
    DirectoryGroup,
    DirectoryUser,
    GroupRenamed,
    MembersAdded,
    MembersRemoved,
    MembersReplaced,
)
from bridge.domain.errors import Invalid, NotFound, Stale
from bridge.flows.provision_groups import change_group, create_group, delete_group, get_group
from bridge.flows.provision_users import delete_user
from bridge.storage.database import Database
from bridge.storage.tables import PAST, audit, directory_groups, group_members, mapping_matches, mappings, user_groups
from tests.world import World, another_connection, make_world


@pytest.fixture
def world(database: Database, now: datetime) -> World:
    return make_world(database, now)


def people(world: World, count: int) -> list[DirectoryUser]:
    return [world.push(f"person{n}@acme.example") for n in range(count)]


@pytest.fixture
def five(world: World) -> list[str]:
    return [person.id for person in people(world, 5)]


def members(world: World, group: DirectoryGroup) -> set[str]:
    found = get_group(world.context, world.connection, group.id, with_members=True).members
    assert found is not None
    return {member.id for member in found}


def change(world: World, group: DirectoryGroup, *steps: Any, **more: Any) -> DirectoryGroup:
    return change_group(world.context, world.connection, group.id, steps, world.now, **more)


def user_group_names(world: World) -> list[str]:
    with world.context.database.reading() as rows:
        return list(rows.execute(select(user_groups.c.name).order_by(user_groups.c.id)).scalars())


def count(world: World, table: Any) -> int:
    with world.context.database.reading() as rows:
        return len(rows.execute(select(table)).all())


def test_a_pushed_group_is_mirrored_by_a_rule_on_its_id(world: World) -> None:
    group = world.push_group("Engineering", world.push("ann@acme.example"))
    assert user_group_names(world) == ["Engineering"]
    with world.context.database.reading() as rows:
        rule = rows.execute(select(mappings.c.match, mappings.c.value, mappings.c.origin)).one()
    assert tuple(rule) == ("id", group.id, "mirror")
    assert count(world, mapping_matches) == 1


def test_a_mirror_never_takes_the_name_of_a_user_group_that_is_there(world: World) -> None:
    world.push_group("Engineering")
    world.push_group("engineering")
    another_connection(world, "Entra").push_group("ENGINEERING")
    assert user_group_names(world) == ["Engineering", "engineering (Okta)", "ENGINEERING (Entra)"]


def test_renames_follow(world: World) -> None:
    group = world.push_group("Engineering")
    change(world, group, GroupRenamed("Product Engineering"))
    assert user_group_names(world) == ["Product Engineering"]


def test_deleting_the_group_takes_the_mirror_and_removes_nobody(world: World) -> None:
    ann = world.push("ann@acme.example")
    group = world.push_group("Engineering", ann)
    delete_group(world.context, world.connection, group.id, world.now)
    assert user_group_names(world) == []
    assert (count(world, mappings), count(world, mapping_matches), count(world, group_members)) == (0, 0, 0)
    with pytest.raises(NotFound):
        get_group(world.context, world.connection, group.id, with_members=False)


def test_the_same_name_pushed_later_is_a_new_group(world: World) -> None:
    first = world.push_group("Engineering")
    delete_group(world.context, world.connection, first.id, world.now)
    assert world.push_group("Engineering").id != first.id


def test_what_ends_is_kept_with_when_and_why(world: World) -> None:
    ann = world.push("ann@acme.example")
    group = world.push_group("Engineering", ann)
    change(world, group, MembersRemoved((ann.id,)))
    past = PAST[group_members]
    with world.context.database.reading() as rows:
        ended = rows.execute(select(past)).one()
        cause = rows.execute(select(audit.c.cause).where(audit.c.type == "idp_group.members_removed")).scalar_one()
    assert (ended.since, ended.until, ended.ended_by) == (world.now, world.now, cause)


def test_adding_never_removes_and_removing_removes_only_the_named(world: World) -> None:
    ann, ben, cyd = people(world, 3)
    group = world.push_group("Engineering", ann, ben)
    change(world, group, MembersAdded((cyd.id, ann.id)))
    assert members(world, group) == {ann.id, ben.id, cyd.id}
    change(world, group, MembersRemoved((ben.id, "nobody")))
    assert members(world, group) == {ann.id, cyd.id}


def test_a_member_nobody_pushed_is_refused_and_nothing_changes(world: World) -> None:
    ann, ben = people(world, 2)
    group = world.push_group("Engineering", ann)
    with pytest.raises(Invalid):
        change(world, group, GroupRenamed("Changed"), MembersAdded((ben.id, "nobody")))
    assert members(world, group) == {ann.id}
    assert get_group(world.context, world.connection, group.id, with_members=False).name == "Engineering"


def test_another_connections_person_is_nobody_here(world: World) -> None:
    stranger = another_connection(world, "Entra").push("ann@acme.example")
    with pytest.raises(Invalid):
        create_group(world.context, world.connection, "Engineering", None, [stranger.id], world.now)
    assert count(world, directory_groups) == 0


def test_a_change_without_effect_is_no_new_version(world: World) -> None:
    ann = world.push("ann@acme.example")
    group = change(world, world.push_group("Engineering", ann), MembersAdded((ann.id,)))
    assert change(world, group, MembersAdded((ann.id,)), MembersRemoved(("x",))).version == group.version


def test_a_version_that_is_past_is_refused(world: World) -> None:
    ann, ben = people(world, 2)
    group = world.push_group("Engineering")
    change(world, group, MembersAdded((ann.id,)))
    with pytest.raises(Stale):
        change(world, group, MembersAdded((ben.id,)), if_version=group.version.__eq__)


def test_a_deleted_person_is_in_no_group_and_the_count_says_so(world: World) -> None:
    ann, ben = people(world, 2)
    group = world.push_group("Engineering", ann, ben)
    delete_user(world.context, world.connection, ann.id, world.now)
    assert members(world, group) == {ben.id}
    with world.context.database.reading() as rows:
        assert rows.execute(select(directory_groups.c.n_members)).scalar_one() == 1


def test_parallel_adds_of_different_members_are_all_there(world: World) -> None:
    everyone = people(world, 16)
    group = world.push_group("Engineering")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda person: change(world, group, MembersAdded((person.id,))), everyone))
    assert members(world, group) == {person.id for person in everyone}
    with world.context.database.reading() as rows:
        assert rows.execute(select(directory_groups.c.n_members)).scalar_one() == 16


def test_parallel_renames_and_creates_of_one_name_all_end_with_names_of_their_own(world: World) -> None:
    with ThreadPoolExecutor(8) as pool:
        groups = list(pool.map(lambda n: world.push_group("Engineering"), range(8)))
        list(pool.map(lambda group: change(world, group, GroupRenamed("Platform")), groups))
    assert len(set(user_group_names(world))) == 8


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from([MembersAdded, MembersRemoved, MembersReplaced]),
            st.lists(st.integers(0, 4), max_size=4).map(tuple),
        ),
        max_size=8,
    )
)
def test_any_order_of_changes_ends_with_exactly_the_right_members(
    world: World, five: list[str], steps: list[Any]
) -> None:
    group, expected = world.push_group("Any"), set[str]()
    for kind, chosen in steps:
        ids = tuple(five[n] for n in chosen)
        change(world, group, kind(ids))
        now_in = {MembersAdded: expected | set(ids), MembersRemoved: expected - set(ids), MembersReplaced: set(ids)}
        expected = now_in[kind]
    assert members(world, group) == expected
