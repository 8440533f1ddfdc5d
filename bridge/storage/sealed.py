"""What is kept encrypted, for whoever encrypts it anew under another key.

A blob names its key in front (`bridge.storage.secret_box`), so those of older keys are found without opening any.
"""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Table, Text, and_, cast, func, or_, select, update

from bridge.storage.tables import PAST, authentications, connections, outbox, pending_requests, second_factors

#: Of mail that waits: all of it is looked at, and little waits.
_MOST_MAIL = 1_000
_MAIL = "outbox.body"


@dataclass(frozen=True, slots=True)
class Blob:
    """One encrypted value: which row of `place` it is in, and the purposes for one of which it was encrypted."""

    place: str
    key: tuple[Any, ...]
    value: bytes
    purposes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Sealed:
    table: Table
    key: tuple[Column[Any], ...]
    column: Column[Any]
    purposes: tuple[str, ...]


_past = PAST[connections].c
_HINTS = ("authentications.logout_hint_enc", "authentications.saml_name")
_COLUMNS = {
    f"{one.table.name}.{one.column.name}": one
    for one in (
        _Sealed(connections, (connections.c.id,), connections.c.secrets_enc, ("connections.secrets_enc",)),
        _Sealed(
            PAST[connections], (_past.id, _past.until, _past.ended_by), _past.secrets_enc, ("connections.secrets_enc",)
        ),
        _Sealed(second_factors, (second_factors.c.id,), second_factors.c.data_enc, ("second_factors.data_enc",)),
        _Sealed(authentications, (authentications.c.id,), authentications.c.logout_hint_enc, _HINTS),
    )
}


def _older(one: _Sealed, mark: bytes) -> Any:
    return and_(one.column.is_not(None), func.substr(one.column, 1, len(mark)) != mark)


def count_older(connection: Any, mark: bytes) -> int:
    """How many values don't begin with `mark`, and so were encrypted with another key than the one that it names."""
    counts = (select(func.count()).select_from(one.table).where(_older(one, mark)) for one in _COLUMNS.values())
    stored: int = sum(connection.execute(one).scalar_one() for one in counts)
    return stored + len(_older_mail(connection, mark))


def count_under_way(connection: Any, marks: Sequence[bytes], now: datetime) -> int:
    """How many logins and set-ups under way hold a value that begins with one of `marks`. They end by themselves within
    half an hour, and nobody encrypts them anew.
    """
    if not marks:
        return 0
    # A mark has nine bytes, so that its base64 stands by itself at the beginning of that of the whole.
    result = cast(pending_requests.c.result, Text)
    holds = or_(*(result.contains(b64encode(mark).decode(), autoescape=True) for mark in marks))
    counted = select(func.count()).select_from(pending_requests).where(pending_requests.c.expires_at > now, holds)
    found: int = connection.execute(counted).scalar_one()
    return found


def list_older(connection: Any, mark: bytes, limit: int, after: Sequence[Blob] = ()) -> list[Blob]:
    """The same values, at most `limit` of each place; `after` names some that are left out."""
    known = {(one.place, one.key) for one in after}
    found = _older_mail(connection, mark)
    for place, one in _COLUMNS.items():
        chosen = select(*one.key, one.column).where(_older(one, mark)).order_by(*one.key).limit(limit + len(known))
        found += [Blob(place, tuple(row[:-1]), row[-1], one.purposes) for row in connection.execute(chosen)]
    return [blob for blob in found if (blob.place, blob.key) not in known]


def replace_blob(connection: Any, blob: Blob, renewed: bytes) -> int:
    """Put another value in its place, if it is still there. Returns in how many rows it was."""
    if blob.place == _MAIL:
        return _replace_mail(connection, blob, renewed)
    one = _COLUMNS[blob.place]
    there = [column == value for column, value in zip(one.key, blob.key, strict=True)]
    changed = update(one.table).where(*there, one.column == blob.value).values({one.column.name: renewed})
    rows: int = connection.execute(changed).rowcount
    return rows


def _older_mail(connection: Any, mark: bytes) -> list[Blob]:
    waiting = select(outbox.c.id, outbox.c.body).where(outbox.c.given_up_at.is_(None)).limit(_MOST_MAIL)
    opened = ((key, b64decode(body["sealed"])) for key, body in connection.execute(waiting) if "sealed" in body)
    return [Blob(_MAIL, (key,), value, (_MAIL,)) for key, value in opened if not value.startswith(mark)]


def _replace_mail(connection: Any, blob: Blob, renewed: bytes) -> int:
    body = {"sealed": b64encode(renewed).decode()}
    waits = (outbox.c.id == blob.key[0], outbox.c.given_up_at.is_(None))
    rows: int = connection.execute(update(outbox).where(*waits).values(body=body)).rowcount
    return rows
