"""The rules of a workspace as its owners see them: what each matches now, and whom it reaches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from bridge.domain.errors import NotFound
from bridge.domain.people import fold
from bridge.domain.picture import count_people
from bridge.domain.roles import in_plan
from bridge.domain.workspace import Connection, Workspace
from bridge.flows.context import Context
from bridge.flows.map_groups import MappingFacts, describe_rules
from bridge.flows.named import get_workspace
from bridge.storage import accounts, connections, mappings, overview
from bridge.storage.mappings import StoredGroup, StoredMapping
from bridge.storage.people_in_groups import count_by_groups

PAGE_SIZE = 50
#: So many of a rule's groups are named with it.
FIRST = 12
#: The id and the name of a connection.
Link = tuple[str, str]
#: Why a rule gives what it says, or doesn't. `in_part`: the plan leaves some of its roles out.
RuleState = Literal["on", "off", "connection_off", "unmatched", "not_in_plan", "in_part", "gives_nothing"]
#: States that somebody has to look at.
TROUBLED: frozenset[RuleState] = frozenset(("connection_off", "unmatched", "not_in_plan", "in_part", "gives_nothing"))


@dataclass(frozen=True, slots=True)
class RuleWish:
    """Which rules are asked for: those whose sentence holds `search`, of one connection, on, off or troubled."""

    search: str = ""
    connection_id: str = ""
    state: Literal["", "on", "off", "troubled"] = ""
    page: int = 1


@dataclass(frozen=True, slots=True)
class RuleSeen:
    """A rule by its number (the oldest is 1). `people` are in its groups now, whether or not it gives them anything;
    `groups` names the first of these, and the one group of a rule by id.
    """

    number: int
    facts: MappingFacts
    state: RuleState
    people: int
    groups: tuple[str, ...] = ()

    @property
    def group_name(self) -> str | None:
        """Of a rule by id: the group that it stands for, None where that is gone."""
        return self.groups[0] if self.groups else None


@dataclass(frozen=True, slots=True)
class RulePage:
    """A page of rules, how many are found, and how many there are; `connections` are (id, name) of those that exist."""

    rules: tuple[RuleSeen, ...]
    found: int
    total: int
    connections: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class MappingCounts:
    """How many rules (without mirrors), IdP groups and records of people a workspace has."""

    rules: int
    groups: int
    records: int


def count_mapping(context: Context, workspace_slug: str) -> MappingCounts:
    """How many of each. Raises NotFound."""
    with context.database.reading() as rows:
        return MappingCounts(**overview.count_mapping(rows, get_workspace(rows, workspace_slug).key))


def list_rules(context: Context, workspace_slug: str, wish: RuleWish, now: datetime) -> RulePage:
    """A page of rules, oldest first; those that the system makes for mirrors are not among them. Raises NotFound."""
    with context.database.snapshot() as rows:
        workspace = get_workspace(rows, workspace_slug)
        stored = [one for one in mappings.list_of_workspace(rows, workspace.key) if one.origin != "mirror"]
        links = _connections(rows, workspace)
        enabled = {one.id for one in links if one.enabled}
        every = list(enumerate(describe_rules(rows, workspace, stored), start=1))
        found = [
            (number, facts, state)
            for number, facts in every
            if _is_wished(wish, facts, state := rule_state(facts, workspace, facts.connection_id in enabled))
        ]
        page = found[(wish.page - 1) * PAGE_SIZE : wish.page * PAGE_SIZE]
        shown = {facts.id for _, facts, _ in page}
        groups = {one.id: _groups_of(rows, one) for one in stored if one.id in shown}
        people = people_reached(rows, groups, now)
    seen = tuple(
        RuleSeen(number, facts, state, people[facts.id], tuple(one.group.name for one in groups[facts.id][:FIRST]))
        for number, facts, state in page
    )
    return RulePage(seen, len(found), len(every), _named(links))


@dataclass(frozen=True, slots=True)
class MatchedGroup:
    """An IdP group that a rule matches. `shadowed`: named at sign-ins, and a pushed group of that name decides for whom
    the IdP pushes.
    """

    id: str
    name: str
    asserted: bool
    shadowed: bool
    people: int


@dataclass(frozen=True, slots=True)
class RuleShown:
    """One rule with the first of the IdP groups that it matches, by name. `made_by` names who made it."""

    seen: RuleSeen
    groups: tuple[MatchedGroup, ...]
    made_by: str


def get_rule(context: Context, workspace_slug: str, rule_id: str, now: datetime) -> RuleShown:
    """One rule. Raises NotFound, also for a mirror's, which is no rule that anybody wrote."""
    with context.database.snapshot() as rows:
        workspace = get_workspace(rows, workspace_slug)
        stored = [one for one in mappings.list_of_workspace(rows, workspace.key) if one.origin != "mirror"]
        number, rule = next(
            ((number, one) for number, one in enumerate(stored, start=1) if one.id == rule_id), (0, None)
        )
        if rule is None:
            raise NotFound(f"{workspace.name} has no rule {rule_id[:80]!r}.")
        facts = describe_rules(rows, workspace, [rule])[0]
        enabled = any(one.id == facts.connection_id and one.enabled for one in _connections(rows, workspace))
        groups = sorted(_groups_of(rows, rule), key=lambda one: (fold(one.group.name), one.key))
        sets = {"": groups} | {one.group.id: [one] for one in groups[:FIRST]}
        people = people_reached(rows, sets, now)
        made_by = accounts.names_of_actors(rows, {rule.made_by}).get(rule.made_by, "")
    state = rule_state(facts, workspace, enabled)
    names = tuple(one.group.name for one in groups[:FIRST])
    shown = describe_matched(groups[:FIRST], people)
    return RuleShown(RuleSeen(number, facts, state, people[""], names), shown, made_by)


