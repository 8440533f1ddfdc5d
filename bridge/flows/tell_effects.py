"""What a push did to access, for the sentence of the request log: who of those it moved gains or loses what.

Asked inside the transaction of the change, at its end, of at most `MOST_ASKED` people.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bridge.domain.access import left_over
from bridge.domain.request_log import Effect
from bridge.domain.sentences import listed
from bridge.storage.access import Link, links_of_records
from bridge.storage.changes import AuditEvent, Change
from bridge.storage.effects import (
    Gift,
    given_by_group,
    given_since,
    labels_of_listed,
    still_out,
    what_grants_give,
)

#: Of more people who moved at once, the sentence says what comes by the group, not who has it anyway.
MOST_ASKED = 20

_MOVES: Mapping[str, Literal["gain", "lose"]] = {
    "idp_group.members_added": "gain",
    "idp_group.members_removed": "lose",
}
_STANDINGS: Mapping[str, Literal["gain", "lose"]] = {
    "directory_user.deactivated": "lose",
    "directory_user.reactivated": "gain",
}


@dataclass(frozen=True, slots=True)
class _Moved:
    """What is asked once for all who moved: by each group its key and what it gives, by each person all their paths."""

    given: Mapping[str, tuple[int, Mapping[int, Gift]]]
    links: Mapping[str, Sequence[Link]]


def effects_of(change: Change) -> list[Effect]:
    """What the events of a change did to access."""
    again = any(event.type == "membership.revived" for event in change.events)
    moved = _ask(change, [event for event in change.events if event.type in _MOVES])
    return [effect for event in change.events for effect in _effects(change, event, again, moved)]


def _effects(change: Change, event: AuditEvent, again: bool, moved: _Moved) -> Iterator[Effect]:
    if event.type in _MOVES:
        yield from _of_move(change, event, _MOVES[event.type], moved)
    elif event.type == "idp_group.changed":
        yield from _of_renaming(change, event)
    elif event.type in _STANDINGS:
        yield from _of_standing(change, event, _STANDINGS[event.type])
    elif event.type == "directory_user.created" and again and event.after["active"]:
        yield from _of_standing(change, event, "gain")


def _ask(change: Change, moves: Sequence[AuditEvent]) -> _Moved:
    given = {group: given_by_group(change.connection, group, change.now) for group in {one.subject for one in moves}}
    looked_at = [one for one in moves if given[one.subject][1] and one.after["count"] <= MOST_ASKED]
    people = sorted({person for one in looked_at for person in _people(one)})
    return _Moved(given, links_of_records(change.connection, people, change.now) if people else {})


def _people(move: AuditEvent) -> list[str]:
    return [person["id"] for person in move.after["people"]]


def _of_move(change: Change, event: AuditEvent, kind: Literal["gain", "lose"], moved: _Moved) -> Iterator[Effect]:
    (group, told), count = moved.given[event.subject], event.after["count"]
    if not told:
        return
    if count > MOST_ASKED:
        yield from (Effect(kind, what, None, count) for what in dict.fromkeys(map(str, told.values())))
        return
    found = [moved.links[person] for person in _people(event) if person in moved.links]
    others = [[link.grant_id for link in each if link.group_id != group] for each in found]
    for what, number in _count_moved(change, others, told).items():
        yield Effect(kind, what, number, count)


def _count_moved(change: Change, others: Collection[Sequence[int]], told: Mapping[int, Gift]) -> Counter[str]:
    """How many of those who moved have what of the group's gifts by nothing else, in words."""
    held = what_grants_give(change.connection, {key for each in others for key in each})
    labelled = any(gift.given.scope.kind == "labels" for gift in held.values())
    labels = labels_of_listed(change.connection, told) if labelled else {}
    counted: Counter[str] = Counter()
    for each in others:
        has = [held[key].given for key in each]
        left = ((gift, left_over(gift.given, has, labels)) for gift in told.values())
        counted.update(dict.fromkeys((str(replace(gift, given=given)) for gift, given in left if given is not None), 1))
    return counted


def _of_renaming(change: Change, event: AuditEvent) -> Iterator[Effect]:
    """Rules look at names: what comes by the group now, and what came by it until now. Of whom, isn't asked."""
    come, gone = given_since(change.connection, event.subject, change.cause, change.now)
    yield from (Effect("lose", name, None, 0) for name in sorted(map(str, gone)))
    yield from (Effect("gain", name, None, 0) for name in sorted(map(str, come)))


def _of_standing(change: Change, event: AuditEvent, kind: Literal["gain", "lose"]) -> Iterator[Effect]:
    """Somebody is out, or in again: all they have sleeps, or wakes."""
    found = links_of_records(change.connection, [event.subject], change.now, asleep=True)
    if kind == "gain" and not found and event.after.get("linked", True):
        yield Effect("still_out", _why_out(change, event.subject), 1, 1)
    told = what_grants_give(change.connection, {link.grant_id for each in found.values() for link in each})
    for name in dict.fromkeys(map(str, told.values())):
        yield Effect(kind, name, 1, 1)


def _why_out(change: Change, record: str) -> str:
    removed, holders = still_out(change.connection, record)
    return "removed from the workspace" if removed else f"held out by {listed(holders)}"


def gifts_of_group(change: Change, group_id: str) -> list[str]:
    """What people have by a group that is about to go, in words."""
    _, told = given_by_group(change.connection, group_id, change.now)
    return list(dict.fromkeys(map(str, told.values())))
