"""Product.md 2.4 and 2.8: which way an email signs in, and passwords."""

from datetime import datetime, timedelta
from time import thread_time

import pytest
from sqlalchemy import select

from bridge.domain.errors import TooManyTries
from bridge.domain.sign_in import Client
from bridge.domain.sign_in_refusals import WrongCredentials
from bridge.flows.context import OPERATOR
from bridge.flows.own_connections import set_enabled
from bridge.flows.password_login import Credentials, sign_in_with_password, ways_of
from bridge.flows.passwords import hash_password
from bridge.flows.sessions import SignedIn
from bridge.storage import people
from bridge.storage.changes import changing
from bridge.storage.database import Database
from bridge.storage.tables import audit, counters, sign_in_attempts
from tests.flows.logins import CLIENT, PASSWORD, account, join, prove_domain, set_workspace
from tests.overheard import statements
from tests.world import World, another_connection, make_world

ANN = "ann@acme.example"


@pytest.fixture
def world(database: Database, now: datetime) -> World:
    return make_world(database, now)


def enter(
    world: World,
    email: str = ANN,
    password: str = PASSWORD,
    *,
    client: Client = CLIENT,
    now: datetime | None = None,
    known: str | None = None,
) -> SignedIn:
    told = Credentials(email, password, known=known)
    return sign_in_with_password(world.context, told, client, now or world.now)


def refused_in(world: World, email: str = ANN, *, client: Client = CLIENT) -> int | None:
    """Try a wrong password. Returns the seconds to wait, None where it was just wrong."""
    try:
        enter(world, email, "wrong", client=client)
    except TooManyTries as refusal:
        return refusal.retry_after
    except WrongCredentials:
        return None
    raise AssertionError("a wrong password was right")


# -- Which way an email signs in ---------------------------------------------------------------------


def test_a_proved_domain_has_its_connections(world: World) -> None:
    prove_domain(world, "acme.example")
    (way,) = ways_of(world.context, "Whoever@ACME.example")
    assert (way.connection_id, way.kind, way.name) == (world.connection.id, "saml", "Okta")


def test_several_connections_are_a_choice(world: World) -> None:
    prove_domain(world, "acme.example")
    another_connection(world, "Entra")
    assert [way.name for way in ways_of(world.context, ANN)] == ["Okta", "Entra"]


def test_a_disabled_connection_and_a_plan_without_sso_are_no_way(world: World) -> None:
    prove_domain(world, "acme.example")
    set_enabled(world.context, OPERATOR, "acme", world.connection.id, False, world.now)
    assert ways_of(world.context, ANN) == ()
    set_enabled(world.context, OPERATOR, "acme", world.connection.id, True, world.now)
    set_workspace(world, plan="team")
    assert ways_of(world.context, ANN) == ()


@pytest.mark.parametrize("email", ["", "ann", "ann@other.example", "@", "a\x00@acme.example" * 1000])
def test_other_domains_have_none(world: World, email: str) -> None:
    prove_domain(world, "acme.test")
    assert ways_of(world.context, email) == ()


# -- Passwords ---------------------------------------------------------------------------------------


def test_the_right_password_signs_in_whatever_the_emails_case(world: World) -> None:
    account(world, ANN, password=PASSWORD)
    assert enter(world, "ANN@Acme.Example").cookie


@pytest.mark.parametrize("password", ["", "wrong", PASSWORD + " ", PASSWORD.upper(), "x" * 100_000, "\udcff\x00"])
def test_a_wrong_password_does_not(world: World, password: str) -> None:
    account(world, ANN, password=PASSWORD)
    with pytest.raises(WrongCredentials):
        enter(world, ANN, password)


@pytest.mark.parametrize("email", ["nobody@acme.example", "", "no address", "a\x00b@acme.example", "\udcff"])
def test_who_has_no_account_reads_the_same(world: World, email: str) -> None:
    account(world, ANN, password=PASSWORD)
    with pytest.raises(WrongCredentials) as unknown:
        enter(world, email)
    with pytest.raises(WrongCredentials) as wrong:
        enter(world, ANN, "wrong")
    assert unknown.value.text == wrong.value.text


def test_and_waits_as_long(full_costs: None, world: World) -> None:
    account(world, ANN, password=PASSWORD)

    def least(email: str) -> float:
        """In this thread's time, for others run beside it."""
        times = []
        for n in range(5):
            started = thread_time()
            refused_in(world, email, client=Client(f"192.0.2.{n}", ""))
            times.append(thread_time() - started)
        return min(times)

    # Without a comparison it would be a tenth.
    known, unknown = least(ANN), least("nobody@acme.example")
    assert unknown > known / 2


@pytest.mark.parametrize("email", [ANN, "sso-only@acme.example"])
def test_and_asks_the_database_the_same(world: World, email: str) -> None:
    account(world, ANN, password=PASSWORD)
    account(world, "sso-only@acme.example")

    def asked(whose: str) -> list[str]:
        with statements(world.context.database) as said:
            assert refused_in(world, whose) is None
        return [one.sql for one in said]

    assert asked(email) == asked("nobody@acme.example")


def test_the_way_asks_the_same_for_whoever_it_is(world: World) -> None:
    account(world, ANN, password=PASSWORD)
    prove_domain(world, "proved.example")
    told = []
    for email in (ANN, "nobody@acme.example", "nobody@nowhere.example", "nobody@proved.example"):
        with statements(world.context.database) as said:
            ways_of(world.context, email)
        told.append([one.sql for one in said])
    assert told[0] == told[1] == told[2] == told[3]


def test_an_account_without_a_password_has_none_that_fits(world: World) -> None:
    account(world, ANN)
    for password in ("", "None", "nobody has this password"):
        with pytest.raises(WrongCredentials):
            enter(world, ANN, password)


