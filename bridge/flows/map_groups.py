"""Rules: IdP groups onto User Groups and roles (product.md 5.2), and what a change of one would do (5.3).

A preview asks the same query as access itself: a person gains (loses) a permission unless another path gives
at least that role's levels on at least that scope. It reads one moment and writes nothing.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from bridge.domain.access import ResourceRef, RoleInScope, dominates
from bridge.domain.errors import Conflict, NotFound
from bridge.domain.group_mapping import (
    Gives,
    GroupMatch,
    check_gives,
    describe,
    phrase_role,
    phrase_user_group,
)
from bridge.domain.previews import MappingDraft, MovedPeople, PersonMoved, Preview
from bridge.domain.roles import ROLES, covers, in_plan
from bridge.domain.workspace import Connection, Workspace
from bridge.flows.context import Context
from bridge.flows.named import check_sso_in_plan, get_connection, get_workspace, owner_acting
from bridge.flows.roles_given import check_role_in_plan
from bridge.storage import access, connections, mappings, mirrors, people, resources
from bridge.storage.access import MatchedGroups
from bridge.storage.changes import Change, lock_workspace
from bridge.storage.directory_members import find_group
from bridge.storage.grants import insert_grant, scope_keys
from bridge.storage.mappings import StoredMapping

__all__ = [
    "MappingDraft",
    "MappingFacts",
    "PersonMoved",
    "Preview",
    "add_mapping",
    "end_rule",
    "get_mapping",
    "link_group",
    "list_mappings",
    "make_rule",
    "moved_people",
    "preview_add",
    "preview_delete",
    "remove_mapping",
    "set_enabled",
    "strongest",
    "switch_rule",
    "tie_group",
]


@dataclass(frozen=True, slots=True)
class MappingFacts:
    """A rule as shown: `user_groups` are (id, name); `origin` is admin, mirror or link."""

    id: str
    connection_id: str
    connection: str
    match: GroupMatch
    enabled: bool
    origin: str
    sentence: str
    user_groups: tuple[tuple[str, str], ...]
    roles: tuple[RoleInScope, ...]
    matched_groups: int


# -- Change ------------------------------------------------------------------------------------------


def add_mapping(context: Context, actor: str, workspace_slug: str, draft: MappingDraft, now: datetime) -> MappingFacts:
    """A new rule, on from now. Raises NotFound, Invalid, NotInPlan, Forbidden."""

    def add(change: Change) -> str:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        return make_rule(change, workspace, draft).id

    return get_mapping(context, workspace_slug, context.change(actor, now, add))


def make_rule(change: Change, workspace: Workspace, draft: MappingDraft) -> StoredMapping:
    """The same inside another flow, which knows who may. Raises NotFound, Invalid, NotInPlan."""
    connection, user_groups = _checked(change.connection, workspace, draft)
    mapping = mappings.insert_mapping(change, workspace.key, connection.key, draft.match, user_groups.values())
    for given in draft.roles:
        insert_grant(change, workspace.key, mapping.key, given, change.actor)
    mappings.refresh_mapping_matches(change, connection.key, mapping.key)
    sentence = _facts(change.connection, workspace, [mapping])[0].sentence
    change.record(workspace.key, "mapping.created", mapping.id, after={"rule": sentence})
    return mapping


def remove_mapping(context: Context, actor: str, workspace_slug: str, mapping_id: str, now: datetime) -> MappingFacts:
    """A rule goes, and all access that came by it alone. Returns what it was. Raises NotFound, Conflict."""

    def remove(change: Change) -> MappingFacts:
        workspace, mapping = _get_own(change, workspace_slug, mapping_id)
        return end_rule(change, workspace, mapping)

    return context.change(actor, now, remove)


def end_rule(change: Change, workspace: Workspace, mapping: StoredMapping) -> MappingFacts:
    """The same inside another flow, which knows who may. Raises Conflict."""
    facts = _facts(change.connection, workspace, [mapping])[0]
    if mapping.origin == "mirror":
        raise Conflict("This rule ties an IdP group to its mirror. Link the group to another User Group instead.")
    mappings.end_mapping(change, mapping.key)
    change.record(workspace.key, "mapping.deleted", mapping.id, before={"rule": facts.sentence})
    return facts


def set_enabled(
    context: Context, actor: str, workspace_slug: str, mapping_id: str, enabled: bool, now: datetime
) -> MappingFacts:
    """Switch a rule on or off. Raises NotFound."""

    def switch(change: Change) -> None:
        workspace, mapping = _get_own(change, workspace_slug, mapping_id)
        switch_rule(change, workspace, mapping, enabled)

    context.change(actor, now, switch)
    return get_mapping(context, workspace_slug, mapping_id)


def switch_rule(change: Change, workspace: Workspace, mapping: StoredMapping, enabled: bool) -> None:
    """The same inside another flow, which knows who may."""
    if mapping.enabled != enabled:
        mappings.set_mapping_enabled(change, mapping, enabled)
        event = "mapping.enabled" if enabled else "mapping.disabled"
        sentence = _facts(change.connection, workspace, [mapping])[0].sentence
        change.record(workspace.key, event, mapping.id, after={"rule": sentence})


def link_group(
    context: Context,
    actor: str,
    workspace_slug: str,
    connection_id: str,
    group_id: str,
    user_group_name: str,
    now: datetime,
) -> MappingFacts:
    """Tie a pushed group to an existing User Group, which keeps its hand-made members (product.md 4.5).

    The group's mirror goes, unless it gives something of its own. Raises NotFound.
    """

    def link(change: Change) -> str:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        connection = get_connection(change.connection, workspace, connection_id)
        return tie_group(change, workspace, connection, group_id, user_group_name)

    return get_mapping(context, workspace_slug, context.change(actor, now, link))


def tie_group(change: Change, workspace: Workspace, connection: Connection, group_id: str, user_group_name: str) -> str:
    """The same inside another flow, which knows who may: the rule's id. Raises NotFound."""
    mappings.hold_connections(change, [connection.key])
    group = find_group(change.connection, connection.key, group_id, hold="alone")
    if group is None:
        raise NotFound(f"{connection.name} has pushed no group {group_id[:80]!r}.")
    lock_workspace(change, workspace.key)
    key = _user_group_keys(change.connection, workspace, [user_group_name])[user_group_name]
    mapping_id = mirrors.link_group(change, connection, group_id, group.group.name, key)
    after = {"idp_group": group.group.name, "user_group": user_group_name}
    change.record(workspace.key, "mapping.linked", mapping_id, after=after)
    return mapping_id


