"""What helps to write a rule: which IdP groups a match takes now, and groups found by a part of their names."""

from dataclasses import dataclass
from datetime import datetime

from bridge.domain.group_mapping import GroupMatch
from bridge.domain.idp_records import IdpGroupSeen
from bridge.domain.people import fold
from bridge.flows.context import Context
from bridge.flows.named import get_connection, get_workspace
from bridge.flows.rule_list import FIRST, Link, MatchedGroup, connections_of, describe_matched, people_reached
from bridge.storage import idp_records, mappings

#: So many groups are offered to choose from.
MOST_OFFERED = 20


@dataclass(frozen=True, slots=True)
class TakenNow:
    """The IdP groups that a match takes now: the first by name, how many they are, and their people, each once."""

    groups: tuple[MatchedGroup, ...]
    total: int
    people: int


def taken_now(context: Context, workspace_slug: str, connection_id: str, match: GroupMatch, now: datetime) -> TakenNow:
    """What a match takes now, whether or not the connection is on. Raises NotFound."""
    with context.database.snapshot() as rows:
        workspace = get_workspace(rows, workspace_slug)
        connection = get_connection(rows, workspace, connection_id)
        found = sorted(
            mappings.groups_of_match(rows, connection.key, match), key=lambda one: (fold(one.group.name), one.key)
        )
        people = people_reached(rows, {"": found} | {one.group.id: [one] for one in found[:FIRST]}, now)
        return TakenNow(describe_matched(found[:FIRST], people), len(found), people[""])


def offer_groups(
    context: Context, workspace_slug: str, connection_id: str, search: str, chosen: str, now: datetime
) -> tuple[tuple[IdpGroupSeen, ...], int]:
    """The first groups of a connection whose name holds `search`, and how many there are; `chosen` (an id) is the
    first of them wherever it would stand. Raises NotFound.
    """
    with context.database.snapshot() as rows:
        workspace = get_workspace(rows, workspace_slug)
        where = idp_records.groups_where(workspace.key, search=search, connection_uid=connection_id)
        found, total = idp_records.list_groups(rows, where, (), now, limit=MOST_OFFERED, offset=0)
        own = idp_records.find_group(rows, workspace.key, chosen, (), now) if chosen else None
    offered = [one.group for one in found if one.group.id != chosen]
    first = [own.group] if own and own.group.connection_id == connection_id else []
    return tuple(first + offered), total


def list_links(context: Context, workspace_slug: str) -> tuple[Link, ...]:
    """The (id, name) of each connection. Raises NotFound."""
    with context.database.reading() as rows:
        return connections_of(rows, get_workspace(rows, workspace_slug))
