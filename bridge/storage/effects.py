"""What a change of the directory does to access, by facts as they stand at the end of its transaction.

Each question costs the same however large the group is: what a group gives is a few grants, and only the people who
moved are looked at.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import TextClause, bindparam, select, text

from bridge.domain.access import ResourceRef, RoleInScope, Scope, ScopeKind
from bridge.domain.labels import Label
from bridge.domain.request_log import name_grant
from bridge.domain.roles import MINIMAL, get_role
from bridge.storage.columns import Instant
from bridge.storage.tables import directory_groups, directory_users


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
_WITH_NAMES = """
SELECT f.id, f.role, f.scope, f.group_id, r.type, r.uid, r.name, l.key, l.value FROM ({found}) AS f
LEFT JOIN grant_resources x ON x.grant_id = f.id LEFT JOIN resources r ON r.id = x.resource_id
LEFT JOIN grant_labels l ON l.grant_id = f.id
ORDER BY f.id
"""
_FOUND = "SELECT g.id, g.role, g.scope, mm.group_id FROM mapping_matches mm"


def _by_either_way(found: str = _FOUND, when: str = "1 = 1") -> TextClause:
    """The grants of the rules that match the group, and of the User Groups that those give."""
    of_group = f"{_OF_GROUP} AND {when}"
    by_rule = f"{found} CROSS JOIN grants g WHERE {of_group} AND g.principal_id = mm.mapping_id AND {_STANDS}"
    by_user_group = f"""{found} CROSS JOIN mapping_user_groups x CROSS JOIN grants g
WHERE {of_group} AND x.mapping_id = mm.mapping_id AND g.principal_id = x.user_group_id AND {_STANDS}"""
    both = _WITH_NAMES.format(found=f"{by_rule}\nUNION\n{by_user_group}")
    return text(both).bindparams(bindparam("now", type_=Instant))


_GIVEN_BY_GROUP = _by_either_way()
_BEGUN = _by_either_way(when="mm.cause = :cause")
_ENDED = _by_either_way(_FOUND.replace("mapping_matches", "mapping_matches_past"), "mm.ended_by = :cause")
_GRANTS = text(
    _WITH_NAMES.format(found="SELECT g.id, g.role, g.scope, 0 AS group_id FROM grants g WHERE g.id IN :keys")
).bindparams(bindparam("keys", expanding=True))


def given_by_group(connection: Any, uid: str, now: datetime) -> tuple[int, dict[int, Gift]]:
    """The key of an IdP group, and the grants that people have by it, but for seeing the workspace. One statement."""
    rows = connection.execute(_GIVEN_BY_GROUP, {"group": uid, "now": now}).all()
    return rows[0].group_id if rows else 0, _gifts(rows)


def given_since(connection: Any, uid: str, cause: int, now: datetime) -> tuple[list[Gift], list[Gift]]:
    """What comes by an IdP group since the change with this cause, and what came by it until then."""
    values = {"group": uid, "cause": cause, "now": now}
    begun, ended = (_gifts(connection.execute(one, values).all()) for one in (_BEGUN, _ENDED))
    return [begun[key] for key in begun.keys() - ended.keys()], [ended[key] for key in ended.keys() - begun.keys()]


def what_grants_give(connection: Any, keys: Collection[int]) -> dict[int, Gift]:
    """What each of these grants gives. One statement."""
    return _gifts(connection.execute(_GRANTS, {"keys": sorted(keys)}).all()) if keys else {}


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