# -- Read --------------------------------------------------------------------------------------------


def list_mappings(context: Context, workspace_slug: str, *, mirrors_too: bool = False) -> tuple[MappingFacts, ...]:
    """A workspace's rules, oldest first; the system-made ones only where asked."""
    with context.database.snapshot() as rows:
        workspace = get_workspace(rows, workspace_slug)
        every = mappings.list_of_workspace(rows, workspace.key)
        return tuple(_facts(rows, workspace, [each for each in every if mirrors_too or each.origin != "mirror"]))


def get_mapping(context: Context, workspace_slug: str, mapping_id: str) -> MappingFacts:
    """One rule. Raises NotFound."""
    with context.database.snapshot() as rows:
        workspace = get_workspace(rows, workspace_slug)
        return _facts(rows, workspace, [_find_own(rows, workspace, mapping_id)])[0]


def describe_rules(rows: Any, workspace: Workspace, chosen: list[StoredMapping]) -> list[MappingFacts]:
    """These rules with what they match and give, in their order, for a flow that has begun to read."""
    return _facts(rows, workspace, chosen)


def _facts(rows: Any, workspace: Workspace, chosen: list[StoredMapping]) -> list[MappingFacts]:
    keys = [each.key for each in chosen]
    names = {each.key: each for each in connections.list_connections(rows, workspace.key)}
    given = mappings.user_groups_given(rows, keys)
    roles = _roles_of(rows, keys)
    gone_or_named = mappings.group_names(
        rows, workspace.key, [each.match.value for each in chosen if each.match.kind == "id"]
    )
    matched = mappings.count_groups_of(rows, chosen)
    listed = {ref for held in roles.values() for each in held for ref in each.scope.resources}
    resource_names = resources.names_of(rows, workspace.key, listed)
    shown = []
    for each in chosen:
        phrases = [phrase_user_group(name) for _, _, name in given[each.key]]
        phrases += _role_phrases(resource_names, roles.get(each.key, ()))
        connection = names[each.connection_key]
        sentence = describe(
            each.match, connection.name, gone_or_named.get(each.match.value), phrases or ["get nothing"]
        )
        user_groups = tuple((uid, name) for _, uid, name in given[each.key])
        shown.append(
            MappingFacts(
                each.id,
                connection.id,
                connection.name,
                each.match,
                each.enabled,
                each.origin,
                sentence,
                user_groups,
                tuple(roles.get(each.key, ())),
                matched[each.key],
            )
        )
    return shown


def _role_phrases(names: Mapping[ResourceRef, str], given: Iterable[RoleInScope]) -> list[str]:
    return [phrase_role(each, sorted(names[ref] for ref in each.scope.resources if ref in names)) for each in given]


def _roles_of(rows: Any, principals: Collection[int]) -> dict[int, list[RoleInScope]]:
    roles: dict[int, list[RoleInScope]] = {}
    for principal, given in access.grants_of(rows, principals).values():
        roles.setdefault(principal, []).append(given)
    return roles


# -- Preview -----------------------------------------------------------------------------------------


def preview_add(context: Context, workspace_slug: str, draft: MappingDraft, now: datetime) -> Preview:
    """Who would gain what by this rule. Raises what `add_mapping` raises; writes nothing."""
    with context.database.snapshot() as rows:
        workspace = get_workspace(rows, workspace_slug)
        connection, user_groups = _checked(rows, workspace, draft)
        groups = MatchedGroups()
        if connection.enabled:
            groups = _matched(
                (group.key, group.group.source == "asserted", group.shadowed)
                for group in mappings.groups_of_match(rows, connection.key, draft.match)
            )
        inherited = [given for _, given in access.grants_of(rows, user_groups.values()).values()]
        moved = _moved(rows, workspace, groups, [*draft.roles, *inherited], now)
        return _preview(workspace, gains=moved_people(rows, moved))


