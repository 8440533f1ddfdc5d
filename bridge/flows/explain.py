"""What somebody may do, and why; whether they may do one thing; and what would give it (product.md 5.4).

All of it reads the one query of `storage.access`, so the answers can't differ from each other.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from bridge.domain.access import EVERYWHERE, Action, Permission, ResourceRef, RoleInScope, Scope, fits
from bridge.domain.errors import Invalid, NotFound
from bridge.domain.labels import Label
from bridge.domain.members import Decider
from bridge.domain.obstacles import Obstacle
from bridge.domain.people import fold, fold_letters
from bridge.domain.roles import (
    AREAS,
    OWNER,
    ROLES,
    Level,
    Role,
    find_area,
    get_role,
    in_plan,
    parse_resource_type,
    roles_giving,
    roles_in_plan,
)
from bridge.domain.workspace import Workspace
from bridge.flows.context import Context
from bridge.flows.named import get_member_by_email, get_workspace, no_workspace
from bridge.storage import access, access_checks, user_groups
from bridge.storage.access import HeldGrant
from bridge.storage.nearly import CandidateGrant, candidate_grants
from bridge.storage.resources import find_resource

LEVELS: dict[Action, Level] = {"read": Level.READ, "edit": Level.EDIT, "create": Level.EDIT}


def access_of(context: Context, workspace_slug: str, email: str, now: datetime) -> tuple[Permission, ...]:
    """Everything a person may do in a workspace, each with every path that gives it.

    Empty for somebody who was removed or is held out. Raises NotFound for one who never was a member.
    """
    with context.database.snapshot() as connection:
        workspace = get_workspace(connection, workspace_slug)
        _, membership = get_member_by_email(connection, workspace, email)
        return permissions_of(connection, [membership.key], workspace.plan, now).get(membership.key, ())


def left_out_by_plan(context: Context, workspace_slug: str, email: str, now: datetime) -> tuple[Permission, ...]:
    """What a person was given that gives nothing, since the plan doesn't include the role (product.md 1.6); with every
    path. Raises as `access_of` does.
    """
    with context.database.snapshot() as connection:
        workspace = get_workspace(connection, workspace_slug)
        outside = [role.id for role in ROLES if not in_plan(role, workspace.plan)]
        if not outside:
            return ()
        _, membership = get_member_by_email(connection, workspace, email)
        found = permissions_of(connection, [membership.key], workspace.plan, now, only=outside)
        return found.get(membership.key, ())


def permissions_of(
    connection: Any, membership_keys: Collection[int], plan: str, now: datetime, *, only: Sequence[str] | None = None
) -> dict[int, tuple[Permission, ...]]:
    """The permissions of a page of members: roles that the plan includes, owners' first; of those, `only` some."""
    roles = roles_in_plan(plan) if only is None else only
    held = access.paths_of_many(connection, membership_keys, roles, now) if membership_keys else []
    by_member: dict[int, list[HeldGrant]] = {}
    for one in held:
        by_member.setdefault(one.membership_id, []).append(one)
    scopes = _scopes(connection, held)
    return {member: permissions_from(grants, scopes) for member, grants in by_member.items()}


def _scopes(connection: Any, held: Sequence[HeldGrant]) -> dict[int, Scope]:
    narrowed = {one.grant_id for one in held if one.scope != "all"}
    scopes = {one.grant_id: EVERYWHERE for one in held if one.scope == "all"}
    for batch in access.in_batches(narrowed):
        scopes |= access.scopes_of(connection, batch)
    return scopes


def permissions_from(held: Iterable[HeldGrant], scopes: dict[int, Scope]) -> tuple[Permission, ...]:
    """Paths to the same role in the same scope are one permission."""
    found: dict[tuple[str, Scope], list[HeldGrant]] = {}
    for one in held:
        if one.grant_id in scopes:
            found.setdefault((one.role, scopes[one.grant_id]), []).append(one)
    permissions = [
        Permission(get_role(role), scope, tuple(one.because for one in paths)) for (role, scope), paths in found.items()
    ]
    return tuple(sorted(permissions, key=_rank))


