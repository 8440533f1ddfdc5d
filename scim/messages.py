"""What goes over the wire around the resources: bodies in, lists out, queries and paging (RFC 7644 3.1, 3.4)."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from scim.errors import (
    InvalidCount,
    InvalidCursor,
    InvalidPath,
    InvalidSyntax,
    InvalidValue,
    PayloadTooLarge,
    UnsupportedMediaType,
)
from scim.schemas import AttributePath, ResourceType
from scim.sorting import Order

MEDIA_TYPE = "application/scim+json"
ACCEPTED_MEDIA_TYPES = frozenset({MEDIA_TYPE, "application/json"})

LIST_RESPONSE_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
SEARCH_REQUEST_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
PATCH_OP_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

MAX_DEPTH = 32
"""How deep a body may nest. A SCIM resource nests four deep; the rest is room for unknown attributes."""

MAX_COMMAS, MAX_CONTAINERS = 250_000, 110_000
"""How much a body may hold: 10 MB of `[],[],[]` would be 200 MB of Python's lists. 100,000 members are well below."""

DEFAULT_COUNT = 100
MAX_COUNT = 1_000
MAX_START_INDEX = 2**53
"""Past any real directory, and small enough for every database's offset."""

MAX_NAMES, MAX_NAME_LENGTH = 200, 250
"""How many attributes may be asked for or excluded, and how long their names may be; more than there are."""

_ONE_VALUE = frozenset({"filter", "sortby", "sortorder", "startindex", "count", "cursor"})
_LISTS = frozenset({"attributes", "excludedattributes"})

_INTEGER = re.compile(r"[+-]?[0-9]{1,400}")
"""Longer than any number that is meant, and short enough for Python to read."""


def check_media_type(content_type: str | None) -> None:
    """Refuse a body that is declared as anything but JSON.

    None and "" are taken as SCIM. Parameters such as charset are ignored: JSON is UTF-8 (RFC 7644 8.1). Okta,
    OneLogin and Google send application/json.
    """
    declared = (content_type or MEDIA_TYPE).partition(";")[0].strip().lower()
    if declared not in ACCEPTED_MEDIA_TYPES:
        raise UnsupportedMediaType(f"Send {MEDIA_TYPE} or application/json, not {declared[:100]}.")


def parse_body(body: bytes) -> dict[str, Any]:
    """The JSON object in a request body, at most MAX_DEPTH deep. Raises InvalidSyntax, PayloadTooLarge.

    A key given twice keeps its last value. Numbers out of range, NaN and lone surrogates are not JSON here.
    """
    # Counted before anything is made of it; those inside of texts count too, which nobody's texts come near.
    if body.count(b",") > MAX_COMMAS or body.count(b"{") + body.count(b"[") > MAX_CONTAINERS:
        raise PayloadTooLarge("The body holds more values than this server takes in one request.")
    return parse_object(body)


def parse_object(body: bytes) -> dict[str, Any]:
    """The same of whatever size: for what doesn't come over the network. Raises InvalidSyntax."""
    try:
        decoded = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidSyntax(f"The body is not valid JSON: {error}.") from error
    if not isinstance(decoded, dict):
        raise InvalidSyntax("The body must be a JSON object.")
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and _is_deeper_than(decoded, MAX_DEPTH):
        raise InvalidSyntax(f"The body nests deeper than {MAX_DEPTH} levels.")
    return decoded


def _is_deeper_than(value: object, limit: int) -> bool:
    level: list[Any] = [value]
    for _ in range(limit):
        level = [child for container in level for child in _children(container)]
        if not level:
            return False
    return True


def _children(container: Any) -> Iterable[Any]:
    """The containers directly inside a container."""
    values = container.values() if isinstance(container, dict) else container
    return [value for value in values if isinstance(value, (dict, list))]


def named(body: Mapping[str, Any], name: str) -> Any:
    """The value under a name in any case (RFC 7643 2.1), or None; the exact spelling wins."""
    if name in body:
        return body[name]
    wanted = name.lower()
    return next((value for key, value in body.items() if key.lower() == wanted), None)


def check_message(body: Mapping[str, Any], urn: str) -> None:
    """Refuse a body that says it is another message of the RFC; an IdP's own or legacy URN is as good as none.

    Raises InvalidSyntax.
    """
    urns = named(body, "schemas")
    if urns is None:
        return
    if not isinstance(urns, list) or not all(isinstance(each, str) for each in urns):
        raise InvalidSyntax("schemas must be a list of URNs.")
    lower = {each.lower() for each in urns}
    if urn.lower() not in lower and any(each.startswith("urn:ietf:params:scim:") for each in lower):
        raise InvalidSyntax(f"This message has the schemas [{urn!r}].")


