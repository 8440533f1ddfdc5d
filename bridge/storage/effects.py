"""What a change of the directory does to access, by facts as they stand at the end of its transaction.

Each question costs the same however large the group is: what a group gives is a few grants, and only the people who
moved are looked at.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import BindParameter, bindparam, column, select, text

from bridge.domain.access import ResourceRef, RoleInScope, Scope, ScopeKind
from bridge.domain.labels import Label
from bridge.domain.request_log import name_grant
from bridge.domain.roles import MINIMAL, get_role
from bridge.storage.columns import Instant
from bridge.storage.prepared import Prepared
from bridge.storage.tables import (
    connections,
    directory_groups,
    directory_users,
    grant_resources,
    memberships,
    resource_labels,
    resources,
)


@dataclass(frozen=True, slots=True)
class Gift:
    """What a grant gives, and its resources by name."""

    given: RoleInScope
    names: Mapping[ResourceRef, str]

    def __str__(self) -> str:
        """In words: `Source Admin on iOS Prod`."""
        return name_grant(self.given, self.names)


_STANDS = f"g.role <> '{MINIMAL.id}' AND (g.expires_at IS NULL OR g.expires_at > :now)"
_OF_GROUP = "mm.group_id = (SELECT dg.id FROM directory_groups dg WHERE dg.uid = :group)"
_PRINCIPALS = """SELECT mm.group_id, mm.mapping_id AS id FROM {matches} mm WHERE {where}
UNION SELECT mm.group_id, x.user_group_id FROM {matches} mm CROSS JOIN mapping_user_groups x
WHERE {where} AND x.mapping_id = mm.mapping_id"""
_TOLD = """
SELECT g.id, g.role, g.scope, {group} AS group_id, r.type, r.uid, r.name, l.key, l.value
FROM {grants} {names} WHERE {where} ORDER BY g.id
"""
# PostgreSQL guesses a thousand rows in a small table that it never analysed, and would rather read all grants, one or
# more a person, than look a few up: a subquery with OFFSET 0 is run as it stands, once a row before it.
_HANGING = {
    "sqlite": "({found}) AS f CROSS JOIN grants g",
    "postgresql": "({found}) AS f CROSS JOIN LATERAL (SELECT * FROM grants y WHERE y.principal_id = f.id OFFSET 0) g",
}
_NAMES = {
    "sqlite": """LEFT JOIN grant_resources x ON x.grant_id = g.id LEFT JOIN resources r ON r.id = x.resource_id
LEFT JOIN grant_labels l ON l.grant_id = g.id""",
    "postgresql": """LEFT JOIN LATERAL (SELECT y.type, y.uid, y.name FROM grant_resources x
    JOIN resources y ON y.id = x.resource_id WHERE x.grant_id = g.id OFFSET 0) r ON TRUE
