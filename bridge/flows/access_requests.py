"""Access requests (product.md 1.8): a member asks for a role on a resource, an owner gives just that or refuses.

A request is gone once it is answered or taken back, and with the membership; the audit trail keeps what became of it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bridge.domain.access import EVERYWHERE, RoleInScope, Scope
from bridge.domain.errors import Conflict, Forbidden, Invalid, NotFound, TooManyTries
from bridge.domain.group_mapping import phrase_role
from bridge.domain.people import fold
from bridge.domain.resources import Resource
from bridge.domain.roles import MINIMAL, OWNER, RESOURCE_TYPES, ROLES, Role, covers, get_role
from bridge.domain.workspace import Membership, User, Workspace
from bridge.flows import workspace_mails
from bridge.flows.context import Context
from bridge.flows.deliver import queue_mail
from bridge.flows.give_roles import give_if_missing
from bridge.flows.named import get_member, get_workspace, hold_active, owner_acting
from bridge.flows.roles_given import check_role_in_plan
from bridge.storage import access_requests, people, resources
from bridge.storage.access import may
from bridge.storage.access_requests import StoredRequest
from bridge.storage.changes import Change
from bridge.storage.counters import count_try

LONGEST_MESSAGE = 1000
MOST_OPEN = 20
MOST_A_DAY = 20
#: Of so many requests an hour a workspace's owners hear by mail; the page has all.
MOST_MAILS = 30
_SHOWN = 200
_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
#: Ownership isn't asked for by a form, and Minimal Workspace Access is what every member has.
ASKABLE = tuple(role for role in ROLES if role not in (OWNER, MINIMAL))


@dataclass(frozen=True, slots=True)
class RequestDraft:
    """What is asked for. `resource`: its name, slug, id or `TYPE:ID`; empty for a role without resources."""

    role: str
    resource: str
    message: str


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """An open request and who asked; `asks` is a phrase: `get Source Admin on Website`."""

    id: str
    membership_id: str
    name: str
    email: str
    asks: str
    message: str
    created_at: datetime


# -- Members ask -------------------------------------------------------------------------------------


def ask_for_access(
    context: Context, actor: str, workspace_slug: str, draft: RequestDraft, now: datetime
) -> AccessRequest:
    """Ask for a role; owners named by hand hear by mail.

    Raises Invalid and NotFound (about `role`, `resource`, `message`), NotInPlan, Conflict (asked already, had already,
    too many open), TooManyTries, Forbidden (no member).
    """
    role, message = _askable(draft.role), _check_message(draft.message)
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        check_role_in_plan(role, workspace)
        user, membership = _asking(change, workspace)
        resource_key, resource = _find_resource(change.connection, workspace, role, draft.resource)
        _refuse_needless(change, membership, role, resource_key)
        _slow_down(change, membership)
        values = {"role": role.id, "resource_id": resource_key, "message": message}
        uid = access_requests.insert_request(change, membership.key, values)
        after = {"email": user.email, **_what(role, resource)}
        change.record(workspace.key, "access_request.made", uid, after=after)
        made = _told(_get(change.connection, workspace, uid))
        _tell_owners(context, change, workspace, made)
        return made


def my_requests(context: Context, workspace_slug: str, membership_id: str) -> tuple[AccessRequest, ...]:
    """What a member has asked for that isn't answered. Raises NotFound."""
    with context.database.snapshot() as connection:
        workspace = get_workspace(connection, workspace_slug)
        _, membership = get_member(connection, workspace, membership_id)
        found = access_requests.list_requests(connection, workspace.key, limit=_SHOWN, membership_key=membership.key)
        return tuple(map(_told, found))


def withdraw(context: Context, actor: str, workspace_slug: str, request_id: str, now: datetime) -> None:
    """Take one's own request back. Raises NotFound, also for somebody else's."""
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        asked = _get(change.connection, workspace, request_id)
        if change.actor != f"user:{asked.user_id}":
            raise _gone()
        _end(change, workspace, asked, "access_request.withdrawn")


def _askable(text: str) -> Role:
    role = get_role(text)
    if role not in ASKABLE:
        raise Invalid(f"{role.name} isn’t asked for in this way.", field="role")
    return role


def _check_message(message: str) -> str:
    if not 1 <= len(message.strip()) <= LONGEST_MESSAGE:
        raise Invalid(f"Say in 1 to {LONGEST_MESSAGE} characters what you need it for.", field="message")
    return message.strip()


def _asking(change: Change, workspace: Workspace) -> tuple[User, Membership]:
    """Who asks; still a member when it is written, and asking nothing else beside it."""
    kind, _, uid = change.actor.partition(":")
    user = people.find_user_by_uid(change.connection, uid) if kind == "user" else None
    membership = people.find_member(change.connection, workspace.key, user.key) if user else None
    if user is None or membership is None:
        raise Forbidden(f"Only members of {workspace.name} can ask for access to it.")
    if not people.hold_members(change, [membership.key], alone=True):
        raise Forbidden(f"Only members of {workspace.name} can ask for access to it.")
    return user, membership


def _find_resource(connection: Any, workspace: Workspace, role: Role, text: str) -> tuple[int | None, Resource | None]:
    if role.resource_type is None:
        return None, None
    word, wanted = RESOURCE_TYPES[role.resource_type][0], fold(text.removeprefix(f"{role.resource_type}:"))
    if not wanted:
        raise Invalid(f"Say which {word} you need it on.", field="resource")
    found = [one for one in resources.list_resources(connection, workspace.key) if one.ref.type == role.resource_type]
    exact = [one for one in found if fold(one.ref.id) == wanted]
    named = exact or [one for one in found if wanted in (fold(one.slug), fold(one.name))]
    if not named:
        raise Invalid(f"{workspace.name} has no {word} “{text[:80]}”. Ask an owner for its name.", field="resource")
    if len(named) > 1:
        raise Invalid(f"More than one {word} is called “{text[:80]}”. Ask an owner for its id.", field="resource")
    stored = resources.find_resource(connection, workspace.key, named[0].ref)
    return (stored[0], named[0]) if stored else (None, None)