@dataclass(frozen=True, slots=True)
class ListResponse:
    """One page of answers, already rendered (RFC 7644 3.4.2).

    A page of a walk by cursor has no `start_index`, and the cursors of the pages beside it (RFC 9865 2).
    """

    resources: Sequence[Mapping[str, Any] | orjson.Fragment]
    total_results: int
    start_index: int | None = 1
    next_cursor: str | None = None
    previous_cursor: str | None = None

    def render(self) -> dict[str, Any]:
        """The message; `Resources` is there even when empty, which Entra's connection test needs."""
        said: dict[str, Any] = {
            "schemas": [LIST_RESPONSE_SCHEMA],
            "totalResults": self.total_results,
            "startIndex": self.start_index,
            "itemsPerPage": len(self.resources),
            "previousCursor": self.previous_cursor,
            "nextCursor": self.next_cursor,
            "Resources": list(self.resources),
        }
        return {name: value for name, value in said.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Paging:
    """Which page: 1-based start and how many at most; a count of 0 asks for the total alone (RFC 7644 3.4.2.4)."""

    start_index: int = 1
    count: int = DEFAULT_COUNT

    @property
    def offset(self) -> int:
        """How many resources come before the page."""
        return self.start_index - 1


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What a GET's query or a .search body asks for (RFC 7644 3.4.2 and 3.4.3).

    `filter` and `sort_by` are still text, because a search at the root reads them once for each resource type.
    """

    filter: str | None = None
    attributes: tuple[str, ...] = ()
    excluded_attributes: tuple[str, ...] = ()
    sort_by: str | None = None
    descending: bool = False
    paging: Paging = Paging()
    cursor: str | None = None
    """Not None: to be walked by cursor (RFC 9865); "" asks for the first page."""

    @property
    def fingerprint(self) -> str:
        """What has to stay the same from page to page of a walk by cursor, but for the count (RFC 9865 2)."""
        return repr((self.filter, self.attributes, self.excluded_attributes, self.sort_by, self.descending))

    def order(self, resource_type: ResourceType) -> Order | None:
        """By what to sort resources of that type, None if by nothing.

        A complex attribute sorts by its `value` (RFC 7644 3.4.2.3). Raises InvalidPath where the type has no such
        attribute, or one that has no order.
        """
        return self.orders((resource_type,))[resource_type]

    def orders(self, resource_types: tuple[ResourceType, ...]) -> dict[ResourceType, Order | None]:
        """The same for each of several types; None for those that don't have the attribute, if one has."""
        found = {each: self._order_of(each) for each in resource_types}
        if self.sort_by is not None and not any(found.values()):
            raise InvalidPath(f"{resource_types[0].name} cannot be sorted by {self.sort_by[:100]!r}.")
        return found

    def _order_of(self, resource_type: ResourceType) -> Order | None:
        path = None if self.sort_by is None else resource_type.find(self.sort_by)
        if path is not None and path.leaf.type == "complex":
            path = AttributePath(path.attribute, path.attribute.find("value"), path.schema)
        if path is None or path.leaf.type == "complex" or path.leaf.returned == "never":
            return None
        return Order(path, self.descending)


def parse_query(
    arguments: Iterable[tuple[str, str]], *, default_count: int = DEFAULT_COUNT, max_count: int = MAX_COUNT
) -> SearchQuery:
    """The search in a URL's query, its names and values in their order.

    Names are taken in any case and unknown ones ignored: Entra's aadOptscim062020 flag may sit there, and OneLogin
    leaves a trailing "&". Raises InvalidValue, and for a walk by cursor InvalidCursor and InvalidCount.
    """
    return _parse_search(_by_name(arguments), default_count, max_count)


def parse_selection(arguments: Iterable[tuple[str, str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The `attributes` and `excludedAttributes` in a URL's query: what of one resource is answered (RFC 7644 3.9).

    Everything else in the query says nothing of one resource. Raises InvalidValue.
    """
    return _parse_selection(_by_name((name, value) for name, value in arguments if name.lower() in _LISTS))


def parse_search(
    body: Mapping[str, Any], *, default_count: int = DEFAULT_COUNT, max_count: int = MAX_COUNT
) -> SearchQuery:
    """The search in a .search body (RFC 7644 3.4.3, RFC 9865 3). Raises InvalidSyntax, and what `parse_query` does."""
    check_message(body, SEARCH_REQUEST_SCHEMA)
    return _parse_search(_by_name(body.items()), default_count, max_count)


def parse_paging(
    start_index: object, count: object, *, default_count: int = DEFAULT_COUNT, max_count: int = MAX_COUNT
) -> Paging:
    """A page from what the client gave, None where it gave nothing (RFC 7644 3.4.2.4).

    A start before 1 means 1, a count under 0 means 0, a count over the maximum means the maximum. Raises
    InvalidValue where one is no integer.
    """
    start = 1 if start_index in (None, "") else _parse_integer("startIndex", start_index)
    wanted = default_count if count in (None, "") else _parse_integer("count", count)
    return Paging(min(max(start, 1), MAX_START_INDEX), min(max(wanted, 0), max_count))


def _parse_search(given: Mapping[str, Any], default_count: int, max_count: int) -> SearchQuery:
    cursor = _parse_cursor(given)
    attributes, excluded = _parse_selection(given)
    return SearchQuery(
        filter=_parse_text("filter", given.get("filter")),
        attributes=attributes,
        excluded_attributes=excluded,
        sort_by=_parse_text("sortBy", given.get("sortby")),
        descending=_parse_descending(given.get("sortorder")),
        paging=_parse_page(given, cursor, default_count, max_count),
        cursor=cursor,
    )


def _by_name(given: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """What was given, by its name in small letters. Of a list parts may come one by one; of two filters none counts."""
    found: dict[str, Any] = {}
    for name, value in given:
        key = name.lower()
        before = found.get(key, value)
        if before == value or key not in _ONE_VALUE | _LISTS:
            found[key] = value
        elif key in _LISTS and isinstance(before, str) and isinstance(value, str):
            found[key] = f"{before},{value}"
        else:
            raise InvalidValue(f"{name} is given twice.")
    return found


def _parse_cursor(given: Mapping[str, Any]) -> str | None:
    """The cursor, "" where it is there without a value."""
    cursor = given.get("cursor")
    if cursor is not None and not isinstance(cursor, str):
        raise InvalidCursor("A cursor is a string.")
    return cursor


def _parse_page(given: Mapping[str, Any], cursor: str | None, default_count: int, max_count: int) -> Paging:
    start, count = given.get("startindex"), given.get("count")
    if cursor is None:
        return parse_paging(start, count, default_count=default_count, max_count=max_count)
    if start not in (None, ""):
        raise InvalidValue("Give startIndex or cursor, not both.")
    try:
        return parse_paging(None, count, default_count=default_count, max_count=max_count)
    except InvalidValue as refusal:
        raise InvalidCount(refusal.detail) from refusal


def _parse_selection(given: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    attributes = _parse_names("attributes", given.get("attributes"))
    excluded = _parse_names("excludedAttributes", given.get("excludedattributes"))
    if attributes and excluded:
        raise InvalidValue("Give attributes or excludedAttributes, not both.")
    return attributes, excluded


def _parse_integer(name: str, given: object) -> int:
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    if isinstance(given, str) and _INTEGER.fullmatch(given.strip()):
        return int(given)
    raise InvalidValue(f"{name} must be an integer.")


def _parse_text(name: str, given: object) -> str | None:
    """A text, or None where it is absent or blank."""
    if given is None:
        return None
    if not isinstance(given, str):
        raise InvalidValue(f"{name} must be a string.")
    return given.strip() or None


def _parse_names(name: str, given: object) -> tuple[str, ...]:
    """Attribute names: comma-separated in a URL, an array in a body."""
    if given is None:
        return ()
    names = given.split(",") if isinstance(given, str) else given
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        raise InvalidValue(f"{name} must be a list of attribute names.")
    if len(names) > MAX_NAMES:
        raise InvalidValue(f"{name} must be at most {MAX_NAMES} attribute names.")
    if any(len(each) > MAX_NAME_LENGTH for each in names):
        raise InvalidValue(f"{name} must be attribute names of at most {MAX_NAME_LENGTH} characters.")
    return tuple(stripped for each in names if (stripped := each.strip()))


def _parse_descending(given: object) -> bool:
    order = _parse_text("sortOrder", given)
    if order is not None and order.lower() not in ("ascending", "descending"):
        raise InvalidValue("sortOrder must be ascending or descending.")
    return order is not None and order.lower() == "descending"
