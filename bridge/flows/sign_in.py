"""Signing in through a connection, from the request to the session; the same for SAML and OpenID Connect.

- `begin`     a request is sent: who sent it, and where they want to go, is kept; with the ticket of `try_connection`
  it is one for a test
- `complete`  the IdP's verified answer: consumed, remembered, its person found or made; the result waits under a
  one-time handle for a minute (an IdP's cross-site POST brings no cookie of ours)
- `resume`    the browser fetches it: compared with the one that began, and only then a session is made
"""

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from bridge.domain.errors import DomainError
from bridge.domain.identity import AssertedIdentity, Replay
from bridge.domain.sign_in import (
    UNKNOWN_CLIENT,
    AccountClosed,
    Client,
    EndedAtIdp,
    MembershipEnded,
    NotFresh,
    OtherBrowser,
    Replayed,
    UnknownRequest,
    check_alive,
    decide,
    keepable_groups,
)
from bridge.domain.workspace import User
from bridge.flows.bearer_secrets import digest, new_secret
from bridge.flows.context import SYSTEM, Context
from bridge.flows.sessions import SignedIn, open_session
from bridge.flows.settle_login import check_identity, find_person, may_join, settle, tell_found, tell_groups
from bridge.flows.sign_in_log import Asked, Trail, log_signed_in
from bridge.flows.sso_door import Door, open_door
from bridge.flows.try_connection import (
    MARK,
    TestOver,
    is_test,
    is_test_result,
    keep_test_passed,
    pretend_enabled,
    use_ticket,
    would_happen,
)
from bridge.storage import ended_logins, pending, people
from bridge.storage.changes import Change
from bridge.storage.pending import Pending
from bridge.storage.sessions import NewAuthentication

#: How long somebody may take at the IdP, second factor and forgotten password included.
_REQUEST_LASTS = timedelta(minutes=30)
_HANDLE_LASTS = timedelta(seconds=60)
_PROOF_LASTS = timedelta(minutes=30)
_INSTANTS = ("session_ends_at", "asserted_at")

Protocol = Literal["saml", "oidc"]


@dataclass(frozen=True, slots=True)
class ProofNeeded:
    """The account exists, and the person has to show that it is theirs; `token` names that task, in this browser."""

    token: str


@dataclass(frozen=True, slots=True)
class Answer:
    """An IdP's verified answer: the identity, the request it answers (None: it came unasked), what may not come
    twice, when the person showed who they are (None: it doesn't say), and what the login went through.
    """

    identity: AssertedIdentity
    in_response_to: str | None
    replay: Replay
    authenticated_at: datetime | None = None
    trail: Trail = field(default_factory=Trail, compare=False)


@dataclass(frozen=True, slots=True)
class Tested:
    """It was a test: nobody is signed in, and this handle leads to what it found out."""

    handle: str


def begin(
    context: Context,
    kind: Protocol,
    connection_id: str,
    request_id: str,
    browser: str,
    return_to: str,
    now: datetime,
    *,
    fresh: bool = False,
    kept: Mapping[str, Any] | None = None,
    test: str | None = None,
) -> None:
    """Keep that this browser sent a request. Several may be under way in one browser (two tabs).

    `fresh`: it demands that the person shows anew who they are; only an answer that says so will do. `kept` is what the
    answer will be held against; secrets in it are sealed. `test`: the ticket of a test, which is used up; the request
    is marked here, for nothing of its answer could say so.

    Raises NotFound, ConnectionOff, TestTicketUsed.
    """
    # Nobody has been promised anything yet: of all that a login writes, this alone needn't wait for the disk.
    with context.changing(f"connection:{connection_id}", now, durable=False) as change:
        if test is not None:
            use_ticket(change, test, connection_id)
        door = open_door(change.connection, connection_id, for_test=test is not None)
        demands = ({"fresh_since": now.isoformat()} if fresh else {}) | (MARK if test is not None else {})
        result = {"asked_at": now.isoformat(), **(kept or {}), **demands}
        request = Pending(kind, door.connection.key, None, digest(browser), return_to, result, now + _REQUEST_LASTS)
        pending.put_pending(change, request_hash(connection_id, request_id), request)


def find_asked(context: Context, kind: Protocol, connection_id: str, request_id: str, now: datetime) -> Asked | None:
    """The request that an answer says it is for, before anything of it is proved: for the sign-in log alone."""
    with context.database.reading() as rows:
        found = pending.find_pending(rows, request_hash(connection_id, request_id), kind, now)
    if found is None:
        return None
    return Asked(_asked_at(found), is_test(found), found.browser_hash)


