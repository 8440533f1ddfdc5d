"""Domains: claimed by an owner, proved, looked for again each day, and routed to a connection (product.md 2.4).

A proof is looked for outside any transaction, by a function that the caller hands in; what it found is written in a
short one, held against the claim as it then is.
"""

import secrets
from dataclasses import replace
from datetime import datetime, timedelta

from bridge.domain.domains import (
    LOOKED_FOR_EVERY,
    TOKEN_LIFETIME,
    Domain,
    Looked,
    NotProved,
    check,
    parse_claim,
    parse_domain,
)
from bridge.domain.errors import Expired, Forbidden, NotFound, TooManyTries
from bridge.domain.workspace import Workspace
from bridge.flows import workspace_mails
from bridge.flows.context import OPERATOR, SYSTEM, Context
from bridge.flows.deliver import queue_mail
from bridge.flows.named import get_connection, get_workspace, owner_acting
from bridge.flows.outside import Look
from bridge.storage import domains, people, workspaces
from bridge.storage.changes import Change
from bridge.storage.counters import count_try

_LOOKS, _LOOKS_IN = 20, timedelta(minutes=10)
_AT_ONCE = 20


# -- Claiming and letting go -------------------------------------------------------------------------


def add_domain(
    context: Context, actor: str, workspace_slug: str, name: str, connection_id: str | None, now: datetime
) -> Domain:
    """Claim a domain, to be proved within 14 days. Claimed again, it gets a new token once the former ran out.

    Raises Invalid, NotFound, Conflict (another workspace has proved it; not by whom), Forbidden (not an owner).
    """
    parsed = parse_claim(name)
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        claim(change, workspace, parsed, connection_id)
        return _get(change, workspace, parsed)


def claim(change: Change, workspace: Workspace, parsed: str, connection_id: str | None) -> None:
    """The same inside another flow, which knows who may, of a name that `parse_claim` gave. NotFound, Conflict."""
    _check_free(change, workspace, parsed)
    connection = get_connection(change.connection, workspace, connection_id) if connection_id else None
    _claim(change, workspace, parsed, connection.key if connection else None)
    change.record(workspace.key, "domain.claimed", parsed, after={"connection": connection_id})


def route_domain(
    context: Context, actor: str, workspace_slug: str, name: str, connection_id: str | None, now: datetime
) -> Domain:
    """Send a domain's people to one connection, with None to a choice of all. Raises NotFound, Forbidden, Invalid."""
    with context.changing(actor, now) as change:
        workspace, found = _owned(change, workspace_slug, name)
        route(change, workspace, found.name, connection_id)
        return _get(change, workspace, found.name)


def route(change: Change, workspace: Workspace, parsed: str, connection_id: str | None) -> None:
    """The same inside another flow, which knows who may. Raises NotFound."""
    found = _get(change, workspace, parsed)
    connection = get_connection(change.connection, workspace, connection_id) if connection_id else None
    if found.connection_id != (connection.id if connection else None):
        key = connection.key if connection else None
        domains.set_domain(change, workspace.key, found.name, connection_id=key)
        told = {"before": {"connection": found.connection_id}, "after": {"connection": connection_id}}
        change.record(workspace.key, "domain.routed", found.name, **told)


def remove_domain(context: Context, actor: str, workspace_slug: str, name: str, now: datetime) -> Domain:
    """Let a domain go: others can prove it from now on. Returns what it was. Raises NotFound, Forbidden, Invalid."""
    with context.changing(actor, now) as change:
        workspace, found = _owned(change, workspace_slug, name)
        return let_go(change, workspace, found.name)


def let_go(change: Change, workspace: Workspace, parsed: str) -> Domain:
    """The same inside another flow, which knows who may. Raises NotFound."""
    found = _get(change, workspace, parsed)
    domains.delete_domain(change, workspace.key, found.name)
    change.record(workspace.key, "domain.removed", found.name, before={"status": found.status})
    return found


def list_domains(context: Context, workspace_slug: str) -> tuple[Domain, ...]:
    """A workspace's domains by name. Raises NotFound."""
    with context.database.reading() as connection:
        return tuple(domains.list_domains(connection, get_workspace(connection, workspace_slug).key))


def get_domain(context: Context, workspace_slug: str, name: str) -> Domain:
    """A workspace's claim. Raises NotFound, Invalid."""
    with context.database.reading() as connection:
        workspace = get_workspace(connection, workspace_slug)
        found = domains.find_domain(connection, workspace.key, parse_domain(name))
    return found or _refuse(workspace, name)


def _claim(change: Change, workspace: Workspace, name: str, connection_key: int | None) -> None:
    token, expires_at = secrets.token_urlsafe(24), change.now + TOKEN_LIFETIME
    found = domains.find_domain(change.connection, workspace.key, name)
    if found is None:
        domains.insert_domain(change, workspace.key, name, connection_key, token, expires_at)
        return
    if connection_key is not None:
        domains.set_domain(change, workspace.key, name, connection_id=connection_key)
    if found.proved_at is None and found.token_expires_at <= change.now:
        domains.set_domain(change, workspace.key, name, token=token, token_expires_at=expires_at, problem=None)


def _owned(change: Change, workspace_slug: str, name: str) -> tuple[Workspace, Domain]:
    workspace = get_workspace(change.connection, workspace_slug)
    owner_acting(change, workspace)
    return workspace, _get(change, workspace, parse_domain(name))


def _get(change: Change, workspace: Workspace, name: str) -> Domain:
    return domains.hold_domain(change, workspace.key, name) or _refuse(workspace, name)


