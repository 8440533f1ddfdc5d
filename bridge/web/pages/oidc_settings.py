"""The settings of an OpenID Connect connection: `connection_settings` shows and saves them by these two functions."""

from flask import Response

from bridge.domain.errors import DomainError, Stale
from bridge.domain.workspace import Connection
from bridge.flows.connect_oidc import GOOGLE, PRIVATE_KEY, signed_out_url
from bridge.flows.oidc_settings import OidcSettings, change_oidc_settings, oidc_settings_of, read_oidc_settings
from bridge.web.pages.connection_parts import head, href
from bridge.web.pages.forms import error_at, error_note, typed
from bridge.web.pages.frame import Visit, show
from bridge.web.pages.settings_parts import general, limits, lines, names, number, read_at, stale_note, switch
from bridge.web.pages.views import Choice, ConnectionSettingsPage, Field, Option, SettingsGroup
from bridge.web.return_path import go
from bridge.web.statuses import status_of
from oidc.claims import PRESETS
from oidc.client import TOKEN_AUTH

_FIELDS = (
    "name",
    "client_id",
    "token_auth",
    "client_secret",
    "scopes",
    "hosted_domain",
    "email",
    "display_name",
    "groups",
    "clock_skew",
    "asserted_days",
)
_LONGEST = 4_000
_BY_TILE = "Tiles in the IdP then work: whoever follows one is sent there and back in the usual way."
_WAYS = dict(
    zip(
        TOKEN_AUTH,
        ("A client secret, in a header (usual)", "A client secret, in the body", "A key of ours (private_key_jwt)"),
        strict=True,
    )
)


def show_oidc(visit: Visit, connection_id: str) -> Response:
    """The settings as they stand."""
    return _form(visit, *read_oidc_settings(visit.context, visit.slug, connection_id))


def save_oidc(visit: Visit, connection_id: str) -> Response:
    """Set them all. Where another admin was quicker, nothing is lost: both are shown."""
    found, settings = read_oidc_settings(visit.context, visit.slug, connection_id)
    wanted, secret = _typed(found, settings), typed("client_secret", _LONGEST) or None
    of = (visit.context, visit.actor, visit.slug, found.id)
    try:
        change_oidc_settings(*of, lambda _: wanted, visit.now, read_at=read_at(), client_secret=secret)
    except DomainError as error:
        return _form(visit, found, wanted, error)
    return go(href(visit, found, "connection_settings.index"))


def _typed(found: Connection, standing: OidcSettings) -> OidcSettings:
    domain = typed("hosted_domain") or None if _asks_domain(found) else standing.hosted_domain
    return OidcSettings(
        name=typed("name"),
        client_id=typed("client_id", _LONGEST),
        token_auth=typed("token_auth"),
        scopes=lines("scopes"),
        allow_idp_initiated=bool(typed("allow_idp_initiated")),
        jit=bool(typed("jit")),
        trust_email=bool(typed("trust_email")),
        force_authn=bool(typed("force_authn")),
        logout_return=bool(typed("logout_return")),
        mirror_groups=bool(typed("mirror_groups")),
        email=lines("email"),
        display_name=lines("display_name"),
        groups=lines("groups"),
        hosted_domain=domain,
        clock_skew=number("clock_skew", standing.clock_skew),
        asserted_days=number("asserted_days", standing.asserted_days),
    )


def _asks_domain(found: Connection) -> bool:
    """Only Google says whose domain an account is of; elsewhere a domain would keep everybody out."""
    return found.config["issuer"] == GOOGLE or found.config["preset"] == "google" or "hosted_domain" in found.config


def _form(visit: Visit, found: Connection, settings: OidcSettings, error: DomainError | None = None) -> Response:
    usual = PRESETS[found.config["preset"]]
    claims = (usual.email, usual.display_name or usual.given_name, usual.groups)
    page = ConnectionSettingsPage(
        head=head(visit, found, "Settings"),
        action=href(visit, found, "connection_settings.save"),
        groups=(
            general(settings, error, _BY_TILE),
            names("Names of claims", settings, claims, error),
            _asked(visit, found, settings),
            _client(visit, found, settings, error),
            limits(settings, error),
        ),
        hidden=(("version", str(found.version)),),
        cancel_href=href(visit, found),
    )
    note = error_note(error, *_FIELDS)
    if isinstance(error, Stale):
        note = stale_note(error, oidc_settings_of(found), settings, page.groups)
    code = status_of(error) if error else 200
    return show(visit, "connection_settings.html", page, status=code, notices=(note,) if note else ())


def _asked(visit: Visit, found: Connection, settings: OidcSettings) -> SettingsGroup:
    return SettingsGroup(
        f"What {found.name} is asked and believed",
        switches=(
            switch(
                "force_authn",
                "Ask for a new sign-in each time",
                settings.force_authn,
                "The provider must say when that was (auth_time); an answer that doesn’t is refused.",
            ),
            switch(
                "trust_email",
                "Believe every address that it gives",
                settings.trust_email,
                "On only where nobody but its administrators can write addresses, guests from elsewhere included. Off: "
                "an address opens an account that was there before only if the provider says that it verified it.",
            ),
            switch(
                "logout_return",
                "Come back after signing out there",
                settings.logout_return,
                f"First register {signed_out_url(visit.context, found.id)} there, as post-logout redirect URI: a "
                "provider that doesn’t know it shows an error instead of signing out.",
            ),
        ),
    )


def _client(visit: Visit, found: Connection, settings: OidcSettings, error: DomainError | None) -> SettingsGroup:
    jwks = f"{visit.context.public_url}/oidc/{found.id}/jwks"
    ways = tuple(Option(way, text, selected=way == settings.token_auth) for way, text in _WAYS.items())
    return SettingsGroup(
        f"Who we are at {found.name}",
        f"Its issuer is {found.config['issuer']}, for good: people’s ids count within one issuer. "
        "For another one, make another connection.",
        choices=(
            Choice(
                "token_auth",
                "We show",
                ways,
                help=f"A key is made when you choose it; its public half is published at {jwks}",
                error=error_at(error, "token_auth"),
            ),
        ),
        fields=(
            Field("client_id", "Client ID", settings.client_id, error=error_at(error, "client_id")),
            _secret(found, error),
            Field(
                "scopes",
                "Scopes",
                "\n".join(settings.scopes),
                kind="textarea",
                required=False,
                help="One a line. Empty: the usual ones.",
                error=error_at(error, "scopes"),
            ),
            *((_domain(settings, error),) if _asks_domain(found) else ()),
        ),
    )


def _secret(found: Connection, error: DomainError | None) -> Field:
    is_needed = found.config["token_auth"] == PRIVATE_KEY
    text = "Needed with a way that shows one." if is_needed else "Empty: it stays as it is. Another one replaces it."
    return Field(
        "client_secret",
        "Client secret",
        kind="password",
        autocomplete="new-password",
        required=False,
        depends=True,
        help=text + (" Write it once more: what was typed isn’t shown again." if error else " It is never shown."),
        error=error_at(error, "client_secret"),
    )


def _domain(settings: OidcSettings, error: DomainError | None) -> Field:
    return Field(
        "hosted_domain",
        "Google Workspace domain",
        settings.hosted_domain or "",
        required=False,
        placeholder="kicks.example",
        help="Whose accounts may come in. Empty: those of the domains that this workspace has proved.",
        error=error_at(error, "hosted_domain"),
    )
