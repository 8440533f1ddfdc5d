"""User Groups: made, renamed, deleted, and filled by hand (product.md 4.5: a mirror takes no members by hand)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bridge.domain.errors import Invalid, NotFound
from bridge.domain.members import GivenGrant, UserGroup, UserGroupMember
from bridge.domain.people import clean_name
from bridge.domain.previews import DeleteUserGroup, Seen, TakeOut
from bridge.domain.workspace import Workspace
from bridge.flows.context import Context
from bridge.flows.named import get_member_by_email, get_workspace, hold_active, owner_acting
from bridge.flows.preview import check_seen, hold_seen
from bridge.flows.preview_people import check_in_by_hand
from bridge.storage import members, user_groups
from bridge.storage.access import grants_of
from bridge.storage.changes import Change, lock_workspace
from bridge.storage.mappings import end_mapping, hold_rules
from bridge.storage.mirrors import end_user_group
from bridge.storage.user_groups import StoredUserGroup

PAGE = 50


@dataclass(frozen=True, slots=True)
class UserGroupsPage:
    """One page of User Groups, by name. `total` counts all that match."""

    groups: tuple[UserGroup, ...]
    total: int
    first: int


@dataclass(frozen=True, slots=True)
class UserGroupMembersPage:
    """One page of a User Group's members, by name."""

    members: tuple[UserGroupMember, ...]
    total: int
    first: int


@dataclass(frozen=True, slots=True)
class Loss:
    """What goes when a User Group is deleted: how many people lose which grants, and rules that gave only it."""

    members: int
    grants: tuple[GivenGrant, ...]
    rules: int


# -- Reading -----------------------------------------------------------------------------------------


def list_user_groups(
    context: Context, workspace_slug: str, now: datetime, *, search: str = "", page: int = 1
) -> UserGroupsPage:
    """A page of fifty, each with its people counted once, its grants, and who decides. Raises NotFound."""
    offset = (max(page, 1) - 1) * PAGE
    with context.database.snapshot() as connection:
        workspace = get_workspace(connection, workspace_slug)
        found, total = user_groups.list_user_groups(connection, workspace.key, search=search, limit=PAGE, offset=offset)
        groups = tuple(_whole(connection, found, now))
    return UserGroupsPage(groups, total, offset + 1 if groups else 0)


def list_open_user_groups(context: Context, workspace_slug: str) -> dict[str, str]:
    """All that take members by hand, to choose from: names by id, in the order of names. Raises NotFound."""
    with context.database.reading() as connection:
        return user_groups.open_names(connection, get_workspace(connection, workspace_slug).key)


def get_user_group(context: Context, workspace_slug: str, user_group_id: str, now: datetime) -> UserGroup:
    """One User Group with its people counted, its grants, and who decides. Raises NotFound."""
    with context.database.snapshot() as connection:
        workspace = get_workspace(connection, workspace_slug)
        return _whole(connection, [_get(connection, workspace, uid=user_group_id)], now)[0]


def find_user_group_id(context: Context, workspace_slug: str, name: str) -> str:
    """The id of the User Group with this name, without case. Raises NotFound."""
    with context.database.reading() as connection:
        return _get(connection, get_workspace(connection, workspace_slug), name=name).group.id


def list_members(
    context: Context, workspace_slug: str, user_group_id: str, now: datetime, *, search: str = "", page: int = 1
) -> UserGroupMembersPage:
    """A page of fifty of its members by name, each with how they came in. Raises NotFound."""
    offset = (max(page, 1) - 1) * PAGE
    with context.database.snapshot() as connection:
        stored = _get(connection, get_workspace(connection, workspace_slug), uid=user_group_id)
        where = members.inside(user_groups.people_in(stored.key))
        where = where & members.matching(search) if search.strip() else where
        found = members.list_members(connection, where, limit=PAGE, offset=offset, now=now)
        total = members.count(connection, where, now=now)
        ways = user_groups.ways_in(connection, [one.key for one in found], now, only_group=stored.key)
    told = []
    for one in found:
        own = [way for way in ways if way.membership_key == one.key]
        since = next((way.by_hand_since for way in own if way.by_hand_since), None)
        groups = tuple(sorted({way.idp_group for way in own if way.idp_group}))
        told.append(UserGroupMember(one.member.id, one.member.name, one.member.email, since, groups))
    return UserGroupMembersPage(tuple(told), total, offset + 1 if told else 0)


