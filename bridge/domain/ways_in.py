"""By what an account can be signed in to, and whether enough is left without one of them (product.md 2.7, 3.2)."""

from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True, slots=True)
class LinkedIdentity:
    """An IdP's identity that opens the account. `works`: its connection is on."""

    connection_key: int
    connection_id: str
    connection: str
    workspace: str
    workspace_key: int
    subject: str
    linked_at: datetime
    works: bool


@dataclass(frozen=True, slots=True)
class WaysIn:
    """By what an account can be signed in to."""

    password: bool
    twilio: bool
    passkeys: int
    identities: tuple[LinkedIdentity, ...]

    @property
    def own(self) -> bool:
        """Whether one of them belongs to the account itself."""
        return self.password or self.twilio or self.passkeys > 0

    @property
    def work(self) -> bool:
        """Whether there is one that works."""
        return self.own or any(one.works for one in self.identities)

    def remain_without(self, connection_id: str, subject: str) -> bool:
        """Whether there is still one that works without this identity."""
        others = (one for one in self.identities if (one.connection_id, one.subject) != (connection_id, subject))
        return replace(self, identities=tuple(others)).work