def _rank(permission: Permission) -> tuple[bool, str, list[str]]:
    return permission.role is not OWNER, permission.role.name, permission.scope.render()


# -- May they? ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Question:
    """May somebody read or edit one resource; or an area, or create one of a type (then `resource` is None)?"""

    action: Action
    type: str
    resource: ResourceRef | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether, and by which permissions, each with its paths. `because` is empty exactly when not `allowed`."""

    allowed: bool
    because: tuple[Permission, ...] = ()


def ask(action: str, target: str) -> Question:
    """`read` or `edit` with `TYPE:ID` or an area, such as `pii`; or `create` with `TYPE`. Raises Invalid."""
    if action == "create":
        return Question("create", parse_resource_type(target))
    if action not in ("read", "edit"):
        raise Invalid(f"{action[:40]!r} is nothing to ask for: read, edit or create.", field="action")
    done: Action = "edit" if action == "edit" else "read"
    if area := find_area(target):
        return Question(done, area)
    type_text, colon, resource_id = target.partition(":")
    if not colon or not resource_id:
        known = f"Write TYPE:ID, such as source:abc; or an area: {', '.join(AREAS)}."
        raise Invalid(f"{target[:80]!r} names no resource. {known}", field="resource")
    ref = ResourceRef(parse_resource_type(type_text), resource_id)
    return Question(done, ref.type, ref)


def check(context: Context, workspace_slug: str, email: str, question: Question, now: datetime) -> Answer:
    """Whether a person may do it now, and why. Who is no member may do nothing.

    Raises NotFound for an unknown workspace or resource.
    """
    with context.database.snapshot() as connection:
        workspace, member, resource = who_and_what(connection, workspace_slug, email, question)
        if member is None:
            return Answer(False)
        return answer_of(connection, member, roles_asked(workspace, question), resource, now)


def who_and_what(
    connection: Any, workspace_slug: str, email: str, question: Question
) -> tuple[Workspace, int | None, int | None]:
    """The workspace, and the keys of the member (None for who is none) and of the resource (None for an area or type),
    by one statement. Raises NotFound for an unknown workspace or resource.
    """
    found = access_checks.who_and_what(connection, workspace_slug, fold_letters(email), question.resource)
    if found is None:
        raise no_workspace(workspace_slug)
    if question.resource is not None and found[2] is None:
        raise _no_resource(found[0], question)
    return found


def answer_of(connection: Any, member: int, roles: Sequence[str], resource: int | None, now: datetime) -> Answer:
    """Whether a member has any of these roles on a resource, or everywhere, and by what."""
    held = access.paths(connection, member, roles, now, resource_id=resource, everywhere=resource is None)
    permissions = permissions_from(held, _scopes(connection, held))
    return Answer(bool(permissions), permissions)


def roles_asked(workspace: Workspace, question: Question) -> tuple[str, ...]:
    """The roles that answer a question with yes, of those in the workspace's plan."""
    return roles_giving(question.type, LEVELS[question.action], workspace.plan)


def resource_asked(connection: Any, workspace: Workspace, question: Question) -> tuple[int | None, frozenset[Label]]:
    """The key and labels of the resource asked about; None for a question about a type or an area."""
    if question.resource is None:
        return None, frozenset()
    found = find_resource(connection, workspace.key, question.resource)
    if found is None:
        raise _no_resource(workspace, question)
    return found[0], found[1].labels


def _no_resource(workspace: Workspace, question: Question) -> NotFound:
    return NotFound(f"There is no {question.resource} in {workspace.name}.")


