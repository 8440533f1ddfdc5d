"""Rules (product.md 5.2): which IdP groups of one connection match, and what the rule gives.

Declarative and without code: an id, an exact name, or a glob of `*` and `?` over the whole name, compared
without case. Names are matched in Python, so that SQLite and PostgreSQL agree on every script.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from bridge.domain.access import RoleInScope
from bridge.domain.errors import Invalid
from bridge.domain.people import fold
from bridge.domain.roles import OWNER, RESOURCE_TYPES

MatchKind = Literal["id", "external_id", "name", "glob"]
Source = Literal["scim", "asserted"]
LONGEST_PATTERN = 255


@dataclass(frozen=True, slots=True)
class GroupMatch:
    """Which groups a rule takes. `id` is the bridge's own id, `external_id` the IdP's."""

    kind: MatchKind
    value: str

    @property
    def takes_later(self) -> bool:
        """Whether it also takes groups that are made or renamed later: all but the one known by our own id."""
        return self.kind != "id"


@dataclass(frozen=True, slots=True)
class IdpGroup:
    """What a rule can see of an IdP group, pushed or asserted."""

    id: str
    name: str
    external_id: str | None
    source: Source


@dataclass(frozen=True, slots=True, order=True)
class CountedGroup:
    """An IdP group by its key, and how it counts: `asserted` at logins, and then `shadowed` by a pushed one or not."""

    key: int
    asserted: bool = False
    shadowed: bool = False


@dataclass(frozen=True, slots=True)
class Gives:
    """What a rule gives: User Groups by outside id, and roles in scope (ownership is Workspace Owner)."""

    user_groups: tuple[str, ...] = ()
    roles: tuple[RoleInScope, ...] = field(default=())


def parse_match(*, name: str | None, group_id: str | None, pattern: str | None) -> GroupMatch:
    """Exactly one of the three ways to name groups. `external:ID` is the IdP's id. Raises Invalid."""
    given = [value for value in (name, group_id, pattern) if value is not None]
    if len(given) != 1 or not given[0].strip() or len(given[0]) > LONGEST_PATTERN:
        raise Invalid("A rule names its IdP groups in one way: by id, by name, or by a pattern.", field="group")
    if group_id is not None:
        outside = group_id.removeprefix("external:")
        return GroupMatch("id" if outside == group_id else "external_id", outside)
    return GroupMatch("name", name.strip()) if name is not None else GroupMatch("glob", given[0].strip())


def check_gives(match: GroupMatch, gives: Gives) -> None:
    """A rule gives something, and ownership only by id or exact name (product.md 5.2). Raises Invalid."""
    if not gives.user_groups and not gives.roles:
        raise Invalid("A rule gives at least one User Group or role.", field="gives")
    if match.kind == "glob" and any(given.role is OWNER for given in gives.roles):
        raise Invalid("Ownership is given by a group's id or exact name, not by a pattern.", field="gives")


def group_matches(match: GroupMatch, group: IdpGroup) -> bool:
    """Whether the rule's match takes `group`.

    An asserted group has no id of the IdP's but its name: Entra, for one, asserts object ids, so an
    `external_id` match takes an asserted group whose name is that id.
    """
    if match.kind == "id":
        return group.id == match.value
    if match.kind == "external_id":
        return (group.name if group.source == "asserted" else group.external_id) == match.value
    if match.kind == "name":
        return fold(group.name) == fold(match.value)
    return glob_matches(fold(match.value), fold(group.name))


def glob_matches(pattern: str, text: str) -> bool:
    """Whether `*` (any run) and `?` (one character) make `pattern` all of `text`; at most len × len steps.

    Written out since a regular expression would backtrack without bound on `*a*a*a*…`.
    """
    at = read = 0
    star = retry = -1
    while read < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, retry, at = at, read, at + 1
        elif at < len(pattern) and pattern[at] in ("?", text[read]):
            at, read = at + 1, read + 1
        elif star >= 0:
            at, retry = star + 1, retry + 1
            read = retry
        else:
            return False
    return not pattern[at:].strip("*")


def describe(match: GroupMatch, connection: str, group_name: str | None, gives: Sequence[str]) -> str:
    """The rule as one plain sentence: `People in Okta groups named eng-* get Source Admin on all sources.`

    `group_name` is the name of the group that an id stands for, None where it is gone; `gives` are phrases.
    """
    if match.kind == "glob":
        who = f"People in {connection} groups named {match.value}"
    elif match.kind == "name":
        who = f"People in the {connection} group {match.value}"
    else:
        who = f"People in the {connection} group {group_name or match.value}"
    return f"{who} {_and(gives)}."


def phrase_role(given: RoleInScope, resource_names: Sequence[str] = ()) -> str:
    """`get Source Admin on all sources`, `become Workspace Owner`, ... for a sentence."""
    role, scope = given.role, given.scope
    if role is OWNER:
        return "become Workspace Owner"
    if role.resource_type is None:
        return f"get {role.name}"
    plural = RESOURCE_TYPES[role.resource_type][1]
    if scope.kind == "all":
        return f"get {role.name} on all {plural}"
    if scope.kind == "labels":
        return f"get {role.name} on {plural} labelled {_and([str(label) for label in sorted(scope.labels)])}"
    return f"get {role.name} on {_and(list(resource_names) or scope.render())}"


def phrase_user_group(name: str) -> str:
    """`join Production Engineering`."""
    return f"join {name}"


def _and(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
