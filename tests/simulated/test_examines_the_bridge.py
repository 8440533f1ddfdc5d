"""Whoever provisions, the bridge has no fault: its SCIM server under the examiner, over real HTTP."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask

from bridge.flows.context import OPERATOR
from bridge.flows.tokens import create_scim_token
from bridge.storage.database import Database
from bridge.web import scim_api
from simulated.dialects.speaking import DialectName
from simulated.examiner.__main__ import begin
from simulated.examiner.life_cycle import play
from tests.running import running
from tests.saml.idp import KICKS
from tests.simulated.small_server import listening
from tests.world import make_world


@pytest.mark.parametrize("name", ["okta", "okta-wizard", "entra", "entra-compliant", "onelogin"])
def test_the_bridge_has_no_fault(database: Database, name: DialectName) -> None:
    world = make_world(database, datetime.now(UTC))
    made = create_scim_token(world.context, OPERATOR, world.workspace.slug, world.connection.id, None, "", world.now)
    app = Flask(__name__)
    app.extensions["bridge"] = world.context
    app.register_blueprint(scim_api.blueprint)
    with listening(app) as url:
        exam = begin(name, url, made.token)
        play(exam, "abc123", 5, 2)
    assert exam.faults == []
    assert {step.outcome for step in exam.steps} <= {"right", "skipped"}
    assert (exam.client.made, exam.client.lost) == ({}, {})


@pytest.mark.long
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)  # on both there is no fault, see above
def test_a_bridge_that_serves_has_no_fault_by_its_own_command(tmp_path: Path, database_url: str) -> None:
    (tmp_path / "idp.xml").write_bytes(KICKS.metadata)
    with running(tmp_path, database_url=database_url) as bridge:
        bridge.run("workspace", "create", "acme", "--name", "Acme", "--owner", "olga@acme.example")
        for idp in ("okta", "entra", "onelogin"):
            create = ("connection", "create", "acme", "--kind", "saml", "--idp-metadata", str(tmp_path / "idp.xml"))
            connection = bridge.run(*create, "--name", idp)["connection"]["id"]
            token = bridge.run("scim-token", "create", "acme", "--connection", connection)
            simulate = ("simulate", idp, "--scim-url", token["base_url"], "--token-stdin")
            assert bridge.run_by_itself(*simulate, stdin=f"{token['token']}\n")["faults"] == []
