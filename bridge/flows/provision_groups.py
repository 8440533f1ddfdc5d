"""An IdP pushes groups (product.md 4.5, 4.7). A change of members by their ids never loads the group."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bridge.domain.directory import (
    DirectoryGroup,
    GroupChange,
    GroupExternalIdSet,
    GroupRenamed,
    MembersAdded,
    MembersFittingRemoved,
    MembersRemoved,
    MembersReplaced,
)
from bridge.domain.errors import Invalid, NotFound
from bridge.domain.workspace import Connection
from bridge.flows.context import Context
from bridge.flows.provision_users import Fits, actor_of, check_version
from bridge.flows.tell_effects import gifts_of_group
from bridge.storage import directory, directory_members, directory_pages, directory_people
from bridge.storage.changes import Change, lock_workspace
from bridge.storage.directory_members import StoredGroup
from bridge.storage.mappings import end_group_matches, hold_connections, refresh_group_matches
from bridge.storage.mirrors import end_mirror, make_mirror, rename_mirror
from bridge.storage.time_limit import TimeLimit
from scim.filter_tree import Filter
from scim.resources import NO_GROUPS_IN_GROUPS
from scim.sorting import Order

MemberStep = MembersAdded | MembersRemoved | MembersFittingRemoved | MembersReplaced

#: Outside id to (key, name) of people of the connection's directory.
People = dict[str, tuple[int, str]]

#: An audit event names at most so many people; all of them are found by its cause.
NAMED_IN_EVENT = 50


def get_group(context: Context, connection: Connection, group_id: str, *, with_members: bool) -> DirectoryGroup:
    """One pushed group, with its members where asked. Raises NotFound."""
    with context.database.reading() as rows:
        stored = directory_members.find_group(rows, connection.key, group_id)
        if stored is None:
            raise _unknown(group_id)
        members = directory_members.members_of_groups(rows, [stored.key])[stored.key] if with_members else None
        return replace(stored.group, members=members)


def search_groups(
    context: Context,
    connection: Connection,
    filter_: Filter | None,
    order: Order | None = None,
    *,
    offset: int,
    count: int,
    with_members: bool,
) -> tuple[list[DirectoryGroup], int]:
    """The pushed groups that match, `count` of them after `offset`, and how many match in all, as `search_users`."""
    limit = context.limit_of_search()
    asked = filter_ is not None or order is not None
    with context.database.searching(limit) if asked else context.database.reading() as rows:
        search = directory_pages.search_groups(rows, connection.key, filter_, context.scim_url, limit)
        stored, total = search.page(order, offset, count)
        if not with_members:
            return [each.group for each in stored], total
        members = directory_members.members_of_groups(rows, [each.key for each in stored])
        return [replace(each.group, members=members[each.key]) for each in stored], total


def create_group(
    context: Context, connection: Connection, name: str, external_id: str | None, members: Sequence[str], now: datetime
) -> DirectoryGroup:
    """A group is new: kept, mirrored unless the connection says otherwise, matched against the rules.

    Names need not be unique; a group of a deleted one's name is another group. Raises Invalid for a member
    that the connection hasn't pushed.
    """

    def create_it(change: Change) -> DirectoryGroup:
        hold_connections(change, [connection.key])
        steps = [MembersAdded(tuple(members))] if members else []
        people = _find_people(change, connection, steps)
        stored = add_group(change, connection, name, external_id)
        refresh_group_matches(change, connection.key, [stored.key])
        return _apply(change, connection, stored, steps, people, context.limit_of_search())

    return context.change(actor_of(connection), now, create_it)


def add_group(change: Change, connection: Connection, name: str, external_id: str | None) -> StoredGroup:
    """A new group without members, inside a change: see `create_group`. Refresh its matches after."""
    directory.count_in_directory(change, connection.key, groups=1)
    # One at a time: the mirror's name must be free. Locked after the connection's row, as everywhere.
    lock_workspace(change, connection.workspace_key)
    stored = directory_members.insert_group(change, connection.key, name, external_id)
    if connection.config.get("mirror_groups", True):
        make_mirror(change, connection, stored.group.id, name)
    after = {"name": name, "external_id": external_id}
    change.record(connection.workspace_key, "idp_group.created", stored.group.id, after=after)
    return stored


def change_group(
    context: Context,
    connection: Connection,
    group_id: str,
    changes: Sequence[GroupChange],
    now: datetime,
    *,
    if_version: Fits | None = None,
) -> DirectoryGroup:
    """Apply the changes in their order, all or none. Returns the group without members.

    Raises NotFound, Stale (`if_version` refuses it), Invalid (a member to add that isn't in the directory), TooMany
    (members are to be compared, and the time for it is over).
    """
    limit = context.limit_of_search()

    def change_it(change: Change) -> DirectoryGroup:
        # Plain changes of members need not queue: rows decide, in whatever order they come.
        plain = if_version is None and all(isinstance(step, (MembersAdded, MembersRemoved)) for step in changes)
        if _renames(change, connection, group_id, changes):
            hold_connections(change, [connection.key])
        if plain:
            stored = _get_held(change, connection, group_id, "stay", if_version)
            return _apply(change, connection, stored, changes, _find_people(change, connection, changes), limit)
        people = _hold_people(change, connection, group_id, changes)
        stored = _get_held(change, connection, group_id, "alone", if_version)
        return _apply(change, connection, stored, changes, people, limit)

    return context.change(actor_of(connection), now, change_it)


def _find_people(change: Change, connection: Connection, changes: Sequence[GroupChange]) -> People:
    """Those whom the steps name by their ids, all at once; held against deletion."""
    ids = [
        uid for step in changes if isinstance(step, (MembersAdded, MembersRemoved, MembersReplaced)) for uid in step.ids
    ]
    return directory_people.find_members(change.connection, connection.key, ids)


def _hold_people(change: Change, connection: Connection, group_id: str, changes: Sequence[GroupChange]) -> People:
    """Hold those who come or go before their group: the order of locks (`bridge.storage.changes.lock_workspace`)."""
    people = _find_people(change, connection, changes)
    if any(isinstance(step, MembersReplaced) for step in changes):
        directory_members.hold_members(change, group_id)
    return people


def _renames(change: Change, connection: Connection, group_id: str, changes: Sequence[GroupChange]) -> bool:
    """Whether one of the steps says another name or external id: rules look at those, so the connection is held."""
    named = [step for step in changes if isinstance(step, (GroupRenamed, GroupExternalIdSet))]
    stored = directory_members.find_group(change.connection, connection.key, group_id) if named else None
    return stored is not None and any(_renamed(stored.group, step) != stored.group for step in named)


def delete_group(
    context: Context, connection: Connection, group_id: str, now: datetime, *, if_version: Fits | None = None
) -> None:
    """The group goes, and the access that came by it; no member leaves the workspace by that."""

    def delete_it(change: Change) -> None:
        hold_connections(change, [connection.key])
        stored = _get_held(change, connection, group_id, "alone", if_version)
        _delete(change, connection, stored)

    context.change(actor_of(connection), now, delete_it)


def _delete(change: Change, connection: Connection, stored: StoredGroup) -> None:
    group, gave = stored.group, gifts_of_group(change, stored.group.id)
    end_mirror(change, connection, group.id, group.name)
    end_group_matches(change, stored.key)
    directory_members.delete_group(change, stored.key)
    directory.count_in_directory(change, connection.key, groups=-1)
    refresh_group_matches(change, connection.key, [], also_named=_names(group))
    before = {"name": group.name, "members": stored.n_members} | ({"gave": gave} if gave else {})
    change.record(connection.workspace_key, "idp_group.deleted", group.id, before=before)


def _apply(
    change: Change,
    connection: Connection,
    stored: StoredGroup,
    changes: Sequence[GroupChange],
    people: People,
    limit: TimeLimit,
) -> DirectoryGroup:
    """Make the changes, `people` being whom they name, and give the group as it is after them, without members."""
    group, moved, touched = stored.group, 0, False
    for step in changes:
        if isinstance(step, (GroupRenamed, GroupExternalIdSet)):
            renamed = rename_group(change, connection, replace(stored, group=group), step)
            touched, group = touched or renamed != group, renamed
        else:
            came, went = _move(change, connection, stored, step, people, limit)
            moved, touched = moved + came - went, touched or came + went > 0
    if not touched:
        return group
    return replace(group, version=directory_members.touch_group(change, stored.key, moved), modified_at=change.now)


def rename_group(
    change: Change, connection: Connection, stored: StoredGroup, step: GroupRenamed | GroupExternalIdSet
) -> DirectoryGroup:
    """The group has another name or external id, inside a change: its mirror and the rules follow."""
    before = stored.group
    after = _renamed(before, step)
    if after == before:
        return before
    lock_workspace(change, connection.workspace_key)
    directory_members.set_group(change, stored.key, name=after.name, external_id=after.external_id)
    if after.name != before.name:
        rename_mirror(change, connection, before.id, after.name)
    refresh_group_matches(change, connection.key, [stored.key], also_named=_names(before))
    said = {"before": _told(before), "after": _told(after)}
    change.record(connection.workspace_key, "idp_group.changed", before.id, **said)
    return after


def _renamed(group: DirectoryGroup, step: GroupRenamed | GroupExternalIdSet) -> DirectoryGroup:
    if isinstance(step, GroupRenamed):
        return replace(group, name=step.name)
    return replace(group, external_id=step.external_id)


def _move(
    change: Change, connection: Connection, stored: StoredGroup, step: MemberStep, known: People, limit: TimeLimit
) -> tuple[int, int]:
    """Add, remove or replace members; returns how many came and how many went."""
    if isinstance(step, MembersFittingRemoved):
        step = _who_fits(change, stored, step, limit)
        known = directory_people.find_members(change.connection, connection.key, step.ids)
    people = {uid: known[uid] for uid in step.ids if uid in known}
    if not isinstance(step, MembersRemoved):
        _check_all_known(change, connection, step.ids, people)
    named = {key: {"id": uid, "name": name} for uid, (key, name) in people.items()}
    keys = set(named)
    if isinstance(step, MembersAdded):
        leaving: set[int] = set()
    elif isinstance(step, MembersRemoved):
        keys, leaving = set(), keys
    else:
        present = directory_members.member_keys(change.connection, stored.key)
        keys, leaving = keys - present, present - keys
    went = directory_members.remove_members(change, stored.key, sorted(leaving))
    came = directory_members.add_members(change, stored.key, sorted(keys))
    record_members(change, connection, stored, "idp_group.members_added", came, named)
    record_members(change, connection, stored, "idp_group.members_removed", went, named)
    return len(came), len(went)


def _who_fits(change: Change, stored: StoredGroup, step: MembersFittingRemoved, limit: TimeLimit) -> MembersRemoved:
    """Looks at every member: within the time of a search, and of all others of the same Bulk."""
    fitting = []
    with limit.running():
        for member in directory_members.members_of_groups(change.connection, [stored.key])[stored.key]:
            limit.check()
            if step.fits(member):
                fitting.append(member.id)
    return MembersRemoved(tuple(fitting))


def record_members(
    change: Change,
    connection: Connection,
    stored: StoredGroup,
    kind: str,
    keys: set[int],
    known: Mapping[int, dict[str, str]] | None = None,
) -> None:
    """Note who came to a group, or went: one event, that names the first of them; `known` are names read already."""
    if keys:
        first, known = sorted(keys)[:NAMED_IN_EVENT], known or {}
        read = not all(key in known for key in first)
        people = directory_people.names_of(change.connection, first) if read else [known[key] for key in first]
        after = {"group": stored.group.name, "count": len(keys), "people": people}
        change.record(connection.workspace_key, kind, stored.group.id, after=after)


def _check_all_known(change: Change, connection: Connection, ids: Sequence[str], known: People) -> None:
    missing = next((uid for uid in ids if uid not in known), None)
    if missing is None:
        return
    if directory_members.find_group(change.connection, connection.key, missing) is not None:
        raise Invalid(NO_GROUPS_IN_GROUPS, field="members")
    raise Invalid(f"There is no user {missing[:100]!r} in this connection.", field="members")


def _get_held(
    change: Change, connection: Connection, group_id: str, hold: directory.Hold, if_version: Fits | None
) -> StoredGroup:
    stored = directory_members.find_group(change.connection, connection.key, group_id, hold=hold)
    if stored is None:
        raise _unknown(group_id)
    check_version(stored.group.version, if_version)
    return stored


def _names(group: DirectoryGroup) -> list[str]:
    return [group.name, *([group.external_id] if group.external_id else [])]


def _told(group: DirectoryGroup) -> dict[str, object]:
    return {"name": group.name, "external_id": group.external_id}


def _unknown(group_id: str) -> NotFound:
    return NotFound(f"There is no group {group_id[:100]!r} in this connection.")
