"""Connections as their owners see them: what hangs on each, until when its certificates are good, and who would lose
what if it were closed.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from bridge.domain.errors import Stale
from bridge.domain.previews import MovedPeople, Preview, SwitchConnection
from bridge.domain.sentences import counted
from bridge.domain.workspace import Connection, Workspace
from bridge.flows.context import Context
from bridge.flows.named import get_connection, get_workspace
from bridge.flows.preview import foresee
from bridge.storage import connection_overview, connections
from bridge.storage.changes import Change, lock_workspace
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
class Foreseen:
    """What was shown to who then closes a connection: at which revision of the workspace, how many lose access, and how
    much goes for good. `digest` says the same of who loses what, and of what stays closed. What a connection's own work
    moves all the time (who is signed in, how many were pushed) isn't in it. `until` is as of `Seen`.
    """

    digest: str
    revision: int
    people: int
    held_out: int
    rules: int
    tokens: int
    domains: int
    until: int


@dataclass(frozen=True, slots=True)
class Closing:
    """What switching off, or deleting, a connection closes. `preview` says who loses what no other path gives them.

    `last_way`: the workspace requires SSO, and there is no other connection that is on.
    """

    overview: ConnectionOverview
    preview: Preview
    last_way: bool

    @property
    def loses(self) -> MovedPeople:
        """Who loses, counted, with the first of them."""
        return self.preview.loses

    @property
    def foreseen(self) -> Foreseen:
        """What of it has to be so still when it is done."""
        counts = self.overview.counts
        told = repr((self.preview.digest, self.last_way, self.overview.connection.enabled, counts.domains))
        return Foreseen(
            revision=self.preview.revision,
            people=self.loses.count,
            held_out=counts.held_out,
            rules=counts.rules,
            tokens=counts.tokens,
            domains=len(counts.domains),
            digest=sha256(told.encode()).hexdigest(),
            until=self.preview.until,
        )


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
        return _foresee(rows, workspace, get_connection(rows, workspace, connection_id), now)


def _foresee(rows: Any, workspace: Workspace, found: Connection, now: datetime) -> Closing:
    counted = connection_overview.overviews(rows, workspace.key, now)[found.key]
    others = any(one.enabled and one.key != found.key for one in connections.list_connections(rows, workspace.key))
    last_way = workspace.require_sso and not others
    preview = foresee(rows, workspace, SwitchConnection(found.id, False), now)
    return Closing(_overview(found, counted), preview, last_way)


def check_foreseen(
    change: Change, workspace_slug: str, found: Connection, seen: Foreseen | None, *, hold: bool = True
) -> None:
    """Refuse to close a connection where that takes something else by now than was shown. Raises Stale.

    The connection, and whatever else closing it changes, is held by `change`; from here on the workspace is, too, but
    where not `hold`: nobody else changes it until the end. Where somebody has, or time alone may have, it is counted
    anew: what moved may be elsewhere.
    """
    if seen is None:
        return
    if hold:
        lock_workspace(change, found.workspace_key)
    workspace = get_workspace(change.connection, workspace_slug)
    if workspace.rev - hold == seen.revision and change.now.timestamp() < seen.until:  # the lock raised it by one
        return
    now = _foresee(change.connection, workspace, found, change.now).foreseen
    if replace(now, revision=seen.revision, until=seen.until) != seen:
        raise Stale(f"Something changed while you were looking. This is not done yet. By now {_moved(seen, now)}.")


def _moved(seen: Foreseen, now: Foreseen) -> str:
    """What differs, in numbers; where none does, it is who, or what."""
    words = {
        "people": ("person loses access", "people lose access"),
        "held_out": ("membership ends", "memberships end"),
        "rules": ("rule goes", "rules go"),
        "tokens": ("SCIM token stops", "SCIM tokens stop"),
        "domains": ("domain loses its connection", "domains lose their connection"),
    }
    pairs = [(name, getattr(now, name), getattr(seen, name)) for name in words]
    moved = [f"{counted(new, *words[name])}, {old:,} when you looked" for name, new, old in pairs if new != old]
    return "; ".join(moved) or "other people lose access than those, or they lose something else"


def _overview(found: Connection, counted: StoredOverview) -> ConnectionOverview:
    certificates = found.config.get("idp", {}).get("certificates", ())
    return ConnectionOverview(found, counted, tuple(certificate_facts(pem) for pem in certificates))
