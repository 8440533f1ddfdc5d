"""`/w/<slug>/connections/<id>/certificates`: what we trust of the IdP, read again or replaced; our own key, rotated."""

from dataclasses import replace as replaced
from datetime import datetime
from typing import Protocol
from uuid import UUID

from flask import Blueprint, Response

from bridge.domain.errors import DomainError, Stale
from bridge.domain.workspace import Connection
from bridge.flows.connect_oidc import check_shows_secret, replace_client_secret
from bridge.flows.connection_overview import ConnectionOverview
from bridge.flows.connection_settings import check_saml
from bridge.flows.context import Context
from bridge.flows.refresh_metadata import metadata_states, refresh_now
from bridge.flows.rotate_key import (
    OwnCertificate,
    OwnKeys,
    begin_rotation,
    cancel_rotation,
    find_keys,
    finish_rotation,
)
from bridge.flows.trusted_idp import SeveralIdps, replace_fields, replace_metadata, signers_of
from bridge.web.current import current_outside
from bridge.web.pages.connection_parts import crumbs, enter_connection, expiry, head, href, preset_of
from bridge.web.pages.filters import date, when
from bridge.web.pages.forms import error_at, error_note, typed
from bridge.web.pages.frame import Visit, show
from bridge.web.pages.idp_form import FIELDS, TypedIdp, given_idp, idp_form, of_connection, typed_idp
from bridge.web.pages.settings_parts import read_at
from bridge.web.pages.views import (
    CertificateRow,
    CertificatesPage,
    ConfirmPage,
    ConnectionFormPage,
    Consequence,
    Fact,
    Field,
    Link,
    Note,
    Post,
)
from bridge.web.return_path import go
from bridge.web.statuses import status_of
from saml.certificates import CertificateFacts, certificate_facts

_LONGEST_SECRET = 4_000
blueprint = Blueprint("connection_keys", __name__, url_prefix="/w/<slug>/connections/<uuid:connection>/certificates")


@blueprint.get("")
def index(slug: str, connection: UUID) -> Response:
    """Certificates of both sides, and until when they are good."""
    visit, seen = enter_connection(slug, connection)
    return _show(visit, seen)


def _show(visit: Visit, seen: ConnectionOverview, error: DomainError | None = None) -> Response:
    found = seen.connection
    keys = find_keys(visit.context, visit.slug, found.id)
    page = CertificatesPage(
        head=head(visit, found, "Certificates"),
        vendor=found.name,
        idp_facts=_idp_facts(found),
        theirs=_theirs(visit, seen),
        ours=_ours(visit, keys),
        replace_href=href(visit, found, "connection_keys.ask_to_replace"),
        source=_source(visit, found),
        refresh=_refresh(visit, found),
        begin=None if keys.next else Post("Make the next key", href(visit, found, "connection_keys.begin")),
        finish_href=href(visit, found, "connection_keys.ask_to_finish") if keys.next else None,
        cancel_href=href(visit, found, "connection_keys.ask_to_cancel") if keys.next else None,
    )
    note = error_note(error)
    code = status_of(error) if error else 200
    return show(visit, "connection_certificates.html", page, status=code, notices=(note,) if note else ())


def _idp_facts(found: Connection) -> tuple[Fact, ...]:
    idp = found.config["idp"]
    sso = idp["sso_redirect_url"] or idp["sso_post_url"] or ""
    return (
        Fact("Entity ID", idp["entity_id"]),
        Fact("Sign-in address", sso),
        Fact("Logout address", idp["slo_url"] or "none: people who sign out here stay signed in there"),
        *(Fact("Its metadata is signed by", certificate_facts(pem).subject) for pem in signers_of(found.config)),
    )


def _theirs(visit: Visit, seen: ConnectionOverview) -> tuple[CertificateRow, ...]:
    many = len(seen.certificates) > 1
    return tuple(
        _row(visit, f"Signing certificate {n}" if many else "Signing certificate", one)
        for n, one in enumerate(seen.certificates, start=1)
    )


def _ours(visit: Visit, keys: OwnKeys) -> tuple[CertificateRow, ...]:
    rows = [_own_row(visit, "Present key" if keys.next else "Our key", keys.current, "present")]
    return (*rows, _own_row(visit, "Next key", keys.next, "next")) if keys.next else tuple(rows)


def _own_row(visit: Visit, title: str, own: OwnCertificate, name: str) -> CertificateRow:
    row = _row(visit, title, own.facts)
    return CertificateRow(row.title, row.status, row.facts, row.fingerprint, own.pem.strip(), f"pem-{name}")


def _row(visit: Visit, title: str, facts: CertificateFacts) -> CertificateRow:
    told = (Fact("Made out to", facts.subject), Fact("Good from", date(facts.not_before)))
    return CertificateRow(title, expiry(facts.not_after, visit.now), told, facts.sha256)


