"""A visit to a workspace: who looks, whether their session reaches it, and what surrounds its pages."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NoReturn

from flask import Response, abort, g, make_response, render_template, request, url_for

from bridge.domain.errors import Forbidden, NotFound
from bridge.domain.sentences import listed
from bridge.domain.workspace import Workspace
from bridge.flows.context import Context
from bridge.flows.overview import ClosedWorkspace, WorkspaceCounts, count_all, find_closed, list_closed, names_of_owners
from bridge.flows.sessions import CurrentSession, ReachedWorkspace
from bridge.flows.twilio import find_links
from bridge.web.cookies import keep_workspace
from bridge.web.current import current_context, current_session, current_time
from bridge.web.pages.bare import chosen_theme, render_bare
from bridge.web.pages.views import (
    ErrorPage,
    Frame,
    Link,
    Me,
    NavItem,
    NavSection,
    Note,
    OtherWorkspace,
    Pager,
    RefusedPage,
    Tab,
)
from bridge.web.return_path import go

_OWNERS_NAMED = 3
#: Page families that are entered by Security.
_SECURITY = ("security", "security_switches", "break_glass")
#: And by Group mapping.
_MAPPING = ("mapping", "rule_form", "rule_change")


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody in a workspace that their session reaches at this moment."""

    context: Context
    session: CurrentSession
    reached: ReachedWorkspace
    now: datetime

    @property
    def workspace(self) -> Workspace:
        """Where they are."""
        return self.reached.workspace

    @property
    def slug(self) -> str:
        """How addresses and flows name it."""
        return self.reached.workspace.slug

    @property
    def actor(self) -> str:
        """How the audit trail names them."""
        return f"user:{self.session.user.id}"

    @property
    def is_owner(self) -> bool:
        """Whether they own the workspace, by whichever path."""
        return self.reached.owner

    def is_self(self, membership_id: str) -> bool:
        """Whether this membership is their own."""
        return self.reached.membership_id == membership_id

    def url(self, endpoint: str, **values: Any) -> str:
        """The path of a page of this workspace."""
        return url_for(endpoint, slug=self.slug, **values)


# -- Coming in ---------------------------------------------------------------------------------------


def enter(slug: str) -> Visit:
    """The visit under way. Signed out, one is sent to sign in; what the session doesn't reach isn't there."""
    session = current_session()
    if session is None:
        abort(go(sign_in_href()))
    reached = session.find_workspace(slug)
    if reached is None:
        refuse_closed(session, slug)
    return Visit(current_context(), session, reached, current_time())


def enter_as_owner(slug: str) -> Visit:
    """The same, for pages and actions of owners. Raises Forbidden."""
    visit = enter(slug)
    if not visit.is_owner:
        _refuse_member(visit)
    return visit


def _refuse_member(visit: Visit) -> NoReturn:
    if request.method not in ("GET", "HEAD"):
        raise Forbidden(f"Only Workspace Owners can do this. {ask_owners(visit)}")
    page = ErrorPage(
        403,
        "Not allowed",
        "This isn’t open to you",
        f"Only Workspace Owners can open this page. {ask_owners(visit)}",
        (
            Link("Go to the start page", "/", primary=True),
            Link("Ask for access", visit.url("access_requests.new")),
        ),
    )
    abort(render_bare("error.html", page, 403))


def sign_in_href() -> str:
    """Where one signs in to come back to the page under way; after a POST, to the start."""
    back = request.full_path.rstrip("?") if request.method in ("GET", "HEAD") else None
    return url_for("password.login", return_to=back)


def ask_owners(visit: Visit) -> str:
    """Whom to turn to: `Ask Mei Tanaka or Marcus Lindqvist.`; of many, the first two `or another Workspace Owner`."""
    names = list(names_of_owners(visit.context, visit.slug, _OWNERS_NAMED + 1, visit.now))
    if len(names) > _OWNERS_NAMED:
        names = [*names[: _OWNERS_NAMED - 1], "another Workspace Owner"]
    return f"Ask {listed(names, last='or')}." if names else "Ask whoever runs the bridge."


def refuse_closed(session: CurrentSession, slug: str) -> NoReturn:
    """What the session doesn't reach: the way in for a member who may know of it, else nothing at all."""
    closed = find_closed(current_context(), session, slug, current_time())
    if closed is None:
        raise NotFound("There is nothing here that your sign-in opens. You may have to sign in another way.")
    abort(render_bare("refused.html", _closed_page(session, closed), 403))


