"""Two workspaces in one database: `acme`, whose people must be left alone, and a company of its own beside it."""

from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from bridge.storage.database import Database
from bridge.web import scim_api
from tests.world import World, make_world


@pytest.fixture
def acme(database: Database, now: datetime) -> World:
    """The workspace `acme`: Olga owns it, Okta is its connection."""
    return make_world(database, now)


@pytest.fixture
def live(database: Database) -> World:
    """The same at this moment, for tests over HTTP."""
    return make_world(database, datetime.now(UTC))


@pytest.fixture
def client(live: World) -> FlaskClient:
    """A client of `/scim/v2`."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 1_000_000
    app.extensions["bridge"] = live.context
    app.register_blueprint(scim_api.blueprint)
    return app.test_client()
