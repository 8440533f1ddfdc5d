"""Sessions: rows found by the hash of a random id, the authentications they hold, and what those could reach.

Reach is never stored: two statements gather what `bridge.domain.sign_in` needs to say it at each request.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    update,
)

from bridge.domain.identity import Factor, LoginKind, Whose
from bridge.domain.people import email_domain
from bridge.domain.reach import HIPAA_IDLE, Authentication, Seat
from bridge.domain.roles import OWNER
from bridge.domain.sign_in import Client
from bridge.domain.workspace import Connection, User, Workspace
from bridge.storage.access import owner_condition
from bridge.storage.accounts import HAS_SECOND_FACTOR, HELD_OUT
from bridge.storage.changes import Change, insert_row
from bridge.storage.columns import Instant
from bridge.storage.prepared import Prepared
from bridge.storage.tables import (
    PAST,
    authentications,
    break_glass_openings,
    connections,
    directory_users,
    domains,
    grants,
    memberships,
    pending_requests,
    sessions,
    users,
    workspaces,
)

#: How often a session's last use is written down (product.md 4.6).
SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session that hasn't run out, its person, and every authentication it holds, ended ones too.

    `proved_at`: when the account's own password or factor was last shown in it.
    """

    key: int
    id: str
    user: User
    created_at: datetime
    ends_at: datetime
    seen_at: datetime
    authentications: tuple[Authentication, ...]
    proved_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PersonsSession:
    """One session of somebody who asks for all of theirs: `client` is where it was opened, `connections` the names of
    those that its authentications came through, by id.
    """

    stored: StoredSession
    client: Client
    connections: dict[str, str]


@dataclass(frozen=True, slots=True)
class NewAuthentication:
    """One proof to be added to a session; of an SSO login with its connection, and that one's workspace.

    `anew`: an IdP, or Twilio, was told to ask the person again, and says that it did. That isn't kept.
    """

    kind: LoginKind
    subject: str
    ends_at: datetime
    connection_key: int | None = None
    workspace_key: int | None = None
    name_id: str | None = None
    session_index: str | None = None
    logout_hint_enc: bytes | None = None
    groups: tuple[str, ...] = ()
    name_id_format: str | None = None
    name_qualifier: str | None = None
    factor: Factor | None = None
    anew: bool = False


# -- Finding -----------------------------------------------------------------------------------------

_once_off = PAST[connections]
_OFF_SINCE = exists().where(
    _once_off.c.id == connections.c.id, ~_once_off.c.enabled, _once_off.c.until > authentications.c.at
)
#: Of a row of `authentications` and its connection: that one is on, and has been ever since.
ON_SINCE = and_(connections.c.enabled, ~_OFF_SINCE)
_LIVING = (
    select(
        sessions.c.id,
        sessions.c.uid,
        sessions.c.created_at,
        sessions.c.ends_at,
        sessions.c.seen_at,
        sessions.c.resumed_at,
        users.c.id,
        users.c.uid,
        users.c.email,
        users.c.name,
        users.c.email_proved_at.is_not(None),
        users.c.password_hash.is_not(None),
        authentications.c.kind,
        authentications.c.at,
        authentications.c.ends_at,
        connections.c.uid,
        connections.c.workspace_id,
        ON_SINCE,
        authentications.c.groups,
        authentications.c.factor,
        sessions.c.proved_at,
    )
    .select_from(sessions)
    .join(users, users.c.id == sessions.c.user_id)
    .join(authentications, authentications.c.session_id == sessions.c.id)
    .outerjoin(connections, connections.c.id == authentications.c.connection_id)
    .where(sessions.c.ends_at > bindparam("now", type_=Instant), users.c.closed_at.is_(None))
    .order_by(sessions.c.id, authentications.c.id)
)
_FIND = Prepared(_LIVING.where(sessions.c.hash == bindparam("hash")))
_OF_PERSON = Prepared(
    _LIVING.add_columns(sessions.c.user_agent, sessions.c.address, connections.c.name).where(
        sessions.c.user_id == bindparam("user")
    )
)


