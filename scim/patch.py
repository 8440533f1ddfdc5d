"""PATCH (RFC 7644 3.5.2): from a body to typed operations, and from operations to what they change.

`parse_patch` folds every dialect and every form of a request, with path and without, into operations on one attribute
each, with values in canonical form: whatever cannot be applied is refused there or in what follows, never dropped.

A User is a document, so its operations are applied to it, all or none. A Group is not: `scim.group_changes` says what
is to be done to its rows.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from scim import dialects
from scim.errors import InvalidFilter, InvalidPath, InvalidSyntax, InvalidValue, Mutability, NoTarget, TooMany
from scim.filter_tree import And, Comparison, Filter, Or, comparable, count_tests, matches_element
from scim.filters import parse_path
from scim.messages import PATCH_OP_SCHEMA, check_message, named
from scim.resources import Document, check_size, parse_members
from scim.schemas import GROUP, MANAGER, SCHEMAS, USER, Attribute, AttributePath, ResourceType, Schema
from scim.values import MAX_VALUES, canonical_parts, canonical_value, without_repeats

MAX_OPERATIONS = 10_000
"""In one request. Entra sends an operation for each member of a group, OneLogin one for each attribute."""

MAX_PATH_TEXT, BRACKET_COUNTS = 60 * MAX_OPERATIONS, 20
"""Characters of all paths in one request: enough for as many members as operations, each removed by its id.

A bracket costs the most to read, and counts as so many.
"""

MAX_MEMBER_TESTS = 20
"""Comparisons in one request that have to be made of every member that a Group has."""

MAX_USER_EFFORT = 400
"""Operations, tests in their filters and values added or removed in one request for a User.

Each of these may have to look at every value that an attribute has.
"""

OperationName = Literal["add", "replace", "remove"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One change of one attribute.

    `where` chooses among the values of a multi-valued attribute. `value` is canonical: a list for a multi-valued
    attribute as a whole; for a complex value its sub-attributes by name, None for each that is to be cleared; ids for
    the members of a Group. None clears with `replace`; with `remove` it means everything that is there.
    """

    op: OperationName
    path: AttributePath
    where: Filter | None = None
    value: Any = None


@dataclass(frozen=True, slots=True)
class Patch:
    """The operations of one request, in order."""

    resource_type: ResourceType
    operations: tuple[Operation, ...]


_MEMBERS = cast(Attribute, GROUP.schema.find("members"))
_ACTIVE = cast(Attribute, USER.schema.find("active"))
_ACTIONS = frozenset({"add", "replace", "remove"})


def parse_patch(body: Mapping[str, Any], resource_type: ResourceType, resource_id: str | None = None) -> Patch:
    """The operations of a PATCH body on a resource of that type.

    With `resource_id`, a value without path that holds another id is refused. Raises the ScimError that RFC 7644
    3.5.2 and 3.12 name: invalidSyntax, invalidPath, invalidFilter, invalidValue, noTarget, mutability, tooMany.
    """
    check_message(body, PATCH_OP_SCHEMA)
    given = named(body, "Operations")
    if not isinstance(given, list) or not given:
        raise InvalidSyntax("A PATCH has a list of Operations, at least one.")
    if len(given) > MAX_OPERATIONS:
        raise TooMany(f"A PATCH has at most {MAX_OPERATIONS} operations.")
    reader = _Reader(resource_type, resource_id)
    operations = tuple(operation for each in given for operation in reader.operations(each))
    (_check_effort_of_user if resource_type is USER else _check_effort_of_group)(operations)
    return Patch(resource_type, operations)


def apply_to_user(document: Mapping[str, Any], patch: Patch) -> Document:
    """The document after all of the operations; the one given stays as it is.

    A document whose `active` was removed says nothing about it: whoever keeps the person keeps their standing.
    Raises NoTarget where a filter chooses nothing to set and doesn't describe what it wants (RFC 7644 3.5.2.3; what is
    to be removed and isn't there is gone already: 3.5.2.2 names no error, and a removal may come twice), InvalidValue
    where there would be two primary values, too many values, or too much in all.
    """
    changed = dict(document)
    for operation in patch.operations:
        _apply(changed, operation)
    return check_size(changed)


def _check_effort_of_user(operations: Iterable[Operation]) -> None:
    if sum(_effort(operation) for operation in operations) > MAX_USER_EFFORT:
        raise TooMany(f"A PATCH of a User has at most {MAX_USER_EFFORT} operations, comparisons and values.")


def _effort(operation: Operation) -> int:
    values = operation.value if isinstance(operation.value, list) and operation.op != "replace" else []
    return 1 + count_tests(operation.where) + len(values)


