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

#: Whether something is true of a resource, a document or one value of an attribute.
Truth = Callable[[Mapping[str, Any]], bool]
_Read = Callable[[Mapping[str, Any]], list[Any]]


def matches(filter: Filter, resource: Mapping[str, Any]) -> bool:  # noqa: A002
    """Whether the filter is true of a rendered resource or a document."""
    return truth_of(filter)(resource)


def truth_of(filter: Filter) -> Truth:  # noqa: A002
    """`matches` of one filter, made ready to be asked of many: a question costs a third."""
    return _truth_of(filter, _values_of_resource)


def matches_element(filter: Filter, element: Mapping[str, Any]) -> bool:  # noqa: A002
    """Whether the filter of a value path is true of one value of its attribute."""
    return truth_of_element(filter)(element)


def truth_of_element(filter: Filter) -> Truth:  # noqa: A002
    """`matches_element` of one filter, made ready to be asked of many."""
    return _truth_of(filter, _values_of_element)


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


def _truth_of(filter: Filter, reader: Callable[[AttributePath], _Read]) -> Truth:  # noqa: A002
    # What can be decided of the filter alone is decided here, once, and not in the functions that this gives.
    match filter:
        case And(terms):
            every = [_truth_of(term, reader) for term in terms]
            return lambda resource: all(truth(resource) for truth in every)
        case Or(terms):
            some = [_truth_of(term, reader) for term in terms]
            return lambda resource: any(truth(resource) for truth in some)
        case Not(term):
            negated = _truth_of(term, reader)
            return lambda resource: not negated(resource)
        case Present(path):
            read = reader(path)
            return lambda resource: bool(read(resource))
        case ValuePath(path, inner):
            read, truth = reader(path), truth_of_element(inner)
            return lambda resource: any(map(truth, read(resource)))
        case Comparison(path, op, value):
            read, fits = reader(path), _comparison(path.leaf, op, value)
            return lambda resource: fits(read(resource))


def _values_of_element(path: AttributePath) -> _Read:
    name = path.leaf.name
    return lambda element: assigned(element.get(name))


def _values_of_resource(path: AttributePath) -> _Read:
    name, sub, urn = path.attribute.name, path.sub, path.schema if path.in_extension else None
    if sub is not None:
        return lambda resource: [
            sub_value
            for value in assigned(_home(resource, urn).get(name))
            for sub_value in assigned(value.get(sub.name))
        ]
    if urn is not None:
        return lambda resource: assigned(_home(resource, urn).get(name))
    return lambda resource: assigned(resource.get(name))


def _home(resource: Mapping[str, Any], urn: str | None) -> Mapping[str, Any]:
    """Where the attributes of a schema stand: an extension's under its URN."""
    return resource if urn is None else resource.get(urn, {})


def assigned(value: Any) -> list[Any]:
    """The values there are, whether the attribute has one or many (RFC 7643 2.5)."""
    if value is None or value == "":
        return []
    if isinstance(value, str):
        return [value]
    return [each for each in (value if isinstance(value, list) else [value]) if each not in (None, "", [], {})]


def _comparison(leaf: Attribute, op: Operator, wanted: Value) -> Callable[[list[Any]], bool]:
    """Whether some of an attribute's values compares so."""
    if wanted is None:
        return lambda values: bool(values) == (op == "ne")
    compare, operand = COMPARE[op], comparable(leaf, wanted)

    def fits(values: list[Any]) -> bool:
        if op == "ne" and not values:
            return True
        return any(compare(comparable(leaf, value), operand) for value in values)

    return fits


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