def find_session(connection: Any, digest: bytes, now: datetime) -> StoredSession | None:
    """The session with this hash, or None. One statement."""
    rows = _FIND(connection, hash=digest, now=now)
    return _session(rows) if rows else None


def list_of_person(connection: Any, user_key: int, now: datetime) -> list[PersonsSession]:
    """Every session of somebody that hasn't run out, the oldest first; those too in which nothing holds any more."""
    grouped: dict[int, list[Any]] = {}
    for row in _OF_PERSON(connection, user=user_key, now=now):
        grouped.setdefault(row[0], []).append(row)
    return [_persons(rows) for rows in grouped.values()]


def _persons(rows: Sequence[Any]) -> PersonsSession:
    agent, address = rows[0][21:23]
    return PersonsSession(_session(rows), Client(address, agent), {row[15]: row[23] for row in rows if row[15]})


def _session(rows: Sequence[Any]) -> StoredSession:
    key, uid, created, ends, seen, _, *person = rows[0][:12]
    held = tuple(_authentication(row) for row in rows)
    return StoredSession(key, uid, User(*person), created, ends, seen, held, rows[0][20])


def _authentication(row: Any) -> Authentication:
    seen_at, resumed_at = row[4:6]
    kind, at, ends_at, connection_id, workspace_key, enabled, groups, factor = row[12:20]
    used_at = seen_at if resumed_at is None or resumed_at <= at else at
    return Authentication(
        kind, at, ends_at, connection_id, workspace_key, bool(enabled), tuple(groups), factor, used_at
    )


def find_logout_hints(connection: Any, session_key: int, kind: LoginKind) -> list[tuple[str, bytes | None]]:
    """The connections of a session's authentications of this kind, newest first, each with what its IdP wants to see
    again, sealed.
    """
    chosen = (
        select(connections.c.uid, authentications.c.logout_hint_enc)
        .join(connections, connections.c.id == authentications.c.connection_id)
        .where(authentications.c.session_id == session_key, authentications.c.kind == kind)
        .order_by(authentications.c.id.desc())
    )
    return [(row.uid, row.logout_hint_enc) for row in connection.execute(chosen)]


_SINCE = bindparam("since", type_=Instant)


def _last_out(fact: Any, *out: ColumnElement[bool]) -> Any:
    """When it last began that this fact kept the member out, of what ended since. Who signed in after that has shown
    since then who they are, and is in when it ends.
    """
    lasted = and_(fact.c.until > _SINCE, fact.c.since >= _SINCE, fact.c.until > fact.c.since)
    return select(func.max(fact.c.since)).where(*out, lasted).scalar_subquery()


_once_held, _once_gone = PAST[directory_users], PAST[memberships]
_HELD_SINCE = _last_out(_once_held, _once_held.c.membership_id == memberships.c.id, _once_held.c.holds_out)
_GONE_SINCE = _last_out(_once_gone, _once_gone.c.id == memberships.c.id, _once_gone.c.status == "removed")
_NAMED_OWNER = exists().where(grants.c.principal_id == memberships.c.id, grants.c.role == OWNER.id)
_DOMAIN_PROVED = exists().where(
    domains.c.name == bindparam("domain"),
    domains.c.workspace_id == memberships.c.workspace_id,
    domains.c.proved_at.is_not(None),
)
_OPENED_UNTIL = (
    select(break_glass_openings.c.ends_at)
    .where(
        break_glass_openings.c.session_id == bindparam("session"),
        break_glass_openings.c.membership_id == memberships.c.id,
    )
    .scalar_subquery()
)
_NO_SESSION = -1
_SEATS = Prepared(
    select(
        workspaces.c.id,
        workspaces.c.uid,
        workspaces.c.slug,
        workspaces.c.name,
        workspaces.c.plan,
        workspaces.c.require_sso,
        workspaces.c.hipaa,
        workspaces.c.rev,
        memberships.c.id,
        memberships.c.uid,
        ~HELD_OUT,
        memberships.c.accepted_at.is_not(None),
        and_(memberships.c.sso_exempt, HAS_SECOND_FACTOR),
        workspaces.c.require_mfa,
        text(f"({owner_condition('memberships.id')})").bindparams(bindparam("now", type_=Instant)),
        _NAMED_OWNER,
        _DOMAIN_PROVED,
        _HELD_SINCE,
        _GONE_SINCE,
        _OPENED_UNTIL,
    )
    .select_from(memberships)
    .join(workspaces, workspaces.c.id == memberships.c.workspace_id)
    .where(memberships.c.user_id == bindparam("user"), memberships.c.status == "active")
    .order_by(workspaces.c.slug)
)


