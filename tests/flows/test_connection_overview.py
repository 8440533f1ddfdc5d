"""What hangs on a connection, and who loses what when it closes: foreseen as it then comes (property 11)."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from bridge.domain.directory import GroupChange, MembersAdded, MembersRemoved
from bridge.domain.errors import NotFound, Stale
from bridge.domain.group_mapping import GroupMatch
from bridge.flows.connection_overview import Closing, foresee_closing, get_overview, list_overviews
from bridge.flows.context import OPERATOR
from bridge.flows.domains import add_domain
from bridge.flows.explain import access_of
from bridge.flows.give_roles import give_to_member
from bridge.flows.map_groups import MappingDraft, add_mapping
from bridge.flows.members import find_member_id
from bridge.flows.own_connections import delete_connection, set_enabled
from bridge.flows.provision_groups import change_group
from bridge.flows.roles_given import parse_role_in_scope
from bridge.flows.tokens import create_scim_token
from tests.flows.logins import keep_attempt, sign_in
from tests.overheard import statements
from tests.world import World, another_connection

READING, WRITING = parse_role_in_scope("Source Read-only", []), parse_role_in_scope("Source Admin", [])


def rule(world: World, name: str, *roles: Any) -> None:
    draft = MappingDraft(world.connection.id, GroupMatch("name", name), (), roles)
    add_mapping(world.context, OPERATOR, world.workspace.slug, draft, world.now)


def foresee(world: World) -> Closing:
    return foresee_closing(world.context, world.workspace.slug, world.connection.id, world.now)


def lost(world: World) -> dict[str, list[str]]:
    return {one.email: [given.role.name for given in one.roles] for one in foresee(world).loses.people}


def roles_of(world: World, email: str) -> set[str]:
    return {one.role.name for one in access_of(world.context, world.workspace.slug, email, world.now)}


def test_a_new_connection_counts_nothing(kicks: World) -> None:
    [seen] = list_overviews(kicks.context, "kicks", kicks.now)
    counts = seen.counts
    assert (counts.people, counts.pushed, counts.identities, counts.signed_in, counts.rules, counts.tokens) == (0,) * 6
    assert (counts.last_sign_in, counts.domains) == (None, ())
    assert seen.good_until == seen.certificates[0].not_after


def test_what_hangs_on_it_is_counted(kicks: World) -> None:
    kicks.push_group("eng", kicks.push("ines@kicks.example"), kicks.push("lars@kicks.example", active=False))
    rule(kicks, "eng", READING)
    create_scim_token(kicks.context, OPERATOR, "kicks", kicks.connection.id, None, "", kicks.now)
    add_domain(kicks.context, OPERATOR, "kicks", "kicks.example", kicks.connection.id, kicks.now)
    counts = get_overview(kicks.context, "kicks", kicks.connection.id, kicks.now).counts
    assert (counts.people, counts.pushed, counts.groups, counts.held_out) == (2, 2, 1, 1)
    assert (counts.rules, counts.tokens, counts.domains) == (1, 1, ("kicks.example",))


def test_who_is_signed_in_by_it_is_whom_it_opens_something_for(kicks: World) -> None:
    """Switched off, it ends all sign-ins by it; switched on again, it doesn't bring them back."""

    def count(now: datetime) -> int:
        return get_overview(kicks.context, "kicks", kicks.connection.id, now).counts.signed_in

    later = kicks.now + timedelta(minutes=1)
    sign_in(kicks, "mei@kicks.example")
    assert count(kicks.now) == 1
    set_enabled(kicks.context, OPERATOR, "kicks", kicks.connection.id, False, later)
    assert count(later) == 0
    set_enabled(kicks.context, OPERATOR, "kicks", kicks.connection.id, True, later)
    assert count(later) == 0
    sign_in(kicks, "mei@kicks.example", now=later + timedelta(minutes=1))
    assert count(later + timedelta(minutes=1)) == 1


def test_the_last_sign_in_is_the_last_good_one(kicks: World) -> None:
    keep_attempt(kicks, "REF-1", "signed_in", kicks.now + timedelta(hours=1))
    keep_attempt(kicks, "REF-2", "signed_in", kicks.now + timedelta(hours=2))
    keep_attempt(kicks, "REF-3", "refused", kicks.now + timedelta(hours=3))
    seen = get_overview(kicks.context, "kicks", kicks.connection.id, kicks.now)
    assert seen.counts.last_sign_in == kicks.now + timedelta(hours=2)


