"""Filters and PATCH paths from text (RFC 7644 3.4.2.2, figure 1, and 3.5.2, figure 7).

A descent over at most 8,192 characters, 50 brackets deep and 300 tests long: the work is linear in the text and the
stack bounded, whatever comes. The grammar is read as it is written, `or` under `and` under `not`, with names resolved
against the resource type at once, so that a tree that exists is one that can be answered. Names and operators have any
case; PingOne writes `username Eq "x"`.

`docs/decisions/0003-scim-filters.md` says why this is not scim2-filter-parser.
"""

import re
from functools import lru_cache
from typing import NamedTuple, cast

import orjson

from scim import dialects
from scim.errors import InvalidFilter, InvalidPath, InvalidValue, ScimError
from scim.filter_tree import (
    And,
    Comparison,
    Filter,
    Not,
    Operator,
    Or,
    Present,
    Value,
    ValuePath,
    matches,
    matches_element,
    render_filter,
)
from scim.moments import parse_date_time
from scim.schemas import Attribute, AttributePath, ResourceType
from scim.values import check_text

__all__ = [
    "And",
    "AttributePath",
    "Comparison",
    "Filter",
    "Not",
    "Operator",
    "Or",
    "Present",
    "Value",
    "ValuePath",
    "matches",
    "matches_element",
    "parse_filter",
    "parse_path",
    "render_filter",
]

MAX_LENGTH = 8_192
MAX_DEPTH = 50
MAX_TESTS = 300

_CACHED_LENGTH = 512
_TOKEN = re.compile(
    r"""[ \t]*(?:
        (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<number>-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
      | (?P<word>\$?[A-Za-z][A-Za-z0-9_.:$-]*)
      | (?P<sub>\.\$?[A-Za-z][A-Za-z0-9_$-]*)
      | (?P<bracket>[()\[\]])
    )[ \t]*""",
    re.VERBOSE | re.ASCII,
)
_LITERALS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_EQUALITY = frozenset({"eq", "ne"})
_ORDER = _EQUALITY | {"gt", "ge", "lt", "le"}
_OPERATORS = {
    "string": _ORDER | {"co", "sw", "ew"},
    "reference": _ORDER | {"co", "sw", "ew"},
    "dateTime": _ORDER,
    "boolean": _EQUALITY,
    "binary": _EQUALITY,
}
_ALL_OPERATORS = _OPERATORS["string"]


def parse_filter(text: str, resource_type: ResourceType, others: tuple[ResourceType, ...] = ()) -> Filter:
    """The filter in the text, its names resolved in that type. Raises InvalidFilter.

    In a search over several types, `others` are the rest of them: an attribute that only they have is one without a
    value here (RFC 7644 3.4.2.1), so that a test of it is decided at once.
    """
    return (_parse_filter_once if len(text) <= _CACHED_LENGTH else _parse_filter)(text, resource_type, others)


def parse_path(text: str, resource_type: ResourceType) -> tuple[AttributePath, Filter | None]:
    """A PATCH path: where it leads, and which values of a multi-valued attribute it means.

    Raises InvalidPath where it leads nowhere, InvalidFilter for what is wrong between the brackets.
    """
    return (_parse_path_once if len(text) <= _CACHED_LENGTH else _parse_path)(text, resource_type)


def _parse_filter(text: str, resource_type: ResourceType, others: tuple[ResourceType, ...]) -> Filter:
    reader = _Reader(_tokens(text), resource_type, others)
    parsed = reader.alternatives()
    reader.end()
    return parsed


def _parse_path(text: str, resource_type: ResourceType) -> tuple[AttributePath, Filter | None]:
    name, bracket, _ = text.partition("[")
    path = resource_type.find(name.strip())
    if path is None:
        raise InvalidPath(f"{resource_type.name} has no attribute {name[:100]!r}.")
    if not bracket:
        return path, None
    if path.sub is not None or not path.attribute.multi_valued or path.attribute.type != "complex":
        raise InvalidPath(f"{path} has no values to choose among.")
    return _Reader(_tokens(text), resource_type).selection(path)