# -- What would give it ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WayToGet:
    """One change that would give what is missing.

    `user_group`: be put into it. `idp_group`: be put into one of `idp_groups` at the IdP, since the rule `mapping_id`
    takes them (by way of `user_group`, if named). `role`: be given it by hand. With `obstacles`, only once those are
    gone, too.
    """

    kind: Literal["user_group", "idp_group", "role"]
    role: Role
    scope: Scope
    user_group_id: str | None = None
    user_group: str | None = None
    mapping_id: str | None = None
    mapping: str | None = None
    connection: str | None = None
    idp_groups: tuple[str, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()


def what_would_give(context: Context, workspace_slug: str, question: Question, now: datetime) -> tuple[WayToGet, ...]:
    """Every User Group and rule whose grants would answer the question with yes, then the narrowest role by hand.

    Raises NotFound for an unknown workspace or resource.
    """
    with context.database.snapshot() as connection:
        workspace = get_workspace(connection, workspace_slug)
        _, labels = resource_asked(connection, workspace, question)
        candidates = candidate_grants(connection, workspace.key, None, roles_asked(workspace, question))
        return ways_to_get(connection, workspace, question, labels, candidates, now)


def ways_to_get(
    connection: Any,
    workspace: Workspace,
    question: Question,
    labels: frozenset[Label],
    candidates: Iterable[CandidateGrant],
    now: datetime,
) -> tuple[WayToGet, ...]:
    """The same, of grants that were read already; others among them than those of the roles asked play no part."""
    roles = roles_asked(workspace, question)
    fitting = {
        one.principal: RoleInScope(one.role, one.scope)
        for one in candidates
        if one.role.id in roles
        and (one.expires_at is None or one.expires_at > now)
        and _fits(one.scope, question, labels)
    }
    return (*_by_user_group(connection, fitting), *_by_rule(connection, fitting), *_by_hand(roles, question))


def _fits(scope: Scope, question: Question, labels: frozenset[Label]) -> bool:
    return scope.kind == "all" if question.resource is None else fits(scope, question.resource, labels)


def _by_user_group(connection: Any, giving: dict[int, RoleInScope]) -> list[WayToGet]:
    groups = user_groups.by_keys(connection, list(giving))
    deciders = user_groups.deciders(connection, list(giving))
    ways = []
    for stored in sorted(groups, key=lambda one: fold(one.group.name)):
        given, uid, name = giving[stored.key], stored.group.id, stored.group.name
        if not stored.group.mirror:
            ways.append(WayToGet("user_group", given.role, given.scope, uid, name))
        for rule in _by_rule_id(deciders.get(stored.key, ())):
            ways.append(WayToGet("idp_group", given.role, given.scope, uid, name, **_rule(rule)))
    return ways


def _by_rule(connection: Any, giving: dict[int, RoleInScope]) -> list[WayToGet]:
    rules = user_groups.rules_by_key(connection, list(giving))
    return [
        WayToGet("idp_group", giving[key].role, giving[key].scope, **_rule(rule))
        for key, found in rules.items()
        for rule in _by_rule_id(found)
    ]


def _by_rule_id(found: Sequence[Decider]) -> list[list[Decider]]:
    """Rules that are on and match a group now, each with its groups."""
    rules: dict[str, list[Decider]] = {}
    for decider in found:
        if decider.enabled and decider.idp_group is not None:
            rules.setdefault(decider.mapping_id, []).append(decider)
    return list(rules.values())


def _rule(rule: list[Decider]) -> dict[str, Any]:
    groups = tuple(sorted({decider.idp_group for decider in rule if decider.idp_group}))
    first = rule[0]
    return {
        "mapping_id": first.mapping_id,
        "mapping": first.value,
        "connection": first.connection,
        "idp_groups": groups,
    }


def _by_hand(roles: Sequence[str], question: Question) -> list[WayToGet]:
    """The role that gives least beside what is asked for, on as little as it can be given."""
    wanted = None if question.type in AREAS else question.type
    fitting = [get_role(role) for role in roles if wanted in (None, get_role(role).resource_type)]
    if not fitting:
        return []
    narrowest = min(fitting, key=lambda role: sum(role.gives.values()))
    scope = Scope() if question.resource is None else Scope("list", resources=frozenset({question.resource}))
    return [WayToGet("role", narrowest, scope)]
