"""Who made the links of paths as they were at a moment that is past: `origins`, over the facts that stood then.

The rows of today say who made them, and by which cause they stand; so do those of then. Names of connections are those
of then, also of one that is gone; of people there are only those of today.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection

from bridge.domain.access import Because
from bridge.domain.origins import Makers
from bridge.storage.access import moment_of
from bridge.storage.access_past import over
from bridge.storage.origins import LinkRows, makers_from
from bridge.storage.prepared import Prepared

# Where two transactions overlapped a fact may be there twice: of those the later one is read last, and stays.
_RULES = over("""
SELECT m.uid, m.match, m.value, m.origin, m.made_by, m.created_at, m.since, m.cause, g.name FROM mappings m
LEFT JOIN directory_groups g ON m.match = 'id' AND g.uid = m.value ORDER BY m.since
""")
_GIVING = over("""
SELECT m.uid, ug.uid, x.since, x.cause, m.created_at, m.made_by FROM mapping_user_groups x
JOIN mappings m ON m.id = x.mapping_id JOIN user_groups ug ON ug.id = x.user_group_id ORDER BY x.since
""")
_RECORDS = over("""
SELECT c.uid, c.name, d.asserted_until FROM directory_users d JOIN connections c ON c.id = d.connection_id
ORDER BY d.since, c.since
""")
_JOINED = over("""
SELECT g.uid, gm.cause FROM group_members gm JOIN directory_groups g ON g.id = gm.group_id ORDER BY gm.since
""")


class _Rule(NamedTuple):
    uid: str
    match: str
    value: str
    origin: str
    made_by: str
    created_at: datetime
    since: datetime
    cause: int
    group: str | None


class _Giving(NamedTuple):
    rule: str
    user_group: str
    since: datetime
    cause: int
    created_at: datetime
    made_by: str


def makers_at(
    connection: Connection, workspace_key: int, membership_key: int, paths: Collection[Because], at: datetime
) -> Makers:
    """What is known of the links of these paths, which one member had at that moment. Some ten statements."""

    def rows(statement: Mapping[str, Prepared]) -> list[Any]:
        return statement[connection.dialect.name](connection, membership=membership_key, now=at)

    rules = {one.mapping_id for one in paths}
    records = rows(_RECORDS)
    links = LinkRows(
        rules=[_rule(row) for row in rows(_RULES) if row[0] in rules] if rules - {None} else [],
        giving=[_giving(row) for row in rows(_GIVING) if row[0] in rules] if rules - {None} else [],
        counting={uid: moment_of(until) for uid, _, until in records if until is not None},
        joined=lambda: dict(rows(_JOINED)),
        names={f"connection:{uid}": name for uid, name, _ in records},
    )
    return makers_from(connection, workspace_key, paths, links)


def _rule(row: Any) -> _Rule:
    uid, match, value, origin, made_by, created_at, since, cause, group = row
    return _Rule(uid, match, value, origin, made_by, moment_of(created_at), moment_of(since), cause, group)


def _giving(row: Any) -> _Giving:
    rule, user_group, since, cause, created_at, made_by = row
    return _Giving(rule, user_group, moment_of(since), cause, moment_of(created_at), made_by)
