"""Pushed records that are linked to no account, and what stands in their way."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select

from bridge.domain.waiting_records import WaitingRecord
from bridge.storage.directory import pushed_users
from bridge.storage.tables import directory_users, memberships, users

_COLUMNS = directory_users.c


def count_waiting(connection: Any, connection_key: int) -> int:
    """How many there are of a connection."""
    counted = select(func.count()).select_from(directory_users).where(_waiting(connection_key))
    return int(connection.execute(counted).scalar_one())


def list_waiting(
    connection: Any, connection_key: int, workspace_key: int, *, limit: int, offset: int
) -> list[WaitingRecord]:
    """A connection's, oldest first."""
    chosen = (
        select(
            _COLUMNS.uid, _COLUMNS.user_name, _COLUMNS.display_name, _COLUMNS.email_ci, _COLUMNS.active,
            _COLUMNS.created_at,
        )
        .where(_waiting(connection_key)).order_by(_COLUMNS.id).limit(limit).offset(offset)
    )  # fmt: skip
    rows = connection.execute(chosen).all()
    emails = {row.email_ci for row in rows if row.email_ci is not None}
    others, members = _others(connection, connection_key, emails), _members(connection, workspace_key, emails)
    return [_told(row, others.get(row.email_ci), members.get(row.email_ci)) for row in rows]


def _waiting(connection_key: int) -> ColumnElement[bool]:
    return and_(pushed_users(connection_key), _COLUMNS.membership_id.is_(None))


def _others(connection: Any, connection_key: int, emails: Collection[str]) -> dict[str, str]:
    """By address of an account, the user name of the record that has its person, whatever address that has by now."""
    chosen = (
        select(users.c.email_ci, _COLUMNS.user_name)
        .join_from(directory_users, memberships, memberships.c.id == _COLUMNS.membership_id)
        .join(users, users.c.id == memberships.c.user_id)
        .where(pushed_users(connection_key), users.c.email_ci.in_(emails), users.c.closed_at.is_(None))
    )
    return {row.email_ci: row.user_name for row in connection.execute(chosen)}


def _members(connection: Any, workspace_key: int, emails: Collection[str]) -> dict[str, tuple[str, str]]:
    """By address, the (outside id, status) of the membership of whoever has it."""
    chosen = (
        select(users.c.email_ci, memberships.c.uid, memberships.c.status)
        .join_from(memberships, users, users.c.id == memberships.c.user_id)
        .where(memberships.c.workspace_id == workspace_key, users.c.email_ci.in_(emails), users.c.closed_at.is_(None))
    )
    return {row.email_ci: (row.uid, row.status) for row in connection.execute(chosen)}


def _told(row: Any, other: str | None, member: tuple[str, str] | None) -> WaitingRecord:
    record = (row.uid, row.user_name, row.display_name, row.email_ci, bool(row.active), row.created_at)
    member_id, status = member or (None, None)
    if row.email_ci is None:
        return WaitingRecord(*record, "no_email")
    if other is not None:
        return WaitingRecord(*record, "second", other, member_id)
    return WaitingRecord(*record, "removed" if status == "removed" else "free", None, member_id)
