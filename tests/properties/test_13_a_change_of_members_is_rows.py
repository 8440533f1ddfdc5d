"""13. A change of members is rows added or removed, never a list rewritten.

Any order and any concurrency of adds and removes of different members ends with exactly the right members; adding never
removes.

Beside: tests/flows/test_provision_groups.py (any order of changes ends with exactly the right members).
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from bridge.domain.directory import DirectoryGroup, GroupChange, MembersAdded, MembersRemoved
from bridge.flows.provision_groups import change_group, get_group
from bridge.flows.provision_users import delete_user
from bridge.storage.columns import Instant
from bridge.storage.tables import directory_groups, group_members
from tests.flows.logins import sign_in
from tests.world import World

PEOPLE = 8


@pytest.fixture
def everyone(acme: World) -> list[str]:
    return [acme.push(f"p{n}@acme.example").id for n in range(PEOPLE)]


def change(world: World, group: DirectoryGroup, *steps: GroupChange) -> None:
    change_group(world.context, world.connection, group.id, steps, world.now)


def members(world: World, group: DirectoryGroup) -> set[str]:
    found = get_group(world.context, world.connection, group.id, with_members=True).members
    return {member.id for member in found or ()}


def counted(world: World, group: DirectoryGroup) -> tuple[int, int]:
    """How many the group says that it has, and how many rows there are."""
    said = select(directory_groups.c.n_members).where(directory_groups.c.uid == group.id)
    there = select(func.count()).select_from(group_members).join(directory_groups)
    with world.context.database.snapshot() as rows:
        return rows.execute(said).scalar_one(), rows.execute(
            there.where(directory_groups.c.uid == group.id)
        ).scalar_one()


def since_of_all(world: World) -> dict[tuple[int, int], Instant]:
    with world.context.database.snapshot() as rows:
        return {(row.group_id, row.directory_user_id): row.since for row in rows.execute(select(group_members))}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_any_concurrency_of_changes_of_different_members_ends_right(
    acme: World, everyone: list[str], data: st.DataObject
) -> None:
    """Each person is in or out before, and is added, removed or left alone by a request of their own."""
    before = {uid for uid in everyone if data.draw(st.booleans())}
    group = acme.push_group("Any")
    change(acme, group, MembersAdded(tuple(before)))
    steps: list[GroupChange] = []
    after = set(before)
    for uid in everyone:
        kind = data.draw(st.sampled_from([MembersAdded, MembersRemoved, None]))
        if kind is not None:
            steps.append(kind((uid,)))
            (after.add if kind is MembersAdded else after.discard)(uid)
    run: list[Callable[[], None]] = [lambda step=step: change(acme, group, step) for step in steps]  # type: ignore[misc]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda each: each(), data.draw(st.permutations(run))))
    assert members(acme, group) == after
    assert counted(acme, group) == (len(after), len(after))


def test_adding_removes_nobody_and_touches_no_row_that_stays(acme: World, everyone: list[str]) -> None:
    group = acme.push_group("Any")
    change(acme, group, MembersAdded(tuple(everyone[:4])))
    before = since_of_all(acme)
    change(replace(acme, now=acme.now + timedelta(minutes=1)), group, MembersAdded(tuple(everyone)))
    change(replace(acme, now=acme.now + timedelta(minutes=1)), group, MembersRemoved(tuple(everyone[4:])))
    assert since_of_all(acme) == before


def test_removing_removes_only_the_named_even_with_strangers_among_them(acme: World, everyone: list[str]) -> None:
    group = acme.push_group("Any")
    change(acme, group, MembersAdded(tuple(everyone)))
    change(acme, group, MembersRemoved((everyone[0], "nobody", group.id)))
    assert members(acme, group) == set(everyone[1:])


def test_logins_and_pushes_at_once_disturb_no_groups_of_each_other(acme: World, everyone: list[str]) -> None:
    group = acme.push_group("Any")

    def log_in(n: int) -> None:
        sign_in(acme, f"p{n}@acme.example", groups=("any", "staff"))

    with ThreadPoolExecutor(4) as pool:
        done: list[Future[Any]] = [pool.submit(change, acme, group, MembersAdded((uid,))) for uid in everyone[:6]]
        done += [pool.submit(log_in, n) for n in range(6)]
    assert [each.exception() for each in done] == [None] * 12
    assert members(acme, group) == set(everyone[:6])
    assert counted(acme, group) == (6, 6)
    with acme.context.database.reading() as rows:
        asserted = select(directory_groups.c.n_members).where(directory_groups.c.source == "asserted")
        assert list(rows.execute(asserted).scalars()) == [6, 6]


def test_deleting_people_and_adding_others_at_once_ends_right(acme: World, everyone: list[str]) -> None:
    group = acme.push_group("Any")
    change(acme, group, MembersAdded(tuple(everyone[:4])))
    with ThreadPoolExecutor(4) as pool:
        done: list[Future[Any]] = [
            pool.submit(delete_user, acme.context, acme.connection, uid, acme.now) for uid in everyone[:4]
        ]
        done += [pool.submit(change, acme, group, MembersAdded((uid,))) for uid in everyone[4:]]
        done += [pool.submit(acme.push, f"new{n}@acme.example") for n in range(4)]
        done += [pool.submit(acme.push_group, f"New {n}") for n in range(4)]
    assert [each.exception() for each in done] == [None] * 16
    assert members(acme, group) == set(everyone[4:])
    assert counted(acme, group) == (4, 4)
