"""The first arrival from Twilio (product.md 3.2): it is linked to an account that exists, whose owner proves that it is
theirs, or an account is made for it. And how a link ends.

To prove an account one signs in to it as usual, second factor included, or follows a link mailed to the address that is
stored in it; the latter is no way past a second factor. Token and link work in the browser that came from Twilio, once;
to open the link does nothing yet, since programs that read mail do that, too.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from bridge.domain.errors import Conflict, Forbidden
from bridge.domain.people import email_domain, find_email, fold_typed
from bridge.domain.sign_in import Client
from bridge.domain.sign_in_refusals import NotThatAccount, OtherBrowser, ProofExpired, SignInRefused
from bridge.domain.workspace import User
from bridge.flows.account_mails import (
    twilio_account,
    twilio_closed,
    twilio_link,
    twilio_link_by_login,
    twilio_linked,
)
from bridge.flows.account_settings import keeping_last_owners, lock_own
from bridge.flows.bearer_secrets import digest, new_secret
from bridge.flows.context import SYSTEM, Context
from bridge.flows.deliver import queue_mail
from bridge.flows.everywhere import record_everywhere
from bridge.flows.fresh_proof import is_fresh, require_fresh
from bridge.flows.sessions import CurrentSession, SignedIn
from bridge.flows.settle_login import adopt
from bridge.flows.sign_in_log import Trail
from bridge.flows.tries import AN_HOUR, Limit, count_tries
from bridge.flows.twilio_account import Said, Why, follow, why_not
from bridge.flows.twilio_login import Arrival, check_not_ended, sign_in, unpack_arrival
from bridge.storage import accounts, own_account, pending, people, twilio
from bridge.storage.changes import Change
from bridge.storage.pending import Pending
from bridge.storage.sign_in_attempts import find_workspace_proving

LINK_LASTS: Final = timedelta(minutes=15)
_MAILS_AN_HOUR: Final = 5


class AlreadyLinked(SignInRefused):
    """One Twilio user opens one account, and one account has one."""

    code = "already_linked"
    title = "That is linked already"


@dataclass(frozen=True, slots=True)
class Arrived:
    """Who came from Twilio. `has_account`: somebody here has that address, so that no account can be made with it.
    `why_not`: what stands between that address and an account that is linked; None: nothing.
    """

    email: str
    name: str
    has_account: bool
    return_to: str
    why_not: Why | None = None


def find_arrival(context: Context, token: str, browser: str, now: datetime) -> Arrived:
    """Who waits to be linked. Raises ProofExpired, OtherBrowser."""
    with context.database.reading() as rows:
        asked = _own(pending.find_pending(rows, digest(token), "twilio_arrival", now), browser)
        arrival = unpack_arrival(asked.result)
        why = why_not(rows, arrival.email)
    return Arrived(arrival.email, arrival.name, why == "taken", asked.return_to, why)


def may_link(session: CurrentSession, now: datetime) -> bool:
    """Whether this session shows, by a proof of the last ten minutes, that the account is theirs."""
    return session.may_change_account and is_fresh(session, now)


def link_own(
    context: Context, session: CurrentSession, token: str, browser: str, client: Client, old: str | None, now: datetime
) -> SignedIn:
    """Link the account that is signed in. Raises Forbidden (its own login is too long ago), ProofExpired, OtherBrowser,
    AlreadyLinked, NotThatAccount (its address was never proved).
    """
    if not may_link(session, now):
        raise Forbidden("Sign in to your account once more before you link it.")

    def do(change: Change) -> SignedIn:
        asked = _own(pending.take_pending(change, digest(token), "twilio_arrival"), browser)
        user = lock_own(change, session, read_only_at_twilio=False)
        if not user.email_proved:
            raise NotThatAccount("The address of this account was never confirmed. Use the link by mail instead.")
        trail = Trail()
        trail.note("proved", "By signing in as usual.")
        _tell(context, change, user, asked)
        return _finish(context, change, user, asked, client, trail, old)

    return context.change(f"user:{session.user.id}", now, do)


# -- By mail -----------------------------------------------------------------------------------------


def mail_link(context: Context, token: str, browser: str, typed: str, now: datetime) -> str:
    """Have a link mailed to the address that is stored in the account of this name. Whether there is one, only the mail
    says. Returns the address as it was typed. Raises ProofExpired, OtherBrowser, Invalid, TooManyTries (five an hour).
    """
    email = find_email(typed)
    find_arrival(context, token, browser, now)
    _count_mail(context, token, typed, now)

    def do(change: Change) -> str:
        asked = _own(pending.find_pending(change.connection, digest(token), "twilio_arrival", change.now), browser)
        user = people.find_user_by_email(change.connection, email) if email else None
        if user is None:
            _mail_nobody(context, change, asked)
        else:
            _mail(context, change, token, asked, user)
        return typed

    return context.change(SYSTEM, now, do)


def _count_mail(context: Context, token: str, typed: str, now: datetime) -> None:
    keys = (f"proof-mail:{digest(token).hex()}", f"proof-mail:{digest(fold_typed(typed)).hex()}")
    limits = [Limit(key, _MAILS_AN_HOUR, AN_HOUR) for key in keys]
    count_tries(context, limits, "Enough links were mailed for now.", now)


def _mail(context: Context, change: Change, token: str, asked: Pending, user: User) -> None:
    if accounts.has_second_factor(change.connection, user.key):
        queue_mail(context, change, twilio_link_by_login(user.email, asked.result["email"]))
        return
    secret, until = new_secret(), change.now + LINK_LASTS
    result = {"task": digest(token).hex()}
    mailed = replace(asked, kind="twilio_link", user_key=user.key, result=result, expires_at=until)
    pending.put_pending(change, digest(secret), mailed)
    url, minutes = f"{context.public_url}/twilio/linked/{secret}", int(LINK_LASTS.total_seconds() // 60)
    queue_mail(context, change, twilio_link(user.email, asked.result["email"], url, minutes))


def _mail_nobody(context: Context, change: Change, asked: Pending) -> None:
    """As long as it takes to mail somebody: two rows, which have run out already, and a text that is sealed."""
    mail = twilio_link("nobody@localhost", asked.result["email"], context.public_url, 0)
    context.secrets.encrypt(mail.text.encode(), purpose="nobody")
    for _ in range(2):
        pending.put_pending(change, digest(new_secret()), replace(asked, kind="twilio_link", expires_at=change.now))


@dataclass(frozen=True, slots=True)
class MailedLink:
    """What following a mailed link does: who came from Twilio, by `email` and `name`, opens the account with this
    address from then on; None: one is made.
    """

    email: str
    name: str
    account_email: str | None


def find_link(context: Context, secret: str, browser: str, now: datetime) -> MailedLink:
    """What this link would do. Raises ProofExpired, also where it was done by another way; OtherBrowser."""
    with context.database.reading() as rows:
        mailed = _own(pending.find_pending(rows, digest(secret), "twilio_link", now), browser)
        task = bytes.fromhex(mailed.result["task"])
        arrival = unpack_arrival(_own(pending.find_pending(rows, task, "twilio_arrival", now), browser).result)
        user = None if mailed.user_key is None else people.find_user_by_key(rows, mailed.user_key)
    if mailed.user_key is not None and user is None:
        raise ProofExpired
    return MailedLink(arrival.email, arrival.name, user.email if user else None)


def follow_link(
    context: Context, secret: str, browser: str, client: Client, now: datetime, *, old: str | None = None
) -> SignedIn:
    """Whoever opened the mailed link in the browser that came from Twilio says so: link, or make the account, and sign
    in.

    Raises ProofExpired, OtherBrowser, AlreadyLinked, Conflict, LastOwner.
    """
    return context.change(SYSTEM, now, lambda change: _follow_link(context, change, secret, browser, client, old))


def _follow_link(
    context: Context, change: Change, secret: str, browser: str, client: Client, old: str | None
) -> SignedIn:
    mailed = _own(pending.take_pending(change, digest(secret), "twilio_link"), browser)
    asked = pending.take_pending(change, bytes.fromhex(mailed.result["task"]), "twilio_arrival")
    if asked is None:
        raise ProofExpired
    trail = Trail()
    trail.note("proved", "By a link that was mailed to the account's stored address.")
    if mailed.user_key is None:
        return _finish(context, change, _make(change, unpack_arrival(asked.result)), asked, client, trail, old)
    user = people.find_user_by_key(change.connection, mailed.user_key)
    if user is None or accounts.has_second_factor(change.connection, user.key):
        raise ProofExpired
    acting = replace(change, actor=f"user:{user.id}")
    if not user.email_proved:
        adopt(acting, own_account.workspaces_of(change.connection, user.key), user)
    _tell(context, acting, user, asked)
    return _finish(context, acting, user, asked, client, trail, old)


# -- A new account -----------------------------------------------------------------------------------


def create_account(
    context: Context, token: str, browser: str, client: Client, now: datetime, *, old: str | None = None
) -> SignedIn | str:
    """Make an account for who came, and sign them in. Where a workspace has proved the domain of their address, a link
    is mailed to it first: then that address is returned.

    Raises ProofExpired, OtherBrowser, Conflict (somebody has that address), TooManyTries.
    """
    email = find_arrival(context, token, browser, now).email
    with context.database.reading() as rows:
        proved = find_workspace_proving(rows, email_domain(email)) is not None
    if proved:
        _count_mail(context, token, email, now)

    def do(change: Change) -> SignedIn | str:
        asked = _own(pending.take_pending(change, digest(token), "twilio_arrival"), browser)
        arrival = unpack_arrival(asked.result)
        _check_no_account(change, arrival.email)
        if find_workspace_proving(change.connection, email_domain(arrival.email)) is not None:
            _mail_to_create(context, change, token, asked, arrival)
            return arrival.email
        trail = Trail()
        trail.note("proved", "Twilio verified the address.")
        return _finish(context, change, _make(change, arrival), asked, client, trail, old)

    return context.change(SYSTEM, now, do)


def _mail_to_create(context: Context, change: Change, token: str, asked: Pending, arrival: Arrival) -> None:
    secret, until = new_secret(), change.now + LINK_LASTS
    pending.put_pending(change, digest(token), replace(asked, expires_at=max(asked.expires_at, until)))
    mailed = replace(asked, kind="twilio_link", result={"task": digest(token).hex()}, expires_at=until)
    pending.put_pending(change, digest(secret), mailed)
    url, minutes = f"{context.public_url}/twilio/linked/{secret}", int(LINK_LASTS.total_seconds() // 60)
    queue_mail(context, change, twilio_account(arrival.email, url, minutes))


def _check_no_account(change: Change, email: str) -> None:
    if people.find_user_by_email(change.connection, email) is not None:
        raise Conflict("An account with this address exists here. Link that one.")


def _make(change: Change, arrival: Arrival) -> User:
    _check_no_account(change, arrival.email)
    return people.insert_user(change, arrival.email, arrival.name, email_proved_at=change.now)


# -- Linking and unlinking ---------------------------------------------------------------------------


def _own(asked: Pending | None, browser: str) -> Pending:
    if asked is None:
        raise ProofExpired
    if asked.browser_hash != digest(browser):
        raise OtherBrowser
    return asked


def _finish(
    context: Context, change: Change, user: User, asked: Pending, client: Client, trail: Trail, old: str | None
) -> SignedIn:
    arrival = unpack_arrival(asked.result)
    check_not_ended(change, arrival)
    acting = replace(change, actor=f"user:{user.id}")
    linked = twilio.find_by_subject(change.connection, arrival.subject)
    if linked is not None and linked.user.key != user.key:
        raise AlreadyLinked("Your Twilio user opens another account here by now.")
    if not twilio.link(acting, user.key, arrival.subject):
        raise AlreadyLinked(f"{user.email} is linked to another Twilio user. Unlink that one first.")
    after = {"subject": arrival.subject, "email": arrival.email}
    record_everywhere(acting, user, "user.twilio_linked", after=after)
    link = twilio.find_by_user(change.connection, user.key)
    if link is not None:
        user = follow(context, acting, link, Said(arrival.said_at, arrival.name, arrival.email))
    return SignedIn(sign_in(context, acting, user, arrival, client, trail, old), asked.return_to)


def _tell(context: Context, change: Change, user: User, asked: Pending) -> None:
    """To the address that is stored until now, whatever Twilio's becomes of it."""
    queue_mail(context, change, twilio_linked(user.email, asked.result["email"], f"{context.public_url}/account"))