LEFT JOIN LATERAL (SELECT * FROM grant_labels y WHERE y.grant_id = g.id OFFSET 0) l ON TRUE""",
}


def _telling(sql: str, *binds: BindParameter[Any]) -> Prepared:
    names = ("id", "role", "scope", "group_id", "type", "uid", "name", "key", "value")
    return Prepared(text(sql).bindparams(*binds).columns(*(column(name) for name in names)))


def _by_either_way(matches: str = "mapping_matches", when: str = "1 = 1") -> dict[str, Prepared]:
    """For each engine: the grants of the rules that match the group, and of the User Groups that those give."""
    found = _PRINCIPALS.format(matches=matches, where=f"{_OF_GROUP} AND {when}")
    where = f"g.principal_id = f.id AND {_STANDS}"
    return {
        engine: _telling(
            _TOLD.format(group="f.group_id", grants=hanging.format(found=found), names=_NAMES[engine], where=where),
            bindparam("now", type_=Instant),
        )
        for engine, hanging in _HANGING.items()
    }


_GIVEN_BY_GROUP = _by_either_way()
_BEGUN = _by_either_way(when="mm.cause = :cause")
_ENDED = _by_either_way("mapping_matches_past", "mm.ended_by = :cause")
_GRANTS = {
    engine: _telling(
        _TOLD.format(group="0", grants="grants g", names=names, where="g.id IN :keys"),
        bindparam("keys", expanding=True),
    )
    for engine, names in _NAMES.items()
}


def given_by_group(connection: Any, uid: str, now: datetime) -> tuple[int, dict[int, Gift]]:
    """The key of an IdP group, and the grants that people have by it, but for seeing the workspace. One statement."""
    rows = _GIVEN_BY_GROUP[connection.dialect.name](connection, group=uid, now=now)
    return rows[0].group_id if rows else 0, _gifts(rows)


def given_since(connection: Any, uid: str, cause: int, now: datetime) -> tuple[list[Gift], list[Gift]]:
    """What comes by an IdP group since the change with this cause, and what came by it until then."""
    values = {"group": uid, "cause": cause, "now": now}
    both = (one[connection.dialect.name] for one in (_BEGUN, _ENDED))
    begun, ended = (_gifts(one(connection, **values)) for one in both)
    return [begun[key] for key in begun.keys() - ended.keys()], [ended[key] for key in ended.keys() - begun.keys()]


def what_grants_give(connection: Any, keys: Collection[int]) -> dict[int, Gift]:
    """What each of these grants gives. One statement."""
    if not keys:
        return {}
    return _gifts(_GRANTS[connection.dialect.name](connection, keys=sorted(keys)))


def labels_of_listed(connection: Any, grant_keys: Collection[int]) -> dict[ResourceRef, frozenset[Label]]:
    """The labels that the resources carry which these grants list."""
    chosen = (
        select(resources.c.type, resources.c.uid, resource_labels.c.key, resource_labels.c.value)
        .join_from(grant_resources, resources)
        .join(resource_labels, resource_labels.c.resource_id == resources.c.id)
        .where(grant_resources.c.grant_id.in_(sorted(grant_keys)))
    )
    found: dict[ResourceRef, frozenset[Label]] = {}
    for kind, uid, key, value in connection.execute(chosen):
        ref = ResourceRef(kind, uid)
        found[ref] = found.get(ref, frozenset()) | {Label(key, value)}
    return found


def still_out(connection: Any, uid: str) -> tuple[bool, list[str]]:
    """Why the person of a record that lets them in is out all the same: their membership ended, or the connections
    whose records hold them out, by name.
    """
    theirs = select(directory_users.c.membership_id).where(directory_users.c.uid == uid).scalar_subquery()
    ended = select(memberships.c.id).where(memberships.c.id == theirs, memberships.c.status == "removed")
    holding = (
        select(connections.c.name)
        .join_from(directory_users, connections)
        .where(directory_users.c.membership_id == theirs, directory_users.c.holds_out)
        .order_by(connections.c.id)
    )
    return connection.execute(ended).first() is not None, list(connection.execute(holding).scalars())


def _gifts(rows: Iterable[Any]) -> dict[int, Gift]:
    told: dict[int, Gift] = {}
    for key, of_grant in groupby(rows, key=lambda row: row.id):
        every = list(of_grant)
        names = {ResourceRef(row.type, row.uid): row.name for row in every if row.uid is not None}
        labels = frozenset(Label(row.key, row.value) for row in every if row.key is not None)
        given = RoleInScope(get_role(every[0].role), Scope(_KINDS[every[0].scope], frozenset(names), labels))
        told[key] = Gift(given, names)
    return told


_KINDS: Mapping[str, ScopeKind] = {"all": "all", "list": "list", "labels": "labels"}


def find_person_name(connection: Any, connection_key: int, uid: str) -> str | None:
    """The name of a person whom the connection pushes."""
    columns = directory_users.c
    chosen = select(columns.display_name).where(columns.uid == uid, columns.connection_id == connection_key)
    name: str | None = connection.execute(chosen).scalar()
    return name


def find_group_name(connection: Any, connection_key: int, uid: str) -> str | None:
    """The name of a group that the connection pushes."""
    columns = directory_groups.c
    chosen = select(columns.name).where(columns.uid == uid, columns.connection_id == connection_key)
    name: str | None = connection.execute(chosen).scalar()
    return name