def _connections(rows: Any, workspace: Workspace) -> list[Connection]:
    return connections.list_connections(rows, workspace.key)


def connections_of(rows: Any, workspace: Workspace) -> tuple[Link, ...]:
    """The (id, name) of each connection of a workspace, for a flow that has begun to read."""
    return _named(_connections(rows, workspace))


def _named(links: Sequence[Connection]) -> tuple[Link, ...]:
    return tuple((one.id, one.name) for one in links)


def describe_matched(groups: Sequence[StoredGroup], people: Mapping[str, int]) -> tuple[MatchedGroup, ...]:
    """Groups that a rule matches, each with its people."""
    return tuple(
        MatchedGroup(one.group.id, one.group.name, one.group.source == "asserted", one.shadowed, people[one.group.id])
        for one in groups
    )


def rule_state(facts: MappingFacts, workspace: Workspace, connection_enabled: bool) -> RuleState:
    """Whether a rule gives what it says, and if not, the first reason."""
    if not facts.enabled:
        return "off"
    if not connection_enabled:
        return "connection_off"
    if not facts.matched_groups:
        return "unmatched"
    if not facts.roles and not facts.user_groups:
        return "gives_nothing"
    left_out = sum(not in_plan(given.role, workspace.plan) for given in facts.roles)
    if left_out and left_out == len(facts.roles) and not facts.user_groups:
        return "not_in_plan"
    return "in_part" if left_out else "on"


def _is_wished(wish: RuleWish, facts: MappingFacts, state: RuleState) -> bool:
    if wish.connection_id and wish.connection_id != facts.connection_id:
        return False
    if wish.state and wish.state != ("troubled" if state in TROUBLED else state):
        return False
    return fold(wish.search) in fold(facts.sentence)


def people_reached(rows: Any, groups: Mapping[str, Sequence[StoredGroup]], now: datetime) -> dict[str, int]:
    """How many people are in each of these sets of IdP groups, each counted once in each. One statement."""
    every = {one.key: one for own in groups.values() for one in own}
    bit_of = {key: bit for bit, key in enumerate(every)}
    masks = {rule: sum(1 << bit_of[one.key] for one in own) for rule, own in groups.items()}
    counted = count_by_groups(rows, [one.counted for one in every.values()], now)
    return count_people(masks, (([bit_of[key] for key in keys], count) for keys, count in counted))


def _groups_of(rows: Any, rule: StoredMapping) -> list[StoredGroup]:
    return mappings.groups_of_match(rows, rule.connection_key, rule.match)
