"""What somebody may have been through before their IdP speaks of them; and all facts of a database by what they say."""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import delete, select, text

from bridge.domain.access import EVERYWHERE, RoleInScope
from bridge.domain.directory import DirectoryUser, pushed_user
from bridge.domain.roles import OWNER
from bridge.domain.workspace import Membership
from bridge.flows.context import OPERATOR
from bridge.flows.explain import access_of
from bridge.flows.invite import InviteDraft, invite
from bridge.flows.members import find_member_id, lift_hold, remove_member
from bridge.flows.provision_users import change_user, create_user, delete_user
from bridge.storage import people
from bridge.storage.changes import changing
from bridge.storage.database import Database
from bridge.storage.grants import insert_grant
from bridge.storage.sign_in import link_identity
from bridge.storage.tables import audit, metadata
from tests.flows.logins import sign_in
from tests.world import World, another_connection, make_world, pushed

DOMAIN = "acme.example"


def empty(database: Database) -> None:
    """Delete every row."""
    with database.writing() as rows:
        for table in reversed(metadata.sorted_tables):
            rows.execute(delete(table))


def email_of(name: str) -> str:
    """Somebody's address."""
    return f"{name}@{DOMAIN}"


# -- What they have been through ---------------------------------------------------------------------


def nothing(world: World, name: str) -> None:
    """Nobody knows them."""


def has_an_account(world: World, name: str) -> None:
    """Somebody of their address has an account, and no membership."""
    with changing(world.context.database, OPERATOR, world.now) as change:
        people.insert_user(change, email_of(name), f"{name} themselves")


def pushed_into_another_workspace(world: World, name: str) -> None:
    """They are in another workspace, by its IdP."""
    other = make_world(world.context.database, world.now, slug=f"else-{name}", owner=f"otto@{name}.example")
    other.push(email_of(name), name=f"{name} Elsewhere")


def joined_by_hand(world: World, name: str, *, owner: bool = False) -> Membership:
    """They are a member by hand."""
    with changing(world.context.database, OPERATOR, world.now) as change:
        user = people.insert_user(change, email_of(name), f"{name} by hand")
        membership = people.insert_membership(change, world.workspace.key, user.key, accepted=True)
        if owner:
            insert_grant(change, world.workspace.key, membership.key, RoleInScope(OWNER, EVERYWHERE), OPERATOR)
    return membership


def owner_by_hand(world: World, name: str) -> None:
    """They are an owner by hand."""
    joined_by_hand(world, name, owner=True)


def removed_by_an_owner(world: World, name: str) -> None:
    """They were a member by hand, and were removed."""
    made = joined_by_hand(world, name)
    remove_member(world.context, OPERATOR, world.workspace.slug, made.id, world.now)


def is_pushed(world: World, name: str) -> DirectoryUser:
    """The connection pushes them."""
    return world.push(email_of(name), name=f"{name} Doe", external_id=f"x-{name}")


def pushed_owner(world: World, name: str) -> None:
    """The connection pushes them, and they are an owner by hand."""
    owner_by_hand(world, name)
    is_pushed(world, name)


def pushed_and_removed(world: World, name: str) -> None:
    """The connection pushes them, and an owner removed them."""
    is_pushed(world, name)
    member = find_member_id(world.context, world.workspace.slug, email_of(name))
    remove_member(world.context, OPERATOR, world.workspace.slug, member, world.now)


def is_suspended(world: World, name: str) -> None:
    """The connection says that they are out."""
    world.push(email_of(name), name=f"{name} Doe", active=False)


def suspended_and_let_in(world: World, name: str) -> None:
    """The connection says that they are out, and an owner let them in."""
    is_suspended(world, name)
    member = find_member_id(world.context, world.workspace.slug, email_of(name))
    lift_hold(world.context, OPERATOR, world.workspace.slug, member, world.now)


def was_deleted(world: World, name: str) -> None:
    """The connection pushed and deleted them."""
    delete_user(world.context, world.connection, is_pushed(world, name).id, world.now)


def pushed_by_another_connection(world: World, name: str) -> None:
    """Another connection of the workspace pushes them."""
    another_connection(world, f"Entra {name}").push(email_of(name), name=f"{name} Entra")


