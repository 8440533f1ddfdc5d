"""Both engines keep the same promises: one transaction or nothing, the latest or one moment, and nothing lost."""

import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, func, insert, make_url, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from bridge.storage.database import Database, open_database
from bridge.storage.tables import counters, identities, seen
from bridge.storage.unreachable import is_away


def put(database: Database, name: str, now: datetime) -> None:
    with database.writing() as connection:
        connection.execute(insert(seen).values(hash=name.encode(), expires_at=now))


def count(database: Database) -> int:
    with database.reading() as connection:
        return connection.execute(select(func.count()).select_from(seen)).scalar_one()


@pytest.mark.parametrize("turn", ["first", "second"])
def test_each_test_finds_a_database_without_rows(database: Database, now: datetime, turn: str) -> None:
    assert count(database) == 0
    put(database, turn, now)


# -- Transactions --------------------------------------------------------------------------------------------------


def test_what_is_written_stays_when_the_block_ends(database: Database, now: datetime) -> None:
    put(database, "a", now)
    assert count(database) == 1


def test_what_is_written_is_undone_when_the_block_raises(database: Database, now: datetime) -> None:
    with pytest.raises(IntegrityError), database.writing() as connection:
        connection.execute(insert(seen), [{"hash": b"a", "expires_at": now}, {"hash": b"a", "expires_at": now}])
    assert count(database) == 0
    put(database, "b", now)  # and the next may write


def test_nobody_sees_a_transaction_before_its_end(database: Database, now: datetime) -> None:
    with database.writing() as connection:
        connection.execute(insert(seen).values(hash=b"a", expires_at=now))
        assert count(database) == 0
    assert count(database) == 1


def test_each_statement_of_a_reader_sees_the_latest_commit(database: Database, now: datetime) -> None:
    with database.reading() as connection:
        counts = [connection.execute(select(func.count()).select_from(seen)).scalar_one()]
        put(database, "a", now)
        counts.append(connection.execute(select(func.count()).select_from(seen)).scalar_one())
    assert counts == [0, 1]


def test_who_reads_next_gets_the_connection_that_was_read_by_unless_it_failed(database: Database) -> None:
    with database.reading() as first:
        pass
    with database.reading() as second, database.reading() as another:
        assert second is first
        assert another is not first
    with pytest.raises(ZeroDivisionError), database.reading() as failed:
        raise ZeroDivisionError
    assert failed.closed
    assert count(database) == 0


def test_who_writes_next_gets_the_connection_that_was_written_by_unless_it_failed(database: Database) -> None:
    with database.writing() as first:
        pass
    with database.writing() as second:
        assert second is first
    with pytest.raises(ZeroDivisionError), database.writing() as failed:
        raise ZeroDivisionError
    assert failed.closed
    assert count(database) == 0


def test_a_write_transaction_on_sqlite_is_the_writer_from_its_beginning(database: Database, now: datetime) -> None:
    if not database.is_sqlite:
        pytest.skip("PostgreSQL has many writers")
    other = sqlite3.connect(str(database.write_engine.url.database), timeout=0, isolation_level=None)
    with closing(other), database.writing(), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    put(database, "a", now)


def test_however_many_read_at_once_there_is_a_connection_left_for_a_snapshot(database: Database) -> None:
    for _ in range(2):
        with ExitStack() as readers:
            for _ in range(16):  # as many as the pool has
                readers.enter_context(database.reading())
    with database.snapshot() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1


def test_when_the_server_was_away_meanwhile_no_reader_notices(database: Database) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite is never away")
    with database.reading() as one, database.reading() as other, database.writing() as connection:
        for each in (one, other):
            pid = each.execute(text("SELECT pg_backend_pid()")).scalar_one()
            connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
    assert count(database) == 0
    with database.reading(), database.reading() as second:
        assert second.execute(text("SELECT 1")).scalar_one() == 1


def test_when_the_server_was_away_meanwhile_no_writer_and_no_snapshot_notices(
    database: Database, now: datetime
) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite is never away")
    with database.writing() as one, database.writing() as other, database.snapshot() as third:
        pids = [each.execute(text("SELECT pg_backend_pid()")).scalar_one() for each in (one, other, third)]
    with database.reading() as connection:
        for pid in pids:
            connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
    put(database, "a", now)
    put(database, "b", now)
    with database.snapshot() as connection:
        assert connection.execute(select(func.count()).select_from(seen)).scalar_one() == 2


