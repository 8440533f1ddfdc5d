"""A workspace asks its members for a second factor where they don't come by SSO: who would be asked, and the switch
(product.md 2.8).

Whoever has none keeps their session: they set one up when they want into the workspace.
"""

from dataclasses import dataclass
from datetime import datetime

from bridge.domain.workspace import Workspace
from bridge.flows.context import Context
from bridge.flows.named import get_workspace, owner_acting
from bridge.storage import required_sso
from bridge.storage.changes import Change
from bridge.storage.required_sso import MemberShown

#: How many of those who would be asked are named.
NAMED = 50


@dataclass(frozen=True, slots=True)
class FactorOutlook:
    """Who has to set one up before they come in again: `without` counts them, the first 50 are `people`."""

    required: bool
    without: int
    people: tuple[MemberShown, ...]
    mailed_codes_refused: bool


def look_out_for_factors(context: Context, workspace_slug: str) -> FactorOutlook:
    """Who would be asked, or is. Raises NotFound."""
    with context.database.snapshot() as connection:
        workspace = get_workspace(connection, workspace_slug)
        return FactorOutlook(
            required=required_sso.requires_factor(connection, workspace.key),
            without=required_sso.count_without_factor(connection, workspace.key),
            people=tuple(required_sso.list_without_factor(connection, workspace.key, NAMED)),
            mailed_codes_refused=required_sso.refuses_mailed_codes(connection, workspace.key),
        )


def require_factor(context: Context, actor: str, workspace_slug: str, required: bool, now: datetime) -> Workspace:
    """Turn the switch: by an owner or the operator. Raises Forbidden (not an owner), NotFound."""
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        switch_factor(change, workspace, required)
        return workspace


def switch_factor(change: Change, workspace: Workspace, required: bool) -> None:
    """The same inside another flow, which knows who may."""
    if required_sso.requires_factor(change.connection, workspace.key) != required:
        required_sso.set_factor_required(change, workspace, required)
        kind = "workspace.factor_required" if required else "workspace.factor_not_required"
        change.record(workspace.key, kind, workspace.id)


def refuse_mailed_codes(context: Context, actor: str, workspace_slug: str, refused: bool, now: datetime) -> Workspace:
    """Whether its members' logins take a code by mail for a second factor, wherever they lead: by an owner or the
    operator. Raises Forbidden (not an owner), NotFound.
    """
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        switch_mailed_codes(change, workspace, refused)
        return workspace


def switch_mailed_codes(change: Change, workspace: Workspace, refused: bool) -> None:
    """The same inside another flow, which knows who may."""
    if required_sso.refuses_mailed_codes(change.connection, workspace.key) != refused:
        required_sso.set_mailed_codes_refused(change, workspace, refused)
        kind = "workspace.mailed_codes_refused" if refused else "workspace.mailed_codes_allowed"
        change.record(workspace.key, kind, workspace.id)
