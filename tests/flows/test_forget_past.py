"""What is past is kept as long as the operator says; then it is gone, and said to be unknown (docs/decisions/0004)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Table, TextClause, func, select

from bridge.domain.directory import MembersAdded, MembersRemoved
from bridge.domain.labels import Label, parse_label
from bridge.flows.context import OPERATOR
from bridge.flows.explain_past import access_at
from bridge.flows.forget_past import forget_past
from bridge.flows.members import find_member_id, remove_member, restore_member
from bridge.flows.own_connections import delete_connection
from bridge.flows.resources import add_label, delete_label
from bridge.storage import connections, forgetting
from bridge.storage.changes import Change
from bridge.storage.tables import PAST, audit, group_members, memberships
from bridge.worker import JOBS
from tests.flows.past_steps import Story, given
from tests.world import World

ANN = "ann@kicks.example"
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@pytest.fixture
def story(kicks: World, monkeypatch: pytest.MonkeyPatch) -> Story:
    monkeypatch.setattr(forgetting, "_ROWS", 3)
    monkeypatch.setattr(forgetting, "_PAGES", 1)
    return Story(kicks, kicks.now, (ANN,))


def count(story: Story, table: Table) -> int:
    with story.world.context.database.reading() as rows:
        return rows.execute(select(func.count()).select_from(table)).scalar_one()


def in_and_out(story: Story, times: int) -> str:
    """Ann comes into a group and goes out of it, so many times, a day each."""
    group = story.push_group("eng")
    for _ in range(times):
        story.then(lambda: story.change_group(group, MembersAdded((story.record(ANN),))))
        story.then(lambda: story.change_group(group, MembersRemoved((story.record(ANN),))), DAY)
    return group


def test_what_ended_longer_ago_is_gone_and_the_rest_stays(story: Story) -> None:
    story.then(lambda: story.push(ANN))
    in_and_out(story, 20)
    last = story.now
    assert count(story, PAST[group_members]) == 20
    now = last + timedelta(days=90) - 3 * (DAY + SECOND)  # of the last four the first ended as the time began
    done = forget_past(story.world.context, now)
    assert count(story, PAST[group_members]) == 4
    assert done.facts >= 16
    assert forget_past(story.world.context, now).facts == 0


def test_within_the_time_the_answers_stay_and_before_it_they_are_unknown(story: Story) -> None:
    story.then(lambda: story.add_source("web"))
    story.then(lambda: story.push(ANN))
    joined = story.now
    story.then(lambda: story.add_rule("name", "eng", roles=(given("Source Admin"),)))
    in_and_out(story, 20)
    story.now += timedelta(days=80)
    forget_past(story.world.context, story.now)
    known_since = story.now - timedelta(days=90)
    kept = {at: said for at, said in story.said.items() if at >= known_since}
    assert 0 < len(kept) < len(story.said)
    for at in (one for one in story.said if joined <= one < known_since):
        assert access_at(story.world.context, story.slug, ANN, at, story.now).state == "not_known"
    story.said = kept
    story.is_as_it_was_said()


def test_what_was_forgotten_stays_unknown_when_more_is_to_be_kept_from_now_on(story: Story) -> None:
    story.then(lambda: story.push(ANN))
    joined, later = story.now, story.now + timedelta(days=100)
    longer = replace(story.world.context, audit_days=365)
    assert access_at(longer, story.slug, ANN, joined, later).state == "known"
    forget_past(story.world.context, later)
    assert access_at(longer, story.slug, ANN, joined, later).state == "not_known"
    forget_past(longer, later)
    assert access_at(longer, story.slug, ANN, joined, later).state == "not_known"
    assert access_at(longer, story.slug, ANN, later - timedelta(days=89), later).state == "known"


def test_old_events_go_and_the_numbers_go_on(story: Story) -> None:
    context, label = story.world.context, parse_label("team:web")
    for _ in range(3):
        add_label(context, OPERATOR, story.slug, label, story.now)
        delete_label(context, OPERATOR, story.slug, label, story.now)
    late = story.now + timedelta(days=91)
    add_label(context, OPERATOR, story.slug, label, late)
    assert forget_past(context, late).events > 6
    with context.database.reading() as rows:
        [(seq, kind)] = rows.execute(select(audit.c.seq, audit.c.type)).all()
    assert (kind, seq > 6) == ("label.added", True)


def test_events_go_a_part_at_a_time(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.flows.forget_past._EVENTS_AT_ONCE", 2)
    story.then(lambda: story.push(ANN))
    before = count(story, audit)
    assert before > 4
    assert forget_past(story.world.context, story.now + timedelta(days=91)).events == before


def test_a_removal_is_remembered_however_old(story: Story) -> None:
    """By it tokens are known that ended: what somebody made before they were removed never works again."""
    context = story.world.context
    story.then(lambda: story.push(ANN))
    member = find_member_id(context, story.slug, ANN)
    story.then(lambda: remove_member(context, OPERATOR, story.slug, member, story.now))
    story.then(lambda: restore_member(context, OPERATOR, story.slug, member, story.now))
    forget_past(context, story.now + timedelta(days=400))
    with context.database.reading() as rows:
        assert rows.execute(select(PAST[memberships].c.status)).scalars().all() == ["removed"]


def test_the_id_of_a_connection_that_is_gone_stays_taken(story: Story) -> None:
    context, connection = story.world.context, story.world.connection
    delete_connection(context, OPERATOR, story.slug, connection.id, story.now)
    forget_past(context, story.now + timedelta(days=400))
    with context.database.reading() as rows:
        assert connections.was_used(rows, connection.id)


def test_it_is_written_down_before_anything_goes(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    story.then(lambda: story.push(ANN))
    in_and_out(story, 5)
    late, longer = story.now + timedelta(days=100), replace(story.world.context, audit_days=365)
    seen: list[str] = []
    delete = forgetting.delete_slice

    def watched(change: Change, *args: Any) -> int:
        seen.append(access_at(longer, story.slug, ANN, story.now, late).state)
        return delete(change, *args)

    monkeypatch.setattr(forgetting, "delete_slice", watched)
    forget_past(story.world.context, late)
    assert set(seen) == {"not_known"}


def test_others_write_between_two_slices(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slice is one transaction; while the next one is looked for there is none. (Else this would wait for itself.)"""
    story.then(lambda: story.push(ANN))
    in_and_out(story, 8)
    late, slices = story.now + timedelta(days=100), forgetting.old_slices
    written: list[Label] = []

    def watched(*args: Any) -> Iterator[TextClause]:
        for place in slices(*args):
            written.append(parse_label(f"slice:n{len(written)}"))
            add_label(story.world.context, OPERATOR, story.slug, written[-1], late)
            yield place

    monkeypatch.setattr(forgetting, "old_slices", watched)
    forget_past(story.world.context, late)
    assert len(written) >= (3 if story.world.context.database.is_sqlite else 1)
    with story.world.context.database.reading() as rows:
        assert rows.execute(select(func.count()).where(audit.c.type == "label.added")).scalar_one() == len(written)


def test_the_worker_does_it() -> None:
    [job] = [job for job in JOBS if job.name == "forget-past"]
    assert job.seconds == 6 * 3600
