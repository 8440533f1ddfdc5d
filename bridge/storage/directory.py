"""A connection's directory: the people and groups its IdP pushed. Everything here is scoped to one connection.

A change of members is rows added or removed, never a list rewritten, and never loads the group: it costs
the same in a group of 100,000 as in one of 10 (properties.md 13, product.md 4.7).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import uuid4

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Text,
    and_,
    any_,
    bindparam,
    delete,
    func,
    null,
    select,
    true,
    type_coerce,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from bridge.domain.directory import (
    DirectoryGroup,
    DirectoryUser,
    GroupMemberRef,
    PushedEmail,
    PushedUser,
    ShownUser,
    usable_email,
)
from bridge.domain.people import fold, fold_letters, fold_user_name
from bridge.storage.access import in_batches
from bridge.storage.changes import Change, Ending, alter_fact, begin_fact, end_facts, insert_rows
from bridge.storage.columns import Instant, Json
from bridge.storage.prepared import Prepared
from bridge.storage.tables import (
    PUSHED_GROUP,
    connections,
    directory_emails,
    directory_groups,
    directory_users,
    group_members,
)

Hold = Literal["read", "stay", "alone"]
#: What no two pushed people of a connection have in common.
Unique = Literal["id", "userName"]


@dataclass(frozen=True, slots=True)
class StoredUser:
    """A pushed person with what links the record to the house."""

    key: int
    membership_key: int | None
    email_ci: str | None
    holds_out: bool
    user: DirectoryUser


@dataclass(frozen=True, slots=True)
class StoredGroup:
    """A pushed group with its key and its number of members."""

    key: int
    n_members: int
    group: DirectoryGroup


_USER = (
    directory_users.c.id,
    directory_users.c.membership_id,
    directory_users.c.email_ci,
    directory_users.c.holds_out,
    directory_users.c.uid,
    directory_users.c.user_name,
    directory_users.c.external_id,
    directory_users.c.active,
    directory_users.c.display_name,
    directory_users.c.document,
    directory_users.c.created_at,
    directory_users.c.modified_at,
    directory_users.c.version,
)


class ShownRow(NamedTuple):
    """A pushed person as read to be shown, and by what the record is sorted."""

    key: int
    uid: str
    user_name: str
    external_id: str | None
    document: str
    created_at: datetime
    modified_at: datetime
    version: int

    def with_groups(self, groups: tuple[tuple[str, str], ...]) -> ShownUser:
        """The person, in these groups."""
        return ShownUser(self.uid, self.document, self.created_at, self.modified_at, self.version, groups)


_SHOWN = (
    directory_users.c.id,
    directory_users.c.uid,
    directory_users.c.user_name,
    directory_users.c.external_id,
    type_coerce(directory_users.c.document, Text).label("document"),
    directory_users.c.created_at,
    directory_users.c.modified_at,
    directory_users.c.version,
)
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


def pushed_users(connection_key: int) -> ColumnElement[bool]:
    """Records that the connection's IdP can see."""
    return and_(directory_users.c.connection_id == connection_key, directory_users.c.pushed)


def pushed_groups(connection_key: int) -> ColumnElement[bool]:
    """Groups that the connection's IdP can see."""
    return and_(directory_groups.c.connection_id == connection_key, PUSHED_GROUP)


# -- People ------------------------------------------------------------------------------------------


def list_users(
    connection: Any, where: ColumnElement[bool], *, by: Sequence[Any] = (), limit: int | None = None
) -> list[StoredUser]:
    """Pushed people in that order, else as they came, without their groups."""
    chosen = _USERS.where(where).order_by(*by, directory_users.c.id).limit(limit)
    return [_stored_user(row) for row in connection.execute(chosen).all()]


_PAGE = Prepared(
    select(*_SHOWN)
    .where(directory_users.c.connection_id == bindparam("connection"), directory_users.c.pushed)
    .order_by(directory_users.c.id)
    .limit(bindparam("count")),
    row=ShownRow,
)


def first_users(connection: Any, connection_key: int, count: int) -> list[ShownRow]:
    """The first pushed people as they came."""
    return _PAGE(connection, connection=connection_key, count=count)


def list_shown_users(
    connection: Any, where: ColumnElement[bool], *, by: Sequence[Any] = (), limit: int | None = None
) -> list[ShownRow]:
    """The same as read to be shown."""
    chosen = select(*_SHOWN).where(where).order_by(*by, directory_users.c.id).limit(limit)
    return [ShownRow(*row) for row in connection.execute(chosen).all()]


