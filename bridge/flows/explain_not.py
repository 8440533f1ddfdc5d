"""Why not: what stands in the way of a person, which paths nearly give it, and what would (product.md 5.4)."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bridge.domain.obstacles import (
    NearMiss,
    Obstacle,
    Wanted,
    connection_disabled,
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
from bridge.flows.near_misses import called, distance, near_misses
from bridge.storage import connections, mappings, nearly, people
from bridge.storage.members import records_of
from bridge.storage.nearly import CandidateGrant
from bridge.storage.resources import find_resource

#: So many near misses are told, the nearest first; the rest is counted.
MOST_TOLD = 20
_MOST_OFF = 20


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
            missed = list(_missed(rows, workspace, member, candidates, wanted, now))
        given = [one for one in candidates if member is None or one.principal != member.key]
        ways = ways_to_get(rows, workspace, question, wanted.labels, given, now)
        ways = (*ways, *_blocked_ways(rows, workspace, given, wanted, now))
    return nearest(person, missed, ways)


def nearest(person: tuple[Obstacle, ...], missed: Iterable[NearMiss], ways: tuple[WayToGet, ...] = ()) -> WhyNot:
    """The nearest of the near misses, all of them counted. One without an obstacle is one only where the person has."""
    near = sorted((one for one in missed if one.obstacles or person), key=distance)
    return WhyNot(person, tuple(near[:MOST_TOLD]), len(near), ways)


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


def missed_by(
    rows: Any, workspace: Workspace, name: str, member: Membership, question: Question, now: datetime
) -> tuple[tuple[Obstacle, ...], list[NearMiss]]:
    """What stands in the way of a member, and every path that would give it but for what stands in its own.

    A path without an obstacle gives it, unless something stands in the way of the member.
    """
    candidates, wanted = _candidates(rows, workspace, question, member.key), _wanted(rows, workspace, question)
    return _in_the_way(rows, name, member), list(_missed(rows, workspace, member, candidates, wanted, now))


def _missed(
    rows: Any,
    workspace: Workspace,
    member: Membership,
    candidates: Collection[CandidateGrant],
    wanted: Wanted,
    now: datetime,
) -> Iterator[NearMiss]:
    links = nearly.near_links(rows, workspace.key, member.key, {one.principal for one in candidates})
    return near_misses(links, candidates, wanted, now)


def _in_the_way(rows: Any, name: str, member: Membership) -> tuple[Obstacle, ...]:
    gone = (removed(name, nearly.stands_since(rows, member.key)),) if member.status == "removed" else ()
    records = records_of(rows, [member.key]).get(member.key, ())
    held = (held_out(name, (one.connection_id, one.connection), pushed=one.pushed) for one in records if one.holds_out)
    return (*gone, *held)


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
            obstacles = (*obstacles, rule_off(called(rule, names[0] if names else "no group")))
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
