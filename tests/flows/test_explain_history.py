"""When what somebody may do has changed, and what did it (docs/decisions/0004)."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, cast

import pytest

from bridge.domain.access import RoleInScope
from bridge.domain.directory import GroupRenamed, MembersAdded, MembersRemoved
from bridge.domain.errors import Invalid, NotFound
from bridge.domain.labels import parse_label
from bridge.flows import explain_history
from bridge.flows.administer import set_plan
from bridge.flows.context import OPERATOR
from bridge.flows.explain_history import AccessChange, Reach, history_of
from bridge.flows.forget_past import forget_past
from bridge.flows.give_roles import change_scope, end_grant
from bridge.flows.map_groups import remove_mapping
from bridge.flows.members import find_member_id, remove_member
from bridge.flows.own_connections import delete_connection
from bridge.flows.own_connections import set_enabled as switch_connection
from bridge.flows.resources import delete_resource, set_labels
from bridge.flows.user_groups import add_members, create_user_group, rename_user_group
from bridge.storage.access_history import moments_between
from bridge.storage.access_past import find_member_then
from tests.flows.past_steps import Said, Story, given, source
from tests.flows.test_explain_past import told_with_every_kind_of_change
from tests.world import World

ANN, BOB = "ann@kicks.example", "bob@kicks.example"
DAY, INSTANT = timedelta(days=1), timedelta(microseconds=1)


@pytest.fixture
def story(kicks: World) -> Story:
    return Story(kicks, kicks.now, (ANN, BOB))


def changes(story: Story, email: str = ANN, **window: Any) -> list[AccessChange]:
    """All of somebody's changes, the oldest first."""
    return list(reversed(history_of(story.world.context, story.slug, email, story.now, **window).changes))


def last(story: Story) -> AccessChange:
    return changes(story)[-1]


def names(given: tuple[RoleInScope, ...]) -> list[str]:
    return [f"{one.role.name} on {', '.join(one.scope.render())}" for one in given]


def test_every_change_is_found_and_no_other(story: Story) -> None:
    """Held to what `access_of` said after each step."""
    told_with_every_kind_of_change(story)
    waited = _while_waiting(story)
    for email in story.emails:
        held = {at: _held(of_each[email]) for at, of_each in sorted(story.said.items())}
        steps = [(at, held[at] - held[before], held[before] - held[at]) for before, at in pairwise(held)]
        found = changes(story, email, since=min(held))
        told = [(one.at, frozenset(one.gained), frozenset(one.lost)) for one in found]
        wanted = [one for one in steps if (one[1] or one[2]) and one[0] not in waited]
        assert [one for one in told if one[0] in story.said and (one[1] or one[2])] == wanted
        assert all(one.gained or one.lost or one.reach for one in found)
        assert all(bool(one.events) != bool(one.elapsed) for one in found), "something did each"
    by_time = [one for one in changes(story) if one.elapsed]
    assert {text for one in by_time for text in one.elapsed} == set(explain_history._ELAPSED.values())


def test_of_one_resource_what_held_on_it_is_found_and_no_other(story: Story) -> None:
    """Held to what `check` said of source:web after each step; and so is what labels alone moved of all they have."""
    told_with_every_kind_of_change(story)
    for email in story.emails:
        on_web = {at: _on_web(of_each[email]) for at, of_each in sorted(story.said.items())}
        own = changes(story, email, resource=source("web"))
        reached = {
            one.at: {each for each in one.reach if each.resource == source("web")} for one in changes(story, email)
        }
        for before, at in pairwise(on_web):
            for change in (one for one in own if before < one.at <= at):
                assert set(change.gained) <= on_web[at], at
                assert set(change.lost) <= on_web[before], at
                assert change.events or change.elapsed
            gained = {each for one in own if before < one.at <= at for each in one.gained}
            lost = {each for one in own if before < one.at <= at for each in one.lost}
            assert (set(on_web[at] - on_web[before]), set(on_web[before] - on_web[at])) == (
                gained - lost,
                lost - gained,
            )
            kept = _held(story.said[before][email]) & _held(story.said[at][email])
            moved = {Reach(one, source("web"), one in gained) for one in gained ^ lost if one in kept}
            assert reached.get(at, set()) == {one for one in moved if one.given.scope.kind == "labels"}, at


