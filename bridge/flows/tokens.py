"""Tokens for machines: made by owners, shown once, kept as hashes, revoked (product.md 4.2, 2.9).

A token made by a person works while that person's membership does; that is looked up at each use, so nothing
has to be swept when somebody leaves.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from bridge.domain.access import RoleInScope
from bridge.domain.errors import DomainError, Forbidden, Invalid, NotFound, NotInPlan
from bridge.domain.roles import has_sso
from bridge.domain.tokens import NewToken, ProvisioningCaller, TokenFacts
from bridge.flows.bearer_secrets import digest, new_secret
from bridge.flows.context import Context
from bridge.flows.named import WAY_TO_SSO, check_sso_in_plan, get_connection, get_workspace, owner_acting
from bridge.flows.roles_given import check_role_in_plan
from bridge.storage import scim_clients, tokens
from bridge.storage.grants import insert_grant
from bridge.storage.tokens import FoundToken, TokenDraft
from bridge.storage.workspaces import insert_principal

#: What a leaked secret is recognised by.
SCIM_PREFIX, API_PREFIX = "bscim_", "bapi_"
CLIENT_PREFIX, ACCESS_PREFIX = "bscs_", "bscat_"
_PUSHES_WITH = {"scim": SCIM_PREFIX, "scim_client": CLIENT_PREFIX}
LONGEST_LIFETIME_DAYS = 3650
LONGEST_SECRET = 200


def create_scim_token(
    context: Context,
    actor: str,
    workspace_slug: str,
    connection_id: str,
    expires_in_days: int | None,
    description: str,
    now: datetime,
    *,
    kind: Literal["scim", "scim_client"] = "scim",
) -> NewToken:
    """A new SCIM token of one connection. Several may work at a time, so that a token can be replaced with overlap.
    Of an OAuth client, which is one of another `kind`, `token` is its secret.

    Raises NotFound, NotInPlan, Forbidden (not an owner), Invalid.
    """
    expires_at = end_of_life(expires_in_days, now)
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        maker = owner_acting(change, workspace)
        check_sso_in_plan(workspace)
        connection = get_connection(change.connection, workspace, connection_id)
        name = clean_description(description, f"{connection.name} provisioning")
        draft = TokenDraft(kind, workspace.key, name, expires_at, maker, connection_key=connection.key)
        secret = new_secret(_PUSHES_WITH[kind])
        uid = tokens.insert_token(change, draft, digest(secret))
        after = {"kind": kind, "description": name, "connection": connection.id, "expires_at": iso(expires_at)}
        change.record(workspace.key, "token.created", uid, after=after)
    return NewToken(secret, uid, context.scim_url, expires_at)


def create_api_token(
    context: Context,
    actor: str,
    workspace_slug: str,
    gives: Sequence[RoleInScope],
    expires_in_days: int | None,
    description: str,
    now: datetime,
) -> NewToken:
    """A new Public API token with these roles in scope.

    Raises NotFound (also a listed resource), NotInPlan, Forbidden (not an owner), Invalid.
    """
    expires_at = end_of_life(expires_in_days, now)
    if not gives:
        raise Invalid("A token has at least one role.", field="role")
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        maker = owner_acting(change, workspace)
        principal = insert_principal(change, workspace.key, "token")
        for given in gives:
            check_role_in_plan(given.role, workspace)
            insert_grant(change, workspace.key, principal, given, actor)
        name = clean_description(description, gives[0].role.name)
        draft = TokenDraft("api", workspace.key, name, expires_at, maker, principal_key=principal)
        secret = new_secret(API_PREFIX)
        uid = tokens.insert_token(change, draft, digest(secret))
        roles = [{"role": given.role.name, "scope": given.scope.render()} for given in gives]
        after = {"kind": "api", "description": name, "roles": roles, "expires_at": iso(expires_at)}
        change.record(workspace.key, "token.created", uid, after=after)
    return NewToken(secret, uid, f"{context.public_url}/api", expires_at)


def list_tokens(context: Context, workspace_slug: str, now: datetime) -> tuple[TokenFacts, ...]:
    """Tokens of both kinds in one list, since both are keys; newest first. Raises NotFound."""
    with context.database.snapshot() as connection:
        workspace = get_workspace(connection, workspace_slug)
        return tuple(tokens.list_tokens(connection, workspace.key, now))


def revoke_token(context: Context, actor: str, workspace_slug: str, token_id: str, now: datetime) -> None:
    """End a token at once and for good. Raises NotFound, Forbidden (not an owner)."""
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        revoked = tokens.delete_token(change, workspace.key, token_id)
        if revoked is None:
            raise NotFound(f"{workspace.name} has no token {token_id[:80]!r}.")
        kind, description = revoked
        change.record(workspace.key, "token.revoked", token_id, before={"kind": kind, "description": description})


def find_scim_token(context: Context, secret: str, now: datetime) -> ProvisioningCaller | None:
    """Who calls SCIM with this bearer secret, as `find_scim_caller`. Raises what closes the door: Forbidden where the
    connection is switched off, NotInPlan where the plan has no SCIM.
    """
    caller = find_scim_caller(context, secret, now)
    if caller is not None and caller.closed is not None:
        raise caller.closed
    return caller


def find_scim_caller(context: Context, secret: str, now: datetime) -> ProvisioningCaller | None:
    """Who calls SCIM with this bearer secret, a SCIM token or an OAuth client's access token; None for one that is
    unknown, has run out, or lost its maker.

    One statement, and at most once a minute a second one that notes the use. `closed` says why a good token opens
    nothing now: whoever goes on must look at it.
    """
    find = _FINDERS.get(secret[: secret.find("_") + 1])
    if find is None or len(secret) > LONGEST_SECRET:
        return None
    with context.database.reading() as connection:
        found = find(connection, digest(secret), now)
    if found is None:
        return None
    closed = _why_closed(found)
    if closed is not None:
        return ProvisioningCaller(found.id, found.connection, found.connection.workspace_key, closed)
    if found.last_used_at is None or now - found.last_used_at >= tokens.USE_NOTED_EVERY:
        with context.database.writing() as connection:
            tokens.note_use(connection, found.key, now)
    return ProvisioningCaller(found.id, found.connection, found.connection.workspace_key)


_FINDERS = {SCIM_PREFIX: tokens.find_scim_token, ACCESS_PREFIX: scim_clients.find_by_access_token}


def _why_closed(found: FoundToken) -> DomainError | None:
    if not has_sso(found.plan):
        return NotInPlan(f"SCIM is not part of the {found.plan} plan that this workspace is on. {WAY_TO_SSO}")
    if not found.connection.enabled:
        return Forbidden(
            f"The connection {found.connection.name} is switched off in the bridge. Its owner can enable it."
        )
    return None


def end_of_life(days: int | None, now: datetime) -> datetime | None:
    """When a token made now ends; None: never. Raises Invalid."""
    if days is None:
        return None
    if not 1 <= days <= LONGEST_LIFETIME_DAYS:
        raise Invalid(f"A token lasts 1 to {LONGEST_LIFETIME_DAYS:,} days, or without end.", field="expires")
    return now + timedelta(days=days)


def clean_description(description: str, otherwise: str) -> str:
    """What a token is called. Raises Invalid."""
    text = " ".join(description.split()) or otherwise
    if len(text) > 200 or not text.isprintable():
        raise Invalid("A description has at most 200 printable characters.", field="description")
    return text


def iso(moment: datetime | None) -> str | None:
    """A moment as the audit trail has it."""
    return None if moment is None else moment.isoformat()
