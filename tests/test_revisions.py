"""What holds every flow to the revision is itself seen to catch one that forgets it (tests/revisions.py)."""

from datetime import datetime

import pytest
from sqlalchemy import insert

from bridge.flows.give_roles import give_to_member
from bridge.flows.members import find_member_id
from bridge.flows.provision_users import change_user
from bridge.flows.roles_given import parse_role_in_scope
from bridge.storage import changes, workspaces
from bridge.storage.changes import Change, changing
from bridge.storage.database import Database
from bridge.storage.tables import domains
from tests.world import World, make_world, pushed


@pytest.fixture
def engine() -> str:
    return "sqlite"


def test_a_flow_that_leaves_the_revision_as_it_was_is_seen(
    database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(database, now)
    world.push("ann@acme.example")
    ann = find_member_id(world.context, "acme", "ann@acme.example")

    def forgotten(change: Change) -> None:
        change.events.clear()

    monkeypatch.setattr(changes, "write_audit", forgotten)
    with pytest.raises(AssertionError, match="'grants'"):
        give_to_member(world.context, "operator", "acme", ann, parse_role_in_scope("Source Admin", ["all"]), now)


def test_an_address_that_one_company_changes_is_another_address_everywhere(database: Database, now: datetime) -> None:
    """Programs ask by it in each workspace, and may have kept an answer there."""
    world, other = make_world(database, now), make_world(database, now, slug="other", owner="otto@other.example")
    with changing(database, "operator", now) as change:
        proof: dict[str, object] = {
            "workspace_id": world.workspace.key,
            "token": "x",
            "token_expires_at": now,
            "proved_at": now,
            "created_at": now,
        }
        change.connection.execute(insert(domains).values(name="acme.example", **proof))
    ann = world.push("ann@acme.example")
    other.push("ann@acme.example")
    before = _revision(other)
    change_user(world.context, world.connection, ann.id, lambda _: pushed("ann.b@acme.example"), now)
    assert _revision(other) > before


def _revision(world: World) -> int:
    with world.context.database.reading() as rows:
        found = workspaces.find_by_key(rows, world.workspace.key)
    assert found is not None
    return found.rev
