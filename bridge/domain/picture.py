"""The picture of access (product.md 5.7): IdP groups → rules → User Groups → roles → resources, with numbers of people.

Who passes what is a matter of IdP groups alone: everybody in a group has what its rules make of it. So each node and
each ribbon has a *mask*, the IdP groups whose people pass it, as the bits of a number; people are counted over those
(`count_people`), each once, however many groups they are in. That takes as long as there are facts, not as long as
there are paths.

A rule that gives a role itself passes the column of User Groups by a node of kind `pass`, which is nothing to look at.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Literal, NamedTuple, TypeVar

from bridge.domain.access import ResourceRef, RoleInScope
from bridge.domain.group_mapping import MatchKind
from bridge.domain.people import fold
from bridge.domain.roles import OWNER, RESOURCE_TYPES
from bridge.domain.sentences import Inventory, counted, describe_permission

Key = TypeVar("Key")
NodeKind = Literal["idp", "rule", "group", "pass", "role", "resource"]
#: The kinds in the order of their columns; `pass` stands in the column of User Groups.
COLUMNS: tuple[NodeKind, ...] = ("idp", "rule", "group", "role", "resource")
#: So many nodes of a column are drawn; the rest is one node, "9 more".
MOST_DRAWN = 12
#: The id of the node that stands for the rest of its column.
REST = "rest"
_NAMED = 2
_TIES = {"mirror": "mirrored", "link": "linked"}


class NodeId(NamedTuple):
    """One node: its kind, and its outside id in that kind."""

    kind: NodeKind
    id: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


Edge = tuple[NodeId, NodeId]
Masks = dict[Edge, int]


@dataclass(frozen=True, slots=True)
class PicturedGroup:
    """An IdP group that some rule matches; `members` as the directory counts them."""

    id: str
    name: str
    connection: str
    connection_id: str
    asserted: bool
    members: int


@dataclass(frozen=True, slots=True)
class PicturedRule:
    """A rule that is on: the groups it matches (a mask), the User Groups it gives by their ids, and its own roles."""

    id: str
    match: MatchKind
    value: str
    origin: str
    connection: str
    groups: int
    user_groups: tuple[str, ...]
    gives: tuple[RoleInScope, ...]


@dataclass(frozen=True, slots=True)
class PicturedUserGroup:
    """A User Group that some rule gives."""

    id: str
    name: str
    gives: tuple[RoleInScope, ...]


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """All that is drawn: what gives more than seeing the workspace. A group's bit is its place in `groups`."""

    groups: tuple[PicturedGroup, ...]
    rules: tuple[PicturedRule, ...]
    user_groups: Mapping[str, PicturedUserGroup]
    inventory: Inventory
    resource_names: Mapping[ResourceRef, str]


@dataclass(frozen=True, slots=True)
class Route:
    """One path through all columns: `user_group` None where the rule gives the role itself. `bit` is the group's."""

    bit: int
    group: PicturedGroup
    rule: PicturedRule
    user_group: PicturedUserGroup | None
    given: RoleInScope

    def nodes(self) -> tuple[NodeId, ...]:
        """What it passes, from left to right; of the User Groups nothing where there is none."""
        user_group = (NodeId("group", self.user_group.id),) if self.user_group else ()
        ends = (NodeId("role", self.given.role.id), resource_node(self.given))
        return (NodeId("idp", self.group.id), NodeId("rule", self.rule.id), *user_group, *ends)


# -- Names -----------------------------------------------------------------------------------------------------------


def resource_node(given: RoleInScope) -> NodeId:
    """Where a role holds, as a node: one for each scope, whichever role holds there."""
    if given.role.resource_type is None:
        return NodeId("resource", "everything" if given.role is OWNER else "workspace")
    terms = "\n".join([given.role.resource_type, *given.scope.render()])
    return NodeId("resource", sha256(terms.encode()).hexdigest()[:16])


