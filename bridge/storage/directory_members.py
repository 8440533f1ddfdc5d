"""The groups that a connection's IdP pushed, and who is in them. Each is scoped to one connection.

A change of members is rows added or removed, never a list rewritten, and never loads the group: it costs
the same in a group of 100,000 as in one of 10 (properties.md 13, product.md 4.7).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import ARRAY, BigInteger, ColumnElement, bindparam, func, select, true, update
from sqlalchemy.dialects import postgresql, sqlite

from bridge.domain.directory import DirectoryGroup, GroupMemberRef
from bridge.domain.people import fold
from bridge.storage.access import in_batches
from bridge.storage.changes import Change, Ending, alter_fact, begin_fact, end_facts
from bridge.storage.columns import Instant, Json
from bridge.storage.directory import Hold, is_one_of
from bridge.storage.prepared import Prepared
from bridge.storage.tables import PUSHED_GROUP, directory_groups, directory_users, group_members


@dataclass(frozen=True, slots=True)
class StoredGroup:
    """A pushed group with its key and its number of members."""

    key: int
    n_members: int
    group: DirectoryGroup


#: Of a group, for `stored_group`.
GROUP_COLUMNS = (
    directory_groups.c.id,
    directory_groups.c.n_members,
    directory_groups.c.uid,
    directory_groups.c.name,
    directory_groups.c.external_id,
    directory_groups.c.created_at,
    directory_groups.c.modified_at,
    directory_groups.c.version,
)


def list_groups(
    connection: Any, where: ColumnElement[bool], *, by: Sequence[Any] = (), limit: int | None = None
) -> list[StoredGroup]:
    """Pushed groups in that order, else as they came, without members."""
    chosen = _GROUPS.where(where).order_by(*by, directory_groups.c.id).limit(limit)
    return [stored_group(row) for row in connection.execute(chosen).all()]


_GROUPS = select(*GROUP_COLUMNS)
_ONE_GROUP = _GROUPS.where(
    directory_groups.c.connection_id == bindparam("connection"), PUSHED_GROUP,
    directory_groups.c.uid == bindparam("uid"),
)  # fmt: skip
_ONE_GROUP_HELD: dict[Hold, Prepared] = {
    "read": Prepared(_ONE_GROUP),
    "stay": Prepared(_ONE_GROUP.with_for_update(read=True, key_share=True)),
    "alone": Prepared(_ONE_GROUP.with_for_update()),
}


def find_group(connection: Any, connection_key: int, uid: str, *, hold: Hold = "read") -> StoredGroup | None:
    """One pushed group without members, or None.

    `hold`, until the change ends: `stay` keeps it from being renamed or deleted, while its members may still
    change from elsewhere; `alone` keeps everything else off it.
    """
    row = _ONE_GROUP_HELD[hold].first(connection, connection=connection_key, uid=uid)
    return None if row is None else stored_group(row)


def stored_group(row: Any) -> StoredGroup:
    """A group from its GROUP_COLUMNS."""
    key, n_members, uid, name, external_id, created, modified, version = row
    return StoredGroup(key, n_members, DirectoryGroup(uid, name, external_id, created, modified, version))


_MEMBERS_OF_GROUPS = {
    engine: Prepared(
        select(group_members.c.group_id, directory_users.c.uid, directory_users.c.display_name)
        .join_from(group_members, directory_users)
        .where(chosen, directory_users.c.pushed)
        .order_by(group_members.c.group_id, directory_users.c.id)
    )
    for engine, chosen in is_one_of(group_members.c.group_id, "groups").items()
}


def members_of_groups(connection: Any, keys: Collection[int]) -> dict[int, tuple[GroupMemberRef, ...]]:
    """The members of each group, in the order their records came."""
    members: dict[int, list[GroupMemberRef]] = {key: [] for key in keys}
    for group_key, uid, name in _MEMBERS_OF_GROUPS[connection.dialect.name](connection, groups=list(keys)):
        members[group_key].append(GroupMemberRef(uid, name))
    return {key: tuple(found) for key, found in members.items()}


def insert_group(change: Change, connection_key: int, name: str, external_id: str | None) -> StoredGroup:
    """A new pushed group, empty."""
    uid = str(uuid4())
    values = {"uid": uid, "connection_id": connection_key, "source": "scim", "external_id": external_id}
    values |= {"name": name, "name_ci": fold(name), "created_at": change.now, "modified_at": change.now}
    key = begin_fact(change, directory_groups, values)
    return StoredGroup(key, 0, DirectoryGroup(uid, name, external_id, change.now, change.now, 0))


def set_group(change: Change, key: int, *, name: str, external_id: str | None) -> None:
    """The group has this name and external id from now on."""
    values = {"name": name, "name_ci": fold(name), "external_id": external_id}
    alter_fact(change, directory_groups, key, values)


_TOUCH_GROUP = Prepared(
    update(directory_groups)
    .where(directory_groups.c.id == bindparam("key"))
    .values(
        n_members=directory_groups.c.n_members + bindparam("more"),
        version=directory_groups.c.version + 1,
        modified_at=bindparam("moment", type_=Instant),
    )
    .returning(directory_groups.c.version)
)


def touch_group(change: Change, key: int, members: int) -> int:
    """One more version of the group, with `members` more (or fewer) in it. Returns its number."""
    version: int = _TOUCH_GROUP.scalar(change.connection, key=key, more=members, moment=change.now)
    return version


def delete_group(change: Change, key: int) -> None:
    """Remove a group and its member rows; its rules' pairs must be gone already."""
    end_facts(change, group_members, group_members.c.group_id == key)
    end_facts(change, directory_groups, directory_groups.c.id == key)