def preview_delete(context: Context, workspace_slug: str, mapping_id: str, now: datetime) -> Preview:
    """Who would lose what without this rule. Raises NotFound; writes nothing."""
    with context.database.snapshot() as rows:
        workspace = get_workspace(rows, workspace_slug)
        mapping = _find_own(rows, workspace, mapping_id)
        groups = _matched(mappings.matched_now(rows, mapping.key))
        principals = [mapping.key, *(key for key, _, _ in mappings.user_groups_given(rows, [mapping.key])[mapping.key])]
        gives = [given for _, given in access.grants_of(rows, principals).values()]
        moved = _moved(rows, workspace, groups, gives, now, without=mapping.key)
        return _preview(workspace, loses=moved_people(rows, moved))


def _preview(workspace: Workspace, gains: tuple[PersonMoved, ...] = (), loses: tuple[PersonMoved, ...] = ()) -> Preview:
    told = repr([[(one.id, one.roles) for one in side] for side in (gains, loses)])
    gaining, losing = (MovedPeople(len(side), people=side) for side in (gains, loses))
    return Preview(gaining, losing, 0, workspace.rev, sha256(told.encode()).hexdigest())


def _matched(groups: Iterable[tuple[int, bool, bool]]) -> MatchedGroups:
    every = list(groups)
    return MatchedGroups(
        pushed=tuple(key for key, asserted, _ in every if not asserted),
        asserted=tuple(key for key, asserted, shadowed in every if asserted and not shadowed),
        shadowed=tuple(key for key, asserted, shadowed in every if asserted and shadowed),
    )


def _moved(
    rows: Any, workspace: Workspace, groups: MatchedGroups, gives: list[RoleInScope], now: datetime, *, without: int = 0
) -> dict[int, list[RoleInScope]]:
    """For each member in the groups, what of `gives` no path that doesn't pass the rule `without` gives as well."""
    narrowed = access.grants_in_workspace(rows, workspace.key, narrowed=True)
    touched = access.people_of_groups(rows, groups, now)
    moved: dict[int, list[RoleInScope]] = {}
    for given in strongest(gives, workspace):
        # A grant of the rule itself is held by nobody without the rule, so it covers nobody.
        roles = [role.id for role in ROLES if covers(role, given.role) and in_plan(role, workspace.plan)]
        covering = [key for key, other in narrowed.items() if other.role.id in roles and dominates(other, given)]
        for member in touched - access.holders(rows, workspace.key, roles, covering, now, without=without):
            moved.setdefault(member, []).append(given)
    return moved


def strongest(gives: Iterable[RoleInScope], workspace: Workspace) -> list[RoleInScope]:
    """What is given, less what the plan doesn't include and what something else given covers."""
    distinct = [given for given in dict.fromkeys(gives) if in_plan(given.role, workspace.plan)]
    return [one for one in distinct if not any(dominates(other, one) for other in distinct if other != one)]


def moved_people(rows: Any, moved: Mapping[int, list[RoleInScope]]) -> tuple[PersonMoved, ...]:
    """Members by their keys with what they would gain, or lose, as people in order of address."""
    named = people.people_of(rows, moved)
    shown = [PersonMoved(*named[member], tuple(roles)) for member, roles in moved.items()]
    return tuple(sorted(shown, key=lambda person: person.email))


# -- Shared ------------------------------------------------------------------------------------------


def _checked(rows: Any, workspace: Workspace, draft: MappingDraft) -> tuple[Connection, dict[str, int]]:
    check_sso_in_plan(workspace)
    check_gives(draft.match, Gives(draft.user_group_names, draft.roles))
    connection = get_connection(rows, workspace, draft.connection_id)
    for given in draft.roles:
        check_role_in_plan(given.role, workspace)
        scope_keys(rows, workspace.key, given.scope)
    return connection, _user_group_keys(rows, workspace, draft.user_group_names)


def _user_group_keys(rows: Any, workspace: Workspace, names: Collection[str]) -> dict[str, int]:
    found = mappings.user_group_keys(rows, workspace.key, names)
    for name in names:
        if name not in found:
            raise NotFound(f"{workspace.name} has no User Group {name[:80]!r}.")
    return found


def _get_own(change: Change, workspace_slug: str, mapping_id: str) -> tuple[Workspace, StoredMapping]:
    workspace = get_workspace(change.connection, workspace_slug)
    owner_acting(change, workspace)
    return workspace, _find_own(change.connection, workspace, mapping_id)


def _find_own(rows: Any, workspace: Workspace, mapping_id: str) -> StoredMapping:
    mapping = mappings.find_mapping(rows, workspace.key, mapping_id)
    if mapping is None:
        raise NotFound(f"{workspace.name} has no rule {mapping_id[:80]!r}.")
    return mapping
