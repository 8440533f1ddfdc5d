"""`/w/<slug>/connections`: links to companies' IdPs; one of them with our addresses; switched on and off, deleted."""

from functools import partial
from uuid import UUID

from flask import Blueprint, Response

from bridge.domain.errors import DomainError, Stale
from bridge.domain.presets import Ours
from bridge.domain.previews import Seen, Side, SwitchConnection
from bridge.domain.roles import has_sso
from bridge.domain.sentences import counted
from bridge.domain.workspace import Connection
from bridge.flows.connection_overview import ConnectionOverview, foresee_closing, list_overviews
from bridge.flows.own_connections import delete_connection, set_enabled
from bridge.flows.rotate_client_key import has_own_key
from bridge.web.pages.client_key import client_key_links
from bridge.web.pages.connection_parts import (
    SPEAKS,
    closing_lines,
    closing_panel,
    crumbs,
    enter_connection,
    expiry,
    foreseen_field,
    head,
    href,
    our_values,
    preset_of,
    read_foreseen,
    setup_steps,
    status,
    vendor,
)
from bridge.web.pages.forms import error_at, error_note, typed
from bridge.web.pages.frame import Visit, enter_as_owner, show
from bridge.web.pages.preview_parts import confirm, do_as_seen
from bridge.web.pages.views import (
    ConfirmPage,
    ConnectionDeletePage,
    ConnectionPage,
    ConnectionRow,
    ConnectionsPage,
    Consequence,
    ConsoleValue,
    Fact,
    Field,
    Link,
    Note,
)
from bridge.web.return_path import go
from bridge.web.statuses import status_of

blueprint = Blueprint("connections", __name__, url_prefix="/w/<slug>/connections")


# -- All of them -------------------------------------------------------------------------------------


@blueprint.get("")
def index(slug: str) -> Response:
    """Every connection, whether it works, and who comes by it."""
    visit = enter_as_owner(slug)
    every = list_overviews(visit.context, visit.slug, visit.now)
    in_plan = has_sso(visit.workspace.plan)
    page = ConnectionsPage(
        rows=tuple(_row(visit, one) for one in every),
        new_href=visit.url("connection_new.choose") if in_plan else None,
        note=None if in_plan else _not_in_plan(visit),
    )
    return show(visit, "connections.html", page)


def _not_in_plan(visit: Visit) -> Note:
    text = f"{visit.workspace.name} is on the {visit.workspace.plan} plan. Whoever runs this bridge can change that."
    return Note("warn", "Single sign-on needs the business plan", text)


def _row(visit: Visit, one: ConnectionOverview) -> ConnectionRow:
    found, counts = one.connection, one.counts
    return ConnectionRow(
        name=found.name,
        href=href(visit, found),
        speaks=SPEAKS[found.kind],
        status=status(visit, found),
        people=counts.people,
        last_sign_in=counts.last_sign_in,
        certificate=expiry(one.good_until, visit.now) if one.good_until else None,
        domains=counts.domains,
    )


# -- One of them -------------------------------------------------------------------------------------


@blueprint.get("/<uuid:connection>")
def show_one(slug: str, connection: UUID) -> Response:
    """Our addresses in its console's words, and what hangs on it."""
    visit, seen = enter_connection(slug, connection)
    found, preset = seen.connection, preset_of(seen.connection)
    values = our_values(visit.context, found.id)
    page = ConnectionPage(
        head=head(visit, found, "Set-up"),
        vendor=vendor(preset),
        steps=setup_steps(preset, values),
        addresses=_addresses(found.kind, values),
        facts=_facts(visit, seen),
        links=_links(visit, seen),
        delete_href=href(visit, found, "connections.ask_to_delete"),
        metadata_href=values["sp_metadata_url"] if found.kind == "saml" else None,
        is_used=bool(seen.counts.last_sign_in or seen.counts.people),
        notes=_notes(visit, seen),
    )
    return show(visit, "connection.html", page)


_ADDRESSES: dict[str, tuple[tuple[Ours, str, str], ...]] = {
    "saml": (
        ("login_url", "Sign-in", "Where people begin; for bookmarks and tiles"),
        ("acs_url", "Assertion consumer service", "Where the IdP sends its answers"),
        ("slo_url", "Single logout", "Where the IdP tells who signed out there, and answers when they do here"),
        ("sp_entity_id", "Entity ID, and metadata", "All of this in one file, with our certificate"),
    ),
    "oidc": (
        ("oidc_login_url", "Sign-in", "Where people begin; for bookmarks and tiles"),
        ("redirect_uri", "Redirect URI", "Where the provider sends its answers"),
        ("backchannel_logout_uri", "Back-channel logout", "Where the provider tells who signed out there"),
    ),
}


