"""Domains: several workspaces may claim one, one has proved it."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, insert, select, update
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