def test_the_last_sign_in_is_found_without_reading_those_that_were_refused(kicks: World) -> None:
    with statements(kicks.context.database) as said:
        list_overviews(kicks.context, "kicks", kicks.now)
    [counting] = [one for one in said if "sign_in_attempts" in one.sql]
    with kicks.context.database.snapshot() as rows:
        if kicks.context.database.is_sqlite:
            plan = [row.detail for row in rows.exec_driver_sql(f"EXPLAIN QUERY PLAN {counting.sql}", counting.values)]
        else:
            rows.exec_driver_sql("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
            plan = list(rows.exec_driver_sql(f"EXPLAIN {counting.sql}", counting.values).scalars())
    read = [line for line in plan if "sign_in_attempts" in line]
    assert read
    assert all("ix_sign_in_attempts_signed_in" in line for line in read), plan


def test_who_loses_is_told_by_person_and_role(kicks: World) -> None:
    ines, nia = kicks.push("ines@kicks.example"), kicks.push("nia@kicks.example")
    kicks.push_group("eng", ines)
    kicks.push_group("data", ines, nia)
    rule(kicks, "eng", WRITING)
    rule(kicks, "data", READING)
    assert lost(kicks) == {"ines@kicks.example": ["Source Admin"], "nia@kicks.example": ["Source Read-only"]}


def test_what_another_path_gives_is_not_lost(kicks: World, marcus: str) -> None:
    entra = another_connection(kicks, "Entra")
    ines, nia = kicks.push("ines@kicks.example"), kicks.push("nia@kicks.example")
    kicks.push_group("eng", ines, nia)
    entra.push_group("eng", entra.push("ines@kicks.example"))
    rule(kicks, "eng", READING)
    rule(entra, "eng", READING)
    member = find_member_id(kicks.context, "kicks", "nia@kicks.example")
    give_to_member(kicks.context, marcus, "kicks", member, WRITING, kicks.now)
    assert lost(kicks) == {}


def test_what_is_foreseen_is_what_comes(kicks: World, now: datetime) -> None:
    kicks.push_group("eng", kicks.push("ines@kicks.example"))
    rule(kicks, "eng", READING)
    assert "Source Read-only" in roles_of(kicks, "ines@kicks.example")
    assert lost(kicks) == {"ines@kicks.example": ["Source Read-only"]}
    set_enabled(kicks.context, OPERATOR, "kicks", kicks.connection.id, False, now)
    assert "Source Read-only" not in roles_of(kicks, "ines@kicks.example")
    assert lost(kicks) == {}  # it gives nothing any more, so nobody loses by deleting it


def test_what_was_foreseen_is_done_and_nothing_else(kicks: World) -> None:
    seen = foresee(kicks).foreseen
    ines = kicks.push("ines@kicks.example")
    kicks.push_group("eng", ines)
    rule(kicks, "eng", READING)
    with pytest.raises(Stale, match="1 person loses access, 0 when you looked"):
        delete_connection(kicks.context, OPERATOR, "kicks", kicks.connection.id, kicks.now, seen=seen)
    with pytest.raises(Stale):
        set_enabled(kicks.context, OPERATOR, "kicks", kicks.connection.id, False, kicks.now, seen=seen)
    assert roles_of(kicks, "ines@kicks.example") >= {"Source Read-only"}
    set_enabled(kicks.context, OPERATOR, "kicks", kicks.connection.id, False, kicks.now, seen=foresee(kicks).foreseen)


def test_others_who_lose_as_much_are_others(kicks: World) -> None:
    ines, nia = kicks.push("ines@kicks.example"), kicks.push("nia@kicks.example")
    group = kicks.push_group("eng", ines)
    rule(kicks, "eng", READING)
    seen = foresee(kicks).foreseen
    steps: list[GroupChange] = [MembersAdded((nia.id,)), MembersRemoved((ines.id,))]
    change_group(kicks.context, kicks.connection, group.id, steps, kicks.now)
    with pytest.raises(Stale, match="other people lose access than those"):
        delete_connection(kicks.context, OPERATOR, "kicks", kicks.connection.id, kicks.now, seen=seen)


def test_what_changes_elsewhere_in_the_workspace_holds_nothing_up(kicks: World) -> None:
    kicks.push_group("eng", kicks.push("ines@kicks.example"))
    rule(kicks, "eng", READING)
    seen = foresee(kicks).foreseen
    kicks.push("nia@kicks.example")
    assert foresee(kicks).foreseen.revision > seen.revision
    delete_connection(kicks.context, OPERATOR, "kicks", kicks.connection.id, kicks.now, seen=seen)


def test_groups_of_a_sign_in_that_count_no_longer_are_counted_anew(kicks: World, now: datetime) -> None:
    sign_in(kicks, "ines@kicks.example", groups=("eng",))
    rule(kicks, "eng", READING)
    looked, its = now + timedelta(days=7, minutes=-1), (kicks.context, OPERATOR, "kicks", kicks.connection.id)
    seen = foresee_closing(kicks.context, "kicks", kicks.connection.id, looked).foreseen
    with pytest.raises(Stale, match="0 people lose access, 1 when you looked"):
        set_enabled(*its, False, looked + timedelta(minutes=2), seen=seen)


def test_a_deleted_connection_has_no_overview(kicks: World) -> None:
    delete_connection(kicks.context, OPERATOR, "kicks", kicks.connection.id, kicks.now)
    assert list_overviews(kicks.context, "kicks", kicks.now) == ()
    with pytest.raises(NotFound):
        foresee(kicks)
