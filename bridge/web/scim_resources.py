"""SCIM resources to domain values and back: nothing is decided here.

A group's five changes are values twice, in `scim.patch` and in `domain.directory`, because neither package may import
the other; `group_change` is the one place where they meet.
"""

from typing import Any

from bridge.domain import directory
from bridge.domain.directory import DirectoryGroup, DirectoryUser
from scim.patch import (
    DisplayNameSet,
    ExternalIdSet,
    GroupChange,
    MembersAdded,
    MembersRemoved,
    MembersReplaced,
)
from scim.resources import GroupBody, Meta, Reference, render_group, render_user


def group_change(change: GroupChange) -> directory.GroupChange:
    """A parsed operation on a group, as the domain says it."""
    match change:
        case MembersAdded(ids):
            return directory.MembersAdded(ids)
        case MembersRemoved(ids):
            return directory.MembersRemoved(ids)
        case MembersReplaced(ids):
            return directory.MembersReplaced(ids)
        case DisplayNameSet(name):
            return directory.GroupRenamed(name)
        case ExternalIdSet(value):
            return directory.GroupExternalIdSet(value)


def whole_group(body: GroupBody) -> tuple[directory.GroupChange, ...]:
    """A PUT of a group: its name, its external id and exactly its members (RFC 7644 3.5.1)."""
    return (
        directory.GroupRenamed(body.display_name),
        directory.GroupExternalIdSet(body.external_id),
        directory.MembersReplaced(body.members),
    )


def etag_of(version: int) -> str:
    """The ETag of that version of a resource (RFC 7644 3.14)."""
    return f'W/"{version}"'


def location_of(base: str, kind: str, resource_id: str) -> str:
    """The address of a resource; `kind` is Users or Groups."""
    return f"{base}/{kind}/{resource_id}"


def shown_user(user: DirectoryUser, base: str) -> dict[str, Any]:
    """A person as answered to their IdP, every attribute."""
    meta = Meta("User", user.created_at, user.modified_at, location_of(base, "Users", user.id), etag_of(user.version))
    groups = [Reference(uid, location_of(base, "Groups", uid), name) for uid, name in user.groups]
    return render_user(user.pushed.document, user.id, meta, groups)


def shown_group(group: DirectoryGroup, base: str) -> dict[str, Any]:
    """A group as answered to its IdP; without members where they were not read."""
    meta = Meta(
        "Group", group.created_at, group.modified_at, location_of(base, "Groups", group.id), etag_of(group.version)
    )
    members = None
    if group.members is not None:
        members = [Reference(each.id, location_of(base, "Users", each.id), each.name) for each in group.members]
    return render_group(group.name, group.external_id, group.id, meta, members)
