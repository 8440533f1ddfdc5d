"""A parsed SCIM filter to a WHERE clause, the attribute table on top; then the pages of what matches, in order.

A clause is `exact` when it says just what the filter says. Where it can't (an attribute that is kept in the
document only, an order of strings, which engines see differently), it still holds for every match, and the
caller asks `scim.filter_tree.matches` of the rows that are left: the meaning is never the engine's, and
nobody matches because a condition was dropped.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, Generic, TypeVar

from sqlalchemy import Column, ColumnElement, Table, Text, and_, exists, false, func, not_, or_, select, true

from bridge.domain.directory import DirectoryGroup, DirectoryUser, GroupMemberRef
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
from scim.errors import TooMany
from scim.filter_tree import COMPARE, And, Comparison, Filter, Not, Or, Present, ValuePath, attributes_tested, matches
from scim.resources import Meta, Reference, render_group, render_user
from scim.schemas import AttributePath
from scim.sorting import Order, sort_key
from scim.versions import render_version


@dataclass(frozen=True, slots=True)
class Clause:
    """A condition on rows. Never NULL: it may be negated."""

    sql: ColumnElement[bool]
    exact: bool = True


_EVERY = Clause(true())
_UNKNOWN = Clause(true(), exact=False)

# What a comparison on an attribute means in SQL, `pr` among them; None where SQL can't say it exactly.
Compile = Callable[[str, Any], ColumnElement[bool] | None]


def _folded(column: Column[Any]) -> Compile:
    """Text compared without case, kept folded. It is always there."""

    def compile_(op: str, value: Any) -> ColumnElement[bool] | None:
        if op == "pr":
            return true()
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
        if value is None:  # eq null, ne null and pr
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


def _marked(column: Column[Any]) -> Compile:
    """A boolean whose column is false too where nothing is said."""

    def compile_(op: str, value: Any) -> ColumnElement[bool] | None:
        return _boolean(column)(op, value) if value is True else None

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
            said = inner(op, value) if op != "ne" and (value is not None or op == "pr") else None
            return None if said is None else exists().where(*where, said)

        return compile_

    return of


def _constant(text: str) -> Compile:
    """Text that is the same in all rows, compared with case."""

    def compile_(op: str, value: Any) -> ColumnElement[bool] | None:
        if op == "pr":
            return true()
        compare = COMPARE[op]
        return true() if isinstance(value, str) and compare(text, value) else false() if value is not None else None

    return compile_


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
    ("meta", "resourceType"): _constant("User"),
    ("meta", "created"): _moment(_users.created_at),
    ("meta", "lastModified"): _moment(_users.modified_at),
}
#: The attributes of a Group that are columns.
GROUPS: Attributes = {
    ("id", None): _exact(_groups.uid),
    ("displayName", None): _folded(_groups.name_ci),
    ("externalId", None): _exact(_groups.external_id),
    ("members", "value"): _some(*_has_member)(_exact(_users.uid)),
    ("meta", "resourceType"): _constant("Group"),
    ("meta", "created"): _moment(_groups.created_at),
    ("meta", "lastModified"): _moment(_groups.modified_at),
}
#: The sub-attributes that one row of `emails` has, for `emails[…]`.
_ONE_EMAIL: Attributes = {
    ("emails", "value"): _folded(_emails.value_ci),
    ("emails", "primary"): _marked(_emails.is_primary),
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
            return _present(path, table)
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


def _present(path: AttributePath, table: Attributes) -> Clause:
    if path.sub is None and path.attribute.name == "meta":
        return _EVERY
    if path.sub is None and path.attribute.name in ("groups", "members"):
        # Each of their values has a `value`, the id.
        path = AttributePath(path.attribute, path.attribute.find("value"), path.schema)
    return _compare(path, "pr", None, table)


def _needs_value(filter_: Filter) -> bool:
    """Whether only an element with a `value` can match: those without have no row."""
    match filter_:
        case And(terms):
            return any(map(_needs_value, terms))
        case Or(terms):
            return all(map(_needs_value, terms))
        case Comparison(path, op, value):
            return path.leaf.name == "value" and op != "ne" and value is not None
        case _:
            return False


def _value_path(path: AttributePath, inner: Filter) -> Clause:
    if path.in_extension or path.attribute.name != "emails" or not _needs_value(inner):
        return _UNKNOWN
    one = compile_filter(inner, _ONE_EMAIL)
    return Clause(exists().where(_email_of_user, one.sql), one.exact)


# -- Pages of what matches ---------------------------------------------------------------------------

Found = TypeVar("Found", StoredUser, StoredGroup)

#: Rows read at a time where a filter must be asked of each.
_CHUNK = 1000
#: So many at most are sorted by what is kept in the document only.
MAX_SORTED = 5000

#: The columns that people and groups are sorted by in SQL; a text as filters compare it.
_SORTED_BY: Mapping[Table, Mapping[tuple[str, str | None], Column[Any]]] = {
    directory_users: {
        ("id", None): _users.uid,
        ("userName", None): _users.user_name_ci,
        ("externalId", None): _users.external_id,
        ("meta", "created"): _users.created_at,
        ("meta", "lastModified"): _users.modified_at,
    },
    directory_groups: {
        ("id", None): _groups.uid,
        ("displayName", None): _groups.name_ci,
        ("externalId", None): _groups.external_id,
        ("meta", "created"): _groups.created_at,
        ("meta", "lastModified"): _groups.modified_at,
    },
}


def search_users(
    connection: Any,
    connection_key: int,
    filter_: Filter | None,
    order: Order | None = None,
    *,
    offset: int,
    count: int,
    base: str = "",
) -> tuple[list[StoredUser], int]:
    """The pushed people that match, `count` of them after `offset`, and how many match in all.

    Without an order as they came. `base` is what locations begin with. Raises TooMany for an order that can't be had
    of so many.
    """
    clause = _EVERY if filter_ is None else compile_filter(filter_, USERS)
    where = and_(pushed_users(connection_key), clause.sql)
    show = partial(_user_resources, base)
    search = _Search(connection, directory_users, list_users, show, where, filter_, clause.exact)
    known = totals(connection, connection_key)[0] if filter_ is None else None
    return search.page(order, offset, count, known)


def search_groups(
    connection: Any,
    connection_key: int,
    filter_: Filter | None,
    order: Order | None = None,
    *,
    offset: int,
    count: int,
    base: str = "",
) -> tuple[list[StoredGroup], int]:
    """The same for pushed groups."""
    clause = _EVERY if filter_ is None else compile_filter(filter_, GROUPS)
    where = and_(pushed_groups(connection_key), clause.sql)
    show = partial(_group_resources, base)
    search = _Search(connection, directory_groups, list_groups, show, where, filter_, clause.exact)
    known = totals(connection, connection_key)[1] if filter_ is None else None
    return search.page(order, offset, count, known)


@dataclass(frozen=True, slots=True)
class _Search(Generic[Found]):
    """One search: rows of `table` that fit `where`, and where that isn't exact are true of `filter`."""

    connection: Any
    table: Table
    read: Callable[..., list[Found]]
    resources: Callable[[Any, list[Found], frozenset[str]], list[dict[str, Any]]]
    where: ColumnElement[bool]
    filter: Filter | None
    exact: bool

    def page(self, order: Order | None, offset: int, count: int, known: int | None) -> tuple[list[Found], int]:
        """`count` of the matches after `offset`, and how many there are: `known`, where it needs no counting."""
        by = [] if order is None else _order_by(self.connection, self.table, order)
        if order is not None and not by:
            found = self._sorted(order)
            return found[offset : offset + count], len(found)
        if not self.exact:
            return _page(self._matching(by), offset, count)
        total = _count(self.connection, self.table, self.where) if known is None else known
        return self.read(self.connection, self.where, by=by, limit=count, offset=offset), total

    def _matching(self, by: Sequence[Any]) -> Iterator[Found]:
        key = self.table.c.id
        keys = self.connection.execute(select(key).where(self.where).order_by(*by, key)).scalars().all()
        for start in range(0, len(keys), _CHUNK):
            rows = self.read(self.connection, and_(self.where, key.in_(keys[start : start + _CHUNK])), by=by)
            yield from rows if self.exact or self.filter is None else self._asked(rows, self.filter)

    def _asked(self, rows: list[Found], filter_: Filter) -> list[Found]:
        resources = self.resources(self.connection, rows, attributes_tested(filter_))
        return [row for row, resource in zip(rows, resources, strict=True) if matches(filter_, resource)]

    def _sorted(self, order: Order) -> list[Found]:
        """All matches, sorted here."""
        found = list(islice(self._matching(()), MAX_SORTED + 1))
        if len(found) > MAX_SORTED:
            raise TooMany(f"By {order.path} this server sorts at most {MAX_SORTED}; by userName and id, any number.")
        resources = self.resources(self.connection, found, frozenset({order.path.attribute.name}))
        keys = {row.key: sort_key(order.path, resource) for row, resource in zip(found, resources, strict=True)}
        return sorted(found, key=lambda row: keys[row.key], reverse=order.descending)


