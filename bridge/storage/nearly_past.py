"""What nearly gave a person something at a moment that is past: `nearly`, over the facts that stood then.

Access follows the pairs of rule and group that gave something; here all of the person's groups are looked at, and all
rules of the connections that knew them.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection

from bridge.domain.group_mapping import GroupMatch, IdpGroup
from bridge.domain.labels import Label
from bridge.domain.people import fold
from bridge.domain.roles import get_role
from bridge.storage.access import moment_of
from bridge.storage.access_past import FOLLOWS, SCOPES_TEXT, over, scopes_from
from bridge.storage.mappings import StoredMapping
from bridge.storage.nearly import CandidateGrant, GroupAtHand, NearLinks
from bridge.storage.prepared import Prepared

_OF_THEIR_CONNECTIONS = ("connection_id", "SELECT connection_id FROM directory_users")
#: In place of what did lead to something all that could.
_FOLLOWS = {
    "memberships": FOLLOWS["memberships"],
    "directory_users": FOLLOWS["directory_users"],
    "connections": FOLLOWS["connections"],
    "group_members": FOLLOWS["group_members"],
    "directory_groups": ("id", "SELECT group_id FROM group_members"),
    "mappings": _OF_THEIR_CONNECTIONS,
    "mapping_user_groups": ("mapping_id", "SELECT id FROM mappings"),
    "user_group_members": FOLLOWS["user_group_members"],
    "user_groups": FOLLOWS["user_groups"],
    "grants": (
        "principal_id",
        "SELECT :membership UNION SELECT user_group_id FROM user_group_members "
        "UNION SELECT id FROM mappings UNION SELECT user_group_id FROM mapping_user_groups",
    ),
    **{name: FOLLOWS[name] for name in ("grant_resources", "grant_labels", "resources", "resource_labels")},
}


def _near(sql: str) -> Mapping[str, Prepared]:
    return over(sql, follows=_FOLLOWS)


# Where two transactions overlapped a fact may be there twice: of those the later one is read last, and stays.
_AT_HAND = _near("""
SELECT gm.group_id, dg.uid, dg.name, dg.external_id, dg.source, c.id, c.uid, c.name, c.enabled, d.pushed,
       d.asserted_until
