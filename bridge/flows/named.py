"""What a caller names, found or refused: the first lines of most flows."""

from collections.abc import Collection, Sequence
from typing import Any

from bridge.domain.errors import Forbidden, NotFound, NotInPlan, Stale
from bridge.domain.roles import OWNER, has_sso
from bridge.domain.workspace import Connection, Membership, User, Workspace
from bridge.storage.access import may
from bridge.storage.changes import Change
from bridge.storage.connections import find_by_uid, hold_connection
from bridge.storage.people import (
    find_member,
    find_membership_by_uid,
    find_user_by_email,
    find_user_by_key,
    find_user_by_uid,
    hold_members,
)
from bridge.storage.workspaces import find_by_slug


def get_workspace(connection: Any, slug: str) -> Workspace:
    """The workspace with this slug. Raises NotFound."""
    workspace = find_by_slug(connection, slug)
    if workspace is None:
        raise no_workspace(slug)
    return workspace


def no_workspace(slug: str) -> NotFound:
    """What is said of a workspace that isn't there."""
    return NotFound(f"There is no workspace {slug[:80]!r}.")


def get_connection(connection: Any, workspace: Workspace, connection_id: str) -> Connection:
    """The workspace's connection with this id. Raises NotFound, also for another workspace's."""
    found = find_by_uid(connection, connection_id)
    if found is None or found.workspace_key != workspace.key:
        raise NotFound(f"{workspace.name} has no connection {connection_id[:80]!r}.")
    return found


def get_own_connection(change: Change, workspace_slug: str, connection_id: str) -> tuple[Workspace, Connection]:
    """A workspace and its connection, for who may change it; nobody else does until the change ends.

    Raises NotFound, Forbidden (not an owner).
    """
    workspace = get_workspace(change.connection, workspace_slug)
    owner_acting(change, workspace)
    hold_connection(change, connection_id)
    return workspace, get_connection(change.connection, workspace, connection_id)


def get_member_by_email(connection: Any, workspace: Workspace, email: str) -> tuple[User, Membership]:
    """The person with this address who is, or was, a member. Raises NotFound."""
    user = find_user_by_email(connection, email)
    membership = find_member(connection, workspace.key, user.key) if user else None
    if user is None or membership is None:
        raise NotFound(f"{email[:100]} is no member of {workspace.name}.")
    return user, membership


def get_member(connection: Any, workspace: Workspace, membership_id: str) -> tuple[User, Membership]:
    """The membership with this outside id, removed or not, and its person. Raises NotFound."""
    membership = find_membership_by_uid(connection, membership_id)
    user = find_user_by_key(connection, membership.user_key) if membership else None
    if user is None or membership is None or membership.workspace_key != workspace.key:
        raise NotFound(f"{workspace.name} has no such member.")
    return user, membership


def hold_active(change: Change, workspace: Workspace, found: Sequence[tuple[User, Membership]]) -> None:
    """Refuse what only makes sense for present members; they stay members until the change ends. Raises NotFound."""
    active = hold_members(change, [membership.key for _, membership in found])
    check_members(workspace, found, active)


def check_members(workspace: Workspace, found: Sequence[tuple[User, Membership]], active: Collection[int]) -> None:
    """Refuse people whose memberships aren't among these. Raises NotFound."""
    for user, membership in found:
        if membership.key not in active:
            raise NotFound(f"{user.email} is no member of {workspace.name} any more.")


#: What there is to do where the plan has neither SSO nor SCIM: the plan is the operator's to change, no owner's.
WAY_TO_SSO = "That takes the business plan. Whoever runs this bridge can change the plan."


def check_sso_in_plan(workspace: Workspace) -> None:
    """SSO and SCIM are part of the business plan only. Raises NotInPlan."""
    if not has_sso(workspace.plan):
        raise NotInPlan(
            f"Single sign-on and SCIM are not part of the {workspace.plan} plan that {workspace.name} is on. "
            f"{WAY_TO_SSO}"
        )


def check_not_stale(found: Connection, read_at: int | None) -> None:
    """Refuse what was made of a form that showed the connection at another version than this. Raises Stale."""
    if read_at not in (None, found.version):
        raise Stale(f"{found.name} was changed while you were editing. This is not saved yet: look at what differs.")


def owner_acting(change: Change, workspace: Workspace) -> int | None:
    """The key of the membership that acts, if a person does: only owners may. None for the operator and the system.

    Raises Forbidden.
    """
    kind, _, uid = change.actor.partition(":")
    if kind != "user":
        return None
    user = find_user_by_uid(change.connection, uid)
    membership = find_member(change.connection, workspace.key, user.key) if user else None
    if membership is None or not may(change.connection, membership.key, [OWNER.id], None, change.now):
        raise Forbidden("Only Workspace Owners can do this.")
    return membership.key
