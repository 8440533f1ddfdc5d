"""Owners invite (product.md 1.7): an invitation is bound to one address, good once, and for a few days.

The link is mailed and kept as a hash; what it gives is in `invite_gives`, what happens when it is opened in
`accept_invitation`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bridge.domain.access import RoleInScope
from bridge.domain.errors import Conflict, Invalid, NotFound
from bridge.domain.people import fold_letters, parse_email
from bridge.domain.workspace import Workspace
from bridge.flows import workspace_mails
from bridge.flows.bearer_secrets import digest, new_secret
from bridge.flows.context import Context
from bridge.flows.deliver import queue_mail
from bridge.flows.invite_gives import inviters_of, present_of
from bridge.flows.named import get_workspace, owner_acting
from bridge.flows.roles_given import check_role_in_plan
from bridge.storage import invites, people, user_groups
from bridge.storage.changes import Change
from bridge.storage.grants import scope_keys
from bridge.storage.invites import StoredInvite

MOST_AT_ONCE = 100
#: Of so many addresses it is said what is wrong with each; the rest are counted.
MOST_ERRORS = 20


@dataclass(frozen=True, slots=True)
class InviteDraft:
    """Whom to invite, and what each of them gets. `user_groups` are outside ids."""

    emails: tuple[str, ...]
    roles: tuple[RoleInScope, ...] = ()
    user_groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PendingInvite:
    """An invitation that is neither used nor revoked."""

    id: str
    email: str
    gives: tuple[str, ...]
    invited_by: str
    created_at: datetime
    expires_at: datetime

    def is_expired(self, now: datetime) -> bool:
        """Whether its link has stopped working."""
        return self.expires_at <= now


def invitation_link(context: Context, secret: str) -> str:
    """The address that is mailed."""
    return f"{context.public_url}/invitations/{secret}"


def invite(
    context: Context, actor: str, workspace_slug: str, draft: InviteDraft, now: datetime
) -> tuple[PendingInvite, ...]:
    """Invite people. An address that is invited already gets a new link and these roles instead of the former.

    Raises Invalid, NotFound (User Group, resource, label), Conflict (a member already; a mirror), NotInPlan, Forbidden.
    """
    emails = _addresses(draft.emails)
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        gives = _check_gives(change, workspace, draft)
        _refuse_members(change, workspace, emails)
        for email in emails:
            _invite_one(context, change, workspace, email, gives)
        return _told(change.connection, workspace, invites.list_pending(change.connection, workspace.key, emails))


def list_invites(context: Context, workspace_slug: str) -> tuple[PendingInvite, ...]:
    """A workspace's pending invitations, expired ones too, newest first. Raises NotFound."""
    with context.database.reading() as connection:
        workspace = get_workspace(connection, workspace_slug)
        return _told(connection, workspace, invites.list_pending(connection, workspace.key))


def search_invites(
    context: Context, workspace_slug: str, search: str, *, limit: int, offset: int = 0
) -> tuple[tuple[PendingInvite, ...], int]:
    """Those of them whose address contains a text, some at a time, and how many there are in all. Raises NotFound."""
    with context.database.snapshot() as connection:
        workspace = get_workspace(connection, workspace_slug)
        found, total = invites.page_of_pending(connection, workspace.key, search, limit=limit, offset=offset)
        return _told(connection, workspace, found), total


def find_invite(context: Context, workspace_slug: str, invite_id: str) -> PendingInvite:
    """One pending invitation. Raises NotFound, also where it was accepted or revoked."""
    with context.database.snapshot() as connection:
        workspace = get_workspace(connection, workspace_slug)
        return _told(connection, workspace, [_get_pending(connection, workspace, invite_id)])[0]


def resend(context: Context, actor: str, workspace_slug: str, invite_id: str, now: datetime) -> PendingInvite:
    """Mail a new link; the one sent before stops working. Raises NotFound, Forbidden (not an owner)."""
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        pending = _get_pending(change.connection, workspace, invite_id)
        secret, expires_at = new_secret(), now + context.invite_lifetime
        invites.replace_link(change, pending.key, digest(secret), expires_at)
        _mail_link(context, change, workspace, pending.email, pending.gives, secret)
        change.record(workspace.key, "invitation.resent", pending.id, after={"email": pending.email})
        return _told(change.connection, workspace, [_get_pending(change.connection, workspace, invite_id)])[0]


