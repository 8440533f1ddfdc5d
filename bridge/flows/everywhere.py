"""What happens to an account is told in each workspace that its person is a member of."""

from typing import Any

from bridge.domain.workspace import User
from bridge.storage import own_account
from bridge.storage.changes import Change


def record_everywhere(
    change: Change, user: User, kind: str, *, before: dict[str, Any] | None = None, after: dict[str, Any] | None = None
) -> None:
    """One audit event in each workspace of theirs, held out there or not."""
    for workspace_key in own_account.workspaces_of(change.connection, user.key):
        change.record(workspace_key, kind, user.id, before=before, after=after)
