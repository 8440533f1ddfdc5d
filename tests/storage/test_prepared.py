"""A prepared statement says to the driver what SQLAlchemy's Core does, gives what it gives, and fails as it fails."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import _queries as psycopg_queries
from sqlalchemy import (
    BigInteger,
    Boolean,
    Connection,
    Executable,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    bindparam,
    delete,
    event,
    func,
    insert,
    literal,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError, InvalidRequestError, OperationalError, SQLAlchemyError
from sqlalchemy.types import TypeEngine

from bridge.storage import access, prepared
from bridge.storage.columns import Instant, Json
from bridge.storage.database import Database
from bridge.storage.prepared import Prepared
from bridge.storage.tables import identities, metadata, seen, users
from tests.overheard import statements

# -- Values in, rows out -------------------------------------------------------------------------------------------

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
JSON = st.recursive(
    st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
)
#: What a column of each type may hold.
VALUES: dict[type, st.SearchStrategy[Any]] = {
    BigInteger: st.integers(-(2**63), 2**63 - 1),
    Integer: st.integers(-(2**31), 2**31 - 1),
    SmallInteger: st.integers(-(2**15), 2**15 - 1),
    Boolean: st.booleans(),
    LargeBinary: st.binary(max_size=40),
    Text: TEXTS,
    Instant: st.datetimes(timezones=st.just(UTC)),
    Json: JSON,
}


def kinds() -> dict[str, TypeEngine[Any]]:
    """Every type that a column of ours has, by a name: each once, as both engines write it."""
    engines = (sqlite.dialect(), postgresql.dialect())  # type: ignore[no-untyped-call]
    columns = [column for table in metadata.sorted_tables for column in table.columns]
    distinct = {
        (type(each.type).__name__, *(each.type.compile(engine) for engine in engines)): each.type for each in columns
    }
    return {f"v{n}": kind for n, kind in enumerate(distinct.values())}


def test_values_of_every_type_come_back_as_through_core(rows: Connection) -> None:
    types = kinds()
    statement = select(
        literal(7).label("constant"), *(bindparam(name, type_=kind).label(f"c{name}") for name, kind in types.items())
    )
    ours = Prepared(statement)

    @given(st.fixed_dictionaries({name: st.none() | VALUES[type(kind)] for name, kind in types.items()}))
    def check(values: dict[str, Any]) -> None:
        (found,) = ours(rows, **values)
        assert found == tuple(rows.execute(statement, values).one()) == (7, *(values[name] for name in types))
        assert found._asdict() == {"constant": 7} | {f"c{name}": value for name, value in values.items()}

    check()


def test_many_rows_are_converted_as_one(rows: Connection) -> None:
    union = union_all(*(select(bindparam(f"v{n}", type_=Instant).label("at")) for n in range(3)))
    ours = Prepared(union)

    @given(st.lists(st.none() | VALUES[Instant], min_size=3, max_size=3))
    def check(moments: list[datetime | None]) -> None:
        assert [row.at for row in ours(rows, v0=moments[0], v1=moments[1], v2=moments[2])] == moments

    check()


# -- The same is said ----------------------------------------------------------------------------------------------


@pytest.fixture
def rows(database: Database) -> Iterator[Connection]:
    """A transaction."""
    with database.writing() as connection:
        yield connection


ANN = {
    "uid": "ann",
    "email": "Ann@kicks.example",
    "email_ci": "ann@kicks.example",
    "name": "Ann",
    "password_hash": None,
}
ALL = "what comes back"
TOUCHED = "how many were touched"

STATEMENTS: dict[str, tuple[Executable, dict[str, Any], str]] = {
    "select": (select(users.c.uid, users.c.created_at).where(users.c.uid == bindparam("uid")), {"uid": "ann"}, ALL),
    "a constant": (select(users.c.id).where(users.c.uid == bindparam("uid"), users.c.name == "Ann"), {"uid": "a"}, ALL),
    "a limit": (select(users.c.name).order_by(users.c.id).limit(bindparam("most")), {"most": 1}, ALL),
    "held": (select(users.c.name).where(users.c.uid == bindparam("uid")).with_for_update(), {"uid": "ann"}, ALL),
    "union": (union_all(select(users.c.name), select(users.c.email)), {}, ALL),
    "a list of one": (select(users.c.name).where(users.c.uid.in_(bindparam("u", expanding=True))), {"u": ["ann"]}, ALL),
    "a list": (select(users.c.name).where(users.c.uid.in_(bindparam("u", expanding=True))), {"u": ["x", "ann"]}, ALL),
    "no list": (select(users.c.name).where(users.c.uid.in_(bindparam("u", expanding=True))), {"u": []}, ALL),
    "text": (text("SELECT name, id + :n FROM users").bindparams(bindparam("n", type_=BigInteger)), {"n": 1}, ALL),
    "typed text": (text("SELECT created_at FROM users").columns(users.c.created_at), {}, ALL),
    "none found": (select(users).where(users.c.uid == bindparam("uid")), {"uid": "nobody"}, ALL),
    "update": (update(users).where(users.c.uid == bindparam("who")).values(name=bindparam("to")),
               {"who": "ann", "to": "Anna"}, TOUCHED),
    "update of nobody": (update(users).where(users.c.uid == bindparam("who")).values(name="x"), {"who": "x"}, TOUCHED),
    "update returning": (update(users).values(name=users.c.name + bindparam("end")).returning(users.c.name),
                         {"end": "!"}, ALL),
    "delete": (delete(users).where(users.c.uid == bindparam("who")), {"who": "ann"}, TOUCHED),
    "delete returning": (delete(users).where(users.c.uid == bindparam("who")).returning(users), {"who": "ann"}, ALL),
}  # fmt: skip


@pytest.mark.parametrize("kind", STATEMENTS)
def test_the_driver_is_told_the_same_and_gives_the_same(database: Database, now: datetime, kind: str) -> None:
    statement, values, what = STATEMENTS[kind]
    ours = Prepared(statement)
    with database.writing() as connection:
        connection.execute(insert(users), [ANN | {"created_at": now}])
    told, given_back = [], []
    for do in (
        lambda rows: rows.execute(statement, values).all() if what == ALL else rows.execute(statement, values).rowcount,
        lambda rows: ours(rows, **values) if what == ALL else ours.run(rows, **values),
    ):
        with statements(database) as said, database.write_engine.connect() as connection:
            given_back.append(do(connection))
            connection.rollback()
        told.append(said)
    assert told[0] == told[1]
    assert given_back[0] == given_back[1]


PUT = Prepared(insert(seen), ("hash", "expires_at"))
ADD = Prepared(insert(users).returning(users.c.id), (*ANN, "created_at"))
COUNT = Prepared(select(func.count()).select_from(seen))


def test_a_row_is_put_in_as_core_does(rows: Connection, database: Database, now: datetime) -> None:
    with statements(database) as said:
        assert PUT.run(rows, hash=b"a", expires_at=now) == 1
        rows.execute(insert(seen), {"hash": b"b", "expires_at": now})
        PUT.many(rows, [{"hash": b"c", "expires_at": now}, {"hash": b"d", "expires_at": now}])
        PUT.many(rows, [])
        rows.execute(insert(seen), [{"hash": b"e", "expires_at": now}, {"hash": b"f", "expires_at": now}])
    assert len(said) == 4
    assert len({one.sql for one in said}) == 1
    assert {str(type(one.values)) for one in said[2:]} == {"<class 'list'>"}
    assert COUNT.scalar(rows) == 6


def test_an_insert_gives_the_key_it_is_asked_for(rows: Connection, now: datetime) -> None:
    key = ADD.scalar(rows, **ANN, created_at=now)
    assert rows.execute(select(users.c.uid).where(users.c.id == key)).scalar_one() == "ann"


def test_first_is_the_first_or_none(rows: Connection, now: datetime) -> None:
    named = Prepared(select(users.c.name, users.c.created_at).where(users.c.uid != bindparam("uid")))
    assert named.first(rows, uid="x") is None
    assert named.scalar(rows, uid="x") is None
    rows.execute(insert(users), [ANN | {"uid": f"ann{n}", "email_ci": str(n), "created_at": now} for n in range(3)])
    assert named.first(rows, uid="x") == ("Ann", now)
    assert named.first(rows, uid="x").created_at == now
    assert named.scalar(rows, uid="x") == "Ann"


@pytest.mark.parametrize(
    "values", [{}, {"hash": b"a"}, {"hash": b"a", "expires_at": None, "more": 1}], ids=["none", "one less", "one more"]
)
def test_what_isnt_all_it_takes_is_refused(rows: Connection, values: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="It takes"):
        PUT.run(rows, **values)
    assert COUNT.scalar(rows) == 0


def test_texts_for_lists_are_forgotten_when_there_are_many(rows: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "_MOST_TEXTS", 3)
    named = Prepared(select(users.c.name).where(users.c.id.in_(bindparam("keys", expanding=True))))
    for n in range(8):
        assert named(rows, keys=list(range(n))) == []
        (compiled,) = named._compiled.values()
        assert len(compiled.texts) <= 3


def test_a_list_of_constants_stays_where_it_is_beside_one_that_is_given(rows: Connection, now: datetime) -> None:
    for name in ("Ann", "Ben", "Eve"):
        ADD(rows, **{**ANN, "uid": name, "email": name, "email_ci": name, "name": name}, created_at=now)
    among = users.c.name.in_(("Ann", "Eve"))
    fixed = Prepared(select(users.c.name).where(among))
    both = Prepared(select(users.c.name).where(among, users.c.uid.in_(bindparam("uids", expanding=True))))
    assert [row.name for row in fixed(rows)] == ["Ann", "Eve"]
    assert [row.name for row in both(rows, uids=["Ben", "Eve"])] == ["Eve"]


# -- The same transaction ------------------------------------------------------------------------------------------


def test_what_it_wrote_is_undone_with_the_block(database: Database, now: datetime) -> None:
    def put_twice() -> None:
        with database.writing() as connection:
            PUT.run(connection, hash=b"a", expires_at=now)
            PUT.run(connection, hash=b"a", expires_at=now)

    with pytest.raises(IntegrityError):
        put_twice()
    with database.reading() as connection:
        assert COUNT.scalar(connection) == 0


def test_it_begins_a_transaction_where_there_is_none(database: Database, now: datetime) -> None:
    with database.write_engine.connect() as connection:
        PUT.run(connection, hash=b"a", expires_at=now)
        assert connection.in_transaction()
        connection.rollback()
        PUT.run(connection, hash=b"b", expires_at=now)
        connection.commit()
        assert COUNT.scalar(connection) == 1


def test_each_statement_of_a_reader_sees_the_latest_commit(database: Database, now: datetime) -> None:
    with database.reading() as connection:
        counts = [COUNT.scalar(connection)]
        with database.writing() as writing:
            PUT.run(writing, hash=b"a", expires_at=now)
        counts.append(COUNT.scalar(connection))
    assert counts == [0, 1]


# -- The same errors -----------------------------------------------------------------------------------------------

_LINK = {"connection_id": 1, "subject": "s", "user_id": 1}
FAULTS: dict[str, tuple[Executable, dict[str, Any], type[Exception]]] = {
    "unique": (insert(users).inline(), ANN, IntegrityError),
    "null": (insert(users).inline(), ANN | {"uid": "b", "email_ci": "b", "name": None}, IntegrityError),
    "foreign key": (insert(identities), _LINK | {"linked_at": datetime(2026, 1, 1, tzinfo=UTC)}, IntegrityError),
    "no such table": (text("SELECT :n FROM nowhere").bindparams(bindparam("n", type_=Text)), {"n": "x"}, DBAPIError),
    "not SQL": (text("GIVE ME :n").bindparams(bindparam("n", type_=Text)), {"n": "x"}, DBAPIError),
    "too large": (select(users.c.id).where(users.c.id == bindparam("n")), {"n": 2**63}, Exception),
    "of another type": (select(users.c.id).where(users.c.uid == bindparam("n")), {"n": object()}, DBAPIError),
}


def fault(do: Callable[[], object]) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011
        do()
    return caught.value


@pytest.mark.parametrize("kind", FAULTS)
def test_the_drivers_errors_are_told_as_core_tells_them(database: Database, now: datetime, kind: str) -> None:
    statement, values, expected = FAULTS[kind]
    values = values | ({"created_at": now} if "uid" in values else {})
    with database.writing() as connection:
        connection.execute(insert(users), [ANN | {"created_at": now}])
    ours = Prepared(statement, tuple(values) if "created_at" in values or "subject" in values else ())
    errors = []
    for do in (lambda rows: rows.execute(statement, values), lambda rows: ours(rows, **values)):
        with database.write_engine.connect() as connection:
            errors.append(fault(lambda do=do, rows=connection: do(rows)))  # type: ignore[misc]
            assert not connection.invalidated
            connection.rollback()
            assert connection.execute(select(func.count()).select_from(users)).scalar_one() == 1
    core, own = errors
    assert isinstance(own, expected)
    assert type(own) is type(core)
    if isinstance(own, DBAPIError) and isinstance(core, DBAPIError):
        assert (own.statement, type(own.orig)) == (core.statement, type(core.orig))
        assert "uid" not in values or own.params == core.params


def test_a_database_that_stays_locked_is_an_operational_error(database: Database, now: datetime) -> None:
    if not database.is_sqlite:
        pytest.skip("PostgreSQL locks rows")
    with database.writing(), database.read_engine.connect() as other:
        other.exec_driver_sql("PRAGMA busy_timeout = 0")
        try:
            with pytest.raises(OperationalError, match="locked"):
                PUT.run(other, hash=b"a", expires_at=now)
            assert not other.invalidated
        finally:
            other.invalidate()


@pytest.mark.parametrize("through", ["core", "prepared"])
def test_a_server_that_has_gone_invalidates_the_connection_and_the_pool(database: Database, through: str) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite is never away")
    ask = select(func.count()).select_from(seen)
    do: dict[str, Callable[[Connection], object]] = {"core": lambda rows: rows.execute(ask), "prepared": COUNT.scalar}
    with database.write_engine.connect() as idle:
        kept = idle.connection.dbapi_connection
    with database.write_engine.connect() as spare, database.write_engine.connect() as connection:
        if spare.connection.dbapi_connection is not kept:
            spare, connection = connection, spare
        spare.close()  # it waits in the pool, as old as the one that will be lost
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with database.reading() as killer:
            killer.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
        with pytest.raises(DBAPIError) as caught:
            do[through](connection)
        assert caught.value.connection_invalidated
        assert connection.invalidated
        assert "invalid transaction" in str(fault(lambda: COUNT.scalar(connection)))
        connection.rollback()
        assert COUNT.scalar(connection) == 0  # another one was fetched
    with database.write_engine.connect() as fresh:
        assert fresh.connection.dbapi_connection is not kept


def test_a_closed_connection_is_refused(database: Database) -> None:
    with database.read_engine.connect() as connection:
        pass
    with pytest.raises(SQLAlchemyError, match="closed"):
        COUNT.scalar(connection)
    with database.write_engine.begin() as connection:
        connection.rollback()
        with pytest.raises(InvalidRequestError):
            COUNT.scalar(connection)


def test_an_interrupted_statement_leaves_no_open_transaction(database: Database) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    with database.write_engine.connect() as connection:
        event.listen(connection, "before_cursor_execute", interrupt)
        with pytest.raises(KeyboardInterrupt):
            COUNT.scalar(connection)
        assert connection.invalidated  # nobody knows what the driver was in the midst of


def test_a_long_text_is_taken_apart_once(database: Database, now: datetime) -> None:
    """psycopg itself keeps no text as long as the reasons of a check."""
    if database.is_sqlite:
        pytest.skip("SQLite's driver has no such step")
    kept = psycopg_queries._query2pg.cache_info
    with database.reading() as rows:
        values = {"membership": 1, "roles": ["workspace_owner"], "now": now, "resource": 1}
        access.WHY_ON(rows, **values)
        before = kept()
        access.WHY_ON(rows, **values)
    assert (kept().hits, kept().misses) == (before.hits + 1, before.misses)
