"""Accounts and memberships: found, made, and ended by the one routine that every path calls."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Select, bindparam, exists, select, update

from bridge.domain.people import email_domain, fold_letters
from bridge.domain.roles import OWNER
from bridge.domain.workspace import Membership, User
from bridge.storage.access_requests import delete_requests_of
from bridge.storage.accounts import HELD_OUT, has_way_in
from bridge.storage.changes import Change, alter_facts, begin_fact, end_facts, insert_row
from bridge.storage.grants import end_grants
from bridge.storage.invites import revoke_invites_of
from bridge.storage.prepared import Prepared
from bridge.storage.tables import domains, grants, memberships, user_group_members, users
from bridge.storage.workspaces import insert_principal

USER = (
    users.c.id,
    users.c.uid,
    users.c.email,
    users.c.name,
    users.c.email_proved_at.is_not(None),
    users.c.password_hash.is_not(None),
)
MEMBERSHIP = (
    memberships.c.id,
    memberships.c.uid,
    memberships.c.workspace_id,
    memberships.c.user_id,
    memberships.c.status,
    memberships.c.accepted_at.is_not(None),
    memberships.c.sso_exempt,
    HELD_OUT,
    memberships.c.created_at,
)


def _open_user(where: ColumnElement[bool]) -> Select[Any]:
    return select(*USER).where(where, users.c.closed_at.is_(None))


def find_user(connection: Any, where: ColumnElement[bool]) -> User | None:
    """The open account that `where` names, or None."""
    row = connection.execute(_open_user(where)).first()
    return None if row is None else User(*row)


def _user(connection: Any, chosen: Prepared, **values: Any) -> User | None:
    row = chosen.first(connection, **values)
    return None if row is None else User(*row)


_BY_EMAIL = _open_user(users.c.email_ci == bindparam("email"))
_USER_BY_EMAIL = Prepared(_BY_EMAIL)
_USER_BY_KEY = Prepared(_open_user(users.c.id == bindparam("user")))
_USER_OF = Prepared(
    _open_user(
        users.c.id == select(memberships.c.user_id).where(memberships.c.id == bindparam("member")).scalar_subquery()
    )
)


def find_user_by_email(connection: Any, email: str) -> User | None:
    """The account with this address, compared without case, or None."""
    return _user(connection, _USER_BY_EMAIL, email=fold_letters(email))


_LOGIN_BY_EMAIL = Prepared(_BY_EMAIL.add_columns(users.c.password_hash, users.c.twilio_sub.is_not(None)))


def find_login_by_email(
    connection: Any, email: str, *, unless_at_twilio: bool = False
) -> tuple[User | None, str | None]:
    """The account with this address, and what is kept of its password: asked at once, whether there is one or not.
    `unless_at_twilio`: the password of an account that is linked doesn't count.
    """
    row = _LOGIN_BY_EMAIL.first(connection, email=fold_letters(email))
    if row is None:
        return None, None
    *user, kept, linked = row
    return User(*user), None if linked and unless_at_twilio else kept


def find_user_by_key(connection: Any, key: int) -> User | None:
    """The account with this key, or None."""
    return _user(connection, _USER_BY_KEY, user=key)


def find_user_by_uid(connection: Any, uid: str) -> User | None:
    """The account with this outside id, or None."""
    return find_user(connection, users.c.uid == uid)


def insert_user(change: Change, email: str, name: str, *, email_proved_at: datetime | None = None) -> User:
    """A new account. Raises IntegrityError where the address is taken."""
    uid = str(uuid4())
    values = {"uid": uid, "email": email, "email_ci": fold_letters(email), "name": name, "created_at": change.now}
    key = insert_row(change, users, {**values, "email_proved_at": email_proved_at})
    return User(key, uid, email, name, email_proved_at is not None, False)


def set_user(change: Change, user_key: int, **values: Any) -> None:
    """Change columns of an account."""
    change.connection.execute(update(users).where(users.c.id == user_key).values(**values))


def find_membership(connection: Any, where: ColumnElement[bool]) -> Membership | None:
    """The membership that `where` names, removed ones too, or None."""
    row = connection.execute(select(*MEMBERSHIP).where(where)).first()
    return None if row is None else Membership(*row)


_MEMBER = Prepared(
    select(*MEMBERSHIP).where(
        memberships.c.workspace_id == bindparam("workspace"), memberships.c.user_id == bindparam("user")
    )
)


def find_member(connection: Any, workspace_key: int, user_key: int) -> Membership | None:
    """The membership of one person in one workspace, removed or not, or None."""
    row = _MEMBER.first(connection, workspace=workspace_key, user=user_key)
    return None if row is None else Membership(*row)


def find_membership_by_uid(connection: Any, uid: str) -> Membership | None:
    """The membership with this outside id, removed ones too, or None."""
    return find_membership(connection, memberships.c.uid == uid)


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


def hold_members(change: Change, membership_keys: Collection[int], *, alone: bool = False) -> set[int]:
    """Keep these memberships as they are until the change ends, or `alone` to change them. Returns the active ones.

    Whoever gives a member something by hand calls it, since what is given while they are removed would outlive that.
    """
    chosen = select(memberships.c.id, memberships.c.status).where(memberships.c.id.in_(list(membership_keys)))
    lock = chosen.order_by(memberships.c.id).with_for_update(read=not alone, key_share=not alone)
    return {row.id for row in change.connection.execute(lock) if row.status == "active"}


def end_membership(change: Change, membership_key: int) -> None:
    """Remove a member: the membership, its grants, its User Groups. Never the account (product.md 1.10).

    The one routine for it (properties.md 10). Sessions and tokens of the membership look at these rows at
    each request, so nothing else has to be swept. An invitation that they haven't used is taken back: it was sent
    before they left; what they asked for is forgotten. The caller guards the last owner.
    """
    # First, so that whoever gives them something now (`hold_members`) has finished, or finds them gone.
    alter_facts(
        change, memberships, memberships.c.id == membership_key, values={"status": "removed", "sso_exempt": False}
    )
    revoke_invites_of(change, membership_key)
    delete_requests_of(change, membership_key)
    end_grants(change, membership_key)
    end_facts(change, user_group_members, user_group_members.c.membership_id == membership_key)


_PROVES_DOMAIN = Prepared(
    select(
        exists().where(
            domains.c.workspace_id == bindparam("workspace"),
            domains.c.name == bindparam("domain"),
            domains.c.proved_at.is_not(None),
        )
    )
)


def proves_domain(connection: Any, workspace_key: int, email: str) -> bool:
    """Whether the workspace has proved, now, the domain of this address."""
    return bool(_PROVES_DOMAIN.scalar(connection, workspace=workspace_key, domain=email_domain(email)))


def has_other_life(connection: Any, user_key: int, workspace_key: int) -> bool:
    """Whether an account is more than this workspace's: a way in of its own, or another workspace."""
    elsewhere = exists().where(memberships.c.user_id == user_key, memberships.c.workspace_id != workspace_key)
    return has_way_in(connection, user_key) or bool(connection.execute(select(elsewhere)).scalar())


