"""What of a request or an answer may be kept in a log: secrets blacked out, long things cut, each place marked.

A secret is whatever an attribute with `returned: never` holds (RFC 7643 7), and whatever stands under a name that
speaks of passwords, tokens or keys, also in attributes that we don't know. What can't be read as JSON can't be blacked
out either, so of that only the length is kept.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, quote

import orjson

from scim.schemas import GROUP, USER, Attribute

BLACKED_OUT = "[blacked out]"
LONGEST_BODY = 100_000
"""Bytes of a body that is looked into; of a longer one only the length is kept."""

_MOST_ITEMS = 20
_LONGEST_TEXT = 1_000
_LONGEST_PATH = 2_000
_MOST_VALUES = 2_000
_DEEPEST = 32
_SHORTEST_SECRET = 4
_REMEMBERED_LENGTH = 100
_SPEAKS_OF_SECRETS = re.compile(
    r"passw|passphrase|secret|token|credential|authorization|apikey|privatekey|accesskey|bearer"
)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"?')


@dataclass(frozen=True, slots=True)
class Redacted:
    """What may be kept. `secrets` are the texts that were blacked out, to be looked for where they are echoed."""

    value: Any
    secrets: frozenset[str] = field(default=frozenset(), repr=False)


def redact_body(body: bytes, also: frozenset[str] = frozenset()) -> Redacted:
    """The body as JSON without its secrets and without those of `also`, cut where it is long; None for an empty one."""
    if not body.strip():
        return Redacted(None)
    if len(body) > LONGEST_BODY:
        return Redacted(f"{len(body):,} bytes, too long to keep")
    try:
        decoded = orjson.loads(body)
    except orjson.JSONDecodeError:
        return Redacted(f"{len(body):,} bytes that are not JSON, not kept")
    if not also and _may_be_kept(body, decoded):
        return Redacted(decoded)
    redaction = _Redaction(also)
    return Redacted(redaction.of(decoded, 0), frozenset(redaction.secrets))


def redact_text(text: str, secrets: frozenset[str]) -> str:
    """A text without those secrets."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, BLACKED_OUT)
    return text


def redact_query(query: str) -> str:
    """The query of an address, decoded, without secrets: whole values of secret names, quoted ones of such filters."""
    pairs = parse_qsl(query, keep_blank_values=True, errors="replace")
    shown = ((_clean(name), _clean(_redact_parameter(name, value))) for name, value in pairs)
    return "&".join(f"{name}={value}" if value else name for name, value in shown)


def _redact_parameter(name: str, value: str) -> str:
    return BLACKED_OUT if is_secret(name) else _redact_filter(value)


def _redact_filter(text: str) -> str:
    return _QUOTED.sub(f'"{BLACKED_OUT}"', text) if is_secret(_QUOTED.sub("", text)) else text


def _clean(text: str) -> str:
    """Whatever could end a line or break the query apart, written as in an address."""
    if text.isprintable() and "&" not in text and "#" not in text:
        return text
    return "".join(letter if letter.isprintable() and letter not in "&#" else quote(letter) for letter in text)


def redact_address(path: str, query: bytes) -> str:
    """An address as it may be kept, cut where it is long."""
    asked = redact_query(query.decode(errors="replace")) if query else ""
    whole = f"{_clean(path)}?{asked}" if asked else _clean(path)
    return whole if len(whole) <= _LONGEST_PATH else f"{whole[:_LONGEST_PATH]}…"


def is_secret(name: str) -> bool:
    """Whether a value under that name, or path, is never shown."""
    return (_is_secret_once if len(name) <= _REMEMBERED_LENGTH else _is_secret)(name)


def _is_secret(name: str) -> bool:
    plain = re.sub(r"[^a-z]", "", name.lower())
    return bool(_SPEAKS_OF_SECRETS.search(plain)) or name.rpartition(":")[2].rpartition(".")[2].lower() in _NEVER


# The same few names come with each call; long ones are nobody's, and not remembered.
_is_secret_once = lru_cache(maxsize=1_024)(_is_secret)


def _never_returned(attributes: Iterable[Attribute]) -> Iterator[str]:
    for attribute in attributes:
        if attribute.returned == "never":
            yield attribute.name.lower()
        yield from _never_returned(attribute.sub_attributes)


