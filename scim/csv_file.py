"""People from CSV (RFC 4180): a heading of attribute names, a row a person, their groups in one cell.

    userName,email,givenName,familyName,active,externalId,department,groups
    ann@kicks.example,ann@kicks.example,Ann,Doe,true,E17,Engineering,eng-prod;all-staff

A heading is the name of an attribute that has one value, or its path (`name.formatted`, `URN:department`), in any case;
`email` is the address at work. An empty cell clears, but for `active`, which then stays as it is.

Cells are parted by whatever parts the headings: a comma, a semicolon or a tab, as Excel writes them, depending on the
country that it is set to. A row in which nothing stands is no row.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scim.directory_file import SHORT_NAMES, Collected, DirectoryFile, GroupInFile, Place
from scim.errors import ScimError
from scim.resources import parse_document, parse_group
from scim.schemas import ENTERPRISE_SCHEMA, ENTERPRISE_USER, USER, AttributePath, fold_case

_GROUPS = "groups"
#: None of them is part of the name of a column.
_PARTING = re.compile("[,;\t]")


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where each cell of a row goes: to a place in the person's resource, or to their groups."""

    places: tuple[Place | None, ...]
    of_people: tuple[Place, ...]


def parse_csv(text: str) -> DirectoryFile:
    """The people and groups of a CSV, and its faults."""
    found = Collected()
    rows = _rows(text, found)
    line, heading = next(rows, (1, []))
    columns = _parse_heading(line, heading, found)
    groups: dict[str, GroupInFile] = {}
    if columns is not None:
        for line, row in rows:
            _read_row(line, row, columns, found, groups)
    names_groups = columns is not None and None in columns.places
    return found.done("groups of people" if names_groups else "nothing")


def _rows(text: str, found: Collected) -> Iterator[tuple[int, list[str]]]:
    """The heading and each row in which something stands, with the line that it begins in; ends at what is no CSV."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    line, is_heading = 1, True
    try:
        for row in reader:
            if (is_heading and row) or any(map(str.strip, row)):
                yield line, row
                is_heading = False
            line = reader.line_num + 1
    except csv.Error as error:
        found.refuse(line, f"This is not CSV: {error}.")


def _delimiter(text: str) -> str:
    parting = _PARTING.search(text.lstrip("\r\n").splitlines()[0])
    return parting[0] if parting else ","


def _parse_heading(line: int, heading: list[str], found: Collected) -> _Columns | None:
    """The columns, or None where they can't be read: then no row is worth a look."""
    names = [name.strip() for name in heading]
    if not any(names):
        found.refuse(line, "The first line must name the columns: userName and others.")
        return None
    if len(names) == 1 and "|" in names[0]:
        found.refuse(line, "Columns are separated by commas, semicolons or tabs, not by '|'.")
        return None
    places = [_parse_column(name) for name in names]
    unknown = [name for name, place in zip(names, places, strict=True) if place is None and name.lower() != _GROUPS]
    for name in unknown:
        found.refuse(
            line, f"There is no column {name[:100]!r}: a column is an attribute of User with one value, or {_GROUPS}."
        )
    known = [(name, place) for name, place in zip(names, places, strict=True) if name not in unknown]
    counts = Counter(place for _, place in known)
    for name in sorted({name for name, place in known if counts[place] > 1}):
        found.refuse(line, f"The column {name[:100]!r} is there twice, or another one means the same.")
    if ("userName",) not in places:
        found.refuse(line, "The column userName is missing.")
    return None if found.faults else _Columns(tuple(places), tuple(place for place in places if place is not None))


def _parse_column(name: str) -> Place | None:
    if name.lower() in SHORT_NAMES:
        return SHORT_NAMES[name.lower()]
    path = USER.find(name) or _extended(name)
    if (
        path is None
        or path.attribute.multi_valued
        or path.leaf.mutability != "readWrite"
        or path.leaf.type == "complex"
    ):
        return None
    names = (path.attribute.name,) if path.sub is None else (path.attribute.name, path.sub.name)
    return (ENTERPRISE_SCHEMA, *names) if path.schema == ENTERPRISE_SCHEMA else names


def _extended(name: str) -> AttributePath | None:
    """An attribute of the enterprise extension by its bare name: `department`."""
    attribute = ENTERPRISE_USER.find(name)
    return None if attribute is None else AttributePath(attribute, None, ENTERPRISE_SCHEMA)


def _read_row(line: int, row: list[str], columns: _Columns, found: Collected, groups: dict[str, GroupInFile]) -> None:
    if len(row) != len(columns.places):
        found.refuse(line, f"This row has {len(row)} cells where the heading has {len(columns.places)}.")
        return
    try:
        person = found.add_person(line, parse_document(_body(row, columns)), columns.of_people)
        for cell, place in zip(row, columns.places, strict=True):
            for name in _names_in(cell) if place is None else ():
                _group(line, name, found, groups).members.append(person)
    except ScimError as error:
        found.refuse(line, error)


def _body(row: list[str], columns: _Columns) -> Mapping[str, Any]:
    """The row as a SCIM resource."""
    body: dict[str, Any] = {}
    for cell, place in zip(row, columns.places, strict=True):
        value = cell.strip()
        if value and place is not None:
            inner = body
            for name in place[:-1]:
                inner = inner.setdefault(name, {})
            inner[place[-1]] = [{"value": value, "type": "work", "primary": True}] if place == ("emails",) else value
    return body


def _names_in(cell: str) -> Iterator[str]:
    """The groups that a cell names, each once, without regard to case."""
    seen: set[str] = set()
    for name in map(str.strip, cell.split(";")):
        if name and fold_case(name) not in seen:
            seen.add(fold_case(name))
            yield name


def _group(line: int, name: str, found: Collected, groups: dict[str, GroupInFile]) -> GroupInFile:
    """The group of that name, without regard to case: the same for everybody in the file."""
    key = fold_case(name)
    if key not in groups:
        groups[key] = found.add_group(line, parse_group({"displayName": name}))
    return groups[key]
