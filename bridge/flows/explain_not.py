"""Why not: what stands in the way of a person, which paths nearly give it, and what would (product.md 5.4)."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bridge.domain.access import BecauseKind
from bridge.domain.group_mapping import group_matches
from bridge.domain.obstacles import (
    NearMiss,
    Obstacle,
    Wanted,
    connection_disabled,
    group_shadowed,
    group_stale,
    held_out,
    no_member,
    obstacles_of_grant,
    removed,
    rule_off,
)
from bridge.domain.people import fold
from bridge.domain.roles import Level, roles_giving
from bridge.domain.workspace import Membership, Workspace
from bridge.flows.context import Context
from bridge.flows.explain import Question, WayToGet, resource_asked, ways_to_get
from bridge.flows.named import get_workspace
from bridge.storage import connections, mappings, nearly, people, user_groups
from bridge.storage.mappings import StoredMapping
from bridge.storage.members import records_of
from bridge.storage.nearly import CandidateGrant, GroupAtHand
from bridge.storage.resources import find_resource

#: So many near misses are told, the nearest first; the rest is counted.
MOST_TOLD = 20
_MOST_OFF = 20
#: What a near miss's obstacles weigh: a switch is nearer than another scope, and that nearer than another role.
_WEIGHTS = {"role_reads_only": 4, "resource_not_listed": 3, "label_missing": 2, "scope_not_everywhere": 2}


@dataclass(frozen=True, slots=True)
class WhyNot:
    """Why somebody may not: what stands in the way of them whatever they are given; paths that nearly give it, the
    nearest first, `total` of them; and what would give it, ways that are blocked themselves last.
    """

    person: tuple[Obstacle, ...]
    nearly: tuple[NearMiss, ...]
    total: int
    ways: tuple[WayToGet, ...]


def why_not(context: Context, workspace_slug: str, email: str, question: Question, now: datetime) -> WhyNot:
    """What to say of a question that is answered with no. Raises NotFound for an unknown workspace or resource."""
    with context.database.snapshot() as rows:
        workspace = get_workspace(rows, workspace_slug)
        user = people.find_user_by_email(rows, email)
        member = people.find_member(rows, workspace.key, user.key) if user else None
        candidates = _candidates(rows, workspace, question, member.key if member else None)
        wanted = _wanted(rows, workspace, question)
        person: tuple[Obstacle, ...] = (no_member(email, workspace.name),)
        missed: list[NearMiss] = []
        if user is not None and member is not None:
            person = _in_the_way(rows, user.name, member)
            missed = list(_near_misses(rows, workspace, member, candidates, wanted, now))
        given = [one for one in candidates if member is None or one.principal != member.key]
        ways = ways_to_get(rows, workspace, question, wanted.labels, given, now)
        ways = (*ways, *_blocked_ways(rows, workspace, given, wanted, now))
    missed = sorted((one for one in missed if one.obstacles or person), key=_distance)
    return WhyNot(person, tuple(missed[:MOST_TOLD]), len(missed), ways)


def _wanted(rows: Any, workspace: Workspace, question: Question) -> Wanted:
    resource_asked(rows, workspace, question)  # refuses one that isn't there
    wanted = Wanted(question.action, question.type, workspace.plan)
    if question.resource is None:
        return wanted
    found = find_resource(rows, workspace.key, question.resource)
    if found is None:
        raise AssertionError("a resource that was there a moment ago, in one snapshot")
    return replace(wanted, resource=question.resource, name=found[1].name, labels=found[1].labels)


def _candidates(rows: Any, workspace: Workspace, question: Question, member: int | None) -> list[CandidateGrant]:
    roles = roles_giving(question.type, Level.READ, "business")
    return nearly.candidate_grants(rows, workspace.key, member, roles)


def near_misses(
    rows: Any, workspace: Workspace, name: str, member: Membership, question: Question, now: datetime
) -> tuple[tuple[Obstacle, ...], list[NearMiss]]:
    """What stands in the way of a member, and every path that would give it but for what stands in its own.

    A path without an obstacle gives it, unless something stands in the way of the member.
    """
    candidates, wanted = _candidates(rows, workspace, question, member.key), _wanted(rows, workspace, question)
    return _in_the_way(rows, name, member), list(_near_misses(rows, workspace, member, candidates, wanted, now))


def _in_the_way(rows: Any, name: str, member: Membership) -> tuple[Obstacle, ...]:
    gone = (removed(name, nearly.stands_since(rows, member.key)),) if member.status == "removed" else ()
    records = records_of(rows, [member.key]).get(member.key, ())
    held = (held_out(name, (one.connection_id, one.connection), pushed=one.pushed) for one in records if one.holds_out)
    return (*gone, *held)


def _distance(one: NearMiss) -> tuple[int, str, str, str]:
    weight = sum(_WEIGHTS.get(obstacle.kind, 1) for obstacle in one.obstacles)
    return weight, one.role.name, one.user_group or one.mapping or "", one.grant_id


# -- Ways to a grant ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Chain:
    """A way from the person to a principal, with what stands in it."""

    kind: BecauseKind
    principal: int
    user_group: int | None = None
    rule: StoredMapping | None = None
    at_hand: tuple[GroupAtHand, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()


def _near_misses(
    rows: Any,
    workspace: Workspace,
    member: Membership,
    candidates: Collection[CandidateGrant],
    wanted: Wanted,
    now: datetime,
) -> Iterator[NearMiss]:
    held: dict[int, list[CandidateGrant]] = {}
    for grant in candidates:
        held.setdefault(grant.principal, []).append(grant)
    chains = [chain for chain in _chains(rows, workspace, member, held, now) if chain.principal in held]
    groups = {chain.user_group for chain in chains if chain.user_group is not None}
    named = {one.key: (one.group.id, one.group.name) for one in user_groups.by_keys(rows, groups)} if groups else {}
    for chain in chains:
        for grant in held[chain.principal]:
            own = obstacles_of_grant(grant.role, grant.scope, grant.expires_at, wanted, now)
            yield _near_miss(chain, grant, (*chain.obstacles, *own), named)


def _near_miss(
    chain: _Chain, grant: CandidateGrant, obstacles: tuple[Obstacle, ...], named: Mapping[int, tuple[str, str]]
) -> NearMiss:
    miss = NearMiss(chain.kind, grant.role, grant.scope, grant.uid, obstacles)
    if chain.user_group is not None:
        uid, name = named[chain.user_group]
        miss = replace(miss, user_group_id=uid, user_group=name)
    if chain.rule is None:
        return miss
    uid, name = chain.at_hand[0].connection
    names = tuple(sorted({one.group.name for one in chain.at_hand}, key=fold))
    miss = replace(miss, mapping_id=chain.rule.id, mapping=chain.rule.match.value)
    return replace(miss, connection_id=uid, connection=name, idp_groups=names)


def _chains(
    rows: Any, workspace: Workspace, member: Membership, principals: Collection[int], now: datetime
) -> Iterator[_Chain]:
    yield _Chain("individual", member.key)
    for key in nearly.user_groups_by_hand(rows, member.key):
        yield _Chain("user_group", key, key)
    at_hand = nearly.groups_at_hand(rows, member.key)
    rules = nearly.rules_giving(rows, workspace.key, principals, of={one.connection_key for one in at_hand})
    given = mappings.user_groups_given(rows, [rule.key for rule in rules])
    by_value = _by_value(at_hand)
    for rule in rules:
        nearest = _nearest(rule, _taken(rule, at_hand, by_value), now)
        if nearest is not None:
            found, obstacles = nearest
            yield _Chain("mapping", rule.key, None, rule, found, obstacles)
            for key, _, _ in given[rule.key]:
                yield _Chain("mapping", key, key, rule, found, obstacles)


_ByValue = dict[tuple[int, str], list[GroupAtHand]]


def _by_value(at_hand: Iterable[GroupAtHand]) -> _ByValue:
    """The groups by what a rule could name them by, for a person in very many."""
    found: _ByValue = {}
    for one in at_hand:
        for value in {fold(one.group.id), fold(one.group.name), fold(one.group.external_id or one.group.name)}:
            found.setdefault((one.connection_key, value), []).append(one)
    return found


def _taken(rule: StoredMapping, at_hand: Collection[GroupAtHand], by_value: _ByValue) -> list[GroupAtHand]:
    """Those of a person's groups that a rule takes, were it on."""
    could: Collection[GroupAtHand] = by_value.get((rule.connection_key, fold(rule.match.value)), ())
    if rule.match.kind == "glob":
        could = [one for one in at_hand if one.connection_key == rule.connection_key]
    return [one for one in could if group_matches(rule.match, one.group)]