FROM directory_users d JOIN group_members gm ON gm.directory_user_id = d.id
JOIN directory_groups dg ON dg.id = gm.group_id JOIN connections c ON c.id = d.connection_id
ORDER BY gm.group_id, d.since, dg.since, c.since
""")
_PUSHED_NAMES = over(
    "SELECT p.connection_id, p.name_ci, p.external_id FROM directory_groups p WHERE p.source = 'scim'",
    follows={**_FOLLOWS, "directory_groups": _OF_THEIR_CONNECTIONS},
)
_RULES = _near("""
SELECT m.id, m.uid, m.workspace_id, m.connection_id, m.match, m.value, m.enabled, m.origin, m.made_by FROM mappings m
ORDER BY m.id, m.since
""")
_GIVEN = _near("""
SELECT x.mapping_id, ug.id, ug.uid, ug.name FROM mapping_user_groups x JOIN user_groups ug ON ug.id = x.user_group_id
ORDER BY ug.name_ci, ug.since
""")
_BY_HAND = _near("""
SELECT ug.id, ug.uid, ug.name FROM user_group_members h JOIN user_groups ug ON ug.id = h.user_group_id
ORDER BY ug.id, ug.since
""")
_GRANTS = _near("""
SELECT g.id, g.uid, g.principal_id, g.role, g.expires_at FROM grants g WHERE g.role IN :roles ORDER BY g.id
""")
_SCOPES = _near(SCOPES_TEXT)
_MEMBERSHIP = _near("SELECT m.status, m.since FROM memberships m ORDER BY m.since DESC")
_OUT = _near("""
SELECT c.id, c.uid, c.name, d.pushed FROM directory_users d JOIN connections c ON c.id = d.connection_id
WHERE d.holds_out ORDER BY c.id, d.since, c.since
""")
_CARRIED = _near("SELECT o.key, o.value FROM resource_labels o")


def _rows(connection: Connection, statement: Mapping[str, Prepared], at: datetime, **values: Any) -> list[Any]:
    return statement[connection.dialect.name](connection, now=at, **values)


def near_links_at(connection: Connection, membership_key: int, at: datetime) -> NearLinks:
    """All links that there were for a member at that moment."""
    rules = {row[0]: _rule(row) for row in _rows(connection, _RULES, at, membership=membership_key)}
    given: dict[int, dict[int, tuple[int, str, str]]] = {key: {} for key in rules}
    for rule, *user_group in _rows(connection, _GIVEN, at, membership=membership_key):
        given[rule][user_group[0]] = (user_group[0], user_group[1], user_group[2])
    by_hand = {key: (uid, name) for key, uid, name in _rows(connection, _BY_HAND, at, membership=membership_key)}
    return NearLinks(
        member=membership_key,
        by_hand=list(by_hand),
        at_hand=_at_hand(connection, membership_key, at),
        rules=list(rules.values()),
        given={key: list(some.values()) for key, some in given.items()},
        named=by_hand,
    )


def _rule(row: Any) -> StoredMapping:
    key, uid, workspace, of, kind, value, enabled, origin, made_by = row
    return StoredMapping(key, uid, workspace, of, GroupMatch(kind, value), bool(enabled), origin, made_by)


def _at_hand(connection: Connection, membership_key: int, at: datetime) -> list[GroupAtHand]:
    found = {row[0]: row for row in _rows(connection, _AT_HAND, at, membership=membership_key)}.values()
    named_at_login = any(row[4] == "asserted" for row in found)
    pushed = _rows(connection, _PUSHED_NAMES, at, membership=membership_key) if named_at_login else []
    names = {(of, name_ci) for of, name_ci, _ in pushed}
    outside_ids = {(of, external_id) for of, _, external_id in pushed if external_id}
    at_hand = []
    for key, uid, name, external_id, source, of, of_uid, of_name, enabled, is_pushed, until in found:
        shadowed = source == "asserted" and ((of, fold(name)) in names or (of, name) in outside_ids)
        ends = None if until is None else moment_of(until)
        group = IdpGroup(uid, name, external_id, source)
        at_hand.append(GroupAtHand(key, group, of, (of_uid, of_name), bool(enabled), bool(is_pushed), shadowed, ends))
    return at_hand


def candidate_grants_at(
    connection: Connection, membership_key: int, roles: Collection[str], at: datetime
) -> list[CandidateGrant]:
    """Every grant of these roles to which the links of that moment could have led, whatever its time and scope said."""
    rows = _rows(connection, _GRANTS, at, membership=membership_key, roles=list(roles))
    scopes = scopes_from(_rows(connection, _SCOPES, at, membership=membership_key)) if rows else {}
    return [
        CandidateGrant(uid, principal, get_role(role), scopes[key], None if ends is None else moment_of(ends))
        for key, uid, principal, role, ends in rows
    ]


class HeldOutBy(NamedTuple):
    """A connection, by its id and name, whose IdP said that somebody was out; of one whom it pushed, or had deleted."""

    connection: tuple[str, str]
    pushed: bool


def removed_since(connection: Connection, membership_key: int, at: datetime) -> datetime | None:
    """When somebody was removed, who was at that moment; else None."""
    rows = _rows(connection, _MEMBERSHIP, at, membership=membership_key)
    return moment_of(rows[0][1]) if rows and rows[0][0] == "removed" else None


def held_out_by(connection: Connection, membership_key: int, at: datetime) -> list[HeldOutBy]:
    """Who held somebody out at that moment."""
    found = {row[0]: row for row in _rows(connection, _OUT, at, membership=membership_key)}
    return [HeldOutBy((uid, name), bool(pushed)) for _, uid, name, pushed in found.values()]


def carried_at(connection: Connection, resource_key: int, at: datetime) -> frozenset[Label]:
    """The labels of a resource at that moment."""
    return frozenset(Label(key, value) for key, value in _rows(connection, _CARRIED, at, resource=resource_key))
