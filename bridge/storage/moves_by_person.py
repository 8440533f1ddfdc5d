"""What reaches people, read of some thousands of them at a time, and joined into what each touches and covers.

For changes that move many people or much: what reaches a person is read once, whatever is asked. Who counts is said by
the very conditions of access.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Text, TextClause, bindparam, text

from bridge.domain.access import RoleInScope
from bridge.domain.moved_bits import NOTHING, Tallies, Weight, Weights
from bridge.domain.previews import Side
from bridge.domain.roles import get_role
from bridge.storage.access import ALIVE, UNEXPIRED, counts_in, in_batches, scopes_of
from bridge.storage.columns import Instant

#: SQL: whether a user is signed in.
SIGNED_IN = """EXISTS (SELECT 1 FROM sessions s JOIN authentications au ON au.session_id = s.id
    WHERE s.user_id = {user} AND s.ends_at > :now AND (au.ends_at IS NULL OR au.ends_at > :now))"""

#: People whose paths are held at once.
_AT_ONCE = 4_000

#: The least for a page: most of those who come first may move by nothing.
_AT_FIRST = 100

_KINDS = {"now": Instant, "workspace": BigInteger, "most": BigInteger, "after": Text, "key": BigInteger}


def _typed(sql: str) -> TextClause:
    return text(sql).bindparams(*(bindparam(name, type_=kind) for name, kind in _KINDS.items() if f":{name}" in sql))


# With a plus no index is taken for the workspace: in the order of keys, rather than sorted for each batch.
_MEMBERS = _typed(f"""SELECT m.id, {SIGNED_IN.format(user="m.user_id")} FROM memberships m
WHERE +m.workspace_id = :workspace AND m.id > :key AND {ALIVE} ORDER BY m.id LIMIT :most""")

_KEYS = _typed(f"""SELECT m.id FROM memberships m
WHERE +m.workspace_id = :workspace AND m.id > :key AND {ALIVE} ORDER BY m.id LIMIT :most""")

_PEOPLE = _typed(f"""SELECT u.email_ci, m.id, m.uid, u.email, u.name, {SIGNED_IN.format(user="u.id")}
FROM users u CROSS JOIN memberships m
WHERE u.email_ci > :after AND u.closed_at IS NULL AND m.user_id = u.id AND m.workspace_id = :workspace AND {ALIVE}
ORDER BY u.email_ci LIMIT :most""")


_CHOSEN = text(f"""SELECT u.email_ci, m.id, m.uid, u.email, u.name, {SIGNED_IN.format(user="u.id")}
FROM memberships m CROSS JOIN users u WHERE m.id IN :members AND u.id = m.user_id AND {ALIVE}
ORDER BY u.email_ci""").bindparams(bindparam("now", type_=Instant), bindparam("members", expanding=True))


def _among(dialect: str) -> tuple[str, str, str]:
    """In the words of an engine: a list of members c, a list of roles r, and many keys as one text."""
    if dialect == "sqlite":
        return "json_each(:members) c", "(SELECT value FROM json_each(:roles))", "group_concat({0})"
    each = "jsonb_array_elements_text(CAST(:{0} AS jsonb))"
    members = f"(SELECT CAST(value AS BIGINT) AS value FROM {each.format('members')} AS e(value) OFFSET 0) c"
    return members, f"(SELECT value FROM {each.format('roles')} AS e(value))", "string_agg(CAST({0} AS TEXT), ',')"


def _statements(dialect: str) -> dict[str, TextClause]:
    members, roles, joined = _among(dialect)
    unshadowed, shadowed = (counts_in(asserted="1 = 1", shadowed=so) for so in ("1 = 0", "1 = 1"))
    return {
        "groups": _typed(f"""SELECT d.membership_id, {unshadowed}, {shadowed},
    (SELECT {joined.format("gm.group_id")} FROM group_members gm WHERE gm.directory_user_id = d.id)
FROM {members} CROSS JOIN directory_users d WHERE d.membership_id = c.value"""),
        "hands": _typed(f"""SELECT u.membership_id, {joined.format("u.user_group_id")}
FROM {members} CROSS JOIN user_group_members u WHERE u.membership_id = c.value GROUP BY u.membership_id"""),
        "grants": _typed(f"""SELECT g.principal_id, g.id, g.role, g.scope FROM {members} CROSS JOIN grants g