def preview_delete(context: Context, workspace_slug: str, user_group_id: str, now: datetime) -> Loss:
    """What deleting a User Group would take. Raises NotFound."""
    with context.database.snapshot() as connection:
        stored = _get(connection, get_workspace(connection, workspace_slug), uid=user_group_id)
        return _loss(connection, stored, now)


# -- Changing ----------------------------------------------------------------------------------------


def create_user_group(
    context: Context, actor: str, workspace_slug: str, name: str, now: datetime, *, emails: Sequence[str] = ()
) -> UserGroup:
    """A new User Group with these first members by hand; all or nothing.

    Raises Invalid (the name; field `members`: somebody is no member), NotFound, Conflict (the name, without case),
    Forbidden.
    """
    cleaned = clean_name(name)
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        key, uid = make_user_group(change, workspace, cleaned)
        if emails:
            people = _first_members(change, workspace, emails)
            user_groups.add_members(change, key, list(people), actor)
            after = {"name": cleaned, "people": list(people.values())}
            change.record(workspace.key, "user_group.members_added", uid, after=after)
        return _whole(change.connection, [_get(change.connection, workspace, uid=uid)], now)[0]


def make_user_group(change: Change, workspace: Workspace, cleaned: str) -> tuple[int, str]:
    """A new, empty one inside another flow, which knows who may: its key and id. Raises Conflict (the name)."""
    key, uid = user_groups.insert_user_group(change, workspace.key, cleaned)
    change.record(workspace.key, "user_group.created", uid, after={"name": cleaned})
    return key, uid


def _first_members(change: Change, workspace: Workspace, emails: Sequence[str]) -> dict[int, str]:
    try:
        return _people(change, workspace, emails)
    except NotFound as error:
        raise Invalid(error.text, field="members") from error


def rename_user_group(
    context: Context, actor: str, workspace_slug: str, user_group_id: str, name: str, now: datetime
) -> UserGroup:
    """Give a User Group another name. Raises Invalid, NotFound, Conflict (the name; a mirror), Forbidden."""
    cleaned = clean_name(name)
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        rename(change, workspace, user_groups.get_open_group(change.connection, workspace.key, user_group_id), cleaned)
        return _get(change.connection, workspace, uid=user_group_id).group


def rename(change: Change, workspace: Workspace, stored: StoredUserGroup, cleaned: str) -> None:
    """The same inside another flow, which knows who may, of one that is no mirror. Raises Conflict (the name)."""
    if stored.group.name != cleaned:
        user_groups.rename_user_group(change, stored.key, cleaned)
        told = {"before": {"name": stored.group.name}, "after": {"name": cleaned}}
        change.record(workspace.key, "user_group.renamed", stored.group.id, **told)


def delete_user_group(
    context: Context, actor: str, workspace_slug: str, user_group_id: str, now: datetime, *, seen: Seen | None = None
) -> Loss:
    """Delete a User Group, its grants, and rules that gave nothing else. Nobody leaves the workspace.

    Who was shown who loses what gives it as `seen`. Returns what was lost. Raises NotFound, Forbidden (not an owner),
    Moved.
    """
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        stored = _get(change.connection, workspace, uid=user_group_id)
        hold_rules(change, [key for key, _ in _rules_without(change.connection, stored.key)])
        check_seen(change, workspace, DeleteUserGroup(user_group_id), seen)
        return remove(change, workspace, stored)


def remove(change: Change, workspace: Workspace, stored: StoredUserGroup) -> Loss:
    """The same inside another flow, which knows who may."""
    hold_rules(change, [key for key, _ in _rules_without(change.connection, stored.key)])
    lock_workspace(change, workspace.key)
    loss = _loss(change.connection, stored, change.now)
    for mapping_key, mapping_id in _rules_without(change.connection, stored.key):
        end_mapping(change, mapping_key)
        change.record(workspace.key, "mapping.deleted", mapping_id, before={"gave": stored.group.name})
    end_user_group(change, stored.key)
    before = {"name": stored.group.name, "members": loss.members, "grants": len(loss.grants)}
    change.record(workspace.key, "user_group.deleted", stored.group.id, before=before)
    return loss


