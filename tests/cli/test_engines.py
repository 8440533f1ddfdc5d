"""The command on both databases, from one that holds nothing."""

import pytest

from tests.cli.conftest import METADATA, Shell


def test_an_empty_database_is_made_ready_by_the_first_command(
    shell: Shell, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRIDGE_DATABASE_URL", empty_database_url)
    monkeypatch.setenv("BRIDGE_SECRET_KEYS", "a key for tests, long enough")
    shell.json("workspace", "create", "kicks", "--name", "Kicks", "--owner", "marcus@kicks.example")
    connection = shell.json("connection", "create", "kicks", "--kind", "saml", "--idp-metadata", str(METADATA))
    rule = ("--connection", connection["connection"]["id"], "--pattern", "eng-*", "--gives-role", "Source Admin")
    shell.json("mapping", "add", "kicks", *rule)
    assert shell.json("doctor")["healthy"] is True
    assert shell.json("db", "upgrade")["upgraded"] is True
    [permission] = shell.json("access", "show", "kicks", "marcus@kicks.example")["permissions"]
    assert permission["role"] == "Workspace Owner"
