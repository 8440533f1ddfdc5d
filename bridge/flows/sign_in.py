"""Signing in through a connection, from the request to the session; the same for SAML and OpenID Connect.

- `begin`     a request is sent, and nothing of it kept but by the browser (`login_requests`); with the ticket of
  `try_connection` it is one for a test
- `complete`  the IdP's verified answer: consumed, remembered, its person found or made; the result waits under a
  one-time handle for a minute (an IdP's cross-site POST brings no cookie of ours)
- `resume` (in `resume_login`)   the browser fetches it: compared with the one that began, and only then a session is
  made; in the place of somebody else's, where the login began at the IdP, only when they say so
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bridge.domain.errors import DomainError
from bridge.domain.identity import AssertedIdentity, Replay
from bridge.domain.sign_in import UNKNOWN_CLIENT, Client, decide, keepable_groups, path_within
from bridge.domain.sign_in_refusals import NotFresh, Replayed, UnknownRequest
from bridge.domain.workspace import User
from bridge.flows.bearer_secrets import digest, new_secret
from bridge.flows.context import SYSTEM, Context
from bridge.flows.login_requests import (
    Keepsake,
    LoginRequest,
    Protocol,
    find_unanswered,
    name_of,
    name_request,
    new_keepsake,
    read_request,
    spend_request,
)
from bridge.flows.login_results import check_not_ended, pack
from bridge.flows.settle_login import (
    check_identity,
    find_person,
    may_join,
    note_invited_back,
    settle,
    tell_found,
    tell_groups,
)
from bridge.flows.sign_in_log import Asked, Trail
from bridge.flows.sso_door import Door, open_door
from bridge.flows.try_connection import TestOver, keep_test_passed, pretend_enabled, use_ticket, would_happen
from bridge.storage import pending
from bridge.storage.changes import Change
from bridge.storage.connections import was_off_since
from bridge.storage.pending import Pending

_HANDLE_LASTS = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Answer:
    """An IdP's verified answer: the identity, the request it answers (by its name; or, where that was taken already,
    itself; None: it came unasked), what may not come twice, when the person showed who they are (None: it doesn't say),
    and what the login went through. `unasked`: what a browser is given that brings an answer which nobody asked for.
    """

    identity: AssertedIdentity
    in_response_to: str | LoginRequest | None
    replay: Replay
    authenticated_at: datetime | None = None
    trail: Trail = field(default_factory=Trail, compare=False)
    unasked: Keepsake | None = None


def begin(
    context: Context,
    kind: Protocol,
    connection_id: str,
    keepsake: Keepsake,
    now: datetime,
    *,
    fresh: bool = False,
    test: str | None = None,
) -> str:
    """The name of a request that is to be sent for the browser that will keep `keepsake`. Several may be under way in
    one browser (two tabs).

    `fresh`: it demands that the person shows anew who they are; only an answer that says so will do. `test`: the ticket
    of a test, which is used up; the request is marked under our seal, for nothing of its answer could say so.

    Raises NotFound, ConnectionOff, TestTicketUsed.
    """
    if test is not None:
        with context.changing(f"connection:{connection_id}", now) as change:
            use_ticket(change, test, connection_id)
            open_door(change.connection, connection_id, for_test=True)
    else:
        with context.database.reading() as rows:
            open_door(rows, connection_id)
    return name_request(context, kind, connection_id, keepsake, now, fresh=fresh, test=test is not None)


def find_asked(context: Context, kind: Protocol, connection_id: str, request_id: str, now: datetime) -> Asked | None:
    """The request that an answer says it is for, before anything of it is proved: for the sign-in log alone."""
    found = find_unanswered(context, kind, connection_id, request_id, now)
    return Asked(found.asked_at, found.test, found.browser_hash) if found else None


def complete(context: Context, kind: Protocol, answer: Answer, now: datetime, client: Client = UNKNOWN_CLIENT) -> str:
    """Take an IdP's answer, once. Returns the handle under which its result waits for the browser.

    Raises NotFound, a SignInRefused, LastOwner. A refused answer is spent all the same. Of a test, everything but its
    line in the sign-in log is undone.
    """
    actor, passed = f"connection:{answer.identity.connection_id}", len(answer.trail.steps)

    def do(change: Change) -> str:
        answer.trail.forget_since(passed)
        return _complete(context, change, kind, answer)

    try:
        return context.change(actor, now, do)
    except DomainError:
        _spend(context, kind, answer, now)
        raise
    except TestOver as over:
        return _keep_test(context, kind, answer, over, client, now)


def _complete(context: Context, change: Change, kind: Protocol, answer: Answer) -> str:
    identity = check_identity(answer.identity)
    request = _request(context, kind, answer, change.now)
    test = request is not None and request.test
    door = open_door(change.connection, identity.connection_id, for_test=test)
    if request is not None and not _take_request(change, kind, door, answer, request):
        request = None
    if not pending.remember(change, _proof_hash(answer), answer.replay.until):
        raise Replayed
    if request is None:
        _check_unsolicited(door, answer)
    _check_fresh(door, request, answer)
    check_not_ended(change, door, identity)
    answer.trail.note("our_request", _told_request(request, change.now))
    if test:
        pretend_enabled(change, door)
    user, proved = _enter(change, door, identity, answer.trail)
    if request is not None and test:
        raise TestOver(door, would_happen(change, door, identity, user if proved else None, answer.trail), request)
    anew = request is not None and request.fresh
    result = {
        "identity": pack(identity),
        "proved": proved,
        "anew": anew,
        "unasked": request is None,
        "trail": answer.trail.pack(),
    }
    return _put_handle(change, door, request, answer.unasked, user, result)


def _put_handle(
    change: Change, door: Door, request: LoginRequest | None, unasked: Keepsake | None, user: User, result: Any
) -> str:
    """The result waits for the browser that began. Where that goes, only it knows; unasked, the IdP may have said."""
    unasked = unasked or new_keepsake("/")
    browser_hash = request.browser_hash if request else unasked.hash
    return_to = "" if request else path_within(unasked.return_to, door.workspace.slug)
    until, handle = change.now + _HANDLE_LASTS, f"{name_of(browser_hash)}.{new_secret()}"
    waiting = Pending("handle", door.connection.key, user.key, browser_hash, return_to, result, until)
    pending.put_pending(change, digest(handle), waiting)
    return handle


def _request(context: Context, kind: Protocol, answer: Answer, now: datetime) -> LoginRequest | None:
    """The request that is answered, None where there is none."""
    named = answer.in_response_to
    if named is None or isinstance(named, LoginRequest):
        return named
    return read_request(context, kind, answer.identity.connection_id, named, now)


def _take_request(change: Change, kind: Protocol, door: Door, answer: Answer, request: LoginRequest) -> bool:
    """Whether this is its first answer, and the connection was on all the while."""
    if isinstance(answer.in_response_to, str):
        return take_request(change, kind, door, answer.in_response_to, request)
    return True


def take_request(change: Change, kind: Protocol, door: Door, name: str, request: LoginRequest) -> bool:
    """The same of a request by its name: of two answers at once, one gets it. What was under way when the connection
    was switched off has ended with that.
    """
    first = spend_request(change, kind, door.connection.id, name, request)
    return first and (request.test or not was_off_since(change.connection, door.connection.key, request.asked_at))


def _check_unsolicited(door: Door, answer: Answer) -> None:
    """Whether the IdP may begin, and did."""
    if answer.in_response_to is not None or not door.unsolicited:
        raise UnknownRequest


def _check_fresh(door: Door, request: LoginRequest | None, answer: Answer) -> None:
    """ForceAuthn is a demand on the IdP: whether it was met is for us to see (SAML Core 3.4.1)."""
    if request is None or request.fresh_since is None:
        return
    since = request.fresh_since - door.clock_skew
    if answer.authenticated_at is None or answer.authenticated_at < since:
        raise NotFresh(door.connection.name)


def _told_request(request: LoginRequest | None, now: datetime) -> str:
    if request is None:
        return "It came unasked, which this connection allows, and was not used before."
    return f"Sent {round((now - request.asked_at).total_seconds())} s before, and answered for the first time."


def _keep_test(context: Context, kind: Protocol, answer: Answer, over: TestOver, client: Client, now: datetime) -> str:
    """A test went all the way and was undone: request and proof are used up all the same."""
    _spend(context, kind, answer, now)
    with context.changing(SYSTEM, now) as change:
        return keep_test_passed(change, over, client, answer.trail)


def _enter(change: Change, door: Door, identity: AssertedIdentity, trail: Trail) -> tuple[User, bool]:
    """The account that is meant, and whether it is theirs without more proof."""
    found = note_invited_back(change, door, identity, find_person(change, door, identity))
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
        request = _request(context, kind, answer, now)
        if request is not None and isinstance(answer.in_response_to, str):
            spend_request(change, kind, connection_id, answer.in_response_to, request)
        pending.remember(change, _proof_hash(answer), answer.replay.until)


def _proof_hash(answer: Answer) -> bytes:
    return digest(f"proof:{answer.identity.connection_id}:{answer.replay.key}")
