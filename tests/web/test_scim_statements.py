"""What a write, and a check of access, says to the database, and by which plan it is answered."""

from typing import Any

import pytest
from sqlalchemy import text

from bridge.flows.explain import ask, check
from bridge.storage.database import Database
from tests.overheard import Statement, statements
from tests.web.scim_calls import Call, created, new_user, patch
from tests.web.test_scim_log import gives, ios
from tests.world import World

__all__ = ["ios"]

#: Tables that grow with people.
BIG = ("users", "principals", "memberships", "grants", "directory_users", "directory_emails", "group_members", "audit")

_CROWD = """
INSERT INTO principals (id, workspace_id, kind)
    SELECT n, :workspace, 'membership' FROM generate_series(:first, :last) n;
INSERT INTO users (id, uid, email, email_ci, name, created_at)
    SELECT n, 'u' || n, 'u' || n, 'u' || n, 'u' || n, 0 FROM generate_series(:first, :last) n;
INSERT INTO memberships (id, uid, workspace_id, user_id, status, created_at, since, cause)
    SELECT n, 'm' || n, :workspace, n, 'active', 0, 0, 0 FROM generate_series(:first, :last) n;
INSERT INTO grants (id, uid, principal_id, role, scope, given_by, since, cause)
    SELECT n, 'g' || n, n, 'minimal_workspace_access', 'all', 'x', 0, 0 FROM generate_series(:first, :last) n;
INSERT INTO directory_users (id, uid, connection_id, membership_id, pushed, user_name, user_name_ci, display_name,
        document, created_at, modified_at, since, cause)
    SELECT n, 'd' || n, :connection, n, true, 'u' || n, 'u' || n, 'u', '{}', 0, 0, 0, 0
    FROM generate_series(:first, :last) n;
INSERT INTO group_members (group_id, directory_user_id, since, cause)
    SELECT id, n, 0, 0 FROM directory_groups, generate_series(:first, :last) n WHERE name = 'everybody'
"""


@pytest.fixture
def everybody(world: World, call: Call) -> str:
    """A group, its id, of 20,000 people who came so quickly that nothing was analysed."""
    if world.context.database.is_sqlite:
        pytest.skip("SQLite plans without statistics: tests/storage/test_access.py")
    group: str = created(call, "/Groups", {"displayName": "everybody"})["id"]
    named = {"workspace": world.workspace.key, "connection": world.connection.key, "first": 10**6, "last": 1_020_000}
    with world.context.database.writing() as rows:
        for statement in _CROWD.split(";\n"):
            used = {name: value for name, value in named.items() if f":{name}" in statement}
            rows.execute(text(statement), used)
    return group


@pytest.mark.usefixtures("ios")
def test_no_change_of_one_and_no_check_reads_a_big_table(
    world: World, call: Call, database: Database, everybody: str
) -> None:
    gives(world, "everybody", "Source Admin", "source:ios")
    ann = created(call, "/Users", new_user())["id"]
    with statements(database) as said:
        created(call, "/Users", new_user("new@acme.example"))
        for op in ("add", "remove"):
            change = patch({"op": op, "path": "members", "value": [{"value": ann}]})
            answer = call("PATCH", f"/Groups/{everybody}", change)
            assert answer.status_code == 204, answer.json
        for active in (False, True):
            answer = call("PATCH", f"/Users/{ann}", patch({"op": "replace", "value": {"active": active}}))
            assert answer.status_code == 200, answer.json
        check(world.context, world.workspace.slug, "ann@acme.example", ask("edit", "source:ios"), world.now)
    assert [scan for one in said for scan in scans(database, one)] == []
    with database.reading() as rows:
        rows.exec_driver_sql("ANALYZE")
    assert [scan for one in said for scan in scans(database, one)] == []


def scans(database: Database, statement: Statement) -> list[str]:
    """Where a plan reads a big table from one end to the other."""
    sql, values = statement
    with database.reading() as rows:
        plan = rows.exec_driver_sql(f"EXPLAIN {sql}", values[0] if isinstance(values, list) else values).scalars().all()
    return [f"{step} ({sql[:60]} …)" for step in plan for table in BIG if f"Seq Scan on {table} " in f"{step} "]


def said_by(database: Database, call: Call, method: str, path: str, body: dict[str, Any]) -> int:
    """How many statements a call takes."""
    with statements(database) as said:
        answer = call(method, path, body)
    assert answer.status_code < 300, answer.json
    return len(said)


@pytest.mark.usefixtures("ios")
def test_a_write_takes_so_many_statements(world: World, call: Call, database: Database) -> None:
    """Token, BEGIN, audit and its number, and the request log's line are five of each on SQLite."""
    gives(world, "eng", "Source Admin", "source:ios")
    ann, bob = (created(call, "/Users", new_user(f"{name}@acme.example"))["id"] for name in ("ann", "bob"))
    group = created(call, "/Groups", {"displayName": "eng", "members": [{"value": ann}]})["id"]
    swap = patch(
        {"op": "remove", "path": f'members[value eq "{ann}"]'},
        {"op": "add", "path": "members", "value": [{"value": bob}]},
    )
    begins = int(database.is_sqlite)  # psycopg says BEGIN by itself
    ends = 1 + int(database.is_sqlite)  # a fact ends by one statement on PostgreSQL
    assert said_by(database, call, "POST", "/Users", new_user("cat@acme.example")) == 12 + begins
    # The group, the people, out, in, its version; what the group gives, and what both have beside it.
    assert said_by(database, call, "PATCH", f"/Groups/{group}", swap) == 4 + begins + 4 + ends + 2


@pytest.mark.parametrize(
    ("value", "looked_up_by"),
    [
        ({"active": False}, set()),
        ({"title": "Engineer"}, set()),
        ({"userName": "dan@acme.example"}, {"user_name_ci", "email_ci", "external_id", "pushed"}),
        ({"externalId": "7"}, {"user_name_ci", "email_ci", "external_id", "pushed"}),
        (
            {"emails": [{"value": "dan@acme.example", "primary": True}]},
            {"user_name_ci", "email_ci", "external_id", "pushed"},
        ),
    ],
    ids=["active", "title", "user-name", "external-id", "address"],
)
def test_what_a_record_is_looked_up_by_is_written_only_where_it_changes(
    call: Call, database: Database, value: dict[str, Any], looked_up_by: set[str]
) -> None:
    """SQLite writes an index again whenever a statement names its column."""
    ann = created(call, "/Users", new_user("ann@acme.example"))["id"]
    with statements(database) as said:
        answer = call("PATCH", f"/Users/{ann}", patch({"op": "replace", "value": value}))
    assert answer.status_code == 200, answer.json
    (update,) = (one.sql for one in said if one.sql.startswith("UPDATE directory_users SET"))
    named = {word.partition("=")[0] for word in update.partition(" WHERE ")[0].replace(",", " ").split()}
    assert named & {"user_name_ci", "email_ci", "external_id", "pushed", "membership_id"} == looked_up_by | (
        {"membership_id"} if looked_up_by else set()
    )
    shown: Any = call("GET", f"/Users/{ann}").json
    assert {name: shown[name] for name in value} == value
    with database.reading() as rows:
        kept = rows.execute(text("SELECT user_name_ci, external_id, email_ci FROM directory_users")).one()
    assert kept.user_name_ci == shown["userName"]
    assert kept.external_id == shown.get("externalId")
    assert kept.email_ci == shown["emails"][0]["value"]
