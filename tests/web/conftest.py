"""The real application over a real database, with a workspace in it."""

from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from bridge.app import create_web
from bridge.storage.database import Database
from tests.web.browsing import Company, Surfer, connect
from tests.web.scim_calls import Call, caller, token_of
from tests.world import World, make_world


@pytest.fixture
def world(database: Database) -> World:
    """The workspace `acme` of Olga, now: signed answers carry real times."""
    return make_world(database, datetime.now(UTC))


_made: dict[str, Flask] = {}


@pytest.fixture
def app(world: World, engine: str) -> Flask:
    """The web application of one process: made once a worker (80 ms, and as much for each template), lent to each."""
    if engine not in _made:
        _made[engine] = create_web(world.context)
        _made[engine].testing = True
    _made[engine].extensions["bridge"] = world.context
    return _made[engine]


@pytest.fixture
def company(world: World) -> Company:
    """The IdP of the workspace's company, connected."""
    return connect(world.context, "acme", name="Kicks IdP")


@pytest.fixture
def surfer(app: Flask) -> Surfer:
    """A browser that was never here before."""
    return Surfer(app)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A program that calls the application."""
    return app.test_client()


@pytest.fixture
def call(world: World, client: FlaskClient) -> Call:
    """The connection's IdP, calling `/scim/v2` with its token."""
    return caller(client, token_of(world))
