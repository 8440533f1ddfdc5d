"""The picture of access (product.md 5.7): what IdP groups give by the rules, with numbers of people, of one moment."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from bridge.domain.access import RoleInScope
from bridge.domain.group_mapping import CountedGroup
from bridge.domain.picture import (
    EVERY_PATH,
    REST,
    Drawing,
    Edge,
    Masks,
    NodeId,
    NodeKind,
    Only,
    PicturedGroup,
    PicturedRule,
    PicturedUserGroup,
    PictureFacts,
    Route,
    bits,
    count_people,
    draw,
    masks_of,
    masks_of_nodes,
    matching,
    name_nodes,
    name_rule,
    name_scope,
    passing,
    routes_of,
    united,
)
from bridge.domain.roles import MINIMAL, roles_in_plan
from bridge.domain.sentences import Inventory
from bridge.domain.workspace import Workspace
from bridge.flows.context import Context
from bridge.flows.named import get_workspace
from bridge.storage import mappings, picture, resources
from bridge.storage.mappings import StoredMapping
from bridge.storage.people_in_groups import count_by_groups
from bridge.storage.picture import Match

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class PictureWish:
    """What of the picture is asked for: paths through names that hold `search` (of one kind, or any), or through the
    one node that is followed; `alone`: nothing else is drawn. `page` is the table's.
    """

    search: str = ""
    kind: NodeKind | None = None
    follow: NodeId | None = None
    alone: bool = False
    page: int = 1


@dataclass(frozen=True, slots=True)
class NodeSeen:
    """A node that is drawn. `folded`: it stands for so many that are not; `lit`: what is followed passes it."""

    id: NodeId
    name: str
    text: str
    people: int
    folded: int = 0
    lit: bool = False


@dataclass(frozen=True, slots=True)
class RouteSeen:
    """A line of the table: a path, its rule in a word, where its role holds, and how many people it carries."""

    route: Route
    rule: str
    opens: str
    people: int


@dataclass(frozen=True, slots=True)
class RuleCount:
    """The rules that people wrote, and what of them is not in the picture. `silent`: they give nothing here."""

    total: int
    off: int
    unmatched: int
    silent: int


@dataclass(frozen=True, slots=True)
class AccessPicture:
    """The picture and its table. `followed`: the node that is, None for none; `gone`: it was asked for and isn't there.

    `people`: everybody who comes by what is followed, or else by anything that is shown.
    """

    nodes: tuple[NodeSeen, ...]
    ribbons: Mapping[Edge, int]
    lit: Mapping[Edge, int]
    followed: NodeSeen | None
    gone: bool
    routes: tuple[RouteSeen, ...]
    total_routes: int
    people: int
    rules: RuleCount


def get_picture(context: Context, workspace_slug: str, wish: PictureWish, now: datetime) -> AccessPicture:
    """The picture, or a part of it. Raises NotFound."""
    with context.database.snapshot() as rows:
        workspace = get_workspace(rows, workspace_slug)
        seen = _read(rows, workspace, now)
        return _picture(rows, seen, wish, now)


# -- The facts -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Seen:
    """The facts, what storage alone knows of each group (in the order of their bits), and the rules counted."""

    facts: PictureFacts
    matches: tuple[Match, ...]
    rules: RuleCount


def _read(rows: Any, workspace: Workspace, now: datetime) -> _Seen:
    roles = [role for role in roles_in_plan(workspace.plan) if role != MINIMAL.id]
    given = picture.given_to(rows, workspace.key, roles, now)
    user_groups = _user_groups(rows, workspace, given)
    every, matched = mappings.list_of_workspace(rows, workspace.key), picture.matches_now(rows, workspace.key)
    giving = {rule.key for rule in every if rule.key in given or user_groups.get(rule.key)}
    of_rule: dict[int, list[Match]] = {}
    for one in matched:
        if one.mapping_key in giving:
            of_rule.setdefault(one.mapping_key, []).append(one)
    groups = {one.group_key: one for each in of_rule.values() for one in each}
    matches = tuple(sorted(groups.values(), key=lambda one: (one.group.casefold(), one.group_key)))
    bit_of = {one.group_key: bit for bit, one in enumerate(matches)}
    stock = Inventory(tuple(resources.list_resources(rows, workspace.key)))
    facts = PictureFacts(
        groups=tuple(_group(one) for one in matches),
        rules=tuple(
            _rule(rule, of_rule[rule.key], bit_of, user_groups.get(rule.key, ()), given)
            for rule in every
            if rule.key in of_rule
        ),
        user_groups={one.id: one for key in of_rule for one in user_groups.get(key, ())},
        inventory=stock,
        resource_names={one.ref: one.name for one in stock.resources},
    )
    return _Seen(facts, matches, _count_rules(every, giving, {one.mapping_key for one in matched}))


def _user_groups(
    rows: Any, workspace: Workspace, given: Mapping[int, list[RoleInScope]]
) -> dict[int, list[PicturedUserGroup]]:
    """For each rule the User Groups of it that give something."""
    found: dict[int, list[PicturedUserGroup]] = {}
    for rule, key, uid, name in picture.user_groups_of_rules(rows, workspace.key):
        if key in given:
            found.setdefault(rule, []).append(PicturedUserGroup(uid, name, tuple(dict.fromkeys(given[key]))))
    return found


def _group(match: Match) -> PicturedGroup:
    return PicturedGroup(
        match.group_id, match.group, match.connection, match.connection_id, match.asserted, match.members
    )


def _rule(
    rule: StoredMapping,
    matched: Iterable[Match],
    bit_of: Mapping[int, int],
    user_groups: Iterable[PicturedUserGroup],
    given: Mapping[int, list[RoleInScope]],
) -> PicturedRule:
    own = list(matched)
    return PicturedRule(
        id=rule.id,
        match=rule.match.kind,
        value=rule.match.value,
        origin=rule.origin,
        connection=own[0].connection,
        groups=sum(1 << bit_of[one.group_key] for one in own),
        user_groups=tuple(one.id for one in user_groups),
        gives=tuple(dict.fromkeys(given.get(rule.key, ()))),
    )


def _count_rules(every: Iterable[StoredMapping], giving: set[int], matched: set[int]) -> RuleCount:
    written = [rule for rule in every if rule.origin != "mirror"]
    standing = [rule for rule in written if rule.enabled]
    return RuleCount(
        total=len(written),
        off=len(written) - len(standing),
        unmatched=sum(rule.key not in matched for rule in standing),
        silent=sum(rule.key in matched and rule.key not in giving for rule in standing),
    )


# -- The picture of them ---------------------------------------------------------------------------------------------


def _picture(rows: Any, seen: _Seen, wish: PictureWish, now: datetime) -> AccessPicture:
    facts = seen.facts
    follow = wish.follow if wish.follow in masks_of_nodes(masks_of(facts)) else None
    choices = [passing(follow)] if follow else _wished(facts, wish)
    through = united(masks_of(facts, only) for only in choices)
    whole = through if follow is None or wish.alone else masks_of(facts)
    drawing = draw(facts, whole, keep=follow)
    lit = drawing.fold(through) if follow else {}
    page = list(islice(routes_of(facts, choices), (wish.page - 1) * PAGE_SIZE, wish.page * PAGE_SIZE))
    counts = _count(rows, seen, drawing, lit, page, now)
    nodes = _nodes(facts, drawing, counts, lit)
    shown_routes = tuple(
        RouteSeen(route, name_rule(route.rule, facts), name_scope(route.given, facts), counts[("route", route.bit)])
        for route in page
    )
    return AccessPicture(
        nodes=nodes,
        ribbons={edge: counts[("edge", edge)] for edge in drawing.edges},
        lit={edge: counts[("lit", edge)] for edge in lit},
        followed=next((node for node in nodes if node.id == follow), None),
        gone=wish.follow is not None and follow is None,
        routes=shown_routes,
        total_routes=sum(1 for _ in routes_of(facts, choices)),
        people=counts[("all", None)],
        rules=seen.rules,
    )


def _wished(facts: PictureFacts, wish: PictureWish) -> list[Only]:
    return matching(facts, wish.search, wish.kind) if wish.search else [EVERY_PATH]


def _count(
    rows: Any, seen: _Seen, drawing: Drawing, lit: Masks, page: Iterable[Route], now: datetime
) -> dict[tuple[str, Any], int]:
    """People of each node, ribbon, part of a ribbon that is followed, and line of the table, in one statement."""
    wanted: dict[tuple[str, Any], int] = {("node", node): mask for node, mask in drawing.nodes.items()}
    wanted |= {("edge", edge): mask for edge, mask in drawing.edges.items()}
    wanted |= {("lit", edge): mask for edge, mask in lit.items()}
    wanted |= {("route", route.bit): 1 << route.bit for route in page}
    everybody = 0
    for mask in (lit or drawing.edges).values():
        everybody |= mask
    wanted[("all", None)] = everybody
    drawn = everybody
    for mask in wanted.values():
        drawn |= mask
    return count_people(wanted, _people(rows, seen.matches, drawn, now))


def _people(rows: Any, matches: tuple[Match, ...], mask: int, now: datetime) -> Iterator[tuple[list[int], int]]:
    own = {matches[bit].group_key: bit for bit in bits(mask)}
    chosen = [matches[bit] for bit in own.values()]
    groups = [CountedGroup(one.group_key, one.asserted, one.shadowed) for one in chosen]
    for keys, count in count_by_groups(rows, groups, now):
        yield [own[key] for key in keys], count


def _nodes(
    facts: PictureFacts, drawing: Drawing, counts: Mapping[tuple[str, Any], int], lit: Masks
) -> tuple[NodeSeen, ...]:
    named = name_nodes(facts, drawing.nodes)
    passed = masks_of_nodes(lit)
    seen = []
    for node in drawing.nodes:
        folded = drawing.folded.get(node, 0)
        rest = f"{folded:,} more"
        name, text = named.get(node, (rest, rest) if folded else ("", ""))
        seen.append(NodeSeen(node, name, text, counts[("node", node)], folded, node in passed))
    return tuple(sorted(seen, key=lambda one: (one.id.id == REST, -one.people, one.name.casefold(), one.id)))
