"""Somebody closes their own account: nothing of it works from then on (properties.md 1.1, 10)."""

from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import func, select

from bridge.domain.access import EVERYWHERE, RoleInScope
from bridge.domain.errors import Forbidden, LastOwner, NotFound
from bridge.domain.roles import OWNER
from bridge.domain.sign_in_refusals import AccountClosed, HeldOut, WrongCredentials
from bridge.flows.accept_invitation import accept_as, accept_with_password
from bridge.flows.close_account import Leaving, close_account, look_before_closing
from bridge.flows.deliver import deliver_due
from bridge.flows.fresh_proof import FreshProofNeeded
from bridge.flows.invite import InviteDraft, invite
from bridge.flows.members import MembersQuery, find_member_id, list_members, remove_member
from bridge.flows.password_login import Credentials, sign_in_with_password
from bridge.flows.sessions import CurrentSession
from bridge.flows.tokens import create_scim_token, find_scim_token
from bridge.storage import people
from bridge.storage.changes import changing
from bridge.storage.database import Database
from bridge.storage.grants import insert_grant
from bridge.storage.tables import directory_users, recovery_codes, second_factors, sessions, users
from tests.flows.audit import audit_events
from tests.flows.logins import CLIENT, PASSWORD, Browser, account, give_app, join, prove_domain, sign_in
from tests.flows.mailer import KeptMail, link_of
from tests.properties.ways import say
from tests.world import World, make_world, pushed

ANN = "ann@acme.example"
OWNING = RoleInScope(OWNER, EVERYWHERE)


@pytest.fixture
def world(database: Database, now: datetime) -> World:
    made = make_world(database, now)
    prove_domain(made, "acme.example")
    return made


@pytest.fixture
def ann(world: World) -> Browser:
    """Ann has a password and an identity at the IdP, which pushes her; she is signed in by both."""
    key = account(world, ANN, password=PASSWORD)
    join(world, key)
    world.push(ANN)
    told = sign_in_with_password(world.context, Credentials(ANN, PASSWORD), CLIENT, world.now)
    return sign_in(world, ANN, Browser(session=told.cookie))


def seen(world: World, browser: Browser) -> CurrentSession:
    found = browser.look(world)
    assert found is not None
    return found


def own(world: World, *members: Browser) -> None:
    """They are owners by hand."""
    for browser in members:
        with changing(world.context.database, "operator", world.now) as change:
            insert_grant(change, world.workspace.key, seen(world, browser).workspaces[0].membership_key, OWNING, "x")


def test_it_is_left_and_nothing_opens_it_any_more(world: World, ann: Browser) -> None:
    current, elsewhere = seen(world, ann), sign_in(world, ANN)
    give_app(world, current.user.key)
    assert look_before_closing(world.context, current) == (Leaving("Acme", "acme", False),)
    close_account(world.context, current, world.now)
    assert (ann.look(world), elsewhere.look(world)) == (None, None)
    with pytest.raises(WrongCredentials):
        sign_in_with_password(world.context, Credentials(ANN, PASSWORD), CLIENT, world.now)
    with pytest.raises(NotFound):
        find_member_id(world.context, "acme", ANN)
    assert list_members(world.context, "acme", MembersQuery(which="removed"), world.now).total == 0
    with world.context.database.reading() as rows:
        for table in (sessions, second_factors, recovery_codes):
            left = select(func.count()).select_from(table).where(table.c.user_id == current.user.key)
            assert rows.execute(left).scalar() == 0, table.name
        kept = rows.execute(select(users).where(users.c.id == current.user.key)).one()
    assert (kept.email, kept.password_hash, kept.closed_at) == (ANN, None, world.now)
    kinds = [kind for _, kind, _ in audit_events(world.context)]
    assert kinds[-2:] == ["user.closed", "member.removed"]
    mailer = KeptMail()
    deliver_due(world.context, mailer, world.now)
    assert [(mail.to, mail.subject) for mail in mailer.sent] == [(ANN, "Your account was closed")]


def test_what_programs_did_by_a_token_of_theirs_stops_and_owners_hear_of_it(world: World, ann: Browser) -> None:
    current = seen(world, ann)
    own(world, ann)
    made = create_scim_token(
        world.context, f"user:{current.user.id}", "acme", world.connection.id, None, "Okta", world.now
    )
    close_account(world.context, current, world.now)
    assert find_scim_token(world.context, made.token, world.now) is None
    mailer = KeptMail()
    deliver_due(world.context, mailer, world.now)
    assert "token stops working" in " ".join(mail.subject for mail in mailer.sent)


