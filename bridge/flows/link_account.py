"""An IdP's person proves that an account is theirs, before the two are linked (product.md 2.6).

By signing in as usual (`password_login` calls `link_proved`), or by a link mailed to the address that is stored in
the account, never to one that was typed or asserted. Task and link work in the browser that signed in, once; to open
the link does nothing yet, since programs that read mail do that, too.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bridge.domain.identity import AssertedIdentity
from bridge.domain.presets import ConnectionKind
from bridge.domain.sign_in import Client, decide
from bridge.domain.sign_in_refusals import MembershipEnded, NotThatAccount, OtherBrowser, ProofExpired, UnusableIdentity
from bridge.domain.workspace import User
from bridge.flows.account_mails import prove_account
from bridge.flows.bearer_secrets import digest, new_secret
from bridge.flows.context import SYSTEM, Context
from bridge.flows.deliver import queue_mail
from bridge.flows.login_results import authentication_by, unpack
from bridge.flows.sessions import SignedIn, open_session
from bridge.flows.settle_login import adopt, may_join, note_invited_back, settle
from bridge.flows.sign_in_log import Trail, log_signed_in
from bridge.flows.sso_door import Door, open_door
from bridge.flows.tries import AN_HOUR, Limit, count_tries
from bridge.storage import connections, pending, people, sign_in
from bridge.storage.changes import Change
from bridge.storage.pending import Kind, Pending
from bridge.storage.sessions import NewAuthentication

LINK_LASTS = timedelta(minutes=15)
_MAILS_AN_HOUR = 5
_REMEMBERED = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Proof:
    """What has to be proved: that `account_email`, as stored, is the account of whom the IdP calls `email`."""

    connection: str
    connection_id: str
    workspace: str
    email: str
    account_email: str


@dataclass(frozen=True, slots=True)
class Asker:
    """The sign-in that a proof belongs to: by which kind of connection, which one, and as whom."""

    kind: ConnectionKind
    connection_id: str
    email: str


def find_proof(context: Context, token: str, browser: str, now: datetime) -> Proof:
    """The pending task. Raises ProofExpired, OtherBrowser, ConnectionOff."""
    with context.database.reading() as rows:
        return _proof(rows, _check(pending.find_pending(rows, digest(token), "prove", now), browser))


def find_link(context: Context, secret: str, browser: str, now: datetime) -> Proof:
    """What a mailed link would prove. Raises as `find_proof`, also where the task was done by another way."""
    with context.database.reading() as rows:
        asked = _check(pending.find_pending(rows, digest(secret), "link", now), browser)
        _check(pending.find_pending(rows, bytes.fromhex(asked.result["task"]), "prove", now), browser)
        return _proof(rows, asked)


def _proof(rows: object, asked: Pending) -> Proof:
    identity = unpack(asked.result["identity"])
    door = open_door(rows, identity.connection_id)
    user = people.find_user_by_key(rows, asked.user_key or 0)
    if user is None:
        raise ProofExpired
    return Proof(door.connection.name, door.connection.id, door.workspace.name, identity.email, user.email)


def find_asker(context: Context, secret: str, kind: Kind, now: datetime) -> Asker | None:
    """Whose sign-in led to a task ("prove") or to its mailed link ("link"), for the sign-in log; None where nobody
    knows. Also where it ran out within the day: it is refused, and the log should still say at which connection.
    """
    with context.database.reading() as rows:
        asked = pending.find_pending(rows, digest(secret), kind, now - _REMEMBERED)
        identity = unpack(asked.result["identity"]) if asked else None
        found = connections.find_by_uid(rows, identity.connection_id) if identity else None
    return Asker(found.kind, found.id, identity.email) if found and identity else None


def mail_link(context: Context, token: str, browser: str, now: datetime) -> Proof:
    """Have a one-time link mailed to the account's stored address. Raises also TooManyTries: five an hour."""
    proof, secret = find_proof(context, token, browser, now), new_secret()
    _count_mail(context, proof, now)
    with context.changing(SYSTEM, now) as change:
        asked, until = _check(_take(change, token, "prove"), browser), now + LINK_LASTS
        # The link ends with its task, so the task lasts as long.
        pending.put_pending(change, digest(token), replace(asked, expires_at=max(asked.expires_at, until)))
        result = {**asked.result, "task": digest(token).hex()}
        pending.put_pending(change, digest(secret), replace(asked, kind="link", result=result, expires_at=until))
        url = f"{context.public_url}/prove/link/{secret}"
        minutes = int(LINK_LASTS.total_seconds() // 60)
        queue_mail(context, change, prove_account(proof.account_email, proof.connection, proof.workspace, url, minutes))
    return proof


def _count_mail(context: Context, proof: Proof, now: datetime) -> None:
    by_account = Limit(f"proof-mail:{digest(proof.account_email).hex()}", _MAILS_AN_HOUR, AN_HOUR)
    count_tries(context, [by_account], "Enough links were mailed to this account for now.", now)


def follow_link(
    context: Context, secret: str, browser: str, client: Client, now: datetime, *, old: str | None = None
) -> SignedIn:
    """Whoever opened the mailed link in the browser that asked says so: link, and sign in. Raises a SignInRefused,
    LastOwner.
    """
    return context.change(SYSTEM, now, lambda change: _follow_link(context, change, secret, browser, client, old))


def _follow_link(
    context: Context, change: Change, secret: str, browser: str, client: Client, old: str | None
) -> SignedIn:
    asked = _check(_take(change, secret, "link"), browser)
    # One proof is one sign-in: by whichever of its links, or by the password.
    if pending.take_pending(change, bytes.fromhex(asked.result["task"]), "prove") is None:
        raise ProofExpired
    user = people.find_user_by_key(change.connection, asked.user_key or 0)
    if user is None:
        raise ProofExpired
    acting = replace(change, actor=f"user:{user.id}")
    proof = _link(context, acting, asked, user, by_mail=True)
    cookie = open_session(context, acting, user, (proof,), client, old)
    _log(acting, asked, client, "By a link that was mailed to the account's stored address.")
    return SignedIn(cookie, asked.return_to)


def link_proved(
    context: Context, change: Change, token: str, browser: str, user: User, client: Client
) -> tuple[NewAuthentication, str]:
    """The account's own sign-in proved it: link, in that transaction. Returns what to add to the session, and the
    path to go on to. Raises a SignInRefused.
    """
    asked = _check(_take(change, token, "prove"), browser)
    if asked.user_key != user.key:
        raise NotThatAccount("You signed in to another account than the one that has this email.")
    proof = _link(context, change, asked, user, by_mail=False)
    _log(change, asked, client, "By signing in with its password.")
    return proof, asked.return_to


def _take(change: Change, secret: str, kind: Kind) -> Pending | None:
    return pending.take_pending(change, digest(secret), kind)


def _check(asked: Pending | None, browser: str) -> Pending:
    if asked is None:
        raise ProofExpired
    if asked.browser_hash != digest(browser):
        raise OtherBrowser
    return asked


def _link(context: Context, change: Change, asked: Pending, user: User, *, by_mail: bool) -> NewAuthentication:
    identity = unpack(asked.result["identity"])
    door = open_door(change.connection, identity.connection_id)
    _check_free(change, door, identity, user)
    found = sign_in.describe_found(change.connection, door.connection, "email", user, change.now)
    found = note_invited_back(change, door, identity, found) or found
    decide(found, door.workspace, jit=may_join(change, door, identity, found))
    if not user.email_proved:
        if not by_mail:
            raise NotThatAccount("The address of this account was never confirmed. Use the link by mail instead.")
        adopt(change, [door.workspace.key], user)
    settle(change, door, identity, found, "link")
    _accept(change, door, user)
    return authentication_by(context, door, identity, change.now)


def _check_free(change: Change, door: Door, identity: AssertedIdentity, user: User) -> None:
    linked = sign_in.find_identity(change.connection, door.connection.key, identity.subject)
    if linked not in (None, user.key):
        raise UnusableIdentity(f"Your identity at {door.connection.name} opens another account by now.")


def _accept(change: Change, door: Door, user: User) -> None:
    membership = people.find_member(change.connection, door.workspace.key, user.key)
    if membership is None:
        raise MembershipEnded(door.workspace.name)
    if not membership.accepted:
        people.accept_membership(change, membership.key)
        change.record(door.workspace.key, "membership.accepted", membership.id)


def _log(change: Change, asked: Pending, client: Client, how: str) -> None:
    identity, trail = unpack(asked.result["identity"]), Trail()
    door = open_door(change.connection, identity.connection_id)
    trail.continue_from(asked.result["trail"])
    trail.note("proved", how)
    log_signed_in(change, door.connection.kind, identity.email, client, door.connection, trail)
