"""Resources of a workspace: sources, warehouses, functions, spaces, tracking plans (product.md 1.5)."""

from dataclasses import dataclass

from bridge.domain.access import HeldGrant, ResourceRef
from bridge.domain.errors import Invalid
from bridge.domain.labels import Label, LabelFacts


@dataclass(frozen=True, slots=True)
class Resource:
    """What roles are given on. `ref.id` is the application's own id of it, unique for its type in a workspace."""

    ref: ResourceRef
    name: str
    slug: str
    labels: frozenset[Label] = frozenset()


@dataclass(frozen=True, slots=True)
class LabelUse:
    """What uses a label: the first resources that carry it, and a page of the grants that name it.

    `after` is where the page of grants after this one begins, None after the last.
    """

    facts: LabelFacts
    resources: tuple[Resource, ...]
    grants: tuple[HeldGrant, ...]
    after: int | None = None


@dataclass(frozen=True, slots=True)
class ResourceUse:
    """What hangs on a resource: grants that list nothing else, grants that list others too, open access requests."""

    alone: int
    among: int
    requests: int


def parse_resource_id(text: str) -> str:
    """An application's id of a resource: 1 to 200 printable characters, no space. Raises Invalid."""
    if not 1 <= len(text) <= 200 or not text.isprintable() or any(character.isspace() for character in text):
        raise Invalid("A resource's id has 1 to 200 printable characters and no space.", field="id")
    return text