_USERS = select(*_USER)
_ONE_USER = _USERS.where(
    directory_users.c.connection_id == bindparam("connection"), directory_users.c.pushed,
    directory_users.c.uid == bindparam("uid"),
)  # fmt: skip
_ONE_USER_HELD: dict[Hold, Prepared] = {
    "read": Prepared(_ONE_USER),
    "stay": Prepared(_ONE_USER.with_for_update(key_share=True)),
    "alone": Prepared(_ONE_USER.with_for_update()),
}


def find_user(connection: Any, connection_key: int, uid: str, *, hold: Hold = "read") -> StoredUser | None:
    """One pushed person, or None.

    `hold`, until the change ends: `stay` keeps everybody else from changing the record, while the person may still
    come into groups and leave them; `alone` keeps everything else off it.
    """
    row = _ONE_USER_HELD[hold].first(connection, connection=connection_key, uid=uid)
    return None if row is None else _stored_user(row)


def _stored_user(row: Any) -> StoredUser:
    key, membership, email_ci, holds_out, *_ = row
    return StoredUser(key, membership, email_ci, holds_out, _user(row))


def _user(row: Any) -> DirectoryUser:
    _, _, _, _, uid, user_name, external_id, active, name, document, created_at, modified_at, version = row
    pushed = PushedUser(user_name, external_id, active, name, _emails(document), document)
    return DirectoryUser(uid, pushed, created_at, modified_at, version)


def _emails(document: Any) -> tuple[PushedEmail, ...]:
    # A list, since this is done for each of a page: a generator takes twice as long.
    emails = [
        PushedEmail(email["value"], email.get("type"), email.get("primary", False))
        for email in document.get("emails", ())
        if email.get("value")
    ]
    return tuple(emails)


def _with_their_groups(named: ColumnElement[bool]) -> CompoundSelect[Any]:
    """The one person with that name or id, and in the same columns, without a document, the groups they are in."""
    here = and_(directory_users.c.connection_id == bindparam("connection"), directory_users.c.pushed, named)
    group = {"id": directory_groups.c.id, "uid": directory_groups.c.uid, "user_name": directory_groups.c.name}
    theirs = (
        select(*(group.get(column.name, null()) for column in _SHOWN))
        .join_from(directory_users, group_members, group_members.c.directory_user_id == directory_users.c.id)
        .join(directory_groups, directory_groups.c.id == group_members.c.group_id)
        .where(here, PUSHED_GROUP)
    )
    return union_all(select(*_SHOWN).where(here), theirs)


_ONE_SHOWN: dict[Unique, Prepared] = {
    "id": Prepared(_with_their_groups(directory_users.c.uid == bindparam("named")), row=ShownRow),
    "userName": Prepared(_with_their_groups(directory_users.c.user_name_ci == bindparam("named")), row=ShownRow),
}


def find_shown_user(connection: Any, connection_key: int, by: Unique, named: str) -> ShownUser | None:
    """One pushed person with the pushed groups they are in, or None; by id or folded user name. One statement."""
    rows = _ONE_SHOWN[by](connection, connection=connection_key, named=named)
    person: ShownRow | None = next((row for row in rows if row.document is not None), None)
    groups = sorted(row for row in rows if row is not person)
    return None if person is None else person.with_groups(tuple([(row.uid, row.user_name) for row in groups]))


def _is_one_of(column: ColumnElement[int], name: str) -> dict[str, ColumnElement[bool]]:
    """That a key is in the list bound to `name`: one value however many they are, so that nothing is compiled anew."""
    listed = func.json_each(bindparam(name, type_=Json)).table_valued("value")
    return {
        "sqlite": column.in_(select(listed.c.value)),
        "postgresql": column == any_(bindparam(name, type_=ARRAY(BigInteger))),
    }


_GROUPS_OF_USERS = {
    engine: Prepared(
        select(group_members.c.directory_user_id, directory_groups.c.uid, directory_groups.c.name)
        .join_from(group_members, directory_groups)
        .where(chosen, PUSHED_GROUP)
        .order_by(directory_groups.c.id)
    )
    for engine, chosen in _is_one_of(group_members.c.directory_user_id, "users").items()
}


def groups_of_users(connection: Any, keys: Collection[int]) -> dict[int, tuple[tuple[str, str], ...]]:
    """For each person, the (outside id, name) of the pushed groups they are in."""
    groups: dict[int, list[tuple[str, str]]] = {}
    for key, uid, name in _GROUPS_OF_USERS[connection.dialect.name](connection, users=list(keys)):
        groups.setdefault(key, []).append((uid, name))
    return {key: tuple(found) for key, found in groups.items()}