def unlink_own(context: Context, session: CurrentSession, now: datetime) -> None:
    """End the link of the account that is signed in, and every login that came by it.

    Raises FreshProofNeeded, Conflict (the account would have no way in), LastOwner (a workspace's IdP would be their
    only one), Forbidden, NotFound.
    """
    require_fresh(session, now)
    with context.changing(f"user:{session.user.id}", now) as change:
        user = lock_own(change, session, read_only_at_twilio=False)
        if not has_other_way(change.connection, user):
            raise Conflict("Twilio is the only way into this account, so it stays linked.")
        with keeping_last_owners(change, user):
            unlink(change, user)


def has_other_way(rows: object, user: User) -> bool:
    """Whether the account can be signed in to without Twilio."""
    return replace(own_account.find_ways_in(rows, user.key), twilio=False).work


def unlink(change: Change, user: User, *, why: str | None = None) -> None:
    """The same for whoever may: an account that isn't linked stays as it is."""
    link = twilio.find_by_user(change.connection, user.key)
    if link is None:
        return
    twilio.unlink(change, user.key)
    after = {"why": why} if why else None
    record_everywhere(change, user, "user.twilio_unlinked", before={"subject": link.subject}, after=after)


def unlink_closed(context: Context, change: Change, user: User) -> None:
    """The Twilio account was closed: its person keeps the account, and learns how to come in from now on."""
    unlink(change, user, why="closed at Twilio")
    alone = not has_other_way(change.connection, user)
    queue_mail(context, change, twilio_closed(user.email, f"{context.public_url}/login", alone=alone))