def name_scope(given: RoleInScope, facts: PictureFacts) -> str:
    """`all sources (11)`, `environment:prod sources (6)`, `iOS Prod, Android Prod`, `3 sources`, `everything`."""
    words = _scope_words(given, facts)
    if given.role.resource_type is None or given.scope.kind != "list":
        reached = len(facts.inventory.reached(given)) if given.role.resource_type else 0
        return f"{words[0]} ({reached:,})" if given.role.resource_type else words[0]
    return ", ".join(words) if len(words) <= _NAMED else counted(len(words), *RESOURCE_TYPES[given.role.resource_type])


def _scope_words(given: RoleInScope, facts: PictureFacts) -> list[str]:
    """The words of a scope that one may look for: nothing is counted, since that takes the longer the more there is."""
    if given.role.resource_type is None:
        return ["everything" if given.role is OWNER else "the workspace"]
    plural = RESOURCE_TYPES[given.role.resource_type][1]
    if given.scope.kind == "all":
        return [f"all {plural}"]
    if given.scope.kind == "labels":
        return [f"{' + '.join(map(str, sorted(given.scope.labels)))} {plural}"]
    return sorted((facts.resource_names.get(ref, str(ref)) for ref in given.scope.resources), key=fold)


def name_rule(rule: PicturedRule, facts: PictureFacts) -> str:
    """A rule in one word or two: its pattern or name; of a rule by id the group's name; a tie's is what it is."""
    if rule.origin in _TIES:
        return _TIES[rule.origin]
    if rule.match in ("glob", "name"):
        return rule.value
    own = [facts.groups[bit].name for bit in bits(rule.groups)]
    return own[0] if own else rule.value


def name_nodes(facts: PictureFacts, wanted: Collection[NodeId]) -> dict[NodeId, tuple[str, str]]:
    """Of each of these nodes its name, and a sentence that says more."""
    named: dict[NodeId, tuple[str, str]] = {}
    for group in facts.groups:
        how = "named at sign-ins" if group.asserted else "pushed"
        named[NodeId("idp", group.id)] = (group.name, f"IdP group {group.name}, {how} by {group.connection}")
    for rule in facts.rules:
        name = name_rule(rule, facts)
        named[NodeId("rule", rule.id)] = (name, f"Rule for {rule.connection} groups: {name}")
    for user_group in facts.user_groups.values():
        named[NodeId("group", user_group.id)] = (user_group.name, f"User Group {user_group.name}")
    for given in _every_given(facts):
        role, end = NodeId("role", given.role.id), resource_node(given)
        named[role] = (given.role.name, f"Role {given.role.name}")
        if end in wanted and end not in named:
            named[end] = (name_scope(given, facts), f"{given.role.name}: {describe_permission(given, facts.inventory)}")
    return {node: named[node] for node in wanted if node in named}


def _every_given(facts: PictureFacts) -> dict[RoleInScope, None]:
    """What rules and User Groups give, each once."""
    of_rules = (given for rule in facts.rules for given in rule.gives)
    of_groups = (given for user_group in facts.user_groups.values() for given in user_group.gives)
    return dict.fromkeys([*of_rules, *of_groups])


# -- What passes what ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Only:
    """The paths that pass one of these nodes; a kind without any is not narrowed."""

    nodes: Mapping[NodeKind, frozenset[str]]

    def has(self, kind: NodeKind, node_id: str) -> bool:
        """Whether a path may pass this node."""
        return kind not in self.nodes or node_id in self.nodes[kind]

    def takes(self, given: RoleInScope) -> bool:
        """Whether a path may end so."""
        return self.has("role", given.role.id) and self.has("resource", resource_node(given).id)


EVERY_PATH = Only({})


def passing(node: NodeId) -> Only:
    """The paths that pass one node."""
    return Only({node.kind: frozenset({node.id})})


