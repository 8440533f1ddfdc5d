"""Two Twilio users never open one account, and one never two, whoever comes at the same moment (product.md 3.2)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bridge.domain.errors import DomainError
from bridge.domain.sign_in import UNKNOWN_CLIENT
from bridge.flows.context import Context
from bridge.flows.password_login import Credentials, sign_in_with_password
from bridge.flows.sessions import CurrentSession, SignedIn, find_session
from bridge.flows.sign_in_log import Trail
from bridge.flows.twilio_link import create_account, link_own
from bridge.flows.twilio_login import Arrival, EndedAtTwilio, Welcome, arrive, note_ended_before
from bridge.storage.changes import changing
from bridge.storage.tables import users
from tests.flows.logins import PASSWORD, account
from tests.world import World, make_world


@pytest.fixture
def world(database: Any, now: datetime) -> World:
    return make_world(database, now)


def arrived(context: Context, subject: str, email: str, now: datetime, browser: str = "browser") -> str:
    told = arrive(context, Arrival(subject, email, "Ann", now), "/", browser, UNKNOWN_CLIENT, Trail(), now)
    assert isinstance(told, Welcome)
    return told.token


def signed_in(world: World, email: str) -> tuple[CurrentSession, str]:
    account(world, email, password=PASSWORD)
    told = sign_in_with_password(world.context, Credentials(email, PASSWORD), UNKNOWN_CLIENT, world.now)
    assert isinstance(told, SignedIn)
    session = find_session(world.context, told.cookie, world.now)
    assert session is not None
    return session, told.cookie


def at_once(*each: Callable[[], Any]) -> list[bool]:
    """Whether each went well, all begun together."""

    def tried(do: Callable[[], Any]) -> bool:
        try:
            do()
        except DomainError:
            return False
        return True

    with ThreadPoolExecutor(len(each)) as pool:
        return list(pool.map(tried, each))


def links(world: World) -> list[tuple[str, str]]:
    with world.context.database.reading() as rows:
        chosen = select(users.c.email, users.c.twilio_sub).where(users.c.twilio_sub.is_not(None))
        return [(email, subject) for email, subject in rows.execute(chosen)]


def test_one_twilio_user_opens_one_of_two_accounts(world: World) -> None:
    both = [signed_in(world, email) for email in ("ann@acme.example", "bob@acme.example")]
    tokens = [arrived(world.context, "t1", "t1@home.example", world.now) for _ in both]
    went = at_once(
        *(
            lambda session=session, cookie=cookie, token=token: link_own(
                world.context, session, token, "browser", UNKNOWN_CLIENT, cookie, world.now
            )
            for (session, cookie), token in zip(both, tokens, strict=True)
        )
    )
    assert sorted(went) == [False, True]
    assert [subject for _, subject in links(world)] == ["t1"]


def test_one_account_is_opened_by_one_of_two_twilio_users(world: World) -> None:
    session, cookie = signed_in(world, "ann@acme.example")
    tokens = [arrived(world.context, subject, f"{subject}@home.example", world.now) for subject in ("t1", "t2")]
    went = at_once(
        *(
            lambda token=token: link_own(world.context, session, token, "browser", UNKNOWN_CLIENT, cookie, world.now)
            for token in tokens
        )
    )
    assert sorted(went) == [False, True]
    assert len(links(world)) == 1


def test_one_address_makes_one_account(world: World) -> None:
    tokens = [arrived(world.context, subject, "new@home.example", world.now) for subject in ("t1", "t2")]
    went = at_once(
        *(
            lambda token=token: create_account(world.context, token, "browser", UNKNOWN_CLIENT, world.now)
            for token in tokens
        )
    )
    assert sorted(went) == [False, True]
    assert [email for email, _ in links(world)] == ["new@home.example"]


def test_one_arrival_is_used_once(world: World) -> None:
    token = arrived(world.context, "t1", "new@home.example", world.now)
    went = at_once(
        *(lambda: create_account(world.context, token, "browser", UNKNOWN_CLIENT, world.now) for _ in range(2))
    )
    assert sorted(went) == [False, True]


def test_the_latest_end_of_all_their_sessions_is_remembered_whichever_arrives_last(world: World) -> None:
    ended, before = world.now, world.now - timedelta(minutes=5)
    for at in (before, ended, before):
        with changing(world.context.database, "system", world.now) as change:
            note_ended_before(change, "t1", at)
    with pytest.raises(EndedAtTwilio):
        arrived(world.context, "t1", "t1@home.example", ended)
    assert arrived(world.context, "t1", "t1@home.example", ended + timedelta(seconds=1))
    assert arrived(world.context, "t2", "t2@home.example", before)
