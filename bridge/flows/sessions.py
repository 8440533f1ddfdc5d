"""Sessions: opened by a proof, added to by another, ended; and what one reaches, computed at each request
(product.md 2.7, 2.9).

The cookie holds 256 random bits, the database their hash. A login always gives a new id.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bridge.domain.reach import ACCOUNT_KINDS, SHOWN_HERE, Authentication, Seat, holds, idled, reaches
from bridge.domain.sign_in import Client
from bridge.domain.workspace import User, Workspace
from bridge.flows.bearer_secrets import digest, new_secret
from bridge.flows.context import SYSTEM, Context
from bridge.flows.twilio import keeps_secrets_of
from bridge.storage import sessions
from bridge.storage.accounts import has_own_secret
from bridge.storage.changes import Change
from bridge.storage.counters import delete_old_counters
from bridge.storage.pending import delete_expired
from bridge.storage.scim_clients import delete_expired_access_tokens
from bridge.storage.sessions import NewAuthentication, StoredSession


@dataclass(frozen=True, slots=True)
class ReachedWorkspace:
    """A workspace that a session opens, and the person's membership there."""

    workspace: Workspace
    membership_key: int
    membership_id: str
    owner: bool


@dataclass(frozen=True, slots=True)
class CurrentSession:
    """Who is there, and what their session reaches at this moment.

    `authentications` are those that still vouch for something, `vouching` those of them that open the account's own
    settings: of the account itself, or of a workspace that proved the domain of its email. `proved_at`: when the
    account's own password or factor was last shown (see `fresh_proof`). `idled`: the keys of workspaces that it reached
    until it wasn't used for a quarter of an hour.
    """

    key: int
    id: str
    user: User
    workspaces: tuple[ReachedWorkspace, ...]
    authentications: tuple[Authentication, ...]
    vouching: tuple[Authentication, ...]
    created_at: datetime
    ends_at: datetime
    proved_at: datetime | None = None
    idled: frozenset[int] = frozenset()

    @property
    def may_change_account(self) -> bool:
        """Whether the account's own settings are open (product.md 2.7)."""
        return bool(self.vouching)

    def find_workspace(self, slug: str) -> ReachedWorkspace | None:
        """The workspace with this slug, if the session reaches it."""
        return next((reached for reached in self.workspaces if reached.workspace.slug == slug), None)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session was opened: the new secret for the cookie, and the path to go on to (None: the caller's own). `known`:
    what the browser keeps of a password that was right in it.
    """

    cookie: str
    return_to: str | None = None
    known: str | None = None


# -- What a session reaches --------------------------------------------------------------------------


def find_session(context: Context, cookie: str | None, now: datetime) -> CurrentSession | None:
    """The session that a cookie names, or None: unknown, run out, or nothing in it vouches for anything any more.

    Two statements, and a third once a minute.
    """
    if not cookie:
        return None
    with context.database.reading() as rows:
        stored = sessions.find_session(rows, digest(cookie), now)
        if stored is None:
            return None
        since = min(authentication.at for authentication in stored.authentications)
        seats = sessions.find_seats(rows, stored.user, since, now, session_key=stored.key)
    current = _current(stored, seats, now)
    if current is not None and now - stored.seen_at >= sessions.SEEN_EVERY:
        with context.database.writing() as connection:
            sessions.note_seen(connection, stored.key, now)
    return current


def _current(stored: StoredSession, seats: dict[int, Seat], now: datetime) -> CurrentSession | None:
    living = tuple(one for one in stored.authentications if holds(one, seats, now))
    if not living:
        return None
    opened = (seat for seat in seats.values() if any(reaches(one, seat, now) for one in living))
    return CurrentSession(
        key=stored.key,
        id=stored.id,
        user=stored.user,
        workspaces=tuple(_reached(seat) for seat in opened),
        authentications=living,
        vouching=tuple(one for one in living if _vouches_for_account(one, seats)),
        created_at=stored.created_at,
        ends_at=stored.ends_at,
        proved_at=stored.proved_at,
        idled=frozenset(key for key, seat in seats.items() if _idled(living, seat, now)),
    )


def _idled(living: tuple[Authentication, ...], seat: Seat, now: datetime) -> bool:
    if any(reaches(one, seat, now) for one in living):
        return False
    return any(idled(one, seat, now) and reaches(replace(one, used_at=now), seat, now) for one in living)


def _reached(seat: Seat) -> ReachedWorkspace:
    return ReachedWorkspace(seat.workspace, seat.membership_key, seat.membership_id, seat.owner)


def _vouches_for_account(authentication: Authentication, seats: dict[int, Seat]) -> bool:
    if authentication.kind in ACCOUNT_KINDS:
        return True
    seat = seats.get(authentication.workspace_key or 0)
    return seat is not None and seat.domain_proved


# -- Opening and ending ------------------------------------------------------------------------------


def open_session(
    context: Context, change: Change, user: User, proofs: tuple[NewAuthentication, ...], client: Client, old: str | None
) -> str:
    """Put proofs into a session under a new id. Returns the secret for the cookie.

    `old` is the cookie that came with the request: a session of the same person is added to, another's ends.
    """
    secret, ends_at = new_secret(), change.now + context.session_lifetime
    present = sessions.find_session(change.connection, digest(old), change.now) if old else None
    key = None
    if present is not None and present.user.key == user.key:
        key = present.key if sessions.rename_session(change, present.key, digest(secret), ends_at) else None
    elif present is not None:
        sessions.delete_sessions(change, [present.key])
    if key is None:
        key = sessions.insert_session(change, digest(secret), user.key, client, ends_at)
    for proof in proofs:
        sessions.insert_authentication(change, key, proof)
    seats = sessions.find_seats(change.connection, user, change.now, change.now)
    if any(_proves(context, change, user, proof, seats) for proof in proofs):
        sessions.note_proved(change, key)
    _record_opened(change, user, proofs, client, ends_at, seats)
    return secret


def shows_here(context: Context, rows: Any, user: User) -> bool:
    """Whether the account has a password or a factor of its own that counts here."""
    return has_own_secret(rows, user.key) and not keeps_secrets_of(context, rows, user.key)


def _proves(context: Context, change: Change, user: User, proof: NewAuthentication, seats: dict[int, Seat]) -> bool:
    """Whether this login is a fresh proof (see `fresh_proof`): by the account's own secret; or, where it has none, by
    an IdP that vouches for it and asked the person just now.
    """
    if proof.kind in SHOWN_HERE:
        return True
    if not proof.anew or shows_here(context, change.connection, user):
        return False
    told = Authentication(proof.kind, change.now, proof.ends_at, workspace_key=proof.workspace_key)
    return _vouches_for_account(told, seats)


def _record_opened(
    change: Change,
    user: User,
    proofs: tuple[NewAuthentication, ...],
    client: Client,
    ends_at: datetime,
    seats: dict[int, Seat],
) -> None:
    """One event in each workspace that the proofs open."""
    for proof in proofs:
        opens = Authentication(proof.kind, change.now, ends_at, workspace_key=proof.workspace_key, factor=proof.factor)
        for key, seat in seats.items():
            if reaches(opens, seat, change.now):
                after = {"by": proof.kind, "address": client.address}
                change.record(key, "session.created", user.id, after=after)


def end_session(context: Context, cookie: str, now: datetime) -> None:
    """Sign out: the session and all it holds are gone. Nothing happens where there is none."""
    with context.changing(SYSTEM, now) as change:
        stored = sessions.find_session(change.connection, digest(cookie), now)
        if stored is not None:
            end_stored(change, stored)


def end_stored(change: Change, stored: StoredSession, after: dict[str, str] | None = None) -> None:
    """End a session with all it holds, and say so in each workspace that it opened."""
    since = min(one.at for one in stored.authentications)
    seats = sessions.find_seats(change.connection, stored.user, since, change.now, session_key=stored.key)
    sessions.delete_sessions(change, [stored.key])
    for key in _workspaces_left(stored, seats, change.now):
        change.record(key, "session.ended", stored.user.id, after=after)


def _workspaces_left(stored: StoredSession, seats: dict[int, Seat], now: datetime) -> list[int]:
    living = [one for one in stored.authentications if holds(one, seats, now)]
    return [key for key, seat in seats.items() if any(reaches(one, seat, now) for one in living)]


def sweep_expired(context: Context, now: datetime) -> int:
    """Forget sessions, pending logins, used proofs, access tokens and counters. Returns how many rows went."""
    with context.changing(SYSTEM, now) as change:
        counted = delete_old_counters(change.connection, now - context.session_lifetime)
        counted += delete_expired_access_tokens(change.connection, now)
        return sessions.delete_expired_sessions(change) + delete_expired(change) + counted
