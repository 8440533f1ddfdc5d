"""What a workspace's file says, as it stands: what was given and put in by hand, and names for what has an id."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, not_, or_, select

from bridge.domain.access import RoleInScope
from bridge.domain.people import fold, fold_letters
from bridge.domain.roles import MINIMAL
from bridge.storage.access import grants_of, in_batches
from bridge.storage.tables import (
    PUSHED_GROUP,
    directory_groups,
    grants,
    memberships,
    user_group_members,
    user_groups,
    users,
)

#: What came with a membership or a mirror: nobody gave it by hand.
_AUTOMATIC = and_(
    grants.c.role == MINIMAL.id, grants.c.scope == "all", not_(or_(
        grants.c.given_by == "operator", grants.c.given_by.like("user:%"), grants.c.given_by.like("token:%")
    ))
)  # fmt: skip


def members_given_by_hand(connection: Any, workspace_key: int) -> dict[int, str]:
    """The keys and addresses of present members who were given a role by hand, in order of address."""
    chosen = (
        select(memberships.c.id, users.c.email)
        .join_from(grants, memberships, memberships.c.id == grants.c.principal_id)
        .join(users, users.c.id == memberships.c.user_id)
        .where(_present(workspace_key), not_(_AUTOMATIC))
        .distinct()
        .order_by(users.c.email, memberships.c.id)
    )
    return {row.id: row.email for row in connection.execute(chosen)}


def members_by_address(connection: Any, workspace_key: int, emails: Collection[str]) -> dict[str, int]:
    """The keys of present members, by their addresses folded as letters; only those that are there."""
    found: dict[str, int] = {}
    folded = sorted({fold_letters(email) for email in emails})
    for start in range(0, len(folded), 500):
        chosen = select(users.c.email_ci, memberships.c.id).join_from(
            memberships, users, users.c.id == memberships.c.user_id
        )
        here = and_(users.c.email_ci.in_(folded[start : start + 500]), users.c.closed_at.is_(None))
        found |= {row.email_ci: row.id for row in connection.execute(chosen.where(_present(workspace_key), here))}
    return found


def _present(workspace_key: int) -> ColumnElement[bool]:
    return and_(memberships.c.workspace_id == workspace_key, memberships.c.status == "active")


@dataclass(frozen=True, slots=True)
class HeldByHand:
    """What one principal was given: by hand, and what came by itself."""

    by_hand: tuple[RoleInScope, ...] = ()
    automatic: tuple[RoleInScope, ...] = ()


def grants_by_hand(connection: Any, principals: Collection[int]) -> dict[int, HeldByHand]:
    """What each of these principals was given."""
    found: dict[int, tuple[list[RoleInScope], list[RoleInScope]]] = {key: ([], []) for key in principals}
    for batch in in_batches(principals):
        chosen = select(grants.c.id).where(grants.c.principal_id.in_(batch), _AUTOMATIC)
        automatic = set(connection.execute(chosen).scalars())
        for grant, (principal, given) in grants_of(connection, batch).items():
            found[principal][grant in automatic].append(given)
    return {key: HeldByHand(tuple(by_hand), tuple(automatic)) for key, (by_hand, automatic) in found.items()}


def find_grant_id(connection: Any, principal: int, given: RoleInScope) -> str | None:
    """The outside id of a principal's grant of just that, or None."""
    held = grants_of(connection, [principal])
    key = next((key for key, (_, one) in held.items() if one == given), None)
    uid: str | None = connection.execute(select(grants.c.uid).where(grants.c.id == key)).scalar()
    return uid


def people_by_hand(connection: Any, workspace_key: int) -> dict[int, list[str]]:
    """Who is in each User Group by hand: addresses by the group's key, in order."""
    chosen = (
        select(user_group_members.c.user_group_id, users.c.email)
        .join_from(user_group_members, user_groups, user_groups.c.id == user_group_members.c.user_group_id)
        .join(memberships, memberships.c.id == user_group_members.c.membership_id)
        .join(users, users.c.id == memberships.c.user_id)
        .where(user_groups.c.workspace_id == workspace_key)
        .order_by(users.c.email)
    )
    found: dict[int, list[str]] = {}
    for key, email in connection.execute(chosen):
        found.setdefault(key, []).append(email)
    return found


def pushed_groups_called(connection: Any, connection_key: int, names: Collection[str]) -> dict[str, list[str]]:
    """The outside ids of a connection's pushed groups of these names, by folded name."""
    found: dict[str, list[str]] = {}
    folded = sorted({fold(name) for name in names})
    columns = directory_groups.c
    for start in range(0, len(folded), 500):
        here = and_(columns.connection_id == connection_key, columns.name_ci.in_(folded[start : start + 500]))
        chosen = select(columns.name, columns.uid).where(here, PUSHED_GROUP).order_by(columns.id)
        for name, uid in connection.execute(chosen):
            found.setdefault(fold(name), []).append(uid)
    return found
