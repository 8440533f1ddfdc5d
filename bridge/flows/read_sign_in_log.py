"""The sign-in log as a workspace's owners read it (product.md 2.10); `sign_in_log` writes it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bridge.domain.errors import NotFound
from bridge.domain.sign_in_log import AttemptsQuery, SignInAttempt, WouldHappen
from bridge.domain.workspace import Connection
from bridge.flows.context import Context
from bridge.flows.named import get_workspace
from bridge.flows.sign_in_log import unpack_step
from bridge.storage import sign_in_attempts as stored
from bridge.storage.connections import list_connections

_ALIKE_WITHIN = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class AttemptsPage:
    """Attempts, newest first. `older` is what to go on after; None where there are no more."""

    attempts: tuple[SignInAttempt, ...]
    older: str | None


@dataclass(frozen=True, slots=True)
class Alike:
    """How many attempts through the same connection were refused for the same reason in a day, since when."""

    count: int
    since: datetime


def list_attempts(context: Context, workspace_slug: str, query: AttemptsQuery, limit: int) -> AttemptsPage:
    """The newest attempts that concern a workspace and fit: through its connections, and by password of people whose
    domain it has proved, or of its members where nobody has. Raises NotFound.
    """
    with context.database.snapshot() as rows:
        workspace = get_workspace(rows, workspace_slug)
        found = stored.list_attempts(rows, workspace.key, query, limit + 1)
        known = _connections(rows, workspace.key)
    shown = tuple(_attempt(row, known) for row in found[:limit])
    return AttemptsPage(shown, shown[-1].ref if len(found) > limit else None)


def get_attempt(context: Context, workspace_slug: str, ref: str) -> SignInAttempt:
    """One attempt with its steps and message. Raises NotFound, also for another workspace's."""
    with context.database.snapshot() as rows:
        workspace = get_workspace(rows, workspace_slug)
        row = stored.find_attempt(rows, workspace.key, ref.strip().upper()) if ref.isascii() else None
        if row is None:
            kept = f"it remembers {context.sign_in_log_days} days"
            raise NotFound(f"There is no such attempt in the sign-in log of {workspace.name}; {kept}.")
        return attempt_of(rows, row)


def count_alike(context: Context, attempt: SignInAttempt) -> Alike | None:
    """Whom else it concerns, up to that attempt's day; None where it concerns nobody else."""
    if attempt.connection_id is None or attempt.outcome != "refused":
        return None
    with context.database.reading() as rows:
        count, since = stored.count_like(rows, attempt.connection_id, attempt.code, attempt.at - _ALIKE_WITHIN)
    return Alike(count, since) if since and count > 1 else None


def attempt_of(rows: Any, row: Any) -> SignInAttempt:
    """A row of the log with all that is kept of it."""
    return replace(
        _attempt(row, _connections(rows, row.workspace_id) if row.workspace_id else {}),
        steps=tuple(unpack_step(step) for step in row.steps),
        message=row.message or "",
        would=_unpack_would(row.would) if row.would else None,
    )


def _unpack_would(packed: Mapping[str, Any]) -> WouldHappen:
    values: dict[str, Any] = {name: tuple(each) if isinstance(each, list) else each for name, each in packed.items()}
    return WouldHappen(**values)


def _connections(rows: Any, workspace_key: int) -> dict[int, Connection]:
    return {one.key: one for one in list_connections(rows, workspace_key)}


def _attempt(row: Any, known: Mapping[int, Connection]) -> SignInAttempt:
    through = known.get(row.connection_id)
    return SignInAttempt(
        ref=row.ref,
        at=row.at,
        kind=row.kind,
        outcome=row.outcome,
        code=row.code,
        text=row.text,
        check=row.check,
        test=row.test,
        email=row.email,
        address=row.address,
        agent=row.agent,
        connection_id=through.id if through else None,
        connection=through.name if through else "",
        preset=through.config.get("preset", "generic") if through else "generic",
        times=row.times,
        last_at=row.last_at,
    )
