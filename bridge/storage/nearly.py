"""What nearly gives a person something: the links of access without their conditions, for one person at a time.

The query of access asks for what counts; this asks for all that is there, so that what stands in the way can be said.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select, union_all

from bridge.domain.access import EVERYWHERE, Scope
from bridge.domain.group_mapping import IdpGroup
from bridge.domain.roles import Role, get_role
from bridge.storage.access import in_batches, scopes_of
from bridge.storage.mappings import StoredGroup, StoredMapping, groups_by_keys, list_mappings, user_groups_given
from bridge.storage.tables import (
    connections,
    directory_users,
    grants,
    group_members,
    mapping_user_groups,
    mappings,
    memberships,
    user_group_members,
    user_groups,
)


@dataclass(frozen=True, slots=True)
class CandidateGrant:
    """A grant whatever its time, plan and scope say; `principal` is a key."""

    uid: str
    principal: int
    role: Role
    scope: Scope
    expires_at: datetime | None


def candidate_grants(
    connection: Any, workspace_key: int, membership_key: int | None, roles: Collection[str]
) -> list[CandidateGrant]:
    """Every grant of these roles to the member itself, a User Group or a rule of the workspace."""
    many = union_all(
        select(user_groups.c.id).where(user_groups.c.workspace_id == workspace_key),
        select(mappings.c.id).where(mappings.c.workspace_id == workspace_key),
    )
    columns = (grants.c.id, grants.c.uid, grants.c.principal_id, grants.c.role, grants.c.scope, grants.c.expires_at)
    own = grants.c.principal_id == membership_key
    rows = [
        row
        for held in (grants.c.principal_id.in_(many), own)
        for row in connection.execute(
            select(*columns).where(held, grants.c.role.in_(list(roles))).order_by(grants.c.id)
        )
    ]
    narrow = [row.id for row in rows if row.scope != "all"]
    scopes = {key: scope for batch in in_batches(narrow) for key, scope in scopes_of(connection, batch).items()}
    return [
        CandidateGrant(row.uid, row.principal_id, get_role(row.role), scopes.get(row.id, EVERYWHERE), row.expires_at)
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class GroupAtHand:
    """An IdP group that a person's record is in, and what its counting depends on."""

    key: int
    group: IdpGroup
    connection_key: int
    connection: tuple[str, str]
    enabled: bool
    pushed: bool
    shadowed: bool
    asserted_until: datetime | None


@dataclass(frozen=True, slots=True)
class NearLinks:
    """What could lead one person to a principal that holds grants, by keys. `by_hand`: User Groups, whose ids and names
    are `named`; `rules` may take the IdP groups `at_hand`; `given`: the User Groups that each of them gives.
    """

    member: int
    by_hand: Sequence[int]
    at_hand: Sequence[GroupAtHand]
    rules: Sequence[StoredMapping]
    given: Mapping[int, Sequence[tuple[int, str, str]]]
    named: Mapping[int, tuple[str, str]]


def near_links(connection: Any, workspace_key: int, membership_key: int, principals: Collection[int]) -> NearLinks:
    """Those of today to any of these principals, and some to others."""
    at_hand = groups_at_hand(connection, membership_key)
    rules = rules_giving(connection, workspace_key, principals, of={one.connection_key for one in at_hand})
    given = user_groups_given(connection, [rule.key for rule in rules])
    by_hand = user_groups_by_hand(connection, membership_key)
    return NearLinks(membership_key, list(by_hand), at_hand, rules, given, by_hand)


def groups_at_hand(connection: Any, membership_key: int) -> list[GroupAtHand]:
    """Every IdP group that any record of the member is in, whether or not it counts."""
    chosen = (
        select(
            group_members.c.group_id,
            connections.c.id,
            connections.c.uid,
            connections.c.name,
            connections.c.enabled,
            directory_users.c.pushed,
            directory_users.c.asserted_until,
        )
        .join_from(directory_users, group_members, group_members.c.directory_user_id == directory_users.c.id)
        .join(connections, connections.c.id == directory_users.c.connection_id)
        .where(directory_users.c.membership_id == membership_key)
        .order_by(group_members.c.group_id)
    )
    rows = connection.execute(chosen).all()
    stored: dict[int, StoredGroup] = {}
    for key in {row.id for row in rows}:
        for batch in in_batches(row.group_id for row in rows if row.id == key):
            stored |= {one.key: one for one in groups_by_keys(connection, key, batch)}
    return [
        GroupAtHand(
            key=row.group_id,
            group=stored[row.group_id].group,
            connection_key=row.id,
            connection=(row.uid, row.name),
            enabled=row.enabled,
            pushed=row.pushed,
            shadowed=stored[row.group_id].shadowed,
            asserted_until=row.asserted_until,
        )
        for row in rows
    ]


def user_groups_by_hand(connection: Any, membership_key: int) -> dict[int, tuple[str, str]]:
    """The User Groups that the member was put into by hand: the id and name of each."""
    columns = user_group_members.c
    chosen = select(user_groups.c.id, user_groups.c.uid, user_groups.c.name).join_from(user_group_members, user_groups)
    rows = connection.execute(chosen.where(columns.membership_id == membership_key).order_by(user_groups.c.id))
    return {key: (uid, name) for key, uid, name in rows}


def rules_giving(
    connection: Any, workspace_key: int, principals: Collection[int], *, of: Collection[int] | None = None
) -> list[StoredMapping]:
    """The rules that hold one of these principals' grants, or give one of them as a User Group; on or off.

    `of`: of these connections only.
    """
    found: dict[int, StoredMapping] = {}
    here = mappings.c.workspace_id == workspace_key
    if of is not None:
        here = and_(here, mappings.c.connection_id.in_(list(of)))
    for batch in in_batches(principals):
        giving = select(mapping_user_groups.c.mapping_id).where(mapping_user_groups.c.user_group_id.in_(batch))
        concerned = or_(mappings.c.id.in_(batch), mappings.c.id.in_(giving))
        found |= {one.key: one for one in list_mappings(connection, and_(here, concerned))}
    return [found[key] for key in sorted(found)]


def stands_since(connection: Any, membership_key: int) -> datetime:
    """Since when the membership is as it is: of a removed one, when that happened."""
    since: datetime = connection.execute(
        select(memberships.c.since).where(memberships.c.id == membership_key)
    ).scalar_one()
    return since