def revoke(context: Context, actor: str, workspace_slug: str, invite_id: str, now: datetime) -> None:
    """End an invitation: its link stops working. Raises NotFound, Forbidden (not an owner)."""
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        pending = _get_pending(change.connection, workspace, invite_id)
        invites.revoke_invite(change, pending.key)
        change.record(workspace.key, "invitation.revoked", pending.id, before={"email": pending.email})


def _addresses(emails: Sequence[str]) -> list[str]:
    """Each address once. Raises Invalid, which says of each line that is none what is wrong with it."""
    parsed: dict[str, str] = {}
    wrong: list[str] = []
    for text in filter(str.strip, emails):
        try:
            email = parse_email(text)
            parsed.setdefault(fold_letters(email), email)
        except Invalid as error:
            wrong.append(error.text)
    if wrong:
        raise Invalid(_few(wrong), field="emails")
    if not 1 <= len(parsed) <= MOST_AT_ONCE:
        raise Invalid(f"Name 1 to {MOST_AT_ONCE} addresses.", field="emails")
    return list(parsed.values())


def _few(errors: Sequence[str]) -> str:
    left = len(errors) - MOST_ERRORS
    return " ".join((*errors[:MOST_ERRORS], *([f"And {left} more."] if left > 0 else ())))


def _check_gives(change: Change, workspace: Workspace, draft: InviteDraft) -> dict[str, Any]:
    for given in draft.roles:
        check_role_in_plan(given.role, workspace)
        scope_keys(change.connection, workspace.key, given.scope)
    for group_id in draft.user_groups:
        user_groups.get_open_group(change.connection, workspace.key, group_id)
    roles = [{"role": given.role.id, "scope": given.scope.render()} for given in draft.roles]
    return {"roles": roles, "user_groups": list(draft.user_groups)}


def _refuse_members(change: Change, workspace: Workspace, emails: Sequence[str]) -> None:
    wrong = [email for email in emails if _is_member(change, workspace, email)]
    if wrong:
        raise Conflict(_few([f"{email} is a member of {workspace.name} already." for email in wrong]), field="emails")


def _is_member(change: Change, workspace: Workspace, email: str) -> bool:
    user = people.find_user_by_email(change.connection, email)
    member = people.find_member(change.connection, workspace.key, user.key) if user else None
    # Whom an IdP added may have yet to accept: an invitation is how they do (product.md 4.4).
    return member is not None and member.status == "active" and member.accepted


def _invite_one(context: Context, change: Change, workspace: Workspace, email: str, gives: dict[str, Any]) -> None:
    secret, expires_at = new_secret(), change.now + context.invite_lifetime
    pending = invites.find_pending_by_email(change.connection, workspace.key, email)
    if pending is None:
        uid = invites.insert_invite(change, workspace.key, email, gives, digest(secret), expires_at)
    else:
        uid = pending.id
        invites.replace_link(change, pending.key, digest(secret), expires_at, gives=gives)
    _mail_link(context, change, workspace, email, gives, secret)
    change.record(workspace.key, "invitation.sent", uid, after={"email": email, **gives})


def _mail_link(
    context: Context, change: Change, workspace: Workspace, email: str, gives: Mapping[str, Any], secret: str
) -> None:
    phrases = present_of(change.connection, workspace, [gives]).phrases(gives)
    inviter = inviters_of(change.connection, {change.actor})[change.actor]
    link, until = invitation_link(context, secret), change.now + context.invite_lifetime
    queue_mail(context, change, workspace_mails.invitation(email, workspace.name, inviter, phrases, link, until))


def _get_pending(connection: Any, workspace: Workspace, invite_id: str) -> StoredInvite:
    pending = invites.find_pending_by_uid(connection, workspace.key, invite_id)
    if pending is None:
        raise NotFound("There is no such pending invitation: it was accepted or revoked.")
    return pending


def _told(connection: Any, workspace: Workspace, found: Sequence[StoredInvite]) -> tuple[PendingInvite, ...]:
    present = present_of(connection, workspace, [one.gives for one in found])
    inviters = inviters_of(connection, {one.invited_by for one in found})
    return tuple(
        PendingInvite(
            one.id, one.email, present.phrases(one.gives), inviters[one.invited_by], one.created_at, one.expires_at
        )
        for one in found
    )