def _addresses(kind: str, values: dict[Ours, str]) -> tuple[ConsoleValue, ...]:
    return tuple(ConsoleValue(f"a-{key}", label, values[key], help=text) for key, label, text in _ADDRESSES[kind])


def _facts(visit: Visit, seen: ConnectionOverview) -> tuple[Fact, ...]:
    counts = seen.counts
    pushed = f", {counts.pushed:,} pushed by SCIM" if counts.pushed else ""
    last = Fact("Last sign-in", at=counts.last_sign_in) if counts.last_sign_in else Fact("Last sign-in", "never")
    return (
        Fact("People", f"{counts.people:,}{pushed}"),
        Fact("IdP groups", f"{counts.groups:,}"),
        Fact("Signed in now", f"{counts.signed_in:,}"),
        last,
        Fact("Domains", ", ".join(counts.domains) or "none", href=visit.url("domains.index")),
        Fact("Rules", f"{counts.rules:,}"),
        Fact("Id", seen.connection.id),
    )


def _links(visit: Visit, seen: ConnectionOverview) -> tuple[Link, ...]:
    found, tokens = seen.connection, seen.counts.tokens
    token = visit.url("tokens.new", kind="scim", connection=found.id)
    every = visit.url("tokens.index", kind="scim")
    return (
        Link("Who came by it: sign-in log", visit.url("sign_in_log.index", connection=found.id)),
        Link(f"See its {counted(tokens, 'SCIM token')}", every) if tokens else Link("Make a SCIM token", token),
        Link("What it pushed: SCIM log", visit.url("scim_log.index", connection=found.id)),
        *_secret_link(visit, found),
    )


def _secret_link(visit: Visit, found: Connection) -> tuple[Link, ...]:
    if found.kind != "oidc" or has_own_key(found):
        return client_key_links(visit, found)
    return (Link("Replace the client secret", href(visit, found, "connection_keys.ask_for_secret")),)


def _notes(visit: Visit, seen: ConnectionOverview) -> tuple[Note, ...]:
    found, ends = seen.connection, seen.good_until
    notes = []
    if found.kind == "saml" and ends is not None and ends <= visit.now:
        text = f"Every answer of {found.name} that is signed with it is still checked against it. Read newer metadata."
        link = Link("Certificates", href(visit, found, "connection_keys.index"))
        notes.append(Note("bad", f"The certificate of {found.name} has run out", text, link))
    if not found.enabled and seen.counts.last_sign_in is None:
        text = "Once its console has the values below and lets one person in, test it and switch it on."
        notes.append(Note("info", f"{found.name} is made, and still off", text))
    elif not found.enabled:
        text = "Nobody signs in by it, its SCIM tokens are refused, and its groups give nothing."
        notes.append(Note("warn", f"{found.name} is off", text))
    return tuple(notes)


# -- Switching it ------------------------------------------------------------------------------------


@blueprint.get("/<uuid:connection>/enable")
def ask_to_enable(slug: str, connection: UUID) -> Response:
    """Who gains by it, and who loses: pushed groups may decide in the place of those that sign-ins named."""
    visit, shown = enter_connection(slug, connection)
    return go(href(visit, shown.connection)) if shown.connection.enabled else _ask_to_enable(visit, shown.connection)


@blueprint.post("/<uuid:connection>/enable")
def enable(slug: str, connection: UUID) -> Response:
    """Let people in by it, if that still does what was shown."""
    visit, shown = enter_connection(slug, connection)

    def act(seen: Seen) -> str:
        set_enabled(visit.context, visit.actor, visit.slug, shown.connection.id, True, visit.now, seen=seen)
        return href(visit, shown.connection)

    return do_as_seen(act, partial(_ask_to_enable, visit, shown.connection))


