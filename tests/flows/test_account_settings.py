"""What people change of their own account (product.md 2.7, 2.8)."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from bridge.domain.access import EVERYWHERE, RoleInScope
from bridge.domain.directory import DirectoryUser
from bridge.domain.errors import Conflict, Forbidden, Invalid, LastOwner, NotFound
from bridge.domain.roles import OWNER
from bridge.domain.sign_in_refusals import UnknownRequest, WrongCredentials
from bridge.flows.account_settings import change_password, get_account, rename, unlink
from bridge.flows.context import OPERATOR
from bridge.flows.fresh_proof import FreshProofNeeded
from bridge.flows.own_connections import set_enabled
from bridge.flows.password_login import Credentials, sign_in_with_password
from bridge.flows.provision_users import change_user
from bridge.flows.sessions import CurrentSession, SignedIn
from bridge.flows.sign_in import complete
from bridge.flows.sign_in_log import Trail
from bridge.flows.twilio_link import unlink_own
from bridge.flows.twilio_login import Arrival, arrive
from bridge.storage.changes import changing
from bridge.storage.database import Database
from bridge.storage.grants import insert_grant
from bridge.storage.people import accept_membership, find_member, find_user_by_email
from bridge.storage.tables import identities, outbox, pending_requests, users
from tests.flows.audit import audit_events
from tests.flows.logins import (
    CLIENT,
    PASSWORD,
    Browser,
    account,
    answer,
    fetch_result,
    join,
    prove_domain,
    sign_in,
    start,
)
from tests.world import World, another_connection, make_world, pushed

ANN = "ann@acme.example"
NEW = "nine quiet dogs walk"
LATER = timedelta(minutes=11)


@pytest.fixture
def world(database: Database, now: datetime) -> World:
    """The workspace, which has proved the domain of its people."""
    made = make_world(database, now)
    prove_domain(made, "acme.example")
    return made


def enter(world: World, password: str = PASSWORD) -> Browser:
    """Ann signs in by her password."""
    told = sign_in_with_password(world.context, Credentials(ANN, password), CLIENT, world.now)
    return Browser(session=told.cookie)


@pytest.fixture
def ann(world: World) -> Browser:
    """Ann, with an account of her own, signed in."""
    join(world, account(world, ANN, password=PASSWORD))
    return enter(world)


def seen(world: World, browser: Browser, later: timedelta = timedelta(0)) -> CurrentSession:
    """The session, some time later."""
    found = browser.look(world, world.now + later)
    assert found is not None
    return found


def told(world: World) -> list[str]:
    """The kinds of event, in order."""
    return [kind for _, kind, _ in audit_events(world.context)]


def mails(world: World) -> int:
    """How many wait to leave."""
    with world.context.database.reading() as rows:
        return int(rows.execute(select(func.count()).select_from(outbox)).scalar_one())


# -- Name --------------------------------------------------------------------------------------------


def test_a_name_is_changed_without_any_proof_and_told(world: World, ann: Browser) -> None:
    renamed = rename(world.context, seen(world, ann, LATER), "  Ann   Other ", world.now + LATER)
    assert renamed.name == "Ann Other"
    assert told(world)[-1] == "user.renamed"


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "a\x00b"])
def test_no_name_is_none(world: World, ann: Browser, name: str) -> None:
    with pytest.raises(Invalid):
        rename(world.context, seen(world, ann), name, world.now)


# -- Password ----------------------------------------------------------------------------------------


def test_a_new_password_ends_every_other_session(world: World, ann: Browser) -> None:
    other = enter(world)
    change_password(world.context, seen(world, ann), NEW, world.now)
    assert other.look(world) is None
    assert ann.reaches(world) == ["acme"]
    with pytest.raises(WrongCredentials):
        enter(world)
    assert enter(world, NEW).reaches(world) == ["acme"]
    assert "user.password_changed" in told(world)
    assert mails(world) == 1


def test_it_asks_for_a_fresh_proof(world: World, ann: Browser) -> None:
    with pytest.raises(FreshProofNeeded):
        change_password(world.context, seen(world, ann, LATER), NEW, world.now + LATER)
    assert enter(world).session


@pytest.mark.parametrize("password", ["short", "qwerty123456", ANN])
def test_a_bad_one_changes_nothing(world: World, ann: Browser, password: str) -> None:
    with pytest.raises(Invalid):
        change_password(world.context, seen(world, ann), password, world.now)
    assert enter(world).session


def test_who_was_signed_out_meanwhile_changes_nothing(world: World, ann: Browser) -> None:
    stolen = enter(world)
    late = seen(world, stolen)
    change_password(world.context, seen(world, ann), NEW, world.now)
    with pytest.raises(Forbidden):
        change_password(world.context, late, "whatever else it is", world.now)
    assert enter(world, NEW).session


def test_a_first_password_waits_until_the_address_is_confirmed(world: World) -> None:
    join(world, account(world, ANN))
    browser = sign_in(world, ANN, fresh=True)
    with world.context.database.writing() as connection:
        connection.execute(update(users).where(users.c.email == ANN).values(email_proved_at=None))
    with pytest.raises(Conflict):
        change_password(world.context, seen(world, browser), NEW, world.now)


def test_who_comes_by_single_sign_on_can_choose_a_first_one(world: World) -> None:
    browser = sign_in(world, ANN, fresh=True)
    change_password(world.context, seen(world, browser), NEW, world.now)
    assert enter(world, NEW).reaches(world) == ["acme"]


def test_an_idp_that_did_not_prove_the_domain_changes_no_account(world: World) -> None:
    browser = sign_in(world, "guest@else.example")
    session = seen(world, browser)
    assert not session.may_change_account
    with pytest.raises(Forbidden):
        rename(world.context, session, "Somebody", world.now)


def test_what_is_kept_at_twilio_is_read_only_here(world: World, ann: Browser) -> None:
    with world.context.database.writing() as connection:
        connection.execute(update(users).where(users.c.email == ANN).values(twilio_sub="US1"))
    assert get_account(world.context, seen(world, ann)).ways.twilio
    with pytest.raises(Forbidden):
        rename(world.context, seen(world, ann), "Ann", world.now)
    with pytest.raises(Forbidden):
        change_password(world.context, seen(world, ann), NEW, world.now)


# -- Links -------------------------------------------------------------------------------------------


def test_an_identity_is_unlinked_and_what_it_signed_in_ends(world: World, ann: Browser) -> None:
    sso = sign_in(world, ANN)
    unlink(world.context, seen(world, ann), world.connection.id, ANN, world.now)
    assert sso.look(world) is None
    assert get_account(world.context, seen(world, ann)).ways.identities == ()
    assert told(world)[-1] == "identity.unlinked"
    with pytest.raises(NotFound):
        unlink(world.context, seen(world, ann), world.connection.id, ANN, world.now)


def test_nor_does_a_login_by_it_that_is_on_its_way_sign_anybody_in(world: World, ann: Browser) -> None:
    sign_in(world, ANN)
    late = Browser()
    handle = complete(world.context, "saml", answer(world, ANN, to=start(world, late)), world.now)
    unlink(world.context, seen(world, ann), world.connection.id, ANN, world.now)
    with pytest.raises(UnknownRequest):
        fetch_result(world.context, handle, late, world.now)


def test_the_last_way_in_stays(world: World) -> None:
    browser = sign_in(world, ANN, fresh=True)
    with pytest.raises(Conflict):
        unlink(world.context, seen(world, browser), world.connection.id, ANN, world.now)
    assert seen(world, browser)


def test_one_that_is_switched_off_is_no_other_way_in(world: World) -> None:
    browser, entra = sign_in(world, ANN, fresh=True), another_connection(world, "Entra")
    with world.context.database.writing() as connection:
        user = connection.execute(select(users.c.id).where(users.c.email == ANN)).scalar_one()
        row = {"connection_id": entra.connection.key, "subject": "ann", "user_id": user, "linked_at": world.now}
        connection.execute(identities.insert().values(**row))
    set_enabled(world.context, OPERATOR, "acme", entra.connection.id, False, world.now)
    with pytest.raises(Conflict):
        unlink(world.context, seen(world, browser), world.connection.id, ANN, world.now)
    set_enabled(world.context, OPERATOR, "acme", entra.connection.id, True, world.now)
    unlink(world.context, seen(world, browser), world.connection.id, ANN, world.now)


def test_a_last_owner_keeps_a_way_in_that_is_not_the_workspaces_own_idp(world: World) -> None:
    with world.context.database.writing() as connection:
        whose = users.c.id == world.owner.key
        connection.execute(update(users).where(whose).values(password_hash=None, twilio_sub="olga"))
    browser = sign_in(world, world.owner.email, fresh=True)
    with pytest.raises(LastOwner):
        unlink_own(world.context, seen(world, browser), world.now)
    join_owner(world)
    unlink_own(world.context, seen(world, browser), world.now)


def join_owner(world: World) -> None:
    """One more owner, named by hand, who has a password."""
    member = join(world, account(world, ANN, password=PASSWORD))
    with changing(world.context.database, OPERATOR, world.now) as change:
        insert_grant(change, world.workspace.key, member, RoleInScope(OWNER, EVERYWHERE), OPERATOR)


def test_one_of_a_company_that_merely_has_their_address_is_none_until_they_accept(world: World) -> None:
    browser = sign_in(world, ANN, fresh=True)
    other = make_world(world.context.database, world.now, slug="other", owner="otto@other.example")
    other.push(ANN)
    sign_in(other, ANN)
    with pytest.raises(Conflict):
        unlink(world.context, seen(world, browser), world.connection.id, ANN, world.now)
    with changing(world.context.database, OPERATOR, world.now) as change:
        user = find_user_by_email(change.connection, ANN)
        member = find_member(change.connection, other.workspace.key, user.key) if user else None
        accept_membership(change, member.key if member else 0)
    unlink(world.context, seen(world, browser), world.connection.id, ANN, world.now)


def test_one_of_a_company_that_holds_them_out_is_none(world: World) -> None:
    record = world.push(ANN)
    sign_in(world, ANN)
    with world.context.database.writing() as connection:
        connection.execute(update(users).where(users.c.email == ANN).values(twilio_sub="US1"))
    arrival = Arrival("US1", ANN, "Ann", world.now, anew=True)
    came = arrive(world.context, arrival, "/", "browser", CLIENT, Trail(), world.now)
    assert isinstance(came, SignedIn)
    browser = Browser(session=came.cookie)
    hold(world, record, active=False)
    with pytest.raises(Conflict):
        unlink_own(world.context, seen(world, browser), world.now)
    hold(world, record, active=True)
    unlink_own(world.context, seen(world, browser), world.now)


def hold(world: World, record: DirectoryUser, *, active: bool) -> None:
    """The company's IdP keeps Ann out, or lets her in again."""
    change_user(world.context, world.connection, record.id, lambda _: pushed(ANN, active=active), world.now)


def test_somebody_elses_identity_is_not_theirs_to_unlink(world: World, ann: Browser) -> None:
    other = sign_in(world, "bob@acme.example")
    with pytest.raises(NotFound):
        unlink(world.context, seen(world, ann), world.connection.id, "bob@acme.example", world.now)
    assert other.look(world) is not None


def test_unlinking_asks_for_a_fresh_proof(world: World, ann: Browser) -> None:
    sign_in(world, ANN)
    with pytest.raises(FreshProofNeeded):
        unlink(world.context, seen(world, ann, LATER), world.connection.id, ANN, world.now + LATER)


def test_nothing_is_left_under_way_after_a_new_password(world: World, ann: Browser) -> None:
    with world.context.database.writing() as connection:
        user = connection.execute(select(users.c.id).where(users.c.email == ANN)).scalar_one()
        for kind in ("reset", "factor", "enrol", "change_email", "link", "twilio_link"):
            row = {"hash": kind.encode(), "kind": kind, "user_id": user, "return_to": "/", "expires_at": world.now}
            connection.execute(pending_requests.insert().values(**row))
    change_password(world.context, seen(world, ann), NEW, world.now)
    with world.context.database.reading() as rows:
        assert rows.execute(select(pending_requests.c.kind)).all() == []
