"""Who signs in while the ground of that login ends, at the very same moment, is not left with a session (product.md
2.7): whoever has somebody's password could sign in again and again while its person changes it.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import event

from bridge.domain.errors import DomainError
from bridge.domain.sign_in import UNKNOWN_CLIENT
from bridge.flows.account_settings import change_password, unlink
from bridge.flows.context import Context, TwilioClient
from bridge.flows.password_login import Credentials, sign_in_with_password
from bridge.flows.sessions import CurrentSession, SignedIn, find_session
from bridge.flows.sign_in_log import Trail
from bridge.flows.twilio_link import create_account, unlink_closed, unlink_own
from bridge.flows.twilio_login import Arrival, Welcome, arrive, note_ended
from bridge.storage import twilio
from bridge.storage.changes import changing
from bridge.storage.database import Database
from tests.flows.logins import PASSWORD, Browser, account, attempt, prove_domain, sign_in
from tests.world import World, make_world

#: SQLite has one writer at a time.
pytestmark = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
ANN, NEW = "ann@acme.example", "nine quiet dogs walk"


@pytest.fixture
def world(database: Database, now: datetime) -> World:
    return make_world(database, now)


def by_password(world: World) -> SignedIn:
    return sign_in_with_password(world.context, Credentials(ANN, PASSWORD), UNKNOWN_CLIENT, world.now)


def by_twilio(world: World) -> SignedIn:
    told = arrive(world.context, Arrival("t1", ANN, "Ann", world.now), "/", "b", UNKNOWN_CLIENT, Trail(), world.now)
    assert isinstance(told, SignedIn)
    return told


def seen(world: World, told: SignedIn) -> CurrentSession | None:
    return find_session(world.context, told.cookie, world.now)


@contextmanager
def halted(database: Database, came: threading.Event, until: threading.Event) -> Iterator[None]:
    """Whatever this thread does is held up before it is stored, until then; `came`: it has come so far."""
    mine = threading.get_ident()

    def hold(_: object) -> None:
        if threading.get_ident() == mine:
            came.set()
            until.wait(10)

    event.listen(database.write_engine, "commit", hold)
    try:
        yield
    finally:
        event.remove(database.write_engine, "commit", hold)


def left_with(world: World, end: Callable[[], object], enter: Callable[[World], SignedIn]) -> CurrentSession | None:
    """What who enters is left with, who began while that is under way which ends it."""
    go, begun = threading.Event(), threading.Event()

    def ending() -> None:
        with halted(world.context.database, begun, go):
            end()

    def entering() -> SignedIn | None:
        try:
            return enter(world)
        except (DomainError, AssertionError):
            return None

    with ThreadPoolExecutor(2) as pool:
        ended = pool.submit(ending)
        assert begun.wait(10)
        entered = pool.submit(entering)
        time.sleep(0.3)  # by now it waits for the other, or has seen what was
        go.set()
        ended.result()
        told = entered.result()
    return seen(world, told) if told else None


def test_by_a_password_that_is_changed(world: World) -> None:
    account(world, ANN, password=PASSWORD)
    current = seen(world, by_password(world))
    assert current is not None
    assert left_with(world, lambda: change_password(world.context, current, NEW, world.now), by_password) is None


@pytest.mark.parametrize("how", ["unlinked here", "closed there"])
def test_by_a_link_to_twilio_that_is_taken_away(world: World, how: str) -> None:
    at_twilio = replace(world.context, twilio=TwilioClient("https://login.example", "bridge", "secret"))
    world = replace(world, context=at_twilio)
    key = account(world, ANN, password=PASSWORD)
    told = by_password(world)
    link_to_twilio(world.context, key, world.now)
    current = seen(world, told)
    assert current is not None
    end = {
        "unlinked here": lambda: unlink_own(world.context, current, world.now),
        "closed there": lambda: close_there(world.context, world.now),
    }
    assert left_with(world, end[how], by_twilio) is None


def test_by_an_identity_that_is_unlinked(world: World) -> None:
    account(world, ANN, password=PASSWORD)
    prove_domain(world, "acme.example")
    sign_in(world, ANN)
    current = seen(world, by_password(world))
    assert current is not None

    def end() -> None:
        unlink(world.context, current, world.connection.id, ANN, world.now)

    assert left_with(world, end, by_idp) is None


def by_idp(world: World) -> SignedIn:
    told = attempt(world, ANN, Browser())
    assert isinstance(told, SignedIn)
    return told


def test_who_comes_from_twilio_for_the_first_time_while_they_close_their_account_there(world: World) -> None:
    token = first_arrival(world)

    def make(world: World) -> SignedIn:
        told = create_account(world.context, token, "b", UNKNOWN_CLIENT, world.now)
        assert isinstance(told, SignedIn)
        return told

    def closed() -> None:
        with changing(world.context.database, "system", world.now) as change:
            note_ended(change, subject="t1")
            assert twilio.hold_by_subject(change, "t1", alone=True) is None

    assert left_with(world, closed, make) is None


def first_arrival(world: World) -> str:
    told = arrive(world.context, Arrival("t1", ANN, "Ann", world.now), "/", "b", UNKNOWN_CLIENT, Trail(), world.now)
    assert isinstance(told, Welcome)
    return told.token


def test_by_a_session_at_twilio_that_ends_without_a_name(world: World) -> None:
    """A logout token may name nothing but the session there (Back-Channel Logout 1.0, 2.4)."""
    key = account(world, ANN)
    link_to_twilio(world.context, key, world.now)

    def enter(world: World) -> SignedIn:
        arrival = Arrival("t1", ANN, "Ann", world.now, session_id="s1")
        told = arrive(world.context, arrival, "/", "b", UNKNOWN_CLIENT, Trail(), world.now)
        assert isinstance(told, SignedIn)
        return told

    def ended() -> None:
        with changing(world.context.database, "system", world.now) as change:
            note_ended(change, sid="s1")
            twilio.end_twilio_session(change, "s1")

    assert left_with(world, ended, enter) is None


def link_to_twilio(context: Context, key: int, now: datetime) -> None:
    with changing(context.database, "operator", now) as change:
        assert twilio.link(change, key, "t1")


def close_there(context: Context, now: datetime) -> None:
    """As Twilio's word of it is obeyed (`twilio_events`)."""
    with changing(context.database, "system", now) as change:
        note_ended(change, subject="t1")
        link = twilio.hold_by_subject(change, "t1", alone=True)
        assert link is not None
        unlink_closed(context, change, link.user)
