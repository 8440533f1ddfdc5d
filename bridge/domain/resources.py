"""Resources of a workspace: sources, warehouses, functions, spaces, tracking plans (product.md 1.5)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bridge.domain.access import HeldGrant, ResourceRef
from bridge.domain.errors import Invalid
from bridge.domain.labels import Label, LabelFacts
from bridge.domain.people import fold


@dataclass(frozen=True, slots=True)
class Resource:
    """What roles are given on. `ref.id` is the application's own id of it, unique for its type in a workspace."""

    ref: ResourceRef
    name: str
    slug: str
    labels: frozenset[Label] = frozenset()


@dataclass(frozen=True, slots=True)
class ResourceQuery:
    """What of the resources is looked at: those whose name, id or a label holds `search`, of one type, with one label
    or (`unlabelled`) with none; which page, of how many.
    """

    search: str = ""
    type: str = ""
    label: Label | None = None
    unlabelled: bool = False
    page: int = 1
    size: int = 50

    @property
    def skipped(self) -> int:
        """How many come before the page."""
        return (self.page - 1) * self.size


@dataclass(frozen=True, slots=True)
class ResourcesFound:
    """A page of resources by type and name, how many fit, and how many there are at all of each type and label."""

    resources: tuple[Resource, ...]
    total: int
    by_type: Mapping[str, int]
    by_label: Mapping[Label, int]
    unlabelled: int


def browse(every: Sequence[Resource], query: ResourceQuery) -> ResourcesFound:
    """Those of `every`, which are in order, that a query asks for."""
    found = [one for one in every if _fits(one, query)]
    return ResourcesFound(
        resources=tuple(found[query.skipped : query.skipped + query.size]),
        total=len(found),
        by_type=Counter(one.ref.type for one in every),
        by_label=Counter(label for one in every for label in one.labels),
        unlabelled=sum(not one.labels for one in every),
    )


def _fits(one: Resource, query: ResourceQuery) -> bool:
    if query.type and one.ref.type != query.type:
        return False
    if (query.unlabelled and one.labels) or (query.label and query.label not in one.labels):
        return False
    texts = (one.name, one.ref.id, *map(str, one.labels))
    return not query.search or any(fold(query.search) in fold(text) for text in texts)


@dataclass(frozen=True, slots=True)
class LabelUse:
    """What uses a label: the first resources that carry it, a page of the grants that name it, and the addresses of
    those whom a pending invitation promises a role on it.

    `after` is where the page of grants after this one begins, None after the last.
    """

    facts: LabelFacts
    resources: tuple[Resource, ...]
    grants: tuple[HeldGrant, ...]
    promised: tuple[str, ...] = ()
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
