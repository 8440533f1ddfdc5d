"""Generated input: filters that are right, texts that are nearly filters, users, PATCH bodies right and wrong."""

import re
from datetime import UTC, datetime
from functools import cache
from typing import Any

from hypothesis import strategies as st

from scim.filters import And, AttributePath, Comparison, Filter, Not, Or, Present, ValuePath
from scim.schemas import ENTERPRISE_SCHEMA, USER, Attribute

# Few and telling texts, so that filters and resources often have to do with each other.
WORDS = st.sampled_from(["", "a", "A", "b", "ab", "aB", "work", "home", "straße", "STRASSE", "%", "_", 'q"\\', "🐝"])
TEXTS = WORDS | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=8)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))  # noqa: DTZ001

OPERATORS = {
    "string": ("eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"),
    "reference": ("eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"),
    "dateTime": ("eq", "ne", "gt", "ge", "lt", "le"),
    "boolean": ("eq", "ne"),
    "binary": ("eq", "ne"),
}
# scim2-models, the other opinion, insists on real addresses and URIs.
ADDRESSES = st.sampled_from(["a@x.org", "A@x.org", "b@x.org", "ab@home.net"])
URIS = st.sampled_from(["https://x.org/a", "https://x.org/A", "https://x.org/b"])
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "string": TEXTS,
    "reference": URIS,
    "binary": st.sampled_from(["AAEC", "AAED"]),
    "dateTime": MOMENTS,
    "boolean": st.booleans(),
}


def simple_values(attribute: Attribute, leaf: Attribute) -> st.SearchStrategy[Any]:
    """A value right in type for an attribute without parts, or for a part of one."""
    return ADDRESSES if attribute.name == "emails" and leaf.name == "value" else VALUES[leaf.type]


ASKABLE = [path for path in USER.paths() if path.leaf.returned != "never"]
SIMPLE = [path for path in ASKABLE if path.leaf.type != "complex"]
PLURAL = [path for path in ASKABLE if path.sub is None and path.leaf.multi_valued and path.leaf.type == "complex"]


def comparisons(paths: list[AttributePath]) -> st.SearchStrategy[Filter]:
    """A comparison or presence test at one of the paths."""
    return st.sampled_from(paths).flatmap(_comparisons_at)


@cache
def _comparisons_at(path: AttributePath) -> st.SearchStrategy[Filter]:
    kind = path.leaf.type
    values = simple_values(path.attribute, path.leaf)
    typed = st.builds(Comparison, st.just(path), st.sampled_from(OPERATORS[kind]), values)
    with_null = st.builds(Comparison, st.just(path), st.sampled_from(["eq", "ne"]), st.none())
    return typed | with_null | st.just(Present(path))


