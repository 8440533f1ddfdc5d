"""PATCH of a Group: told as changes of its rows, in order, without asking who its members are."""

from typing import Any, cast
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim.errors import InvalidFilter, InvalidPath, InvalidValue, Mutability, NoTarget, ScimError, TooMany
from scim.filters import Filter, parse_path
from scim.group_changes import (
    DisplayNameSet,
    ExternalIdSet,
    GroupChange,
    MembersAdded,
    MembersMatchingRemoved,
    MembersRemoved,
    MembersReplaced,
    group_changes,
)
from scim.patch import MAX_MEMBER_TESTS, MAX_OPERATIONS, parse_patch
from scim.schemas import GROUP, GROUP_SCHEMA


def changes(*operations: dict[str, Any], group_id: str | None = "g1") -> tuple[GroupChange, ...]:
    """What the operations do to a group."""
    return group_changes(parse_patch({"Operations": list(operations)}, GROUP, group_id))


def change(op: str, path: str | None = None, *value: Any) -> tuple[GroupChange, ...]:
    """What one operation does, without path or value where none is given."""
    body = {"op": op} if path is None else {"op": op, "path": path}
    return changes({**body, "value": value[0]} if value else body)


ANN, BOB = {"value": "a", "display": "Ann"}, {"value": "b"}


# -- Members -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("members", [[ANN, BOB], [{"Value": "a", "$ref": None, "type": "User"}, BOB, ANN]])
def test_add_adds_each_once(members: object) -> None:
    assert change("add", "members", members) == (MembersAdded(("a", "b")),)
    assert change("add", None, {"members": members}) == (MembersAdded(("a", "b")),)
    assert change("Add", "MEMBERS", members) == (MembersAdded(("a", "b")),)
    assert change("add", f"{GROUP_SCHEMA}:members", members) == (MembersAdded(("a", "b")),)


def test_one_member_may_come_alone() -> None:
    assert change("add", "members", ANN) == (MembersAdded(("a",)),)


@pytest.mark.parametrize("members", [[], ""])
def test_adding_nobody_changes_nothing(members: object) -> None:
    assert change("add", "members", members) == ()


def test_replace_says_who_is_in() -> None:
    assert change("replace", "members", [ANN, BOB]) == (MembersReplaced(("a", "b")),)
    assert change("replace", None, {"members": [ANN]}) == (MembersReplaced(("a",)),)


@pytest.mark.parametrize("nobody", [[], None, ""])
def test_replace_by_nobody_empties(nobody: object) -> None:
    assert change("replace", "members", nobody) == (MembersReplaced(()),)
    assert change("replace", None, {"members": nobody}) == (MembersReplaced(()),)


@pytest.mark.parametrize(
    ("path", "ids"),
    [
        ('members[value eq "a"]', ("a",)),
        ('MEMBERS[VALUE EQ "a"]', ("a",)),
        ('members[value eq "a" or value eq "b" or value eq "a"]', ("a", "b")),
        ('members[(value eq "a") or (value eq "b" or value eq "c")]', ("a", "b", "c")),
        ('members[value eq "a" and type eq "User"]', ("a",)),
        ('members[type eq "user" and value eq "a"]', ("a",)),
    ],
)
def test_remove_by_filter_removes_those_it_names(path: str, ids: tuple[str, ...]) -> None:
    assert change("remove", path) == (MembersRemoved(ids),)


@pytest.mark.parametrize("named", [[{"value": "a", "$ref": None}], [{"value": "a"}, {"value": "a"}], {"value": "a"}])
def test_remove_by_value_list_removes_only_named_members(named: object) -> None:
    assert change("Remove", "members", named) == (MembersRemoved(("a",)),)


@pytest.mark.parametrize("nothing", [None, "", []])
def test_a_member_replaced_by_nothing_is_removed(nothing: object) -> None:
    assert change("replace", 'members[value eq "a"]', nothing) == (MembersRemoved(("a",)),)