def _closed_page(session: CurrentSession, closed: ClosedWorkspace) -> RefusedPage:
    name = closed.workspace.name
    ways = tuple(
        Link(f"Continue with {way.name}", way_in_href(way.kind, way.connection_id, request.path), primary=n == 0)
        for n, way in enumerate(closed.connections)
    )
    own = _own_way(session, closed, request.path)
    if own and closed.set_up_factor:
        ways = (replace(own, primary=True), *(replace(way, primary=False) for way in ways))
    elif own:
        ways = (*ways, replace(own, primary=not ways))
    if closed.break_glass:
        ways = (*ways, Link("Use a break-glass code", url_for("break_glass.ask", slug=closed.workspace.slug)))
    ways = (*ways, Link("Choose another workspace", url_for("workspaces.choose")))
    if closed.idled:
        return RefusedPage(
            title=f"{name} was closed after 15 minutes without use",
            text=f"{name} holds protected health information, so it closes when nobody uses it. Sign in again to go on "
            "where you were; what else you have open stays open.",
            actions=ways,
            kicker="Closed unused",
        )
    return RefusedPage(
        title=f"{name} asks for {closed.asks_for}",
        text=f"You are a member of {name} as {session.user.email}, but the way in which you signed in doesn’t open "
        "it. Sign in the way it asks for; what you have open stays open.",
        actions=ways,
        kicker="Not open yet",
    )


def _own_way(session: CurrentSession, closed: ClosedWorkspace, return_to: str) -> Link | None:
    """The account's own login, or what is missing of it, where that opens the workspace."""
    if closed.set_up_factor:
        return Link("Set up a second factor", url_for("account_factors.index", return_to=return_to))
    if not closed.by_account:
        return None
    if closed.own_login == "Twilio":
        return Link("Log in with Twilio", url_for("twilio.login", return_to=return_to))
    if not session.user.has_password:
        return Link("Sign in again", url_for("password.login", return_to=return_to))
    email = session.user.email
    again = url_for("password.login", way="password", email=email, return_to=return_to)
    return Link("Sign in with your password", again)


def way_there(session: CurrentSession, closed: ClosedWorkspace) -> str:
    """What a closed workspace asks for, where that is one thing; else its page, which says why and lets one choose."""
    home = url_for("workspaces.home", slug=closed.workspace.slug)
    if closed.idled or closed.break_glass:
        return home
    ways = [way_in_href(way.kind, way.connection_id, home) for way in closed.connections]
    own = _own_way(session, closed, home)
    if own:
        ways.append(own.href)
    return ways[0] if len(ways) == 1 else home


def way_in_href(kind: str, connection_id: str, return_to: str) -> str:
    """Where a connection signs somebody in who then comes back."""
    return url_for(f"{kind}.login", connection=connection_id, return_to=return_to)


# -- What surrounds a page ---------------------------------------------------------------------------


def show(visit: Visit, template: str, page: Any, *, status: int = 200, notices: tuple[Note, ...] = ()) -> Response:
    """A page of the workspace, filled with its value of `views`."""
    frame = replace(_frame(visit), notices=notices)
    response = make_response(render_template(template, page=page, frame=frame, now=visit.now), status)
    keep_workspace(response, visit.slug)
    return response


def is_fragment() -> bool:
    """Whether htmx asks for a part of a page; going back, it asks for the whole one again."""
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers


def _frame(visit: Visit) -> Frame:
    return Frame(
        workspace=visit.workspace.name,
        plan=visit.workspace.plan,
        people=counts(visit).people,
        home_href=visit.url("workspaces.home"),
        switch_href=url_for("workspaces.choose"),
        others=_others(visit),
        nav=_navigation(visit),
        me=_me(visit),
        path=_path_shown(visit),
        theme=chosen_theme(),
        theme_action=url_for("workspaces.choose_theme"),
        sign_out_action=url_for("session.leave"),
        products=products_of(visit.context, visit.session),
    )


def _me(visit: Visit) -> Me:
    own = url_for("account.index") if visit.session.may_change_account else None
    return Me(visit.session.user.name, "Workspace Owner" if visit.is_owner else "Member", own)


def products_of(context: Context, session: CurrentSession) -> tuple[Link, ...]:
    """Back to Twilio's Console, and to its other products, for who came from there."""
    if not any(one.kind == "twilio" for one in session.authentications):
        return ()
    links = find_links(context)
    console = (Link("Twilio Console", links.console),) if links and links.console else ()
    return (*console, *(Link(name, url) for name, url in (links.products if links else ())))


def counts(visit: Visit) -> WorkspaceCounts:
    """Asked once a request: the frame and the tabs show the same."""
    if "counts" not in g:
        g.counts = count_all(visit.context, visit.slug)
    found: WorkspaceCounts = g.counts
    return found


def _others(visit: Visit) -> tuple[OtherWorkspace, ...]:
    """What there is to switch to: workspaces reached, and those that ask for another way in."""
    session = visit.session
    reached = [
        OtherWorkspace(one.workspace.name, url_for("workspaces.home", slug=one.workspace.slug))
        for one in session.workspaces
        if one.workspace.key != visit.workspace.key
    ]
    closed = [
        OtherWorkspace(one.workspace.name, way_there(session, one), what_it_asks(one))
        for one in list_closed(visit.context, session, visit.now)
    ]
    return tuple(sorted((*reached, *closed), key=lambda one: one.name.casefold()))


