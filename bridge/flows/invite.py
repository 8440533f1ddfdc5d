"""Invitations (product.md 1.7): bound to one address, good once, and for a few days.

The link is mailed and kept as a hash. It proves the mailbox: who opens it and has no way to sign in yet may choose a
password; who has one signs in first.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from bridge.domain.access import ResourceRef, RoleInScope, Scope, parse_scope
from bridge.domain.errors import Conflict, Expired, Forbidden, Invalid, NotFound
from bridge.domain.group_mapping import phrase_role, phrase_user_group
from bridge.domain.labels import Label
from bridge.domain.people import clean_name, fold_letters, parse_email
from bridge.domain.roles import get_role, has_sso
from bridge.domain.workspace import Membership, User, Workspace
from bridge.flows import workspace_mails
from bridge.flows.bearer_secrets import digest, new_secret
from bridge.flows.context import Context
from bridge.flows.deliver import queue_mail
from bridge.flows.named import get_workspace, owner_acting
from bridge.flows.password_login import Way
from bridge.flows.passwords import hash_password
from bridge.flows.roles_given import check_role_in_plan
from bridge.storage import accounts, invites, people, resources, user_groups, workspaces
from bridge.storage.access import grants_of
from bridge.storage.changes import Change
from bridge.storage.connections import list_connections
from bridge.storage.grants import insert_grant, known_labels, scope_keys
from bridge.storage.invites import StoredInvite
from bridge.storage.members import lift_holds
from bridge.storage.own_account import let_go_of_closed
from bridge.storage.sign_in import clear_account

Needs = Literal["account", "sign_in", "nothing"]
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


def invitation_link(context: Context, secret: str) -> str:
    """The address that is mailed."""
    return f"{context.public_url}/invitations/{secret}"


# -- Owners invite -----------------------------------------------------------------------------------


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
    phrases = _present(change.connection, workspace, [gives]).phrases(gives)
    expires_at = change.now + context.invite_lifetime
    link = invitation_link(context, secret)
    queue_mail(
        context,
        change,
        workspace_mails.invitation(
            email, workspace.name, _inviters(change.connection, {change.actor})[change.actor], phrases, link, expires_at
        ),
    )


def _get_pending(connection: Any, workspace: Workspace, invite_id: str) -> StoredInvite:
    pending = invites.find_pending_by_uid(connection, workspace.key, invite_id)
    if pending is None:
        raise NotFound("There is no such pending invitation: it was accepted or revoked.")
    return pending


def _told(connection: Any, workspace: Workspace, found: Sequence[StoredInvite]) -> tuple[PendingInvite, ...]:
    present = _present(connection, workspace, [one.gives for one in found])
    inviters = _inviters(connection, {one.invited_by for one in found})
    return tuple(
        PendingInvite(
            one.id, one.email, present.phrases(one.gives), inviters[one.invited_by], one.created_at, one.expires_at
        )
        for one in found
    )


def _inviters(connection: Any, actors: set[str]) -> dict[str, str]:
    return dict.fromkeys(actors, "The operator") | accounts.names_of_actors(connection, actors)


@dataclass(frozen=True, slots=True)
class _Present:
    """What of that which invitations promise is there now."""

    resource_names: Mapping[ResourceRef, str]
    labels: Collection[Label]
    user_group_names: Mapping[str, str]

    def role(self, kept: Mapping[str, Any]) -> RoleInScope | None:
        """The role that was promised, less resources that have gone since; None where nothing is left.

        Labels narrow together, so without one of them nothing is left: the rest would give more than was promised.
        """
        promised = _promised(kept)
        if not promised.scope.labels.issubset(self.labels):
            return None
        if promised.scope.kind != "list":
            return promised
        left = promised.scope.resources & self.resource_names.keys()
        return RoleInScope(promised.role, Scope("list", resources=frozenset(left))) if left else None

    def phrases(self, gives: Mapping[str, Any]) -> tuple[str, ...]:
        """What an invitation gives, in words."""
        roles = [role for role in map(self.role, gives["roles"]) if role]
        named = [phrase_role(role, sorted(self.resource_names[ref] for ref in role.scope.resources)) for role in roles]
        groups = [self.user_group_names[uid] for uid in gives["user_groups"] if uid in self.user_group_names]
        return (*named, *map(phrase_user_group, groups))


def _promised(kept: Mapping[str, Any]) -> RoleInScope:
    role = get_role(kept["role"])
    return RoleInScope(role, parse_scope(kept["scope"], role))


def _present(connection: Any, workspace: Workspace, gives: Sequence[Mapping[str, Any]]) -> _Present:
    scopes = [_promised(kept).scope for one in gives for kept in one["roles"]]
    groups = {uid for one in gives for uid in one["user_groups"]}
    return _Present(
        resources.names_of(connection, workspace.key, {ref for scope in scopes for ref in scope.resources}),
        known_labels(connection, workspace.key, {label for scope in scopes for label in scope.labels}),
        user_groups.names_of(connection, workspace.key, groups),
    )


# -- The invited person accepts ----------------------------------------------------------------------


def open_invitation(context: Context, secret: str, user_id: str | None, now: datetime) -> OpenedInvite:
    """What a link leads to; `user_id` is who is signed in. Raises Expired."""
    with context.database.snapshot() as connection:
        pending, workspace = _open(connection, secret, now)
        user = people.find_user_by_email(connection, pending.email)
        return OpenedInvite(
            workspace=workspace.name,
            workspace_slug=workspace.slug,
            email=pending.email,
            invited_by=_inviters(connection, {pending.invited_by})[pending.invited_by],
            gives=_present(connection, workspace, [pending.gives]).phrases(pending.gives),
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
    membership, present = _membership(change, workspace, user), _present(change.connection, workspace, [pending.gives])
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
