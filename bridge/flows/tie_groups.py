"""Pushed groups and the User Groups they are tied to: seen, linked to another one, let go (product.md 4.5)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bridge.domain.access import RoleInScope, dominates
from bridge.domain.errors import Conflict, NotFound
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.previews import MappingDraft, PersonMoved
from bridge.domain.workspace import Connection
from bridge.flows import map_groups
from bridge.flows.context import Context
from bridge.flows.map_groups import MappingFacts
from bridge.flows.named import get_connection, get_workspace
from bridge.storage import access, mappings
from bridge.storage.directory_members import find_group
from bridge.storage.mappings import StoredMapping
from bridge.storage.tied_groups import TiedGroup, find_ties, list_tied_groups

__all__ = [
    "Tie",
    "TiePreview",
    "TiedGroup",
    "TiedGroupsPage",
    "get_tie",
    "list_groups",
    "preview_link",
    "preview_unlink",
    "unlink_group",
]

PAGE = 50


@dataclass(frozen=True, slots=True)
class TiedGroupsPage:
    """A page of a connection's groups by name; `total` counts all that match."""

    connection: Connection
    groups: tuple[TiedGroup, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Tie:
    """One pushed group by its name, and the User Group it is tied to now: `mirrored`, or linked; None: to none."""

    group: str
    members: int
    user_group: str | None
    mirrored: bool


@dataclass(frozen=True, slots=True)
class TiePreview:
    """Who gains and loses what, were the group tied otherwise."""

    now: Tie
    gains: tuple[PersonMoved, ...]
    loses: tuple[PersonMoved, ...]


def list_groups(
    context: Context, workspace_slug: str, connection_id: str, *, search: str = "", page: int = 1, size: int = PAGE
) -> TiedGroupsPage:
    """A connection's pushed groups with what each is tied to. Raises NotFound."""
    with context.database.snapshot() as rows:
        connection = get_connection(rows, get_workspace(rows, workspace_slug), connection_id)
        offset = (max(page, 1) - 1) * size
        found, total = list_tied_groups(rows, connection.key, search=search, limit=size, offset=offset)
        return TiedGroupsPage(connection, tuple(found), total)


def get_tie(context: Context, workspace_slug: str, connection_id: str, group_id: str) -> Tie:
    """One pushed group as it is tied now. Raises NotFound."""
    return _look(context, workspace_slug, connection_id, group_id)[0]


def preview_link(
    context: Context, workspace_slug: str, connection_id: str, group_id: str, user_group_name: str, now: datetime
) -> TiePreview:
    """What `map_groups.link_group` would change; writes nothing. Raises NotFound, NotInPlan."""
    draft = MappingDraft(connection_id, GroupMatch("id", group_id), (user_group_name,))
    gains = map_groups.preview_add(context, workspace_slug, draft, now).gains.people
    seen, tie, given = _look(context, workspace_slug, connection_id, group_id, user_group_name)
    loses = _losing(context, workspace_slug, tie, given, now)
    return TiePreview(seen, gains, loses)


def preview_unlink(
    context: Context, workspace_slug: str, connection_id: str, group_id: str, now: datetime
) -> TiePreview:
    """What `unlink_group` would change; writes nothing. Raises NotFound, Conflict (it is linked to none)."""
    seen, tie, _ = _look(context, workspace_slug, connection_id, group_id)
    _check_linked(tie, seen)
    return TiePreview(seen, (), _losing(context, workspace_slug, tie, (), now))


def unlink_group(
    context: Context, actor: str, workspace_slug: str, connection_id: str, group_id: str, now: datetime
) -> MappingFacts:
    """The group is tied to no User Group any more; who is in that by hand stays. Returns the rule that went.

    Raises NotFound, Conflict (it is linked to none), Forbidden (not an owner).
    """
    seen, tie, _ = _look(context, workspace_slug, connection_id, group_id)
    return map_groups.remove_mapping(context, actor, workspace_slug, _check_linked(tie, seen).id, now)


def _look(
    context: Context, workspace_slug: str, connection_id: str, group_id: str, wanted: str | None = None
) -> tuple[Tie, StoredMapping | None, Sequence[RoleInScope]]:
    """The group as it is tied, by which rule, and what the User Group `wanted` gives."""
    with context.database.snapshot() as rows:
        workspace = get_workspace(rows, workspace_slug)
        connection = get_connection(rows, workspace, connection_id)
        stored = find_group(rows, connection.key, group_id)
        if stored is None:
            raise NotFound(f"{connection.name} has pushed no group {group_id[:80]!r}.")
        tie = find_ties(rows, connection.key, [group_id]).get(group_id)
        given = mappings.user_groups_given(rows, [tie.key])[tie.key] if tie else []
        gives = _gives(rows, workspace.key, wanted) if wanted is not None else ()
    name = given[0][2] if given else None
    return Tie(stored.group.name, stored.n_members, name, tie is not None and tie.origin == "mirror"), tie, gives


def _gives(rows: Any, workspace_key: int, name: str) -> Sequence[RoleInScope]:
    keys = mappings.user_group_keys(rows, workspace_key, [name]).values()
    return [given for _, given in access.grants_of(rows, keys).values()]


def _losing(
    context: Context, workspace_slug: str, tie: StoredMapping | None, given: Sequence[RoleInScope], now: datetime
) -> tuple[PersonMoved, ...]:
    """Who loses what when the rule goes, less what all of them are given in its place."""
    if tie is None:
        return ()
    moved = map_groups.preview_delete(context, workspace_slug, tie.id, now).loses.people
    kept = ((one, tuple(role for role in one.roles if not any(dominates(new, role) for new in given))) for one in moved)
    return tuple(replace(one, roles=roles) for one, roles in kept if roles)


def _check_linked(tie: StoredMapping | None, seen: Tie) -> StoredMapping:
    if tie is None or tie.origin != "link":
        how = "mirrored" if seen.mirrored else "tied to no User Group"
        raise Conflict(f"{seen.group} is linked to no User Group: it is {how}.")
    return tie