_SCHEMAS = [schema for kind in (USER, GROUP) for schema in (kind.schema, *kind.extensions)]
_NEVER = frozenset(name for schema in _SCHEMAS for name in _never_returned(schema.attributes))

_HOLDING = (dict, list)
_NO_SMALL_LETTERS = bytes(each for each in range(256) if not ord("a") <= each <= ord("z"))
_HINTS = re.compile("|".join((_SPEAKS_OF_SECRETS.pattern, *(re.sub("[^a-z]", "", name) for name in _NEVER))).encode())
_QUOTED_INSIDE = re.compile(rb'\\"[^"\\]*(?:\\")?')


def _hints(body: bytes) -> bool:
    return _HINTS.search(body.lower().translate(None, _NO_SMALL_LETTERS)) is not None


def _may_be_kept(body: bytes, decoded: Any) -> bool:
    """Whether a body is short and no name in it can speak of a secret, since the whole of it doesn't: then the walk
    would leave it as it is. That is so of most, and asked in a third of the time.
    """
    return (
        len(body) <= _LONGEST_TEXT
        and body.isascii()
        and body.count(b"\\") == body.count(b'\\"')
        and body.count(b"{") + body.count(b"[") <= _DEEPEST
        and not _hints(body)
        and not (b"\\" in body and _hints(_QUOTED_INSIDE.sub(b"", body)))  # as the walk looks at paths and filters
        and not (body.count(b",") >= _MOST_ITEMS and _holds_long_list(decoded))
    )


def _holds_long_list(value: Any) -> bool:
    left = [value] if isinstance(value, _HOLDING) else []
    while left:  # not by calling itself: of the time that a read's line in the log takes, that was a half
        each = left.pop()
        if isinstance(each, list) and len(each) > _MOST_ITEMS:
            return True
        left += [inner for inner in (each if isinstance(each, list) else each.values()) if isinstance(inner, _HOLDING)]
    return False


class _Redaction:
    """One walk through a value: what was blacked out on the way, and how much may still be kept."""

    def __init__(self, known: frozenset[str]) -> None:
        self.known, self.secrets, self.left = known, set[str](), _MOST_VALUES

    def of(self, value: Any, depth: int) -> Any:
        """The value as it may be kept."""
        self.left -= 1
        if self.left < 0 or depth > _DEEPEST:
            return "…"
        if isinstance(value, dict):
            return self._object(value, depth)
        if isinstance(value, list):
            return self._list(value, depth)
        return self._text(value) if isinstance(value, str) else value

    def _object(self, value: Mapping[str, Any], depth: int) -> dict[str, Any]:
        # An operation of a PATCH says in its path what its value is (RFC 7644 3.5.2).
        path = next((each for key, each in value.items() if key.lower() == "path" and isinstance(each, str)), "")
        hidden = is_secret(_QUOTED.sub("", path))
        kept: dict[str, Any] = {}
        for key, each in list(value.items())[:_MOST_VALUES]:
            if is_secret(key) or (hidden and key.lower() == "value"):
                self._remember(each)
                kept[self._text(key)] = BLACKED_OUT
            elif key.lower() in ("path", "filter") and isinstance(each, str):
                kept[key] = self._text(_redact_filter(each))
            else:
                kept[self._text(key)] = self.of(each, depth + 1)
        return kept

    def _list(self, value: list[Any], depth: int) -> list[Any]:
        kept = [self.of(each, depth + 1) for each in value[:_MOST_ITEMS]]
        return [*kept, f"… {len(value) - _MOST_ITEMS:,} more"] if len(value) > _MOST_ITEMS else kept

    def _text(self, value: str) -> str:
        shown = redact_text(value, self.known) if self.known else value
        return shown if len(shown) <= _LONGEST_TEXT else f"{shown[:_LONGEST_TEXT]}… {len(shown):,} characters"

    def _remember(self, value: Any) -> None:
        if isinstance(value, str) and len(value) >= _SHORTEST_SECRET:
            self.secrets.add(value)
        elif isinstance(value, list | dict):
            inner = value if isinstance(value, list) else list(value.values())
            for each in inner[:_MOST_ITEMS]:
                self._remember(each)
