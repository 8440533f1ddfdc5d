"""What somebody could do at a moment that is past, and by which paths (product.md 5.4; docs/decisions/0004).

The facts of that moment are asked what today's are asked: names, rules, groups, labels and the plan are those of then.
As far back as ended facts are kept, that is as long as the audit trail; of before that it says that nothing is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from bridge.domain.access import Permission, ResourceRef
from bridge.domain.errors import Invalid, NotFound
from bridge.domain.roles import roles_giving, roles_in_plan
from bridge.domain.workspace import Workspace
from bridge.flows.context import Context
from bridge.flows.explain import LEVELS, Question, permissions_from
from bridge.flows.explain_links import Explained, trace, with_labels
from bridge.flows.named import get_workspace
from bridge.storage import access_past
from bridge.storage.access_past import MemberThen, ResourceThen, Standing

PastState = Literal["known", "not_known", "before_workspace", "before_membership", "removed", "held_out"]
#: The states in which it is certain what somebody could do.
CERTAIN: frozenset[PastState] = frozenset({"known", "before_workspace", "before_membership", "removed", "held_out"})
_DAY = "%d %b %Y, %H:%M"


@dataclass(frozen=True, slots=True)
class PastAccess:
    """What somebody could do `at` a moment. `permissions` is None exactly where the `state` is `not_known`.

    `told` says in words why there is nothing to show; empty where there is. `traced`: the same permissions, with who
    had made the links of the paths that were to be traced.
    """

    at: datetime
    state: PastState
    told: str
    permissions: tuple[Permission, ...] | None
    traced: tuple[Explained, ...] = ()


@dataclass(frozen=True, slots=True)
class PastAnswer:
    """Whether they might do one thing then, and by what. `allowed` is None exactly where the `state` is `not_known`.

    `traced` as in `PastAccess`.
    """

    at: datetime
    state: PastState
    told: str
    allowed: bool | None
    because: tuple[Permission, ...] = ()
    traced: tuple[Explained, ...] = ()


@dataclass(frozen=True, slots=True)
class Traces:
    """Of which paths it is told who had made their links: from number `first` on, at most `most` of all (None: all)."""

    first: int = 0
    most: int | None = None


def access_at(
    context: Context, workspace_slug: str, email: str, at: datetime, now: datetime, *, traces: Traces | None = None
) -> PastAccess:
    """Everything that a person could do in a workspace at a moment, each with every path that gave it; with `traces`,
    who had made their links. One snapshot.

    `email` is their address of today, or the one with which they closed their account since. Raises NotFound for who
    never was a member, Invalid for a moment that is still to come.
    """
    check_past(at, now)
    with context.database.snapshot() as connection:
        workspace = get_workspace(connection, workspace_slug)
        member = access_past.find_member_then(connection, workspace.key, email, at)
        if member is None:
            raise NotFound(f"{email[:100]} is no member of {workspace.name}.")
        moment = look(context, connection, workspace, member, at, now)
        if moment.state == "not_known":
            return PastAccess(at, moment.state, moment.told, None)
        found = permissions_at(connection, moment)
        return PastAccess(at, moment.state, moment.told, found, _traced(connection, workspace, moment, found, traces))


def check_at(
    context: Context,
    workspace_slug: str,
    email: str,
    question: Question,
    at: datetime,
    now: datetime,
    *,
    traces: Traces | None = None,
) -> PastAnswer:
    """Whether a person might do it at a moment, and why; with `traces`, by whose doing. Who was no member might do
    nothing. One snapshot.

    Raises NotFound for an unknown workspace, or a resource that wasn't there then; Invalid for a moment to come.
    """
    check_past(at, now)
    with context.database.snapshot() as connection:
        workspace = get_workspace(connection, workspace_slug)
        member = access_past.find_member_then(connection, workspace.key, email, at)
        if member is None:
            return PastAnswer(at, "before_membership", f"{email[:100]} is no member of {workspace.name}.", False)
        moment = look(context, connection, workspace, member, at, now)
        if moment.state == "not_known":
            return PastAnswer(at, moment.state, moment.told, None)
        found = resource_then(connection, workspace, question, at)
        roles = roles_giving(question.type, LEVELS[question.action], moment.plan)
        because = _reaching(connection, moment, roles, found.key if found else None)
        traced = _traced(connection, workspace, moment, because, traces)
        if found is not None:
            traced = with_labels(connection, workspace, traced, found.key, at)
        return PastAnswer(at, moment.state, moment.told, bool(because), because, traced)


def _traced(
    connection: Any,
    workspace: Workspace,
    moment: "Moment",
    permissions: tuple[Permission, ...],
    traces: Traces | None,
) -> tuple[Explained, ...]:
    if traces is None or not permissions:
        return ()
    return trace(connection, workspace, moment.member, permissions, first=traces.first, most=traces.most, at=moment.at)


def check_past(at: datetime, now: datetime) -> None:
    """Raises Invalid for a moment that is still to come."""
    if at > now:
        raise Invalid(f"{at:{_DAY}} UTC is still to come.", field="at")


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment of a member's, and how they stood. Of no use for asking where the `state` is `not_known`."""

    at: datetime
    member: int
    state: PastState
    told: str
    plan: str


