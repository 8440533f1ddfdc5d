"""What a plan leaves out of a workspace: what is there, and gives nothing, or is refused (product.md 1.6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bridge.domain.access import HeldGrant
from bridge.domain.roles import MINIMAL, ROLES, Role, has_sso, in_plan, parse_plan
from bridge.domain.sentences import counted
from bridge.domain.workspace import Workspace
from bridge.flows.context import Context
from bridge.flows.named import get_workspace
from bridge.storage.connections import list_connections
from bridge.storage.held_grants import count_by_role, list_held, of_roles

#: Grants on a page.
PAGE = 50


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What a plan leaves out: grants of each role that it hasn't, in order of the catalogue; connections by name that
    neither sign in nor push; and whether Require SSO lets in none but owners named by hand.
    """

    roles: Mapping[Role, int]
    connections: tuple[str, ...] = ()
    only_owners: bool = False

    def sentences(self) -> tuple[str, ...]:
        """`3 grants of Warehouse Admin`, `sign-in and SCIM by Okta`, …: a line each."""
        lines = [f"{counted(count, 'grant')} of {role.name}" for role, count in self.roles.items()]
        lines += [f"sign-in and SCIM by {name}" for name in self.connections]
        if self.only_owners:
            lines.append("Require SSO: only owners named by hand come in, until one switches it off")
        return tuple(lines)


@dataclass(frozen=True, slots=True)
class PlanOutlook:
    """What the present plan leaves out, with a page of the grants that give nothing.

    Grants of Minimal Workspace Access are counted, never listed: each pushed group and each newcomer has one.
    `after` is where the page after this one begins.
    """

    left_out: LeftOut
    grants: tuple[HeldGrant, ...]
    after: int | None = None


def look_at_plan(context: Context, workspace_slug: str, now: datetime, *, after: int = 0) -> PlanOutlook:
    """What the workspace's plan leaves out now, and by which grants. Raises NotFound."""
    with context.database.snapshot() as rows:
        workspace = get_workspace(rows, workspace_slug)
        left_out = left_out_by(rows, workspace, workspace.plan, now)
        listed = [role.id for role in left_out.roles if role is not MINIMAL]
        held = list_held(rows, workspace.key, of_roles(listed, now), PAGE + 1, after=after) if listed else []
        last = held[PAGE - 1][0] if len(held) > PAGE else None
        return PlanOutlook(left_out, tuple(one for _, one in held[:PAGE]), last)


def look_at_other_plan(context: Context, workspace_slug: str, plan: str, now: datetime) -> LeftOut:
    """What another plan would leave out. Raises NotFound, Invalid (no such plan)."""
    named = parse_plan(plan)
    with context.database.snapshot() as rows:
        return left_out_by(rows, get_workspace(rows, workspace_slug), named, now)


def left_out_by(rows: Any, workspace: Workspace, plan: str, now: datetime) -> LeftOut:
    """The same inside a transaction."""
    outside = {role.id: role for role in ROLES if not in_plan(role, plan)}
    held = count_by_role(rows, workspace.key, of_roles(outside, now)) if outside else {}
    roles = {role: held[role.id] for role in outside.values() if role.id in held}
    if has_sso(plan):
        return LeftOut(roles)
    names = tuple(connection.name for connection in list_connections(rows, workspace.key))
    return LeftOut(roles, names, workspace.require_sso)
