"""The people that a connection's IdP pushed: found, shown, written, deleted. Each is scoped to one connection."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import uuid4

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Text,
    and_,
    bindparam,
    delete,
    null,
    select,
    type_coerce,
    union_all,
)

from bridge.domain.directory import DirectoryUser, PushedEmail, PushedUser, ShownUser, usable_email
from bridge.domain.people import fold, fold_letters, fold_user_name
from bridge.storage.changes import Change, alter_fact, begin_fact, end_facts, insert_rows
from bridge.storage.directory import Hold, Unique, is_one_of
from bridge.storage.directory_members import leave_groups
from bridge.storage.prepared import Prepared
from bridge.storage.tables import PUSHED_GROUP, directory_emails, directory_groups, directory_users, group_members


@dataclass(frozen=True, slots=True)
class StoredUser:
    """A pushed person with what links the record to the house."""

    key: int
    membership_key: int | None
    email_ci: str | None
    holds_out: bool
    user: DirectoryUser


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


_GROUPS_OF_USERS = {
    engine: Prepared(
        select(group_members.c.directory_user_id, directory_groups.c.uid, directory_groups.c.name)
        .join_from(group_members, directory_groups)
        .where(chosen, PUSHED_GROUP)
        .order_by(directory_groups.c.id)
    )
    for engine, chosen in is_one_of(group_members.c.directory_user_id, "users").items()
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


_SECOND = Prepared(
    select(directory_users.c.uid)
    .where(directory_users.c.connection_id == bindparam("connection"), directory_users.c.pushed)
    .where(directory_users.c.email_ci == bindparam("email"), directory_users.c.membership_id.is_(None))
    .order_by(directory_users.c.id)
)


def find_second(connection: Any, connection_key: int, email_ci: str) -> str | None:
    """The outside id of the oldest pushed record with this address that is linked to nobody."""
    uid: str | None = _SECOND.scalar(connection, connection=connection_key, email=email_ci)
    return uid


def link_record(change: Change, stored: StoredUser, membership_key: int) -> None:
    """The record, which the caller holds, is this member's from now on; what it says stays as it is."""
    values = {"membership_id": membership_key, "holds_out": not stored.user.pushed.active}
    alter_fact(change, directory_users, stored.key, values, is_held=True)


def delete_user(change: Change, stored: StoredUser, *, leaves_hold: bool) -> None:
    """The IdP deleted the person: out of its groups, invisible to it. `leaves_hold`: the record stays, and holds its
    member out.
    """
    _forget_emails(change, stored.key)
    leave_groups(change, stored.key)
    if stored.membership_key is None or not leaves_hold:
        end_facts(change, directory_users, directory_users.c.id == stored.key)
        return
    values = {"pushed": False, "active": False, "holds_out": True, "document": {}, "uid": str(uuid4())}
    alter_fact(change, directory_users, stored.key, values)


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


_NAMES = (
    select(directory_users.c.uid, directory_users.c.display_name)
    .where(directory_users.c.id.in_(bindparam("users", expanding=True)))
    .order_by(directory_users.c.id)
)


def names_of(connection: Any, keys: Collection[int]) -> list[dict[str, str]]:
    """People as the audit trail names them."""
    return [{"id": uid, "name": name} for uid, name in connection.execute(_NAMES, {"users": list(keys)})]
