"""Everything that a workspace has, as rows: what points to it, and what points to that, ended facts too."""

from typing import Any

from sqlalchemy import Row, Table, select

from bridge.storage.tables import (
    PAST,
    authentications,
    memberships,
    metadata,
    provisioning_requests,
    recovery_codes,
    second_factors,
    sessions,
    users,
)
from tests.world import World

Rows = dict[str, list[tuple[Any, ...]]]

#: Said of people, not of a workspace: an account may live in many.
_PEOPLE = {users.name, second_factors.name, recovery_codes.name, sessions.name}
_TWINS = {twin.name for twin in PAST.values()}
_FACTS = [table for table in metadata.sorted_tables if table.name not in _TWINS and table.name not in _PEOPLE]


def rows_of(world: World) -> Rows:
    """All rows of the world's workspace by table, sorted."""
    owned: dict[str, set[Any]] = {}
    rows: Rows = {}
    with world.context.database.snapshot() as connection:
        for table in _FACTS:
            keys: set[Any] = set()
            for kept in (table, *([PAST[table]] if table in PAST else [])):
                found = [row for row in connection.execute(select(kept)) if _belongs(row, table, owned, world)]
                keys |= {row.id for row in found} if "id" in table.c else set()
                rows[kept.name] = sorted((tuple(row) for row in found), key=repr)
            owned[table.name] = keys
    return rows


def _belongs(row: Row[Any], table: Table, owned: dict[str, set[Any]], world: World) -> bool:
    if table.name == "workspaces":
        return bool(row.id == world.workspace.key)
    return any(getattr(row, key.parent.name) in owned.get(key.column.table.name, ()) for key in table.foreign_keys)


def accounts_of(world: World) -> Rows:
    """The accounts of the workspace's people, with their second factors."""
    with world.context.database.snapshot() as connection:
        people = _people(connection, world)
        chosen = [select(users).where(users.c.id.in_(people))]
        chosen += [select(second_factors).where(second_factors.c.user_id.in_(people))]
        return {str(n): sorted(map(tuple, connection.execute(each))) for n, each in enumerate(chosen)}


def proofs_of(world: World) -> set[tuple[Any, ...]]:
    """Every authentication that a session of the workspace's people holds."""
    held = select(sessions.c.uid, sessions.c.hash, authentications.c.id, authentications.c.at).join_from(
        sessions, authentications
    )
    with world.context.database.snapshot() as connection:
        chosen = held.where(sessions.c.user_id.in_(_people(connection, world)))
        return {tuple(row) for row in connection.execute(chosen)}


def _people(connection: Any, world: World) -> list[int]:
    here = select(memberships.c.user_id).where(memberships.c.workspace_id == world.workspace.key)
    return list(connection.execute(here).scalars())


def everything(world: World) -> Rows:
    """Every row of every table of the database but the log of SCIM requests, sorted."""
    tables = [table for table in metadata.sorted_tables if table is not provisioning_requests]
    with world.context.database.snapshot() as connection:
        return {table.name: sorted(map(tuple, connection.execute(select(table))), key=repr) for table in tables}
