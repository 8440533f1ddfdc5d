"""What access means: pure functions over the facts of one workspace at one moment (product.md 1.2 to 1.6, 4.8, 5).

In one breath: a person who is a member, and whom no IdP's record holds out, has every grant that is given to
themselves, to a User Group they are in by hand, to a rule that takes an IdP group they are in, or to a User Group that
such a rule gives. A rule takes groups of its own connection, by id or name, while both are switched on. A group that
was named at a login counts for a while, and not for whom a pushed group of that name decides. A grant gives what its
role says, where its scope fits, until it expires, as far as the plan includes its role.

`bridge.storage.access` asks the same of 100,000 people, by SQL and indexes; here nothing is fast and nothing is kept
ready. Generated worlds hold each to the other (tests/properties/test_worlds.py): same answers, same reasons.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from bridge.domain.access import Action, ResourceRef, RoleInScope, Scope, dominates, fits
from bridge.domain.group_mapping import GroupMatch, IdpGroup, group_matches
from bridge.domain.labels import Label
from bridge.domain.people import fold
from bridge.domain.roles import Level, Role, covers, in_plan

# -- Facts ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is, or was, a member of the workspace."""

    id: str
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """What one connection's IdP says of a person, or of nobody the workspace knows.

    `pushed`: by SCIM, and not deleted since. `holds_out`: inactive, or deleted, and no owner lifted that.
    `asserted_until`: how long the groups count that were named at the last login; the last moment is within.
    """

    id: str
    connection: str
    person: str | None
    pushed: bool
    holds_out: bool = False
    asserted_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """An IdP's group, pushed or asserted, and the records that are in it."""

    connection: str
    idp_group: IdpGroup
    records: frozenset[str] = frozenset()

    @property
    def asserted(self) -> bool:
        """Whether it was named at logins, not pushed."""
        return self.idp_group.source == "asserted"


@dataclass(frozen=True, slots=True)
class Rule:
    """Groups of a connection, and the User Groups that whoever is in one of them is in, too. Roles hang on its id."""

    id: str
    connection: str
    match: GroupMatch
    user_groups: frozenset[str] = frozenset()
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class UserGroup:
    """The product's group of people; `people` are in it by hand."""

    id: str
    people: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Grant:
    """A role in a scope, given to `holder`: a person, a User Group or a rule. From `expires_at` on it gives nothing."""

    id: str
    holder: str
    given: RoleInScope
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """All that access depends on, in one workspace at one moment. `connections` are those that are switched on."""

    plan: str
    people: frozenset[Person] = frozenset()
    connections: frozenset[str] = frozenset()
    records: frozenset[Record] = frozenset()
    groups: frozenset[Group] = frozenset()
    rules: frozenset[Rule] = frozenset()
    user_groups: frozenset[UserGroup] = frozenset()
    grants: frozenset[Grant] = frozenset()
    resources: frozenset[tuple[ResourceRef, frozenset[Label]]] = frozenset()


@dataclass(frozen=True, slots=True)
class Path:
    """One way from a person to a grant: through a User Group, through a rule and the IdP group that it takes, through
    both, or straight.
    """

    person: str
    grant: Grant
    user_group: str | None = None
    rule: str | None = None
    group: str | None = None


# -- Who has what, by which path -----------------------------------------------------------------------------------


def is_in(facts: Facts, person: Person) -> bool:
    """Whether anything holds for a person: a member, and nobody's record holds them out (product.md 4.8)."""
    return not person.removed and not any(record.holds_out for record in _records_of(facts, person))


def paths(facts: Facts, person: Person, now: datetime) -> frozenset[Path]:
    """Every path from a person to a grant that gives something now."""
    if not is_in(facts, person):
        return frozenset()
    return frozenset(
        Path(person.id, grant, *links)
        for holder, *links in _holders(facts, person, now)
        for grant in facts.grants
        if grant.holder == holder and gives_now(facts, grant, now)
    )


def gives_now(facts: Facts, grant: Grant, now: datetime) -> bool:
    """Whether a grant stands: it hasn't expired, and the plan includes its role (product.md 1.6)."""
    return in_plan(grant.given.role, facts.plan) and (grant.expires_at is None or now < grant.expires_at)


Links = tuple[str, str | None, str | None, str | None]


def _holders(facts: Facts, person: Person, now: datetime) -> Iterator[Links]:
    """Who holds grants that are the person's: themselves, their User Groups, and rules; with the links on the way."""
    yield person.id, None, None, None
    for user_group in facts.user_groups:
        if person.id in user_group.people:
            yield user_group.id, user_group.id, None, None
    for group in groups_of(facts, person, now):
        for rule in facts.rules:
            if takes(facts, rule, group):
                yield rule.id, None, rule.id, group.idp_group.id
                for given in rule.user_groups:
                    yield given, given, rule.id, group.idp_group.id


