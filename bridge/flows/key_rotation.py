"""A key of ours is replaced in two steps, so that nobody is locked out in between: what `rotate_key` and
`rotate_client_key` have in common.

`begin` keeps the next key beside the present one, `finish` makes it the present one, and the old one is forgotten, also
in the rows of the past; `cancel` forgets the next one instead.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from bridge.domain.errors import Conflict, Stale
from bridge.domain.workspace import Connection
from bridge.flows.connection_secrets import read_secrets, seal
from bridge.flows.context import Context
from bridge.flows.named import get_connection, get_own_connection, get_workspace
from bridge.storage import connections

Secrets = Mapping[str, Any]
Keys = TypeVar("Keys")


@dataclass(frozen=True, slots=True)
class KeyKind(Generic[Keys]):
    """One kind of key: which connections have it, and how it stands in what they keep sealed; the next one as `next`.

    `check` raises for a connection without such a key; `told` is what others may know of the keys; `names` those of the
    present and the next one, by which people and the audit trail tell keys apart; `present` makes of what is kept as
    `next` all that is kept when it is the present one. `missed` is said of a next key that somebody hasn't seen.
    """

    check: Callable[[Connection], None]
    told: Callable[[Secrets], Keys]
    names: Callable[[Keys], dict[str, str | None]]
    present: Callable[[Secrets], dict[str, Any]]
    missed: str

    def find(self, context: Context, workspace_slug: str, connection_id: str) -> Keys:
        """The keys of a connection. Raises NotFound, and what `check` raises."""
        with context.database.reading() as rows:
            found = get_connection(rows, get_workspace(rows, workspace_slug), connection_id)
            self.check(found)
            return self.told(read_secrets(context, rows, found))

    def begin(
        self, context: Context, actor: str, workspace_slug: str, connection_id: str, made: Secrets, now: datetime
    ) -> Keys:
        """Keep `made` as the next key. Raises Conflict (there is one), NotFound, Forbidden (not an owner)."""

        def begun(kept: Secrets) -> dict[str, Any]:
            if kept.get("next"):
                raise Conflict("A next key is there already. Finish that rotation, or cancel it.")
            return {**kept, "next": made}

        return self._change(context, actor, workspace_slug, connection_id, "connection.key_rotation_begun", begun, now)

    def finish(
        self, context: Context, actor: str, workspace_slug: str, connection_id: str, now: datetime, shown: str | None
    ) -> Keys:
        """The next key is the present one. `shown` is the name of the one that somebody was asked about.

        Raises Conflict (none under way), Stale (another one is), NotFound, Forbidden (not an owner).
        """

        def finished(kept: Secrets) -> dict[str, Any]:
            return self.present(self._next(kept, shown))

        return self._change(context, actor, workspace_slug, connection_id, "connection.key_rotated", finished, now)

    def cancel(
        self, context: Context, actor: str, workspace_slug: str, connection_id: str, now: datetime, shown: str | None
    ) -> Keys:
        """The next key is forgotten. `shown` and errors as of `finish`."""

        def cancelled(kept: Secrets) -> dict[str, Any]:
            self._next(kept, shown)
            return {name: value for name, value in kept.items() if name != "next"}

        event = "connection.key_rotation_cancelled"
        return self._change(context, actor, workspace_slug, connection_id, event, cancelled, now)

    def _next(self, kept: Secrets, shown: str | None) -> Secrets:
        coming: Secrets | None = kept.get("next")
        if not coming:
            raise Conflict("There is no next key. Begin a rotation first.")
        if shown is not None and self.names(self.told(kept))["next"] != shown:
            raise Stale(self.missed)
        return coming

    def _change(
        self,
        context: Context,
        actor: str,
        workspace_slug: str,
        connection_id: str,
        event: str,
        rotate: Callable[[Secrets], dict[str, Any]],
        now: datetime,
    ) -> Keys:
        with context.changing(actor, now) as change:
            workspace, found = get_own_connection(change, workspace_slug, connection_id)
            self.check(found)
            kept = read_secrets(context, change.connection, found)
            rotated = rotate(kept)
            connections.set_secrets(change, found.key, seal(context, rotated))
            before, after = self.told(kept), self.told(rotated)
            change.record(workspace.key, event, found.id, before=self.names(before), after=self.names(after))
            return after