def find_user_of(connection: Any, membership_key: int) -> User | None:
    """The open account behind a membership."""
    return _user(connection, _USER_OF, member=membership_key)


def owner_emails(connection: Any, workspace_key: int) -> list[str]:
    """The addresses of a workspace's owners named by hand."""
    chosen = (
        select(users.c.email)
        .select_from(memberships)
        .join(users, users.c.id == memberships.c.user_id)
        .join(grants, grants.c.principal_id == memberships.c.id)
        .where(memberships.c.workspace_id == workspace_key, memberships.c.status == "active")
        .where(grants.c.role == OWNER.id)
        .order_by(users.c.email_ci)
        .distinct()
    )
    return list(connection.execute(chosen.add_columns(users.c.email_ci)).scalars())


def people_of(connection: Any, membership_keys: Collection[int]) -> dict[int, tuple[str, str, str]]:
    """For each membership, its (outside id, address, name)."""
    found: dict[int, tuple[str, str, str]] = {}
    ordered = sorted(membership_keys)
    for start in range(0, len(ordered), 1000):
        chosen = (
            select(memberships.c.id, memberships.c.uid, users.c.email, users.c.name)
            .join_from(memberships, users)
            .where(memberships.c.id.in_(ordered[start : start + 1000]))
        )
        found |= {key: (uid, email, name) for key, uid, email, name in connection.execute(chosen)}
    return found
