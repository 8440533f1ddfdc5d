"""Workspaces, the people in them, and their connections, as values.

`id` is the outside id (a UUID as text, in every URL and answer); `key` is the number by which storage finds
the row again, and never leaves the house.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

MembershipStatus = Literal["active", "removed"]


@dataclass(frozen=True, slots=True)
class Workspace:
    """A customer's space in the product. `rev` rises with every change in it."""

    key: int
    id: str
    slug: str
    name: str
    plan: str
    require_sso: bool
    hipaa: bool
    rev: int


@dataclass(frozen=True, slots=True)
class User:
    """A person's one global account."""

    key: int
    id: str
    email: str
    name: str
    email_proved: bool
    has_password: bool


@dataclass(frozen=True, slots=True)
class Membership:
    """A person in a workspace. `held_out`: an IdP's record says they are out, until it says otherwise."""

    key: int
    id: str
    workspace_key: int
    user_key: int
    status: MembershipStatus
    accepted: bool
    sso_exempt: bool
    held_out: bool
    created_at: datetime

    @property
    def alive(self) -> bool:
        """Whether anything of this membership works now."""
        return self.status == "active" and not self.held_out


@dataclass(frozen=True, slots=True)
class Connection:
    """One configured link between a workspace and an IdP. `config` is its public side, see `flows.connect`."""

    key: int
    id: str
    workspace_key: int
    kind: Literal["saml", "oidc"]
    name: str
    enabled: bool
    config: Mapping[str, Any]
    version: int
