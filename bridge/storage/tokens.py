"""Tokens: made, found by the hash of their secret, listed, revoked."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, and_, bindparam, case, delete, exists, or_, select, update

from bridge.domain.access import RoleInScope
from bridge.domain.roles import OWNER
from bridge.domain.tokens import TokenFacts, TokenKind
from bridge.domain.workspace import Connection, Workspace
from bridge.storage.access import grants_of
from bridge.storage.accounts import names_of_actors
from bridge.storage.changes import Change, insert_row
from bridge.storage.columns import Instant
from bridge.storage.connections import COLUMNS as CONNECTION_COLUMNS
from bridge.storage.grants import end_grants
from bridge.storage.prepared import Prepared
from bridge.storage.tables import PAST, connections, directory_users, grants, memberships, tokens, workspaces
from bridge.storage.workspaces import COLUMNS as WORKSPACE_COLUMNS

#: How often a token's last use is written down (product.md 4.6).
USE_NOTED_EVERY = timedelta(minutes=1)

_MAKER = memberships.alias("maker")
_HELD_OUT = exists().where(directory_users.c.membership_id == _MAKER.c.id, directory_users.c.holds_out)
_once_gone = PAST[memberships]
# Who comes back begins anew: what they made before they were removed stays ended (properties.md 10).
_GONE_SINCE = exists().where(
    _once_gone.c.id == tokens.c.made_by_membership,
    _once_gone.c.status == "removed",
    _once_gone.c.until > tokens.c.created_at,
)
#: Who made it may still do so; what the operator made depends on nobody.
MAKER_ALIVE = or_(
    tokens.c.made_by_membership.is_(None),
    and_(
        exists().where(_MAKER.c.id == tokens.c.made_by_membership, _MAKER.c.status == "active", ~_HELD_OUT),
        ~_GONE_SINCE,
    ),
)
_NOW = bindparam("now", type_=Instant)
#: It has not run out, and who made it may still do so; binds `now`.
WORKS = and_(or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > _NOW), MAKER_ALIVE)


@dataclass(frozen=True, slots=True)
class FoundToken:
    """A SCIM token or client that works now, with its connection and what its workspace's plan is."""

    key: int
    id: str
    last_used_at: datetime | None
    plan: str
    connection: Connection


#: Of a token that pushes, for `found_token`; and what they are read from.
CALLER_COLUMNS = (tokens.c.id, tokens.c.uid, tokens.c.last_used_at, workspaces.c.plan, *CONNECTION_COLUMNS)
CALLERS = tokens.join(connections, connections.c.id == tokens.c.connection_id).join(
    workspaces, workspaces.c.id == tokens.c.workspace_id
)
_FIND_SCIM = Prepared(
    select(*CALLER_COLUMNS)
    .select_from(CALLERS)
    .where(tokens.c.hash == bindparam("hash"), tokens.c.kind == "scim", WORKS)
)


def find_scim_token(connection: Any, digest: bytes, now: datetime) -> FoundToken | None:
    """The SCIM token whose secret has this hash, if it works now. One statement."""
    return found_token(_FIND_SCIM.first(connection, hash=digest, now=now))


def found_token(row: Any) -> FoundToken | None:
    """From its CALLER_COLUMNS."""
    return None if row is None else FoundToken(row[0], row[1], row[2], row[3], Connection(*row[4:]))


@dataclass(frozen=True, slots=True)
class FoundApiToken:
    """An API token that works now, and its workspace. `owns`: its role is Workspace Owner; else see `roles_of`."""

    key: int
    id: str
    last_used_at: datetime | None
    principal_key: int
    owns: bool
    workspace: Workspace


_UNEXPIRED_GRANT = or_(grants.c.expires_at.is_(None), grants.c.expires_at > _NOW)
#: Of a token that asks, for `found_api_token`; what they are read from; and which of them: it binds `hash` and `now`.
API_TOKEN_COLUMNS = (
    tokens.c.id,
    tokens.c.uid,
    tokens.c.last_used_at,
    tokens.c.principal_id,
    exists().where(grants.c.principal_id == tokens.c.principal_id, grants.c.role == OWNER.id, _UNEXPIRED_GRANT),
    *WORKSPACE_COLUMNS,
)
API_TOKENS = tokens.join(workspaces, workspaces.c.id == tokens.c.workspace_id)
API_TOKEN_WORKS = and_(tokens.c.hash == bindparam("hash"), tokens.c.kind == "api", WORKS)
_FIND_API = Prepared(select(*API_TOKEN_COLUMNS).select_from(API_TOKENS).where(API_TOKEN_WORKS))


def find_api_token(connection: Any, digest: bytes, now: datetime) -> FoundApiToken | None:
    """The API token whose secret has this hash, if it works now. One statement."""
    row = _FIND_API.first(connection, hash=digest, now=now)
    return None if row is None else found_api_token(row)


def found_api_token(row: Any) -> FoundApiToken:
    """From its API_TOKEN_COLUMNS."""
    return FoundApiToken(row[0], row[1], row[2], row[3], bool(row[4]), Workspace(*row[5:]))


