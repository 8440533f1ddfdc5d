"""One IdP group by itself, pushed or named at logins: what it is, and which rules take it, on or off."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from bridge.domain.group_mapping import CountedGroup, IdpGroup, group_matches
from bridge.storage.mappings import StoredMapping, groups_by_keys, list_mappings
from bridge.storage.tables import connections, directory_groups, mappings


@dataclass(frozen=True, slots=True)
class FoundGroup:
    """An IdP group with the key of it and of its connection; `members` are its rows, whether or not they count."""

    key: int
    connection_key: int
    connection: tuple[str, str]
    enabled: bool
    members: int
    group: IdpGroup
    shadowed: bool

    @property
    def counted(self) -> CountedGroup:
        """The group as access counts who is in it."""
        return CountedGroup(self.key, self.group.source == "asserted", self.shadowed)


def find_idp_group(connection: Any, workspace_key: int, uid: str) -> FoundGroup | None:
    """A workspace's IdP group with this outside id, or None."""
    chosen = (
        select(
            directory_groups.c.id,
            directory_groups.c.n_members,
            connections.c.id.label("connection_key"),
            connections.c.uid,
            connections.c.name,
            connections.c.enabled,
        )
        .join_from(directory_groups, connections, connections.c.id == directory_groups.c.connection_id)
        .where(directory_groups.c.uid == uid, connections.c.workspace_id == workspace_key)
    )
    row = connection.execute(chosen).first()
    if row is None:
        return None
    [stored] = groups_by_keys(connection, row.connection_key, [row.id])
    where = (row.id, row.connection_key, (row.uid, row.name), row.enabled, row.n_members)
    return FoundGroup(*where, stored.group, stored.shadowed)


def rules_taking(connection: Any, found: FoundGroup) -> list[StoredMapping]:
    """The rules of its connection that take a group, oldest first, whether or not they are on."""
    every = list_mappings(connection, mappings.c.connection_id == found.connection_key)
    return [rule for rule in every if group_matches(rule.match, found.group)]
