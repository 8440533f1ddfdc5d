"""Members of a workspace as its owners see them, and its User Groups, with who decides what."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bridge.domain.access import Permission, RoleInScope
from bridge.domain.group_mapping import MatchKind

Standing = Literal["active", "suspended", "removed"]


@dataclass(frozen=True, slots=True)
class RecordAtIdp:
    """What one connection's IdP says of a member. `holds_out`: the person is out until it, or an owner, lifts that."""

    connection_id: str
    connection: str
    pushed: bool
    active: bool
    holds_out: bool


@dataclass(frozen=True, slots=True)
class Member:
    """A person in a workspace. `id` is the membership's; `accepted` is false until more than SSO opens it."""

    id: str
    user_id: str
    name: str
    email: str
    status: Standing
    accepted: bool
    sso_exempt: bool
    member_since: datetime
    last_sign_in: datetime | None = None
    permissions: tuple[Permission, ...] = ()
    records: tuple[RecordAtIdp, ...] = ()


@dataclass(frozen=True, slots=True)
class GivenGrant:
    """A grant given by hand, or hanging on a User Group. `given_by` is an actor, `given_by_name` a person's name."""

    id: str
    given: RoleInScope
    given_by: str
    given_by_name: str | None
    since: datetime


@dataclass(frozen=True, slots=True)
class InUserGroup:
    """A User Group that a member is in, and the IdP groups that bring them there; by hand too, or only."""

    id: str
    name: str
    by_hand: bool
    idp_groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PersonDetails:
    """All that the page of one person shows beside their permissions."""

    member: Member
    grants: tuple[GivenGrant, ...]
    user_groups: tuple[InUserGroup, ...]
    tokens: tuple[str, ...]
    is_last_owner: bool


@dataclass(frozen=True, slots=True)
class Decider:
    """A rule that brings people into a User Group, and one IdP group that it matches now (or none)."""

    mapping_id: str
    match: MatchKind
    value: str
    enabled: bool
    origin: str
    connection_id: str
    connection: str
    idp_group_id: str | None
    idp_group: str | None


@dataclass(frozen=True, slots=True)
class UserGroup:
    """A User Group. A `mirror` takes no members by hand; `orphan_of` names the IdP group it mirrored, deleted since."""

    id: str
    name: str
    mirror: bool
    orphan_of: str | None
    created_at: datetime
    member_count: int = 0
    by_hand: int = 0
    deciders: tuple[Decider, ...] = ()
    grants: tuple[GivenGrant, ...] = ()


@dataclass(frozen=True, slots=True)
class UserGroupMember:
    """A member of a User Group and how they came in: by hand (and when), by IdP groups, or both."""

    id: str
    name: str
    email: str
    by_hand_since: datetime | None
    idp_groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ByWay:
    """How many of those who are in would come in under Require SSO (product.md 2.5), each counted by the first of:

    `exempt`: past it. `came`: they came before, by a connection that is enabled now. `pushed`: not yet, but such a
    connection's IdP pushes them, and others came by it: it knows them, and opens. `neither`: nothing lets them in.
    """

    exempt: int = 0
    came: int = 0
    pushed: int = 0
    neither: int = 0

    @property
    def let_in(self) -> int:
        """All but those whom nothing lets in."""
        return self.exempt + self.came + self.pushed
