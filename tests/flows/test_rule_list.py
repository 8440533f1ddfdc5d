"""Rules as a list: whom each reaches, and what is wrong with one that gives nothing."""

from datetime import datetime

import pytest

from bridge.domain.access import EVERYWHERE, RoleInScope
from bridge.domain.errors import NotFound
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.roles import get_role
from bridge.flows.administer import set_plan
from bridge.flows.context import OPERATOR
from bridge.flows.map_groups import MappingDraft, add_mapping, link_group, list_mappings, set_enabled
from bridge.flows.own_connections import set_enabled as set_connection_enabled
from bridge.flows.rule_list import RulePage, RuleSeen, RuleWish, count_mapping, get_rule, list_rules
from bridge.flows.user_groups import create_user_group, delete_user_group
from bridge.storage.database import Database
from tests.world import World, another_connection, make_world

ADMIN, READ = (RoleInScope(get_role(name), EVERYWHERE) for name in ("Source Admin", "Source Read-only"))


@pytest.fixture
def world(database: Database, now: datetime) -> World:
    """Okta pushed eng-prod (Ann, Bob) and eng-dev (Bob)."""
    world = make_world(database, now)
    ann, bob = world.push("ann@acme.example"), world.push("bob@acme.example")
    world.push_group("eng-prod", ann, bob)
    world.push_group("eng-dev", bob)
    return world


def rule(world: World, kind: str, value: str, *roles: RoleInScope, user_groups: tuple[str, ...] = ()) -> str:
    draft = MappingDraft(world.connection.id, GroupMatch(kind, value), user_groups, roles)  # type: ignore[arg-type]
    return add_mapping(world.context, OPERATOR, "acme", draft, world.now).id


def found(world: World, **wish: object) -> RulePage:
    return list_rules(world.context, "acme", RuleWish(**wish), world.now)  # type: ignore[arg-type]


def told(page: RulePage) -> list[tuple[int, str, str, int]]:
    return [(one.number, one.facts.match.value, one.state, one.people) for one in page.rules]


def test_each_rule_reaches_the_people_of_its_groups_counted_once(world: World) -> None:
    rule(world, "glob", "eng-*", ADMIN)
    off = rule(world, "name", "ENG-DEV", READ)
    set_enabled(world.context, OPERATOR, "acme", off, False, world.now)
    rule(world, "name", "nowhere", READ)
    assert told(found(world)) == [(1, "eng-*", "on", 2), (2, "ENG-DEV", "off", 1), (3, "nowhere", "unmatched", 0)]


def test_mirrors_are_no_rules_and_links_are(world: World) -> None:
    [group, _] = [one.match.value for one in list_mappings(world.context, "acme", mirrors_too=True)]
    assert told(found(world)) == []
    create_user_group(world.context, OPERATOR, "acme", "Guild", world.now)
    link_group(world.context, OPERATOR, "acme", world.connection.id, group, "Guild", world.now)
    [one] = found(world).rules
    assert (one.group_name, one.people, one.facts.user_groups[0][1]) == ("eng-prod", 2, "Guild")
    assert count_mapping(world.context, "acme").rules == 1
    assert count_mapping(world.context, "acme").groups == 2


def test_rules_are_found_by_words_connection_and_state(world: World) -> None:
    other = another_connection(world, "Entra")
    rule(world, "glob", "eng-*", ADMIN)
    rule(other, "name", "agency", READ)
    off = rule(world, "name", "eng-dev", READ)
    set_enabled(world.context, OPERATOR, "acme", off, False, world.now)
    assert [one.number for one in found(world, search="source admin").rules] == [1]
    assert [one.number for one in found(world, connection_id=other.connection.id).rules] == [2]
    assert [one.number for one in found(world, state="on").rules] == [1]
    assert [one.number for one in found(world, state="off").rules] == [3]
    assert [one.number for one in found(world, state="troubled").rules] == [2]
    page = found(world, search="nothing so called")
    assert (page.rules, page.found, page.total) == ((), 0, 3)


def seen(world: World, rule_id: str) -> RuleSeen:
    return get_rule(world.context, "acme", rule_id, world.now).seen


def test_the_reason_why_a_rule_gives_nothing(world: World) -> None:
    guild = create_user_group(world.context, OPERATOR, "acme", "Guild", world.now).id
    by_group = rule(world, "name", "eng-dev", READ, user_groups=("Guild",))
    both = rule(world, "name", "eng-prod", READ, ADMIN)
    read = rule(world, "name", "eng-prod", READ)
    assert seen(world, both).state == "on"
    set_plan(world.context, OPERATOR, "acme", "team", world.now)
    assert [seen(world, each).state for each in (both, read)] == ["in_part", "not_in_plan"]
    set_plan(world.context, OPERATOR, "acme", "business", world.now)
    delete_user_group(world.context, OPERATOR, "acme", guild, world.now)
    assert seen(world, by_group).state == "on", "it gives a role of its own"
    set_connection_enabled(world.context, OPERATOR, "acme", world.connection.id, False, world.now)
    assert seen(world, read).state == "connection_off"


def test_one_rule_names_its_groups_with_their_people(world: World) -> None:
    shown = get_rule(world.context, "acme", rule(world, "glob", "eng-*", ADMIN), world.now)
    assert [(one.name, one.people, one.asserted) for one in shown.groups] == [
        ("eng-dev", 1, False),
        ("eng-prod", 2, False),
    ]
    assert (shown.seen.number, shown.seen.people) == (1, 2)
    with pytest.raises(NotFound):
        get_rule(world.context, "acme", "nowhere", world.now)
