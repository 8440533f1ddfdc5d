"""Workspaces and their plans: what the operator does, and an owner's renaming."""

from dataclasses import dataclass
from datetime import datetime

from bridge.domain.access import EVERYWHERE, RoleInScope
from bridge.domain.errors import Conflict, Forbidden
from bridge.domain.people import clean_name, parse_email
from bridge.domain.previews import Seen, SetPlan
from bridge.domain.roles import OWNER, parse_plan
from bridge.domain.slugs import parse_slug
from bridge.domain.workspace import User, Workspace
from bridge.flows import workspace_mails
from bridge.flows.bearer_secrets import digest, new_secret
from bridge.flows.context import OPERATOR, Context
from bridge.flows.deliver import queue_mail
from bridge.flows.invite import invitation_link
from bridge.flows.named import get_workspace, owner_acting
from bridge.flows.passwords import hash_password
from bridge.flows.plan_outlook import left_out_by
from bridge.flows.preview import check_seen
from bridge.storage import people, workspaces
from bridge.storage.changes import Change
from bridge.storage.grants import insert_grant
from bridge.storage.invites import insert_invite
from bridge.storage.sign_in import clear_account


@dataclass(frozen=True, slots=True)
class NewWorkspace:
    """A workspace just made, and its owner. `link_mailed`: the owner chooses a password by a mailed link."""

    workspace: Workspace
    owner: User
    link_mailed: bool


@dataclass(frozen=True, slots=True)
class WorkspaceDraft:
    """What the operator gives for a new workspace."""

    slug: str
    name: str
    owner_email: str
    plan: str = "business"
    owner_password: str | None = None
    owner_name: str | None = None


def create_workspace(context: Context, actor: str, draft: WorkspaceDraft, now: datetime) -> NewWorkspace:
    """A workspace and its first owner, whose account is found by email or made.

    Without a password, an owner who has none yet is mailed a link to choose one. Raises Invalid, Conflict (the slug is
    in use; the owner has a password already), Forbidden (not the operator).
    """
    _check_operator(actor)
    slug, name, plan = parse_slug(draft.slug), clean_name(draft.name), parse_plan(draft.plan)
    email = parse_email(draft.owner_email)
    kept = None if draft.owner_password is None else hash_password(draft.owner_password, draft.owner_email)
    with context.changing(actor, now) as change:
        if workspaces.find_by_slug(change.connection, slug) is not None:
            raise Conflict(f"There is a workspace {slug} already.")
        workspace = workspaces.insert_workspace(change, slug, name, plan)
        change.record(
            workspace.key, "workspace.created", workspace.id, after={"slug": slug, "name": name, "plan": plan}
        )
        owner = _owner_account(change, email, draft.owner_name, kept)
        membership = people.insert_membership(change, workspace.key, owner.key, accepted=True)
        _, grant = insert_grant(change, workspace.key, membership.key, RoleInScope(OWNER, EVERYWHERE), actor)
        after = {"email": owner.email, "role": OWNER.name, "grant": grant}
        change.record(workspace.key, "member.added", membership.id, after=after)
        if not owner.has_password:
            _mail_set_up_link(context, change, workspace, owner)
        return NewWorkspace(workspace, owner, link_mailed=not owner.has_password)


def _owner_account(change: Change, email: str, name: str | None, password_hash: str | None) -> User:
    found = people.find_user_by_email(change.connection, email)
    if found is None:
        found = people.insert_user(change, email, clean_name(name) if name else email.partition("@")[0])
    if password_hash is None:
        return found
    if found.has_password:
        raise Conflict(f"{found.email} has an account with a password. Leave the owner's password out.")
    # The operator vouches for the address by giving its password; nobody had proved it before.
    if not found.email_proved:
        clear_account(change, found.key)
    people.set_user(change, found.key, password_hash=password_hash, email_proved_at=change.now)
    return User(found.key, found.id, found.email, found.name, True, True)


def _mail_set_up_link(context: Context, change: Change, workspace: Workspace, owner: User) -> None:
    secret, expires_at = new_secret(), change.now + context.invite_lifetime
    insert_invite(change, workspace.key, owner.email, {"roles": [], "user_groups": []}, digest(secret), expires_at)
    link = invitation_link(context, secret)
    queue_mail(context, change, workspace_mails.owner_set_up(owner.email, workspace.name, link, expires_at))


# -- Later changes -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlanChange:
    """A workspace on another plan, and what no longer applies: nothing is removed, it gives nothing meanwhile."""

    workspace: Workspace
    no_longer: tuple[str, ...]


def set_plan(
    context: Context, actor: str, workspace_slug: str, plan: str, now: datetime, *, seen: Seen | None = None
) -> PlanChange:
    """Put a workspace on another plan (product.md 1.6). Who was shown who loses what gives it as `seen`.

    Raises Forbidden (not the operator), Invalid, NotFound, Moved.
    """
    _check_operator(actor)
    parse_plan(plan)
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        check_seen(change, workspace, SetPlan(plan), seen)
        workspaces.set_plan(change, workspace, plan)
        names = {"before": {"plan": workspace.plan}, "after": {"plan": plan}}
        change.record(workspace.key, "workspace.plan_set", workspace.id, **names)
        lost = left_out_by(change.connection, workspace, plan, now).sentences()
        return PlanChange(get_workspace(change.connection, workspace_slug), lost)


def rename_workspace(context: Context, actor: str, workspace_slug: str, name: str, now: datetime) -> Workspace:
    """Give a workspace another name; its slug stays. Raises NotFound, Forbidden (not an owner), Invalid."""
    cleaned = clean_name(name)
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        name_workspace(change, workspace, cleaned)
        return get_workspace(change.connection, workspace_slug)


def name_workspace(change: Change, workspace: Workspace, cleaned: str) -> None:
    """The same inside another flow, which knows who may, with a name that `clean_name` gave."""
    workspaces.set_name(change, workspace, cleaned)
    names = {"before": {"name": workspace.name}, "after": {"name": cleaned}}
    change.record(workspace.key, "workspace.renamed", workspace.id, **names)


def find_workspace(context: Context, workspace_slug: str) -> Workspace:
    """The workspace with this slug. Raises NotFound."""
    with context.database.reading() as connection:
        return get_workspace(connection, workspace_slug)


def list_workspaces(context: Context) -> tuple[Workspace, ...]:
    """Every workspace, by slug: for the operator."""
    with context.database.reading() as connection:
        return tuple(workspaces.list_workspaces(connection))


def _check_operator(actor: str) -> None:
    if actor != OPERATOR:
        raise Forbidden("Only the operator of the bridge can do this, on its command line.")
