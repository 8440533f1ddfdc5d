"""Product.md 2.8: authenticator apps (RFC 6238), recovery codes, and the login in two steps."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from bridge.domain.errors import Conflict, Expired, Forbidden, Invalid, NotFound, TooManyTries
from bridge.domain.identity import Factor
from bridge.domain.mail import Mail
from bridge.domain.second_factors import Answer, FactorNeeded, LoginStepGone, WrongFactor, find_step
from bridge.flows.account_factors import (
    add_passkey,
    begin_app,
    begin_passkey,
    confirm_app,
    get_own,
    list_own,
    make_recovery_codes,
    remove,
    rename_factor,
)
from bridge.flows.account_settings import change_password
from bridge.flows.context import OPERATOR
from bridge.flows.deliver import deliver_due
from bridge.flows.fresh_proof import FreshProofNeeded
from bridge.flows.own_connections import set_enabled
from bridge.flows.password_login import Credentials, finish_with_factor, sign_in_with_password
from bridge.flows.require_factor import refuse_mailed_codes
from bridge.flows.second_factors import mail_code
from bridge.flows.sessions import CurrentSession
from bridge.storage.changes import changing
from bridge.storage.database import Database
from bridge.storage.people import set_user
from bridge.storage.second_factors import insert_factor
from bridge.storage.sessions import insert_session
from bridge.storage.tables import audit, outbox, pending_requests, recovery_codes, second_factors, sign_in_attempts
from tests.flows.logins import (
    CLIENT,
    PASSWORD,
    Browser,
    account,
    enter_with_app,
    give_app,
    join,
    prove_domain,
    set_workspace,
    sign_in,
)
from tests.world import World, make_world

ANN = "ann@acme.example"
STEP = timedelta(seconds=30)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def world(database: Database, now: datetime) -> World:
    return make_world(database, now)


@pytest.fixture
def ann(world: World) -> int:
    """Ann, a member with a password. Returns the key of her account."""
    key = account(world, ANN, password=PASSWORD)
    join(world, key)
    return key


def begin(world: World, now: datetime | None = None) -> str:
    """The password is right, and the factor is asked for. Returns the step's secret."""
    with pytest.raises(FactorNeeded) as needed:
        sign_in_with_password(world.context, Credentials(ANN, PASSWORD), CLIENT, now or world.now)
    return needed.value.token


def finish(world: World, token: str, code: str, by: Factor = "totp", now: datetime | None = None) -> Browser:
    told = finish_with_factor(world.context, token, Answer(by, code), CLIENT, now or world.now)
    return Browser(session=told.cookie)


def session(world: World, browser: Browser | None = None) -> CurrentSession:
    """Ann's, by password alone unless said otherwise."""
    told = browser or Browser(
        session=sign_in_with_password(world.context, Credentials(ANN, PASSWORD), CLIENT, world.now).cookie
    )
    found = told.look(world)
    assert found is not None
    return found


def set_up(world: World, current: CurrentSession) -> tuple[str, tuple[str, ...]]:
    """An app is set up. Returns its secret, and the recovery codes."""
    app = begin_app(world.context, current, world.now)
    code = pyotp.TOTP(app.secret).at(world.now)
    return app.secret, confirm_app(world.context, current, app.token, "", code, CLIENT, world.now).recovery_codes


def events(world: World) -> list[str]:
    with world.context.database.reading() as rows:
        return list(rows.execute(select(audit.c.type).order_by(audit.c.seq)).scalars())


def mails(world: World) -> int:
    with world.context.database.reading() as rows:
        return len(rows.execute(select(outbox.c.id)).all())


# -- The code of an app ------------------------------------------------------------------------------

moments = st.integers(10**9, 4 * 10**9).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(now=moments, off=st.integers(-40, 40))
def test_a_code_is_good_one_step_around_its_own_and_at_no_other_time(now: datetime, off: int) -> None:
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    shown = pyotp.TOTP(secret).at(now + off * STEP)
    found = find_step(secret, shown, now)
    if abs(off) <= 1:
        assert found is not None
    elif found is not None:  # one in a million is the same by chance
        assert pyotp.TOTP(secret).generate_otp(found) == shown


