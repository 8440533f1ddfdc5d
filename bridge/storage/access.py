"""Access: one query over facts, read by every question (`bridge.domain.access_facts` says what it means).

Four branches, in this order: grants of the membership itself; of a User Group it is in by hand; of a rule
that matches an IdP group it is in; of a User Group that such a rule gives. `CROSS JOIN` states the order of
the joins, which SQLite keeps and PostgreSQL is free to better: written the natural way SQLite starts from
the wrong end (over 90 s for one check at 1,000,000 memberships, 54 µs this way).
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    Connection,
    Text,
    TextClause,
    bindparam,
    column,
    or_,
    select,
    text,
)

from bridge.domain.access import Because, BecauseKind, ResourceRef, RoleInScope, Scope
from bridge.domain.labels import Label
from bridge.domain.roles import MINIMAL, OWNER, get_role
from bridge.storage.columns import Instant, Json
from bridge.storage.prepared import Prepared
from bridge.storage.tables import grants

# A member of whom nothing holds: removed, or held out by any connection's record.
ALIVE = """m.status = 'active' AND NOT EXISTS (
    SELECT 1 FROM directory_users h WHERE h.membership_id = m.id AND h.holds_out)"""

# Asserted groups count until their time is over, and not where the pushed group of that name decides.
COUNTS = """NOT (mm.asserted AND ((mm.shadowed AND d.pushed) OR d.asserted_until IS NULL OR d.asserted_until < :now))"""

UNEXPIRED = "(g.expires_at IS NULL OR g.expires_at > :now)"


def counts_in(*, asserted: str, shadowed: str) -> str:
    """COUNTS of record d in a group that is so by these words of SQL."""
    return COUNTS.replace("mm.asserted", asserted).replace("mm.shadowed", shadowed)


def fits(resource: str) -> str:
    """SQL: whether grant g reaches the resource whose key that is."""
    return f"""(g.scope = 'all'
    OR EXISTS (SELECT 1 FROM grant_resources listed WHERE listed.grant_id = g.id AND listed.resource_id = {resource})
    OR (g.scope = 'labels' AND NOT EXISTS (SELECT 1 FROM grant_labels l WHERE l.grant_id = g.id AND NOT EXISTS (
        SELECT 1 FROM resource_labels o WHERE o.resource_id = {resource} AND o.key = l.key AND o.value = l.value))))"""


_FITS = fits(":resource")


@dataclass(frozen=True, slots=True)
class _Branch:
    """One way from a member to a grant g: the tables before it in join order, their conditions, whose grant it is, and
    what is passed.
    """

    before: str
    joins: str
    holder: str
    member: str
    passed: str  # user_group_id, mapping_id, group_id, in_group_since
    asserted_until: str = "CAST(NULL AS BIGINT)"  # when time alone ends it

    @property
    def tables(self) -> str:
        """All of them, the grant last."""
        return f"{self.before} CROSS JOIN grants g" if self.before else "grants g"

    @property
    def on(self) -> str:
        """How all of them hang together."""
        return f"{self.joins} AND g.principal_id = {self.holder}" if self.before else "1 = 1"


_BY_GROUP = "directory_users d CROSS JOIN group_members gm CROSS JOIN mapping_matches mm"
_IN_GROUP = f"gm.directory_user_id = d.id AND mm.group_id = gm.group_id AND {COUNTS}"
_GIVEN = "x.mapping_id = mm.mapping_id"
_ASSERTED_UNTIL = "CASE WHEN mm.asserted THEN d.asserted_until END"

_BRANCHES = (
    _Branch("", "", "", "g.principal_id", "NULL, NULL, NULL, NULL"),
    _Branch(
        "user_group_members u", "1 = 1", "u.user_group_id", "u.membership_id", "u.user_group_id, NULL, NULL, u.since"
    ),
    _Branch(
        _BY_GROUP,
        _IN_GROUP,
        "mm.mapping_id",
        "d.membership_id",
        "NULL, mm.mapping_id, gm.group_id, gm.since",
        _ASSERTED_UNTIL,
    ),
    _Branch(
        f"{_BY_GROUP} CROSS JOIN mapping_user_groups x",
        f"{_IN_GROUP} AND {_GIVEN}",
        "x.user_group_id",
        "d.membership_id",
        "x.user_group_id, mm.mapping_id, gm.group_id, gm.since",
        _ASSERTED_UNTIL,
    ),
)


def typed(sql: str) -> TextClause:
    """The statement with the parameters it uses typed, lists as expanding ones."""
    kinds: dict[str, Any] = {"now": Instant, "membership": BigInteger, "resource": BigInteger, "without": BigInteger}
    numbers = ("grant_ids", "group_ids", "asserted_ids", "shadowed_ids", "members")
    lists: dict[str, Any] = {"roles": Text, **dict.fromkeys(numbers, BigInteger)}
    used = set(re.findall(r":(\w+)", sql))
    one = [bindparam(name, type_=kind) for name, kind in kinds.items() if name in used]
    many: list[BindParameter[Any]] = [
        bindparam(name, type_=kind, expanding=True) for name, kind in lists.items() if name in used
    ]
    return text(sql).bindparams(*one, *many)


#: The end of what has none.
FOREVER = 2**63 - 1
# Keeps SQLite from computing what is inside once for the condition and once more for the answer.
_AS_IT_IS = "LIMIT 1000000000 OFFSET 0"


def first_end(grant: str, member: str = "m.id") -> str:
    """SQL: when the first such grant g that the member is found to have ends by time alone; `FOREVER` where it doesn't,
    NULL where they have none. Their groups are walked once, for rules and for the User Groups that they give.

    OFFSET keeps PostgreSQL from joining in another order: it guesses a thousand rows in a small table that it never
    analysed, and would rather read all grants, one or more a person, than look a few up.
    """
    _, by_hand, by_rule, by_both = _BRANCHES
    given = f"IN (SELECT {by_rule.holder} UNION ALL SELECT {by_both.holder} FROM mapping_user_groups x WHERE {_GIVEN})"
    walked = f"{_end('= u.user_group_id', grant)} AS ends FROM {by_hand.before} WHERE {by_hand.member} = {member}"
    ruled = f"{_end(given, grant)} AS ends, {by_rule.asserted_until} AS asserted"
    ruled = f"{ruled} FROM {by_rule.before} WHERE {by_rule.member} = {member} AND {by_rule.joins}"
    sooner = "CASE WHEN asserted < ends THEN asserted ELSE ends END"
    return f"""COALESCE(
    {_end(f"= {member}", grant)},
    (SELECT ends FROM (SELECT {walked} {_AS_IT_IS}) AS way WHERE ends IS NOT NULL LIMIT 1),
    (SELECT {sooner} FROM (SELECT {ruled} {_AS_IT_IS}) AS way WHERE ends IS NOT NULL LIMIT 1))"""


def _end(holders: str, grant: str) -> str:
    ends = f"COALESCE(g.expires_at, {FOREVER})"
    return f"(SELECT {ends} FROM grants g WHERE g.principal_id {holders} AND {grant} LIMIT 1 OFFSET 0)"


def _may(grant: str) -> TextClause:
    return typed(f"SELECT {first_end(grant)} IS NOT NULL FROM memberships m WHERE m.id = :membership AND {ALIVE}")


def owner_condition(membership: str) -> str:
    """SQL: whether the membership that a column names is a Workspace Owner, by whichever path, at `:now`.

    For statements that look at many memberships at once; aliveness is theirs to ask.
    """
    grant = f"g.role = '{OWNER.id}' AND {UNEXPIRED}"
    return " OR ".join(
        f"EXISTS (SELECT 1 FROM {b.tables} WHERE {b.member} = {membership} AND {b.on} AND {grant})" for b in _BRANCHES
    )


def _paths(
    grant: str, members: str, *, columns: str, rule: str = "", alive: str = ALIVE, of: str = "memberships m"
) -> str:
    """The union of the branches for the members that `members` (a condition on the tables `of`) chooses."""
    return "\nUNION ALL\n".join(
        f"SELECT {columns.format(passed=b.passed, asserted_until=b.asserted_until)} FROM {of} CROSS JOIN {b.tables} "
        f"WHERE {members} AND {alive} AND {b.member} = m.id AND {b.on} AND {grant}"
        + (rule if "mm.mapping_id" in b.passed else "")
        for b in _BRANCHES
    )


OF_ROLES = f"g.role IN :roles AND {UNEXPIRED}"
_MAY_ON = Prepared(_may(f"{OF_ROLES} AND {_FITS}"))
_MAY_ANYWHERE = Prepared(_may(f"{OF_ROLES} AND g.scope = 'all'"))


def grant_condition(*, on_resource: bool) -> str:
    """SQL: whether grant g gives any of `:roles` now; on `:resource`, or in a scope of all."""
    return f"{OF_ROLES} AND {_FITS}" if on_resource else f"{OF_ROLES} AND g.scope = 'all'"


def may_condition(membership: str, grant: str) -> str:
    """SQL: whether the membership that a column names has such a grant by any path; aliveness is theirs to ask."""
    return f"{first_end(grant, membership)} IS NOT NULL"


_WITH_NAMES = """
SELECT p.membership_id, p.grant_id, g.uid, g.role, g.scope, g.given_by, g.since,
       ug.uid, ug.name, mp.uid, mp.value, dg.uid, dg.name, dg.source, c.uid, c.name, p.in_group_since,
       h.given_by, hu.name
