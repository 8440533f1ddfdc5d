"""What stands between a person and a permission that something nearly gives them, each as a value and a plain sentence.

A path that nearly gives it has all its links but some conditions of `domain.access` that don't hold: each of those is
an obstacle. What stands in the way of the person themselves stands in the way of every path.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bridge.domain.access import Action, BecauseKind, ResourceRef, Scope
from bridge.domain.labels import Label
from bridge.domain.roles import AREAS, RESOURCE_TYPES, Level, Role, in_plan
from bridge.domain.sentences import listed

ObstacleKind = Literal[
    "no_member",
    "removed",
    "held_out",
    "connection_disabled",
    "rule_off",
    "group_stale",
    "group_shadowed",
    "grant_expired",
    "role_not_in_plan",
    "role_reads_only",
    "scope_not_everywhere",
    "resource_not_listed",
    "label_missing",
]


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One thing that stands in the way. `connection` is an (id, name), `at` when it began or ended."""

    kind: ObstacleKind
    text: str
    connection: tuple[str, str] | None = None
    at: datetime | None = None
    labels: tuple[Label, ...] = ()


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A path that would give it but for its obstacles: the same links as a `Because`, with the IdP groups together.

    Without an obstacle of its own it would give it, did nothing stand in the way of the person.
    """

    kind: BecauseKind
    role: Role
    scope: Scope
    grant_id: str
    obstacles: tuple[Obstacle, ...]
    user_group_id: str | None = None
    user_group: str | None = None
    mapping_id: str | None = None
    mapping: str | None = None
    connection_id: str | None = None
    connection: str | None = None
    idp_groups: tuple[str, ...] = ()


# -- The person --------------------------------------------------------------------------------------


def no_member(email: str, workspace: str) -> Obstacle:
    """Nobody with that address belongs to the workspace."""
    return Obstacle("no_member", f"{email} is no member of {workspace}.")


def removed(name: str, at: datetime) -> Obstacle:
    """Their membership ended."""
    return Obstacle(
        "removed", f"{name} was removed from the workspace on {_day(at)}: nothing gives them anything.", at=at
    )


def held_out(name: str, connection: tuple[str, str], *, pushed: bool) -> Obstacle:
    """An IdP's record says that they are out."""
    did = "has deactivated" if pushed else "has deleted"
    text = f"{connection[1]} {did} {name}: nothing works until {connection[1]}, or an owner, lets them in again."
    return Obstacle("held_out", text, connection)


# -- The way to a grant ------------------------------------------------------------------------------


def connection_disabled(connection: tuple[str, str]) -> Obstacle:
    """A disabled connection's groups give nothing."""
    text = f"The connection {connection[1]} is disabled: none of its groups gives anything."
    return Obstacle("connection_disabled", text, connection)


def rule_off(rule: str) -> Obstacle:
    """A rule that is switched off gives nothing."""
    return Obstacle("rule_off", f"The rule {rule} is switched off.")


def group_stale(connection: tuple[str, str], group: str, until: datetime | None) -> Obstacle:
    """What was named at a login counts for some days after it."""
    ended = f"counted until {_day(until)}" if until else "doesn’t count any more"
    text = f"{connection[1]} named {group} at a login, which {ended}. It would count again after a login that names it."
    return Obstacle("group_stale", text, connection, until)


def group_shadowed(connection: tuple[str, str], group: str) -> Obstacle:
    """For whom a connection pushes, a pushed group of that name decides alone."""
    text = (
        f"{connection[1]} named {group} at a login, but it also pushes a group of that name, which decides alone: "
        "they are not in it."
    )
    return Obstacle("group_shadowed", text, connection)


# -- The grant ---------------------------------------------------------------------------------------


def role_not_in_plan(role: Role, plan: str) -> Obstacle:
    """A grant of a role that the plan doesn't include gives nothing."""
    return Obstacle("role_not_in_plan", f"The {plan} plan has no {role.name}, so it gives nothing.")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked: an action on a resource that carries `labels`, or in an area, or creating one of a type (no
    resource).
    """

    action: Action
    type: str
    plan: str
    resource: ResourceRef | None = None
    name: str = ""
    labels: frozenset[Label] = frozenset()


def obstacles_of_grant(
    role: Role, scope: Scope, expires_at: datetime | None, wanted: Wanted, now: datetime
) -> tuple[Obstacle, ...]:
    """Why a grant doesn't answer with yes, to whom it is given; none where it does."""
    found = []
    if expires_at is not None and expires_at <= now:
        found.append(Obstacle("grant_expired", f"It ended on {_day(expires_at)}.", at=expires_at))
    if not in_plan(role, wanted.plan):
        found.append(role_not_in_plan(role, wanted.plan))
    if wanted.action != "read" and role.gives.get(wanted.type, 0) < Level.EDIT:
        found.append(Obstacle("role_reads_only", f"{role.name} reads and doesn’t {wanted.action}."))
    return (*found, *_scope(role, scope, wanted))


def _scope(role: Role, scope: Scope, wanted: Wanted) -> Collection[Obstacle]:
    if scope.kind == "all":
        return ()
    if wanted.resource is None:
        plural = RESOURCE_TYPES[role.resource_type or "source"][1]
        what = f"{wanted.action} {AREAS.get(wanted.type, plural)}"
        return (Obstacle("scope_not_everywhere", f"To {what} takes the role on all {plural}, not on some."),)
    if scope.kind == "list":
        if wanted.resource in scope.resources:
            return ()
        return (Obstacle("resource_not_listed", f"It is given on a list that doesn’t name {wanted.name}."),)
    missing = tuple(sorted(scope.labels - wanted.labels))
    if not missing:
        return ()
    return (
        Obstacle("label_missing", f"{wanted.name} lacks {listed([str(label) for label in missing])}.", labels=missing),
    )


def _day(at: datetime) -> str:
    return f"{at.day} {at:%b %Y}"
