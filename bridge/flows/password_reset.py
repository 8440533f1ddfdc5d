"""A forgotten password (product.md 2.8): a link, mailed to the account's stored address, that works once.

Nothing that is answered depends on whether there is an account: not the text, not the status, and what is done takes
as long. The link proves the mailbox and nothing more: it signs nobody in, and a second factor is asked for as before.
Where the address was never proved, whatever somebody left in the account goes.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.domain.errors import Expired
from bridge.domain.people import find_email, fold_typed
from bridge.domain.sign_in import UNKNOWN_CLIENT, Client
from bridge.domain.ways_in import WaysIn
from bridge.domain.workspace import User
from bridge.flows import account_mails
from bridge.flows.account_settings import forget_under_way
from bridge.flows.bearer_secrets import digest, new_secret
from bridge.flows.context import SYSTEM, Context
from bridge.flows.deliver import queue_mail
from bridge.flows.everywhere import record_everywhere
from bridge.flows.password_tries import forget_account
from bridge.flows.passwords import hash_password
from bridge.flows.sign_in_log import log_reset
from bridge.flows.tries import AN_HOUR, Limit, count_tries
from bridge.storage import own_account, pending, people, sign_in
from bridge.storage.changes import Change
from bridge.storage.counters import count_try
from bridge.storage.pending import Pending

LINK_LASTS = timedelta(minutes=30)
MAILS_AN_HOUR = 5
ASKED_AN_HOUR_BY_ADDRESS = 50
_NOBODY = -1


@dataclass(frozen=True, slots=True)
class Reset:
    """Whose password a link sets."""

    email: str
    name: str


# -- Asking for it -----------------------------------------------------------------------------------


def ask_reset(context: Context, email: str, client: Client, now: datetime) -> None:
    """Mail a link to the account with this address, where there is one that a password opens; else how to sign in.

    Raises TooManyTries: fifty an hour from one address, whoever is named. More than five an hour for one account
    are answered alike, and mailed no more.
    """
    _count_asked(context, client, now)
    with context.changing(SYSTEM, now) as change:
        key = f"reset:account:{digest(fold_typed(email)).hex()}"
        tries, _ = count_try(change.connection, key, now, AN_HOUR)
        address = find_email(email)
        user, kept = people.find_login_by_email(change.connection, address or "")
        ways = own_account.find_ways_in(change.connection, user.key if user else _NOBODY)
        if tries <= MAILS_AN_HOUR:
            _answer(context, change, user, kept, ways)


def _count_asked(context: Context, client: Client, now: datetime) -> None:
    by_address = Limit(f"reset:address:{digest(client.network).hex()}", ASKED_AN_HOUR_BY_ADDRESS, AN_HOUR)
    count_tries(context, [by_address], "Too many links were asked for.", now)


def _answer(context: Context, change: Change, user: User | None, kept: str | None, ways: WaysIn) -> None:
    """Two rows are written, whoever is named: for nobody, two links that nobody is sent."""
    secret = new_secret()
    _put(change, secret, user, kept)
    others = _others(ways)
    link = f"{context.public_url}/reset/{secret}"
    minutes = int(LINK_LASTS.total_seconds() // 60)
    to = user.email if user else "nobody@localhost"
    mail = account_mails.reset_password(to, link, minutes)
    if others:
        mail = account_mails.no_password_to_reset(to, others, f"{context.public_url}/login")
    if user is not None:
        queue_mail(context, change, mail)
    else:
        context.secrets.encrypt(mail.text.encode(), purpose="nobody")  # as long as `queue_mail` takes
        _put(change, new_secret(), None, None)


def _put(change: Change, secret: str, user: User | None, kept: str | None) -> None:
    result = {"email": user.email if user else "", "kept": _mark(kept)}
    until = change.now + LINK_LASTS
    row = Pending("reset", None, user.key if user else None, None, "/", result, until)
    pending.put_pending(change, digest(secret), row)


def _others(ways: WaysIn) -> tuple[str, ...]:
    """What opens an account that has no password of ours to reset; none, where a new one is its way back."""
    if ways.twilio:
        return ("Twilio",)
    working = tuple(dict.fromkeys(one.connection for one in ways.identities if one.is_way_in))
    return () if ways.password else working


def _mark(kept: str | None) -> str:
    """By which a link knows that the password is still the forgotten one."""
    return digest(kept or "").hex()


# -- Following the link ------------------------------------------------------------------------------


def open_reset(context: Context, secret: str, now: datetime) -> Reset:
    """Whose password this link sets; it is good afterwards still, since programs that read mail open links. Raises
    Expired.
    """
    with context.database.reading() as rows:
        found = pending.find_pending(rows, digest(secret), "reset", now)
        user = people.find_user_by_key(rows, found.user_key or _NOBODY) if found else None
    if user is None:
        raise _expired()
    return Reset(user.email, user.name)


def reset_password(
    context: Context, secret: str, password: str, now: datetime, client: Client = UNKNOWN_CLIENT
) -> Reset:
    """Set the password, end every session of the account, and tell its address, and the sign-in log.

    Raises Expired (used, run out, or the password or the address changed since), Invalid, TooManyTries (busy).
    """
    whose = open_reset(context, secret, now)
    kept = hash_password(password, whose.email, whose.name)
    with context.changing(SYSTEM, now) as change:
        user = _take(change, secret)
        if not user.email_proved:
            sign_in.clear_account(change, user.key)
        _set(context, change, user, kept)
        log_reset(change, user.email, client)
    return whose


def _take(change: Change, secret: str) -> User:
    named = pending.find_pending(change.connection, digest(secret), "reset", change.now)
    key = named.user_key if named and named.user_key is not None else _NOBODY
    # The account first, then what is under way for it: so does whoever changes its password otherwise.
    own_account.lock_account(change, key)
    found = pending.take_pending(change, digest(secret), "reset")
    user = people.find_user_by_key(change.connection, key)
    if found is None or user is None or own_account.find_twilio(change.connection, key) is not None:
        raise _expired()
    now_is = {"email": user.email, "kept": _mark(sign_in.find_password_hash(change.connection, key))}
    if found.result != now_is:
        raise _expired()
    return user


def _set(context: Context, change: Change, user: User, kept: str) -> None:
    people.set_user(change, user.key, password_hash=kept)
    if not user.email_proved:
        people.set_user(change, user.key, email_proved_at=change.now)
    forget_under_way(change, user.key)
    own_account.end_sessions(change, user.key)
    forget_account(change.connection, user.email)
    record_everywhere(change, user, "user.password_changed", after={"by": "reset"})
    queue_mail(context, change, account_mails.password_changed(user.email, change.now))


def _expired() -> Expired:
    return Expired("This link was used, replaced or ran out. Ask for a new one.")
