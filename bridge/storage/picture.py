"""What the picture of access is drawn from: which rules match which IdP groups now, what they give, how many people."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, bindparam, or_, select, text

from bridge.domain.access import RoleInScope
from bridge.domain.roles import get_role
from bridge.storage.access import ALIVE, MatchedGroups, in_batches, scopes_of
from bridge.storage.columns import Instant, Json
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


# -- How many people ---------------------------------------------------------------------------------


# Each record with its groups, by the index that has both; each person with what their records say; then how many people
# have the same. A record says further whether its asserted groups count now (`a`), and also where a pushed group of
# that name decides for whom the IdP pushes (`p`: not there).
_PEOPLE_SQL = f"""
SELECT said, COUNT(*) FROM (
    SELECT d.membership_id, {{joined_records}} AS said
    FROM (SELECT gm.directory_user_id AS record, {{joined_groups}} AS held FROM group_members gm
          WHERE gm.group_id {{listed}} GROUP BY gm.directory_user_id) AS r
    CROSS JOIN directory_users d CROSS JOIN memberships m
    WHERE d.id = r.record AND m.id = d.membership_id AND {ALIVE}
    GROUP BY d.membership_id) AS each_person
GROUP BY said"""
_RECORD_SQL = """r.held || CASE WHEN d.asserted_until IS NULL OR d.asserted_until < :now THEN '/'
    WHEN d.pushed THEN '/p' ELSE '/a' END"""
_PEOPLE = {
    "sqlite": text(
        _PEOPLE_SQL.format(
            joined_records=f"GROUP_CONCAT({_RECORD_SQL}, ';')",
            joined_groups="GROUP_CONCAT(gm.group_id)",
            listed="IN (SELECT value FROM json_each(:groups))",
        )
    ).bindparams(bindparam("now", type_=Instant), bindparam("groups", type_=Json)),
    "postgresql": text(
        _PEOPLE_SQL.format(
            joined_records=f"STRING_AGG({_RECORD_SQL}, ';')",
            joined_groups="STRING_AGG(CAST(gm.group_id AS TEXT), ',')",
            listed="= ANY(:groups)",
        )
    ).bindparams(bindparam("now", type_=Instant), bindparam("groups", type_=ARRAY(BigInteger))),
}


def count_by_groups(connection: Any, groups: MatchedGroups, now: datetime) -> Iterator[tuple[list[int], int]]:
    """Which of these IdP groups people are in together, and how many people are: each person once, as access counts
    them. One statement.
    """
    every = [*groups.pushed, *groups.asserted, *groups.shadowed]
    if not every:
        return
    asserted, shadowed = frozenset(groups.asserted), frozenset(groups.shadowed)
    left_out = {"": asserted | shadowed, "p": shadowed, "a": frozenset[int]()}
    for said, count in connection.execute(_PEOPLE[connection.dialect.name], {"groups": every, "now": now}):
        held = [record.split("/") for record in said.split(";")]
        yield [key for keys, flag in held for key in map(int, keys.split(",")) if key not in left_out[flag]], count