def _adding(engine: str) -> Prepared:
    """One statement however many come, in the order of their keys."""
    member: ColumnElement[int] = {
        "sqlite": func.json_each(bindparam("people", type_=Json)).table_valued("value").c.value,
        "postgresql": func.unnest(bindparam("people", type_=ARRAY(BigInteger))).column_valued("value"),
    }[engine]
    rows = select(
        bindparam("group", type_=BigInteger), member,
        bindparam("since", type_=Instant), bindparam("cause", type_=BigInteger),
    ).where(true())  # fmt: skip
    into: Any = {"sqlite": sqlite, "postgresql": postgresql}[engine]
    come = into.insert(group_members).from_select(["group_id", "directory_user_id", "since", "cause"], rows)
    return Prepared(come.on_conflict_do_nothing().returning(group_members.c.directory_user_id))


_ADD_MEMBERS = {engine: _adding(engine) for engine in ("sqlite", "postgresql")}


def add_members(change: Change, group_key: int, user_keys: Sequence[int]) -> set[int]:
    """Add these people; those already in stay. Returns the keys of those who came."""
    if not user_keys:
        return set()
    add = _ADD_MEMBERS[change.connection.dialect.name]
    return {row[0] for row in add(change.connection, group=group_key, people=list(user_keys), **change.stands)}


_LEAVING = Ending(
    group_members,
    group_members.c.group_id == bindparam("group"),
    group_members.c.directory_user_id.in_(bindparam("people", expanding=True)),
    returning="directory_user_id",
)


def remove_members(change: Change, group_key: int, user_keys: Sequence[int]) -> set[int]:
    """Remove these people and nobody else. Returns the keys of those who went."""
    gone: set[int] = set()
    for batch in in_batches(user_keys):
        gone |= set(_LEAVING(change, group=group_key, people=batch))
    return gone


def member_keys(connection: Any, group_key: int) -> set[int]:
    """The keys of everybody in the group: for a replacement of all members only."""
    chosen = select(group_members.c.directory_user_id).where(group_members.c.group_id == group_key)
    return set(connection.execute(chosen).scalars())


_HOLD_MEMBERS = (
    select(directory_users.c.id)
    .select_from(group_members.join(directory_users).join(directory_groups))
    .where(directory_groups.c.uid == bindparam("group"))
    .with_for_update(read=True, key_share=True, of=directory_users)
)


def hold_members(change: Change, group_uid: str) -> None:
    """Nobody who is in the group now is deleted until the change ends. (On SQLite nothing happens beside it.)"""
    if change.connection.dialect.name != "sqlite":
        change.connection.execute(_HOLD_MEMBERS, {"group": group_uid}).all()


def leave_groups(change: Change, user_key: int) -> None:
    """This person is in none of their groups any more."""
    left = end_facts(change, group_members, group_members.c.directory_user_id == user_key, returning="group_id")
    _count_members(change, left, -1)


def _count_members(change: Change, group_keys: Collection[int], by: int) -> None:
    if group_keys:
        columns = directory_groups.c
        values = {"n_members": columns.n_members + by, "version": columns.version + 1, "modified_at": change.now}
        # In order of key, so that two deletions lock the groups' rows one after the other.
        for key in sorted(group_keys):
            change.connection.execute(update(directory_groups).where(columns.id == key).values(values))