def test_the_last_owner_stays(world: World, ann: Browser) -> None:
    own(world, ann)
    with world.context.database.writing() as connection:
        connection.execute(users.update().where(users.c.id == world.owner.key).values(password_hash=None))
    current = seen(world, ann)
    assert look_before_closing(world.context, current) == (Leaving("Acme", "acme", True),)
    before = audit_events(world.context)
    with pytest.raises(LastOwner):
        close_account(world.context, current, world.now)
    assert ann.reaches(world) == ["acme"]
    assert audit_events(world.context) == before


def test_it_asks_for_a_fresh_proof_in_a_session_that_stands(world: World, ann: Browser) -> None:
    current = seen(world, ann)
    with pytest.raises(FreshProofNeeded):
        close_account(world.context, replace(current, proved_at=None), world.now)
    close_account(world.context, current, world.now)
    with pytest.raises((Forbidden, NotFound)):
        close_account(world.context, current, world.now)


@pytest.mark.parametrize("subject", [ANN, "another"], ids=["the same", "another"])
def test_no_sign_in_by_the_company_makes_a_new_account(world: World, ann: Browser, subject: str) -> None:
    close_account(world.context, seen(world, ann), world.now)
    with pytest.raises(AccountClosed):
        sign_in(world, ANN, subject=subject)


def test_whom_an_owner_removed_does_not_come_back_by_closing_their_account(world: World) -> None:
    join(world, account(world, ANN, password=PASSWORD))
    remove_member(world.context, "operator", "acme", find_member_id(world.context, "acme", ANN), world.now)
    told = sign_in_with_password(world.context, Credentials(ANN, PASSWORD), CLIENT, world.now)
    close_account(world.context, seen(world, Browser(session=told.cookie)), world.now)
    with pytest.raises(AccountClosed):
        sign_in(world, ANN)
    account(world, ANN)  # made anew by Twilio, or by another workspace
    for subject in (ANN, "another"):
        with pytest.raises(AccountClosed):
            sign_in(world, ANN, subject=subject)


def test_nor_does_a_changed_record_bring_them_back(world: World, ann: Browser) -> None:
    close_account(world.context, seen(world, ann), world.now)
    with world.context.database.reading() as rows:
        record = str(rows.execute(select(directory_users.c.uid).where(directory_users.c.pushed)).scalar_one())
    for active in (False, True):
        say(world, record, pushed(ANN, name="Ann B", active=active))
    with pytest.raises(NotFound):
        find_member_id(world.context, "acme", ANN)


def test_whom_the_company_holds_out_it_holds_out_still(world: World) -> None:
    key = account(world, ANN, password=PASSWORD)
    join(world, key)
    world.push(ANN, active=False)
    told = sign_in_with_password(world.context, Credentials(ANN, PASSWORD), CLIENT, world.now)
    close_account(world.context, seen(world, Browser(session=told.cookie)), world.now)
    with pytest.raises((HeldOut, AccountClosed)):
        sign_in(world, ANN)


def test_the_address_is_free_for_whom_an_owner_invites(world: World, ann: Browser) -> None:
    old = seen(world, ann)
    close_account(world.context, old, world.now)
    deliver_due(world.context, KeptMail(), world.now)
    invite(world.context, f"user:{world.owner.id}", "acme", InviteDraft((ANN,)), world.now)
    user = accept_with_password(world.context, link_of(world.context, world.now), "Ann", PASSWORD, world.now)
    assert (user.id != old.user.id, user.email) == (True, ANN)
    assert sign_in(world, ANN).reaches(world) == ["acme"]


def test_the_same_holds_where_they_have_a_new_account_already(world: World, ann: Browser) -> None:
    """One that another workspace, or Twilio, made meanwhile: the invitation is accepted by it."""
    close_account(world.context, seen(world, ann), world.now)
    deliver_due(world.context, KeptMail(), world.now)
    account(world, ANN, password=PASSWORD)
    told = sign_in_with_password(world.context, Credentials(ANN, PASSWORD), CLIENT, world.now)
    invite(world.context, f"user:{world.owner.id}", "acme", InviteDraft((ANN,)), world.now)
    user = seen(world, Browser(session=told.cookie)).user
    accept_as(world.context, link_of(world.context, world.now), user.id, world.now)
    assert seen(world, sign_in(world, ANN, Browser(session=told.cookie))).user.id == user.id


def test_an_idp_that_vouches_for_no_account_closes_none(database: Database, now: datetime) -> None:
    world = make_world(database, now)
    current = seen(world, sign_in(world, ANN, fresh=True))
    with pytest.raises((Forbidden, FreshProofNeeded)):
        close_account(world.context, replace(current, proved_at=now), now)
    with world.context.database.reading() as rows:
        assert people.find_user_by_email(rows, ANN) is not None
