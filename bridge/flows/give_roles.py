"""Roles given by hand, to a member or to a User Group, and taken again (product.md 1.2 to 1.4).

A grant is never changed: another scope is the end of one and the beginning of another. Ownership is the grant
Workspace Owner, so the last one who owns by hand keeps it, whoever asks.
"""

from dataclasses import dataclass
from datetime import datetime

from bridge.domain.access import RoleInScope, Scope
from bridge.domain.errors import NotFound
from bridge.domain.previews import EndGrant, MoveGrant, Seen
from bridge.domain.roles import OWNER
from bridge.domain.workspace import Membership, Workspace
from bridge.flows.context import Context
from bridge.flows.named import get_member, get_workspace, hold_active, owner_acting
from bridge.flows.preview import hold_seen
from bridge.flows.roles_given import check_given_once, check_role_in_plan, get_given_by_hand, no_grant
from bridge.storage import access, grants, user_groups
from bridge.storage.changes import Change
from bridge.storage.grants import StoredGrant
from bridge.storage.people import hold_members
from bridge.storage.workspaces import check_last_owner, guarding_owners


@dataclass(frozen=True, slots=True)
class NewGrant:
    """A grant just given."""

    id: str
    given: RoleInScope


def give_to_member(
    context: Context, actor: str, workspace_slug: str, membership_id: str, given: RoleInScope, now: datetime
) -> NewGrant:
    """Give a member a role in a scope.

    Raises NotFound (the member, a listed resource, a label), Conflict (the member has just that by hand), NotInPlan,
    Forbidden.
    """
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        user, membership = get_member(change.connection, workspace, membership_id)
        hold_active(change, workspace, [(user, membership)])
        return give(change, workspace, membership.key, f"member:{membership.id}", given)


def give_to_user_group(
    context: Context, actor: str, workspace_slug: str, user_group_id: str, given: RoleInScope, now: datetime
) -> NewGrant:
    """Give everybody in a User Group a role in a scope. Raises as `give_to_member` does."""
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        found = user_groups.find_user_group(change.connection, workspace.key, uid=user_group_id)
        if found is None:
            raise NotFound(f"{workspace.name} has no such User Group.")
        return give(change, workspace, found.key, f"user_group:{found.group.id}", given)


def change_scope(
    context: Context,
    actor: str,
    workspace_slug: str,
    grant_id: str,
    scope: Scope,
    now: datetime,
    *,
    seen: Seen | None = None,
) -> NewGrant:
    """End a grant and give the same role in another scope. Who was shown what that does gives it as `seen`.

    Raises NotFound, Conflict (as `end_grant`; given there already), Forbidden, Moved (it would do something else).
    """
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        stored, before = get_given_by_hand(change.connection, workspace, grant_id)
        if before.scope == scope:
            return NewGrant(grant_id, before)
        _hold_holder(change, workspace, stored, grant_id)
        hold_seen(change, workspace, MoveGrant(grant_id, scope), seen)
        if not grants.end_grant_keys(change, [stored.key]):
            raise no_grant(workspace, grant_id)
        after = RoleInScope(before.role, scope)
        check_given_once(change.connection, stored.principal_key, after)
        _, uid = grants.insert_grant(change, workspace.key, stored.principal_key, after, actor)
        told = {"before": {"grant": grant_id, **_told(before)}, "after": {"grant": uid, **_told(after)}}
        change.record(workspace.key, "grant.scope_changed", grant_id, **told)
        return NewGrant(uid, after)


def end_grant(
    context: Context, actor: str, workspace_slug: str, grant_id: str, now: datetime, *, seen: Seen | None = None
) -> NewGrant:
    """Take a grant that was given by hand. Returns what it gave. Who was shown who loses what gives it as `seen`.

    Raises NotFound, LastOwner, Conflict (it hangs on a rule or token: change that), Forbidden (not an owner), Moved.
    """
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        stored, _ = get_given_by_hand(change.connection, workspace, grant_id)
        _hold_holder(change, workspace, stored, grant_id)
        hold_seen(change, workspace, EndGrant(grant_id), seen)
        return take(change, workspace, grant_id)


def _hold_holder(change: Change, workspace: Workspace, stored: StoredGrant, grant_id: str) -> None:
    """Hold the member whose grant it is: with a membership all grants of it end, and none may be made beside that."""
    if stored.principal_kind == "membership" and not hold_members(change, [stored.principal_key], alone=True):
        raise no_grant(workspace, grant_id)


def take(change: Change, workspace: Workspace, grant_id: str) -> NewGrant:
    """The same inside another flow, which knows who may."""
    stored, given = get_given_by_hand(change.connection, workspace, grant_id)
    of_owner = stored.principal_kind == "membership" and stored.role == OWNER.id
    guarded = of_owner and guarding_owners(change, workspace.key, stored.principal_key)
    grants.end_grant_keys(change, [stored.key])
    if guarded:
        check_last_owner(change, workspace.key)
    change.record(workspace.key, "grant.ended", grant_id, before=_told(given))
    return NewGrant(grant_id, given)


def give(change: Change, workspace: Workspace, principal: int, holder: str, given: RoleInScope) -> NewGrant:
    """Give a member, whom the caller holds, or a User Group a role in a scope, inside another flow.

    `holder` is `member:ID` or `user_group:ID`. Raises as `give_to_member` does.
    """
    check_role_in_plan(given.role, workspace)
    check_given_once(change.connection, principal, given)
    _, uid = grants.insert_grant(change, workspace.key, principal, given, change.actor)
    change.record(workspace.key, "grant.given", uid, after={"to": holder, **_told(given)})
    return NewGrant(uid, given)


def give_if_missing(change: Change, workspace: Workspace, member: Membership, given: RoleInScope) -> None:
    """Give a member, whom the caller holds, a role in a scope, inside another flow; nothing where they have just that.

    Raises NotFound (a listed resource), NotInPlan.
    """
    if given not in [one for _, one in access.grants_of(change.connection, [member.key]).values()]:
        give(change, workspace, member.key, f"member:{member.id}", given)


def _told(given: RoleInScope) -> dict[str, object]:
    return {"role": given.role.name, "scope": given.scope.render()}
