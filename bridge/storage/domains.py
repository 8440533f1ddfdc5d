"""Domains: several workspaces may claim one, one has proved it."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from bridge.domain.domains import Domain
from bridge.domain.errors import Conflict
from bridge.storage.changes import Change
from bridge.storage.tables import connections, domains

_COLUMNS = (
    domains.c.name,
    connections.c.uid,
    domains.c.token,
    domains.c.token_expires_at,
    domains.c.proved_at,
    domains.c.proved_by,
    domains.c.proof,
    domains.c.checked_at,
    domains.c.found_at,
    domains.c.missing_since,
    domains.c.problem,
)
_FROM = domains.outerjoin(connections, connections.c.id == domains.c.connection_id)


def list_domains(connection: Any, workspace_key: int) -> list[Domain]:
    """A workspace's domains by name."""
    chosen = select(*_COLUMNS).select_from(_FROM).where(domains.c.workspace_id == workspace_key)
    return [Domain(*row) for row in connection.execute(chosen.order_by(domains.c.name))]


def find_domain(connection: Any, workspace_key: int, name: str) -> Domain | None:
    """A workspace's claim of a domain, or None."""
    row = connection.execute(select(*_COLUMNS).select_from(_FROM).where(_here(workspace_key, name))).first()
    return None if row is None else Domain(*row)


def is_proved_elsewhere(connection: Any, workspace_key: int, name: str) -> bool:
    """Whether another workspace has proved the domain."""
    other = and_(domains.c.name == name, domains.c.workspace_id != workspace_key, domains.c.proved_at.is_not(None))
    return connection.execute(select(domains.c.name).where(other)).first() is not None


def insert_domain(
    change: Change, workspace_key: int, name: str, connection_key: int | None, token: str, expires_at: datetime
) -> None:
    """A new claim, to be proved with `token` before it expires."""
    values = {"name": name, "workspace_id": workspace_key, "connection_id": connection_key, "token": token}
    change.connection.execute(insert(domains).values(**values, token_expires_at=expires_at, created_at=change.now))


def list_due(connection: Any, before: datetime, at_most: int) -> list[tuple[int, Domain]]:
    """Proved domains whose proof was last looked for before that moment, longest ago first, each with its workspace.

    Not those that the operator's word proved: there is nothing to look for.
    """
    proved = and_(domains.c.proved_at.is_not(None), domains.c.proof.in_(("dns", "meta")))
    due = or_(domains.c.checked_at.is_(None), domains.c.checked_at <= before)
    chosen = select(domains.c.workspace_id, *_COLUMNS).select_from(_FROM).where(proved, due)
    ordered = chosen.order_by(domains.c.checked_at, domains.c.name).limit(at_most)
    return [(row[0], Domain(*row[1:])) for row in connection.execute(ordered)]


def hold_domain(change: Change, workspace_key: int, name: str) -> Domain | None:
    """A claim that nobody else changes until the change ends, or None."""
    held = select(domains.c.name).where(_here(workspace_key, name)).with_for_update()
    if change.connection.execute(held).first() is None:
        return None
    return find_domain(change.connection, workspace_key, name)


def note_look(change: Change, workspace_key: int, domain: Domain) -> None:
    """Keep what a look for the proof made of a claim. Raises Conflict where another workspace has proved the domain."""
    columns = ("proved_at", "proved_by", "proof", "checked_at", "found_at", "missing_since", "problem")
    values = {column: getattr(domain, column) for column in (*columns, "token_expires_at")}
    set_domain(change, workspace_key, domain.name, **values)


def delete_domain(change: Change, workspace_key: int, name: str) -> None:
    """Let a claim go."""
    change.connection.execute(delete(domains).where(_here(workspace_key, name)))


def set_domain(change: Change, workspace_key: int, name: str, **values: Any) -> None:
    """Change columns of a claim. Raises Conflict where another workspace has proved the domain."""
    try:
        change.connection.execute(update(domains).where(_here(workspace_key, name)).values(**values))
    except IntegrityError as error:
        raise already_claimed(name) from error


def already_claimed(name: str) -> Conflict:
    """The refusal, which doesn't say by whom."""
    return Conflict(
        f"{name} is claimed by another workspace. If it is yours, its owner can release it; we can't tell you "
        "which it is."
    )


def _here(workspace_key: int, name: str) -> ColumnElement[bool]:
    return and_(domains.c.workspace_id == workspace_key, domains.c.name == name)
