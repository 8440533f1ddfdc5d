"""Deleting a connection with everything of it: its directory, rules, tokens and sign-ins."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, select, update

from bridge.domain.workspace import Connection
from bridge.storage.changes import Change, end_facts
from bridge.storage.mappings import end_mapping, hold_connections, list_mappings
from bridge.storage.mirrors import end_mirror
from bridge.storage.people import end_membership, hold_members
from bridge.storage.tables import (
    PAST,
    PUSHED_GROUP,
    authentications,
    connections,
    directory_emails,
    directory_groups,
    directory_users,
    domains,
    ended_logins,
    group_members,
    identities,
    mappings,
    memberships,
    metadata_refreshes,
    pending_requests,
    provider_keys,
    provisioning_requests,
    sign_in_attempts,
    tokens,
)


def delete_connection(change: Change, connection: Connection) -> int:
    """End all of a connection. Returns how many memberships ended with it: those its records held out.

    (Without its record such a person would be let in again; gone is gone.) Who else came by it stays a member, with
    what was given by hand.
    """
    hold_connections(change, [connection.key])
    hold_held_out(change, connection.key)
    ended = _end_held_out(change, connection.key)
    for uid, name in _pushed_groups(change.connection, connection.key):
        end_mirror(change, connection, uid, name)
    for mapping in list_mappings(change.connection, mappings.c.connection_id == connection.key):
        end_mapping(change, mapping.key)
        change.record(connection.workspace_key, "mapping.deleted", mapping.id, before={"value": mapping.match.value})
    _end_directory(change, connection.key)
    _forget(change, connection.key)
    end_facts(change, connections, connections.c.id == connection.key)
    past = PAST[connections]
    change.connection.execute(update(past).where(past.c.id == connection.key).values(secrets_enc=None))
    return ended


def _held_out(key: int) -> ColumnElement[bool]:
    return and_(directory_users.c.connection_id == key, directory_users.c.holds_out)


def hold_held_out(change: Change, key: int) -> None:
    """Hold those whose memberships would end with a connection, until the change ends.

    Their records before their memberships, and both before the workspace: the order of locks
    (`bridge.storage.changes.lock_workspace`).
    """
    records = select(directory_users.c.id).where(_held_out(key)).order_by(directory_users.c.id)
    change.connection.execute(records.with_for_update(key_share=True)).all()
    hold_members(change, _those_held_out(change.connection, key), alone=True)


def _end_held_out(change: Change, key: int) -> int:
    members = _those_held_out(change.connection, key)
    for member in members:
        end_membership(change, member)
    return len(members)


def _those_held_out(connection: Any, key: int) -> list[int]:
    chosen = (
        select(memberships.c.id)
        .join_from(directory_users, memberships, memberships.c.id == directory_users.c.membership_id)
        .where(_held_out(key), memberships.c.status == "active")
    )
    return list(connection.execute(chosen).scalars())


def _pushed_groups(connection: Any, key: int) -> Iterator[tuple[str, str]]:
    chosen = select(directory_groups.c.uid, directory_groups.c.name)
    pushed = (directory_groups.c.connection_id == key) & PUSHED_GROUP
    for row in connection.execute(chosen.where(pushed)).all():
        yield row.uid, row.name


def _end_directory(change: Change, key: int) -> None:
    groups = select(directory_groups.c.id).where(directory_groups.c.connection_id == key)
    users = select(directory_users.c.id).where(directory_users.c.connection_id == key)
    end_facts(change, group_members, group_members.c.group_id.in_(groups))
    change.connection.execute(delete(directory_emails).where(directory_emails.c.directory_user_id.in_(users)))
    end_facts(change, directory_groups, directory_groups.c.connection_id == key)
    end_facts(change, directory_users, directory_users.c.connection_id == key)


_ITS_OWN = (
    *(tokens, identities, authentications, pending_requests),
    *(provisioning_requests, provider_keys, metadata_refreshes, ended_logins),
)


def _forget(change: Change, key: int) -> None:
    for table in _ITS_OWN:
        change.connection.execute(delete(table).where(table.c.connection_id == key))
    for table in (domains, sign_in_attempts):
        change.connection.execute(update(table).where(table.c.connection_id == key).values(connection_id=None))
