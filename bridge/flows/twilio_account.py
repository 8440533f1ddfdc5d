"""What a linked account takes over from Twilio: its name and, by the rules of product.md 3.4, its address.

The address follows only if Twilio verified it and nobody here has it. Where a workspace has proved its domain, a link
is mailed to it first, and until somebody follows that, the old one stays. No membership and no identity moves.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from bridge.domain.errors import Conflict, Expired
from bridge.domain.people import email_domain, fold_letters
from bridge.domain.workspace import User
from bridge.flows.account_mails import twilio_email, twilio_email_changed
from bridge.flows.account_settings import forget_under_way
from bridge.flows.bearer_secrets import digest, new_secret
from bridge.flows.context import SYSTEM, Context
from bridge.flows.deliver import queue_mail
from bridge.flows.everywhere import record_everywhere
from bridge.storage import pending, people, twilio
from bridge.storage.changes import Change
from bridge.storage.counters import count_try
from bridge.storage.pending import Pending
from bridge.storage.sign_in_attempts import find_workspace_proving
from bridge.storage.twilio import TwilioLink

CONFIRM_LASTS: Final = timedelta(days=1)
#: Why an address of Twilio's isn't the account's: somebody has it, or it waits to be confirmed by mail.
Why = Literal["taken", "unconfirmed"]


@dataclass(frozen=True, slots=True)
class Said:
    """What Twilio said of somebody, and when. None: nothing of that; `email` is verified there."""

    at: datetime
    name: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The address at Twilio where the account has another, and why it has."""

    email: str
    why: Why


def follow(context: Context, change: Change, link: TwilioLink, said: Said) -> User:
    """Have the account say what Twilio says, unless something newer was said. Returns the account as it is now."""
    if link.told_at is not None and said.at < link.told_at:
        return link.user
    people.set_user(change, link.user.key, twilio_told_at=said.at)
    user = _follow_name(change, link.user, said.name)
    return _follow_email(context, change, user, link.subject, said.email) if said.email else user


def _follow_name(change: Change, user: User, name: str | None) -> User:
    if not name or name == user.name:
        return user
    people.set_user(change, user.key, name=name)
    record_everywhere(change, user, "user.renamed", before={"name": user.name}, after={"name": name})
    return replace(user, name=name)


def _follow_email(context: Context, change: Change, user: User, subject: str, email: str) -> User:
    people.set_user(change, user.key, twilio_email=email)
    if fold_letters(email) == fold_letters(user.email):
        return user
    why = why_not(change.connection, email)
    if why == "unconfirmed":
        _ask_to_confirm(context, change, user, subject, email)
    return user if why else set_email(context, change, user, email)


def why_not(rows: object, email: str) -> Why | None:
    """What stands between an address of Twilio's and the account; None: nothing."""
    if people.find_user_by_email(rows, email) is not None:
        return "taken"
    return "unconfirmed" if find_workspace_proving(rows, email_domain(email)) is not None else None


def set_email(context: Context, change: Change, user: User, email: str) -> User:
    """The account has this address from now on. The former one is told, and links that it was mailed before work no
    longer. IntegrityError where somebody has it.
    """
    people.set_user(change, user.key, email=email, email_ci=fold_letters(email), email_proved_at=change.now)
    record_everywhere(change, user, "user.email_changed", before={"email": user.email}, after={"email": email})
    forget_under_way(change, user.key)
    queue_mail(context, change, twilio_email_changed(user.email, email, change.now))
    return replace(user, email=email)


def _ask_to_confirm(context: Context, change: Change, user: User, subject: str, email: str) -> None:
    """Mail a link to the new address, once a day."""
    counted = f"twilio-email:{user.id}:{digest(fold_letters(email)).hex()}"
    if count_try(change.connection, counted, change.now, CONFIRM_LASTS)[0] > 1:
        return
    secret, until = new_secret(), change.now + CONFIRM_LASTS
    result = {"email": email, "subject": subject}
    pending.put_pending(change, digest(secret), Pending("twilio_email", None, user.key, None, "/", result, until))
    queue_mail(context, change, twilio_email(email, user.email, f"{context.public_url}/twilio/email/{secret}"))


# -- Confirming an address ---------------------------------------------------------------------------


def find_confirmation(context: Context, secret: str, now: datetime) -> str:
    """The address that a mailed link confirms. Raises Expired."""
    with context.database.reading() as rows:
        found = pending.find_pending(rows, digest(secret), "twilio_email", now)
    if found is None:
        raise _over()
    return str(found.result["email"])


def confirm_email(context: Context, secret: str, now: datetime) -> str:
    """Whoever reads that mailbox says yes: the linked account has the address from now on. Returns it.

    Raises Expired, also where Twilio has said another address since; Conflict where somebody else has it by now.
    """
    return context.change(SYSTEM, now, lambda change: _confirm(context, change, secret))


def _confirm(context: Context, change: Change, secret: str) -> str:
    asked = pending.take_pending(change, digest(secret), "twilio_email")
    link = twilio.find_by_user(change.connection, asked.user_key or 0) if asked else None
    if asked is None or link is None or link.closed:
        raise _over()
    email = str(asked.result["email"])
    if (link.subject, link.email) != (asked.result["subject"], email):
        raise _over()
    if people.find_user_by_email(change.connection, email) is not None:
        raise Conflict("Another account has this address by now.")
    set_email(context, replace(change, actor=f"user:{link.user.id}"), link.user, email)
    return email


def _over() -> Expired:
    return Expired("This link was used, has run out, or is about an address that Twilio doesn’t name any more.")


def find_elsewhere(context: Context, user: User) -> Elsewhere | None:
    """The address that this linked account has at Twilio, where it has another one here."""
    with context.database.reading() as rows:
        link = twilio.find_by_user(rows, user.key)
        if link is None or link.email is None or fold_letters(link.email) == fold_letters(user.email):
            return None
        why = why_not(rows, link.email)
    return Elsewhere(link.email, why or "unconfirmed")
