"""Worlds: the facts of one small workspace, as hypothesis draws them.

Each is a value of `bridge.domain.access_facts`, with short names for whatever has an id. It is made of drawn bytes, one
a choice: so drawing a world takes no time, and it shrinks to one in which little is so.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from hypothesis import strategies as st

from bridge.domain.access import EVERYWHERE, ResourceRef, RoleInScope, Scope
from bridge.domain.access_facts import Facts, Grant, Group, Person, Record, Rule, UserGroup
from bridge.domain.group_mapping import GroupMatch, IdpGroup, MatchKind
from bridge.domain.labels import Label
from bridge.domain.people import fold
from bridge.domain.roles import PLANS, get_role

#: When worlds begin.
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
_MOMENT = timedelta(microseconds=1)
_LATER = timedelta(days=3)
#: From now until then a grant holds, or groups that were named at a login count. Mistakes are made around that moment.
EXPIRIES = (None, None, None, None, _LATER, timedelta(0), _MOMENT, -_MOMENT)
COUNTED = (_LATER, _LATER, _LATER, timedelta(0), _MOMENT, -_MOMENT, -_LATER, None)

#: Names that are alike without case, or in some of their letters; two are external ids as well.
NAMES = ("Eng", "ENG", "eng-prod", "Sales", "Straße", "STRASSE", "x-1", "x-2")
EXTERNAL_IDS = (None, "x-1", "x-2", "Eng")
GLOBS = ("*", "eng*", "?ng", "x-?", "*s*e")
ROLES = tuple(
    get_role(name)
    for name in (
        "Source Admin",
        "Source Read-only",
        "Workspace Owner",
        "Minimal Workspace Access",
        "Warehouse Admin",
        "Tracking Plan Read-only",
        "PII Access",
        "Identity Admin",
    )
)
RESOURCES = tuple(
    ResourceRef(kind, name)
    for kind, name in (("source", "web"), ("source", "ios"), ("source", "api"), ("warehouse", "main"))
)
LABELS = tuple(Label(key, value) for key, value in (("environment", "prod"), ("environment", "dev"), ("team", "red")))

Choice = TypeVar("Choice")


class Dice:
    """Choices out of drawn bytes; the first of all where they are used up."""

    def __init__(self, drawn: bytes) -> None:
        self._left = iter(drawn)

    def below(self, size: int) -> int:
        """A number from 0, less than `size`."""
        return next(self._left, 0) % size

    def one(self, choices: Sequence[Choice]) -> Choice:
        """One of them."""
        return choices[self.below(len(choices))]

    def some(self, choices: Sequence[Choice]) -> frozenset[Choice]:
        """Any of them, at most eight to choose from."""
        bits = self.below(2 ** min(len(choices), 8))
        return frozenset(each for n, each in enumerate(choices) if bits >> n & 1)

    def rarely(self) -> bool:
        """One time in seven."""
        return self.below(7) == 6

    def many(self, least: int, most: int, make: Callable[[int], Choice]) -> tuple[Choice, ...]:
        """So many of them, each made of its number."""
        return tuple(make(n) for n in range(least + self.below(most - least + 1)))


def world_of(dice: Dice) -> Facts:
    """A workspace of at most four people, two connections, six groups, four rules and three User Groups."""
    people = dice.many(1, 4, lambda n: Person(f"p{n}", dice.below(12) == 11))
    connections = dice.many(1, 2, lambda n: f"c{n}")
    records = tuple(each for connection in connections for each in _records(dice, connection, people))
    groups = _asserted_once(dice.many(2, 6, lambda n: _group(dice, f"g{n}", connections, records)))
    user_groups = dice.many(1, 3, lambda n: UserGroup(f"u{n}", dice.some(_ids(people))))
    rules = dice.many(1, 4, lambda n: _rule(dice, f"r{n}", connections, groups, user_groups))
    holders = [*_ids(people), *_ids(rules), *_ids(user_groups), *_ids(rules), *_ids(user_groups)]
    return Facts(
        dice.one(("business", "business", "business", *PLANS)),
        frozenset(people),
        frozenset(one for one in connections if not dice.rarely()),
        frozenset(records),
        frozenset(groups),
        frozenset(rules),
        frozenset(user_groups),
        _given_once(dice.many(3, 8, lambda n: _grant(dice, f"k{n}", holders))),
        frozenset((ref, labels_of(dice)) for ref in RESOURCES),
    )


#: As many bytes as the largest world takes; and as what happens in it for a while.
SIZE, STEPS = 160, 80
drawn_worlds: st.SearchStrategy[bytes] = st.binary(min_size=SIZE, max_size=SIZE)
drawn_histories: st.SearchStrategy[bytes] = st.binary(min_size=SIZE + STEPS, max_size=SIZE + STEPS)


def _ids(ones: Iterable[Person | UserGroup | Rule]) -> list[str]:
    return [one.id for one in ones]


def _from_now(after: timedelta | None) -> datetime | None:
    return None if after is None else NOW + after


_KINDS = (*["pushed"] * 5, *["signs in"] * 4, *["none"] * 3, "suspended", "deleted")


def _records(dice: Dice, connection: str, people: Sequence[Person]) -> list[Record]:
    """What a connection's IdP says of each person, if anything; and of one whom the workspace doesn't know."""
    records = []
    for person in people:
        kind = dice.one(_KINDS)
        if kind != "none":
            pushed, out = kind in ("pushed", "suspended"), kind in ("suspended", "deleted")
            name = f"{connection}-{person.id}"
            records.append(
                Record(name, connection, person.id, pushed, out and not dice.rarely(), _from_now(dice.one(COUNTED)))
            )
    return [*records, Record(f"{connection}-nobody", connection, None, True)]


def _group(dice: Dice, name: str, connections: Sequence[str], records: Sequence[Record]) -> Group:
    connection = dice.one(connections)
    called, asserted = dice.one(NAMES), dice.below(2) == 1
    external_id = None if asserted else dice.one(EXTERNAL_IDS)
    members = dice.some([each.id for each in records if each.connection == connection])
    return Group(connection, IdpGroup(name, called, external_id, "asserted" if asserted else "scim"), members)


def _asserted_once(groups: Iterable[Group]) -> tuple[Group, ...]:
    """Groups that are named at logins are one for each name of a connection."""
    kept: dict[tuple[object, ...], Group] = {}
    for group in groups:
        which = group.idp_group.id if group.idp_group.source == "scim" else fold(group.idp_group.name)
        kept.setdefault((group.connection, group.idp_group.source, which), group)
    return tuple(kept.values())


def match_of(dice: Dice, group_ids: Sequence[str]) -> GroupMatch:
    """Which groups a rule takes, in any of the four ways; by the id of one that is there, or was."""
    kind: MatchKind = dice.one(("name", "glob", "id", "external_id"))
    values = {"name": NAMES, "glob": GLOBS, "id": [*group_ids, "gone"], "external_id": ("x-1", "x-2", "Eng")}
    return GroupMatch(kind, dice.one(values[kind]))


def _rule(
    dice: Dice, name: str, connections: Sequence[str], groups: Sequence[Group], user_groups: Sequence[UserGroup]
) -> Rule:
    match = match_of(dice, [group.idp_group.id for group in groups])
    return Rule(name, dice.one(connections), match, dice.some(_ids(user_groups)), not dice.rarely())


def role_in_scope(dice: Dice) -> RoleInScope:
    """A role, everywhere, on some resources of its type, or by one or two labels."""
    role = dice.one(ROLES)
    kind = dice.below(3) if role.scopable else 0
    here = [ref for ref in RESOURCES if ref.type == role.resource_type]
    if kind == 0 or not here:
        return RoleInScope(role, EVERYWHERE)
    if kind == 1:
        return RoleInScope(role, Scope("list", resources=dice.some(here) or frozenset(here[:1])))
    return RoleInScope(role, Scope("labels", labels=labels_of(dice) or frozenset(LABELS[:1])))


def labels_of(dice: Dice) -> frozenset[Label]:
    """Labels that one resource may carry: one value a key."""
    return frozenset({label.key: label for label in sorted(dice.some(LABELS))}.values())


def _grant(dice: Dice, name: str, holders: Sequence[str]) -> Grant:
    return Grant(name, dice.one(holders), role_in_scope(dice), _from_now(dice.one(EXPIRIES)))


def _given_once(grants: Iterable[Grant]) -> frozenset[Grant]:
    """Nobody is given the same twice, nor ownership by a pattern."""
    kept: dict[tuple[str, RoleInScope], Grant] = {}
    for grant in grants:
        kept.setdefault((grant.holder, grant.given), grant)
    return frozenset(kept.values())
