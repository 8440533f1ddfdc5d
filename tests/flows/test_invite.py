"""Invitations (product.md 1.7; properties 7a, 12, 20)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest

from bridge.domain.access import EVERYWHERE, ResourceRef, RoleInScope
from bridge.domain.errors import Conflict, Expired, Forbidden, Invalid, NotFound, NotInPlan
from bridge.domain.labels import Label
from bridge.domain.mail import Mail
from bridge.domain.roles import MINIMAL, OWNER
from bridge.domain.sign_in_refusals import HeldOut, MembershipEnded
from bridge.flows.accept_invitation import accept_as, accept_with_password, open_invitation
from bridge.flows.administer import WorkspaceDraft, create_workspace, set_plan
from bridge.flows.context import OPERATOR
from bridge.flows.deliver import deliver_due
from bridge.flows.explain import access_of
from bridge.flows.invite import InviteDraft, invite, list_invites, resend, revoke
from bridge.flows.members import find_member_id, get_person, remove_member
from bridge.flows.password_login import Credentials, sign_in_with_password
from bridge.flows.provision_users import change_user, delete_user
from bridge.flows.resources import ResourceDraft, add_label, add_resource, delete_resource
from bridge.flows.roles_given import parse_role_in_scope
from bridge.flows.sessions import find_session
from bridge.flows.user_groups import create_user_group, delete_user_group, find_user_group_id
from bridge.storage import people, resources
from bridge.storage.sign_in import link_identity
from tests.flows.audit import audit_events, everything_kept
from tests.flows.logins import CLIENT, sign_in
from tests.flows.mailer import KeptMail, link_of
from tests.world import World, pushed

PASSWORD = "a long enough password"
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
LUCIA = InviteDraft(("lucia@kicks.example",))
ADMIN = parse_role_in_scope("Source Admin", [])


def send(kicks: World, actor: str, draft: InviteDraft = LUCIA) -> str:
    """Invite, and return the secret in the mailed link."""
    invite(kicks.context, actor, "kicks", draft, kicks.now)
    return link_of(kicks.context, kicks.now)


def mails(kicks: World) -> list[Mail]:
    mailer = KeptMail()
    deliver_due(kicks.context, mailer, kicks.now)
    return mailer.sent


def roles_of(kicks: World, email: str) -> set[str]:
    return {one.role.name for one in access_of(kicks.context, "kicks", email, kicks.now)}


def test_a_new_person_accepts_with_a_name_and_a_password(kicks: World, marcus: str) -> None:
    guild = create_user_group(kicks.context, marcus, "kicks", "Data Guild", kicks.now)
    secret = send(kicks, marcus, InviteDraft(("lucia@kicks.example",), (ADMIN,), (guild.id,)))
    opened = open_invitation(kicks.context, secret, None, kicks.now)
    assert (opened.workspace, opened.email, opened.invited_by, opened.needs) == (
        "Kicks Co",
        "lucia@kicks.example",
        "Marcus",
        "account",
    )
    assert opened.gives == ("get Source Admin on all sources", "join Data Guild")
    user = accept_with_password(kicks.context, secret, "Lucía Ferreiro", PASSWORD, kicks.now)
    assert (user.name, user.email_proved, user.has_password) == ("Lucía Ferreiro", True, True)
    person = get_person(kicks.context, "kicks", find_member_id(kicks.context, "kicks", user.email), kicks.now)
    assert person.member.accepted
    assert [(one.given, one.given_by) for one in person.grants] == [(ADMIN, marcus)]
    assert [one.name for one in person.user_groups] == ["Data Guild"]


def test_the_mail_says_who_invites_and_what_it_gives(kicks: World, marcus: str) -> None:
    invite(kicks.context, marcus, "kicks", InviteDraft(("lucia@kicks.example",), (ADMIN,)), kicks.now)
    [mail] = mails(kicks)
    assert (mail.to, mail.subject) == ("lucia@kicks.example", "Marcus invites you to Kicks Co")
    assert "get Source Admin on all sources" in mail.text
    assert mail.html is not None
    assert 'href="http://localhost:8000/invitations/' in mail.html


def test_the_link_is_kept_nowhere_in_the_clear(kicks: World, marcus: str) -> None:
    invite(kicks.context, marcus, "kicks", LUCIA, kicks.now)
    kept = everything_kept(kicks.context)
    secret = link_of(kicks.context, kicks.now)
    assert secret not in kept


def test_an_invitation_counts_once(kicks: World, marcus: str) -> None:
    secret = send(kicks, marcus)
    accept_with_password(kicks.context, secret, "Lucía", PASSWORD, kicks.now)
    with pytest.raises(Expired):
        accept_with_password(kicks.context, secret, "Somebody else", PASSWORD, kicks.now)
    with pytest.raises(Expired):
        open_invitation(kicks.context, secret, None, kicks.now)


def test_an_invitation_ends_after_three_days(kicks: World, marcus: str) -> None:
    secret = send(kicks, marcus)
    later = kicks.now + timedelta(days=3)
    with pytest.raises(Expired, match="run out"):
        accept_with_password(kicks.context, secret, "Lucía", PASSWORD, later)
    [pending] = list_invites(kicks.context, "kicks")
    assert pending.is_expired(later)
    assert not pending.is_expired(later - timedelta(seconds=1))


def test_a_new_link_replaces_the_former(kicks: World, marcus: str) -> None:
    first = send(kicks, marcus)
    [pending] = list_invites(kicks.context, "kicks")
    again = resend(kicks.context, marcus, "kicks", pending.id, kicks.now + timedelta(days=2))
    second = link_of(kicks.context, kicks.now + timedelta(days=2))
    assert again.id == pending.id
    assert again.expires_at == kicks.now + timedelta(days=5)
    with pytest.raises(Expired):
        accept_with_password(kicks.context, first, "Lucía", PASSWORD, kicks.now)
    accept_with_password(kicks.context, second, "Lucía", PASSWORD, kicks.now)


def test_inviting_again_replaces_link_and_roles(kicks: World, marcus: str) -> None:
    first = send(kicks, marcus, InviteDraft(("lucia@kicks.example",), (RoleInScope(OWNER, EVERYWHERE),)))
    second = send(kicks, marcus, InviteDraft(("LUCIA@kicks.example",), (ADMIN,)))
    assert len(list_invites(kicks.context, "kicks")) == 1
    with pytest.raises(Expired):
        accept_with_password(kicks.context, first, "Lucía", PASSWORD, kicks.now)
    accept_with_password(kicks.context, second, "Lucía", PASSWORD, kicks.now)
    assert roles_of(kicks, "lucia@kicks.example") == {"Source Admin"}


def test_a_revoked_link_is_dead(kicks: World, marcus: str) -> None:
    secret = send(kicks, marcus)
    [pending] = list_invites(kicks.context, "kicks")
    revoke(kicks.context, marcus, "kicks", pending.id, kicks.now)
    assert list_invites(kicks.context, "kicks") == ()
    with pytest.raises(Expired):
        accept_with_password(kicks.context, secret, "Lucía", PASSWORD, kicks.now)
    with pytest.raises(NotFound):
        revoke(kicks.context, marcus, "kicks", pending.id, kicks.now)
    with pytest.raises(NotFound):
        resend(kicks.context, marcus, "kicks", pending.id, kicks.now)


@pytest.mark.parametrize("secret", ["", "wrong", "\ud800", "x" * 10_000])
def test_a_wrong_link_opens_nothing(kicks: World, secret: str) -> None:
    with pytest.raises(Expired):
        open_invitation(kicks.context, secret, None, kicks.now)


def test_who_has_an_account_signs_in_to_accept(kicks: World, marcus: str) -> None:
    boots = create_workspace(
        kicks.context,
        OPERATOR,
        WorkspaceDraft("boots", "Boots", "lucia@kicks.example", "business", PASSWORD),
        kicks.now,
    )
    secret = send(kicks, marcus)
    assert open_invitation(kicks.context, secret, None, kicks.now).needs == "sign_in"
    assert open_invitation(kicks.context, secret, boots.owner.id, kicks.now).needs == "nothing"
    with pytest.raises(Forbidden):
        accept_with_password(kicks.context, secret, "Thief", "another long password", kicks.now)
    assert accept_as(kicks.context, secret, boots.owner.id, kicks.now).id == boots.owner.id


def test_an_invitation_is_bound_to_its_address(kicks: World, marcus: str) -> None:
    secret = send(kicks, marcus)
    with pytest.raises(Forbidden, match="lucia@"):
        accept_as(kicks.context, secret, kicks.owner.id, kicks.now)
    assert len(list_invites(kicks.context, "kicks")) == 1


def test_an_unproved_account_loses_what_others_put_into_it(kicks: World, marcus: str) -> None:
    with kicks.context.changing(OPERATOR, kicks.now) as change:
        squatter = people.insert_user(change, "lucia@kicks.example", "Not Lucía")
        link_identity(change, kicks.connection.key, "subject-of-a-stranger", squatter.key)
    secret = send(kicks, marcus)
    user = accept_with_password(kicks.context, secret, "Lucía", PASSWORD, kicks.now)
    assert user.id == squatter.id
    assert "subject-of-a-stranger" not in everything_kept(kicks.context)


def test_a_removed_member_comes_back_by_invitation(kicks: World, marcus: str) -> None:
    accept_with_password(kicks.context, send(kicks, marcus), "Lucía", PASSWORD, kicks.now)
    member = find_member_id(kicks.context, "kicks", "lucia@kicks.example")
    remove_member(kicks.context, marcus, "kicks", member, kicks.now)
    user_id = get_person(kicks.context, "kicks", member, kicks.now).member.user_id
    accept_as(kicks.context, send(kicks, marcus), user_id, kicks.now)
    assert get_person(kicks.context, "kicks", member, kicks.now).member.status == "active"


def reached(kicks: World, cookie: str, now: datetime) -> list[str]:
    session = find_session(kicks.context, cookie, now)
    return [one.workspace.slug for one in session.workspaces] if session else []


def test_who_was_removed_signs_in_and_accepts_and_is_in(kicks: World, marcus: str) -> None:
    """They have shown since the removal who they are; what they had open before it stays closed."""
    accept_with_password(kicks.context, send(kicks, marcus), "Lucía", PASSWORD, kicks.now)
    member = find_member_id(kicks.context, "kicks", "lucia@kicks.example")

    def enter(now: datetime) -> str:
        told = Credentials("lucia@kicks.example", PASSWORD)
        return sign_in_with_password(kicks.context, told, CLIENT, now).cookie

    before, removed_at = enter(kicks.now), kicks.now + HOUR
    remove_member(kicks.context, marcus, "kicks", member, removed_at)
    at_that_moment, since = enter(removed_at), enter(removed_at + SECOND)
    user_id = get_person(kicks.context, "kicks", member, removed_at).member.user_id
    accepted_at = removed_at + HOUR
    assert reached(kicks, since, accepted_at) == []
    invite(kicks.context, marcus, "kicks", LUCIA, accepted_at)
    accept_as(kicks.context, link_of(kicks.context, accepted_at), user_id, accepted_at)
    assert [reached(kicks, one, accepted_at) for one in (before, at_that_moment, since)] == [[], [], ["kicks"]]


def test_and_so_is_who_signs_in_while_an_idp_holds_them_out(kicks: World, marcus: str) -> None:
    account = accept_with_password(kicks.context, send(kicks, marcus), "Lucía", PASSWORD, kicks.now)
    record, out, back = kicks.push(account.email), pushed(account.email, active=False), pushed(account.email)
    told, out_at = Credentials(account.email, PASSWORD), kicks.now + HOUR
    before = sign_in_with_password(kicks.context, told, CLIENT, kicks.now).cookie
    change_user(kicks.context, kicks.connection, record.id, lambda _: out, out_at)
    since = sign_in_with_password(kicks.context, told, CLIENT, out_at + SECOND).cookie
    assert reached(kicks, since, out_at + SECOND) == []
    change_user(kicks.context, kicks.connection, record.id, lambda _: back, out_at + HOUR)
    assert [reached(kicks, one, out_at + HOUR) for one in (before, since)] == [[], ["kicks"]]


@pytest.fixture
def removed(kicks: World, marcus: str) -> str:
    """Lucía came just in time, and an owner removed her. Returns the id of her membership."""
    sign_in(kicks, "lucia@kicks.example")
    member = find_member_id(kicks.context, "kicks", "lucia@kicks.example")
    remove_member(kicks.context, marcus, "kicks", member, kicks.now)
    return member


def test_a_removed_member_who_is_invited_comes_back_by_single_sign_on(kicks: World, marcus: str, removed: str) -> None:
    secret = send(kicks, marcus, InviteDraft(("Lucia@kicks.example",), (ADMIN,)))
    browser = sign_in(kicks, "lucia@kicks.example")
    assert browser.reaches(kicks) == ["kicks"]
    kinds = [kind for _, kind, _ in audit_events(kicks.context)]
    assert "member.restored" in kinds
    assert ADMIN.role.name not in roles_of(kicks, "lucia@kicks.example")
    user_id = get_person(kicks.context, "kicks", removed, kicks.now).member.user_id
    accept_as(kicks.context, secret, user_id, kicks.now)
    assert ADMIN.role.name in roles_of(kicks, "lucia@kicks.example")


@pytest.mark.parametrize(
    "how", ["never", "another", "somebody else's", "expired", "revoked", "used", "unvouched", "held out"]
)
def test_nothing_less_than_a_standing_invitation_of_their_address_brings_them_back(
    kicks: World, marcus: str, removed: str, how: str
) -> None:
    now = kicks.now
    if how in ("another", "somebody else's"):
        send(kicks, marcus, InviteDraft(("peter@kicks.example",)))
    elif how != "never":
        secret = send(kicks, marcus)
    if how == "expired":
        now += timedelta(days=4)
    if how == "revoked":
        revoke(kicks.context, marcus, "kicks", list_invites(kicks.context, "kicks")[0].id, now)
    if how == "used":
        user_id = get_person(kicks.context, "kicks", removed, now).member.user_id
        accept_as(kicks.context, secret, user_id, now)
        remove_member(kicks.context, marcus, "kicks", removed, now)
    if how == "held out":
        kicks.push("lucia@kicks.example", active=False)
        remove_member(kicks.context, marcus, "kicks", removed, now)
        send(kicks, marcus)  # the removal has taken the first one back
    before = get_person(kicks.context, "kicks", removed, now).member
    said = "peter@kicks.example" if how == "somebody else's" else "lucia@kicks.example"
    with pytest.raises((MembershipEnded, HeldOut)):
        sign_in(kicks, said, subject="lucia@kicks.example", now=now, email_vouched=how != "unvouched")
    assert get_person(kicks.context, "kicks", removed, now).member == before


def test_who_the_idp_deleted_comes_back_by_invitation(kicks: World, marcus: str) -> None:
    record = kicks.push("lucia@kicks.example")
    delete_user(kicks.context, kicks.connection, record.id, kicks.now)
    accept_with_password(kicks.context, send(kicks, marcus), "Lucía", PASSWORD, kicks.now)
    member = find_member_id(kicks.context, "kicks", "lucia@kicks.example")
    assert get_person(kicks.context, "kicks", member, kicks.now).member.status == "active"


def test_a_member_is_not_invited(kicks: World, marcus: str) -> None:
    with pytest.raises(Conflict):
        invite(kicks.context, marcus, "kicks", InviteDraft(("marcus@kicks.example",)), kicks.now)


def test_one_wrong_address_invites_nobody(kicks: World, marcus: str) -> None:
    with pytest.raises(Invalid):
        invite(kicks.context, marcus, "kicks", InviteDraft(("lucia@kicks.example", "no address")), kicks.now)
    assert mails(kicks) == []
    assert list_invites(kicks.context, "kicks") == ()


def test_many_are_invited_at_once_each_with_a_link_of_their_own(kicks: World, marcus: str) -> None:
    draft = InviteDraft(("lucia@kicks.example", "Lucia@kicks.example", "peter@kicks.example"))
    assert len(invite(kicks.context, marcus, "kicks", draft, kicks.now)) == 2
    texts = [mail.text for mail in mails(kicks)]
    assert len(set(texts)) == 2


def test_a_mirror_and_a_role_outside_the_plan_are_not_promised(kicks: World, marcus: str) -> None:
    kicks.push_group("eng")
    mirror = find_user_group_id(kicks.context, "kicks", "eng")
    with pytest.raises(Conflict):
        invite(kicks.context, marcus, "kicks", InviteDraft(("lucia@kicks.example",), (), (mirror,)), kicks.now)
    set_plan(kicks.context, OPERATOR, "kicks", "team", kicks.now)
    reading = parse_role_in_scope("Source Read-only", [])
    with pytest.raises(NotInPlan):
        invite(kicks.context, marcus, "kicks", InviteDraft(("lucia@kicks.example",), (reading,)), kicks.now)


def test_what_was_deleted_meanwhile_is_left_out(kicks: World, marcus: str) -> None:
    guild = create_user_group(kicks.context, marcus, "kicks", "Guild", kicks.now)
    for name in ("Orders", "Checkout"):
        add_resource(kicks.context, marcus, "kicks", ResourceDraft("source", name, name.lower()), kicks.now)
    both = parse_role_in_scope("Source Admin", ["source:orders", "source:checkout"])
    gone = parse_role_in_scope("Source Read-only", ["source:checkout"])
    secret = send(kicks, marcus, InviteDraft(("lucia@kicks.example",), (both, gone), (guild.id,)))
    delete_resource(kicks.context, marcus, "kicks", ResourceRef("source", "checkout"), kicks.now)
    delete_user_group(kicks.context, marcus, "kicks", guild.id, kicks.now)
    assert open_invitation(kicks.context, secret, None, kicks.now).gives == ("get Source Admin on Orders",)
    accept_with_password(kicks.context, secret, "Lucía", PASSWORD, kicks.now)
    [permission] = access_of(kicks.context, "kicks", "lucia@kicks.example", kicks.now)
    assert permission.scope.render() == ["source:orders"]


def test_a_label_that_is_not_there_is_refused(kicks: World, marcus: str) -> None:
    given = parse_role_in_scope("Source Admin", ["label:team:web"])
    with pytest.raises(NotFound, match="team:web"):
        invite(kicks.context, marcus, "kicks", InviteDraft(("lucia@kicks.example",), (given,)), kicks.now)


def test_what_a_deleted_label_narrowed_is_left_out_whole(kicks: World, marcus: str) -> None:
    """A label that is promised isn't deleted any more; one may have been, before that was so."""
    web = Label("team", "web")
    add_label(kicks.context, marcus, "kicks", web, kicks.now)
    narrow = parse_role_in_scope("Source Admin", ["label:environment:prod", "label:team:web"])
    reading = parse_role_in_scope("Source Read-only", ["label:environment:prod"])
    secret = send(kicks, marcus, InviteDraft(("lucia@kicks.example",), (narrow, reading)))
    with kicks.context.changing(marcus, kicks.now) as change:
        resources.delete_label(change, kicks.workspace.key, web)
    accept_with_password(kicks.context, secret, "Lucía", PASSWORD, kicks.now)
    assert roles_of(kicks, "lucia@kicks.example") == {"Source Read-only"}


