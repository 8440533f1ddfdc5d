"""Whatever happens, what was said of somebody at a moment is said of that moment for ever after.

A walk over random changes of all that access is made of. After each everybody is asked about, and at the end all of it
is asked again, as of then: permissions, paths, yes and no are the same to the letter. And the changes that are
told lead from what was said first to what was said after each (docs/decisions/0004).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.domain.directory import GroupRenamed, MembersAdded, MembersRemoved, MembersReplaced
from bridge.domain.errors import Invalid
from bridge.domain.labels import parse_label
from bridge.domain.workspace import Connection
from bridge.flows import map_groups, own_connections, user_groups
from bridge.flows.administer import set_plan
from bridge.flows.context import OPERATOR
from bridge.flows.give_roles import change_scope, end_grant
from bridge.flows.members import find_member_id, lift_hold, remove_member, restore_member
from bridge.flows.provision_groups import delete_group
from bridge.flows.provision_users import delete_user
from bridge.flows.resources import delete_resource, set_labels
from bridge.flows.user_groups import list_open_user_groups
from bridge.storage.database import Database
from tests.flows.histories import empty
from tests.flows.past_steps import Story, source
from tests.flows.past_steps import given as role_on
from tests.world import add_connection, make_world

EMAILS = ("ann@acme.example", "bob@acme.example")
NAMES = ("eng-web", "eng-app", "design")
ROLES = ("Source Admin", "Source Read-only", "Warehouse Admin", "Minimal Workspace Access")
SCOPES = ((), ("source:web",), ("source:ios", "source:web"), ("label:env:prod",), ("label:env:prod", "label:team:a"))
LABELS = ((), ("env:prod",), ("env:dev",), ("env:prod", "team:a"))
#: A whole walk takes less than the days that are kept.
PAUSES = (timedelta(0), timedelta(microseconds=1), timedelta(seconds=1), timedelta(days=3))


@dataclass
class Walk:
    """A story, and what there is in it to choose from. Each step is given numbers, which choose."""

    story: Story
    connections: list[Connection]
    groups: list[tuple[str, Connection]] = field(default_factory=list)
    user_groups: list[str] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)
    grants: list[str] = field(default_factory=list)

    def do(self, flow: Callable[..., Any], *args: object) -> Any:
        """A flow by the operator, now."""
        return flow(self.story.world.context, OPERATOR, self.story.slug, *args, self.story.now)

    def member(self, n: int) -> str:
        """One of the people, by their membership."""
        return find_member_id(self.story.world.context, self.story.slug, EMAILS[n % len(EMAILS)])


Step = Callable[[Walk, int, int], object]


def _scope(role: str, n: int) -> tuple[str, ...]:
    return SCOPES[n % len(SCOPES)] if role.startswith("Source") else ()


def _of(choices: Sequence[Any], n: int) -> Any:
    """One of them; with none there is nothing to do, which is a refusal like any other."""
    if not choices:
        raise Invalid("nothing to choose from")
    return choices[n % len(choices)]


def push(walk: Walk, a: int, b: int) -> None:
    walk.story.push(_of(EMAILS, a), _of(walk.connections, b), active=b % 5 != 0)


def unpush(walk: Walk, a: int, b: int) -> None:
    by = _of(walk.connections, b)
    record = walk.story.records.pop((by.id, _of(EMAILS, a)), None)
    if record is not None:
        delete_user(walk.story.world.context, by, record, walk.story.now)


def push_group(walk: Walk, a: int, b: int) -> None:
    by = _of(walk.connections, b)
    members = [email for n, email in enumerate(EMAILS) if (by.id, email) in walk.story.records and (a >> n) & 1]
    walk.groups.append((walk.story.push_group(_of(NAMES, a // 4), *members, connection=by), by))


def change_group(walk: Walk, a: int, b: int) -> None:
    group, by = _of(walk.groups, a)
    known = tuple(record for (uid, _), record in walk.story.records.items() if uid == by.id)
    someone = known[b % len(known) :][:1] if known else ()
    change = _of(
        (MembersAdded(someone), MembersRemoved(someone), MembersReplaced(known), GroupRenamed(_of(NAMES, b))), b // 3
    )
    walk.story.change_group(group, change, connection=by)


def unpush_group(walk: Walk, a: int, _: int) -> None:
    group, by = _of(walk.groups, a)
    delete_group(walk.story.world.context, by, group, walk.story.now)


def log_in(walk: Walk, a: int, b: int) -> None:
    walk.member(a)
    walk.story.log_in(_of(EMAILS, a), *(name for n, name in enumerate(NAMES) if (b >> n) & 1), days=5)


def add_rule(walk: Walk, a: int, b: int) -> None:
    role, by = _of(ROLES, b), _of(walk.connections, a)
    kind, value = _of((("name", _of(NAMES, b)), ("glob", "eng-*"), ("glob", "*")), a // 2)
    gives: dict[str, Any] = {"roles": (role_on(role, *_scope(role, a)),)}
    if walk.user_groups and b % 2:
        groups = list_open_user_groups(walk.story.world.context, walk.story.slug)
        gives = {"user_groups": (groups.get(_of(walk.user_groups, b // 2), "gone"),)}
    walk.rules.append(walk.story.add_rule(kind, value, connection=by, **gives))


def switch_rule(walk: Walk, a: int, b: int) -> None:
    walk.do(map_groups.set_enabled, _of(walk.rules, a), bool(b % 2))


def end_rule(walk: Walk, a: int, _: int) -> None:
    walk.do(map_groups.remove_mapping, _of(walk.rules, a))


def link(walk: Walk, a: int, b: int) -> None:
    group, by = _of(walk.groups, a)
    names = list_open_user_groups(walk.story.world.context, walk.story.slug)
    walk.do(map_groups.link_group, by.id, group, names.get(_of(walk.user_groups, b), "gone"))


def make_user_group(walk: Walk, a: int, _: int) -> None:
    walk.user_groups.append(walk.do(user_groups.create_user_group, f"Group {a}").id)


def rename_user_group(walk: Walk, a: int, b: int) -> None:
    walk.do(user_groups.rename_user_group, _of(walk.user_groups, a), f"Group {b}")


def end_user_group(walk: Walk, a: int, _: int) -> None:
    walk.do(user_groups.delete_user_group, _of(walk.user_groups, a))


def put_in(walk: Walk, a: int, b: int) -> None:
    walk.do(user_groups.add_members, _of(walk.user_groups, a), [_of(EMAILS, b)])


def take_out(walk: Walk, a: int, b: int) -> None:
    walk.do(user_groups.remove_members, _of(walk.user_groups, a), [_of(EMAILS, b)])


def give(walk: Walk, a: int, b: int) -> None:
    role = _of(ROLES, b)
    walk.grants.append(walk.story.give(_of(EMAILS, a), role, *_scope(role, b // 4)))


def give_for_a_while(walk: Walk, a: int, b: int) -> None:
    walk.member(a)
    walk.story.give_until(_of(EMAILS, a), walk.story.now + timedelta(days=1 + b % 6), "Source Admin")


def give_group(walk: Walk, a: int, b: int) -> None:
    role = _of(ROLES, b)
    walk.grants.append(walk.story.give_group(_of(walk.user_groups, a), role, *_scope(role, b // 4)))


def narrow(walk: Walk, a: int, b: int) -> None:
    walk.do(change_scope, _of(walk.grants, a), role_on("Source Admin", *_of(SCOPES, b)).scope)


def end(walk: Walk, a: int, _: int) -> None:
    walk.do(end_grant, _of(walk.grants, a))


def add_source(walk: Walk, a: int, b: int) -> None:
    walk.story.add_source(_of(("web", "ios"), a), *_of(LABELS, b))


def relabel(walk: Walk, a: int, b: int) -> None:
    walk.do(set_labels, source(_of(("web", "ios"), a)), [parse_label(one) for one in _of(LABELS, b)])


def end_source(walk: Walk, a: int, _: int) -> None:
    walk.do(delete_resource, source(_of(("web", "ios"), a)))


def plan(walk: Walk, a: int, _: int) -> None:
    walk.do(set_plan, _of(("business", "free", "team", "business"), a))


def out(walk: Walk, a: int, b: int) -> None:
    walk.do(_of((remove_member, restore_member, lift_hold), b), walk.member(a))


def switch_connection(walk: Walk, a: int, b: int) -> None:
    walk.do(own_connections.set_enabled, _of(walk.connections, a).id, bool(b % 3))


def end_connection(walk: Walk, a: int, b: int) -> None:
    if b % 4 == 0:
        walk.do(own_connections.delete_connection, _of(walk.connections, a).id)


STEPS: tuple[Step, ...] = (
    push, unpush, push_group, change_group, change_group, unpush_group, log_in, add_rule, add_rule, switch_rule,
    end_rule, link, make_user_group, rename_user_group, end_user_group, put_in, put_in, take_out, give, give,
    give_for_a_while, give_group, give_group, narrow, end, add_source, relabel, end_source, plan, out,
    switch_connection, end_connection,
)  # fmt: skip
#: Something to begin with, so that a short walk has what to change.
BEGINNING: tuple[tuple[Step, int, int], ...] = (
    (push, 0, 2), (push, 1, 2), (add_source, 0, 1), (add_source, 1, 2), (make_user_group, 0, 0), (give_group, 0, 0),
    (push_group, 1, 2), (add_rule, 0, 1), (add_rule, 2, 0), (put_in, 0, 1), (log_in, 1, 3), (give, 1, 4),
)  # fmt: skip
numbers = st.integers(0, 63)
walks = st.lists(st.tuples(st.sampled_from(STEPS), numbers, numbers, st.sampled_from(PAUSES)), max_size=25)


#: A walk of forty steps asks three hundred questions twice.
@settings(max_examples=max(settings().max_examples // 3, 1), suppress_health_check=list(HealthCheck))
@given(steps=walks)
def test_what_was_said_is_said_of_then(database: Database, now: datetime, steps: Sequence[Any]) -> None:
    empty(database)
    world = make_world(database, now)
    second = add_connection(world.context, world.workspace, now, name="Entra")
    walk = Walk(Story(world, now, EMAILS), [world.connection, second])
    for step, a, b in BEGINNING:
        walk.story.then(partial(step, walk, a, b))
    for step, a, b, pause in steps:
        walk.story.then(partial(step, walk, a, b), pause)
    walk.story.wait(timedelta(days=1))
    walk.story.is_as_it_was_said()
    walk.story.changes_add_up()