def _source(visit: Visit, found: Connection) -> Note:
    url = found.config.get("metadata_url")
    if not url:
        text = (
            f"A new certificate has to be put in here by hand before {found.name} signs with it. Give the address of "
        )
        return Note("plain", "Given by hand, read from no address", text + "its metadata to have it read each day.")
    state = metadata_states(visit.context, visit.slug).get(found.id)
    if state is not None and state.error:
        since = f"; it was last good {when(state.good_at, visit.now)}" if state.good_at else ""
        text = f"{state.error} The last good version stays trusted{since}. {url}"
        return Note("warn", "The last reading of its address failed", text)
    read = f"Last read {when(state.good_at, visit.now)}: " if state is not None and state.good_at else ""
    return Note("plain", "Read from its address each day", f"{read}{url}")


def _refresh(visit: Visit, found: Connection) -> Post | None:
    if not found.config.get("metadata_url"):
        return None
    return Post("Read it now", href(visit, found, "connection_keys.refresh"))


# -- What we trust of the IdP ------------------------------------------------------------------------


@blueprint.post("/refresh")
def refresh(slug: str, connection: UUID) -> Response:
    """Read the metadata now. What can't be trusted is told, and changes nothing."""
    visit, seen = enter_connection(slug, connection)
    outside = current_outside()
    try:
        with outside.errands.turn():
            refresh_now(visit.context, outside.fetch, visit.actor, visit.slug, seen.connection.id, visit.now)
    except DomainError as error:
        return _show(visit, seen, DomainError(f"{error.text} The last good version stays trusted."))
    return go(href(visit, seen.connection, "connection_keys.index"))


@blueprint.get("/replace")
def ask_to_replace(slug: str, connection: UUID) -> Response:
    """What is trusted of the IdP, to be changed."""
    visit, seen = enter_connection(slug, connection)
    check_saml(seen.connection)
    return _replace_form(visit, seen.connection, of_connection(seen.connection))


@blueprint.post("/replace")
def replace(slug: str, connection: UUID) -> Response:
    """Trust what is given, and no longer what was."""
    visit, seen = enter_connection(slug, connection)
    found, left_at = seen.connection, typed_idp()
    check_saml(found)
    try:
        given = given_idp(left_at)
        its = (visit.context, visit.actor, visit.slug, found.id)
        if given.fields is not None:
            replace_fields(*its, given.fields, visit.now, read_at=read_at())
        else:
            replace_metadata(
                *its,
                given.metadata or b"",
                visit.now,
                url=given.url,
                entity_id=given.entity_id,
                signed_by=given.signed_by,
                read_at=read_at(),
            )
    except DomainError as error:
        return _replace_form(visit, found, left_at, error)
    return go(href(visit, found, "connection_keys.index"))


def _replace_form(visit: Visit, found: Connection, left_at: TypedIdp, error: DomainError | None = None) -> Response:
    preset = preset_of(found)
    if isinstance(error, SeveralIdps) and not left_at.choice:
        left_at = replaced(left_at, choice=found.config["idp"]["entity_id"])
    page = ConnectionFormPage(
        title=f"What {found.name} signs with",
        text="From the next sign-in on, only this is trusted. People stay who they are: a sign-in is found again by "
        "its Name ID. That counts within one IdP, so another one, by its entity ID, is another connection.",
        crumbs=crumbs(visit, Link(found.name, href(visit, found)), Link("Certificates", _back(visit, found))),
        vendor=found.name,
        steps=(),
        bring=preset.bring,
        action=href(visit, found, "connection_keys.replace"),
        cancel_href=_back(visit, found),
        button="Trust this from now on",
        hidden=(("version", str(found.version)),),
        saml=idp_form(left_at, preset, error),
    )
    note = error_note(error, *FIELDS)
    if note and isinstance(error, Stale):
        note = replaced(note, action=Link("See what is trusted now", _back(visit, found)))
    return show(
        visit,
        "connection_form.html",
        page,
        status=status_of(error) if error else 200,
        notices=(note,) if note else (),
    )


def _back(visit: Visit, found: Connection) -> str:
    return href(visit, found, "connection_keys.index")


# -- Our own key -------------------------------------------------------------------------------------


@blueprint.post("/next-key")
def begin(slug: str, connection: UUID) -> Response:
    """Make the next key and publish its certificate; nothing else changes yet."""
    visit, seen = enter_connection(slug, connection)
    try:
        begin_rotation(visit.context, visit.actor, visit.slug, seen.connection.id, visit.now)
    except DomainError as error:
        return _show(visit, seen, error)
    return go(_back(visit, seen.connection))


