"""What a file names and isn't there, nor made by it."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.domain.access import ResourceRef, RoleInScope
from bridge.domain.as_code import CodedRule, CodedUserGroup, CodedWorkspace
from bridge.domain.as_code_given import grants_of_all
from bridge.domain.as_code_names import index_of, renamed
from bridge.domain.labels import BUILT_IN, Label
from bridge.domain.people import fold, fold_letters


def missing(
    present: CodedWorkspace, wanted: CodedWorkspace, people: Collection[str], *, prune: bool
) -> Iterator[tuple[str, str]]:
    """Places in the file that name what is neither there nor made by it, each with what to say.

    `people` are the addresses of members, folded as letters.
    """
    now = renamed(present, wanted)
    without = set(_after(now, wanted, False).lacks(wanted))
    for at, text in _after(now, wanted, prune).lacks(wanted):
        yield (
            at,
            text if (at, text) in without else f"{text} What stands isn't in the file's list, and would be pruned.",
        )
    for email, at in _addresses(wanted):
        if fold_letters(email) not in people:
            yield at, f"{email} is no member of this workspace. Invite them first: nobody joins by a file."
    index = index_of(present.user_groups)
    for group in wanted.user_groups or ():
        yield from _mirror_faults(index.find(group), group)


def _mirror_faults(before: CodedUserGroup | None, group: CodedUserGroup) -> Iterator[tuple[str, str]]:
    if group.mirror and before is None:
        yield group.at, "There is no such mirror: it is made when the IdP pushes the group. Push it first."
    elif before is not None and before.mirror != group.mirror:
        is_mirror = "a mirror: write `mirror: true`" if before.mirror else "no mirror, but the workspace's own"
        yield group.at, f"{before.name} is {is_mirror}."


def _addresses(wanted: CodedWorkspace) -> Iterator[tuple[str, str]]:
    for member in wanted.members or ():
        yield member.email, f"{member.at}.email"
    for group in wanted.user_groups or ():
        yield from ((email, group.places.get(email, f"{group.at}.members")) for email in group.members or ())


@dataclass(frozen=True, slots=True)
class _After:
    """What is there once the file is applied, by folded names."""

    connections: frozenset[str]
    user_groups: frozenset[str]
    resources: frozenset[ResourceRef]
    labels: frozenset[Label]

    def lacks(self, wanted: CodedWorkspace) -> Iterator[tuple[str, str]]:
        """What domains, grants and rules of the file name that isn't there."""
        for domain in wanted.domains or ():
            if domain.connection is not None and fold(domain.connection) not in self.connections:
                yield f"{domain.at}.connection", f"There is no connection {domain.connection[:80]!r}."
        for _, grants, at in grants_of_all(wanted).values():
            yield from self.scopes(grants.given, grants.places, f"{at}.grants")
        for rule in wanted.mappings or ():
            yield from self.rule(rule)

    def rule(self, rule: CodedRule) -> Iterator[tuple[str, str]]:
        """What a rule names that isn't there."""
        if fold(rule.connection) not in self.connections:
            yield f"{rule.at}.connection", f"There is no connection {rule.connection[:80]!r}."
        for name in rule.user_groups:
            if fold(name) not in self.user_groups:
                yield rule.places.get(name, f"{rule.at}.gives.user_groups"), f"There is no User Group {name[:80]!r}."
        yield from self.scopes(rule.roles, rule.places, f"{rule.at}.gives.roles")

    def scopes(self, given: Iterable[RoleInScope], places: Mapping[Any, str], around: str) -> Iterator[tuple[str, str]]:
        """What grants name in their scopes that isn't there."""
        for one in given:
            at = places.get(one, around)
            for ref in sorted(one.scope.resources - self.resources):
                yield f"{at}.scope", f"There is no {ref} in this workspace."
            for label in sorted(one.scope.labels - self.labels):
                yield f"{at}.scope", f"There is no label {label} in this workspace."


def _after(present: CodedWorkspace, wanted: CodedWorkspace, prune: bool) -> _After:
    def every(key: str) -> list[Any]:
        listed, standing = getattr(wanted, key), getattr(present, key) or ()
        stays = [one for one in standing if not prune or listed is None or getattr(one, "mirror", False)]
        return [*(listed or ()), *stays]

    resources = every("resources")
    return _After(
        connections=frozenset(fold(one.name) for one in every("connections")),
        user_groups=frozenset(fold(one.name) for one in every("user_groups")),
        resources=frozenset(one.ref for one in resources),
        labels=frozenset(BUILT_IN).union(
            (one.label for one in every("labels")), *(one.labels or () for one in resources)
        ),
    )
