"""A parsed SCIM filter to a WHERE clause, the attribute table on top; who matches is read by `directory_pages`.

A clause is `exact` when it says just what the filter says. Where it can't (an attribute that is kept in the
document only), it still holds for every match, by what the document's text must hold, and the caller asks
`scim.filter_tree.matches` of the rows that are left: the meaning is never the engine's, and nobody matches because a
condition was dropped.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Text, and_, exists, false, not_, or_, select, true, type_coerce

from bridge.domain.people import fold
from bridge.storage.directory import Unique
from bridge.storage.document_text import find_text_condition
from bridge.storage.tables import PUSHED_GROUP, directory_emails, directory_groups, directory_users, group_members
from scim.filter_tree import COMPARE, And, Comparison, Filter, Not, Or, Present, ValuePath, count_tests
from scim.schemas import AttributePath


@dataclass(frozen=True, slots=True)
class Clause:
    """A condition on rows. Never NULL: it may be negated."""

    sql: ColumnElement[bool]
    exact: bool = True


#: The condition that no filter puts.
EVERY = Clause(true())
_UNKNOWN = Clause(true(), exact=False)

# What a comparison on an attribute means in SQL, `pr` among them; None where SQL can't say it exactly.
Compile = Callable[[str, Any], ColumnElement[bool] | None]


def _folded(column: Column[Any], *, in_order: bool = False) -> Compile:
    """Text compared without case, kept folded, and always there. `in_order`: by code point, space around it too."""

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
        if in_order:
            plain |= {
                "gt": lambda: column > text,
                "ge": lambda: column >= text,
                "lt": lambda: column < text,
                "le": lambda: column <= text,
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


def _by_email(inner: Compile) -> Compile:
    """One of a person's addresses compares so. Whose address is known is looked up from there, by its index; any other
    test is asked of each person's own addresses.
    """
    some = _some(_email_of_user)(inner)

    def compile_(op: str, value: Any) -> ColumnElement[bool] | None:
        said = inner(op, value) if op == "eq" and value is not None else None
        return some(op, value) if said is None else _has_email(said)

    return compile_


def _has_email(where: ColumnElement[bool]) -> ColumnElement[bool]:
    return _users.id.in_(select(_emails.directory_user_id).where(where))


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
_in_group = (_rows.directory_user_id == _users.id, _rows.group_id == _groups.id, PUSHED_GROUP)
_has_member = (_rows.group_id == _groups.id, _rows.directory_user_id == _users.id, _users.pushed)


@dataclass(frozen=True, slots=True)
class Attributes:
    """The attributes of a resource that are columns, and the text of the document that says the others.

    What the `hints` compile to holds for every match, and for some others.
    """

    columns: Mapping[tuple[str, str | None], Compile]
    document: ColumnElement[str] | None = None
    hints: Mapping[tuple[str, str | None], Compile] = field(default_factory=dict)


#: Of a User.
_OF_USERS: Mapping[tuple[str, str | None], Compile] = {
    ("id", None): _exact(_users.uid),
    ("userName", None): _folded(_users.user_name_ci, in_order=True),
    ("externalId", None): _exact(_users.external_id),
    ("active", None): _boolean(_users.active),
    ("emails", "value"): _by_email(_folded(_emails.value_ci)),
    ("groups", "value"): _some(*_in_group)(_exact(_groups.uid)),
    ("meta", "resourceType"): _constant("User"),
    ("meta", "created"): _moment(_users.created_at),
    ("meta", "lastModified"): _moment(_users.modified_at),
}
#: A group's name is folded without the space around it.
_NEARLY_OF_USERS: Mapping[tuple[str, str | None], Compile] = {
    ("groups", "display"): _some(*_in_group)(_folded(_groups.name_ci))
}
USERS = Attributes(_OF_USERS, type_coerce(_users.document, Text), _NEARLY_OF_USERS)
#: Of a Group, which has no document.
_OF_GROUPS: Mapping[tuple[str, str | None], Compile] = {
    ("id", None): _exact(_groups.uid),
    ("displayName", None): _folded(_groups.name_ci),
    ("externalId", None): _exact(_groups.external_id),
    ("members", "value"): _some(*_has_member)(_exact(_users.uid)),
    ("meta", "resourceType"): _constant("Group"),
    ("meta", "created"): _moment(_groups.created_at),
    ("meta", "lastModified"): _moment(_groups.modified_at),
}
GROUPS = Attributes(_OF_GROUPS)
#: The sub-attributes that one row of `emails` has, for `emails[…]`.
_ONE_EMAIL = Attributes(
    {
        ("emails", "value"): _folded(_emails.value_ci),
        ("emails", "primary"): _marked(_emails.is_primary),
    }
)

#: Of a filter with more tests than so many, reading people and asking them costs less than so many looks at texts.
_MOST_LOOKS = 10


def find_name(filter_: Filter) -> tuple[Unique, str] | None:
    """What a filter looks one person up by, as IdPs do before each push: `userName eq "…"`, `id eq "…"`; else None."""
    match filter_:
        case Comparison(AttributePath(sub=None, in_extension=False) as path, "eq", str(text)):
            if path.attribute.name == "id":
                return "id", text
            if path.attribute.name == "userName" and text == text.strip():
                return "userName", fold(text)
    return None


def compile_filter(filter_: Filter, table: Attributes) -> Clause:
    """The condition that a filter puts on the rows of `table`'s resource."""
    return _compile(filter_, table if count_tests(filter_) <= _MOST_LOOKS else replace(table, document=None))


