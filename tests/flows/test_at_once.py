"""What two do at once ends as if one had come after the other.

One of them waits inside its transaction while the other begins. On SQLite the other waits for its turn; on PostgreSQL
only a lock that both take makes it look again at what the first one did.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from bridge.domain.errors import Conflict, Expired, Invalid, NotFound, Stale
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.sign_in import UNKNOWN_CLIENT
from bridge.domain.tokens import AccessToken
from bridge.flows.accept_invitation import accept_as
from bridge.flows.administer import WorkspaceDraft, create_workspace
from bridge.flows.bearer_secrets import digest
from bridge.flows.connection_overview import Foreseen, foresee_closing
from bridge.flows.context import OPERATOR
from bridge.flows.give_roles import change_scope, give_to_member
from bridge.flows.invite import InviteDraft, invite
from bridge.flows.map_groups import MappingDraft, add_mapping
from bridge.flows.members import find_member_id, get_person, remove_member, restore_member
from bridge.flows.named import get_own_connection
from bridge.flows.own_connections import delete_connection, set_enabled
from bridge.flows.provision_groups import get_group
from bridge.flows.provision_users import add_user, create_user, delete_user, get_user, rewrite_user
from bridge.flows.resources import ResourceDraft, add_resource
from bridge.flows.roles_given import parse_role_in_scope
from bridge.flows.rotate_key import begin_rotation, find_keys
from bridge.flows.scim_clients import create_scim_client, exchange_secret
from bridge.flows.trusted_idp import replace_metadata
from bridge.flows.user_groups import add_members, create_user_group
from bridge.storage import connections, directory_members, directory_people, mappings, people, scim_clients
from bridge.storage.changes import Change, lock_workspace
from bridge.storage.directory_many import hold_directory
from bridge.storage.grants import insert_grant
from bridge.storage.mappings import matched_now
from bridge.storage.provisioning_requests import NewRequest, insert_requests
from tests.flows.conftest import METADATA
from tests.flows.logins import sign_in
from tests.flows.mailer import link_of
from tests.overheard import statements
from tests.world import World, another_connection, pushed

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
        return sorted((one.asserted, one.shadowed) for one in matched_now(rows, rule.key))


def test_a_rule_made_while_a_group_is_made_matches_it(kicks: World) -> None:
    with meanwhile(kicks, lambda: make_rule(kicks)) as (change, begin):
        group = directory_members.insert_group(change, kicks.connection.key, "Engineers", None)
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


def disable(kicks: World, seen: Foreseen) -> object:
    its = (kicks.context, OPERATOR, "kicks", kicks.connection.id)
    return set_enabled(*its, False, kicks.now, seen=seen)


def delete(kicks: World, seen: Foreseen) -> object:
    return delete_connection(kicks.context, OPERATOR, "kicks", kicks.connection.id, kicks.now, seen=seen)


@pytest.mark.parametrize("close", [disable, delete], ids=["disabled", "deleted"])
def test_a_connection_is_closed_only_while_that_takes_what_was_shown(
    kicks: World, close: Callable[[World, Foreseen], object]
) -> None:
    kicks.push_group("Engineers", kicks.push("ines@kicks.example"))
    make_rule(kicks)
    seen = foresee_closing(kicks.context, "kicks", kicks.connection.id, kicks.now).foreseen
    with meanwhile(kicks, lambda: close(kicks, seen)) as (change, begin):
        lock_workspace(change, kicks.workspace.key)
        every = mappings.list_of_workspace(change.connection, kicks.workspace.key)
        [rule] = [one for one in every if one.origin == "admin"]
        insert_grant(change, kicks.workspace.key, rule.key, parse_role_in_scope("Warehouse Admin", []), OPERATOR)
        change.record(kicks.workspace.key, "mapping.changed", rule.id)
        closing = begin()
    with pytest.raises(Stale, match="they lose something else"):
        closing.result()


def test_a_group_asserted_while_one_of_its_name_is_pushed_is_shadowed(kicks: World) -> None:
    make_rule(kicks)
    with meanwhile(kicks, lambda: sign_in(kicks, "ines@kicks.example", groups=("Engineers",))) as (change, begin):
        group = directory_members.insert_group(change, kicks.connection.key, "Engineers", None)
        mappings.refresh_group_matches(change, kicks.connection.key, [group.key])
        signing_in = begin()
    signing_in.result()
    assert pairs(kicks) == [(False, False), (True, True)]


def test_a_group_takes_in_somebody_who_is_being_changed(kicks: World) -> None:
    """On PostgreSQL neither waits for what the other holds."""
    ines, changed = kicks.push("ines@kicks.example"), pushed("ines@kicks.example", name="Ines")
    with meanwhile(kicks, lambda: kicks.push_group("Engineers", ines)) as (change, begin):
        stored = directory_people.find_user(change.connection, kicks.connection.key, ines.id, hold="stay")
        assert stored is not None
        pushing = begin()
        member = stored.membership_key
        directory_people.replace_user(change, stored, changed, membership_key=member, holds_out=False)
        change.record(kicks.workspace.key, "directory_user.changed", ines.id)
    group = get_group(kicks.context, kicks.connection, pushing.result().id, with_members=True)
    assert [each.name for each in group.members or ()] == ["Ines"]


def test_a_secret_that_is_replaced_while_a_token_is_asked_for_gives_none(kicks: World) -> None:
    """The one who replaces it has ended what it gave, and doesn't see what it is about to."""
    made = create_scim_client(kicks.context, OPERATOR, "kicks", kicks.connection.id, None, "", kicks.now)

    def ask() -> AccessToken | None:
        return exchange_secret(kicks.context, made.client_id, made.client_secret, UNKNOWN_CLIENT, kicks.now)

    assert ask() is not None
    with meanwhile(kicks, ask) as (change, begin):
        assert scim_clients.rotate(change, kicks.workspace.key, made.client_id, digest("another"), None) is not None
        asking = begin()
    assert asking.result() is None


