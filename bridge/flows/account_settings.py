"""What people change of their own account (product.md 2.7, 2.8): their name, their password, what opens it.

Each change is told in every workspace that they are a member of. Of an account that is linked to Twilio, name, email
and password are kept there (product.md 3.4). Whoever comes here by an API or a page has `fresh_proof.require_fresh`
asked first, but for the name.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bridge.domain.errors import Conflict, Forbidden, NotFound
from bridge.domain.identity import Whose
from bridge.domain.people import clean_name
from bridge.domain.ways_in import LinkedIdentity, WaysIn
from bridge.domain.workspace import User
from bridge.flows import account_mails
from bridge.flows.context import Context
from bridge.flows.deliver import queue_mail
from bridge.flows.everywhere import record_everywhere
from bridge.flows.fresh_proof import require_fresh
from bridge.flows.passwords import hash_password
from bridge.flows.sessions import CurrentSession
from bridge.storage import own_account, pending, people
from bridge.storage.changes import Change, lock_workspace
from bridge.storage.pending import Kind
from bridge.storage.sessions import end_authentications, note_proved
from bridge.storage.sign_in import workspaces_owned_by_hand
from bridge.storage.workspaces import check_last_owner

_UNDER_WAY: tuple[Kind, ...] = (
    "factor",
    "enrol",
    "mailed_code",
    "reset",
    "verify_email",
    "change_email",
    "link",
    "twilio_link",
    "twilio_email",
)

_ARRIVING: tuple[Kind, ...] = ("handle",)


@dataclass(frozen=True, slots=True)
class Account:
    """What somebody's account page shows. `twilio`: name, email and password are kept at Twilio."""

    user: User
    ways: WaysIn
    twilio: bool


def get_account(context: Context, session: CurrentSession) -> Account:
    """The account of who is signed in. Raises NotFound (closed meanwhile)."""
    with context.database.snapshot() as rows:
        user = _get_user(rows, session)
        ways = own_account.find_ways_in(rows, user.key)
        return Account(user, ways, ways.twilio)


def rename(context: Context, session: CurrentSession, name: str, now: datetime) -> User:
    """Change the name that others see. Raises Invalid, Forbidden (kept at Twilio), NotFound."""
    cleaned = clean_name(name)
    with context.changing(f"user:{session.user.id}", now) as change:
        user = lock_own(change, session)
        if cleaned != user.name:
            people.set_user(change, user.key, name=cleaned)
            record_everywhere(change, user, "user.renamed", before={"name": user.name}, after={"name": cleaned})
        return _get_user(change.connection, session)


def change_password(context: Context, session: CurrentSession, password: str, now: datetime) -> None:
    """Set the account's password: its other sessions end, and mailed links and logins under way work no longer.

    The stored address is told. Raises FreshProofNeeded, Invalid, TooManyTries (busy), Forbidden (kept at Twilio),
    Conflict (a first password, while the address isn't confirmed), NotFound.
    """
    require_fresh(session, now)
    kept = hash_password(password, session.user.email, session.user.name)
    with context.changing(f"user:{session.user.id}", now) as change:
        user = lock_own(change, session)
        if not user.has_password and not user.email_proved:
            raise Conflict("Confirm your email first: a password is reset by mail to it.")
        people.set_user(change, user.key, password_hash=kept)
        forget_under_way(change, user.key)
        own_account.end_sessions(change, user.key, but=session.key)
        note_proved(change, session.key)
        record_everywhere(change, user, "user.password_changed", after={"by": "account"})
        queue_mail(context, change, account_mails.password_changed(user.email, now))


def unlink(context: Context, session: CurrentSession, connection_id: str, subject: str, now: datetime) -> None:
    """Take an IdP's identity off the account; what it authenticated ends.

    Raises FreshProofNeeded, Conflict (it is the last way in), NotFound.
    """
    require_fresh(session, now)
    with context.changing(f"user:{session.user.id}", now) as change:
        user = lock_own(change, session, read_only_at_twilio=False)
        ways = own_account.find_ways_in(change.connection, user.key)
        found = find_linked_identity(ways, connection_id, subject)
        if not ways.remain_without(connection_id, subject):
            raise Conflict("This is your last way in. Choose a password first, then unlink it.")
        pending.drop_of_user(change, user.key, _ARRIVING)  # a login by it may be among them
        _unlink(change, user, found)


def find_linked_identity(ways: WaysIn, connection_id: str, subject: str) -> LinkedIdentity:
    """The one of these that is named. Raises NotFound."""
    named = [one for one in ways.identities if (one.connection_id, one.subject) == (connection_id, subject)]
    if not named:
        raise NotFound("This identity doesn’t open your account any more.")
    return named[0]


def _unlink(change: Change, user: User, found: LinkedIdentity) -> None:
    own_account.unlink_identity(change, user.key, found.connection_key, found.subject)
    end_authentications(change, found.connection_key, Whose(subject=found.subject))
    before = {"connection": found.connection_id, "subject": found.subject}
    change.record(found.workspace_key, "identity.unlinked", user.id, before=before)


# -- What several changes begin and end with ---------------------------------------------------------


def lock_own(change: Change, session: CurrentSession, *, read_only_at_twilio: bool = True) -> User:
    """The account of who is signed in, that nobody else changes meanwhile. Raises NotFound, Forbidden (kept at
    Twilio).
    """
    own_account.lock_account(change, session.user.key)
    user = _get_user(change.connection, session)
    if not session.may_change_account or not own_account.session_stands(change.connection, session.key):
        raise Forbidden("You were signed out meanwhile. Sign in again.")
    if read_only_at_twilio and own_account.find_twilio(change.connection, user.key) is not None:
        raise Forbidden("Your name, email, password and second factor are kept at Twilio. Change them there.")
    return user


@contextmanager
def keeping_last_owners(change: Change, user: User) -> Iterator[None]:
    """Take a way in off an account that is locked: no workspace loses by it the last owner named by hand who comes in
    without its IdP (product.md 1.1). Raises LastOwner.
    """
    owned = workspaces_owned_by_hand(change.connection, user.key)
    for workspace_key in owned:
        lock_workspace(change, workspace_key)
    yield
    for workspace_key in owned:
        check_last_owner(change, workspace_key)


def forget_under_way(change: Change, user_key: int) -> None:
    """A password or an address is another now: links and logins that the former one led to work no longer.

    But for a proof that waits for a login: the login is by what is right now.
    """
    pending.drop_of_user(change, user_key, _UNDER_WAY)


def _get_user(rows: Any, session: CurrentSession) -> User:
    user = people.find_user_by_key(rows, session.user.key)
    if user is None:
        raise NotFound("This account was closed.")
    return user
