"""A parsed SCIM filter to a WHERE clause, the attribute table on top.

A clause is `exact` when it says just what the filter says. Where it can't (an attribute that is kept in the
document only, an order of strings, which engines see differently), it still holds for every match, and the
caller asks `scim.filter_tree.matches` of the rows that are left: the meaning is never the engine's, and
nobody matches because a condition was dropped.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Column, ColumnElement, Table, and_, exists, false, func, not_, or_, select, true

from bridge.domain.directory import GroupMemberRef
from bridge.domain.people import fold
from bridge.storage.directory import (
    StoredGroup,
    StoredUser,
    groups_of_users,
    list_groups,
    list_users,
    members_of_groups,
    pushed_groups,
    pushed_users,
    totals,
)
from bridge.storage.tables import directory_emails, directory_groups, directory_users, group_members
from scim.filter_tree import And, Comparison, Filter, Not, Or, Present, ValuePath, matches
from scim.moments import render_date_time
from scim.schemas import AttributePath


@dataclass(frozen=True, slots=True)
class Clause:
    """A condition on rows. Never NULL: it may be negated."""

    sql: ColumnElement[bool]
    exact: bool = True


_UNKNOWN = Clause(true(), exact=False)

# What a comparison on an attribute means in SQL; None where SQL can't say it exactly.
Compile = Callable[[str, Any], ColumnElement[bool] | None]


def _folded(column: Column[Any]) -> Compile:
    """Text compared without case, kept folded."""

    def compile_(op: str, value: Any) -> ColumnElement[bool] | None:
        if not isinstance(value, str) or value != value.strip():
            return None
        text = fold(value)
        plain: dict[str, Callable[[], ColumnElement[bool]]] = {
            "eq": lambda: column == text,
            "ne": lambda: column != text,
            "co": lambda: column.contains(text, autoescape=True),
            "sw": lambda: column.startswith(text, autoescape=True),
            "ew": lambda: column.endswith(text, autoescape=True),
        }
        return plain[op]() if op in plain else None

    return compile_


def _exact(column: Column[Any]) -> Compile:
    """Text compared as it is; may be NULL, which is equal to nothing."""

    def compile_(op: str, value: Any) -> ColumnElement[bool] | None:
        if value is None:
            return column.is_(None) if op == "eq" else column.is_not(None)
        equal = and_(column.is_not(None), column == value)
        return {"eq": equal, "ne": not_(equal)}.get(op)

    return compile_


def _boolean(column: Column[Any]) -> Compile:
    def compile_(op: str, value: Any) -> ColumnElement[bool] | None:
        if not isinstance(value, bool):
            return None
        return column.is_(value) if op == "eq" else column.is_not(value) if op == "ne" else None

    return compile_


def _moment(column: Column[Any]) -> Compile:
    def compile_(op: str, value: Any) -> ColumnElement[bool] | None:
        if not isinstance(value, datetime):
            return None
        return {
            "eq": column == value,
            "ne": column != value,
            "gt": column > value,
            "ge": column >= value,
            "lt": column < value,
            "le": column <= value,
        }.get(op)

    return compile_


def _some(*where: ColumnElement[bool]) -> Callable[[Compile], Compile]:
    """Some row beside this one compares so: for attributes with many values. `ne` is left to the caller."""

    def of(inner: Compile) -> Compile:
        def compile_(op: str, value: Any) -> ColumnElement[bool] | None:
            said = inner(op, value) if op != "ne" and value is not None else None
            return None if said is None else exists().where(*where, said)

        return compile_

    return of


_users, _groups, _emails, _rows = directory_users.c, directory_groups.c, directory_emails.c, group_members.c
_email_of_user = _emails.directory_user_id == _users.id
_in_group = (_rows.directory_user_id == _users.id, _rows.group_id == _groups.id, _groups.source == "scim")
_has_member = (_rows.group_id == _groups.id, _rows.directory_user_id == _users.id, _users.pushed)

Attributes = Mapping[tuple[str, str | None], Compile]

#: The attributes of a User that are columns.
USERS: Attributes = {
    ("id", None): _exact(_users.uid),
    ("userName", None): _folded(_users.user_name_ci),
    ("externalId", None): _exact(_users.external_id),
    ("active", None): _boolean(_users.active),
    ("emails", "value"): _some(_email_of_user)(_folded(_emails.value_ci)),
    ("groups", "value"): _some(*_in_group)(_exact(_groups.uid)),
    ("meta", "created"): _moment(_users.created_at),
    ("meta", "lastModified"): _moment(_users.modified_at),
}
#: The attributes of a Group that are columns.
GROUPS: Attributes = {
    ("id", None): _exact(_groups.uid),
    ("displayName", None): _folded(_groups.name_ci),
    ("externalId", None): _exact(_groups.external_id),
    ("members", "value"): _some(*_has_member)(_exact(_users.uid)),
    ("meta", "created"): _moment(_groups.created_at),
    ("meta", "lastModified"): _moment(_groups.modified_at),
}
#: The sub-attributes that one row of `emails` has, for `emails[…]`.
_ONE_EMAIL: Attributes = {
    ("emails", "value"): _folded(_emails.value_ci),
    ("emails", "primary"): _boolean(_emails.is_primary),
}


def compile_filter(filter_: Filter, table: Attributes) -> Clause:
    """The condition that a filter puts on the rows of `table`'s resource."""
    match filter_:
        case And(terms):
            return _both(and_, [compile_filter(term, table) for term in terms])
        case Or(terms):
            return _both(or_, [compile_filter(term, table) for term in terms])
        case Not(term):
            negated = compile_filter(term, table)
            return Clause(not_(negated.sql)) if negated.exact else _UNKNOWN
        case Comparison(path, op, value):
            return _compare(path, op, value, table)
        case Present(path):
            return _present(path)
        case ValuePath(path, inner):
            return _value_path(path, inner)


