"""Domains: claimed by an owner, proved, and routed to a connection (product.md 2.4)."""

import secrets
from datetime import datetime

from bridge.domain.domains import TOKEN_LIFETIME, Domain, parse_domain
from bridge.domain.errors import DomainError, Forbidden, NotFound
from bridge.domain.workspace import Workspace
from bridge.flows.context import OPERATOR, Context
from bridge.flows.named import get_connection, get_workspace, owner_acting
from bridge.storage import domains
from bridge.storage.changes import Change


def add_domain(
    context: Context, actor: str, workspace_slug: str, name: str, connection_id: str | None, now: datetime
) -> Domain:
    """Claim a domain, to be proved within 14 days. Claimed again, it gets a new token once the former ran out.

    Raises Invalid, NotFound, Conflict (another workspace has proved it; not by whom), Forbidden (not an owner).
    """
    parsed = parse_domain(name)
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        if domains.is_proved_elsewhere(change.connection, workspace.key, parsed):
            raise domains.already_claimed(parsed)
        connection = get_connection(change.connection, workspace, connection_id) if connection_id else None
        _claim(change, workspace, parsed, connection.key if connection else None)
        change.record(workspace.key, "domain.claimed", parsed, after={"connection": connection_id})
        return _get(change, workspace, parsed)


def trust_domain(context: Context, actor: str, workspace_slug: str, name: str, now: datetime) -> Domain:
    """Record that the proof was made elsewhere: the operator's word. Raises Forbidden, NotFound, Conflict, Invalid."""
    if actor != OPERATOR:
        raise Forbidden("Only the operator can say that a domain was proved elsewhere.")
    parsed = parse_domain(name)
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        if _get(change, workspace, parsed).proved_at is None:
            domains.set_domain(change, workspace.key, parsed, proved_at=now, proved_by=actor, checked_at=now)
            change.record(workspace.key, "domain.proved", parsed, after={"by": "the operator's word"})
        return _get(change, workspace, parsed)


def verify_domain(context: Context, workspace_slug: str, name: str) -> Domain:
    """A domain that is proved. Raises DomainError for one that isn't: looking the proof up is not built yet."""
    with context.database.reading() as connection:
        workspace = get_workspace(connection, workspace_slug)
        found = domains.find_domain(connection, workspace.key, parse_domain(name))
    if found is None:
        raise NotFound(f"{workspace.name} hasn't claimed {name[:80]}.")
    if found.proved_at is None:
        raise DomainError(
            f"This version of the bridge doesn't look up DNS records and meta tags yet, so {found.name} is still "
            "unproved. The operator can record a proof that was made elsewhere: bridge domain verify --trust."
        )
    return found


def list_domains(context: Context, workspace_slug: str) -> tuple[Domain, ...]:
    """A workspace's domains by name. Raises NotFound."""
    with context.database.reading() as connection:
        return tuple(domains.list_domains(connection, get_workspace(connection, workspace_slug).key))


def _claim(change: Change, workspace: Workspace, name: str, connection_key: int | None) -> None:
    token, expires_at = secrets.token_urlsafe(24), change.now + TOKEN_LIFETIME
    found = domains.find_domain(change.connection, workspace.key, name)
    if found is None:
        domains.insert_domain(change, workspace.key, name, connection_key, token, expires_at)
        return
    if connection_key is not None:
        domains.set_domain(change, workspace.key, name, connection_id=connection_key)
    if found.proved_at is None and found.token_expires_at <= change.now:
        domains.set_domain(change, workspace.key, name, token=token, token_expires_at=expires_at)


def _get(change: Change, workspace: Workspace, name: str) -> Domain:
    found = domains.find_domain(change.connection, workspace.key, name)
    if found is None:
        raise NotFound(f"{workspace.name} hasn't claimed {name}.")
    return found
