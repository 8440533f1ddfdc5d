"""Roles in scope as callers write them, and what a plan allows to be given."""

from collections.abc import Iterable

from bridge.domain.access import RoleInScope, parse_scope
from bridge.domain.errors import NotInPlan
from bridge.domain.roles import Role, get_role, in_plan
from bridge.domain.workspace import Workspace


def parse_role_in_scope(role: str, scope: Iterable[str]) -> RoleInScope:
    """A role by id or name, and where it holds: `all`, `TYPE:ID` or `label:k:v` terms. Raises NotFound, Invalid."""
    found = get_role(role)
    return RoleInScope(found, parse_scope(scope, found))


def check_role_in_plan(role: Role, workspace: Workspace) -> None:
    """Refuse to give what would give nothing. Raises NotInPlan."""
    if not in_plan(role, workspace.plan):
        raise NotInPlan(f"{role.name} is not part of the {workspace.plan} plan that {workspace.name} is on.")
