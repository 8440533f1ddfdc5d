"""When what a person may do has changed, on their page: what they gained and lost, by whom, and the way to Why then.

Owners read the events that did it. To others these would name people and groups that they don't see: they are told who
acted.
"""

from collections.abc import Iterator, Mapping

from bridge.domain.access import RoleInScope
from bridge.domain.errors import DomainError
from bridge.domain.members import Member
from bridge.domain.roles import RESOURCE_TYPES, Level
from bridge.domain.sentences import Inventory, describe_permission
from bridge.flows.explain import ask
from bridge.flows.explain_history import AccessChange, history_of
from bridge.web.pages import views
from bridge.web.pages.filters import date
from bridge.web.pages.forms import asked
from bridge.web.pages.frame import Visit
from bridge.web.pages.person_parts import href
from bridge.web.pages.views import ChangeLine, History
from bridge.web.pages.why_parts import moment_typed

#: Changes on a page, and lines and events of one.
_MOST, _MOST_LINES, _MOST_EVENTS = 20, 8, 5


def history(visit: Visit, member: Member, inventory: Inventory) -> History:
    """The changes until the moment that the address names, the newest first; of one resource, if it names one."""
    until, about = moment_typed(asked("until")), asked("resource")
    try:
        resource = ask("read", about).resource if about else None
    except DomainError:
        resource = None
    until = until if until is not None and until < visit.now else None
    found = history_of(visit.context, visit.slug, member.email, visit.now, until=until, most=_MOST, resource=resource)
    where = {"resource": str(resource)} if resource else {}
    older = found.older.isoformat() if found.older else None
    known = inventory.find(resource) if resource else None
    return History(
        rows=tuple(_row(visit, member, one, inventory) for one in found.changes),
        about=(known.name if known else str(resource)) if resource else None,
        whole_href=href(visit, member, "person.history") if resource else None,
        newest_href=visit.url("person.history", member=member.id, **where) if until else None,
        older_href=visit.url("person.history", member=member.id, **where, until=older) if older else None,
        begins=f"What was before {date(found.known_since)} is not known."
        if not found.older and found.since <= found.known_since
        else "",
    )


def _row(visit: Visit, member: Member, change: AccessChange, inventory: Inventory) -> views.AccessChange:
    lines = list(_lines(change, inventory))
    how = list(change.elapsed)
    if visit.is_owner:
        how += [event.text for event in change.events]
    else:
        how += dict.fromkeys(f"By {event.actor_name}" for event in change.events)
    return views.AccessChange(
        at=change.at,
        lines=tuple(lines[:_MOST_LINES]),
        lines_left=max(len(lines) - _MOST_LINES, 0),
        how=tuple(how[:_MOST_EVENTS]) or ("The trail of it is no longer kept.",),
        how_left=max(len(how) - _MOST_EVENTS, 0),
        why_href=visit.url("why.ask", **_question(visit, member, change)),
    )


def _lines(change: AccessChange, inventory: Inventory) -> Iterator[ChangeLine]:
    for gained, given in ((True, change.gained), (False, change.lost)):
        yield from (ChangeLine(gained, describe_permission(one, inventory)) for one in given)
    for one in change.reach:
        resource = inventory.find(one.resource)
        name = resource.name if resource else str(one.resource)
        yield ChangeLine(one.gained, f"{one.given.role.name} on {name}, by its labels")


def _question(visit: Visit, member: Member, change: AccessChange) -> Mapping[str, str]:
    """What to ask as of that moment: what the first line is about, where it is about one thing."""
    where = {"at": change.at.isoformat()} | ({"person": member.email} if visit.is_owner else {})
    if change.reach:
        return where | _of_role(change.reach[0].given, str(change.reach[0].resource))
    for one in (*change.gained, *change.lost):
        if len(one.scope.resources) == 1:
            return where | _of_role(one, str(min(one.scope.resources)))
        edits = one.role.resource_type and one.role.gives[one.role.resource_type] == Level.EDIT
        if one.scope.kind == "all" and edits:
            return where | {"action": "create", "resource": RESOURCE_TYPES[one.role.resource_type or ""][1]}
    return where


def _of_role(given: RoleInScope, resource: str) -> dict[str, str]:
    edits = given.role.gives[given.role.resource_type or ""] == Level.EDIT
    return {"action": "edit" if edits else "read", "resource": resource}
