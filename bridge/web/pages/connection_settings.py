"""`/w/<slug>/connections/<id>/settings`: what may be changed of a connection, in one form; of OpenID Connect by
`oidc_settings`, of SAML here."""

from uuid import UUID

from flask import Blueprint, Response

from bridge.domain.errors import DomainError, Stale
from bridge.domain.workspace import Connection
from bridge.flows.connection_settings import (
    NAME_ID_FORMATS,
    SamlSettings,
    change_settings,
    read_settings,
    settings_of,
)
from bridge.flows.own_connections import find_own
from bridge.web.pages.connection_parts import head, href
from bridge.web.pages.forms import error_at, error_note, typed
from bridge.web.pages.frame import Visit, enter_as_owner, show
from bridge.web.pages.oidc_settings import save_oidc, show_oidc
from bridge.web.pages.settings_parts import general, limits, lines, names, number, read_at, stale_note, switch
from bridge.web.pages.views import Choice, ConnectionSettingsPage, Field, Option, SettingsGroup
from bridge.web.return_path import go
from bridge.web.statuses import status_of
from saml.attributes import PRESETS

blueprint = Blueprint("connection_settings", __name__, url_prefix="/w/<slug>/connections/<uuid:connection>/settings")

_FIELDS = ("name", "authn_context", "name_id_format", "email", "display_name", "groups", "clock_skew", "asserted_days")
_BY_TILE = "Tiles in the IdP then work, but can’t be tied to a browser. Leave it off if you can."
_FORMATS = {
    "": "As the IdP’s metadata says",
    "persistent": "Persistent: an id that stays when the email changes",
    "email": "Email address",
    "transient": "Transient: another one each time; the email decides who it is",
    "unspecified": "Unspecified: the IdP chooses",
}


@blueprint.get("")
def index(slug: str, connection: UUID) -> Response:
    """The settings as they stand."""
    visit = enter_as_owner(slug)
    if find_own(visit.context, visit.slug, str(connection)).kind == "oidc":
        return show_oidc(visit, str(connection))
    found, settings = read_settings(visit.context, visit.slug, str(connection))
    return _form(visit, found, settings)


@blueprint.post("")
def save(slug: str, connection: UUID) -> Response:
    """Set them all. Where another admin was quicker, nothing is lost: both are shown."""
    visit = enter_as_owner(slug)
    if find_own(visit.context, visit.slug, str(connection)).kind == "oidc":
        return save_oidc(visit, str(connection))
    found, settings = read_settings(visit.context, visit.slug, str(connection))
    try:
        wanted = settings = _typed(settings)
        change_settings(
            visit.context, visit.actor, visit.slug, found.id, lambda _: wanted, visit.now, read_at=read_at()
        )
    except DomainError as error:
        return _form(visit, found, settings, error)
    return go(href(visit, found, "connection_settings.index"))


def _typed(standing: SamlSettings) -> SamlSettings:
    return SamlSettings(
        name=typed("name"),
        allow_idp_initiated=bool(typed("allow_idp_initiated")),
        jit=bool(typed("jit")),
        mirror_groups=bool(typed("mirror_groups")),
        sign_requests=bool(typed("sign_requests")),
        requests_by_post=bool(typed("requests_by_post")),
        force_authn=bool(typed("force_authn")),
        authn_context=lines("authn_context"),
        name_id_format=NAME_ID_FORMATS.get(typed("name_id_format")),
        email=lines("email"),
        display_name=lines("display_name"),
        groups=lines("groups"),
        clock_skew=number("clock_skew", standing.clock_skew),
        asserted_days=number("asserted_days", standing.asserted_days),
    )


def _form(visit: Visit, found: Connection, settings: SamlSettings, error: DomainError | None = None) -> Response:
    page = ConnectionSettingsPage(
        head=head(visit, found, "Settings"),
        action=href(visit, found, "connection_settings.save"),
        groups=(
            general(settings, error, _BY_TILE),
            names("Names of attributes", settings, _usual(found), error),
            _requests(found, settings, error),
            limits(settings, error),
        ),
        hidden=(("version", str(found.version)),),
        cancel_href=href(visit, found),
    )
    note = error_note(error, *_FIELDS)
    if isinstance(error, Stale):
        note = stale_note(error, settings_of(found), settings, page.groups)
    return show(
        visit,
        "connection_settings.html",
        page,
        status=status_of(error) if error else 200,
        notices=(note,) if note else (),
    )


def _usual(found: Connection) -> tuple[tuple[str, ...], ...]:
    usual = PRESETS[found.config["preset"]]
    return usual.email, usual.display_name or usual.given_name, usual.groups


def _requests(found: Connection, settings: SamlSettings, error: DomainError | None) -> SettingsGroup:
    chosen = next((key for key, uri in NAME_ID_FORMATS.items() if uri == settings.name_id_format), "")
    formats = tuple(Option(key, text, selected=key == chosen) for key, text in _FORMATS.items())
    return SettingsGroup(
        f"What {found.name} is asked for",
        switches=(
            switch("sign_requests", "Sign requests", settings.sign_requests, "Off only for an IdP that can’t take it."),
            switch(
                "requests_by_post",
                "Send requests by POST",
                settings.requests_by_post,
                "Where the IdP takes them by Redirect, too: for one that cuts long addresses short.",
            ),
            switch(
                "force_authn",
                "Ask for a new sign-in each time",
                settings.force_authn,
                "Nobody comes in by a session that is open at the IdP. Sign-in can’t begin there while this is on.",
            ),
        ),
        choices=(Choice("name_id_format", "Name ID format", formats, error=error_at(error, "name_id_format")),),
        fields=(
            Field(
                "authn_context",
                "Kinds of sign-in",
                "\n".join(settings.authn_context),
                kind="textarea",
                required=False,
                help="Authentication context classes, one URI a line: one of them must be met. Empty: any kind.",
                error=error_at(error, "authn_context"),
            ),
        ),
    )
