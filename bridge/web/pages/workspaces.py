"""Where one comes in: `/`, the choice of workspaces at `/w`, a workspace's own start, and the theme."""

from flask import Blueprint, Response, request, url_for

from bridge.flows.overview import ClosedWorkspace, count_all, find_closed, list_closed
from bridge.flows.sessions import CurrentSession, ReachedWorkspace
from bridge.web.cookies import drop_workspace, last_workspace
from bridge.web.current import current_context, current_session, current_time
from bridge.web.pages.bare import THEME_COOKIE, parse_theme, render_bare
from bridge.web.pages.frame import enter, products_of, sign_in_href, way_there, what_it_asks
from bridge.web.pages.views import WorkspaceChoice, WorkspacesPage
from bridge.web.return_path import go, safe_path

blueprint = Blueprint("workspaces", __name__)

_YEAR = 365 * 86400


@blueprint.get("/")
def start() -> Response:
    """Into the workspace that one was in last, or to what it asks for; to the choice of workspaces, or to sign in."""
    session, slug = current_session(), last_workspace()
    if session is None or slug is None:
        return go(url_for("workspaces.choose" if session else "password.login"))
    if session.find_workspace(slug) is not None:
        return go(url_for("workspaces.home", slug=slug))
    closed = find_closed(current_context(), session, slug, current_time())
    response = go(way_there(session, closed) if closed else url_for("workspaces.choose"))
    drop_workspace(response)  # once: whom its IdP refuses finds the choice here
    return response


@blueprint.get("/w")
def choose() -> Response:
    """The workspaces to choose from; with one only, straight there."""
    session = current_session()
    if session is None:
        return go(sign_in_href())
    closed = list_closed(current_context(), session, current_time())
    if len(session.workspaces) == 1 and not closed:
        return go(url_for("workspaces.home", slug=session.workspaces[0].workspace.slug))
    choices = (*map(_open, session.workspaces), *(_closed(session, one) for one in closed))
    page = WorkspacesPage(
        name=session.user.name,
        email=session.user.email,
        workspaces=tuple(sorted(choices, key=lambda one: one.name.casefold())),
        sign_out_action=url_for("session.leave"),
        account_href=url_for("account.index") if session.may_change_account else None,
        products=products_of(current_context(), session),
    )
    return render_bare("workspaces.html", page)


def _open(reached: ReachedWorkspace) -> WorkspaceChoice:
    return _choice(reached.workspace.slug, reached.workspace.name, reached.owner)


def _closed(session: CurrentSession, closed: ClosedWorkspace) -> WorkspaceChoice:
    slug, name = closed.workspace.slug, closed.workspace.name
    return _choice(slug, name, closed.owner, asks=what_it_asks(closed), href=way_there(session, closed))


def _choice(slug: str, name: str, owner: bool, *, asks: str | None = None, href: str | None = None) -> WorkspaceChoice:
    people = count_all(current_context(), slug).people
    role = "Workspace Owner" if owner else "Member"
    return WorkspaceChoice(name, href or url_for("workspaces.home", slug=slug), role, people, asks)


@blueprint.get("/w/<slug>")
def home(slug: str) -> Response:
    """For owners the people, for others their own page."""
    visit = enter(slug)
    if visit.is_owner:
        return go(visit.url("users.index"))
    return go(visit.url("person.access", member=visit.reached.membership_id))


@blueprint.post("/theme")
def choose_theme() -> Response:
    """Remember light or dark in a cookie, and go back to the page."""
    response = go(safe_path(request.form.get("return_to")))
    theme = parse_theme(request.form.get("theme"))
    if theme:
        secure = request.is_secure
        response.set_cookie(THEME_COOKIE, theme, max_age=_YEAR, httponly=True, samesite="Lax", secure=secure)
    return response
