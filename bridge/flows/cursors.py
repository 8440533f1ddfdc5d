"""Cursors of walks through a directory (RFC 9865): a place in an ordered listing, sealed, so that nothing is kept here.

Sealed under the operator's keys and bound to its connection and query: what was changed, made up, or belongs to another
connection or query doesn't open, and all of these are told alike (RFC 9865 5.2).
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from bridge.domain.workspace import Connection
from bridge.flows.context import Context
from bridge.storage.directory_order import Place
from bridge.storage.secret_box import CannotDecrypt
from scim.errors import ExpiredCursor, InvalidCount, InvalidCursor, TooMany

#: How long a cursor may be waited with.
LIFETIME = timedelta(hours=1)

#: Characters of a cursor, so that it fits into an address: enough for any user name to go on from.
LONGEST = 8_000


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page begins: in which of the parts of a search, after (or, backwards, before) which place in it.

    Without a place at the part's beginning, or backwards at its end. `total` is what the first page counted.
    """

    part: int = 0
    place: Place | None = None
    backwards: bool = False
    total: int = 0


def seal_cursor(
    context: Context, connection: Connection, query: str, count: int, position: Position, now: datetime
) -> str:
    """The cursor of that position in that query: characters that are unreserved in URLs (RFC 3986 2.3) only.

    Raises TooMany where the value to go on from is too long.
    """
    place = position.place and [position.place.key, _plain(position.place.value)]
    said = [int(now.timestamp()), count, position.part, place, position.backwards, position.total]
    sealed = context.secrets.encrypt(orjson.dumps(said), _purpose(connection, query))
    cursor = base64.urlsafe_b64encode(sealed).decode().rstrip("=")
    if len(cursor) > LONGEST:
        raise TooMany("A value to sort by is too long to go on from: sort by another attribute, or page by startIndex.")
    return cursor


def open_cursor(
    context: Context, connection: Connection, query: str, count: int, cursor: str, now: datetime
) -> Position:
    """The position in a cursor of `seal_cursor`. Raises InvalidCursor, ExpiredCursor, InvalidCount."""
    try:
        said = orjson.loads(context.secrets.decrypt(_bytes_of(cursor), _purpose(connection, query)))
    except (CannotDecrypt, ValueError) as error:
        raise InvalidCursor("This is no cursor of this query: begin again with an empty one.") from error
    made_at, of_count, part, place, backwards, total = said
    if now - datetime.fromtimestamp(made_at, UTC) > LIFETIME:
        raise ExpiredCursor(f"A cursor is good for {LIFETIME // timedelta(minutes=1)} minutes: begin again.")
    if count != of_count:
        raise InvalidCount(f"The first page of this walk had a count of {of_count}: it stays the same.")
    return Position(part, place and Place(place[0], _value_of(place[1])), backwards, total)


def _purpose(connection: Connection, query: str) -> str:
    return f"scim.cursor:{connection.id}:{hashlib.sha256(query.encode()).hexdigest()}"


def _bytes_of(cursor: str) -> bytes:
    if len(cursor) > LONGEST or not cursor.isascii():
        raise binascii.Error
    return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)


def _plain(value: Any) -> Any:
    """A value as JSON knows it; a moment in a list, which no value to sort by is."""
    return [value.isoformat()] if isinstance(value, datetime) else value


def _value_of(plain: Any) -> Any:
    return datetime.fromisoformat(plain[0]) if isinstance(plain, list) else plain
