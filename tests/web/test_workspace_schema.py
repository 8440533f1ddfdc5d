"""`/workspace.schema.json`: what may stand in a workspace's file, for editors, wherever they run."""

import pytest
from flask.testing import FlaskClient

from bridge.domain.as_code_schema import json_schema


@pytest.mark.parametrize("engine", ["sqlite"])
def test_editors_read_it_without_signing_in(client: FlaskClient) -> None:
    answer = client.get("/workspace.schema.json")
    assert (answer.status_code, answer.json) == (200, json_schema())
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.content_type == "application/json"