# -- Pushed at once ----------------------------------------------------------------------------------


def test_of_two_pushes_of_who_was_known_by_logins_alone_one_is_answered(kicks: World) -> None:
    """Both find the record that the logins keep; the second must not write its own over the first's."""
    sign_in(kicks, "ines@kicks.example")
    with meanwhile(kicks, lambda: kicks.push("ines@kicks.example", name="Second")) as (change, begin):
        first = add_user(change, kicks.connection, pushed("ines@kicks.example", name="First"))
        pushing = begin()
    with pytest.raises(Conflict):
        pushing.result()
    assert get_user(kicks.context, kicks.connection, first.id).pushed.name == "First"


@pytest.mark.parametrize("before", ["signed in", "deleted"])
def test_of_two_records_of_one_person_pushed_at_once_both_stay(kicks: World, before: str) -> None:
    """One is linked, the other kept beside it (product.md 4.8)."""
    if before == "deleted":
        delete_user(kicks.context, kicks.connection, kicks.push("ines@kicks.example").id, kicks.now)
    else:
        sign_in(kicks, "ines@kicks.example")
    twin = replace(pushed("ines@kicks.example"), user_name="ines.two")
    with meanwhile(kicks, lambda: create_user(kicks.context, kicks.connection, twin, kicks.now)) as (change, begin):
        first = add_user(change, kicks.connection, pushed("ines@kicks.example"))
        pushing = begin()
    names = [get_user(kicks.context, kicks.connection, uid).pushed.user_name for uid in (first.id, pushing.result().id)]
    assert names == ["ines@kicks.example", "ines.two"]


def test_two_connections_that_bring_somebody_back_at_once_bring_one_membership_back_once(kicks: World) -> None:
    kicks.push("ines@kicks.example")
    ines = find_member_id(kicks.context, "kicks", "ines@kicks.example")
    remove_member(kicks.context, OPERATOR, "kicks", ines, kicks.now)
    entra, google = another_connection(kicks, "Entra"), another_connection(kicks, "Google")
    with meanwhile(kicks, lambda: google.push("ines@kicks.example")) as (change, begin):
        add_user(change, entra.connection, pushed("ines@kicks.example"))
        pushing = begin()
    pushing.result()
    person = get_person(kicks.context, "kicks", ines, kicks.now)
    assert (person.member.status, len(person.grants)) == ("active", 1)


def test_a_connection_is_deleted_while_somebody_it_holds_out_is_changed(kicks: World) -> None:
    """On PostgreSQL each would wait for what the other holds, were their records and memberships held in any order."""
    lars = kicks.push("lars@kicks.example", active=False)
    begun = meanwhile(
        kicks, lambda: delete_connection(kicks.context, OPERATOR, "kicks", kicks.connection.id, kicks.now)
    )
    with begun as (change, begin):
        stored = directory_people.find_user(change.connection, kicks.connection.key, lars.id, hold="stay")
        assert stored is not None
        deleting = begin()
        rewrite_user(change, kicks.connection, stored, pushed("lars@kicks.example", name="Lars", active=False))
    deleting.result()
    member = find_member_id(kicks.context, "kicks", "lars@kicks.example")
    assert get_person(kicks.context, "kicks", member, kicks.now).member.status == "removed"


def test_a_connection_is_deleted_while_it_pushes_somebody_new(kicks: World) -> None:
    """Who adds to a directory holds its connection before anything points to it."""
    with statements(kicks.context.database) as said:
        kicks.push("ines@kicks.example")
    begun = [each.sql for each in said if each.sql.startswith(("UPDATE connections ", "INSERT INTO directory_users "))]
    assert [sql.partition(" ")[0] for sql in begun] == ["UPDATE", "INSERT"]


