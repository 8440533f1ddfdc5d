"""`/w/<slug>/connections/<id>/settings`: what may be changed of a SAML connection, in one form."""

from uuid import UUID

from flask import Blueprint, Response

from bridge.domain.errors import DomainError
from bridge.domain.workspace import Connection
from bridge.flows.connection_settings import (
    MOST_ASSERTED_DAYS,
    MOST_CLOCK_SKEW,
    NAME_ID_FORMATS,
    SamlSettings,
    change_settings,
    read_settings,
)
from bridge.web.pages.connection_parts import head, href
from bridge.web.pages.forms import error_at, error_note, typed, typed_text
from bridge.web.pages.frame import Visit, enter_as_owner, show
from bridge.web.pages.views import Choice, ConnectionSettingsPage, Field, Option, SettingsGroup
from bridge.web.return_path import go
from bridge.web.statuses import status_of
from saml.attributes import PRESETS

blueprint = Blueprint("connection_settings", __name__, url_prefix="/w/<slug>/connections/<uuid:connection>/settings")

_FIELDS = ("name", "authn_context", "name_id_format", "email", "display_name", "groups", "clock_skew", "asserted_days")
_LONGEST_LIST = 4_000
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
    found, settings = read_settings(visit.context, visit.slug, str(connection))
    return _form(visit, found, settings)


@blueprint.post("")
def save(slug: str, connection: UUID) -> Response:
    """Set them all. Where another admin was quicker, nothing is lost: both are shown."""
    visit = enter_as_owner(slug)
    found, settings = read_settings(visit.context, visit.slug, str(connection))
    try:
        wanted = settings = _typed(settings)
        version = typed("version")
        read_at = int(version) if version.isdecimal() else -1
        change_settings(visit.context, visit.actor, visit.slug, found.id, lambda _: wanted, visit.now, read_at=read_at)
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
        force_authn=bool(typed("force_authn")),
        authn_context=_lines("authn_context"),
        name_id_format=NAME_ID_FORMATS.get(typed("name_id_format")),
        email=_lines("email"),
        display_name=_lines("display_name"),
        groups=_lines("groups"),
        clock_skew=_number("clock_skew", standing.clock_skew),
        asserted_days=_number("asserted_days", standing.asserted_days),
    )


def _lines(name: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in typed_text(name, _LONGEST_LIST).split("\n") if line.strip())


def _number(name: str, standing: int) -> int:
    text = typed(name, 9)
    if not text:
        return standing
    # What is no number is none that is allowed: the flow says which are.
    return int(text) if text.isascii() and text.isdecimal() else -1


def _form(visit: Visit, found: Connection, settings: SamlSettings, error: DomainError | None = None) -> Response:
    page = ConnectionSettingsPage(
        head=head(visit, found, "Settings"),
        action=href(visit, found, "connection_settings.save"),
        groups=(
            _general(settings, error),
            _names(found, settings, error),
            _requests(found, settings, error),
            _limits(settings, error),
        ),
        hidden=(("version", str(found.version)),),
        cancel_href=href(visit, found),
    )
    note = error_note(error, *_FIELDS)
    return show(
        visit,
        "connection_settings.html",
        page,
        status=status_of(error) if error else 200,
        notices=(note,) if note else (),
    )


def _general(settings: SamlSettings, error: DomainError | None) -> SettingsGroup:
    return SettingsGroup(
        "People and groups",
        fields=(
            Field(
                "name",
                "Name",
                settings.name,
                help="People read it when they sign in.",
                error=error_at(error, "name"),
            ),
        ),
        switches=(
            _switch(
                "jit",
                "Make accounts at the first sign-in",
                settings.jit,
                "Off: only people who are pushed or invited come in.",
            ),
            _switch(
                "mirror_groups",
                "Make a User Group for each IdP group that is pushed",
                settings.mirror_groups,
                "Off: groups pushed from now on give something by rules alone. Those that are there stay.",
            ),
            _switch(
                "allow_idp_initiated",
                "Let sign-in begin at the IdP",
                settings.allow_idp_initiated,
                "Tiles in the IdP then work, but can’t be tied to a browser. Leave it off if you can.",
            ),
        ),
    )


def _names(found: Connection, settings: SamlSettings, error: DomainError | None) -> SettingsGroup:
    text = "One a line; the first that has a value counts. Empty: the names that its guide gives, shown in grey."
    usual = PRESETS[found.config["preset"]]
    lists = (
        ("email", "Email", settings.email, usual.email),
        ("display_name", "Name of the person", settings.display_name, usual.display_name or usual.given_name),
        ("groups", "Groups", settings.groups, usual.groups),
    )
    return SettingsGroup(
        "Names of attributes",
        text,
        fields=tuple(
            Field(
                name,
                label,
                "\n".join(names),
                kind="textarea",
                required=False,
                placeholder=", ".join(known[:2]),
                error=error_at(error, name),
            )
            for name, label, names, known in lists
        ),
    )


def _requests(found: Connection, settings: SamlSettings, error: DomainError | None) -> SettingsGroup:
    chosen = next((key for key, uri in NAME_ID_FORMATS.items() if uri == settings.name_id_format), "")
    formats = tuple(Option(key, text, selected=key == chosen) for key, text in _FORMATS.items())
    return SettingsGroup(
        f"What {found.name} is asked for",
        switches=(
            _switch(
                "sign_requests", "Sign requests", settings.sign_requests, "Off only for an IdP that can’t take it."
            ),
            _switch(
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


def _limits(settings: SamlSettings, error: DomainError | None) -> SettingsGroup:
    return SettingsGroup(
        "Limits",
        fields=(
            Field(
                "asserted_days",
                "Days that groups named at a sign-in count",
                _shown(error, "asserted_days", settings.asserted_days),
                kind="number",
                help=f"1 to {MOST_ASSERTED_DAYS}. Groups that are pushed have no such limit.",
                error=error_at(error, "asserted_days"),
            ),
            Field(
                "clock_skew",
                "Seconds by which clocks may differ",
                _shown(error, "clock_skew", settings.clock_skew),
                kind="number",
                help=f"0 to {MOST_CLOCK_SKEW}; 60 will do.",
                error=error_at(error, "clock_skew"),
            ),
        ),
    )


def _switch(name: str, text: str, on: bool, help_text: str) -> tuple[str, Option]:
    return name, Option("yes", text, selected=on, help=help_text)


def _shown(error: DomainError | None, name: str, standing: int) -> str:
    return typed(name) if error is not None else str(standing)
