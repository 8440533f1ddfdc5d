"""`/w/<slug>/domains`: domains of e-mail addresses, claimed, proved, routed to a connection and let go."""

from dataclasses import replace

from flask import Blueprint, Response

from bridge.domain.domains import Domain, show_domain
from bridge.domain.errors import DomainError
from bridge.domain.roles import has_sso
from bridge.domain.workspace import Connection
from bridge.flows.domains import add_domain, get_domain, list_domains, remove_domain, route_domain, verify_domain
from bridge.flows.own_connections import list_connections
from bridge.web.current import current_outside
from bridge.web.pages.filters import day
from bridge.web.pages.forms import asked, error_at, error_note, typed
from bridge.web.pages.frame import Visit, enter_as_owner, show
from bridge.web.pages.views import (
    Choice,
    ConfirmPage,
    Consequence,
    DomainPanel,
    DomainRow,
    DomainsPage,
    Fact,
    Field,
    Link,
    Note,
    Option,
    Status,
)
from bridge.web.return_path import go
from bridge.web.statuses import status_of

blueprint = Blueprint("domains", __name__, url_prefix="/w/<slug>/domains")

_ANY = "Any connection"
_PROOFS = {"dns": "by its DNS record", "meta": "by the tag on its root page", "word": "by the operator’s word"}


@blueprint.get("")
def index(slug: str) -> Response:
    """Every claimed domain, and what proves the one that is selected."""
    visit = enter_as_owner(slug)
    return show(visit, "domains.html", _page(visit, asked("selected")))


@blueprint.post("")
def claim(slug: str) -> Response:
    """Claim one, or get a new token for it."""
    visit = enter_as_owner(slug)
    connection = typed("connection") or None
    try:
        made = add_domain(visit.context, visit.actor, visit.slug, typed("domain"), connection, visit.now)
    except DomainError as error:
        return _told(visit, asked("selected"), error)
    return go(visit.url("domains.index", selected=made.name))


@blueprint.post("/<name>/verify")
def verify(slug: str, name: str) -> Response:
    """Look for its proof now, and say what was found."""
    visit = enter_as_owner(slug)
    outside = current_outside()
    try:
        with outside.errands.turn():
            verify_domain(visit.context, visit.actor, visit.slug, name, outside.look_for_proof, visit.now)
    except DomainError as error:
        return _told(visit, name, error)
    return go(visit.url("domains.index", selected=name))


@blueprint.post("/<name>/route")
def route(slug: str, name: str) -> Response:
    """Send its people to a connection."""
    visit = enter_as_owner(slug)
    try:
        route_domain(visit.context, visit.actor, visit.slug, name, typed("route_to") or None, visit.now)
    except DomainError as error:
        return _told(visit, name, error)
    return go(visit.url("domains.index", selected=name))


@blueprint.get("/<name>/remove")
def ask_to_remove(slug: str, name: str) -> Response:
    """What letting it go means."""
    visit = enter_as_owner(slug)
    found = get_domain(visit.context, visit.slug, name)
    page = ConfirmPage(
        title=f"Let {found.name} go?",
        text=None if found.shown == found.name else found.shown,
        crumbs=(Link("Domains", visit.url("domains.index")),),
        action=visit.url("domains.remove", name=found.name),
        button=f"Let {found.name} go",
        consequences=_letting_go(found),
        cancel_href=visit.url("domains.index", selected=found.name),
    )
    return show(visit, "confirm.html", page)


@blueprint.post("/<name>/remove")
def remove(slug: str, name: str) -> Response:
    """Let it go."""
    visit = enter_as_owner(slug)
    remove_domain(visit.context, visit.actor, visit.slug, name, visit.now)
    return go(visit.url("domains.index"))


def _letting_go(found: Domain) -> tuple[Consequence, ...]:
    if found.proved_at is None:
        return (Consequence("keep", "Nothing changes for anybody: it isn’t proved"),)
    return (
        Consequence("lose", "The sign-in page no longer sends its people to a connection"),
        Consequence("lose", "A first sign-in that meets an existing account has to be confirmed"),
        Consequence("lose", "Another workspace can prove it"),
        Consequence("keep", "Whoever signed in before keeps their way in"),
    )


# -- The page ----------------------------------------------------------------------------------------


