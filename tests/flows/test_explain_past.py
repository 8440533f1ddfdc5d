"""What somebody could do at a moment that is past, by which paths; and what nobody knows (docs/decisions/0004)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import select

from bridge.domain.directory import GroupRenamed, MembersAdded, MembersRemoved, MembersReplaced
from bridge.domain.errors import Invalid, NotFound
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.labels import parse_label
from bridge.flows.administer import set_plan
from bridge.flows.context import OPERATOR
from bridge.flows.explain import ask
from bridge.flows.explain_links import explain_check
from bridge.flows.explain_not_past import why_not_at
from bridge.flows.explain_past import PastAccess, Traces, access_at, check_at
from bridge.flows.give_roles import change_scope, end_grant
from bridge.flows.import_directory import ImportOptions, import_directory
from bridge.flows.map_groups import MappingDraft, add_mapping, remove_mapping
from bridge.flows.map_groups import set_enabled as switch_rule
from bridge.flows.members import find_member_id, lift_hold, remove_member, restore_member
from bridge.flows.own_connections import delete_connection
from bridge.flows.own_connections import set_enabled as switch_connection
from bridge.flows.provision_groups import delete_group
from bridge.flows.provision_users import delete_user
from bridge.flows.resources import delete_resource, set_labels
from bridge.flows.user_groups import (
    add_members,
    create_user_group,
    delete_user_group,
    remove_members,
    rename_user_group,
)
from bridge.storage import access, access_past, own_account, people
from bridge.storage.changes import changing
from bridge.storage.connections import set_connection
from bridge.storage.tables import PAST
from scim.file_forms import parse_directory_file
from tests.flows.past_steps import Story, given, source
from tests.world import World

ANN, BOB = "ann@kicks.example", "bob@kicks.example"
DAY, HOUR, INSTANT = timedelta(days=1), timedelta(hours=1), timedelta(microseconds=1)


@pytest.fixture
def story(kicks: World) -> Story:
    return Story(kicks, kicks.now, (ANN, BOB))


def told_with_every_kind_of_change(story: Story) -> None:
    """Each fact that access reads begins, ends and is changed, some in one instant."""
    context, slug, connection = story.world.context, story.slug, story.world.connection
    then = story.then

    def do(flow: Callable[..., Any], *args: object) -> Any:
        return flow(context, OPERATOR, slug, *args, story.now)

    then(lambda: story.add_source("web", "environment:prod", "team:web"))
    then(lambda: story.add_source("ios", "environment:dev"))
    then(lambda: story.push(ANN))
    then(lambda: story.push(BOB))
    everywhere = then(lambda: story.give(ANN, "Source Admin"))
    then(lambda: do(change_scope, everywhere, given("Source Admin", "label:environment:prod").scope))
    then(lambda: story.give(BOB, "Source Read-only", "source:web", "source:ios"))
    group = then(lambda: do(create_user_group, "Engineers")).id
    granted = then(lambda: story.give_group(group, "Source Admin", "source:ios"))
    then(lambda: do(add_members, group, [ANN]))
    then(lambda: do(rename_user_group, group, "Makers"))
    rule = then(lambda: story.add_rule("glob", "eng-*", user_groups=("Makers",)))
    other = then(lambda: story.add_rule("name", "eng-web", roles=(given("Warehouse Admin"), given("Source Admin"))))
    pushed = then(lambda: story.push_group("eng-web", ANN))
    then(lambda: story.change_group(pushed, MembersAdded((story.record(BOB),))), timedelta(0))
    then(lambda: story.change_group(pushed, MembersRemoved((story.record(ANN),))))
    then(lambda: story.change_group(pushed, GroupRenamed("design")))
    then(lambda: story.change_group(pushed, GroupRenamed("eng-app"), MembersAdded((story.record(ANN),))), INSTANT)
    then(lambda: do(switch_rule, rule, False))
    then(lambda: do(switch_rule, rule, True), timedelta(0))
    then(lambda: _rename_connection(story, "Okta Workforce"))
    then(lambda: do(switch_connection, connection.id, False))
    then(lambda: do(switch_connection, connection.id, True))
    then(lambda: story.log_in(ANN, "eng-web", "eng-app"))
    story.wait(8 * DAY)
    then(lambda: story.log_in(ANN, "eng-app"))
    then(lambda: story.push_group("ENG-web", BOB))
    then(lambda: do(set_labels, source("ios"), [parse_label("environment:prod")]))
    then(lambda: do(set_labels, source("web"), []))
    then(lambda: do(set_plan, "free"))
    then(lambda: do(set_plan, "business"))
    ann = find_member_id(context, slug, ANN)
    then(lambda: do(remove_member, ann))
    then(lambda: do(restore_member, ann))
    then(lambda: story.push(BOB, active=False))
    then(lambda: do(lift_hold, find_member_id(context, slug, BOB)))
    then(lambda: story.give_until(ANN, story.now + HOUR, "Function Admin"))
    story.wait(2 * HOUR)
    then(lambda: do(remove_members, group, [ANN]))
    then(lambda: do(delete_resource, source("web")))
    then(lambda: story.add_source("web", "environment:dev"))
    then(lambda: do(end_grant, granted))
    then(lambda: do(remove_mapping, other))
    then(lambda: delete_group(context, connection, pushed, story.now))
    then(lambda: do(delete_user_group, group))
    then(lambda: delete_user(context, connection, story.record(BOB), story.now))
    then(lambda: do(delete_connection, connection.id))
    story.wait(DAY)


def _rename_connection(story: Story, name: str) -> None:
    with changing(story.world.context.database, OPERATOR, story.now) as change:
        set_connection(change, story.world.connection.key, name=name)


def test_at_every_instant_and_before_the_next_the_answer_is_what_it_was(story: Story) -> None:
    told_with_every_kind_of_change(story)
    assert len(story.said) > 40
    story.is_as_it_was_said()
    for before, after in pairwise(sorted(story.said)):
        if INSTANT < after - before < HOUR:  # in the longer ones time alone takes something
            for email in story.emails:
                assert story.ask_of(email, after - INSTANT) == story.said[before][email], f"{email} before {after}"
    _check_every_fact_has_ended(story)


def _check_every_fact_has_ended(story: Story) -> None:
    """Or the test above would say less than it seems to."""
    with story.world.context.database.reading() as rows:
        empty = [fact.name for fact, twin in PAST.items() if rows.execute(select(twin).limit(1)).first() is None]
    assert empty == []


_UNTIL = {
    "what ended at that instant stands": ("since <= :now", "since <= :now AND until >= :now"),
    "what began at that instant doesn't": ("since < :now", "since < :now AND until > :now"),
    "what ended is gone": ("since <= :now", "since <= :now AND until IS NULL"),
    "what stands stood always": ("since = since", "since <= :now AND until > :now"),
}


def test_a_wrong_instant_is_found(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    told_with_every_kind_of_change(story)
    for name, when in _UNTIL.items():
        with monkeypatch.context() as planted:
            _plant(planted, when, access_past._rows)
            with pytest.raises(AssertionError, match=" at "):
                story.is_as_it_was_said()
            assert name


@pytest.mark.long
def test_a_fact_left_in_the_present_is_found(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    told_with_every_kind_of_change(story)
    made = access_past._rows
    for fact in PAST:
        with monkeypatch.context() as planted:
            _plant(planted, access_past._AT, _leaving(made, fact.name))
            with pytest.raises(AssertionError, match=" at "):
                story.is_as_it_was_said()
            assert fact.name


def _leaving(made: Callable[..., str], left: str) -> Callable[..., str]:
    def rows(name: str, engine: str, when: tuple[str, str], follows: access_past.Follows) -> str:
        return made(name, engine, ("1 = 1", "1 = 0") if name == left else when, follows)

    return rows


def _plant(planted: pytest.MonkeyPatch, when: tuple[str, str], rows: Callable[..., str]) -> None:
    planted.setattr(access_past, "_rows", rows)
    for name, text in _TEXTS.items():
        planted.setattr(access_past, name, access_past.over(text, when))


_TEXTS = {
    "_PATHS": access_past._text_of(access.WHY),
    "_PATHS_ON": access_past._text_of(access.WHY_ON),
    "_PATHS_ANYWHERE": access_past._text_of(access.WHY_ANYWHERE),
    "_SCOPES": access_past.SCOPES_TEXT,
    "_STANDING": access_past._STANDING_TEXT,
}


# -- What is certain, and what isn't known -----------------------------------------------------------


def at(story: Story, email: str, moment: datetime) -> PastAccess:
    return access_at(story.world.context, story.slug, email, moment, story.now)


def test_before_the_workspace_and_before_the_membership_are_told_apart(story: Story) -> None:
    began = story.now
    story.then(lambda: story.push(ANN), DAY)
    joined = story.now
    story.wait(DAY)
    assert at(story, ANN, began - INSTANT).state == "before_workspace"
    assert at(story, ANN, joined - INSTANT).state == "before_membership"
    assert at(story, ANN, joined - INSTANT).permissions == ()
    assert at(story, ANN, joined).state == "known"


def test_removed_and_held_out_are_told_apart(story: Story) -> None:
    story.then(lambda: story.push(ANN))
    member = find_member_id(story.world.context, story.slug, ANN)
    story.then(lambda: story.push(ANN, active=False))
    held = story.now
    story.then(lambda: lift_hold(story.world.context, OPERATOR, story.slug, member, story.now))
    story.then(lambda: remove_member(story.world.context, OPERATOR, story.slug, member, story.now))
    removed = story.now
    story.then(lambda: restore_member(story.world.context, OPERATOR, story.slug, member, story.now))
    assert [at(story, ANN, one).state for one in (held, removed, story.now)] == ["held_out", "removed", "known"]


def test_of_before_what_is_kept_nothing_is_known_and_that_is_said(story: Story) -> None:
    story.then(lambda: story.push(ANN))
    joined = story.now
    story.then(lambda: story.add_source("web"))
    story.wait(timedelta(days=89))
    assert at(story, ANN, joined).state == "known"
    story.wait(2 * DAY)
    past = at(story, ANN, joined)
    assert (past.state, past.permissions) == ("not_known", None)
    assert "is not known" in past.told
    answer = check_at(story.world.context, story.slug, ANN, ask("create", "source"), joined, story.now)
    assert (answer.state, answer.allowed) == ("not_known", None)
    assert at(story, ANN, joined - INSTANT).state == "before_membership", "which is certain"


def test_what_is_still_to_come_is_refused(story: Story) -> None:
    story.then(lambda: story.push(ANN))
    with pytest.raises(Invalid, match="still to come"):
        at(story, ANN, story.now + INSTANT)


def test_a_resource_that_was_not_there_yet_is_none(story: Story) -> None:
    story.then(lambda: story.push(ANN))
    story.then(lambda: story.add_source("web"))
    asked = (story.world.context, story.slug, ANN, ask("read", "source:web"))
    assert check_at(*asked, story.now, story.now).allowed is False
    with pytest.raises(NotFound, match="There was no source:web"):
        check_at(*asked, story.now - INSTANT, story.now)


def test_who_never_was_a_member_is_none(story: Story) -> None:
    with pytest.raises(NotFound):
        at(story, "nobody@kicks.example", story.now)
    question = ask("create", "source")
    assert check_at(story.world.context, story.slug, "x@y.example", question, story.now, story.now).allowed is False


def test_who_made_the_links_is_who_had_made_them_then(story: Story, marcus: str) -> None:
    """A file had put Ann into eng, by a rule of Marcus' for this very group; its IdP did it anew, and the operator the
    rule. Then both were gone, and the connection.
    """
    context, slug, connection = story.world.context, story.slug, story.world.connection
    story.then(lambda: story.push(ANN))
    group = story.then(lambda: story.push_group("eng"))
    filed = parse_directory_file(f"userName,email,groups\n{ANN},{ANN},eng\n".encode())
    story.then(lambda: import_directory(context, slug, connection.id, filed, ImportOptions(), story.now))
    draft = MappingDraft(connection.id, GroupMatch("id", group), (), (given("Source Admin"),))
    rule = story.then(lambda: add_mapping(context, marcus, slug, draft, story.now)).id
    texts = ["Marcus gave the rule Source Admin", "Marcus made the rule for the Okta group eng"]
    filed_then = story.now
    assert _links(story, filed_then) == [*texts, "Okta put them into eng, by an imported file"]
    story.then(lambda: story.change_group(group, MembersReplaced(())))
    story.then(lambda: story.change_group(group, MembersAdded((story.record(ANN),))))
    story.then(lambda: switch_rule(context, OPERATOR, slug, rule, False, story.now))
    story.then(lambda: switch_rule(context, OPERATOR, slug, rule, True, story.now))
    pushed_then = story.now
    story.then(lambda: delete_connection(context, OPERATOR, slug, connection.id, story.now))
    assert _links(story, filed_then) == [*texts, "Okta put them into eng, by an imported file"]
    assert _links(story, pushed_then) == [*texts, "Okta put them into eng, by SCIM"]
    answer = check_at(context, slug, ANN, ask("create", "source"), pushed_then, story.now, traces=Traces())
    changed = answer.traced[0].paths[0].origins[1].changed
    assert changed
    assert (changed.by, changed.at) == (OPERATOR, pushed_then)


def test_a_shadow_of_then_is_told_though_the_rule_was_off(story: Story) -> None:
    """No pair of rule and group says so: the rule gave nothing."""
    context, slug = story.world.context, story.slug
    story.then(lambda: story.push(ANN))
    story.then(lambda: story.push(BOB))
    rule = story.then(lambda: story.add_rule("name", "eng", roles=(given("Source Admin"),)))
    story.then(lambda: switch_rule(context, OPERATOR, slug, rule, False, story.now))
    story.then(lambda: story.log_in(ANN, "eng"))
    alone = story.now
    group = story.then(lambda: story.push_group("eng", BOB))
    shadowed = story.now
    story.then(lambda: story.change_group(group, GroupRenamed("design")))
    story.then(lambda: remove_mapping(context, OPERATOR, slug, rule, story.now))
    question = ask("create", "source")
    for moment, wanted in ((alone, ["rule_off"]), (shadowed, ["rule_off", "group_shadowed"]), (story.now, None)):
        found = why_not_at(context, slug, ANN, question, moment, story.now).nearly
        assert [[one.kind for one in each.obstacles] for each in found] == ([] if wanted is None else [wanted])


def test_who_put_on_a_label_is_told_of_the_resource_that_carries_it(story: Story, marcus: str) -> None:
    """Setting others beside it leaves it the first one's; to take it off and put it on again doesn't."""
    context, slug = story.world.context, story.slug
    prod, both = ([parse_label(one) for one in some] for some in (["env:prod"], ["env:prod", "team:a"]))
    story.then(lambda: story.add_source("web"))
    story.then(lambda: story.push(ANN))
    story.then(lambda: set_labels(context, marcus, slug, source("web"), prod, story.now))
    put = story.now
    story.then(lambda: set_labels(context, OPERATOR, slug, source("web"), both, story.now))
    story.then(lambda: story.give(ANN, "Source Admin", "label:env:prod", "label:team:a"))
    then = story.now
    story.then(lambda: set_labels(context, OPERATOR, slug, source("web"), [], story.now))
    story.then(lambda: set_labels(context, OPERATOR, slug, source("web"), both, story.now))
    question = ask("edit", "source:web")
    [past] = check_at(context, slug, ANN, question, then, story.now, traces=Traces()).traced
    told = [(one.text, one.made.at) for one in past.paths[0].origins if one.link == "label"]
    assert told[0] == ("Marcus put env:prod on this source", put)
    assert told[1][0] == "The operator put team:a on this source"
    [present] = explain_check(context, slug, ANN, question, story.now)
    told = [(one.text, one.made.at) for one in present.paths[0].origins if one.link == "label"]
    assert told[0] == ("The operator put env:prod on this source", story.now)


def _links(story: Story, moment: datetime) -> list[str]:
    asked = (story.world.context, story.slug, ANN, ask("create", "source"), moment, story.now)
    return [origin.text for one in check_at(*asked, traces=Traces()).traced[0].paths for origin in one.origins]


def test_who_closed_their_account_is_known_by_the_address_that_it_had(story: Story) -> None:
    story.then(lambda: story.push(ANN))
    story.then(lambda: story.give(ANN, "Source Admin"))
    then, said = story.now, story.said[story.now][ANN]
    with changing(story.world.context.database, OPERATOR, story.now + DAY) as change:
        user = people.find_user_by_email(change.connection, ANN)
        assert user is not None
        member = people.find_member(change.connection, story.world.workspace.key, user.key)
        assert member is not None
        people.end_membership(change, member.key)
        own_account.close(change, user.key)
    story.now += 2 * DAY
    assert story.ask_of(ANN, then)[0] == said[0]
    with pytest.raises(NotFound):
        at(story, ANN, story.now)
