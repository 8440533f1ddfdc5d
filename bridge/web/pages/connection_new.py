"""`/w/<slug>/connections/new`: a connection made on one page: what to copy into the IdP, then what it gives back.

The IdP wants our addresses before the connection is there. So its id is promised when the form is shown, and travels
with it, sealed. What is made here is off: nobody's sign-in changes until it is switched on.
"""

from typing import cast

from flask import Blueprint, Response

from bridge.domain.errors import DomainError, Invalid, NotFound, OutsideFailed
from bridge.domain.presets import PRESETS, ConnectionKind, Preset
from bridge.domain.workspace import Connection
from bridge.flows.connect import SamlDraft, create_saml, reserve_id, show_reserved
from bridge.flows.connect_oidc import OidcDraft, create_oidc, read_provider
from bridge.flows.own_connections import list_connections
from bridge.web.current import current_outside
from bridge.web.pages.connection_parts import crumbs, href, our_values, setup_steps, vendor
from bridge.web.pages.forms import error_at, error_note, typed
from bridge.web.pages.frame import Visit, enter_as_owner, show
from bridge.web.pages.idp_form import FIELDS, TypedIdp, blank, given_idp, idp_form, typed_idp
from bridge.web.pages.views import (
    ConnectionChoosePage,
    ConnectionFormPage,
    Field,
    Link,
    Option,
    PresetLink,
)
from bridge.web.return_path import go
from bridge.web.statuses import status_of

blueprint = Blueprint("connection_new", __name__, url_prefix="/w/<slug>/connections/new")

_LONGEST_PROMISE, _LONGEST_ISSUER, _LONGEST_SECRET = 1_000, 2_000, 4_000
_OIDC_FIELDS = ("issuer", "client_id", "client_secret", "token_auth", "hosted_domain", "domain")
_BY_TILE = {
    "saml": "Tiles in {idp} then work, but can’t be tied to a browser. Leave it off if you can.",
    "oidc": "Tiles in {idp} then work: whoever follows one is sent there and back in the usual way.",
}
_GROUPS = {
    "saml": ("By SAML 2.0", "What most companies use. Groups can come with each sign-in, or be pushed by SCIM."),
    "oidc": ("By OpenID Connect", "The same with a client ID and a secret in place of certificates."),
}


@blueprint.get("")
def choose(slug: str) -> Response:
    """With which IdP."""
    visit = enter_as_owner(slug)
    groups = tuple((*_GROUPS[kind], _links(visit, kind)) for kind, presets in PRESETS.items() if presets)
    return show(visit, "connection_choose.html", ConnectionChoosePage(crumbs(visit), groups))


def _links(visit: Visit, kind: ConnectionKind) -> tuple[PresetLink, ...]:
    return tuple(
        PresetLink(_choice(one), one.help, visit.url("connection_new.new", kind=kind, preset=key))
        for key, one in PRESETS[kind].items()
    )


def _choice(preset: Preset) -> str:
    return "Another IdP" if preset.key == "generic" else preset.name


@blueprint.get("/<kind>/<preset>")
def new(slug: str, kind: str, preset: str) -> Response:
    """What to copy into that IdP's console, and a form for what it gives."""
    visit, chosen = enter_as_owner(slug), _preset(kind, preset)
    return _form(visit, chosen, reserve_id(visit.context, visit.slug, visit.now), blank(chosen))


@blueprint.post("/<kind>/<preset>")
def create(slug: str, kind: str, preset: str) -> Response:
    """Make it, off; then it can be tested and switched on."""
    visit, chosen = enter_as_owner(slug), _preset(kind, preset)
    promised, left_at = typed("reserved", _LONGEST_PROMISE), typed_idp()
    try:
        make = _create_saml if chosen.kind == "saml" else _create_oidc
        made = make(visit, chosen, promised, left_at)
    except DomainError as error:
        twice = _made_before(visit, promised)
        return go(href(visit, twice)) if twice else _form(visit, chosen, promised, left_at, error)
    return go(href(visit, made))


def _made_before(visit: Visit, promised: str) -> Connection | None:
    """The connection that this very form has made already: it was sent twice, and says the same."""
    uid = show_reserved(visit.context, visit.slug, promised, visit.now)
    every = list_connections(visit.context, visit.slug)
    return next((one for one in every if one.id == uid and one.name == typed("name")), None)


def _create_saml(visit: Visit, preset: Preset, promised: str, left_at: TypedIdp) -> Connection:
    given = given_idp(left_at)
    draft = SamlDraft(
        metadata=given.metadata,
        name=typed("name") or None,
        preset=preset.key,
        allow_idp_initiated=bool(typed("idp_initiated")),
        idp=given.fields,
        metadata_url=given.url,
        idp_entity_id=given.entity_id,
        signed_by=given.signed_by,
        reserved=promised,
        enabled=False,
    )
    return create_saml(visit.context, visit.actor, visit.slug, draft, visit.now)


