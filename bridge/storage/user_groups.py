"""User Groups: made, listed with their people counted, and filled by hand.

Somebody is in a User Group by hand, or because a rule that gives it matches an IdP group they are in; only the first is
stored.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import BindParameter, Select, and_, bindparam, func, select, text, union, union_all
from sqlalchemy.exc import IntegrityError

from bridge.domain.errors import Conflict, NotFound
from bridge.domain.members import Decider, InUserGroup, UserGroup
from bridge.domain.people import fold
from bridge.storage.access import ALIVE, COUNTS
from bridge.storage.changes import Change, alter_facts, begin_fact, begin_facts, end_facts
from bridge.storage.columns import Instant
from bridge.storage.tables import (
    connections,
    directory_groups,
    directory_users,
    group_members,
    mapping_matches,
    mapping_user_groups,
    mappings,
    memberships,
    user_group_members,
    user_groups,
)
from bridge.storage.workspaces import insert_principal


@dataclass(frozen=True, slots=True)
class StoredUserGroup:
    """A User Group with its key, nothing counted yet."""

    key: int
    group: UserGroup


_COLUMNS = (
    user_groups.c.id,
    user_groups.c.uid,
    user_groups.c.name,
    user_groups.c.mirror,
    user_groups.c.orphan_of,
    user_groups.c.created_at,
)


def find_user_group(connection: Any, workspace_key: int, *, uid: str = "", name: str = "") -> StoredUserGroup | None:
    """A workspace's User Group by its outside id or, without case, by its name; or None."""
    named = user_groups.c.uid == uid if uid else user_groups.c.name_ci == fold(name)
    row = connection.execute(select(*_COLUMNS).where(user_groups.c.workspace_id == workspace_key, named)).first()
    return None if row is None else StoredUserGroup(row[0], UserGroup(*row[1:]))


def by_keys(connection: Any, keys: Collection[int]) -> list[StoredUserGroup]:
    """These User Groups."""
    rows = connection.execute(select(*_COLUMNS).where(user_groups.c.id.in_(list(keys))))
    return [StoredUserGroup(row[0], UserGroup(*row[1:])) for row in rows]


def get_open_group(connection: Any, workspace_key: int, uid: str) -> StoredUserGroup:
    """One that takes members by hand. Raises NotFound, Conflict (a mirror: its IdP decides)."""
    found = find_user_group(connection, workspace_key, uid=uid)
    if found is None:
        raise NotFound("There is no such User Group in this workspace.")
    check_open(found)
    return found


def check_open(found: StoredUserGroup) -> None:
    """Refuse to put people by hand where an IdP decides. Raises Conflict."""
    if found.group.mirror:
        raise Conflict(
            f"{found.group.name} mirrors a group of your IdP, which decides who is in it. Add people there, "
            "or put them into another User Group."
        )


def open_groups(connection: Any, workspace_key: int, uids: Collection[str]) -> list[int]:
    """The keys of those of the User Groups that are still there and take members by hand."""
    here = and_(user_groups.c.workspace_id == workspace_key, user_groups.c.uid.in_(list(uids)), ~user_groups.c.mirror)
    return list(connection.execute(select(user_groups.c.id).where(here)).scalars())


def open_names(connection: Any, workspace_key: int) -> dict[str, str]:
    """The names of all that take members by hand, in their order, by outside id. One statement, nothing counted."""
    here = and_(user_groups.c.workspace_id == workspace_key, ~user_groups.c.mirror)
    chosen = select(user_groups.c.uid, user_groups.c.name).where(here).order_by(user_groups.c.name_ci)
    return {row.uid: row.name for row in connection.execute(chosen)}


def names_of(connection: Any, workspace_key: int, uids: Collection[str]) -> dict[str, str]:
    """The names of those User Groups that are there, by outside id."""
    here = and_(user_groups.c.workspace_id == workspace_key, user_groups.c.uid.in_(list(uids)))
    return {row.uid: row.name for row in connection.execute(select(user_groups.c.uid, user_groups.c.name).where(here))}


def list_user_groups(
    connection: Any, workspace_key: int, *, search: str = "", limit: int | None = None, offset: int = 0
) -> tuple[list[StoredUserGroup], int]:
    """A page of a workspace's User Groups by name, and how many there are in all."""
    here = and_(
        user_groups.c.workspace_id == workspace_key, user_groups.c.name_ci.contains(fold(search), autoescape=True)
    )
    rows = connection.execute(select(*_COLUMNS).where(here).order_by(user_groups.c.name_ci).limit(limit).offset(offset))
    groups = [StoredUserGroup(row[0], UserGroup(*row[1:])) for row in rows]
    total: int = connection.execute(select(func.count()).select_from(user_groups).where(here)).scalar_one()
    return groups, total