_parse_filter_once = lru_cache(maxsize=1_024)(_parse_filter)
_parse_path_once = lru_cache(maxsize=1_024)(_parse_path)


class _Token(NamedTuple):
    # Not a dataclass: those are made at a third of the speed, and this is done for every word.
    kind: str
    text: str
    position: int

    def __str__(self) -> str:
        return f"{self.text[:50]!r} at position {self.position + 1}" if self.text else "the end"


def _tokens(text: str) -> list[_Token]:
    """The tokens, and one that stands for the end."""
    if len(text) > MAX_LENGTH:
        raise InvalidFilter(f"A filter has at most {MAX_LENGTH} characters.")
    tokens = []
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise InvalidFilter(f"The filter cannot be read from position {position + 1}.")
        kind = str(found.lastgroup)
        tokens.append(_Token(kind, found[kind], found.start(kind)))
        position = found.end()
    return [*tokens, _Token("end", "", position)]


class _Reader:
    """Reads tokens in order, keeping count of depth and tests, and of the value path it is inside of."""

    def __init__(
        self, tokens: list[_Token], resource_type: ResourceType, others: tuple[ResourceType, ...] = ()
    ) -> None:
        self._tokens = iter(tokens)
        self._next = next(self._tokens)
        self._resource_type = resource_type
        self._others = others
        self._inside: AttributePath | None = None
        self._depth = 0
        self._tests = 0

    def alternatives(self) -> Filter:
        """FILTER: terms joined by `or`, the weakest."""
        terms = [self._conjunction()]
        while self._accept("or"):
            terms.append(self._conjunction())
        return terms[0] if len(terms) == 1 else Or(tuple(terms))

    def selection(self, path: AttributePath) -> tuple[AttributePath, Filter]:
        """A PATCH path: attribute, filter in brackets, and perhaps a sub-attribute."""
        self._take()
        chosen = self._bracketed(path)
        sub = self._sub_attribute(path, InvalidPath) if self._next.kind == "sub" else None
        if self._next.kind != "end":
            raise InvalidPath(f"The path has {self._next} too much.")
        return AttributePath(path.attribute, sub, path.schema), chosen

    def end(self) -> None:
        """Refuse anything that is left."""
        if self._next.kind != "end":
            raise InvalidFilter(f"The filter has {self._next} where it should end, or go on with and, or.")

    def _conjunction(self) -> Filter:
        terms = [self._term()]
        while self._accept("and"):
            terms.append(self._term())
        return terms[0] if len(terms) == 1 else And(tuple(terms))

    def _term(self) -> Filter:
        token = self._take()
        if token.text == "(":
            return self._group(")")
        if token.text.lower() == "not" and self._accept("("):
            return Not(self._group(")"))
        if token.kind != "word":
            raise InvalidFilter(f"The filter has {token} where an attribute should be.")
        path = self._resolve(token)
        term = self._value_path(path) if self._next.text == "[" else self._test(path)
        return term if self._is_own(path) else _of_nothing(term)

    def _group(self, closing: str) -> Filter:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise InvalidFilter(f"A filter nests at most {MAX_DEPTH} deep.")
        inner = self.alternatives()
        if not self._accept(closing):
            raise InvalidFilter(f"The filter has {self._next} where {closing!r} should be.")
        self._depth -= 1
        return inner

    def _value_path(self, path: AttributePath) -> Filter:
        if self._inside or path.sub or path.attribute.type != "complex":
            raise InvalidFilter(f"{path} has no values to choose among.")
        inner = self._bracketed(path)
        if self._next.kind == "sub":
            # Entra: emails[type eq "work"].value eq "x", which the RFC allows in PATCH paths only.
            sub_path = AttributePath(path.attribute, self._sub_attribute(path, InvalidFilter), path.schema)
            inner = And((inner, self._test(sub_path)))
        return ValuePath(path, inner) if path.attribute.multi_valued else inner

    def _bracketed(self, path: AttributePath) -> Filter:
        self._take()
        self._inside = path
        inner = self._group("]")
        self._inside = None
        return inner

    def _sub_attribute(self, path: AttributePath, refusal: type[ScimError]) -> Attribute:
        token = self._take()
        sub = path.attribute.find(token.text[1:])
        if sub is None:
            raise refusal(f"{path} has no sub-attribute {token.text[1:][:50]!r}.")
        return sub

    def _resolve(self, token: _Token) -> AttributePath:
        types = (self._resource_type, *self._others)
        if self._inside is None:
            name = dialects.entra_manager_path(token.text)
            path = next((found for each in types if (found := each.find(name))), None)
        else:
            path = self._resolve_inside(token.text)
        if path is None or path.leaf.returned == "never":
            raise InvalidFilter(f"{self._inside or types[0].name} has no attribute {token}.")
        return path

    def _is_own(self, path: AttributePath) -> bool:
        return self._resource_type.find_schema(path.schema) is not None

    def _resolve_inside(self, name: str) -> AttributePath | None:
        assert self._inside is not None
        sub = self._inside.attribute.find(name)
        return None if sub is None else AttributePath(self._inside.attribute, sub, self._inside.schema)

    def _test(self, path: AttributePath) -> Filter:
        self._tests += 1
        if self._tests > MAX_TESTS:
            raise InvalidFilter(f"A filter has at most {MAX_TESTS} comparisons.")
        token = self._take()
        op = token.text.lower()
        if op == "pr":
            return Present(path)
        if op not in _ALL_OPERATORS:
            raise InvalidFilter(f"The filter has {token} where an operator should be.")
        path = _simple(path)
        if op not in _OPERATORS[path.leaf.type]:
            raise InvalidFilter(f"{path} cannot be compared by {op}.")
        return Comparison(path, cast(Operator, op), _read_value(path, op, self._take()))

    def _take(self) -> _Token:
        token = self._next
        self._next = next(self._tokens, token)
        return token

    def _accept(self, text: str) -> bool:
        if self._next.text.lower() != text:
            return False
        self._take()
        return True


