"""Second factors: kept, used once, and taken away (product.md 2.8).

What is used up is used up by one statement, so that of two who show the same code at once, one gets in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import and_, delete, func, insert, or_, select, update

from bridge.domain.identity import Factor
from bridge.domain.second_factors import FactorKind, SecondFactor
from bridge.storage.changes import Change, insert_row
from bridge.storage.tables import (
    authentications,
    memberships,
    pending_requests,
    recovery_codes,
    second_factors,
    sessions,
    workspaces,
)

_COLUMNS = (
    second_factors.c.id,
    second_factors.c.uid,
    second_factors.c.kind,
    second_factors.c.name,
    second_factors.c.created_at,
    second_factors.c.used_at,
)


def list_factors(connection: Any, user_key: int) -> list[SecondFactor]:
    """What an account has, the oldest first."""
    chosen = select(*_COLUMNS).where(second_factors.c.user_id == user_key).order_by(second_factors.c.id)
    return [SecondFactor(*row) for row in connection.execute(chosen)]


def has_factor(connection: Any, user_key: int) -> bool:
    """Whether an account has any."""
    chosen = select(second_factors.c.id).where(second_factors.c.user_id == user_key).limit(1)
    return connection.execute(chosen).first() is not None


def insert_factor(
    change: Change,
    user_key: int,
    kind: FactorKind,
    name: str,
    sealed: bytes,
    *,
    used: int | None = None,
    credential: bytes | None = None,
) -> str:
    """Give an account one more. `used`: the step of the code that it was set up with. Returns its id.

    `credential`: of a passkey, whose `used` is its counter. IntegrityError where it is somebody's already.
    """
    uid = str(uuid4())
    values = {"uid": uid, "user_id": user_key, "kind": kind, "name": name, "data_enc": sealed, "last_step": used}
    insert_row(change, second_factors, {**values, "credential": credential, "created_at": change.now})
    return uid


def rename_factor(change: Change, user_key: int, factor_id: str, name: str) -> bool:
    """Call one of an account's otherwise. False where it isn't theirs, or is gone."""
    theirs = update(second_factors).where(second_factors.c.uid == factor_id, second_factors.c.user_id == user_key)
    return bool(change.connection.execute(theirs.values(name=name)).rowcount)


def delete_factor(change: Change, user_key: int, factor_id: str) -> str | None:
    """Take one away from its account. Returns its kind; None where it isn't theirs, or is gone already."""
    gone = delete(second_factors).where(second_factors.c.uid == factor_id, second_factors.c.user_id == user_key)
    kind: str | None = change.connection.execute(gone.returning(second_factors.c.kind)).scalar()
    return kind


# -- Authenticator apps ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KeptApp:
    """An authenticator app: the row's key, and its secret, sealed."""

    key: int
    sealed: bytes


def list_apps(connection: Any, user_key: int) -> list[KeptApp]:
    """The authenticator apps of an account."""
    chosen = select(second_factors.c.id, second_factors.c.data_enc).where(
        second_factors.c.user_id == user_key, second_factors.c.kind == "totp"
    )
    return [KeptApp(*row) for row in connection.execute(chosen.order_by(second_factors.c.id))]


def use_step(change: Change, factor_key: int, step: int) -> bool:
    """Take a code of this time step. False where it, or a later one, was taken before (RFC 6238 5.2)."""
    newer = or_(second_factors.c.last_step.is_(None), second_factors.c.last_step < step)
    used = update(second_factors).where(second_factors.c.id == factor_key, newer)
    return bool(change.connection.execute(used.values(last_step=step, used_at=change.now)).rowcount)


# -- Passkeys ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KeptPasskey:
    """A passkey: the row's key and id, whose it is, its public key, sealed, and its counter when it was last used."""

    key: int
    id: str
    user_key: int
    sealed: bytes
    counter: int


def find_passkey(connection: Any, credential: bytes) -> KeptPasskey | None:
    """The passkey with this id, or None."""
    columns = second_factors.c
    chosen = select(columns.id, columns.uid, columns.user_id, columns.data_enc, columns.last_step)
    row = connection.execute(chosen.where(columns.credential == credential)).first()
    return KeptPasskey(row.id, row.uid, row.user_id, row.data_enc, row.last_step or 0) if row else None


def list_credentials(connection: Any, user_key: int) -> list[bytes]:
    """The ids of an account's passkeys."""
    columns = second_factors.c
    chosen = select(columns.credential).where(columns.user_id == user_key, columns.credential.is_not(None))
    return [bytes(one) for one in connection.execute(chosen.order_by(columns.id)).scalars()]


def use_passkey(change: Change, factor_key: int, counter: int) -> bool:
    """It was shown, and counts so far. False where it counted as far before (WebAuthn 7.2, 22); some never count."""
    columns = second_factors.c
    further = or_(columns.last_step.is_(None), columns.last_step == 0, columns.last_step < counter)
    used = update(second_factors).where(columns.id == factor_key, further)
    return bool(change.connection.execute(used.values(last_step=counter, used_at=change.now)).rowcount)


# -- Recovery codes ----------------------------------------------------------------------------------


def replace_recovery_codes(change: Change, user_key: int, hashes: Sequence[bytes]) -> None:
    """These are the account's recovery codes, and no others."""
    change.connection.execute(delete(recovery_codes).where(recovery_codes.c.user_id == user_key))
    if hashes:
        change.connection.execute(insert(recovery_codes), [{"hash": one, "user_id": user_key} for one in hashes])


def use_recovery_code(change: Change, user_key: int, hashed: bytes) -> bool:
    """Use one up. False where it isn't theirs, or was used."""
    gone = delete(recovery_codes).where(recovery_codes.c.hash == hashed, recovery_codes.c.user_id == user_key)
    return bool(change.connection.execute(gone).rowcount)


def count_recovery_codes(connection: Any, user_key: int) -> int:
    """How many are left."""
    chosen = select(func.count()).where(recovery_codes.c.user_id == user_key)
    return int(connection.execute(chosen).scalar())


# -- Codes by mail -----------------------------------------------------------------------------------


def mail_is_refused(connection: Any, user_key: int) -> bool:
    """Whether a workspace of theirs refuses codes by mail."""
    chosen = select(workspaces.c.id).join(memberships, memberships.c.workspace_id == workspaces.c.id)
    theirs = and_(memberships.c.user_id == user_key, memberships.c.status == "active")
    return connection.execute(chosen.where(theirs, workspaces.c.refuse_mailed_codes).limit(1)).first() is not None


def drop_mailed_codes(change: Change, user_key: int) -> None:
    """No code that was mailed to them is good any more."""
    columns = pending_requests.c
    change.connection.execute(
        delete(pending_requests).where(columns.user_id == user_key, columns.kind == "mailed_code")
    )


# -- What follows for sessions and workspaces --------------------------------------------------------


def note_shown(change: Change, session_key: int, factor: Factor) -> None:
    """The session's login by password is one with this factor from now on."""
    theirs = and_(authentications.c.session_id == session_key, authentications.c.kind == "password")
    change.connection.execute(update(authentications).where(theirs).values(factor=factor))


def forget_shown(change: Change, user_key: int) -> None:
    """Without a factor of its own, no login of the account is one with a factor."""
    theirs = select(sessions.c.id).where(sessions.c.user_id == user_key)
    own = and_(authentications.c.session_id.in_(theirs), authentications.c.kind.in_(("password", "passkey")))
    change.connection.execute(update(authentications).where(own).values(factor=None))