def _ask_to_enable(visit: Visit, found: Connection, note: Note | None = None, status: int = 200) -> Response:
    here = href(visit, found, "connections.ask_to_enable")

    def way(side: Side, after: str) -> str:
        return visit.url("connections.ask_to_enable", connection=found.id, side=side, after=after)

    page = ConfirmPage(
        title=f"Switch {found.name} on?",
        crumbs=crumbs(visit, Link(found.name, href(visit, found))),
        action=href(visit, found, "connections.enable"),
        button=f"Switch {found.name} on",
        consequences=(
            Consequence("gain", f"People sign in by {found.name}, its SCIM tokens work, and its groups count"),
            Consequence("remember", "Sessions that ended when it was switched off stay ended"),
        ),
        cancel_href=href(visit, found),
        keep="Leave it off",
    )
    return confirm(visit, page, SwitchConnection(found.id, True), way, here, note, status)


@blueprint.get("/<uuid:connection>/disable")
def ask_to_disable(slug: str, connection: UUID) -> Response:
    """Who can't come in any more, and who loses what."""
    visit, seen = enter_connection(slug, connection)
    return _ask_to_disable(visit, seen) if seen.connection.enabled else go(href(visit, seen.connection))


def _ask_to_disable(visit: Visit, seen: ConnectionOverview, error: DomainError | None = None) -> Response:
    found = seen.connection
    closing = foresee_closing(visit.context, visit.slug, found.id, visit.now)
    page = ConfirmPage(
        title=f"Switch {found.name} off?",
        crumbs=crumbs(visit, Link(found.name, href(visit, found))),
        action=href(visit, found, "connections.disable"),
        button=_switch_off(found.name, closing.loses.count),
        consequences=closing_lines(closing, for_good=False),
        cancel_href=href(visit, found),
        keep="Keep it on",
        hidden=foreseen_field(closing),
        panel=closing_panel(visit, closing, "connections.ask_to_disable"),
    )
    note, code = error_note(error), status_of(error) if error else 200
    return show(visit, "confirm.html", page, status=code, notices=(note,) if note else ())


def _switch_off(name: str, losing: int) -> str:
    return f"Switch {name} off" + (f": {losing:,} lose access" if losing else "")


@blueprint.post("/<uuid:connection>/disable")
def disable(slug: str, connection: UUID) -> Response:
    """Close it now."""
    visit, seen = enter_connection(slug, connection)
    its = (visit.context, visit.actor, visit.slug, seen.connection.id)
    try:
        set_enabled(*its, False, visit.now, seen=read_foreseen())
    except Stale as error:
        return _ask_to_disable(visit, seen, error)
    return go(href(visit, seen.connection))


# -- Deleting it -------------------------------------------------------------------------------------


@blueprint.get("/<uuid:connection>/delete")
def ask_to_delete(slug: str, connection: UUID) -> Response:
    """What goes with it; its name has to be typed."""
    return _ask_to_delete(*enter_connection(slug, connection))


@blueprint.post("/<uuid:connection>/delete")
def delete(slug: str, connection: UUID) -> Response:
    """Delete it, if its name was typed."""
    visit, seen = enter_connection(slug, connection)
    try:
        its = (visit.context, visit.actor, visit.slug, seen.connection.id)
        delete_connection(*its, visit.now, typed_name=typed("typed_name"), seen=read_foreseen())
    except DomainError as error:
        return _ask_to_delete(visit, seen, error)
    return go(visit.url("connections.index"))


def _ask_to_delete(visit: Visit, seen: ConnectionOverview, error: DomainError | None = None) -> Response:
    found = seen.connection
    closing = foresee_closing(visit.context, visit.slug, found.id, visit.now)
    losing = closing.loses.count
    page = ConnectionDeletePage(
        name=found.name,
        crumbs=crumbs(visit, Link(found.name, href(visit, found))),
        action=href(visit, found, "connections.delete"),
        consequences=closing_lines(closing, for_good=True),
        typed=Field(
            "typed_name",
            f"To delete it, type its name: {found.name}",
            typed("typed_name"),
            error=error_at(error, "typed_name"),
        ),
        button=f"Delete {found.name}" + (f": {losing:,} lose access" if losing else ""),
        cancel_href=href(visit, found),
        hidden=foreseen_field(closing),
        panel=closing_panel(visit, closing, "connections.ask_to_delete"),
    )
    note = error_note(error, "typed_name")
    code = status_of(error) if error else 200
    return show(visit, "connection_delete.html", page, status=code, notices=(note,) if note else ())