WHERE g.principal_id = c.value AND g.role IN {roles} AND {UNEXPIRED}"""),
    }


_PATHS = {dialect: _statements(dialect) for dialect in ("sqlite", "postgresql")}


class Person(NamedTuple):
    """One of a page, in order of address."""

    email_ci: str
    member: int
    uid: str
    email: str
    name: str
    signed_in: bool


def people_in(connection: Any, members: Collection[int], now: datetime) -> list[Person]:
    """Those of a few members for whom anything holds, in order of address."""
    found = [
        Person(*row)
        for batch in in_batches(members)
        for row in connection.execute(_CHOSEN, {"members": batch, "now": now})
    ]
    return sorted(found)


class Walk:
    """People of a workspace at a moment, and what the questions of a change come to for each."""

    def __init__(self, connection: Any, workspace_key: int, weights: Weights, now: datetime) -> None:
        self._connection, self._workspace, self._weights, self._now = connection, workspace_key, weights, now
        self._paths = _PATHS[connection.dialect.name]
        self._groups: dict[tuple[bool, bool], dict[str, Weight]] = {}
        self._hands = {str(key): weight for key, weight in weights.user_groups.items()}
        self._scopes: dict[RoleInScope, int] = {}

    def count(self) -> Tallies:
        """Everybody."""
        tallies, after = Tallies(self._weights), 0
        while True:
            values = {"workspace": self._workspace, "key": after, "most": _AT_ONCE, "now": self._now}
            found = self._connection.execute(_MEMBERS, values).all()
            weighed = self.weigh([member for member, _ in found])
            for member, signed_in in found:
                tallies.add(member, weighed.get(member, NOTHING), bool(signed_in))
            if len(found) < _AT_ONCE:
                return tallies
            after = found[-1][0]

    def everybody(self) -> Iterator[tuple[int, Weight]]:
        """What reaches everybody who counts, by member, in order of keys; whom nothing reaches may be missing."""
        after: int | None = 0
        while after is not None:
            values = {"workspace": self._workspace, "key": after, "most": _AT_ONCE}
            found = list(self._connection.execute(_KEYS, values).scalars())
            yield from sorted(self.weigh(found).items())
            after = found[-1] if len(found) == _AT_ONCE else None

    def page(self, side: Side, after: str, most: int) -> list[tuple[Person, int]]:
        """The first people after an address who move on a side, each with the questions by which they do."""
        return [moved for _, moved in zip(range(most), self._movers(side, after), strict=False)]

    def _movers(self, side: Side, after: str) -> Iterator[tuple[Person, int]]:
        most = _AT_FIRST
        while True:
            values = {"workspace": self._workspace, "after": after, "most": most, "now": self._now}
            found = [Person(*row) for row in self._connection.execute(_PEOPLE, values)]
            weighed = self.weigh([one.member for one in found])
            for one in found:
                moved = self._weights.moved_by(weighed.get(one.member, NOTHING), side)
                if moved:
                    yield one, moved
            if len(found) < most:
                return
            after, most = found[-1].email_ci, min(2 * most, _AT_ONCE)

    def weigh(self, members: Sequence[int]) -> dict[int, Weight]:
        """What reaches each of these members, joined; those whom nothing reaches may be missing."""
        joined: dict[int, Weight] = {}
        values = {"members": json.dumps(members)}
        if self._weights.groups:
            for member, asserted, shadowed, keys in self._read("groups", values | {"now": self._now}):
                if keys:
                    _join(joined, member, self._grouped(bool(asserted), bool(shadowed)), keys.split(","))
        if self._hands:
            for member, keys in self._read("hands", values):
                _join(joined, member, self._hands, keys.split(","))
        if self._weights.roles:
            self._join_grants(joined, values)
        return joined

    def _read(self, what: str, values: dict[str, Any]) -> Sequence[Any]:
        rows: Sequence[Any] = self._connection.execute(self._paths[what], values).all()
        return rows

    def _grouped(self, asserted: bool, shadowed: bool) -> dict[str, Weight]:
        if (asserted, shadowed) not in self._groups:
            counted = self._weights.counted(asserted=asserted, shadowed=shadowed)
            self._groups[asserted, shadowed] = {str(key): weight for key, weight in counted.items()}
        return self._groups[asserted, shadowed]

    def _join_grants(self, joined: dict[int, Weight], values: dict[str, Any]) -> None:
        more = {"roles": json.dumps(sorted(self._weights.roles)), "now": self._now}
        rows = self._read("grants", values | more)
        narrowed = [key for _, key, _, scope in rows if scope != "all"] if self._weights.reads_scopes else []
        scopes = {
            key: scope for batch in in_batches(narrowed) for key, scope in scopes_of(self._connection, batch).items()
        }
        for member, key, role, scope in rows:
            touched, covered = joined.get(member, NOTHING)
            more_touched, more_covered = self._weights.grants.get(key, 0), 0
            if scope == "all":
                more_touched, more_covered = self._weights.everywhere.get(role, NOTHING)
            elif key in scopes:
                more_covered = self._covered_by(RoleInScope(get_role(role), scopes[key]))
            joined[member] = (touched | more_touched, covered | more_covered)

    def _covered_by(self, given: RoleInScope) -> int:
        if given not in self._scopes:
            self._scopes[given] = self._weights.covered_by(given)
        return self._scopes[given]


def _join(joined: dict[int, Weight], member: int, weights: dict[str, Weight], keys: Iterable[str]) -> None:
    touched, covered = joined.get(member, NOTHING)
    for key in keys:
        weight = weights.get(key)
        if weight is not None:
            touched |= weight[0]
            covered |= weight[1]
    joined[member] = (touched, covered)
