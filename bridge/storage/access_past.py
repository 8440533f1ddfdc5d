"""What somebody could do at a moment that is past: the statements of `access`, run over the facts that stood then.

Each fact table is given, under its own name, as a CTE of its rows that stood at that moment, the ended ones of its twin
among them. So what is asked is the very text that is asked of the present, and can't drift from it. (A CTE hides the
table of its name; inside it the table is meant: `main.` says so to SQLite.)

A CTE holds no more than what this person can have come by: each names whom it follows (`FOLLOWS`), which leads from
the membership to the grants over indexes, however long the history is. No statement reads a fact of which nothing is
said there (a KeyError when this module is read), so none stays in the present unseen. Names of people alone have no
history.

Rows stand from `since` to before `until`. A row that began and ended at one instant never stood. Where two transactions
overlapped for the length of a request, a fact may for so long be there twice: a path is told once, as it was later.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, BindParameter, Connection, LargeBinary, Table, Text, bindparam, select, text

from bridge.domain.access import ResourceRef, Scope
from bridge.domain.labels import Label
from bridge.domain.people import fold_letters
from bridge.storage.access import WHY, WHY_ANYWHERE, WHY_ON, HeldGrant, held_grant, typed
from bridge.storage.columns import Instant, Json
from bridge.storage.prepared import Prepared
from bridge.storage.tables import PAST, kept_since

_FACTS: dict[str, Table] = {table.name: table for table in PAST}
Follows = Mapping[str, tuple[str, str]]
#: Of each fact: a column, and the values it must have. A fact follows only those before it.
FOLLOWS: Follows = {
    "workspaces": ("id", "SELECT :workspace"),
    "memberships": ("id", "SELECT :membership"),
    "directory_users": ("membership_id", "SELECT :membership"),
    "group_members": ("directory_user_id", "SELECT id FROM directory_users"),
    "mapping_matches": ("group_id", "SELECT group_id FROM group_members"),
    "mapping_user_groups": ("mapping_id", "SELECT mapping_id FROM mapping_matches"),
    "user_group_members": ("membership_id", "SELECT :membership"),
    "grants": (
        "principal_id",
        "SELECT :membership UNION SELECT user_group_id FROM user_group_members "
        "UNION SELECT mapping_id FROM mapping_matches UNION SELECT user_group_id FROM mapping_user_groups",
    ),
    "grant_resources": ("grant_id", "SELECT id FROM grants"),
    "grant_labels": ("grant_id", "SELECT id FROM grants"),
    "resources": ("id", "SELECT resource_id FROM grant_resources"),
    "resource_labels": ("resource_id", "SELECT :resource"),
    "user_groups": (
        "id",
        "SELECT user_group_id FROM user_group_members UNION SELECT user_group_id FROM mapping_user_groups",
    ),
    "mappings": ("id", "SELECT mapping_id FROM mapping_matches"),
    "directory_groups": ("id", "SELECT group_id FROM mapping_matches"),
    "connections": ("id", "SELECT connection_id FROM directory_users"),
}
#: How a row of the present, and one of the twin, is known to have stood: at `:now`; at any time of a window (`over`).
_AT = ("since <= :now", "since <= :now AND until > :now")
WITHIN = ("since <= :last", "since <= :last AND until > :first")
STILL = "CAST(NULL AS BIGINT) AS until, CAST(NULL AS BIGINT) AS ended_by"
_READ = re.compile(r"(?:FROM|JOIN) (\w+)")


def _facts_read(sql: str, follows: Follows) -> list[str]:
    """The facts that a statement reads, and those that they follow, in the order of `follows`."""
    found: set[str] = set()
    waiting = set(_READ.findall(sql)) & _FACTS.keys()
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= (set(_READ.findall(follows[name][1])) & _FACTS.keys()) - found
    return [name for name in follows if name in found]


def _rows(name: str, engine: str, when: tuple[str, str], follows: Follows) -> str:
    """The CTE of a fact: the rows that stood. Documents and secrets, which nothing here reads, are left out."""
    table, (column, values) = _FACTS[name], follows[name]
    columns = ", ".join(f'"{one.name}"' for one in table.columns if not isinstance(one.type, (Json, LargeBinary)))
    # PostgreSQL guesses how many rows a subquery gives, and may read a whole table for it; an array it looks up.
    chosen = f"{column} IN ({values})" if engine == "sqlite" else f"{column} = ANY(ARRAY({values}))"
    schema, (present, past) = "main." if engine == "sqlite" else "", when
    standing = f"SELECT {columns}, {STILL} FROM {schema}{name} WHERE {chosen} AND {present}"
    ended = f"SELECT {columns}, until, ended_by FROM {schema}{name}_past WHERE {chosen} AND {past}"
    return f"{name} AS MATERIALIZED (\n{standing}\nUNION ALL {ended})"


def over(sql: str, when: tuple[str, str] = _AT, follows: Follows = FOLLOWS) -> dict[str, Prepared]:
    """A statement over the facts of one person that stood then, for each engine."""
    made = {}
    for engine in ("sqlite", "postgresql"):
        facts = ",\n".join(_rows(name, engine, when, follows) for name in _facts_read(sql, follows))
        whole = typed(f"WITH {facts}\n{sql}")
        made[engine] = Prepared(whole.bindparams(*parameters_of(whole.text)))
    return made


def parameters_of(sql: str) -> list[BindParameter[Any]]:
    """The parameters of a statement that `access.typed` doesn't know."""
    kinds: dict[str, Any] = {"workspace": BigInteger, "first": Instant, "last": Instant, "most": BigInteger}
    used = set(re.findall(r":(\w+)", sql))
    one: list[BindParameter[Any]] = [bindparam(name, type_=kind) for name, kind in kinds.items() if name in used]
    lists: dict[str, Any] = {"causes": BigInteger, "subjects": Text}
    return [*one, *(bindparam(name, type_=kind, expanding=True) for name, kind in lists.items() if name in used)]


