"""Tries are counted before they are made, and a good one does to them what its limit says."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from bridge.domain.errors import TooManyTries
from bridge.flows.context import Context
from bridge.flows.tries import A_DAY, Limit, count_tries, note_good_try
from bridge.storage.tables import counters

SECOND = timedelta(seconds=1)


def counted(context: Context) -> dict[str, int]:
    with context.database.reading() as rows:
        return {row.key: row.n for row in rows.execute(select(counters.c.key, counters.c.n))}


def test_behind_a_limit_that_is_exceeded_nothing_is_counted(context: Context, now: datetime) -> None:
    """Else who has used up an address's would leave a row for each account that they make up."""
    for account in ("ann", "bob", "cy"):
        try:
            count_tries(context, [Limit("address", 2), Limit(account, 2)], "Enough.", now)
        except TooManyTries:
            assert account == "cy"
    assert counted(context) == {"address": 3, "ann": 1, "bob": 1}


def test_a_good_try_does_to_each_limit_what_it_says(context: Context, now: datetime) -> None:
    limits = [Limit("address", 9, good="given_back"), Limit("day", 9), Limit("account", 9, good="anew")]
    for _ in range(3):
        count_tries(context, limits, "Enough.", now)
    with context.database.writing() as connection:
        note_good_try(connection, limits)
    assert counted(context) == {"address": 2, "day": 3}


@pytest.mark.parametrize(
    ("since", "told", "seconds"),
    [
        pytest.param(timedelta(0), "Enough. Wait 25 hours, then try again.", 86_401, id="at once"),
        pytest.param(timedelta(hours=23), "Enough. Wait 61 minutes, then try again.", 3_601, id="an hour before"),
        pytest.param(A_DAY - SECOND, "Enough. Wait a minute, then try again.", 2, id="a second before"),
    ],
)
def test_who_has_to_wait_is_told_how_long(
    context: Context, now: datetime, since: timedelta, told: str, seconds: int
) -> None:
    limits = [Limit("day", 1, A_DAY)]
    count_tries(context, limits, "Enough.", now)
    with pytest.raises(TooManyTries) as refused:
        count_tries(context, limits, "Enough.", now + since)
    assert (refused.value.text, refused.value.retry_after) == (told, seconds)
    count_tries(context, limits, "Enough.", now + A_DAY)