def signs_in_as_somebody_else(world: World, name: str) -> None:
    """Under their user name, somebody of another address has signed in."""
    with changing(world.context.database, OPERATOR, world.now) as change:
        user = people.insert_user(change, email_of(f"{name}.other"), f"{name} Other")
        link_identity(change, world.connection.key, email_of(name), user.key)


def has_a_second_record(world: World, name: str) -> None:
    """Two records of the connection have their address."""
    is_pushed(world, name)
    emails = [{"value": email_of(name), "type": "work", "primary": True}]
    second = pushed_user({"userName": f"{name}-again", "active": True, "emails": emails})
    create_user(world.context, world.connection, second, world.now)


def has_moved(world: World, name: str) -> None:
    """Their record has another address than their account."""
    made, said = is_pushed(world, name), pushed(email_of(name), name=f"{name} Doe", external_id=f"x-{name}")
    document = {**said.document, "emails": [{"value": email_of(f"{name}.new"), "type": "work", "primary": True}]}
    change_user(world.context, world.connection, made.id, lambda _: pushed_user(document), world.now)


def invited(world: World, name: str) -> None:
    """An owner has invited them."""
    invite(world.context, OPERATOR, world.workspace.slug, InviteDraft((email_of(name),)), world.now)


def signs_in(world: World, name: str) -> None:
    """The connection knows them by their login: account, membership, and a record that nobody pushed."""
    sign_in(world, email_of(name), name=f"{name} Login", groups=("staff",))


def signs_in_by_another_name(world: World, name: str) -> None:
    """The same, and what the IdP calls them is their external id, not their address."""
    sign_in(world, email_of(f"{name}.login"), subject=f"x-{name}")


def signed_in_and_removed(world: World, name: str) -> None:
    """The connection knows them by their login, and an owner removed them."""
    signs_in(world, name)
    member = find_member_id(world.context, world.workspace.slug, email_of(name))
    remove_member(world.context, OPERATOR, world.workspace.slug, member, world.now)


def is_pushed_and_signs_in(world: World, name: str) -> None:
    """The connection pushes them, and they sign in."""
    is_pushed(world, name)
    sign_in(world, email_of(name))


def is_pushed_here_and_elsewhere(world: World, name: str) -> None:
    """The connection pushes them, and another workspace's."""
    is_pushed(world, name)
    pushed_into_another_workspace(world, name)


HISTORIES: tuple[Callable[[World, str], object], ...] = (
    nothing,
    is_pushed,
    has_an_account,
    pushed_into_another_workspace,
    joined_by_hand,
    owner_by_hand,
    removed_by_an_owner,
    pushed_owner,
    pushed_and_removed,
    is_suspended,
    suspended_and_let_in,
    was_deleted,
    pushed_by_another_connection,
    signs_in_as_somebody_else,
    has_a_second_record,
    has_moved,
    invited,
    signs_in,
    signs_in_by_another_name,
    signed_in_and_removed,
    is_pushed_and_signs_in,
    is_pushed_here_and_elsewhere,
)


# -- What came of it ---------------------------------------------------------------------------------

