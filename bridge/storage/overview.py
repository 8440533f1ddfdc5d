"""How many of each thing a workspace has, and who owns it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, or_, select, text, union

from bridge.domain.roles import OWNER
from bridge.storage.access import ALIVE, COUNTS
from bridge.storage.accounts import HELD_OUT
from bridge.storage.columns import Instant
from bridge.storage.tables import (
    access_requests,
    connections,
    directory_groups,
    directory_users,
    grants,
    group_members,
    invites,
    labels,
    mapping_matches,
    mapping_user_groups,
    mappings,
    memberships,
    principals,
    resources,
    tokens,
    user_group_members,
    user_groups,
    users,
)


def count_each(connection: Any, workspace_key: int) -> Mapping[str, int]:
    """How many `people`, `invited`, `user_groups`, `tokens`, `resources`, `labels` and open access `requests`.

    One statement.
    """
    active, pending = memberships.c.status == "active", (invites.c.used_at.is_(None), invites.c.revoked_at.is_(None))
    chosen = {
        "people": select(func.count()).where(memberships.c.workspace_id == workspace_key, active, ~HELD_OUT),
        "invited": select(func.count()).where(invites.c.workspace_id == workspace_key, *pending),
        "user_groups": select(func.count()).where(user_groups.c.workspace_id == workspace_key),
        "tokens": select(func.count()).where(tokens.c.workspace_id == workspace_key),
        "resources": select(func.count()).where(resources.c.workspace_id == workspace_key),
        "labels": select(func.count()).where(labels.c.workspace_id == workspace_key),
        "requests": select(func.count())
        .select_from(access_requests.join(memberships))
        .where(memberships.c.workspace_id == workspace_key, active, ~HELD_OUT),
    }
    each = select(*(one.scalar_subquery().label(name) for name, one in chosen.items()))
    counted: Mapping[str, int] = connection.execute(each).mappings().one()
    return counted


def count_mapping(connection: Any, workspace_key: int) -> Mapping[str, int]:
    """How many `rules` (without mirrors), IdP `groups`, and `records` of people. One statement."""
    written = mappings.c.origin != "mirror"
    here = connections.c.workspace_id == workspace_key
    chosen = {
        "rules": select(func.count()).where(mappings.c.workspace_id == workspace_key, written),
        "groups": select(func.count()).select_from(directory_groups.join(connections)).where(here),
        "records": select(func.count()).select_from(directory_users.join(connections)).where(here),
    }
    each = select(*(one.scalar_subquery().label(name) for name, one in chosen.items()))
    counted: Mapping[str, int] = connection.execute(each).mappings().one()
    return counted


# -- Owners ------------------------------------------------------------------------------------------

_M = memberships.alias("m")
_D = directory_users.alias("d")
_MM = mapping_matches.alias("mm")
_NAMED = select(_M.c.id, users.c.name).join_from(_M, users, users.c.id == _M.c.user_id).where(text(ALIVE))


def owner_names(connection: Any, workspace_key: int, most: int, now: datetime) -> list[str]:
    """The names of owners who are in: those named by hand, longest first; then, by name, those by other paths."""
    owning = _owning(workspace_key, now)
    by_hand = _NAMED.join(grants, grants.c.principal_id == _M.c.id).order_by(grants.c.id)
    first = by_hand.where(grants.c.principal_id.in_(owning), grants.c.role == OWNER.id).limit(most)
    found = dict(connection.execute(first).all())
    if len(found) < most:
        others = _NAMED.where(_M.c.id.in_(_brought(owning, now)), _M.c.id.not_in(list(found)))
        found |= dict(connection.execute(others.order_by(users.c.name).limit(most - len(found))).all())
    return list(found.values())


def _owning(workspace_key: int, now: datetime) -> Any:
    """Whoever holds a grant of ownership: memberships, User Groups, rules."""
    lasting = or_(grants.c.expires_at.is_(None), grants.c.expires_at > now)
    here = (principals.c.workspace_id == workspace_key, grants.c.role == OWNER.id, lasting)
    return select(grants.c.principal_id).join_from(grants, principals).where(*here)


def _brought(owning: Any, now: datetime) -> Any:
    """The memberships in User Groups, or in IdP groups that a rule matches, where those give ownership."""
    by_hand = select(user_group_members.c.membership_id).where(user_group_members.c.user_group_id.in_(owning))
    through = select(mapping_user_groups.c.mapping_id).where(mapping_user_groups.c.user_group_id.in_(owning))
    by_rule = (
        select(_D.c.membership_id)
        .join_from(_MM, group_members, group_members.c.group_id == _MM.c.group_id)
        .join(_D, _D.c.id == group_members.c.directory_user_id)
        .where(or_(_MM.c.mapping_id.in_(owning), _MM.c.mapping_id.in_(through)))
        .where(text(COUNTS).bindparams(bindparam("now", now, type_=Instant)))
    )
    return union(by_hand, by_rule)
