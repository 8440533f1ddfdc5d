"""Accounts that are linked to a Twilio user: found, linked, unlinked, and what ends with that.

One Twilio user opens one account (unique `users.twilio_sub`), and an account has one Twilio user: it has one column.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, select, update

from bridge.domain.workspace import User
from bridge.storage.accounts import NO_TWILIO
from bridge.storage.changes import Change
from bridge.storage.people import USER
from bridge.storage.tables import authentications, sessions, users


@dataclass(frozen=True, slots=True)
class TwilioLink:
    """An account's Twilio user. `email`: its address there; `told_at`: how old the newest word of Twilio's is."""

    user: User
    subject: str
    email: str | None
    told_at: datetime | None
    closed: bool = False


_LINK = (*USER, users.c.twilio_sub, users.c.twilio_email, users.c.twilio_told_at, users.c.closed_at.is_not(None))


def find_by_subject(connection: Any, subject: str) -> TwilioLink | None:
    """The account that this Twilio user opens, a closed one too."""
    return _read(connection.execute(select(*_LINK).where(users.c.twilio_sub == subject)).first())


def hold_by_subject(change: Change, subject: str, *, alone: bool = False) -> TwilioLink | None:
    """The same, as it stays until the change ends (`own_account.hold_account`); `alone`: nobody signs in to it
    meanwhile, either.
    """
    held = select(*_LINK).where(users.c.twilio_sub == subject)
    return _read(change.connection.execute(held.with_for_update(read=not alone, key_share=not alone)).first())


def find_by_user(connection: Any, user_key: int) -> TwilioLink | None:
    """The Twilio user of an account."""
    linked = users.c.twilio_sub.is_not(None)
    return _read(connection.execute(select(*_LINK).where(users.c.id == user_key, linked)).first())


def _read(row: Any) -> TwilioLink | None:
    return None if row is None else TwilioLink(User(*row[: len(USER)]), *row[len(USER) :])


def link(change: Change, user_key: int, subject: str) -> bool:
    """From now this Twilio user opens this account. False where it has one; IntegrityError where theirs is another."""
    free = users.c.twilio_sub.is_(None) | (users.c.twilio_sub == subject)
    chosen = update(users).where(users.c.id == user_key, users.c.closed_at.is_(None), free)
    return bool(change.connection.execute(chosen.values(twilio_sub=subject)).rowcount)


def unlink(change: Change, user_key: int) -> None:
    """From now this account's Twilio user opens nothing here, and what it opened ends."""
    change.connection.execute(update(users).where(users.c.id == user_key).values(**NO_TWILIO))
    end_twilio_logins(change, user_key)


def end_twilio_logins(change: Change, user_key: int, sid: str | None = None) -> int:
    """End an account's authentications by Twilio, or those of one session there; a session that holds no other ends
    with them. Returns how many sessions there were.
    """
    own = select(sessions.c.id).where(sessions.c.user_id == user_key)
    named = [authentications.c.session_id.in_(own), authentications.c.kind == "twilio"]
    return _end(change, [*named, authentications.c.session_index == sid] if sid else named)


def end_twilio_session(change: Change, sid: str) -> int:
    """The same, of one session at Twilio, whosever it is."""
    return _end(change, [authentications.c.kind == "twilio", authentications.c.session_index == sid])


def _end(change: Change, named: list[Any]) -> int:
    gone = change.connection.execute(delete(authentications).where(*named).returning(authentications.c.session_id))
    keys = sorted(set(gone.scalars()))
    empty = ~exists().where(authentications.c.session_id == sessions.c.id)
    change.connection.execute(delete(sessions).where(sessions.c.id.in_(keys), empty))
    return len(keys)