def _refuse_needless(change: Change, membership: Membership, role: Role, resource_key: int | None) -> None:
    if access_requests.is_asked(change.connection, membership.key, role.id, resource_key):
        raise Conflict("You have asked for that already. An owner will answer.")
    enough = [one.id for one in ROLES if covers(one, role)]
    if may(change.connection, membership.key, enough, resource_key, change.now):
        raise Conflict("You have that already.")


def _slow_down(change: Change, membership: Membership) -> None:
    if access_requests.count_of(change.connection, membership.key) >= MOST_OPEN:
        raise Conflict(f"{MOST_OPEN} of your requests wait for an answer. Take one back first.")
    asked, ends_at = count_try(change.connection, f"access-asked:{membership.key}", change.now, _DAY)
    if asked > MOST_A_DAY:
        wait = int((ends_at - change.now).total_seconds()) + 1
        raise TooManyTries("You have asked for a lot today. Ask again tomorrow.", wait)


def _tell_owners(context: Context, change: Change, workspace: Workspace, made: AccessRequest) -> None:
    told, _ = count_try(change.connection, f"access-mailed:{workspace.key}", change.now, _HOUR)
    if told > MOST_MAILS:
        return
    link = f"{context.public_url}/w/{workspace.slug}/access-requests"
    for owner in people.owner_emails(change.connection, workspace.key):
        mail = workspace_mails.access_requested(
            owner, workspace.name, made.name, made.email, made.asks, made.message, link
        )
        queue_mail(context, change, mail)


# -- Owners answer -----------------------------------------------------------------------------------


def list_requests(context: Context, workspace_slug: str) -> tuple[AccessRequest, ...]:
    """A workspace's open requests, oldest first, at most 200. Raises NotFound."""
    with context.database.snapshot() as connection:
        workspace = get_workspace(connection, workspace_slug)
        return tuple(map(_told, access_requests.list_requests(connection, workspace.key, limit=_SHOWN)))


def find_request(context: Context, workspace_slug: str, request_id: str) -> AccessRequest:
    """One open request. Raises NotFound, also where it was answered."""
    with context.database.snapshot() as connection:
        return _told(_get(connection, get_workspace(connection, workspace_slug), request_id))


def grant_request(context: Context, actor: str, workspace_slug: str, request_id: str, now: datetime) -> None:
    """Give just what was asked for, by hand; who asked hears by mail.

    Raises NotFound (answered meanwhile; gone with the member or the resource), NotInPlan, Forbidden.
    """
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        asked = _get(change.connection, workspace, request_id)
        user, membership = get_member(change.connection, workspace, asked.membership_id)
        hold_active(change, workspace, [(user, membership)])
        _end(change, workspace, asked, "access_request.granted")
        give_if_missing(change, workspace, membership, _given(asked))
        link = f"{context.public_url}/w/{workspace.slug}"
        told = workspace_mails.access_granted(asked.email, workspace.name, _answering(change), _told(asked).asks, link)
        queue_mail(context, change, told)


def refuse_request(
    context: Context, actor: str, workspace_slug: str, request_id: str, reason: str, now: datetime
) -> None:
    """Refuse, with a word or without; who asked hears by mail. Raises NotFound, Invalid (`reason`), Forbidden."""
    if len(reason.strip()) > LONGEST_MESSAGE:
        raise Invalid(f"A reason has at most {LONGEST_MESSAGE} characters.", field="reason")
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        asked = _get(change.connection, workspace, request_id)
        _end(change, workspace, asked, "access_request.refused")
        told = workspace_mails.access_refused(
            asked.email, workspace.name, _answering(change), _told(asked).asks, reason.strip()
        )
        queue_mail(context, change, told)


def _answering(change: Change) -> str:
    kind, _, uid = change.actor.partition(":")
    user = people.find_user_by_uid(change.connection, uid) if kind == "user" else None
    return user.name if user else "The operator"


def _end(change: Change, workspace: Workspace, asked: StoredRequest, became: str) -> None:
    if not access_requests.take_request(change, asked.key):
        raise _gone()
    before = {"email": asked.email, "role": asked.role, "resource": str(asked.resource) if asked.resource else None}
    change.record(workspace.key, became, asked.id, before=before)


def _get(connection: Any, workspace: Workspace, request_id: str) -> StoredRequest:
    asked = access_requests.find_request(connection, workspace.key, request_id)
    if asked is None:
        raise _gone()
    return asked


def _gone() -> NotFound:
    return NotFound("There is no such request: it was answered or taken back.")


def _given(asked: StoredRequest) -> RoleInScope:
    scope = Scope("list", resources=frozenset((asked.resource,))) if asked.resource else EVERYWHERE
    return RoleInScope(get_role(asked.role), scope)


def _what(role: Role, resource: Resource | None) -> dict[str, str | None]:
    return {"role": role.id, "resource": str(resource.ref) if resource else None}


def _told(asked: StoredRequest) -> AccessRequest:
    names = (asked.resource_name,) if asked.resource_name else ()
    asks = phrase_role(_given(asked), names)
    return AccessRequest(asked.id, asked.membership_id, asked.name, asked.email, asks, asked.message, asked.created_at)
