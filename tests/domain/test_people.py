"""E-mail addresses: the short way to the plain ones leads where the long way does."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.domain.errors import Invalid
from bridge.domain.people import find_email, parse_email


def long_way(text: str) -> str | None:
    try:
        return parse_email(text)
    except Invalid:
        return None


_PART = st.from_regex(re.compile(r"[A-Za-z0-9_.+-]{1,66}"), fullmatch=True)
_LABEL = st.from_regex(re.compile(r"(xn--|-)?[A-Za-z0-9-]{1,30}-?"), fullmatch=True)
_PLAIN = st.builds(lambda part, labels: f"{part}@{'.'.join(labels)}", _PART, st.lists(_LABEL, min_size=1, max_size=3))
_COMMON = st.from_regex(
    re.compile(r"[a-z]{1,8}(\.[a-z]{1,8})?(\+[0-9]{1,2})?@[a-z0-9]{1,9}\.(com|test|local|de)"), fullmatch=True
)


@given(_COMMON | _PLAIN)
@example("ab@xn--a.com")
@example("ab@ab--c.com")
@example("ab@1.com")
@example("a.@acme.test")
@example("ab@acme.123")
@example("AB@acme.test")
@example("ab@ACME.test")
@example(f"{'a' * 64}@acme.test")
@example(f"a@{'b' * 64}.test")
@example("ab@acme.test\n")
def test_an_address_is_the_same_by_the_short_way_and_the_long(text: str) -> None:
    assert find_email.__wrapped__(text) == long_way(text)


@pytest.mark.parametrize("text", ["ann@acme.example", "ann.b+c@mail.acme-shoes.co"])
def test_a_plain_address_stays_as_it_is(text: str) -> None:
    assert find_email(text) == text
