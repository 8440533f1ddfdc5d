"""Pushed records that are linked to no account, for whoever has to do something about them (product.md 4.8)."""

from dataclasses import dataclass

from bridge.domain.waiting_records import WaitingRecord
from bridge.domain.workspace import Connection
from bridge.flows.context import Context
from bridge.flows.named import get_connection, get_workspace
from bridge.storage.waiting_records import count_waiting, list_waiting

PAGE = 50


@dataclass(frozen=True, slots=True)
class WaitingPage:
    """A page of them, oldest first; `total` counts all."""

    connection: Connection
    records: tuple[WaitingRecord, ...]
    total: int


def list_waiting_records(
    context: Context, workspace_slug: str, connection_id: str, *, page: int = 1, size: int = PAGE
) -> WaitingPage:
    """Records of a connection without an account. Raises NotFound."""
    with context.database.snapshot() as rows:
        workspace = get_workspace(rows, workspace_slug)
        connection = get_connection(rows, workspace, connection_id)
        found = list_waiting(rows, connection.key, workspace.key, limit=size, offset=(max(page, 1) - 1) * size)
        return WaitingPage(connection, tuple(found), count_waiting(rows, connection.key))
