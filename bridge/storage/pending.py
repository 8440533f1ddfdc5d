"""What waits to be finished once: logins under way, their results, proofs, and proofs that were used.

Everything is found by the hash of a secret, or of an id that nobody can guess, and ends by itself.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from types import ModuleType
from typing import Any, Literal

from sqlalchemy import BigInteger, bindparam, delete, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from bridge.storage.changes import Change
from bridge.storage.prepared import Prepared
from bridge.storage.tables import ended_logins, pending_requests, seen

#: `handle`: the result of a login, until the browser fetches it. `prove`: a person has to prove an account first.
#: `link`: the same, by a mailed link. `test`: somebody may begin a test of the connection. `tested`: its result.
#: `logout`: an IdP is told that a session ended here. `factor`: a password was right, and the second factor is to be
#: shown. `enrol`: one is being set up. `passkey`: a challenge. `mailed_code`: a code by mail. `reset`, `verify_email`,
#: `change_email`: links by mail. `twilio_arrival`: who came from Twilio for the first time. `twilio_link`: the mailed
#: link of such a one. `twilio_email`: an address that Twilio says, to be confirmed.
#: Requests to an IdP wait nowhere: see `bridge.flows.login_requests`.
Kind = Literal[
    "handle", "prove", "link", "test", "tested", "logout",
    "factor", "enrol", "passkey", "mailed_code", "reset", "verify_email", "change_email",
    "twilio_arrival", "twilio_link", "twilio_email",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pending:
    """One thing under way. `browser_hash` None: whoever has the secret may finish it."""

    kind: Kind
    connection_key: int | None
    user_key: int | None
    browser_hash: bytes | None
    return_to: str
    result: Any
    expires_at: datetime


_COLUMNS = (
    pending_requests.c.kind,
    pending_requests.c.connection_id,
    pending_requests.c.user_id,
    pending_requests.c.browser_hash,
    pending_requests.c.return_to,
    pending_requests.c.result,
    pending_requests.c.expires_at,
)


# Built once: a sign-in runs each of them, and building costs as much as running.
_named = (pending_requests.c.hash == bindparam("digest"), pending_requests.c.kind == bindparam("named"))
_PUT = Prepared(insert(pending_requests), ("hash", *(column.name for column in _COLUMNS)))
_FIND = Prepared(select(*_COLUMNS).where(*_named, pending_requests.c.expires_at > bindparam("now")))
_TAKE = Prepared(delete(pending_requests).where(*_named).returning(*_COLUMNS))
_REMEMBER = {
    dialect.__name__.rpartition(".")[2]: Prepared(
        dialect.insert(seen)
        .values(hash=bindparam("digest"), expires_at=bindparam("until"))
        .on_conflict_do_nothing()
        .returning(seen.c.hash)
    )
    for dialect in (sqlite, postgresql)
}


#: By whether it is held alone.
_HOLD = {
    False: Prepared(select(func.pg_advisory_xact_lock_shared(bindparam("number", type_=BigInteger)))),
    True: Prepared(select(func.pg_advisory_xact_lock(bindparam("number", type_=BigInteger)))),
}
_SEEN = Prepared(select(seen.c.hash, seen.c.expires_at).where(seen.c.hash == bindparam("digest")))


def _lengthening(dialect: ModuleType) -> Prepared:
    kept = dialect.insert(seen).values(hash=bindparam("digest"), expires_at=bindparam("until"))
    later = seen.c.expires_at < kept.excluded.expires_at
    return Prepared(
        kept.on_conflict_do_update(
            index_elements=[seen.c.hash], set_={"expires_at": kept.excluded.expires_at}, where=later
        )
    )


_LENGTHEN = {dialect.__name__.rpartition(".")[2]: _lengthening(dialect) for dialect in (sqlite, postgresql)}


def put_pending(change: Change, digest: bytes, pending: Pending) -> None:
    """Keep one until it is taken or runs out."""
    _PUT.run(
        change.connection,
        hash=digest,
        kind=pending.kind,
        connection_id=pending.connection_key,
        user_id=pending.user_key,
        browser_hash=pending.browser_hash,
        return_to=pending.return_to,
        result=pending.result,
        expires_at=pending.expires_at,
    )


def find_pending(connection: Any, digest: bytes, kind: Kind, now: datetime) -> Pending | None:
    """The one of this kind that hasn't run out, or None."""
    row = _FIND.first(connection, digest=digest, named=kind, now=now)
    return None if row is None else Pending(*row)