def _of_nothing(term: Filter) -> Filter:
    """The term where none of its attributes has a value: true of everything, or of nothing."""
    return And(()) if matches(term, {}) else Or(())


def _simple(path: AttributePath) -> AttributePath:
    """The path to what can be compared: a complex attribute stands for its `value` (RFC 7643 2.4)."""
    if path.leaf.type != "complex":
        return path
    value = path.attribute.find("value")
    if value is None:
        raise InvalidFilter(f"{path} cannot be compared; one of its sub-attributes can.")
    return AttributePath(path.attribute, value, path.schema)


def _read_value(path: AttributePath, op: str, token: _Token) -> Value:
    """The value of a comparison, in the type of the attribute."""
    if token.kind == "string":
        return _typed(path, _read_string(token))
    if token.kind != "word" or token.text.lower() not in _LITERALS:
        raise InvalidFilter(f"The filter has {token} where a value for {path} should be.")
    literal = _LITERALS[token.text.lower()]
    if literal is None and op in _EQUALITY:
        return None
    if literal is None or path.leaf.type != "boolean":
        raise InvalidFilter(f"{path} cannot be compared with {token}.")
    return literal


def _read_string(token: _Token) -> str:
    try:
        text: str = orjson.loads(token.text)
        check_text(text, "A filter")
    except (orjson.JSONDecodeError, InvalidValue) as error:
        raise InvalidFilter(f"The filter has a string that is not valid at position {token.position + 1}.") from error
    return text


def _typed(path: AttributePath, text: str) -> Value:
    typed = dialects.entra_boolean(text) if path.leaf.type == "boolean" else text
    if path.leaf.type == "dateTime":
        typed = parse_date_time(text)
    if typed is None or (path.leaf.type == "boolean" and not isinstance(typed, bool)):
        raise InvalidFilter(f"{path} is a {path.leaf.type}, which {text[:50]!r} is not.")
    return cast(Value, typed)
