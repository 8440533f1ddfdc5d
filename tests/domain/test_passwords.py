"""What a password may be (product.md 2.8): no rules of composition, and nothing that is tried first."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.errors import Invalid
from bridge.domain.passwords import check_length, check_not_own, check_uncommon

COMMON = frozenset({"correct horse battery", "stra\u00dfe".casefold() * 2})
OWN = ("mei.tanaka@kicks.example", "Mei Tanaka-Smith")


@pytest.mark.parametrize("length", [12, 1024])
def test_twelve_to_a_thousand_characters(length: int) -> None:
    check_length("x" * length)


@pytest.mark.parametrize("length", [0, 11, 1025, 100_000])
def test_no_fewer_and_no_more(length: int) -> None:
    with pytest.raises(Invalid):
        check_length("x" * length)


@pytest.mark.parametrize("password", ["correct horse battery", "CORRECT horse Battery", "STRASSESTRASSE"])
def test_a_common_one_is_refused_in_any_case(password: str) -> None:
    with pytest.raises(Invalid, match="tried first"):
        check_uncommon(password, COMMON)


@pytest.mark.parametrize(
    "password",
    [
        "mei.tanaka@kicks.example",
        "MEI.TANAKA@kicks.example1!",
        "tanakatanaka",
        "Mei-Tanaka-Smith-12",
        "kicks.example.2026",
        "bridgebridgebridge",
        "Bridge2026!!",
    ],
    ids=["email", "email-and-more", "twice-the-name", "name-and-number", "domain", "product", "product-and-year"],
)
def test_ones_own_names_and_the_products_are_refused(password: str) -> None:
    with pytest.raises(Invalid, match="little more than"):
        check_not_own(password, OWN)


@pytest.mark.parametrize(
    "password", ["tanaka walks nine dogs", "a bridge too far away", "123456 123456", "............"]
)
def test_a_sentence_that_names_them_is_fine(password: str) -> None:
    check_not_own(password, OWN)


@given(st.text(max_size=60), st.lists(st.text(max_size=20), max_size=4))
def test_whatever_is_typed_is_taken_or_refused(password: str, own: list[str]) -> None:
    with suppress(Invalid):
        check_not_own(password, own)
