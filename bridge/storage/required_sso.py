"""Require SSO, and a second factor of who comes without it: whom that meets, and the switches (product.md 2.5, 2.8)."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, literal_column, or_, select

from bridge.domain.members import ByWay
from bridge.domain.roles import OWNER
from bridge.domain.workspace import Workspace
from bridge.storage.accounts import HAS_SECOND_FACTOR, HELD_OUT
from bridge.storage.changes import Change, alter_facts
from bridge.storage.sessions import ON_SINCE
from bridge.storage.tables import (
    authentications,
    connections,
    directory_users,
    grants,
    identities,
    memberships,
    sessions,
    users,
    workspaces,
)


@dataclass(frozen=True, slots=True)
class MemberShown:
    """A member as lists about Require SSO show them. `counts`: an exemption needs a second factor to count."""

    membership_id: str
    name: str
    email: str
    counts: bool = True


_CAME = exists().where(
    identities.c.user_id == memberships.c.user_id,
    identities.c.connection_id == connections.c.id,
    connections.c.workspace_id == memberships.c.workspace_id,
    connections.c.enabled,
)
_EXEMPT = and_(memberships.c.sso_exempt, HAS_SECOND_FACTOR)
#: A connection by which nobody ever came may be there for pushing alone, so that it opens for nobody.
_PUSHED = exists().where(
    directory_users.c.membership_id == memberships.c.id,
    directory_users.c.pushed,
    directory_users.c.connection_id == connections.c.id,
    connections.c.enabled,
    exists().where(identities.c.connection_id == connections.c.id),
)
_KEPT_OUT = and_(~_EXEMPT, ~_CAME, ~_PUSHED)
_WAY = case((_EXEMPT, "exempt"), (_CAME, "came"), (_PUSHED, "pushed"), else_="neither").label("way")
_PEOPLE = select(memberships.c.uid, users.c.name, users.c.email).join_from(
    memberships, users, users.c.id == memberships.c.user_id
)


def _in(workspace_key: int) -> Any:
    here = and_(memberships.c.workspace_id == workspace_key, memberships.c.status == "active", ~HELD_OUT)
    return and_(here, users.c.closed_at.is_(None))


def count_by_way(connection: Any, workspace_key: int) -> ByWay:
    """By what those who are in would come in under Require SSO."""
    each = select(_WAY).join_from(memberships, users, users.c.id == memberships.c.user_id).where(_in(workspace_key))
    found = each.subquery()
    return ByWay(**dict(connection.execute(select(found.c.way, func.count()).group_by(found.c.way)).all()))


def list_kept_out(connection: Any, workspace_key: int, at_most: int) -> list[MemberShown]:
    """Those whom nothing would let in, by name."""
    chosen = _PEOPLE.where(_in(workspace_key), _KEPT_OUT).order_by(users.c.name, memberships.c.id)
    return [MemberShown(*row) for row in connection.execute(chosen.limit(at_most))]


def count_kept_out(connection: Any, workspace_key: int, now: datetime) -> tuple[ByWay, int, str]:
    """By what people would come in, how many of those who couldn't are signed in now, and a digest of who those are."""
    who = memberships.c.id
    sums = (func.sum(who), func.sum(who * who % literal_column("1000003")))
    chosen = select(func.count(), func.sum(case((_is_here(now), 1), else_=0)), *sums)
    kept_out = chosen.join_from(memberships, users, users.c.id == memberships.c.user_id).where(
        _in(workspace_key), _KEPT_OUT
    )
    count, here, *told = (int(one or 0) for one in connection.execute(kept_out).one())
    digest = sha256(repr((count, *told)).encode()).hexdigest()
    return count_by_way(connection, workspace_key), here, digest


def page_kept_out(connection: Any, workspace_key: int, now: datetime, *, after: str, most: int) -> list[Any]:
    """Who may not, in the order of addresses after one: rows of it folded, membership's outside id, address, name, and
    whether they are signed in now.
    """
    columns = (users.c.email_ci, memberships.c.uid, users.c.email, users.c.name, _is_here(now))
    chosen = select(*columns).join_from(memberships, users, users.c.id == memberships.c.user_id)
    kept_out = chosen.where(_in(workspace_key), _KEPT_OUT, users.c.email_ci > after)
    return list(connection.execute(kept_out.order_by(users.c.email_ci).limit(most)))