def roles_of(connection: Any, principal_key: int, now: datetime) -> tuple[RoleInScope, ...]:
    """What an API token was given and hasn't run out."""
    standing = select(grants.c.id).where(
        grants.c.principal_id == principal_key, or_(grants.c.expires_at.is_(None), grants.c.expires_at > now)
    )
    keys = set(connection.execute(standing).scalars())
    return tuple(given for key, (_, given) in sorted(grants_of(connection, [principal_key]).items()) if key in keys)


def note_use(connection: Any, key: int, now: datetime) -> None:
    """Write down that a token was used, unless a use within the last minute is."""
    stale = or_(tokens.c.last_used_at.is_(None), tokens.c.last_used_at <= now - USE_NOTED_EVERY)
    connection.execute(update(tokens).where(tokens.c.id == key, stale).values(last_used_at=now))


@dataclass(frozen=True, slots=True)
class TokenDraft:
    """What a token is made of. A SCIM token or client has a connection, an API token a principal with grants."""

    kind: TokenKind
    workspace_key: int
    description: str
    expires_at: datetime | None
    made_by_membership: int | None
    connection_key: int | None = None
    principal_key: int | None = None


def insert_token(change: Change, draft: TokenDraft, digest: bytes) -> str:
    """Keep a new token by the hash of its secret. Returns its outside id."""
    uid = str(uuid4())
    values = {
        "uid": uid,
        "hash": digest,
        "workspace_id": draft.workspace_key,
        "kind": draft.kind,
        "connection_id": draft.connection_key,
        "principal_id": draft.principal_key,
        "made_by_membership": draft.made_by_membership,
        "made_by": change.actor,
        "description": draft.description,
        "created_at": change.now,
        "expires_at": draft.expires_at,
    }
    insert_row(change, tokens, values)
    return uid


def list_tokens(
    connection: Any, workspace_key: int, now: datetime, where: ColumnElement[bool] | None = None
) -> list[TokenFacts]:
    """A workspace's tokens of both kinds, newest first."""
    chosen = (
        select(
            tokens,
            connections.c.uid.label("connection_uid"),
            connections.c.name.label("connection_name"),
            memberships.c.uid.label("maker_uid"),
            case((WORKS, True), else_=False).label("works"),
        )
        .select_from(tokens)
        .outerjoin(connections, connections.c.id == tokens.c.connection_id)
        .outerjoin(memberships, memberships.c.id == tokens.c.made_by_membership)
        .where(tokens.c.workspace_id == workspace_key)
        .order_by(tokens.c.id.desc())
    )
    chosen = chosen if where is None else chosen.where(where)
    rows = connection.execute(chosen, {"now": now}).all()
    roles = _roles_of(connection, [row.principal_id for row in rows if row.principal_id is not None])
    names = names_of_actors(connection, {row.made_by for row in rows})
    return [_facts(row, tuple(roles.get(row.principal_id, ())), names.get(row.made_by)) for row in rows]


def made_by(membership_key: int) -> ColumnElement[bool]:
    """The tokens that this member made: they stop with the membership (product.md 2.9)."""
    return tokens.c.made_by_membership == membership_key


def with_id(uid: str) -> ColumnElement[bool]:
    """The token with this outside id."""
    return tokens.c.uid == uid


def take_over(change: Change, workspace_key: int, uid: str, digest: bytes, maker: int | None) -> None:
    """The token is this member's as if made now, and has another secret; the one before, and a client's former, end."""
    here = and_(tokens.c.workspace_id == workspace_key, tokens.c.uid == uid)
    secret = update(tokens).where(here).values(hash=digest, former_hash=None, former_until=None, last_used_at=None)
    owner = {"made_by": change.actor, "made_by_membership": maker, "created_at": change.now}
    change.connection.execute(secret.values(owner))


def delete_token(change: Change, workspace_key: int, uid: str) -> tuple[TokenKind, str] | None:
    """Revoke a token and end what it was given. Returns its kind and description, None where there is no such one."""
    here = and_(tokens.c.workspace_id == workspace_key, tokens.c.uid == uid)
    gone = delete(tokens).where(here).returning(tokens.c.principal_id, tokens.c.kind, tokens.c.description)
    row = change.connection.execute(gone).first()
    if row is None:
        return None
    if row.principal_id is not None:
        end_grants(change, row.principal_id)
    return row.kind, row.description


def _roles_of(connection: Any, principals: list[int]) -> dict[int, list[RoleInScope]]:
    roles: dict[int, list[RoleInScope]] = {}
    for _, (principal, given) in sorted(grants_of(connection, principals).items(), key=lambda item: item[0]):
        roles.setdefault(principal, []).append(given)
    return roles


def _facts(row: Any, roles: tuple[RoleInScope, ...], made_by_name: str | None) -> TokenFacts:
    return TokenFacts(
        id=row.uid,
        kind=row.kind,
        description=row.description,
        connection_id=row.connection_uid,
        connection=row.connection_name,
        roles=roles,
        made_by=row.made_by,
        made_by_membership=row.maker_uid,
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        works=bool(row.works),
        made_by_name=made_by_name,
        former_until=row.former_until,
    )
