"""How many of each thing a workspace has, and who owns it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select

from bridge.domain.roles import OWNER
from bridge.storage.tables import grants, invites, memberships, tokens, user_groups, users


def count_each(connection: Any, workspace_key: int) -> Mapping[str, int]:
    """How many `people`, `invited`, `user_groups` and `tokens`. One statement."""
    active, pending = memberships.c.status == "active", (invites.c.used_at.is_(None), invites.c.revoked_at.is_(None))
    chosen = {
        "people": select(func.count()).where(memberships.c.workspace_id == workspace_key, active),
        "invited": select(func.count()).where(invites.c.workspace_id == workspace_key, *pending),
        "user_groups": select(func.count()).where(user_groups.c.workspace_id == workspace_key),
        "tokens": select(func.count()).where(tokens.c.workspace_id == workspace_key),
    }
    each = select(*(one.scalar_subquery().label(name) for name, one in chosen.items()))
    counted: Mapping[str, int] = connection.execute(each).mappings().one()
    return counted


def owner_names(connection: Any, workspace_key: int, most: int) -> list[str]:
    """The names of the owners named by hand, those who have owned it longest first."""
    chosen = (
        select(users.c.name)
        .select_from(grants)
        .join(memberships, memberships.c.id == grants.c.principal_id)
        .join(users, users.c.id == memberships.c.user_id)
        .where(memberships.c.workspace_id == workspace_key, memberships.c.status == "active")
        .where(grants.c.role == OWNER.id)
        .order_by(grants.c.id)
        .limit(most)
    )
    return list(connection.execute(chosen).scalars())
