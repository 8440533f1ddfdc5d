"""Calls of IdPs go into the request log of SCIM (product.md 4.6): each call, its answer, and what it did.

A change's line is written in its own transaction, a refusal's in one of its own; calls that changed nothing wait in
the context's buffer, with what changes were answered, until `flush` writes them, about once a second.
"""

import logging
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import orjson

from bridge.domain.people import fold
from bridge.domain.request_log import (
    Asked,
    Event,
    Outcome,
    about_change,
    take_apart,
    tell_bulk,
    tell_change,
    tell_read,
    tell_refusal,
    tell_unchanged,
)
from bridge.domain.workspace import Connection
from bridge.flows.context import SYSTEM, Context
from bridge.flows.request_buffer import Waiting
from bridge.flows.tell_effects import effects_of
from bridge.storage import effects
from bridge.storage import provisioning_requests as stored
from bridge.storage.changes import Change
from bridge.storage.columns import MICROSECOND
from bridge.storage.counters import count_many, find_count
from bridge.storage.provisioning_requests import NewRequest, Place, RequestAnswered
from scim.redaction import LONGEST_BODY, Redacted, redact_body, redact_text

#: Of what was only read, so much is kept to be looked at; the rest is in the directory.
LONGEST_READ = 4_096
#: Of a longer answer, the beginning, in which a list says how many there are.
HEAD = 512
STRANGERS = "scim.unknown_token"
STRANGERS_WINDOW = timedelta(hours=1)

_OURS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TOTAL = re.compile(rb'"totalResults":(\d+)')
_SHOWN = re.compile(rb'"itemsPerPage":(\d+)')
_NAMES = ("displayName", "userName")

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Call:
    """One SCIM call under way. `path` is without secrets; `body` reads what was sent, `places` are its lines so far."""

    connection: Connection
    at: datetime
    method: str
    path: str
    body: Callable[[], bytes]
    places: list[Place] = field(default_factory=list)

    @property
    def who(self) -> str:
        """The IdP, as sentences name it."""
        return self.connection.name

    @property
    def is_bulk(self) -> bool:
        """Whether it is many operations in one: each that changes something has its line, and so has the whole."""
        return "bulk" in self.path.lower() and take_apart(self.method, self.path).collection == "bulk"


def watch(context: Context, call: Call) -> Context:
    """The context for the flows of one call: what they change is logged in the same transaction, and all that they
    search takes its time from one limit."""
    return replace(context, witness=lambda change: _log_change(call, change), search_limit=context.limit_of_search())


def _log_change(call: Call, change: Change) -> None:
    if not change.events:
        return
    events = [Event(event.type, event.before or {}, event.after or {}) for event in change.events]
    # Several changes of one call, as of a Bulk, stand in their order.
    place = Place(call.at + len(call.places) * MICROSECOND, change.cause)
    line = NewRequest(
        connection_key=call.connection.key,
        at=place.at,
        method=call.method,
        path=call.path,
        status=_usual_status(events),
        outcome="changed",
        sentence=tell_change(call.who, events, effects_of(change)),
        about=about_change(events),
        cause=change.cause,
        request=None if call.is_bulk else redact_body(call.body()).value,
    )
    stored.insert_requests(change.connection, [line])
    call.places.append(place)


def _usual_status(events: list[Event]) -> int:
    """What such a change is answered, unless the answer says otherwise a moment later."""
    kinds = {event.type for event in events}
    if kinds & {"directory_user.created", "idp_group.created"}:
        return 201
    return 200 if any(kind.startswith("directory_user.") and not kind.endswith("deleted") for kind in kinds) else 204


def log_answer(context: Context, call: Call, status: int, answer: bytes, now: datetime) -> None:
    """The call is answered. A refusal is on disk when this returns; a fault of the log is nobody else's."""
    try:
        if status >= 400:
            _log_refusal(context, call, status, answer)
        elif call.is_bulk:
            _log_bulk(context, call, status, answer)
        elif _put(context, call, status, answer):
            flush(context, now)
    except Exception:
        log.exception("a SCIM call can't be logged")


def _put(context: Context, call: Call, status: int, answer: bytes) -> bool:
    place = call.places[-1] if call.places else None
    # What waits is in memory: 5,000 answers with all members of a big group would be too much of it.
    kept = answer if len(answer) <= (LONGEST_READ if place is None else LONGEST_BODY) else answer[:HEAD]
    sent = b"" if place is not None else call.body()
    line = Waiting(
        call.connection,
        place.at if place else call.at,
        call.method,
        call.path,
        status,
        sent if len(sent) <= LONGEST_BODY else b"",
        kept,
        len(answer),
        place.cause if place else None,
    )
    return context.request_buffer.put(line)


def _log_refusal(context: Context, call: Call, status: int, answer: bytes) -> None:
    request = redact_body(call.body())
    said = redact_body(answer, request.secrets).value
    with context.changing(SYSTEM, call.at) as change:
        if not stored.standing_connections(change.connection, [call.connection.key]):
            return
        said_name = _name_in(request.value)
        name = _name_tried(change.connection, call, said_name)
        asked = take_apart(call.method, call.path, name)
        detail = said.get("detail") if isinstance(said, dict) else None
        reason = redact_text(str(detail or f"status {status}"), request.secrets)
        line = NewRequest(
            connection_key=call.connection.key,
            at=call.at,
            method=call.method,
            path=call.path,
            status=status,
            outcome="refused",
            sentence=tell_refusal(call.who, asked, reason),
            about=_about(name, said_name, call.path),
            cause=_own_cause(),
            request=request.value,
            answer=said,
        )
        stored.insert_requests(change.connection, [line])


