"""`bridge scim-log`, and what `bridge doctor` says of calls that no log shows."""

from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient

from bridge.app import create_web
from bridge.flows.log_requests import flush
from bridge.settings import read_settings
from bridge.wiring import make_context
from tests.cli.conftest import Shell
from tests.web.scim_calls import caller, new_user


@pytest.fixture
def client(okta: str) -> FlaskClient:
    """The web application over the shell's database."""
    return create_web(make_context(read_settings())).test_client()


def written(client: FlaskClient) -> None:
    """What waits is on disk after this."""
    flush(client.application.extensions["bridge"], datetime.now(UTC))


def test_the_log_shows_the_latest_calls_first_and_only_the_failed_ones_if_asked(
    kicks: Shell, okta: str, client: FlaskClient
) -> None:
    assert kicks.run("scim-log", "show", "kicks").out == "Nothing in the log.\n"
    token = kicks.json("scim-token", "create", "kicks", "--connection", okta)["token"]
    call = caller(client, token)
    call("POST", "/Users", new_user("ann@kicks.example", displayName="Ann"))
    call("POST", "/Users", new_user("ann@kicks.example", displayName="Ann"))
    call("GET", "/Users")
    written(client)
    shown = kicks.json("scim-log", "show", "kicks", "--connection", okta)["requests"]
    assert [(one["method"], one["path"], one["status"], one["outcome"]) for one in shown] == [
        ("GET", "/Users", 200, "read"),
        ("POST", "/Users", 409, "refused"),
        ("POST", "/Users", 201, "changed"),
    ]
    assert shown[2]["sentence"] == "Okta added Ann."
    assert kicks.json("scim-log", "show", "kicks", "--failed")["requests"] == [shown[1]]
    assert kicks.json("scim-log", "show", "kicks", "--limit", "1")["requests"] == [shown[0]]
    assert kicks.json("scim-log", "show", "kicks", "--connection", "nobody")["requests"] == []
    assert "  201     Okta added Ann.\n" in kicks.run("scim-log", "show", "kicks").out
    assert kicks.run("scim-log", "show", "nowhere").status == 1


def test_the_doctor_tells_of_calls_with_a_token_that_nobody_has(kicks: Shell, client: FlaskClient) -> None:
    def told() -> list[str]:
        return [one["text"] for one in kicks.json("doctor")["findings"] if one["subject"] == "scim"]

    assert told() == []
    for _ in range(2):
        caller(client, "bscim_wrong")("GET", "/Users")
    written(client)
    assert told() == ["2 calls in the last hour came with a token that nobody has: an IdP may need a new one"]