def look(
    context: Context, connection: Any, workspace: Workspace, member: MemberThen, at: datetime, now: datetime
) -> Moment:
    """How a member and the workspace stood at a moment, and whether that is known."""
    standing = access_past.standing_at(connection, workspace.key, member.key, at)
    state, told = _state(workspace, member, standing, known_since(context, connection, now), at)
    return Moment(at, member.key, state, told, standing.plan or workspace.plan)


def known_since(context: Context, connection: Any, now: datetime) -> datetime:
    """From when on it is known what people could do: as long as the setting says, and nothing was forgotten."""
    kept = access_past.facts_kept_since(connection)
    by_setting = now - timedelta(days=context.audit_days)
    return by_setting if kept is None else max(kept, by_setting)


def _state(
    workspace: Workspace, member: MemberThen, standing: Standing, known: datetime, at: datetime
) -> tuple[PastState, str]:
    if at < member.workspace_created_at:
        return "before_workspace", f"{workspace.name} was made on {member.workspace_created_at:{_DAY}} UTC."
    if at < member.created_at:
        return "before_membership", f"They became a member on {member.created_at:{_DAY}} UTC."
    if at < known:
        return "not_known", f"What people could do before {known:{_DAY}} UTC is not known: so far back nothing is kept."
    if standing.status != "active":
        return "removed", "They were removed from the workspace then."
    if standing.held_out:
        return "held_out", "Their IdP held them out then."
    return "known", ""


def permissions_at(connection: Any, moment: Moment) -> tuple[Permission, ...]:
    """What somebody could do then: roles that the plan of then included, owners' first."""
    held = access_past.paths_at(connection, moment.member, roles_in_plan(moment.plan), moment.at)
    return permissions_from(held, access_past.scopes_at(connection, moment.member, moment.at)) if held else ()


def permissions_on(
    connection: Any, workspace: Workspace, moment: Moment, resource: ResourceRef
) -> tuple[Permission, ...]:
    """The same of one resource: what let somebody at least read it then; nothing where it wasn't there."""
    found = access_past.find_resource_at(connection, workspace.key, resource, moment.at)
    if found is None:
        return ()
    roles = roles_giving(resource.type, LEVELS["read"], moment.plan)
    return _reaching(connection, moment, roles, found.key)


def resource_then(connection: Any, workspace: Workspace, question: Question, at: datetime) -> ResourceThen | None:
    """The resource asked about as it was then; None for a question about a type. Raises NotFound."""
    if question.resource is None:
        return None
    found = access_past.find_resource_at(connection, workspace.key, question.resource, at)
    if found is None:
        raise NotFound(f"There was no {question.resource} in {workspace.name} on {at:{_DAY}} UTC.")
    return found


def _reaching(connection: Any, moment: Moment, roles: Sequence[str], resource: int | None) -> tuple[Permission, ...]:
    held = access_past.paths_at(
        connection, moment.member, roles, moment.at, resource_id=resource, everywhere=resource is None
    )
    return permissions_from(held, access_past.scopes_at(connection, moment.member, moment.at)) if held else ()
