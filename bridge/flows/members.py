"""The people of a workspace: listed for its owners, shown one by one, removed, let back in (product.md 1.10, 4.4)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from bridge.domain.errors import Conflict, NotFound
from bridge.domain.members import Member, PersonDetails
from bridge.domain.previews import RemoveMember, Seen
from bridge.domain.roles import OWNER, get_role
from bridge.domain.workspace import Membership, User, Workspace
from bridge.flows import workspace_mails
from bridge.flows.context import Context
from bridge.flows.deliver import queue_mail
from bridge.flows.explain import permissions_of
from bridge.flows.named import get_member, get_member_by_email, get_workspace, hold_active, owner_acting
from bridge.flows.preview import check_seen
from bridge.storage import access, members, people, tokens, user_groups, workspaces
from bridge.storage.changes import Change
from bridge.storage.members import StoredMember

PAGE = 50
#: This many members can be named in one statement.
_FEW = 5_000
Which = Literal["everyone", "owners", "members", "suspended", "removed"]


@dataclass(frozen=True, slots=True)
class MembersQuery:
    """What is looked for. `source` is a connection's id, or `hand`; `role` an id or name; pages begin with 1."""

    search: str = ""
    which: Which = "everyone"
    source: str = ""
    role: str = ""
    page: int = 1


@dataclass(frozen=True, slots=True)
class MembersPage:
    """One page of members, by name. `total` counts all that match."""

    members: tuple[Member, ...]
    total: int
    first: int


def list_members(context: Context, workspace_slug: str, query: MembersQuery, now: datetime) -> MembersPage:
    """A page of fifty, each with permissions and paths, and what their IdPs say. Raises NotFound."""
    with context.database.snapshot() as connection:
        workspace = get_workspace(connection, workspace_slug)
        found, total = _page(connection, workspace, query, now)
        found = members.with_last_sign_in(connection, found, workspace.key)
        keys = [one.key for one in found]
        permissions = permissions_of(connection, keys, workspace.plan, now)
        records = members.records_of(connection, keys)
    told = [
        replace(one.member, permissions=permissions.get(one.key, ()), records=records.get(one.key, ())) for one in found
    ]
    return MembersPage(tuple(told), total, _offset(query) + 1 if told else 0)


def count_members(context: Context, workspace_slug: str) -> int:
    """How many people a workspace has, suspended ones too. Raises NotFound."""
    with context.database.reading() as connection:
        return members.count(connection, members.present_members(get_workspace(connection, workspace_slug).key))


def get_person(context: Context, workspace_slug: str, membership_id: str, now: datetime) -> PersonDetails:
    """One person, removed or not, with all that their page shows. Raises NotFound."""
    with context.database.snapshot() as connection:
        workspace = get_workspace(connection, workspace_slug)
        _, membership = get_member(connection, workspace, membership_id)
        return _details(connection, workspace, membership, now)


def find_person(context: Context, workspace_slug: str, email: str) -> tuple[str, str, str] | None:
    """The name, address and membership's id of who is, or was, a member; or None. Raises NotFound (the workspace)."""
    with context.database.reading() as connection:
        workspace = get_workspace(connection, workspace_slug)
        user = people.find_user_by_email(connection, email)
        member = people.find_member(connection, workspace.key, user.key) if user else None
        return (user.name, user.email, member.id) if user and member else None


def find_member_id(context: Context, workspace_slug: str, email: str) -> str:
    """The membership's id of the person with this address, who is, or was, a member. Raises NotFound."""
    with context.database.reading() as connection:
        return get_member_by_email(connection, get_workspace(connection, workspace_slug), email)[1].id


def _page(connection: Any, workspace: Workspace, query: MembersQuery, now: datetime) -> tuple[list[StoredMember], int]:
    where, crowds = _where(workspace, query), []
    for holding, inside in _held(connection, workspace, query, now):
        if len(holding) > _FEW:
            crowds.append((holding, inside))
        else:
            where &= members.by_keys(holding) if inside else ~members.by_keys(holding)
    if not crowds:
        total = members.count(connection, where)
        return members.list_members(connection, where, limit=PAGE, offset=_offset(query)), total
    # More than a statement takes: the keys are sorted by the database all the same, and looked through here.
    every = members.keys_in_order(connection, where)
    keys = [key for key in every if all((key in holding) == inside for holding, inside in crowds)]
    chosen = keys[_offset(query) : _offset(query) + PAGE]
    return members.list_members(connection, members.by_keys(chosen)), len(keys)


def _held(connection: Any, workspace: Workspace, query: MembersQuery, now: datetime) -> Iterator[tuple[set[int], bool]]:
    """Sets of members that those looked for are in (or not in): roles are derived, so access is asked."""
    if query.role:
        yield access.holders_of_roles(connection, workspace.key, {get_role(query.role).id}, now), True
    if query.which in ("owners", "members"):
        yield access.holders_of_roles(connection, workspace.key, {OWNER.id}, now), query.which == "owners"


