"""Keys for machines: SCIM tokens and OAuth clients, by which one IdP pushes into one connection; Public API tokens.

The secret is shown once; only its hash is kept, so nothing here but `NewToken` holds one.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from bridge.domain.access import RoleInScope
from bridge.domain.errors import DomainError
from bridge.domain.workspace import Connection

TokenKind = Literal["scim", "scim_client", "api"]


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token just made: the one moment its secret is seen."""

    token: str = field(repr=False)
    id: str
    base_url: str
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewScimClient:
    """An OAuth client just made, or given another secret: the one moment the secret is seen.

    `former_until`: until when the secret before this one works on.
    """

    client_id: str
    client_secret: str = field(repr=False)
    token_url: str
    base_url: str
    expires_at: datetime | None
    former_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What a client is given for its secret (RFC 6749 4.4.3). `expires_in` is in seconds."""

    token: str = field(repr=False)
    expires_in: int


@dataclass(frozen=True, slots=True)
class ProvisioningCaller:
    """Who calls SCIM: a token that is good now, and what it lets its IdP push into."""

    token_id: str
    connection: Connection
    workspace_key: int
    closed: DomainError | None = None
    """Why the door is shut although the token is good: the connection is switched off, or the plan has no SCIM."""

    @property
    def actor(self) -> str:
        """How the audit trail names the IdP."""
        return f"connection:{self.connection.id}"


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """A token as listed. `works` is false once it ran out, or its maker's membership ended or is held out.

    `made_by` is an actor, `made_by_name` a person's name. `former_until`: until when an OAuth client's former secret
    works on.
    """

    id: str
    kind: TokenKind
    description: str
    connection_id: str | None
    connection: str | None
    roles: tuple[RoleInScope, ...]
    made_by: str
    made_by_membership: str | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    works: bool
    made_by_name: str | None = None
    former_until: datetime | None = None

    @property
    def pushes(self) -> bool:
        """Whether an IdP pushes by it."""
        return self.kind != "api"
