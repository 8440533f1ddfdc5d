"""Product.md 2.7 and 2.9, properties.md 1, 5, 10: what a session reaches, at each request."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from bridge.domain.access import EVERYWHERE, RoleInScope
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.roles import OWNER
from bridge.flows.context import OPERATOR
from bridge.flows.map_groups import MappingDraft, add_mapping
from bridge.flows.own_connections import set_enabled
from bridge.flows.password_login import Credentials, sign_in_with_password
from bridge.flows.provision_users import change_user, delete_user
from bridge.flows.sessions import end_session, find_session, sweep_expired
from bridge.storage import people
from bridge.storage.changes import alter_facts, changing
from bridge.storage.database import Database
from bridge.storage.grants import insert_grant
from bridge.storage.tables import audit, authentications, memberships, sessions
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
from tests.overheard import statements
from tests.world import World, make_world

ANN = "ann@acme.example"
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def world(database: Database, now: datetime) -> World:
    return make_world(database, now)


@pytest.fixture
def other(world: World, database: Database) -> World:
    """Another company's workspace."""
    return make_world(database, world.now, slug="other", owner="o@other.example")


def by_password(world: World, browser: Browser | None = None, *, now: datetime | None = None) -> Browser:
    """Ann signs in with her password."""
    browser = browser or Browser()
    told = sign_in_with_password(
        world.context, Credentials(ANN, PASSWORD), CLIENT, now or world.now, old=browser.session
    )
    browser.session = told.cookie
    return browser


def set_active(world: World, user_id: str, active: bool, now: datetime | None = None) -> None:
    change_user(
        world.context, world.connection, user_id, lambda stored: replace(stored.pushed, active=active), now or world.now
    )


# -- What vouches for what ---------------------------------------------------------------------------


def test_sso_opens_its_own_workspace_and_no_other(world: World, other: World) -> None:
    key = account(world, ANN, password=PASSWORD)
    for one in (world, other):
        join(one, key)
    assert sign_in(world, ANN).reaches(world) == ["acme"]


def test_a_password_opens_every_workspace_of_the_person(world: World, other: World) -> None:
    key = account(world, ANN, password=PASSWORD)
    for one in (world, other):
        join(one, key)
    assert by_password(world).reaches(world) == ["acme", "other"]


def test_a_password_does_not_open_a_workspace_that_requires_sso(world: World, other: World) -> None:
    key = account(world, ANN, password=PASSWORD)
    for one in (world, other):
        join(one, key)
    set_workspace(world, require_sso=True)
    assert by_password(world).reaches(world) == ["other"]


def test_unless_the_member_is_exempt(world: World) -> None:
    key = account(world, ANN, password=PASSWORD)
    member = join(world, key)
    set_workspace(world, require_sso=True)
    with changing(world.context.database, OPERATOR, world.now) as change:
        alter_facts(change, memberships, memberships.c.id == member, values={"sso_exempt": True})
    before = by_password(world)
    secret = give_app(world, key)
    assert before.reaches(world) == []  # it was opened without the factor
    assert enter_with_app(world, ANN, secret, Browser()).reaches(world) == ["acme"]


def test_required_sso_stays_required_when_its_connection_is_off(world: World) -> None:
    join(world, account(world, ANN, password=PASSWORD))
    set_workspace(world, require_sso=True)
    set_enabled(world.context, OPERATOR, "acme", world.connection.id, False, world.now)
    assert by_password(world).reaches(world) == []


def test_after_a_downgrade_only_owners_named_by_hand_come_in(world: World) -> None:
    member = join(world, account(world, ANN, password=PASSWORD))
    set_workspace(world, require_sso=True, plan="free")
    assert by_password(world).reaches(world) == []
    with changing(world.context.database, OPERATOR, world.now) as change:
        insert_grant(change, world.workspace.key, member, RoleInScope(OWNER, EVERYWHERE), OPERATOR)
    assert by_password(world).reaches(world) == ["acme"]


def test_a_workspace_that_requires_a_second_factor_is_not_opened_by_a_password_alone(world: World) -> None:
    join(world, account(world, ANN, password=PASSWORD))
    set_workspace(world, require_mfa=True)
    assert by_password(world).reaches(world) == []
    assert sign_in(world, ANN).reaches(world) == ["acme"]


