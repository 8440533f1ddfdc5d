"""Bulk: many operations in one request, which may refer to what others of them create (RFC 7644 3.7).

`parse_bulk` reads the message. What is wrong with the message itself is refused as a whole, before anything is done;
what is wrong with one operation stays with that operation, which fails when its turn comes. `steps` says whose turn it
is: the order of the request, but that what is referred to comes before who refers to it. `resolve` puts the new ids in.

`bulkId:ID` is a reference where it is a whole string anywhere in `data`, the end of a `$ref`, a value compared with in
the path of a PATCH, and in an operation's own path (`/Users/bulkId:ID`).
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from scim.errors import Conflict, InvalidSyntax, InvalidValue, NotFound, PayloadTooLarge, ScimError
from scim.messages import check_message, named
from scim.schemas import GROUP, RESOURCE_TYPES, USER, ResourceType

BULK_REQUEST_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
BULK_RESPONSE_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"

MAX_OPERATIONS = 1_000
MAX_PAYLOAD = 2**20
"""Bytes of one request."""

METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})

_PREFIX = "bulkId:"
#: A reference inside a PATCH's path: `members[value eq "bulkId:ID"]`.
_COMPARED = re.compile(r'"bulkId:([^"\\]+)"')

_ENDPOINTS = {each.endpoint.strip("/"): each for each in RESOURCE_TYPES}


@dataclass(frozen=True, slots=True)
class BulkOperation:
    """One operation: a request of its own against Users or Groups.

    `resource_id` and `body` may hold references, to the bulkIds in `needs`. With a `refusal` it is never done.
    """

    method: str
    bulk_id: str | None = None
    resource_type: ResourceType | None = None
    resource_id: str | None = None
    version: str | None = None
    body: Mapping[str, Any] | None = None
    needs: frozenset[str] = frozenset()
    refusal: ScimError | None = None


@dataclass(frozen=True, slots=True)
class Bulk:
    """The operations in their order, and after how many failures to stop, None for never."""

    operations: tuple[BulkOperation, ...]
    fail_on_errors: int | None = None


def check_payload(size: int) -> None:
    """Refuse a body of more bytes than a Bulk may have, and say the limit (RFC 7644 3.7.4)."""
    if size > MAX_PAYLOAD:
        raise PayloadTooLarge(f"The bulk request is larger than maxPayloadSize ({MAX_PAYLOAD} bytes).")


def parse_bulk(body: Mapping[str, Any]) -> Bulk:
    """The Bulk in a request's body.

    Raises InvalidSyntax, InvalidValue for a bulkId given twice, PayloadTooLarge over MAX_OPERATIONS.
    """
    check_message(body, BULK_REQUEST_SCHEMA)
    given = named(body, "Operations")
    if not isinstance(given, list) or not given:
        raise InvalidSyntax("A bulk request has a list of Operations, at least one.")
    if len(given) > MAX_OPERATIONS:
        raise PayloadTooLarge(f"The bulk request has more operations than maxOperations ({MAX_OPERATIONS}).")
    fail_on_errors = _parse_fail_on_errors(named(body, "failOnErrors"))
    operations = [_parse_operation(each) for each in given]
    makers = _makers(operations)
    return Bulk(tuple(_refuse_strange_references(each, makers) for each in operations), fail_on_errors)


def steps(bulk: Bulk) -> list[list[int]]:
    """Positions of operations, in the order in which to do them.

    Alone in its step is what can be done by itself. Operations in one step refer to each other in a circle, or one to
    itself: all of them create Users, since nothing that creates a Group can be referred to by what it needs.
    """
    positions = {each.bulk_id: n for n, each in enumerate(bulk.operations) if each.bulk_id and each.method == "POST"}
    needs = [sorted(positions[bulk_id] for bulk_id in each.needs) for each in bulk.operations]
    return _components(needs)


def resolve(operation: BulkOperation, ids: Mapping[str, str]) -> BulkOperation:
    """The operation with ids in the place of references. Raises Conflict where what it refers to was not created."""
    missing = next((bulk_id for bulk_id in sorted(operation.needs) if bulk_id not in ids), None)
    if missing is not None:
        raise Conflict(f"What has the bulkId {missing[:100]!r} was not created.")
    if not operation.needs:
        return operation
    bulk_id = _referred(operation.resource_id)
    resource_id = operation.resource_id if bulk_id is None else ids[bulk_id]
    return replace(operation, resource_id=resource_id, body=_with_ids(operation.body, ids.__getitem__))


# -- Reading -----------------------------------------------------------------------------------------


def _parse_fail_on_errors(given: object) -> int | None:
    if given is None:
        return None
    if not isinstance(given, int) or isinstance(given, bool) or given < 0:
        raise InvalidSyntax("failOnErrors is a number of errors.")
    return max(given, 1)  # "will accept" none (RFC 7644 3.7): the first error ends it, as with 1.


def _parse_operation(given: object) -> BulkOperation:
    if not isinstance(given, dict):
        raise InvalidSyntax("Every operation is an object.")
    method, bulk_id = named(given, "method"), named(given, "bulkId")
    if not isinstance(method, str):
        raise InvalidSyntax("Every operation has a method.")
    if bulk_id is not None and (not isinstance(bulk_id, str) or not bulk_id):
        raise InvalidSyntax("A bulkId is a string.")
    operation = BulkOperation(method.upper()[:20], bulk_id)
    try:
        return _with_target(operation, given)
    except ScimError as refusal:
        return replace(operation, refusal=refusal)


def _with_target(operation: BulkOperation, given: Mapping[str, Any]) -> BulkOperation:
    if operation.method not in METHODS:
        raise InvalidValue("The method of an operation is POST, PUT, PATCH or DELETE.")
    resource_type, resource_id = _parse_path(operation.method, named(given, "path"))
    targeted = replace(operation, resource_type=resource_type, resource_id=resource_id)
    try:
        return _with_body(targeted, named(given, "version"), named(given, "data"))
    except ScimError as refusal:
        return replace(targeted, refusal=refusal)


def _parse_path(method: str, path: object) -> tuple[ResourceType, str | None]:
    if not isinstance(path, str):
        raise InvalidValue("Every operation has a path.")
    endpoint, _, resource_id = path.removeprefix("/").rstrip("/").partition("/")
    resource_type = _ENDPOINTS.get(endpoint)
    if resource_type is None:
        raise NotFound(f"A bulk operation's path begins with /Users or /Groups, not {path[:100]!r}.")
    if bool(resource_id) is (method == "POST"):
        raise InvalidValue("The path of a POST is /Users or /Groups; every other leads to one resource.")
    return resource_type, resource_id or None


def _with_body(operation: BulkOperation, version: object, body: object) -> BulkOperation:
    if operation.method == "POST" and operation.bulk_id is None:
        raise InvalidValue("A POST has a bulkId.")
    if version is not None and not isinstance(version, str):
        raise InvalidValue("A version is an ETag, a string.")
    if operation.method == "PATCH" and isinstance(body, list) and body:
        body = {"Operations": body}  # as the example of RFC 7644 3.7.3 has it, though a PATCH alone has the object
    if operation.method == "DELETE":
        body = None
    elif not isinstance(body, dict):
        raise InvalidValue(f"A {operation.method} has data, an object.")
    needs = set(_references(body))
    if (bulk_id := _referred(operation.resource_id)) is not None:
        needs.add(bulk_id)
    return replace(operation, version=version, body=body, needs=frozenset(needs))


def _makers(operations: Sequence[BulkOperation]) -> dict[str, BulkOperation]:
    """What makes a resource under each bulkId."""
    bulk_ids = [each.bulk_id for each in operations if each.bulk_id is not None]
    if len(set(bulk_ids)) < len(bulk_ids):
        raise InvalidValue("A bulkId is unique within a bulk request.")
    return {each.bulk_id: each for each in operations if each.bulk_id is not None and each.method == "POST"}


def _refuse_strange_references(operation: BulkOperation, makers: Mapping[str, BulkOperation]) -> BulkOperation:
    """Refuse a reference to what never comes, or to what can't be there: a group as a member or as a manager."""
    own_path = _referred(operation.resource_id)
    for bulk_id in sorted(operation.needs):
        maker = makers.get(bulk_id)
        wanted = operation.resource_type if bulk_id == own_path else USER
        if maker is None:
            detail = f"Nothing in this request creates what has the bulkId {bulk_id[:100]!r}."
        elif maker.resource_type is GROUP and wanted is USER:
            detail = f"bulkId:{bulk_id[:100]} is a group: members and managers are people."
        elif maker.resource_type is not None and maker.resource_type is not wanted:
            detail = f"bulkId:{bulk_id[:100]} is no group."
        else:
            continue
        return replace(operation, refusal=InvalidValue(detail), needs=frozenset())
    return operation


