"""Rules: IdP groups onto User Groups and roles (product.md 5.2). What a change of one would do says `flows.preview`."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bridge.domain.access import ResourceRef, RoleInScope
from bridge.domain.errors import NotFound
from bridge.domain.group_mapping import GroupMatch, describe, phrase_role, phrase_user_group
from bridge.domain.previews import (
    AddRule,
    ChangeRule,
    DeleteRule,
    LinkGroup,
    MappingDraft,
    PersonMoved,
    Preview,
    Seen,
    SwitchRule,
)
from bridge.domain.workspace import Connection, Workspace
from bridge.flows.context import Context
from bridge.flows.named import get_connection, get_workspace, owner_acting
from bridge.flows.named_rules import check_change, check_draft, check_own_rule, get_rule, get_user_group_keys
from bridge.flows.preview import check_seen, preview
from bridge.storage import access, connections, mappings, mirrors, resources
from bridge.storage.changes import Change, lock_workspace
from bridge.storage.directory_members import find_group
from bridge.storage.grants import end_grant_keys, insert_grant
from bridge.storage.mappings import StoredMapping

__all__ = [
    "MappingDraft",
    "MappingFacts",
    "PersonMoved",
    "Preview",
    "add_mapping",
    "alter_rule",
    "change_mapping",
    "end_rule",
    "get_mapping",
    "link_group",
    "list_mappings",
    "make_rule",
    "preview_add",
    "preview_change",
    "preview_delete",
    "preview_switch",
    "remove_mapping",
    "set_enabled",
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


def add_mapping(
    context: Context,
    actor: str,
    workspace_slug: str,
    draft: MappingDraft,
    now: datetime,
    *,
    seen: Seen | None = None,
) -> MappingFacts:
    """A new rule, on from now. Who was shown a preview gives what it said as `seen`.

    Raises NotFound, Invalid, NotInPlan, Forbidden, Moved (it would do something else by now).
    """

    def add(change: Change) -> str:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        connection, _ = check_draft(change.connection, workspace, draft)
        mappings.hold_connections(change, [connection.key])
        check_seen(change, workspace, AddRule(draft), seen)
        return make_rule(change, workspace, draft).id

    return get_mapping(context, workspace_slug, context.change(actor, now, add))


def make_rule(change: Change, workspace: Workspace, draft: MappingDraft) -> StoredMapping:
    """The same inside another flow, which knows who may. Raises NotFound, Invalid, NotInPlan."""
    connection, user_groups = check_draft(change.connection, workspace, draft)
    mapping = mappings.insert_mapping(change, workspace.key, connection.key, draft.match, user_groups.values())
    for given in draft.roles:
        insert_grant(change, workspace.key, mapping.key, given, change.actor)
    mappings.refresh_mapping_matches(change, connection.key, mapping.key)
    sentence = _facts(change.connection, workspace, [mapping])[0].sentence
    change.record(workspace.key, "mapping.created", mapping.id, after={"rule": sentence})
    return mapping


def change_mapping(
    context: Context,
    actor: str,
    workspace_slug: str,
    mapping_id: str,
    draft: MappingDraft,
    now: datetime,
    *,
    seen: Seen | None = None,
) -> MappingFacts:
    """A rule takes the groups, and gives what, the draft says; it stays on, or off. Who has what both give, keeps it.

    Raises NotFound, Invalid, NotInPlan, Forbidden, Conflict (a system-made rule), Moved.
    """

    def alter(change: Change) -> None:
        workspace, mapping = _get_own(change, workspace_slug, mapping_id)
        mappings.hold_connections(change, [mapping.connection_key])
        check_change(change.connection, workspace, mapping, draft)
        check_seen(change, workspace, ChangeRule(mapping_id, draft), seen)
        alter_rule(change, workspace, mapping, draft)

    context.change(actor, now, alter)
    return get_mapping(context, workspace_slug, mapping_id)


def alter_rule(change: Change, workspace: Workspace, mapping: StoredMapping, draft: MappingDraft) -> None:
    """The same inside another flow, which knows who may. A role that has ended by time is given anew.

    Raises NotFound, Invalid, NotInPlan, Conflict.
    """
    _, user_groups = check_change(change.connection, workspace, mapping, draft)
    before = _facts(change.connection, workspace, [mapping])[0]
    altered = mappings.alter_mapping(change, mapping, draft.match, user_groups.values())
    every = access.grants_of(change.connection, [mapping.key])
    lasting = access.grants_of(change.connection, [mapping.key], lasting=change.now)
    kept = {given for _, given in lasting.values()} & set(draft.roles)
    end_grant_keys(change, [key for key, (_, given) in every.items() if given not in kept])
    for given in draft.roles:
        if given not in kept:
            insert_grant(change, workspace.key, mapping.key, given, change.actor)
    mappings.refresh_mapping_matches(change, mapping.connection_key, mapping.key)
    after = _facts(change.connection, workspace, [altered])[0]
    if after != before or not kept.issuperset(draft.roles):
        told = {"before": {"rule": before.sentence}, "after": {"rule": after.sentence}}
        change.record(workspace.key, "mapping.changed", mapping.id, **told)


def remove_mapping(
    context: Context, actor: str, workspace_slug: str, mapping_id: str, now: datetime, *, seen: Seen | None = None
) -> MappingFacts:
    """A rule goes, and all access that came by it alone. Returns what it was. Raises NotFound, Conflict, Moved."""

    def remove(change: Change) -> MappingFacts:
        workspace, mapping = _get_own(change, workspace_slug, mapping_id)
        mappings.hold_connections(change, [mapping.connection_key])
        check_seen(change, workspace, DeleteRule(mapping_id), seen)
        return end_rule(change, workspace, mapping)

    return context.change(actor, now, remove)


def end_rule(change: Change, workspace: Workspace, mapping: StoredMapping) -> MappingFacts:
    """The same inside another flow, which knows who may. Raises Conflict."""
    facts = _facts(change.connection, workspace, [mapping])[0]
    check_own_rule(mapping)
    mappings.end_mapping(change, mapping.key)
    change.record(workspace.key, "mapping.deleted", mapping.id, before={"rule": facts.sentence})
    return facts


def set_enabled(
    context: Context,
    actor: str,
    workspace_slug: str,
    mapping_id: str,
    enabled: bool,
    now: datetime,
    *,
    seen: Seen | None = None,
) -> MappingFacts:
    """Switch a rule on or off. Raises NotFound, Moved."""

    def switch(change: Change) -> None:
        workspace, mapping = _get_own(change, workspace_slug, mapping_id)
        mappings.hold_connections(change, [mapping.connection_key])
        check_seen(change, workspace, SwitchRule(mapping_id, enabled), seen)
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
    *,
    seen: Seen | None = None,
) -> MappingFacts:
    """Tie a pushed group to an existing User Group, which keeps its hand-made members (product.md 4.5).

    The group's mirror goes, unless it gives something of its own. Raises NotFound, Moved.
    """

    def link(change: Change) -> str:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        connection = get_connection(change.connection, workspace, connection_id)
        mappings.hold_connections(change, [connection.key])
        find_group(change.connection, connection.key, group_id, hold="alone")
        check_seen(change, workspace, LinkGroup(connection_id, group_id, user_group_name), seen)
        return tie_group(change, workspace, connection, group_id, user_group_name)

    return get_mapping(context, workspace_slug, context.change(actor, now, link))


def tie_group(change: Change, workspace: Workspace, connection: Connection, group_id: str, user_group_name: str) -> str:
    """The same inside another flow, which knows who may: the rule's id. Raises NotFound."""
    mappings.hold_connections(change, [connection.key])
    group = find_group(change.connection, connection.key, group_id, hold="alone")
    if group is None:
        raise NotFound(f"{connection.name} has pushed no group {group_id[:80]!r}.")
    lock_workspace(change, workspace.key)
    key = get_user_group_keys(change.connection, workspace, [user_group_name])[user_group_name]
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
        return _facts(rows, workspace, [get_rule(rows, workspace, mapping_id)])[0]


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
    return preview(context, workspace_slug, AddRule(draft), now)


def preview_change(
    context: Context, workspace_slug: str, mapping_id: str, draft: MappingDraft, now: datetime
) -> Preview:
    """Who would gain and lose what, were the rule so. Raises what `change_mapping` raises; writes nothing."""
    return preview(context, workspace_slug, ChangeRule(mapping_id, draft), now)


def preview_switch(context: Context, workspace_slug: str, mapping_id: str, enabled: bool, now: datetime) -> Preview:
    """Who would gain, or lose, what, were the rule on, or off. Raises NotFound; writes nothing."""
    return preview(context, workspace_slug, SwitchRule(mapping_id, enabled), now)


def preview_delete(context: Context, workspace_slug: str, mapping_id: str, now: datetime) -> Preview:
    """Who would lose what without this rule. Raises NotFound, Conflict (a mirror's); writes nothing."""
    return preview(context, workspace_slug, DeleteRule(mapping_id), now)


def _get_own(change: Change, workspace_slug: str, mapping_id: str) -> tuple[Workspace, StoredMapping]:
    workspace = get_workspace(change.connection, workspace_slug)
    owner_acting(change, workspace)
    return workspace, get_rule(change.connection, workspace, mapping_id)
