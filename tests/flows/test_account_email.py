"""The address of one's own account, confirmed or changed by a mailed link (product.md 2.7, 2.8; properties.md 7a)."""

import re
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from bridge.domain.errors import Conflict, DomainError, Expired, Forbidden, Invalid, TooManyTries
from bridge.domain.mail import Mail
from bridge.flows.account_email import LINK_LASTS, ask_to_change, ask_to_confirm, confirm, find_confirmation
from bridge.flows.account_settings import change_password
from bridge.flows.deliver import deliver_due
from bridge.flows.fresh_proof import FreshProofNeeded
from bridge.flows.password_login import Credentials, sign_in_with_password
from bridge.flows.password_reset import ask_reset, open_reset
from bridge.flows.sessions import CurrentSession
from bridge.storage.database import Database
from bridge.storage.tables import users
from tests.flows.audit import audit_events
from tests.flows.logins import CLIENT, PASSWORD, Browser, account, join
from tests.flows.mailer import KeptMail
from tests.world import World, make_context, make_world

ANN, NEW, BOB = "ann@acme.example", "ann.other@else.example", "bob@acme.example"


@pytest.fixture
def world(database: Database, now: datetime) -> World:
    """The workspace, with Ann and Bob in it."""
    made = make_world(database, now)
    for email in (ANN, BOB):
        join(made, account(made, email, password=PASSWORD))
    return made


def enter(world: World, email: str = ANN) -> Browser:
    """Somebody signs in by their password."""
    told = sign_in_with_password(world.context, Credentials(email, PASSWORD), CLIENT, world.now)
    return Browser(session=told.cookie)


def seen(world: World, browser: Browser, later: timedelta = timedelta(0)) -> CurrentSession:
    """The session, some time later."""
    found = browser.look(world, world.now + later)
    assert found is not None
    return found


@pytest.fixture
def ann(world: World) -> CurrentSession:
    """Ann, signed in just now."""
    return seen(world, enter(world))


def mails(world: World) -> list[Mail]:
    """What leaves now."""
    mailer = KeptMail()
    while deliver_due(world.context, mailer, world.now):
        pass
    return mailer.sent


def link(world: World) -> str:
    """The secret in the link that leaves now."""
    found = [re.search(r"/(?:confirm|reset)/(\S+)", mail.text) for mail in mails(world)]
    (secret,) = [one[1] for one in found if one]
    return secret


def unprove(world: World) -> None:
    """Nobody has shown that Ann's address is hers."""
    with world.context.database.writing() as connection:
        connection.execute(update(users).where(users.c.email == ANN).values(email_proved_at=None))


def address(world: World, session: CurrentSession) -> tuple[str, bool]:
    """The account's address, and whether it is proved."""
    with world.context.database.reading() as rows:
        chosen = select(users.c.email, users.c.email_proved_at).where(users.c.id == session.user.key)
        email, proved_at = rows.execute(chosen).one()
        return email, proved_at is not None


# -- Confirmed ---------------------------------------------------------------------------------------


def test_an_address_is_confirmed_by_a_link_to_it(world: World) -> None:
    unprove(world)
    ann = seen(world, enter(world))
    ask_to_confirm(world.context, ann, world.now)
    confirm(world.context, ann, link(world), world.now)
    assert address(world, ann) == (ANN, True)
    assert audit_events(world.context)[-1][1] == "user.email_confirmed"
    with pytest.raises(Conflict):
        ask_to_confirm(world.context, ann, world.now)


def test_a_strangers_account_is_not_confirmed_by_who_only_has_the_mailbox(world: World) -> None:
    unprove(world)
    ask_to_confirm(world.context, seen(world, enter(world)), world.now)
    bob = seen(world, enter(world, BOB))
    with pytest.raises(Expired):
        confirm(world.context, bob, link(world), world.now)


# -- Changed -----------------------------------------------------------------------------------------


def test_an_address_changes_when_the_new_one_is_confirmed(world: World, ann: CurrentSession) -> None:
    ask_to_change(world.context, ann, NEW, world.now)
    new, old = mails(world)
    assert (new.to, old.to) == (NEW, ANN)
    assert NEW in old.text
    assert address(world, ann) == (ANN, True)
    secret = re.search(r"/confirm/(\S+)", new.text)
    assert secret
    confirm(world.context, ann, secret[1], world.now)
    assert address(world, ann) == (NEW, True)
    (told,) = mails(world)
    assert told.to == ANN
    assert audit_events(world.context)[-1][1] == "user.email_changed"
    assert enter(world, NEW.upper()).session


def test_an_address_that_has_an_account_is_told_nobody_but_itself(world: World, ann: CurrentSession) -> None:
    ask_to_change(world.context, ann, BOB, world.now)
    new, old = mails(world)
    assert new.to == BOB
    assert "/confirm/" not in new.text
    assert old.to == ANN


def test_one_that_is_taken_meanwhile_stays_theirs(world: World, ann: CurrentSession) -> None:
    ask_to_change(world.context, ann, NEW, world.now)
    secret = link(world)
    account(world, NEW)
    with pytest.raises(Conflict):
        confirm(world.context, ann, secret, world.now)
    assert address(world, ann) == (ANN, True)


