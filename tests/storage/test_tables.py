"""The tables state the invariants, so that no race can break them; columns mean the same on both engines."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, DateTime, Numeric, Table, insert, select
from sqlalchemy.exc import IntegrityError

from bridge.storage.columns import EPOCH, Instant, Json
from bridge.storage.database import Database
from bridge.storage.tables import (
    PAST,
    connections,
    directory_groups,
    directory_users,
    domains,
    grants,
    invites,
    memberships,
    metadata,
    outbox,
    principals,
    resources,
    seen,
    user_groups,
    users,
    workspaces,
)

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
STANDS = {"since": NOW, "cause": 1}
MADE = {"created_at": NOW}


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    """A transaction with two workspaces, each with a connection; undone at the end."""
    with database.write_lock(), database.write_engine.connect() as connection:
        for number in (1, 2):
            add(connection, workspaces, id=number, slug=f"w{number}", name="W", plan="business", **MADE, **STANDS)
            add(
                connection,
                connections,
                id=number,
                workspace_id=number,
                kind="saml",
                name="C",
                config={},
                **MADE,
                **STANDS,
            )
            add(connection, users, id=number, email=f"u{number}", email_ci=f"u{number}", name="U", **MADE)
        yield connection
        connection.rollback()


_numbers = iter(range(1, 10**9))


def add(connection: Connection, table: Table, **values: Any) -> None:
    """Insert a row, with a `uid` of its own where the table has one."""
    uid = {"uid": f"uid-{next(_numbers)}"} if "uid" in table.c and "uid" not in values else {}
    connection.execute(insert(table).values(**uid, **values))


def refuses(connection: Connection, table: Table, **values: Any) -> bool:
    """Whether the row violates a constraint; the transaction goes on either way."""
    before = connection.begin_nested()
    try:
        add(connection, table, **values)
    except IntegrityError:
        before.rollback()
        return True
    before.commit()
    return False


# -- Columns -------------------------------------------------------------------------------------------------------

MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.timezones() | st.just(UTC))  # noqa: DTZ001


@given(MOMENTS)
def test_an_instant_is_kept_to_the_microsecond(moment: datetime) -> None:
    kept = Instant().process_bind_param(moment, None)  # type: ignore[arg-type]
    assert Instant().process_result_value(kept, None) == moment  # type: ignore[arg-type]


@given(MOMENTS, MOMENTS)
def test_instants_sort_as_moments_do(one: datetime, other: datetime) -> None:
    kept = [Instant().process_bind_param(moment, None) or 0 for moment in (one, other)]  # type: ignore[arg-type]
    assert (kept[0] < kept[1]) == (one < other)
    assert (kept[0] == kept[1]) == (one == other)


def test_an_instant_of_any_zone_comes_back_in_utc(connection: Connection) -> None:
    add(connection, seen, hash=b"a", expires_at=NOW.astimezone(timezone(timedelta(hours=5))))
    found = connection.execute(select(seen.c.expires_at)).scalar_one()
    assert (found, found.tzinfo) == (NOW, UTC)


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(TypeError):
        Instant().process_bind_param(datetime(2026, 11, 20), None)  # type: ignore[arg-type]  # noqa: DTZ001


def test_before_1970_is_a_moment_too() -> None:
    assert Instant().process_bind_param(EPOCH - timedelta(microseconds=1), None) == -1  # type: ignore[arg-type]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(JSON.filter(lambda value: value is not None))
def test_json_comes_back_as_it_was(value: Any) -> None:
    kept = Json().process_bind_param(value, None)  # type: ignore[arg-type]
    assert Json().process_result_value(kept, None) == value  # type: ignore[arg-type]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    value=JSON.filter(lambda value: value is not None and "\\u0000" not in repr(value) and "\\x00" not in repr(value))
)
def test_both_engines_store_any_json(connection: Connection, value: Any) -> None:
    before = connection.begin_nested()
    add(connection, outbox, kind="k", subject="s", body=value, due_at=NOW, tries=0, **MADE)
    assert connection.execute(select(outbox.c.body)).scalar_one() == value
    before.rollback()


def test_no_column_keeps_time_or_money_in_an_engine_s_own_way() -> None:
    kinds = {type(column.type) for table in metadata.tables.values() for column in table.columns}
    assert not [kind for kind in kinds if issubclass(kind, (DateTime, Numeric))]


# -- Facts and their twins -----------------------------------------------------------------------------------------


def test_exactly_the_tables_that_say_since_when_have_a_twin() -> None:
    lasting = {table for table in metadata.tables.values() if "since" in table.c and "until" not in table.c}
    assert lasting == set(PAST)


@pytest.mark.parametrize("fact", PAST, ids=lambda fact: fact.name)
def test_a_twin_keeps_what_the_fact_said_and_when_it_ended(fact: Table) -> None:
    twin = PAST[fact]
    assert twin.name == f"{fact.name}_past"
    assert [column.name for column in twin.columns] == [*(column.name for column in fact.columns), "until", "ended_by"]
    assert not twin.foreign_keys, "what it pointed to may be gone"
    assert not twin.primary_key.columns, "a fact may end more than once"


# -- Invariants ----------------------------------------------------------------------------------------------------


def test_an_email_belongs_to_one_user(connection: Connection) -> None:
    assert refuses(connection, users, email="U1", email_ci="u1", name="Other", **MADE)


def test_a_user_is_in_a_workspace_once(connection: Connection) -> None:
    for number, key in ((1, 11), (2, 12), (1, 13)):
        add(connection, principals, id=key, workspace_id=number, kind="membership")
    values = {"user_id": 1, "status": "active", **MADE, **STANDS}
    assert not refuses(connection, memberships, id=11, workspace_id=1, **values)
    assert not refuses(connection, memberships, id=12, workspace_id=2, **values)
    assert refuses(connection, memberships, id=13, workspace_id=1, **values)


def test_many_claim_a_domain_and_one_has_proved_it(connection: Connection) -> None:
    values = {"name": "example.com", "token": "t", "token_expires_at": NOW, **MADE}
    add(connection, domains, workspace_id=1, proved_at=NOW, **values)
    assert not refuses(connection, domains, workspace_id=2, **values)
    assert refuses(connection, domains, workspace_id=2, proved_at=NOW, **values | {"name": "example.com"})


def test_an_email_has_one_open_invitation_in_a_workspace(connection: Connection) -> None:
    values = {"email": "a", "email_ci": "a", "gives": {}, "invited_by": "u", "expires_at": NOW, **MADE}
    add(connection, invites, hash=b"1", workspace_id=1, used_at=NOW, **values)
    add(connection, invites, hash=b"2", workspace_id=1, revoked_at=NOW, **values)
    assert not refuses(connection, invites, hash=b"3", workspace_id=1, **values)
    assert refuses(connection, invites, hash=b"4", workspace_id=1, **values)
    assert not refuses(connection, invites, hash=b"5", workspace_id=2, **values)


def directory_user(**values: Any) -> dict[str, Any]:
    return {
        "user_name": "ana", "user_name_ci": "ana", "display_name": "Ana", "document": {}, "modified_at": NOW,
        **MADE, **STANDS, **values,
    }  # fmt: skip


def test_a_user_name_is_unique_among_what_one_connection_pushes(connection: Connection) -> None:
    add(connection, directory_users, **directory_user(connection_id=1, pushed=True))
    assert refuses(connection, directory_users, **directory_user(connection_id=1, pushed=True))
    assert not refuses(connection, directory_users, **directory_user(connection_id=2, pushed=True))
    assert not refuses(connection, directory_users, **directory_user(connection_id=1, pushed=False))


def test_group_names_are_unique_among_asserted_groups_only(connection: Connection) -> None:
    values = {"connection_id": 1, "name": "G", "name_ci": "g", "modified_at": NOW, **MADE, **STANDS}
    add(connection, directory_groups, source="asserted", **values)
    assert refuses(connection, directory_groups, source="asserted", **values)
    assert not refuses(connection, directory_groups, source="scim", **values)
    assert not refuses(connection, directory_groups, source="scim", **values)


def test_a_user_group_s_name_is_unique_in_its_workspace(connection: Connection) -> None:
    for number, key in ((1, 11), (1, 12), (2, 13)):
        add(connection, principals, id=key, workspace_id=number, kind="user_group")
    values = {"name": "G", "name_ci": "g", **MADE, **STANDS}
    add(connection, user_groups, id=11, workspace_id=1, **values)
    assert refuses(connection, user_groups, id=12, workspace_id=1, **values)
    assert not refuses(connection, user_groups, id=13, workspace_id=2, **values)


def test_an_outside_id_of_a_resource_is_unique_by_workspace_and_type(connection: Connection) -> None:
    values = {"uid": "s1", "name": "S", "slug": "s", **STANDS}
    add(connection, resources, workspace_id=1, type="source", **values)
    assert refuses(connection, resources, workspace_id=1, type="source", **values)
    assert not refuses(connection, resources, workspace_id=1, type="space", **values)
    assert not refuses(connection, resources, workspace_id=2, type="source", **values)


@pytest.mark.parametrize(
    ("table", "values"),
    [
        (workspaces, {"slug": "x", "name": "X", "plan": "platinum", **MADE, **STANDS}),
        (principals, {"workspace_id": 1, "kind": "robot"}),
        (connections, {"workspace_id": 1, "kind": "ldap", "name": "C", "config": {}, **MADE, **STANDS}),
        (resources, {"workspace_id": 1, "type": "lake", "name": "L", "slug": "l", **STANDS}),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_kind_that_is_not_known_is_refused(connection: Connection, table: Table, values: dict[str, Any]) -> None:
    assert refuses(connection, table, **values)


def test_a_grant_hangs_on_a_principal_that_is_there(connection: Connection) -> None:
    assert refuses(connection, grants, principal_id=404, role="r", scope="all", given_by="u", **STANDS)