def _both(join: Callable[..., ColumnElement[bool]], clauses: list[Clause]) -> Clause:
    # What holds for every match of each term holds for every match of the whole, whether all or some must.
    empty = true() if join is and_ else false()
    return Clause(join(empty, *(clause.sql for clause in clauses)), all(clause.exact for clause in clauses))


def _compare(path: AttributePath, op: str, value: Any, table: Attributes) -> Clause:
    compile_ = None if path.in_extension else table.get((path.attribute.name, path.sub.name if path.sub else None))
    sql = compile_(op, value) if compile_ else None
    return _UNKNOWN if sql is None else Clause(sql)


def _present(path: AttributePath) -> Clause:
    always = path.sub is None and path.attribute.name in ("id", "meta", "userName")
    return Clause(true()) if always else _UNKNOWN


def _value_path(path: AttributePath, inner: Filter) -> Clause:
    if path.in_extension or path.attribute.name != "emails":
        return _UNKNOWN
    one = compile_filter(inner, _ONE_EMAIL)
    return Clause(exists().where(_email_of_user, one.sql), one.exact)


# -- Pages of what matches ---------------------------------------------------------------------------

Found = TypeVar("Found", StoredUser, StoredGroup)

#: Rows read at a time where a filter must be asked of each.
_CHUNK = 1000


def search_users(
    connection: Any, connection_key: int, filter_: Filter | None, *, offset: int, count: int
) -> tuple[list[StoredUser], int]:
    """The pushed people that match, `count` of them after `offset`, and how many match in all."""
    here = pushed_users(connection_key)
    if filter_ is None:
        total, _ = totals(connection, connection_key)
        return list_users(connection, here, limit=count, offset=offset), total
    clause = compile_filter(filter_, USERS)
    where = and_(here, clause.sql)
    if clause.exact:
        return list_users(connection, where, limit=count, offset=offset), _count(connection, directory_users, where)

    def asked(stored: list[StoredUser]) -> list[StoredUser]:
        groups = groups_of_users(connection, [each.key for each in stored])
        return [each for each in stored if matches(filter_, _user_resource(each, groups.get(each.key, ())))]

    every = _in_chunks(lambda after: list_users(connection, and_(where, _users.id > after), limit=_CHUNK), asked)
    return _page(every, offset, count)


def search_groups(
    connection: Any, connection_key: int, filter_: Filter | None, *, offset: int, count: int
) -> tuple[list[StoredGroup], int]:
    """The same for pushed groups."""
    here = pushed_groups(connection_key)
    if filter_ is None:
        _, total = totals(connection, connection_key)
        return list_groups(connection, here, limit=count, offset=offset), total
    clause = compile_filter(filter_, GROUPS)
    where = and_(here, clause.sql)
    if clause.exact:
        return list_groups(connection, where, limit=count, offset=offset), _count(connection, directory_groups, where)

    def asked(stored: list[StoredGroup]) -> list[StoredGroup]:
        members = members_of_groups(connection, [each.key for each in stored])
        return [each for each in stored if matches(filter_, _group_resource(each, members[each.key]))]

    every = _in_chunks(lambda after: list_groups(connection, and_(where, _groups.id > after), limit=_CHUNK), asked)
    return _page(every, offset, count)


def _in_chunks(read: Callable[[int], list[Found]], asked: Callable[[list[Found]], list[Found]]) -> Iterator[Found]:
    after = 0
    while stored := read(after):
        yield from asked(stored)
        after = stored[-1].key


def _page(every: Iterator[Found], offset: int, count: int) -> tuple[list[Found], int]:
    page, total = [], 0
    for found in every:
        if offset <= total < offset + count:
            page.append(found)
        total += 1
    return page, total


def _count(connection: Any, table: Table, where: ColumnElement[bool]) -> int:
    total: int = connection.execute(select(func.count()).select_from(table).where(where)).scalar_one()
    return total


def _user_resource(stored: StoredUser, groups: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    user = stored.user
    shown = [{"value": uid, "display": name, "type": "direct"} for uid, name in groups]
    meta = _meta("User", user.created_at, user.modified_at)
    # The column, as in SQL: a document whose `active` was removed doesn't say it.
    said = {"id": user.id, "active": user.pushed.active, "groups": shown, "meta": meta}
    return {**user.pushed.document, **said}


def _group_resource(stored: StoredGroup, members: tuple[GroupMemberRef, ...]) -> dict[str, Any]:
    group = stored.group
    shown = [{"value": member.id, "display": member.name, "type": "User"} for member in members]
    meta = _meta("Group", group.created_at, group.modified_at)
    said = {"id": group.id, "displayName": group.name, "externalId": group.external_id}
    return {**said, "members": shown, "meta": meta}


def _meta(kind: str, created: datetime, modified: datetime) -> dict[str, str]:
    times = {"created": render_date_time(created), "lastModified": render_date_time(modified)}
    return {"resourceType": kind, **times}