def _on_web(said: Said) -> frozenset[RoleInScope]:
    """What let somebody read source:web."""
    answer = said[1][1]
    return frozenset(RoleInScope(one.role, one.scope) for one in answer.because) if answer else frozenset()


def test_a_label_that_is_put_on_or_taken_is_a_change_of_what_they_reach(story: Story, marcus: str) -> None:
    context, slug = story.world.context, story.slug
    prod, team = (frozenset(map(parse_label, some)) for some in (["env:prod"], ["env:prod", "team:a"]))
    story.then(lambda: story.add_source("web"))
    story.then(lambda: story.add_source("first", "env:prod"))
    story.then(lambda: story.push(ANN))
    story.then(lambda: story.give(ANN, "Source Admin", "label:env:prod"))
    for labels in (prod, team, frozenset()):
        story.then(lambda labels=labels: set_labels(context, marcus, slug, source("web"), labels, story.now))  # type: ignore[misc]
    story.then(lambda: story.add_source("ios", "env:prod"))
    story.then(lambda: delete_resource(context, OPERATOR, slug, source("ios"), story.now))
    told = [one for one in changes(story) if one.reach]
    assert [(str(each.resource), each.gained) for one in told for each in one.reach] == [
        ("source:web", True),
        ("source:web", False),
        ("source:ios", True),
        ("source:ios", False),
    ]
    assert [event.text for one in told for event in one.events] == [
        "Marcus set the labels of source:web to env:prod",
        "Marcus set the labels of source:web to none",
        "The operator added source:ios",
        "The operator deleted source:ios",
    ]
    own = changes(story, resource=source("web"))
    assert [(names(one.gained), names(one.lost)) for one in own] == [
        (["Source Admin on label:env:prod"], []),
        ([], ["Source Admin on label:env:prod"]),
    ]
    assert own[0].events == told[0].events


def _held(said: Said) -> frozenset[RoleInScope]:
    return frozenset(RoleInScope(one.permission.role, one.permission.scope) for one in said[0] or ())


def _while_waiting(story: Story) -> set[Any]:
    """What time alone took is a change at the moment it took it, not when somebody asked next."""
    return {after for before, after in pairwise(sorted(story.said)) if after - before > timedelta(hours=1)}


def test_it_says_who_did_what(story: Story, marcus: str) -> None:
    context, slug = story.world.context, story.slug
    story.then(lambda: story.add_source("web"))
    story.then(lambda: story.push(ANN))
    assert names(last(story).gained) == ["Minimal Workspace Access on all"]
    assert "Okta pushed the person Ann" in [event.text for event in last(story).events]
    grant = story.then(lambda: story.give(ANN, "Source Admin", "source:web"))
    assert [event.text for event in last(story).events] == ["The operator gave the role Source Admin on source:web"]
    story.then(lambda: change_scope(context, marcus, slug, grant, given("Source Admin").scope, story.now))
    assert (names(last(story).gained), names(last(story).lost)) == (
        ["Source Admin on all"],
        ["Source Admin on source:web"],
    )
    assert [event.text for event in last(story).events] == ["Marcus changed where the role Source Admin holds: on all"]
    story.then(lambda: remove_member(context, marcus, slug, find_member_id(context, slug, ANN), story.now))
    assert [event.text for event in last(story).events] == [f"Marcus removed {ANN} from the workspace"]
    assert names(last(story).lost) == ["Minimal Workspace Access on all", "Source Admin on all"]


def test_what_comes_by_groups_and_rules_names_them(story: Story) -> None:
    context, slug, connection = story.world.context, story.slug, story.world.connection
    story.then(lambda: story.push(ANN))
    group = story.then(lambda: story.push_group("eng"))
    rule = story.then(lambda: story.add_rule("glob", "eng*", roles=(given("Source Admin"),)))
    story.then(lambda: story.change_group(group, MembersAdded((story.record(ANN),))))
    assert [event.text for event in last(story).events] == ["Okta put Ann into the IdP group eng"]
    story.then(lambda: story.change_group(group, GroupRenamed("design")))
    assert "Okta changed the IdP group design" in [event.text for event in last(story).events]
    story.then(lambda: story.change_group(group, GroupRenamed("eng-2")))
    story.then(lambda: switch_connection(context, OPERATOR, slug, connection.id, False, story.now))
    assert (names(last(story).lost), last(story).events[0].type) == (["Source Admin on all"], "connection.disabled")
    story.then(lambda: switch_connection(context, OPERATOR, slug, connection.id, True, story.now))
    story.then(lambda: remove_mapping(context, OPERATOR, slug, rule, story.now))
    assert last(story).events[0].text.startswith("The operator deleted the rule: People in")
    story.then(lambda: story.change_group(group, MembersRemoved((story.record(ANN),))))
    assert last(story).events[0].type == "mapping.deleted", "nothing was lost by that"
    story.then(lambda: delete_connection(context, OPERATOR, slug, connection.id, story.now))
    assert last(story).events[0].type == "mapping.deleted"


