"""OAuth clients that push by SCIM, and the access tokens they were given (RFC 6749 4.4).

A client is a row of `tokens` whose secret is its client secret: it runs out, lists and goes with its maker as every
token does. Its access tokens go with it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, delete, insert, select, update

from bridge.storage.changes import Change
from bridge.storage.prepared import Prepared
from bridge.storage.tables import access_tokens, tokens
from bridge.storage.tokens import CALLER_COLUMNS, CALLERS, WORKS, FoundToken, found_token

#: Access tokens of one client that work at a time: an IdP that asks for one before each call fills no disk.
MOST_AT_A_TIME = 100


@dataclass(frozen=True, slots=True)
class FoundClient:
    """A client that works now: the hash of its secret, and of the one before, as long as that works on."""

    key: int
    hash: bytes
    former_hash: bytes | None


_HOLD_CLIENT = Prepared(
    select(tokens.c.id, tokens.c.hash, tokens.c.former_hash, tokens.c.former_until)
    .where(tokens.c.uid == bindparam("client"), tokens.c.kind == "scim_client", WORKS)
    .with_for_update(of=tokens)
)


def hold_client(connection: Any, client_id: str, now: datetime) -> FoundClient | None:
    """The client with this id, if it works now. Until the transaction ends nobody else changes its secret or revokes
    it: what it is given meanwhile would outlast that.
    """
    row = _HOLD_CLIENT.first(connection, client=client_id, now=now)
    if row is None:
        return None
    overlaps = row.former_until is not None and row.former_until > now
    return FoundClient(row.id, row.hash, row.former_hash if overlaps else None)


def insert_access_token(connection: Any, client_key: int, digest: bytes, now: datetime, expires_at: datetime) -> None:
    """A new access token of the client, by its hash. Those that ended go, and the oldest of more than the most."""
    own = access_tokens.c.token_id == client_key
    connection.execute(delete(access_tokens).where(own, access_tokens.c.expires_at <= now))
    newest = select(access_tokens.c.hash).where(own).order_by(access_tokens.c.expires_at.desc())
    kept = newest.limit(MOST_AT_A_TIME - 1).subquery()
    connection.execute(delete(access_tokens).where(own, access_tokens.c.hash.not_in(select(kept.c.hash))))
    values = {"hash": digest, "token_id": client_key, "expires_at": expires_at}
    connection.execute(insert(access_tokens).values(values))


_FIND_CALLER = Prepared(
    select(*CALLER_COLUMNS)
    .select_from(access_tokens.join(CALLERS, access_tokens.c.token_id == tokens.c.id))
    .where(
        access_tokens.c.hash == bindparam("hash"),
        access_tokens.c.expires_at > bindparam("now", type_=access_tokens.c.expires_at.type),
        WORKS,
    )
)


def find_by_access_token(connection: Any, digest: bytes, now: datetime) -> FoundToken | None:
    """The client whose access token has this hash, if both work now. One statement."""
    return found_token(_FIND_CALLER.first(connection, hash=digest, now=now))


def rotate(
    change: Change, workspace_key: int, client_id: str, digest: bytes, former_until: datetime | None
) -> str | None:
    """The client has another secret. The one before works until then; without a time it ends now, and all access
    tokens with it. Returns what the client is called, None where there is no such one."""
    here = and_(tokens.c.workspace_id == workspace_key, tokens.c.uid == client_id, tokens.c.kind == "scim_client")
    before = None if former_until is None else tokens.c.hash
    values = {"hash": digest, "former_hash": before, "former_until": former_until}
    row = change.connection.execute(
        update(tokens).where(here).values(values).returning(tokens.c.id, tokens.c.description)
    ).first()
    if row is None:
        return None
    if former_until is None:
        change.connection.execute(delete(access_tokens).where(access_tokens.c.token_id == row.id))
    return str(row.description)


def end_access_tokens(change: Change, workspace_key: int, client_id: str) -> None:
    """What a client was given works no longer."""
    here = and_(tokens.c.workspace_id == workspace_key, tokens.c.uid == client_id)
    given = access_tokens.c.token_id.in_(select(tokens.c.id).where(here))
    change.connection.execute(delete(access_tokens).where(given))


def delete_expired_access_tokens(connection: Any, now: datetime) -> int:
    """Forget access tokens that ended. Returns how many."""
    gone: int = connection.execute(delete(access_tokens).where(access_tokens.c.expires_at <= now)).rowcount
    return gone
