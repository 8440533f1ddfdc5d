"""What ends by itself: which of several certificates is the last to stand, and when a warning is due."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.expiry import Expiry, covered_until

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SPANS = st.lists(st.tuples(st.integers(-30, 30), st.integers(1, 30)), max_size=6)


def span(since: int, until: int) -> tuple[datetime, datetime]:
    return NOW + since * DAY, NOW + until * DAY


def expiry(lifetime: float, left: float) -> Expiry:
    ends_at = NOW + left * DAY
    return Expiry("scim_token", 1, "id", "Okta", "token:id", ends_at - lifetime * DAY, ends_at)


@pytest.mark.parametrize(
    ("spans", "last"),
    [
        ([], None),
        ([span(-9, 5)], 0),
        ([span(-9, 5), span(-1, 90)], 1),
        ([span(-9, 5), span(3, 90)], 1),  # the next begins before the first ends
        ([span(-9, 5), span(6, 90)], 0),  # a day without any
        ([span(4, 60), span(50, 90), span(-9, 5)], 1),
        ([span(-9, -5), span(-9, -1)], 1),
        ([span(-9, -5), span(5, 9)], 1),
    ],
)
def test_the_last_to_stand(spans: list[tuple[datetime, datetime]], last: int | None) -> None:
    assert covered_until(spans, NOW) == last


@given(SPANS)
def test_until_the_last_ends_there_is_always_one_and_then_none(drawn: list[tuple[int, int]]) -> None:
    spans = [span(since, since + length) for since, length in drawn]
    last = covered_until(spans, NOW)
    if last is None or not spans[last][1] > NOW or not any(since <= NOW < until for since, until in spans):
        return
    end = spans[last][1]
    for hour in range(int((end - NOW) / DAY)):
        assert any(since <= NOW + hour * DAY < until for since, until in spans)
    assert not any(since <= end < until for since, until in spans)


def test_warnings_are_due_30_14_and_3_days_before_and_when_it_is_over() -> None:
    due = [expiry(365, left).warning(NOW) for left in (31, 30, 15, 14, 4, 3, 0.1, 0, -1, -30, -31)]
    assert due == [None, 30, 30, 14, 14, 3, 3, 0, 0, 0, None]


def test_what_was_given_for_a_short_time_is_not_warned_of_from_the_start() -> None:
    assert [expiry(7, left).warning(NOW) for left in (7, 4, 3, 0)] == [None, None, 3, 0]
    assert [expiry(2, left).warning(NOW) for left in (2, 1, 0)] == [None, None, 0]
