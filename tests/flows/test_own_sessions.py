"""Product.md 2.9: a person's own sessions, listed with device, way in and last use; ended one by one or all."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bridge.domain.errors import Forbidden, NotFound
from bridge.domain.sign_in import Client
from bridge.flows.context import OPERATOR
from bridge.flows.own_connections import set_enabled
from bridge.flows.own_sessions import OwnSession, end_other_sessions, end_own_session, list_own_sessions
from bridge.flows.password_login import Credentials, sign_in_with_password
from bridge.flows.sessions import CurrentSession, SignedIn, end_session
from bridge.storage.database import Database
from tests.flows.audit import audit_events
from tests.flows.logins import PASSWORD, Browser, account, join, prove_domain, sign_in
from tests.world import World, make_world

ANN, BEN = "ann@acme.example", "ben@acme.example"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def world(database: Database, now: datetime) -> World:
    """Ann and Ben are members, with passwords."""
    world = make_world(database, now)
    for email in (ANN, BEN):
        join(world, account(world, email, password=PASSWORD))
    return world


def by_password(world: World, email: str = ANN, agent: str = "Firefox", later: timedelta = timedelta(0)) -> Browser:
    client = Client("192.0.2.7", agent)
    told = sign_in_with_password(world.context, Credentials(email, PASSWORD), client, world.now + later)
    assert isinstance(told, SignedIn)
    return Browser(session=told.cookie)


def current(world: World, browser: Browser, later: timedelta = timedelta(0)) -> CurrentSession:
    found = browser.look(world, world.now + later)
    assert found is not None
    return found


def listed(world: World, browser: Browser, later: timedelta = timedelta(0)) -> tuple[OwnSession, ...]:
    return list_own_sessions(world.context, current(world, browser, later), world.now + later)


def test_each_is_listed_with_where_it_was_opened_and_when_it_was_used(world: World) -> None:
    phone, laptop = by_password(world, agent="Phone"), by_password(world, agent="Laptop", later=MINUTE)
    phone.look(world, world.now + 5 * MINUTE)
    laptop.look(world, world.now + 9 * MINUTE)
    by_password(world, BEN)
    here, there = listed(world, phone, 10 * MINUTE)
    assert (here.current, here.client, here.opened_at) == (True, Client("192.0.2.7", "Phone"), world.now)
    assert (there.current, there.client.user_agent) == (False, "Laptop")
    assert (here.used_at, there.used_at) == (world.now + 10 * MINUTE, world.now + 9 * MINUTE)
    assert there.ends_at == world.now + MINUTE + timedelta(days=7)


def test_each_says_by_which_ways_it_came(world: World) -> None:
    prove_domain(world, "acme.example")
    browser = by_password(world)
    sign_in(world, ANN, browser, now=world.now + MINUTE)
    [one] = listed(world, browser, MINUTE)
    assert [(way.kind, way.connection) for way in one.ways] == [("password", None), ("saml", "Okta")]
    set_enabled(world.context, OPERATOR, "acme", world.connection.id, False, world.now + 2 * MINUTE)
    [one] = listed(world, browser, 2 * MINUTE)
    assert [way.kind for way in one.ways] == ["password"]


def test_one_in_which_nothing_holds_any_more_is_none(world: World) -> None:
    prove_domain(world, "acme.example")
    sign_in(world, ANN)
    browser = by_password(world)
    assert len(listed(world, browser)) == 2
    set_enabled(world.context, OPERATOR, "acme", world.connection.id, False, world.now + MINUTE)
    assert len(listed(world, browser, MINUTE)) == 1


def test_one_is_ended_and_the_others_go_on(world: World) -> None:
    here, there, third = (by_password(world) for _ in range(3))
    end_own_session(world.context, current(world, here), current(world, there).id, world.now)
    assert (here.reaches(world), there.look(world), third.reaches(world)) == (["acme"], None, ["acme"])


def test_all_others_are_ended(world: World) -> None:
    here, there, third, ben = by_password(world), by_password(world), by_password(world), by_password(world, BEN)
    assert end_other_sessions(world.context, current(world, here), world.now) == 2
    assert [bool(one.look(world)) for one in (here, there, third, ben)] == [True, False, False, True]
    assert end_other_sessions(world.context, current(world, here), world.now) == 0


def test_this_one_may_be_ended_too(world: World) -> None:
    here = by_password(world)
    end_own_session(world.context, current(world, here), current(world, here).id, world.now)
    assert here.look(world) is None


def test_the_end_is_told_in_the_workspaces_that_it_opened(world: World, database: Database) -> None:
    other = make_world(database, world.now, slug="other", owner="o@other.example")
    here, there = by_password(world), by_password(world)
    join(other, current(world, here).user.key)
    end_own_session(world.context, current(world, here), current(world, there).id, world.now)
    told = [(actor, after) for actor, kind, after in audit_events(world.context) if kind == "session.ended"]
    assert told == [(f"user:{current(world, here).user.id}", {"by": "their own list of sessions"})] * 2


def test_nobody_ends_or_sees_what_is_anothers(world: World) -> None:
    ann, ben = by_password(world), by_password(world, BEN)
    assert len(listed(world, ann)) == 1
    with pytest.raises(NotFound):
        end_own_session(world.context, current(world, ann), current(world, ben).id, world.now)
    for invented in ("", "1", "00000000-0000-0000-0000-000000000000"):
        with pytest.raises(NotFound):
            end_own_session(world.context, current(world, ann), invented, world.now)
    assert ben.reaches(world) == ["acme"]


def test_a_company_that_proved_no_domain_neither_sees_nor_ends_the_others(world: World) -> None:
    world.push("cy@mail.example")
    by_company = sign_in(world, "cy@mail.example")
    session = current(world, by_company)
    with pytest.raises(Forbidden):
        list_own_sessions(world.context, session, world.now)
    with pytest.raises(Forbidden):
        end_other_sessions(world.context, session, world.now)
    with pytest.raises(Forbidden):
        end_own_session(world.context, session, session.id, world.now)
    prove_domain(world, "mail.example")
    assert len(listed(world, by_company)) == 1


def test_a_session_that_was_ended_meanwhile_ends_no_other(world: World) -> None:
    thief, owner = by_password(world), by_password(world)
    stolen = current(world, thief)
    assert thief.session is not None
    end_session(world.context, thief.session, world.now)
    with pytest.raises(NotFound):
        end_other_sessions(world.context, stolen, world.now)
    with pytest.raises(NotFound):
        end_own_session(world.context, stolen, current(world, owner).id, world.now)
    assert owner.reaches(world) == ["acme"]


def test_the_second_login_of_somebody_else_replaces_the_session(world: World) -> None:
    browser = by_password(world)
    before = replace(browser)
    told = sign_in_with_password(
        world.context, Credentials(BEN, PASSWORD), Client("192.0.2.7", "x"), world.now, old=browser.session
    )
    assert isinstance(told, SignedIn)
    browser.session = told.cookie
    assert before.look(world) is None
    assert current(world, browser).user.email == BEN
    assert len(listed(world, browser)) == 1