def test_remove_by_an_empty_value_list_removes_nobody() -> None:
    assert change("remove", "members", []) == ()


@pytest.mark.parametrize("value", [(), (None,)])
def test_remove_without_a_value_removes_all(value: tuple[object, ...]) -> None:
    assert change("remove", "members", *value) == (MembersReplaced(()),)


@pytest.mark.parametrize("op", ["add", "replace"])
def test_a_filter_that_describes_the_value_adds_it(op: str) -> None:
    assert change(op, 'members[value eq "a"]', {"value": "a"}) == (MembersAdded(("a",)),)


@pytest.mark.parametrize(
    "where",
    [
        'display eq "Ann"',
        'value ne "a"',
        'value sw "a"',
        "value pr",
        'not (value eq "a")',
        "value eq null",
        'type eq "User"',
        'value eq "a" and value eq "b"',
        'value eq "a" or display eq "Ann"',
        'value eq "a" and type eq "Group"',
    ],
)
def test_a_filter_that_needs_the_present_members_removes_whom_it_is_true_of(where: str) -> None:
    path = f"members[{where}]"
    assert change("remove", path) == (MembersMatchingRemoved(cast(Filter, parse_path(path, GROUP)[1])),)
    for op in ("add", "replace"):
        with pytest.raises(InvalidFilter, match="value eq"):
            change(op, path, {"value": "a"})


@pytest.mark.parametrize(
    "member", [{"value": "g", "type": "Group"}, {"value": "g", "$ref": "https://x/scim/v2/Groups/g"}]
)
@pytest.mark.parametrize("op", ["add", "replace"])
def test_a_group_as_a_member_is_an_invalid_value(op: str, member: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue, match="group"):
        change(op, "members", [ANN, member])
    with pytest.raises(InvalidValue, match="group"):
        change(op, None, {"members": [member]})


# -- Name and external id ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("op", ["add", "replace"])
def test_a_group_is_renamed(op: str) -> None:
    assert change(op, "displayName", "eng") == (DisplayNameSet("eng"),)
    assert change(op, None, {"DisplayName": "eng"}) == (DisplayNameSet("eng"),)


def test_renaming_may_repeat_the_groups_own_id_and_no_other() -> None:
    assert change("replace", None, {"id": "g1", "displayName": "eng"}) == (DisplayNameSet("eng"),)
    with pytest.raises(Mutability, match="id"):
        change("replace", None, {"id": "g2", "displayName": "eng"})


def test_an_external_id_is_set_and_cleared() -> None:
    assert change("add", "externalId", "E-1") == (ExternalIdSet("E-1"),)
    assert change("remove", "externalId") == change("replace", "externalId", "") == (ExternalIdSet(None),)


# -- Together ----------------------------------------------------------------------------------------------------


def test_moves_come_in_the_order_of_the_operations_and_the_last_name_after_them() -> None:
    looking = 'members[display co "x"]'
    where = parse_path(looking, GROUP)[1]
    assert changes(
        {"op": "replace", "value": {"displayName": "ops", "externalId": "7"}},
        {"op": "remove", "path": 'members[value eq "a"]'},
        {"op": "remove", "path": looking},
        {"op": "add", "path": "members", "value": [ANN]},
        {"op": "replace", "value": {"displayName": "eng", "externalId": None}},
    ) == (
        MembersRemoved(("a",)),
        MembersMatchingRemoved(cast(Filter, where)),
        MembersAdded(("a",)),
        DisplayNameSet("eng"),
        ExternalIdSet(None),
    )


def test_a_member_an_operation_is_one_step() -> None:
    adds = [{"op": "add", "path": "members", "value": [{"value": id_}]} for id_ in "abc"]
    removes = [{"op": "remove", "path": f'members[value eq "{id_}"]'} for id_ in "cd"]
    assert changes(*adds, *removes) == (MembersAdded(("a", "b", "c")), MembersRemoved(("c", "d")))