def _nearest(
    rule: StoredMapping, taken: Collection[GroupAtHand], now: datetime
) -> tuple[tuple[GroupAtHand, ...], tuple[Obstacle, ...]] | None:
    """The groups by which the least stands in the way, and what does."""
    found: dict[tuple[str, ...], tuple[list[GroupAtHand], tuple[Obstacle, ...]]] = {}
    for one in taken:
        obstacles = tuple(_of_group(rule, one, now))
        found.setdefault(tuple(each.kind for each in obstacles), ([], obstacles))[0].append(one)
    if not found:
        return None
    at_hand, obstacles = found[min(found, key=lambda kinds: (len(kinds), kinds))]
    return tuple(at_hand), obstacles


def _of_group(rule: StoredMapping, one: GroupAtHand, now: datetime) -> Iterator[Obstacle]:
    if not one.enabled:
        yield connection_disabled(one.connection)
    if not rule.enabled:
        yield rule_off(_called(rule, one.group.name))
    if one.group.source == "asserted":
        if one.shadowed and one.pushed:
            yield group_shadowed(one.connection, one.group.name)
        elif one.asserted_until is None or one.asserted_until < now:
            yield group_stale(one.connection, one.group.name, one.asserted_until)


def _called(rule: StoredMapping, group: str) -> str:
    """A rule by its pattern or name; one that names its group by an id, by the group."""
    return rule.match.value if rule.match.kind in ("glob", "name") else f"for {group}"


