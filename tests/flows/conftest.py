"""A workspace with an owner and a connection, as most flows find one."""

from datetime import datetime
from pathlib import Path

import pytest

from bridge.domain.workspace import Connection
from bridge.flows.administer import NewWorkspace, WorkspaceDraft, create_workspace
from bridge.flows.connect import SamlDraft, create_saml
from bridge.flows.context import OPERATOR, Context
from bridge.storage.database import Database
from bridge.storage.secret_box import SecretBox
from tests.world import World

METADATA = (Path(__file__).parent / "idp_metadata.xml").read_bytes()
PASSWORD = "break-glass-at-kicks"


@pytest.fixture
def context(database: Database) -> Context:
    """What every flow is handed."""
    return Context(database, SecretBox(("a key for tests, long enough",)), "http://localhost:8000")


@pytest.fixture
def made(context: Context, now: datetime) -> NewWorkspace:
    """The workspace `kicks` on the business plan; Marcus owns it, by hand and with a password."""
    draft = WorkspaceDraft("kicks", "Kicks Co", "marcus@kicks.example", owner_password=PASSWORD, owner_name="Marcus")
    return create_workspace(context, OPERATOR, draft, now)


@pytest.fixture
def marcus(made: NewWorkspace) -> str:
    """Marcus as an actor."""
    return f"user:{made.owner.id}"


@pytest.fixture
def okta(context: Context, made: NewWorkspace, now: datetime) -> Connection:
    """The SAML connection of `kicks`."""
    return create_saml(context, OPERATOR, "kicks", SamlDraft(METADATA, preset="okta"), now)


@pytest.fixture
def kicks(context: Context, made: NewWorkspace, okta: Connection, now: datetime) -> World:
    """`kicks` with its connection, into which Okta can push."""
    return World(context, made.workspace, made.owner, okta, now)
