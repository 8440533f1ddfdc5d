"""Invitations: owners send, repeat and revoke them; the invited person accepts at `/invitations/<secret>`."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from flask import Blueprint, Response, request, url_for

from bridge.domain.access import RoleInScope
from bridge.domain.errors import DomainError, Expired
from bridge.domain.passwords import SHORTEST
from bridge.domain.roles import get_role
from bridge.domain.second_factors import FactorNeeded
from bridge.domain.sentences import listed
from bridge.flows.accept_invitation import OpenedInvite, accept_as, accept_with_password, open_invitation
from bridge.flows.invite import InviteDraft, find_invite, invite, resend, revoke
from bridge.flows.password_login import Credentials, sign_in_with_password
from bridge.flows.user_groups import list_open_user_groups
from bridge.web.cookies import keep_known, keep_session, session_secret
from bridge.web.current import current_client, current_context, current_session, current_time
from bridge.web.factor_step import ask_factor
from bridge.web.pages.bare import render_bare
from bridge.web.pages.forms import (
    Picked,
    error_at,
    error_note,
    load_stock,
    parted,
    picked,
    role_select,
    scope_picker,
    ticked,
    typed,
)
from bridge.web.pages.frame import Visit, crumbs, enter_as_owner, show
from bridge.web.pages.views import (
    Choice,
    ConfirmPage,
    Consequence,
    Field,
    InvitationPage,
    InvitePage,
    Link,
    Note,
    Option,
    RefusedPage,
    SignInWay,
)
from bridge.web.return_path import go
from bridge.web.statuses import status_of

blueprint = Blueprint("invitations", __name__)

EMAILS = Field(
    "emails",
    "Email addresses",
    kind="textarea",
    help="One a line, or with commas between, as pasted from a mail program. At most 100.",
)
PASSWORD = Field(
    "password",
    "Password",
    kind="password",
    autocomplete="new-password",
    help=f"At least {SHORTEST} characters. A sentence is easier to remember than a riddle.",
)
_FIELDS = ("emails", "email", "scope", "role")


def promise(gives: Sequence[str]) -> str:
    """What an invitation gives, as one sentence: `Will get Source Admin on all sources and join Data Guild`."""
    return f"Will {listed(list(gives))}" if gives else "Will see the workspace"


# -- Owners invite -----------------------------------------------------------------------------------


@blueprint.get("/w/<slug>/invitations/new")
def new(slug: str) -> Response:
    """Whom to invite, and what they get."""
    return _form(enter_as_owner(slug), Picked())


@blueprint.post("/w/<slug>/invitations/new")
def send(slug: str) -> Response:
    """Invite them all, or none."""
    visit, left_at = enter_as_owner(slug), picked()
    try:
        draft = InviteDraft(pasted_addresses(), _roles(visit, left_at), tuple(sorted(ticked("user_group"))))
        invite(visit.context, visit.actor, visit.slug, draft, visit.now)
    except DomainError as error:
        return _form(visit, left_at, error)
    return go(visit.url("users.index", membership="invited"))


def pasted_addresses() -> tuple[str, ...]:
    """What was typed or pasted as addresses; where a mail program put a name before one, as in
    `Lucía Ferreiro <lucia@kicks.example>` (RFC 5322 3.4), the address.
    """
    text = request.form.get("emails", "").replace(";", ",").replace("\n", ",")
    return parted(" ".join(map(_address, text.split(","))))


def _address(written: str) -> str:
    _, opens, inside = written.partition("<")
    address, closes, after = inside.partition(">")
    return address if opens and closes and not after.strip() else written


def _roles(visit: Visit, left_at: Picked) -> tuple[RoleInScope, ...]:
    if not typed("role"):
        return ()
    role = get_role(typed("role"))
    return (RoleInScope(role, left_at.scope(visit, role)),)


def _form(visit: Visit, left_at: Picked, error: DomainError | None = None) -> Response:
    emails = replace(EMAILS, value="\n".join(pasted_addresses()), error=error_at(error, "emails", "email"))
    page = InvitePage(
        crumbs=crumbs(visit, Link("Users", visit.url("users.index"))),
        action=visit.url("invitations.send"),
        cancel_href=visit.url("users.index"),
        emails=emails,
        role=role_select(visit, typed("role"), none="None: see the workspace", error=error_at(error, "role")),
        scope=scope_picker(load_stock(visit), left_at=left_at, error=error_at(error, "scope")),
        user_groups=_user_groups(visit),
        expires_days=visit.context.invite_lifetime.days,
        notice=error_note(error, *_FIELDS),
    )
    return show(visit, "invite.html", page, status=status_of(error) if error else 200)


def _user_groups(visit: Visit) -> Choice:
    chosen, open_ones = ticked("user_group"), list_open_user_groups(visit.context, visit.slug)
    options = tuple(Option(group_id, name, selected=group_id in chosen) for group_id, name in open_ones.items())
    return Choice("user_group", "User Groups", options, help="Whoever joins one gets what it gives.")


@blueprint.post("/w/<slug>/invitations/<uuid:invite>/resend")
def send_again(slug: str, invite: UUID) -> Response:
    """Mail a new link; the old one stops working."""
    visit = enter_as_owner(slug)
    resend(visit.context, visit.actor, visit.slug, str(invite), visit.now)
    return go(visit.url("users.index", membership="invited"))


@blueprint.get("/w/<slug>/invitations/<uuid:invite>/revoke")
def ask_to_revoke(slug: str, invite: UUID) -> Response:
    """What revoking means."""
    visit = enter_as_owner(slug)
    pending = find_invite(visit.context, visit.slug, str(invite))
    page = ConfirmPage(
        title=f"Revoke the invitation of {pending.email}?",
        crumbs=crumbs(visit, Link("Users", visit.url("users.index"))),
        action=visit.url("invitations.end", invite=pending.id),
        button="Revoke the invitation",
        consequences=(
            Consequence("lose", f"The link that {pending.email} was mailed stops working"),
            Consequence("remember", "They can be invited again at any time"),
        ),
        cancel_href=visit.url("users.index", membership="invited"),
    )
    return show(visit, "confirm.html", page)


@blueprint.post("/w/<slug>/invitations/<uuid:invite>/revoke")
def end(slug: str, invite: UUID) -> Response:
    """End the invitation."""
    visit = enter_as_owner(slug)
    revoke(visit.context, visit.actor, visit.slug, str(invite), visit.now)
    return go(visit.url("users.index", membership="invited"))


# -- The invited person accepts ----------------------------------------------------------------------


@blueprint.get("/invitations/<secret>")
def look(secret: str) -> Response:
    """What one is invited to, and what accepting takes."""
    try:
        return _invitation(secret, _open(secret))
    except Expired as error:
        return _ended(error)


@blueprint.post("/invitations/<secret>")
def accept(secret: str) -> Response:
    """Accept with a new account, or as who is signed in; then open the workspace."""
    try:
        opened = _open(secret)
        return _accept_as(secret, opened) if opened.needs == "nothing" else _accept_with_account(secret, opened)
    except Expired as error:
        return _ended(error)


def _open(secret: str) -> OpenedInvite:
    session = current_session()
    return open_invitation(current_context(), secret, session.user.id if session else None, current_time())


def _accept_as(secret: str, opened: OpenedInvite) -> Response:
    session = current_session()
    accept_as(current_context(), secret, session.user.id if session else "", current_time())
    return go(url_for("workspaces.home", slug=opened.workspace_slug))


def _accept_with_account(secret: str, opened: OpenedInvite) -> Response:
    context, password = current_context(), request.form.get("password", "")
    try:
        accept_with_password(context, secret, typed("name"), password, current_time())
    except Expired:
        raise
    except DomainError as error:
        return _invitation(secret, opened, error)
    home = url_for("workspaces.home", slug=opened.workspace_slug)
    try:
        told = sign_in_with_password(
            context, Credentials(opened.email, password), current_client(), current_time(), old=session_secret()
        )
    except FactorNeeded as needed:
        return ask_factor(needed, home)
    response = go(home)
    keep_session(response, told.cookie, context.session_lifetime)
    keep_known(response, told.known)
    return response


def _invitation(secret: str, opened: OpenedInvite, error: DomainError | None = None) -> Response:
    here = url_for("invitations.accept", secret=secret)
    page = InvitationPage(
        workspace=opened.workspace,
        email=opened.email,
        invited_by=opened.invited_by,
        gives=tuple(f"You will {text}." for text in opened.gives),
        expires=opened.expires_at,
        action=here,
        needs=opened.needs,
        name=Field("name", "Your name", typed("name"), autocomplete="name", error=error_at(error, "name")),
        password=replace(PASSWORD, error=error_at(error, "password")),
        sign_in_href=url_for("password.login", return_to=here),
        notice=error_note(error, "name", "password") or _somebody_else(opened),
        ways=_ways(opened, here),
        only_ways=opened.requires_sso,
    )
    return render_bare("invitation.html", page, status_of(error) if error else 200)


def _somebody_else(opened: OpenedInvite) -> Note | None:
    session = current_session()
    if session is None or opened.needs == "nothing":
        return None
    return Note(
        "info",
        f"You are signed in as {session.user.email}",
        f"The invitation is for {opened.email} only. Accepting it signs you in as {opened.email} instead.",
    )


def _ways(opened: OpenedInvite, here: str) -> tuple[SignInWay, ...]:
    if opened.needs == "nothing":
        return ()
    return (*_company_ways(opened, here), *_twilio_way(opened, here))


def _twilio_way(opened: OpenedInvite, here: str) -> tuple[SignInWay, ...]:
    """Sign-up there, for who has no account here (product.md 3.5); with an account, the login there."""
    if current_context().twilio is None or opened.requires_sso:
        return ()
    sign_up = "1" if opened.needs == "account" else None
    href = url_for("twilio.login", return_to=here, login_hint=opened.email, sign_up=sign_up)
    text = "Sign up with Twilio" if sign_up else "Log in with Twilio"
    return (SignInWay("twilio", text, f"As {opened.email}; then you come back here", href),)


def _company_ways(opened: OpenedInvite, here: str) -> tuple[SignInWay, ...]:
    help_text = f"As {opened.email}; then you come back here"
    return tuple(
        SignInWay(
            "sso", f"Continue with {way.name}", help_text, _login_href(way.kind, way.connection_id, here, opened.email)
        )
        for way in opened.ways
    )


def _login_href(kind: str, connection_id: str, here: str, email: str) -> str:
    hint = email if kind == "oidc" else None
    return url_for(f"{kind}.login", connection=connection_id, return_to=here, login_hint=hint)


def _ended(error: Expired) -> Response:
    page = RefusedPage(
        title="This invitation works no longer",
        text=error.text,
        actions=(Link("Sign in", url_for("password.login"), primary=True),),
        kicker="Invitation ended",
    )
    return render_bare("refused.html", page, status_of(error))
