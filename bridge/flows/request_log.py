"""The request log of SCIM (product.md 4.6): read by owners, newest first, and forgotten; `log_requests` writes it."""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bridge.domain.errors import Invalid, NotFound
from bridge.domain.request_log import Outcome, ProvisioningRequest, RequestsQuery
from bridge.domain.workspace import Connection
from bridge.flows.context import SYSTEM, Context
from bridge.flows.named import get_workspace
from bridge.storage import provisioning_requests as stored
from bridge.storage.columns import EPOCH, MICROSECOND
from bridge.storage.connections import list_connections
from bridge.storage.provisioning_requests import Place

#: How many old lines go in one transaction: writers shouldn't wait for long.
SWEPT_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class RequestsPage:
    """Calls, newest first. `older` is what to go on after; None where there are no more."""

    requests: tuple[ProvisioningRequest, ...]
    older: str | None


_OUTCOMES: dict[str, tuple[Outcome, ...]] = {
    "": (),
    "every_change": ("changed", "refused"),
    "changed": ("changed",),
    "unchanged": ("unchanged",),
    "read": ("read",),
    "refused": ("refused",),
}


def list_requests(context: Context, workspace_slug: str, query: RequestsQuery, limit: int) -> RequestsPage:
    """The newest calls of a workspace's connections that fit. Raises NotFound, Invalid (`before` is none)."""
    before = _parse_id(query.before) if query.before else None
    with context.database.snapshot() as connection:
        known = _connections(connection, workspace_slug)
        chosen = [key for key, one in known.items() if query.connection_id in ("", one.id)]
        outcomes = _OUTCOMES[query.outcome]
        rows = stored.list_requests(
            connection, chosen, outcomes=outcomes, about=query.about, before=before, limit=limit + 1
        )
    shown = tuple(_request(row, known[row.connection_id]) for row in rows[:limit])
    return RequestsPage(shown, shown[-1].id if len(rows) > limit else None)


def get_request(context: Context, workspace_slug: str, request_id: str) -> ProvisioningRequest:
    """One call with its bodies. Raises NotFound."""
    try:
        place = _parse_id(request_id)
    except Invalid as error:
        raise NotFound("There is no such call in the log.") from error
    with context.database.snapshot() as connection:
        known = _connections(connection, workspace_slug)
        row = stored.find_request(connection, list(known), place)
    if row is None:
        raise NotFound(f"There is no such call in the log; it remembers {context.scim_log_days} days.")
    return replace(_request(row, known[row.connection_id]), request=row.request, answer=row.answer)


def _connections(connection: Any, workspace_slug: str) -> dict[int, Connection]:
    return {one.key: one for one in list_connections(connection, get_workspace(connection, workspace_slug).key)}


def _request(row: Any, connection: Connection) -> ProvisioningRequest:
    return ProvisioningRequest(
        id=f"{(row.at - EPOCH) // MICROSECOND:x}-{row.cause:x}",
        at=row.at,
        connection_id=connection.id,
        connection=connection.name,
        method=row.method,
        path=row.path,
        status=row.status,
        outcome=row.outcome,
        sentence=row.sentence,
    )


def _parse_id(text: str) -> Place:
    if not re.fullmatch(r"[0-9a-f]{1,15}-[0-9a-f]{1,16}", text):
        raise Invalid(f"{text[:80]!r} names no call of the log.", field="before")
    at, cause = (int(part, 16) for part in text.split("-"))
    if at > _LATEST or cause >= 2**62:
        raise Invalid(f"{text[:80]!r} names no call of the log.", field="before")
    return Place(EPOCH + at * MICROSECOND, cause)


_LATEST = 253_402_300_799 * 10**6  # the end of the year 9999


def forget_old_requests(context: Context, now: datetime) -> int:
    """Forget calls that are older than the setting says, a part at a time. Returns how many."""
    before, gone = now - timedelta(days=context.scim_log_days), 0
    while True:
        with context.changing(SYSTEM, now) as change:
            part = stored.delete_old_requests(change.connection, before, SWEPT_AT_ONCE)
        gone += part
        if part < SWEPT_AT_ONCE:
            return gone
