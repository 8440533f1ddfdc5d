"""What one operation on a person or a group does: for the single requests of `scim_api`, and for those in a Bulk.

Each takes who calls and what they sent, calls one flow, and tells the outcome; nothing here knows of a request.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bridge.domain import errors as refused
from bridge.domain.directory import DirectoryGroup, DirectoryUser, PushedUser, ShownUser, pushed_user
from bridge.domain.workspace import Connection
from bridge.flows import provision_groups, provision_users
from bridge.flows.context import Context
from bridge.flows.provision_users import Fits
from bridge.web.scim_resources import (
    Answered,
    Selection,
    as_shown,
    group_change,
    location_of,
    meta_of_user,
    select_of_user,
    shown_group,
    whole_group,
)
from scim import errors
from scim.group_changes import group_changes
from scim.patch import apply_to_user, parse_patch
from scim.resources import parse_group, parse_user, replace_user, select_attributes, wants_attribute
from scim.schemas import GROUP, USER
from scim.versions import render_version

WHOLE: Selection = ((), ())


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose token it is, and the moment at which everything in the request happens."""

    context: Context
    connection: Connection
    now: datetime

    @property
    def base_url(self) -> str:
        """Where this server's resources are."""
        return self.context.scim_url


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an operation came to: the resource's address and ETag, and what is shown of it, if anything is.

    There is no ETag where nothing is left that has one (RFC 7644 3.14).
    """

    status: int
    location: str
    etag: str | None = None
    shown: Answered | None = None


Body = Mapping[str, Any]


# -- Users -------------------------------------------------------------------------------------------


def create_user(caller: Caller, body: Body, selection: Selection = WHOLE) -> Outcome:
    """Create a person (RFC 7644 3.3)."""
    user = provision_users.create_user(caller.context, caller.connection, pushed_user(parse_user(body)), caller.now)
    return _of_user(caller, user, selection, 201)


def create_circle(caller: Caller, bodies: Mapping[str, Body]) -> list[Outcome]:
    """Create people who name each other, by the ids they are to have: all or none (RFC 7644 3.7.1)."""
    circle = {uid: pushed_user(parse_user(body)) for uid, body in bodies.items()}
    users = provision_users.create_circle(caller.context, caller.connection, circle, caller.now)
    return [_of_user(caller, user, WHOLE, 201) for user in users]


def get_user(caller: Caller, resource_id: str, selection: Selection = WHOLE) -> Outcome:
    """One person (RFC 7644 3.4.1)."""
    user = provision_users.show_user(caller.context, caller.connection, resource_id)
    return _of_shown(caller, user, selection, 200)


def put_user(
    caller: Caller, resource_id: str, body: Body, selection: Selection = WHOLE, if_version: Fits | None = None
) -> Outcome:
    """Replace a person (RFC 7644 3.5.1)."""

    def edit(user: DirectoryUser) -> PushedUser:
        return pushed_user(replace_user(user.pushed.document, body), user.pushed)

    return _change_user(caller, resource_id, edit, selection, if_version)


def patch_user(
    caller: Caller, resource_id: str, body: Body, selection: Selection = WHOLE, if_version: Fits | None = None
) -> Outcome:
    """Change parts of a person, all or none (RFC 7644 3.5.2)."""
    patch = parse_patch(body, USER, resource_id)

    def edit(user: DirectoryUser) -> PushedUser:
        return pushed_user(apply_to_user(user.pushed.document, patch), user.pushed)

    return _change_user(caller, resource_id, edit, selection, if_version)


def _change_user(
    caller: Caller,
    resource_id: str,
    edit: Callable[[DirectoryUser], PushedUser],
    selection: Selection,
    if_version: Fits | None,
) -> Outcome:
    user = provision_users.change_user(
        caller.context, caller.connection, resource_id, edit, caller.now, if_version=if_version
    )
    return _of_user(caller, user, selection)


def delete_user(caller: Caller, resource_id: str, if_version: Fits | None = None) -> Outcome:
    """Delete a person (RFC 7644 3.6)."""
    provision_users.delete_user(caller.context, caller.connection, resource_id, caller.now, if_version=if_version)
    return Outcome(204, location_of(caller.base_url, "Users", resource_id))


# -- Groups ------------------------------------------------------------------------------------------


def create_group(caller: Caller, body: Body, selection: Selection = WHOLE) -> Outcome:
    """Create a group (RFC 7644 3.3)."""
    group = parse_group(body)
    created = provision_groups.create_group(
        caller.context, caller.connection, group.display_name, group.external_id, group.members, caller.now
    )
    return _of_group(caller, _with_wanted_members(caller, created, selection), selection, 201)


def get_group(caller: Caller, resource_id: str, selection: Selection = WHOLE) -> Outcome:
    """One group (RFC 7644 3.4.1)."""
    wanted = wants_attribute("members", *selection, GROUP)
    group = provision_groups.get_group(caller.context, caller.connection, resource_id, with_members=wanted)
    return _of_group(caller, group, selection)


def put_group(
    caller: Caller, resource_id: str, body: Body, selection: Selection = WHOLE, if_version: Fits | None = None
) -> Outcome:
    """Replace a group, members and all (RFC 7644 3.5.1)."""
    changed = provision_groups.change_group(
        caller.context,
        caller.connection,
        resource_id,
        whole_group(parse_group(body)),
        caller.now,
        if_version=if_version,
    )
    return _of_group(caller, _with_wanted_members(caller, changed, selection), selection)


def patch_group(
    caller: Caller, resource_id: str, body: Body, selection: Selection = WHOLE, if_version: Fits | None = None
) -> Outcome:
    """Change parts of a group (RFC 7644 3.5.2).

    Comes to 204, which the RFC allows and Entra prefers: whoever wants the group with all its members in the
    answer names `attributes`.
    """
    changes = [group_change(change, caller.base_url) for change in group_changes(parse_patch(body, GROUP, resource_id))]
    changed = provision_groups.change_group(
        caller.context, caller.connection, resource_id, changes, caller.now, if_version=if_version
    )
    if not any(selection):
        return Outcome(204, location_of(caller.base_url, "Groups", resource_id), render_version(changed.version))
    return _of_group(caller, _with_wanted_members(caller, changed, selection), selection)


def delete_group(caller: Caller, resource_id: str, if_version: Fits | None = None) -> Outcome:
    """Delete a group (RFC 7644 3.6)."""
    provision_groups.delete_group(caller.context, caller.connection, resource_id, caller.now, if_version=if_version)
    return Outcome(204, location_of(caller.base_url, "Groups", resource_id))


def _with_wanted_members(caller: Caller, group: DirectoryGroup, selection: Selection) -> DirectoryGroup:
    if not wants_attribute("members", *selection, GROUP):
        return group
    return provision_groups.get_group(caller.context, caller.connection, group.id, with_members=True)


# -- Both --------------------------------------------------------------------------------------------

#: The ids that we give: UUIDs in small letters.
_OUR_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def check_id(resource_id: str) -> None:
    """An id of another form than ours is nobody's, and may be more than a database takes as text. Raises NotFound."""
    if not _OUR_ID.fullmatch(resource_id):
        raise errors.NotFound(f"There is nothing with the id {resource_id[:100]!r} in this connection.")


