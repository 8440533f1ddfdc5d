"""Product.md 2.5, properties.md 12: a code and the owner's own login open this workspace, once, for an hour."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from bridge.domain.access import EVERYWHERE, RoleInScope
from bridge.domain.errors import Conflict, Forbidden, NotFound, TooManyTries
from bridge.domain.roles import OWNER
from bridge.domain.sign_in import Client
from bridge.domain.sign_in_log import AttemptsQuery, SignInAttempt
from bridge.domain.sign_in_refusals import LoginTooOld, WrongCode
from bridge.flows.break_glass import (
    NewCodes,
    list_named_owners,
    make_code_at_once,
    make_codes,
    open_by_code,
    revoke_codes,
)
from bridge.flows.context import OPERATOR
from bridge.flows.deliver import deliver_due
from bridge.flows.give_roles import end_grant, give_to_member
from bridge.flows.members import remove_member
from bridge.flows.named import get_member_by_email
from bridge.flows.own_connections import delete_connection
from bridge.flows.password_login import Credentials, sign_in_with_password
from bridge.flows.read_sign_in_log import get_attempt, list_attempts
from bridge.flows.sessions import CurrentSession, sweep_expired
from bridge.storage.database import Database
from bridge.storage.tables import audit, break_glass_codes, break_glass_openings
from bridge.storage.workspaces import find_by_slug
from tests.flows.logins import CLIENT, PASSWORD, Browser, account, join, prove_domain, set_workspace, sign_in
from tests.flows.mailer import KeptMail
from tests.flows.test_require_sso import own
from tests.world import World, make_world

ANN, BOB = "ann@acme.example", "bob@acme.example"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def world(database: Database, now: datetime) -> World:
    """Acme requires SSO, and its connection is gone. Ann owns it by hand; Bob is a member."""
    made = make_world(database, now)
    own(made, join(made, account(made, ANN, password=PASSWORD)))
    join(made, account(made, BOB, password=PASSWORD))
    set_workspace(made, require_sso=True)
    delete_connection(made.context, OPERATOR, "acme", made.connection.id, now)
    return made


def by_password(world: World, email: str = ANN, now: datetime | None = None, browser: Browser | None = None) -> Browser:
    browser = browser or Browser()
    moment = now or world.now
    told = sign_in_with_password(world.context, Credentials(email, PASSWORD), CLIENT, moment, old=browser.session)
    browser.session = told.cookie
    return browser


def session(world: World, browser: Browser, now: datetime | None = None) -> CurrentSession:
    found = browser.look(world, now)
    assert found is not None
    return found


def member_id(world: World, email: str = ANN) -> str:
    owners = list_named_owners(world.context, "acme", world.now)
    return next(owner.membership_id for owner in owners if owner.email == email)


def codes(world: World, email: str = ANN) -> NewCodes:
    return make_codes(world.context, OPERATOR, "acme", member_id(world, email), world.now)


def use(world: World, browser: Browser, code: str, now: datetime | None = None, *, client: Client = CLIENT) -> datetime:
    moment = now or world.now
    return open_by_code(world.context, session(world, browser, moment), "acme", code, client, moment)


def events(world: World) -> list[str]:
    with world.context.database.reading() as rows:
        chosen = select(audit.c.type).where(audit.c.type.like("break_glass.%")).order_by(audit.c.seq)
        return list(rows.execute(chosen).scalars())


# -- Opening -----------------------------------------------------------------------------------------


def test_a_code_and_the_owners_own_login_open_it_for_an_hour(world: World) -> None:
    code, *_ = codes(world).codes
    browser = by_password(world)
    assert browser.reaches(world) == []
    assert use(world, browser, code) == world.now + HOUR
    assert browser.reaches(world) == ["acme"]
    assert browser.reaches(world, world.now + HOUR - MINUTE) == ["acme"]
    assert browser.reaches(world, world.now + HOUR) == []
    assert events(world)[-1] == "break_glass.used"


def test_it_opens_to_that_session_and_no_other(world: World) -> None:
    code, *_ = codes(world).codes
    browser, another = by_password(world), by_password(world)
    use(world, browser, code)
    assert another.reaches(world) == []


def test_it_opens_that_workspace_and_no_other(world: World, database: Database) -> None:
    other = make_world(database, world.now, slug="other", owner="o@other.example")
    browser = by_password(world)
    own(other, join(other, session(world, browser).user.key))
    set_workspace(other, require_sso=True)
    code, *_ = codes(world).codes
    with pytest.raises(WrongCode):
        open_by_code(world.context, session(world, browser), "other", code, CLIENT, world.now)
    use(world, browser, code)
    assert browser.reaches(world) == ["acme"]


def test_every_owner_is_told(world: World) -> None:
    code, *_ = codes(world).codes
    use(world, by_password(world), code)
    mailer = KeptMail()
    deliver_due(world.context, mailer, world.now)
    assert sorted(mail.to for mail in mailer.sent) == sorted([ANN, world.owner.email] * 2)
    assert [mail.subject for mail in mailer.sent if mail.to == ANN][-1] == "ann@acme.example broke the glass of Acme"
    assert code not in "".join(f"{mail.text}{mail.html}" for mail in mailer.sent)


def test_how_it_is_typed_does_not_matter(world: World) -> None:
    code, another, *_ = codes(world).codes
    use(world, by_password(world), f"  {code.upper()} ")
    use(world, by_password(world), another.replace("-", ""))


def test_it_is_a_second_factor_too(world: World) -> None:
    set_workspace(world, require_mfa=True)
    code, *_ = codes(world).codes
    browser = by_password(world)
    use(world, browser, code)
    assert browser.reaches(world) == ["acme"]


def test_hipaa_closes_after_a_quarter_of_an_hour_without_use(world: World) -> None:
    set_workspace(world, hipaa=True)
    code, *_ = codes(world).codes
    browser = by_password(world)
    use(world, browser, code)
    assert browser.reaches(world, world.now + 14 * MINUTE) == ["acme"]
    assert browser.reaches(world, world.now + 29 * MINUTE) == []


def test_signing_in_again_keeps_what_is_open_open(world: World) -> None:
    code, *_ = codes(world).codes
    browser = by_password(world)
    use(world, browser, code)
    by_password(world, browser=browser, now=world.now + MINUTE)
    assert browser.reaches(world, world.now + MINUTE) == ["acme"]
    by_password(world, BOB, browser=browser, now=world.now + MINUTE)
    assert browser.reaches(world, world.now + MINUTE) == []


def test_what_it_opened_goes_with_the_session(world: World) -> None:
    code, *_ = codes(world).codes
    use(world, by_password(world), code)
    sweep_expired(world.context, world.now + 8 * DAY)
    with world.context.database.reading() as rows:
        assert rows.execute(select(func.count()).select_from(break_glass_openings)).scalar() == 0


# -- Not opening -------------------------------------------------------------------------------------


def test_a_code_opens_once(world: World) -> None:
    code, *_ = codes(world).codes
    use(world, by_password(world), code)
    with pytest.raises(WrongCode):
        use(world, by_password(world), code)
    assert events(world)[-1] == "break_glass.refused"


def test_of_two_at_once_one_opens(world: World) -> None:
    code, *_ = codes(world).codes
    browsers = [by_password(world), by_password(world)]

    def enter(browser: Browser) -> bool:
        try:
            use(world, browser, code)
        except (WrongCode, Conflict):
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(enter, browsers)) == [False, True]


@pytest.mark.parametrize("code", ["", "-", "2222-2222-2222-2222-2", "x" * 100_000, "\0", "\udcff", "%"])
def test_a_wrong_code_does_not(world: World, code: str) -> None:
    codes(world)
    browser = by_password(world)
    with pytest.raises(WrongCode):
        use(world, browser, code)
    assert browser.reaches(world) == []


def test_a_member_is_not_let_near(world: World) -> None:
    code, *_ = codes(world).codes
    with pytest.raises(NotFound):
        use(world, by_password(world, BOB), code)


def test_another_owners_code_is_wrong(world: World) -> None:
    bob = join_as_owner(world)
    code, *_ = codes(world).codes
    with pytest.raises(WrongCode):
        use(world, bob, code)


def join_as_owner(world: World) -> Browser:
    """Bob is named an owner, too."""
    name_owner(world, BOB, world.now)
    return by_password(world, BOB)


def name_owner(world: World, email: str, now: datetime) -> str:
    """A member is named an owner by hand. Returns the grant's id."""
    with world.context.database.reading() as rows:
        workspace = find_by_slug(rows, "acme")
        assert workspace is not None
        _, membership = get_member_by_email(rows, workspace, email)
    given = RoleInScope(OWNER, EVERYWHERE)
    return give_to_member(world.context, OPERATOR, "acme", membership.id, given, now).id