def _order_by(connection: Any, table: Table, order: Order) -> list[ColumnElement[Any]]:
    """The column that gives the order, the same on both engines; none where there is no such column."""
    path = order.path
    column = _SORTED_BY[table].get((path.attribute.name, path.sub.name if path.sub else None))
    if column is None or path.in_extension:
        return []
    by_code_point = isinstance(column.type, Text) and connection.dialect.name == "postgresql"
    key: ColumnElement[Any] = column.collate("C") if by_code_point else column
    return [key.desc().nulls_first() if order.descending else key.asc().nulls_last()]


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


def _user_resources(
    base: str, connection: Any, people: list[StoredUser], asked: frozenset[str]
) -> list[dict[str, Any]]:
    # A version tells the groups apart that it was shown with.
    wanted = asked & {"groups", "meta"}
    groups = groups_of_users(connection, [each.key for each in people]) if wanted else {}
    return [_user_resource(base, each, groups.get(each.key, ())) for each in people]


def _group_resources(
    base: str, connection: Any, groups: list[StoredGroup], asked: frozenset[str]
) -> list[dict[str, Any]]:
    members = members_of_groups(connection, [each.key for each in groups]) if "members" in asked else {}
    return [_group_resource(base, each, members.get(each.key, ())) for each in groups]


def _user_resource(base: str, stored: StoredUser, groups: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """A person as their IdP is shown them, with those of their groups that were read."""
    user = stored.user
    shown = [Reference(uid, f"{base}/Groups/{uid}", name) for uid, name in groups]
    meta = _meta("User", f"{base}/Users/{user.id}", user, groups)
    # The column, as in SQL: a document whose `active` was removed doesn't say it.
    return {**render_user(user.pushed.document, user.id, meta, shown), "active": user.pushed.active}


def _group_resource(base: str, stored: StoredGroup, members: tuple[GroupMemberRef, ...]) -> dict[str, Any]:
    group = stored.group
    shown = [Reference(member.id, f"{base}/Users/{member.id}", member.name) for member in members]
    meta = _meta("Group", f"{base}/Groups/{group.id}", group)
    return render_group(group.name, group.external_id, group.id, meta, shown)


def _meta(
    kind: str, location: str, resource: DirectoryUser | DirectoryGroup, groups: Iterable[tuple[str, str]] = ()
) -> Meta:
    version = render_version(resource.version, groups)
    return Meta(kind, resource.created_at, resource.modified_at, location, version)
