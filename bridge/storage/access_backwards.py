"""Access read backwards: from a resource to the people who may, instead of from a person to what they may.

The same links and conditions as in `access`, begun at their other end: grants that fit are few, and so are the rules
and IdP groups that lead to them, so that nobody is looked at who isn't there, and somebody in many of those groups is
looked at once. What `may` says of each person is what this says of all (tests/flows/test_who_may.py).

The order of the joins is stated (CROSS JOIN), as in `access`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection

from bridge.domain.roles import MINIMAL
from bridge.storage.access import ALIVE, COUNTS, grant_condition, may_condition, typed
from bridge.storage.prepared import Prepared

#: Up to so many who may, these are put in order; of more a page is found by walking through all people.
_FEW = 10_000
#: So many people are walked through, in order of address, before all who may are put in order after all.
_WALKED = 2_000

# SQLite uses the index of grants that reach something only where a statement says so.
_REACHING = f"g.role <> '{MINIMAL.id}' AND {{grant}}"
_HOLDERS = f"""
WITH giving AS (
    SELECT p.id FROM (SELECT id FROM user_groups WHERE workspace_id = :workspace
                      UNION ALL SELECT id FROM mappings WHERE workspace_id = :workspace) p CROSS JOIN grants g
    WHERE g.principal_id = p.id AND {_REACHING}),
rules AS (
    SELECT id FROM giving
    UNION SELECT x.mapping_id FROM giving CROSS JOIN mapping_user_groups x WHERE x.user_group_id = giving.id),
taken AS (
    SELECT DISTINCT mm.group_id, mm.asserted, mm.shadowed FROM rules CROSS JOIN mapping_matches mm
    WHERE mm.mapping_id = rules.id)
SELECT m.id FROM grants g CROSS JOIN memberships m
WHERE {_REACHING} AND m.id = g.principal_id AND m.workspace_id = :workspace AND {ALIVE}
UNION ALL
SELECT m.id FROM giving CROSS JOIN user_group_members u CROSS JOIN memberships m
WHERE u.user_group_id = giving.id AND m.id = u.membership_id AND {ALIVE}
UNION ALL
SELECT m.id FROM (
    SELECT DISTINCT gm.directory_user_id AS id, t.asserted, t.shadowed FROM taken t CROSS JOIN group_members gm
    WHERE gm.group_id = t.group_id) mm CROSS JOIN directory_users d CROSS JOIN memberships m
WHERE d.id = mm.id AND {COUNTS} AND m.id = d.membership_id AND {ALIVE}
"""
_COUNT = "SELECT COUNT(DISTINCT id) FROM ({holders}) AS held"
_IN_ORDER = """
SELECT m.id, m.uid, u.email_ci, u.email, u.name
FROM (SELECT DISTINCT id FROM ({holders}) AS held) h CROSS JOIN memberships m CROSS JOIN users u
WHERE m.id = h.id AND u.id = m.user_id AND u.email_ci > :after ORDER BY u.email_ci LIMIT :most
"""
_WALK = """
SELECT m.id, m.uid, u.email_ci, u.email, u.name
FROM (SELECT id, email_ci, email, name FROM users WHERE email_ci > :after AND closed_at IS NULL
      ORDER BY email_ci LIMIT :walked) u CROSS JOIN memberships m
WHERE m.user_id = u.id AND m.workspace_id = :workspace AND {alive} AND ({may}) ORDER BY u.email_ci LIMIT :most
"""


def _asking(statement: str, *, on_resource: bool) -> Prepared:
    grant = grant_condition(on_resource=on_resource)
    text = statement.replace("{holders}", _HOLDERS).replace("{may}", may_condition("m.id", grant))
    return Prepared(typed(text.replace("{alive}", ALIVE).replace("{grant}", grant)))


@dataclass(frozen=True, slots=True)
class _Asked:
    """The statements of one kind of question."""

    count: Prepared
    in_order: Prepared
    walk: Prepared


_ON, _ANYWHERE = (
    _Asked(*(_asking(each, on_resource=on) for each in (_COUNT, _IN_ORDER, _WALK))) for on in (True, False)
)


class Holder(NamedTuple):
    """A member who may: by key, outside id, folded address, address and name."""

    key: int
    id: str
    email_ci: str
    email: str
    name: str


def count_who_may(
    connection: Connection, workspace_key: int, roles: Collection[str], resource_key: int | None, now: datetime
) -> int:
    """How many members have any of `roles` on a resource; on none given, in a scope of all (to create)."""
    asked, values = _values(workspace_key, roles, resource_key, now)
    count: int = asked.count.scalar(connection, **values)
    return count


def who_may(
    connection: Connection,
    workspace_key: int,
    roles: Collection[str],
    resource_key: int | None,
    now: datetime,
    *,
    total: int,
    after: str = "",
    most: int,
) -> list[Holder]:
    """The first `most` of the `total` in order of address, after that one (folded)."""
    asked, values = _values(workspace_key, roles, resource_key, now)
    paged = {**values, "after": after, "most": most}
    if total > _FEW:
        walked = walk_through(connection, workspace_key, roles, resource_key, now, after=after, most=most)
        if len(walked) == most:
            return walked
    return [Holder(*row) for row in asked.in_order(connection, **paged)]


def walk_through(
    connection: Connection,
    workspace_key: int,
    roles: Collection[str],
    resource_key: int | None,
    now: datetime,
    *,
    after: str,
    most: int,
) -> list[Holder]:
    """The same, of the next `_WALKED` people by address, whoever they are: quick where many of them may."""
    asked, values = _values(workspace_key, roles, resource_key, now)
    rows: list[Any] = []
    for walked in (4 * most, _WALKED):  # a few, where everybody may
        rows = asked.walk(connection, **values, after=after, most=most, walked=walked)
        if len(rows) == most:
            break
    return [Holder(*row) for row in rows]


def _values(
    workspace_key: int, roles: Collection[str], resource_key: int | None, now: datetime
) -> tuple[_Asked, dict[str, Any]]:
    values = {"workspace": workspace_key, "roles": list(roles), "now": now}
    return (_ANYWHERE, values) if resource_key is None else (_ON, {**values, "resource": resource_key})