def _check_effort_of_group(operations: Iterable[Operation]) -> None:
    if sum(count_tests(each.where) for each in operations if each.value is None) > MAX_MEMBER_TESTS:
        raise TooMany(f"A PATCH compares every member at most {MAX_MEMBER_TESTS} times: remove members by their ids.")


class _Reader:
    """Reads the operations of one request, each into one or more on a single attribute."""

    def __init__(self, resource_type: ResourceType, resource_id: str | None) -> None:
        self._resource_type = resource_type
        self._resource_id = resource_id
        self._path_text = 0

    def operations(self, given: object) -> Iterable[Operation]:
        """The operations that one element of `Operations` stands for."""
        if not isinstance(given, dict):
            raise InvalidSyntax("Every operation is an object.")
        op, path, value = _read_op(given), named(given, "path"), named(given, "value")
        if op != "remove" and (value is None and (op == "add" or not _has(given, "value"))):
            raise InvalidValue(f"The operation {op} has a value.")
        if path is None:
            return self._without_path(op, value)
        if not isinstance(path, str):
            raise InvalidPath("A path is a string.")
        return self._at(op, path, value)

    def _without_path(self, op: OperationName, value: object) -> Iterator[Operation]:
        if op == "remove":
            raise NoTarget("The operation remove has a path.")
        return self._under_keys(op, value, "")

    def _under_keys(self, op: OperationName, value: object, prefix: str) -> Iterator[Operation]:
        """What an object asks whose keys are names or paths, as Entra with its flag writes them."""
        if not isinstance(value, dict):
            raise InvalidValue(f"The operation {op} has an object as its value where it names no attribute.")
        for key, given in value.items():
            if not self._asks_nothing(op, prefix + key, given):
                yield from self._at(op, prefix + key, given)

    def _asks_nothing(self, op: OperationName, key: str, value: object) -> bool:
        """Whether a key is ignored as it would be in any body (RFC 7644 3.3): unknown, or the server's own."""
        if key.lower() in ("schemas", "meta") or dialects.okta_echoes_id(key, value, self._resource_id):
            return True
        if op == "add" and value is None:
            return True
        path = self._resource_type.find(_qualified(key).partition("[")[0].strip())
        if path is None:
            return self._find_schema(key) is None
        return path.attribute.mutability == "readOnly" and value in (None, "", [])

    def _find_schema(self, urn: str) -> Schema | None:
        return self._resource_type.find_schema(dialects.enterprise_urn(urn)) if ":" in urn else None

    def _at(self, op: OperationName, text: str, value: object) -> Iterable[Operation]:
        self._path_text += len(text) + BRACKET_COUNTS * text.count("(")
        if self._path_text > MAX_PATH_TEXT:
            raise TooMany(f"The paths of a PATCH have at most {MAX_PATH_TEXT} characters together.")
        schema = self._find_schema(text)
        if schema is not None and op != "remove" and value is not None:
            return self._under_keys(op, value, f"{schema.id}:")
        if schema is not None:
            paths = [AttributePath(attribute, None, schema.id) for attribute in schema.attributes]
            return [each for path in paths for each in _on_attribute("remove", path, None, None)]
        path, where = parse_path(_qualified(text), self._resource_type)
        if path.attribute is SCHEMAS:
            return self._on_schemas(op, value)
        return _on_attribute(op, path, where, value)

    def _on_schemas(self, op: OperationName, value: object) -> Iterable[Operation]:
        """Adding a URN that is spoken here is no change: `schemas` follows from the attributes there are."""
        urns = canonical_value(SCHEMAS, value) or []
        if op != "add" or any(self._find_schema(urn) is None for urn in urns):
            raise Mutability("schemas follows from the attributes that there are.")
        return ()


def _qualified(path: str) -> str:
    """The path with the enterprise extension's own URN, whatever an IdP calls it."""
    return dialects.entra_manager_path(dialects.enterprise_path(path))


def _read_op(operation: Mapping[str, Any]) -> OperationName:
    op = named(operation, "op")
    if not isinstance(op, str) or dialects.entra_operation(op) not in _ACTIONS:
        raise InvalidSyntax("Every operation has an op: add, replace or remove.")
    return cast(OperationName, dialects.entra_operation(op))


def _has(operation: Mapping[str, Any], name: str) -> bool:
    return any(key.lower() == name for key in operation)


