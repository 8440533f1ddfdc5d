"""A change is one transaction with its audit events; what it ends or alters can still be asked for as of then."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Table, insert, select

from bridge.storage.changes import (
    Change,
    Collision,
    alter_facts,
    begin_fact,
    begin_facts,
    changing,
    end_facts,
    insert_row,
    lock_workspace,
)
from bridge.storage.database import Database
from bridge.storage.tables import PAST, audit, grant_labels, grants, principals, users, workspaces

HOUR = timedelta(hours=1)


@pytest.fixture
def workspace(database: Database, now: datetime) -> int:
    """A workspace with two principals, numbered 1 and 2."""
    with changing(database, "operator", now - HOUR) as change:
        key = begin_fact(change, workspaces, workspace_row("acme", now))
        for number in (1, 2):
            change.connection.execute(insert(principals).values(id=number, workspace_id=key, kind="membership"))
    return key


def workspace_row(slug: str, now: datetime) -> dict[str, Any]:
    return {"uid": slug, "slug": slug, "name": slug.title(), "plan": "business", "created_at": now}


def grant_row(uid: str, principal: int = 1) -> dict[str, Any]:
    return {"uid": uid, "principal_id": principal, "role": "source_admin", "scope": "all", "given_by": "user:1"}


def rows(database: Database, table: Table, *columns: str) -> list[Any]:
    """What a table holds, in any order: whole rows as dictionaries, or tuples of the named columns."""
    with database.reading() as connection:
        if columns:
            return sorted(tuple(row) for row in connection.execute(select(*(table.c[name] for name in columns))))
        return [dict(row) for row in connection.execute(select(table)).mappings()]


def value(database: Database, table: Table, column: str) -> Any:
    [(only,)] = rows(database, table, column)
    return only


# -- Facts ---------------------------------------------------------------------------------------------------------


def test_a_fact_says_since_when_and_by_which_cause_it_stands(database: Database, workspace: int, now: datetime) -> None:
    with changing(database, "user:1", now) as change:
        key = begin_fact(change, grants, grant_row("g"))
    [grant] = rows(database, grants)
    assert (grant["id"], grant["since"], grant["cause"]) == (key, now, change.cause)


def test_many_facts_begin_in_one_statement(database: Database, workspace: int, now: datetime) -> None:
    with changing(database, "user:1", now) as change:
        begin_facts(change, grants, [grant_row("a"), grant_row("b")])
        begin_facts(change, grants, [])
    assert rows(database, grants, "uid", "since") == [("a", now), ("b", now)]


def test_an_ended_fact_moves_to_its_twin_with_when_and_why(database: Database, workspace: int, now: datetime) -> None:
    with changing(database, "user:1", now) as first:
        begin_facts(first, grants, [grant_row("ends"), grant_row("stays")])
    with changing(database, "user:1", now + HOUR) as second:
        assert end_facts(second, grants, grants.c.uid == "ends") == [None]
    assert rows(database, grants, "uid") == [("stays",)]
    [ended] = rows(database, PAST[grants])
    assert (ended["uid"], ended["role"]) == ("ends", "source_admin")
    assert (ended["since"], ended["cause"]) == (now, first.cause)
    assert (ended["until"], ended["ended_by"]) == (now + HOUR, second.cause)


def test_ending_tells_whose_rows_went(database: Database, workspace: int, now: datetime) -> None:
    with changing(database, "user:1", now) as change:
        begin_facts(change, grants, [grant_row("a", 1), grant_row("b", 2), grant_row("c", 2)])
    with changing(database, "user:1", now) as change:
        assert sorted(end_facts(change, grants, grants.c.principal_id == 2, returning="uid")) == ["b", "c"]
        assert end_facts(change, grants, grants.c.principal_id == 2, returning="uid") == []
        assert end_facts(change, grants, grants.c.principal_id == 2) == []


def test_all_conditions_must_hold_for_a_fact_to_end(database: Database, workspace: int, now: datetime) -> None:
    with changing(database, "user:1", now) as change:
        begin_facts(change, grants, [grant_row("a", 1), grant_row("b", 2)])
        assert end_facts(change, grants, grants.c.principal_id == 1, grants.c.uid == "b") == []
    assert not rows(database, PAST[grants])


def test_facts_without_a_number_of_their_own_end_too(database: Database, workspace: int, now: datetime) -> None:
    with changing(database, "user:1", now) as change:
        key = begin_fact(change, grants, grant_row("g"))
        begin_facts(change, grant_labels, [{"grant_id": key, "key": "environment", "value": "prod"}])
        assert end_facts(change, grant_labels, returning="value") == ["prod"]
    assert rows(database, PAST[grant_labels], "grant_id", "key", "value") == [(key, "environment", "prod")]


def test_an_altered_fact_keeps_what_it_said_in_the_twin(database: Database, workspace: int, now: datetime) -> None:
    with changing(database, "user:1", now) as change:
        assert alter_facts(change, workspaces, workspaces.c.slug == "acme", values={"name": "Acme Inc."}) == 1
        assert alter_facts(change, workspaces, workspaces.c.slug == "other", values={"name": "Other"}) == 0
    [current] = rows(database, workspaces)
    assert (current["name"], current["since"], current["cause"]) == ("Acme Inc.", now, change.cause)
    [past] = rows(database, PAST[workspaces])
    assert (past["name"], past["since"], past["until"], past["ended_by"]) == ("Acme", now - HOUR, now, change.cause)


def test_the_state_as_of_any_moment_can_be_asked_for(database: Database, workspace: int, now: datetime) -> None:
    for hours, name in ((1, "One"), (2, "Two"), (3, "Three")):
        with changing(database, "user:1", now + hours * HOUR) as change:
            alter_facts(change, workspaces, workspaces.c.id == workspace, values={"name": name})
    spans = rows(database, PAST[workspaces], "since", "until", "name")
    names = [name for *_, name in spans]
    assert names == ["Acme", "One", "Two"]
    assert [until for _, until, _ in spans[:-1]] == [since for since, *_ in spans[1:]], "without gap or overlap"


def test_a_fact_can_end_begin_and_end_again(database: Database, workspace: int, now: datetime) -> None:
    with changing(database, "user:1", now) as change:
        key = begin_fact(change, grants, grant_row("g"))
    for hours in (1, 2):
        with changing(database, "user:1", now + hours * HOUR) as change:
            begin_facts(change, grant_labels, [{"grant_id": key, "key": "team", "value": "red"}])
            assert len(end_facts(change, grant_labels)) == 1
    assert len(rows(database, PAST[grant_labels])) == 2


# -- Audit events --------------------------------------------------------------------------------------------------


def test_a_change_and_its_audit_event_are_written_together(database: Database, workspace: int, now: datetime) -> None:
    with changing(database, "user:1", now) as change:
        change.record(workspace, "workspace.renamed", "workspace:acme", before={"name": "Acme"}, after={"name": "New"})
    [event] = rows(database, audit)
    assert event == {
        "workspace_id": workspace, "seq": 1, "at": now, "cause": change.cause, "actor": "user:1",
        "type": "workspace.renamed", "subject": "workspace:acme", "before": {"name": "Acme"}, "after": {"name": "New"},
    }  # fmt: skip


def test_when_the_block_raises_neither_change_nor_event_happened(
    database: Database, workspace: int, now: datetime
) -> None:
    with pytest.raises(ZeroDivisionError), changing(database, "user:1", now) as change:
        change_and_fail(change, workspace)
    assert (rows(database, grants), rows(database, audit)) == ([], [])
    assert (value(database, workspaces, "audit_seq"), value(database, workspaces, "rev")) == (0, 0)


def change_and_fail(change: Change, workspace: int) -> None:
    begin_fact(change, grants, grant_row("g"))
    change.record(workspace, "grant.given", "grant:g")
    raise ZeroDivisionError


def test_events_of_one_transaction_share_its_cause_and_others_do_not(
    database: Database, workspace: int, now: datetime
) -> None:
    for _ in range(2):
        with changing(database, "user:1", now) as change:
            change.record(workspace, "a", "s")
            change.record(workspace, "b", "s")
    causes = [cause for _, cause in rows(database, audit, "seq", "cause")]
    assert causes[0] == causes[1] != causes[2] == causes[3]


def test_events_are_numbered_by_workspace_in_the_order_they_were_recorded(
    database: Database, workspace: int, now: datetime
) -> None:
    with changing(database, "operator", now) as change:
        other = begin_fact(change, workspaces, workspace_row("other", now))
    with changing(database, "operator", now) as change:
        for kind in ("a", "b"):
            change.record(workspace, kind, "s")
            change.record(other, kind, "s")
    with changing(database, "operator", now) as change:
        change.record(other, "c", "s")
    assert rows(database, audit, "workspace_id", "seq", "type") == sorted(
        [(workspace, 1, "a"), (workspace, 2, "b"), (other, 1, "a"), (other, 2, "b"), (other, 3, "c")]
    )


def test_each_change_with_an_event_raises_the_revision(database: Database, workspace: int, now: datetime) -> None:
    revisions = [value(database, workspaces, "rev")]
    for record in (True, False, True):
        with changing(database, "user:1", now) as change:
            if record:
                change.record(workspace, "a", "s")
        revisions.append(value(database, workspaces, "rev"))
    assert revisions == [0, 1, 1, 2]


def test_changes_at_once_leave_no_gap_and_no_double_in_the_numbers(
    database: Database, workspace: int, now: datetime
) -> None:
    def change_something(number: int) -> None:
        with changing(database, f"user:{number}", now) as change:
            change.record(workspace, "a", f"{number}")
            change.record(workspace, "b", f"{number}")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(change_something, range(40)))
    events = rows(database, audit, "seq", "subject", "type")
    assert [seq for seq, *_ in events] == list(range(1, 81))
    assert [kind for *_, kind in events] == ["a", "b"] * 40
    assert value(database, workspaces, "audit_seq") == 80


# -- Races ---------------------------------------------------------------------------------------------------------


def test_a_unique_row_taken_by_another_is_a_collision(database: Database, workspace: int, now: datetime) -> None:
    user = {"uid": "u", "email": "a", "email_ci": "a", "name": "A", "created_at": now}
    with changing(database, "user:1", now) as change:
        insert_row(change, users, user)
    with pytest.raises(Collision), changing(database, "user:2", now) as change:
        insert_row(change, users, user | {"uid": "v"})
    assert len(rows(database, users)) == 1


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)  # SQLite has one writer: nothing to entangle
def test_a_deadlock_is_a_collision_for_one_and_nothing_for_the_other(
    database: Database, workspace: int, now: datetime
) -> None:
    with changing(database, "operator", now) as change:
        other = begin_fact(change, workspaces, workspace_row("other", now))
    both_hold_one = threading.Barrier(2)

    def lock_both(first: int, second: int) -> bool:
        try:
            with changing(database, "user:1", now) as change:
                lock_workspace(change, first)
                both_hold_one.wait(10)
                lock_workspace(change, second)
        except Collision:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        outcomes = threads.map(lock_both, [workspace, other], [other, workspace])
        assert sorted(outcomes) == [False, True]


def test_whoever_locked_a_workspace_is_alone_until_the_end(database: Database, workspace: int, now: datetime) -> None:
    inside: list[int] = []

    def enter(number: int) -> None:
        with changing(database, "user:1", now) as change:
            lock_workspace(change, workspace)
            inside.append(number)
            assert inside == [number]
            inside.remove(number)

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(enter, range(30)))


def run_behind(database: Database, now: datetime, first: Any, second: Any) -> tuple[Any, Any]:
    """Run `first` in a change that stays open while `second` starts in another. Gives what both returned."""
    with ThreadPoolExecutor(1) as threads:
        started = threading.Event()

        def follow() -> Any:
            started.set()
            with changing(database, "user:2", now + HOUR) as change:
                return second(change)

        with changing(database, "user:1", now) as change:
            done = first(change)
            following = threads.submit(follow)
            started.wait(5)
            wait_until_blocked(database)
        return done, following.result(timeout=20)


def wait_until_blocked(database: Database) -> None:
    """On PostgreSQL, wait until a statement waits for a lock; SQLite's writer waits before its first."""
    if database.is_sqlite:
        return
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with database.reading() as connection:
        for _ in range(2000):
            if connection.exec_driver_sql(waiting).scalar_one():
                return
    raise AssertionError("nobody waits")


def test_two_that_end_one_fact_end_it_once(database: Database, workspace: int, now: datetime) -> None:
    with changing(database, "user:1", now) as change:
        begin_fact(change, grants, grant_row("g"))

    def end(change: Change) -> list[Any]:
        return end_facts(change, grants, grants.c.uid == "g", returning="uid")

    assert run_behind(database, now, end, end) == (["g"], [])
    assert len(rows(database, PAST[grants])) == 1


def test_two_that_alter_one_fact_keep_both_steps(database: Database, workspace: int, now: datetime) -> None:
    def rename(name: str) -> Any:
        return lambda change: alter_facts(change, workspaces, workspaces.c.id == workspace, values={"name": name})

    assert run_behind(database, now, rename("First"), rename("Second")) == (1, 1)
    assert value(database, workspaces, "name") == "Second"
    assert rows(database, PAST[workspaces], "until", "name") == [(now, "Acme"), (now + HOUR, "First")]