def _name_tried(connection: Any, call: Call, said_name: str) -> str:
    """Whom a call was about: who is to be added is named in the body alone; any other body may name somebody else."""
    if not take_apart(call.method, call.path).thing:
        return said_name
    return _find_name(connection, call.connection, call.method, call.path)


def _log_bulk(context: Context, call: Call, status: int, answer: bytes) -> None:
    """The whole of a Bulk, after the lines of its operations."""
    request = redact_body(call.body())
    operations = orjson.loads(answer)["Operations"]
    refused = [one["response"] for one in operations if int(one["status"]) >= 400]
    reasons = [redact_text(str(one.get("detail") or one["status"]), request.secrets) for one in refused]
    done = len(operations) - len(refused)
    with context.changing(SYSTEM, call.at) as change:
        if not stored.standing_connections(change.connection, [call.connection.key]):
            return
        line = NewRequest(
            connection_key=call.connection.key,
            at=call.at + len(call.places) * MICROSECOND,
            method=call.method,
            path=call.path,
            status=status,
            outcome="refused" if refused else "changed" if call.places else "unchanged",
            sentence=tell_bulk(call.who, done, reasons),
            about=_about(call.path),
            cause=_own_cause(),
            request=request.value,
            answer=redact_body(answer, request.secrets).value,
        )
        stored.insert_requests(change.connection, [line])


def flush(context: Context, now: datetime) -> int:
    """Write what waits. Returns how many lines. Where that fails they wait again, and the next turn tries."""
    lines, strangers = context.request_buffer.take()
    if not lines and not strangers:
        return 0
    try:
        # Told first, since on SQLite the transaction keeps every other writer waiting.
        with context.database.reading() as rows:
            told = [_told(rows, line) for line in lines if line.cause is None]
        answered = [_answered(line, line.cause) for line in lines if line.cause is not None]
        with context.changing(SYSTEM, now) as change:
            _write(change, told, answered)
            if strangers:
                count_many(change.connection, STRANGERS, strangers, now, STRANGERS_WINDOW)
    except Exception:
        context.request_buffer.give_back(lines, strangers)
        raise
    return len(lines)


def _write(change: Change, told: list[NewRequest], answered: list[RequestAnswered]) -> None:
    keys = {line.connection_key for line in told}
    there = stored.standing_connections(change.connection, keys) if keys else set()
    stored.insert_requests(change.connection, [line for line in told if line.connection_key in there])
    stored.add_answers(change.connection, answered)


def _answered(line: Waiting, cause: int) -> RequestAnswered:
    return RequestAnswered(line.connection.key, line.at, cause, line.status, _kept_answer(line).value)


def _told(rows: Any, line: Waiting) -> NewRequest:
    request, answer = redact_body(line.request), _kept_answer(line)
    name = _name_in(answer.value) or _find_name(rows, line.connection, line.method, line.path)
    asked = take_apart(line.method, line.path, name)
    outcome, sentence = _told_of(line, asked)
    return NewRequest(
        connection_key=line.connection.key,
        at=line.at,
        method=line.method,
        path=line.path,
        status=line.status,
        outcome=outcome,
        sentence=sentence,
        about=_about(name, line.path, *_names_in_list(answer.value)),
        cause=_own_cause(),
        request=request.value,
        answer=answer.value,
    )


def _told_of(line: Waiting, asked: Asked) -> tuple[Outcome, str]:
    who = line.connection.name
    if not asked.reads:
        return "unchanged", tell_unchanged(who, asked)
    total, shown = _TOTAL.search(line.answer), _SHOWN.search(line.answer)
    return "read", tell_read(who, asked, int(total[1]) if total else None, int(shown[1]) if shown else None)


def _kept_answer(line: Waiting) -> Redacted:
    if line.answer_length > len(line.answer):
        of = " of what was only read" if line.cause is None else ""
        return Redacted(f"{line.answer_length:,} bytes, too long to keep{of}")
    return redact_body(line.answer)


def _name_in(body: Any) -> str:
    """What a resource calls itself."""
    said = body if isinstance(body, dict) else {}
    return next((said[name] for name in _NAMES if isinstance(said.get(name), str) and said[name]), "")


def _names_in_list(body: Any) -> list[str]:
    resources = body.get("Resources") if isinstance(body, dict) else None
    return [_name_in(one) for one in resources] if isinstance(resources, list) else []


def _find_name(connection: Any, of: Connection, method: str, path: str) -> str:
    """The name of the person or IdP group whose id the address holds."""
    asked = take_apart(method, path)
    find = {"users": effects.find_person_name, "groups": effects.find_group_name}.get(asked.collection)
    return (find(connection, of.key, asked.thing) or "") if find and _OURS.fullmatch(asked.thing) else ""


def _about(*words: str) -> str:
    return fold(" ".join(dict.fromkeys(word for word in words if word)))


def _own_cause() -> int:
    return secrets.randbits(62)


# -- Strangers ---------------------------------------------------------------------------------------


def count_unknown_token(context: Context) -> None:
    """A call came with a token that nobody has: it belongs to no workspace, and is only counted."""
    context.request_buffer.count_stranger()


def unknown_tokens(context: Context, now: datetime) -> int:
    """How many calls came with such a token in the hour under way, counted from the first of them."""
    with context.database.reading() as connection:
        found = find_count(connection, STRANGERS)
    return found[0] if found and now - found[1] < STRANGERS_WINDOW else 0