def _joined(tests: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    return st.recursive(
        tests,
        lambda terms: (
            st.builds(And, st.lists(terms, min_size=2, max_size=3).map(tuple))
            | st.builds(Or, st.lists(terms, min_size=2, max_size=3).map(tuple))
            | st.builds(Not, terms)
        ),
        max_leaves=6,
    )


@cache
def _value_paths(path: AttributePath) -> st.SearchStrategy[Filter]:
    inside = [AttributePath(path.attribute, sub, path.schema) for sub in path.attribute.sub_attributes]
    return st.builds(ValuePath, st.just(path), _joined(comparisons(inside)))


def element_filters(name: str) -> st.SearchStrategy[Filter]:
    """A filter on the values of that attribute of a User."""
    path = USER.find(name)
    assert path is not None
    return _joined(
        comparisons([AttributePath(path.attribute, sub, path.schema) for sub in path.attribute.sub_attributes])
    )


def filters() -> st.SearchStrategy[Filter]:
    """A filter on Users."""
    return _joined(comparisons(SIMPLE) | st.sampled_from(PLURAL).flatmap(_value_paths))


PIECES = re.findall(
    r"\S+",
    """userName emails emails.type shoeSize meta.created password $ref [ ] ( ) eq ne pr and or not
    "x" " . .value true null 5 - : 🐝 "2026-01-31T12:00:00Z" """,
)
ODD_PIECES = [" ", "  ", "\\", "\x00", "\ud800", "\n", ENTERPRISE_SCHEMA, f"{ENTERPRISE_SCHEMA}:manager"]
FRAGMENTS = st.sampled_from(PIECES) | st.sampled_from(ODD_PIECES)
NEARLY_FILTERS = (
    st.lists(FRAGMENTS, max_size=20).map(" ".join) | st.lists(FRAGMENTS, max_size=20).map("".join) | st.text()
)

#: What means something to a filter, to SQL or to neither.
CHARACTERS = st.sampled_from([*"\"\\ ()[].:$%_'-+0aEtTz,;?*/", "é", "İ", "\u2028", "\x00", "\ud800", "🐝"])


@st.composite
def near_misses(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> str:
    """A filter that is right but for one place: a character or a token changed, left out or said twice."""
    text = draw(texts)
    tokens = re.findall(r'"(?:[^"\\]|\\.)*"|[\w$]+|.', text, flags=re.DOTALL)
    parts: list[str] = draw(st.sampled_from([tokens, list(text)]))
    at = draw(st.integers(0, len(parts) - 1))
    instead = draw(st.sampled_from(["", parts[at] * 2, parts[at].swapcase()]) | CHARACTERS)
    return "".join([*parts[:at], instead, *parts[at + 1 :]])


# -- Users -------------------------------------------------------------------------------------------------------

ASSIGNED = TEXTS.filter(bool)


def values_of(attribute: Attribute) -> st.SearchStrategy[Any]:
    """A value as a client writes it, right in type."""
    if attribute.type != "complex":
        return simple_values(attribute, attribute).filter(lambda value: value != "")
    one = _complex_values(attribute)
    many = st.lists(one, min_size=1, max_size=3)
    return (
        many.filter(lambda values: sum(each.get("primary", False) for each in values) < 2)
        if attribute.multi_valued
        else one
    )


def _complex_values(attribute: Attribute) -> st.SearchStrategy[dict[str, Any]]:
    subs = [sub for sub in attribute.sub_attributes if sub.mutability != "readOnly"]
    parts = {sub.name: simple_values(attribute, sub).filter(lambda value: value != "") for sub in subs}
    return st.fixed_dictionaries({}, optional=parts).filter(bool)


WRITABLE = [each for each in USER.schema.attributes if each.mutability == "readWrite" and each.name != "userName"]
EXTENSION = USER.extensions[0].attributes


def bodies() -> st.SearchStrategy[dict[str, Any]]:
    """A User as a client writes it."""
    extension = st.fixed_dictionaries({}, optional={each.name: values_of(each) for each in EXTENSION})
    return st.fixed_dictionaries(
        {"userName": ASSIGNED.filter(lambda name: bool(name.strip()))},
        optional={each.name: values_of(each) for each in WRITABLE}
        | {"externalId": ASSIGNED, ENTERPRISE_SCHEMA: extension},
    )


# -- JSON of any kind --------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | WORDS, inner, max_size=4),
    max_leaves=10,
)
ODD_KEYS = [ENTERPRISE_SCHEMA, USER.schema.id, "", 'emails[type eq "work"].value', 'members[value eq "a"]', "emails["]
KEYS = (
    st.sampled_from([str(path) for path in USER.paths()])
    | st.sampled_from(["members", "manager", "shoeSize", "USERNAME", 'emails[value co "a"]'])
    | st.sampled_from(ODD_KEYS)
)
ANYTHING = JSON | st.dictionaries(KEYS, JSON, max_size=4) | st.lists(st.fixed_dictionaries({"value": JSON}), max_size=3)
EXPECTED: st.SearchStrategy[Any] = st.sampled_from(
    ["a", "b", True, False, "True", "False", None, "", [], {}, {"value": "a", "type": "work"}]
)
OPERATIONS = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "Add", "replace", "Replace", "remove", "Remove"])},
    optional={"path": KEYS | NEARLY_FILTERS, "value": EXPECTED | ANYTHING},
)
PATCHES = st.fixed_dictionaries({"Operations": st.lists(OPERATIONS, min_size=1, max_size=4)})
