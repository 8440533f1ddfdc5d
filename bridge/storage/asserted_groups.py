"""Groups that an IdP names at a login (product.md 5.1): rows of their own, never SCIM's, replaced whole each time.

A login changes only what differs from the one before, so signing in daily writes no member row.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import bindparam, exists, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bridge.domain.people import fold, fold_letters, fold_user_name
from bridge.storage.access import in_batches
from bridge.storage.changes import Change, alter_fact, begin_fact, begin_facts, end_facts
from bridge.storage.prepared import Prepared
from bridge.storage.tables import ASSERTED_GROUP, directory_groups, directory_users, group_members


@dataclass(frozen=True, slots=True)
class AssertedGroups:
    """What a login changed: names of groups that the person came into and left; (key, outside id, name) of groups
    that this connection never named before.
    """

    came: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    made: tuple[tuple[int, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class LoginRecord:
    """What a connection's own record of a person says at a login. It is nobody else's, and no IdP pushed it."""

    subject: str
    email: str
    name: str


_columns, _theirs = directory_users.c, directory_users.alias("theirs")
_KNOWN = exists().where(
    _theirs.c.connection_id == bindparam("connection"), _theirs.c.membership_id == bindparam("member")
)
_UNLINKED = Prepared(
    select(_columns.id)
    .where(_columns.connection_id == bindparam("connection"), _columns.pushed, _columns.membership_id.is_(None))
    .where(or_(_columns.external_id == bindparam("subject"), _columns.user_name == bindparam("subject")), ~_KNOWN)
    .order_by(_columns.id)
    .with_for_update(of=directory_users)
)
_RECORD = Prepared(
    select(_columns.id, _columns.pushed, _columns.user_name, _columns.email_ci, _columns.display_name)
    .where(_columns.connection_id == bindparam("connection"), _columns.membership_id == bindparam("member"))
    .with_for_update(key_share=True)
)


def link_pushed_record(change: Change, connection_key: int, membership_key: int, subject: str) -> None:
    """A record that was pushed without an address turns out to be about this member: from now it holds them out.

    Nothing happens where the connection has a record of the member already, or none of this name without one.
    """
    key = _UNLINKED.scalar(change.connection, connection=connection_key, member=membership_key, subject=subject)
    if key is not None:
        alter_fact(change, directory_users, key, {"membership_id": membership_key})


def record_of_login(change: Change, connection_key: int, membership_key: int, says: LoginRecord) -> int:
    """The connection's one record of a member: the pushed one as it is, else one that the logins keep. Its key.

    It is held until the change ends, so that two logins of one person change its groups one after the other.
    """
    row = _RECORD.first(change.connection, connection=connection_key, member=membership_key)
    values = {
        "user_name": says.subject,
        "user_name_ci": fold_user_name(says.subject),
        "email_ci": fold_letters(says.email),
        "display_name": says.name,
    }
    if row is None:
        return _insert_record(change, connection_key, membership_key, values)
    said = (row.user_name, row.email_ci, row.display_name)
    if not row.pushed and said != (says.subject, fold_letters(says.email), says.name):
        alter_fact(change, directory_users, row.id, {**values, "modified_at": change.now}, is_held=True)
    key: int = row.id
    return key


def _insert_record(change: Change, connection_key: int, membership_key: int, values: dict[str, Any]) -> int:
    linked = {"uid": str(uuid4()), "connection_id": connection_key, "membership_id": membership_key}
    kept = {"pushed": False, "document": {}, "created_at": change.now, "modified_at": change.now}
    return begin_fact(change, directory_users, values | linked | kept)


_PRESENT = Prepared(
    select(directory_groups.c.id, directory_groups.c.name, directory_groups.c.name_ci, directory_users.c.asserted_until)
    .select_from(group_members.join(directory_groups).join(directory_users))
    .where(group_members.c.directory_user_id == bindparam("record"), ASSERTED_GROUP)
    .order_by(directory_groups.c.id)
)


def replace_asserted(
    change: Change, connection_key: int, record_key: int, names: Iterable[str], until: datetime
) -> AssertedGroups:
    """The person is in exactly these asserted groups, counting until `until`. Names compare without case. Who was in
    them for longer than they count comes into them again.

    The record is held (`record_of_login`).
    """
    rows = _PRESENT(change.connection, record=record_key)
    wanted = {fold(name): name for name in names}
    if not wanted and not rows:
        return AssertedGroups()
    alter_fact(change, directory_users, record_key, {"asserted_until": until}, is_held=True)
    if wanted.keys() == {row.name_ci for row in rows}:
        until_now = rows[0].asserted_until
        counted = until_now is not None and until_now >= change.now
        return AssertedGroups() if counted else AssertedGroups(tuple(row.name for row in rows))
    return _move(change, connection_key, record_key, {row.id: row.name for row in rows}, wanted)


def _move(
    change: Change, connection_key: int, record_key: int, present: dict[int, str], wanted: dict[str, str]
) -> AssertedGroups:
    made = _make_missing(change, connection_key, wanted)
    named = dict(_keys(change.connection, connection_key, wanted).values())
    came, left = sorted(named.keys() - present.keys()), sorted(present.keys() - named.keys())
    _hold_groups(change, [*came, *left])
    begin_facts(change, group_members, [{"group_id": key, "directory_user_id": record_key} for key in came])
    for batch in in_batches(left):
        end_facts(
            change, group_members, group_members.c.directory_user_id == record_key, group_members.c.group_id.in_(batch)
        )
    _count(change, came, 1)
    _count(change, left, -1)
    return AssertedGroups(tuple(named[key] for key in came), tuple(present[key] for key in left), made)


def _make_missing(change: Change, connection_key: int, wanted: dict[str, str]) -> tuple[tuple[int, str, str], ...]:
    """Rows for names that this connection never said before. Returns those made here."""
    dialect = sqlite if change.connection.dialect.name == "sqlite" else postgresql
    known = _keys(change.connection, connection_key, wanted)
    made: list[tuple[int, str, str]] = []
    for name_ci in sorted(wanted.keys() - known.keys()):  # in order: two logins never wait for each other in a ring
        uid, name = str(uuid4()), wanted[name_ci]
        values = {"uid": uid, "connection_id": connection_key, "source": "asserted", "name": name, "name_ci": name_ci}
        values |= {"created_at": change.now, "modified_at": change.now, **change.stands}
        row = dialect.insert(directory_groups).values(**values).on_conflict_do_nothing()
        found = change.connection.execute(row.returning(directory_groups.c.id)).first()
        if found is not None:
            made.append((found.id, uid, name))
    return tuple(made)


def _keys(connection: Any, connection_key: int, wanted: Collection[str]) -> dict[str, tuple[int, str]]:
    columns = directory_groups.c
    found: dict[str, tuple[int, str]] = {}
    names = sorted(wanted)
    for start in range(0, len(names), 500):
        chosen = select(columns.name_ci, columns.id, columns.name).where(
            columns.connection_id == connection_key,
            ASSERTED_GROUP,
            columns.name_ci.in_(names[start : start + 500]),
        )
        found |= {name_ci: (key, name) for name_ci, key, name in connection.execute(chosen)}
    return found


def _hold_groups(change: Change, keys: Collection[int]) -> None:
    """Lock the rows whose counts will change, in order of key."""
    for batch in in_batches(keys):
        chosen = select(directory_groups.c.id).where(directory_groups.c.id.in_(batch)).order_by(directory_groups.c.id)
        change.connection.execute(chosen.with_for_update(key_share=True)).all()


def _count(change: Change, keys: Collection[int], by: int) -> None:
    for batch in in_batches(keys):
        columns = directory_groups.c
        values = {"n_members": columns.n_members + by, "modified_at": change.now}
        change.connection.execute(update(directory_groups).where(columns.id.in_(batch)).values(values))