FROM ({paths}) AS p
JOIN grants g ON g.id = p.grant_id
LEFT JOIN user_groups ug ON ug.id = p.user_group_id
LEFT JOIN mappings mp ON mp.id = p.mapping_id
LEFT JOIN directory_groups dg ON dg.id = p.group_id
LEFT JOIN connections c ON c.id = dg.connection_id
LEFT JOIN user_group_members h
    ON p.mapping_id IS NULL AND h.user_group_id = p.user_group_id AND h.membership_id = p.membership_id
LEFT JOIN users hu ON hu.uid = SUBSTR(h.given_by, 6)  -- after "user:"
ORDER BY p.membership_id, g.role, g.id, p.user_group_id, p.mapping_id, p.group_id
"""
_EVERY_LINK = "m.id AS membership_id, g.id AS grant_id, {passed}"
_PASSED_NAMES = ("user_group_id", "mapping_id", "group_id", "in_group_since")


def _why(grant: str, members: str) -> TextClause:
    # The first branch names the union's columns.
    names = ", ".join(f"CAST(NULL AS BIGINT) AS {name}" for name in _PASSED_NAMES)
    head = f"SELECT 0 AS membership_id, 0 AS grant_id, {names} WHERE 1 = 0\nUNION ALL\n"
    return typed(_WITH_NAMES.format(paths=head + _paths(grant, members, columns=_EVERY_LINK)))


#: `access_past` asks the same of the facts of another moment.
WHY = Prepared(_why(OF_ROLES, "m.id = :membership"))
WHY_ON = Prepared(_why(f"{OF_ROLES} AND {_FITS}", "m.id = :membership"))
WHY_ANYWHERE = Prepared(_why(f"{OF_ROLES} AND g.scope = 'all'", "m.id = :membership"))
_WHY_MANY = _why(OF_ROLES, "m.id IN :members")


@dataclass(frozen=True, slots=True)
class HeldGrant:
    """One grant that one member has by one path. Numbers are the database's own."""

    membership_id: int
    grant_id: int
    role: str
    scope: str
    because: Because


