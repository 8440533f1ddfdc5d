"""Who gains and who loses by a change: what groups give, read into a `Standing`, and people counted in the tables.

`bridge.domain.moves` says what to ask. Where that is little, or about few people, it goes into the statements as JSON,
a list each, and the tables count; else `bridge.storage.moves_by_person` walks over everybody, thousands at a time.
Both give the same numbers and the same digest: who saves may be counted by the other way than who looked.
What makes a membership alive, and a group's member count, is said once, in `bridge.storage.access`.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Table,
    Text,
    TextClause,
    bindparam,
    func,
    literal,
    select,
    text,
)

from bridge.domain.access import EVERYWHERE, ResourceRef, RoleInScope
from bridge.domain.group_mapping import CountedGroup
from bridge.domain.held import Terms
from bridge.domain.moved_bits import NOTHING, Weights, bits
from bridge.domain.moves import Asked, Standing, strongest
from bridge.domain.previews import MovedPeople, PersonMoved, Side
from bridge.domain.roles import Role, get_role
from bridge.storage.access import ALIVE, COUNTS, UNEXPIRED, grants_of, in_batches, scopes_of
from bridge.storage.columns import Instant
from bridge.storage.moves_by_person import SIGNED_IN, Person, Walk
from bridge.storage.tables import (
    grants,
    group_members,
    mapping_matches,
    mapping_user_groups,
    mappings,
    principals,
    resources,
    user_group_members,
    user_groups,
)

# -- What groups give --------------------------------------------------------------------------------


def load_standing(
    connection: Any, workspace_key: int, plan: str, now: datetime, roles: Collection[str] | None, *, own: bool = False
) -> Standing:
    """What a workspace's groups and User Groups give of these roles (None: of all), and by which rules.

    `own`: with the narrowed grants of people themselves.
    """
    by_user_groups = frozenset(_grants(connection, user_groups, workspace_key, now, roles))
    return Standing(
        plan,
        by_user_groups | frozenset(_grants(connection, mappings, workspace_key, now, roles)),
        frozenset(_ties(connection, workspace_key)),
        frozenset(_matches(connection, workspace_key)),
        frozenset(holder for holder, _ in by_user_groups),
        own=_own(connection, workspace_key, now, roles) if own else (),
    )


def gives_of(connection: Any, holders: Collection[int]) -> list[RoleInScope]:
    """What these rules and User Groups give themselves."""
    return list(dict.fromkeys(given for _, given in grants_of(connection, holders).values()))


def _grants(
    connection: Any, holders: Table, workspace_key: int, now: datetime, roles: Collection[str] | None
) -> Iterable[tuple[int, RoleInScope]]:
    chosen = select(grants.c.id, grants.c.principal_id, grants.c.role, grants.c.scope)
    of = chosen.join_from(holders, grants, grants.c.principal_id == holders.c.id)
    rows = connection.execute(_standing(of.where(holders.c.workspace_id == workspace_key), now, roles)).all()
    scopes = _scopes(connection, [row.id for row in rows if row.scope != "all"])
    for row in rows:
        yield row.principal_id, RoleInScope(get_role(row.role), scopes.get(row.id, EVERYWHERE))


def _own(
    connection: Any, workspace_key: int, now: datetime, roles: Collection[str] | None
) -> tuple[tuple[int, RoleInScope], ...]:
    chosen = select(grants.c.id, grants.c.role).join_from(grants, principals)
    of = chosen.where(
        principals.c.workspace_id == workspace_key, principals.c.kind == "membership", grants.c.scope != "all"
    )
    rows = connection.execute(_standing(of, now, roles)).all()
    scopes = _scopes(connection, [row.id for row in rows])
    return tuple((row.id, RoleInScope(get_role(row.role), scopes[row.id])) for row in rows)


def _standing(chosen: Any, now: datetime, roles: Collection[str] | None) -> Any:
    unexpired = chosen.where((grants.c.expires_at.is_(None)) | (grants.c.expires_at > now))
    return unexpired if roles is None else unexpired.where(grants.c.role.in_(sorted(roles)))


def _scopes(connection: Any, keys: Sequence[int]) -> dict[int, Any]:
    return {key: scope for batch in in_batches(keys) for key, scope in scopes_of(connection, batch).items()}


def _ties(connection: Any, workspace_key: int) -> Iterable[tuple[int, int]]:
    chosen = select(mapping_user_groups.c.mapping_id, mapping_user_groups.c.user_group_id)
    of = chosen.join_from(mappings, mapping_user_groups, mapping_user_groups.c.mapping_id == mappings.c.id)
    return (tuple(row) for row in connection.execute(of.where(mappings.c.workspace_id == workspace_key)))


def _matches(connection: Any, workspace_key: int) -> Iterable[tuple[int, CountedGroup]]:
    pairs = mapping_matches.c
    chosen = select(pairs.mapping_id, pairs.group_id, pairs.asserted, pairs.shadowed)
    of = chosen.join_from(mappings, mapping_matches, pairs.mapping_id == mappings.c.id)
    for rule, *group in connection.execute(of.where(mappings.c.workspace_id == workspace_key)):
        yield rule, CountedGroup(*group)


def held_by_everybody(
    connection: Any, workspace_key: int, plan: str, now: datetime, roles: Collection[Role], terms: Terms
) -> dict[int, int]:
    """What everybody in a workspace holds of these roles, as the tables stand: bits of `terms`, by member."""
    ids = [role.id for role in roles]
    standing = load_standing(connection, workspace_key, plan, now, ids, own=True)
    walk = Walk(connection, workspace_key, terms.weights(standing, roles), now)
    alike: dict[int, int] = {}  # of thousands who hold the same, one number is kept
    return {member: alike.setdefault(held, held) for member, (held, _) in walk.everybody() if held}


# -- Who moves ---------------------------------------------------------------------------------------
#
# A question has a number n, above zero for who gains and below for who loses. Those that touch the same people are a
# bundle. `settled`: something covers all whom it touches. `{member}` and `{n}` are put in.

_LISTS = {
    "from_group": "group_id BIGINT, asserted BOOLEAN, shadowed BOOLEAN, bundle BIGINT, settled BOOLEAN",
    "from_hand": "user_group_id BIGINT, bundle BIGINT, settled BOOLEAN",
    "from_role": "role TEXT, bundle BIGINT",
    "from_grant": "grant_id BIGINT, bundle BIGINT",
    "bundles": "bundle BIGINT, n BIGINT",
    "by_role": "n BIGINT, role TEXT, by_labels BOOLEAN, by_list BOOLEAN",
    "by_label": "n BIGINT, label TEXT, value TEXT",
    "by_resource": "n BIGINT, resource_id BIGINT",
    "by_group": "n BIGINT, group_id BIGINT, asserted BOOLEAN, shadowed BOOLEAN",
    "by_hand": "n BIGINT, user_group_id BIGINT",
}

_REACHES = """(g.scope = 'all'
    OR (g.scope = 'labels' AND a.by_labels AND NOT EXISTS (SELECT 1 FROM grant_labels l WHERE l.grant_id = g.id
        AND NOT EXISTS (SELECT 1 FROM by_label k WHERE k.n = a.n AND k.label = l.key AND k.value = l.value)))
    OR (g.scope = 'list' AND a.by_list AND NOT EXISTS (SELECT 1 FROM by_resource k WHERE k.n = a.n
        AND NOT EXISTS (SELECT 1 FROM grant_resources r WHERE r.grant_id = g.id AND r.resource_id = k.resource_id))))"""

# A record e and its group a: beside the d and mm of what is touched.
_COUNTS_INSIDE = re.sub(r"\bd\.", "e.", re.sub(r"\bmm\.", "a.", COUNTS))

_UNCOVERED = f"""NOT EXISTS (SELECT 1 FROM grants g CROSS JOIN by_role a
        WHERE g.principal_id = {{member}} AND {UNEXPIRED} AND a.n = {{n}} AND a.role = g.role AND {_REACHES})
    AND NOT EXISTS (SELECT 1 FROM user_group_members u CROSS JOIN by_hand a
        WHERE u.membership_id = {{member}} AND a.user_group_id = u.user_group_id AND a.n = {{n}})
    AND NOT EXISTS (SELECT 1 FROM directory_users e CROSS JOIN group_members o CROSS JOIN by_group a
        WHERE e.membership_id = {{member}} AND o.directory_user_id = e.id AND a.group_id = o.group_id
        AND a.n = {{n}} AND {_COUNTS_INSIDE})"""

# Beginning with what moves: everybody who is touched, whether or not something covers them.
_TOUCHED = f"""touched AS (
SELECT d.membership_id AS member, mm.bundle AS bundle, mm.settled AS settled
    FROM from_group mm CROSS JOIN group_members gm CROSS JOIN directory_users d CROSS JOIN memberships m
    WHERE gm.group_id = mm.group_id AND d.id = gm.directory_user_id AND m.id = d.membership_id AND {COUNTS} AND {ALIVE}
UNION SELECT m.id, f.bundle, f.settled FROM from_hand f CROSS JOIN user_group_members u CROSS JOIN memberships m
    WHERE u.user_group_id = f.user_group_id AND m.id = u.membership_id AND {ALIVE}
UNION SELECT m.id, f.bundle, 1 = 0 FROM from_role f CROSS JOIN memberships m CROSS JOIN grants g
    WHERE m.workspace_id = :workspace AND g.principal_id = m.id AND g.role = f.role AND g.scope = 'all'
    AND {UNEXPIRED} AND {ALIVE}
UNION SELECT m.id, f.bundle, 1 = 0 FROM from_grant f CROSS JOIN grants g CROSS JOIN memberships m
    WHERE g.id = f.grant_id AND m.id = g.principal_id AND {ALIVE})"""

# Of them whom nothing covers. Either looks for each of them whether something does ...
_EACH_UNCOVERED = f"""moved AS (SELECT t.member, q.n FROM touched t JOIN bundles q ON q.bundle = t.bundle
    WHERE NOT t.settled AND {_UNCOVERED.format(member="t.member", n="q.n")})"""

# ... or takes away all whom something covers.
_REST = f"""moved AS (SELECT t.member, q.n FROM touched t CROSS JOIN bundles q
    WHERE q.bundle = t.bundle AND NOT t.settled
EXCEPT SELECT g.principal_id, a.n
    FROM (SELECT DISTINCT member FROM touched) t CROSS JOIN grants g CROSS JOIN by_role a
    WHERE g.principal_id = t.member AND a.role = g.role AND {UNEXPIRED} AND {_REACHES}
EXCEPT SELECT u.membership_id, a.n
    FROM (SELECT DISTINCT member FROM touched) t CROSS JOIN user_group_members u CROSS JOIN by_hand a
    WHERE u.membership_id = t.member AND a.user_group_id = u.user_group_id
EXCEPT SELECT e.membership_id, a.n
    FROM (SELECT DISTINCT member FROM touched) t CROSS JOIN directory_users e CROSS JOIN group_members o
    CROSS JOIN by_group a
    WHERE e.membership_id = t.member AND o.directory_user_id = e.id AND a.group_id = o.group_id AND {_COUNTS_INSIDE})"""


def _moved(dialect: str, few: bool) -> str:
    """PostgreSQL brings everybody together whom something covers, which is too much for a few; SQLite never does."""
    return f"{_TOUCHED}, {_EACH_UNCOVERED if dialect == 'postgresql' and not few else _REST}"


_COUNT = f"""people AS (SELECT member, MAX(CASE WHEN n > 0 THEN 1 ELSE 0 END) AS gains,
    MAX(CASE WHEN n < 0 THEN 1 ELSE 0 END) AS loses FROM moved GROUP BY member),
