"""Both engines keep the same promises."""

from datetime import datetime

import pytest
from sqlalchemy import func, insert, select

from bridge.storage.database import Database
from bridge.storage.tables import seen


@pytest.mark.parametrize("time", ["first", "second"])
def test_each_test_finds_a_database_without_rows(database: Database, now: datetime, time: str) -> None:
    with database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(seen)).scalar_one() == 0
    with database.writing() as connection:
        connection.execute(insert(seen).values(hash=time.encode(), expires_at=now))