def test_a_closed_account_does_not_sign_in(world: World) -> None:
    key = account(world, ANN, password=PASSWORD)
    with changing(world.context.database, OPERATOR, world.now) as change:
        people.set_user(change, key, closed_at=world.now)
    with pytest.raises(WrongCredentials):
        enter(world)


def test_each_workspace_that_opens_hears_of_it(world: World, database: Database) -> None:
    other = make_world(database, world.now, slug="other", owner="o@other.example")
    closed = make_world(database, world.now, slug="closed", owner="o@closed.example")
    key = account(world, ANN, password=PASSWORD)
    for one in (world, other, closed):
        join(one, key)
    set_workspace(closed, require_sso=True)
    enter(world)
    with database.reading() as rows:
        told = rows.execute(select(audit.c.workspace_id).where(audit.c.type == "session.created")).scalars()
        assert set(told) == {world.workspace.key, other.workspace.key}
        assert rows.execute(select(sign_in_attempts.c.kind, sign_in_attempts.c.outcome)).all() == [
            ("password", "signed_in")
        ]


# -- Guessing ----------------------------------------------------------------------------------------


def test_ten_tries_an_account_whatever_the_address(world: World) -> None:
    account(world, ANN, password=PASSWORD)
    for n in range(10):
        assert refused_in(world, client=Client(f"192.0.2.{n}", "")) is None
    assert refused_in(world, client=Client("192.0.2.99", "")) == 901
    with pytest.raises(TooManyTries):
        enter(world)


@pytest.mark.parametrize(
    "spelling",
    ["ann@ａcme.example", "ann@acme。example", "ann@acℳe.example", '"ann"@acme.example', " ANN@ACME.example"],
    ids=["fullwidth", "ideographic-stop", "script-letter", "quoted", "case"],
)
def test_each_spelling_of_an_address_is_the_same_account(world: World, spelling: str) -> None:
    account(world, ANN, password=PASSWORD)
    for _ in range(11):
        refused_in(world)
    with pytest.raises((TooManyTries, WrongCredentials)):
        enter(world, spelling)


def test_what_a_browser_keeps_of_a_password_ends_with_it(world: World) -> None:
    """Who knew the former one may have gathered many."""
    key = account(world, ANN, password=PASSWORD)
    notes = [enter(world).known for _ in range(2)]
    with changing(world.context.database, OPERATOR, world.now) as change:
        people.set_user(change, key, password_hash=hash_password("another long one", ANN, "Ann"))
    for _ in range(5):
        for note in notes:
            with pytest.raises(WrongCredentials):
                enter(world, password="guessed", known=note)
    with pytest.raises(TooManyTries):
        enter(world, password="guessed", known=notes[0])


def test_an_unknown_account_locks_the_same_way(world: World) -> None:
    for n in range(10):
        assert refused_in(world, "nobody@acme.example", client=Client(f"192.0.2.{n}", "")) is None
    assert refused_in(world, "nobody@acme.example") == 901


def test_after_the_wait_it_opens(world: World) -> None:
    account(world, ANN, password=PASSWORD)
    for _ in range(11):
        refused_in(world)
    assert enter(world, now=world.now + timedelta(minutes=15)).cookie


def test_a_hundred_tries_an_address_whatever_the_account(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.flows.password_tries.TRIES_BY_ADDRESS", 3)
    for n in range(3):
        assert refused_in(world, f"person{n}@acme.example") is None
    assert refused_in(world, "person4@acme.example") == 901
    assert refused_in(world, "person4@acme.example", client=Client("192.0.2.8", "")) is None


def test_a_whole_ipv6_network_is_one_address(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.flows.password_tries.TRIES_BY_ADDRESS", 3)
    for n in range(3):
        assert refused_in(world, f"person{n}@acme.example", client=Client(f"2001:db8:0:1::{n}", "")) is None
    assert refused_in(world, "person4@acme.example", client=Client("2001:db8:0:1:ffff::1", "")) == 901
    assert refused_in(world, "person4@acme.example", client=Client("2001:db8:0:2::1", "")) is None


def test_strangers_who_guess_keep_nobody_out_of_their_own_browser(world: World) -> None:
    for email in (ANN, "bob@acme.example"):
        account(world, email, password=PASSWORD)
    known, others = enter(world).known, enter(world, "bob@acme.example").known
    for n in range(11):
        refused_in(world, client=Client(f"192.0.2.{n}", ""))
    for note in (None, "", "x.y", "x.é", f"x{known}", others):
        with pytest.raises(TooManyTries):
            enter(world, known=note)
    assert enter(world, "Ann@ACME.example", known=known).cookie
    with pytest.raises(TooManyTries):
        enter(world)  # nor does their login help the strangers


def test_in_ones_own_browser_tries_are_counted_too(world: World) -> None:
    account(world, ANN, password=PASSWORD)
    known = enter(world).known
    assert known
    for n in range(10):
        with pytest.raises(WrongCredentials):
            enter(world, password="wrong", known=known + "=x" * n)
    with pytest.raises(TooManyTries):
        enter(world, known=known)
    assert enter(world).cookie  # elsewhere they are counted apart


def test_good_logins_do_not_count(world: World) -> None:
    account(world, ANN, password=PASSWORD)
    refused_in(world)
    for _ in range(11):
        enter(world)
    with world.context.database.reading() as rows:
        assert list(rows.execute(select(counters.c.n)).scalars()) == [1]


def test_counters_hold_no_address_and_no_email(world: World) -> None:
    refused_in(world)
    with world.context.database.reading() as rows:
        kept = str(rows.execute(select(counters)).all())
    assert ANN not in kept
    assert CLIENT.address not in kept
