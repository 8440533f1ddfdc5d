"""SCIM resources to domain values and back: nothing is decided here.

A group's changes are values twice, in `scim.group_changes` and in `domain.directory`, because neither package may
import the other; `group_change` is the one place where they meet.
"""

from typing import Any

from bridge.domain import directory
from bridge.domain.directory import DirectoryGroup, DirectoryUser, GroupMemberRef
from scim.filter_tree import truth_of_element
from scim.group_changes import (
    DisplayNameSet,
    ExternalIdSet,
    GroupChange,
    MembersAdded,
    MembersMatchingRemoved,
    MembersRemoved,
    MembersReplaced,
)
from scim.resources import GroupBody, Meta, Reference, render_group, render_reference, render_user
from scim.versions import render_version


def group_change(change: GroupChange, base: str) -> directory.GroupChange:
    """A parsed operation on a group, as the domain says it; members are looked at as they are shown."""
    match change:
        case MembersAdded(ids):
            return directory.MembersAdded(ids)
        case MembersRemoved(ids):
            return directory.MembersRemoved(ids)
        case MembersMatchingRemoved(where):
            fits = truth_of_element(where)
            return directory.MembersFittingRemoved(
                lambda member: fits(render_reference(_shown_member(member, base), "User"))
            )
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


def location_of(base: str, kind: str, resource_id: str) -> str:
    """The address of a resource; `kind` is Users or Groups."""
    return f"{base}/{kind}/{resource_id}"


def shown_user(user: DirectoryUser, base: str) -> dict[str, Any]:
    """A person as answered to their IdP, every attribute."""
    version = render_version(user.version, user.groups)
    meta = Meta("User", user.created_at, user.modified_at, location_of(base, "Users", user.id), version)
    groups = [Reference(uid, location_of(base, "Groups", uid), name) for uid, name in user.groups]
    return render_user(user.pushed.document, user.id, meta, groups)


def shown_group(group: DirectoryGroup, base: str) -> dict[str, Any]:
    """A group as answered to its IdP; without members where they were not read."""
    version = render_version(group.version)
    meta = Meta("Group", group.created_at, group.modified_at, location_of(base, "Groups", group.id), version)
    members = None
    if group.members is not None:
        members = [_shown_member(each, base) for each in group.members]
    return render_group(group.name, group.external_id, group.id, meta, members)


def _shown_member(member: GroupMemberRef, base: str) -> Reference:
    return Reference(member.id, location_of(base, "Users", member.id), member.name)
