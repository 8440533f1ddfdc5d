"""Connections as their owners see them: what hangs on each, until when its certificates are good, and who would lose
what if it were closed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bridge.domain.access import RoleInScope, dominates
from bridge.domain.roles import MINIMAL, ROLES, covers, in_plan
from bridge.domain.workspace import Connection, Workspace
from bridge.flows.context import Context
from bridge.flows.map_groups import PersonMoved, moved_people, strongest
from bridge.flows.named import get_connection, get_workspace
from bridge.storage import access, connection_overview, connections
from bridge.storage.connection_overview import StoredOverview
from saml.certificates import CertificateFacts, certificate_facts


@dataclass(frozen=True, slots=True)
class ConnectionOverview:
    """A connection and what hangs on it; `certificates` are its IdP's, in the order of its metadata."""

    connection: Connection
    counts: StoredOverview
    certificates: tuple[CertificateFacts, ...]

    @property
    def good_until(self) -> datetime | None:
        """When the last of the IdP's certificates ends; None where it has none."""
        return max((one.not_after for one in self.certificates), default=None)


@dataclass(frozen=True, slots=True)
class Closing:
    """What switching off, or deleting, a connection closes. `loses` are people with what no other path gives them.

    `last_way`: the workspace requires SSO, and there is no other connection that is on.
    """

    overview: ConnectionOverview
    loses: tuple[PersonMoved, ...]
    last_way: bool


def list_overviews(context: Context, workspace_slug: str, now: datetime) -> tuple[ConnectionOverview, ...]:
    """A workspace's connections, oldest first. Raises NotFound."""
    with context.database.snapshot() as rows:
        workspace = get_workspace(rows, workspace_slug)
        counted = connection_overview.overviews(rows, workspace.key, now)
        every = connections.list_connections(rows, workspace.key)
    return tuple(_overview(one, counted[one.key]) for one in every)


def get_overview(context: Context, workspace_slug: str, connection_id: str, now: datetime) -> ConnectionOverview:
    """One of them. Raises NotFound."""
    with context.database.snapshot() as rows:
        workspace = get_workspace(rows, workspace_slug)
        found = get_connection(rows, workspace, connection_id)
        return _overview(found, connection_overview.overviews(rows, workspace.key, now)[found.key])


def foresee_closing(context: Context, workspace_slug: str, connection_id: str, now: datetime) -> Closing:
    """What would be closed. Writes nothing. Raises NotFound."""
    with context.database.snapshot() as rows:
        workspace = get_workspace(rows, workspace_slug)
        found = get_connection(rows, workspace, connection_id)
        counted = connection_overview.overviews(rows, workspace.key, now)[found.key]
        others = any(one.enabled and one.key != found.key for one in connections.list_connections(rows, workspace.key))
        moved = _lost(rows, workspace, found, now) if found.enabled else {}
        return Closing(_overview(found, counted), moved_people(rows, moved), workspace.require_sso and not others)


def _overview(found: Connection, counted: StoredOverview) -> ConnectionOverview:
    certificates = found.config.get("idp", {}).get("certificates", ())
    return ConnectionOverview(found, counted, tuple(certificate_facts(pem) for pem in certificates))


def _lost(rows: Any, workspace: Workspace, found: Connection, now: datetime) -> dict[int, list[RoleInScope]]:
    """For each member, what only rules of this connection give: who holds it now, less who would hold it without."""
    narrowed = access.grants_in_workspace(rows, workspace.key, narrowed=True)
    moved: dict[int, list[RoleInScope]] = {}
    for given in (one for one in _given_by(rows, found) if in_plan(one.role, workspace.plan)):
        roles = [role.id for role in ROLES if covers(role, given.role) and in_plan(role, workspace.plan)]
        covering = [key for key, other in narrowed.items() if other.role.id in roles and dominates(other, given)]
        asked = (rows, workspace.key, roles, covering, now)
        for member in access.holders(*asked) - access.holders(*asked, without_connection=found.key):
            moved.setdefault(member, []).append(given)
    return {member: strongest(given, workspace) for member, given in moved.items()}


def _given_by(rows: Any, found: Connection) -> Iterable[RoleInScope]:
    principals = sorted(connection_overview.principals_of(rows, found.key))
    batches = access.in_batches(principals)
    given = [one for batch in batches for _, one in access.grants_of(rows, batch).values()]
    return [one for one in dict.fromkeys(given) if one.role is not MINIMAL]
