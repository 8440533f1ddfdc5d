"""Single logout by SAML, both ways (SAML Profiles 4.4).

- `end_by_request`   the IdP says that somebody signed out: what it vouched for here ends (`single_logout`)
- `find_names`       whom a session's IdPs know it as, asked before the session ends
- `keep_request`     an IdP is being told that a session ended here; which others are to be told after it
- `take_answer`      it answered, once; where others are to be told, a one-time handle for the browser
- `take_left`        the browser that signed out fetches it: who is next

Our own session ends first, always: whatever becomes of the messages, nobody stays signed in by them. An answer may come
by anybody's hand, and by a cross-site POST without our cookies; the names that the next IdP is told are given to the
browser that signed out alone, as a login's result is (`bridge.flows.sign_in`).
"""

from base64 import b64encode
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

import orjson

from bridge.domain.errors import NotFound
from bridge.domain.identity import Replay, Whose
from bridge.domain.sign_in_refusals import LogoutRepeated, Replayed, UnknownLogout
from bridge.flows.bearer_secrets import digest, new_secret
from bridge.flows.context import SYSTEM, Context
from bridge.flows.single_logout import Ended, end_by_idp
from bridge.storage import pending, sessions
from bridge.storage.connections import find_by_uid
from bridge.storage.pending import Pending
from bridge.storage.secret_box import CannotDecrypt
from saml.logout import LogoutRequest, SessionName, Status

#: How far single logout came: everybody was told and agreed, or somebody wasn't, didn't, or couldn't.
Outcome = Literal["done", "partial"]

_PURPOSE = "authentications.saml_name"
_ANSWER_LASTS = timedelta(minutes=10)
_HANDLE_LASTS = timedelta(seconds=60)
_REMEMBERED_FOR, _REMEMBERED_AT_MOST = timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Farewell:
    """One IdP to be told, and as whom it knows the session that ended."""

    connection_id: str
    name: SessionName


@dataclass(frozen=True, slots=True)
class Answered:
    """An IdP answered: how far it came until now. `handle`: others are to be told, and the browser fetches who."""

    outcome: Outcome
    handle: str | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """Who is still to be told, and how far it came until now."""

    farewells: tuple[Farewell, ...]
    outcome: Outcome


def seal_name(context: Context, name: SessionName) -> str:
    """A session's name at its IdP, qualifiers and all, to be kept with the authentication until its end."""
    return b64encode(context.secrets.encrypt(orjson.dumps(asdict(name)), purpose=_PURPOSE)).decode()


def end_by_request(context: Context, connection_id: str, request: LogoutRequest, now: datetime) -> int:
    """End this connection's authentications of the person that the IdP names, only the sessions it names where it
    names any. Returns of how many people; none isn't wrong, they may have gone before.

    Raises NotFound, LogoutRepeated.
    """
    whose = Whose(
        name_id=request.name_id,
        session_indexes=request.session_indexes,
        name_id_format=request.name_id_format,
        name_qualifier=request.name_qualifier,
    )
    ended = Ended(connection_id, Replay(request.id, request.until), whose, request.issued_at, _remembered(request))
    try:
        return end_by_idp(context, ended, now)
    except Replayed as error:
        raise LogoutRepeated from error


def _remembered(request: LogoutRequest) -> datetime:
    """For a day, which outlasts assertions; longer where the IdP says so, a week at most."""
    longest = request.issued_at + _REMEMBERED_AT_MOST
    return max(request.issued_at + _REMEMBERED_FOR, min(request.expires_at or request.issued_at, longest))


def find_names(context: Context, cookie: str, now: datetime) -> tuple[Farewell, ...]:
    """Whom a session's IdPs know it as, the last login first. Ask before the session ends."""
    with context.database.reading() as rows:
        stored = sessions.find_session(rows, digest(cookie), now)
        hints = sessions.find_logout_hints(rows, stored.key, "saml") if stored else []
    return tuple(Farewell(uid, name) for uid, sealed in hints if (name := _name(context, sealed)) is not None)


def _name(context: Context, sealed: bytes | None) -> SessionName | None:
    if sealed is None:
        return None
    try:
        return SessionName(**orjson.loads(context.secrets.decrypt(sealed, purpose=_PURPOSE)))
    except CannotDecrypt:  # keys were lost: our own session ends all the same
        return None


def keep_request(
    context: Context, connection_id: str, request_id: str, browser: str, left: Left, now: datetime
) -> None:
    """Keep that this IdP is being told by this browser, until it answers; `left` is for after it. Raises NotFound."""
    with context.changing(SYSTEM, now) as change:
        found = find_by_uid(change.connection, connection_id)
        if found is None:
            raise NotFound("There is no such connection.")
        told = {"left": [asdict(one) for one in left.farewells], "outcome": left.outcome}
        waiting = Pending("logout", found.key, None, digest(browser), "/", told, now + _ANSWER_LASTS)
        pending.put_pending(change, _hash(connection_id, request_id), waiting)


def take_answer(context: Context, connection_id: str, request_id: str, status: Status, now: datetime) -> Answered:
    """Take an IdP's answer to our request, once. Raises UnknownLogout."""
    with context.changing(SYSTEM, now) as change:
        waiting = pending.take_pending(change, _hash(connection_id, request_id), "logout")
        if waiting is None:
            raise UnknownLogout
        outcome: Outcome = "done" if status == "success" and waiting.result["outcome"] == "done" else "partial"
        if not waiting.result["left"]:
            return Answered(outcome)
        handle, until = new_secret(), now + _HANDLE_LASTS
        result = {**waiting.result, "outcome": outcome}
        kept = replace(waiting, result=result, expires_at=until)
        pending.put_pending(change, _handle_hash(connection_id, handle), kept)
        return Answered(outcome, handle)


def take_left(context: Context, connection_id: str, handle: str, browser: str, now: datetime) -> Left:
    """What a handle of `take_answer` leads to, once, for the browser that signed out. Raises UnknownLogout."""
    with context.changing(SYSTEM, now) as change:
        waiting = pending.take_pending(change, _handle_hash(connection_id, handle), "logout")
    if waiting is None or waiting.browser_hash != digest(browser):
        raise UnknownLogout
    left = (Farewell(one["connection_id"], SessionName(**one["name"])) for one in waiting.result["left"])
    return Left(tuple(left), waiting.result["outcome"])


def _hash(connection_id: str, request_id: str) -> bytes:
    # Of both, so that no other connection's answer finds it.
    return digest(f"logout:{connection_id}:{request_id}")


def _handle_hash(connection_id: str, handle: str) -> bytes:
    return digest(f"farewell:{connection_id}:{handle}")
