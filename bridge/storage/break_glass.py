"""Break-glass: one-time codes of owners named by hand, and what they opened (docs/decisions/0017)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, func, insert, or_, select, update

from bridge.domain.roles import OWNER
from bridge.storage.accounts import HELD_OUT, WAY_IN
from bridge.storage.changes import Change, insert_rows
from bridge.storage.tables import (
    break_glass_codes,
    break_glass_openings,
    grants,
    memberships,
    users,
)


@dataclass(frozen=True, slots=True)
class NamedOwner:
    """An owner named by hand who is in. `codes`: how many of theirs would open now; `has_login`: their own."""

    membership_key: int
    membership_id: str
    name: str
    email: str
    codes: int
    has_login: bool


#: Of a row of codes: not used, not run out, and made under the grant of ownership that stands now.
def _good(now: datetime) -> ColumnElement[bool]:
    lasts = or_(break_glass_codes.c.expires_at.is_(None), break_glass_codes.c.expires_at > now)
    owned = exists().where(
        grants.c.principal_id == break_glass_codes.c.membership_id,
        grants.c.role == OWNER.id,
        grants.c.since <= break_glass_codes.c.created_at,
    )
    return and_(break_glass_codes.c.used_at.is_(None), lasts, owned)


def list_named_owners(connection: Any, workspace_key: int, now: datetime) -> list[NamedOwner]:
    """A workspace's owners named by hand, by name; not those who are held out."""
    counted = (
        select(func.count())
        .where(break_glass_codes.c.membership_id == memberships.c.id, _good(now))
        .correlate(memberships)
        .scalar_subquery()
    )
    named = exists().where(grants.c.principal_id == memberships.c.id, grants.c.role == OWNER.id)
    chosen = (
        select(memberships.c.id, memberships.c.uid, users.c.name, users.c.email, counted, WAY_IN)
        .join_from(memberships, users, users.c.id == memberships.c.user_id)
        .where(memberships.c.workspace_id == workspace_key, memberships.c.status == "active", ~HELD_OUT, named)
        .where(users.c.closed_at.is_(None))
        .order_by(users.c.name, memberships.c.id)
    )
    found = connection.execute(chosen)
    return [NamedOwner(key, uid, name, email, codes, bool(way_in)) for key, uid, name, email, codes, way_in in found]


def has_codes(connection: Any, membership_key: int, now: datetime) -> bool:
    """Whether this owner has a code that would open now."""
    chosen = select(break_glass_codes.c.id).where(break_glass_codes.c.membership_id == membership_key, _good(now))
    return connection.execute(chosen.limit(1)).first() is not None


def count_codes(connection: Any, membership_key: int, now: datetime) -> int:
    """How many codes of this owner would open now."""
    chosen = select(func.count()).where(break_glass_codes.c.membership_id == membership_key, _good(now))
    counted: int = connection.execute(chosen).scalar_one()
    return counted


def insert_codes(
    change: Change, membership_key: int, hashes: Sequence[bytes], expires_at: datetime | None = None
) -> None:
    """New codes of one owner."""
    row = {"membership_id": membership_key, "made_by": change.actor, "created_at": change.now}
    insert_rows(change, break_glass_codes, [{**row, "hash": one, "expires_at": expires_at} for one in hashes])


def delete_unused_codes(change: Change, membership_key: int) -> int:
    """Forget the codes of one owner that nobody used. Returns how many."""
    unused = and_(break_glass_codes.c.membership_id == membership_key, break_glass_codes.c.used_at.is_(None))
    return change.connection.execute(delete(break_glass_codes).where(unused)).rowcount


def use_code(change: Change, membership_key: int, digest: bytes) -> bool:
    """Use up a code of this owner. False where there is none that would open: of two at once, for one of them."""
    this = and_(break_glass_codes.c.membership_id == membership_key, break_glass_codes.c.hash == digest)
    used = update(break_glass_codes).where(this, _good(change.now)).values(used_at=change.now)
    return bool(change.connection.execute(used).rowcount)


def open_for_session(change: Change, session_key: int, membership_key: int, ends_at: datetime) -> None:
    """Open the membership's workspace to one session until then."""
    end_openings(change, membership_key, session_key)
    values = {"session_id": session_key, "membership_id": membership_key, "at": change.now, "ends_at": ends_at}
    change.connection.execute(insert(break_glass_openings).values(**values))


def end_openings(change: Change, membership_key: int, session_key: int | None = None) -> int:
    """Close what codes of this owner opened, to one session or to all. Returns how many."""
    gone = delete(break_glass_openings).where(break_glass_openings.c.membership_id == membership_key)
    if session_key is not None:
        gone = gone.where(break_glass_openings.c.session_id == session_key)
    return change.connection.execute(gone).rowcount
