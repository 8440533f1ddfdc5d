"""Members of a workspace: searched, paged, and what their IdPs say of them."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select

from bridge.domain.members import GivenGrant, Member, RecordAtIdp, Standing
from bridge.domain.people import fold_letters
from bridge.storage.access import grants_of
from bridge.storage.accounts import HELD_OUT, names_of_actors
from bridge.storage.changes import Change, alter_facts
from bridge.storage.tables import (
    authentications,
    connections,
    directory_users,
    grants,
    memberships,
    sessions,
    user_group_members,
    users,
)


@dataclass(frozen=True, slots=True)
class StoredMember:
    """A member with the key of the membership and of the account."""

    key: int
    user_key: int
    member: Member


_COLUMNS = (
    memberships.c.id,
    memberships.c.user_id,
    memberships.c.status,
    HELD_OUT.label("held_out"),
    memberships.c.uid,
    users.c.uid.label("user_uid"),
    users.c.name,
    users.c.email,
    memberships.c.accepted_at,
    memberships.c.sso_exempt,
    memberships.c.created_at,
)
_FROM = select(*_COLUMNS).join_from(memberships, users, users.c.id == memberships.c.user_id)


def present_members(workspace_key: int) -> ColumnElement[bool]:
    """The members of a workspace, those that an IdP holds out too; no removed ones."""
    return and_(memberships.c.workspace_id == workspace_key, memberships.c.status == "active")


_GONE = users.alias("gone")
_CLOSED = exists().where(_GONE.c.id == memberships.c.user_id, _GONE.c.closed_at.is_not(None))


def removed_members(workspace_key: int) -> ColumnElement[bool]:
    """Who was a member once; without those whose account was closed since: they can't come back."""
    return and_(memberships.c.workspace_id == workspace_key, memberships.c.status == "removed", ~_CLOSED)


def held_out() -> ColumnElement[bool]:
    """Whom an IdP's record holds out."""
    return HELD_OUT


def inside(chosen: Any) -> ColumnElement[bool]:
    """The memberships that a subquery names."""
    return memberships.c.id.in_(chosen)


def matching(search: str) -> ColumnElement[bool]:
    """Whose name or address contains this text, without case."""
    typed = search.strip()
    # SQLite lowers ASCII only, so a name is compared as typed and capitalised too.
    spellings = {typed, typed.lower(), typed.title()}
    named = [users.c.name.contains(spelling, autoescape=True) for spelling in spellings]
    lowered = func.lower(users.c.name).contains(typed.lower(), autoescape=True)
    return or_(users.c.email_ci.contains(fold_letters(typed), autoescape=True), lowered, *named)


def known_to(connection_uid: str) -> ColumnElement[bool]:
    """Of whom a connection has a record."""
    here = select(connections.c.id).where(connections.c.uid == connection_uid).scalar_subquery()
    return exists().where(directory_users.c.membership_id == memberships.c.id, directory_users.c.connection_id == here)


def given_by_hand() -> ColumnElement[bool]:
    """Who has a grant or a User Group by hand; what a connection gives whoever it brings is not by hand."""
    return or_(
        exists().where(grants.c.principal_id == memberships.c.id, ~grants.c.given_by.startswith("connection:")),
        exists().where(user_group_members.c.membership_id == memberships.c.id),
    )


def list_members(
    connection: Any, where: ColumnElement[bool], *, limit: int | None = None, offset: int = 0, **values: Any
) -> list[StoredMember]:
    """The members that `where` names, by name. `values` are what its subqueries take."""
    chosen = _FROM.where(where).order_by(func.lower(users.c.name), memberships.c.id).limit(limit).offset(offset)
    return [_stored(row) for row in connection.execute(chosen, values)]


def count(connection: Any, where: ColumnElement[bool], **values: Any) -> int:
    """How many members `where` names."""
    chosen = select(func.count()).select_from(memberships).join(users, users.c.id == memberships.c.user_id)
    counted: int = connection.execute(chosen.where(where), values).scalar_one()
    return counted


def keys_in_order(connection: Any, where: ColumnElement[bool]) -> list[int]:
    """The membership keys that `where` names, in the order of `list_members`."""
    chosen = select(memberships.c.id).join_from(memberships, users, users.c.id == memberships.c.user_id).where(where)
    return list(connection.execute(chosen.order_by(func.lower(users.c.name), memberships.c.id)).scalars())


