"""Who an IdP says somebody is, whatever protocol it said it by."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

LoginKind = Literal["saml", "oidc", "twilio", "password"]


@dataclass(frozen=True, slots=True)
class AssertedIdentity:
    """One verified statement of a connection's IdP about one person.

    It vouches only inside the connection's workspace (properties.md 1); the email is a hint, never an
    identity: that is (connection, subject). `logout_hint`, sealed, is what the IdP wants to see again at the end.
    """

    connection_id: str
    subject: str
    email: str
    name: str
    groups: tuple[str, ...]
    session_index: str | None = None
    name_id: str | None = None
    session_ends_at: datetime | None = None
    logout_hint: str | None = None


@dataclass(frozen=True, slots=True)
class Replay:
    """What must be remembered so that one proof counts once: a key, and until when it could be replayed."""

    key: str
    until: datetime