def test_only_owners_invite(kicks: World) -> None:
    kicks.push("ines@kicks.example")
    ines = get_person(
        kicks.context, "kicks", find_member_id(kicks.context, "kicks", "ines@kicks.example"), kicks.now
    ).member
    with pytest.raises(Forbidden):
        invite(kicks.context, f"user:{ines.user_id}", "kicks", LUCIA, kicks.now)


def test_the_operators_link_lets_the_first_owner_choose_a_password(kicks: World) -> None:
    create_workspace(kicks.context, OPERATOR, WorkspaceDraft("boots", "Boots", "olga@boots.example"), kicks.now)
    secret = link_of(kicks.context, kicks.now)
    assert open_invitation(kicks.context, secret, None, kicks.now).needs == "account"
    user = accept_with_password(kicks.context, secret, "Olga", PASSWORD, kicks.now)
    [permission] = access_of(kicks.context, "boots", user.email, kicks.now)
    assert permission.role is OWNER


def test_each_step_is_an_audit_event(kicks: World, marcus: str) -> None:
    before = len(audit_events(kicks.context))
    secret = send(kicks, marcus)
    accept_with_password(kicks.context, secret, "Lucía", PASSWORD, kicks.now)
    kinds = [kind for _, kind, _ in audit_events(kicks.context)[before:]]
    assert kinds == ["invitation.sent", "user.created", "invitation.accepted"]


