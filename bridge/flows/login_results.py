"""What an IdP's verified answer leaves until the browser fetches it, and what it adds to a session then."""

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from bridge.domain.identity import AssertedIdentity
from bridge.domain.sign_in_refusals import EndedAtIdp
from bridge.flows.bearer_secrets import digest
from bridge.flows.context import Context
from bridge.flows.sso_door import Door
from bridge.storage import ended_logins, pending
from bridge.storage.changes import Change
from bridge.storage.sessions import NewAuthentication

_INSTANTS = ("session_ends_at", "asserted_at")


def check_not_ended(change: Change, door: Door, identity: AssertedIdentity) -> None:
    """A statement made before its person signed out at the IdP may arrive after that (SAML Core 3.7.3.2).

    An OpenID provider names no session anew that it has ended, so that its times don't matter.
    """
    session = identity.session_index
    if door.connection.kind == "oidc" and session is not None:
        if pending.was_remembered(change.connection, ended_hash(door.connection.id, session)):
            raise EndedAtIdp(door.connection.name)
        return
    if identity.asserted_at is None or identity.name_id is None:
        return
    ends = ended_logins.find_ends(change.connection, door.connection.key, identity.name_id, identity.asserted_at)
    if any(whose.includes(identity) for whose in ends):
        raise EndedAtIdp(door.connection.name)


def authentication_by(context: Context, door: Door, identity: AssertedIdentity, now: datetime) -> NewAuthentication:
    """What an identity adds to a session: until the IdP's own limit, and as long as a session at most."""
    ends_at = now + context.session_lifetime
    return NewAuthentication(
        kind=door.connection.kind,
        subject=identity.subject,
        ends_at=min(ends_at, identity.session_ends_at or ends_at),
        connection_key=door.connection.key,
        workspace_key=door.workspace.key,
        name_id=identity.name_id,
        session_index=identity.session_index,
        logout_hint_enc=b64decode(identity.logout_hint) if identity.logout_hint else None,
        groups=identity.groups,
        name_id_format=identity.name_id_format,
        name_qualifier=identity.name_qualifier,
    )


def pack(identity: AssertedIdentity) -> dict[str, Any]:
    """An identity as JSON, until the browser comes back."""
    said = {field.name: getattr(identity, field.name) for field in fields(identity)}
    return said | {name: said[name].isoformat() if said[name] else None for name in _INSTANTS}


def unpack(packed: Mapping[str, Any]) -> AssertedIdentity:
    """What `pack` was given."""
    instants = {name: packed.get(name) for name in _INSTANTS}
    values = {name: datetime.fromisoformat(at) if at else None for name, at in instants.items()}
    return AssertedIdentity(**{**packed, **values, "groups": tuple(packed["groups"])})


def ended_hash(connection_id: str, session_index: str) -> bytes:
    """Under which is kept that an OpenID provider has ended a session."""
    return digest(f"ended:{connection_id}:{session_index}")
