"""What one's own account page shows and changes: its ways in, where its changes are told, and its sessions."""

from typing import Any

from sqlalchemy import and_, bindparam, delete, exists, func, select, update

from bridge.domain.people import fold_letters
from bridge.domain.ways_in import LinkedIdentity, WaysIn
from bridge.storage.accounts import HELD_OUT, NO_TWILIO
from bridge.storage.changes import Change, alter_facts
from bridge.storage.prepared import Prepared
from bridge.storage.tables import (
    connections,
    directory_users,
    identities,
    memberships,
    recovery_codes,
    second_factors,
    sessions,
    users,
    workspaces,
)


def find_ways_in(connection: Any, user_key: int) -> WaysIn:
    """The ways in of an account; none, where there is no such account."""
    passkeys = select(func.count()).where(second_factors.c.user_id == users.c.id, second_factors.c.kind == "passkey")
    chosen = select(
        users.c.password_hash.is_not(None), users.c.twilio_sub.is_not(None), passkeys.scalar_subquery()
    ).where(users.c.id == user_key)
    password, twilio, count = connection.execute(chosen).first() or (False, False, 0)
    return WaysIn(bool(password), bool(twilio), count, _identities(connection, user_key))


def _identities(connection: Any, user_key: int) -> tuple[LinkedIdentity, ...]:
    seat = and_(
        memberships.c.user_id == user_key,
        memberships.c.workspace_id == workspaces.c.id,
        memberships.c.status == "active",
        ~HELD_OUT,
    )
    chosen = (
        select(
            connections.c.id,
            connections.c.uid,
            connections.c.name,
            workspaces.c.name,
            workspaces.c.id,
            identities.c.subject,
            identities.c.linked_at,
            and_(connections.c.enabled, workspaces.c.plan == "business", exists().where(seat)),
            exists().where(seat, memberships.c.accepted_at.is_not(None)),
        )
        .join(connections, connections.c.id == identities.c.connection_id)
        .join(workspaces, workspaces.c.id == connections.c.workspace_id)
        .where(identities.c.user_id == user_key)
        .order_by(identities.c.linked_at, identities.c.connection_id, identities.c.subject)
    )
    return tuple(LinkedIdentity(*row) for row in connection.execute(chosen))


def unlink_identity(change: Change, user_key: int, connection_key: int, subject: str) -> bool:
    """This subject of this connection doesn't open the account any more. False where it didn't."""
    theirs = and_(
        identities.c.user_id == user_key,
        identities.c.connection_id == connection_key,
        identities.c.subject == subject,
    )
    return change.connection.execute(delete(identities).where(theirs)).rowcount == 1


def workspaces_of(connection: Any, user_key: int) -> list[int]:
    """The keys of the workspaces that somebody is a member of, held out or not."""
    chosen = select(memberships.c.workspace_id).where(
        memberships.c.user_id == user_key, memberships.c.status == "active"
    )
    return sorted(connection.execute(chosen).scalars())


def close(change: Change, user_key: int) -> None:
    """Nothing opens this account any more, and its address is free (`uq_users_email`). Its row stays for what it did,
    and with it what IdPs know of its person: by that they are known as somebody who left (`was_closed_here`).
    """
    for table in (sessions, second_factors, recovery_codes):
        change.connection.execute(delete(table).where(table.c.user_id == user_key))
    closed = update(users).where(users.c.id == user_key)
    change.connection.execute(closed.values(password_hash=None, closed_at=change.now, **NO_TWILIO))


def _closed_here(workspace_key: int, email: str) -> Any:
    """Memberships of accounts that had this address and were closed."""
    return (
        select(memberships.c.id, memberships.c.user_id)
        .join(users, users.c.id == memberships.c.user_id)
        .where(users.c.email_ci == fold_letters(email), users.c.closed_at.is_not(None))
        .where(memberships.c.workspace_id == workspace_key)
    )


def was_closed_here(connection: Any, workspace_key: int, email: str) -> bool:
    """Whether an account that had this address, and was a member of this workspace, was closed."""
    return connection.execute(_closed_here(workspace_key, email).limit(1)).first() is not None


def let_go_of_closed(change: Change, workspace_key: int, email: str) -> None:
    """What this workspace's IdPs know of who closed the account with this address is about whoever comes by it now."""
    gone = change.connection.execute(_closed_here(workspace_key, email)).all()
    if not gone:
        return
    pushed = and_(directory_users.c.membership_id.in_([row.id for row in gone]), directory_users.c.pushed)
    alter_facts(change, directory_users, pushed, values={"membership_id": None})
    ours = select(connections.c.id).where(connections.c.workspace_id == workspace_key)
    theirs = and_(identities.c.user_id.in_([row.user_id for row in gone]), identities.c.connection_id.in_(ours))
    change.connection.execute(delete(identities).where(theirs))


def end_sessions(change: Change, user_key: int, *, but: int | None = None) -> int:
    """End all sessions of an account, `but` one. Returns how many there were."""
    theirs = [sessions.c.user_id == user_key]
    if but is not None:
        theirs.append(sessions.c.id != but)
    return change.connection.execute(delete(sessions).where(*theirs)).rowcount


def session_stands(connection: Any, session_key: int) -> bool:
    """Whether a session is still there, of an account that is locked: whatever ends sessions locks it first."""
    return connection.execute(select(sessions.c.id).where(sessions.c.id == session_key)).first() is not None


_HOLD = Prepared(select(users.c.id).where(users.c.id == bindparam("user")).with_for_update(read=True, key_share=True))


def lock_account(change: Change, user_key: int) -> None:
    """Nobody else changes what opens this account until the change ends."""
    change.connection.execute(select(users.c.id).where(users.c.id == user_key).with_for_update())


def hold_account(change: Change, user_key: int) -> None:
    """What opens this account stays as it is until the change ends: whoever wants to change that waits, or has done so.
    Others sign in to it meanwhile. To be asked before what a login rests on is looked at, or on PostgreSQL a session
    might be made by what another transaction is just taking away.
    """
    if change.connection.dialect.name == "postgresql":  # SQLite has one writer at a time
        _HOLD.scalar(change.connection, user=user_key)


def find_twilio(connection: Any, user_key: int) -> str | None:
    """The Twilio user that an account is linked to: their name, email, password and factors are kept there."""
    subject: str | None = connection.execute(select(users.c.twilio_sub).where(users.c.id == user_key)).scalar()
    return subject