def _where(workspace: Workspace, query: MembersQuery) -> Any:
    removed = query.which == "removed"
    where = members.removed_members(workspace.key) if removed else members.present_members(workspace.key)
    if query.which == "suspended":
        where &= members.held_out()
    if query.search.strip():
        where &= members.matching(query.search)
    if query.source:
        where &= members.given_by_hand() if query.source == "hand" else members.known_to(query.source)
    return where


def _offset(query: MembersQuery) -> int:
    return (max(query.page, 1) - 1) * PAGE


def _details(connection: Any, workspace: Workspace, membership: Membership, now: datetime) -> PersonDetails:
    key = membership.key
    stored = members.list_members(connection, members.by_keys([key]))
    [one] = members.with_last_sign_in(connection, stored, workspace.key)
    member = replace(
        one.member,
        permissions=permissions_of(connection, [key], workspace.plan, now).get(key, ()),
        records=members.records_of(connection, [key]).get(key, ()),
    )
    grants = members.given_grants(connection, key)
    owns = any(grant.given.role is OWNER for grant in grants)
    return PersonDetails(
        member=member,
        grants=grants,
        user_groups=tuple(user_groups.user_groups_of(connection, [key], now).get(key, ())),
        tokens=_token_names(connection, workspace, key, now),
        is_last_owner=owns and workspaces.keeps_owners_alone(connection, workspace.key, key),
    )


def _token_names(connection: Any, workspace: Workspace, membership_key: int, now: datetime) -> tuple[str, ...]:
    found = tokens.list_tokens(connection, workspace.key, now, tokens.made_by(membership_key))
    return tuple(one.description for one in found)


# -- Leaving and coming back -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Removal:
    """A member removed, and the tokens of theirs that stopped with it."""

    email: str
    tokens: tuple[str, ...]


def remove_member(
    context: Context, actor: str, workspace_slug: str, membership_id: str, now: datetime, *, seen: Seen | None = None
) -> Removal:
    """End a membership and its hand-given grants for good; never the account. Owners are mailed of tokens that stop.

    Who was shown what is lost gives it as `seen`. Raises NotFound, LastOwner, Forbidden (not an owner), Moved.
    """
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        user, membership = get_member(change.connection, workspace, membership_id)
        people.hold_members(change, [membership.key], alone=True)
        check_seen(change, workspace, RemoveMember(membership_id), seen)
        return Removal(user.email, leave(context, change, workspace, user, membership))


def leave(
    context: Context,
    change: Change,
    workspace: Workspace,
    user: User,
    membership: Membership,
    *,
    why: str | None = None,
) -> tuple[str, ...]:
    """The same inside a change. Returns the tokens of theirs that stopped. Raises NotFound (no member), LastOwner."""
    guarded = workspaces.guarding_owners(change, workspace.key, membership.key)
    hold_active(change, workspace, [(user, membership)])
    stopped = _token_names(change.connection, workspace, membership.key, change.now)
    people.end_membership(change, membership.key)
    if guarded:
        workspaces.check_last_owner(change, workspace.key)
    before = {"email": user.email, "tokens_stopped": list(stopped)}
    after = {"why": why} if why else None
    change.record(workspace.key, "member.removed", membership.id, before=before, after=after)
    if stopped:
        _mail_owners(context, change, workspace, user.name, stopped)
    return stopped


def restore_member(context: Context, actor: str, workspace_slug: str, membership_id: str, now: datetime) -> None:
    """Lift an owner's removal: IdP groups give again what they give; what was given by hand stays gone.

    Raises NotFound, Conflict (the person is a member), Forbidden (not an owner).
    """
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        user, membership = get_member(change.connection, workspace, membership_id)
        if membership.status == "active":
            raise Conflict(f"{user.email} is a member of {workspace.name}.")
        members.lift_holds(change, membership.key, deleted_only=True)
        people.revive_membership(change, membership.key, accepted=membership.accepted)
        change.record(workspace.key, "member.restored", membership.id, after={"email": user.email})


def lift_hold(context: Context, actor: str, workspace_slug: str, membership_id: str, now: datetime) -> tuple[str, ...]:
    """Let somebody in again whom an IdP's record holds out. Returns the connections whose hold was lifted.

    Raises NotFound (also: nothing holds them out), Forbidden (not an owner).
    """
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        user, membership = get_member(change.connection, workspace, membership_id)
        lifted = members.lift_holds(change, membership.key, deleted_only=False)
        if not lifted:
            raise NotFound(f"No IdP's record holds {user.email} out.")
        after = {"email": user.email, "connections": lifted}
        change.record(workspace.key, "member.hold_lifted", membership.id, after=after)
        return tuple(lifted)


def _mail_owners(context: Context, change: Change, workspace: Workspace, person: str, stopped: tuple[str, ...]) -> None:
    for email in people.owner_emails(change.connection, workspace.key):
        queue_mail(context, change, workspace_mails.removed_with_tokens(email, workspace.name, person, stopped))