def find_seats(
    connection: Any, user: User, since: datetime, now: datetime, *, session_key: int = _NO_SESSION
) -> dict[int, Seat]:
    """A person's memberships by the key of their workspace, for authentications made at `since` or later.

    One statement. Removed memberships are left out. Of a session, with what a break-glass code opened for it.
    """
    rows = _SEATS(connection, user=user.key, domain=email_domain(user.email), since=since, now=now, session=session_key)
    return {row[0]: _seat(row) for row in rows}


def _seat(row: Any) -> Seat:
    alive, accepted, exempt, require_mfa, owner, named_owner, domain_proved = map(bool, row[10:17])
    last_out = max((since for since in row[17:19] if since is not None), default=None)
    return Seat(
        workspace=Workspace(*row[:8]),
        membership_key=row[8],
        membership_id=row[9],
        alive=alive,
        accepted=accepted,
        sso_exempt=exempt,
        require_mfa=require_mfa,
        owner=owner,
        named_owner=named_owner,
        domain_proved=domain_proved,
        out_since=last_out,
        opened_until=row[19],
    )


# -- Opening, adding to, ending ----------------------------------------------------------------------


def insert_session(change: Change, digest: bytes, user_key: int, client: Client, ends_at: datetime) -> int:
    """A new session without any authentication. Returns its key."""
    values = {"uid": str(uuid4()), "hash": digest, "user_id": user_key, "created_at": change.now}
    values |= {"ends_at": ends_at, "seen_at": change.now}
    return insert_row(change, sessions, values | {"user_agent": client.user_agent, "address": client.address})


def rename_session(change: Change, key: int, digest: bytes, ends_at: datetime) -> bool:
    """A new id, with the session's authentications kept. False where it is gone already."""
    values = {"hash": digest, "ends_at": ends_at} | _used(change.now)
    renamed = update(sessions).where(sessions.c.id == key).values(**values)
    return bool(change.connection.execute(renamed).rowcount)


_DROP_OLDER = Prepared(
    delete(authentications).where(
        authentications.c.session_id == bindparam("session"),
        authentications.c.kind == bindparam("kind"),
        authentications.c.connection_id.is_not_distinct_from(bindparam("through")),
    )
)
_ADD = Prepared(insert(authentications), [column.name for column in authentications.columns if not column.primary_key])


def insert_authentication(change: Change, session_key: int, proof: NewAuthentication) -> None:
    """Add a proof to a session, in the place of an older one of the same kind and connection."""
    _DROP_OLDER.run(change.connection, session=session_key, kind=proof.kind, through=proof.connection_key)
    values: dict[str, Any] = {
        "session_id": session_key,
        "kind": proof.kind,
        "connection_id": proof.connection_key,
        "subject": proof.subject,
        "name_id": proof.name_id,
        "name_id_format": proof.name_id_format,
        "name_qualifier": proof.name_qualifier,
        "session_index": proof.session_index,
        "logout_hint_enc": proof.logout_hint_enc,
        "at": change.now,
        "ends_at": proof.ends_at,
        "groups": list(proof.groups),
        "factor": proof.factor,
    }
    _ADD.run(change.connection, **values)


def note_seen(connection: Any, key: int, now: datetime) -> None:
    """Write down that a session was used, unless a use within the last minute is."""
    stale = and_(sessions.c.id == key, sessions.c.seen_at <= now - SEEN_EVERY)
    connection.execute(update(sessions).where(stale).values(_used(now)))


def _used(now: datetime) -> dict[str, Any]:
    """Of a session used at this moment; after a long pause, also that what was shown before has idled."""
    paused = sessions.c.seen_at <= now - HIPAA_IDLE
    return {"seen_at": now, "resumed_at": case((paused, literal(now, Instant)), else_=sessions.c.resumed_at)}


