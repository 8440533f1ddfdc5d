"""By what an account can be signed in to, and whether enough is left without one of them (product.md 2.7, 3.2)."""

from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True, slots=True)
class LinkedIdentity:
    """An IdP's identity that opens the account. `works`: its connection is on, and its workspace lets the person in.
    `accepted`: they are a member there by their own doing, or the account was made for it; else it is no way in of
    theirs, but a company's that has their address.
    """

    connection_key: int
    connection_id: str
    connection: str
    workspace: str
    workspace_key: int
    subject: str
    linked_at: datetime
    works: bool
    accepted: bool = True

    @property
    def is_way_in(self) -> bool:
        """Whether its person can count on it."""
        return self.works and self.accepted


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
        return self.own or any(one.is_way_in for one in self.identities)

    def remain_without(self, connection_id: str, subject: str) -> bool:
        """Whether there is still one that works without this identity."""
        others = (one for one in self.identities if (one.connection_id, one.subject) != (connection_id, subject))
        return replace(self, identities=tuple(others)).work