def test_a_membership_nobody_accepted_is_opened_by_its_sso_only(world: World) -> None:
    account(world, ANN, password=PASSWORD)
    world.push(ANN)
    assert by_password(world).reaches(world) == []
    assert sign_in(world, ANN).reaches(world) == ["acme"]


def test_a_session_holds_several_authentications(world: World, other: World) -> None:
    key = account(world, ANN)
    for one in (world, other):
        join(one, key)
    browser = sign_in(world, ANN)
    assert browser.reaches(world) == ["acme"]
    sign_in(other, ANN, browser)
    assert browser.reaches(world) == ["acme", "other"]


def test_signing_in_again_the_same_way_replaces_that_authentication(world: World) -> None:
    browser = sign_in(world, ANN, groups=("eng",))
    sign_in(world, ANN, browser, groups=("ops",))
    current = browser.look(world)
    assert current is not None
    assert [one.groups for one in current.authentications] == [("ops",)]


def test_a_login_gives_the_session_a_new_id(world: World) -> None:
    browser = sign_in(world, ANN)
    before = browser.session
    sign_in(world, ANN, browser)
    assert find_session(world.context, before, world.now) is None
    with world.context.database.reading() as rows:
        assert rows.execute(select(func.count()).select_from(sessions)).scalar() == 1


def test_a_login_of_somebody_else_replaces_the_session(world: World) -> None:
    browser = sign_in(world, ANN)
    before = browser.session
    sign_in(world, "bob@acme.example", browser)
    assert find_session(world.context, before, world.now) is None
    current = browser.look(world)
    assert current is not None
    assert current.user.email == "bob@acme.example"
    with world.context.database.reading() as rows:
        assert rows.execute(select(func.count()).select_from(sessions)).scalar() == 1


def test_a_session_says_where_its_person_is_an_owner_by_whichever_path(world: World) -> None:
    browser = sign_in(world, ANN, groups=("admins",))
    owns = MappingDraft(world.connection.id, GroupMatch("name", "admins"), roles=(RoleInScope(OWNER, EVERYWHERE),))

    def owner() -> bool:
        current = browser.look(world)
        assert current is not None
        return current.workspaces[0].owner

    assert not owner()
    add_mapping(world.context, OPERATOR, "acme", owns, world.now)
    assert owner()


# -- The account itself ------------------------------------------------------------------------------


def test_a_password_may_change_the_account(world: World) -> None:
    account(world, ANN, password=PASSWORD)
    current = by_password(world).look(world)
    assert current is not None
    assert current.may_change_account


def test_sso_may_only_where_its_workspace_proved_the_domain_of_the_email(world: World, other: World) -> None:
    browser = sign_in(world, ANN)

    def may() -> bool:
        current = browser.look(world)
        assert current is not None
        return current.may_change_account

    assert not may()
    prove_domain(other, "acme.example")
    assert not may()


def test_sso_may_where_it_did(world: World) -> None:
    prove_domain(world, "acme.example")
    current = sign_in(world, ANN).look(world)
    assert current is not None
    assert current.may_change_account


# -- Gone is gone ------------------------------------------------------------------------------------


def test_deactivation_ends_the_session_at_the_next_request(world: World) -> None:
    pushed = world.push(ANN)
    browser = sign_in(world, ANN)
    set_active(world, pushed.id, False)
    assert browser.look(world) is None


def test_reactivation_does_not_bring_an_ended_session_back(world: World) -> None:
    pushed = world.push(ANN)
    browser = sign_in(world, ANN)
    set_active(world, pushed.id, False, world.now + MINUTE)
    set_active(world, pushed.id, True, world.now + 2 * MINUTE)
    assert browser.look(world, world.now + 3 * MINUTE) is None
    sign_in(world, ANN, browser, now=world.now + 3 * MINUTE)
    assert browser.reaches(world, world.now + 3 * MINUTE) == ["acme"]


def test_deletion_ends_it_and_a_new_push_does_not_bring_it_back(world: World) -> None:
    pushed = world.push(ANN)
    browser = sign_in(world, ANN)
    delete_user(world.context, world.connection, pushed.id, world.now + MINUTE)
    assert browser.look(world, world.now + MINUTE) is None
    later = replace(world, now=world.now + 2 * MINUTE)
    later.push(ANN)
    assert browser.look(later) is None


