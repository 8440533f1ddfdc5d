"""The people of a workspace: listed, removed, let back in (product.md 1.10, 4.4, 4.8; property 10)."""

from dataclasses import replace

import pytest

from bridge.domain.access import EVERYWHERE, RoleInScope
from bridge.domain.directory import DirectoryUser, PushedUser
from bridge.domain.errors import Conflict, Forbidden, LastOwner, NotFound
from bridge.domain.roles import OWNER
from bridge.flows.context import OPERATOR
from bridge.flows.deliver import deliver_due
from bridge.flows.explain import access_of
from bridge.flows.give_roles import give_to_member
from bridge.flows.members import (
    MembersQuery,
    count_members,
    find_member_id,
    get_person,
    lift_hold,
    list_members,
    remove_member,
    restore_member,
)
from bridge.flows.provision_users import change_user, delete_user
from bridge.flows.roles_given import parse_role_in_scope
from bridge.flows.tokens import create_scim_token, find_scim_token
from bridge.flows.user_groups import add_members, create_user_group
from tests.flows.audit import audit_events
from tests.flows.mailer import KeptMail
from tests.flows.test_give_roles import second_owner
from tests.world import World

READING = parse_role_in_scope("Source Read-only", [])


def activated(user: DirectoryUser) -> PushedUser:
    return replace(user.pushed, active=True, name="another name")


def deactivated(user: DirectoryUser) -> PushedUser:
    return replace(user.pushed, active=False)


def emails(kicks: World, query: MembersQuery) -> list[str]:
    return [one.email for one in list_members(kicks.context, "kicks", query, kicks.now).members]


def member_id(kicks: World, email: str) -> str:
    return find_member_id(kicks.context, "kicks", email)


def status(kicks: World, email: str) -> str:
    return get_person(kicks.context, "kicks", member_id(kicks, email), kicks.now).member.status


def test_a_page_has_fifty_and_the_total(kicks: World) -> None:
    for n in range(60):
        kicks.push(f"p{n:02}@kicks.example", name=f"Person {n:02}")
    first = list_members(kicks.context, "kicks", MembersQuery(), kicks.now)
    second = list_members(kicks.context, "kicks", MembersQuery(page=2), kicks.now)
    assert (first.total, first.first, len(first.members)) == (61, 1, 50)
    assert (second.total, second.first, len(second.members)) == (61, 51, 11)
    assert {one.id for one in first.members}.isdisjoint(one.id for one in second.members)
    assert count_members(kicks.context, "kicks") == 61


def test_the_list_says_what_each_may_do_and_by_which_path(kicks: World, marcus: str) -> None:
    kicks.push_group("everyone", kicks.push("ines@kicks.example", name="Ines"))
    ines, owner = list_members(kicks.context, "kicks", MembersQuery(), kicks.now).members
    assert "everyone" in {path.idp_group for one in ines.permissions for path in one.because}
    assert [(record.connection, record.pushed, record.holds_out) for record in ines.records] == [("Okta", True, False)]
    assert [one.role for one in owner.permissions] == [OWNER]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("duarte", ["ines@kicks.example"]),
        ("INES@", ["ines@kicks.example"]),
        ("åsa", ["asa@kicks.example"]),
        ("Åsa", ["asa@kicks.example"]),
        ("%", []),
        ("_nes", []),
        ("nobody", []),
    ],
)
def test_search_looks_into_names_and_addresses(kicks: World, search: str, found: list[str]) -> None:
    kicks.push("ines@kicks.example", name="Ines Duarte")
    kicks.push("asa@kicks.example", name="Åsa Öberg")
    assert emails(kicks, MembersQuery(search=search)) == found


def test_filters_by_what_people_are(kicks: World, marcus: str) -> None:
    kicks.push("ines@kicks.example", name="Ines")
    kicks.push("lars@kicks.example", name="Lars", active=False)
    give_to_member(kicks.context, marcus, "kicks", member_id(kicks, "ines@kicks.example"), READING, kicks.now)
    assert emails(kicks, MembersQuery(which="owners")) == ["marcus@kicks.example"]
    assert emails(kicks, MembersQuery(which="members")) == ["ines@kicks.example", "lars@kicks.example"]
    assert emails(kicks, MembersQuery(which="suspended")) == ["lars@kicks.example"]
    assert emails(kicks, MembersQuery(source=kicks.connection.id)) == ["ines@kicks.example", "lars@kicks.example"]
    assert emails(kicks, MembersQuery(role="Source Read-only")) == ["ines@kicks.example"]
    assert emails(kicks, MembersQuery(role="Source Read-only", which="owners")) == []
    assert "marcus@kicks.example" in emails(kicks, MembersQuery(source="hand"))


def test_a_removed_member_keeps_nothing_but_the_account(kicks: World, marcus: str) -> None:
    kicks.push_group("eng", kicks.push("ines@kicks.example", name="Ines"))
    ines = member_id(kicks, "ines@kicks.example")
    group = create_user_group(kicks.context, marcus, "kicks", "Guild", kicks.now)
    add_members(kicks.context, marcus, "kicks", group.id, ["ines@kicks.example"], kicks.now)
    give_to_member(kicks.context, marcus, "kicks", ines, READING, kicks.now)
    remove_member(kicks.context, marcus, "kicks", ines, kicks.now)
    person = get_person(kicks.context, "kicks", ines, kicks.now)
    assert person.member.status == "removed"
    assert (person.grants, person.user_groups, person.member.permissions) == ((), (), ())
    assert access_of(kicks.context, "kicks", "ines@kicks.example", kicks.now) == ()
    assert emails(kicks, MembersQuery()) == ["marcus@kicks.example"]
    assert emails(kicks, MembersQuery(which="removed")) == ["ines@kicks.example"]