def may(
    connection: Connection, membership_id: int, roles: Sequence[str], resource_id: int | None, now: datetime
) -> bool:
    """Whether a member has any of `roles` on a resource; on none given, in a scope of all (to create)."""
    statement = _MAY_ANYWHERE if resource_id is None else _MAY_ON
    chosen = {} if resource_id is None else {"resource": resource_id}
    return bool(statement.scalar(connection, membership=membership_id, roles=list(roles), now=now, **chosen))


def paths(
    connection: Connection,
    membership_id: int,
    roles: Sequence[str],
    now: datetime,
    *,
    resource_id: int | None = None,
    everywhere: bool = False,
) -> list[HeldGrant]:
    """Every path by which a member has any of `roles`; on a resource, or `everywhere`, where asked."""
    statement = WHY_ANYWHERE if everywhere else WHY if resource_id is None else WHY_ON
    chosen = {"resource": resource_id} if statement is WHY_ON else {}
    rows = statement(connection, membership=membership_id, roles=list(roles), now=now, **chosen)
    return [held_grant(row) for row in rows]


def paths_of_many(
    connection: Connection, membership_ids: Collection[int], roles: Sequence[str], now: datetime
) -> list[HeldGrant]:
    """The same for a page of members, ordered by member."""
    values = {"members": list(membership_ids), "roles": list(roles), "now": now}
    return [held_grant(row) for row in connection.execute(_WHY_MANY, values)]


