"""Filters nobody thought of: read back as written, refused and never worse, and as two other readers have them."""

from typing import Any

import pytest
import scim2_models
from hypothesis import assume, given
from scim2_filter_parser import ast as library
from scim2_filter_parser.lexer import SCIMLexer
from scim2_filter_parser.parser import SCIMParser, SCIMParserError

from scim.errors import InvalidFilter, InvalidPath
from scim.filters import (
    And,
    AttributePath,
    Comparison,
    Filter,
    Not,
    Or,
    Present,
    ValuePath,
    matches,
    parse_filter,
    parse_path,
    render_filter,
)
from scim.moments import parse_date_time
from scim.resources import parse_user
from scim.schemas import USER, fold_case
from tests.scim import generated

USER_MODEL = scim2_models.User[scim2_models.EnterpriseUser]


@given(generated.filters())
def test_a_filter_written_and_read_is_the_same(tree: Filter) -> None:
    assert parse_filter(render_filter(tree), USER) == tree


@given(generated.NEARLY_FILTERS)
def test_any_text_is_a_filter_or_an_invalid_filter(text: str) -> None:
    try:
        tree = parse_filter(text, USER)
    except InvalidFilter:
        return
    assert parse_filter(render_filter(tree), USER) == tree


@given(generated.NEARLY_FILTERS)
def test_any_text_is_a_path_or_refused(text: str) -> None:
    try:
        path, where = parse_path(text, USER)
    except (InvalidPath, InvalidFilter):
        return
    assert USER.find(str(path)) == path
    assert where is None or path.attribute.multi_valued


@given(generated.filters(), generated.bodies())
def test_any_filter_has_an_answer_for_any_user(tree: Filter, body: dict[str, Any]) -> None:
    document = parse_user(body)
    assert matches(Not(tree), document) is not matches(tree, document)


# -- scim2-models as a second opinion on what a filter is true of ------------------------------------------------


FOLDING = scim2_models.ScimPolicy(comparison_key=lambda at, text: text if at.case_exact else fold_case(text))


def _compares_null_with_parts_of_many(tree: Filter) -> bool:
    """Whether `emails.type eq null` is in it: no value at all here, some value without it to scim2-models.

    RFC 7644 does not say. Here `eq null` is the same as `not (... pr)`, everywhere.
    """
    match tree:
        case And(terms) | Or(terms):
            return any(_compares_null_with_parts_of_many(term) for term in terms)
        case Not(term):
            return _compares_null_with_parts_of_many(term)
        case Comparison(path, _, None):
            return path.sub is not None and path.attribute.multi_valued
        case _:
            return False


@given(generated.filters(), generated.bodies())
def test_scim2_models_finds_the_same_users(tree: Filter, body: dict[str, Any]) -> None:
    assume(not _compares_null_with_parts_of_many(tree))
    document = {"schemas": [USER.schema.id], **parse_user(body)}
    user = USER_MODEL.model_validate(document)
    with FOLDING:
        theirs = scim2_models.ScimFilter[USER_MODEL](render_filter(tree)).match(user)
    assert matches(tree, document) is theirs


# -- scim2-filter-parser as a second opinion on the grammar ------------------------------------------------------


@given(generated.filters())
def test_scim2_filter_parser_reads_the_same_tree(tree: Filter) -> None:
    text = render_filter(tree)
    assume(not set(text) & {"\\"} and "null" not in text)  # it knows no escapes, and null is a string to it
    assert _from_library(SCIMParser().parse(SCIMLexer().tokenize(text)), None) == tree


def _from_library(node: Any, inside: AttributePath | None) -> Filter:
    match node:
        case library.Filter(namespace=library.AttrPath() as name):
            path = _path(name, None)
            return ValuePath(path, _from_library(node.expr, path))
        case library.Filter():
            inner = _from_library(node.expr, inside)
            return Not(inner) if node.negated else inner
        case library.LogExpr():
            terms = tuple(_from_library(term, inside) for term in _chain(node, node.op))
            return And(terms) if node.op == "and" else Or(terms)
        case _:
            path = _path(node.attr_path, inside)
            return Present(path) if node.value == "pr" else _comparison(path, node.value, node.comp_value.value)


def _chain(node: Any, op: str) -> list[Any]:
    """The terms of `a op b op c`, which the library nests to the left; a bracket is a Filter in a Filter."""
    left = node.expr1.expr
    is_chained = isinstance(left, library.LogExpr) and left.op == op and not node.expr1.negated
    return [*(_chain(left, op) if is_chained else [node.expr1]), node.expr2]


def _path(name: Any, inside: AttributePath | None) -> AttributePath:
    dotted = name.attr_name if name.sub_attr is None else f"{name.attr_name}.{name.sub_attr.value}"
    prefix = f"{inside}." if inside is not None else f"{name.uri}:" if name.uri else ""
    found = USER.find(prefix + dotted)
    assert found is not None
    return found


def _comparison(path: AttributePath, op: Any, text: str) -> Comparison:
    """The library's values are all strings."""
    typed: Any = {"boolean": text == "true", "dateTime": parse_date_time(text)}.get(path.leaf.type, text)
    return Comparison(path, op, typed)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (r'title eq "a\"b"', "no escapes"),
        ("title eq 10", "one digit to a number"),
        (" or ".join(["title pr"] * 300) + ")", "no limit to its work"),
    ],
)
def test_why_scim2_filter_parser_is_not_what_reads_filters(text: str, fault: str) -> None:
    with pytest.raises((ValueError, SCIMParserError)):
        SCIMParser().parse(SCIMLexer().tokenize(text))