def _on_attribute(op: OperationName, path: AttributePath, where: Filter | None, value: object) -> Iterable[Operation]:
    if "readOnly" in (path.attribute.mutability, path.leaf.mutability):
        raise Mutability(f"{path} is read-only.")
    if path.attribute is _MEMBERS:
        return (_on_members(op, path, where, value),)
    if path.attribute is MANAGER:
        return (_on_manager(op, path, value),)
    canonical = _read_value(op, path, where, value)
    if path.leaf.mutability == "writeOnly":
        return ()  # A password is understood and kept nowhere.
    if path.attribute is _ACTIVE and canonical is None and op != "remove":
        return ()  # Absent is not false, and not true either: null says nothing about a person's standing.
    if path.leaf.required and canonical is None:
        raise Mutability(f"{path} is required.") if op == "remove" else InvalidValue(f"{path} is required.")
    return (Operation(op, path, where, canonical),)


def _read_value(op: OperationName, path: AttributePath, where: Filter | None, value: object) -> Any:
    """The value in the form that Operation tells of."""
    attribute = path.attribute
    is_whole = where is None and path.sub is None
    if op == "remove":
        named_values = dialects.entra_removed_values(value) if is_whole and attribute.multi_valued else None
        return None if named_values is None else canonical_value(attribute, named_values) or []
    if path.sub is not None:
        return canonical_value(path.sub, dialects.entra_wrapped_value(value), str(path))
    if attribute.type == "complex" and not (is_whole and attribute.multi_valued):
        return None if value in (None, "", []) else canonical_parts(attribute, _single(value))
    given = value if attribute.multi_valued else dialects.entra_wrapped_value(value)
    canonical = canonical_value(attribute, given)
    return [] if canonical is None and op == "add" and attribute.multi_valued else canonical


def _single(value: object) -> object:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _on_manager(op: OperationName, path: AttributePath, value: object) -> Operation:
    """A manager is replaced whole, however it is named: another person's `$ref` must not stay behind."""
    whole = AttributePath(MANAGER, None, path.schema)
    if op != "remove":
        given = value if path.sub is None else {path.sub.name: value}
        return Operation("replace", whole, None, canonical_value(MANAGER, given))
    return Operation(op, path if path.sub is not None and path.sub.name != "value" else whole)


def _on_members(op: OperationName, path: AttributePath, where: Filter | None, value: object) -> Operation:
    if path.sub is not None:
        raise Mutability("A member is added or removed, not changed.")
    if where is None:
        given = dialects.entra_removed_values(value) if op == "remove" else value
        everyone = op == "remove" and given is None
        return Operation(op, path, None, None if everyone else parse_members(given))
    chosen = _chosen_members(where)
    if op == "remove" or (op == "replace" and value in (None, "", [])):
        return Operation("remove", path, where, chosen)
    if chosen is None:
        raise InvalidFilter("Members to add or replace are chosen by value eq, several of them joined by or.")
    if not set(parse_members(value)) <= set(chosen):
        raise Mutability("A member is added or removed, not changed into another.")
    return Operation("add", path, where, chosen)


def _chosen_members(where: Filter) -> tuple[str, ...] | None:
    """The ids that a filter on members names, without looking at who is there; None where one has to look."""
    if isinstance(where, Or):
        named_ids = [_chosen_members(term) for term in where.terms]
        if any(ids is None for ids in named_ids):
            return None
        return tuple(dict.fromkeys(id_ for ids in named_ids for id_ in ids or ()))
    if isinstance(where, And):
        # Every member is a User, so that `type eq "User"` says nothing.
        terms = [term for term in where.terms if not _is_test_of(term, "type", "user")]
        where = terms[0] if len(terms) == 1 else where
    if isinstance(where, Comparison) and _is_test_of(where, "value") and isinstance(where.value, str):
        return (where.value,)
    return None


def _is_test_of(term: Filter, name: str, value: str | None = None) -> bool:
    """Whether the term is an `eq` of that sub-attribute, with that value if one is given."""
    if not isinstance(term, Comparison) or term.op != "eq" or term.path.leaf.name != name:
        return False
    return value is None or str(term.value).lower() == value


def _apply(document: Document, operation: Operation) -> None:
    path, name = operation.path, operation.path.attribute.name
    home = dict(document.get(path.schema, {})) if path.in_extension else document
    if path.attribute.multi_valued:
        _put(home, name, _changed_values(home.get(name, []), operation))
    elif path.sub is not None or (path.attribute.type == "complex" and path.attribute is not MANAGER):
        _put(home, name, _changed_parts(home.get(name, {}), operation))
    else:
        _put(home, name, operation.value)
    if path.in_extension:
        _put(document, path.schema, home)


def _put(home: Document, name: str, value: Any) -> None:
    if value in (None, {}, []):
        home.pop(name, None)
    else:
        home[name] = value


