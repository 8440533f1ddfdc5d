"""A file of people and groups: CSV, SCIM resources as JSON, or a SCIM Bulk request. Bytes in, a DirectoryFile out.

Nothing is half understood: what is wrong is collected with its line, all of it, and whoever imports the file refuses it
whole. A person's document is kept as JSON text, so that 100,000 of them fit into memory.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from scim.errors import ScimError
from scim.resources import Document, GroupBody
from scim.schemas import ENTERPRISE_SCHEMA, fold_case

#: Of whom the file tells all: of nobody (it names no groups), of its groups' members, or of its people's groups.
Telling = Literal["nothing", "members of groups", "groups of people"]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and in which line (from 1)."""

    line: int
    text: str


#: Where a value stands in a document: `("name", "givenName")`.
Place = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PersonInFile:
    """A person as the file describes them.

    `document` is JSON text, without `active` where the file doesn't say it. `places` are what the file's columns speak
    of, so that the rest stays as it is; None where the file gives the whole resource. `manager` is the place, in the
    file's list of people, of the manager who is one of them.
    """

    line: int
    user_name: str
    external_id: str | None
    document: str
    places: tuple[Place, ...] | None = None
    manager: int | None = None

    def document_after(self, present: Mapping[str, Any] | None, manager_id: str | None = None) -> Document:
        """What the record says after the import, given what it says now; None for a new one.

        Absent is not false: `active` and `externalId` stay where the file says nothing of them. `manager_id` is the id
        of the record that `manager` has, or will have.
        """
        said: Document = orjson.loads(self.document)
        if manager_id is not None:
            said[ENTERPRISE_SCHEMA]["manager"] = {"value": manager_id}
        if present is None:
            return {**said, "active": said.get("active", True)}
        if self.places is not None:
            return _merged(present, said, self.places)
        kept = {name: present[name] for name in ("active", "externalId") if name in present}
        return {**kept, **said}


@dataclass(slots=True)
class GroupInFile:
    """A group as the file describes it.

    `members` are places in the file's list of people; `others` are ids of whoever isn't in the file.
    """

    line: int
    name: str
    external_id: str | None
    members: list[int] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class DirectoryFile:
    """All that a file says, and all that is wrong with it."""

    people: tuple[PersonInFile, ...]
    groups: tuple[GroupInFile, ...]
    telling: Telling
    faults: tuple[Fault, ...]


@dataclass(slots=True)
class Collected:
    """A file while it is read. Whatever is added is checked against what came before it."""

    people: list[PersonInFile] = field(default_factory=list)
    groups: list[GroupInFile] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    #: What faults begin with, where a line alone doesn't say what is meant.
    where: str = ""
    _lines: dict[tuple[str, str], int] = field(default_factory=dict)

    def refuse(self, line: int, why: str | ScimError) -> None:
        """Note a fault."""
        self.faults.append(Fault(line, self.where + (why if isinstance(why, str) else why.detail)))

    def add_person(self, line: int, document: Document, places: tuple[Place, ...] | None = None) -> int:
        """Add a person; a user name and an external id can each be there once. Returns their place in the file."""
        name, external_id = document["userName"], document.get("externalId")
        self._once(line, "userName", fold_case(name), name)
        if external_id is not None:
            self._once(line, "externalId", external_id, external_id)
        # As str, since the bytes that orjson gives hold on to 4 KB each.
        self.people.append(PersonInFile(line, name, external_id, orjson.dumps(document).decode(), places))
        return len(self.people) - 1

    def add_group(self, line: int, body: GroupBody) -> GroupInFile:
        """Add a group without members: once by its external id, else by its name."""
        if body.external_id is None:
            self._once(
                line, "displayName of a group without externalId", fold_case(body.display_name), body.display_name
            )
        else:
            self._once(line, "externalId of a group", body.external_id, body.external_id)
        self.groups.append(GroupInFile(line, body.display_name, body.external_id))
        return self.groups[-1]

    def _once(self, line: int, kind: str, key: str, shown: str) -> None:
        # Not by comparing lines: a whole file of JSON may stand in one.
        if (kind, key) in self._lines:
            self.refuse(line, f"{kind} {shown[:200]!r} is in line {self._lines[kind, key]} already.")
        else:
            self._lines[kind, key] = line

    def done(self, telling: Telling) -> DirectoryFile:
        """The file, read to its end; its faults in the order of lines."""
        ordered = sorted(self.faults, key=lambda fault: fault.line)
        return DirectoryFile(tuple(self.people), tuple(self.groups), telling, tuple(ordered))


def _merged(present: Mapping[str, Any], said: Document, places: tuple[Place, ...]) -> Document:
    """The present document with what is said at these places: cleared where nothing is said, but for `active`."""
    document = dict(present)
    for place in places:
        value = _at(said, place)
        if place == ("emails",):
            value = _emails_after(document.get("emails", []), value)
        if value is not None or place != ("active",):
            document = _with(document, place, value)
    return document


def _emails_after(present: list[Document], said: list[Document] | None) -> list[Document]:
    """The addresses once the one at work is as said: theirs at home and elsewhere stay, and come after it."""
    ranked = sorted(present, key=lambda email: (not email.get("primary"), not _is_at_work(email)))
    if said and ranked and ranked[0].get("value") == said[0]["value"]:
        return present
    others = [
        email for email in present if not _is_at_work(email) and not (said and email.get("value") == said[0]["value"])
    ]
    if said:
        others = [{name: value for name, value in email.items() if name != "primary"} for email in others]
    return [*(said or []), *others]


def _is_at_work(email: Document) -> bool:
    return fold_case(email.get("type") or "work") == "work"


def _at(document: Document, place: Place) -> Any:
    value: Any = document
    for name in place:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _with(document: Document, place: Place, value: Any) -> Document:
    """The document with that value there; without the attribute, and what is left empty by that, for None."""
    name, *rest = place
    inner = _with(document.get(name) or {}, tuple(rest), value) if rest else value
    kept = {key: each for key, each in document.items() if key != name}
    return kept if inner in (None, {}, []) else {**kept, name: inner}


#: What a column may be called besides the attribute's own name or path.
SHORT_NAMES: Mapping[str, Place] = {
    "email": ("emails",),
    "givenname": ("name", "givenName"),
    "familyname": ("name", "familyName"),
    "manager": (ENTERPRISE_SCHEMA, "manager"),
}
