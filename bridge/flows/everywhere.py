"""What happens to an account is told in each workspace that its person is a member of."""

from typing import Any

from bridge.domain.workspace import User
from bridge.storage import own_account
from bridge.storage.changes import Change
from bridge.storage.directory_many import KnownAccount


def record_everywhere(
    change: Change,
    user: User | KnownAccount,
    kind: str,
    *,
    here: int | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """One audit event in each workspace of theirs, held out there or not; `here`: in that one in any case.

    Each gets another revision, as it must where programs ask about somebody by their address.
    """
    theirs = own_account.workspaces_of(change.connection, user.key)
    for workspace_key in sorted({*theirs, *([here] if here else [])}):
        change.record(workspace_key, kind, user.id, before=before, after=after)
