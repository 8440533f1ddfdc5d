"""10. After `active:false`, DELETE, removal, or the account's closing, by whichever path, nothing of that membership
works at the next request.

Every way out is tried against everything that worked before it, and then against it again after the person came back:
what ended with a membership stays ended.

Beside: tests/flows/test_sessions.py, test_tokens.py, test_sign_in.py, test_members.py.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.domain import sign_in_refusals as refused
from bridge.domain.access import EVERYWHERE, RoleInScope
from bridge.domain.directory import DirectoryUser, PushedUser
from bridge.domain.errors import DomainError, Expired, Forbidden
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.roles import OWNER
from bridge.flows.accept_invitation import accept_as, accept_with_password, open_invitation
from bridge.flows.close_account import close_account
from bridge.flows.context import OPERATOR
from bridge.flows.explain import access_of
from bridge.flows.give_roles import give_to_member
from bridge.flows.invite import InviteDraft, invite
from bridge.flows.link_account import follow_link, mail_link
from bridge.flows.map_groups import MappingDraft, add_mapping
from bridge.flows.members import find_member_id, lift_hold, remove_member, restore_member
from bridge.flows.own_connections import delete_connection
from bridge.flows.password_login import Credentials, sign_in_with_password
from bridge.flows.passwords import hash_password
from bridge.flows.provision_users import change_user, create_user, delete_user
from bridge.flows.resume_login import ProofNeeded
from bridge.flows.sign_in import complete
from bridge.flows.tokens import create_api_token, create_scim_token, find_scim_token, list_tokens
from bridge.flows.user_groups import add_members, create_user_group
from bridge.storage import people
from bridge.storage.changes import changing
from tests.flows.logins import (
    CLIENT,
    PASSWORD,
    Browser,
    account,
    answer,
    attempt,
    fetch_result,
    join,
    set_config,
    set_workspace,
    sign_in,
    start,
)
from tests.properties.outsiders import ADMIN, person
from tests.properties.ways import mailed_secret, say, set_active
from tests.world import World, another_connection, make_world, pushed

ANN = "ann@acme.example"
LATER = timedelta(minutes=1)


@dataclass
class Ann:
    """An owner beside Olga, pushed by both connections, with everything that a member can have."""

    world: World
    entra: World
    record: DirectoryUser
    second: DirectoryUser
    membership_id: str
    user_id: str


@pytest.fixture
def ann(acme: World) -> Ann:
    context, now = acme.context, acme.now
    entra = another_connection(acme, "Entra")
    record, second = acme.push(ANN), entra.push(ANN)
    member = find_member_id(context, "acme", ANN)
    give_to_member(context, OPERATOR, "acme", member, RoleInScope(OWNER, EVERYWHERE), now)
    create_user_group(context, OPERATOR, "acme", "Guild", now, emails=[ANN])
    for world, one in ((acme, record), (entra, second)):
        group = world.push_group("Engineering", one)
        draft = MappingDraft(world.connection.id, GroupMatch("id", group.id), (), (ADMIN,))
        add_mapping(context, OPERATOR, "acme", draft, now)
    with changing(context.database, OPERATOR, now) as change:
        user = people.find_user_by_email(change.connection, ANN)
        assert user is not None
        people.set_user(change, user.key, password_hash=hash_password(PASSWORD), email_proved_at=now)
        found = people.find_member(change.connection, acme.workspace.key, user.key)
        assert found is not None
        people.accept_membership(change, found.key)
    return Ann(acme, entra, record, second, member, user.id)


Try = Callable[[World], bool]


def passes(step: Callable[[], object]) -> bool:
    """Whether a step is let through and finds something."""
    try:
        return bool(step())
    except DomainError:
        return False


def open_everything(ann: Ann) -> dict[str, Try]:
    """Each thing of the membership that works, as something to be tried later."""
    world, context, now, me = ann.world, ann.world.context, ann.world.now, f"user:{ann.user_id}"
    set_config(world, allow_idp_initiated=True)
    sso, browser = sign_in(world, ANN, subject="s1"), Browser()
    password = Browser(session=sign_in_with_password(context, Credentials(ANN, PASSWORD), CLIENT, now).cookie)
    handle = complete(context, "saml", answer(world, ANN, to=start(world, browser), subject="s1"), now)
    request_id = start(world, browser)
    scim = create_scim_token(context, me, "acme", world.connection.id, None, "mine", now).token
    api = create_api_token(context, me, "acme", [ADMIN], None, "mine", now).id
    return {
        "access": lambda w: passes(lambda: access_of(context, "acme", ANN, w.now)),
        "session by SSO": lambda w: sso.reaches(w) == ["acme"],
        "session by password": lambda w: password.reaches(w) == ["acme"],
        "SCIM token": lambda w: passes(lambda: find_scim_token(context, scim, w.now)),
        "API token": lambda w: any(one.works for one in list_tokens(context, "acme", w.now) if one.id == api),
        "acting as an owner": lambda w: passes(lambda: invite_somebody(w, me)),
        "handle": lambda w: passes(lambda: fetch_result(context, handle, browser, w.now)),
        "answer": lambda w: passes(
            lambda: complete(context, "saml", answer(w, ANN, to=request_id, subject="s1"), w.now)
        ),
    }


def invite_somebody(world: World, actor: str) -> object:
    return invite(world.context, actor, "acme", InviteDraft(("new@mail.example",)), world.now)


def at(world: World, moment: timedelta) -> World:
    return replace(world, now=world.now + moment)


# -- Ways out, and ways back -----------------------------------------------------------------------------------------


def deactivate(ann: Ann, when: World) -> None:
    set_active(when, ann.record.id, ANN, False)


def deactivate_at_the_other(ann: Ann, when: World) -> None:
    set_active(replace(ann.entra, now=when.now), ann.second.id, ANN, False)


def delete(ann: Ann, when: World) -> None:
    delete_user(when.context, when.connection, ann.record.id, when.now)


def delete_at_the_other(ann: Ann, when: World) -> None:
    delete_user(when.context, ann.entra.connection, ann.second.id, when.now)


def remove(ann: Ann, when: World) -> None:
    remove_member(when.context, f"user:{when.owner.id}", "acme", ann.membership_id, when.now)


def deactivate_and_delete_the_connection(ann: Ann, when: World) -> None:
    deactivate_at_the_other(ann, when)
    delete_connection(when.context, OPERATOR, "acme", ann.entra.connection.id, when.now)


def close_the_account(ann: Ann, when: World) -> None:
    told = sign_in_with_password(when.context, Credentials(ANN, PASSWORD), CLIENT, when.now)
    session = Browser(session=told.cookie).look(when)
    assert session is not None
    close_account(when.context, session, when.now)


Out = Callable[[Ann, World], None]
OUT: tuple[Out, ...] = (
    deactivate,
    deactivate_at_the_other,
    delete,
    delete_at_the_other,
    remove,
    deactivate_and_delete_the_connection,
)


def test_everything_works_before(ann: Ann) -> None:
    ways = open_everything(ann)
    assert [way for way, works in ways.items() if not works(at(ann.world, timedelta(seconds=20)))] == []


@pytest.mark.parametrize("out", [*OUT, close_the_account])
def test_nothing_works_after(ann: Ann, out: Out) -> None:
    ways = open_everything(ann)
    out(ann, at(ann.world, timedelta(seconds=10)))
    assert [way for way, works in ways.items() if works(at(ann.world, timedelta(seconds=20)))] == []


def come_back(ann: Ann, when: World) -> None:
    """By whichever way there is: let in, restored, pushed anew."""
    for step in (
        lambda: set_active(when, ann.record.id, ANN, True),
        lambda: set_active(replace(ann.entra, now=when.now), ann.second.id, ANN, True),
        lambda: when.push(ANN),
        lambda: replace(ann.entra, now=when.now).push(ANN),
        lambda: restore_member(when.context, OPERATOR, "acme", ann.membership_id, when.now),
        lambda: lift_hold(when.context, OPERATOR, "acme", ann.membership_id, when.now),
    ):
        passes(step)


@pytest.mark.parametrize("out", OUT)
def test_who_comes_back_signs_in_anew(ann: Ann, out: Out) -> None:
    ways = open_everything(ann)
    out(ann, at(ann.world, timedelta(seconds=10)))
    back = at(ann.world, timedelta(seconds=20))
    come_back(ann, back)
    assert sign_in(back, ANN, subject="s1", now=back.now).reaches(back) == ["acme"]
    assert [way for way in ("session by SSO", "session by password") if ways[way](back)] == []


@pytest.mark.parametrize("out", [delete, delete_at_the_other, remove, deactivate_and_delete_the_connection])
def test_whose_membership_ended_comes_back_with_nothing_they_had(ann: Ann, out: Out) -> None:
    ways = open_everything(ann)
    out(ann, at(ann.world, timedelta(seconds=10)))
    back = at(ann.world, timedelta(seconds=20))
    come_back(ann, back)
    kept = [way for way in ("SCIM token", "API token", "acting as an owner") if ways[way](back)]
    assert kept == []
    by_hand = [
        because.given_by
        for one in access_of(ann.world.context, "acme", ANN, back.now)
        for because in one.because
        if because.kind != "mapping"
    ]
    assert OPERATOR not in by_hand


def test_a_session_stays_ended_when_the_connection_that_held_its_person_out_is_deleted(ann: Ann) -> None:
    ways = open_everything(ann)
    set_active(replace(ann.entra, now=ann.world.now + LATER), ann.second.id, ANN, False)
    set_active(replace(ann.entra, now=ann.world.now + 2 * LATER), ann.second.id, ANN, True)
    after = at(ann.world, 3 * LATER)
    delete_connection(after.context, OPERATOR, "acme", ann.entra.connection.id, after.now)
    assert [way for way in ("session by SSO", "session by password") if ways[way](after)] == []


# -- Paths that nobody listed ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("out", ["remove", "delete"])
def test_an_invitation_from_before_they_left_brings_nobody_back(acme: World, out: str) -> None:
    """Invited, then pushed before the link was used, then removed: the link in the mailbox is dead."""
    draft = InviteDraft((ANN,), (RoleInScope(OWNER, EVERYWHERE),))
    invite(acme.context, f"user:{acme.owner.id}", "acme", draft, acme.now)
    link = mailed_secret(acme.context, acme.now)
    record = acme.push(ANN)
    if out == "remove":
        remove_member(acme.context, OPERATOR, "acme", find_member_id(acme.context, "acme", ANN), acme.now)
    else:
        delete_user(acme.context, acme.connection, record.id, acme.now)
    with pytest.raises(Expired):
        open_invitation(acme.context, link, None, acme.now)
    with pytest.raises(Expired):
        accept_with_password(acme.context, link, "Ann", PASSWORD, acme.now)
    assert access_of(acme.context, "acme", ANN, acme.now) == ()


def test_an_invitation_used_while_suspended_opens_nothing(acme: World) -> None:
    invite(acme.context, f"user:{acme.owner.id}", "acme", InviteDraft((ANN,), (ADMIN,)), acme.now)
    link = mailed_secret(acme.context, acme.now)
    set_active(acme, acme.push(ANN).id, ANN, False)
    user = accept_with_password(acme.context, link, "Ann", PASSWORD, acme.now)
    assert access_of(acme.context, "acme", ANN, acme.now) == ()
    told = sign_in_with_password(acme.context, Credentials(ANN, PASSWORD), CLIENT, acme.now)
    assert Browser(session=told.cookie).reaches(acme) == []
    with pytest.raises(Expired):
        accept_as(acme.context, link, user.id, acme.now)


@pytest.mark.parametrize("out", [deactivate, remove])
@pytest.mark.parametrize("how", ["push", "change"])
def test_a_second_record_with_their_address_brings_nobody_back(ann: Ann, out: Out, how: str) -> None:
    out(ann, ann.world)
    twin = replace(pushed(ANN), user_name="ann.two")
    if how == "push":
        push(ann.world, twin)
    else:
        say(ann.world, ann.world.push("ann.two").id, twin)
    with pytest.raises((refused.MembershipEnded, refused.HeldOut)):
        sign_in(ann.world, ANN)
    assert access_of(ann.world.context, "acme", ANN, ann.world.now) == ()


@pytest.mark.parametrize("first", ["sign in", "push"])
@pytest.mark.parametrize("email", ["", "ann@elsewhere.example"])
def test_who_signs_in_under_a_pushed_name_is_held_out_by_it(acme: World, first: str, email: str) -> None:
    """The record has no address, or another one than the login; it is about them all the same."""
    said = person("ann", email, "x", True) if email else replace(pushed("ann"), emails=())
    if first == "sign in":
        session, record = sign_in(acme, ANN, subject="ann"), push(acme, said)
    else:
        record = push(acme, said)
        session = sign_in(acme, ANN, subject="ann")
    assert session.reaches(acme) == ["acme"]
    change_user(acme.context, acme.connection, record.id, lambda _: replace(said, active=False), acme.now + LATER)
    assert session.reaches(acme, acme.now + 2 * LATER) == []
    with pytest.raises(refused.HeldOut):
        attempt(acme, ANN, Browser(), subject="ann")


def test_a_record_that_becomes_theirs_later_holds_them_out_at_the_next_login(acme: World) -> None:
    sign_in(acme, ANN, subject="ann")
    record = push(acme, replace(pushed("somebody"), emails=()))
    for active in (True, False):
        say(acme, record.id, replace(pushed("ann", active=active), emails=()))
    with pytest.raises(refused.HeldOut):
        attempt(acme, ANN, Browser(), subject="ann")


def test_a_record_that_takes_the_address_of_who_was_removed_brings_nobody_back(acme: World) -> None:
    sign_in(acme, ANN, subject="s1")
    record = acme.push("somebody")
    remove_member(acme.context, OPERATOR, "acme", find_member_id(acme.context, "acme", ANN), acme.now)
    say(acme, record.id, person("somebody", ANN, "x", True))
    assert access_of(acme.context, "acme", ANN, acme.now) == ()
    with pytest.raises(refused.MembershipEnded):
        attempt(acme, ANN, Browser(), subject="s1")


def push(world: World, said: PushedUser) -> DirectoryUser:
    return create_user(world.context, world.connection, said, world.now)


def test_a_proof_under_way_links_nobody_who_left_meanwhile(acme: World) -> None:
    join(acme, account(acme, "ben@mail.example", password=PASSWORD))
    give_to_member(
        acme.context,
        OPERATOR,
        "acme",
        find_member_id(acme.context, "acme", "ben@mail.example"),
        RoleInScope(OWNER, EVERYWHERE),
        acme.now,
    )
    browser = Browser()
    asked = attempt(acme, "ben@mail.example", browser)
    assert isinstance(asked, ProofNeeded)
    mail_link(acme.context, asked.token, browser.secret, acme.now)
    link = mailed_secret(acme.context, acme.now)
    remove_member(acme.context, OPERATOR, "acme", find_member_id(acme.context, "acme", "ben@mail.example"), acme.now)
    with pytest.raises(refused.MembershipEnded):
        follow_link(acme.context, link, browser.secret, CLIENT, acme.now)


@pytest.mark.parametrize("out", [deactivate, delete, remove])
def test_who_left_is_put_into_nothing_by_hand_until_they_are_back(ann: Ann, out: Out) -> None:
    out(ann, ann.world)
    guild = create_user_group(ann.world.context, OPERATOR, "acme", "Other", ann.world.now)
    passes(lambda: add_members(ann.world.context, OPERATOR, "acme", guild.id, [ANN], ann.world.now))
    passes(lambda: give_to_member(ann.world.context, OPERATOR, "acme", ann.membership_id, ADMIN, ann.world.now))
    assert access_of(ann.world.context, "acme", ANN, ann.world.now) == ()
    with pytest.raises(Forbidden):
        invite_somebody(ann.world, f"user:{ann.user_id}")


# -- What closed unused ----------------------------------------------------------------------------------------------


@pytest.fixture
def clinics(acme: World) -> tuple[World, World]:
    """A workspace flagged HIPAA, and another one; Ann is in both."""
    other = make_world(acme.context.database, acme.now, slug="other", owner="o@other.example")
    key = account(acme, ANN)
    for world in (acme, other):
        join(world, key)
    set_workspace(acme, hipaa=True)
    return acme, other


STEPS = st.lists(st.tuples(st.integers(1, 25), st.sampled_from(["look", "sign in here", "sign in there"])), max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=STEPS)
def test_what_closed_unused_is_open_again_by_a_new_login_alone(
    clinics: tuple[World, World], steps: list[tuple[int, str]]
) -> None:
    """Whatever is done in between, 15 minutes without use close the one workspace, and only a login to it opens it."""
    here, there = clinics
    browser, now = sign_in(here, ANN), here.now
    open_here, in_there = True, False
    for minutes, step in steps:
        now += minutes * LATER
        open_here = (open_here and minutes < 15) or step == "sign in here"
        in_there = in_there or step == "sign in there"
        if step != "look":
            sign_in(here if step == "sign in here" else there, ANN, browser, now=now)
        assert browser.reaches(here, now) == ["acme"] * open_here + ["other"] * in_there