def _text_of(prepared: Prepared) -> str:
    return str(prepared.statement.text)  # type: ignore[attr-defined]  # each of them is a text


_PATHS = over(_text_of(WHY))
_PATHS_ON = over(_text_of(WHY_ON))
_PATHS_ANYWHERE = over(_text_of(WHY_ANYWHERE))


def paths_at(
    connection: Connection,
    membership_id: int,
    roles: Sequence[str],
    at: datetime,
    *,
    resource_id: int | None = None,
    everywhere: bool = False,
) -> list[HeldGrant]:
    """`access.paths` as of that moment. Names of groups, rules and connections are those that they had then."""
    statement = _PATHS_ANYWHERE if everywhere else _PATHS if resource_id is None else _PATHS_ON
    chosen = {"resource": resource_id} if statement is _PATHS_ON else {}
    rows = statement[connection.dialect.name](connection, membership=membership_id, roles=list(roles), now=at, **chosen)
    return list(_each_once(map(held_grant, rows)))


def _each_once(found: Iterable[HeldGrant]) -> Iterable[HeldGrant]:
    once: dict[Any, HeldGrant] = {}
    for one in found:
        because = one.because
        path = (one.grant_id, because.user_group_id, because.mapping_id, because.idp_group_id)
        former = once.get(path)
        if former is None or _newer(one, former):
            once[path] = one
    return once.values()


def _newer(one: HeldGrant, former: HeldGrant) -> bool:
    joined, before = one.because.in_group_since, former.because.in_group_since
    return joined is not None and before is not None and joined > before


SCOPES_TEXT = """
SELECT g.id, g.scope, r.type, r.uid, l.key, l.value FROM grants g
LEFT JOIN grant_resources x ON x.grant_id = g.id LEFT JOIN resources r ON r.id = x.resource_id
LEFT JOIN grant_labels l ON l.grant_id = g.id
"""
_SCOPES = over(SCOPES_TEXT)


def scopes_at(connection: Connection, membership_id: int, at: datetime) -> dict[int, Scope]:
    """`access.scopes_of` every grant that this person could have had at that moment, as it was then."""
    return scopes_from(_SCOPES[connection.dialect.name](connection, membership=membership_id, now=at))


def scopes_from(rows: Iterable[Any]) -> dict[int, Scope]:
    """The scopes that the rows of `SCOPES_TEXT` name, by grant."""
    kinds: dict[int, Any] = {}
    listed: dict[int, set[ResourceRef]] = {}
    labelled: dict[int, set[Label]] = {}
    for key, kind, type_, uid, label, value in rows:
        kinds[key] = kind
        if uid is not None:
            listed.setdefault(key, set()).add(ResourceRef(type_, uid))
        if label is not None:
            labelled.setdefault(key, set()).add(Label(label, value))
    return {
        key: Scope(kind, frozenset(listed.get(key, ())), frozenset(labelled.get(key, ())))
        for key, kind in kinds.items()
    }


