"""Access read backwards begins at few rows: no scan of a large table, whoever asks (tests/properties/test_worlds.py
holds what it answers).
"""

from datetime import datetime

import pytest
from sqlalchemy import bindparam, text

from bridge.storage import access_backwards
from bridge.storage.columns import Instant
from bridge.storage.database import Database
from tests.storage.test_access import LARGE

#: What is found of people before anything is asked of them: not the table that `access` gives this name.
FOUND = {"mm", "h"}


@pytest.mark.parametrize("kind", ["_ON", "_ANYWHERE"])
@pytest.mark.parametrize("statement", ["count", "in_order"])
def test_nobody_is_looked_at_who_is_not_there(database: Database, now: datetime, kind: str, statement: str) -> None:
    """SQLite plans without statistics, so an empty database plans as a full one."""
    if not database.is_sqlite:
        pytest.skip("PostgreSQL plans by what is in the tables")
    plan = _plan(database, kind, statement, now)
    assert [step for step in plan if step.startswith("SCAN") and step.split()[1] in LARGE - FOUND] == []


@pytest.mark.parametrize("kind", ["_ON", "_ANYWHERE"])
def test_a_walk_goes_by_address(database: Database, now: datetime, kind: str) -> None:
    if not database.is_sqlite:
        pytest.skip("PostgreSQL plans by what is in the tables")
    plan = _plan(database, kind, "walk", now)
    assert [step for step in plan if "users USING INDEX uq_users_email" in step] != []


def _plan(database: Database, kind: str, statement: str, now: datetime) -> list[str]:
    asked = getattr(getattr(access_backwards, kind), statement).statement.text
    values = {"workspace": 1, "roles": ["a", "b"], "resource": 1, "now": now, "most": 1, "walked": 1, "after": ""}
    used = {name: value for name, value in values.items() if f":{name}" in asked}
    typed = text(f"EXPLAIN QUERY PLAN {asked}")
    typed = typed.bindparams(bindparam("roles", expanding=True), bindparam("now", type_=Instant))
    with database.reading() as rows:
        return [row[3] for row in rows.execute(typed, used)]
