"""A person's own sessions: where they are signed in, and ending one, the others, or all (product.md 2.9).

For sessions that the account itself authenticated: another company's IdP must not learn where else somebody is
(product.md 2.7, properties.md 1).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bridge.domain.errors import Forbidden, NotFound
from bridge.domain.identity import Factor, LoginKind
from bridge.domain.reach import holds
from bridge.domain.sign_in import Client
from bridge.flows.context import Context
from bridge.flows.sessions import CurrentSession, end_stored
from bridge.storage import sessions
from bridge.storage.sessions import PersonsSession


@dataclass(frozen=True, slots=True)
class WayIn:
    """One login that a session holds: of which kind, through which connection by name, with which second factor."""

    kind: LoginKind
    at: datetime
    connection: str | None
    factor: Factor | None


@dataclass(frozen=True, slots=True)
class OwnSession:
    """A session as its person sees it. `client`: where it was opened. `used_at`: to the minute."""

    id: str
    client: Client
    opened_at: datetime
    used_at: datetime
    ends_at: datetime
    ways: tuple[WayIn, ...]
    current: bool


def list_own_sessions(context: Context, session: CurrentSession, now: datetime) -> tuple[OwnSession, ...]:
    """Every session of the person that still opens something: this one first, then the last used. Raises Forbidden."""
    _check_own(session)
    with context.database.snapshot() as connection:
        found = sessions.list_of_person(connection, session.user.key, now)
        shown = [_shown(connection, one, session, now) for one in found]
    living = [one for one in shown if one.ways]
    return tuple(sorted(living, key=lambda one: (one.current, one.used_at), reverse=True))


def _shown(connection: object, one: PersonsSession, session: CurrentSession, now: datetime) -> OwnSession:
    stored = one.stored
    since = min(each.at for each in stored.authentications)
    seats = sessions.find_seats(connection, stored.user, since, now, session_key=stored.key)
    ways = tuple(
        WayIn(each.kind, each.at, one.connections.get(each.connection_id or ""), each.factor)
        for each in stored.authentications
        if holds(each, seats, now)
    )
    current = stored.key == session.key
    used_at = now if current else stored.seen_at
    return OwnSession(stored.id, one.client, stored.created_at, used_at, stored.ends_at, ways, current)


def end_own_session(context: Context, session: CurrentSession, session_id: str, now: datetime) -> None:
    """End one of the person's sessions, this one too. Raises NotFound (not theirs, or over), Forbidden."""
    if not _end(context, session, now, lambda one: one.stored.id == session_id):
        raise NotFound("This session has ended already.")


def end_other_sessions(context: Context, session: CurrentSession, now: datetime) -> int:
    """End all of the person's sessions but this one. Returns how many ended. Raises NotFound, Forbidden."""
    return _end(context, session, now, lambda one: one.stored.key != session.key)


def _end(context: Context, session: CurrentSession, now: datetime, chosen: Callable[[PersonsSession], bool]) -> int:
    _check_own(session)
    with context.changing(f"user:{session.user.id}", now) as change:
        found = sessions.list_of_person(change.connection, session.user.key, now)
        if all(one.stored.key != session.key for one in found):
            raise NotFound("This session was itself ended meanwhile.")
        ended = [one.stored for one in found if chosen(one)]
        for stored in ended:
            end_stored(change, stored, {"by": "their own list of sessions"})
        return len(ended)


def _check_own(session: CurrentSession) -> None:
    if not session.may_change_account:
        raise Forbidden(
            "Your company’s sign-in opens its workspace only. Sign in with your own login to see your sessions."
        )