def _asked_at(request: Pending) -> datetime:
    return datetime.fromisoformat(request.result["asked_at"])


def complete(context: Context, kind: Protocol, answer: Answer, now: datetime, client: Client = UNKNOWN_CLIENT) -> str:
    """Take an IdP's answer, once. Returns the handle under which its result waits for the browser.

    Raises NotFound, a SignInRefused, LastOwner. A refused answer is spent all the same. Of a test, everything but its
    line in the sign-in log is undone.
    """
    actor, passed = f"connection:{answer.identity.connection_id}", len(answer.trail.steps)

    def do(change: Change) -> str:
        answer.trail.forget_since(passed)
        return _complete(change, kind, answer)

    try:
        return context.change(actor, now, do)
    except DomainError:
        _spend(context, kind, answer, now)
        raise
    except TestOver as over:
        return _keep_test(context, kind, answer, over, client, now)


def _complete(change: Change, kind: Protocol, answer: Answer) -> str:
    identity, handle = check_identity(answer.identity), new_secret()
    request = _take_request(change, kind, answer)
    test = request is not None and is_test(request)
    door = open_door(change.connection, identity.connection_id, for_test=test)
    if not pending.remember(change, _proof_hash(answer), answer.replay.until):
        raise Replayed
    request = request or _unsolicited(change, door, answer)
    _check_fresh(door, request, answer)
    _check_not_ended(change, door, identity)
    answer.trail.note("our_request", _told_request(answer, request, change.now))
    if test:
        pretend_enabled(change, door)
    user, proved = _enter(change, door, identity, answer.trail)
    if test:
        raise TestOver(door, would_happen(change, door, identity, user if proved else None, answer.trail), request)
    anew = "fresh_since" in (request.result or {})
    result = {"identity": pack(identity), "proved": proved, "anew": anew, "trail": answer.trail.pack()}
    until = change.now + _HANDLE_LASTS
    pending.put_pending(
        change, digest(handle), replace(request, kind="handle", user_key=user.key, result=result, expires_at=until)
    )
    return handle


def _take_request(change: Change, kind: Protocol, answer: Answer) -> Pending | None:
    """The request that is answered, None where there is none."""
    if answer.in_response_to is None:
        return None
    return pending.take_pending(change, request_hash(answer.identity.connection_id, answer.in_response_to), kind)


def _unsolicited(change: Change, door: Door, answer: Answer) -> Pending:
    """What stands for a request where the IdP may begin."""
    if answer.in_response_to is not None or not door.unsolicited:
        raise UnknownRequest
    return Pending("handle", door.connection.key, None, None, "/", None, change.now)


def _check_fresh(door: Door, request: Pending, answer: Answer) -> None:
    """ForceAuthn is a demand on the IdP: whether it was met is for us to see (SAML Core 3.4.1)."""
    if "fresh_since" not in (request.result or {}):
        return
    since = datetime.fromisoformat(request.result["fresh_since"]) - door.clock_skew
    if answer.authenticated_at is None or answer.authenticated_at < since:
        raise NotFresh(door.connection.name)


def _check_not_ended(change: Change, door: Door, identity: AssertedIdentity) -> None:
    """A statement made before its person signed out at the IdP may arrive after that (SAML Core 3.7.3.2).

    An OpenID provider names no session anew that it has ended, so that its times don't matter.
    """
    session = identity.session_index
    if door.connection.kind == "oidc" and session is not None:
        if pending.was_remembered(change.connection, ended_hash(door.connection.id, session)):
            raise EndedAtIdp(door.connection.name)
        return
    if identity.asserted_at is None or identity.name_id is None:
        return
    ends = ended_logins.find_ends(change.connection, door.connection.key, identity.name_id, identity.asserted_at)
    if any(whose.includes(identity) for whose in ends):
        raise EndedAtIdp(door.connection.name)


def _told_request(answer: Answer, request: Pending, now: datetime) -> str:
    if answer.in_response_to is None:
        return "It came unasked, which this connection allows, and was not used before."
    return f"Sent {round((now - _asked_at(request)).total_seconds())} s before, and answered for the first time."


def _keep_test(context: Context, kind: Protocol, answer: Answer, over: TestOver, client: Client, now: datetime) -> str:
    """A test went all the way and was undone: request and proof are used up all the same."""
    _spend(context, kind, answer, now)
    with context.changing(SYSTEM, now) as change:
        return keep_test_passed(change, over, client, answer.trail)