@blueprint.get("/next-key/finish")
def ask_to_finish(slug: str, connection: UUID) -> Response:
    """What breaks if the IdP doesn't have the next certificate yet."""
    visit, seen = enter_connection(slug, connection)
    found = seen.connection
    signs = found.config.get("sign_requests", True)
    refuses = f"If {found.name} has only the old certificate, it refuses our signed requests: nobody can sign in"
    lines = (
        *((Consequence("lose", refuses),) if signs else ()),
        Consequence("lose", f"What {found.name} encrypts for the old key can’t be opened any more"),
        Consequence("keep", "Who is signed in stays signed in"),
        Consequence("remember", "The old key is forgotten for good"),
    )
    return _ask(visit, found, f"Use the next key for {found.name}?", "finish", "Use the next key", lines)


@blueprint.post("/next-key/finish")
def finish(slug: str, connection: UUID) -> Response:
    """The next key is the present one, and the old one is gone."""
    visit, seen = enter_connection(slug, connection)
    return _rotate(visit, seen, finish_rotation)


class _Rotation(Protocol):
    """Either end of a rotation."""

    def __call__(
        self, context: Context, actor: str, slug: str, connection: str, now: datetime, /, *, shown: str | None
    ) -> OwnKeys:
        """Done, where the next key is still the one that was shown."""


def _rotate(visit: Visit, seen: ConnectionOverview, end: _Rotation) -> Response:
    its = (visit.context, visit.actor, visit.slug, seen.connection.id)
    try:
        end(*its, visit.now, shown=typed("next"))
    except DomainError as error:
        return _show(visit, seen, error)
    return go(_back(visit, seen.connection))


@blueprint.get("/next-key/cancel")
def ask_to_cancel(slug: str, connection: UUID) -> Response:
    """What breaks if the IdP uses the next certificate already."""
    visit, seen = enter_connection(slug, connection)
    found = seen.connection
    lines = (
        Consequence("lose", f"If {found.name} encrypts for the next key already, its answers can’t be opened any more"),
        Consequence("keep", "The present key stays, and with it everything that works now"),
        Consequence("remember", "The next key is forgotten; another can be made at any time"),
    )
    return _ask(visit, found, f"Forget the next key of {found.name}?", "cancel", "Forget the next key", lines)


@blueprint.post("/next-key/cancel")
def cancel(slug: str, connection: UUID) -> Response:
    """Forget the next key."""
    visit, seen = enter_connection(slug, connection)
    return _rotate(visit, seen, cancel_rotation)


def _ask(
    visit: Visit, found: Connection, title: str, step: str, button: str, lines: tuple[Consequence, ...]
) -> Response:
    coming = find_keys(visit.context, visit.slug, found.id).next
    if coming is None:
        return go(_back(visit, found))
    page = ConfirmPage(
        title=title,
        crumbs=crumbs(visit, Link(found.name, href(visit, found)), Link("Certificates", _back(visit, found))),
        action=href(visit, found, f"connection_keys.{step}"),
        button=button,
        consequences=lines,
        cancel_href=_back(visit, found),
        keep="Leave it as it is",
        hidden=(("next", coming.facts.sha256),),
    )
    return show(visit, "confirm.html", page)


# -- The secret of an OpenID Connect client ----------------------------------------------------------


@blueprint.get("/client-secret")
def ask_for_secret(slug: str, connection: UUID) -> Response:
    """The provider's new client secret, to be shown to it from now on."""
    visit, seen = enter_connection(slug, connection)
    check_shows_secret(seen.connection)
    return _secret_form(visit, seen.connection)


@blueprint.post("/client-secret")
def replace_secret(slug: str, connection: UUID) -> Response:
    """Use another client secret."""
    visit, seen = enter_connection(slug, connection)
    found, secret = seen.connection, typed("client_secret", _LONGEST_SECRET)
    check_shows_secret(found)
    try:
        replace_client_secret(visit.context, visit.actor, visit.slug, found.id, secret, visit.now)
    except DomainError as error:
        return _secret_form(visit, found, error)
    return go(href(visit, found))


def _secret_form(visit: Visit, found: Connection, error: DomainError | None = None) -> Response:
    field = Field(
        "client_secret",
        "Client secret",
        kind="password",
        autocomplete="new-password",
        help="It is kept encrypted, never shown. The old one is forgotten.",
        error=error_at(error, "client_secret"),
    )
    page = ConnectionFormPage(
        title=f"Replace the client secret of {found.name}",
        text="From the next sign-in on, the new one is shown. Make it at the provider first; then nobody notices.",
        crumbs=crumbs(visit, Link(found.name, href(visit, found))),
        vendor=found.name,
        steps=(),
        bring="",
        action=href(visit, found, "connection_keys.replace_secret"),
        cancel_href=href(visit, found),
        button="Use this from now on",
        oidc=(field,),
    )
    note = error_note(error, "client_secret")
    code = status_of(error) if error else 200
    return show(visit, "connection_form.html", page, status=code, notices=(note,) if note else ())