def _is_here(now: datetime) -> ColumnElement[bool]:
    lasting = or_(authentications.c.ends_at.is_(None), authentications.c.ends_at > now)
    held = authentications.c.session_id == sessions.c.id
    return exists().where(sessions.c.user_id == users.c.id, sessions.c.ends_at > now, held, lasting)


def list_exempt(connection: Any, workspace_key: int) -> list[MemberShown]:
    """Who is exempt, by name; also those whose exemption doesn't count, since they have no second factor any more."""
    chosen = _PEOPLE.add_columns(HAS_SECOND_FACTOR).where(
        memberships.c.workspace_id == workspace_key, memberships.c.status == "active", memberships.c.sso_exempt
    )
    ordered = chosen.order_by(users.c.name, memberships.c.id)
    return [MemberShown(uid, name, email, bool(has)) for uid, name, email, has in connection.execute(ordered)]


def has_second_factor(connection: Any, membership_key: int) -> bool:
    """Whether the member has a second factor."""
    chosen = select(memberships.c.id).where(memberships.c.id == membership_key, HAS_SECOND_FACTOR)
    return connection.execute(chosen).first() is not None


def came_by_sso(connection: Any, session_key: int, workspace_key: int, now: datetime) -> bool:
    """Whether the session came through a connection of this workspace that is enabled now, and has been since."""
    chosen = (
        select(authentications.c.id)
        .join(connections, connections.c.id == authentications.c.connection_id)
        .where(authentications.c.session_id == session_key, authentications.c.ends_at > now)
        .where(connections.c.workspace_id == workspace_key, ON_SINCE)
    )
    return connection.execute(chosen).first() is not None


def named_owner_came(connection: Any, workspace_key: int) -> bool:
    """Whether an owner named by hand ever came through a connection that is enabled now."""
    named = exists().where(grants.c.principal_id == memberships.c.id, grants.c.role == OWNER.id)
    joined = _PEOPLE.where(_in(workspace_key), named, _CAME)
    return connection.execute(joined.limit(1)).first() is not None


def set_required(change: Change, workspace: Workspace, required: bool) -> None:
    """Turn the switch."""
    alter_facts(change, workspaces, workspaces.c.id == workspace.key, values={"require_sso": required})


def count_without_factor(connection: Any, workspace_key: int) -> int:
    """How many of those who are in never came by SSO through a connection that is enabled now, and have no factor."""
    counted = select(func.count()).select_from(memberships).join(users, users.c.id == memberships.c.user_id)
    return int(connection.execute(counted.where(_in(workspace_key), ~_CAME, ~HAS_SECOND_FACTOR)).scalar())


def list_without_factor(connection: Any, workspace_key: int, at_most: int) -> list[MemberShown]:
    """The same, by name."""
    chosen = _PEOPLE.where(_in(workspace_key), ~_CAME, ~HAS_SECOND_FACTOR).order_by(users.c.name, memberships.c.id)
    return [MemberShown(*row) for row in connection.execute(chosen.limit(at_most))]


def requires_factor(connection: Any, workspace_key: int) -> bool:
    """Whether the workspace asks its members for a second factor, where they don't come by SSO."""
    chosen = select(workspaces.c.require_mfa).where(workspaces.c.id == workspace_key)
    return bool(connection.execute(chosen).scalar())


def set_factor_required(change: Change, workspace: Workspace, required: bool) -> None:
    """Turn the switch."""
    alter_facts(change, workspaces, workspaces.c.id == workspace.key, values={"require_mfa": required})


def refuses_mailed_codes(connection: Any, workspace_key: int) -> bool:
    """Whether the workspace has its members take no codes by mail."""
    chosen = select(workspaces.c.refuse_mailed_codes).where(workspaces.c.id == workspace_key)
    return bool(connection.execute(chosen).scalar())


def set_mailed_codes_refused(change: Change, workspace: Workspace, refused: bool) -> None:
    """Turn the switch."""
    alter_facts(change, workspaces, workspaces.c.id == workspace.key, values={"refuse_mailed_codes": refused})


def set_exempt(change: Change, membership_key: int, exempt: bool) -> None:
    """Exempt a member, or no longer."""
    alter_facts(change, memberships, memberships.c.id == membership_key, values={"sso_exempt": exempt})