def test_two_who_open_one_link_at_once_are_one(kicks: World, marcus: str) -> None:
    secret = send(kicks, marcus)
    start = Barrier(2)

    def accept(name: str) -> str:
        start.wait()
        try:
            return accept_with_password(kicks.context, secret, name, PASSWORD, kicks.now).name
        except (Conflict, Expired, Forbidden):
            return "refused"

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(accept, ("Lucía", "Somebody else")))
    assert sorted(answer == "refused" for answer in answers) == [False, True]


def test_whom_an_idp_added_accepts_by_invitation(kicks: World, marcus: str) -> None:
    """An account that another workspace brought is only this one's after its person said so (product.md 4.4)."""
    draft = WorkspaceDraft("boots", "Boots", "lucia@kicks.example", "business", PASSWORD)
    lucia = create_workspace(kicks.context, OPERATOR, draft, kicks.now).owner
    kicks.push("lucia@kicks.example")
    member = find_member_id(kicks.context, "kicks", "lucia@kicks.example")
    assert not get_person(kicks.context, "kicks", member, kicks.now).member.accepted
    minimal = RoleInScope(MINIMAL, EVERYWHERE)
    secret = send(kicks, marcus, InviteDraft(("lucia@kicks.example",), (ADMIN, minimal)))
    accept_as(kicks.context, secret, lucia.id, kicks.now)
    person = get_person(kicks.context, "kicks", member, kicks.now)
    assert person.member.accepted
    assert sorted(one.given.role.name for one in person.grants) == ["Minimal Workspace Access", "Source Admin"]
    with pytest.raises(Conflict):
        send(kicks, marcus)
