"""The people and groups that an examination makes up. Names are hard on purpose; addresses can't be anybody's."""

from collections.abc import Sequence

from simulated.dialects.dialect import ENTERPRISE, GROUP, USER
from simulated.dialects.people import Group, Person
from simulated.dialects.scim_client import Resource

#: No mail can ever reach it (RFC 2606).
DOMAIN = "simulate.example"

#: Letters of several alphabets, apostrophes, quotes, and a name of 120 letters.
_NAMES = (
    ("ana", "Ana", "Costa"),
    ("o'brien", "Siobhán", "O'Brien"),
    ("zoe", "Zoë", "Škvorecký-Müller"),
    ("li", "李", "小龍"),
    ("long", "Wolfeschlegelsteinhausen" * 5, 'von "Berg" \\ Söhne'),
)


def people(tag: str, count: int) -> list[Person]:
    """`count` people, whose addresses and ids hold `tag`."""
    return [_person(tag, number) for number in range(count)]


def _person(tag: str, number: int) -> Person:
    local, given, family = _NAMES[number % len(_NAMES)]
    turn = number // len(_NAMES)
    local = f"{local}{turn}" if turn else local
    return Person(f"00u{tag}{number}", f"{local}.{tag}@{DOMAIN}", given, family, "Engineer", "R&D")


def stranger(tag: str) -> Person:
    """Somebody with an attribute that no standard knows."""
    return Person(f"00u{tag}custom", f"custom.{tag}@{DOMAIN}", "Custom", "Attribute", custom="blue")


def groups(tag: str, count: int) -> Sequence[Group]:
    """`count` groups, whose names hold `tag`."""
    return [Group(f"00g{tag}{number}", f"Équipe {number + 1} {tag}") for number in range(count)]


def plain_person(person: Person) -> Resource:
    """As the standard writes somebody down (RFC 7643 4.1), without a word of any vendor's."""
    return {
        "schemas": [USER, ENTERPRISE],
        "userName": person.email,
        "externalId": person.id,
        "name": {"givenName": person.given_name, "familyName": person.family_name},
        "displayName": person.name,
        "title": person.title,
        "emails": [{"value": person.email, "type": "work", "primary": True}],
        "active": person.active,
        ENTERPRISE: {"department": person.department},
    }


def plain_group(group: Group) -> Resource:
    """As the standard writes a group down (RFC 7643 4.2)."""
    return {"schemas": [GROUP], "displayName": group.name, "externalId": group.id}
