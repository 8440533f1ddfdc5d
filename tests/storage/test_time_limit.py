"""A search ends when its time is over, wherever it works, and leaves nothing behind."""

import time
from datetime import datetime

import pytest
from sqlalchemy import text

from bridge.storage.database import Database
from bridge.storage.directory_pages import search_users
from bridge.storage.time_limit import TimeLimit, waiting
from scim.errors import TooMany
from scim.filters import parse_filter
from scim.schemas import USER
from tests.world import make_world

SHORT = 0.05
LIMIT = 0.5
#: A second of work, or of a server's sleep, where nobody ends it.
LONG = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5e6) SELECT max(i) FROM n",
    "postgresql": "SELECT pg_sleep(1)",
}
SOME_WORK = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT max(i) FROM n"


def spin(seconds: float) -> None:
    began = time.thread_time()
    while time.thread_time() - began < seconds:
        pass


def test_a_statement_ends_with_the_time(database: Database, engine: str) -> None:
    limit = TimeLimit(SHORT)
    with pytest.raises(TooMany, match=r"longer than the 0\.05 s"), database.searching(limit) as connection:
        connection.execute(text(LONG[engine])).all()


def test_a_statement_that_gives_many_rows_ends_while_they_come(database: Database, engine: str) -> None:
    many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2e6) SELECT i FROM n"
    statement = many if engine == "sqlite" else "SELECT pg_sleep(0.001) FROM generate_series(1, 1000)"
    with pytest.raises(TooMany), database.searching(TimeLimit(SHORT)) as connection:
        connection.execute(text(statement)).all()


def test_the_connection_is_good_afterwards_and_nobody_else_is_ended(database: Database, engine: str) -> None:
    with pytest.raises(TooMany), database.searching(TimeLimit(SHORT)) as connection:
        connection.execute(text(LONG[engine])).all()
    with database.searching(TimeLimit(60)) as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
        assert connection.execute(text(SOME_WORK)).scalar() == 300_000
    with database.reading() as connection:
        assert connection.execute(text(SOME_WORK)).scalar() == 300_000
    with database.writing() as connection:
        assert connection.execute(text(SOME_WORK)).scalar() == 300_000


def test_another_fault_is_told_as_what_it_is(database: Database) -> None:
    with pytest.raises(Exception, match="nowhere"), database.searching(TimeLimit(60)) as connection:
        connection.execute(text("SELECT 1 FROM nowhere"))


def test_searches_of_one_request_have_their_time_together(database: Database) -> None:
    limit = TimeLimit(SHORT)
    with database.searching(limit):
        spin(SHORT / 2)
    spin(SHORT)  # what isn't searched doesn't count
    with database.searching(limit):
        assert not limit.is_over()
        spin(SHORT / 2)
        assert limit.is_over()
    with pytest.raises(TooMany), database.searching(limit):
        pytest.fail("nobody comes in here")


def test_a_filter_that_is_asked_of_rows_ends_with_the_time(database: Database, now: datetime) -> None:
    world = make_world(database, now)
    world.push("ann@acme.example")
    limit = TimeLimit(SHORT)
    with database.searching(limit) as connection:
        filter_ = parse_filter("meta.version pr and not (title pr)", USER)
        search = search_users(connection, world.connection.key, filter_, "http://localhost/scim/v2", limit)
        assert search.total() == 1
        spin(SHORT)
        with pytest.raises(TooMany):
            search.total()


def test_waiting_for_another_machine_counts_and_waiting_for_a_turn_does_not(database: Database, engine: str) -> None:
    limit = TimeLimit(SHORT)
    with database.searching(limit) as connection:
        with waiting(connection, limit):
            time.sleep(SHORT)
        assert limit.is_over() is (engine == "postgresql")


def test_each_statement_has_what_those_before_it_left(database: Database, engine: str) -> None:
    """Else a search of ten statements could work for ten times as long."""
    statement = LONG[engine].replace("pg_sleep(1)", f"pg_sleep({0.8 * LIMIT})")
    limit = TimeLimit(LIMIT)
    with database.searching(limit) as connection:
        if engine == "postgresql":
            with waiting(connection, limit):
                connection.execute(text(statement)).all()
        else:
            spin(0.8 * LIMIT)
    began = time.monotonic()
    with pytest.raises(TooMany), database.searching(limit) as connection:
        connection.execute(text(statement)).all()
    assert engine == "sqlite" or time.monotonic() - began < 0.7 * LIMIT