def _changed_parts(present: Mapping[str, Any], operation: Operation) -> Document:
    if operation.path.sub is None and operation.value is None:
        return {}
    return _merged(present, _parts(operation))


def _parts(operation: Operation) -> Mapping[str, Any]:
    """The sub-attributes that the operation sets, None for each that it clears."""
    if operation.path.sub is not None:
        return {operation.path.sub.name: operation.value}
    parts: Mapping[str, Any] = operation.value
    return parts


def _merged(present: Mapping[str, Any], parts: Mapping[str, Any]) -> Document:
    return {name: part for name, part in {**present, **parts}.items() if part is not None}


def _changed_values(present: list[Document], operation: Operation) -> list[Document]:
    """The values of a multi-valued attribute after the operation (RFC 7644 3.5.2.1 to 3.5.2.3)."""
    if operation.path.sub is None and operation.value is None:
        where = operation.where
        return [] if where is None else [each for each in present if not matches_element(where, each)]
    if operation.op == "remove" and operation.value is not None:
        return [each for each in present if not any(named.items() <= each.items() for named in operation.value)]
    changed, marked = _with_operation(present, operation)
    if len(changed) > MAX_VALUES:
        raise InvalidValue(f"{operation.path} must have at most {MAX_VALUES} values.")
    return without_repeats(_with_one_primary(changed, marked, str(operation.path)))


_Changed = tuple[list[Document], list[Document]]
"""All values, and those among them that the operation marks as primary."""


def _with_operation(present: list[Document], operation: Operation) -> _Changed:
    if operation.where is not None or operation.path.sub is not None:
        return _with_chosen_changed(present, operation)
    if operation.op == "add":
        return _with_added(operation.path.attribute, present, operation.value)
    return operation.value, [each for each in operation.value if each.get("primary")]


def _with_added(attribute: Attribute, present: list[Document], added: list[Document]) -> _Changed:
    """The values and the new ones; a new one with the same value and type as another updates what else that says."""
    changed, marked = list(present), []
    places: dict[Any, int] = {}
    for place, each in enumerate(present):
        places.setdefault(_identity(attribute, each), place)
    for each in added:
        place = places.setdefault(_identity(attribute, each), len(changed))
        old = changed[place] if place < len(changed) else {}
        merged = {**old, **each} | {name: old[name] for name in ("value", "type") if name in old}  # as it was written
        changed[place : place + 1] = [merged]
        marked += [merged] if each.get("primary") else []
    return changed, marked


def _identity(attribute: Attribute, element: Document) -> Any:
    """What two values that are one agree in (RFC 7643 2.4): value and type, or everything where there is no value.

    They agree as `eq` has it: in any case, where the sub-attribute isn't caseExact.
    """
    if "value" not in element:
        return frozenset(element.items())
    return tuple(_comparable(attribute, name, element) for name in ("value", "type"))


def _comparable(attribute: Attribute, name: str, element: Document) -> Any:
    leaf, value = attribute.find(name), element.get(name)
    return value if leaf is None or value is None else comparable(leaf, value)


def _with_chosen_changed(present: list[Document], operation: Operation) -> _Changed:
    """The values with those changed that the path chooses, or with the one it describes."""
    where, parts = operation.where, _parts(operation)
    is_clearing = all(part is None for part in parts.values())
    is_chosen = [where is None or matches_element(where, each) for each in present]
    if not any(is_chosen) and not is_clearing:
        created = _created(operation, parts)
        return [*present, created], [created] if created.get("primary") else []
    changed = [_merged(each, parts) if chosen else each for each, chosen in zip(present, is_chosen, strict=True)]
    if is_clearing:
        return [each for each in changed if set(each) - {"type", "primary"}], []
    return changed, [each for each, chosen in zip(changed, is_chosen, strict=True) if chosen and parts.get("primary")]


def _created(operation: Operation, parts: Mapping[str, Any]) -> Document:
    where = operation.where
    described = dialects.entra_described_value(where) if where is not None else {}
    created = _merged(described or {}, parts)
    if described is None or (where is not None and not matches_element(where, created)):
        raise NoTarget(f"No value of {operation.path.attribute.name} matches the filter.")
    return created


def _with_one_primary(values: list[Document], marked: list[Document], where: str) -> list[Document]:
    """The values with `primary` moved to the one just marked so (RFC 7644 3.5.2)."""
    if len(marked) > 1:
        raise InvalidValue(f"{where} must have at most one primary value.")
    if not marked:
        return values
    return [{**each, "primary": False} if each.get("primary") and each is not marked[0] else each for each in values]
