"""The past is asked over indexes only, however much there is of it, on both engines."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from bridge.domain.access import Because, ResourceRef
from bridge.storage import access, access_history, access_past, forgetting, label_makers, nearly_past, origins_past
from bridge.storage.columns import EPOCH
from bridge.storage.database import Database
from bridge.storage.prepared import Prepared
from bridge.storage.tables import PAST, group_members
from tests.overheard import statements
from tests.world import World, make_world

#: Facts that grow with people, or with what happens.
MANY = ("memberships", "directory_users", "group_members", "grants")
BIG = {*MANY, *(f"{name}_past" for name in MANY), "mapping_matches_past", "user_group_members_past", "users", "audit"}
ROWS = 20_000


@pytest.fixture
def world(database: Database, now: datetime) -> World:
    return make_world(database, now)


_PATH = Because("mapping", "g", "operator", EPOCH, mapping_id="m", idp_group_id="i", connection_id="c")


def ask_everything(world: World, member: int) -> None:
    """Every statement there is of the past, once."""
    key, now = world.workspace.key, world.now
    first = now - timedelta(days=90)
    with world.context.database.snapshot() as rows:
        for more in ({}, {"resource_id": 1}, {"everywhere": True}):
            access_past.paths_at(rows, member, ["source_admin"], now, **more)
        access_past.scopes_at(rows, member, now)
        access_past.standing_at(rows, key, member, now)
        access_past.find_member_then(rows, key, "ann@acme.example", now)
        access_past.find_resource_at(rows, key, ResourceRef("source", "web"), now)
        access_past.facts_kept_since(rows)
        nearly_past.near_links_at(rows, member, now)
        nearly_past.candidate_grants_at(rows, member, ["source_admin"], now)
        nearly_past.removed_since(rows, member, now)
        nearly_past.held_out_by(rows, member, now)
        nearly_past.carried_at(rows, 1, now)
        label_makers.labels_put_on(rows, key, 1, now)
        origins_past.makers_at(rows, key, member, [_PATH], now)
        access_history.moments_between(rows, key, member, first, now)
        access_history.relabelled_between(rows, key, member, first, now)
        access_history.moments_of_resource(rows, key, ResourceRef("source", "web"), first, now)
        access_history.events_about(rows, key, member, [1, 2], (first, now), 10)
        access_history.any_events(rows, key, [1, 2], 10)


def test_no_question_about_the_past_reads_a_large_table(world: World) -> None:
    database = world.context.database
    if not database.is_sqlite:
        _fill(world)
    with statements(database) as said:
        ask_everything(world, 1_000_000)
    assert len(said) > 9
    for analysed in (False,) if database.is_sqlite else (False, True):  # SQLite's plans are of an empty database
        with database.reading() as rows:
            rows.exec_driver_sql("ANALYZE" if analysed else "SELECT 1")
        found = [
            step for one in said if one[0].startswith(("WITH", "SELECT", "\nSELECT")) for step in _scans(database, *one)
        ]
        assert found == []


def _scans(database: Database, sql: str, values: Any) -> list[str]:
    """The steps of a plan that read a large table from one end to the other."""
    with database.reading() as rows:
        given = values[0] if isinstance(values, list) else values
        if not database.is_sqlite:
            plan = rows.exec_driver_sql(f"EXPLAIN {sql}", given).scalars().all()
            return [step for step in plan for name in BIG if f"Seq Scan on {name} " in f"{step} "]
        steps = [row[3] for row in rows.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", given)]
    # A fact without `main.` is the CTE of its name, which is small.
    tables = {f"main.{name}" for name in (fact.name for fact in PAST)} | {f"main.{twin.name}" for twin in PAST.values()}
    return [
        step for step in steps if step.startswith("SCAN") and step.split()[1] in tables | {"users", "u", "audit", "t"}
    ]


_PEOPLE = f"generate_series(1000000, {1_000_000 + ROWS}) n"
_CROWD = f"""
INSERT INTO principals (id, workspace_id, kind) SELECT n, :workspace, 'membership' FROM {_PEOPLE};
INSERT INTO users (id, uid, email, email_ci, name, created_at)
    SELECT n, 'u' || n, 'u' || n, 'u' || n, 'u' || n, 0 FROM {_PEOPLE};
INSERT INTO memberships (id, uid, workspace_id, user_id, status, created_at, since, cause)
    SELECT n, 'm' || n, :workspace, n, 'active', 0, 0, 0 FROM {_PEOPLE};
INSERT INTO grants (id, uid, principal_id, role, scope, given_by, since, cause)
    SELECT n, 'g' || n, n, 'source_admin', 'all', 'x', 0, 0 FROM {_PEOPLE};
