"""The address of one's own account: confirmed, or changed, by a link that is mailed to it (product.md 2.7, 2.8).

The link counts only in a session of the very account that it was asked for: whoever is mailed one by a stranger, and
follows it, gives their address to nobody. Who has an address is told nobody but that address.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from bridge.domain.errors import Conflict, Expired, Invalid
from bridge.domain.mail import Mail
from bridge.domain.people import fold_letters, parse_email
from bridge.domain.workspace import User
from bridge.flows import account_mails
from bridge.flows.account_settings import forget_under_way, lock_own
from bridge.flows.bearer_secrets import digest, new_secret
from bridge.flows.context import Context
from bridge.flows.deliver import queue_mail
from bridge.flows.everywhere import record_everywhere
from bridge.flows.fresh_proof import require_fresh
from bridge.flows.sessions import CurrentSession
from bridge.flows.tries import AN_HOUR, Limit, count_tries
from bridge.storage import pending, people
from bridge.storage.changes import Change
from bridge.storage.pending import Pending

LINK_LASTS = timedelta(hours=1)
MAILS_AN_HOUR = 5

AddressLink = Literal["verify_email", "change_email"]
_KINDS: tuple[AddressLink, ...] = ("verify_email", "change_email")
_CHANGES: tuple[AddressLink, ...] = ("change_email",)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What following a link does: the account at `former` has the address `email` from then on, confirmed."""

    kind: AddressLink
    former: str
    email: str


# -- Asking for a link -------------------------------------------------------------------------------


def ask_to_confirm(context: Context, session: CurrentSession, now: datetime) -> None:
    """Mail a link to the stored address. Raises Conflict (confirmed already), TooManyTries: five an hour, NotFound,
    Forbidden (kept at Twilio).
    """
    _count_mail(context, session, now)
    with context.changing(f"user:{session.user.id}", now) as change:
        user = lock_own(change, session)
        if user.email_proved:
            raise Conflict("Your address is confirmed already.")
        link = _put_link(context, change, user, "verify_email", user.email)
        queue_mail(context, change, account_mails.confirm_email(user.email, link, _minutes()))


def ask_to_change(context: Context, session: CurrentSession, email: str, now: datetime) -> str:
    """Mail a link to a new address, and a notice to the stored one. Returns the new address.

    The answer is the same where that address has an account: it alone is told. Raises FreshProofNeeded, Invalid,
    TooManyTries: five an hour, NotFound, Forbidden (kept at Twilio).
    """
    require_fresh(session, now)
    new = parse_email(email)
    if fold_letters(new) == fold_letters(session.user.email):
        raise Invalid("This is your address already.", field="email")
    _count_mail(context, session, now)
    with context.changing(f"user:{session.user.id}", now) as change:
        user = lock_own(change, session)
        pending.drop_of_user(change, user.key, _CHANGES)
        link = _put_link(context, change, user, "change_email", new)
        queue_mail(context, change, _to_new_address(context, change, user, new, link))
        queue_mail(context, change, account_mails.email_may_change(user.email, new))
    return new


def _to_new_address(context: Context, change: Change, user: User, new: str, link: str) -> Mail:
    if people.find_user_by_email(change.connection, new) is not None:
        return account_mails.email_in_use(new, f"{context.public_url}/login")
    return account_mails.confirm_new_email(new, user.email, link, _minutes())


def _put_link(context: Context, change: Change, user: User, kind: AddressLink, email: str) -> str:
    secret, result = new_secret(), {"former": user.email, "email": email}
    until = change.now + LINK_LASTS
    pending.put_pending(change, digest(secret), Pending(kind, None, user.key, None, "/", result, until))
    return f"{context.public_url}/account/confirm/{secret}"


def _count_mail(context: Context, session: CurrentSession, now: datetime) -> None:
    by_account = Limit(f"email-mail:{session.user.key}", MAILS_AN_HOUR, AN_HOUR)
    count_tries(context, [by_account], "Enough links were mailed for now.", now)


def _minutes() -> int:
    return int(LINK_LASTS.total_seconds() // 60)


# -- Following it ------------------------------------------------------------------------------------


def find_confirmation(context: Context, session: CurrentSession, secret: str, now: datetime) -> Confirmation:
    """What this link does, for who is signed in; it is good afterwards still. Raises Expired, also where it is about
    another account.
    """
    with context.database.reading() as rows:
        return _check(_find(rows, secret, now), session.user)


def confirm(context: Context, session: CurrentSession, secret: str, now: datetime) -> Confirmation:
    """Do it: the account has this address, and it is confirmed. Links that the former address got work no longer.

    Raises Expired (used, replaced, run out, about another account), Conflict (somebody has the address by now),
    Forbidden (kept at Twilio), NotFound.
    """
    with context.changing(f"user:{session.user.id}", now) as change:
        user = lock_own(change, session)
        done = _check(_find(change.connection, secret, now), user)
        if pending.take_pending(change, digest(secret), done.kind) is None:
            raise _expired()
        if done.kind == "change_email":
            _change(context, change, user, done.email)
        else:
            people.set_user(change, user.key, email_proved_at=now)
            record_everywhere(change, user, "user.email_confirmed", after={"email": user.email})
    return done


def _change(context: Context, change: Change, user: User, email: str) -> None:
    if people.find_user_by_email(change.connection, email) is not None:
        raise Conflict("Somebody else’s account has this address by now.")
    record_everywhere(change, user, "user.email_changed", before={"email": user.email}, after={"email": email})
    people.set_user(change, user.key, email=email, email_ci=fold_letters(email), email_proved_at=change.now)
    forget_under_way(change, user.key)
    queue_mail(context, change, account_mails.email_changed(user.email, email, change.now))


def _find(rows: Any, secret: str, now: datetime) -> Pending | None:
    found = (pending.find_pending(rows, digest(secret), kind, now) for kind in _KINDS)
    return next((one for one in found if one is not None), None)


def _check(found: Pending | None, user: User) -> Confirmation:
    if found is None or found.user_key != user.key or found.result["former"] != user.email:
        raise _expired()
    kind: AddressLink = "change_email" if found.kind == "change_email" else "verify_email"
    return Confirmation(kind, user.email, found.result["email"])


def _expired() -> Expired:
    return Expired(
        "It was used, replaced or ran out, or you are signed in to another account than the one that asked for it."
    )
