"""Accounts and memberships: found, made, and ended by the one routine that every path calls."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, exists, select, update

from bridge.domain.people import fold
from bridge.domain.workspace import Membership, User
from bridge.storage.changes import Change, alter_facts, begin_fact, end_facts, insert_row
from bridge.storage.grants import end_grants
from bridge.storage.tables import directory_users, memberships, user_group_members, users
from bridge.storage.workspaces import insert_principal

_USER = (
    users.c.id,
    users.c.uid,
    users.c.email,
    users.c.name,
    users.c.email_proved_at.is_not(None),
    users.c.password_hash.is_not(None),
)
_HELD_OUT = exists().where(directory_users.c.membership_id == memberships.c.id, directory_users.c.holds_out)
_MEMBERSHIP = (
    memberships.c.id,
    memberships.c.uid,
    memberships.c.workspace_id,
    memberships.c.user_id,
    memberships.c.status,
    memberships.c.accepted_at.is_not(None),
    memberships.c.sso_exempt,
    _HELD_OUT,
    memberships.c.created_at,
)


def find_user(connection: Any, where: ColumnElement[bool]) -> User | None:
    """The open account that `where` names, or None."""
    row = connection.execute(select(*_USER).where(where, users.c.closed_at.is_(None))).first()
    return None if row is None else User(*row)


def find_user_by_email(connection: Any, email: str) -> User | None:
    """The account with this address, compared without case, or None."""
    return find_user(connection, users.c.email_ci == fold(email))


def find_user_by_key(connection: Any, key: int) -> User | None:
    """The account with this key, or None."""
    return find_user(connection, users.c.id == key)


def insert_user(change: Change, email: str, name: str, *, email_proved_at: datetime | None = None) -> User:
    """A new account. Raises IntegrityError where the address is taken."""
    uid = str(uuid4())
    values = {"uid": uid, "email": email, "email_ci": fold(email), "name": name, "created_at": change.now}
    key = insert_row(change, users, {**values, "email_proved_at": email_proved_at})
    return User(key, uid, email, name, email_proved_at is not None, False)


def set_user(change: Change, user_key: int, **values: Any) -> None:
    """Change columns of an account."""
    change.connection.execute(update(users).where(users.c.id == user_key).values(**values))


def find_membership(connection: Any, where: ColumnElement[bool]) -> Membership | None:
    """The membership that `where` names, removed ones too, or None."""
    row = connection.execute(select(*_MEMBERSHIP).where(where)).first()
    return None if row is None else Membership(*row)


def find_member(connection: Any, workspace_key: int, user_key: int) -> Membership | None:
    """The membership of one person in one workspace, removed or not, or None."""
    return find_membership(
        connection, (memberships.c.workspace_id == workspace_key) & (memberships.c.user_id == user_key)
    )


def insert_membership(change: Change, workspace_key: int, user_key: int, *, accepted: bool) -> Membership:
    """A new membership. Until `accepted`, only the workspace's SSO opens it (product.md 4.4)."""
    uid, key = str(uuid4()), insert_principal(change, workspace_key, "membership")
    values = {
        "id": key,
        "uid": uid,
        "workspace_id": workspace_key,
        "user_id": user_key,
        "status": "active",
        "accepted_at": change.now if accepted else None,
        "created_at": change.now,
    }
    begin_fact(change, memberships, values)
    return Membership(key, uid, workspace_key, user_key, "active", accepted, False, False, change.now)


def revive_membership(change: Change, membership_key: int, *, accepted: bool) -> None:
    """Bring a removed membership back, without the grants it had (they ended for good)."""
    values = {"status": "active", "accepted_at": change.now if accepted else None, "sso_exempt": False}
    alter_facts(change, memberships, memberships.c.id == membership_key, values=values)


def accept_membership(change: Change, membership_key: int) -> None:
    """The person themselves accepted: from now every way in that the workspace allows opens it."""
    alter_facts(change, memberships, memberships.c.id == membership_key, values={"accepted_at": change.now})


def end_membership(change: Change, membership_key: int) -> None:
    """Remove a member: the membership, its grants, its User Groups. Never the account (product.md 1.10).

    The one routine for it (properties.md 10). Sessions and tokens of the membership look at these rows at
    each request, so nothing else has to be swept. The caller guards the last owner.
    """
    end_grants(change, membership_key)
    end_facts(change, user_group_members, user_group_members.c.membership_id == membership_key)
    alter_facts(
        change, memberships, memberships.c.id == membership_key, values={"status": "removed", "sso_exempt": False}
    )
