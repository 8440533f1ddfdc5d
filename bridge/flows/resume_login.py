"""The browser fetches what its login came to, and only then a session is made (`sign_in` says what went before)."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bridge.domain.sign_in import Client, check_alive
from bridge.domain.sign_in_refusals import AccountClosed, MembershipEnded, OtherBrowser, UnknownRequest
from bridge.domain.workspace import Connection, User
from bridge.flows.bearer_secrets import digest, new_secret
from bridge.flows.context import SYSTEM, Context
from bridge.flows.login_requests import Keepsake, is_kept_by
from bridge.flows.login_results import authentication_by, check_not_ended, unpack
from bridge.flows.sessions import SignedIn, open_session
from bridge.flows.sign_in_log import Trail, log_signed_in
from bridge.flows.sso_door import Door, open_door
from bridge.flows.try_connection import is_test_result
from bridge.storage import own_account, pending, people, sessions, sign_in
from bridge.storage.changes import Change
from bridge.storage.pending import Pending

_AGREEING_LASTS = timedelta(minutes=10)
_PROOF_LASTS = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class ProofNeeded:
    """The account exists, and the person has to show that it is theirs; `token` names that task, in this browser."""

    token: str


@dataclass(frozen=True, slots=True)
class AnotherIsSignedIn:
    """What nobody asked for would sign `present` out of this browser, to sign `coming` in: first somebody says so, with
    the same handle. Both are addresses.
    """

    handle: str
    connection: Connection
    present: str
    coming: str


@dataclass(frozen=True, slots=True)
class Tested:
    """It was a test: nobody is signed in, and this handle leads to what it found out."""

    handle: str


def resume(
    context: Context,
    handle: str,
    keepsake: Keepsake | None,
    browser: str,
    client: Client,
    now: datetime,
    *,
    through: str | None = None,
    old: str | None = None,
    trail: Trail | None = None,
    agreed: bool = False,
) -> SignedIn | ProofNeeded | AnotherIsSignedIn | Tested:
    """What `complete` found fetched once by the browser that began: it brings the `keepsake` of this login. By
    `browser` it is known in what follows; `old` is its present session cookie. `through` names the connection of the
    address that is asked: another's login isn't there. `agreed`: whoever sits there knows whom it signs in.

    Raises a SignInRefused: OtherBrowser where another browser began, and whatever has changed since.
    """
    way = trail or Trail()
    with context.changing(SYSTEM, now) as change:
        waiting = pending.take_pending(change, digest(handle), "handle")
        if waiting is None and is_test_result(change.connection, handle, keepsake, now):
            return Tested(handle)
        if waiting is None or through not in (None, waiting.result["identity"]["connection_id"]):
            raise UnknownRequest
        way.continue_from(waiting.result["trail"])
        if keepsake is None or not is_kept_by(keepsake, waiting.browser_hash):
            raise OtherBrowser
        way.note("browser")
        door = open_door(change.connection, waiting.result["identity"]["connection_id"])
        another = None if agreed else _find_another(change, door, waiting, handle, old)
        if another is not None:
            pending.put_pending(change, digest(handle), replace(waiting, expires_at=now + _AGREEING_LASTS))
            return another
        waiting = replace(waiting, return_to=waiting.return_to or keepsake.return_to)
        if not waiting.result["proved"]:
            return _ask_for_proof(change, waiting, browser, way)
        return _sign_in(context, change, door, waiting, client, old, way)


def _find_another(
    change: Change, door: Door, waiting: Pending, handle: str, old: str | None
) -> AnotherIsSignedIn | None:
    """Whose session would end without anybody here having asked for that. Who is to prove an account is shown whose
    it is, and so is asked already.
    """
    if not waiting.result["unasked"] or not waiting.result["proved"] or old is None:
        return None
    present = sessions.find_session(change.connection, digest(old), change.now)
    if present is None or present.user.key == waiting.user_key:
        return None
    coming = people.find_user_by_key(change.connection, waiting.user_key or 0)
    return AnotherIsSignedIn(handle, door.connection, present.user.email, coming.email) if coming else None


def _ask_for_proof(change: Change, waiting: Pending, browser: str, trail: Trail) -> ProofNeeded:
    token = new_secret()
    trail.note("proof_asked")
    result = {**waiting.result, "trail": trail.pack()}
    until = change.now + _PROOF_LASTS
    asked = replace(waiting, kind="prove", browser_hash=digest(browser), result=result, expires_at=until)
    pending.put_pending(change, digest(token), asked)
    return ProofNeeded(token)


def _sign_in(
    context: Context, change: Change, door: Door, waiting: Pending, client: Client, old: str | None, trail: Trail
) -> SignedIn:
    identity, user_key = unpack(waiting.result["identity"]), waiting.user_key or 0
    own_account.hold_account(change, user_key)
    user = sign_in.find_linked_user(change.connection, door.connection.key, identity.subject, user_key)
    if user is None:  # or unlinked meanwhile, before this login was known to be under way
        raise UnknownRequest if people.find_user_by_key(change.connection, user_key) else AccountClosed
    _check_member(change, door, user)
    check_not_ended(change, door, identity)  # again: both may have been under way at once
    acting = replace(change, actor=f"user:{user.id}")
    proof = replace(authentication_by(context, door, identity, change.now), anew=waiting.result.get("anew", False))
    secret = open_session(context, acting, user, (proof,), client, old)
    log_signed_in(acting, door.connection.kind, identity.email, client, door.connection, trail)
    return SignedIn(secret, waiting.return_to)


def _check_member(change: Change, door: Door, user: User) -> None:
    membership = people.find_member(change.connection, door.workspace.key, user.key)
    if membership is None:
        raise MembershipEnded(door.workspace.name)
    check_alive(membership, door.workspace)