def insert_user_group(change: Change, workspace_key: int, name: str) -> tuple[int, str]:
    """A new, empty User Group: its (key, outside id). Raises Conflict where the name is taken, without case."""
    key, uid = insert_principal(change, workspace_key, "user_group"), str(uuid4())
    values = {"id": key, "uid": uid, "workspace_id": workspace_key, "name": name, "name_ci": fold(name)}
    try:
        begin_fact(change, user_groups, {**values, "created_at": change.now})
    except IntegrityError as error:
        raise _name_taken(name) from error
    return key, uid


def rename_user_group(change: Change, key: int, name: str) -> None:
    """Give a User Group another name. Raises Conflict where it is taken, without case."""
    try:
        alter_facts(change, user_groups, user_groups.c.id == key, values={"name": name, "name_ci": fold(name)})
    except IntegrityError as error:
        raise _name_taken(name) from error


def _name_taken(name: str) -> Conflict:
    return Conflict(f"There is a User Group called {name} already.")


# -- Members by hand ---------------------------------------------------------------------------------


def add_members(change: Change, key: int, membership_keys: Sequence[int], given_by: str) -> list[int]:
    """Put members in by hand; who is in by hand already stays as they are. Returns who came in."""
    here = user_group_members.c.user_group_id == key
    present = set(change.connection.execute(select(user_group_members.c.membership_id).where(here)).scalars())
    new = [membership for membership in dict.fromkeys(membership_keys) if membership not in present]
    rows = [{"user_group_id": key, "membership_id": one, "given_by": given_by} for one in new]
    begin_facts(change, user_group_members, rows)
    return new


def by_hand_among(connection: Any, key: int, membership_keys: Collection[int]) -> set[int]:
    """Those of these members who were put in by hand."""
    columns = user_group_members.c
    here = select(columns.membership_id).where(columns.user_group_id == key)
    return set(connection.execute(here.where(columns.membership_id.in_(list(membership_keys)))).scalars())


def remove_members(change: Change, key: int, membership_keys: Sequence[int]) -> list[int]:
    """Take members out who were put in by hand. Returns who went."""
    columns = user_group_members.c
    here = columns.membership_id.in_(list(membership_keys))
    return end_facts(change, user_group_members, columns.user_group_id == key, here, returning="membership_id")


# -- Who is in, by whichever way ---------------------------------------------------------------------

_M = memberships.alias("m")
_D = directory_users.alias("d")
_MM = mapping_matches.alias("mm")
_ALIVE = text(ALIVE)
_COUNTS = text(COUNTS).bindparams(bindparam("now", type_=Instant))


def _by_rule(*columns: Any) -> Select[Any]:
    """Who is brought in by a rule: columns of the chain rule → IdP group → record → membership."""
    return (
        select(*columns)
        .select_from(mapping_user_groups)
        .join(_MM, _MM.c.mapping_id == mapping_user_groups.c.mapping_id)
        .join(group_members, group_members.c.group_id == _MM.c.group_id)
        .join(_D, _D.c.id == group_members.c.directory_user_id)
        .join(_M, _M.c.id == _D.c.membership_id)
        .where(_ALIVE, _COUNTS)
    )


def _by_hand(*columns: Any) -> Select[Any]:
    return (
        select(*columns).join_from(user_group_members, _M, _M.c.id == user_group_members.c.membership_id).where(_ALIVE)
    )


_GROUPS: BindParameter[Any] = bindparam("groups", expanding=True)
_INSIDE = union_all(
    _by_hand(user_group_members.c.user_group_id, _M.c.id).where(user_group_members.c.user_group_id.in_(_GROUPS)),
    _by_rule(mapping_user_groups.c.user_group_id, _M.c.id).where(mapping_user_groups.c.user_group_id.in_(_GROUPS)),
).subquery("inside")
_COUNT = select(_INSIDE.c.user_group_id, func.count(_INSIDE.c.id.distinct())).group_by(_INSIDE.c.user_group_id)
_COUNT_BY_HAND = (
    _by_hand(user_group_members.c.user_group_id, func.count())
    .where(user_group_members.c.user_group_id.in_(_GROUPS))
    .group_by(user_group_members.c.user_group_id)
)


def count_members(connection: Any, keys: Collection[int], now: datetime) -> dict[int, int]:
    """How many people are in each of these User Groups now, by whichever way, each counted once."""
    return dict(connection.execute(_COUNT, {"groups": list(keys), "now": now}).all()) if keys else {}


def count_by_hand(connection: Any, keys: Collection[int]) -> dict[int, int]:
    """How many people are in each of these User Groups by hand, whether or not a rule brings them too."""
    return dict(connection.execute(_COUNT_BY_HAND, {"groups": list(keys)}).all()) if keys else {}


def people_in(key: int) -> Any:
    """A subquery of the memberships in a User Group now, for `storage.members`; it takes `now`."""
    return union(
        _by_hand(_M.c.id).where(user_group_members.c.user_group_id == key),
        _by_rule(_M.c.id).where(mapping_user_groups.c.user_group_id == key),
    )


