"""Roles in scope as callers write them, what a plan allows to be given, and what was given by hand."""

from collections.abc import Iterable
from typing import Any

from bridge.domain.access import RoleInScope, parse_scope
from bridge.domain.errors import Conflict, NotFound, NotInPlan
from bridge.domain.roles import Role, get_role, in_plan
from bridge.domain.workspace import Workspace
from bridge.storage import access, grants
from bridge.storage.grants import StoredGrant


def parse_role_in_scope(role: str, scope: Iterable[str]) -> RoleInScope:
    """A role by id or name, and where it holds: `all`, `TYPE:ID` or `label:k:v` terms. Raises NotFound, Invalid."""
    found = get_role(role)
    return RoleInScope(found, parse_scope(scope, found))


def check_role_in_plan(role: Role, workspace: Workspace) -> None:
    """Refuse to give what would give nothing. Raises NotInPlan."""
    if not in_plan(role, workspace.plan):
        raise NotInPlan(f"{role.name} is not part of the {workspace.plan} plan that {workspace.name} is on.")


def get_given_by_hand(rows: Any, workspace: Workspace, grant_id: str) -> tuple[StoredGrant, RoleInScope]:
    """A grant of a person or a User Group, and what it gives. Raises NotFound, Conflict (of a rule or a token)."""
    stored = grants.find_grant(rows, workspace.key, grant_id)
    if stored is None:
        raise no_grant(workspace, grant_id)
    if stored.principal_kind in ("mapping", "token"):
        what = "rule" if stored.principal_kind == "mapping" else "token"
        raise Conflict(f"This grant comes by a {what}: change or delete the {what}.")
    return stored, access.grants_of(rows, [stored.principal_key])[stored.key][1]


def check_given_once(rows: Any, principal: int, given: RoleInScope) -> None:
    """Refuse to give a holder what is given to it already. Raises Conflict."""
    if given in [one for _, one in access.grants_of(rows, [principal]).values()]:
        raise Conflict(f"{given.role.name} is given there already, in the same scope.")


def no_grant(workspace: Workspace, grant_id: str) -> NotFound:
    """That there is none of this id."""
    return NotFound(f"{workspace.name} has no grant {grant_id[:80]!r}.")