@pytest.mark.parametrize(
    "email", ["", "x", ANN, ANN.upper(), "a\x00@b.example", "\udcff@b.example", "x" * 500 + "@b.example"]
)
def test_no_new_address_is_none(world: World, ann: CurrentSession, email: str) -> None:
    with pytest.raises(Invalid):
        ask_to_change(world.context, ann, email, world.now)
    assert mails(world) == []


def test_it_asks_for_a_fresh_proof(world: World) -> None:
    later = timedelta(minutes=11)
    ann = seen(world, enter(world), later)
    with pytest.raises(FreshProofNeeded):
        ask_to_change(world.context, ann, NEW, world.now + later)


def test_five_links_an_hour(world: World, ann: CurrentSession) -> None:
    for _ in range(5):
        ask_to_change(world.context, ann, NEW, world.now)
    with pytest.raises(TooManyTries):
        ask_to_change(world.context, ann, NEW, world.now)


def test_what_is_kept_at_twilio_is_changed_there(world: World, ann: CurrentSession) -> None:
    ask_to_change(world.context, ann, NEW, world.now)
    secret = link(world)
    with world.context.database.writing() as connection:
        connection.execute(update(users).where(users.c.email == ANN).values(twilio_sub="US1"))
    with pytest.raises(Forbidden):
        ask_to_change(world.context, ann, NEW, world.now)
    with pytest.raises(Forbidden):
        confirm(world.context, ann, secret, world.now)


# -- Attacks -----------------------------------------------------------------------------------------


def test_a_link_works_once_for_an_hour_also_after_a_restart(world: World, ann: CurrentSession) -> None:
    ask_to_change(world.context, ann, NEW, world.now)
    secret = link(world)
    with pytest.raises(Expired):
        confirm(world.context, ann, secret, world.now + LINK_LASTS)
    assert find_confirmation(world.context, ann, secret, world.now).email == NEW
    confirm(world.context, ann, secret, world.now)
    for context in (world.context, make_context(world.context.database)):
        with pytest.raises(Expired):
            confirm(context, ann, secret, world.now)


def test_the_newest_link_alone_works(world: World, ann: CurrentSession) -> None:
    ask_to_change(world.context, ann, "first@else.example", world.now)
    first = link(world)
    ask_to_change(world.context, ann, NEW, world.now)
    with pytest.raises(Expired):
        confirm(world.context, ann, first, world.now)


def test_a_new_password_ends_a_thiefs_change_of_the_address(world: World) -> None:
    owner, thief = seen(world, enter(world)), seen(world, enter(world))
    ask_to_change(world.context, thief, NEW, world.now)
    secret = link(world)
    change_password(world.context, owner, "nine quiet dogs walk", world.now)
    with pytest.raises(DomainError):
        confirm(world.context, thief, secret, world.now)
    assert address(world, owner) == (ANN, True)


def test_links_that_the_former_address_got_work_no_longer(world: World, ann: CurrentSession) -> None:
    ask_reset(world.context, ANN, CLIENT, world.now)
    reset = link(world)
    ask_to_change(world.context, ann, NEW, world.now)
    confirm(world.context, ann, link(world), world.now)
    with pytest.raises(Expired):
        open_reset(world.context, reset, world.now)


_STEPS = st.lists(st.tuples(st.sampled_from(["ann", "bob"]), st.sampled_from(["ask", "confirm"])), max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_STEPS)
def test_in_any_order_nobody_gets_an_address_whose_mailbox_they_did_not_open(
    world: World, steps: list[tuple[str, str]]
) -> None:
    """Both want the same address and follow every link that was mailed to it."""
    with world.context.database.writing() as connection:
        for email in (ANN, BOB):  # so named, whatever the example before made of their addresses
            connection.execute(update(users).where(users.c.name == email).values(email=email, email_ci=email))
    who = {"ann": seen(world, enter(world)), "bob": seen(world, enter(world, BOB))}
    links: dict[str, list[str]] = {"ann": [], "bob": []}
    for name, step in steps:
        if step == "ask" and address(world, who[name])[0] != NEW:
            _forget_how_often(world)
            ask_to_change(world.context, who[name], NEW, world.now)
            found = [re.search(r"/confirm/(\S+)", mail.text) for mail in mails(world)]
            links[name] += [one[1] for one in found if one]
        other = {"ann": "bob", "bob": "ann"}[name]
        assert [secret for secret in links[other] if _confirms(world, who[name], secret)] == []
        if step == "confirm":
            assert len([secret for secret in links[name] if _confirms(world, who[name], secret)]) <= 1
    assert [address(world, one)[0] for one in who.values()].count(NEW) <= 1


def _forget_how_often(world: World) -> None:
    with world.context.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM counters")


def _confirms(world: World, session: CurrentSession, secret: str) -> bool:
    try:
        confirm(world.context, session, secret, world.now)
    except DomainError:
        return False
    return True