# -- What would give it, were it on ------------------------------------------------------------------


def _blocked_ways(
    rows: Any, workspace: Workspace, candidates: Iterable[CandidateGrant], wanted: Wanted, now: datetime
) -> Iterator[WayToGet]:
    """Rules that give it and are switched off, or whose connection is: with what stands in the way."""
    giving = {
        one.principal: one
        for one in candidates
        if not obstacles_of_grant(one.role, one.scope, one.expires_at, wanted, now)
    }
    of = {one.key: one for one in connections.list_connections(rows, workspace.key)}
    off = [
        rule
        for rule in nearly.rules_giving(rows, workspace.key, list(giving))
        if not (rule.enabled and of[rule.connection_key].enabled)
    ][:_MOST_OFF]
    given = mappings.user_groups_given(rows, [rule.key for rule in off])
    for rule in off:
        by = of[rule.connection_key]
        names = [one.group.name for one in mappings.groups_of_match(rows, by.key, rule.match)]
        obstacles = (connection_disabled((by.id, by.name)),) if not by.enabled else ()
        if not rule.enabled:
            obstacles = (*obstacles, rule_off(_called(rule, names[0] if names else "no group")))
        ways = [(rule.key, None, None), *given[rule.key]]
        for grant, uid, name in ((giving[key], uid, name) for key, uid, name in ways if key in giving and names):
            yield WayToGet(
                kind="idp_group",
                role=grant.role,
                scope=grant.scope,
                user_group_id=uid,
                user_group=name,
                mapping_id=rule.id,
                mapping=rule.match.value,
                connection=by.name,
                idp_groups=tuple(sorted(names, key=fold)),
                obstacles=obstacles,
            )
