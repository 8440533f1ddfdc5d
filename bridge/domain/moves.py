"""What a change of rules, groups or grants does to people, as far as it can be known without looking at people.

Who is in a group is in the tables, a million rows; what groups and User Groups give is a `Standing`, a few thousand. A
change is one Standing becoming another. `compare` says, for each permission that it moves, in which groups people are
touched by it, and which groups, User Groups and grants of their own give as much on the other side, and so cover them:
a person loses a permission if they are touched and nothing that stays (or comes) covers them; gaining is the mirror of
it. `bridge.storage.moves` asks the tables just that.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from bridge.domain.access import EVERYWHERE, ResourceRef, RoleInScope, Scope, dominates, fits, scope_covers
from bridge.domain.group_mapping import CountedGroup
from bridge.domain.labels import Label
from bridge.domain.roles import ROLES, Role, covers, in_plan


@dataclass(frozen=True, slots=True)
class Standing:
    """What IdP groups and User Groups give in a workspace. Numbers are the database's own, of drafts below zero.

    `grants` are (holder, what it gives), of rules and User Groups; `ties` (rule, User Group) that it gives; `matches`
    (rule, group) that give something now; `user_groups` are those of the holders in which people may be by hand. `own`
    are narrowed grants of people themselves, by their keys: only where a change could touch those. `labels` are those
    of the resource in question, None where it isn't there.
    """

    plan: str
    grants: frozenset[tuple[int, RoleInScope]] = frozenset()
    ties: frozenset[tuple[int, int]] = frozenset()
    matches: frozenset[tuple[int, CountedGroup]] = frozenset()
    user_groups: frozenset[int] = frozenset()
    own: tuple[tuple[int, RoleInScope], ...] = ()
    labels: frozenset[Label] | None = None

    def without_rules(self, rules: Collection[int]) -> "Standing":
        """These rules are gone, with all they give."""
        return replace(
            self.unmatched(rules),
            grants=frozenset(one for one in self.grants if one[0] not in rules),
            ties=frozenset(one for one in self.ties if one[0] not in rules),
        )

    def unmatched(self, rules: Collection[int]) -> "Standing":
        """These rules take no group."""
        return replace(self, matches=frozenset(one for one in self.matches if one[0] not in rules))

    def matching(self, rule: int, groups: Iterable[CountedGroup]) -> "Standing":
        """This rule takes these groups as well."""
        return replace(self, matches=self.matches | {(rule, group) for group in groups})

    def with_rule(self, rule: int, user_groups: Iterable[int], roles: Iterable[RoleInScope]) -> "Standing":
        """There is a rule that gives this; it takes no group yet."""
        ties = self.ties | {(rule, user_group) for user_group in user_groups}
        return replace(self, ties=ties, grants=self.grants | {(rule, given) for given in roles})

    def regranted(self, holder: int, before: RoleInScope, after: RoleInScope | None) -> "Standing":
        """A User Group gives this in the place of that; None: it no longer gives that."""
        given = frozenset() if after is None else frozenset({(holder, after)})
        return replace(self, grants=(self.grants - {(holder, before)}) | given, user_groups=self.user_groups | {holder})

    def without_user_group(self, user_group: int) -> "Standing":
        """This User Group is gone: its grants, and its place in rules."""
        return replace(
            self,
            grants=frozenset(one for one in self.grants if one[0] != user_group),
            ties=frozenset(one for one in self.ties if one[1] != user_group),
            user_groups=self.user_groups - {user_group},
        )

    def without_groups(self, keys: Collection[int]) -> "Standing":
        """These IdP groups are gone, or nothing takes them any more."""
        return replace(self, matches=frozenset(one for one in self.matches if one[1].key not in keys))

    def unshadowed(self, keys: Collection[int]) -> "Standing":
        """No pushed group decides in the place of these asserted ones any more."""
        turned = ((rule, replace(one, shadowed=one.shadowed and one.key not in keys)) for rule, one in self.matches)
        return replace(self, matches=frozenset(turned))


@dataclass(frozen=True, slots=True)
class Question:
    """One permission that people may gain or lose; or, of a `resource`, what a role gives on that alone."""

    given: RoleInScope
    resource: ResourceRef | None = None


def on_resource(resource: ResourceRef) -> tuple[Question, ...]:
    """What roles give on one resource, one question a role."""
    scope = Scope("list", resources=frozenset({resource}))
    return tuple(Question(RoleInScope(role, scope), resource) for role in ROLES if resource.type in role.gives)


@dataclass(frozen=True, slots=True)
class Asked:
    """One question to the tables. Who is touched: by groups, by hand in User Groups, by grants of their own.

    What covers them then: `roles` of their own, everywhere, and (`by_labels`, `by_list`) narrowed ones that reach as
    far; being in `covering_groups`, or by hand in `covering_user_groups`.
    """

    given: RoleInScope
    gains: bool
    groups: frozenset[CountedGroup]
    user_groups: frozenset[int]
    own_everywhere: bool
    own: tuple[int, ...]
    roles: tuple[str, ...]
    labels: frozenset[Label] | None
    resources: frozenset[ResourceRef] | None
    covering_groups: frozenset[CountedGroup]
    covering_user_groups: frozenset[int]


def compare(before: Standing, after: Standing, questions: Iterable[Question]) -> list[Asked]:
    """What to ask for who gains and who loses, of each question that the change touches at all."""
    old, new = _Index(before), _Index(after)
    asked = []
    for question in dict.fromkeys(questions):
        has, will = (_exact_routes(one, question) for one in (old, new))
        asked += _touched(question, will, has, gains=True)
        asked += _touched(question, has, will, gains=False)
    return _strongest_asked(asked)


def _strongest_asked(asked: Iterable[Asked]) -> list[Asked]:
    """Less those who ask the same people for less: whoever moves by one of them moves by what says more."""
    alike: dict[tuple[object, ...], list[Asked]] = {}
    for one in asked:
        role = one.given.role.id if one.own_everywhere else None  # of which the grants of their own are
        whom = (one.gains, one.groups, one.user_groups, role, one.own)
        alike.setdefault(whom, []).append(one)
    return [one for every in alike.values() for one in every if not any(_says_more(other, one) for other in every)]


def _says_more(one: Asked, other: Asked) -> bool:
    return dominates(one.given, other.given) and not dominates(other.given, one.given)


def strongest(gives: Iterable[RoleInScope]) -> list[RoleInScope]:
    """What is given, less what something else of it covers."""
    distinct = list(dict.fromkeys(gives))
    return [one for one in distinct if not any(dominates(other, one) for other in distinct if other != one)]


class _Index:
    """A Standing, with what hangs together found at once."""

    def __init__(self, standing: Standing) -> None:
        self.standing = standing
        self.groups_of: dict[int, list[CountedGroup]] = {}
        self.rules_of: dict[int, list[int]] = {}
        self.holders: dict[str, dict[RoleInScope, set[int]]] = {}
        self.own: dict[str, dict[RoleInScope, set[int]]] = {}
        for key, given in standing.own:
            self.own.setdefault(given.role.id, {}).setdefault(given, set()).add(key)
        for rule, group in standing.matches:
            self.groups_of.setdefault(rule, []).append(group)
        for rule, user_group in standing.ties:
            self.rules_of.setdefault(user_group, []).append(rule)
        for holder, given in standing.grants:
            self.holders.setdefault(given.role.id, {}).setdefault(given, set()).add(holder)

    def holders_of(self, question: Question, fit: "Fit", roles: Iterable[Role]) -> set[int]:
        """The rules and User Groups that give what fits; only these roles can."""
        every = (self.holders.get(role.id, {}) for role in roles)
        return {
            holder
            for given_by in every
            for given, holders in given_by.items()
            if fit(self.standing, given, question)
            for holder in holders
        }

    def exact(self, givers: dict[str, dict[RoleInScope, set[int]]], question: Question) -> set[int]:
        """Those of the givers that give just what is asked for: `holders`, or `own`, which are grants."""
        given = question.given
        of_role = givers.get(given.role.id, {})
        if question.resource is not None:
            return {key for one, keys in of_role.items() if _exact(self.standing, one, question) for key in keys}
        return of_role.get(given, set()) if in_plan(given.role, self.standing.plan) else set()


Fit = Callable[[Standing, RoleInScope, Question], bool]


def _exact(standing: Standing, given: RoleInScope, question: Question) -> bool:
    """Whether a grant gives just what is asked for."""
    if given.role is not question.given.role or not in_plan(given.role, standing.plan):
        return False
    if question.resource is None:
        return given.scope == question.given.scope
    return standing.labels is not None and fits(given.scope, question.resource, standing.labels)


def _enough(standing: Standing, given: RoleInScope, question: Question) -> bool:
    """Whether a grant gives at least that."""
    if not covers(given.role, question.given.role) or not in_plan(given.role, standing.plan):
        return False
    if question.resource is None:
        return scope_covers(given.scope, question.given.scope)
    return standing.labels is not None and fits(given.scope, question.resource, standing.labels)


class _Routes:
    """By which groups and User Groups a Standing gives what fits a question; `groups` with every way through each."""

    def __init__(
        self, index: _Index, question: Question, fit: Fit, holders: Iterable[int], own: Collection[int] = ()
    ) -> None:
        standing = index.standing
        self.index, self.question = index, question
        self.groups: dict[CountedGroup, set[tuple[int, int]]] = {}
        self.user_groups: set[int] = set()
        for holder in holders:
            for group in index.groups_of.get(holder, ()):
                self.groups.setdefault(group, set()).add((holder, holder))
            for rule in index.rules_of.get(holder, ()):
                for group in index.groups_of.get(rule, ()):
                    self.groups.setdefault(group, set()).add((rule, holder))
            if holder in standing.user_groups:
                self.user_groups.add(holder)
        everywhere = RoleInScope(question.given.role, EVERYWHERE)
        self.own_everywhere = fit(standing, everywhere, question)
        self.own = frozenset(own)


def _exact_routes(index: _Index, question: Question) -> _Routes:
    holders, own = (index.exact(givers, question) for givers in (index.holders, index.own))
    return _Routes(index, question, _exact, holders, own)


def holding(standing: Standing, questions: Iterable[Question]) -> Iterator[Asked]:
    """Who has just what each question is about, in the order of the questions; nobody is covered by anything."""
    index = _Index(standing)
    for question in questions:
        here = _exact_routes(index, question)
        yield Asked(
            question.given,
            True,
            frozenset(here.groups),
            frozenset(here.user_groups),
            here.own_everywhere,
            tuple(sorted(here.own)),
            roles=(),
            labels=None,
            resources=None,
            covering_groups=frozenset(),
            covering_user_groups=frozenset(),
        )


def _touched(question: Question, here: _Routes, there: _Routes, *, gains: bool) -> list[Asked]:
    """Who has it by a way that is only `here`, and what covers them `there`."""
    groups = frozenset(group for group, ways in here.groups.items() if ways - there.groups.get(group, set()))
    user_groups = frozenset(here.user_groups - there.user_groups)
    own = tuple(sorted(here.own - there.own))
    everywhere = here.own_everywhere and not there.own_everywhere
    if not (groups or user_groups or own or everywhere):
        return []
    standing = there.index.standing
    is_there = question.resource is None or standing.labels is not None
    enough = [role for role in ROLES if covers(role, question.given.role) and in_plan(role, standing.plan)]
    covering = _Routes(there.index, question, _enough, there.index.holders_of(question, _enough, enough))
    return [
        Asked(
            question.given,
            gains,
            groups,
            user_groups,
            everywhere,
            own,
            tuple(role.id for role in enough) if is_there else (),
            _labels(question, standing),
            _listed(question),
            frozenset(covering.groups),
            frozenset(covering.user_groups),
        )
    ]


def _labels(question: Question, standing: Standing) -> frozenset[Label] | None:
    """The labels among which a grant's must be, to reach as far; None where no grant by labels does."""
    if question.resource is not None:
        return standing.labels
    return question.given.scope.labels if question.given.scope.kind == "labels" else None


def _listed(question: Question) -> frozenset[ResourceRef] | None:
    """The resources that a grant has to list, to reach as far; None where no list does."""
    if question.resource is not None:
        return frozenset({question.resource})
    return question.given.scope.resources if question.given.scope.kind == "list" else None


def questions_of(gives: Iterable[RoleInScope]) -> tuple[Question, ...]:
    """One for each thing that is given."""
    return tuple(Question(given) for given in dict.fromkeys(gives))


def roles_asked(questions: Iterable[Question]) -> set[str]:
    """The roles that can matter to these questions: all that give at least as much as one of them."""
    asked = {question.given.role for question in questions}
    return {role.id for role in ROLES if any(covers(role, one) for one in asked)}


def moved_by_plan(standing: Standing, roles: Collection[Role]) -> tuple[Question, ...]:
    """One for each thing of these roles that anybody may have."""
    narrowed = (given for _, given in (*standing.grants, *standing.own) if given.role in roles)
    return questions_of([*(RoleInScope(role, EVERYWHERE) for role in roles), *narrowed])
