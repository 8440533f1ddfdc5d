"""What two do at once ends as if one had come after the other.

One of them waits inside its transaction while the other begins. On SQLite the other waits for its turn; on PostgreSQL
only a lock that both take makes it look again at what the first one did.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any

import pytest

from bridge.domain.errors import Expired, Invalid, NotFound
from bridge.domain.group_mapping import GroupMatch
from bridge.flows.administer import WorkspaceDraft, create_workspace
from bridge.flows.context import OPERATOR
from bridge.flows.give_roles import change_scope, give_to_member
from bridge.flows.invite import InviteDraft, accept_as, invite
from bridge.flows.map_groups import MappingDraft, add_mapping
from bridge.flows.members import find_member_id, get_person, remove_member, restore_member
from bridge.flows.provision_groups import get_group
from bridge.flows.resources import ResourceDraft, add_resource
from bridge.flows.roles_given import parse_role_in_scope
from bridge.flows.user_groups import add_members, create_user_group
from bridge.storage import directory, mappings, people
from bridge.storage.changes import Change
from bridge.storage.grants import insert_grant
from bridge.storage.mappings import matched_now
from tests.flows.logins import sign_in
from tests.flows.mailer import link_of
from tests.world import World, pushed

READING = parse_role_in_scope("Source Read-only", [])
ENGINEERS = GroupMatch("name", "engineers")


@contextmanager
def meanwhile(kicks: World, other: Callable[[], Any]) -> Iterator[tuple[Change, Callable[[], Future[Any]]]]:
    """A change under way, and what begins `other` beside it, which has had its time when the change commits."""
    with ThreadPoolExecutor(1) as pool:
        begun: list[Future[Any]] = []

        def begin() -> Future[Any]:
            begun.append(pool.submit(other))
            wait(begun, timeout=0.3)
            return begun[0]

        with kicks.context.changing(OPERATOR, kicks.now) as change:
            yield change, begin


def make_rule(kicks: World) -> object:
    draft = MappingDraft(kicks.connection.id, ENGINEERS, (), (READING,))
    return add_mapping(kicks.context, OPERATOR, "kicks", draft, kicks.now)


def pairs(kicks: World) -> list[tuple[bool, bool]]:
    """Of the workspace's one rule, for each group that it matches now: is it asserted, is it shadowed."""
    with kicks.context.database.reading() as rows:
        [rule] = [one for one in mappings.list_of_workspace(rows, kicks.workspace.key) if one.origin == "admin"]
        return sorted((asserted, shadowed) for _, asserted, shadowed in matched_now(rows, rule.key))


def test_a_rule_made_while_a_group_is_made_matches_it(kicks: World) -> None:
    with meanwhile(kicks, lambda: make_rule(kicks)) as (change, begin):
        group = directory.insert_group(change, kicks.connection.key, "Engineers", None)
        mappings.refresh_group_matches(change, kicks.connection.key, [group.key])
        making = begin()
    making.result()
    assert pairs(kicks) == [(False, False)]


def test_a_group_made_while_a_rule_is_made_is_matched(kicks: World) -> None:
    with meanwhile(kicks, lambda: kicks.push_group("Engineers")) as (change, begin):
        workspace, connection = kicks.workspace.key, kicks.connection.key
        rule = mappings.insert_mapping(change, workspace, connection, ENGINEERS, [])
        mappings.refresh_mapping_matches(change, connection, rule.key)
        pushing = begin()
    pushing.result()
    assert pairs(kicks) == [(False, False)]


def test_a_group_asserted_while_one_of_its_name_is_pushed_is_shadowed(kicks: World) -> None:
    make_rule(kicks)
    with meanwhile(kicks, lambda: sign_in(kicks, "ines@kicks.example", groups=("Engineers",))) as (change, begin):
        group = directory.insert_group(change, kicks.connection.key, "Engineers", None)
        mappings.refresh_group_matches(change, kicks.connection.key, [group.key])
        signing_in = begin()
    signing_in.result()
    assert pairs(kicks) == [(False, False), (True, True)]