def user_groups_of(facts: Facts, person: Person, now: datetime) -> frozenset[str]:
    """The User Groups a person is in now, by hand or by a rule."""
    ways = _holders(facts, person, now) if is_in(facts, person) else ()
    return frozenset(user_group for _, user_group, _, _ in ways if user_group is not None)


# -- Groups and rules ----------------------------------------------------------------------------------------------


def groups_of(facts: Facts, person: Person, now: datetime) -> frozenset[Group]:
    """The IdP groups that count for a person now."""
    return frozenset(
        group
        for record in _records_of(facts, person)
        for group in facts.groups
        if record.id in group.records and _counts(facts, group, record, now)
    )


def _counts(facts: Facts, group: Group, record: Record, now: datetime) -> bool:
    """A pushed group always. An asserted one for some days after the login that named it, unless its IdP pushes the
    person and decides by a pushed group instead: else the last login would undo what SCIM has removed (5.1).
    """
    if not group.asserted:
        return True
    if record.pushed and is_shadowed(facts, group):
        return False
    return record.asserted_until is not None and now <= record.asserted_until


def is_shadowed(facts: Facts, asserted: Group) -> bool:
    """Whether the connection pushes a group of that name, without case, or with that name as its external id."""
    return asserted.asserted and any(
        fold(group.idp_group.name) == fold(asserted.idp_group.name)
        or group.idp_group.external_id == asserted.idp_group.name
        for group in facts.groups
        if group.connection == asserted.connection and not group.asserted
    )


def takes(facts: Facts, rule: Rule, group: Group) -> bool:
    """Whether a rule gives something to the people of a group: both of one connection, all switched on (5.2)."""
    on = rule.enabled and rule.connection in facts.connections
    return on and rule.connection == group.connection and group_matches(rule.match, group.idp_group)


def _records_of(facts: Facts, person: Person) -> list[Record]:
    return [record for record in facts.records if record.person == person.id]


# -- May they? -----------------------------------------------------------------------------------------------------


def may(facts: Facts, person: Person, action: Action, target: ResourceRef | str, now: datetime) -> bool:
    """Whether a person may read or edit a resource, or create one of a type."""
    return bool(why(facts, person, action, target, now))


def why(facts: Facts, person: Person, action: Action, target: ResourceRef | str, now: datetime) -> frozenset[Path]:
    """Every path by which they may. A type, or an area, stands for all of it: only a scope of all reaches that."""
    return frozenset(path for path in paths(facts, person, now) if reaches(facts, path.grant.given, action, target))


def reaches(facts: Facts, given: RoleInScope, action: Action, target: ResourceRef | str) -> bool:
    """Whether a role in a scope is enough for it."""
    area = target if isinstance(target, str) else target.type
    if given.role.gives.get(area, 0) < (Level.READ if action == "read" else Level.EDIT):
        return False
    if isinstance(target, str):
        return given.scope.kind == "all"
    return fits(given.scope, target, dict(facts.resources)[target])


def permissions(facts: Facts, person: Person, now: datetime) -> dict[RoleInScope, frozenset[Path]]:
    """Every role in a scope that a person has, each with its paths: they add up (product.md 1.4)."""
    found: dict[RoleInScope, set[Path]] = {}
    for path in paths(facts, person, now):
        found.setdefault(path.grant.given, set()).add(path)
    return {given: frozenset(each) for given, each in found.items()}


# -- What a change moves -------------------------------------------------------------------------------------------


def gained(before: Facts, after: Facts, person: str, now: datetime) -> frozenset[RoleInScope]:
    """What a person has after a change, and nothing gave as much before it (product.md 5.3).

    What is lost is the same, with the two in each other's place.
    """
    had, has = _has(before, person, now), _has(after, person, now)
    return frozenset(one for one in has if not any(dominates(other, one) for other in had))


def gained_on(before: Facts, after: Facts, person: str, resource: ResourceRef, now: datetime) -> frozenset[RoleInScope]:
    """The same of one resource, whose labels or existence change: a role gives it something, and none did before."""
    had, has = _roles_on(before, person, resource, now), _roles_on(after, person, resource, now)
    on_it = Scope("list", resources=frozenset({resource}))
    return frozenset(RoleInScope(one, on_it) for one in has if not any(covers(other, one) for other in had))


def _has(facts: Facts, person: str, now: datetime) -> set[RoleInScope]:
    return {given for one in facts.people if one.id == person for given in permissions(facts, one, now)}


def _roles_on(facts: Facts, person: str, resource: ResourceRef, now: datetime) -> set[Role]:
    labels = dict(facts.resources).get(resource)
    if labels is None:
        return set()
    has = _has(facts, person, now)
    return {one.role for one in has if resource.type in one.role.gives and fits(one.scope, resource, labels)}


def strongest(given: frozenset[RoleInScope]) -> frozenset[RoleInScope]:
    """What is given, less what something else of it covers."""
    return frozenset(one for one in given if not any(dominates(other, one) for other in given - {one}))
