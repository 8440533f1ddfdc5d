"""Break-glass codes: made and revoked at `/w/<slug>/security/codes`, used at `/w/<slug>/break-glass`."""

from dataclasses import replace
from uuid import UUID

from flask import Blueprint, Response, url_for

from bridge.domain.errors import TooManyTries
from bridge.domain.sentences import counted
from bridge.domain.sign_in_refusals import LoginTooOld, WrongCode
from bridge.flows.break_glass import (
    NamedOwner,
    get_named_owner,
    login_is_fresh,
    make_codes,
    may_use_code,
    open_by_code,
    revoke_codes,
)
from bridge.flows.sessions import CurrentSession
from bridge.web.current import current_client, current_context, current_session, current_time
from bridge.web.pages.bare import render_bare
from bridge.web.pages.forms import typed
from bridge.web.pages.frame import enter_as_owner, show, sign_in_href
from bridge.web.pages.security import security_page
from bridge.web.pages.security_parts import ask_at_security
from bridge.web.pages.views import BreakGlassPage, Consequence, Field, NewGlassCodes, Note
from bridge.web.return_path import go

blueprint = Blueprint("break_glass", __name__, url_prefix="/w/<slug>")


# -- Made and revoked -------------------------------------------------------------------------------


@blueprint.get("/security/codes/<uuid:member>")
def ask_to_make(slug: str, member: UUID) -> Response:
    """What becomes of the codes that an owner has, before there are new ones."""
    visit = enter_as_owner(slug)
    owner = get_named_owner(visit.context, visit.slug, str(member), visit.now)
    lines = (
        Consequence("lose", f"{_codes_of(owner)} no longer: also those that lie in a safe"),
        Consequence("gain", "Five new ones, shown once, on the next page"),
        Consequence("remember", "Every owner gets mail"),
    )
    action = visit.url("break_glass.make", member=owner.membership_id)
    return ask_at_security(visit, f"Replace the codes of {owner.name}?", action, "Make five new codes", lines)


def _codes_of(owner: NamedOwner) -> str:
    return f"{counted(owner.codes, 'code')} of {owner.name} {'opens' if owner.codes == 1 else 'open'}"


@blueprint.get("/security/codes/<uuid:member>/revoke")
def ask_to_revoke(slug: str, member: UUID) -> Response:
    """What forgetting an owner's codes takes."""
    visit = enter_as_owner(slug)
    owner = get_named_owner(visit.context, visit.slug, str(member), visit.now)
    lines = (
        Consequence("lose", f"{_codes_of(owner)} no longer"),
        Consequence("lose", "What others of their codes opened closes with the next request"),
        Consequence("remember", "New ones can be made at any time"),
    )
    action = visit.url("break_glass.revoke", member=owner.membership_id)
    return ask_at_security(visit, f"Revoke the codes of {owner.name}?", action, "Revoke them", lines)


@blueprint.post("/security/codes/<uuid:member>")
def make(slug: str, member: UUID) -> Response:
    """New codes for an owner, shown this once."""
    visit = enter_as_owner(slug)
    made = make_codes(visit.context, visit.actor, visit.slug, str(member), visit.now)
    new = NewGlassCodes(made.owner.name, made.codes, visit.url("security.index"))
    response = show(visit, "security.html", replace(security_page(visit), new=new))
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("/security/codes/<uuid:member>/revoke")
def revoke(slug: str, member: UUID) -> Response:
    """Forget an owner's codes, and close what others opened."""
    visit = enter_as_owner(slug)
    revoke_codes(visit.context, visit.actor, visit.slug, str(member), visit.now)
    return go(visit.url("security.index"))


# -- Used ------------------------------------------------------------------------------------------


@blueprint.get("/break-glass")
def ask(slug: str) -> Response:
    """Ask an owner for a code."""
    session = current_session()
    if session is None:
        return go(sign_in_href())
    if session.find_workspace(slug) is not None:
        return go(url_for("workspaces.home", slug=slug))
    return _code_page(slug, session)


@blueprint.post("/break-glass")
def use(slug: str) -> Response:
    """Open the workspace by a code."""
    session = current_session()
    if session is None:
        return go(sign_in_href())
    if session.find_workspace(slug) is None:
        try:
            open_by_code(current_context(), session, slug, typed("code"), current_client(), current_time())
        except (WrongCode, LoginTooOld) as error:
            return _code_page(slug, session, error=error.text, status=403)
        except TooManyTries as error:
            response = _code_page(slug, session, notice=Note("warn", error.text, urgent=True), status=429)
            response.headers["Retry-After"] = str(error.retry_after)
            return response
    return go(url_for("workspaces.home", slug=slug))


def _code_page(
    slug: str, session: CurrentSession, *, error: str | None = None, notice: Note | None = None, status: int = 200
) -> Response:
    workspace = may_use_code(current_context(), session, slug, current_time())
    fresh, here = login_is_fresh(session, current_time()), url_for("break_glass.ask", slug=slug)
    text = "Seventeen letters and digits; dashes and capitals don’t matter."
    page = BreakGlassPage(
        workspace=workspace.name,
        email=session.user.email,
        action=url_for("break_glass.use", slug=slug),
        sign_in_href=url_for("password.login", way="password", return_to=here),
        cancel_href=url_for("workspaces.choose"),
        field=Field("code", "Break-glass code", help=text, error=error) if fresh else None,
        notice=notice,
    )
    return render_bare("break_glass.html", page, status)
