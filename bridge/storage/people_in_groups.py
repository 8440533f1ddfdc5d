"""How many people are in IdP groups, each counted once, and only where they count as access counts them."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, bindparam, text

from bridge.domain.group_mapping import CountedGroup
from bridge.storage.access import ALIVE, counts_in
from bridge.storage.columns import Instant, Json

# Each record with its groups, by the index that has both; each person with what their records say; then how many people
# have the same. A record says further whether its asserted groups count now (`a`), and also where a pushed group of
# that name decides for whom the IdP pushes (`p`: not there).
_PEOPLE_SQL = f"""
SELECT said, COUNT(*) FROM (
    SELECT d.membership_id, {{joined_records}} AS said
    FROM (SELECT gm.directory_user_id AS record, {{joined_groups}} AS held FROM group_members gm
          WHERE gm.group_id {{listed}} GROUP BY gm.directory_user_id) AS r
    CROSS JOIN directory_users d CROSS JOIN memberships m
    WHERE d.id = r.record AND m.id = d.membership_id AND {ALIVE}
    GROUP BY d.membership_id) AS each_person
GROUP BY said"""
_RECORD_SQL = f"""r.held || CASE WHEN {counts_in(asserted="1 = 1", shadowed="1 = 1")} THEN '/a'
    WHEN {counts_in(asserted="1 = 1", shadowed="1 = 0")} THEN '/p' ELSE '/' END"""
_PEOPLE = {
    "sqlite": text(
        _PEOPLE_SQL.format(
            joined_records=f"GROUP_CONCAT({_RECORD_SQL}, ';')",
            joined_groups="GROUP_CONCAT(gm.group_id)",
            listed="IN (SELECT value FROM json_each(:groups))",
        )
    ).bindparams(bindparam("now", type_=Instant), bindparam("groups", type_=Json)),
    "postgresql": text(
        _PEOPLE_SQL.format(
            joined_records=f"STRING_AGG({_RECORD_SQL}, ';')",
            joined_groups="STRING_AGG(CAST(gm.group_id AS TEXT), ',')",
            listed="= ANY(:groups)",
        )
    ).bindparams(bindparam("now", type_=Instant), bindparam("groups", type_=ARRAY(BigInteger))),
}


def count_by_groups(
    connection: Any, groups: Collection[CountedGroup], now: datetime
) -> Iterator[tuple[list[int], int]]:
    """Which of these IdP groups people are in together, and how many people are: each person once. One statement."""
    if not groups:
        return
    every = [one.key for one in groups]
    asserted = frozenset(one.key for one in groups if one.asserted)
    shadowed = frozenset(one.key for one in groups if one.asserted and one.shadowed)
    left_out = {"": asserted, "p": shadowed, "a": frozenset[int]()}
    for said, count in connection.execute(_PEOPLE[connection.dialect.name], {"groups": every, "now": now}):
        held = [record.split("/") for record in said.split(";")]
        yield [key for keys, flag in held for key in map(int, keys.split(",")) if key not in left_out[flag]], count


def count_in_any(connection: Any, groups: Collection[CountedGroup], now: datetime) -> int:
    """How many people are in any of these groups."""
    return sum(count for keys, count in count_by_groups(connection, groups, now) if keys)
