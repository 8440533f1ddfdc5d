"""Wiring: settings in, a house that works out."""

from pathlib import Path

from flask import Flask
from flask_wtf import CSRFProtect

from bridge.domain.errors import Invalid
from bridge.flows.context import Context
from bridge.flows.deliver import Mailer
from bridge.flows.open_context import open_context
from bridge.outside import mail
from bridge.outside.web import FetchFailed, fetch
from bridge.settings import Settings
from bridge.storage.tables import db
from bridge.web import (
    cookies,
    error_pages,
    headers,
    health,
    password_login,
    prove_account,
    saml_login,
    scim_api,
    session,
)
from bridge.web.pages import families, filters

#: Programs authenticate by a bearer token: what a browser carries along signs nobody in there.
_FOR_PROGRAMS = (scim_api.blueprint, health.blueprint)
_FOR_PEOPLE = (
    saml_login.blueprint,
    password_login.blueprint,
    prove_account.blueprint,
    session.blueprint,
    *families.BLUEPRINTS,
)

_LARGEST_BODY = 10 * 2**20
_STATIC_LASTS = 365 * 86400  # their address holds a fingerprint of their content
_FORM_LASTS = 12 * 3600
_METADATA_SECONDS, _METADATA_BYTES = 15.0, 4 * 2**20


def make_context(settings: Settings) -> Context:
    """What every flow is handed, over a database brought to this version's schema. Call it after a fork.

    Raises `bridge.flows.open_context.CannotOpen`.
    """
    return open_context(
        database_url=settings.database_url,
        synchronous=settings.sqlite_synchronous,
        secret_keys=settings.secret_keys,
        public_url=settings.public_url,
        session_days=settings.session_days,
        invite_days=settings.invite_days,
        asserted_groups_days=settings.asserted_groups_days,
    )


def create_app(settings: Settings) -> Flask:
    """The web application of one process. Raises CannotOpen."""
    return create_web(make_context(settings))


def create_web(context: Context) -> Flask:
    """The same, over a context that is open already."""
    app = Flask("bridge.web", static_folder="pages/static", template_folder="pages/templates")
    app.extensions["bridge"] = context
    app.config.from_mapping(_config(context))
    db.init_app(app)
    filters.install(app, Path(app.static_folder or ""))
    headers.install(app)
    error_pages.install(app)
    for blueprint in (*_FOR_PEOPLE, *_FOR_PROGRAMS):
        app.register_blueprint(blueprint)
    forms = CSRFProtect(app)
    forms.exempt(saml_login.acs)
    for blueprint in _FOR_PROGRAMS:
        forms.exempt(blueprint)
    return app


def _config(context: Context) -> dict[str, object]:
    return {
        "SECRET_KEY": context.secrets.derive("flask.secret_key"),
        "SESSION_COOKIE_NAME": cookies.CSRF,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": context.public_url.startswith("https://"),
        "MAX_CONTENT_LENGTH": _LARGEST_BODY,
        "SEND_FILE_MAX_AGE_DEFAULT": _STATIC_LASTS,
        "SQLALCHEMY_DATABASE_URI": context.database.write_engine.url,
        "WTF_CSRF_TIME_LIMIT": _FORM_LASTS,
        # The token is bound to the cookie; the Referer that this would ask for is what proxies and browsers drop.
        "WTF_CSRF_SSL_STRICT": False,
    }


def make_mailer(settings: Settings) -> Mailer:
    """The way in which mail leaves."""
    return mail.make_mailer(settings.mail_url, settings.mail_from)


def fetch_metadata(settings: Settings, url: str) -> bytes:
    """An IdP's metadata from where an admin says it is, within limits. Raises Invalid, saying why."""
    try:
        return fetch(
            url,
            timeout=_METADATA_SECONDS,
            max_bytes=_METADATA_BYTES,
            allow_private=settings.fetch_private_addresses,
        )
    except FetchFailed as error:
        raise Invalid(str(error), field="idp_metadata") from error