# One value however many members there are, so that nothing is compiled anew. PostgreSQL looks at one member after the
# other (LATERAL, and OFFSET so that it stays there): for many at once it would rather read whole tables.
_OF_MEMBERS: dict[str, tuple[str, str, Any]] = {
    "sqlite": ("m.id IN (SELECT value FROM json_each(:members))", "{paths}", Json),
    "postgresql": (
        "m.id = asked.id",
        "SELECT of_one.* FROM unnest(:members) AS asked(id) CROSS JOIN LATERAL ({paths} OFFSET 0) AS of_one",
        ARRAY(BigInteger),
    ),
}


def _held_by_members(engine: str) -> Prepared:
    among, around, kind = _OF_MEMBERS[engine]
    columns = (
        "m.id AS membership_id, g.id AS grant_id, g.role, g.scope, g.expires_at, {asserted_until} AS asserted_until"
    )
    names = ("membership_id", "grant_id", "role", "scope", "expires_at", "asserted_until")
    paths = around.format(paths=_paths(OF_ROLES, among, columns=columns))
    made = text(f"SELECT DISTINCT {', '.join(names)} FROM ({paths}) AS held").bindparams(
        bindparam("now", type_=Instant),
        bindparam("members", type_=kind),
        bindparam("roles", type_=Text, expanding=True),
    )
    return Prepared(made.columns(*(column(name, Instant if name in names[4:] else None) for name in names)))


_HELD_BY_MEMBERS = {engine: _held_by_members(engine) for engine in _OF_MEMBERS}


def held_by_members(
    connection: Connection, membership_ids: Sequence[int], roles: Collection[str], now: datetime
) -> list[Any]:
    """Which grants of `roles` members hold, by whichever path: membership_id, grant_id, role, scope, and when time
    alone ends it, in expires_at and asserted_until. The same grant comes once for each end of its own.
    """
    held = _HELD_BY_MEMBERS[connection.dialect.name]
    return held(connection, members=list(membership_ids), roles=sorted(roles), now=now)


class Link(NamedTuple):
    """One path of one member, without its names: the grant, and the IdP group it comes by, if it does."""

    record: str
    grant_id: int
    role: str
    scope: str
    group_id: int | None