def test_who_is_at_work_when_the_server_goes_fails_and_is_told_why(database: Database, now: datetime) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite is never away")
    with pytest.raises(DBAPIError) as failure, database.writing() as connection:
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    assert is_away(failure.value)
    put(database, "a", now)
    assert count(database) == 1


def test_a_server_that_takes_no_connection_is_away_and_a_wrong_statement_is_not(database: Database) -> None:
    with pytest.raises(DBAPIError) as failure, closing(open_database("postgresql://127.0.0.1:1/none")) as nowhere:
        count(nowhere)
    assert is_away(failure.value)
    with pytest.raises(DBAPIError) as failure, database.reading() as connection:
        connection.execute(text("SELECT nothing FROM nowhere"))
    assert not is_away(failure.value)
    assert not is_away(ConnectionRefusedError())


def test_all_statements_of_a_snapshot_see_one_moment(database: Database, now: datetime) -> None:
    with database.snapshot() as connection:
        counts = [connection.execute(select(func.count()).select_from(seen)).scalar_one()]
        put(database, "a", now)
        counts.append(connection.execute(select(func.count()).select_from(seen)).scalar_one())
    assert counts == [0, 0]
    with database.snapshot() as connection:
        assert connection.execute(select(func.count()).select_from(seen)).scalar_one() == 1


def test_a_connection_that_gave_a_snapshot_reads_the_latest_again(database: Database, now: datetime) -> None:
    for number in range(20):  # more than there are pooled connections
        with database.snapshot() as connection:
            connection.execute(select(func.count()).select_from(seen))
        put(database, str(number), now)
        assert count(database) == number + 1


def test_a_snapshot_ends_when_its_block_raises(database: Database, now: datetime) -> None:
    for _ in range(20):
        with pytest.raises(DBAPIError), database.snapshot() as connection:
            connection.execute(text("SELECT nothing FROM nowhere"))
    put(database, "a", now)
    assert count(database) == 1


def test_foreign_keys_are_checked(database: Database, now: datetime) -> None:
    with pytest.raises(IntegrityError), database.writing() as connection:
        connection.execute(insert(identities).values(connection_id=1, subject="s", user_id=1, linked_at=now))


# -- Several at once -----------------------------------------------------------------------------------------------

ADD_ONE = update(counters).where(counters.c.key == "k").values(n=counters.c.n + 1)


@pytest.fixture
def counter(database: Database, now: datetime) -> Callable[[], int]:
    """A row that counts; gives what it holds now."""
    with database.writing() as connection:
        connection.execute(insert(counters).values(key="k", window_start=now, n=0))

    def read() -> int:
        with database.reading() as connection:
            number: int = connection.execute(select(counters.c.n)).scalar_one()
            return number

    return read


def test_writers_of_many_threads_take_turns(database: Database, counter: Callable[[], int]) -> None:
    def add(_: int) -> None:
        with database.writing() as connection:
            connection.execute(ADD_ONE)

    with ThreadPoolExecutor(12) as threads:
        list(threads.map(add, range(120)))
    assert counter() == 120


WRITER = """
import sys
from sqlalchemy import text
from bridge.storage.database import open_database

database = open_database(sys.argv[1], synchronous="NORMAL")
for number in range(int(sys.argv[2])):
    with database.writing() as connection:
        connection.execute(text("UPDATE counters SET n = n + 1"))
    print(number + 1, flush=True)
"""


def start_writer(url: str, times: int) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", WRITER, url, str(times)], stdout=subprocess.PIPE, text=True)


def test_writers_of_many_processes_take_turns(
    database_url: str, database: Database, counter: Callable[[], int]
) -> None:
    writers = [start_writer(database_url, 50) for _ in range(3)]
    assert [len(writer.communicate(timeout=60)[0].splitlines()) for writer in writers] == [50, 50, 50]
    assert counter() == 150


def test_what_was_answered_survives_the_kill_of_its_process(database_url: str, counter: Callable[[], int]) -> None:
    writer = start_writer(database_url, 1_000_000)
    assert writer.stdout is not None
    with writer, writer.stdout as told:
        answers = [told.readline() for _ in range(20)]
        writer.send_signal(signal.SIGKILL)
        answers += told.readlines()
    assert counter() in (len(answers), len(answers) + 1)  # one more was under way


