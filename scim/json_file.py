"""People and groups from JSON, element by element, so that a fault has its line and only one of them is in memory.

- `{"Users": [...], "Groups": [...]}`, or a ListResponse with its `Resources` (RFC 7644 3.4.2): SCIM resources.
  A member's `value` is the `id` that the file gives one of its people, else the bridge's id of somebody it has.
- a Bulk request (RFC 7644 3.7): POST operations; a member's `value`, and a manager's, may be `bulkId:…`.

An `id` in a file ties the file together, members to groups and people to their managers. It never becomes an id here,
and finds nobody here who is in the file.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from scim.directory_file import Collected, DirectoryFile, GroupInFile
from scim.errors import InvalidSyntax, InvalidValue, ScimError
from scim.messages import named, parse_object
from scim.resources import NO_GROUPS_IN_GROUPS, parse_document, parse_group
from scim.schemas import ENTERPRISE_SCHEMA, GROUP_SCHEMA, USER_SCHEMA

_SPACE = re.compile(r"[ \t\r\n]*")
_BULK_ID = "bulkId:"


@dataclass(frozen=True, slots=True)
class _Element:
    """One element of one of the file's lists, or the value of another of its names: its text and its line.

    `place` is where in its list it stands, from 0; None for what is in no list.
    """

    name: str
    text: str
    line: int
    place: int | None


def parse_json(text: str) -> DirectoryFile:
    """The people and groups of a JSON file, and its faults."""
    reading = _Reading(in_one_line="\n" not in text.strip())
    try:
        for element in _elements(text):
            reading.read(element)
    except _NotJson as error:
        reading.found.where = ""
        reading.found.refuse(error.line, error.why)
    return reading.done()


@dataclass(slots=True)
class _Reading:
    """A file while it is read: members and managers are looked up when all people are known."""

    in_one_line: bool
    found: Collected = field(default_factory=Collected)
    ids: dict[str, int] = field(default_factory=dict)
    members: list[tuple[GroupInFile, tuple[str, ...]]] = field(default_factory=list)
    groups: set[str] = field(default_factory=set)
    managers: dict[int, str] = field(default_factory=dict)
    total: int | None = None
    lists: set[str] = field(default_factory=set)

    def read(self, element: _Element) -> None:
        readers: Mapping[str, Callable[[int, Mapping[str, Any]], None]] = {
            "users": self._read_user,
            "groups": self._read_group,
            "resources": self._read_resource,
            "operations": self._read_operation,
        }
        name = element.name.lower()
        reader = readers.get(name)
        self.found.where = (
            f"{element.name[:100]}[{element.place}]: " if self.in_one_line and element.place is not None else ""
        )
        try:
            if reader is not None:
                self.lists.add(name)
                if element.place is None:
                    raise InvalidSyntax(f"{element.name[:100]} must be a list.")
                if element.text:
                    reader(element.line, parse_object(element.text.encode("utf-8", "surrogatepass")))
            elif name == "totalresults" and element.text.isdecimal():
                self.total = int(element.text[:18])
        except ScimError as error:
            self.found.refuse(element.line, error)

    def _read_user(self, line: int, body: Mapping[str, Any]) -> None:
        self._add_user(line, body, named(body, "id"))

    def _add_user(self, line: int, body: Mapping[str, Any], reference: object) -> None:
        document = parse_document(body)
        person = self.found.add_person(line, document)
        manager = document.get(ENTERPRISE_SCHEMA, {}).get("manager", {}).get("value")
        if manager is not None:
            self.managers[person] = manager
        if isinstance(reference, str) and self.ids.setdefault(reference, person) != person:
            raise InvalidValue(f"The id {reference[:100]!r} is another person's already.")

    def _read_group(self, line: int, body: Mapping[str, Any]) -> None:
        self._add_group(line, body, named(body, "id"))

    def _add_group(self, line: int, body: Mapping[str, Any], reference: object) -> None:
        parsed = parse_group(body)
        self.groups |= {reference} if isinstance(reference, str) else set()
        self.members.append((self.found.add_group(line, parsed), parsed.members))

    def _read_resource(self, line: int, body: Mapping[str, Any]) -> None:
        urns = named(body, "schemas")
        urns = [str(urn).lower() for urn in urns] if isinstance(urns, list) else []
        if GROUP_SCHEMA.lower() in urns and USER_SCHEMA.lower() not in urns:
            self._read_group(line, body)
        else:
            self._read_user(line, body)

    def _read_operation(self, line: int, body: Mapping[str, Any]) -> None:
        method, path, data = named(body, "method"), named(body, "path"), named(body, "data")
        if not isinstance(method, str) or method.upper() != "POST" or path not in ("/Users", "/Groups"):
            raise InvalidValue("A file is read for operations that POST to /Users or /Groups, and for nothing else.")
        if not isinstance(data, dict):
            raise InvalidSyntax("data must be an object.")
        bulk_id = named(body, "bulkId")
        reference = f"{_BULK_ID}{bulk_id}" if isinstance(bulk_id, str) else None
        (self._add_group if path == "/Groups" else self._add_user)(line, data, reference)

    def done(self) -> DirectoryFile:
        self.found.where = ""
        if not self.lists and not self.found.faults:
            self.found.refuse(1, "There are neither Users and Groups nor Resources nor Operations in this file.")
        held = len(self.found.people) + len(self.found.groups)
        if "resources" in self.lists and self.total is not None and self.total > held and not self.found.faults:
            self.found.refuse(1, f"This is a page of a list: it says totalResults {self.total} and has {held}.")
        for person, manager in self.managers.items():
            self._tie_manager(person, manager)
        for group, members in self.members:
            self._tie(group, members)
        return self.found.done("members of groups" if self.found.groups else "nothing")

    def _tie_manager(self, person: int, manager: str) -> None:
        people = self.found.people
        if manager in self.ids:
            people[person] = replace(people[person], manager=self.ids[manager])
        elif manager.startswith(_BULK_ID):
            self.found.refuse(people[person].line, f"No person in this file has the {manager[:100]}.")

    def _tie(self, group: GroupInFile, members: tuple[str, ...]) -> None:
        for value in members:
            if value in self.ids:
                group.members.append(self.ids[value])
            elif value in self.groups:
                why = f"The member {value[:100]} is a group of this file. {NO_GROUPS_IN_GROUPS}"
                self.found.refuse(group.line, why)
            elif value.startswith(_BULK_ID):
                self.found.refuse(group.line, f"No person in this file has the {value[:100]}.")
            else:
                group.others.append(value)


# -- Splitting ---------------------------------------------------------------------------------------


class _NotJson(Exception):
    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line, self.why = line, why


def _not_a_number(text: str) -> float:
    raise ValueError(f"{text} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_not_a_number)


def _elements(text: str) -> Iterator[_Element]:
    """What the object in `text` holds: each element of each list in it, and each other value whole."""
    return _Splitter(text).elements()


class _Splitter:
    """Walks over one JSON object."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.ends = [match.start() for match in re.finditer("\n", text)]

    def elements(self) -> Iterator[_Element]:
        self._take("{")
        while not self._found("}"):
            name = self._value()
            key = json.loads(name)
            if not isinstance(key, str):
                raise self._error("a name")
            self._take(":")
            yield from self._list(key) if self._peek() == "[" else self._single(key)
            self._comma("}")
        if self._peek():
            raise self._error("the end of the file")

    def _single(self, key: str) -> Iterator[_Element]:
        line = self._line()
        yield _Element(key, self._value(), line, None)

    def _list(self, key: str) -> Iterator[_Element]:
        self._take("[")
        yield _Element(key, "", self._line(), 0)
        place = 0
        while not self._found("]"):
            line = self._line()
            yield _Element(key, self._value(), line, place)
            place += 1
            self._comma("]")

    def _comma(self, closing: str) -> None:
        if self._peek() != closing:
            self._take(",")
            if self._peek() == closing:
                raise self._error("a value")

    def _peek(self) -> str:
        space = _SPACE.match(self.text, self.at)
        self.at = space.end() if space else self.at
        return self.text[self.at : self.at + 1]

    def _found(self, sign: str) -> bool:
        found = self._peek() == sign
        self.at += found
        return found

    def _take(self, sign: str) -> None:
        if not self._found(sign):
            raise self._error(repr(sign))

    def _value(self) -> str:
        self._peek()
        begin = self.at
        try:
            _, self.at = _DECODER.raw_decode(self.text, begin)
        except RecursionError as error:
            raise _NotJson(self._line(), "This nests too deep.") from error
        except ValueError as error:
            at = error.pos if isinstance(error, json.JSONDecodeError) else begin
            raise _NotJson(self._line(at), f"This is not JSON: {error}.") from error
        return self.text[begin : self.at]

    def _line(self, at: int | None = None) -> int:
        self._peek()
        return bisect_right(self.ends, (self.at if at is None else at) - 1) + 1

    def _error(self, wanted: str) -> _NotJson:
        return _NotJson(self._line(), f"This is not JSON: {wanted} should be here.")
