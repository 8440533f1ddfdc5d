"""A fresh proof before an account changes (product.md 2.7)."""

from datetime import datetime, timedelta

import pyotp
import pytest
from sqlalchemy import insert

from bridge.domain.errors import Forbidden, TooManyTries
from bridge.domain.second_factors import WrongFactor
from bridge.domain.sign_in import Client
from bridge.domain.sign_in_refusals import WrongCredentials
from bridge.flows.fresh_proof import (
    PROOF_LASTS,
    FreshProofNeeded,
    SignInAnew,
    WaysToProve,
    is_fresh,
    prove_by_code,
    prove_by_passkey,
    prove_by_password,
    require_fresh,
    ways_to_prove,
)
from bridge.flows.password_login import Credentials, sign_in_with_password
from bridge.flows.password_tries import TRIES_BY_ACCOUNT
from bridge.flows.sessions import CurrentSession
from bridge.storage.database import Database
from bridge.storage.tables import second_factors
from tests.flows.logins import CLIENT, PASSWORD, Browser, account, give_app, join, prove_domain, sign_in
from tests.world import World, make_world

ANN = "ann@acme.example"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def world(database: Database, now: datetime) -> World:
    """The workspace, which has proved the domain of its people."""
    made = make_world(database, now)
    prove_domain(made, "acme.example")
    return made


def by_password(world: World) -> Browser:
    """Ann, with an account of her own."""
    join(world, account(world, ANN, password=PASSWORD))
    told = sign_in_with_password(world.context, Credentials(ANN, PASSWORD), CLIENT, world.now)
    return Browser(session=told.cookie)


def seen(world: World, browser: Browser, later: timedelta = timedelta(0)) -> CurrentSession:
    """The session, some time later."""
    found = browser.look(world, world.now + later)
    assert found is not None
    return found


def give_factor(world: World) -> None:
    """Ann sets up an authenticator."""
    with world.context.database.writing() as connection:
        row = {"uid": "f", "user_id": _ann(world), "kind": "totp", "data_enc": b"x", "created_at": world.now}
        connection.execute(insert(second_factors).values(**row))


def _ann(world: World) -> int:
    with world.context.database.reading() as rows:
        return int(rows.exec_driver_sql(f"SELECT id FROM users WHERE email = '{ANN}'").scalar_one())


def test_a_login_by_password_counts_for_ten_minutes(world: World) -> None:
    browser = by_password(world)
    require_fresh(seen(world, browser, PROOF_LASTS), world.now + PROOF_LASTS)
    with pytest.raises(FreshProofNeeded):
        require_fresh(seen(world, browser, 11 * MINUTE), world.now + 11 * MINUTE)


def test_then_the_password_is_shown_again(world: World) -> None:
    browser, later = by_password(world), world.now + 11 * MINUTE
    prove_by_password(world.context, seen(world, browser, 11 * MINUTE), PASSWORD, CLIENT, later)
    require_fresh(seen(world, browser, 20 * MINUTE), world.now + 20 * MINUTE)


def test_a_wrong_one_proves_nothing_and_is_counted_with_those_of_the_login(world: World) -> None:
    browser, later = by_password(world), world.now + 11 * MINUTE
    session = seen(world, browser, 11 * MINUTE)
    for _ in range(10):
        with pytest.raises(WrongCredentials):
            prove_by_password(world.context, session, "wrong", CLIENT, later)
    with pytest.raises(TooManyTries):
        prove_by_password(world.context, session, PASSWORD, CLIENT, later)
    with pytest.raises(TooManyTries):
        sign_in_with_password(world.context, Credentials(ANN, PASSWORD), CLIENT, later)
    assert not is_fresh(seen(world, browser, 11 * MINUTE), later)


def test_strangers_who_guess_keep_nobody_from_it_who_typed_it_here_before(world: World) -> None:
    join(world, account(world, ANN, password=PASSWORD))
    told = sign_in_with_password(world.context, Credentials(ANN, PASSWORD), CLIENT, world.now)
    later, stranger = world.now + 11 * MINUTE, Client("198.51.100.9", "")
    for _ in range(TRIES_BY_ACCOUNT):
        with pytest.raises(WrongCredentials):
            sign_in_with_password(world.context, Credentials(ANN, "guessed"), stranger, later)
    session = seen(world, Browser(session=told.cookie), 11 * MINUTE)
    with pytest.raises(TooManyTries):
        prove_by_password(world.context, session, PASSWORD, CLIENT, later)
    prove_by_password(world.context, session, PASSWORD, CLIENT, later, known=told.known)
    assert is_fresh(seen(world, Browser(session=told.cookie), 11 * MINUTE), later)


