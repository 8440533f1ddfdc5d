"""When what somebody may do has changed, what they gained and lost then, and what did it (product.md 5.4).

Each moment at which a fact of theirs began or ended, or time alone ended something, is asked the question of
`explain_past`; where the answers before and after differ, it is a change, and the audit events of its causes are told.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from typing import Any

from bridge.domain.access import ResourceRef, RoleInScope, fits
from bridge.domain.audit_sentences import tell_event
from bridge.domain.errors import Invalid, NotFound
from bridge.domain.origins import Makers
from bridge.domain.workspace import Workspace
from bridge.flows.context import Context
from bridge.flows.explain_past import known_since, look, permissions_at, permissions_on
from bridge.flows.named import get_workspace
from bridge.storage import access_history, access_past
from bridge.storage.access_history import Elapsed, EventThen, Relabelled, Stirred
from bridge.storage.access_past import MemberThen
from bridge.storage.origins import names_of

#: Changes of one answer, and moments that it looks at for them: beyond either the next one goes on.
MOST_CHANGES, MOST_MOMENTS = 50, 500
#: Events that are told of one change.
MOST_EVENTS = 10
_INSTANT = timedelta(microseconds=1)
_ELAPSED: Mapping[Elapsed, str] = {
    "expired": "A role that was given for a time expired",
    "ran_out": "IdP groups that were named at a sign-in count no more without another one",
}


@dataclass(frozen=True, slots=True)
class ToldEvent:
    """An audit event, with its actor's name and as a sentence."""

    at: datetime
    actor: str
    actor_name: str
    type: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Reach:
    """That a role in its scope began (`gained`), or ended, to hold on a resource whose labels changed."""

    given: RoleInScope
    resource: ResourceRef
    gained: bool


@dataclass(frozen=True, slots=True)
class AccessChange:
    """What somebody gained and lost at a moment, and what did it.

    `events` are the first that are about what they had something by; `elapsed` says in words what time alone ended.
    Without either, the trail of it is no longer kept. `reach`: what they had before and after, by labels, reaches a
    resource from then on, or reaches it no more.
    """

    at: datetime
    gained: tuple[RoleInScope, ...]
    lost: tuple[RoleInScope, ...]
    reach: tuple["Reach", ...]
    events: tuple[ToldEvent, ...]
    elapsed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AccessHistory:
    """The changes after `since` and until `until`, newest first. What was before `known_since` is not known.

    `older`: there is more to look at; ask again until then.
    """

    since: datetime
    until: datetime
    known_since: datetime
    changes: tuple[AccessChange, ...]
    older: datetime | None


def history_of(
    context: Context,
    workspace_slug: str,
    email: str,
    now: datetime,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    most: int = MOST_CHANGES,
    resource: ResourceRef | None = None,
) -> AccessHistory:
    """When a person's permissions changed, or what they reach by labels did, at most `most` times, newest first; with a
    `resource`, those that held on it, which it need no longer be there for. One snapshot.

    From their beginning, or as far back as it is known, unless a later `since` is given. Raises NotFound for who never
    was a member, Invalid for a time that is still to come or ends before it begins.
    """
    last = until or now
    if last > now or (since is not None and since > last):
        raise Invalid("The time must end by now, and not before it begins.", field="until")
    with context.database.snapshot() as connection:
        workspace = get_workspace(connection, workspace_slug)
        member = access_past.find_member_then(connection, workspace.key, email, last)
        if member is None:
            raise NotFound(f"{email[:100]} is no member of {workspace.name}.")
        known = known_since(context, connection, now)
        first = max(known, since or member.created_at - _INSTANT)
        asked = _Asked(context, connection, workspace, member, now, resource)
        if first > last:  # nothing of it is known
            return AccessHistory(first, last, known, (), None)
        found, older = _changes(asked, first, last, most)
        return AccessHistory(first, last, known, tuple(_told(asked, found, (first, last))), older)


@dataclass(frozen=True, slots=True)
class _Asked:
    context: Context
    connection: Any
    workspace: Workspace
    member: MemberThen
    now: datetime
    resource: ResourceRef | None

    def permissions(self, at: datetime) -> frozenset[RoleInScope]:
        """What they could do then; of one resource, if that is asked about."""
        moment = look(self.context, self.connection, self.workspace, self.member, at, self.now)
        if self.resource is None:
            found = permissions_at(self.connection, moment)
        else:
            found = permissions_on(self.connection, self.workspace, moment, self.resource)
        return frozenset(RoleInScope(one.role, one.scope) for one in found)

    def relabelled(self, first: datetime, last: datetime) -> Mapping[datetime, Collection[Relabelled]]:
        """What a role that holds by labels may hold on from then on, or no more."""
        if self.resource is not None:
            return {}
        key = self.workspace.key
        return access_history.relabelled_between(self.connection, key, self.member.key, first, last)

    def moments(self, first: datetime, last: datetime) -> dict[datetime, Stirred]:
        """When any of it may have changed, but for labels of resources that aren't asked about."""
        key = self.workspace.key
        found = access_history.moments_between(self.connection, key, self.member.key, first, last)
        if self.resource is None:
            return found
        own = access_history.moments_of_resource(self.connection, key, self.resource, first, last)
        return _also(found, own)


