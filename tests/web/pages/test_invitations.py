"""Invitations on pages: sent, repeated, revoked, accepted."""

import re
from datetime import timedelta

import pytest
from flask import Flask

from bridge.flows.context import OPERATOR
from bridge.flows.explain import access_of
from bridge.flows.invite import InviteDraft, PendingInvite, invite, list_invites
from bridge.flows.own_connections import set_enabled
from bridge.flows.roles_given import parse_role_in_scope
from bridge.flows.user_groups import create_user_group
from bridge.storage.changes import changing
from bridge.storage.connections import find_by_uid, set_connection
from tests.flows.mailer import link_of
from tests.web.browsing import Surfer, at, connect
from tests.web.pages.conftest import KIM, OLGA, Acme, Send
from tests.world import World

NEW = "/w/acme/invitations/new"
LUCIA = "lucia@acme.example"
LONG = "a sentence that is long enough"


def pending(acme: Acme) -> dict[str, PendingInvite]:
    return {one.email: one for one in list_invites(acme.world.context, "acme")}


def link(acme: Acme) -> str:
    """The path in the mail that was sent last."""
    return f"/invitations/{link_of(acme.world.context, acme.world.now + timedelta(minutes=5))}"


def test_inviting_with_a_role_and_a_user_group(acme: Acme, send: Send) -> None:
    guild = create_user_group(acme.world.context, acme.actor, "acme", "Data Guild", acme.world.now)
    send(
        NEW,
        emails=f"{LUCIA}\nfemi@acme.example",
        role="source_admin",
        scope="listed",
        resource="source:website",
        user_group=guild.id,
    )
    assert sorted(pending(acme)) == ["femi@acme.example", LUCIA]
    assert pending(acme)[LUCIA].gives == ("get Source Admin on Website", "join Data Guild")
    assert acme.told()[-2:] == ["invitation.sent", "invitation.sent"]


@pytest.mark.parametrize(
    ("fields", "place", "status"),
    [
        ({"emails": "lucia@", "scope": "all"}, "f-emails-error", 422),
        ({"emails": "", "scope": "all"}, "f-emails-error", 422),
        ({"emails": LUCIA, "role": "source_admin", "scope": "listed"}, "f-scope-error", 422),
        ({"emails": f"{LUCIA} {KIM}", "scope": "all"}, "f-emails-error", 409),
        ({"emails": LUCIA, "role": "nonsense", "scope": "all"}, "b-note-bad", 404),
        ({"emails": LUCIA, "user_group": "nonsense", "scope": "all"}, "b-note-bad", 404),
    ],
)
def test_wrong_invitation_is_told_in_its_place_and_invites_nobody(
    acme: Acme, send: Send, fields: dict[str, str], place: str, status: int
) -> None:
    told = send(NEW, **fields)
    assert told.status_code == status
    assert place in told.text
    assert all(email in told.text for email in fields["emails"].split())
    assert pending(acme) == {}


def test_what_is_wrong_is_said_with_names_and_quotes(acme: Acme, send: Send) -> None:
    told = send(NEW, emails=LUCIA, role="source_admin", scope="listed", resource="warehouse:snowflake")
    error = told.text.partition('id="f-scope-error"')[2]
    assert "Source Admin holds on sources, not on the warehouse Snowflake." in error
    assert "warehouse:snowflake" not in error.partition("</p>")[0]
    assert "“lucia@” is not an e-mail address." in send(NEW, emails="lucia@", scope="all").text
    assert pending(acme) == {}


def test_what_is_wrong_is_said_of_each_line(acme: Acme, send: Send) -> None:
    told = send(NEW, emails=f"{LUCIA}\nlucia@\nfemi at acme\n<b", scope="all")
    error = told.text.partition('id="f-emails-error"')[2].partition("</p>")[0]
    assert "“lucia@” is not" in error
    assert "“femi” is not" in error
    assert "“&lt;b” is not" in error
    both = send(NEW, emails=f"{KIM}, {OLGA}, {LUCIA}", scope="all")
    error = both.text.partition('id="f-emails-error"')[2].partition("</p>")[0]
    assert f"{KIM} is a member of Acme already. {OLGA} is a member of Acme already." in error
    many = send(NEW, emails=" ".join(f"x{number}@" for number in range(90)), scope="all")
    assert "And 70 more." in many.text
    assert pending(acme) == {}