HOLDER = """
import sys, time
from sqlalchemy import text
from bridge.storage.database import open_database

with open_database(sys.argv[1]).writing() as connection:
    connection.execute(text("UPDATE counters SET n = 99"))
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_writer_killed_inside_its_transaction_holds_up_nobody(
    database_url: str, database: Database, counter: Callable[[], int]
) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, database_url], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    holder.kill()
    holder.communicate(timeout=30)
    with database.writing() as connection:
        connection.execute(ADD_ONE)
    assert counter() == 1


def test_readers_do_not_wait_for_a_writer(database: Database, now: datetime) -> None:
    put(database, "a", now)
    with database.writing() as connection:
        connection.execute(insert(seen).values(hash=b"b", expires_at=now))
        seen_meanwhile: list[int] = []
        reader = threading.Thread(target=lambda: seen_meanwhile.append(count(database)))
        reader.start()
        reader.join(timeout=5)
        assert seen_meanwhile == [1]


# -- What waits for no disk ----------------------------------------------------------------------------------------


def waits_for_the_disk(connection: Connection) -> bool:
    """Whether the end of this transaction does."""
    if connection.dialect.name == "sqlite":
        return bool(connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2)
    return bool(connection.exec_driver_sql("SHOW synchronous_commit").scalar_one() == "on")


@pytest.fixture
def careful_database(database_url: str) -> Iterator[Database]:
    """As an operator has it, whatever the server of the tests is set to."""
    url = make_url(database_url)
    if url.get_backend_name() == "postgresql":
        url = url.update_query_dict({"options": "-c synchronous_commit=on"})
    database = open_database(url.render_as_string(hide_password=False))
    yield database
    database.close()


@pytest.mark.parametrize("ends", ["well", "badly"])
def test_only_a_transaction_that_says_so_waits_for_no_disk(
    careful_database: Database, now: datetime, ends: str
) -> None:
    with suppress(IntegrityError), careful_database.writing(durable=False) as connection:
        assert not waits_for_the_disk(connection)
        connection.execute(insert(seen).values(hash=b"a", expires_at=now))
        if ends == "badly":
            connection.execute(insert(seen).values(hash=b"a", expires_at=now))
    assert count(careful_database) == (ends == "well")
    with careful_database.writing() as connection:
        assert waits_for_the_disk(connection)


# -- Opening -------------------------------------------------------------------------------------------------------


def pragma(database: Database, name: str) -> object:
    with database.reading() as connection:
        return connection.execute(text(f"PRAGMA {name}")).scalar_one()


def test_sqlite_loses_nothing_at_a_power_cut_unless_told_otherwise(tmp_path: Path) -> None:
    for options, synchronous in (({}, 2), ({"synchronous": "NORMAL"}, 1)):
        database = open_database(f"sqlite:///{tmp_path}/a.db", **options)  # type: ignore[arg-type]
        assert (pragma(database, "synchronous"), pragma(database, "journal_mode")) == (synchronous, "wal")
        database.close()


def test_sqlite_maps_no_memory_since_each_write_elsewhere_would_have_it_mapped_anew(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/a.db")
    assert pragma(database, "mmap_size") == 0
    database.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_sqlite_without_a_file_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="needs a file"):
        open_database(url)


def test_it_knows_which_engine_it_is(database: Database, engine: str) -> None:
    assert database.is_sqlite == (engine == "sqlite")


def test_a_closed_database_holds_no_connection(database: Database, database_url: str, engine: str) -> None:
    database.close()
    database = open_database(database_url, synchronous="NORMAL")
    count(database)
    with database.writing() as connection:
        connection.execute(text("SELECT 1"))
    database.close()
    if engine == "sqlite":  # the last to close it clears the write-ahead log away
        assert not Path(f"{database_url.removeprefix('sqlite:///')}-wal").exists()
    else:
        with psycopg.connect(database_url, autocommit=True) as other:
            count_all = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            deadline = time.monotonic() + 10
            while other.execute(count_all).fetchone() != (1,):  # the server's side ends a moment later
                assert time.monotonic() < deadline
                time.sleep(0.02)


def test_a_snapshot_keeps_what_was_prepared_for_the_next(database: Database) -> None:
    """Psycopg forgets all of it at a ROLLBACK; each statement is planned anew then, which takes longer than it does."""
    if database.is_sqlite:
        pytest.skip("SQLite prepares for nobody")
    for _ in range(10):
        with database.snapshot() as rows:
            rows.execute(text("SELECT id FROM workspaces WHERE slug = :slug"), {"slug": "acme"}).all()
    with database.snapshot() as rows:
        prepared = rows.execute(text("SELECT statement FROM pg_prepared_statements")).scalars().all()
    assert any("FROM workspaces WHERE slug" in statement for statement in prepared)