def what_it_asks(closed: ClosedWorkspace) -> str:
    """What a closed workspace asks for, as lists of workspaces say it."""
    return "closed without use: asks to sign in again" if closed.idled else f"asks for {closed.asks_for}"


def _path_shown(visit: Visit) -> str:
    return request.full_path.rstrip("?") if request.method == "GET" else visit.url("workspaces.home")


def _navigation(visit: Visit) -> tuple[NavSection, ...]:
    here = request.endpoint
    own = visit.url("person.access", member=visit.reached.membership_id)
    on_person = request.blueprint in ("person", "person_leaving")
    on_own = on_person and visit.is_self(str((request.view_args or {}).get("member")))
    if not visit.is_owner:
        roles = NavItem("Roles", visit.url("roles.index"), "role", current=here == "roles.index")
        yours = NavItem("Your access", own, "people", current=on_own)
        things = NavItem(
            "Resources", visit.url("resources.index"), "resource", current=request.blueprint == "resources"
        )
        return (NavSection("You", (yours, things, roles, _requests_item(visit))),)
    log = NavItem("SCIM log", visit.url("scim_log.index"), "sync", current=here == "scim_log.index")
    sign_ins = NavItem("Sign-in log", visit.url("sign_in_log.index"), "enter", current=_on_sign_ins())
    links = NavItem("Connections", visit.url("connections.index"), "building", current=_on_connections())
    domains = NavItem("Domains", visit.url("domains.index"), "mail", current=request.blueprint == "domains")
    security = NavItem("Security", visit.url("security.index"), "lock", current=request.blueprint in _SECURITY)
    signing_in = (links, domains, security, sign_ins, log)
    rules = NavItem("Group mapping", visit.url("mapping.index"), "rule", current=request.blueprint in _MAPPING)
    drawn = NavItem("Picture of access", visit.url("picture.index"), "picture", current=here == "picture.index")
    asks = NavItem("Why", visit.url("why.ask"), "info", current=here == "why.ask")
    said = NavItem("Directory", visit.url("idp_directory.groups"), "group", current=_on_directory())
    asked = _requests_item(visit, waiting=counts(visit).requests)
    plan = NavItem("Plan", visit.url("plan.index"), "label", current=request.blueprint == "plan")
    elsewhere = on_own or any(item.current for item in (asked, plan, rules, drawn, asks, said, *signing_in))
    people = NavItem("Access Management", visit.url("users.index"), "people", current=not elsewhere)
    return (
        NavSection("People", (people, asked, NavItem("Your access", own, "role", current=on_own), plan)),
        NavSection("Directory", (rules, drawn, asks, said)),
        NavSection("Signing in", signing_in),
    )


def _requests_item(visit: Visit, *, waiting: int = 0) -> NavItem:
    href, current = visit.url("access_requests.index"), request.blueprint == "access_requests"
    return NavItem("Access requests", href, "key", current=current, waiting=waiting)


def _on_sign_ins() -> bool:
    return request.blueprint == "sign_in_log"


def _on_directory() -> bool:
    return request.blueprint in ("idp_directory", "gives")


_CONNECTIONS = frozenset(
    (
        "connections",
        "connection_new",
        "connection_settings",
        "connection_keys",
        "client_key",
        "connection_test",
        "directory",
    )
)


def _on_connections() -> bool:
    return request.blueprint in _CONNECTIONS


def access_tabs(visit: Visit, current: str) -> tuple[Tab, ...]:
    """The tabs of Access Management; who is no owner has those they can open."""
    each = counts(visit)
    roles: tuple[tuple[str, str, int | None], ...] = (("Roles", "roles.index", None),)
    tabs: tuple[tuple[str, str, int | None], ...] = (
        ("Users", "users.index", each.people + each.invited),
        ("User Groups", "user_groups.index", each.user_groups),
        ("Tokens", "tokens.index", each.tokens),
        ("Resources", "resources.index", each.resources),
        ("Labels", "labels.index", each.labels),
        *roles,
    )
    return tuple(
        Tab(text, visit.url(endpoint), count, current=text == current)
        for text, endpoint, count in (tabs if visit.is_owner else (("Resources", "resources.index", None), *roles))
    )


def pager(
    visit: Visit, endpoint: str, where: Mapping[str, str], number: int, shown: int, total: int, *, size: int = 50
) -> Pager:
    """Page `number` of something, of which `shown` lines are there; `where` is what its address says beside."""
    skipped = (number - 1) * size
    kept = {name: value for name, value in where.items() if value}
    return Pager(
        first=skipped + 1 if shown else 0,
        last=skipped + shown if shown else 0,
        total=total,
        previous=visit.url(endpoint, **kept, page=number - 1) if number > 1 else None,
        next=visit.url(endpoint, **kept, page=number + 1) if shown and skipped + shown < total else None,
    )


def crumbs(visit: Visit, *more: Link) -> tuple[Link, ...]:
    """The way down to a page below Access Management; nothing above one's own page for who is no owner."""
    return (Link("Access Management", visit.url("users.index")), *more) if visit.is_owner else ()
