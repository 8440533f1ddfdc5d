"""Groups and people as each IdP says them, for whoever looks at the directory: nothing here decides anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

#: `pushed` by SCIM, or `asserted`: named by the IdP when somebody signed in.
GroupSource = Literal["pushed", "asserted"]
#: How a record stands: it lets its person in; the IdP suspended them; it has no account; it is known by sign-ins alone.
RecordState = Literal["active", "suspended", "no_account", "signs_in"]


@dataclass(frozen=True, slots=True)
class IdpGroupSeen:
    """An IdP group. `members` as the directory counts them, whatever became of them here; `rules` take it now.

    `idle`: nothing of what takes it gives more than to see the workspace.
    """

    id: str
    name: str
    external_id: str | None
    source: GroupSource
    connection_id: str
    connection: str
    members: int
    rules: int
    idle: bool
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class GroupMemberSeen:
    """Somebody in an IdP group. `until`: of an asserted group, when it stops to count unless they sign in again."""

    record_id: str
    name: str
    user_name: str
    state: RecordState
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class RecordSeen:
    """An IdP's record of a person; `member_id` is the membership that it is about, if it is about one."""

    id: str
    name: str
    user_name: str
    email: str | None
    external_id: str | None
    state: RecordState
    connection_id: str
    connection: str
    member_id: str | None
    created_at: datetime
    changed_at: datetime
    asserted_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class InIdpGroup:
    """A group that a record is in, since when."""

    id: str
    name: str
    source: GroupSource
    since: datetime


@dataclass(frozen=True, slots=True)
class RecordInFull:
    """A record with what the IdP sent, as it sent it, and the groups it is in, by name."""

    record: RecordSeen
    document: Mapping[str, Any]
    groups: tuple[InIdpGroup, ...]


def state_of(*, pushed: bool, active: bool, holds_out: bool, linked: bool) -> RecordState:
    """How a record stands. One that the IdP deleted is known no more than by the person's sign-ins."""
    if not linked:
        return "no_account"
    if holds_out or not active:
        return "suspended"
    return "active" if pushed else "signs_in"