told AS (SELECT p.gains, p.loses, CASE WHEN {SIGNED_IN.format(user="m.user_id")} THEN 1 ELSE 0 END AS here
    FROM people p CROSS JOIN memberships m WHERE m.id = p.member)
SELECT 'all', 0, (SELECT COUNT(DISTINCT member) FROM touched), COUNT(*), 0 FROM people
UNION ALL SELECT 'side', 1, SUM(gains), SUM(here * gains), 0 FROM told
UNION ALL SELECT 'side', -1, SUM(loses), SUM(here * loses), 0 FROM told
UNION ALL SELECT 'asked', n, COUNT(*), SUM(member), SUM(member * member % 1000003) FROM moved GROUP BY n"""

# Of so few questions an engine counts everybody faster than it takes to read what reaches each.
_FEW_QUESTIONS = {"sqlite": 5, "postgresql": 2}

_SIGNS: dict[Side, str] = {"gains": "> 0", "loses": "< 0"}

# Beginning with whom it touches, who are then put in order.
_PAGE_OF_FEW: dict[Side, str] = {
    side: f"""SELECT u.email_ci, m.id, m.uid, u.email, u.name, {SIGNED_IN.format(user="u.id")}
FROM (SELECT DISTINCT member FROM moved WHERE n {sign}) p
CROSS JOIN memberships m CROSS JOIN users u WHERE m.id = p.member AND u.id = m.user_id AND u.email_ci > :after
ORDER BY u.email_ci LIMIT :most"""
    for side, sign in _SIGNS.items()
}


@cache
def _statement(dialect: str, body: str) -> TextClause:
    """The statement with its lists before it, in the words of an engine."""
    each = "json_each(:{0})" if dialect == "sqlite" else "jsonb_array_elements(CAST(:{0} AS jsonb)) AS e(value)"
    lists = []
    for name, columns in _LISTS.items():
        typed = [column.split() for column in columns.split(", ")]
        values = ", ".join(f"CAST(value ->> {at} AS {kind})" for at, (_, kind) in enumerate(typed))
        named = ", ".join(column for column, _ in typed)
        lists.append(f"{name}({named}) AS MATERIALIZED (SELECT {values} FROM {each.format(name)})")
    sql = f"WITH {', '.join(lists)}{'' if body.startswith('SELECT') else ', '}{body}"
    kinds = {"now": Instant, "workspace": BigInteger, "most": BigInteger, "after": Text}
    binds: list[BindParameter[Any]] = [bindparam(name, type_=kind) for name, kind in kinds.items() if f":{name}" in sql]
    return text(sql).bindparams(*binds)


@dataclass(frozen=True, slots=True)
class Counted:
    """How many people a change touches; `gains` and `loses` without their people; `digest` of who moves by what."""

    touched: int
    movers: int
    gains: MovedPeople
    loses: MovedPeople
    digest: str


@dataclass(frozen=True, slots=True)
class Moves:
    """The questions of one change in one workspace, at one moment, ready to be put to the tables.

    `few`: it touches so few people that they are the beginning.
    """

    workspace_key: int
    now: datetime
    asked: dict[int, Asked]
    lists: dict[str, str]
    weights: Weights
    few: bool

    def values(self, body: str, **more: Any) -> dict[str, Any]:
        """What a statement takes."""
        every = {"now": self.now, "workspace": self.workspace_key, **self.lists, **more}
        return {name: value for name, value in every.items() if f":{name}" in body or name in self.lists}


def prepare(connection: Any, workspace_key: int, asked: Iterable[Asked], now: datetime) -> Moves:
    """The questions with their numbers, and their lists written out."""
    numbered: dict[int, Asked] = {}
    for n, one in enumerate(asked, start=1):
        numbered[n if one.gains else -n] = one
    listed = {ref for one in numbered.values() for ref in one.resources or ()}
    keys = _resource_keys(connection, workspace_key, listed)
    lists = {name: json.dumps(rows) for name, rows in _rows(numbered, keys).items()}
    return Moves(workspace_key, now, numbered, lists, Weights(numbered), _is_few(connection, numbered.values()))


def _rows(numbered: Mapping[int, Asked], keys: Mapping[ResourceRef, int]) -> dict[str, list[Any]]:
    """What goes into each list."""
    rows: dict[str, list[Any]] = {name: [] for name in _LISTS}
    bundles: dict[Any, int] = {}
    for n, one in numbered.items():
        touching = _touching(one)
        bundle = bundles.setdefault(touching, n)
        rows["bundles"].append((bundle, n))
        if bundle == n:
            groups, hands, roles, own = touching
            rows["from_group"] += [(g.key, g.asserted, g.shadowed, n, settled) for g, settled in groups]
            rows["from_hand"] += [(key, n, settled) for key, settled in hands]
            rows["from_role"] += [(role, n) for role in roles]
            rows["from_grant"] += [(key, n) for key in own]
        for name, found in _covering(n, one, keys).items():
            rows[name] += found
    return rows


def _touching(one: Asked) -> tuple[Any, ...]:
    """Whom it touches: by groups and User Groups, each settled or not; by roles and grants of their own."""
    groups = frozenset((group, group in one.covering_groups) for group in one.groups)
    hands = frozenset((key, key in one.covering_user_groups) for key in one.user_groups)
    return groups, hands, (one.given.role.id,) if one.own_everywhere else (), one.own


def _covering(n: int, one: Asked, keys: Mapping[ResourceRef, int]) -> dict[str, list[Any]]:
    narrowed = (one.labels is not None, one.resources is not None)
    return {
        "by_role": [(n, role, *narrowed) for role in one.roles],
        "by_label": [(n, label.key, label.value) for label in one.labels or ()],
        "by_resource": [(n, keys.get(ref, 0)) for ref in one.resources or ()],
        "by_group": [(n, g.key, g.asserted, g.shadowed) for g in one.covering_groups],
        "by_hand": [(n, key) for key in one.covering_user_groups],
    }


def _resource_keys(connection: Any, workspace_key: int, refs: Collection[ResourceRef]) -> dict[ResourceRef, int]:
    found: dict[ResourceRef, int] = {}
    for batch in range(0, len(refs), 500):
        chosen = select(resources.c.id, resources.c.type, resources.c.uid).where(
            resources.c.workspace_id == workspace_key,
            resources.c.uid.in_([ref.id for ref in sorted(refs)[batch : batch + 500]]),
        )
        found |= {ResourceRef(kind, uid): key for key, kind, uid in connection.execute(chosen)}
    return found


def count_moves(connection: Any, moves: Moves) -> Counted:
    """Who gains and who loses, counted: of a few people or little in one statement, else person by person."""
    if not moves.asked:
        return Counted(0, 0, MovedPeople(), MovedPeople(), _digest([]))
    if moves.few or len(moves.asked) <= _FEW_QUESTIONS[connection.dialect.name]:
        return _counted_at_once(connection, moves)
    tallies = _walk(connection, moves).count()
    each = {n: (one.count, one.keys, one.squares) for n, one in tallies.by_question().items()}
    sides = {1: tallies.sides[True], -1: tallies.sides[False]}
    return _counted(moves, (tallies.touched, tallies.movers), sides, each)


def _counted_at_once(connection: Any, moves: Moves) -> Counted:
    body = f"{_moved(connection.dialect.name, moves.few)}, {_COUNT}"
    rows = connection.execute(_statement(connection.dialect.name, body), moves.values(body)).all()
    told = {(kind, int(n)): [int(one or 0) for one in numbers] for kind, n, *numbers in rows}
    each = {n: tuple(numbers) for (kind, n), numbers in told.items() if kind == "asked"}
    touched, movers, _ = told["all", 0]
    return _counted(moves, (touched, movers), {sign: told["side", sign] for sign in (1, -1)}, each)


def _counted(
    moves: Moves, people: tuple[int, int], sides: Mapping[int, Sequence[int]], each: Mapping[int, tuple[int, ...]]
) -> Counted:
    """Put together of people touched and moved; by side, how many and how many signed in; by question, how many."""
    gains, loses = (
        MovedPeople(
            sides[sign][0], sides[sign][1], tuple(sorted(_by_given(moves, each, sign), key=lambda one: -one[1]))
        )
        for sign in (1, -1)
    )
    what = {n: (moves.asked[n].given.role.id, moves.asked[n].given.scope.render()) for n in each}
    return Counted(*people, gains, loses, _digest((what[n], n > 0, numbers) for n, numbers in each.items()))


def _by_given(moves: Moves, each: Mapping[int, tuple[int, ...]], sign: int) -> list[tuple[RoleInScope, int]]:
    return [(moves.asked[n].given, each[n][0]) for n in sorted(each, key=abs) if n * sign > 0]


def _walk(connection: Any, moves: Moves) -> Walk:
    return Walk(connection, moves.workspace_key, moves.weights, moves.now)


def _digest(who: Iterable[tuple[tuple[str, list[str]], bool, tuple[int, ...]]]) -> str:
    """Of who moves, and by what."""
    return sha256(repr(sorted(who)).encode()).hexdigest()


def page_of_moves(connection: Any, moves: Moves, side: Side, *, after: str = "", most: int) -> MovedPeople:
    """People of one side after an address, in order of addresses, without counts; `more` where there are others."""
    if not any(one.gains == (side == "gains") for one in moves.asked.values()):
        return MovedPeople()
    found = (_page_of_few if moves.few else _page_of_many)(connection, moves, side, after, most + 1)
    people = tuple(
        PersonMoved(one.uid, one.email, one.name, _strongest_of(moves, mask), bool(one.signed_in))
        for one, mask in found[:most]
    )
    return MovedPeople(people=people, more=found[most - 1][0].email_ci if len(found) > most else None)


def _page_of_few(connection: Any, moves: Moves, side: Side, after: str, most: int) -> list[tuple[Person, int]]:
    body = f"{_moved(connection.dialect.name, True)} {_PAGE_OF_FEW[side]}"
    values = moves.values(body, after=after, most=most)
    found = [Person(*row) for row in connection.execute(_statement(connection.dialect.name, body), values)]
    weighed = _walk(connection, moves).weigh([one.member for one in found])
    return [(one, moves.weights.moved_by(weighed.get(one.member, NOTHING), side)) for one in found]


def _page_of_many(connection: Any, moves: Moves, side: Side, after: str, most: int) -> list[tuple[Person, int]]:
    return _walk(connection, moves).page(side, after, most)


def _strongest_of(moves: Moves, mask: int) -> tuple[RoleInScope, ...]:
    numbers = sorted((moves.weights.numbers[at] for at in bits(mask)), key=abs)
    return tuple(strongest(moves.asked[n].given for n in numbers))


def _is_few(connection: Any, asked: Collection[Asked]) -> bool:
    """Whether it is less work to begin with all whom it touches than with the addresses of all, in order."""
    if any(one.own_everywhere for one in asked):
        return False
    touched = sum(len(one.own) for one in asked)
    for batch in in_batches({group.key for one in asked for group in one.groups}):
        touched += _up_to_few(connection, group_members.c.group_id.in_(batch))
    for batch in in_batches({key for one in asked for key in one.user_groups}):
        touched += _up_to_few(connection, user_group_members.c.user_group_id.in_(batch))
    return touched < _FEW


def _up_to_few(connection: Any, where: ColumnElement[bool]) -> int:
    """How many rows there are, counted no further than needed."""
    some = select(literal(1)).where(where).limit(_FEW).subquery()
    found: int = connection.execute(select(func.count()).select_from(some)).scalar_one()
    return found


#: So many people are read and sorted in a twentieth of a second.
_FEW = 3_000