def test_the_owner_signs_in_by_themselves_and_lately(world: World, database: Database) -> None:
    code, *_ = codes(world).codes
    browser, late = by_password(world), world.now + 16 * MINUTE
    with pytest.raises(LoginTooOld):
        use(world, browser, code, late)
    by_password(world, now=late, browser=browser)
    assert use(world, browser, code, late) == late + HOUR


def test_sso_of_another_workspace_is_no_login_of_ones_own(world: World, database: Database) -> None:
    other = make_world(database, world.now, slug="other", owner="o@other.example")
    code, *_ = codes(world).codes
    join(other, session(world, by_password(world)).user.key)
    with pytest.raises(NotFound):
        use(world, sign_in(other, ANN), code)


def test_removal_closes_it_and_a_new_beginning_does_not_revive_the_codes(world: World) -> None:
    code, second, *_ = codes(world).codes
    browser = by_password(world)
    use(world, browser, code)
    remove_member(world.context, OPERATOR, "acme", member_id(world), world.now + MINUTE)
    assert browser.reaches(world, world.now + MINUTE) == []
    with pytest.raises(NotFound):
        use(world, browser, second, world.now + MINUTE)


def test_ownership_that_ended_and_came_back_has_no_codes(world: World) -> None:
    grant, later = name_owner(world, BOB, world.now), world.now + 2 * MINUTE
    code, second, *_ = codes(world, BOB).codes
    browser = by_password(world, BOB)
    use(world, browser, code)
    end_grant(world.context, OPERATOR, "acme", grant, world.now + MINUTE)
    assert browser.reaches(world, world.now + MINUTE) == []
    name_owner(world, BOB, later)
    assert [owner.codes for owner in list_named_owners(world.context, "acme", later) if owner.email == BOB] == [0]
    with pytest.raises(WrongCode):
        use(world, browser, second, later)


