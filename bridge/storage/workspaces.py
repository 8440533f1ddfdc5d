"""Workspaces: found by slug, id or key; made; and the guard of the last owner."""

from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Select, bindparam, exists, insert, select

from bridge.domain.errors import LastOwner
from bridge.domain.labels import BUILT_IN
from bridge.domain.roles import OWNER
from bridge.domain.workspace import Workspace
from bridge.storage.accounts import HELD_OUT, WAY_IN
from bridge.storage.changes import Change, alter_facts, begin_fact, insert_row, lock_workspace
from bridge.storage.prepared import Prepared
from bridge.storage.tables import (
    grants,
    labels,
    memberships,
    principals,
    users,
    workspaces,
)

COLUMNS = (
    workspaces.c.id,
    workspaces.c.uid,
    workspaces.c.slug,
    workspaces.c.name,
    workspaces.c.plan,
    workspaces.c.require_sso,
    workspaces.c.hipaa,
    workspaces.c.rev,
)


def find_workspace(connection: Any, where: ColumnElement[bool]) -> Workspace | None:
    """The workspace that `where` names, or None."""
    row = connection.execute(select(*COLUMNS).where(where)).first()
    return None if row is None else Workspace(*row)


def find_by_slug(connection: Any, slug: str) -> Workspace | None:
    """The workspace with this slug, or None."""
    row = _BY_SLUG.first(connection, slug=slug)
    return None if row is None else Workspace(*row)


_BY_SLUG = Prepared(select(*COLUMNS).where(workspaces.c.slug == bindparam("slug")))
_BY_KEY = Prepared(select(*COLUMNS).where(workspaces.c.id == bindparam("key")))


def find_by_key(connection: Any, key: int) -> Workspace | None:
    """The workspace with this key, or None."""
    row = _BY_KEY.first(connection, key=key)
    return None if row is None else Workspace(*row)


def list_workspaces(connection: Any) -> list[Workspace]:
    """Every workspace, by slug."""
    return [Workspace(*row) for row in connection.execute(select(*COLUMNS).order_by(workspaces.c.slug))]


def insert_workspace(change: Change, slug: str, name: str, plan: str) -> Workspace:
    """A new workspace with the labels that every workspace has."""
    uid = str(uuid4())
    values = {"uid": uid, "slug": slug, "name": name, "plan": plan, "created_at": change.now}
    key = begin_fact(change, workspaces, values)
    built_in = [{"workspace_id": key, "key": label.key, "value": label.value} for label in BUILT_IN]
    change.connection.execute(insert(labels), built_in)
    return Workspace(key, uid, slug, name, plan, False, False, 0)


def set_plan(change: Change, workspace: Workspace, plan: str) -> None:
    """Put the workspace on another plan."""
    alter_facts(change, workspaces, workspaces.c.id == workspace.key, values={"plan": plan})


def set_name(change: Change, workspace: Workspace, name: str) -> None:
    """Give the workspace another name."""
    alter_facts(change, workspaces, workspaces.c.id == workspace.key, values={"name": name})


def set_hipaa(change: Change, workspace: Workspace, flagged: bool) -> None:
    """Flag the workspace, or no longer."""
    alter_facts(change, workspaces, workspaces.c.id == workspace.key, values={"hipaa": flagged})


def insert_principal(change: Change, workspace_key: int, kind: str) -> int:
    """A new holder of grants."""
    return insert_row(change, principals, {"workspace_id": workspace_key, "kind": kind})


# -- The last owner (product.md 1.1) -----------------------------------------------------------------


def check_last_owner(change: Change, workspace_key: int) -> None:
    """Refuse the change if it leaves no owner named by hand who can sign in without this workspace's IdP.

    Call it after the rows have changed, in the same transaction; hold `lock_workspace` since before.
    Raises LastOwner, which rolls everything back.
    """
    if not count_keeping_owners(change.connection, workspace_key):
        raise _last_owner()


def check_owners_without(connection: Any, workspace_key: int, membership_key: int) -> None:
    """The same foreseen, of a member who would go, or would own it by hand no more. Raises LastOwner."""
    owns = bool(_OWNS.scalar(connection, member=membership_key))
    if owns and not set(connection.execute(_keeping_owners(workspace_key)).scalars()) - {membership_key}:
        raise _last_owner()


def _last_owner() -> LastOwner:
    return LastOwner(
        "This would leave the workspace without an owner who can sign in on their own. "
        "Make somebody else an owner by hand first."
    )


_HOLD_MEMBER = Prepared(select(memberships.c.id).where(memberships.c.id == bindparam("member")).with_for_update())
_OWNS = Prepared(select(exists().where(grants.c.principal_id == bindparam("member"), grants.c.role == OWNER.id)))


def guarding_owners(change: Change, workspace_key: int, membership_key: int) -> bool:
    """Hold the member, and say whether this is an owner named by hand: then the workspace is held too (check after).

    Whoever makes somebody an owner by hand holds the member for that, so that this stays so until the change ends.
    """
    if change.connection.dialect.name != "sqlite":  # which has one writer
        _HOLD_MEMBER(change.connection, member=membership_key)
    owns = bool(_OWNS.scalar(change.connection, member=membership_key))
    if owns:
        lock_workspace(change, workspace_key)
    return owns


def keeps_owners_alone(connection: Any, workspace_key: int, membership_key: int) -> bool:
    """Whether this member is the one owner named by hand who can sign in without the workspace's IdP."""
    keeping = connection.execute(_keeping_owners(workspace_key)).scalars().all()
    return list(keeping) == [membership_key]


def count_keeping_owners(connection: Any, workspace_key: int) -> int:
    """Owners named by hand who accepted, active, held out by no IdP, with a way in of their own."""
    return len(connection.execute(_keeping_owners(workspace_key)).scalars().all())


def _keeping_owners(workspace_key: int) -> Select[tuple[int]]:
    return (
        select(memberships.c.id)
        .distinct()
        .select_from(memberships)
        .join(users, users.c.id == memberships.c.user_id)
        .join(grants, grants.c.principal_id == memberships.c.id)
        .where(
            memberships.c.workspace_id == workspace_key,
            memberships.c.status == "active",
            # Until they accept, only the workspace's SSO opens it (product.md 4.4).
            memberships.c.accepted_at.is_not(None),
            grants.c.role == OWNER.id,
            grants.c.expires_at.is_(None),  # who owns for a while keeps nothing
            users.c.closed_at.is_(None),
            ~HELD_OUT,
            WAY_IN,
        )
    )
