"""SCIM resources to domain values and back: nothing is decided here.

A group's changes are values twice, in `scim.group_changes` and in `domain.directory`, because neither package may
import the other; `group_change` is the one place where they meet.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from bridge.domain import directory
from bridge.domain.directory import DirectoryGroup, DirectoryUser, GroupMemberRef, ShownUser
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
from scim.resources import (
    GroupBody,
    Meta,
    Reference,
    render_group,
    render_reference,
    render_user,
    render_user_json,
    select_attributes,
)
from scim.schemas import USER
from scim.versions import render_version

#: The attributes that are wanted of an answer, and those that are not (RFC 7644 3.9).
Selection = tuple[tuple[str, ...], tuple[str, ...]]
#: A resource as answered, or its JSON.
Answered = Mapping[str, Any] | orjson.Fragment


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


def as_shown(user: DirectoryUser) -> ShownUser:
    """A person whom the caller has in hand, as if read to be shown."""
    document = orjson.dumps(user.pushed.document).decode()
    return ShownUser(user.id, document, user.created_at, user.modified_at, user.version, user.groups)


def shown_user(user: ShownUser, base: str) -> dict[str, Any]:
    """A person as answered to their IdP, every attribute."""
    return render_user(orjson.loads(user.document), user.id, meta_of_user(user, base), _groups_of(user, base))


def select_of_user(user: ShownUser, base: str, selection: Selection, meta: Meta | None = None) -> Answered:
    """A person as answered, as much as was selected: all of them without looking into the document."""
    if any(selection):
        return select_attributes(shown_user(user, base), *selection, USER)
    meta = meta or meta_of_user(user, base)
    return render_user_json(user.document, user.id, meta, _groups_of(user, base))


def meta_of_user(user: ShownUser, base: str) -> Meta:
    """What the server knows about a person's record."""
    version = render_version(user.version, user.groups)
    return Meta("User", user.created_at, user.modified_at, location_of(base, "Users", user.id), version)


def _groups_of(user: ShownUser, base: str) -> list[Reference]:
    # Most people of a page are in none.
    groups = user.groups
    return [Reference(uid, location_of(base, "Groups", uid), name) for uid, name in groups] if groups else []


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