def _compile(filter_: Filter, table: Attributes) -> Clause:
    match filter_:
        case And(terms):
            return _both(and_, [_compile(term, table) for term in terms])
        case Or(terms):
            return _both(or_, [_compile(term, table) for term in terms])
        case Not(term):
            negated = _compile(term, table)
            return Clause(not_(negated.sql)) if negated.exact else _UNKNOWN
        case Comparison(path, op, value):
            return _compare(path, op, value, table)
        case Present(path):
            return _present(path, table)
        case ValuePath(path, inner):
            return _value_path(path, inner, table)


def _both(join: Callable[..., ColumnElement[bool]], clauses: list[Clause]) -> Clause:
    # What holds for every match of each term holds for every match of the whole, whether all or some must.
    empty = true() if join is and_ else false()
    return Clause(join(empty, *(clause.sql for clause in clauses)), all(clause.exact for clause in clauses))


def _compare(path: AttributePath, op: str, value: Any, table: Attributes) -> Clause:
    key = (path.attribute.name, path.sub.name if path.sub else None)
    compile_ = None if path.in_extension else table.columns.get(key)
    sql = compile_(op, value) if compile_ else None
    if sql is not None:
        return Clause(sql)
    if (hint := table.hints.get(key)) is not None:
        sql = hint(op, value)
    elif table.document is not None:
        sql = find_text_condition(path, op, value, table.document)
    return _UNKNOWN if sql is None else Clause(sql, exact=False)


def _present(path: AttributePath, table: Attributes) -> Clause:
    if path.sub is None and path.attribute.name == "meta":
        return EVERY
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


def _names_value(filter_: Filter) -> bool:
    """Whether only elements with one certain `value` can match."""
    match filter_:
        case And(terms):
            return any(map(_names_value, terms))
        case Comparison(path, "eq", str()):
            return path.leaf.name == "value"
        case _:
            return False


def _value_path(path: AttributePath, inner: Filter, table: Attributes) -> Clause:
    if not path.in_extension and path.attribute.name == "emails" and _needs_value(inner):
        one = _compile(inner, _ONE_EMAIL)
        some = _has_email(one.sql) if _names_value(inner) else exists().where(_email_of_user, one.sql)
        return Clause(some, one.exact)
    # Each test of one value is one of the document that holds the value.
    return Clause(_compile(inner, replace(table, columns={})).sql, exact=False)
