"""What the picture of access is drawn from: which rules match which IdP groups now, what they give, how many people."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select

from bridge.domain.access import RoleInScope
from bridge.domain.roles import get_role
from bridge.storage.access import in_batches, scopes_of
from bridge.storage.tables import (
    connections,
    directory_groups,
    grants,
    mapping_matches,
    mapping_user_groups,
    mappings,
    principals,
    user_groups,
)


@dataclass(frozen=True, slots=True)
class Match:
    """An IdP group that a rule matches now."""

    mapping_key: int
    group_key: int
    group_id: str
    group: str
    members: int
    asserted: bool
    shadowed: bool
    connection_id: str
    connection: str


def matches_now(connection: Any, workspace_key: int) -> list[Match]:
    """Every pair of a rule and an IdP group that gives something now, by the groups' names."""
    pairs, groups = mapping_matches.c, directory_groups.c
    columns = (pairs.mapping_id, pairs.group_id, groups.uid, groups.name, groups.n_members)
    chosen = (
        select(*columns, pairs.asserted, pairs.shadowed, connections.c.uid, connections.c.name)
        .select_from(mappings)
        .join(mapping_matches, pairs.mapping_id == mappings.c.id)
        .join(directory_groups, groups.id == pairs.group_id)
        .join(connections, connections.c.id == mappings.c.connection_id)
        .where(mappings.c.workspace_id == workspace_key)
        .order_by(groups.name_ci, groups.id, pairs.mapping_id)
    )
    return [Match(*row) for row in connection.execute(chosen)]


def user_groups_of_rules(connection: Any, workspace_key: int) -> list[tuple[int, int, str, str]]:
    """(rule, key, outside id, name) of each User Group that each rule of a workspace gives, by name."""
    chosen = (
        select(mapping_user_groups.c.mapping_id, user_groups.c.id, user_groups.c.uid, user_groups.c.name)
        .join_from(mapping_user_groups, user_groups, user_groups.c.id == mapping_user_groups.c.user_group_id)
        .where(user_groups.c.workspace_id == workspace_key)
        .order_by(user_groups.c.name_ci)
    )
    return [tuple(row) for row in connection.execute(chosen)]


def given_to(
    connection: Any, workspace_key: int, roles: Collection[str], now: datetime
) -> dict[int, list[RoleInScope]]:
    """What rules and User Groups of a workspace give of these roles, by their keys."""
    unexpired = or_(grants.c.expires_at.is_(None), grants.c.expires_at > now)
    holders = principals.c.kind.in_(("mapping", "user_group"))
    rows = connection.execute(
        select(grants.c.id, grants.c.principal_id, grants.c.role)
        .join_from(grants, principals, principals.c.id == grants.c.principal_id)
        .where(principals.c.workspace_id == workspace_key, holders, grants.c.role.in_(list(roles)), unexpired)
        .order_by(grants.c.id)
    ).all()
    scopes = {
        key: scope
        for batch in in_batches(row.id for row in rows)
        for key, scope in scopes_of(connection, batch).items()
    }
    given: dict[int, list[RoleInScope]] = {}
    for row in rows:
        given.setdefault(row.principal_id, []).append(RoleInScope(get_role(row.role), scopes[row.id]))
    return given
