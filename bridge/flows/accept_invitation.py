"""The invited person accepts (product.md 1.7), by the link that `invite` has mailed.

It proves the mailbox: who opens it and has no way to sign in yet may choose a password; who has one signs in first.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from bridge.domain.errors import Expired, Forbidden
from bridge.domain.people import clean_name, fold_letters
from bridge.domain.roles import has_sso
from bridge.domain.workspace import Membership, User, Workspace
from bridge.flows.bearer_secrets import digest
from bridge.flows.context import Context
from bridge.flows.invite_gives import inviters_of, present_of
from bridge.flows.password_login import Way
from bridge.flows.passwords import hash_password
from bridge.storage import accounts, invites, people, user_groups, workspaces
from bridge.storage.access import grants_of
from bridge.storage.changes import Change
from bridge.storage.connections import list_connections
from bridge.storage.grants import insert_grant
from bridge.storage.invites import StoredInvite
from bridge.storage.members import lift_holds
from bridge.storage.own_account import let_go_of_closed
from bridge.storage.sign_in import clear_account

Needs = Literal["account", "sign_in", "nothing"]


@dataclass(frozen=True, slots=True)
class OpenedInvite:
    """What the page of an invitation shows, and what it needs: a new account, a sign-in, or just the button.

    `ways`: the connections of the workspace by which one can come instead of by an account's own login.
    """

    workspace: str
    workspace_slug: str
    email: str
    invited_by: str
    gives: tuple[str, ...]
    expires_at: datetime
    needs: Needs
    ways: tuple[Way, ...] = ()
    requires_sso: bool = False


def open_invitation(context: Context, secret: str, user_id: str | None, now: datetime) -> OpenedInvite:
    """What a link leads to; `user_id` is who is signed in. Raises Expired."""
    with context.database.snapshot() as connection:
        pending, workspace = _open(connection, secret, now)
        user = people.find_user_by_email(connection, pending.email)
        return OpenedInvite(
            workspace=workspace.name,
            workspace_slug=workspace.slug,
            email=pending.email,
            invited_by=inviters_of(connection, {pending.invited_by})[pending.invited_by],
            gives=present_of(connection, workspace, [pending.gives]).phrases(pending.gives),
            expires_at=pending.expires_at,
            needs=_needs(connection, user, user_id),
            ways=_ways(connection, workspace),
            requires_sso=workspace.require_sso,
        )


def accept_with_password(context: Context, secret: str, name: str, password: str, now: datetime) -> User:
    """Accept with a new account, or with one that has no way in of its own yet.

    Raises Expired, Invalid, Forbidden (the account has a way in: sign in first), TooManyTries.
    """
    cleaned = clean_name(name)
    with context.database.reading() as connection:
        pending, _ = _open(connection, secret, now)
    kept = hash_password(password, pending.email, cleaned)
    with context.changing(f"invitation:{pending.id}", now) as change:
        pending, workspace = _open(change.connection, secret, now)
        user = _claim_account(change, workspace, pending, cleaned)
        people.set_user(change, user.key, name=cleaned, password_hash=kept, email_proved_at=now)
        _accept(change, workspace, pending, user)
        return User(user.key, user.id, user.email, cleaned, True, True)


def accept_as(context: Context, secret: str, user_id: str, now: datetime) -> User:
    """Accept as the person who is signed in. Raises Expired, Forbidden (invited under another address)."""
    with context.changing(f"user:{user_id}", now) as change:
        pending, workspace = _open(change.connection, secret, now)
        user = people.find_user_by_uid(change.connection, user_id)
        if user is None or fold_letters(user.email) != fold_letters(pending.email):
            raise Forbidden(f"This invitation is for {pending.email}. Sign in with that address to accept it.")
        _accept(change, workspace, pending, user)
        return user


def _open(connection: Any, secret: str, now: datetime) -> tuple[StoredInvite, Workspace]:
    pending = invites.find_pending_by_hash(connection, digest(secret))
    workspace = workspaces.find_by_key(connection, pending.workspace_key) if pending else None
    if pending is None or workspace is None:
        raise Expired("This invitation was used, replaced or taken back. Ask who invited you for a new one.")
    if pending.expires_at <= now:
        raise Expired("This invitation has run out. Ask who invited you to send it again.")
    return pending, workspace


def _needs(connection: Any, user: User | None, signed_in: str | None) -> Needs:
    if user is not None and user.id == signed_in:
        return "nothing"
    return "sign_in" if user is not None and accounts.has_way_in(connection, user.key) else "account"


def _ways(connection: Any, workspace: Workspace) -> tuple[Way, ...]:
    found = list_connections(connection, workspace.key) if has_sso(workspace.plan) else ()
    return tuple(Way(one.id, one.kind, one.name) for one in found if one.enabled)


def _claim_account(change: Change, workspace: Workspace, pending: StoredInvite, name: str) -> User:
    """The account of the invited address, new or without a way in. The link proves that the mailbox is theirs."""
    user = people.find_user_by_email(change.connection, pending.email)
    if user is None:
        user = people.insert_user(change, pending.email, name)
        change.record(workspace.key, "user.created", user.id, after={"email": user.email, "name": user.name})
        return user
    if accounts.has_way_in(change.connection, user.key):
        raise Forbidden(f"{user.email} has an account. Sign in to accept the invitation.")
    if not user.email_proved:
        clear_account(change, user.key)
    return user


def _accept(change: Change, workspace: Workspace, pending: StoredInvite, user: User) -> None:
    let_go_of_closed(change, workspace.key, pending.email)
    member = people.find_member(change.connection, workspace.key, user.key)
    if member is not None:
        # A record that its IdP deleted held the person out until now; one that says inactive still does.
        # Lifted first: records are locked before memberships (`bridge.storage.changes.lock_workspace`).
        lift_holds(change, member.key, deleted_only=True)
        people.hold_members(change, [member.key], alone=True)
    if not invites.use_invite(change, pending.key):
        raise Expired("This invitation was used a moment ago.")
    membership = _membership(change, workspace, user)
    present = present_of(change.connection, workspace, [pending.gives])
    standing = [given for _, given in grants_of(change.connection, [membership.key]).values()]
    for kept in pending.gives["roles"]:
        given = present.role(kept)
        if given is not None and given not in standing:
            insert_grant(change, workspace.key, membership.key, given, pending.invited_by)
    groups = user_groups.open_groups(change.connection, workspace.key, pending.gives["user_groups"])
    for group_key in groups:
        user_groups.add_members(change, group_key, [membership.key], pending.invited_by)
    after = {"email": user.email, "member": membership.id, **pending.gives}
    change.record(workspace.key, "invitation.accepted", pending.id, after=after)


def _membership(change: Change, workspace: Workspace, user: User) -> Membership:
    found = people.find_member(change.connection, workspace.key, user.key)
    if found is None:
        return people.insert_membership(change, workspace.key, user.key, accepted=True)
    if found.status == "removed":
        people.revive_membership(change, found.key, accepted=True)
    elif not found.accepted:
        people.accept_membership(change, found.key)
    return found
