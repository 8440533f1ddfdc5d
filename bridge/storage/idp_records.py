"""Groups and people of all connections of a workspace, as each IdP says them: searched, paged, and one of them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select

from bridge.domain.idp_records import GroupMemberSeen, IdpGroupSeen, InIdpGroup, RecordSeen, state_of
from bridge.domain.people import fold, fold_letters
from bridge.storage.tables import (
    ASSERTED_GROUP,
    PUSHED_GROUP,
    connections,
    directory_groups,
    directory_users,
    grants,
    group_members,
    mapping_matches,
    mapping_user_groups,
    memberships,
)

_GROUPS, _PEOPLE, _IN = directory_groups.c, directory_users.c, group_members.c
_RULES = (
    select(func.count()).select_from(mapping_matches).where(mapping_matches.c.group_id == _GROUPS.id).scalar_subquery()
)


@dataclass(frozen=True, slots=True)
class StoredIdpGroup:
    """An IdP group with its key and its connection's."""

    key: int
    connection_key: int
    group: IdpGroupSeen


# -- Groups ----------------------------------------------------------------------------------------------------------


def _gives(roles: Collection[str], now: datetime) -> ColumnElement[bool]:
    """Whether a rule that takes the group gives any of these roles, itself or by a User Group."""
    lasting = or_(grants.c.expires_at.is_(None), grants.c.expires_at > now)
    by_rule = exists().where(grants.c.principal_id == mapping_matches.c.mapping_id, grants.c.role.in_(roles), lasting)
    by_group = exists().where(
        mapping_user_groups.c.mapping_id == mapping_matches.c.mapping_id,
        grants.c.principal_id == mapping_user_groups.c.user_group_id,
        grants.c.role.in_(roles),
        lasting,
    )
    taken = select(mapping_matches.c.mapping_id).where(mapping_matches.c.group_id == _GROUPS.id, or_(by_rule, by_group))
    return taken.exists()


def groups_where(
    workspace_key: int, *, search: str = "", connection_uid: str = "", source: str = ""
) -> ColumnElement[bool]:
    """The groups of a workspace whose name holds `search`, of one connection, pushed or asserted."""
    conditions = [connections.c.workspace_id == workspace_key, _GROUPS.name_ci.contains(fold(search), autoescape=True)]
    conditions += [connections.c.uid == connection_uid] if connection_uid else []
    conditions += [PUSHED_GROUP] if source == "pushed" else [ASSERTED_GROUP] if source == "asserted" else []
    return and_(*conditions)


def idle_where(roles: Collection[str], now: datetime) -> ColumnElement[bool]:
    """The groups of which nothing gives any of these roles."""
    return ~_gives(roles, now)


def list_groups(
    connection: Any, where: ColumnElement[bool], roles: Collection[str], now: datetime, *, limit: int, offset: int
) -> tuple[list[StoredIdpGroup], int]:
    """A page of groups by name, and how many there are in all. `roles`: what counts as giving something."""
    chosen = _groups(roles, now).where(where).order_by(_GROUPS.name_ci, _GROUPS.id).limit(limit).offset(offset)
    total = select(func.count()).select_from(directory_groups.join(connections)).where(where)
    found = [_group(row) for row in connection.execute(chosen)]
    return found, int(connection.execute(total).scalar_one())


def find_group(
    connection: Any, workspace_key: int, uid: str, roles: Collection[str], now: datetime
) -> StoredIdpGroup | None:
    """One group of a workspace, or None."""
    here = and_(connections.c.workspace_id == workspace_key, _GROUPS.uid == uid)
    row = connection.execute(_groups(roles, now).where(here)).first()
    return None if row is None else _group(row)


def _groups(roles: Collection[str], now: datetime) -> Select[Any]:
    return select(
        _GROUPS.id,
        _GROUPS.uid,
        _GROUPS.name,
        _GROUPS.external_id,
        _GROUPS.source,
        connections.c.id.label("connection_key"),
        connections.c.uid.label("connection_uid"),
        connections.c.name.label("connection"),
        _GROUPS.n_members,
        _RULES.label("rules"),
        _gives(roles, now).label("gives"),
        _GROUPS.created_at,
        _GROUPS.modified_at,
    ).select_from(directory_groups.join(connections))


def _group(row: Any) -> StoredIdpGroup:
    seen = IdpGroupSeen(
        id=row.uid,
        name=row.name,
        external_id=row.external_id,
        source="pushed" if row.source == "scim" else "asserted",
        connection_id=row.connection_uid,
        connection=row.connection,
        members=row.n_members,
        rules=row.rules,
        idle=not row.gives,
        created_at=row.created_at,
        changed_at=row.modified_at,
    )
    return StoredIdpGroup(row.id, row.connection_key, seen)


def list_group_members(
    connection: Any, group: StoredIdpGroup, *, search: str = "", limit: int, offset: int
) -> tuple[list[GroupMemberSeen], int]:
    """A page of who is in a group, by name; and how many there are in all."""
    where = and_(_IN.group_id == group.key, _named(search))
    joined = group_members.join(directory_users, _PEOPLE.id == _IN.directory_user_id)
    chosen = (
        select(_PEOPLE.uid, _PEOPLE.display_name, _PEOPLE.user_name, *_STATE, _IN.since, _PEOPLE.asserted_until)
        .select_from(joined)
        .where(where)
        .order_by(func.lower(_PEOPLE.display_name), _PEOPLE.id)
    )
    total = connection.execute(select(func.count()).select_from(joined).where(where)).scalar_one()
    asserted = group.group.source == "asserted"
    found = [
        GroupMemberSeen(row[0], row[1], row[2], _state(row[3:7]), row[7], row[8] if asserted else None)
        for row in connection.execute(chosen.limit(limit).offset(offset))
    ]
    return found, int(total)


