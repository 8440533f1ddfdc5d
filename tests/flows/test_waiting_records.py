"""Pushed records without an account are listed with the reason and what to do (product.md 4.8)."""

from dataclasses import replace

import pytest

from bridge.domain.waiting_records import WaitingRecord
from bridge.flows.context import OPERATOR
from bridge.flows.members import find_member_id, remove_member
from bridge.flows.provision_users import change_user, create_user, delete_user
from bridge.flows.waiting_records import list_waiting_records
from tests.world import World, another_connection, pushed


def waiting(kicks: World) -> list[WaitingRecord]:
    found = list_waiting_records(kicks.context, "kicks", kicks.connection.id)
    assert found.total == len(found.records)
    return list(found.records)


def push_as(kicks: World, user_name: str, email: str) -> str:
    person = replace(pushed(email), user_name=user_name)
    return create_user(kicks.context, kicks.connection, person, kicks.now).id


def test_who_has_an_account_is_not_listed(kicks: World) -> None:
    kicks.push("ann@kicks.example")
    assert waiting(kicks) == []


def test_a_record_without_an_address(kicks: World) -> None:
    kicks.push("ann", name="Ann")
    [ann] = waiting(kicks)
    assert (ann.user_name, ann.name, ann.email, ann.reason) == ("ann", "Ann", None, "no_email")
    assert ann.why == "None of its addresses, nor its user name, could receive mail."
    assert ann.advice("Okta").startswith("Give this person an email address in Okta")


def test_a_second_record_names_the_first(kicks: World) -> None:
    kicks.push("ann@kicks.example")
    push_as(kicks, "ann.two", "ANN@kicks.example")
    [twin] = waiting(kicks)
    assert (twin.user_name, twin.reason, twin.other) == ("ann.two", "second", "ann@kicks.example")
    assert twin.why == ("The record ann@kicks.example was pushed before it with the same address, ann@kicks.example.")
    assert twin.member_id == find_member_id(kicks.context, "kicks", "ann@kicks.example")


def test_a_second_record_names_the_first_whatever_address_that_has_by_now(kicks: World) -> None:
    """The account keeps its address where nobody proved the domain, and a change of the second links nothing."""
    first = kicks.push("ann@kicks.example")
    change_user(kicks.context, kicks.connection, first.id, lambda _: pushed("ann.new@kicks.example"), kicks.now)
    second = push_as(kicks, "ann.two", "ann@kicks.example")
    change_user(kicks.context, kicks.connection, second, lambda user: replace(user.pushed, name="Ann"), kicks.now)
    [twin] = waiting(kicks)
    assert (twin.reason, twin.other) == ("second", "ann.new@kicks.example")
    delete_user(kicks.context, kicks.connection, first.id, kicks.now)
    assert waiting(kicks) == []


def test_a_record_whose_person_an_owner_removed(kicks: World) -> None:
    first = kicks.push("ann@kicks.example")
    push_as(kicks, "ann.two", "ann@kicks.example")
    member = find_member_id(kicks.context, "kicks", "ann@kicks.example")
    remove_member(kicks.context, OPERATOR, "kicks", member, kicks.now)
    assert [one.reason for one in waiting(kicks)] == ["second"]
    delete_user(kicks.context, kicks.connection, first.id, kicks.now)
    assert waiting(kicks) == []


def test_pages_are_in_the_order_in_which_they_came(kicks: World) -> None:
    for number in range(3):
        kicks.push(f"nobody{number}")
    asked = (kicks.context, "kicks", kicks.connection.id)
    page = list_waiting_records(*asked, page=2, size=2)
    assert ([one.user_name for one in page.records], page.total) == (["nobody2"], 3)


def test_each_connection_has_its_own(kicks: World) -> None:
    kicks.push("ann")
    entra = another_connection(kicks, "Entra")
    entra.push("bob")
    assert [one.user_name for one in waiting(kicks)] == ["ann"]
    assert [one.user_name for one in waiting(entra)] == ["bob"]


@pytest.mark.parametrize("reason", ["no_email", "second", "removed", "free"])
def test_every_reason_has_its_words(kicks: World, reason: str) -> None:
    one = WaitingRecord("id", "ann", "Ann", "a@b.example", True, kicks.now, reason, "ann.one")  # type: ignore[arg-type]
    assert one.why.endswith(".")
    assert "Okta" in one.advice("Okta")