def test_a_group_takes_in_somebody_who_is_being_changed(kicks: World) -> None:
    """On PostgreSQL neither waits for what the other holds."""
    ines, changed = kicks.push("ines@kicks.example"), pushed("ines@kicks.example", name="Ines")
    with meanwhile(kicks, lambda: kicks.push_group("Engineers", ines)) as (change, begin):
        stored = directory.find_user(change.connection, kicks.connection.key, ines.id, hold="stay")
        assert stored is not None
        pushing = begin()
        member = stored.membership_key
        directory.replace_user(change, stored, changed, membership_key=member, holds_out=False)
        change.record(kicks.workspace.key, "directory_user.changed", ines.id)
    group = get_group(kicks.context, kicks.connection, pushing.result().id, with_members=True)
    assert [each.name for each in group.members or ()] == ["Ines"]


# -- Given while removed -----------------------------------------------------------------------------

Giving = Callable[[World, str], Callable[[], object]]


@pytest.fixture
def ines(kicks: World) -> str:
    """Ines, who owns another workspace, and whom Okta pushed: her membership, which she has yet to accept."""
    draft = WorkspaceDraft("boots", "Boots", "ines@kicks.example", owner_password="a password of Ines")
    create_workspace(kicks.context, OPERATOR, draft, kicks.now)
    kicks.push("ines@kicks.example")
    return find_member_id(kicks.context, "kicks", "ines@kicks.example")


def a_role(kicks: World, ines: str) -> Callable[[], object]:
    return lambda: give_to_member(kicks.context, OPERATOR, "kicks", ines, READING, kicks.now)


def another_scope(kicks: World, ines: str) -> Callable[[], object]:
    add_resource(kicks.context, OPERATOR, "kicks", ResourceDraft("source", "Orders", "orders"), kicks.now)
    given = give_to_member(kicks.context, OPERATOR, "kicks", ines, READING, kicks.now)
    narrow = parse_role_in_scope("Source Read-only", ["source:orders"]).scope
    return lambda: change_scope(kicks.context, OPERATOR, "kicks", given.id, narrow, kicks.now)


def a_user_group(kicks: World, ines: str) -> Callable[[], object]:
    guild = create_user_group(kicks.context, OPERATOR, "kicks", "Guild", kicks.now)
    return lambda: add_members(kicks.context, OPERATOR, "kicks", guild.id, ["ines@kicks.example"], kicks.now)


def a_new_user_group(kicks: World, ines: str) -> Callable[[], object]:
    emails = ["ines@kicks.example"]
    return lambda: create_user_group(kicks.context, OPERATOR, "kicks", "Guild", kicks.now, emails=emails)


def what_was_promised(kicks: World, ines: str) -> Callable[[], object]:
    invite(kicks.context, OPERATOR, "kicks", InviteDraft(("ines@kicks.example",), (READING,)), kicks.now)
    secret = link_of(kicks.context, kicks.now)
    user_id = get_person(kicks.context, "kicks", ines, kicks.now).member.user_id
    return lambda: accept_as(kicks.context, secret, user_id, kicks.now)


@pytest.mark.parametrize("what", [a_role, another_scope, a_user_group, a_new_user_group, what_was_promised])
def test_who_is_being_removed_is_given_nothing(kicks: World, ines: str, what: Giving) -> None:
    with meanwhile(kicks, what(kicks, ines)) as (change, begin):
        membership = people.find_membership_by_uid(change.connection, ines)
        assert membership is not None
        people.end_membership(change, membership.key)
        giving = begin()
    with pytest.raises((NotFound, Invalid, Expired)):
        giving.result()
    person = get_person(kicks.context, "kicks", ines, kicks.now)
    assert (person.member.status, person.grants, person.user_groups) == ("removed", (), ())


def test_what_is_given_to_who_is_then_removed_ends(kicks: World, marcus: str, ines: str) -> None:
    with meanwhile(kicks, lambda: remove_member(kicks.context, marcus, "kicks", ines, kicks.now)) as (change, begin):
        membership = people.find_membership_by_uid(change.connection, ines)
        assert membership is not None
        assert people.hold_members(change, [membership.key]) == {membership.key}
        removing = begin()
        insert_grant(change, kicks.workspace.key, membership.key, READING, OPERATOR)
    removing.result()
    restore_member(kicks.context, marcus, "kicks", ines, kicks.now)
    assert get_person(kicks.context, "kicks", ines, kicks.now).grants == ()