def _links(records: str, alive: str) -> Prepared:
    """The members behind these records, each a row of grant 0, and their paths to more than seeing the workspace."""
    # The first branch names and types the union's columns.
    nothing = ", ".join(f"CAST(NULL AS BIGINT) AS {name}" for name in _PASSED_NAMES)
    of, members = "directory_users rec CROSS JOIN memberships m", f"rec.uid {records} AND m.id = rec.membership_id"
    head = "SELECT rec.uid AS record, 0 AS grant_id, '' AS role, '' AS scope"
    head = f"{head}, {nothing} FROM {of} WHERE {members} AND {alive}"
    grant = f"g.role <> '{MINIMAL.id}' AND {UNEXPIRED}"
    paths = _paths(grant, members, columns="rec.uid, g.id, g.role, g.scope, {passed}", alive=alive, of=of)
    return Prepared(typed(f"SELECT record, grant_id, role, scope, group_id FROM ({head}\nUNION ALL\n{paths}) AS held"))


@cache
def _links_of(count: int) -> Prepared:
    """Of so many records, `r0` and so on: an expanding list is written out anew each time, which takes longer."""
    return _links(f"IN ({', '.join(f':r{n}' for n in range(count))})", ALIVE)


# As if that record didn't hold the person out; another one still does.
_LINKS_ASLEEP = _links("= :record", ALIVE.replace("h.holds_out", "h.holds_out AND h.uid <> :record"))


def links_of_records(
    connection: Connection, records: Sequence[str], now: datetime, *, asleep: bool = False
) -> dict[str, list[Link]]:
    """For each of these records of people (outside ids) whose member is in: the paths to what they have, but for
    seeing the workspace. `asleep`: of one record, and as if it let the person in.
    """
    named = {"record": records[0]} if asleep else {f"r{n}": record for n, record in enumerate(records)}
    statement = _LINKS_ASLEEP if asleep else _links_of(len(records))
    found: dict[str, list[Link]] = {}
    for row in statement(connection, **named, now=now):
        link = Link(*row)
        found.setdefault(link.record, [])
        if link.grant_id:
            found[link.record].append(link)
    return found


def held_grant(row: Any) -> HeldGrant:
    """From a row of WHY."""
    (membership_id, grant_id, uid, role, scope, given_by, since, ug, ug_name, rule, value, *rest) = row
    group, group_name, source, connection, connection_name, joined, put_in_by, put_in_by_name = rest
    kind: BecauseKind = "mapping" if rule else "user_group" if ug else "individual"
    because = Because(
        kind,
        uid,
        given_by,
        moment_of(since),
        ug,
        ug_name,
        rule,
        value,
        group,
        group_name,
        source,
        connection,
        connection_name,
        None if joined is None else moment_of(joined),
        put_in_by,
        put_in_by_name,
    )
    return HeldGrant(membership_id, grant_id, role, scope, because)


_INSTANT = Instant()


def moment_of(value: int) -> datetime:
    """An instant that a statement gave as a number."""
    moment = _INSTANT.process_result_value(value, None)  # type: ignore[arg-type]  # the dialect plays no part
    if moment is None:
        raise ValueError("a fact without a beginning")
    return moment


# One statement for all that a scope may be made of, and one value however many grants there are.
_SCOPES = """
SELECT g.id, g.scope, NULL, NULL FROM grants g WHERE g.id {among}
UNION ALL
SELECT l.grant_id, 'resource', r.type, r.uid FROM grant_resources l JOIN resources r ON r.id = l.resource_id
WHERE l.grant_id {among}
UNION ALL
SELECT l.grant_id, 'label', l.key, l.value FROM grant_labels l WHERE l.grant_id {among}
"""
_SCOPES_OF = {
    engine: Prepared(text(_SCOPES.format(among=among)).bindparams(bindparam("chosen", type_=kind)))
    for engine, among, kind in (
        ("sqlite", "IN (SELECT value FROM json_each(:chosen))", Json()),
        ("postgresql", "= ANY(:chosen)", ARRAY(BigInteger)),
    )
}
# PostgreSQL guesses ten grants where it doesn't see how many, and plans for the real number anew each time: that takes
# five times as long as to look up the scope of a few.
_SCOPES_OF_FEW = Prepared(
    text(_SCOPES.format(among="IN :chosen")).bindparams(bindparam("chosen", type_=BigInteger, expanding=True))
)
_FEW_SCOPES = 16