def _of_user(caller: Caller, user: DirectoryUser, selection: Selection, status: int = 200) -> Outcome:
    return _of_shown(caller, as_shown(user), selection, status)


def _of_shown(caller: Caller, user: ShownUser, selection: Selection, status: int) -> Outcome:
    meta = meta_of_user(user, caller.base_url)
    return Outcome(status, meta.location, meta.version, select_of_user(user, caller.base_url, selection, meta))


def _of_group(caller: Caller, group: DirectoryGroup, selection: Selection, status: int = 200) -> Outcome:
    rendered = shown_group(group, caller.base_url)
    meta = rendered["meta"]
    return Outcome(status, meta["location"], meta["version"], select_attributes(rendered, *selection, GROUP))


# -- Refusals (RFC 7644 3.12) ------------------------------------------------------------------------

#: What the product refuses, as SCIM says it; the first that fits.
REFUSALS: tuple[tuple[type[refused.DomainError], type[errors.ScimError]], ...] = (
    (refused.NotFound, errors.NotFound),
    (refused.Stale, errors.PreconditionFailed),
    (refused.LastOwner, errors.Conflict),
    (refused.Conflict, errors.Uniqueness),
    (refused.Invalid, errors.InvalidValue),
    (refused.DomainError, errors.Forbidden),
)


def said_in_scim(error: refused.DomainError) -> errors.ScimError:
    """A refusal of the product, in SCIM's form."""
    said = next(said for kind, said in REFUSALS if isinstance(error, kind))
    return said(error.text)