def _create_oidc(visit: Visit, preset: Preset, promised: str, _left_at: TypedIdp) -> Connection:
    draft = OidcDraft(
        issuer=typed("issuer", _LONGEST_ISSUER),
        client_id=typed("client_id", _LONGEST_SECRET),
        client_secret=typed("client_secret", _LONGEST_SECRET) or None,
        name=typed("name") or None,
        preset=preset.key,
        allow_idp_initiated=bool(typed("idp_initiated")),
        hosted_domain=typed("hosted_domain") or None,
        reserved=promised,
        enabled=False,
    )
    try:
        with current_outside().errands.turn() as ask:
            provider = read_provider(draft.issuer, ask)
    except OutsideFailed as error:
        raise Invalid(error.text, field="issuer") from error
    return create_oidc(visit.context, visit.actor, visit.slug, draft, provider, visit.now)


def _preset(kind: str, preset: str) -> Preset:
    found = PRESETS.get(cast("ConnectionKind", kind), {}).get(preset)
    if found is None:
        raise NotFound("There is no such kind of connection. Choose one of those that are listed.")
    return found


def _form(visit: Visit, preset: Preset, promised: str, left_at: TypedIdp, error: DomainError | None = None) -> Response:
    uid = show_reserved(visit.context, visit.slug, promised, visit.now)
    page = ConnectionFormPage(
        title=f"Connect {preset.name}" if preset.key != "generic" else f"Connect an IdP by {preset.name}",
        text="About ten minutes, with an admin of the IdP at hand. Nobody’s sign-in changes until you switch it on.",
        crumbs=crumbs(visit, Link("New", visit.url("connection_new.choose"))),
        vendor=vendor(preset),
        steps=setup_steps(preset, our_values(visit.context, uid)),
        bring=preset.bring,
        action=visit.url("connection_new.create", kind=preset.kind, preset=preset.key),
        cancel_href=visit.url("connections.index"),
        button="Make the connection",
        hidden=(("reserved", promised),),
        saml=idp_form(left_at, preset, error) if preset.kind == "saml" else None,
        oidc=_provider(preset, error) if preset.kind == "oidc" else (),
        name=_name(preset, error),
        idp_initiated=_idp_initiated(preset),
        others_href=visit.url("connection_new.choose"),
    )
    note = error_note(error, "name", *FIELDS, *_OIDC_FIELDS)
    return show(
        visit,
        "connection_form.html",
        page,
        status=status_of(error) if error else 200,
        notices=(note,) if note else (),
    )


def _provider(preset: Preset, error: DomainError | None) -> tuple[Field, ...]:
    """The fields of OpenID Connect. A secret that was typed is never shown again."""
    secret = "Write it once more: what was typed isn’t shown again." if error else "It is kept encrypted, never shown."
    issuer = typed("issuer", _LONGEST_ISSUER) or (preset.example if preset.key == "google" else "")
    fields = (
        Field(
            "issuer",
            "Issuer",
            issuer,
            kind="url",
            placeholder=preset.example,
            help=preset.bring,
            error=error_at(error, "issuer"),
        ),
        Field("client_id", "Client ID", typed("client_id", _LONGEST_SECRET), error=error_at(error, "client_id")),
        Field(
            "client_secret",
            "Client secret",
            kind="password",
            autocomplete="new-password",
            help=secret,
            error=error_at(error, "client_secret", "token_auth"),
        ),
    )
    return (*fields, _hosted_domain(error)) if preset.key == "google" else fields


def _hosted_domain(error: DomainError | None) -> Field:
    text = "Whose accounts may come in. Empty: those of the domains that this workspace has proved."
    return Field(
        "hosted_domain",
        "Google Workspace domain",
        typed("hosted_domain"),
        required=False,
        placeholder="kicks.example",
        help=text,
        error=error_at(error, "hosted_domain", "domain"),
    )


def _name(preset: Preset, error: DomainError | None) -> Field:
    text = f"What people read on the sign-in page: “Continue with {preset.name}”."
    name = typed("name") if error else preset.name
    return Field("name", "Name", name, help=text, error=error_at(error, "name"))


def _idp_initiated(preset: Preset) -> Option:
    text = _BY_TILE[preset.kind].format(idp=vendor(preset))
    return Option("yes", "Let sign-in begin at the IdP", selected=bool(typed("idp_initiated")), help=text)
