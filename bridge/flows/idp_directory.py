"""The directory as owners see it: groups and people of every connection, as each IdP says them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bridge.domain.errors import NotFound
from bridge.domain.idp_records import GroupMemberSeen, IdpGroupSeen, RecordInFull, RecordSeen
from bridge.domain.roles import MINIMAL, roles_in_plan
from bridge.domain.workspace import Workspace
from bridge.flows.context import Context
from bridge.flows.map_groups import MappingFacts, describe_rules
from bridge.flows.named import get_workspace
from bridge.flows.rule_list import Link, connections_of
from bridge.storage import idp_records, mappings
from bridge.storage.idp_records import StoredIdpGroup
from bridge.storage.people_in_groups import count_in_any

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class DirectoryWish:
    """What of the directory is asked for: names that hold `search`, of one connection; `kind` is a group's source or
    `idle`, or a record's state.
    """

    search: str = ""
    connection_id: str = ""
    kind: str = ""
    page: int = 1

    @property
    def offset(self) -> int:
        """How many lines come before the page."""
        return (self.page - 1) * PAGE_SIZE


@dataclass(frozen=True, slots=True)
class GroupsFound:
    """A page of IdP groups, how many are found; the workspace's connections as (id, name)."""

    groups: tuple[IdpGroupSeen, ...]
    total: int
    connections: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class PeopleFound:
    """A page of records of people."""

    people: tuple[RecordSeen, ...]
    total: int
    connections: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class GroupInFull:
    """An IdP group: a page of who is in it, the rules that take it, and how many of its people they reach."""

    group: IdpGroupSeen
    members: tuple[GroupMemberSeen, ...]
    total: int
    rules: tuple[MappingFacts, ...]
    counting: int


def list_idp_groups(context: Context, workspace_slug: str, wish: DirectoryWish, now: datetime) -> GroupsFound:
    """A page of the groups of all connections, by name. Raises NotFound."""
    with context.database.snapshot() as rows:
        workspace = get_workspace(rows, workspace_slug)
        roles = _giving(workspace)
        where = idp_records.groups_where(
            workspace.key, search=wish.search, connection_uid=wish.connection_id, source=wish.kind
        )
        if wish.kind == "idle":
            where = where & idp_records.idle_where(roles, now)
        found, total = idp_records.list_groups(rows, where, roles, now, limit=PAGE_SIZE, offset=wish.offset)
        return GroupsFound(tuple(one.group for one in found), total, connections_of(rows, workspace))


def count_idle_groups(context: Context, workspace_slug: str, now: datetime) -> int:
    """How many IdP groups give nothing more than to see the workspace. Raises NotFound."""
    with context.database.snapshot() as rows:
        workspace = get_workspace(rows, workspace_slug)
        roles = _giving(workspace)
        where = idp_records.groups_where(workspace.key) & idp_records.idle_where(roles, now)
        return idp_records.list_groups(rows, where, roles, now, limit=0, offset=0)[1]


def get_idp_group(
    context: Context, workspace_slug: str, group_id: str, wish: DirectoryWish, now: datetime
) -> GroupInFull:
    """One group with a page of who is in it. Raises NotFound."""
    with context.database.snapshot() as rows:
        workspace = get_workspace(rows, workspace_slug)
        found = idp_records.find_group(rows, workspace.key, group_id, _giving(workspace), now)
        if found is None:
            raise NotFound(f"{workspace.name} has no IdP group {group_id[:80]!r}.")
        members, total = idp_records.list_group_members(
            rows, found, search=wish.search, limit=PAGE_SIZE, offset=wish.offset
        )
        keys = set(idp_records.rules_of_group(rows, found.key))
        taking = [rule for rule in mappings.list_of_workspace(rows, workspace.key) if rule.key in keys]
        rules = tuple(describe_rules(rows, workspace, taking))
        return GroupInFull(found.group, tuple(members), total, rules, _counting(rows, found, now))


def _counting(rows: Any, found: StoredIdpGroup, now: datetime) -> int:
    """How many people are in the group as access counts them: where a pushed group decides for somebody, not here."""
    groups = mappings.groups_by_keys(rows, found.connection_key, [found.key])
    return count_in_any(rows, [one.counted for one in groups], now)


def list_idp_people(context: Context, workspace_slug: str, wish: DirectoryWish) -> PeopleFound:
    """A page of the records of all connections, by name. Raises NotFound."""
    with context.database.snapshot() as rows:
        workspace = get_workspace(rows, workspace_slug)
        where = idp_records.people_where(
            workspace.key, search=wish.search, connection_uid=wish.connection_id, state=wish.kind
        )
        found, total = idp_records.list_people(rows, where, limit=PAGE_SIZE, offset=wish.offset)
        return PeopleFound(tuple(found), total, connections_of(rows, workspace))


def get_record(context: Context, workspace_slug: str, record_id: str) -> RecordInFull:
    """One record with what the IdP sent, and its groups. Raises NotFound."""
    with context.database.snapshot() as rows:
        workspace = get_workspace(rows, workspace_slug)
        found = idp_records.find_record(rows, workspace.key, record_id)
        if found is None:
            raise NotFound(f"{workspace.name} has no record {record_id[:80]!r}.")
        key, record, document = found
        return RecordInFull(record, document, tuple(idp_records.groups_of_record(rows, key)))


def _giving(workspace: Workspace) -> list[str]:
    """The roles that give more than to see the workspace."""
    return [role for role in roles_in_plan(workspace.plan) if role != MINIMAL.id]