_NAME_HOLDER = Prepared(
    select(directory_users.c.uid).where(
        directory_users.c.connection_id == bindparam("connection"), directory_users.c.pushed,
        directory_users.c.user_name_ci == bindparam("name"),
    )
)  # fmt: skip
_RECORD = select(directory_users.c.id).where(
    directory_users.c.connection_id == bindparam("connection"), directory_users.c.membership_id == bindparam("member")
)
_PUSHED = _RECORD.where(directory_users.c.pushed)
# Of two who would take the record over, the second finds it pushed.
_UNPUSHED = _RECORD.where(~directory_users.c.pushed).with_for_update()


def find_name_holder(connection: Any, connection_key: int, user_name: str) -> str | None:
    """The outside id of the pushed person with this user name, compared without case."""
    uid: str | None = _NAME_HOLDER.scalar(connection, connection=connection_key, name=fold_user_name(user_name))
    return uid


def hold_unpushed(change: Change, connection_key: int, membership_key: int) -> int | None:
    """The connection's record of this member that its IdP doesn't push (any more, or yet): its key, or None.

    Nobody else changes it until the change ends.
    """
    key: int | None = change.connection.execute(
        _UNPUSHED, {"connection": connection_key, "member": membership_key}
    ).scalar()
    return key


def find_pushed(connection: Any, connection_key: int, membership_key: int) -> int | None:
    """The record of this member that the connection's IdP pushes: its key, or None."""
    key: int | None = connection.execute(_PUSHED, {"connection": connection_key, "member": membership_key}).scalar()
    return key


def has_record(connection: Any, connection_key: int, membership_key: int) -> bool:
    """Whether the connection has any record linked to this member."""
    values = {"connection": connection_key, "member": membership_key}
    return connection.execute(_RECORD, values).first() is not None


def record_columns(user: PushedUser, email: str | None = None) -> dict[str, Any]:
    """What a record keeps of a pushed person. `email` is their usable address, where the caller has it already."""
    email = email or usable_email(user)
    return {
        "pushed": True,
        "active": user.active,
        "user_name": user.user_name,
        "user_name_ci": fold_user_name(user.user_name),
        "external_id": user.external_id,
        "email_ci": None if email is None else fold_letters(email),
        "display_name": user.name,
        "document": dict(user.document),
    }


def insert_user(
    change: Change, connection_key: int, user: PushedUser, membership_key: int | None, uid: str | None = None
) -> StoredUser:
    """A new record, linked to a membership where there is one. IntegrityError where the name is taken."""
    uid = uid or str(uuid4())
    values = record_columns(user) | {"uid": uid, "connection_id": connection_key, "membership_id": membership_key}
    times = {"created_at": change.now, "modified_at": change.now}
    key = begin_fact(change, directory_users, values | times | {"holds_out": not user.active})
    return _after_write(change, key, uid, user, membership_key, change.now, 0)


def adopt_user(
    change: Change, key: int, connection_key: int, user: PushedUser, membership_key: int, uid: str | None = None
) -> StoredUser:
    """The IdP pushes a person whom the connection knew by logins, or had deleted: the record is its own again.

    It gets a new outside id, so that the id of what was deleted stays unknown.
    """
    uid = uid or str(uuid4())
    values = record_columns(user) | {"uid": uid, "holds_out": not user.active, "version": 0}
    times = {"created_at": change.now, "modified_at": change.now}
    alter_fact(change, directory_users, key, values | times)
    _forget_emails(change, key)
    return _after_write(change, key, uid, user, membership_key, change.now, 0)


def replace_user(
    change: Change, stored: StoredUser, user: PushedUser, *, membership_key: int | None, holds_out: bool
) -> StoredUser:
    """The record, which the caller holds, says something else from now on."""
    version = stored.user.version + 1
    values = record_columns(user) | {"membership_id": membership_key, "holds_out": holds_out}
    values |= {"version": version, "modified_at": change.now}
    if _looked_up_alike(stored, values):
        values = {name: value for name, value in values.items() if name not in _LOOKED_UP_BY}
    alter_fact(change, directory_users, stored.key, values, is_held=True)
    told = stored.user.pushed.emails != user.emails
    if told:
        _forget_emails(change, stored.key)
    created = stored.user.created_at
    return _after_write(change, stored.key, stored.user.id, user, membership_key, created, version, told=told)


#: What SQLite would write into six indexes again, though it is what it was.
_LOOKED_UP_BY = frozenset({"pushed", "user_name", "user_name_ci", "external_id", "email_ci", "membership_id"})


def _looked_up_alike(stored: StoredUser, values: Mapping[str, Any]) -> bool:
    """Whether a record is found by the same as before."""
    pushed = stored.user.pushed
    return (
        (pushed.user_name, pushed.external_id) == (values["user_name"], values["external_id"])
        and stored.email_ci == values["email_ci"]
        and stored.membership_key == values["membership_id"]
    )