def by_keys(keys: Collection[int]) -> ColumnElement[bool]:
    """These memberships."""
    return memberships.c.id.in_(list(keys))


def page_after(connection: Any, where: ColumnElement[bool], last_key: int, size: int) -> list[StoredMember]:
    """The next `size` of all that `where` names, in the order they joined: for going through them in flat memory."""
    chosen = _FROM.where(where, memberships.c.id > last_key).order_by(memberships.c.id).limit(size)
    return [_stored(row) for row in connection.execute(chosen)]


def with_last_sign_in(connection: Any, members: list[StoredMember], workspace_key: int) -> list[StoredMember]:
    """The same members with when they last signed in, by their account or by this workspace's connections."""
    ours = select(connections.c.id).where(connections.c.workspace_id == workspace_key)
    vouching = or_(authentications.c.connection_id.is_(None), authentications.c.connection_id.in_(ours))
    chosen = (
        select(sessions.c.user_id, func.max(authentications.c.at))
        .join_from(sessions, authentications, authentications.c.session_id == sessions.c.id)
        .where(sessions.c.user_id.in_([one.user_key for one in members]), vouching)
        .group_by(sessions.c.user_id)
    )
    last = dict(connection.execute(chosen).all()) if members else {}
    return [replace(one, member=replace(one.member, last_sign_in=last.get(one.user_key))) for one in members]


def records_of(connection: Any, membership_keys: Collection[int]) -> dict[int, tuple[RecordAtIdp, ...]]:
    """For each of these members what each connection's IdP says of them."""
    columns = directory_users.c
    chosen = (
        select(
            columns.membership_id,
            connections.c.uid,
            connections.c.name,
            columns.pushed,
            columns.active,
            columns.holds_out,
        )
        .join_from(directory_users, connections, connections.c.id == columns.connection_id)
        .where(columns.membership_id.in_(list(membership_keys)))
        .order_by(connections.c.id)
    )
    found: dict[int, tuple[RecordAtIdp, ...]] = {}
    for key, *rest in connection.execute(chosen) if membership_keys else ():
        found[key] = (*found.get(key, ()), RecordAtIdp(*rest))
    return found


def given_grants(connection: Any, principal_key: int) -> tuple[GivenGrant, ...]:
    """The grants that hang on a principal itself, oldest first, with who gave them."""
    return given_grants_of(connection, [principal_key])[principal_key]


def given_grants_of(connection: Any, principal_keys: Collection[int]) -> dict[int, tuple[GivenGrant, ...]]:
    """For each of these principals the same."""
    chosen = select(grants.c.id, grants.c.principal_id, grants.c.uid, grants.c.given_by, grants.c.since)
    here = grants.c.principal_id.in_(list(principal_keys))
    rows = connection.execute(chosen.where(here).order_by(grants.c.id)).all()
    given = grants_of(connection, principal_keys)
    names = names_of_actors(connection, {row.given_by for row in rows})
    found: dict[int, tuple[GivenGrant, ...]] = dict.fromkeys(principal_keys, ())
    for row in rows:
        one = GivenGrant(row.uid, given[row.id][1], row.given_by, names.get(row.given_by), row.since)
        found[row.principal_id] = (*found[row.principal_id], one)
    return found


def lift_holds(change: Change, membership_key: int, *, deleted_only: bool) -> list[str]:
    """Let a person back in whom IdPs' records hold out. Returns the names of the connections concerned."""
    held = and_(directory_users.c.membership_id == membership_key, directory_users.c.holds_out)
    where = and_(held, ~directory_users.c.pushed) if deleted_only else held
    named = select(connections.c.name).join_from(directory_users, connections).where(where)
    names = list(change.connection.execute(named).scalars())
    if names:
        alter_facts(change, directory_users, where, values={"holds_out": False})
    return names


def _stored(row: Any) -> StoredMember:
    status: Standing = "removed" if row.status == "removed" else "suspended" if row.held_out else "active"
    member = Member(
        id=row.uid,
        user_id=row.user_uid,
        name=row.name,
        email=row.email,
        status=status,
        accepted=row.accepted_at is not None,
        sso_exempt=bool(row.sso_exempt),
        member_since=row.created_at,
    )
    return StoredMember(row.id, row.user_id, member)
