"""What an IdP group, a rule or a User Group gives, and to how many people (product.md 5.4)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bridge.domain.access import RoleInScope
from bridge.domain.errors import NotFound
from bridge.domain.obstacles import Obstacle, connection_disabled, role_not_in_plan, rule_off
from bridge.domain.roles import in_plan
from bridge.domain.workspace import Workspace
from bridge.flows.context import Context
from bridge.flows.map_groups import MappingFacts, describe_rules
from bridge.flows.named import get_workspace
from bridge.storage import access, connections, mappings, user_groups
from bridge.storage.idp_groups import find_idp_group, rules_taking
from bridge.storage.mappings import StoredMapping
from bridge.storage.people_in_groups import count_in_any


@dataclass(frozen=True, slots=True)
class GivenRole:
    """A role in a scope, and why it gives nothing at the moment, if so."""

    given: RoleInScope
    obstacle: Obstacle | None = None


@dataclass(frozen=True, slots=True)
class UserGroupGives:
    """A User Group, the roles that it gives, and how many people are in it by whichever way."""

    id: str
    name: str
    roles: tuple[GivenRole, ...]
    people: int


@dataclass(frozen=True, slots=True)
class RuleGives:
    """A rule, what it gives (roles of its own, and User Groups with theirs), to how many people now, and what stands in
    its way.
    """

    rule: MappingFacts
    roles: tuple[GivenRole, ...]
    user_groups: tuple[UserGroupGives, ...]
    people: int
    obstacles: tuple[Obstacle, ...]


@dataclass(frozen=True, slots=True)
class IdpGroupGives:
    """An IdP group with the rules that take it, on or off. Of its `members`, `people` are those of whom it counts.

    `connection` is an (id, name); `source` is scim or asserted.
    """

    id: str
    name: str
    source: str
    connection: tuple[str, str]
    members: int
    people: int
    rules: tuple[RuleGives, ...]


def idp_group_gives(context: Context, workspace_slug: str, group_id: str, now: datetime) -> IdpGroupGives:
    """What whoever is in an IdP group has by it. Raises NotFound."""
    with context.database.snapshot() as rows:
        workspace = get_workspace(rows, workspace_slug)
        found = find_idp_group(rows, workspace.key, group_id)
        if found is None:
            raise NotFound(f"{workspace.name} has no IdP group {group_id[:80]!r}.")
        people = count_in_any(rows, [found.counted], now)
        rules = _rules(rows, workspace, rules_taking(rows, found), now)
    group = found.group
    return IdpGroupGives(group.id, group.name, group.source, found.connection, found.members, people, rules)


def rule_gives(context: Context, workspace_slug: str, mapping_id: str, now: datetime) -> RuleGives:
    """What a rule gives to whoever is in the groups that it takes. Raises NotFound."""
    with context.database.snapshot() as rows:
        workspace = get_workspace(rows, workspace_slug)
        found = mappings.find_mapping(rows, workspace.key, mapping_id)
        if found is None:
            raise NotFound(f"{workspace.name} has no rule {mapping_id[:80]!r}.")
        return _rules(rows, workspace, [found], now)[0]


def user_group_gives(context: Context, workspace_slug: str, name: str, now: datetime) -> UserGroupGives:
    """What whoever is in a User Group has by it. Raises NotFound."""
    with context.database.snapshot() as rows:
        workspace = get_workspace(rows, workspace_slug)
        found = user_groups.find_user_group(rows, workspace.key, name=name)
        if found is None:
            raise NotFound(f"{workspace.name} has no User Group {name[:80]!r}.")
        people = user_groups.count_members(rows, [found.key], now).get(found.key, 0)
        roles = _roles(rows, workspace, [found.key])
        return UserGroupGives(found.group.id, found.group.name, roles.get(found.key, ()), people)


def _rules(rows: Any, workspace: Workspace, found: list[StoredMapping], now: datetime) -> tuple[RuleGives, ...]:
    given = mappings.user_groups_given(rows, [rule.key for rule in found])
    groups = {key for each in given.values() for key, _, _ in each}
    roles = _roles(rows, workspace, [*given, *groups])
    counts = user_groups.count_members(rows, groups, now)
    of = {one.key: one for one in connections.list_connections(rows, workspace.key)}

    def told(rule: StoredMapping, facts: MappingFacts) -> RuleGives:
        into = tuple(
            UserGroupGives(uid, name, roles.get(key, ()), counts.get(key, 0)) for key, uid, name in given[rule.key]
        )
        by, obstacles = of[rule.connection_key], []
        if not by.enabled:
            obstacles.append(connection_disabled((by.id, by.name)))
        if not rule.enabled:
            obstacles.append(rule_off(rule.match.value if rule.match.kind in ("name", "glob") else "of this group"))
        people = count_in_any(rows, mappings.matched_now(rows, rule.key), now)
        return RuleGives(facts, roles.get(rule.key, ()), into, people, tuple(obstacles))

    return tuple(told(rule, facts) for rule, facts in zip(found, describe_rules(rows, workspace, found), strict=True))


def _roles(rows: Any, workspace: Workspace, principals: list[int]) -> dict[int, tuple[GivenRole, ...]]:
    """The roles of each principal, those outside the plan with what stands in their way."""
    found: dict[int, list[GivenRole]] = {}
    for batch in access.in_batches(set(principals)):
        for principal, given in access.grants_of(rows, batch).values():
            outside = None if in_plan(given.role, workspace.plan) else role_not_in_plan(given.role, workspace.plan)
            found.setdefault(principal, []).append(GivenRole(given, outside))
    return {key: tuple(sorted(each, key=lambda one: one.given.role.name)) for key, each in found.items()}