def _refuse(workspace: Workspace, name: str) -> Domain:
    raise NotFound(f"{workspace.name} hasn't claimed {name[:80]}.")


def _check_free(change: Change, workspace: Workspace, name: str) -> None:
    if domains.is_proved_elsewhere(change.connection, workspace.key, name):
        raise domains.already_claimed(name)


# -- Proving -----------------------------------------------------------------------------------------


def trust_domain(context: Context, actor: str, workspace_slug: str, name: str, now: datetime) -> Domain:
    """Record that the proof was made elsewhere: the operator's word. Raises Forbidden, NotFound, Conflict, Invalid."""
    if actor != OPERATOR:
        raise Forbidden("Only the operator can say that a domain was proved elsewhere.")
    parsed = parse_domain(name)
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        found = _get(change, workspace, parsed)
        if found.proof != "word":
            proved_at = found.proved_at or now
            said = replace(found, proved_at=proved_at, proved_by=actor, proof="word", checked_at=now)
            domains.note_look(change, workspace.key, replace(said, missing_since=None, problem=None))
            change.record(workspace.key, "domain.proved", parsed, after={"by": "the operator's word"})
        return _get(change, workspace, parsed)


def verify_domain(context: Context, actor: str, workspace_slug: str, name: str, look: Look, now: datetime) -> Domain:
    """Look for the proof now. Of a proved domain too: what is missing is then warned about as the daily look does.

    Raises NotProved (says what was found instead), Expired (the token ran out), Conflict (another workspace has proved
    it), NotFound, Forbidden (not an owner), TooManyTries, Invalid.
    """
    parsed = parse_domain(name)
    found = _asked_for(context, actor, workspace_slug, parsed, now)
    if found.proof == "word":
        return found
    looked = look(found.name, found.token)
    with context.changing(actor, now) as change:
        workspace, held = _owned(change, workspace_slug, parsed)
        _check_free(change, workspace, parsed)
        seen = _note(context, change, workspace, found, held, looked)
    if looked.found is None:
        raise NotProved(_not_found(seen, looked))
    return seen


def _asked_for(context: Context, actor: str, workspace_slug: str, name: str, now: datetime) -> Domain:
    """The claim that somebody wants proved, if it may be looked for at all."""
    with context.changing(actor, now) as change:
        workspace, found = _owned(change, workspace_slug, name)
        _check_free(change, workspace, name)
        asked, until = count_try(change.connection, f"domain-look:{workspace.key}", now, _LOOKS_IN)
    if asked > _LOOKS:
        seconds = int((until - now).total_seconds()) + 1
        raise TooManyTries("Domains of this workspace were looked for very often. Wait ten minutes.", seconds)
    if found.proved_at is None and found.token_expires_at <= now:
        raise Expired(f"The token for {name} ran out. Claim the domain again to get a new one.")
    return found


def _note(
    context: Context, change: Change, workspace: Workspace, asked: Domain, held: Domain, looked: Looked
) -> Domain:
    """Write down what was found for `asked`, if the claim still is what it was then."""
    if held.token != asked.token or held.proof == "word":
        return held
    if held.proved_at is not None:
        seen = check(held, looked, change.now)
        _tell(context, change, workspace, held, seen)
    elif looked.found is not None:
        seen = replace(held, proved_at=change.now, proved_by=change.actor, proof=looked.found, problem=None)
        seen = replace(seen, checked_at=change.now, found_at=change.now, missing_since=None)
        change.record(workspace.key, "domain.proved", held.name, after={"by": looked.found})
    else:
        seen = replace(held, checked_at=change.now, problem=looked.problem)
    domains.note_look(change, workspace.key, seen)
    return seen


def _not_found(seen: Domain, looked: Looked) -> str:
    text = f"{seen.name} isn’t proved: {looked.problem}"
    if seen.proved_at is not None:
        text = f"The proof of {seen.name} isn’t found at the moment: {looked.problem}"
        text += f" It stays proved until {seen.ends_at:%d %b %Y}." if seen.ends_at else " It stays proved for now."
    return text


# -- Looking again, each day -------------------------------------------------------------------------


def recheck_domains(context: Context, look: Look, now: datetime) -> int:
    """Look again for every proof that wasn't looked for within a day. Returns how many were looked for.

    An event and a mail to the owners when one is missing; another when the domain isn't proved any more.
    """
    with context.database.reading() as connection:
        due = domains.list_due(connection, now - LOOKED_FOR_EVERY, _AT_ONCE)
    for workspace_key, asked in due:
        looked = look(asked.name, asked.token)
        with context.changing(SYSTEM, now) as change:
            workspace = workspaces.find_by_key(change.connection, workspace_key)
            held = domains.hold_domain(change, workspace_key, asked.name)
            if workspace is not None and held is not None and held.proved_at is not None:
                _note(context, change, workspace, asked, held, looked)
    return len(due)


def _tell(context: Context, change: Change, workspace: Workspace, before: Domain, after: Domain) -> None:
    """The events and mails of what a look changed: a proof gone missing, found again, or given up."""
    if after.proved_at is None:
        kind, mail = "domain.unproved", workspace_mails.domain_unproved
    elif after.missing_since and not before.missing_since:
        kind, mail = "domain.proof_missing", workspace_mails.domain_proof_missing
    elif before.missing_since and not after.missing_since:
        change.record(workspace.key, "domain.proof_found", after.name, after={"by": after.proof})
        return
    else:
        return
    change.record(workspace.key, kind, after.name, after={"problem": after.problem})
    for email in people.owner_emails(change.connection, workspace.key):
        queue_mail(context, change, mail(email, workspace.name, after))