def scopes_of(connection: Connection, grant_ids: Collection[int]) -> dict[int, Scope]:
    """The scope of each grant, with resources by outside id."""
    kinds: dict[int, Any] = {}
    listed: dict[int, set[ResourceRef]] = {}
    labelled: dict[int, set[Label]] = {}
    for grant_id, what, one, other in _scope_rows(connection, list(grant_ids)):
        if what == "resource":
            listed.setdefault(grant_id, set()).add(ResourceRef(one, other))
        elif what == "label":
            labelled.setdefault(grant_id, set()).add(Label(one, other))
        else:
            kinds[grant_id] = what
    return {
        grant_id: Scope(kind, frozenset(listed.get(grant_id, ())), frozenset(labelled.get(grant_id, ())))
        for grant_id, kind in kinds.items()
    }


def _scope_rows(connection: Connection, keys: list[int]) -> Sequence[Any]:
    if not keys:
        return ()
    if len(keys) > _FEW_SCOPES:
        return _SCOPES_OF[connection.dialect.name](connection, chosen=keys)
    more = (1 << (len(keys) - 1).bit_length()) - len(keys)  # a text each for 1, 2, 4, 8 and 16
    return _SCOPES_OF_FEW(connection, chosen=[*keys, *keys[:1] * more])


def grants_of(
    connection: Connection, principal_ids: Collection[int], *, lasting: datetime | None = None
) -> dict[int, tuple[int, RoleInScope]]:
    """The grants of these principals: grant id to (principal id, what it gives). `lasting`: not those that have
    ended by time then.
    """
    chosen = select(grants.c.id, grants.c.principal_id, grants.c.role)
    chosen = chosen.where(grants.c.principal_id.in_(list(principal_ids)))
    if lasting is not None:
        chosen = chosen.where(or_(grants.c.expires_at.is_(None), grants.c.expires_at > lasting))
    rows = connection.execute(chosen).all()
    scopes = scopes_of(connection, [row.id for row in rows])
    return {row.id: (row.principal_id, RoleInScope(get_role(row.role), scopes[row.id])) for row in rows}


# -- Who has a role ----------------------------------------------------------------------------------


_HOLDERS = "SELECT DISTINCT membership_id FROM ({paths}) AS held"
_OF_THESE_ROLES = typed(
    _HOLDERS.format(paths=_paths(OF_ROLES, "m.workspace_id = :workspace", columns="m.id AS membership_id"))
)


def holders_of_roles(connection: Connection, workspace_id: int, roles: Collection[str], now: datetime) -> set[int]:
    """The members who have any of the roles, wherever they apply, by whichever path."""
    values = {"roles": list(roles), "workspace": workspace_id, "now": now}
    return set(connection.execute(_OF_THESE_ROLES, values).scalars())


_HELD_BY_EACH = typed(
    "SELECT role, COUNT(DISTINCT membership_id) FROM ({paths}) AS held GROUP BY role".format(
        paths=_paths(UNEXPIRED, "m.workspace_id = :workspace", columns="m.id AS membership_id, g.role AS role")
    )
)


def count_holders(connection: Connection, workspace_id: int, now: datetime) -> dict[str, int]:
    """How many members have each role, by whichever path; roles that nobody has are left out."""
    rows = connection.execute(_HELD_BY_EACH, {"workspace": workspace_id, "now": now})
    return {role: count for role, count in rows}  # noqa: C416 - rows are no pairs to a type checker


Id = TypeVar("Id", int, str)


def in_batches(ids: Iterable[Id], size: int = 500) -> Iterator[list[Id]]:
    """The ids in lists of at most `size`: a statement takes a bounded number of parameters."""
    ordered = sorted(ids)
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]
