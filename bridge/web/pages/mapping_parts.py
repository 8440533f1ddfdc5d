"""What pages of Group mapping share: the tabs, and a rule as a sentence of chips."""

from collections.abc import Iterable, Sequence

from bridge.domain.access import RoleInScope
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.roles import OWNER, RESOURCE_TYPES
from bridge.domain.sentences import Inventory
from bridge.flows.map_groups import MappingFacts
from bridge.flows.rule_list import RuleState, count_mapping
from bridge.web.pages.frame import Visit
from bridge.web.pages.views import Chip, Note, RulePart, Status, Tab

_MOST_NAMED = 4
STATES: dict[RuleState, Status] = {
    "on": Status("ok", "On"),
    "off": Status("off", "Off"),
    "connection_off": Status("warn", "Connection off"),
    "unmatched": Status("warn", "No group"),
    "not_in_plan": Status("warn", "Not in plan"),
    "in_part": Status("warn", "Partly in plan"),
    "gives_nothing": Status("warn", "Gives nothing"),
}

NOTES: dict[RuleState, Note] = {
    "off": Note("plain", "This rule is off", "It gives nothing until it is switched on."),
    "connection_off": Note("warn", "Its connection is off", "Groups of a connection that is off give nothing."),
    "unmatched": Note(
        "warn", "No IdP group matches it now", "The group is gone, or isn’t there yet. Nobody gets anything."
    ),
    "not_in_plan": Note("warn", "The plan includes none of its roles", "They give nothing until the plan does."),
    "in_part": Note(
        "warn", "The plan leaves some of its roles out", "Those give nothing until the plan includes them."
    ),
    "gives_nothing": Note("warn", "It gives nothing any more", "What it gave was deleted. Change it, or delete it."),
}


def mapping_tabs(visit: Visit, current: str) -> tuple[Tab, ...]:
    """Rules, IdP groups and the picture of them."""
    each = count_mapping(visit.context, visit.slug)
    tabs: tuple[tuple[str, str, int | None], ...] = (
        ("Rules", "mapping.index", each.rules),
        ("IdP groups", "idp_directory.groups", each.groups),
        ("Picture", "picture.index", None),
    )
    return tuple(Tab(text, visit.url(endpoint), count, current=text == current) for text, endpoint, count in tabs)


# -- The sentence ----------------------------------------------------------------------------------------------------


def sentence_of(visit: Visit, rule: MappingFacts, group_name: str | None, inventory: Inventory) -> tuple[RulePart, ...]:
    """`People in the Okta group eng-prod join Production Engineering`, with its things as chips."""
    who = who_part(rule.connection, rule.match, group_name)
    return (*who, *gives_part(visit, rule.user_groups, rule.roles, inventory))


def gives_part(
    visit: Visit, user_groups: Sequence[tuple[str, str]], roles: Iterable[RoleInScope], inventory: Inventory
) -> list[RulePart]:
    """What a rule gives: User Groups as (id, name), then roles."""
    joining = [_joining(visit, user_groups)] if user_groups else []
    return _enumerated([*joining, *(role_part(given, inventory) for given in roles)])


def who_part(connection: str, match: GroupMatch, group_name: str | None) -> tuple[RulePart, ...]:
    """Whom a rule is about. `group_name`: of the one group that an id stands for; None where it is gone."""
    if match.kind == "glob":
        return (
            RulePart("People in"),
            RulePart(tag=connection),
            RulePart("groups that match"),
            RulePart(chip=Chip("idp", match.value)),
        )
    named = match.value if match.kind == "name" else group_name
    group = RulePart(chip=Chip("idp", named)) if named else RulePart(f"that is gone ({match.value})")
    return (RulePart("People in the"), RulePart(tag=connection), RulePart("group"), group)


def _joining(visit: Visit, user_groups: Iterable[tuple[str, str]]) -> list[RulePart]:
    chips = [
        RulePart(chip=Chip("group", name, visit.url("user_groups.show_roles", group=uid))) for uid, name in user_groups
    ]
    return [RulePart("join"), *_and(chips)]


def role_part(given: RoleInScope, inventory: Inventory) -> list[RulePart]:
    """`get Source Admin on all sources`, `become Workspace Owner`."""
    role, scope = given.role, given.scope
    chip = RulePart(chip=Chip("role", role.name))
    if role is OWNER:
        return [RulePart("become"), chip]
    if role.resource_type is None:
        return [RulePart("get"), chip]
    plural = RESOURCE_TYPES[role.resource_type][1]
    if scope.kind == "all":
        return [RulePart("get"), chip, RulePart(f"on all {plural}")]
    if scope.kind == "labels":
        tags = [RulePart(tag=str(label)) for label in sorted(scope.labels)]
        return [RulePart("get"), chip, RulePart(f"on {plural} with"), *_and(tags)]
    found = {ref: inventory.find(ref) for ref in sorted(scope.resources)}
    names = [one.name if one else str(ref) for ref, one in found.items()]
    if len(names) > _MOST_NAMED:
        return [RulePart("get"), chip, RulePart(f"on {len(names):,} {plural}")]
    return [RulePart("get"), chip, RulePart("on"), *_and([RulePart(chip=Chip("resource", name)) for name in names])]


def _enumerated(gives: Sequence[list[RulePart]]) -> list[RulePart]:
    parts: list[RulePart] = []
    for place, one in enumerate(gives):
        parts += [*([RulePart("and")] if place else []), *one]
    return parts or [RulePart("get nothing")]


def _and(parts: Sequence[RulePart]) -> list[RulePart]:
    joined: list[RulePart] = []
    for place, part in enumerate(parts):
        joined += [*([RulePart("and")] if place else []), part]
    return joined
