"""Steps of rules. They have no names: two that take the same groups are one that was changed."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from bridge.domain.as_code import CodedRule, CodedWorkspace
from bridge.domain.as_code_step import Said, Step, word
from bridge.domain.as_code_writing import sort_roles
from bridge.domain.group_mapping import GroupMatch, describe, phrase_role, phrase_user_group


def describe_rule(rule: CodedRule) -> str:
    """It as one plain sentence, without its full stop."""
    kind: Any = {"pattern": "glob", "pushed": "name"}.get(rule.by, rule.by)
    gives = [phrase_user_group(name) for name in rule.user_groups] + [
        phrase_role(one) for one in sort_roles(rule.roles)
    ]
    return describe(GroupMatch(kind, rule.value), rule.connection, rule.group, gives or ["get nothing"]).removesuffix(
        "."
    )


def pair_rules(
    present: Iterable[CodedRule], wanted: Iterable[CodedRule]
) -> tuple[list[tuple[CodedRule | None, CodedRule]], list[CodedRule]]:
    """Each wanted rule with what stands in its place, and what of the present ones is left.

    Rules have no names. Those that are the same in all are paired first, then those that take the same groups.
    """
    listed, left = list(wanted), dict(enumerate(present))
    pairs: dict[int, CodedRule] = {}
    for same in _ALIKE:
        alike: dict[Any, list[int]] = {}
        for key in reversed(left):
            alike.setdefault(same(left[key]), []).append(key)
        for n, one in enumerate(listed):
            if n not in pairs and alike.get(same(one)):
                pairs[n] = left.pop(alike[same(one)].pop())
    return [(pairs.get(n), one) for n, one in enumerate(listed)], list(left.values())


_ALIKE: tuple[Callable[[CodedRule], Any], ...] = (
    lambda one: (one.takes, one.gives, one.enabled),
    lambda one: (one.takes, one.gives),
    lambda one: one.takes,
)


def rule_steps(present: CodedWorkspace, wanted: CodedWorkspace) -> Iterator[Step]:
    """Rules that are made, changed in what they give, or switched."""
    pairs, _ = pair_rules(present.mappings or (), wanted.mappings or ())
    for before, one in pairs:
        if before is None:
            off = () if one.enabled else (Said("enabled", None, "false"),)
            yield Step("create", "mapping", describe_rule(one), off, one.at, one)
        elif (before.gives, before.enabled) != (one.gives, one.enabled):
            fields = tuple(_rule_fields(before, one))
            yield Step("change", "mapping", describe_rule(before), fields, one.at, one, before)


def _rule_fields(before: CodedRule, after: CodedRule) -> Iterator[Said]:
    if before.gives != after.gives:
        yield Said("rule", describe_rule(before), describe_rule(after))
    if before.enabled != after.enabled:
        yield Said("enabled", word(before.enabled), word(after.enabled))