def test_addresses_are_taken_as_mail_programs_write_them(acme: Acme, send: Send) -> None:
    send(NEW, emails=f"Lucía Ferreiro <{LUCIA}>; femi@acme.example,\r\n <ada@acme.example>\r\n", scope="all")
    assert sorted(pending(acme)) == ["ada@acme.example", "femi@acme.example", LUCIA]


def test_every_user_group_that_takes_people_by_hand_can_be_chosen(acme: Acme, olga: Surfer) -> None:
    for number in range(52):
        create_user_group(acme.world.context, acme.actor, "acme", f"Guild {number:02}", acme.world.now)
    offered = olga.get(NEW).text.partition('id="f-user_group"')[2]
    assert re.findall(r"<b>(Guild \d+)</b>", offered) == [f"Guild {number:02}" for number in range(52)]
    assert "eng-mobile" not in offered, "a mirror: its IdP decides"


def test_resending_replaces_the_link(acme: Acme, olga: Surfer, send: Send, app: Flask) -> None:
    send(NEW, emails=LUCIA, scope="all")
    first = link(acme)
    send(f"/w/acme/invitations/{pending(acme)[LUCIA].id}/resend", "/w/acme/users")
    assert acme.told()[-1] == "invitation.resent"
    assert Surfer(app).get(first).status_code == 410
    assert Surfer(app).get(link(acme)).status_code == 200


def test_revoking_ends_the_link(acme: Acme, olga: Surfer, send: Send, app: Flask) -> None:
    send(NEW, emails=LUCIA, scope="all")
    path = f"/w/acme/invitations/{pending(acme)[LUCIA].id}/revoke"
    assert "The link that lucia@acme.example was mailed stops working" in olga.get(path).text
    send(path)
    assert pending(acme) == {}
    ended = Surfer(app).get(link(acme))
    assert ended.status_code == 410
    assert "This invitation works no longer" in ended.text
    assert olga.get(path).status_code == 404


def test_members_who_are_no_owners_invite_nobody(acme: Acme, kim: Surfer) -> None:
    shown = kim.get(acme.page_of(KIM))
    assert kim.get(NEW).status_code == 403
    assert kim.submit(NEW, shown, emails=LUCIA, scope="all").status_code == 403
    assert pending(acme) == {}


def test_a_form_without_its_token_invites_nobody(acme: Acme, olga: Surfer) -> None:
    assert olga.client.post(NEW, data={"emails": LUCIA, "scope": "all"}).status_code == 400
    assert pending(acme) == {}


# -- Accepting ---------------------------------------------------------------------------------------


def test_new_person_accepts_with_name_and_password_and_is_in(acme: Acme, send: Send, app: Flask) -> None:
    send(NEW, emails=LUCIA, role="source_admin", scope="all")
    lucia, path = Surfer(app), link(acme)
    shown = lucia.get(path)
    assert "Join Acme" in shown.text
    assert "You will get Source Admin on all sources." in shown.text
    assert "At least 12 characters." in shown.text.partition('id="f-password-help"')[2]
    told = lucia.submit(path, shown, name="Lucía Ferreiro", password=LONG)
    assert told.headers["Location"] == "/w/acme"
    home = lucia.get(lucia.get("/w/acme").headers["Location"])
    assert "Edit all sources, 2 now and any future one" in home.text
    assert lucia.get(path).status_code == 410


