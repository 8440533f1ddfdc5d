"""Require SSO: who would be locked out, the switch, and who is exempt (product.md 2.5; docs/decisions/0017)."""

from dataclasses import dataclass
from datetime import datetime

from bridge.domain.errors import Conflict, Forbidden, NotFound
from bridge.domain.members import ByWay
from bridge.domain.people import parse_email
from bridge.domain.previews import RequireSso, Seen
from bridge.domain.workspace import Membership, User, Workspace
from bridge.flows.context import OPERATOR, Context
from bridge.flows.named import check_sso_in_plan, get_member, get_member_by_email, get_workspace, owner_acting
from bridge.flows.preview import check_seen
from bridge.flows.sessions import CurrentSession
from bridge.storage import people, required_sso
from bridge.storage.changes import Change
from bridge.storage.required_sso import MemberShown

#: How many of those whom nothing would let in are named.
NAMED = 50


@dataclass(frozen=True, slots=True)
class Outlook:
    """Whom Require SSO lets in now, and by what. The first 50 of those whom nothing lets in are `people`.

    `exempt` have a way past it. `session_came`: whether the session that asks may switch it on.
    """

    required: bool
    by_way: ByWay
    people: tuple[MemberShown, ...]
    exempt: tuple[MemberShown, ...]
    session_came: bool


def look_out(context: Context, session: CurrentSession, workspace_slug: str, now: datetime) -> Outlook:
    """Who would be locked out by Require SSO, or is. Raises NotFound."""
    with context.database.snapshot() as connection:
        workspace = get_workspace(connection, workspace_slug)
        return Outlook(
            required=workspace.require_sso,
            by_way=required_sso.count_by_way(connection, workspace.key),
            people=tuple(required_sso.list_kept_out(connection, workspace.key, NAMED)),
            exempt=tuple(required_sso.list_exempt(connection, workspace.key)),
            session_came=required_sso.came_by_sso(connection, session.key, workspace.key, now),
        )


# -- The switch --------------------------------------------------------------------------------------


def require_sso(
    context: Context, session: CurrentSession, workspace_slug: str, now: datetime, *, seen: Seen | None = None
) -> Workspace:
    """Switch it on, by an owner whose present session came by SSO of this workspace.

    Who was shown who could no longer get in gives it as `seen`. Raises Conflict (it didn't), Forbidden (not an owner),
    NotInPlan, NotFound, Moved.
    """
    with context.changing(f"user:{session.user.id}", now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        check_sso_in_plan(workspace)
        if not required_sso.came_by_sso(change.connection, session.key, workspace.key, now):
            raise Conflict(
                f"Sign in by single sign-on of {workspace.name} first, then switch it on: so it is sure that it opens."
            )
        check_seen(change, workspace, RequireSso(), seen)
        return _switch(change, workspace, True)


def stop_requiring_sso(context: Context, actor: str, workspace_slug: str, now: datetime) -> Workspace:
    """Switch it off. Raises Forbidden (not an owner), NotFound."""
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        return _switch(change, workspace, False)


def require_sso_as_operator(
    context: Context, actor: str, workspace_slug: str, now: datetime, *, seen: Seen | None = None
) -> Workspace:
    """Switch it on, where an owner named by hand came by SSO before.

    Raises Conflict (none did), Forbidden (not the operator), NotInPlan, NotFound, Moved.
    """
    if actor != OPERATOR:
        raise Forbidden("Only the operator of the bridge can do this, on its command line.")
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        check_seen(change, workspace, RequireSso(), seen)
        return switch_sso_as_operator(change, workspace, True)


def switch_sso_as_operator(change: Change, workspace: Workspace, required: bool) -> Workspace:
    """Turn the switch inside another flow of the operator's. Raises Conflict (as above), NotInPlan."""
    if required:
        check_sso_in_plan(workspace)
        if not required_sso.named_owner_came(change.connection, workspace.key):
            raise Conflict(
                f"No owner of {workspace.name} who was named by hand has ever come by single sign-on, so nobody "
                "knows that it opens. Have one sign in by it first."
            )
    return _switch(change, workspace, required)


def _switch(change: Change, workspace: Workspace, required: bool) -> Workspace:
    if workspace.require_sso != required:
        required_sso.set_required(change, workspace, required)
        kind = "workspace.sso_required" if required else "workspace.sso_not_required"
        change.record(workspace.key, kind, workspace.id)
    return get_workspace(change.connection, workspace.slug)


# -- Exemptions --------------------------------------------------------------------------------------


def exempt_member(context: Context, actor: str, workspace_slug: str, email: str, now: datetime) -> User:
    """Let a member in without SSO, by their own login. It ends with the membership, or with their last second factor.

    Raises Conflict (no second factor), NotFound (no member), Forbidden (not an owner), Invalid.
    """
    address = parse_email(email)
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        user, membership = get_member_by_email(change.connection, workspace, address)
        _hold(change, workspace, user, membership)
        if not required_sso.has_second_factor(change.connection, membership.key):
            raise Conflict(
                f"{user.email} has no second factor. Only who has one can be exempt: a password alone must not be a "
                "way past your identity provider."
            )
        _set(change, workspace, user, membership, True)
        return user


def end_exemption(context: Context, actor: str, workspace_slug: str, membership_id: str, now: datetime) -> User:
    """Have a member come by SSO again. Raises NotFound, Forbidden (not an owner)."""
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        user, membership = get_member(change.connection, workspace, membership_id)
        _hold(change, workspace, user, membership)
        _set(change, workspace, user, membership, False)
        return user


def _hold(change: Change, workspace: Workspace, user: User, membership: Membership) -> None:
    if not people.hold_members(change, [membership.key], alone=True):
        raise NotFound(f"{user.email} is no member of {workspace.name} any more.")


def _set(change: Change, workspace: Workspace, user: User, membership: Membership, exempt: bool) -> None:
    if membership.sso_exempt != exempt:
        required_sso.set_exempt(change, membership.key, exempt)
        kind = "member.sso_exempted" if exempt else "member.sso_exemption_ended"
        change.record(workspace.key, kind, membership.id, after={"email": user.email})