def test_removal_ends_it(world: World) -> None:
    browser = sign_in(world, ANN)
    current = browser.look(world)
    assert current is not None
    with changing(world.context.database, OPERATOR, world.now) as change:
        people.end_membership(change, current.workspaces[0].membership_key)
    assert browser.look(world) is None


def test_deactivation_in_one_workspace_leaves_the_others_open(world: World, other: World) -> None:
    pushed = world.push(ANN)
    browser = sign_in(world, ANN)
    with world.context.database.reading() as rows:
        user = people.find_user_by_email(rows, ANN)
    assert user is not None
    join(other, user.key)
    sign_in(other, ANN, browser)
    set_active(world, pushed.id, False)
    assert browser.reaches(world) == ["other"]


def test_a_password_session_outlives_a_membership_and_no_longer_reaches_it(world: World) -> None:
    key = account(world, ANN, password=PASSWORD)
    join(world, key)
    pushed = world.push(ANN)
    browser = by_password(world)
    assert browser.reaches(world) == ["acme"]
    set_active(world, pushed.id, False, world.now + MINUTE)
    assert browser.reaches(world, world.now + MINUTE) == []
    set_active(world, pushed.id, True, world.now + 2 * MINUTE)
    assert browser.reaches(world, world.now + 2 * MINUTE) == []
    assert browser.look(world, world.now + 2 * MINUTE) is not None


def test_a_closed_account_has_no_session(world: World) -> None:
    key = account(world, ANN, password=PASSWORD)
    browser = by_password(world)
    with changing(world.context.database, OPERATOR, world.now) as change:
        people.set_user(change, key, closed_at=world.now)
    assert browser.look(world) is None


def test_a_disabled_connection_ends_what_it_authenticated_for_good(world: World) -> None:
    browser = sign_in(world, ANN)
    set_enabled(world.context, OPERATOR, "acme", world.connection.id, False, world.now + MINUTE)
    assert browser.look(world, world.now + MINUTE) is None
    set_enabled(world.context, OPERATOR, "acme", world.connection.id, True, world.now + 2 * MINUTE)
    assert browser.look(world, world.now + 2 * MINUTE) is None


def test_a_plan_without_sso_ends_it(world: World) -> None:
    browser = sign_in(world, ANN)
    set_workspace(world, plan="team")
    assert browser.look(world) is None


# -- Time --------------------------------------------------------------------------------------------


def test_a_session_lasts_seven_days(world: World) -> None:
    browser = sign_in(world, ANN)
    assert browser.look(world, world.now + 7 * DAY - MINUTE) is not None
    assert browser.look(world, world.now + 7 * DAY) is None


def test_a_new_login_prolongs_the_session_and_not_the_older_authentication(world: World, other: World) -> None:
    key = account(world, ANN)
    for one in (world, other):
        join(one, key)
    browser = sign_in(world, ANN)
    sign_in(other, ANN, browser, now=world.now + 6 * DAY)
    assert browser.reaches(world, world.now + 8 * DAY) == ["other"]


def test_an_idp_may_end_it_sooner(world: World) -> None:
    browser = sign_in(world, ANN, session_ends_at=world.now + MINUTE)
    assert browser.look(world) is not None
    assert browser.look(world, world.now + MINUTE) is None


def test_an_idp_may_not_make_it_longer(world: World) -> None:
    browser = sign_in(world, ANN, session_ends_at=world.now + 365 * DAY)
    assert browser.look(world, world.now + 7 * DAY) is None


def test_fifteen_minutes_close_a_hipaa_workspace_and_not_the_session(world: World) -> None:
    set_workspace(world, hipaa=True)
    browser = sign_in(world, ANN)
    assert browser.reaches(world, world.now + 15 * MINUTE) == []
    assert browser.look(world, world.now + 15 * MINUTE) is not None


def test_use_keeps_a_hipaa_workspace_open(world: World) -> None:
    set_workspace(world, hipaa=True)
    browser = sign_in(world, ANN)
    for minutes in range(14, 7 * 24 * 60, 14):
        assert browser.reaches(world, world.now + minutes * MINUTE) == ["acme"], minutes


