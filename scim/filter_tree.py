"""A filter as a value: what it asks, how it is written, and what it is true of (RFC 7644 3.4.2.2).

`matches` is the meaning of a filter in plain Python. Storage asks the same in SQL; the two must agree.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import eq, ge, gt, le, lt, ne
from typing import Any, Literal

import orjson

from scim.moments import parse_date_time, render_date_time
from scim.schemas import Attribute, AttributePath, fold_case

Operator = Literal["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"]
Value = str | bool | datetime | None


@dataclass(frozen=True, slots=True)
class And:
    """Every term is true. There are at least two, or none: then it is true of everything."""

    terms: "tuple[Filter, ...]"


@dataclass(frozen=True, slots=True)
class Or:
    """Some term is true. There are at least two, or none: then it is true of nothing."""

    terms: "tuple[Filter, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    """The term is false."""

    term: "Filter"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Some value at the path compares so.

    The path leads to a simple attribute, and the value has its type: a datetime in UTC for a dateTime. None stands for
    null and comes with eq (no value) and ne (a value) only. `ne` is also true where there is no value.
    """

    path: AttributePath
    op: Operator
    value: Value


@dataclass(frozen=True, slots=True)
class Present:
    """There is a value at the path."""

    path: AttributePath


@dataclass(frozen=True, slots=True)
class ValuePath:
    """One and the same value of a multi-valued attribute makes the filter true.

    The paths in the filter lead to sub-attributes of that attribute.
    """

    path: AttributePath
    filter: "Filter"


Filter = And | Or | Not | Comparison | Present | ValuePath

_Read = Callable[[AttributePath], list[Any]]


def matches(filter: Filter, resource: Mapping[str, Any]) -> bool:  # noqa: A002
    """Whether the filter is true of a rendered resource or a document."""
    return _is_true(filter, lambda path: _values_in_resource(path, resource))


def matches_element(filter: Filter, element: Mapping[str, Any]) -> bool:  # noqa: A002
    """Whether the filter of a value path is true of one value of its attribute."""
    return _is_true(filter, lambda path: assigned(element.get(path.leaf.name)))


def count_tests(filter: Filter | None) -> int:  # noqa: A002
    """How many comparisons and presence tests the filter holds."""
    match filter:
        case And(terms) | Or(terms):
            return sum(count_tests(term) for term in terms)
        case Not(term) | ValuePath(_, term):
            return count_tests(term)
        case None:
            return 0
        case _:
            return 1


def attributes_tested(filter: Filter) -> frozenset[str]:  # noqa: A002
    """The names of the attributes whose values the filter asks for, so that others need not be read."""
    match filter:
        case And(terms) | Or(terms):
            return frozenset[str]().union(*map(attributes_tested, terms))
        case Not(term):
            return attributes_tested(term)
        case Comparison(path) | Present(path) | ValuePath(path):
            return frozenset({path.attribute.name})


def render_filter(filter: Filter) -> str:  # noqa: A002
    """The filter in the grammar of RFC 7644; parsing it gives an equal filter, but for terms that were decided."""
    return _render(filter, str)


def _is_true(filter: Filter, read: _Read) -> bool:  # noqa: A002
    match filter:
        case And(terms):
            return all(_is_true(term, read) for term in terms)
        case Or(terms):
            return any(_is_true(term, read) for term in terms)
        case Not(term):
            return not _is_true(term, read)
        case Present(path):
            return bool(read(path))
        case ValuePath(path, inner):
            return any(matches_element(inner, element) for element in read(path))
        case Comparison(path, op, value):
            return _compares(path.leaf, op, value, read(path))


def _values_in_resource(path: AttributePath, resource: Mapping[str, Any]) -> list[Any]:
    home = resource.get(path.schema, {}) if path.in_extension else resource
    values = assigned(home.get(path.attribute.name))
    if path.sub is None:
        return values
    return [sub_value for value in values for sub_value in assigned(value.get(path.sub.name))]


def assigned(value: Any) -> list[Any]:
    """The values there are, whether the attribute has one or many (RFC 7643 2.5)."""
    return [each for each in (value if isinstance(value, list) else [value]) if each not in (None, "", [], {})]


def _compares(leaf: Attribute, op: Operator, wanted: Value, values: list[Any]) -> bool:
    if wanted is None:
        return bool(values) == (op == "ne")
    if op == "ne" and not values:
        return True
    compare, operand = COMPARE[op], comparable(leaf, wanted)
    return any(compare(comparable(leaf, value), operand) for value in values)


def comparable(leaf: Attribute, value: Any) -> Any:
    """The value as its type compares: moments as moments, strings with or without case (RFC 7643 2.2, 2.3)."""
    if leaf.type == "dateTime" and isinstance(value, str):
        return parse_date_time(value)
    if leaf.type in ("string", "reference") and not leaf.case_exact:
        return fold_case(value)
    return value


COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": eq,
    "ne": ne,
    "co": lambda value, part: part in value,
    "sw": lambda value, start: value.startswith(start),
    "ew": lambda value, end: value.endswith(end),
    "gt": gt,
    "ge": ge,
    "lt": lt,
    "le": le,
}


def _render(filter: Filter, name: Callable[[AttributePath], str]) -> str:  # noqa: A002
    match filter:
        case And(()) | Or(()):
            return "id pr" if isinstance(filter, And) else "not (id pr)"
        case And(terms):
            return " and ".join(_render_term(term, name) for term in terms)
        case Or(terms):
            return " or ".join(_render_term(term, name) for term in terms)
        case Not(term):
            return f"not ({_render(term, name)})"
        case Present(path):
            return f"{name(path)} pr"
        case ValuePath(path, inner):
            return f"{name(path)}[{_render(inner, lambda sub_path: sub_path.leaf.name)}]"
        case Comparison(path, op, value):
            return f"{name(path)} {op} {_render_value(value)}"


def _render_term(term: Filter, name: Callable[[AttributePath], str]) -> str:
    rendered = _render(term, name)
    return f"({rendered})" if isinstance(term, (And, Or)) else rendered


def _render_value(value: Value) -> str:
    return orjson.dumps(render_date_time(value) if isinstance(value, datetime) else value).decode()
