"""Pushed groups and the User Groups they are tied to: seen, linked to another one, let go (product.md 4.5)."""

from dataclasses import dataclass
from datetime import datetime

from bridge.domain.errors import Conflict
from bridge.domain.previews import LinkGroup, MovedPeople, Preview, Seen, UnlinkGroup
from bridge.domain.workspace import Connection
from bridge.flows import map_groups
from bridge.flows.context import Context
from bridge.flows.map_groups import MappingFacts
from bridge.flows.named import get_connection, get_workspace
from bridge.flows.named_rules import get_pushed_group
from bridge.flows.preview import preview
from bridge.storage import mappings
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
    preview: Preview

    @property
    def gains(self) -> MovedPeople:
        """Who gains, counted, with the first of them."""
        return self.preview.gains

    @property
    def loses(self) -> MovedPeople:
        """Who loses, counted, with the first of them."""
        return self.preview.loses


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
    """What `map_groups.link_group` would change; writes nothing. Raises NotFound."""
    seen, _ = _look(context, workspace_slug, connection_id, group_id)
    return TiePreview(seen, preview(context, workspace_slug, LinkGroup(connection_id, group_id, user_group_name), now))


def preview_unlink(
    context: Context, workspace_slug: str, connection_id: str, group_id: str, now: datetime
) -> TiePreview:
    """What `unlink_group` would change; writes nothing. Raises NotFound, Conflict (it is linked to none)."""
    seen, tie = _look(context, workspace_slug, connection_id, group_id)
    _check_linked(tie, seen)
    return TiePreview(seen, preview(context, workspace_slug, UnlinkGroup(connection_id, group_id), now))


def unlink_group(
    context: Context,
    actor: str,
    workspace_slug: str,
    connection_id: str,
    group_id: str,
    now: datetime,
    *,
    seen: Seen | None = None,
) -> MappingFacts:
    """The group is tied to no User Group any more; who is in that by hand stays. Returns the rule that went.

    Raises NotFound, Conflict (it is linked to none), Forbidden (not an owner), Moved.
    """
    tied, tie = _look(context, workspace_slug, connection_id, group_id)
    return map_groups.remove_mapping(context, actor, workspace_slug, _check_linked(tie, tied).id, now, seen=seen)


def _look(context: Context, workspace_slug: str, connection_id: str, group_id: str) -> tuple[Tie, StoredMapping | None]:
    """The group as it is tied, and by which rule."""
    with context.database.snapshot() as rows:
        connection = get_connection(rows, get_workspace(rows, workspace_slug), connection_id)
        stored = get_pushed_group(rows, connection, group_id)
        tie = find_ties(rows, connection.key, [group_id]).get(group_id)
        given = mappings.user_groups_given(rows, [tie.key])[tie.key] if tie else []
    name = given[0][2] if given else None
    return Tie(stored.group.name, stored.n_members, name, tie is not None and tie.origin == "mirror"), tie


def _check_linked(tie: StoredMapping | None, seen: Tie) -> StoredMapping:
    if tie is None or tie.origin != "link":
        how = "mirrored" if seen.mirrored else "tied to no User Group"
        raise Conflict(f"{seen.group} is linked to no User Group: it is {how}.")
    return tie
