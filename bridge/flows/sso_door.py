"""A connection as a way in: open, or closed now (properties.md 5)."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bridge.domain.errors import NotFound
from bridge.domain.roles import has_sso
from bridge.domain.sign_in_refusals import ConnectionOff
from bridge.domain.workspace import Connection, Workspace
from bridge.storage.connections import find_with_workspace


@dataclass(frozen=True, slots=True)
class Door:
    """An enabled connection and the one workspace it opens."""

    connection: Connection
    workspace: Workspace

    @property
    def jit(self) -> bool:
        """Whether a first login makes accounts and memberships."""
        return bool(self.connection.config.get("jit", True))

    @property
    def unsolicited(self) -> bool:
        """Whether a login may begin at the IdP."""
        return bool(self.connection.config.get("allow_idp_initiated", False))

    @property
    def asserted_days(self) -> int:
        """For how many days the groups named at a login count: 7 unless set, 30 at most (product.md 5.1)."""
        return min(int(self.connection.config.get("asserted_days", 7)), 30)

    @property
    def clock_skew(self) -> timedelta:
        """How far the IdP's clock may be from ours."""
        return timedelta(seconds=int(self.connection.config.get("clock_skew", 60)))


def open_door(rows: Any, connection_id: str, *, for_test: bool = False) -> Door:
    """Raises NotFound; ConnectionOff where it is disabled or the plan has no single sign-on.

    A test, which signs nobody in, may look behind a disabled one.
    """
    found = find_with_workspace(rows, connection_id)
    if found is None:
        raise NotFound("There is no such connection.")
    connection, workspace = found
    if not (connection.enabled or for_test) or not has_sso(workspace.plan):
        raise ConnectionOff(connection.name, workspace.name)
    return Door(connection, workspace)