def _enter(change: Change, door: Door, identity: AssertedIdentity, trail: Trail) -> tuple[User, bool]:
    """The account that is meant, and whether it is theirs without more proof."""
    found = find_person(change, door, identity)
    step = decide(found, door.workspace, jit=may_join(change, door, identity, found))
    trail.note("person", tell_found(found, step, door.connection.name))
    if found is not None and step == "prove":
        return found.user, False
    user = settle(change, door, identity, found, step)
    trail.note("groups", tell_groups(keepable_groups(identity.groups), door.asserted_days))
    return user, True


def _spend(context: Context, kind: Protocol, answer: Answer, now: datetime) -> None:
    """In a second transaction, for the first was undone: request and proof are used up, whatever came of them."""
    connection_id = answer.identity.connection_id
    with context.changing(f"connection:{connection_id}", now) as change:
        if answer.in_response_to is not None:
            pending.take_pending(change, request_hash(connection_id, answer.in_response_to), kind)
        pending.remember(change, _proof_hash(answer), answer.replay.until)


def resume(
    context: Context,
    handle: str,
    browser: str,
    client: Client,
    now: datetime,
    *,
    through: str | None = None,
    old: str | None = None,
    trail: Trail | None = None,
) -> SignedIn | ProofNeeded | Tested:
    """What `complete` found fetched once by the browser that began; `old` is its present session cookie. `through`
    names the connection of the address that is asked: another's login isn't there.

    Raises a SignInRefused: OtherBrowser where another browser began, and whatever has changed since.
    """
    way = trail or Trail()
    with context.changing(SYSTEM, now) as change:
        waiting = pending.take_pending(change, digest(handle), "handle")
        if waiting is None and is_test_result(change.connection, handle, browser, now):
            return Tested(handle)
        if waiting is None or through not in (None, waiting.result["identity"]["connection_id"]):
            raise UnknownRequest
        way.continue_from(waiting.result["trail"])
        if waiting.browser_hash not in (None, digest(browser)):
            raise OtherBrowser
        way.note("browser")
        door = open_door(change.connection, waiting.result["identity"]["connection_id"])
        if not waiting.result["proved"]:
            return _ask_for_proof(change, waiting, browser, way)
        return _sign_in(context, change, door, waiting, client, old, way)


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
    user = people.find_user_by_key(change.connection, waiting.user_key or 0)
    if user is None:
        raise AccountClosed
    _check_member(change, door, user)
    identity = unpack(waiting.result["identity"])
    _check_not_ended(change, door, identity)  # again: both may have been under way at once
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


# -- Shared with the proof of an account -------------------------------------------------------------


def authentication_by(context: Context, door: Door, identity: AssertedIdentity, now: datetime) -> NewAuthentication:
    """What an identity adds to a session: until the IdP's own limit, and as long as a session at most."""
    ends_at = now + context.session_lifetime
    return NewAuthentication(
        kind=door.connection.kind,
        subject=identity.subject,
        ends_at=min(ends_at, identity.session_ends_at or ends_at),
        connection_key=door.connection.key,
        workspace_key=door.workspace.key,
        name_id=identity.name_id,
        session_index=identity.session_index,
        logout_hint_enc=b64decode(identity.logout_hint) if identity.logout_hint else None,
        groups=identity.groups,
        name_id_format=identity.name_id_format,
        name_qualifier=identity.name_qualifier,
    )


def pack(identity: AssertedIdentity) -> dict[str, Any]:
    """An identity as JSON, until the browser comes back."""
    said = {field.name: getattr(identity, field.name) for field in fields(identity)}
    return said | {name: said[name].isoformat() if said[name] else None for name in _INSTANTS}


def unpack(packed: Mapping[str, Any]) -> AssertedIdentity:
    """What `pack` was given."""
    instants = {name: packed.get(name) for name in _INSTANTS}
    values = {name: datetime.fromisoformat(at) if at else None for name, at in instants.items()}
    return AssertedIdentity(**{**packed, **values, "groups": tuple(packed["groups"])})


def request_hash(connection_id: str, request_id: str) -> bytes:
    """Under which a request that was sent is kept."""
    # Of both, so that no other connection's answer finds it.
    return digest(f"request:{connection_id}:{request_id}")


def ended_hash(connection_id: str, session_index: str) -> bytes:
    """Under which is kept that an OpenID provider has ended a session."""
    return digest(f"ended:{connection_id}:{session_index}")


def _proof_hash(answer: Answer) -> bytes:
    return digest(f"proof:{answer.identity.connection_id}:{answer.replay.key}")
