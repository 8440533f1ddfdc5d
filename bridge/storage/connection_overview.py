"""What hangs on each connection: who signs in by it, when somebody last did, its domains, rules and tokens."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, and_, func, literal_column, or_, select

from bridge.storage.sessions import ON_SINCE
from bridge.storage.tables import (
    authentications,
    connections,
    directory_users,
    domains,
    identities,
    mapping_user_groups,
    mappings,
    memberships,
    sessions,
    sign_in_attempts,
    tokens,
)


@dataclass(frozen=True, slots=True)
class StoredOverview:
    """One connection, counted. `signed_in` are the people whose session holds a sign-in by it now; `held_out` the
    members whom its records keep out; `rules` leaves out those that the system made for mirrors.
    """

    key: int
    people: int
    pushed: int
    groups: int
    identities: int
    signed_in: int
    held_out: int
    rules: int
    tokens: int
    last_sign_in: datetime | None
    domains: tuple[str, ...] = ()


def overviews(connection: Any, workspace_key: int, now: datetime) -> dict[int, StoredOverview]:
    """The connections of a workspace by their keys. Two statements."""
    counted = select(
        connections.c.id,
        _count(directory_users, directory_users.c.membership_id.is_not(None)),
        connections.c.n_users,
        connections.c.n_groups,
        _count(identities),
        _signed_in(now),
        _held_out(),
        _count(mappings, mappings.c.origin != "mirror"),
        _count(tokens, or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > now)),
        _last_sign_in(),
    ).where(connections.c.workspace_id == workspace_key)
    named = _domains(connection, workspace_key)
    rows = connection.execute(counted).all()
    return {row[0]: replace(StoredOverview(*row), domains=tuple(named.get(row[0], ()))) for row in rows}


def _count(table: Any, *where: ColumnElement[bool]) -> ScalarSelect[int]:
    counted = select(func.count()).select_from(table).where(table.c.connection_id == connections.c.id, *where)
    return counted.correlate(connections).scalar_subquery()


def _signed_in(now: datetime) -> ScalarSelect[int]:
    lasting = or_(authentications.c.ends_at.is_(None), authentications.c.ends_at > now)
    return (
        select(func.count(sessions.c.user_id.distinct()))
        .select_from(authentications.join(sessions, sessions.c.id == authentications.c.session_id))
        .where(authentications.c.connection_id == connections.c.id, lasting, sessions.c.ends_at > now, ON_SINCE)
        .correlate(connections)
        .scalar_subquery()
    )


def _held_out() -> ScalarSelect[int]:
    held = and_(directory_users.c.connection_id == connections.c.id, directory_users.c.holds_out)
    return (
        select(func.count())
        .select_from(directory_users.join(memberships, memberships.c.id == directory_users.c.membership_id))
        .where(held, memberships.c.status == "active")
        .correlate(connections)
        .scalar_subquery()
    )


def _last_sign_in() -> ScalarSelect[Any]:
    """By the index of good ones alone: an outcome that was bound would say nothing of it to the planner."""
    is_good = sign_in_attempts.c.outcome == literal_column("'signed_in'")
    newest = select(func.max(sign_in_attempts.c.at)).where(
        sign_in_attempts.c.connection_id == connections.c.id, is_good
    )
    return newest.correlate(connections).scalar_subquery()


def _domains(connection: Any, workspace_key: int) -> dict[int, list[str]]:
    chosen = select(domains.c.connection_id, domains.c.name).where(
        domains.c.workspace_id == workspace_key, domains.c.connection_id.is_not(None)
    )
    found: dict[int, list[str]] = {}
    for key, name in connection.execute(chosen.order_by(domains.c.name)):
        found.setdefault(key, []).append(name)
    return found


def principals_of(connection: Any, connection_key: int) -> Collection[int]:
    """Whose grants come by a connection: those of its rules, and of the User Groups that they give."""
    rules = select(mappings.c.id).where(mappings.c.connection_id == connection_key)
    given = select(mapping_user_groups.c.user_group_id).where(mapping_user_groups.c.mapping_id.in_(rules))
    return set(connection.execute(rules.union(given)).scalars())