def test_nobody_is_removed_twice(kicks: World, marcus: str) -> None:
    kicks.push("ines@kicks.example")
    ines = member_id(kicks, "ines@kicks.example")
    remove_member(kicks.context, marcus, "kicks", ines, kicks.now)
    with pytest.raises(NotFound):
        remove_member(kicks.context, marcus, "kicks", ines, kicks.now)


def test_the_last_owner_stays(kicks: World, marcus: str) -> None:
    member = member_id(kicks, "marcus@kicks.example")
    assert get_person(kicks.context, "kicks", member, kicks.now).is_last_owner
    with pytest.raises(LastOwner):
        remove_member(kicks.context, marcus, "kicks", member, kicks.now)
    assert status(kicks, "marcus@kicks.example") == "active"


def test_one_of_two_owners_may_leave(kicks: World, marcus: str) -> None:
    second_owner(kicks)
    member = member_id(kicks, "marcus@kicks.example")
    assert not get_person(kicks.context, "kicks", member, kicks.now).is_last_owner
    remove_member(kicks.context, marcus, "kicks", member, kicks.now)
    assert status(kicks, "marcus@kicks.example") == "removed"
    with pytest.raises(Forbidden):
        restore_member(kicks.context, marcus, "kicks", member, kicks.now)


def test_tokens_that_stop_are_told_and_mailed_to_owners(kicks: World, marcus: str) -> None:
    mei = second_owner(kicks)
    token = create_scim_token(kicks.context, marcus, "kicks", kicks.connection.id, None, "Okta 2026", kicks.now)
    removal = remove_member(
        kicks.context, f"user:{get_person(kicks.context, 'kicks', mei, kicks.now).member.user_id}", "kicks",
        member_id(kicks, "marcus@kicks.example"), kicks.now,
    )  # fmt: skip
    assert removal.tokens == ("Okta 2026",)
    assert find_scim_token(kicks.context, token.token, kicks.now) is None
    mailer = KeptMail()
    deliver_due(kicks.context, mailer, kicks.now)
    assert [(mail.to, "Okta 2026" in mail.text) for mail in mailer.sent] == [("mei@kicks.example", True)]


def test_an_owners_removal_outlasts_later_pushes_until_an_owner_lifts_it(kicks: World, marcus: str) -> None:
    ines = kicks.push("ines@kicks.example", name="Ines")
    member = member_id(kicks, "ines@kicks.example")
    remove_member(kicks.context, marcus, "kicks", member, kicks.now)
    change_user(kicks.context, kicks.connection, ines.id, activated, kicks.now)
    assert status(kicks, "ines@kicks.example") == "removed"
    restore_member(kicks.context, marcus, "kicks", member, kicks.now)
    assert status(kicks, "ines@kicks.example") == "active"
    with pytest.raises(Conflict):
        restore_member(kicks.context, marcus, "kicks", member, kicks.now)


def test_what_was_given_by_hand_stays_gone_after_a_restore(kicks: World, marcus: str) -> None:
    kicks.push("ines@kicks.example")
    member = member_id(kicks, "ines@kicks.example")
    give_to_member(kicks.context, marcus, "kicks", member, READING, kicks.now)
    remove_member(kicks.context, marcus, "kicks", member, kicks.now)
    restore_member(kicks.context, marcus, "kicks", member, kicks.now)
    assert READING not in [one.given for one in get_person(kicks.context, "kicks", member, kicks.now).grants]


def test_a_hold_is_lifted_by_an_owner_and_audited(kicks: World, marcus: str) -> None:
    kicks.push("lars@kicks.example", active=False)
    member = member_id(kicks, "lars@kicks.example")
    assert status(kicks, "lars@kicks.example") == "suspended"
    assert lift_hold(kicks.context, marcus, "kicks", member, kicks.now) == ("Okta",)
    assert status(kicks, "lars@kicks.example") == "active"
    assert audit_events(kicks.context)[-1][:2] == (marcus, "member.hold_lifted")
    with pytest.raises(NotFound):
        lift_hold(kicks.context, marcus, "kicks", member, kicks.now)


def test_who_was_deleted_by_the_idp_is_let_back_by_an_owner(kicks: World, marcus: str) -> None:
    ines = kicks.push("ines@kicks.example")
    delete_user(kicks.context, kicks.connection, ines.id, kicks.now)
    member = member_id(kicks, "ines@kicks.example")
    assert status(kicks, "ines@kicks.example") == "removed"
    restore_member(kicks.context, marcus, "kicks", member, kicks.now)
    assert status(kicks, "ines@kicks.example") == "active"


def test_only_owners_remove(kicks: World) -> None:
    kicks.push("ines@kicks.example")
    kicks.push("lars@kicks.example")
    ines = get_person(kicks.context, "kicks", member_id(kicks, "ines@kicks.example"), kicks.now).member
    with pytest.raises(Forbidden):
        remove_member(kicks.context, f"user:{ines.user_id}", "kicks", member_id(kicks, "lars@kicks.example"), kicks.now)


def test_a_suspended_owner_acts_no_more(kicks: World) -> None:
    ines = kicks.push("ines@kicks.example")
    member = member_id(kicks, "ines@kicks.example")
    give_to_member(kicks.context, OPERATOR, "kicks", member, RoleInScope(OWNER, EVERYWHERE), kicks.now)
    actor = f"user:{get_person(kicks.context, 'kicks', member, kicks.now).member.user_id}"
    create_user_group(kicks.context, actor, "kicks", "Hers", kicks.now)
    change_user(kicks.context, kicks.connection, ines.id, deactivated, kicks.now)
    with pytest.raises(Forbidden):
        create_user_group(kicks.context, actor, "kicks", "No more", kicks.now)
