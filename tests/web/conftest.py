"""The real application over a real database, with a workspace in it."""

from datetime import UTC, datetime

import pytest
from flask import Flask

from bridge.app import create_web
from bridge.storage.database import Database
from tests.web.browsing import Company, Surfer, connect
from tests.world import World, make_world


@pytest.fixture
def world(database: Database) -> World:
    """The workspace `acme` of Olga, now: signed answers carry real times."""
    return make_world(database, datetime.now(UTC))


@pytest.fixture
def app(world: World) -> Flask:
    """The web application of one process."""
    app = create_web(world.context)
    app.testing = True
    return app


@pytest.fixture
def company(world: World) -> Company:
    """The IdP of the workspace's company, connected."""
    return connect(world.context, "acme", name="Kicks IdP")


@pytest.fixture
def surfer(app: Flask) -> Surfer:
    """A browser that was never here before."""
    return Surfer(app)
