"""What each vendor's IdP says to a SCIM server, whole conversations from files, played against the application."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from inspect import getmembers, isfunction
from typing import Any

import pytest

from bridge.app import create_web
from bridge.flows.context import OPERATOR
from bridge.flows.tokens import create_scim_token
from bridge.storage.database import Database
from scim import dialects
from tests.conformance import player
from tests.conformance.player import Answer, Send
from tests.world import make_world

BASE = "http://localhost:8000/scim/v2"


@pytest.fixture
def send(database: Database) -> Send:
    """A new workspace's connection, by its token."""
    world = make_world(database, datetime.now(UTC))
    slug, connection = world.workspace.slug, world.connection.id
    token = create_scim_token(world.context, OPERATOR, slug, connection, None, "", world.now)
    app = create_web(world.context)
    client = app.test_client()

    def send(method: str, address: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        bearer = {"Authorization": f"Bearer {token.token}"}
        answer = client.open(f"/scim/v2{address}", method=method, headers={**bearer, **headers}, data=body)
        assert answer.status_code < 500, answer.text
        assert answer.content_type == "application/scim+json" or not answer.data
        return Answer(answer.status_code, dict(answer.headers), answer.get_json(force=True) if answer.data else None)

    return send


@pytest.mark.parametrize("name", player.names())
def test_an_idp_is_understood(send: Send, name: str) -> None:
    assert player.faults(player.read(name), send, BASE) == []


def test_every_vendor_has_a_conversation() -> None:
    vendors = {"entra", "google", "jumpcloud", "okta", "onelogin", "pingfederate", "pingone", "rippling"}
    assert vendors <= {name.partition("_")[0] for name in player.names()}
    assert all(player.read(name)["source"] for name in player.names())


def as_it_is(value: Any) -> Any:
    return value


#: Of each dialect: which conversation goes wrong without it, and what stands in its place then.
WITHOUT: dict[str, tuple[str, Callable[..., Any]]] = {
    "enterprise_path": ("entra", as_it_is),
    "enterprise_urn": ("onelogin", as_it_is),
    "entra_boolean": ("entra", as_it_is),
    "entra_described_value": ("entra", lambda _: None),
    "entra_manager": ("entra", as_it_is),
    "entra_manager_path": ("entra", as_it_is),
    "entra_operation": ("entra", as_it_is),
    "entra_wrapped_value": ("entra", as_it_is),
    "entra_removed_values": ("jumpcloud", lambda _: None),
    "foreign_schemas_only": ("onelogin", lambda urns, own: own not in urns),
    "okta_echoes_id": ("okta_oin", lambda *_: False),
    "onelogin_single_value": ("onelogin", as_it_is),
}


def test_the_table_names_every_dialect() -> None:
    assert set(WITHOUT) == {
        name for name, each in getmembers(dialects, isfunction) if each.__module__ == "scim.dialects" and name[0] != "_"
    }


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)  # what a dialect reads is the same to both
@pytest.mark.parametrize("name", WITHOUT)
def test_without_a_dialect_its_conversation_goes_wrong(send: Send, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    transcript, stand_in = WITHOUT[name]
    monkeypatch.setattr(dialects, name, stand_in)
    assert player.faults(player.read(transcript), send, BASE) != []
