"""JSON from others: one object, read strictly (RFC 8259, RFC 7515 4: no duplicate names), in bounded time and
memory.

Two readers that make two things of one text are how tokens are forged. So what readers differ about is refused:
duplicate members, NaN and Infinity, bytes that aren't UTF-8, a byte order mark, lone surrogates. So is NUL, which
no database takes, and a number that no claim needs.
"""

import json
import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

DEEPEST = 16
MOST_CONTAINERS = 2_000
_LONGEST_NUMBER = 20

Members = Mapping[str, Any]


class NotJson(ValueError):
    """Not one object of JSON, read strictly."""


class TooMuch(ValueError):
    """Over a limit of size, depth or number."""


def parse_object(octets: bytes, *, most_bytes: int) -> Members:
    """The one JSON object in `octets`, at most `most_bytes` of them. Raises `NotJson` or `TooMuch`."""
    if len(octets) > most_bytes or octets.count(b"{") + octets.count(b"[") > MOST_CONTAINERS:
        raise TooMuch
    try:
        found = json.loads(
            octets.decode("utf-8"),
            object_pairs_hook=_members,
            parse_constant=_refuse,
            parse_int=_integer,
            parse_float=_decimal,
        )
    except RecursionError:
        raise TooMuch from None
    except ValueError as error:  # of the decoder, of JSON, of the hooks
        raise NotJson from error
    if not isinstance(found, dict):
        raise NotJson
    if not all(_is_sound(text) for text in _texts(found, 1)):
        raise NotJson
    return MappingProxyType(found)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotJson
    return members


def _refuse(constant: str) -> float:
    raise NotJson(constant)


def _integer(written: str) -> int:
    if len(written) > _LONGEST_NUMBER:
        raise NotJson
    return int(written)


def _decimal(written: str) -> float:
    number = float(written)
    if not math.isfinite(number):
        raise NotJson
    return number


def _texts(value: object, depth: int) -> Iterator[str]:
    """Every text in `value`, names of members too. Raises `TooMuch`."""
    if depth > DEEPEST:
        raise TooMuch
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        for member in value.values():
            yield from _texts(member, depth + 1)
    elif isinstance(value, list):
        for element in value:
            yield from _texts(element, depth + 1)


def _is_sound(text: str) -> bool:
    """No NUL, no lone surrogate."""
    return "\x00" not in text and (text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text))