def masks_of(facts: PictureFacts, only: Only = EVERY_PATH) -> Masks:
    """The ribbons of the paths that `only` takes, each with the groups whose people pass it."""
    masks: Masks = {}
    universe = _mask(bit for bit, group in enumerate(facts.groups) if only.has("idp", group.id))
    for rule in facts.rules:
        mask, node = rule.groups & universe, NodeId("rule", rule.id)
        ways = _ways(facts, rule, only) if mask and only.has("rule", rule.id) else []
        for holder, gives in ways:
            masks[node, holder] = mask
            _add_ends(masks, holder, mask, gives)
        if ways:
            masks |= {(NodeId("idp", facts.groups[bit].id), node): 1 << bit for bit in bits(mask)}
    return masks


def _ways(facts: PictureFacts, rule: PicturedRule, only: Only) -> list[tuple[NodeId, list[RoleInScope]]]:
    """What stands between a rule and its roles, with these, as far as `only` takes paths through it."""
    holders = [(NodeId("group", each), facts.user_groups[each].gives) for each in rule.user_groups]
    holders = [(node, gives) for node, gives in holders if only.has("group", node.id)]
    if "group" not in only.nodes:
        holders.append((NodeId("pass", rule.id), rule.gives))
    taken = [(node, [given for given in gives if only.takes(given)]) for node, gives in holders]
    return [(node, gives) for node, gives in taken if gives]


def _add_ends(masks: Masks, holder: NodeId, mask: int, gives: Iterable[RoleInScope]) -> None:
    for given in gives:
        role, end = NodeId("role", given.role.id), resource_node(given)
        for edge in ((holder, role), (role, end)):
            masks[edge] = masks.get(edge, 0) | mask


def matching(facts: PictureFacts, text: str, kind: NodeKind | None = None) -> list[Only]:
    """The paths that pass a node whose name holds `text`, of one kind or of any: one choice for each kind."""
    wanted, found = fold(text), dict[NodeKind, set[str]]()
    for node_kind, node_id, words in _searchable(facts):
        if (kind is None or kind == node_kind) and any(wanted in fold(word) for word in words):
            found.setdefault(node_kind, set()).add(node_id)
    return [Only({each: frozenset(ids)}) for each, ids in found.items()]


def _searchable(facts: PictureFacts) -> Iterator[tuple[NodeKind, str, list[str]]]:
    for group in facts.groups:
        yield "idp", group.id, [group.name]
    for rule in facts.rules:
        yield "rule", rule.id, [name_rule(rule, facts)]
    for user_group in facts.user_groups.values():
        yield "group", user_group.id, [user_group.name]
    for given in _every_given(facts):
        yield "role", given.role.id, [given.role.name]
        yield "resource", resource_node(given).id, _scope_words(given, facts)


def united(several: Iterable[Masks]) -> Masks:
    """The ribbons of any of these."""
    every: Masks = {}
    for masks in several:
        for edge, mask in masks.items():
            every[edge] = every.get(edge, 0) | mask
    return every


def routes_of(facts: PictureFacts, choices: Collection[Only]) -> Iterator[Route]:
    """The paths that any of `choices` takes, by the groups' names; lazily, since there may be very many."""
    of_group: dict[int, list[PicturedRule]] = {}
    for rule in facts.rules:
        for bit in bits(rule.groups):
            of_group.setdefault(bit, []).append(rule)
    for bit, group in sorted(enumerate(facts.groups), key=lambda each: (fold(each[1].name), each[1].id)):
        for rule in of_group.get(bit, ()):
            for holder in (*(facts.user_groups[each] for each in rule.user_groups), None):
                for given in rule.gives if holder is None else holder.gives:
                    route = Route(bit, group, rule, holder, given)
                    if any(_takes(only, route) for only in choices):
                        yield route


def _takes(only: Only, route: Route) -> bool:
    return all(_passes(route, kind, ids) for kind, ids in only.nodes.items())


