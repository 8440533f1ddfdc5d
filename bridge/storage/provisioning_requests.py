"""The request log: one row a SCIM call (product.md 4.6), read newest first.

Rows are found by (connection, moment, cause), so that the index of the table serves every question, and no number of
ours is shown.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    delete,
    insert,
    literal,
    literal_column,
    or_,
    select,
    union_all,
    update,
)

from bridge.domain.people import fold
from bridge.domain.request_log import Outcome
from bridge.storage.columns import Instant
from bridge.storage.prepared import Prepared
from bridge.storage.tables import connections, provisioning_requests

_COLUMNS = provisioning_requests.c
_NAMES = (
    "connection_id", "at", "method", "path", "status", "outcome", "sentence", "about_ci", "cause", "request", "answer"
)  # fmt: skip
_INSERT = Prepared(insert(provisioning_requests), _NAMES)


@dataclass(frozen=True, slots=True)
class NewRequest:
    """A call to be logged. `request` and `answer` hold no secret any more."""

    connection_key: int
    at: datetime
    method: str
    path: str
    status: int
    outcome: Outcome
    sentence: str
    about: str
    cause: int
    request: Any = None
    answer: Any = None

    def row(self) -> dict[str, Any]:
        """As the table has it."""
        return {
            "connection_id": self.connection_key,
            "at": self.at,
            "method": self.method,
            "path": _plain(self.path),
            "status": self.status,
            "outcome": self.outcome,
            "sentence": _plain(self.sentence),
            "about_ci": _plain(self.about),
            "cause": self.cause,
            "request": self.request,
            "answer": self.answer,
        }


def _plain(text: str) -> str:
    """PostgreSQL's text holds no NUL; what was refused may."""
    return text.replace("\0", "")


@dataclass(frozen=True, slots=True)
class RequestAnswered:
    """What is known of a logged call only after its change is on disk."""

    connection_key: int
    at: datetime
    cause: int
    status: int
    answer: Any


class Place(NamedTuple):
    """Where a call stands in the log."""

    at: datetime
    cause: int


def insert_requests(connection: Any, requests: Sequence[NewRequest]) -> None:
    """Log calls; of connections that are gone meanwhile, none."""
    if len(requests) == 1:
        _INSERT.run(connection, **requests[0].row())
    else:
        _INSERT.many(connection, [request.row() for request in requests])


def standing_connections(connection: Any, keys: Collection[int]) -> set[int]:
    """Which of these connections are there; they stay until the transaction ends."""
    chosen = (
        select(connections.c.id).where(connections.c.id.in_(sorted(keys))).with_for_update(read=True, key_share=True)
    )
    return set(connection.execute(chosen).scalars())


_ANSWER = Prepared(
    update(provisioning_requests)
    .where(_COLUMNS.connection_id == bindparam("of"), _COLUMNS.at == bindparam("moment", type_=Instant))
    .where(_COLUMNS.cause == bindparam("by")),
    ("status", "answer"),
)


def add_answers(connection: Any, answers: Sequence[RequestAnswered]) -> None:
    """Write beside logged calls what they were answered."""
    rows = [
        {"of": one.connection_key, "moment": one.at, "by": one.cause, "status": one.status, "answer": one.answer}
        for one in answers
    ]
    _ANSWER.many(connection, rows)


# -- Reading -----------------------------------------------------------------------------------------

_SHOWN = (
    _COLUMNS.connection_id,
    _COLUMNS.at,
    _COLUMNS.cause,
    _COLUMNS.method,
    _COLUMNS.path,
    _COLUMNS.status,
    _COLUMNS.outcome,
    _COLUMNS.sentence,
)


def list_requests(
    connection: Any,
    connection_keys: Sequence[int],
    *,
    outcomes: Sequence[Outcome] = (),
    about: str = "",
    before: Place | None = None,
    limit: int,
) -> list[Any]:
    """The newest calls of these connections, older than `before`: rows of all columns but the bodies."""
    where: list[Any] = [_one_of(outcomes)] if outcomes else []
    where += [_COLUMNS.about_ci.contains(fold(about), autoescape=True)] if about else []
    if before is not None:
        same = and_(_COLUMNS.at == before.at, _COLUMNS.cause < before.cause)
        where += [_COLUMNS.at <= before.at, or_(_COLUMNS.at < before.at, same)]
    each = [_newest(key, where, limit) for key in connection_keys]
    if not each:
        return []
    every = union_all(*(select(one.subquery()) for one in each)).subquery()
    chosen = select(every).order_by(every.c.at.desc(), every.c.cause.desc()).limit(limit)
    return list(connection.execute(chosen))


def _one_of(outcomes: Sequence[Outcome]) -> ColumnElement[bool]:
    """Written out, not bound: only so a database sees that the index of refusals will do."""
    return or_(*(_COLUMNS.outcome == literal_column(f"'{outcome}'") for outcome in outcomes))


def _newest(connection_key: int, where: Sequence[Any], limit: int) -> Any:
    """Of one connection at a time, so that its index is walked from the end and no further than needed."""
    chosen = select(*_SHOWN).where(_COLUMNS.connection_id == connection_key, *where)
    return chosen.order_by(_COLUMNS.at.desc(), _COLUMNS.cause.desc()).limit(limit)


def find_request(connection: Any, connection_keys: Collection[int], place: Place) -> Any:
    """One call with its bodies, or None."""
    chosen = select(*_SHOWN, _COLUMNS.request, _COLUMNS.answer).where(
        _COLUMNS.connection_id.in_(sorted(connection_keys)), _COLUMNS.at == place.at, _COLUMNS.cause == place.cause
    )
    return connection.execute(chosen).first()


def delete_old_requests(connection: Any, before: datetime, limit: int) -> int:
    """Forget at most `limit` calls from before that moment. Returns how many."""
    gone = 0
    for key in list(connection.execute(select(connections.c.id)).scalars()):
        gone += delete_requests(connection, key, limit - gone, _COLUMNS.at < literal(before, Instant))
        if gone >= limit:
            break
    return gone


def delete_requests(connection: Any, connection_key: int, limit: int, *where: ColumnElement[bool]) -> int:
    """Forget the oldest calls of a connection, at most `limit`, of those that `where` names. Returns how many."""
    chosen = select(_COLUMNS.id).where(_COLUMNS.connection_id == connection_key, *where)
    some = chosen.order_by(_COLUMNS.at).limit(limit)
    gone: int = connection.execute(delete(provisioning_requests).where(_COLUMNS.id.in_(some))).rowcount
    return gone