PEOPLE = st.lists(st.sampled_from("abcd"), max_size=3)
MOVES = st.tuples(st.sampled_from(["add", "remove", "replace"]), PEOPLE)


@given(st.lists(MOVES, max_size=8), st.frozensets(st.sampled_from("abcd")))
def test_in_whatever_steps_the_same_people_are_in_and_nobody_comes_unseen(
    moves: list[tuple[str, list[str]]], before: frozenset[str]
) -> None:
    """Who isn't in the directory can't be added: so whoever is to come, even if only to go, is named by a step."""
    members, come = set(before), set[str]()
    for op, ids in moves:
        members = {"add": members | set(ids), "remove": members - set(ids), "replace": set(ids)}[op]
        come |= set() if op == "remove" else set(ids)
    operations = [{"op": op, "path": "members", "value": [{"value": id_} for id_ in ids]} for op, ids in moves]
    steps = changes(*operations) if moves else ()
    after, named = set(before), set[str]()
    for step in steps:
        match step:
            case MembersAdded(added):
                after, named = after | set(added), named | set(added)
            case MembersRemoved(removed):
                after -= set(removed)
            case MembersReplaced(replaced):
                after, named = set(replaced), named | set(replaced)
    assert (after, named) == (members, come)
    assert len(steps) <= 2


def test_what_a_body_may_hold_beyond_the_attributes_changes_nothing() -> None:
    assert change("replace", None, {"schemas": [GROUP_SCHEMA], "meta": {}, "description": "x", "id": "g1"}) == ()


@pytest.mark.parametrize(
    ("reason", "op", "path", "value"),
    [
        (Mutability, "remove", "displayName", ()),
        (InvalidValue, "replace", "displayName", ("",)),
        (InvalidValue, "replace", "displayName", (None,)),
        (InvalidValue, "replace", "displayName", ({"value": "eng"},)),
        (InvalidValue, "replace", "externalId", (5,)),
        (InvalidValue, "add", "members", ()),
        (InvalidValue, "add", "members", (None,)),
        (InvalidValue, "add", "members", ("a",)),
        (InvalidValue, "add", "members", (["a"],)),
        (InvalidValue, "add", "members", ([{}],)),
        (InvalidValue, "remove", "members", ("a",)),
        (InvalidValue, "remove", "members", ([{"display": "Ann"}],)),
        (InvalidPath, "add", "people", ([ANN],)),
        (InvalidPath, "replace", "userName", ("x",)),
        (InvalidFilter, "remove", "members[value eq a]", ()),
        (NoTarget, "remove", None, ()),
        (NoTarget, "remove", None, ({"members": [ANN]},)),
        (Mutability, "replace", "members.value", ("a",)),
        (Mutability, "remove", 'members[value eq "a"].value', ()),
        (Mutability, "replace", 'members[value eq "a"].display', ("x",)),
        (Mutability, "replace", 'members[value eq "a"]', ({"value": "b"},)),
        (Mutability, "replace", "id", ("g2",)),
        (Mutability, "remove", GROUP_SCHEMA, ()),
    ],
)
def test_what_cannot_be_applied_is_refused(reason: type[ScimError], op: str, path: str | None, value: Any) -> None:
    with pytest.raises(reason):
        change(op, path, *value)


def test_a_member_an_operation_is_fine_up_to_the_limit() -> None:
    one = {"op": "remove", "path": f'members[value eq "{uuid4()}"]'}
    assert len(changes(*[one] * MAX_OPERATIONS)) == 1
    with pytest.raises(TooMany):
        changes(*[one] * (MAX_OPERATIONS + 1))


def test_there_is_a_limit_to_what_has_to_be_asked_of_every_member() -> None:
    one = {"op": "remove", "path": 'members[display co "x"]'}
    assert len(changes(*[one] * MAX_MEMBER_TESTS)) == MAX_MEMBER_TESTS
    with pytest.raises(TooMany):
        changes(*[one] * (MAX_MEMBER_TESTS + 1))
