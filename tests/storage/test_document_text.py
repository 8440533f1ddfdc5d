"""What a document's text must hold holds of every document that a filter is true of, on both engines."""

import sys
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import Text, literal, select

from bridge.storage.database import Database
from bridge.storage.document_text import FOLDED_TO_ASCII, find_text_condition
from scim.filter_tree import Comparison, Operator, matches
from scim.schemas import ENTERPRISE_SCHEMA, USER

#: Letters that fold to others, into several, or from several; what JSON escapes; what LIKE takes for something else.
LETTERS = st.sampled_from(
    [*'aAsSkKiIfFlLnN\u00e9\u00c9\u03a3\u03c2\u0307\u02bc"\\%_/ \n\t\x1f\x7f\U0001d4b6', *FOLDED_TO_ASCII]
)
PATHS = ["title", "name.familyName", "profileUrl", "phoneNumbers.value", f"{ENTERPRISE_SCHEMA}:department"]


def document(path: str, value: str) -> dict[str, Any]:
    """One that says this value at that path, among others."""
    said: dict[str, dict[str, Any]] = {
        "title": {"title": value},
        "name.familyName": {"name": {"givenName": "A", "familyName": value}},
        "profileUrl": {"profileUrl": value, "active": True},
        "phoneNumbers.value": {"phoneNumbers": [{"value": "1"}, {"type": "x", "value": value}]},
    }
    return {"userName": "x", **said.get(path, {ENTERPRISE_SCHEMA: {"department": value, "division": "y"}})}


@pytest.fixture
def holds(database: Database) -> Any:
    def condition_holds(comparison: Comparison, of: dict[str, Any]) -> bool:
        text = literal(orjson.dumps(of).decode(), Text)
        condition = find_text_condition(comparison.path, comparison.op, comparison.value, text)
        assert condition is not None
        with database.reading() as rows:
            return bool(rows.execute(select(condition)).scalar_one())

    return condition_holds


def comparison(path: str, op: Operator, value: str) -> Comparison:
    found = USER.find(path)
    assert found is not None
    return Comparison(found, op, value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    path=st.sampled_from(PATHS),
    op=st.sampled_from(["eq", "sw", "ew", "co", "gt", "le"]),
    parts=st.tuples(*[st.text(LETTERS, max_size=4)] * 3),
    change=st.sampled_from([str, str.upper, str.lower, str.casefold, str.swapcase]),
)
def test_no_match_is_lost(holds: Any, path: str, op: Operator, parts: tuple[str, str, str], change: Any) -> None:
    before, wanted, behind = parts
    value = {"eq": wanted, "sw": wanted + behind, "ew": before + wanted}.get(op, "".join(parts))
    compared, said = comparison(path, op, change(wanted)), document(path, value)
    assume(matches(compared, said))
    assert holds(compared, said)


@pytest.mark.parametrize(
    ("op", "wanted"),
    [
        ("eq", "lea"),
        ("eq", "lead "),
        ("sw", "ead"),
        ("ew", "lea"),
        ("co", "x"),
        ("co", "l_ad"),
        ("co", "%"),
        ("eq", ""),
    ],
)
def test_who_does_not_match_is_mostly_known_by_the_text(holds: Any, op: Operator, wanted: str) -> None:
    assert not holds(comparison("title", op, wanted), document("title", "Lead"))
    assert not holds(comparison("title", op, wanted), document("title", "L\u00e9\u00e9d"))


def test_whose_document_lacks_the_attribute_is_known_by_the_text(holds: Any) -> None:
    assert not holds(comparison("title", "gt", ""), document("profileUrl", "title"))


def test_the_letters_that_fold_to_ascii_are_all_there() -> None:
    """They are Unicode's, so a newer Python may know more of them."""
    beyond = (chr(n) for n in range(128, sys.maxunicode + 1))
    folding = {letter for letter in beyond if any(each.isascii() for each in letter.casefold())}
    assert set(FOLDED_TO_ASCII) == folding
