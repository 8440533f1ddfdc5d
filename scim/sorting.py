"""In which order a search answers (RFC 7644 3.4.2.3): the meaning of `sortBy` and `sortOrder` in plain Python.

Storage asks the same in SQL; the two must agree.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scim.filter_tree import assigned, comparable
from scim.schemas import AttributePath


@dataclass(frozen=True, slots=True)
class Order:
    """By which simple attribute, and whether the greatest comes first.

    Ascending, equals keep the order they have; descending is that read backwards.
    """

    path: AttributePath
    descending: bool = False


NOWHERE: tuple[bool, Any] = (True, None)
"""The key of who has no value: greater than everybody, so last ascending and first descending."""


def sort_key(path: AttributePath, resource: Mapping[str, Any]) -> tuple[bool, Any]:
    """What orders a rendered resource or a document among others: strings by code point, with or without case.

    Of many values the primary one counts, else the first.
    """
    home = resource.get(path.schema, {}) if path.in_extension else resource
    values = assigned(home.get(path.attribute.name))
    if path.sub is not None:
        preferred = next((value for value in values if value.get("primary")), values[0] if values else {})
        values = assigned(preferred.get(path.sub.name))
    return (False, comparable(path.leaf, values[0])) if values else NOWHERE
