"""The steps in migrations/ make exactly what tables.py says, on both engines, however many start at once."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Column, Connection, MetaData, Text, delete, insert, inspect, select, text, update
from sqlalchemy.exc import IntegrityError

from bridge.storage import schema
from bridge.storage.database import Database, open_database
from bridge.storage.migrations import write
from bridge.storage.migrations.comparison import COMPARISON
from bridge.storage.tables import metadata, principals, workspaces


@pytest.fixture
def empty_database(empty_database_url: str) -> Iterator[Database]:
    database = open_database(empty_database_url, synchronous="NORMAL")
    yield database
    database.close()


def describe_sqlite(connection: Connection) -> set[str]:
    """Every table and index as SQLite keeps it, the columns and constraints of a table in any order."""
    made = connection.execute(text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")).scalars()
    return {_sorted_inside(sql) for sql in made if "alembic_version" not in sql}


def _sorted_inside(sql: str) -> str:
    head, _, rest = " ".join(sql.replace('"', "").split()).partition("(")
    inside, _, tail = rest.rpartition(")")
    return f"{head} {sorted(part.strip(' ()') for part in inside.split(','))} {tail}"


def describe_postgresql(connection: Connection) -> set[str]:
    """Every column, constraint, index and sequence as PostgreSQL's catalogue has it."""
    catalogue = """
        SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default)
          FROM information_schema.columns WHERE table_schema = 'public'
        UNION ALL SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid))
          FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL SELECT seqrelid::regclass::text FROM pg_sequence
    """
    return {line for line in connection.execute(text(catalogue)).scalars() if "alembic_version" not in line}


def test_steps_make_exactly_what_the_tables_say(database: Database, empty_database: Database) -> None:
    with empty_database.writing() as connection:
        metadata.create_all(connection)
    describe = describe_sqlite if database.is_sqlite else describe_postgresql
    with database.reading() as migrated, empty_database.reading() as created:
        assert describe(migrated) == describe(created)


def test_alembic_finds_nothing_left_to_do(database: Database) -> None:
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts=COMPARISON)
        assert compare_metadata(context, metadata) == []


def test_the_first_step_is_as_fresh_as_the_tables() -> None:
    assert write.FIRST.read_text() == write.render_first(), (
        "stale: run  python -m bridge.storage.migrations.write --rewrite-first"
    )


def test_an_empty_database_is_pending_until_upgraded(empty_database: Database) -> None:
    assert schema.pending(empty_database)
    schema.upgrade(empty_database)
    assert not schema.pending(empty_database)


def test_a_newer_database_is_pending_and_refused(empty_database: Database) -> None:
    schema.upgrade(empty_database)
    with empty_database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert schema.pending(empty_database)
    with pytest.raises(schema.UnknownSchema, match="newer version"):
        schema.upgrade(empty_database)


def test_a_failed_upgrade_leaves_nothing(empty_database: Database) -> None:
    with empty_database.writing() as connection:
        connection.execute(text("CREATE TABLE outbox (in_the_way INTEGER)"))
    with pytest.raises(Exception, match="outbox"):
        schema.upgrade(empty_database)
    with empty_database.reading() as connection:
        assert set(inspect(connection).get_table_names()) == {"outbox"}


UPGRADE = """
import sys
from bridge.storage import schema
from bridge.storage.database import open_database

database = open_database(sys.argv[1])
sys.stdin.read()  # until all of us are here
schema.upgrade(database)
print(schema.pending(database))
"""


def test_processes_that_start_at_once_upgrade_once(empty_database_url: str) -> None:
    command = [sys.executable, "-c", UPGRADE, empty_database_url]
    racers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(3)]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.close()
        racer.stdin = None
    assert [racer.communicate(timeout=60)[0] for racer in racers] == [b"False\n"] * 3


@pytest.fixture
def workspace_with_principal(database: Database, now: datetime) -> Database:
    """A database with one workspace, number 1, and one row that points to it."""
    row = {"id": 1, "uid": "u", "slug": "s", "name": "n", "plan": "free", "created_at": now, "since": now, "cause": 1}
    with database.writing() as connection:
        connection.execute(insert(workspaces).values(row))
        connection.execute(insert(principals).values(id=7, workspace_id=1, kind="token"))
    return database


def test_upgrading_again_keeps_the_rows(workspace_with_principal: Database) -> None:
    schema.upgrade(workspace_with_principal)
    with workspace_with_principal.reading() as connection:
        assert connection.execute(select(workspaces.c.slug)).scalars().all() == ["s"]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)  # PostgreSQL alters tables in place
def test_making_a_table_anew_keeps_the_rows_that_point_to_it(workspace_with_principal: Database) -> None:
    with schema.migrating(workspace_with_principal) as connection:
        operations = Operations(MigrationContext.configure(connection))
        with operations.batch_alter_table("workspaces", recreate="always") as table:
            table.alter_column("name", existing_type=Text(), nullable=True)
    with workspace_with_principal.writing() as connection:
        assert connection.execute(select(principals.c.id)).scalars().all() == [7]
        with pytest.raises(IntegrityError):  # foreign keys are checked again
            connection.execute(update(principals).values(workspace_id=2))


def test_a_step_that_leaves_rows_pointing_to_nothing_is_undone(workspace_with_principal: Database) -> None:
    with pytest.raises((RuntimeError, IntegrityError)), schema.migrating(workspace_with_principal) as connection:
        connection.execute(delete(workspaces))
    with workspace_with_principal.reading() as connection:
        assert connection.execute(select(workspaces.c.id)).scalars().all() == [1]


def test_an_edit_of_the_tables_becomes_the_next_step(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / write.FIRST.name).touch()
    edited = MetaData()
    for table in metadata.tables.values():
        table.to_metadata(edited)
    edited.tables["labels"].append_column(Column("colour", Text))
    monkeypatch.setattr(write, "VERSIONS", tmp_path)
    monkeypatch.setitem(COMPARISON, "target_metadata", edited)
    path = write.write_next("Add colours to labels!")
    assert path.name == "0002_add_colours_to_labels.py"
    assert 'down_revision = "0001"' in path.read_text()
    assert path.read_text().count("add_column") == 1
    assert "create_table" not in path.read_text()


def test_without_an_edit_there_is_no_step_to_write() -> None:
    with pytest.raises(ValueError, match="nothing to write"):
        write.write_next("Nothing")