_OF_MEMBER = "LEFT JOIN memberships m ON m.id = {0} LEFT JOIN users u ON u.id = m.user_id"
_OF_RECORD = f"FROM {{0}} d JOIN connections c ON c.id = d.connection_id {_OF_MEMBER.format('d.membership_id')}"
_OF_HOLDER = f"{_OF_MEMBER.format('g.principal_id')} LEFT JOIN user_groups ug ON ug.id = g.principal_id"
_RECORD = "c.name AS at, d.user_name, d.external_id, d.pushed, d.active, d.holds_out, d.email_ci, d.display_name"
_GROUP_NAME = "(SELECT g.name FROM directory_groups g WHERE g.uid = r.value)"
FACTS: Mapping[str, str] = {
    "accounts": "SELECT email, name, email_proved_at FROM users",
    "memberships": "SELECT w.slug, u.email, m.status, m.accepted_at, m.created_at FROM memberships m "
    "JOIN users u ON u.id = m.user_id JOIN workspaces w ON w.id = m.workspace_id",
    "past memberships": "SELECT u.email, m.status, m.accepted_at FROM memberships_past m "
    "JOIN users u ON u.id = m.user_id",
    "records": f"SELECT {_RECORD}, d.document, d.version, u.email {_OF_RECORD.format('directory_users')}",
    "past records": f"SELECT {_RECORD}, d.document, d.version, u.email {_OF_RECORD.format('directory_users_past')}",
    "addresses": "SELECT d.user_name, e.position, e.value, e.value_ci, e.type, e.is_primary FROM directory_emails e "
    "JOIN directory_users d ON d.id = e.directory_user_id",
    "totals": "SELECT name, n_users, n_groups FROM connections",
    "groups": "SELECT name, name_ci, external_id, source, n_members FROM directory_groups",
    "past groups": "SELECT name, name_ci, external_id, source FROM directory_groups_past",
    "members": "SELECT g.name, g.external_id, d.user_name FROM group_members n "
    "JOIN directory_groups g ON g.id = n.group_id JOIN directory_users d ON d.id = n.directory_user_id",
    "past members": "SELECT g.name, g.external_id, d.user_name FROM group_members_past n "
    "JOIN directory_groups g ON g.id = n.group_id JOIN directory_users d ON d.id = n.directory_user_id",
    "User Groups": "SELECT name, name_ci, mirror, orphan_of FROM user_groups",
    "rules": f"SELECT r.match, r.value_ci, {_GROUP_NAME} AS named, r.origin, r.made_by, ug.name AS gives "
    "FROM mappings r LEFT JOIN mapping_user_groups n ON n.mapping_id = r.id "
    "LEFT JOIN user_groups ug ON ug.id = n.user_group_id",
    "matches": f"SELECT g.name, r.match, {_GROUP_NAME} AS named, n.asserted, n.shadowed FROM mapping_matches n "
    "JOIN directory_groups g ON g.id = n.group_id JOIN mappings r ON r.id = n.mapping_id",
    "grants": f"SELECT g.role, g.scope, g.given_by, u.email, ug.name FROM grants g {_OF_HOLDER}",
    "past grants": f"SELECT g.role, g.scope, g.given_by, u.email, ug.name FROM grants_past g {_OF_HOLDER}",
    "events": "SELECT w.slug, a.actor, a.type, a.before, a.after FROM audit a "
    "JOIN workspaces w ON w.id = a.workspace_id WHERE a.type <> 'directory.imported'",
}
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def facts_of(database: Database) -> dict[str, Counter[str]]:
    """All facts, standing and ended, and the audit trail: rows that say the same are the same, whatever their ids."""
    with database.snapshot() as rows:
        return {
            kind: Counter(_said(dict(row._mapping)) for row in rows.execute(text(query)))
            for kind, query in FACTS.items()
        }


def access_of_all(world: World) -> dict[str, list[str]]:
    """What everybody may do who is, or was, in the workspace, with every path."""
    found = text("SELECT u.email FROM users u JOIN memberships m ON m.user_id = u.id WHERE m.workspace_id = :key")
    with world.context.database.snapshot() as rows:
        emails = rows.execute(found, {"key": world.workspace.key}).scalars().all()
    slug = world.workspace.slug
    return {
        email: sorted(_ID.sub("ID", repr(one)) for one in access_of(world.context, slug, email, world.now))
        for email in emails
    }


def events_by(world: World, kind: str) -> list[Any]:
    """What the events of one type say happened."""
    with world.context.database.reading() as rows:
        return list(rows.execute(select(audit.c.after).where(audit.c.type == kind).order_by(audit.c.seq)).scalars())


def _said(row: Mapping[str, Any]) -> str:
    told = {name: _json(value) if name in ("document", "before", "after") else value for name, value in row.items()}
    told = {name: bool(value) if name in _FLAGS else value for name, value in told.items()}
    return _ID.sub("ID", json.dumps(_ordered(told), sort_keys=True))


_FLAGS = {"pushed", "active", "holds_out", "is_primary", "mirror", "asserted", "shadowed"}


def _json(value: str | None) -> Any:
    return None if value is None else json.loads(value)


def _ordered(value: Any) -> Any:
    """The same with the people that an event names in one order, and without their ids."""
    if isinstance(value, dict):
        return {key: _ordered(each) for key, each in value.items() if not (key == "id" and "name" in value)}
    if isinstance(value, list):
        return sorted(map(_ordered, value), key=lambda each: json.dumps(each, sort_keys=True))
    return value
