"""Grants and scopes, the answer to "may they", and which grant makes another one superfluous.

What access means, whole and pure, stands in `bridge.domain.access_facts`. A grant fits a resource if its scope is all,
lists the resource, or names only labels that the resource carries.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from bridge.domain.errors import Invalid
from bridge.domain.labels import Label, check_one_value_a_key, parse_label
from bridge.domain.roles import RESOURCE_TYPES, Role, covers, parse_resource_type

ScopeKind = Literal["all", "list", "labels"]
Action = Literal["read", "edit", "create"]
BecauseKind = Literal["individual", "user_group", "mapping"]


@dataclass(frozen=True, slots=True, order=True)
class ResourceRef:
    """A resource by its type and outside id."""

    type: str
    id: str

    def __str__(self) -> str:
        return f"{self.type}:{self.id}"


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a role holds: everywhere, on listed resources, or on resources that carry all the labels."""

    kind: ScopeKind = "all"
    resources: frozenset[ResourceRef] = frozenset()
    labels: frozenset[Label] = frozenset()

    def render(self) -> list[str]:
        """The scope as the command line writes it: `all`, or `TYPE:ID` and `label:k:v` terms, sorted."""
        if self.kind == "all":
            return ["all"]
        return sorted(map(str, self.resources)) + [f"label:{label}" for label in sorted(self.labels)]


EVERYWHERE = Scope()


@dataclass(frozen=True, slots=True)
class RoleInScope:
    """What a grant gives: a role and where it holds."""

    role: Role
    scope: Scope


@dataclass(frozen=True, slots=True)
class HeldGrant:
    """A grant as it is looked at: what is given, and to whom. A rule's `holder` is the group or the names it takes."""

    given: RoleInScope
    kind: Literal["membership", "user_group", "mapping", "token"]
    holder: str
    holder_id: str


@dataclass(frozen=True, slots=True)
class Because:
    """One path that gives a permission: the links from the person to the grant, as outside ids and names.

    `individual`: given by hand to the person. `user_group`: by hand in `user_group`. `mapping`: in
    `idp_group`, which the rule `mapping` matches; by way of `user_group` unless the rule gives the role itself.
    `put_in_by`: the actor who put them by hand into `user_group`; `put_in_by_name` a person's name.
    """

    kind: BecauseKind
    grant_id: str
    given_by: str
    since: datetime
    user_group_id: str | None = None
    user_group: str | None = None
    mapping_id: str | None = None
    mapping: str | None = None
    idp_group_id: str | None = None
    idp_group: str | None = None
    idp_group_source: str | None = None
    connection_id: str | None = None
    connection: str | None = None
    in_group_since: datetime | None = None
    put_in_by: str | None = None
    put_in_by_name: str | None = None


@dataclass(frozen=True, slots=True)
class Permission:
    """One role in one scope that a person has, with every path that gives it."""

    role: Role
    scope: Scope
    because: tuple[Because, ...]


def parse_scope(terms: Iterable[str], role: Role) -> Scope:
    """`all`, `TYPE:ID` and `label:k:v` terms to a Scope that fits `role`. No term means all. Raises Invalid."""
    texts = [term.strip() for term in terms]
    if not texts or texts == ["all"]:
        return EVERYWHERE
    if not role.scopable:
        raise Invalid(f"{role.name} holds in the whole workspace: its scope can only be all.", field="scope")
    if all(text.startswith("label:") for text in texts):
        labels = frozenset(parse_label(text.removeprefix("label:")) for text in texts)
        return Scope("labels", labels=check_one_value_a_key(labels))
    if any(text == "all" or text.startswith("label:") for text in texts):
        raise Invalid("A scope is all, or a list of resources, or labels, not a mix.", field="scope")
    return Scope("list", resources=frozenset(_listed(text, role) for text in texts))


def parse_resource_ref(text: str) -> ResourceRef:
    """`TYPE:ID` to a ResourceRef. Raises Invalid."""
    type_text, colon, resource_id = text.partition(":")
    if not colon or not resource_id:
        raise Invalid(f"{text[:80]!r} names no resource. Write TYPE:ID, such as source:abc.", field="resource")
    return ResourceRef(parse_resource_type(type_text), resource_id)


def _listed(text: str, role: Role) -> ResourceRef:
    resource = parse_resource_ref(text)
    if not text.isprintable():  # no resource has such an id, and no database has to meet it
        raise Invalid(f"There is no {text[:80]!r}.", field="scope")
    if resource.type != role.resource_type:
        plural = RESOURCE_TYPES[role.resource_type or "source"][1]
        raise Invalid(f"{role.name} holds on {plural}, not on {text[:80]}.", field="scope")
    return resource


def fits(scope: Scope, resource: ResourceRef, labels: frozenset[Label]) -> bool:
    """Whether a grant with `scope` reaches a resource that carries `labels`."""
    if scope.kind == "list":
        return resource in scope.resources
    return scope.kind == "all" or scope.labels <= labels


def scope_covers(wide: Scope, narrow: Scope) -> bool:
    """Whether `wide` reaches at least what `narrow` does: all ⊇ any, fewer labels ⊇ more, list ⊇ sublist."""
    if wide.kind == "all":
        return True
    if wide.kind != narrow.kind:
        return False
    return wide.labels <= narrow.labels and wide.resources >= narrow.resources


def dominates(one: RoleInScope, other: RoleInScope) -> bool:
    """Whether who has `one` loses nothing by losing `other`."""
    return covers(one.role, other.role) and scope_covers(one.scope, other.scope)


def left_over(
    given: RoleInScope, others: Collection[RoleInScope], labels: Mapping[ResourceRef, frozenset[Label]]
) -> RoleInScope | None:
    """What of `given` nobody has by `others`: of a list, the resources that none of them reaches; None for nothing.

    `labels` are those that the listed resources carry.
    """
    if any(dominates(other, given) for other in others):
        return None
    if given.scope.kind != "list":
        return given
    as_much = [other.scope for other in others if covers(other.role, given.role)]
    left = {
        ref
        for ref in given.scope.resources
        if not any(fits(scope, ref, labels.get(ref, frozenset())) for scope in as_much)
    }
    return replace(given, scope=replace(given.scope, resources=frozenset(left))) if left else None