def add_members(
    context: Context, actor: str, workspace_slug: str, user_group_id: str, emails: Sequence[str], now: datetime
) -> UserGroup:
    """Put members in by hand; who is in by hand already stays. All or none.

    Raises NotFound (the User Group; somebody who is no member), Conflict (a mirror), Forbidden (not an owner).
    """
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        stored = user_groups.get_open_group(change.connection, workspace.key, user_group_id)
        put_in(change, workspace, stored, emails)
        return _whole(change.connection, [stored], now)[0]


def put_in(change: Change, workspace: Workspace, stored: StoredUserGroup, emails: Sequence[str]) -> None:
    """The same inside another flow, which knows who may, of one that is no mirror. Raises NotFound."""
    people = _people(change, workspace, emails)
    added = user_groups.add_members(change, stored.key, list(people), change.actor)
    if added:
        after = {"name": stored.group.name, "people": [people[key] for key in added]}
        change.record(workspace.key, "user_group.members_added", stored.group.id, after=after)


def remove_members(
    context: Context,
    actor: str,
    workspace_slug: str,
    user_group_id: str,
    emails: Sequence[str],
    now: datetime,
    *,
    seen: Seen | None = None,
) -> UserGroup:
    """Take out members who were put in by hand; who is there by a rule as well stays by the rule.

    Who was shown who loses what gives it as `seen`. Raises NotFound (also: somebody is not in it by hand), Conflict (a
    mirror), Forbidden (not an owner), Moved.
    """
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        stored = user_groups.get_open_group(change.connection, workspace.key, user_group_id)
        _people(change, workspace, emails)
        hold_seen(change, workspace, TakeOut(user_group_id, tuple(emails)), seen)
        take_out(change, workspace, stored, emails)
        return _whole(change.connection, [stored], now)[0]


def take_out(change: Change, workspace: Workspace, stored: StoredUserGroup, emails: Sequence[str]) -> None:
    """The same inside another flow, which knows who may. Raises NotFound (also: somebody is not in it by hand)."""
    people = _people(change, workspace, emails)
    check_in_by_hand(stored, people, user_groups.remove_members(change, stored.key, list(people)))
    before = {"name": stored.group.name, "people": list(people.values())}
    change.record(workspace.key, "user_group.members_removed", stored.group.id, before=before)


def _people(change: Change, workspace: Workspace, emails: Sequence[str]) -> dict[int, str]:
    found = [get_member_by_email(change.connection, workspace, email) for email in emails]
    hold_active(change, workspace, found)
    return {membership.key: user.email for user, membership in found}


def _get(connection: Any, workspace: Workspace, *, uid: str = "", name: str = "") -> StoredUserGroup:
    found = user_groups.find_user_group(connection, workspace.key, uid=uid, name=name)
    if found is None:
        raise NotFound(f"{workspace.name} has no User Group {(name or uid)[:80]!r}.")
    return found


def _whole(connection: Any, found: Sequence[StoredUserGroup], now: datetime) -> list[UserGroup]:
    keys = [stored.key for stored in found]
    counted, by_hand = user_groups.count_members(connection, keys, now), user_groups.count_by_hand(connection, keys)
    deciders, grants = user_groups.deciders(connection, keys), members.given_grants_of(connection, keys)
    return [
        replace(
            stored.group,
            member_count=counted.get(stored.key, 0),
            by_hand=by_hand.get(stored.key, 0),
            deciders=tuple(deciders.get(stored.key, ())),
            grants=grants[stored.key],
        )
        for stored in found
    ]


def _loss(connection: Any, stored: StoredUserGroup, now: datetime) -> Loss:
    counted = user_groups.count_members(connection, [stored.key], now).get(stored.key, 0)
    rules = len(_rules_without(connection, stored.key))
    return Loss(counted, members.given_grants(connection, stored.key), rules)


def _rules_without(connection: Any, key: int) -> list[tuple[int, str]]:
    """The rules that would give nothing without this User Group."""
    only = user_groups.rules_left_empty(connection, key)
    giving = {principal for principal, _ in grants_of(connection, [rule for rule, _ in only]).values()}
    return [(rule, uid) for rule, uid in only if rule not in giving]