def test_short_password_is_told_beside_it_and_uses_up_nothing(acme: Acme, send: Send, app: Flask) -> None:
    send(NEW, emails=LUCIA, scope="all")
    lucia, path = Surfer(app), link(acme)
    told = lucia.submit(path, lucia.get(path), name="Lucía", password="short")
    assert told.status_code == 422
    assert "at least 12 characters" in told.text.partition('id="f-password-error"')[2]
    assert 'value="Lucía"' in told.text
    assert "short" not in told.text.partition("<main")[2]
    assert lucia.submit(path, told, name="Lucía", password=LONG).status_code == 303


def test_who_has_an_account_signs_in_and_then_needs_only_the_button(
    acme: Acme, other: World, olga: Surfer, app: Flask
) -> None:
    draft = InviteDraft((OLGA,), (parse_role_in_scope("Source Admin", []),))
    invite(other.context, f"user:{other.owner.id}", "other", draft, other.now)
    path = link(acme)
    stranger = Surfer(app).get(path)
    assert f"/login?return_to={path}" in stranger.text
    shown = olga.get(path)
    assert "Join Other" in shown.text
    assert olga.submit(path, shown).headers["Location"] == "/w/other"
    assert olga.workspaces() == ["acme", "other"]


def test_invitation_of_somebody_else_is_not_accepted_by_who_is_signed_in(acme: Acme, send: Send, kim: Surfer) -> None:
    send(NEW, emails=LUCIA, role="source_admin", scope="all")
    shown = kim.get(link(acme))
    assert f"You are signed in as {KIM}" in shown.text
    assert "Create the account and join" in shown.text
    assert access_of(acme.world.context, "acme", KIM, acme.world.now) == ()


def test_who_is_invited_can_come_by_the_workspaces_own_sign_in(acme: Acme, send: Send, app: Flask) -> None:
    send(NEW, emails=LUCIA, scope="all")
    path, okta = link(acme), acme.world.connection
    shown = Surfer(app).get(path).text
    assert f'href="/saml/{okta.id}/login?return_to={path}"' in shown
    assert f"Continue with {okta.name}" in shown
    assert "Create the account and join" in shown
    set_enabled(acme.world.context, acme.actor, "acme", okta.id, False, acme.world.now)
    assert f"Continue with {okta.name}" not in Surfer(app).get(path).text


def test_an_invitation_is_accepted_through_the_workspaces_own_sign_in(acme: Acme, send: Send, app: Flask) -> None:
    company = connect(acme.world.context, "acme", name="Kicks")
    with changing(acme.world.context.database, OPERATOR, acme.world.now) as change:
        stored = find_by_uid(change.connection, company.connection_id)
        assert stored is not None
        set_connection(change, stored.key, config={**stored.config, "jit": False})
    lucia = Surfer(app)
    assert lucia.sign_in(app, company, email=LUCIA).status_code == 403
    send(NEW, emails=LUCIA, role="source_admin", scope="all")
    path = link(acme)
    assert company.path("login") in lucia.get(path).text
    arrived = lucia.sign_in(app, company, return_to=path, email=LUCIA)
    assert arrived.headers["Location"] == path
    shown = lucia.get(path)
    assert "Join Acme" in shown.text
    assert lucia.submit(path, shown).headers["Location"] == "/w/acme"
    roles = {one.role.name for one in access_of(acme.world.context, "acme", LUCIA, acme.world.now)}
    assert "Source Admin" in roles
    assert lucia.get(path).status_code == 410


def test_expired_link_says_so(acme: Acme, send: Send, app: Flask) -> None:
    send(NEW, emails=LUCIA, scope="all")
    with at(app, acme.world.now + timedelta(days=4)):
        ended = Surfer(app).get(link(acme))
    assert ended.status_code == 410
    assert "Ask who invited you to send it again." in ended.text


@pytest.mark.parametrize("secret", ["x", "a" * 5000, "%00", "%ff"])
def test_link_that_never_was_is_told_as_ended(app: Flask, acme: Acme, secret: str) -> None:
    assert Surfer(app).get(f"/invitations/{secret}").status_code == 410
