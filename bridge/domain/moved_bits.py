"""The questions of a change put to one person after another: each question is a bit of a number.

A person is known by what reaches them: IdP groups, User Groups by hand, grants of their own. Each of those touches
some questions and covers some, and that is worked out once. A person moves by what something touches and nothing
covers, so a person costs one `|` for each thing that reaches them, however many permissions a change moves.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from bridge.domain.access import ResourceRef, RoleInScope
from bridge.domain.group_mapping import CountedGroup
from bridge.domain.labels import Label
from bridge.domain.moves import Asked
from bridge.domain.previews import Side

Key = TypeVar("Key")
#: Which questions something touches, and which it covers.
Weight = tuple[int, int]
NOTHING: Weight = (0, 0)
SIDES: tuple[Side, Side] = ("gains", "loses")


class Weights:
    """What each thing that reaches people touches and covers, of questions by their numbers."""

    def __init__(self, asked: Mapping[int, Asked]) -> None:
        self.numbers = sorted(asked)
        self.gaining = self._bits(n > 0 for n in self.numbers)
        self.groups: dict[CountedGroup, Weight] = {}
        self.user_groups: dict[int, Weight] = {}
        self.everywhere: dict[str, Weight] = {}
        self.grants: dict[int, int] = {}
        self._labelled: dict[str, int] = {}
        self._listed: dict[str, int] = {}
        self._by_label: dict[Label, int] = {}
        self._by_resource: dict[ResourceRef, int] = {}
        self._of_no_resource = self._bits(one.resources == frozenset() for one in (asked[n] for n in self.numbers))
        self._questions = [asked[n] for n in self.numbers]
        for at, one in enumerate(self._questions):
            self._put(1 << at, one)
        #: The roles of people's own that matter.
        self.roles = {*self.everywhere, *(one.given.role.id for one in self._questions if one.own)}

    def _put(self, bit: int, one: Asked) -> None:
        _add(self.groups, one.groups, (bit, 0))
        _add(self.groups, one.covering_groups, (0, bit))
        _add(self.user_groups, one.user_groups, (bit, 0))
        _add(self.user_groups, one.covering_user_groups, (0, bit))
        _add(self.everywhere, (one.given.role.id,) if one.own_everywhere else (), (bit, 0))
        _add(self.everywhere, one.roles, (0, bit))
        _join(self.grants, one.own, bit)
        if one.labels is not None:
            _join(self._labelled, one.roles, bit)
            _join(self._by_label, one.labels, bit)
        if one.resources is not None:
            _join(self._listed, one.roles, bit)
            _join(self._by_resource, one.resources, bit)

    @staticmethod
    def _bits(chosen: Iterable[bool]) -> int:
        return sum(1 << at for at, one in enumerate(chosen) if one)

    def moved_by(self, weight: Weight, side: Side) -> int:
        """The questions of a side by which a person moves whom this reaches: touched, and not covered."""
        touched, covered = weight
        moved = touched & ~covered
        return moved & self.gaining if side == "gains" else moved & ~self.gaining

    @property
    def reads_scopes(self) -> bool:
        """Whether narrowed grants of people's own can cover anything."""
        return bool(self._labelled or self._listed)

    def counted(self, *, asserted: bool, shadowed: bool) -> dict[int, Weight]:
        """Groups by key for one who counts in asserted groups that no pushed one shadows, in those that one does."""
        weights: dict[int, Weight] = {}
        for group, weight in self.groups.items():
            if not group.asserted or (shadowed if group.shadowed else asserted):
                _add(weights, (group.key,), weight)
        return weights

    def covered_by(self, given: RoleInScope) -> int:
        """The questions that a narrowed grant of one's own covers: of fewer labels, or of a longer list."""
        if given.scope.kind == "labels":
            covered = self._labelled.get(given.role.id, 0)
            for label in given.scope.labels:
                covered &= self._by_label.get(label, 0)
            return covered
        return self._covered_by_list(given)

    def _covered_by_list(self, given: RoleInScope) -> int:
        some = self._of_no_resource
        for ref in given.scope.resources:
            some |= self._by_resource.get(ref, 0)
        covered = 0
        for at in bits(some & self._listed.get(given.role.id, 0)):
            if (self._questions[at].resources or frozenset()) <= given.scope.resources:
                covered |= 1 << at
        return covered


def _add(weights: dict[Key, Weight], keys: Iterable[Key], more: Weight) -> None:
    for key in keys:
        touched, covered = weights.get(key, NOTHING)
        weights[key] = (touched | more[0], covered | more[1])


def _join(masks: dict[Key, int], keys: Iterable[Key], bit: int) -> None:
    for key in keys:
        masks[key] = masks.get(key, 0) | bit


def bits(mask: int) -> Iterator[int]:
    """Where a number has its ones, the lowest first."""
    written = bin(mask)[:1:-1]
    at = written.find("1")
    while at >= 0:
        yield at
        at = written.find("1", at + 1)


@dataclass(slots=True)
class Tally:
    """How many move by a question, or at all: their number, and sums of their keys that tell who they are."""

    count: int = 0
    keys: int = 0
    squares: int = 0

    def add(self, member: int) -> None:
        """One more."""
        self.count += 1
        self.keys += member
        self.squares += member * member % 1_000_003

    def join(self, other: "Tally") -> None:
        """And all of those."""
        self.count += other.count
        self.keys += other.keys
        self.squares += other.squares


#: People who move by the same are counted together, of so many different moves at once.
_AT_ONCE = 5_000


class Tallies:
    """People counted as they come, by each question; nothing is kept of any of them."""

    def __init__(self, weights: Weights) -> None:
        self.touched = self.movers = 0
        self.sides = {True: [0, 0], False: [0, 0]}
        self._weights = weights
        self._each = [Tally() for _ in weights.numbers]
        self._alike: dict[int, Tally] = {}

    def add(self, member: int, weight: Weight, signed_in: bool) -> None:
        """A person and what reaches them, joined."""
        self.touched += weight[0] != 0
        gained, lost = (self._weights.moved_by(weight, side) for side in SIDES)
        moved = gained | lost
        if not moved:
            return
        self.movers += 1
        for gains, mask in ((True, gained), (False, lost)):
            if mask:
                self.sides[gains][0] += 1
                self.sides[gains][1] += signed_in
        self._alike.setdefault(moved, Tally()).add(member)
        if len(self._alike) >= _AT_ONCE:
            self._spread()

    def by_question(self) -> dict[int, Tally]:
        """Of each question by which anybody moves."""
        self._spread()
        return {n: one for n, one in zip(self._weights.numbers, self._each, strict=True) if one.count}

    def _spread(self) -> None:
        for moved, tally in self._alike.items():
            for at in bits(moved):
                self._each[at].join(tally)
        self._alike.clear()
