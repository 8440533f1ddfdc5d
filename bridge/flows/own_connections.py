"""A workspace's connections, of either kind: listed, switched on and off, deleted."""

from datetime import datetime

from bridge.domain.errors import Invalid
from bridge.domain.previews import DeleteConnection, Seen, SwitchConnection
from bridge.domain.workspace import Connection, Workspace
from bridge.flows.connection_overview import Foreseen, check_foreseen
from bridge.flows.context import Context
from bridge.flows.named import get_connection, get_own_connection, get_workspace
from bridge.flows.preview import check_seen
from bridge.storage import connection_removal, connections, provisioning_requests
from bridge.storage.changes import Change
from bridge.storage.mappings import refresh_connection_matches
from bridge.storage.pending import drop_logins

#: How many lines of a connection's SCIM log go in one transaction.
FORGOTTEN_AT_ONCE = 5_000


def list_connections(context: Context, workspace_slug: str) -> tuple[Connection, ...]:
    """A workspace's connections, oldest first. Raises NotFound."""
    with context.database.reading() as connection:
        return tuple(connections.list_connections(connection, get_workspace(connection, workspace_slug).key))


def find_own(context: Context, workspace_slug: str, connection_id: str) -> Connection:
    """One connection of a workspace. Raises NotFound."""
    with context.database.reading() as connection:
        return get_connection(connection, get_workspace(connection, workspace_slug), connection_id)


def set_enabled(
    context: Context,
    actor: str,
    workspace_slug: str,
    connection_id: str,
    enabled: bool,
    now: datetime,
    *,
    seen: Foreseen | Seen | None = None,
) -> Connection:
    """Switch a connection. Off closes it now: its sign-ins, its SCIM, and what its groups give (properties.md 5).

    Who was shown what that does gives it as `seen`. Raises NotFound, Forbidden (not an owner), Stale (by now it does
    something else).
    """
    with context.changing(actor, now) as change:
        workspace, found = get_own_connection(change, workspace_slug, connection_id)
        if found.enabled != enabled:
            _check(change, workspace, found, SwitchConnection(connection_id, enabled), seen)
            switch_connection(change, workspace, found, enabled)
        return get_connection(change.connection, workspace, connection_id)


def _check(
    change: Change,
    workspace: Workspace,
    found: Connection,
    proposal: SwitchConnection | DeleteConnection,
    seen: Foreseen | Seen | None,
    *,
    hold: bool = True,
) -> None:
    if isinstance(seen, Foreseen):
        check_foreseen(change, workspace.slug, found, seen, hold=hold)
    else:
        check_seen(change, workspace, proposal, seen)


def switch_connection(change: Change, workspace: Workspace, found: Connection, enabled: bool) -> None:
    """Switch one that is switched otherwise, inside another flow, which holds it and knows who may."""
    connections.set_connection(change, found.key, enabled=enabled)
    if enabled:  # what was under way when it was switched off has ended with that
        drop_logins(change, found.key)
    refresh_connection_matches(change, found.key)
    kind = "connection.enabled" if enabled else "connection.disabled"
    change.record(workspace.key, kind, found.id, after={"name": found.name})


def delete_connection(
    context: Context,
    actor: str,
    workspace_slug: str,
    connection_id: str,
    now: datetime,
    *,
    typed_name: str | None = None,
    seen: Foreseen | Seen | None = None,
) -> Connection:
    """Delete a connection with its directory, rules, tokens, sign-ins and log. Members stay, but those it held out.

    The log, which may be millions of lines, goes first and a part at a time: nobody waits for all of it. Who had to
    type its name as a confirmation gives it as `typed_name`, who was shown what goes gives it as `seen`.

    Raises NotFound, Forbidden (not an owner), Invalid (another name was typed), Stale (by now something else goes).
    """

    def get_confirmed(change: Change) -> tuple[Workspace, Connection]:
        workspace, found = get_own_connection(change, workspace_slug, connection_id)
        if typed_name is not None and typed_name.strip() != found.name:
            raise Invalid(f"Type the connection’s name to delete it: {found.name}", field="typed_name")
        return workspace, found

    def forget_calls() -> int:
        with context.changing(actor, now) as change:
            workspace, found = get_confirmed(change)
            _check(change, workspace, found, DeleteConnection(connection_id), seen, hold=False)
            return provisioning_requests.delete_requests(change.connection, found.key, FORGOTTEN_AT_ONCE)

    while forget_calls() == FORGOTTEN_AT_ONCE:
        pass
    with context.changing(actor, now) as change:
        workspace, found = get_confirmed(change)
        connection_removal.hold_held_out(change, found.key)
        _check(change, workspace, found, DeleteConnection(connection_id), seen)
        remove_connection(change, workspace, found)
        return found


def remove_connection(change: Change, workspace: Workspace, found: Connection) -> None:
    """Delete one inside another flow, which holds it and knows who may."""
    ended = connection_removal.delete_connection(change, found)
    before = {"name": found.name, "kind": found.kind, "members_ended": ended}
    change.record(workspace.key, "connection.deleted", found.id, before=before)
