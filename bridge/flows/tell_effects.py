"""What a push did to access, for the sentence of the request log: who of those it moved gains or loses what.

Asked inside the transaction of the change, at its end, of at most `MOST_ASKED` people.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Literal

from bridge.domain.access import dominates
from bridge.domain.request_log import Effect
from bridge.storage.access import links_of_records
from bridge.storage.changes import AuditEvent, Change
from bridge.storage.effects import Gift, given_by_group, given_since, what_grants_give

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


def effects_of(change: Change) -> list[Effect]:
    """What the events of a change did to access."""
    return [effect for event in change.events for effect in _effects(change, event)]


def _effects(change: Change, event: AuditEvent) -> Iterator[Effect]:
    if event.type in _MOVES:
        yield from _of_move(change, event, _MOVES[event.type])
    elif event.type == "idp_group.changed":
        yield from _of_renaming(change, event)
    elif event.type in _STANDINGS:
        yield from _of_standing(change, event, _STANDINGS[event.type])


def _of_move(change: Change, event: AuditEvent, kind: Literal["gain", "lose"]) -> Iterator[Effect]:
    group, told = given_by_group(change.connection, event.subject, change.now)
    if not told:
        return
    count, people = event.after["count"], [person["id"] for person in event.after["people"]]
    numbers: dict[int, int] = {}
    if count <= MOST_ASKED:
        found = links_of_records(change.connection, people, change.now)
        others = [[link.grant_id for link in each if link.group_id != group] for each in found.values()]
        numbers = _count_moved(change, told, others)
    for key, gift in told.items():
        if numbers.get(key) != 0:
            yield Effect(kind, str(gift), numbers.get(key), count)


def _count_moved(change: Change, told: Mapping[int, Gift], others: Collection[Sequence[int]]) -> dict[int, int]:
    """For each gift of the group, how many of those who moved have nothing else that gives as much."""
    held = what_grants_give(change.connection, {key for each in others for key in each})
    return {
        key: sum(not any(dominates(held[other].given, gift.given) for other in each) for each in others)
        for key, gift in told.items()
    }


def _of_renaming(change: Change, event: AuditEvent) -> Iterator[Effect]:
    """Rules look at names: what comes by the group now, and what came by it until now. Of whom, isn't asked."""
    come, gone = given_since(change.connection, event.subject, change.cause, change.now)
    yield from (Effect("lose", name, None, 0) for name in sorted(map(str, gone)))
    yield from (Effect("gain", name, None, 0) for name in sorted(map(str, come)))


def _of_standing(change: Change, event: AuditEvent, kind: Literal["gain", "lose"]) -> Iterator[Effect]:
    """Somebody is out, or in again: all they have sleeps, or wakes."""
    found = links_of_records(change.connection, [event.subject], change.now, asleep=True)
    told = what_grants_give(change.connection, {link.grant_id for each in found.values() for link in each})
    for name in dict.fromkeys(map(str, told.values())):
        yield Effect(kind, name, 1, 1)


def gifts_of_group(change: Change, group_id: str) -> list[str]:
    """What people have by a group that is about to go, in words."""
    _, told = given_by_group(change.connection, group_id, change.now)
    return list(map(str, told.values()))
