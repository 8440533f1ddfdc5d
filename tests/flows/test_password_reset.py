"""A forgotten password (product.md 2.8): one link, mailed to the stored address, and no telling who exists."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from bridge.domain.errors import DomainError, Expired, Invalid, TooManyTries
from bridge.domain.mail import Mail
from bridge.domain.sign_in import Client
from bridge.domain.sign_in_log import AttemptsQuery
from bridge.domain.sign_in_refusals import WrongCredentials
from bridge.flows.account_settings import change_password
from bridge.flows.deliver import deliver_due
from bridge.flows.password_login import Credentials, sign_in_with_password
from bridge.flows.password_reset import LINK_LASTS, ask_reset, open_reset, reset_password
from bridge.flows.provision_users import change_user
from bridge.flows.read_sign_in_log import get_attempt, list_attempts
from bridge.storage.database import Database
from bridge.storage.tables import identities, pending_requests, second_factors, users
from tests.flows.audit import audit_events
from tests.flows.logins import CLIENT, PASSWORD, Browser, account, join, sign_in
from tests.flows.mailer import KeptMail
from tests.overheard import statements
from tests.world import World, make_context, make_world, pushed

ANN = "ann@acme.example"
NEW = "nine quiet dogs walk"


@pytest.fixture
def world(database: Database, now: datetime) -> World:
    """The workspace, and Ann in it."""
    made = make_world(database, now)
    join(made, account(made, ANN, password=PASSWORD))
    return made


def ask(world: World, email: str = ANN, client: Client = CLIENT) -> list[Mail]:
    """Ask for a link. Returns the mails that leave by it."""
    ask_reset(world.context, email, client, world.now)
    mailer = KeptMail()
    while deliver_due(world.context, mailer, world.now):
        pass
    return mailer.sent


def link(world: World, email: str = ANN) -> str:
    """The secret in the link that is mailed."""
    (mail,) = [mail for mail in ask(world, email) if "/reset/" in mail.text]
    return secret_in(mail)


def secret_in(mail: Mail) -> str:
    """The secret of its link."""
    found = re.search(r"/reset/(\S+)", mail.text)
    assert found, mail.text
    return found[1]


def enter(world: World, password: str) -> Browser:
    """Ann signs in."""
    told = sign_in_with_password(world.context, Credentials(ANN, password), CLIENT, world.now)
    return Browser(session=told.cookie)


# -- The way it is meant -----------------------------------------------------------------------------


def test_owners_read_of_it_in_the_sign_in_log_and_from_where_it_was(world: World) -> None:
    reset_password(world.context, link(world), NEW, world.now, CLIENT)
    with pytest.raises(Expired):
        reset_password(world.context, "wrong", NEW, world.now, CLIENT)
    [line] = list_attempts(world.context, "acme", AttemptsQuery(outcome="password_reset"), 10).attempts
    assert (line.kind, line.outcome, line.email, line.address) == ("reset", "password_reset", ANN, CLIENT.address)
    assert list_attempts(world.context, "acme", AttemptsQuery(outcome="signed_in"), 10).attempts == ()
    assert [step.name for step in get_attempt(world.context, "acme", line.ref).steps] == [
        "link_followed",
        "password_set",
    ]


def test_the_link_sets_a_password_and_ends_every_session(world: World) -> None:
    thief = enter(world, PASSWORD)
    (mail,) = ask(world, "ANN@acme.EXAMPLE")
    assert mail.to == ANN
    reset_password(world.context, secret_in(mail), NEW, world.now)
    assert thief.look(world) is None
    assert enter(world, NEW).reaches(world) == ["acme"]
    with pytest.raises(WrongCredentials):
        enter(world, PASSWORD)
    assert [kind for _, kind, _ in audit_events(world.context)].count("user.password_changed") == 1


def test_to_open_it_uses_nothing_up(world: World) -> None:
    secret = link(world)
    assert open_reset(world.context, secret, world.now) == open_reset(world.context, secret, world.now)
    reset_password(world.context, secret, NEW, world.now)


def test_a_bad_password_uses_nothing_up(world: World) -> None:
    secret = link(world)
    for bad in ("short", ANN, "qwerty123456"):
        with pytest.raises(Invalid):
            reset_password(world.context, secret, bad, world.now)
    reset_password(world.context, secret, NEW, world.now)


def test_it_proves_the_address_and_clears_what_a_stranger_left(world: World) -> None:
    sso = sign_in(world, ANN)
    with world.context.database.writing() as connection:
        connection.execute(update(users).where(users.c.email == ANN).values(email_proved_at=None))
    reset_password(world.context, link(world), NEW, world.now)
    assert sso.look(world) is None
    with world.context.database.reading() as rows:
        assert rows.execute(select(users.c.email_proved_at).where(users.c.email == ANN)).scalar() == world.now
        assert rows.execute(select(identities)).all() == []


def test_of_a_proved_one_links_and_second_factors_stay(world: World) -> None:
    sign_in(world, ANN)
    with world.context.database.writing() as connection:
        user = connection.execute(select(users.c.id).where(users.c.email == ANN)).scalar_one()
        row = {"uid": "f", "user_id": user, "kind": "totp", "data_enc": b"x", "created_at": world.now}
        connection.execute(insert(second_factors).values(**row))
    reset_password(world.context, link(world), NEW, world.now)
    with world.context.database.reading() as rows:
        assert len(rows.execute(select(second_factors)).all()) == 1
        assert len(rows.execute(select(identities)).all()) == 1


def test_whoever_guessed_at_the_former_one_keeps_nobody_out(world: World) -> None:
    for _ in range(10):
        with pytest.raises(WrongCredentials):
            enter(world, "wrong")
    reset_password(world.context, link(world), NEW, world.now)
    assert enter(world, NEW).session


# -- Who has none ------------------------------------------------------------------------------------


def test_who_signs_in_by_their_company_is_told_so(world: World) -> None:
    sign_in(world, "bob@acme.example")
    (mail,) = ask(world, "bob@acme.example")
    assert "/reset/" not in mail.text
    assert "Okta" in mail.text


def test_so_is_whose_password_is_kept_at_twilio(world: World) -> None:
    secret = link(world)
    with world.context.database.writing() as connection:
        connection.execute(update(users).where(users.c.email == ANN).values(twilio_sub="US1"))
    (mail,) = ask(world)
    assert "Twilio" in mail.text
    assert "/reset/" not in mail.text
    with pytest.raises(Expired):
        reset_password(world.context, secret, NEW, world.now)


def test_whom_their_company_holds_out_is_not_sent_there(world: World) -> None:
    cat = world.push("cat@acme.example")
    sign_in(world, "cat@acme.example")
    change_user(world.context, world.connection, cat.id, lambda _: pushed("cat@acme.example", active=False), world.now)
    assert secret_in(ask(world, "cat@acme.example")[0])


def test_a_company_that_merely_has_their_address_holds_no_link_back(world: World) -> None:
    account(world, "cat@home.example")
    other = make_world(world.context.database, world.now, slug="other", owner="otto@other.example")
    other.push("cat@home.example")
    sign_in(other, "cat@home.example")
    assert secret_in(ask(world, "cat@home.example")[0])


def test_who_has_no_way_in_at_all_gets_one(world: World) -> None:
    account(world, "cat@acme.example")
    reset_password(world.context, link(world, "cat@acme.example"), NEW, world.now)
    told = sign_in_with_password(world.context, Credentials("cat@acme.example", NEW), CLIENT, world.now)
    assert told.cookie


# -- Who there is, is told nobody --------------------------------------------------------------------


@pytest.mark.parametrize("email", ["nobody@acme.example", "", "x", "a\x00@b", "\udcff", "ann@acme.example\n"])
def test_nobody_gets_no_mail_and_the_same_answer(world: World, email: str) -> None:
    mails = ask(world, email)
    assert [mail.to for mail in mails] in ([], [ANN])


def test_as_much_is_done_for_nobody_as_for_somebody(world: World) -> None:
    def said(email: str) -> list[str]:
        with statements(world.context.database) as heard:
            ask_reset(world.context, email, CLIENT, world.now)
        return [one.sql.split("(")[0].split()[0] for one in heard]

    assert said("nobody@acme.example") == said(ANN)


def test_five_mails_an_hour_and_the_sixth_answer_is_the_same(world: World) -> None:
    assert [len(ask(world)) for _ in range(7)] == [1, 1, 1, 1, 1, 0, 0]
    assert len(ask(world, "olga@acme.example")) == 1


def test_one_address_asks_fifty_times_an_hour_whoever_it_names(world: World) -> None:
    for n in range(50):
        ask_reset(world.context, f"n{n}@acme.example", CLIENT, world.now)
    for email in (ANN, "nobody@acme.example"):
        with pytest.raises(TooManyTries):
            ask_reset(world.context, email, CLIENT, world.now)
    ask_reset(world.context, ANN, Client("192.0.2.99", ""), world.now)


def test_a_look_alike_of_the_address_gets_nothing(world: World) -> None:
    assert ask(world, "ann@acme.example".replace("a", "а", 1)) == []


# -- Attacks -----------------------------------------------------------------------------------------


def test_a_link_works_once_also_in_another_process_after_a_restart(world: World) -> None:
    secret = link(world)
    reset_password(world.context, secret, NEW, world.now)
    for context in (world.context, make_context(world.context.database)):
        with pytest.raises(Expired):
            open_reset(context, secret, world.now)
        with pytest.raises(Expired):
            reset_password(context, secret, "another quiet sentence", world.now)
    assert enter(world, NEW).session


def test_one_that_was_asked_for_before_is_over_with_it(world: World) -> None:
    first, second = link(world), link(world)
    reset_password(world.context, second, NEW, world.now)
    with pytest.raises(Expired):
        reset_password(world.context, first, "another quiet sentence", world.now)


def test_it_runs_out(world: World) -> None:
    secret = link(world)
    with pytest.raises(Expired):
        reset_password(world.context, secret, NEW, world.now + LINK_LASTS)
    reset_password(world.context, secret, NEW, world.now + LINK_LASTS - timedelta(seconds=1))


@pytest.mark.parametrize("column", ["password_hash", "email"])
def test_it_is_good_for_the_password_and_the_address_it_was_asked_for(world: World, column: str) -> None:
    secret = link(world)
    changed = {"password_hash": "another", "email": "ann@else.example"}[column]
    with world.context.database.writing() as connection:
        connection.execute(update(users).where(users.c.email == ANN).values({column: changed}))
    with pytest.raises(Expired):
        reset_password(world.context, secret, NEW, world.now)


def test_of_a_closed_account_nothing_is_set(world: World) -> None:
    secret = link(world)
    with world.context.database.writing() as connection:
        connection.execute(update(users).where(users.c.email == ANN).values(closed_at=world.now))
    with pytest.raises(Expired):
        reset_password(world.context, secret, NEW, world.now)
    assert ask(world) == []


@pytest.mark.parametrize("secret", ["", "x", "\x00", "\udcff", "x" * 10_000])
def test_a_made_up_secret_opens_nothing(world: World, secret: str) -> None:
    with pytest.raises(Expired):
        open_reset(world.context, secret, world.now)


def test_another_kind_of_link_is_none(world: World) -> None:
    secret = link(world)
    with world.context.database.writing() as connection:
        connection.execute(update(pending_requests).values(kind="verify_email"))
    with pytest.raises(Expired):
        reset_password(world.context, secret, NEW, world.now)


def test_of_two_at_once_one_sets_it(world: World) -> None:
    secret = link(world)

    def use(password: str) -> str | None:
        try:
            reset_password(world.context, secret, password, world.now)
        except DomainError:
            return None
        return password

    with ThreadPoolExecutor(2) as pool:
        set_ones = [one for one in pool.map(use, (NEW, "another quiet sentence")) if one]
    assert len(set_ones) == 1
    assert enter(world, set_ones[0]).session


# -- In any order ------------------------------------------------------------------------------------

_STEPS = st.lists(st.sampled_from(["ask", "use first", "use last", "change"]), max_size=4)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=12)
@given(steps=_STEPS)
def test_in_any_order_a_link_sets_the_password_it_was_asked_for_and_only_once(world: World, steps: list[str]) -> None:
    with world.context.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM counters")
        connection.exec_driver_sql("DELETE FROM pending_requests")
    fresh: list[str] = []
    spent: list[str] = []
    password = _known(world)
    for number, step in enumerate(steps):
        new = f"quiet sentence number {number} of {len(spent)}"
        if step == "ask":
            fresh.append(link(world))
        elif step == "change":
            session = enter(world, password).look(world)
            assert session
            change_password(world.context, session, new, world.now)
            password, spent, fresh = new, [*spent, *fresh], []
        elif fresh:
            reset_password(world.context, fresh[0 if step == "use first" else -1], new, world.now)
            password, spent, fresh = new, [*spent, *fresh], []
        for secret in spent:
            with pytest.raises(Expired):
                open_reset(world.context, secret, world.now)
    assert enter(world, password).session


def _known(world: World) -> str:
    """Whatever it was in the example before, Ann's password is this one."""
    reset_password(world.context, link(world), PASSWORD, world.now)
    return PASSWORD