def test_the_codes_are_those_of_rfc_6238_appendix_b() -> None:
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    for seconds, code in ((59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")):
        at = datetime.fromtimestamp(seconds, UTC)
        assert find_step(secret, code, at) == seconds // 30


@given(text=st.text(max_size=30))
def test_whatever_is_typed_is_no_error(text: str) -> None:
    find_step("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", text, datetime(2026, 1, 1, tzinfo=UTC))


# -- Setting it up -----------------------------------------------------------------------------------


def test_one_is_called_otherwise_afterwards(world: World, ann: int) -> None:
    current = session(world)
    set_up(world, current)
    [factor] = list_own(world.context, current).factors
    for name in ("", " \t", "x" * 61, "\x00"):
        with pytest.raises(Invalid):
            rename_factor(world.context, current, factor.id, name, world.now)
    rename_factor(world.context, current, factor.id, "Old \u202ephone ", world.now)
    assert [one.name for one in list_own(world.context, current).factors] == ["Old phone"]
    assert events(world)[-1] == "user.factor_renamed"
    with pytest.raises(FreshProofNeeded):
        rename_factor(world.context, replace(current, proved_at=None), factor.id, "Mine", world.now)


def test_nobody_renames_anothers(world: World, ann: int) -> None:
    current = session(world)
    set_up(world, current)
    [factor] = list_own(world.context, current).factors
    join(world, account(world, "bob@acme.example", password=PASSWORD))
    bob = sign_in_with_password(world.context, Credentials("bob@acme.example", PASSWORD), CLIENT, world.now)
    with pytest.raises(NotFound):
        rename_factor(world.context, session(world, Browser(session=bob.cookie)), factor.id, "Mine", world.now)
    assert [one.name for one in list_own(world.context, current).factors] == ["Authenticator app"]


def test_of_who_is_linked_to_twilio_they_can_be_seen_and_no_more(world: World, ann: int) -> None:
    current = session(world)
    begun = begin_app(world.context, current, world.now)
    set_up(world, current)
    [factor] = list_own(world.context, current).factors
    with changing(world.context.database, OPERATOR, world.now) as change:
        set_user(change, ann, twilio_sub="US1")
    before = (list_own(world.context, current), events(world), mails(world))
    assert before[0].at_twilio
    code = pyotp.TOTP(begun.secret).at(world.now)
    for change_it in (
        lambda: begin_app(world.context, current, world.now),
        lambda: confirm_app(world.context, current, begun.token, "", code, CLIENT, world.now),
        lambda: begin_passkey(world.context, current, world.now),
        lambda: add_passkey(world.context, current, "", "{}", world.now),
        lambda: rename_factor(world.context, current, factor.id, "Mine", world.now),
        lambda: remove(world.context, current, factor.id, world.now),
        lambda: make_recovery_codes(world.context, current, world.now),
    ):
        with pytest.raises(Forbidden, match="Twilio"):
            change_it()
    assert (list_own(world.context, current), events(world), mails(world)) == before


def test_an_app_counts_only_once_its_first_code_was_shown(world: World, ann: int) -> None:
    current = session(world)
    app = begin_app(world.context, current, world.now)
    assert session(world)  # still the password alone
    with pytest.raises(Invalid):
        confirm_app(world.context, current, app.token, "", "000000", CLIENT, world.now)
    assert list_own(world.context, current).factors == ()
    code = pyotp.TOTP(app.secret).at(world.now)
    added = confirm_app(world.context, current, app.token, "My phone", code, CLIENT, world.now)
    assert len(set(added.recovery_codes)) == 10
    assert [one.name for one in list_own(world.context, current).factors] == ["My phone"]
    assert begin(world)
    assert "user.factor_added" in events(world)
    assert mails(world) == 1


def test_a_set_up_is_finished_once_in_time_and_by_who_began_it(world: World, ann: int) -> None:
    current = session(world)
    account(world, "bob@acme.example", password=PASSWORD)
    bob = sign_in_with_password(world.context, Credentials("bob@acme.example", PASSWORD), CLIENT, world.now)
    app = begin_app(world.context, current, world.now)
    code = pyotp.TOTP(app.secret).at(world.now)
    with pytest.raises(Expired):
        confirm_app(world.context, session(world, Browser(session=bob.cookie)), app.token, "", code, CLIENT, world.now)
    late = world.now + timedelta(minutes=31)
    with pytest.raises(Expired):
        confirm_app(world.context, current, app.token, "", pyotp.TOTP(app.secret).at(late), CLIENT, late)
    confirm_app(world.context, current, app.token, "", code, CLIENT, world.now)
    with pytest.raises(Expired):
        confirm_app(world.context, current, app.token, "", code, CLIENT, world.now)


def test_the_code_that_set_it_up_signs_nobody_in(world: World, ann: int) -> None:
    secret, _ = set_up(world, session(world))
    with pytest.raises(WrongFactor):
        finish(world, begin(world), pyotp.TOTP(secret).at(world.now))


def test_no_secret_is_stored_readable(world: World, ann: int) -> None:
    current = session(world)
    app = begin_app(world.context, current, world.now)
    code = pyotp.TOTP(app.secret).at(world.now)
    codes = confirm_app(world.context, current, app.token, "", code, CLIENT, world.now).recovery_codes
    with world.context.database.reading() as rows:
        kept = [repr(row) for table in (second_factors, recovery_codes, pending_requests, audit, outbox)
                for row in rows.execute(select(table))]  # fmt: skip
    assert not [one for one in kept for word in (app.secret, app.token, *codes) if word in one]


def test_who_came_by_their_companys_idp_alone_does_not_open_the_account(world: World, ann: int) -> None:
    came = session(world, sign_in(world, ANN))
    for refused in (lambda: list_own(world.context, came), lambda: begin_app(world.context, came, world.now),
                    lambda: make_recovery_codes(world.context, came, world.now),
                    lambda: remove(world.context, came, "x", world.now)):  # fmt: skip
        with pytest.raises(Forbidden):
            refused()


# -- The login in two steps --------------------------------------------------------------------------


def test_a_password_alone_opens_no_session_where_there_is_a_factor(world: World, ann: int) -> None:
    secret = give_app(world, ann)
    token = begin(world)
    browser = finish(world, token, pyotp.TOTP(secret).at(world.now))
    assert browser.reaches(world) == ["acme"]
    (how,) = session(world, browser).authentications
    assert (how.kind, how.factor) == ("password", "totp")
    with pytest.raises(LoginStepGone):
        finish(world, token, pyotp.TOTP(secret).at(world.now + STEP))


def test_a_code_works_once(world: World, ann: int) -> None:
    secret = give_app(world, ann)
    code = pyotp.TOTP(secret).at(world.now)
    finish(world, begin(world), code)
    token = begin(world)
    for shown in (code, pyotp.TOTP(secret).at(world.now - STEP)):
        with pytest.raises(WrongFactor):
            finish(world, token, shown)
    finish(world, token, pyotp.TOTP(secret).at(world.now + STEP))


def test_of_many_who_show_one_code_at_once_one_gets_in(world: World, ann: int) -> None:
    code = pyotp.TOTP(give_app(world, ann)).at(world.now)
    tokens = [begin(world) for _ in range(4)]

    def try_one(token: str) -> bool:
        try:
            return bool(finish(world, token, code))
        except (WrongFactor, Conflict):
            return False

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(try_one, tokens)) == 1


def test_the_step_ends_after_ten_minutes_and_with_the_password(world: World, ann: int) -> None:
    secret, late = give_app(world, ann), world.now + timedelta(minutes=10)
    token = begin(world)
    with pytest.raises(LoginStepGone):
        finish(world, token, pyotp.TOTP(secret).at(late), now=late)
    with changing(world.context.database, OPERATOR, world.now) as change:
        set_user(change, ann, password_hash="another")
    with pytest.raises(LoginStepGone):
        finish(world, token, pyotp.TOTP(secret).at(world.now))


def test_guessing_is_counted_by_account(world: World, ann: int) -> None:
    secret = give_app(world, ann)
    for _ in range(10):
        with pytest.raises(WrongFactor):
            finish(world, begin(world), "000000")
    with pytest.raises(TooManyTries) as told:
        finish(world, begin(world), pyotp.TOTP(secret).at(world.now))
    later = world.now + timedelta(seconds=told.value.retry_after)
    finish(world, begin(world, later), pyotp.TOTP(secret).at(later), now=later)


def test_only_wrong_codes_of_an_address_are_too_many(world: World, ann: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole office comes from one address."""
    monkeypatch.setattr("bridge.flows.second_factors.TRIES_BY_ADDRESS", 2)
    app, later = pyotp.TOTP(give_app(world, ann)), [world.now + n * STEP for n in range(3)]
    for now in later:
        finish(world, begin(world, now), app.at(now), now=now)
    for _ in range(2):
        with pytest.raises(WrongFactor):
            finish(world, begin(world), "000000")
    with pytest.raises(TooManyTries):
        finish(world, begin(world), app.at(world.now + 3 * STEP), now=later[-1])


def test_another_persons_factor_is_none(world: World, ann: int) -> None:
    give_app(world, ann)
    other = give_app(world, account(world, "bob@acme.example", password=PASSWORD))
    with pytest.raises(WrongFactor):
        finish(world, begin(world), pyotp.TOTP(other).at(world.now))


# -- Recovery codes ----------------------------------------------------------------------------------


def test_a_recovery_code_signs_in_once_and_a_mail_says_so(world: World, ann: int) -> None:
    _, codes = set_up(world, session(world))
    told = mails(world)
    browser = finish(world, begin(world), codes[0].upper().replace("-", " "), "recovery_code")
    assert browser.reaches(world) == ["acme"]
    assert mails(world) == told + 1
    assert list_own(world.context, session(world, browser)).recovery_codes == 9
    for code in (codes[0], "", "nonsense", "\x00"):
        with pytest.raises(WrongFactor):
            finish(world, begin(world), code, "recovery_code")
    assert "user.recovery_code_used" in events(world)


def test_new_recovery_codes_end_the_old_ones(world: World, ann: int) -> None:
    current = session(world)
    _, old = set_up(world, current)
    new = make_recovery_codes(world.context, current, world.now)
    assert not set(old) & set(new)
    with pytest.raises(WrongFactor):
        finish(world, begin(world), old[0], "recovery_code")
    finish(world, begin(world), new[0], "recovery_code")


def test_they_stand_in_for_a_factor_only(world: World, ann: int) -> None:
    with pytest.raises(Conflict):
        make_recovery_codes(world.context, session(world), world.now)


# -- Taking one away ---------------------------------------------------------------------------------


def test_with_the_last_factor_go_its_codes_and_what_it_opened(world: World, ann: int) -> None:
    set_workspace(world, require_mfa=True)
    browser = Browser(
        session=sign_in_with_password(world.context, Credentials(ANN, PASSWORD), CLIENT, world.now).cookie
    )
    assert browser.reaches(world) == []
    current = session(world, browser)
    set_up(world, current)
    assert browser.reaches(world) == ["acme"]  # it was shown just now
    (one,) = list_own(world.context, current).factors
    assert get_own(world.context, current, one.id) == (one, True)
    remove(world.context, current, one.id, world.now)
    assert browser.reaches(world) == []
    assert list_own(world.context, current).recovery_codes == 0
    assert events(world)[-1] == "user.factor_removed"
    with pytest.raises(NotFound):
        remove(world.context, current, one.id, world.now)


def test_a_passkey_stays_while_nothing_else_works(world: World) -> None:
    prove_domain(world, "acme.example")
    browser = sign_in(world, ANN, fresh=True)
    key = session(world, browser).user.key
    with changing(world.context.database, OPERATOR, world.now) as change:
        passkey = insert_factor(change, key, "passkey", "Key", b"", credential=b"id")
    asked = session(world, browser)
    set_enabled(world.context, OPERATOR, "acme", world.connection.id, False, world.now)
    with changing(world.context.database, OPERATOR, world.now) as change:
        again = insert_session(change, b"another", key, CLIENT, world.now + MINUTE)
    with pytest.raises(Conflict):
        remove(world.context, replace(asked, key=again), passkey, world.now)
    set_enabled(world.context, OPERATOR, "acme", world.connection.id, True, world.now)
    remove(world.context, replace(asked, key=again), passkey, world.now)


@pytest.mark.parametrize("change", ["begin", "confirm", "codes", "remove", "passkey"])
def test_who_was_signed_out_meanwhile_changes_no_factor(world: World, ann: int, change: str) -> None:
    stolen = session(world)
    app = begin_app(world.context, stolen, world.now)
    set_up(world, owner := session(world))
    kept = list_own(world.context, owner)
    change_password(world.context, owner, "nine quiet dogs walk", world.now)
    code = pyotp.TOTP(app.secret).at(world.now)
    late: dict[str, Callable[[], object]] = {
        "begin": lambda: begin_app(world.context, stolen, world.now),
        "confirm": lambda: confirm_app(world.context, stolen, app.token, "", code, CLIENT, world.now),
        "codes": lambda: make_recovery_codes(world.context, stolen, world.now),
        "remove": lambda: remove(world.context, stolen, kept.factors[0].id, world.now),
        "passkey": lambda: begin_passkey(world.context, stolen, world.now),
    }
    with pytest.raises(Forbidden, match="signed out"):
        late[change]()
    assert list_own(world.context, owner) == kept


def test_nobody_takes_away_anothers(world: World, ann: int) -> None:
    give_app(world, account(world, "bob@acme.example", password=PASSWORD))
    with world.context.database.reading() as rows:
        theirs = rows.execute(select(second_factors.c.uid)).scalar()
    with pytest.raises(NotFound):
        remove(world.context, session(world), str(theirs), world.now)


def test_the_log_says_what_was_shown(world: World, ann: int) -> None:
    enter_with_app(world, ANN, give_app(world, ann), Browser())
    with world.context.database.reading() as rows:
        steps = rows.execute(select(sign_in_attempts.c.steps)).scalar_one()
    assert [step["name"] for step in steps] == ["typed", "factor", "session"]


def test_changing_them_asks_for_a_fresh_proof(world: World, ann: int) -> None:
    current = session(world)
    set_up(world, current)
    (one,) = list_own(world.context, current).factors
    late = world.now + timedelta(minutes=11)
    for asked in (lambda: begin_app(world.context, current, late), lambda: remove(world.context, current, one.id, late),
                  lambda: make_recovery_codes(world.context, current, late)):  # fmt: skip
        with pytest.raises(FreshProofNeeded):
            asked()


# -- Codes by mail -----------------------------------------------------------------------------------


def mailed(world: World) -> str:
    """The code in the newest mail."""
    sent = Outbox()
    while deliver_due(world.context, sent, world.now):
        pass
    found = re.search(r"code is (\d{6})", sent.mails[-1].text)
    assert found
    return found[1]


class Outbox:
    """Takes mails."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []

    def send(self, mail: Mail) -> None:
        self.mails.append(mail)


def test_a_mailed_code_signs_in_once_and_in_its_own_login(world: World, ann: int) -> None:
    give_app(world, ann)
    token, other = begin(world), begin(world)
    mail_code(world.context, token, world.now)
    code = mailed(world)
    with pytest.raises(WrongFactor):
        finish(world, other, code, "mailed_code")
    assert finish(world, token, code, "mailed_code").reaches(world) == ["acme"]
    with pytest.raises(WrongFactor):
        finish(world, other, code, "mailed_code")


def test_a_newer_code_ends_the_older_and_ten_minutes_end_both(world: World, ann: int) -> None:
    give_app(world, ann)
    token = begin(world)
    mail_code(world.context, token, world.now)
    old = mailed(world)
    mail_code(world.context, token, world.now)
    new = mailed(world)
    if old != new:
        with pytest.raises(WrongFactor):
            finish(world, token, old, "mailed_code")
    with pytest.raises(LoginStepGone):
        finish(world, token, new, "mailed_code", world.now + timedelta(minutes=10))
    finish(world, token, new, "mailed_code")


def test_five_tries_and_five_mails(world: World, ann: int) -> None:
    give_app(world, ann)
    token = begin(world)
    for _ in range(5):
        mail_code(world.context, token, world.now)
    code = mailed(world)
    with pytest.raises(TooManyTries):
        mail_code(world.context, token, world.now)
    wrong = "000000" if code != "000000" else "111111"
    for _ in range(5):
        with pytest.raises(WrongFactor):
            finish(world, token, wrong, "mailed_code")
    with pytest.raises(TooManyTries):
        finish(world, token, code, "mailed_code")


def test_where_a_workspace_refuses_mail_there_is_none(world: World, ann: int) -> None:
    give_app(world, ann)
    token = begin(world)
    mail_code(world.context, token, world.now)
    code = mailed(world)
    refuse_mailed_codes(world.context, OPERATOR, "acme", True, world.now)
    with pytest.raises(WrongFactor):
        finish(world, token, code, "mailed_code")
    with pytest.raises(Forbidden):
        mail_code(world.context, token, world.now)
    refuse_mailed_codes(world.context, OPERATOR, "acme", False, world.now)
    finish(world, token, code, "mailed_code")