def _passes(route: Route, kind: NodeKind, ids: frozenset[str]) -> bool:
    if kind == "idp":
        return route.group.id in ids
    if kind == "rule":
        return route.rule.id in ids
    if kind == "group":
        return route.user_group is not None and route.user_group.id in ids
    return (route.given.role.id if kind == "role" else resource_node(route.given).id) in ids


# -- What is drawn ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Drawing:
    """Nodes and ribbons that are drawn, with their masks. `folded`: how many nodes each rest stands for."""

    nodes: Mapping[NodeId, int]
    edges: Masks
    folded: Mapping[NodeId, int]
    places: Mapping[NodeId, NodeId]

    def fold(self, masks: Masks) -> Masks:
        """The same ribbons as this drawing shows them; those it doesn't show are left out."""
        moved: Masks = {}
        for (source, target), mask in masks.items():
            edge = (self.places.get(source, source), self.places.get(target, target))
            if edge in self.edges:
                moved[edge] = moved.get(edge, 0) | mask
        return moved


def draw(facts: PictureFacts, masks: Masks, *, keep: NodeId | None = None, most: int = MOST_DRAWN) -> Drawing:
    """The largest nodes of each column, and one for the rest of it; `keep` is drawn whatever its size."""
    nodes = masks_of_nodes(masks)
    sizes = [group.members for group in facts.groups]
    places: dict[NodeId, NodeId] = {}
    folded: dict[NodeId, int] = {}
    for kind in COLUMNS:
        own = [node for node in nodes if node.kind == kind]
        small = _small(own, {node: sum(sizes[bit] for bit in bits(nodes[node])) for node in own}, keep, most)
        if small:
            folded[NodeId(kind, REST)] = len(small)
            places |= {node: NodeId(kind, REST) for node in small}
    places |= {
        node: NodeId("pass", REST)
        for node in nodes
        if node.kind == "pass" and places.get(NodeId("rule", node.id)) is not None
    }
    drawing = Drawing({}, {}, folded, places)
    moved: Masks = {}
    for (source, target), mask in masks.items():
        edge = (places.get(source, source), places.get(target, target))
        moved[edge] = moved.get(edge, 0) | mask
    return replace(drawing, nodes=masks_of_nodes(moved), edges=moved)


def _small(own: list[NodeId], weights: Mapping[NodeId, int], keep: NodeId | None, most: int) -> list[NodeId]:
    if len(own) <= most:
        return []
    ranked = sorted(own, key=lambda node: (node != keep, -weights[node], node))
    return ranked[most:]


def masks_of_nodes(masks: Masks) -> dict[NodeId, int]:
    """The nodes at the ends of ribbons, each with the groups whose people pass it."""
    nodes: dict[NodeId, int] = {}
    for (source, target), mask in masks.items():
        nodes[source] = nodes.get(source, 0) | mask
        nodes[target] = nodes.get(target, 0) | mask
    return nodes


def count_people(masks: Mapping[Key, int], people: Iterable[tuple[Iterable[int], int]]) -> dict[Key, int]:
    """For each mask the people in any of its groups. `people`: how many are in which groups (their bits) and no other.

    First by which masks somebody counts in, of which there are few: the groups of 100,000 people take a second.
    """
    keys = list(masks)
    of_bit: dict[int, int] = {}
    for place, key in enumerate(keys):
        for bit in bits(masks[key]):
            of_bit[bit] = of_bit.get(bit, 0) | 1 << place
    together: Counter[int] = Counter()
    for own_bits, count in people:
        places = 0
        for bit in own_bits:
            places |= of_bit.get(bit, 0)
        together[places] += count
    totals = dict.fromkeys(keys, 0)
    for places, count in together.items():
        for place in bits(places):
            totals[keys[place]] += count
    return totals


def bits(mask: int) -> Iterator[int]:
    """The places of the bits that are set, lowest first."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def _mask(places: Iterable[int]) -> int:
    return sum(1 << place for place in places)