def _after_write(
    change: Change,
    key: int,
    uid: str,
    user: PushedUser,
    membership_key: int | None,
    created: datetime,
    version: int,
    *,
    told: bool = True,
) -> StoredUser:
    """The record as it is now; its addresses are written where they are `told` anew."""
    insert_rows(change, directory_emails, email_rows(key, user) if told else [])
    email = usable_email(user)
    written = DirectoryUser(uid, user, created, change.now, version)
    return StoredUser(key, membership_key, None if email is None else fold_letters(email), not user.active, written)


def email_rows(key: int, user: PushedUser) -> list[dict[str, Any]]:
    """A record's addresses, to be looked up by."""
    return [
        {
            "directory_user_id": key,
            "position": n,
            "value": email.value,
            "value_ci": fold(email.value),
            "type": email.type,
            "is_primary": email.primary,
        }
        for n, email in enumerate(user.emails)
    ]


_FORGET_EMAILS = Prepared(delete(directory_emails).where(directory_emails.c.directory_user_id == bindparam("user")))


def _forget_emails(change: Change, key: int) -> None:
    _FORGET_EMAILS.run(change.connection, user=key)


def delete_user(change: Change, stored: StoredUser) -> None:
    """The IdP deleted the person: out of its groups, invisible to it; a member stays held out by the record."""
    _forget_emails(change, stored.key)
    left = end_facts(change, group_members, group_members.c.directory_user_id == stored.key, returning="group_id")
    _count_members(change, left, -1)
    if stored.membership_key is None:
        end_facts(change, directory_users, directory_users.c.id == stored.key)
        return
    values = {"pushed": False, "active": False, "holds_out": True, "document": {}, "uid": str(uuid4())}
    alter_fact(change, directory_users, stored.key, values)


_COUNT = Prepared(
    update(connections)
    .where(connections.c.id == bindparam("key"))
    .values(n_users=connections.c.n_users + bindparam("users"), n_groups=connections.c.n_groups + bindparam("groups"))
)
_TOTALS = Prepared(select(connections.c.n_users, connections.c.n_groups).where(connections.c.id == bindparam("key")))


def count_in_directory(change: Change, connection_key: int, *, users: int = 0, groups: int = 0) -> None:
    """Keep the directory's totals, so that a listing need not count."""
    _COUNT.run(change.connection, key=connection_key, users=users, groups=groups)


def totals(connection: Any, connection_key: int) -> tuple[int, int]:
    """How many people and groups the connection's IdP has pushed."""
    row = _TOTALS.first(connection, key=connection_key)
    return row.n_users, row.n_groups


# -- Groups ------------------------------------------------------------------------------------------


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
    for engine, chosen in _is_one_of(group_members.c.group_id, "groups").items()
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


_MEMBERS = Prepared(
    select(directory_users.c.uid, directory_users.c.id, directory_users.c.display_name)
    .where(directory_users.c.connection_id == bindparam("connection"), directory_users.c.pushed)
    .where(directory_users.c.uid.in_(bindparam("uids", expanding=True)))
    .with_for_update(read=True, key_share=True)
)


def find_members(connection: Any, connection_key: int, uids: Iterable[str]) -> dict[str, tuple[int, str]]:
    """Outside id to (key, name) of those that are pushed people of this connection; held against deletion."""
    found: dict[str, tuple[int, str]] = {}
    wanted = list(dict.fromkeys(uids))
    for start in range(0, len(wanted), 500):
        rows = _MEMBERS(connection, connection=connection_key, uids=wanted[start : start + 500])
        found |= {uid: (key, name) for uid, key, name in rows}
    return found


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


_NAMES = (
    select(directory_users.c.uid, directory_users.c.display_name)
    .where(directory_users.c.id.in_(bindparam("users", expanding=True)))
    .order_by(directory_users.c.id)
)


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


def names_of(connection: Any, keys: Collection[int]) -> list[dict[str, str]]:
    """People as the audit trail names them."""
    return [{"id": uid, "name": name} for uid, name in connection.execute(_NAMES, {"users": list(keys)})]


def _count_members(change: Change, group_keys: Collection[int], by: int) -> None:
    if group_keys:
        columns = directory_groups.c
        values = {"n_members": columns.n_members + by, "version": columns.version + 1, "modified_at": change.now}
        # In order of key, so that two deletions lock the groups' rows one after the other.
        for key in sorted(group_keys):
            change.connection.execute(update(directory_groups).where(columns.id == key).values(values))
