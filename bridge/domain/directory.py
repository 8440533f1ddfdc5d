"""What an IdP pushes: people, groups, and changes of a group as typed values.

Ids here are the outside ids (UUIDs as text) that the bridge handed out, never the IdP's own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bridge.domain.people import find_email


@dataclass(frozen=True, slots=True)
class PushedEmail:
    """One address of a pushed person, as the IdP wrote it."""

    value: str
    type: str | None = None
    primary: bool = False


@dataclass(frozen=True, slots=True)
class PushedUser:
    """A person as an IdP describes them: what is looked up by, and the whole document beside it."""

    user_name: str
    external_id: str | None
    active: bool
    name: str
    emails: tuple[PushedEmail, ...]
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DirectoryUser:
    """A pushed person as kept: `groups` are (outside id, name) of the pushed groups they are in."""

    id: str
    pushed: PushedUser
    created_at: datetime
    modified_at: datetime
    version: int
    groups: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ShownUser:
    """The same as read to be shown: the document is the JSON text that is kept, since most who ask get it as it is."""

    id: str
    document: str
    created_at: datetime
    modified_at: datetime
    version: int
    groups: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class GroupMemberRef:
    """A member of a pushed group, as shown to its IdP."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class DirectoryGroup:
    """A pushed group as kept. `members` is None where they were not asked for."""

    id: str
    name: str
    external_id: str | None
    created_at: datetime
    modified_at: datetime
    version: int
    members: tuple[GroupMemberRef, ...] | None = None


@dataclass(frozen=True, slots=True)
class MembersAdded:
    """Add these people; those who are in already stay."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MembersRemoved:
    """Remove these people and nobody else; who is not in is no error (RFC 7644 3.5.2.2)."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MembersFittingRemoved:
    """Remove those members whom `fits` is true of; all members have to be read for it."""

    fits: Callable[[GroupMemberRef], bool]


@dataclass(frozen=True, slots=True)
class MembersReplaced:
    """Exactly these people from now on."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GroupRenamed:
    """The group has this name from now on."""

    name: str


@dataclass(frozen=True, slots=True)
class GroupExternalIdSet:
    """The IdP's own id of the group, or None to forget it."""

    external_id: str | None


GroupChange = (
    MembersAdded | MembersRemoved | MembersFittingRemoved | MembersReplaced | GroupRenamed | GroupExternalIdSet
)


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a listing. `total` counts all that match; `start` is 1 for the first."""

    items: tuple[Any, ...] = field(default=())
    total: int = 0
    start: int = 1


def usable_email(user: PushedUser) -> str | None:
    """The address a pushed person is known by: primary, else work, else the first, else the user name.

    Returns None where nothing in the record could receive mail: such a record is kept without an
    account (product.md 4.8).
    """
    from_best = sorted(user.emails, key=lambda email: (not email.primary, email.type != "work"))
    candidates = [email.value for email in from_best] + [user.user_name]
    return next((email for email in map(find_email, candidates) if email), None)


def pushed_user(document: Mapping[str, Any], present: PushedUser | None = None) -> PushedUser:
    """The person that a parsed document describes; one that says no `active` leaves them as they are at `present`."""
    emails = document.get("emails", ())
    return PushedUser(
        user_name=document["userName"],
        external_id=document.get("externalId"),
        active=document["active"] if present is None else document.get("active", present.active),
        name=_name(document),
        emails=tuple(
            PushedEmail(email["value"], email.get("type"), email.get("primary", False))
            for email in emails
            if email.get("value")
        ),
        document=document,
    )


def _name(document: Mapping[str, Any]) -> str:
    """What people call them: displayName, else the name as a whole, else its parts, else the user name."""
    name = document.get("name", {})
    parts = " ".join(part for part in (name.get("givenName"), name.get("familyName")) if part)
    said = document.get("displayName") or name.get("formatted") or parts or document["userName"]
    return " ".join(str(said).split())[:200]
