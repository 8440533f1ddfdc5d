"""Changes that can be previewed, and what a preview says of one (product.md 5.3): who gains, who loses, who keeps.

A person gains (loses) a permission unless another path gives at least that role's levels on at least that scope. Who
saves afterwards hands back what was `Seen`; where by then the same change would do something else to people, it is
refused with the new numbers, as `Moved`.
"""

import json
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Literal

from bridge.domain.access import ResourceRef, RoleInScope, Scope
from bridge.domain.errors import Invalid, Stale
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.labels import Label
from bridge.domain.roles import Role

Side = Literal["gains", "loses"]

#: People on a page of a preview.
PAGE = 50


# -- What can be previewed: one value a kind ---------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MappingDraft:
    """A rule as asked for: User Groups by name, roles with their scopes."""

    connection_id: str
    match: GroupMatch
    user_group_names: tuple[str, ...] = ()
    roles: tuple[RoleInScope, ...] = ()


@dataclass(frozen=True, slots=True)
class AddRule:
    """A rule is made, and on from then."""

    draft: MappingDraft


@dataclass(frozen=True, slots=True)
class ChangeRule:
    """A rule takes other groups, or gives something else: all of it as the draft says. Its connection stays."""

    mapping_id: str
    draft: MappingDraft


@dataclass(frozen=True, slots=True)
class SwitchRule:
    """A rule goes on or off."""

    mapping_id: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class DeleteRule:
    """A rule goes."""

    mapping_id: str


@dataclass(frozen=True, slots=True)
class LinkGroup:
    """A pushed group is tied to a User Group of the workspace's own, in the place of its mirror."""

    connection_id: str
    group_id: str
    user_group_name: str


@dataclass(frozen=True, slots=True)
class UnlinkGroup:
    """A pushed group that is linked is tied to no User Group any more."""

    connection_id: str
    group_id: str


@dataclass(frozen=True, slots=True)
class DeleteIdpGroup:
    """The IdP deletes a group that it pushed. (Only the IdP does; an admin asks what would follow.)"""

    connection_id: str
    group_id: str


@dataclass(frozen=True, slots=True)
class DeleteUserGroup:
    """A User Group goes, with its grants and the rules that give nothing else."""

    user_group_id: str


@dataclass(frozen=True, slots=True)
class TakeOut:
    """Members who were put into a User Group by hand are taken out of it."""

    user_group_id: str
    emails: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EndGrant:
    """A role that was given by hand, to a person or a User Group, is taken."""

    grant_id: str


@dataclass(frozen=True, slots=True)
class MoveGrant:
    """A role that was given by hand, to a person or a User Group, applies in another scope."""

    grant_id: str
    scope: Scope


@dataclass(frozen=True, slots=True)
class RemoveMember:
    """A membership ends, with what was given by hand. The account stays."""

    membership_id: str


@dataclass(frozen=True, slots=True)
class SwitchConnection:
    """A connection is enabled or disabled."""

    connection_id: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class DeleteConnection:
    """A connection goes, with its directory and its rules."""

    connection_id: str


@dataclass(frozen=True, slots=True)
class SetLabels:
    """A resource carries exactly these labels."""

    resource: ResourceRef
    labels: frozenset[Label]


@dataclass(frozen=True, slots=True)
class DeleteResource:
    """A resource goes."""

    resource: ResourceRef


@dataclass(frozen=True, slots=True)
class SetPlan:
    """The workspace is put on another plan."""

    plan: str


@dataclass(frozen=True, slots=True)
class RequireSso:
    """The workspace opens by single sign-on alone: `loses` are those who could no longer get in, without roles."""


Proposal = (
    AddRule
    | ChangeRule
    | SwitchRule
    | DeleteRule
    | LinkGroup
    | UnlinkGroup
    | DeleteIdpGroup
    | DeleteUserGroup
    | TakeOut
    | EndGrant
    | MoveGrant
    | RemoveMember
    | SwitchConnection
    | DeleteConnection
    | SetLabels
    | DeleteResource
    | SetPlan
    | RequireSso
)


def mark_of(proposal: Proposal) -> str:
    """What tells one proposal from another, in whichever process."""
    return sha256(json.dumps(_plain(proposal)).encode()).hexdigest()[:16]