def rules_of_group(connection: Any, group_key: int) -> list[int]:
    """The keys of the rules that take a group now."""
    pairs = mapping_matches.c
    chosen = select(pairs.mapping_id).where(pairs.group_id == group_key).order_by(pairs.mapping_id)
    return list(connection.execute(chosen).scalars())


# -- People ----------------------------------------------------------------------------------------------------------

_STATE = (_PEOPLE.pushed, _PEOPLE.active, _PEOPLE.holds_out, _PEOPLE.membership_id)
_RECORD = (
    _PEOPLE.id,
    _PEOPLE.uid,
    _PEOPLE.display_name,
    _PEOPLE.user_name,
    _PEOPLE.email_ci,
    _PEOPLE.external_id,
    *_STATE,
    connections.c.uid,
    connections.c.name,
    memberships.c.uid,
    _PEOPLE.created_at,
    _PEOPLE.modified_at,
    _PEOPLE.asserted_until,
)
_RECORDS = directory_users.join(connections, connections.c.id == _PEOPLE.connection_id).outerjoin(
    memberships, memberships.c.id == _PEOPLE.membership_id
)


def _named(search: str) -> ColumnElement[bool]:
    """Whose name, user name or address holds this text, without case."""
    typed = search.strip()
    # SQLite lowers ASCII only, so a name is compared as typed and capitalised too.
    names = [_PEOPLE.display_name.contains(one, autoescape=True) for one in {typed, typed.title()}]
    lowered = func.lower(_PEOPLE.display_name).contains(typed.lower(), autoescape=True)
    said = [
        column.contains(fold_letters(typed), autoescape=True) for column in (_PEOPLE.user_name_ci, _PEOPLE.email_ci)
    ]
    return or_(lowered, *names, *said)


_OF_STATE: dict[str, ColumnElement[bool]] = {
    "no_account": _PEOPLE.membership_id.is_(None),
    "suspended": and_(_PEOPLE.membership_id.is_not(None), or_(_PEOPLE.holds_out, ~_PEOPLE.active)),
    "active": and_(_PEOPLE.membership_id.is_not(None), _PEOPLE.pushed, _PEOPLE.active, ~_PEOPLE.holds_out),
    "signs_in": and_(_PEOPLE.membership_id.is_not(None), ~_PEOPLE.pushed, _PEOPLE.active, ~_PEOPLE.holds_out),
}


def people_where(
    workspace_key: int, *, search: str = "", connection_uid: str = "", state: str = ""
) -> ColumnElement[bool]:
    """The records of a workspace's connections that hold `search`, of one connection, in one state."""
    conditions = [connections.c.workspace_id == workspace_key, _named(search)]
    conditions += [connections.c.uid == connection_uid] if connection_uid else []
    conditions += [_OF_STATE[state]] if state in _OF_STATE else []
    return and_(*conditions)


def list_people(
    connection: Any, where: ColumnElement[bool], *, limit: int, offset: int
) -> tuple[list[RecordSeen], int]:
    """A page of records by name, and how many there are in all."""
    ordered = select(*_RECORD).select_from(_RECORDS).where(where).order_by(func.lower(_PEOPLE.display_name), _PEOPLE.id)
    total = connection.execute(select(func.count()).select_from(_RECORDS).where(where)).scalar_one()
    return [_record(row) for row in connection.execute(ordered.limit(limit).offset(offset))], int(total)


def find_record(connection: Any, workspace_key: int, uid: str) -> tuple[int, RecordSeen, dict[str, Any]] | None:
    """(key, record, what the IdP sent), or None."""
    here = and_(connections.c.workspace_id == workspace_key, _PEOPLE.uid == uid)
    row = connection.execute(select(*_RECORD, _PEOPLE.document).select_from(_RECORDS).where(here)).first()
    return None if row is None else (row[0], _record(row[:-1]), row[-1])


def groups_of_record(connection: Any, record_key: int) -> list[InIdpGroup]:
    """The groups that a record is in, by name."""
    chosen = (
        select(_GROUPS.uid, _GROUPS.name, _GROUPS.source, _IN.since)
        .join_from(group_members, directory_groups, _GROUPS.id == _IN.group_id)
        .where(_IN.directory_user_id == record_key)
        .order_by(_GROUPS.name_ci, _GROUPS.id)
    )
    return [
        InIdpGroup(uid, name, "pushed" if source == "scim" else "asserted", since)
        for uid, name, source, since in connection.execute(chosen)
    ]


def _state(values: Any) -> Any:
    pushed, active, holds_out, membership = values
    return state_of(pushed=pushed, active=active, holds_out=holds_out, linked=membership is not None)


def _record(row: Any) -> RecordSeen:
    _, uid, name, user_name, email, external_id, *state, connection_uid, connection, member, made, changed, until = row
    said = (uid, name, user_name, email, external_id, _state(state))
    return RecordSeen(*said, connection_uid, connection, member, made, changed, until)
