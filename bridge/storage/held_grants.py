"""Grants of a workspace as they are looked at: what is given, and who holds it, whether or not it gives anything."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select

from bridge.domain.access import HeldGrant, RoleInScope
from bridge.domain.roles import get_role
from bridge.storage.access import scopes_of
from bridge.storage.tables import (
    directory_groups,
    grants,
    mappings,
    memberships,
    principals,
    tokens,
    user_groups,
    users,
)

#: A rule that takes one group, by whichever id, is told by that group's name.
_GROUP_TAKEN = (
    select(directory_groups.c.name)
    .where(directory_groups.c.connection_id == mappings.c.connection_id)
    .where(
        or_(
            and_(mappings.c.match == "id", directory_groups.c.uid == mappings.c.value),
            and_(mappings.c.match == "external_id", directory_groups.c.external_id == mappings.c.value),
        )
    )
    .limit(1)
    .scalar_subquery()
)
_NAME = func.coalesce(users.c.name, user_groups.c.name, _GROUP_TAKEN, mappings.c.value, tokens.c.description)
_UID = func.coalesce(memberships.c.uid, user_groups.c.uid, mappings.c.uid, tokens.c.uid)
_HELD = (
    select(grants.c.id, grants.c.role, principals.c.kind, _NAME.label("holder"), _UID.label("holder_id"))
    .join_from(grants, principals, principals.c.id == grants.c.principal_id)
    .outerjoin(memberships, memberships.c.id == principals.c.id)
    .outerjoin(users, users.c.id == memberships.c.user_id)
    .outerjoin(user_groups, user_groups.c.id == principals.c.id)
    .outerjoin(mappings, mappings.c.id == principals.c.id)
    .outerjoin(tokens, tokens.c.principal_id == principals.c.id)
)


def list_held(
    connection: Any, workspace_key: int, which: ColumnElement[bool], most: int, *, after: int = 0
) -> list[tuple[int, HeldGrant]]:
    """Those grants of a workspace of which `which` holds, in the order in which they were given, with their keys.

    At most `most`, later than the one with the key `after`.
    """
    chosen = _HELD.where(principals.c.workspace_id == workspace_key, which, grants.c.id > after)
    rows = connection.execute(chosen.order_by(grants.c.id).limit(most)).all()
    scopes = scopes_of(connection, [row.id for row in rows])
    return [
        (key, HeldGrant(RoleInScope(get_role(role), scopes[key]), kind, name or "", uid or ""))
        for key, role, kind, name, uid in rows
    ]


def of_roles(roles: Collection[str], now: datetime) -> ColumnElement[bool]:
    """Grants of these roles (ids) that haven't run out."""
    return and_(grants.c.role.in_(sorted(roles)), or_(grants.c.expires_at.is_(None), grants.c.expires_at > now))


def count_by_role(connection: Any, workspace_key: int, which: ColumnElement[bool]) -> dict[str, int]:
    """How many of those grants there are of each role, by its id."""
    chosen = (
        select(grants.c.role, func.count())
        .join_from(grants, principals, principals.c.id == grants.c.principal_id)
        .where(principals.c.workspace_id == workspace_key, which)
    )
    return dict(connection.execute(chosen.group_by(grants.c.role)).all())
