"""Which paths nearly give a person something, of all links that there are: today's, or those of a moment that is past.

Nothing is read here. A link whose condition doesn't hold is an obstacle (`domain.obstacles`).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bridge.domain.access import BecauseKind
from bridge.domain.group_mapping import group_matches
from bridge.domain.obstacles import (
    NearMiss,
    Obstacle,
    Wanted,
    connection_disabled,
    group_shadowed,
    group_stale,
    obstacles_of_grant,
    rule_off,
)
from bridge.domain.people import fold
from bridge.storage.mappings import StoredMapping
from bridge.storage.nearly import CandidateGrant, GroupAtHand, NearLinks

#: What a near miss's obstacles weigh: a switch is nearer than another scope, and that nearer than another role.
_WEIGHTS = {"role_reads_only": 4, "resource_not_listed": 3, "label_missing": 2, "scope_not_everywhere": 2}


def near_misses(
    links: NearLinks, candidates: Iterable[CandidateGrant], wanted: Wanted, now: datetime
) -> Iterator[NearMiss]:
    """Every way by these links to one of these grants, with what stands in it; one without an obstacle gives it."""
    held: dict[int, list[CandidateGrant]] = {}
    for grant in candidates:
        held.setdefault(grant.principal, []).append(grant)
    named = {**links.named, **{key: (uid, name) for some in links.given.values() for key, uid, name in some}}
    for chain in _chains(links, now):
        for grant in held.get(chain.principal, ()):
            own = obstacles_of_grant(grant.role, grant.scope, grant.expires_at, wanted, now)
            yield _near_miss(chain, grant, (*chain.obstacles, *own), named)


def distance(one: NearMiss) -> tuple[int, str, str, str]:
    """In which order near misses are told: the nearest first."""
    weight = sum(_WEIGHTS.get(obstacle.kind, 1) for obstacle in one.obstacles)
    return weight, one.role.name, one.user_group or one.mapping or "", one.grant_id


@dataclass(frozen=True, slots=True)
class _Chain:
    """A way from the person to a principal, with what stands in it."""

    kind: BecauseKind
    principal: int
    user_group: int | None = None
    rule: StoredMapping | None = None
    at_hand: tuple[GroupAtHand, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()


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


def _chains(links: NearLinks, now: datetime) -> Iterator[_Chain]:
    yield _Chain("individual", links.member)
    for key in links.by_hand:
        yield _Chain("user_group", key, key)
    by_value = _by_value(links.at_hand)
    for rule in links.rules:
        nearest = _nearest(rule, _taken(rule, links.at_hand, by_value), now)
        if nearest is not None:
            found, obstacles = nearest
            yield _Chain("mapping", rule.key, None, rule, found, obstacles)
            for key, _, _ in links.given[rule.key]:
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
        yield rule_off(called(rule, one.group.name))
    if one.group.source == "asserted":
        if one.shadowed and one.pushed:
            yield group_shadowed(one.connection, one.group.name)
        elif one.asserted_until is None or one.asserted_until < now:
            yield group_stale(one.connection, one.group.name, one.asserted_until)


def called(rule: StoredMapping, group: str) -> str:
    """A rule by its pattern or name; one that names its group by an id, by the group."""
    return rule.match.value if rule.match.kind in ("glob", "name") else f"for {group}"
