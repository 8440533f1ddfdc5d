"""Wiring: settings in, a house that works out."""

from flask import Flask

from bridge.domain.errors import Invalid
from bridge.flows.context import Context
from bridge.flows.deliver import Mailer
from bridge.flows.open_context import open_context
from bridge.outside import mail
from bridge.outside.web import FetchFailed, fetch
from bridge.settings import Settings
from bridge.web import health, scim_api

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
    )


def create_app(settings: Settings) -> Flask:
    """The web application of one process. Raises CannotOpen."""
    return create_web(make_context(settings))


def create_web(context: Context) -> Flask:
    """The same, over a context that is open already."""
    app = Flask("bridge.web", static_folder=None)
    app.extensions["bridge"] = context
    app.secret_key = context.secrets.derive("flask.secret_key")
    for blueprint in (scim_api.blueprint, health.blueprint):
        app.register_blueprint(blueprint)
    return app


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