def test_a_plan_and_a_resource_that_goes_are_causes_too(story: Story) -> None:
    context, slug = story.world.context, story.slug
    story.then(lambda: story.add_source("web"))
    story.then(lambda: story.add_source("ios"))
    story.then(lambda: story.push(ANN))
    story.then(lambda: story.give(ANN, "Source Read-only", "source:web", "source:ios"))
    story.then(lambda: set_plan(context, OPERATOR, slug, "free", story.now))
    assert [event.text for event in last(story).events] == ["The operator put the workspace on the plan free"]
    story.then(lambda: set_plan(context, OPERATOR, slug, "business", story.now))
    story.then(lambda: delete_resource(context, OPERATOR, slug, source("ios"), story.now))
    assert (names(last(story).gained), names(last(story).lost)) == (
        ["Source Read-only on source:web"],
        ["Source Read-only on source:ios, source:web"],
    )
    assert [event.text for event in last(story).events] == ["The operator deleted source:ios"]


def test_what_changes_no_permission_is_no_change(story: Story) -> None:
    context, slug = story.world.context, story.slug
    story.then(lambda: story.push(ANN))
    group = story.then(lambda: create_user_group(context, OPERATOR, slug, "Crew", story.now)).id
    story.then(lambda: add_members(context, OPERATOR, slug, group, [ANN], story.now))
    story.then(lambda: rename_user_group(context, OPERATOR, slug, group, "Band", story.now))
    story.then(lambda: story.push(BOB))
    story.then(lambda: story.give(BOB, "Source Admin"))
    assert len(changes(story)) == 1


def test_one_path_more_or_less_is_no_change(story: Story) -> None:
    context, slug = story.world.context, story.slug
    story.then(lambda: story.push(ANN))
    first = story.then(lambda: story.give(ANN, "Source Admin"))
    group = story.then(lambda: create_user_group(context, OPERATOR, slug, "Crew", story.now)).id
    story.then(lambda: story.give_group(group, "Source Admin"))
    story.then(lambda: add_members(context, OPERATOR, slug, group, [ANN], story.now))
    story.then(lambda: end_grant(context, OPERATOR, slug, first, story.now))
    assert [names(one.gained) for one in changes(story)] == [
        ["Minimal Workspace Access on all"],
        ["Source Admin on all"],
    ]


def test_time_alone_is_named(story: Story) -> None:
    story.then(lambda: story.push(ANN))
    story.then(lambda: story.add_rule("name", "eng", roles=(given("Source Admin"),)))
    story.then(lambda: story.log_in(ANN, "eng", days=5))
    until = story.now + 5 * DAY
    story.then(lambda: story.give_until(ANN, story.now + 3 * DAY, "Warehouse Admin"))
    expiry = story.now + 3 * DAY
    story.wait(10 * DAY)
    expired, ran_out = changes(story)[-2:]
    assert (expired.at, expired.events, names(expired.lost)) == (expiry, (), ["Warehouse Admin on all"])
    assert expired.elapsed == ("A role that was given for a time expired",)
    assert (ran_out.at, ran_out.events, names(ran_out.lost)) == (until + INSTANT, (), ["Source Admin on all"])
    assert "count no more" in ran_out.elapsed[0]