def _also(moments: Mapping[datetime, Stirred], causes: Mapping[datetime, Collection[int]]) -> dict[datetime, Stirred]:
    """Both, those at one moment together."""
    none = Stirred(frozenset(), frozenset())
    more = {at: moments.get(at, none) for at in causes}
    return {**moments, **{at: replace(one, causes=one.causes | set(causes[at])) for at, one in more.items()}}


@dataclass(frozen=True, slots=True)
class _Found:
    at: datetime
    before: frozenset[RoleInScope]
    after: frozenset[RoleInScope]
    stirred: Stirred
    reach: tuple[Reach, ...] = ()

    @property
    def about(self) -> frozenset[str]:
        """The resources that it is told of."""
        return frozenset(str(one.resource) for one in self.reach)


def _changes(asked: _Asked, first: datetime, last: datetime, most: int) -> tuple[list[_Found], datetime | None]:
    """The newest changes, and until when to go on looking, where not all moments were looked at."""
    relabelled = asked.relabelled(first, last)
    by_labels = {at: {cause for one in some for cause in one.causes} for at, some in relabelled.items()}
    moments = _also(asked.moments(first, last), by_labels)
    newest = sorted(moments, reverse=True)
    found: list[_Found] = []
    after = asked.permissions(newest[0]) if newest else frozenset()
    for number, (at, before) in enumerate(pairwise([*newest, first])):
        if number >= MOST_MOMENTS or len(found) >= most:
            return found, at
        # Nothing that they have begins or ends between two moments, so that labels alone move what it reaches.
        was = asked.permissions(before)
        reach = tuple(_reach(was & after, relabelled.get(at, ())))
        if was != after or reach:
            found.append(_Found(at, was, after, moments[at], reach))
        after = was
    return found, None


def _reach(kept: Collection[RoleInScope], relabelled: Collection[Relabelled]) -> Iterator[Reach]:
    by_labels = [one for one in _ranked(kept) if one.scope.kind == "labels"]
    for one in sorted(relabelled, key=lambda each: str(each.resource)):
        for given in by_labels:
            held = fits(given.scope, one.resource, one.before)
            holds = fits(given.scope, one.resource, one.after)
            if given.role.resource_type == one.resource.type and held != holds:
                yield Reach(given, one.resource, holds)


def _told(asked: _Asked, found: Collection[_Found], window: tuple[datetime, datetime]) -> Iterator[AccessChange]:
    about = frozenset(text for one in found for text in one.about) | (
        {str(asked.resource)} if asked.resource else set()
    )
    events = _events(asked, frozenset(cause for one in found for cause in one.stirred.causes), window, about)
    actors = {event.actor for some in events.values() for event in some}
    makers = Makers(names=names_of(asked.connection, actors))
    for one in found:
        theirs = [event for cause in sorted(one.stirred.causes) for event in events.get(cause, ())]
        told = [_event(event, makers.name(event.actor)) for event in sorted(theirs, key=lambda event: event.seq)]
        elapsed = tuple(_ELAPSED[kind] for kind in sorted(one.stirred.elapsed))
        yield AccessChange(
            at=one.at,
            gained=_ranked(one.after - one.before),
            lost=_ranked(one.before - one.after),
            reach=one.reach,
            events=tuple(told[:MOST_EVENTS]),
            elapsed=elapsed,
        )


def _ranked(given: Iterable[RoleInScope]) -> tuple[RoleInScope, ...]:
    return tuple(sorted(given, key=lambda one: (one.role.name, one.scope.render())))


def _events(
    asked: _Asked, causes: frozenset[int], window: tuple[datetime, datetime], resources: Collection[str]
) -> dict[int, list[EventThen]]:
    """The events of each cause: those about what they had something by, or these resources; else the first of all."""
    if not causes:
        return {}
    key = asked.workspace.key
    about = access_history.events_about(
        asked.connection, key, asked.member.key, causes, window, MOST_EVENTS, resources=resources
    )
    missing = causes - {event.cause for event in about}
    others = access_history.any_events(asked.connection, key, missing, MOST_EVENTS) if missing else []
    every = sorted([*about, *others], key=lambda event: event.cause)
    return {cause: list(some) for cause, some in groupby(every, key=lambda event: event.cause)}


def _event(event: EventThen, name: str) -> ToldEvent:
    text = tell_event(event.type, name, event.subject, event.before, event.after)
    return ToldEvent(event.at, event.actor, name, event.type, event.subject, text)
