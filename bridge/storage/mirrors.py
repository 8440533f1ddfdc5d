"""Mirrors: the User Group that a pushed group gets, tied to it by a system-made rule on its id (product.md 4.5).

Nothing is ever matched by name: a name that is taken gives "Engineering (Okta)", never somebody else's group.
"""

from itertools import count
from typing import Any
from uuid import uuid4

from sqlalchemy import exists, func, select

from bridge.domain.access import EVERYWHERE, RoleInScope
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.people import fold
from bridge.domain.roles import MINIMAL
from bridge.domain.workspace import Connection
from bridge.storage.changes import Change, alter_facts, begin_fact, end_facts
from bridge.storage.grants import end_grants, insert_grant
from bridge.storage.mappings import StoredMapping, end_mapping, insert_mapping, list_mappings, refresh_mapping_matches
from bridge.storage.tables import grants, mapping_user_groups, mappings, user_group_members, user_groups
from bridge.storage.workspaces import insert_principal


def make_mirror(change: Change, connection: Connection, group_uid: str, name: str) -> None:
    """A User Group with Minimal Workspace Access, and the rule that puts the group's people into it."""
    workspace = connection.workspace_key
    key, uid = insert_principal(change, workspace, "user_group"), str(uuid4())
    chosen = _free_name(change.connection, workspace, name, connection.name)
    values = {"id": key, "uid": uid, "workspace_id": workspace, "name": chosen, "name_ci": fold(chosen)}
    begin_fact(change, user_groups, {**values, "mirror": True, "created_at": change.now})
    insert_grant(change, workspace, key, RoleInScope(MINIMAL, EVERYWHERE), change.actor)
    insert_mapping(change, workspace, connection.key, GroupMatch("id", group_uid), [key], origin="mirror")
    change.record(workspace, "user_group.mirrored", uid, after={"name": chosen, "idp_group": group_uid})


def rename_mirror(change: Change, connection: Connection, group_uid: str, name: str) -> None:
    """The pushed group has another name: its mirror follows."""
    for mapping in made_for(change.connection, connection, group_uid, "mirror"):
        for key, uid, before in _user_groups_of(change.connection, mapping.key):
            chosen = _free_name(change.connection, connection.workspace_key, name, connection.name, own=key)
            alter_facts(change, user_groups, user_groups.c.id == key, values={"name": chosen, "name_ci": fold(chosen)})
            names = {"before": {"name": before}, "after": {"name": chosen}}
            change.record(connection.workspace_key, "user_group.renamed", uid, **names)


def end_mirror(
    change: Change, connection: Connection, group_uid: str, name: str, *, keeping: int | None = None
) -> None:
    """The pushed group is deleted: its system-made rules go, and so does a mirror that gives nothing of its own.

    A mirror with hand-given grants, or that another rule gives, stays: empty, and marked with `name`. One that is
    `keeping` stays as a User Group like any other.
    """
    for mapping in made_for(change.connection, connection, group_uid, "mirror", "link"):
        mirrored = _user_groups_of(change.connection, mapping.key) if mapping.origin == "mirror" else []
        end_mapping(change, mapping.key)
        for key, uid, called in mirrored:
            if key == keeping:
                alter_facts(change, user_groups, user_groups.c.id == key, values={"mirror": False})
            elif _in_use(change.connection, key):
                alter_facts(change, user_groups, user_groups.c.id == key, values={"orphan_of": name, "mirror": False})
                change.record(connection.workspace_key, "user_group.orphaned", uid, after={"name": called})
            else:
                end_user_group(change, key)
                change.record(connection.workspace_key, "user_group.deleted", uid, before={"name": called})


def link_group(change: Change, connection: Connection, group_uid: str, group_name: str, user_group_key: int) -> str:
    """Tie a pushed group to a User Group of the workspace's own in place of its mirror. Returns the rule's id.

    Its mirror itself, where that is named, is the workspace's own from then on: it takes members by hand too.
    """
    end_mirror(change, connection, group_uid, group_name, keeping=user_group_key)
    match = GroupMatch("id", group_uid)
    mapping = insert_mapping(change, connection.workspace_key, connection.key, match, [user_group_key], origin="link")
    refresh_mapping_matches(change, connection.key, mapping.key)
    return mapping.id


def end_user_group(change: Change, key: int) -> None:
    """Remove a User Group: its members by hand, its grants, and its place in every rule."""
    end_facts(change, user_group_members, user_group_members.c.user_group_id == key)
    end_facts(change, mapping_user_groups, mapping_user_groups.c.user_group_id == key)
    end_grants(change, key)
    end_facts(change, user_groups, user_groups.c.id == key)


def made_for(connection: Any, of: Connection, group_uid: str, *origins: str) -> list[StoredMapping]:
    """The system-made rules of a pushed group, of these origins."""
    by_id = (mappings.c.match == "id") & (mappings.c.value == group_uid)
    return list_mappings(connection, (mappings.c.connection_id == of.key) & by_id & mappings.c.origin.in_(origins))


def _user_groups_of(connection: Any, mapping_key: int) -> list[tuple[int, str, str]]:
    chosen = (
        select(user_groups.c.id, user_groups.c.uid, user_groups.c.name)
        .join_from(mapping_user_groups, user_groups)
        .where(mapping_user_groups.c.mapping_id == mapping_key)
    )
    return [(row.id, row.uid, row.name) for row in connection.execute(chosen)]


def _in_use(connection: Any, key: int) -> bool:
    own = select(func.count()).select_from(grants).where(grants.c.principal_id == key, grants.c.role != MINIMAL.id)
    given = exists().where(mapping_user_groups.c.user_group_id == key)
    return bool(connection.execute(own).scalar()) or bool(connection.execute(select(given)).scalar())


def _free_name(connection: Any, workspace_key: int, name: str, connection_name: str, own: int | None = None) -> str:
    """`name`, else `name (Okta)`, else `name (Okta 2)` …, whichever no other User Group has."""
    for n in count():
        candidate = name if n == 0 else f"{name} ({connection_name}{'' if n == 1 else f' {n}'})"
        taken = select(user_groups.c.id).where(
            user_groups.c.workspace_id == workspace_key, user_groups.c.name_ci == fold(candidate)
        )
        holder = connection.execute(taken).scalar()
        if holder is None or holder == own:
            return candidate
    raise AssertionError("numbers do not end")
