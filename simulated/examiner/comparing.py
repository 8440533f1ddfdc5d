"""What a person or a group should hold, held against what the server says of them. Pure."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from simulated.dialects.dialect import ENTERPRISE
from simulated.dialects.people import Person

#: What a server may leave out of its schema; without the others no IdP gets anywhere (RFC 7643 4.1).
OPTIONAL = frozenset({"title", "department", "manager", "displayName"})
_MISSING = object()


@dataclass(frozen=True, slots=True)
class Difference:
    """One attribute that isn't as it should be; `is_missing`: the server says nothing of it.

    `standard` is empty where it is the paragraph of the change that was asked for.
    """

    attribute: str
    expected: str
    got: str
    is_missing: bool
    why: str
    standard: str


def person_differences(person: Person, resource: Mapping[str, Any], unsent: Collection[str]) -> Iterator[Difference]:
    """What differs; `unsent` are fields of Person that were never sent."""
    for attribute, wanted in _wanted(person).items():
        if attribute in unsent:
            continue
        got = _value_at(resource, attribute)
        if not _same(attribute, wanted, got):
            yield _difference(attribute, wanted, got)


def _wanted(person: Person) -> dict[str, Any]:
    """By the name of the attribute, as people know it."""
    always = {
        "userName": person.email,
        "externalId": person.id,
        "active": person.active,
        "name.givenName": person.given_name,
        "name.familyName": person.family_name,
        "displayName": person.name,
        "emails": person.email,
    }
    maybe = {"title": person.title, "department": person.department, "manager": person.manager}
    return always | {name: value for name, value in maybe.items() if value}


def _value_at(resource: Mapping[str, Any], attribute: str) -> Any:
    if attribute == "emails":
        emails = resource.get("emails")
        values = [one["value"] for one in emails if _holds(one, "value")] if isinstance(emails, list) else []
        return values[0] if len(values) == 1 else values or _MISSING
    if attribute == "department":
        return _inside(resource.get(ENTERPRISE), "department")
    if attribute == "manager":
        return _inside(_inside(resource.get(ENTERPRISE), "manager"), "value")
    first, _, rest = attribute.partition(".")
    return _inside(resource.get(first), rest) if rest else _inside(resource, first)


def _inside(value: Any, key: str) -> Any:
    found = value.get(key) if isinstance(value, dict) else None
    return _MISSING if found is None else found


def _holds(value: Any, key: str) -> bool:
    return _inside(value, key) is not _MISSING


def _same(attribute: str, wanted: Any, got: Any) -> bool:
    """userName and addresses have no case (RFC 7643 4.1.1, 8.7.1); a boolean is no string."""
    if attribute in ("userName", "emails") and isinstance(got, str):
        return got.casefold() == str(wanted).casefold()
    return type(got) is type(wanted) and got == wanted


def _difference(attribute: str, wanted: Any, got: Any) -> Difference:
    shown = "nothing" if got is _MISSING else json.dumps(got, ensure_ascii=False)
    why, standard = f"{attribute} isn't what was sent.", ""
    if got is _MISSING:
        why = f"{attribute}, which was sent, isn't there."
    elif attribute == "active" and not isinstance(got, bool):
        why, standard = "active is a string, not a boolean.", "RFC 7643 2.3.2, 4.1.1"
    return Difference(attribute, json.dumps(wanted, ensure_ascii=False), shown, got is _MISSING, why, standard)


def member_ids(resource: Mapping[str, Any]) -> list[str]:
    """The ids of a group's members as the server lists them, repeated where it repeats them."""
    members = resource.get("members")
    listed = members if isinstance(members, list) else []
    return [str(member["value"]) for member in listed if _holds(member, "value")]
