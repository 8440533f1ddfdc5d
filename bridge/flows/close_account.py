"""Somebody closes their own account (properties.md 10): they leave every workspace, and nothing opens it any more.

Its row stays, since the audit trail names it; its address is free. Whom a workspace's IdP goes on naming it knows as
somebody who left: no sign-in makes a new account there, or who was removed by an owner would come back by closing
theirs. An invitation does, and begins anew.
"""

from dataclasses import dataclass
from datetime import datetime

from bridge.domain.workspace import Membership, User, Workspace
from bridge.flows.account_mails import account_closed
from bridge.flows.account_settings import forget_under_way, lock_own
from bridge.flows.context import Context
from bridge.flows.deliver import queue_mail
from bridge.flows.everywhere import record_everywhere
from bridge.flows.fresh_proof import require_fresh
from bridge.flows.members import leave
from bridge.flows.sessions import CurrentSession
from bridge.storage import own_account, people, workspaces
from bridge.storage.changes import Change


@dataclass(frozen=True, slots=True)
class Leaving:
    """A workspace that its person leaves by it; `last_owner`: they can't, until somebody else is an owner by hand."""

    name: str
    slug: str
    last_owner: bool


def look_before_closing(context: Context, session: CurrentSession) -> tuple[Leaving, ...]:
    """Every workspace that they would leave."""
    with context.database.snapshot() as rows:
        seats = _seats(rows, session.user.key)
        return tuple(
            Leaving(space.name, space.slug, workspaces.keeps_owners_alone(rows, space.key, member.key))
            for space, member in seats
        )


def close_account(context: Context, session: CurrentSession, now: datetime) -> None:
    """Close it for good; its address is told.

    Raises FreshProofNeeded, LastOwner (nothing happens then), Forbidden (signed out meanwhile), NotFound.
    """
    require_fresh(session, now)

    def do(change: Change) -> None:
        user = lock_own(change, session, read_only_at_twilio=False)
        record_everywhere(change, user, "user.closed", before={"email": user.email})
        for workspace, membership in _seats(change.connection, user.key):
            leave(context, change, workspace, user, membership, why="account closed")
        _close(context, change, user)

    context.change(f"user:{session.user.id}", now, do)


def _seats(rows: object, user_key: int) -> list[tuple[Workspace, Membership]]:
    found = []
    for key in own_account.workspaces_of(rows, user_key):
        workspace, membership = workspaces.find_by_key(rows, key), people.find_member(rows, key, user_key)
        if workspace is not None and membership is not None:
            found.append((workspace, membership))
    return found


def _close(context: Context, change: Change, user: User) -> None:
    forget_under_way(change, user.key)
    own_account.close(change, user.key)
    queue_mail(context, change, account_closed(user.email, change.now))