def _told(visit: Visit, selected: str, error: DomainError) -> Response:
    note = error_note(error, "domain")
    page = _page(visit, selected, error)
    if note and page.panel:  # one note says it, where the eye and a screen reader are first
        page = replace(page, panel=replace(page.panel, note=None))
    return show(visit, "domains.html", page, status=status_of(error), notices=(note,) if note else ())


def _page(visit: Visit, selected: str, error: DomainError | None = None) -> DomainsPage:
    connections = list_connections(visit.context, visit.slug)
    claimed = list_domains(visit.context, visit.slug)
    text = "The part behind the @. Each name below it (mail.kicks.example) is another domain."
    wrong = error_at(error, "domain")
    found = next((one for one in claimed if one.name == selected), None)
    return DomainsPage(
        action=visit.url("domains.claim"),
        rows=tuple(_row(visit, one, connections, selected) for one in claimed),
        field=Field("domain", "Domain", typed("domain") if wrong else "", help=text, error=wrong),
        route=_route(connections, None),
        panel=_panel(visit, found, connections) if found else None,
    )


def _row(visit: Visit, domain: Domain, connections: tuple[Connection, ...], selected: str) -> DomainRow:
    return DomainRow(
        name=domain.shown,
        status=_status(visit, domain),
        sent_to=_sent_to(visit, domain, connections),
        looked=domain.checked_at,
        href=visit.url("domains.index", selected=domain.name, _anchor="domain"),
        selected=domain.name == selected,
    )


def _sent_to(visit: Visit, domain: Domain, connections: tuple[Connection, ...]) -> str:
    """What the sign-in page asks its people for at this moment."""
    if domain.proved_at is None:
        return "A password, until it is proved"
    if not has_sso(visit.workspace.plan):
        return f"A password: the {visit.workspace.plan} plan has no single sign-on"
    own = next((one for one in connections if one.id == domain.connection_id), None)
    if own is not None:
        return own.name if own.enabled else f"A password: {own.name} is off"
    return _ANY if any(one.enabled for one in connections) else "A password: no connection is on"


def _status(visit: Visit, domain: Domain) -> Status:
    if domain.proved_at is None:
        return Status("bad", "Token ran out") if domain.token_expires_at <= visit.now else Status("off", "Not proved")
    return Status("warn", "Proof is missing") if domain.missing_since else Status("ok", "Proved")


def _route(connections: tuple[Connection, ...], chosen: str | None) -> Choice:
    named = tuple(Option(one.id, one.name, selected=one.id == chosen) for one in connections)
    return Choice("connection", "Its people sign in with", (Option("", _ANY, selected=chosen is None), *named))


def _panel(visit: Visit, domain: Domain, connections: tuple[Connection, ...]) -> DomainPanel:
    over = domain.proved_at is None and domain.token_expires_at <= visit.now
    # The page has two such fields, so this one has a name of its own.
    chosen = replace(_route(connections, domain.connection_id), name="route_to")
    return DomainPanel(
        name=show_domain(domain.name),
        facts=_facts(domain),
        verify_action=visit.url("domains.verify", name=domain.name),
        record_name=domain.record_name,
        token=domain.token,
        meta_tag=domain.meta_tag,
        route=chosen,
        route_action=visit.url("domains.route", name=domain.name),
        remove_href=visit.url("domains.ask_to_remove", name=domain.name),
        proved=domain.proved_at is not None,
        note=_note(visit, domain, over),
        renew=(visit.url("domains.claim", selected=domain.name), domain.name) if over else None,
    )


def _facts(domain: Domain) -> tuple[Fact, ...]:
    if domain.proved_at is None:
        return (Fact("Token good until", at=domain.token_expires_at),)
    proved = Fact("Proved", _PROOFS.get(domain.proof or "", ""), domain.proved_at)
    return (proved, Fact("Last found", at=domain.found_at)) if domain.found_at else (proved,)


def _note(visit: Visit, domain: Domain, over: bool) -> Note | None:
    if over:
        return Note("bad", "The token ran out", "Get a new one, and put it in the place of the old one.")
    if domain.ends_at is not None:
        text = f"{domain.problem or ''} Put it back by {day(domain.ends_at, visit.now)}, or the domain isn’t proved."
        return Note("warn", "The proof is missing", text)
    if domain.proved_at is None and domain.problem:
        return Note("info", "Not found yet", domain.problem)
    return None
