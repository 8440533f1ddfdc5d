"""What people hold before a change that was done, and after it: who gains and who loses what.

A preview asks what a change would do (`bridge.domain.moves`), and people stay where they are. Here the tables
themselves changed in between, so each moment is read on its own. What anybody may hold has a number, the same at both
moments, and what a person holds is a number with those bits, as in `bridge.domain.moved_bits`: what reaches people is
read once, and whoever moves by the same is worked out once.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from bridge.domain.access import EVERYWHERE, ResourceRef, RoleInScope, Scope, fits, left_over
from bridge.domain.labels import Label
from bridge.domain.moved_bits import Weights, bits
from bridge.domain.moves import Question, Standing, holding, strongest
from bridge.domain.roles import Role, covers

Labels = Mapping[ResourceRef, frozenset[Label]]
Gives = tuple[RoleInScope, ...]


class Terms:
    """All that anybody holds, numbered as it is met."""

    def __init__(self) -> None:
        self.listed: list[RoleInScope] = []
        self._numbers: dict[RoleInScope, int] = {}
        self._as_much: dict[str, tuple[int, int]] = {}

    def bit(self, given: RoleInScope) -> int:
        """The bit of one of them; new where it wasn't met yet."""
        if given not in self._numbers:
            self._numbers[given] = len(self.listed)
            self.listed.append(given)
        return 1 << self._numbers[given]

    def weights(self, standing: Standing, roles: Iterable[Role]) -> Weights:
        """Which of them each group, User Group and grant gives: touched, in the words of `Weights`, and none covered.

        `roles` are those of `standing`, which people may hold everywhere of their own.
        """
        for given in (RoleInScope(role, EVERYWHERE) for role in roles):
            self.bit(given)
        for _, given in (*standing.grants, *standing.own):
            self.bit(given)
        return Weights(dict(enumerate(holding(standing, map(Question, self.listed)))))

    def of(self, held: int) -> list[RoleInScope]:
        """What these bits stand for."""
        return [self.listed[at] for at in bits(held)]

    def as_much(self, role: Role, held: int) -> int:
        """What of these bits is of roles that give at least what this one does: only that can cover what it gives."""
        known, mask = self._as_much.get(role.id, (0, 0))
        for at in range(known, len(self.listed)):
            mask |= 1 << at if covers(self.listed[at].role, role) else 0
        self._as_much[role.id] = len(self.listed), mask
        return held & mask


@dataclass(frozen=True, slots=True)
class Moment:
    """What members hold, by key (whoever holds nothing may be missing), and what labels resources carry."""

    held: Mapping[int, int]
    labels: Labels


def moved(terms: Terms, before: Moment, after: Moment) -> Iterator[tuple[int, Gives, Gives]]:
    """Who gains or loses by it, by key and in that order, and what of both: what no other path gives as well."""
    had, has = _reaches(terms, before, after)
    gained, lost = _Left(terms, before.labels), _Left(terms, after.labels)
    for member in sorted(before.held.keys() | after.held.keys()):
        old, new = had.of(before.held.get(member, 0)), has.of(after.held.get(member, 0))
        if old != new:
            gains, loses = gained.of(new, old), lost.of(old, new)
            if gains or loses:
                yield member, gains, loses


class _Reach:
    """What is held by labels holds on each of the resources that carry others then and now, too."""

    def __init__(self, terms: Terms, labels: Labels, relabelled: Collection[ResourceRef]) -> None:
        self._more = {at: more for at, more in _by_labels(terms, labels, relabelled) if more}
        self._any = sum(1 << at for at in self._more)

    def of(self, held: int) -> int:
        """With that."""
        for at in bits(held & self._any):
            held |= self._more[at]
        return held


def _by_labels(terms: Terms, labels: Labels, relabelled: Collection[ResourceRef]) -> Iterator[tuple[int, int]]:
    for at, one in enumerate(tuple(terms.listed)):
        more = 0
        for ref in relabelled if one.scope.kind == "labels" else ():
            if ref.type == one.role.resource_type and fits(one.scope, ref, labels[ref]):
                more |= terms.bit(RoleInScope(one.role, Scope("list", frozenset((ref,)))))
        yield at, more


def _reaches(terms: Terms, before: Moment, after: Moment) -> tuple[_Reach, _Reach]:
    both = before.labels.keys() & after.labels.keys()
    relabelled = [ref for ref in both if before.labels[ref] != after.labels[ref]]
    return _Reach(terms, before.labels, relabelled), _Reach(terms, after.labels, relabelled)


class _Left:
    """What some hold beyond what they hold otherwise, on what resources carry at one moment."""

    def __init__(self, terms: Terms, labels: Labels) -> None:
        self._terms, self._labels = terms, labels
        self._beyond: dict[tuple[int, int], RoleInScope | None] = {}
        self._strongest: dict[Gives, Gives] = {}

    def of(self, held: int, others: int) -> Gives:
        """What these bits give and the others don't."""
        every = tuple(filter(None, (self._one(at, others) for at in bits(held & ~others))))
        if every not in self._strongest:
            ordered = sorted(strongest(every), key=lambda one: (one.role.name, one.scope.render()))
            self._strongest[every] = tuple(ordered)
        return self._strongest[every]

    def _one(self, at: int, others: int) -> RoleInScope | None:
        given = self._terms.listed[at]
        as_much = self._terms.as_much(given.role, others)
        if (at, as_much) not in self._beyond:
            self._beyond[at, as_much] = left_over(given, self._terms.of(as_much), self._labels)
        return self._beyond[at, as_much]