INSERT INTO directory_users (id, uid, connection_id, membership_id, pushed, user_name, user_name_ci, display_name,
    document, created_at, modified_at, since, cause)
    SELECT n, 'd' || n, :connection, n, true, 'u' || n, 'u' || n, 'u', '{{}}', 0, 0, 0, 0 FROM {_PEOPLE};
INSERT INTO directory_groups (id, uid, connection_id, source, name, name_ci, created_at, modified_at, since, cause)
    SELECT n, 'i' || n, :connection, 'scim', 'i' || n, 'i' || n, 0, 0, 0, 0 FROM generate_series(1, 20) n;
INSERT INTO group_members (group_id, directory_user_id, since, cause)
    SELECT g, n, 0, 0 FROM generate_series(1, 3) g, {_PEOPLE};
INSERT INTO audit (workspace_id, seq, at, cause, actor, type, subject)
    SELECT :workspace, n, 0, n, 'operator', 'grant.given', 's' || n FROM {_PEOPLE}
"""

_ENDED = f"""
INSERT INTO mapping_matches_past (group_id, mapping_id, asserted, shadowed, since, cause, until, ended_by)
    SELECT n, n, false, false, 0, 0, 10, 1 FROM {_PEOPLE};
INSERT INTO user_group_members_past (user_group_id, membership_id, given_by, since, cause, until, ended_by)
    SELECT n, n, 'x', 0, 0, 10, 1 FROM {_PEOPLE}
"""


def _fill(world: World) -> None:
    """A crowd that came so quickly that nothing was analysed, and all of which once ended."""
    named = {"workspace": world.workspace.key, "connection": world.connection.key}
    with world.context.database.writing() as rows:
        for statement in (*_CROWD.split(";\n"), *_ENDED.split(";\n")):
            used = {name: value for name, value in named.items() if f":{name}" in statement}
            rows.execute(text(statement), used)
        for fact, twin in PAST.items():
            columns = ", ".join(f'"{column.name}"' for column in fact.columns)
            copied = f"SELECT {columns}, 10, 1 FROM {fact.name}"
            rows.execute(text(f"INSERT INTO {twin.name} ({columns}, until, ended_by) {copied}"))


def test_each_statement_of_why_is_asked_of_the_past_as_it_is() -> None:
    """The text of the present stands in it whole: what is added there holds here too."""
    for present, past in (
        (access.WHY, access_past._PATHS),
        (access.WHY_ON, access_past._PATHS_ON),
        (access.WHY_ANYWHERE, access_past._PATHS_ANYWHERE),
    ):
        for engine, statement in past.items():
            assert _sql(statement).endswith(_sql(present)), engine


def test_whatever_fact_a_statement_reads_is_one_of_then() -> None:
    for engine in ("sqlite", "postgresql"):
        for past in (access_past._PATHS, access_past._PATHS_ON, access_past._PATHS_ANYWHERE):
            ctes = set(re.findall(r"^(\w+) AS MATERIALIZED|^WITH (\w+) AS", _sql(past[engine]), flags=re.MULTILINE))
            given = {name for pair in ctes for name in pair if name}
            read = set(re.findall(r"(?:FROM|JOIN) (\w+) \w+", _sql(access.WHY_ON))) & {fact.name for fact in PAST}
            assert given >= read - {"resource_labels", "grant_resources", "grant_labels"}


def test_a_statement_that_reads_an_unknown_fact_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(access_past.FOLLOWS, "grants")
    with pytest.raises(KeyError, match="grants"):
        access_past.over("SELECT g.id FROM grants g")


def _sql(statement: Prepared) -> str:
    return str(statement.statement.text)  # type: ignore[attr-defined]


def test_postgresql_reads_one_slice_of_a_twin_to_forget_it(world: World) -> None:
    database, twin = world.context.database, PAST[group_members]
    if database.is_sqlite:
        pytest.skip("SQLite finds rows by their number")
    many = "SELECT n, n, 0, 0, 10, 1 FROM generate_series(1, 50000) n"
    with database.writing() as rows:
        rows.execute(
            text(f"INSERT INTO {twin.name} (group_id, directory_user_id, since, cause, until, ended_by) {many}")
        )
    with database.reading() as rows:
        slices = list(forgetting.old_slices(rows, twin, EPOCH + timedelta(seconds=1)))
        assert len(slices) > 5
        plan = rows.exec_driver_sql(f"EXPLAIN DELETE FROM {twin.name} WHERE until < 20 AND {slices[1]}").scalars().all()
    assert any("Tid Range Scan" in step for step in plan), plan
