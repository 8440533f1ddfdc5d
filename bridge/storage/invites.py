"""Invitations: one that is pending for each address and workspace; its link is kept as a hash only."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, and_, func, select, update

from bridge.domain.people import fold_letters
from bridge.storage.changes import Change, insert_row
from bridge.storage.tables import invites, memberships, users


@dataclass(frozen=True, slots=True)
class StoredInvite:
    """An invitation as kept. `gives`: {"roles": [{"role", "scope"}], "user_groups": [uid]}."""

    key: int
    id: str
    workspace_key: int
    email: str
    gives: dict[str, Any]
    invited_by: str
    created_at: datetime
    expires_at: datetime


_COLUMNS = (
    invites.c.id,
    invites.c.uid,
    invites.c.workspace_id,
    invites.c.email,
    invites.c.gives,
    invites.c.invited_by,
    invites.c.created_at,
    invites.c.expires_at,
)
_PENDING = and_(invites.c.used_at.is_(None), invites.c.revoked_at.is_(None))


def list_pending(connection: Any, workspace_key: int, emails: Collection[str] | None = None) -> list[StoredInvite]:
    """A workspace's invitations that are neither used nor revoked, expired ones too, newest first; or of `emails`."""
    chosen = select(*_COLUMNS).where(invites.c.workspace_id == workspace_key, _PENDING).order_by(invites.c.id.desc())
    if emails is not None:
        chosen = chosen.where(invites.c.email_ci.in_([fold_letters(email) for email in emails]))
    return [StoredInvite(*row) for row in connection.execute(chosen)]


def pending_of_members(connection: Any, workspace_key: int) -> set[str]:
    """The outside ids of a workspace's pending invitations whose address is a present member's already."""
    chosen = (
        select(invites.c.uid)
        .join(users, and_(users.c.email_ci == invites.c.email_ci, users.c.closed_at.is_(None)))
        .join(memberships, memberships.c.user_id == users.c.id)
        .where(invites.c.workspace_id == workspace_key, _PENDING)
        .where(memberships.c.workspace_id == workspace_key, memberships.c.status == "active")
    )
    return set(connection.execute(chosen).scalars())


def page_of_pending(
    connection: Any, workspace_key: int, search: str, *, limit: int, offset: int
) -> tuple[list[StoredInvite], int]:
    """Those of them whose address contains a text, from `offset` on, and how many there are in all."""
    found = and_(
        invites.c.workspace_id == workspace_key,
        _PENDING,
        invites.c.email_ci.contains(fold_letters(search), autoescape=True),
    )
    total: int = connection.execute(select(func.count()).select_from(invites).where(found)).scalar_one()
    chosen = select(*_COLUMNS).where(found).order_by(invites.c.id.desc()).limit(limit).offset(offset)
    return [StoredInvite(*row) for row in connection.execute(chosen)], total


def find_pending_by_hash(connection: Any, digest: bytes) -> StoredInvite | None:
    """The pending invitation that a link belongs to, or None."""
    return _find(connection, invites.c.hash == digest)


def find_pending_by_uid(connection: Any, workspace_key: int, uid: str) -> StoredInvite | None:
    """A workspace's pending invitation, or None."""
    return _find(connection, and_(invites.c.workspace_id == workspace_key, invites.c.uid == uid))


def find_pending_by_email(connection: Any, workspace_key: int, email: str) -> StoredInvite | None:
    """The pending invitation of an address, compared without case, or None."""
    return _find(connection, and_(invites.c.workspace_id == workspace_key, invites.c.email_ci == fold_letters(email)))


def _find(connection: Any, where: ColumnElement[bool]) -> StoredInvite | None:
    row = connection.execute(select(*_COLUMNS).where(where, _PENDING)).first()
    return None if row is None else StoredInvite(*row)


def insert_invite(
    change: Change, workspace_key: int, email: str, gives: dict[str, Any], digest: bytes, expires_at: datetime
) -> str:
    """A new pending invitation. Returns its outside id."""
    uid = str(uuid4())
    values = {
        "uid": uid,
        "hash": digest,
        "workspace_id": workspace_key,
        "email": email,
        "email_ci": fold_letters(email),
        "gives": gives,
        "invited_by": change.actor,
        "created_at": change.now,
        "expires_at": expires_at,
    }
    insert_row(change, invites, values)
    return uid


def replace_link(
    change: Change, key: int, digest: bytes, expires_at: datetime, *, gives: dict[str, Any] | None = None
) -> None:
    """The link sent before stops, this one works; with `gives`, what is given and by whom is replaced too."""
    values: dict[str, Any] = {"hash": digest, "expires_at": expires_at}
    if gives is not None:
        values |= {"gives": gives, "invited_by": change.actor}
    change.connection.execute(update(invites).where(invites.c.id == key).values(**values))


def use_invite(change: Change, key: int) -> bool:
    """Mark an invitation used. False if another request was quicker: it counts once (properties.md 12)."""
    used = update(invites).where(invites.c.id == key, _PENDING).values(used_at=change.now)
    return bool(change.connection.execute(used).rowcount)


def revoke_invite(change: Change, key: int) -> None:
    """End a pending invitation."""
    change.connection.execute(update(invites).where(invites.c.id == key).values(revoked_at=change.now))


def revoke_invites_of(change: Change, membership_key: int) -> None:
    """End what is pending for a member's address in their workspace."""
    member = select(memberships.c.workspace_id, users.c.email_ci).join_from(memberships, users)
    row = change.connection.execute(member.where(memberships.c.id == membership_key)).one()
    here = and_(invites.c.workspace_id == row.workspace_id, invites.c.email_ci == row.email_ci, _PENDING)
    change.connection.execute(update(invites).where(here).values(revoked_at=change.now))