class Standing(NamedTuple):
    """How somebody and their workspace stood: its plan; `status` None where they weren't a member yet."""

    plan: str | None
    status: str | None
    held_out: bool


_STANDING_TEXT = """
SELECT (SELECT plan FROM workspaces ORDER BY since DESC LIMIT 1),
       (SELECT status FROM memberships ORDER BY since DESC LIMIT 1),
       EXISTS (SELECT 1 FROM directory_users h WHERE h.holds_out)
"""
_STANDING = over(_STANDING_TEXT)


def standing_at(connection: Connection, workspace_id: int, membership_id: int, at: datetime) -> Standing:
    """How a member and the workspace stood at that moment."""
    row = _STANDING[connection.dialect.name].first(connection, workspace=workspace_id, membership=membership_id, now=at)
    return Standing(row[0], row[1], bool(row[2]))


# -- Who and what is asked about ---------------------------------------------------------------------


class MemberThen(NamedTuple):
    """A membership, since when there is one, and since when its workspace; and what the person is called today."""

    key: int
    created_at: datetime
    workspace_created_at: datetime
    name: str


_MEMBERS_THEN = Prepared(
    text("""
SELECT m.id, m.created_at, w.created_at AS workspace_created_at, u.created_at AS account_created_at, u.name
FROM users u CROSS JOIN memberships m CROSS JOIN workspaces w
WHERE u.email_ci = :email AND u.closed_at IS NULL
AND m.user_id = u.id AND m.workspace_id = :workspace AND w.id = m.workspace_id
UNION ALL
SELECT m.id, m.created_at, w.created_at, u.created_at, u.name
FROM users u CROSS JOIN memberships m CROSS JOIN workspaces w
WHERE u.email_ci = :email AND u.closed_at IS NOT NULL AND u.closed_at > :now
AND m.user_id = u.id AND m.workspace_id = :workspace AND w.id = m.workspace_id
ORDER BY account_created_at
""")
    .bindparams(bindparam("now", type_=Instant), bindparam("workspace", type_=BigInteger))
    .columns(id=BigInteger, created_at=Instant, workspace_created_at=Instant, account_created_at=Instant, name=Text)
)


def find_member_then(connection: Connection, workspace_id: int, email: str, at: datetime) -> MemberThen | None:
    """The membership, removed or not, of who has this address, or had it when they closed their account after `at`.

    Of several the first, whose account was there at that moment if any was. (An address that changed is known by its
    events only.)
    """
    row = _MEMBERS_THEN.first(connection, email=fold_letters(email), workspace=workspace_id, now=at)
    return None if row is None else MemberThen(row.id, row.created_at, row.workspace_created_at, row.name)


_RESOURCE = (
    "SELECT id, name FROM resources{past} WHERE workspace_id = :workspace AND type = :type AND uid = :uid AND {stood}"
)
_RESOURCE_THEN = Prepared(
    text(
        f"{_RESOURCE.format(past='', stood=_AT[0])} UNION ALL {_RESOURCE.format(past='_past', stood=_AT[1])}"
    ).bindparams(bindparam("now", type_=Instant), bindparam("workspace", type_=BigInteger))
)


class ResourceThen(NamedTuple):
    """A resource by its key, and what it was called."""

    key: int
    name: str


def find_resource_at(connection: Connection, workspace_id: int, ref: ResourceRef, at: datetime) -> ResourceThen | None:
    """A resource that was there at that moment, or None."""
    row = _RESOURCE_THEN.first(connection, workspace=workspace_id, type=ref.type, uid=ref.id, now=at)
    return None if row is None else ResourceThen(*row)


# -- How far back it is known ------------------------------------------------------------------------

_KEPT_SINCE = Prepared(select(kept_since.c.at).where(kept_since.c.what == "facts"))


def facts_kept_since(connection: Connection) -> datetime | None:
    """From when on every fact is known; None: from the beginning."""
    at: datetime | None = _KEPT_SINCE.scalar(connection)
    return at
