"""The web application: its pages and endpoints over an open house."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from flask_wtf import CSRFProtect

from bridge.flows.context import Context
from bridge.flows.outside import NOWHERE, Outside
from bridge.settings import Settings
from bridge.storage.tables import db
from bridge.web import (
    access_api,
    cookies,
    error_pages,
    headers,
    health,
    login_factor,
    oidc_login,
    oidc_logout,
    passkey_login,
    password_login,
    password_reset,
    prove_account,
    saml_login,
    saml_logout,
    scim_addresses,
    scim_api,
    scim_oauth,
    session,
    twilio_events,
    twilio_login,
    workspace_schema,
)
from bridge.web.current import OUTSIDE
from bridge.web.pages import families, filters
from bridge.web.scim_log import Flushing
from bridge.wiring import make_context, make_outside

#: Programs authenticate by a token that they bring: what a browser carries along signs nobody in there.
_FOR_PROGRAMS = (
    access_api.blueprint,
    scim_api.blueprint,
    scim_oauth.blueprint,
    oidc_logout.blueprint,
    twilio_events.blueprint,
    health.blueprint,
    workspace_schema.blueprint,
)
_FOR_PEOPLE = (
    saml_login.blueprint,
    saml_logout.blueprint,
    oidc_login.blueprint,
    password_login.blueprint,
    login_factor.blueprint,
    passkey_login.blueprint,
    password_reset.blueprint,
    prove_account.blueprint,
    twilio_login.blueprint,
    session.blueprint,
    *families.BLUEPRINTS,
)

_FLUSHING = "bridge.flushing"
_LARGEST_BODY = 10 * 2**20
_STATIC_LASTS = 365 * 86400  # their address holds a fingerprint of their content
_FORM_LASTS = 12 * 3600


def create_app(settings: Settings) -> Flask:
    """The web application of one process, to be made after the fork and ended by `end_app`. Raises CannotOpen."""
    context = make_context(settings)
    app = create_web(context, make_outside(settings))
    app.extensions[_FLUSHING] = Flushing(context)
    return app


def end_app(app: Flask) -> None:
    """The last request is answered: write what still waits to be written."""
    app.extensions[_FLUSHING].end()


def create_web(context: Context, outside: Outside = NOWHERE) -> Flask:
    """The same, over a context that is open already, with its ways out."""
    app = _App("bridge.web", static_folder="pages/static", template_folder="pages/templates")
    app.extensions["bridge"] = context
    app.extensions[OUTSIDE] = outside
    app.config.from_mapping(_config(context))
    app.session_interface = cookies.FormSecrets()
    db.init_app(app)
    filters.install(app, Path(app.static_folder or ""))
    headers.install(app)
    error_pages.install(app)
    scim_addresses.install(app)
    for blueprint in (*_FOR_PEOPLE, *_FOR_PROGRAMS):
        app.register_blueprint(blueprint)
    forms = CSRFProtect(app)
    for view in (saml_login.acs, saml_logout.by_post, oidc_login.login_by_post, twilio_login.login_by_post):
        forms.exempt(view)
    for blueprint in _FOR_PROGRAMS:
        forms.exempt(blueprint)
    return app


class _App(Flask):
    """Without coroutines: Flask asks of each function that it calls, eight times a request, whether it is one."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is."""
        return func


def _config(context: Context) -> dict[str, object]:
    secure = context.public_url.startswith("https://")
    return {
        "SECRET_KEY": context.secrets.derive("flask.secret_key"),
        "SESSION_COOKIE_NAME": cookies.named(cookies.CSRF, secure=secure),
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": secure,
        "MAX_CONTENT_LENGTH": _LARGEST_BODY,
        "SEND_FILE_MAX_AGE_DEFAULT": _STATIC_LASTS,
        "SQLALCHEMY_DATABASE_URI": context.database.write_engine.url,
        "WTF_CSRF_TIME_LIMIT": _FORM_LASTS,
        # The token is bound to the cookie; the Referer that this would ask for is what proxies and browsers drop.
        "WTF_CSRF_SSL_STRICT": False,
    }
