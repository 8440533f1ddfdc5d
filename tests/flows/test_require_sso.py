"""Product.md 2.5, properties.md 5: required SSO is required, whatever becomes of its connection."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, insert, select

from bridge.domain.access import EVERYWHERE, RoleInScope
from bridge.domain.errors import Conflict, Forbidden, NotFound, NotInPlan
from bridge.domain.members import ByWay
from bridge.domain.roles import OWNER
from bridge.flows.administer import set_plan
from bridge.flows.context import OPERATOR
from bridge.flows.members import remove_member, restore_member
from bridge.flows.own_connections import delete_connection, set_enabled
from bridge.flows.password_login import Credentials, sign_in_with_password
from bridge.flows.require_sso import (
    end_exemption,
    exempt_member,
    look_out,
    require_sso,
    require_sso_as_operator,
    stop_requiring_sso,
)
from bridge.flows.sessions import CurrentSession
from bridge.flows.tokens import create_scim_token, find_scim_token
from bridge.storage import people
from bridge.storage.changes import changing
from bridge.storage.database import Database
from bridge.storage.grants import insert_grant
from bridge.storage.tables import audit, recovery_codes, second_factors
from tests.flows.logins import (
    CLIENT,
    PASSWORD,
    Browser,
    account,
    enter_with_app,
    give_app,
    join,
    prove_domain,
    set_config,
    set_workspace,
    sign_in,
)
from tests.world import World, another_connection, make_world

ANN, BOB, CYD = "ann@acme.example", "bob@acme.example", "cyd@acme.example"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def world(database: Database, now: datetime) -> World:
    return make_world(database, now)


@pytest.fixture
def ann(world: World) -> Browser:
    """Ann, an owner named by hand with a password, came by SSO."""
    prove_domain(world, "acme.example")
    own(world, join(world, account(world, ANN, password=PASSWORD)))
    return sign_in(world, ANN)


def own(world: World, member: int) -> None:
    """A member is an owner named by hand."""
    with changing(world.context.database, OPERATOR, world.now) as change:
        insert_grant(change, world.workspace.key, member, RoleInScope(OWNER, EVERYWHERE), OPERATOR)


def by_password(world: World, email: str = ANN, now: datetime | None = None) -> Browser:
    """Somebody signs in with their password."""
    told = sign_in_with_password(world.context, Credentials(email, PASSWORD), CLIENT, now or world.now)
    return Browser(session=told.cookie)


def session(world: World, browser: Browser, now: datetime | None = None) -> CurrentSession:
    found = browser.look(world, now)
    assert found is not None
    return found


def give_factor(world: World, user_key: int, kind: str = "totp") -> None:
    """Somebody has a second factor."""
    row = {"uid": f"{kind}-{user_key}", "user_id": user_key, "kind": kind, "data_enc": b"x", "created_at": world.now}
    with world.context.database.writing() as connection:
        connection.execute(insert(second_factors).values(**row))


def lose_factors(world: World, user_key: int) -> None:
    with world.context.database.writing() as connection:
        connection.execute(delete(second_factors).where(second_factors.c.user_id == user_key))


def events(world: World) -> list[str]:
    with world.context.database.reading() as rows:
        return list(rows.execute(select(audit.c.type).order_by(audit.c.seq)).scalars())


# -- The switch --------------------------------------------------------------------------------------


def test_an_owner_who_came_by_sso_switches_it_on(world: World, ann: Browser) -> None:
    assert by_password(world).reaches(world) == ["acme"]
    assert require_sso(world.context, session(world, ann), "acme", world.now).require_sso
    assert by_password(world).reaches(world) == []
    assert ann.reaches(world) == ["acme"]
    assert "workspace.sso_required" in events(world)


def test_an_owner_who_came_by_password_does_not(world: World, ann: Browser) -> None:
    with pytest.raises(Conflict, match="by single sign-on of Acme first"):
        require_sso(world.context, session(world, by_password(world)), "acme", world.now)
    assert by_password(world).reaches(world) == ["acme"]


def test_sso_of_another_workspace_does_not_do(world: World, ann: Browser, database: Database) -> None:
    other = make_world(database, world.now, slug="other", owner="o@other.example")
    with world.context.database.reading() as rows:
        user = people.find_user_by_email(rows, ANN)
    assert user is not None
    own(other, join(other, user.key))
    browser = by_password(world)
    sign_in(world, ANN, browser)
    assert browser.reaches(world) == ["acme", "other"]
    with pytest.raises(Conflict):
        require_sso(world.context, session(world, browser), "other", world.now)


def test_a_connection_that_is_or_was_off_since_does_not_do(world: World, ann: Browser) -> None:
    asking = session(world, ann)
    set_enabled(world.context, OPERATOR, "acme", world.connection.id, False, world.now + MINUTE)
    with pytest.raises(Conflict):
        require_sso(world.context, asking, "acme", world.now + MINUTE)
    set_enabled(world.context, OPERATOR, "acme", world.connection.id, True, world.now + 2 * MINUTE)
    with pytest.raises(Conflict):
        require_sso(world.context, asking, "acme", world.now + 2 * MINUTE)


def test_a_login_that_ran_out_does_not_do(world: World, ann: Browser) -> None:
    with pytest.raises(Conflict):
        require_sso(world.context, session(world, ann), "acme", world.now + timedelta(days=8))


def test_a_member_does_not(world: World, ann: Browser) -> None:
    bob = sign_in(world, BOB)
    with pytest.raises(Forbidden):
        require_sso(world.context, session(world, bob), "acme", world.now)
    with pytest.raises(Forbidden):
        stop_requiring_sso(world.context, f"user:{session(world, bob).user.id}", "acme", world.now)


def test_it_is_part_of_the_business_plan(world: World, ann: Browser) -> None:
    asking = session(world, ann)
    set_workspace(world, plan="team")
    with pytest.raises(NotInPlan):
        require_sso(world.context, asking, "acme", world.now)
    with pytest.raises(NotInPlan):
        require_sso_as_operator(world.context, OPERATOR, "acme", world.now)


def test_after_a_downgrade_an_owner_named_by_hand_switches_it_off(world: World, ann: Browser) -> None:
    require_sso(world.context, session(world, ann), "acme", world.now)
    set_workspace(world, plan="free")
    browser = by_password(world)
    assert browser.reaches(world) == ["acme"]
    actor = f"user:{session(world, browser).user.id}"
    assert not stop_requiring_sso(world.context, actor, "acme", world.now).require_sso


def test_the_operator_switches_it_on_where_an_owner_came_by_sso(world: World) -> None:
    with pytest.raises(Conflict, match="has ever come"):
        require_sso_as_operator(world.context, OPERATOR, "acme", world.now)
    prove_domain(world, "acme.example")
    sign_in(world, world.owner.email)
    assert require_sso_as_operator(world.context, OPERATOR, "acme", world.now).require_sso
    assert not stop_requiring_sso(world.context, OPERATOR, "acme", world.now).require_sso
    with pytest.raises(Forbidden):
        require_sso_as_operator(world.context, f"user:{world.owner.id}", "acme", world.now)


def test_switched_twice_is_once(world: World, ann: Browser) -> None:
    for _ in range(2):
        require_sso(world.context, session(world, ann), "acme", world.now)
    assert events(world).count("workspace.sso_required") == 1


# -- It stays closed ---------------------------------------------------------------------------------


@pytest.mark.parametrize("broken", ["disabled", "deleted", "no certificate", "deleted and another made"])
def test_it_stays_closed_when_its_connection_breaks(world: World, ann: Browser, broken: str) -> None:
    require_sso(world.context, session(world, ann), "acme", world.now)
    if broken == "disabled":
        set_enabled(world.context, OPERATOR, "acme", world.connection.id, False, world.now)
    elif broken == "no certificate":
        set_config(world, idp={"entity_id": "x", "certificates": []})
    else:
        delete_connection(world.context, OPERATOR, "acme", world.connection.id, world.now)
    if "another" in broken:
        another_connection(world, "Entra")
    assert by_password(world).reaches(world) == []


def test_it_binds_people_and_no_token(world: World, ann: Browser) -> None:
    token = create_scim_token(world.context, OPERATOR, "acme", world.connection.id, None, "Okta", world.now)
    require_sso(world.context, session(world, ann), "acme", world.now)
    assert find_scim_token(world.context, token.token, world.now)
    assert world.push("dora@acme.example").pushed.active


# -- Who would be locked out -------------------------------------------------------------------------


def test_the_outlook_names_whom_nothing_lets_in(world: World, ann: Browser) -> None:
    join(world, account(world, BOB, password=PASSWORD))
    cyd = account(world, CYD, password=PASSWORD)
    join(world, cyd)
    give_factor(world, cyd)
    exempt_member(world.context, OPERATOR, "acme", CYD, world.now)
    outlook = look_out(world.context, session(world, ann), "acme", world.now)
    assert outlook.by_way == ByWay(exempt=1, came=1, neither=2)
    assert (outlook.required, outlook.session_came) == (False, True)
    assert sorted(one.email for one in outlook.people) == [BOB, world.owner.email]
    assert [one.email for one in outlook.exempt] == [CYD]
    assert not look_out(world.context, session(world, by_password(world)), "acme", world.now).session_came


def test_who_came_through_a_connection_that_is_off_counts_as_who_never_came(world: World, ann: Browser) -> None:
    asking = session(world, ann)
    set_enabled(world.context, OPERATOR, "acme", world.connection.id, False, world.now)
    assert look_out(world.context, asking, "acme", world.now).by_way.came == 0


def test_whom_an_idp_pushes_is_let_in_by_it_once_others_came_by_it(world: World, ann: Browser) -> None:
    """product.md 2.6: a first login finds the person whom this connection pushed."""
    asking = session(world, ann)

    def by_way() -> ByWay:
        return look_out(world.context, asking, "acme", world.now).by_way

    before = by_way()
    world.push("pushed@acme.example")
    world.push("suspended@acme.example", active=False)
    assert by_way() == replace(before, pushed=1)
    never_used = another_connection(world, "Never used")
    never_used.push("elsewhere@acme.example")
    assert by_way() == replace(before, pushed=1, neither=before.neither + 1)
    set_enabled(world.context, OPERATOR, "acme", world.connection.id, False, world.now)
    assert by_way() == ByWay(neither=before.came + before.neither + 2)


# -- Exemptions --------------------------------------------------------------------------------------


@pytest.fixture
def bob(world: World, ann: Browser) -> int:
    """Bob, a member with a password. Returns the key of his account."""
    key = account(world, BOB, password=PASSWORD)
    join(world, key)
    require_sso(world.context, session(world, ann), "acme", world.now)
    return key


def test_an_exempt_member_comes_in_with_their_second_factor(world: World, ann: Browser, bob: int) -> None:
    actor, before = f"user:{session(world, ann).user.id}", by_password(world, BOB)
    secret = give_app(world, bob)
    assert enter_with_app(world, BOB, secret, Browser()).reaches(world) == []
    exempt_member(world.context, actor, "acme", BOB, world.now)
    later = world.now + MINUTE
    assert enter_with_app(world, BOB, secret, Browser(), later).reaches(world, later) == ["acme"]
    assert before.reaches(world) == []  # a password alone is no way past the IdP
    assert "member.sso_exempted" in events(world)


def test_without_one_nobody_is_exempt(world: World, bob: int) -> None:
    with world.context.database.writing() as connection:
        connection.execute(insert(recovery_codes).values(hash=b"x", user_id=bob))
    with pytest.raises(Conflict, match="has no second factor"):
        exempt_member(world.context, OPERATOR, "acme", BOB, world.now)
    assert by_password(world, BOB).reaches(world) == []


def test_who_loses_the_factor_is_exempt_no_longer(world: World, ann: Browser, bob: int) -> None:
    secret = give_app(world, bob)
    exempt_member(world.context, OPERATOR, "acme", BOB, world.now)
    browser = enter_with_app(world, BOB, secret, Browser())
    lose_factors(world, bob)
    assert browser.reaches(world) == []
    assert by_password(world, BOB).reaches(world) == []
    (shown,) = look_out(world.context, session(world, ann), "acme", world.now).exempt
    assert not shown.counts


def test_an_exemption_is_ended_by_an_owner(world: World, ann: Browser, bob: int) -> None:
    secret = give_app(world, bob)
    exempt_member(world.context, OPERATOR, "acme", BOB, world.now)
    browser = enter_with_app(world, BOB, secret, Browser())
    assert browser.reaches(world) == ["acme"]
    (shown,) = look_out(world.context, session(world, ann), "acme", world.now).exempt
    end_exemption(world.context, OPERATOR, "acme", shown.membership_id, world.now)
    assert browser.reaches(world) == []
    assert events(world)[-1] == "member.sso_exemption_ended"


def test_an_exemption_dies_with_the_membership(world: World, ann: Browser, bob: int) -> None:
    secret = give_app(world, bob)
    exempt_member(world.context, OPERATOR, "acme", BOB, world.now)
    (shown,) = look_out(world.context, session(world, ann), "acme", world.now).exempt
    remove_member(world.context, OPERATOR, "acme", shown.membership_id, world.now)
    with pytest.raises(NotFound):
        exempt_member(world.context, OPERATOR, "acme", BOB, world.now)
    restore_member(world.context, OPERATOR, "acme", shown.membership_id, world.now + MINUTE)
    later = world.now + MINUTE
    assert enter_with_app(world, BOB, secret, Browser(), later).reaches(world, later) == []


def test_only_owners_exempt_and_nobody_elsewhere(world: World, bob: int, database: Database) -> None:
    other = make_world(database, world.now, slug="other", owner="o@other.example")
    give_factor(world, bob)
    with pytest.raises(Forbidden):
        exempt_member(world.context, f"user:{other.owner.id}", "acme", BOB, world.now)
    with pytest.raises(NotFound):
        exempt_member(world.context, OPERATOR, "other", BOB, world.now)
    with pytest.raises(NotFound):
        exempt_member(world.context, OPERATOR, "acme", "nobody@acme.example", world.now)


def test_a_smaller_plan_says_that_only_owners_named_by_hand_come_in(world: World) -> None:
    set_workspace(world, require_sso=True)
    changed = set_plan(world.context, OPERATOR, "acme", "team", world.now)
    assert "Require SSO: only owners named by hand come in, until one switches it off" in changed.no_longer