def test_another_session_of_theirs_is_not_proved_by_it(world: World) -> None:
    browser, later = by_password(world), world.now + 11 * MINUTE
    told = sign_in_with_password(world.context, Credentials(ANN, PASSWORD), CLIENT, later)
    assert is_fresh(seen(world, Browser(session=told.cookie), 11 * MINUTE), later)
    assert not is_fresh(seen(world, browser, 11 * MINUTE), later)


def test_single_sign_on_is_no_proof_of_the_accounts_own(world: World) -> None:
    browser = by_password(world)
    sign_in(world, ANN, browser, now=world.now + 11 * MINUTE)
    assert not is_fresh(seen(world, browser, 11 * MINUTE), world.now + 11 * MINUTE)


def test_who_has_a_second_factor_is_not_let_through_by_the_password_alone(world: World) -> None:
    browser, later = by_password(world), world.now + 11 * MINUTE
    give_factor(world)
    session = seen(world, browser, 11 * MINUTE)
    assert not ways_to_prove(world.context, session).by_password
    with pytest.raises(Forbidden):
        prove_by_password(world.context, session, PASSWORD, CLIENT, later)


def test_a_code_of_their_app_proves_it_once(world: World) -> None:
    browser, later = by_password(world), world.now + 11 * MINUTE
    code = pyotp.TOTP(give_app(world, _ann(world))).at(later)
    session = seen(world, browser, 11 * MINUTE)
    with pytest.raises(WrongFactor):
        prove_by_code(world.context, session, "000000" if code != "000000" else "000001", CLIENT, later)
    assert not is_fresh(seen(world, browser, 11 * MINUTE), later)
    prove_by_code(world.context, session, code, CLIENT, later)
    assert is_fresh(seen(world, browser, 11 * MINUTE), later)
    with pytest.raises(WrongFactor):
        prove_by_code(world.context, session, code, CLIENT, later)


def test_without_an_app_a_code_proves_nothing(world: World) -> None:
    with pytest.raises(Forbidden):
        prove_by_code(world.context, seen(world, by_password(world)), "000000", CLIENT, world.now)


def test_without_a_passkey_none_proves_anything(world: World) -> None:
    with pytest.raises(Forbidden):
        prove_by_passkey(world.context, seen(world, by_password(world)), "{}", CLIENT, world.now)


# -- Who has nothing of the account's own ------------------------------------------------------------


def test_who_has_nothing_of_their_own_signs_in_anew_where_they_came_from(world: World) -> None:
    browser = sign_in(world, ANN)
    assert not is_fresh(seen(world, browser), world.now)
    ways = ways_to_prove(world.context, seen(world, browser))
    assert ways == WaysToProve(False, anew=(SignInAnew("saml", "Okta", world.connection.id),))
    sign_in(world, ANN, browser, fresh=True)
    assert is_fresh(seen(world, browser, PROOF_LASTS), world.now + PROOF_LASTS)
    assert not is_fresh(seen(world, browser, 11 * MINUTE), world.now + 11 * MINUTE)


def test_a_sign_in_of_a_moment_ago_is_none_while_the_idp_may_not_have_asked(world: World) -> None:
    browser = sign_in(world, ANN)
    sign_in(world, ANN, browser, now=world.now + MINUTE)
    assert not is_fresh(seen(world, browser, MINUTE), world.now + MINUTE)


def test_nor_does_single_sign_on_prove_who_has_a_password(world: World) -> None:
    join(world, account(world, ANN, password=PASSWORD))
    browser = sign_in(world, ANN, fresh=True)
    assert not is_fresh(seen(world, browser), world.now)
    assert ways_to_prove(world.context, seen(world, browser)) == WaysToProve(True)


def test_nor_who_has_a_second_factor(world: World) -> None:
    sign_in(world, ANN)
    give_factor(world)
    browser = sign_in(world, ANN, fresh=True)
    assert not is_fresh(seen(world, browser), world.now)
    assert ways_to_prove(world.context, seen(world, browser)) == WaysToProve(False, by_code=True)


def test_an_idp_that_vouches_for_no_account_proves_nothing_of_it(database: Database, now: datetime) -> None:
    world = make_world(database, now)
    browser = sign_in(world, ANN, fresh=True)
    session = seen(world, browser)
    assert not session.may_change_account
    assert not is_fresh(session, now)
    assert ways_to_prove(world.context, session).anew == ()
