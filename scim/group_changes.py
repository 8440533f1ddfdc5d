"""What a PATCH does to a Group: changes of its rows, told without asking who its members are (RFC 7644 3.5.2).

Only a filter that says more than ids leaves it to others to look at each member.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from scim.filter_tree import Filter
from scim.patch import Operation, Patch


@dataclass(frozen=True, slots=True)
class MembersAdded:
    """These people are in the group; those who are in already stay so."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MembersRemoved:
    """These people are not in the group; those who never were don't matter (RFC 7644 3.5.2.2)."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MembersMatchingRemoved:
    """Those members are not in the group of whom the filter is true: one that doesn't say who they are by their ids."""

    where: Filter


@dataclass(frozen=True, slots=True)
class MembersReplaced:
    """These people and nobody else are in the group."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DisplayNameSet:
    """The group is called so."""

    name: str


@dataclass(frozen=True, slots=True)
class ExternalIdSet:
    """The IdP's own id of the group; None if it has none any more."""

    value: str | None


GroupChange = MembersAdded | MembersRemoved | MembersMatchingRemoved | MembersReplaced | DisplayNameSet | ExternalIdSet


def group_changes(patch: Patch) -> tuple[GroupChange, ...]:
    """What the operations do to a Group, in as few steps as say so: members in order, then the last name and id.

    Whatever could be refused was, when they were parsed, but for members that nobody knows: whoever is to be in at any
    moment is named by a step, also if another takes them out.
    """
    changes = [change for operation in patch.operations for change in _group_changes(operation)]
    names = {type(each): each for each in changes if isinstance(each, (DisplayNameSet, ExternalIdSet))}
    moves = [each for each in changes if type(each) not in names]
    runs = groupby(moves, lambda each: isinstance(each, MembersMatchingRemoved))
    steps = [each for has_to_look, run in runs for each in (run if has_to_look else _settled(run))]
    return (*steps, *names.values())


def _group_changes(operation: Operation) -> Iterable[GroupChange]:
    value = operation.value
    match operation.path.attribute.name, operation.op:
        case "members", "replace":
            return [MembersReplaced(value)]
        case "members", "remove" if value is None:
            return [MembersReplaced(()) if operation.where is None else MembersMatchingRemoved(operation.where)]
        case "members", op:
            return [MembersRemoved(value) if op == "remove" else MembersAdded(value)] if value else []
        case "displayName", _:
            return [DisplayNameSet(value)]
        case _:
            return [ExternalIdSet(value)]


def _settled(run: Iterable[GroupChange]) -> Iterator[GroupChange]:
    """Moves of members by their ids, as two at most after which the same people are in."""
    everyone, come, is_in = False, dict[str, None](), dict[str, bool]()
    for step in run:
        match step:
            case MembersReplaced(ids):
                everyone, is_in = True, dict.fromkeys(ids, True)
                come |= dict.fromkeys(ids)
            case MembersAdded(ids):
                is_in |= dict.fromkeys(ids, True)
                come |= dict.fromkeys(ids)
            case MembersRemoved(ids):
                is_in |= dict.fromkeys(ids, False)
    stay = tuple(each for each, stays in is_in.items() if stays)
    if first := tuple(each for each in come if not (everyone and is_in.get(each))):
        yield MembersAdded(first)
    if everyone:
        yield MembersReplaced(stay)
    elif len(stay) < len(is_in):
        yield MembersRemoved(tuple(each for each, stays in is_in.items() if not stays))
