"""A small world to test in: a workspace with an owner, a connection, and what an IdP pushes into it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bridge.domain.access import EVERYWHERE, RoleInScope
from bridge.domain.directory import DirectoryGroup, DirectoryUser, PushedEmail, PushedUser
from bridge.domain.roles import OWNER
from bridge.domain.workspace import Connection, User, Workspace
from bridge.flows.context import OPERATOR, Context
from bridge.flows.provision_groups import create_group
from bridge.flows.provision_users import create_user
from bridge.storage import connections, people, workspaces
from bridge.storage.changes import changing
from bridge.storage.database import Database
from bridge.storage.grants import insert_grant
from bridge.storage.secret_box import SecretBox

KEYS = ("a key for tests only",)


def make_context(database: Database) -> Context:
    """The house over `database`; a search may take as long as a busy machine needs."""
    return Context(database, SecretBox(KEYS), "http://localhost:8000", scim_search_seconds=60)


def pushed(user_name: str, *, name: str = "", active: bool = True, external_id: str | None = None) -> PushedUser:
    """A person as an IdP describes them; the user name is the address too."""
    document: dict[str, Any] = {"userName": user_name, "active": active}
    document |= {"displayName": name} if name else {}
    document |= {"externalId": external_id} if external_id else {}
    emails: tuple[PushedEmail, ...] = ()
    if "@" in user_name:
        document["emails"] = [{"value": user_name, "type": "work", "primary": True}]
        emails = (PushedEmail(user_name, "work", True),)
    return PushedUser(user_name, external_id, active, name or user_name, emails, document)


@dataclass(frozen=True, slots=True)
class World:
    """One workspace and its first connection."""

    context: Context
    workspace: Workspace
    owner: User
    connection: Connection
    now: datetime

    def push(self, user_name: str, **said: Any) -> DirectoryUser:
        """The connection's IdP pushes a person."""
        return create_user(self.context, self.connection, pushed(user_name, **said), self.now)

    def push_group(self, name: str, *members: DirectoryUser, external_id: str | None = None) -> DirectoryGroup:
        """The connection's IdP pushes a group."""
        ids = [member.id for member in members]
        return create_group(self.context, self.connection, name, external_id, ids, self.now)


def make_world(database: Database, now: datetime, *, slug: str = "acme", owner: str = "olga@acme.example") -> World:
    """A workspace on the business plan whose owner has a password, and one enabled connection."""
    context = make_context(database)
    with changing(database, OPERATOR, now) as change:
        workspace = workspaces.insert_workspace(change, slug, slug.title(), "business")
        user = people.insert_user(change, owner, "Olga Owner", email_proved_at=now)
        people.set_user(change, user.key, password_hash="not a hash of anything")
        membership = people.insert_membership(change, workspace.key, user.key, accepted=True)
        insert_grant(change, workspace.key, membership.key, RoleInScope(OWNER, EVERYWHERE), OPERATOR)
    return World(context, workspace, user, add_connection(context, workspace, now), now)


def add_connection(context: Context, workspace: Workspace, now: datetime, *, name: str = "Okta") -> Connection:
    """One more connection of a workspace."""
    with changing(context.database, OPERATOR, now) as change:
        uid = connections.insert_connection(change, workspace.key, "saml", name, {"preset": "okta"})
        found = connections.find_by_uid(change.connection, uid)
    assert found is not None
    return found


def another_connection(world: World, name: str) -> World:
    """The same workspace, seen from a second connection."""
    connection = add_connection(world.context, world.workspace, world.now, name=name)
    return World(world.context, world.workspace, world.owner, connection, world.now)