@dataclass(frozen=True, slots=True)
class WayIn:
    """One way by which one member is in one User Group: since when by hand, or the name of an IdP group."""

    user_group_key: int
    membership_key: int
    by_hand_since: datetime | None
    idp_group: str | None


def ways_in(
    connection: Any, membership_keys: Collection[int], now: datetime, *, only_group: int | None = None
) -> list[WayIn]:
    """Every way by which these members are in User Groups, or in one of them."""
    hand, rule = user_group_members.c.user_group_id, mapping_user_groups.c.user_group_id
    by_hand = _by_hand(hand, _M.c.id, user_group_members.c.since).where(_M.c.id.in_(_MEMBERS))
    by_rule = _by_rule(rule, _M.c.id, directory_groups.c.name).where(_M.c.id.in_(_MEMBERS))
    by_rule = by_rule.join(directory_groups, directory_groups.c.id == _MM.c.group_id).distinct()
    if only_group is not None:
        by_hand, by_rule = by_hand.where(hand == only_group), by_rule.where(rule == only_group)
    values = {"members": list(membership_keys), "now": now}
    found = [WayIn(group, member, since, None) for group, member, since in connection.execute(by_hand, values)]
    return found + [WayIn(group, member, None, name) for group, member, name in connection.execute(by_rule, values)]


_MEMBERS: BindParameter[Any] = bindparam("members", expanding=True)


def user_groups_of(connection: Any, membership_keys: Collection[int], now: datetime) -> dict[int, list[InUserGroup]]:
    """For each of these members the User Groups they are in now, by name."""
    ways: dict[tuple[int, int], list[WayIn]] = {}
    for way in ways_in(connection, membership_keys, now):
        ways.setdefault((way.membership_key, way.user_group_key), []).append(way)
    chosen = select(user_groups.c.id, user_groups.c.uid, user_groups.c.name, user_groups.c.name_ci)
    keys = {group for _, group in ways}
    named = {row.id: row for row in connection.execute(chosen.where(user_groups.c.id.in_(keys)))} if keys else {}
    found: dict[int, list[InUserGroup]] = {}
    for (member, group), each in sorted(ways.items(), key=lambda item: named[item[0][1]].name_ci):
        by_hand = any(way.by_hand_since for way in each)
        idp_groups = tuple(sorted({way.idp_group for way in each if way.idp_group}))
        found.setdefault(member, []).append(InUserGroup(named[group].uid, named[group].name, by_hand, idp_groups))
    return found


_RULE = (
    mappings.c.uid,
    mappings.c.match,
    mappings.c.value,
    mappings.c.enabled,
    mappings.c.origin,
    connections.c.uid,
    connections.c.name,
    directory_groups.c.uid,
    directory_groups.c.name,
)


def _rules(key: Any, source: Any) -> Select[Any]:
    """`key` and the columns of a Decider: rules, once for each IdP group that they match now."""
    return (
        select(key, *_RULE)
        .select_from(source)
        .join(connections, connections.c.id == mappings.c.connection_id)
        .outerjoin(mapping_matches, mapping_matches.c.mapping_id == mappings.c.id)
        .outerjoin(directory_groups, directory_groups.c.id == mapping_matches.c.group_id)
        .order_by(mappings.c.id, directory_groups.c.name_ci)
    )


def deciders(connection: Any, keys: Collection[int]) -> dict[int, list[Decider]]:
    """For each of these User Groups the rules that give it, once for each IdP group that they match now."""
    giving = mapping_user_groups.join(mappings, mappings.c.id == mapping_user_groups.c.mapping_id)
    chosen = _rules(mapping_user_groups.c.user_group_id, giving)
    return _by_key(connection.execute(chosen.where(mapping_user_groups.c.user_group_id.in_(list(keys)))))


def rules_by_key(connection: Any, mapping_keys: Collection[int]) -> dict[int, list[Decider]]:
    """These rules, each once for each IdP group that it matches now."""
    return _by_key(connection.execute(_rules(mappings.c.id, mappings).where(mappings.c.id.in_(list(mapping_keys)))))


def _by_key(rows: Any) -> dict[int, list[Decider]]:
    found: dict[int, list[Decider]] = {}
    for key, *rest in rows:
        found.setdefault(key, []).append(Decider(*rest))
    return found


def rules_left_empty(connection: Any, key: int) -> list[tuple[int, str]]:
    """The rules, as (key, outside id), that give this User Group and no other; roles of theirs aside."""
    others = mapping_user_groups.alias("others")
    also = select(others.c.mapping_id).where(others.c.mapping_id == mappings.c.id, others.c.user_group_id != key)
    chosen = (
        select(mappings.c.id, mappings.c.uid)
        .join_from(mapping_user_groups, mappings, mappings.c.id == mapping_user_groups.c.mapping_id)
        .where(mapping_user_groups.c.user_group_id == key, ~also.exists())
    )
    return [(row.id, row.uid) for row in connection.execute(chosen)]