def take_pending(change: Change, digest: bytes, kind: Kind) -> Pending | None:
    """The same, gone with this change: of two who try at once, one gets it."""
    row = _TAKE.first(change.connection, digest=digest, named=kind)
    taken = None if row is None else Pending(*row)
    return taken if taken and taken.expires_at > change.now else None


def find_logins(connection: Any, connection_key: int) -> list[tuple[bytes, Any]]:
    """The hash and the result of each login through a connection that is proved and not fetched yet."""
    proved = pending_requests.c.kind.in_(("handle", "prove", "link"))
    of_connection = pending_requests.c.connection_id == connection_key
    chosen = select(pending_requests.c.hash, pending_requests.c.result).where(of_connection, proved)
    return [(row.hash, row.result) for row in connection.execute(chosen)]


def drop_logins(change: Change, connection_key: int) -> None:
    """No login through a connection is under way any more, however far it came."""
    under_way = pending_requests.c.kind.in_(("handle", "prove", "link"))
    change.connection.execute(
        delete(pending_requests).where(pending_requests.c.connection_id == connection_key, under_way)
    )


def drop_pending(change: Change, digests: Collection[bytes]) -> None:
    """These are under way no more."""
    change.connection.execute(delete(pending_requests).where(pending_requests.c.hash.in_(list(digests))))


def drop_of_user(change: Change, user_key: int, kinds: Collection[Kind]) -> None:
    """Nothing of these kinds is under way for an account any more."""
    theirs = (pending_requests.c.user_id == user_key, pending_requests.c.kind.in_(list(kinds)))
    change.connection.execute(delete(pending_requests).where(*theirs))


def remember(change: Change, digest: bytes, until: datetime) -> bool:
    """Whether this proof is new. Now it is no longer: not in any process, nor after a restart."""
    first = _REMEMBER[change.connection.dialect.name]
    return first.first(change.connection, digest=digest, until=until) is not None


def was_remembered(connection: Any, digest: bytes) -> bool:
    """Whether `remember` was told of it, and hasn't forgotten it since."""
    return bool(_SEEN(connection, digest=digest))


def hold_proof(change: Change, digest: bytes, *, alone: bool = False) -> None:
    """Until the change ends, whether this proof is remembered stays as it is; `alone`: nobody looks meanwhile.

    To be asked before it is looked for, or remembered, where that ends what who looks is just making: a row that isn't
    there can't be held. Of several, in one order.
    """
    if change.connection.dialect.name == "postgresql":
        _HOLD[alone].scalar(change.connection, number=int.from_bytes(digest[:8], "big", signed=True))


def remember_longest(change: Change, digest: bytes, until: datetime) -> None:
    """Remember it until then, or for as long as it is remembered already."""
    _LENGTHEN[change.connection.dialect.name].run(change.connection, digest=digest, until=until)


def remembered_until(connection: Any, digest: bytes) -> datetime | None:
    """Until when it is remembered, None where it isn't."""
    row = _SEEN.first(connection, digest=digest)
    return None if row is None else row.expires_at


def delete_expired(change: Change) -> int:
    """Forget what ran out. Returns how many rows went."""
    ends = delete(ended_logins).where(ended_logins.c.expires_at <= change.now)
    requests = delete(pending_requests).where(pending_requests.c.expires_at <= change.now)
    proofs = delete(seen).where(seen.c.expires_at <= change.now)
    return sum(change.connection.execute(statement).rowcount for statement in (requests, proofs, ends))