def _plain(value: Any) -> Any:
    if isinstance(value, Role):
        return value.id
    if is_dataclass(value):
        return [type(value).__name__, *(_plain(getattr(value, each.name)) for each in fields(value))]
    if isinstance(value, frozenset):
        return sorted(map(_plain, value))
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


# -- What a preview says -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PersonMoved:
    """One person and what they would gain, or lose: the strongest of it. `id` is the membership's."""

    id: str
    email: str
    name: str
    roles: tuple[RoleInScope, ...]
    signed_in: bool = False


@dataclass(frozen=True, slots=True)
class MovedPeople:
    """Who would gain, or lose: how many, how many of them are signed in now, and how many what.

    `people` are the first of them in order of address; `more` says where the next page begins, None after the last.
    """

    count: int = 0
    signed_in: int = 0
    roles: tuple[tuple[RoleInScope, int], ...] = ()
    people: tuple[PersonMoved, ...] = ()
    more: str | None = None

    def listing(self, page: "MovedPeople") -> "MovedPeople":
        """These counts with the people of a page."""
        return replace(self, people=page.people, more=page.more)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was shown to who then saves: at which revision, how many gain and lose, and a digest of who and what.

    `until`, in seconds of Unix time: from then on it may be otherwise though nobody changed anything. `gaining` and
    `losing` are their ids where all of them were on the first page, else None; `of`: of which proposal.
    """

    revision: int
    digest: str
    gains: int
    loses: int
    gaining: tuple[str, ...] | None = None
    losing: tuple[str, ...] | None = None
    of: str = ""
    until: int = 0

    def render(self) -> str:
        """As one line of text, for a form or a command."""
        return json.dumps(asdict(self), separators=(",", ":"))


def parse_seen(text: str) -> Seen:
    """What `Seen.render` gave. Raises Invalid."""
    try:
        told = json.loads(text)
        gaining, losing = (_ids(told[name]) for name in ("gaining", "losing"))
        counts = int(told["gains"]), int(told["loses"])
        shown, marks = (int(told["revision"]), str(told["digest"])), (str(told.get("of")), int(told.get("until", 0)))
        return Seen(*shown, *counts, gaining, losing, *marks)
    except (ValueError, OverflowError, TypeError, KeyError, RecursionError) as error:  # to json 1e999 is a number
        raise Invalid("What the preview said came back spoilt. Look at it again.", field="seen") from error


def _ids(told: Any) -> tuple[str, ...] | None:
    return None if told is None else tuple(map(str, told))


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would do. `covered` are those whose paths change, and whom another path gives as much.

    `groups` is how many IdP groups the rule takes now (of rules only), `later` whether it also takes groups made later.
    `revision` is the workspace's when it was read, `of` the proposal's mark, `until` as of `Seen`.
    """

    gains: MovedPeople
    loses: MovedPeople
    covered: int
    revision: int
    digest: str
    groups: int | None = None
    later: bool = False
    of: str = ""
    until: int = 0

    @property
    def seen(self) -> Seen:
        """What who saves hands back."""
        counts = (self.gains.count, self.loses.count)
        return Seen(self.revision, self.digest, *counts, _all_of(self.gains), _all_of(self.loses), self.of, self.until)


def shown_until(now: datetime, next_end: datetime | None) -> int:
    """Until when what is counted now holds while nobody changes anything, in seconds of Unix time, rounded down.

    Till the next moment at which time alone ends something; at most an hour, since what a sign-in says again may end
    sooner than it did.
    """
    longest = now + timedelta(hours=1)
    return int(min(longest, next_end or longest).timestamp())


def _all_of(moved: MovedPeople) -> tuple[str, ...] | None:
    return None if moved.more or len(moved.people) < moved.count else tuple(one.id for one in moved.people)


@dataclass(frozen=True, slots=True)
class Difference:
    """How a side of a preview differs from what was seen: numbers before and now, and names where they are known.

    `new` move now and didn't then, `gone` did and don't any more; both None where either list was longer than a page.
    """

    before: int
    now: int
    new: tuple[str, ...] | None
    gone: int | None


class Moved(Stale):
    """The world moved since the preview, and the change would do something else by now: nothing was saved."""

    code = "moved"

    def __init__(self, text: str, preview: Preview, gains: Difference, loses: Difference) -> None:
        super().__init__(text)
        self.preview = preview
        self.gains = gains
        self.loses = loses
