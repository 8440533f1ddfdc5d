"""A workspace flagged HIPAA closes to a session that wasn't used for a quarter of an hour (product.md 2.9;
docs/decisions/0026).

What closes is computed at each request (`bridge.domain.reach.idled`); here is the flag only.
"""

from datetime import datetime

from bridge.domain.workspace import Workspace
from bridge.flows.context import Context
from bridge.flows.named import get_workspace, owner_acting
from bridge.storage import workspaces
from bridge.storage.changes import Change


def flag_hipaa(context: Context, actor: str, workspace_slug: str, flagged: bool, now: datetime) -> Workspace:
    """Flag a workspace, or no longer: by an owner or the operator. Raises Forbidden (not an owner), NotFound."""
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        switch_hipaa(change, workspace, flagged)
        return get_workspace(change.connection, workspace_slug)


def switch_hipaa(change: Change, workspace: Workspace, flagged: bool) -> None:
    """The same inside another flow, which knows who may."""
    if workspace.hipaa != flagged:
        workspaces.set_hipaa(change, workspace, flagged)
        kind = "workspace.hipaa_flagged" if flagged else "workspace.hipaa_unflagged"
        change.record(workspace.key, kind, workspace.id)