# -- References --------------------------------------------------------------------------------------


def _referred(text: str | None) -> str | None:
    """The bulkId that a whole string refers to, or None."""
    return text[len(_PREFIX) :] if text is not None and text.startswith(_PREFIX) and text != _PREFIX else None


def _references(body: object) -> Iterator[str]:
    found: list[str] = []

    def note(bulk_id: str) -> str:
        found.append(bulk_id)
        return ""

    _with_ids(body, note)
    return iter(found)


def _with_ids(value: Any, id_of: Callable[[str], str], key: str = "") -> Any:
    """A JSON value with what `id_of` gives in the place of each reference."""
    if isinstance(value, dict):
        return {name: _with_ids(each, id_of, name.lower()) for name, each in value.items()}
    if isinstance(value, list):
        return [_with_ids(each, id_of, key) for each in value]
    if not isinstance(value, str) or _PREFIX not in value:
        return value
    if (bulk_id := _referred(value)) is not None:
        return id_of(bulk_id)
    head, _, bulk_id = value.rpartition(f"/{_PREFIX}")
    if key == "$ref" and head and bulk_id:
        return f"{head}/{id_of(bulk_id)}"
    if key == "path":
        return _COMPARED.sub(lambda found: f'"{id_of(found[1])}"', value)
    return value


# -- Order -------------------------------------------------------------------------------------------


def _components(needs: Sequence[Sequence[int]]) -> list[list[int]]:
    """Positions, each after those it needs and otherwise in order; together those that need each other.

    Strongly connected components, by two walks (Kosaraju).
    """
    seen: set[int] = set()
    finished = [each for start in range(len(needs)) if start not in seen for each in _walk(start, needs, seen)]
    needed_by: list[list[int]] = [[] for _ in needs]
    for n, needed in enumerate(needs):
        for each in needed:
            needed_by[each].append(n)
    seen = set()
    components = [sorted(_walk(start, needed_by, seen)) for start in reversed(finished) if start not in seen]
    return components[::-1]


def _walk(start: int, edges: Sequence[Sequence[int]], seen: set[int]) -> list[int]:
    """What is reached from `start` and wasn't seen, each after what it leads to. A loop, as chains may be long."""
    seen.add(start)
    found, path = list[int](), [(start, iter(edges[start]))]
    while path:
        _, rest = path[-1]
        there = next((each for each in rest if each not in seen), None)
        if there is None:
            found.append(path.pop()[0])
        else:
            seen.add(there)
            path.append((there, iter(edges[there])))
    return found