def test_what_closed_unused_stays_closed_however_much_the_session_is_used_later(world: World) -> None:
    set_workspace(world, hipaa=True)
    browser = sign_in(world, ANN)
    for minutes in (15, 15, 16, 20, 30):
        later = world.now + minutes * MINUTE
        assert browser.reaches(world, later) == []
        assert browser.look(world, later).idled == {world.workspace.key}  # type: ignore[union-attr]
    again = world.now + 31 * MINUTE
    sign_in(world, ANN, browser, now=again)
    assert browser.reaches(world, again + 14 * MINUTE) == ["acme"]


def test_another_login_after_the_pause_opens_only_what_it_vouches_for(world: World, other: World) -> None:
    set_workspace(world, hipaa=True)
    key = account(world, ANN, password=PASSWORD)
    for one in (world, other):
        join(one, key)
    browser = sign_in(world, ANN)
    later = world.now + 20 * MINUTE
    sign_in(other, ANN, browser, now=later)
    assert browser.reaches(world, later) == ["other"]
    assert browser.reaches(world, later + MINUTE) == ["other"]


def test_nothing_is_said_to_have_closed_unused_where_another_way_is_missing(world: World) -> None:
    set_workspace(world, hipaa=True, require_sso=True)
    join(world, account(world, ANN, password=PASSWORD))
    current = by_password(world).look(world, world.now + 20 * MINUTE)
    assert current is not None
    assert current.idled == frozenset()


def test_last_use_is_written_at_most_once_a_minute(world: World) -> None:
    browser = sign_in(world, ANN)

    def seen_after(seconds: int) -> datetime | None:
        browser.look(world, world.now + timedelta(seconds=seconds))
        with world.context.database.reading() as rows:
            return rows.execute(select(sessions.c.seen_at)).scalar()

    assert seen_after(59) == world.now
    assert seen_after(60) == world.now + MINUTE
    assert seen_after(119) == world.now + MINUTE


def test_what_ran_out_is_swept(world: World) -> None:
    sign_in(world, ANN)
    assert sweep_expired(world.context, world.now) == 0
    assert sweep_expired(world.context, world.now + 8 * DAY) >= 2
    with world.context.database.reading() as rows:
        for table in (sessions, authentications):
            assert rows.execute(select(func.count()).select_from(table)).scalar() == 0


# -- The cookie, and the way out ---------------------------------------------------------------------


@pytest.mark.parametrize("cookie", [None, "", "invented", "a\x00b", "\udcff", "x" * 100_000])
def test_a_cookie_that_names_no_session_is_signed_out(world: World, cookie: str | None) -> None:
    assert find_session(world.context, cookie, world.now) is None


def test_the_cookie_is_nowhere_in_the_database(world: World) -> None:
    browser = sign_in(world, ANN)
    assert browser.session is not None
    with world.context.database.reading() as rows:
        kept = str(rows.execute(select(sessions)).all()) + str(rows.execute(select(audit)).all())
    assert browser.session not in kept


def test_signing_out_ends_the_session_with_all_it_holds(world: World) -> None:
    browser = sign_in(world, ANN)
    assert browser.session is not None
    end_session(world.context, browser.session, world.now)
    assert browser.look(world) is None
    end_session(world.context, browser.session, world.now)
    with world.context.database.reading() as rows:
        assert rows.execute(select(func.count()).select_from(authentications)).scalar() == 0
        assert rows.execute(select(audit.c.type).order_by(audit.c.seq.desc())).scalar() == "session.ended"


def test_finding_a_session_takes_two_statements(world: World) -> None:
    """Whatever else a page needs, who is there is asked at every request."""
    browser = sign_in(world, ANN)
    with statements(world.context.database) as said:
        browser.look(world)
    assert len(said) == 2, said


def test_neither_statement_reads_a_table_from_end_to_end(world: World) -> None:
    if not world.context.database.is_sqlite:
        pytest.skip("the plans of an empty PostgreSQL say nothing")
    browser = sign_in(world, ANN)
    with statements(world.context.database) as said:
        browser.look(world)
    with world.context.database.reading() as rows:
        plans = [rows.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all() for sql, values in said]
    scans = [step.detail for plan in plans for step in plan if step.detail.startswith("SCAN")]
    assert [scan for scan in scans if "CONSTANT ROW" not in scan] == []