def note_proved(change: Change, key: int) -> None:
    """The account's own password or factor was shown in this session."""
    change.connection.execute(update(sessions).where(sessions.c.id == key).values(proved_at=change.now))


def delete_sessions(change: Change, keys: Collection[int]) -> int:
    """End these sessions with all they hold. Returns how many there were."""
    gone = delete(sessions).where(sessions.c.id.in_(list(keys)))
    return change.connection.execute(gone).rowcount


def end_authentications(change: Change, connection_key: int, whose: Whose) -> list[str]:
    """End these authentications of a connection; a session that holds no other ends with them. Returns the outside ids
    of whose they were.

    Beside a person, one without any session index ends, too.
    """
    columns = authentications.c
    named = [columns.connection_id == connection_key]
    if whose.subject is not None:
        named.append(columns.subject == whose.subject)
    if whose.name_id is not None:
        named.append(columns.name_id == whose.name_id)
    said = ((columns.name_id_format, whose.name_id_format), (columns.name_qualifier, whose.name_qualifier))
    named += [or_(column == value, column.is_(None)) for column, value in said if value is not None]
    if whose.session_indexes:
        in_session = columns.session_index.in_(whose.session_indexes)
        named.append(or_(in_session, columns.session_index.is_(None)) if whose.person else in_session)
    return _end(change, named)


def end_passkey_logins(change: Change, user_key: int, passkey: str, *, but: int) -> None:
    """End the logins that a passkey of this id alone was; a session that holds no other ends with them, but for one.
    One that says of no passkey that it was this ends, too.
    """
    columns = authentications.c
    theirs = select(sessions.c.id).where(sessions.c.user_id == user_key, sessions.c.id != but)
    by_it = or_(columns.session_index == passkey, columns.session_index.is_(None))
    _end(change, [columns.session_id.in_(theirs), columns.kind == "passkey", by_it])


def end_strangers(change: Change, ours: Connection, pushed: Mapping[int, Collection[str]]) -> list[str]:
    """End what might be somebody else's login, of accounts that this connection pushes by now and whose address nobody
    has proved: each but those by its own assertion, or under a name of the record; and whatever is proved and not
    fetched yet. `pushed` holds the accounts' keys, with those names. Returns the outside ids of whose they were.
    """
    columns, unproved = authentications.c, users.c.email_proved_at.is_(None)
    theirs = select(users.c.id).where(users.c.id.in_(list(pushed)), unproved)
    waiting = (pending_requests.c.kind == "handle", pending_requests.c.user_id.in_(theirs))
    change.connection.execute(delete(pending_requests).where(*waiting))
    chosen = (
        select(columns.id, columns.kind, columns.connection_id, columns.subject, users.c.id)
        .join(sessions, sessions.c.id == columns.session_id)
        .join(users, users.c.id == sessions.c.user_id)
        .join(connections, connections.c.id == columns.connection_id)
        .where(connections.c.workspace_id == ours.workspace_key)
        .where(users.c.id.in_(list(pushed)), unproved)
    )
    strangers = [
        key
        for key, kind, through, subject, user_key in change.connection.execute(chosen)
        if through != ours.key or (kind != "saml" and subject not in pushed[user_key])
    ]
    return _end(change, [columns.id.in_(strangers)]) if strangers else []


def _end(change: Change, named: Sequence[ColumnElement[bool]]) -> list[str]:
    gone = change.connection.execute(delete(authentications).where(*named).returning(authentications.c.session_id))
    keys = sorted(set(gone.scalars()))
    theirs = select(users.c.uid).join(sessions, sessions.c.user_id == users.c.id).where(sessions.c.id.in_(keys))
    people = sorted(set(change.connection.execute(theirs).scalars()))
    empty = ~exists().where(authentications.c.session_id == sessions.c.id)
    change.connection.execute(delete(sessions).where(sessions.c.id.in_(keys), empty))
    return people


def delete_expired_sessions(change: Change) -> int:
    """Forget sessions that ran out. Returns how many."""
    return change.connection.execute(delete(sessions).where(sessions.c.ends_at <= change.now)).rowcount
