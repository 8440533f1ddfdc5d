"""Two workspaces in one database: `acme`, whose people must be left alone, and a company of its own beside it. And a
warm process, in whose forks a weaker program runs.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from bridge.storage.database import Database
from bridge.web import scim_api
from tests.world import World, make_world

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Warm:
    """A process of `tests.properties.warm`, which has imported what this one has and isn't ours; and its folder."""

    process: subprocess.Popen[str]
    folder: Path

    def ask(self, line: object) -> None:
        """Write it a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{json.dumps(line)}\n")
        self.process.stdin.flush()

    def run(self, *arguments: str) -> str:
        """What pytest says with these arguments."""
        said = self.folder / "said.txt"
        said.unlink(missing_ok=True)  # a fork that dies at once says nothing: not what the one before it said
        self.ask({"arguments": [*arguments, f"--basetemp={self.folder / 'temp'}"], "said": str(said)})
        assert self.process.stdout is not None
        assert self.process.stdout.readline(), "it has ended"
        return said.read_text()


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Warm]:
    """One for each worker."""
    environment = os.environ | {"BRIDGE_TEST_SQLITE_TEMPLATE": str(sqlite_template)}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.properties.warm"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        warm = Warm(process, tmp_path_factory.mktemp("warm"))
        warm.ask([name for name, module in sys.modules.items() if "site-packages" in str(vars(module).get("__spec__"))])
        yield warm


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