# -- Guessing ----------------------------------------------------------------------------------------


def test_ten_tries_an_owner(world: World) -> None:
    code, *_ = codes(world).codes
    browser = by_password(world)
    for n in range(10):
        with pytest.raises(WrongCode):
            use(world, browser, "wrong", client=Client(f"192.0.2.{n}", ""))
    with pytest.raises(TooManyTries):
        use(world, browser, code)
    assert browser.reaches(world) == []
    again = by_password(world, now=world.now + 15 * MINUTE)
    assert use(world, again, code, world.now + 15 * MINUTE)


def test_a_hundred_tries_an_address(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.flows.break_glass.TRIES_BY_ADDRESS", 2)
    bob = join_as_owner(world)
    for browser in (bob, by_password(world)):
        with pytest.raises(WrongCode):
            use(world, browser, "wrong")
    with pytest.raises(TooManyTries):
        use(world, bob, "wrong")


# -- Codes -------------------------------------------------------------------------------------------


def test_codes_are_kept_as_hashes(world: World) -> None:
    made = codes(world)
    assert len(set(made.codes)) == 5
    with world.context.database.reading() as rows:
        kept = str(rows.execute(select(break_glass_codes)).all()) + str(rows.execute(select(audit)).all())
    assert not any(code in kept or code.replace("-", "") in kept for code in made.codes)


def test_new_codes_replace_those_that_nobody_used(world: World) -> None:
    old, *_ = codes(world).codes
    new, *_ = codes(world).codes
    assert {owner.email: owner.codes for owner in list_named_owners(world.context, "acme", world.now)}[ANN] == 5
    browser = by_password(world)
    with pytest.raises(WrongCode):
        use(world, browser, old)
    use(world, browser, new)
    assert {owner.email: owner.codes for owner in list_named_owners(world.context, "acme", world.now)}[ANN] == 4


def test_revoking_codes_closes_what_they_opened(world: World) -> None:
    code, second, *_ = codes(world).codes
    browser = by_password(world)
    use(world, browser, code)
    assert revoke_codes(world.context, OPERATOR, "acme", member_id(world), world.now) == 4
    assert browser.reaches(world) == []
    with pytest.raises(WrongCode):
        use(world, browser, second)


def test_the_operator_makes_one_at_once(world: World) -> None:
    kept, *_ = codes(world).codes
    made = make_code_at_once(world.context, OPERATOR, "acme", "ANN@acme.example", world.now)
    assert (made.owner.email, len(made.codes), made.expires_at) == (ANN, 1, world.now + DAY)
    assert use(world, by_password(world), made.codes[0])
    assert use(world, by_password(world), kept)


def test_and_that_one_runs_out_after_a_day(world: World) -> None:
    made = make_code_at_once(world.context, OPERATOR, "acme", ANN, world.now)
    late = replace(world, now=world.now + DAY)
    with pytest.raises(WrongCode):
        use(late, by_password(late), made.codes[0])


@pytest.mark.parametrize("email", [BOB, "nobody@acme.example"])
def test_only_owners_named_by_hand_have_codes(world: World, email: str) -> None:
    with pytest.raises(NotFound, match="named by hand"):
        make_code_at_once(world.context, OPERATOR, "acme", email, world.now)


def test_only_owners_make_codes(world: World) -> None:
    bob = f"user:{session(world, by_password(world, BOB)).user.id}"
    for made in (make_codes, revoke_codes):
        with pytest.raises(Forbidden):
            made(world.context, bob, "acme", member_id(world), world.now)
    with pytest.raises(Forbidden):
        make_code_at_once(world.context, f"user:{world.owner.id}", "acme", ANN, world.now)
    assert len(make_codes(world.context, f"user:{world.owner.id}", "acme", member_id(world), world.now).codes) == 5


# -- In the sign-in log ------------------------------------------------------------------------------


def logged(world: World, slug: str = "acme") -> list[SignInAttempt]:
    """What the log tells of codes, newest first, with its steps."""
    found = list_attempts(world.context, slug, AttemptsQuery(outcome="break_glass"), 10).attempts
    return [get_attempt(world.context, slug, one.ref) for one in found]


def test_the_sign_in_log_says_who_broke_the_glass_from_where(world: World) -> None:
    code, *_ = codes(world).codes
    use(world, by_password(world), code, world.now + MINUTE, client=Client("192.0.2.7", "Firefox"))
    [found] = logged(world)
    assert (found.email, found.address, found.agent) == (ANN, "192.0.2.7", "Firefox")
    assert (found.outcome, found.kind) == ("signed_in", "break_glass")
    assert [step.name for step in found.steps] == ["own_login", "code", "glass_broken", "owners_told"]
    assert found.steps[0].at == world.now
    assert [step.detail for step in found.steps[1:]] == [
        "It was right, and is used up; 4 codes of theirs are left.",
        f"Acme alone, in this session alone, until {world.now + MINUTE + HOUR:%H:%M} UTC.",
        "2 mails.",
    ]
    assert code not in str(found)


def test_a_code_that_opened_nothing_is_in_the_log_too(world: World) -> None:
    codes(world)
    browser = by_password(world)
    with pytest.raises(WrongCode):
        use(world, browser, "wrong")
    with pytest.raises(LoginTooOld):
        use(world, browser, "wrong", world.now + 16 * MINUTE)
    late, wrong = logged(world)
    assert (wrong.outcome, wrong.code, late.code) == ("refused", "wrong_code", "login_too_old")
    assert [step.name for step in wrong.steps] == ["own_login"]


def test_it_is_in_the_log_of_that_workspace_alone(world: World, database: Database) -> None:
    """Also where another workspace has proved the domain of the owner's address."""
    other = make_world(database, world.now, slug="other", owner="o@other.example")
    prove_domain(other, "acme.example")
    code, *_ = codes(world).codes
    browser = by_password(world)
    with pytest.raises(WrongCode):
        use(world, browser, "wrong")
    use(world, browser, code)
    assert [one.outcome for one in logged(world)] == ["signed_in", "refused"]
    assert logged(world, "other") == []