def hold_all(kicks: World) -> Callable[[], None]:
    """As an import does first."""

    def hold() -> None:
        with kicks.context.changing(OPERATOR, kicks.now) as change:
            hold_directory(change, kicks.connection)

    return hold


def replace_members(kicks: World, change: Change, ines: str, group: str) -> Iterator[None]:
    people_held = directory_people.find_members(change.connection, kicks.connection.key, [ines])
    yield
    stored = directory_members.find_group(change.connection, kicks.connection.key, group, hold="alone")
    assert stored is not None
    directory_members.add_members(change, stored.key, [key for key, _ in people_held.values()])


def add_a_member(kicks: World, change: Change, ines: str, group: str) -> Iterator[None]:
    stored = directory_members.find_group(change.connection, kicks.connection.key, group, hold="stay")
    yield
    assert stored is not None
    people_held = directory_people.find_members(change.connection, kicks.connection.key, [ines])
    directory_members.add_members(change, stored.key, [key for key, _ in people_held.values()])
    directory_members.touch_group(change, stored.key, 1)


def log_what_was_changed(kicks: World, change: Change, ines: str, group: str) -> Iterator[None]:
    directory_people.find_user(change.connection, kicks.connection.key, ines, hold="stay")
    yield
    okta, cause, told = kicks.connection.key, change.cause, "Okta changed Ines."
    line = NewRequest(okta, kicks.now, "PATCH", "/Users", 200, "changed", told, "", cause)
    insert_requests(change.connection, [line])


@pytest.mark.parametrize("push", [replace_members, add_a_member, log_what_was_changed])
def test_an_import_begins_while_something_is_pushed(kicks: World, push: Callable[..., Iterator[None]]) -> None:
    """It waits for what is under way, which never waits for the import."""
    ines = kicks.push("ines@kicks.example")
    group = kicks.push_group("Engineers")
    with meanwhile(kicks, hold_all(kicks)) as (change, begin):
        steps = push(kicks, change, ines.id, group.id)
        next(steps)
        importing = begin()
        assert list(steps) == []
    importing.result()


def test_an_invitation_is_accepted_while_its_idp_pushes_whom_it_had_deleted(kicks: World) -> None:
    """Both bring the same membership back; neither waits for what the other holds."""
    delete_user(kicks.context, kicks.connection, kicks.push("ines@kicks.example").id, kicks.now)
    ines = find_member_id(kicks.context, "kicks", "ines@kicks.example")
    accept = what_was_promised(kicks, ines)
    with meanwhile(kicks, accept) as (change, begin):
        mappings.hold_connections(change, [kicks.connection.key])
        assert directory_people.hold_unpushed(change, kicks.connection.key, key_of(change, ines)) is not None
        accepting = begin()
        add_user(change, kicks.connection, pushed("ines@kicks.example"))
    accepting.result()
    person = get_person(kicks.context, "kicks", ines, kicks.now)
    roles = [grant.given.role.name for grant in person.grants]
    assert (person.member.status, roles) == ("active", ["Minimal Workspace Access", "Source Read-only"])


def key_of(change: Change, membership_id: str) -> int:
    found = people.find_membership_by_uid(change.connection, membership_id)
    assert found is not None
    return found.key


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


# -- A connection changed by two ---------------------------------------------------------------------


def test_settings_saved_while_metadata_is_replaced_keep_both(kicks: World) -> None:
    """`config` is written whole: who reads it while another writes must wait for what that one made of it."""
    moved = METADATA.replace(b"kicks.okta.example", b"moved.okta.example")
    named = (kicks.context, OPERATOR, "kicks", kicks.connection.id)
    with meanwhile(kicks, lambda: replace_metadata(*named, moved, kicks.now)) as (change, begin):
        _, found = get_own_connection(change, "kicks", kicks.connection.id)
        replacing = begin()
        connections.set_connection(change, found.key, config={**found.config, "clock_skew": 90})
    config = replacing.result().config
    assert config["clock_skew"] == 90
    assert "moved" in config["idp"]["sso_redirect_url"]


def test_of_two_who_begin_a_rotation_one_is_refused(kicks: World) -> None:
    """Else the first one's next certificate, given to the IdP already, would be of a key that nobody has."""
    named = (kicks.context, OPERATOR, "kicks", kicks.connection.id)
    with ThreadPoolExecutor(2) as pool:
        begun = [pool.submit(begin_rotation, *named, kicks.now) for _ in range(2)]
    refused = [one.exception() for one in begun]
    assert [type(one) for one in refused if one] == [Conflict]
    [keys] = [one.result() for one in begun if one.exception() is None]
    assert find_keys(kicks.context, "kicks", kicks.connection.id) == keys