def test_a_window_tells_what_lies_in_it(story: Story) -> None:
    story.then(lambda: story.push(ANN))
    story.then(lambda: story.give(ANN, "Source Admin"), DAY)
    first = story.now
    story.then(lambda: story.give(ANN, "Warehouse Admin"), DAY)
    second = story.now
    story.wait(DAY)
    assert [one.at for one in changes(story, since=first)] == [second], "after the beginning"
    assert [one.at for one in changes(story, since=first - INSTANT, until=second)] == [first, second]
    assert changes(story, since=second) == []
    with pytest.raises(Invalid):
        changes(story, since=second, until=first)
    with pytest.raises(Invalid):
        changes(story, until=story.now + INSTANT)
    with pytest.raises(NotFound):
        history_of(story.world.context, story.slug, "nobody@kicks.example", story.now)


def test_what_decides_nothing_is_not_looked_at(story: Story) -> None:
    """A sign-in each day puts off when the groups run out; a push says another name: neither is asked about."""
    story.then(lambda: story.push(ANN))
    story.then(lambda: story.add_rule("name", "eng", roles=(given("Source Admin"),)))
    began = story.now
    for _ in range(10):
        story.then(lambda: story.log_in(ANN, "eng"), DAY)
        story.then(lambda: story.push(ANN))
    with story.world.context.database.reading() as rows:
        member = find_member_then(rows, story.world.workspace.key, ANN, story.now)
        assert member is not None
        looked_at = moments_between(rows, story.world.workspace.key, member.key, began, story.now)
    assert len(looked_at) == 1
    assert [one.at for one in changes(story)][1:] == list(looked_at)


def test_the_next_sign_in_gives_again_what_ran_out(story: Story) -> None:
    story.then(lambda: story.push(ANN))
    story.then(lambda: story.add_rule("name", "eng", roles=(given("Source Admin"),)))
    story.then(lambda: story.log_in(ANN, "eng", days=5))
    story.then(lambda: story.log_in(ANN, "eng", days=5), 10 * DAY)
    assert (last(story).at, names(last(story).gained)) == (story.now, ["Source Admin on all"])


def test_a_record_that_is_pushed_at_last_loses_what_a_pushed_group_decides(story: Story, marcus: str) -> None:
    story.emails = ("marcus@kicks.example",)
    story.then(lambda: story.push(BOB))
    story.then(lambda: story.add_rule("name", "eng", roles=(given("Source Admin"),)))
    story.then(lambda: story.log_in(story.emails[0], "eng"))
    story.then(lambda: story.push_group("eng", BOB))
    story.then(lambda: story.push(story.emails[0]))
    before, after = (dict(story.said)[at][story.emails[0]] for at in sorted(story.said)[-2:])
    assert _held(before) - _held(after), "it is about this"
    assert names(changes(story, story.emails[0])[-1].lost) == ["Source Admin on all"]


def test_there_and_back_and_there_at_one_instant_is_a_change(story: Story) -> None:
    story.then(lambda: story.push(ANN))
    story.then(lambda: story.push(ANN, active=False))
    story.then(lambda: story.push(ANN), timedelta(0))
    story.then(lambda: story.push(ANN, active=False), timedelta(0))
    assert (last(story).at, names(last(story).lost)) == (story.now, ["Minimal Workspace Access on all"])


@pytest.mark.parametrize("bound", ["changes", "moments"])
def test_it_goes_on_where_it_ended(story: Story, bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told_with_every_kind_of_change(story)
    every = history_of(story.world.context, story.slug, ANN, story.now).changes
    if bound == "moments":
        monkeypatch.setattr(explain_history, "MOST_MOMENTS", 4)
    found: list[AccessChange] = []
    most, until = (3 if bound == "changes" else 50), cast(datetime | None, story.now)
    while until is not None:
        page = history_of(story.world.context, story.slug, ANN, story.now, until=until, most=most)
        found += page.changes
        until = page.older
    assert [one.at for one in found] == [one.at for one in every]


def test_before_what_is_kept_nothing_is_told(story: Story) -> None:
    story.then(lambda: story.push(ANN))
    story.then(lambda: story.give(ANN, "Source Admin"), 30 * DAY)
    kept = story.now
    story.wait(80 * DAY)
    forget_past(story.world.context, story.now)
    told = history_of(story.world.context, story.slug, ANN, story.now)
    assert told.known_since == told.since == story.now - 90 * DAY
    assert [(one.at, names(one.gained)) for one in told.changes] == [(kept, ["Source Admin on all"])]
