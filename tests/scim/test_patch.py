"""PATCH of a User (RFC 7644 3.5.2): a table of operations, what they come to, and why others are refused."""

import copy
from typing import Any

import pytest

from scim.errors import (
    InvalidFilter,
    InvalidPath,
    InvalidSyntax,
    InvalidValue,
    Mutability,
    NoTarget,
    ScimError,
    TooMany,
)
from scim.patch import MAX_USER_EFFORT, apply_to_user, parse_patch
from scim.schemas import ENTERPRISE_SCHEMA, USER, USER_SCHEMA
from scim.values import MAX_VALUES

WORK = {"value": "w@x", "type": "work", "primary": True}
HOME = {"value": "h@x", "type": "home"}
BOB: dict[str, Any] = {
    "userName": "bob",
    "title": "Boss",
    "active": False,
    "name": {"givenName": "Bob", "familyName": "Ray"},
    "emails": [WORK, HOME],
    ENTERPRISE_SCHEMA: {"department": "R&D", "manager": {"value": "m1", "$ref": "https://x/Users/m1"}},
}
NOT_PRIMARY = {**WORK, "primary": False}
ADD, REPLACE, REMOVE = "add", "replace", "remove"


def operation(op: str, path: str | None = None, *value: Any) -> dict[str, Any]:
    """An operation; without path or value where none is given."""
    body = {"op": op} if path is None else {"op": op, "path": path}
    return {**body, "value": value[0]} if value else body


def patched(*operations: dict[str, Any]) -> dict[str, Any]:
    """Bob after the operations."""
    present = copy.deepcopy(BOB)
    changed = apply_to_user(present, parse_patch({"Operations": list(operations)}, USER))
    assert present == BOB
    return changed


def bob(**changes: Any) -> dict[str, Any]:
    """Bob with these attributes changed, None for those that are gone."""
    return {name: value for name, value in {**BOB, **changes}.items() if value is not None}


def works_for(**changes: Any) -> dict[str, Any]:
    """Bob with these attributes of the extension changed, None for those that are gone."""
    extension = {name: value for name, value in {**BOB[ENTERPRISE_SCHEMA], **changes}.items() if value is not None}
    return bob(**{ENTERPRISE_SCHEMA: extension or None})


# -- One value ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("op", [ADD, REPLACE])
@pytest.mark.parametrize(
    ("path", "value", "result"),
    [
        ("title", "Chief", bob(title="Chief")),
        ("nickName", "B", bob(nickName="B")),
        ("NICKNAME", "B", bob(nickName="B")),
        (f"{USER_SCHEMA}:nickName", "B", bob(nickName="B")),
        ("externalId", "E", bob(externalId="E")),
        ("active", True, bob(active=True)),
        ("title", "", bob(title=None)),
        ("name.givenName", "Rob", bob(name={"givenName": "Rob", "familyName": "Ray"})),
        ("name.middleName", "X", bob(name={"givenName": "Bob", "familyName": "Ray", "middleName": "X"})),
        ("name", {"givenName": "Rob"}, bob(name={"givenName": "Rob", "familyName": "Ray"})),
        ("name", {"GIVENNAME": None, "x": 1}, bob(name={"familyName": "Ray"})),
        ("name", {"givenName": "", "familyName": None}, bob(name=None)),
        ("name", {}, BOB),
        (f"{ENTERPRISE_SCHEMA}:department", "HR", works_for(department="HR")),
        (ENTERPRISE_SCHEMA, {"department": "HR", "costCenter": "7"}, works_for(department="HR", costCenter="7")),
        (f"{ENTERPRISE_SCHEMA}:manager", {"value": "m2"}, works_for(manager={"value": "m2"})),
        ("title", "Boss", BOB),
    ],
)
def test_add_and_replace_set_a_single_value(op: str, path: str, value: Any, result: dict[str, Any]) -> None:
    assert patched(operation(op, path, value)) == result


@pytest.mark.parametrize("nothing", [None, ""])
@pytest.mark.parametrize("path", ["title", "name.givenName", f"{ENTERPRISE_SCHEMA}:department", "name", "emails"])
def test_replace_by_nothing_is_remove(path: str, nothing: object) -> None:
    assert patched(operation(REPLACE, path, nothing)) == patched(operation(REMOVE, path))


@pytest.mark.parametrize(
    ("path", "result"),
    [
        ("title", bob(title=None)),
        ("active", bob(active=None)),
        ("nickName", BOB),
        ("name.givenName", bob(name={"familyName": "Ray"})),
        ("name", bob(name=None)),
        ("emails", bob(emails=None)),
        ("ims", BOB),
        (f"{ENTERPRISE_SCHEMA}:department", works_for(department=None)),
        (f"{ENTERPRISE_SCHEMA}:manager", works_for(manager=None)),
        (f"{ENTERPRISE_SCHEMA}:manager.value", works_for(manager=None)),
        (f"{ENTERPRISE_SCHEMA}:manager.$ref", works_for(manager={"value": "m1"})),
        (ENTERPRISE_SCHEMA, bob(**{ENTERPRISE_SCHEMA: None})),
    ],
)
def test_remove_takes_away_what_the_path_names(path: str, result: dict[str, Any]) -> None:
    assert patched(operation(REMOVE, path)) == result


def test_the_extension_goes_with_its_last_attribute() -> None:
    gone = [operation(REMOVE, f"{ENTERPRISE_SCHEMA}:{name}") for name in ("department", "manager")]
    assert ENTERPRISE_SCHEMA not in patched(*gone)


# -- Many values -------------------------------------------------------------------------------------------------

NEW = {"value": "n@x", "type": "other"}


@pytest.mark.parametrize(
    ("added", "emails"),
    [
        ([NEW], [WORK, HOME, NEW]),
        (NEW, [WORK, HOME, NEW]),
        ([NEW, NEW], [WORK, HOME, NEW]),
        ([HOME], [WORK, HOME]),
        ([{**HOME, "display": "at home"}], [WORK, {**HOME, "display": "at home"}]),
        ([{"value": "h@x", "type": "other"}], [WORK, HOME, {"value": "h@x", "type": "other"}]),
        ([{**NEW, "primary": True}], [NOT_PRIMARY, HOME, {**NEW, "primary": True}]),
        ([{**NEW, "primary": "True"}], [NOT_PRIMARY, HOME, {**NEW, "primary": True}]),
        ([{**HOME, "primary": True}], [NOT_PRIMARY, {**HOME, "primary": True}]),
        ([NOT_PRIMARY], [NOT_PRIMARY, HOME]),
        ([WORK, NEW], [WORK, HOME, NEW]),
        ([], [WORK, HOME]),
    ],
)
def test_add_appends_what_is_not_there_and_moves_primary(added: object, emails: list[dict[str, Any]]) -> None:
    assert patched(operation(ADD, "emails", added)) == bob(emails=emails)
    assert patched(operation(ADD, None, {"emails": added})) == bob(emails=emails)


@pytest.mark.parametrize(("values", "emails"), [([NEW], [NEW]), (NEW, [NEW]), ([], None), ([HOME, WORK], [HOME, WORK])])
def test_replace_replaces_all_values(values: object, emails: object) -> None:
    assert patched(operation(REPLACE, "emails", values)) == bob(emails=emails)
    assert patched(operation(REPLACE, None, {"emails": values})) == bob(emails=emails)


@pytest.mark.parametrize("op", [ADD, REPLACE])
@pytest.mark.parametrize(
    ("path", "value", "emails"),
    [
        ('emails[type eq "work"].value', "n@x", [{**WORK, "value": "n@x"}, HOME]),
        ('EMAILS[TYPE EQ "WORK"].VALUE', "n@x", [{**WORK, "value": "n@x"}, HOME]),
        ('emails[type eq "work"].display', "W", [{**WORK, "display": "W"}, HOME]),
        ('emails[primary eq "True"].value', "n@x", [{**WORK, "value": "n@x"}, HOME]),
        ('emails[not (type eq "work")].value', "n@x", [WORK, {**HOME, "value": "n@x"}]),
        ('emails[type eq "home"].primary', True, [NOT_PRIMARY, {**HOME, "primary": True}]),
        ('emails[type eq "home"].primary', "True", [NOT_PRIMARY, {**HOME, "primary": True}]),
        ('emails[type eq "home"]', {"value": "n@x"}, [WORK, {**HOME, "value": "n@x"}]),
        ('emails[type eq "home"]', [{"value": "n@x"}], [WORK, {**HOME, "value": "n@x"}]),
        ('emails[type eq "home"]', {"value": "n@x", "type": "other"}, [WORK, NEW]),
        ('emails[type eq "home"]', {"primary": True}, [NOT_PRIMARY, {**HOME, "primary": True}]),
        ('emails[value co "@x"].display', "E", [{**WORK, "display": "E"}, {**HOME, "display": "E"}]),
        ("emails.display", "E", [{**WORK, "display": "E"}, {**HOME, "display": "E"}]),
    ],
)
def test_a_filter_chooses_which_values_change(op: str, path: str, value: Any, emails: list[dict[str, Any]]) -> None:
    assert patched(operation(op, path, value)) == bob(emails=emails)


@pytest.mark.parametrize(
    ("path", "emails"),
    [
        ('emails[type eq "work"]', [HOME]),
        ('emails[type eq "work" and value eq "w@x"]', [HOME]),
        ("emails[value pr]", None),
        ('emails[type eq "other"]', [WORK, HOME]),
        ('emails[type eq "work"].value', [HOME]),
        ('emails[type eq "home"].type', [WORK, {"value": "h@x"}]),
        ("emails.type", [{"value": "w@x", "primary": True}, {"value": "h@x"}]),
        ("emails.value", None),
        ('emails[type eq "other"].value', [WORK, HOME]),
        ('emails[type co "x"]', [WORK, HOME]),
        ('emails[type co "x"].value', [WORK, HOME]),
        ("emails[not (type pr)].value", [WORK, HOME]),
    ],
)
def test_remove_takes_the_values_that_are_chosen(path: str, emails: object) -> None:
    assert patched(operation(REMOVE, path)) == bob(emails=emails)


@pytest.mark.parametrize(
    ("named", "emails"),
    [
        ([{"value": "h@x"}], [WORK]),
        ({"value": "h@x"}, [WORK]),
        ([HOME, WORK], None),
        ([NEW], [WORK, HOME]),
        ([], [WORK, HOME]),
    ],
)
def test_remove_by_value_list_removes_only_the_named_values(named: object, emails: object) -> None:
    assert patched(operation(REMOVE, "emails", named)) == bob(emails=emails)


@pytest.mark.parametrize("op", [ADD, REPLACE])
@pytest.mark.parametrize(
    ("path", "value", "created"),
    [
        ('emails[type eq "other"].value', "n@x", NEW),
        ('emails[type eq "other"]', {"value": "n@x"}, NEW),
        ('emails[type eq "other" and display eq "N"].value', "n@x", {**NEW, "display": "N"}),
        ('emails[type eq "other" and primary eq false].value', "n@x", {**NEW, "primary": False}),
    ],
)
def test_an_unmatched_eq_filter_creates_what_it_describes(op: str, path: str, value: Any, created: Any) -> None:
    assert patched(operation(op, path, value)) == bob(emails=[WORK, HOME, created])


def test_what_is_created_as_primary_is_the_only_one() -> None:
    changed = patched(
        operation(REPLACE, 'emails[type eq "other"].primary', True),
        operation(ADD, 'emails[type eq "other"].value', "n@x"),
    )
    assert changed == bob(emails=[NOT_PRIMARY, HOME, {**NEW, "primary": True}])


def test_several_operations_on_one_unmatched_filter_end_in_one_value() -> None:
    work = 'addresses[type eq "work"]'
    changed = patched(operation(ADD, f"{work}.locality", "Bonn"), operation(ADD, f"{work}.country", "DE"))
    assert changed == bob(addresses=[{"type": "work", "locality": "Bonn", "country": "DE"}])


def test_a_sub_attribute_of_no_value_at_all_creates_one() -> None:
    assert patched(operation(ADD, "roles.value", "admin")) == bob(roles=[{"value": "admin"}])


@pytest.mark.parametrize("path", ['emails[type co "x"]', 'emails[type co "x"].value'])
def test_clearing_what_is_not_there_is_done_already(path: str) -> None:
    assert patched(operation(REPLACE, path, None)) == bob()


@pytest.mark.parametrize("op", [ADD, REPLACE])
@pytest.mark.parametrize(
    "path",
    [
        'emails[type ne "work" and type ne "home"].value',
        'emails[type eq "a" or type eq "b"].value',
        'ims[type sw "x"].value',
        'emails[type co "x"].value',
        "emails[not (type pr)].value",
        'ims[value eq "x" and type pr].display',
        "ims[value eq null].display",
        'ims[value eq "a"].value',
        'ims[display eq "a" and display eq "b"].value',
    ],
)
def test_any_other_unmatched_filter_has_no_target(op: str, path: str) -> None:
    with pytest.raises(NoTarget):
        patched(operation(op, path, "n@x"))


# -- Without a path ----------------------------------------------------------------------------------------------


def test_a_value_without_path_changes_what_it_names_and_nothing_else() -> None:
    assert patched(operation(REPLACE, None, {"title": "Chief"})) == bob(title="Chief")


def test_absent_is_not_false() -> None:
    for active in (True, False):
        present = {**BOB, "active": active}
        for op in (ADD, REPLACE):
            patch = parse_patch({"Operations": [operation(op, None, {"title": "Chief"})]}, USER)
            assert apply_to_user(present, patch)["active"] is active


@pytest.mark.parametrize(("path", "value"), [("active", None), (None, {"active": None})])
def test_null_says_nothing_about_active(path: str | None, value: Any) -> None:
    assert patched(operation(REPLACE, path, value)) == BOB


def test_keys_of_a_value_may_be_paths() -> None:
    value = {
        "name.givenName": "Rob",
        'emails[type eq "home"].value': "n@x",
        f"{ENTERPRISE_SCHEMA}:department": "HR",
        f"{USER_SCHEMA}:nickName": "R",
        ENTERPRISE_SCHEMA: {"costCenter": "7"},
    }
    assert patched(operation(REPLACE, None, value)) == {
        **works_for(department="HR", costCenter="7"),
        "name": {"givenName": "Rob", "familyName": "Ray"},
        "emails": [WORK, {**HOME, "value": "n@x"}],
        "nickName": "R",
    }


@pytest.mark.parametrize(
    "name",
    [
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0User",
        "urn:scim:schemas:extension:enterprise:1.0",
        "urn:scim:schemas:extension:enterprise:2.0",
        "urn:scim:schemas:extension:enterprise:2.0:User",
    ],
)
def test_keys_with_another_name_of_the_extension_are_not_dropped(name: str) -> None:
    assert patched(operation(REPLACE, None, {f"{name}:department": "HR"})) == patched(
        operation(REPLACE, f"{ENTERPRISE_SCHEMA}:department", "HR")
    )


@pytest.mark.parametrize(
    "value",
    [
        {"shoeSize": 44},
        {"urn:example:1.0:User:x": 1},
        {"name": {"nom": "x"}},
        {"schemas": [USER_SCHEMA]},
        {},
        {"": 1},
        {"id": "7"},
        {"meta": {"version": "x"}},
        {"groups": []},
        {"groups": None},
        {ENTERPRISE_SCHEMA: {"x": 1}},
    ],
)
def test_what_a_body_may_hold_beyond_the_attributes_changes_nothing(value: dict[str, Any]) -> None:
    assert patched(operation(REPLACE, None, value)) == BOB


def test_adding_what_is_there_in_another_case_adds_nothing_but_what_else_is_said() -> None:
    """RFC 7644 3.5.2.1, and RFC 7643 2.4: a value of a type is there once; `value` and `type` aren't caseExact."""
    before = [operation(REPLACE, "emails", [{"value": "bob@x.example", "type": "work"}])]
    for said in ({"value": "BOB@x.example", "type": "Work"}, {"value": "bob@x.example", "type": "work"}):
        assert patched(*before, operation(ADD, "emails", [said])) == patched(*before)
        named = patched(*before, operation(ADD, "emails", [{**said, "display": "Bob"}]))
        assert named["emails"] == [{"value": "bob@x.example", "type": "work", "display": "Bob"}]


def test_a_null_adds_nothing_and_replaces_by_nothing() -> None:
    assert patched(operation(ADD, None, {"title": None})) == BOB
    assert patched(operation(REPLACE, None, {"title": None})) == bob(title=None)


def test_another_id_than_the_resources_own_is_refused() -> None:
    body = {"Operations": [operation(REPLACE, None, {"id": "8", "title": "x"})]}
    with pytest.raises(Mutability, match="id"):
        parse_patch(body, USER, resource_id="7")
    assert len(parse_patch(body, USER, resource_id="8").operations) == 1


# -- The request -------------------------------------------------------------------------------------------------


def test_operations_work_on_what_those_before_left() -> None:
    changed = patched(
        operation(REPLACE, "title", "A"),
        operation(REMOVE, "emails"),
        operation(ADD, "emails", [NEW]),
        operation(REPLACE, "title", "B"),
    )
    assert changed == bob(title="B", emails=[NEW])


def test_a_password_is_understood_and_kept_nowhere() -> None:
    for given in (
        operation(REPLACE, "password", "s3cret"),
        operation(ADD, None, {"password": "s3cret", "title": "Boss"}),
    ):
        assert patched(given) == BOB
        assert "s3cret" not in repr(parse_patch({"Operations": [given]}, USER))


def test_adding_a_schema_that_is_spoken_here_is_no_change() -> None:
    assert patched(operation(ADD, "schemas", [ENTERPRISE_SCHEMA])) == BOB


REFUSED: list[tuple[type[ScimError], dict[str, Any]]] = [
    # What the RFC calls each of these: 3.5.2, 3.5.2.2 and table 9 of 3.12.
    (NoTarget, operation(REMOVE)),
    (NoTarget, operation(REMOVE, None, {"title": "x"})),
    (InvalidPath, operation(REPLACE, "shoeSize", 44)),
    (InvalidPath, operation(REPLACE, "department", "HR")),
    (InvalidPath, operation(REPLACE, "name.nom", "x")),
    (InvalidPath, operation(REPLACE, "", "x")),
    (InvalidPath, operation(REPLACE, "/title", "x")),
    (InvalidPath, {"op": REPLACE, "path": 5, "value": "x"}),
    (InvalidPath, {"op": REPLACE, "path": ["title"], "value": "x"}),
    (InvalidPath, operation(REMOVE, 'name[givenName eq "Bob"]')),
    (InvalidPath, operation(REMOVE, "urn:example:1.0:User")),
    (InvalidFilter, operation(REMOVE, "emails[type eq work]")),
    (InvalidFilter, operation(REMOVE, "emails[shoeSize pr]")),
    (InvalidFilter, operation(REMOVE, "emails[")),
    (Mutability, operation(REPLACE, "id", "8")),
    (Mutability, operation(REMOVE, "id")),
    (Mutability, operation(REPLACE, "meta.version", "x")),
    (Mutability, operation(ADD, "groups", [{"value": "g"}])),
    (Mutability, operation(REMOVE, 'groups[value eq "g"]')),
    (Mutability, operation(REPLACE, None, {"groups": [{"value": "g"}]})),
    (Mutability, operation(REPLACE, f"{ENTERPRISE_SCHEMA}:manager.displayName", "x")),
    (Mutability, operation(REMOVE, "userName")),
    (Mutability, operation(REMOVE, USER_SCHEMA)),
    (Mutability, operation(REMOVE, "schemas")),
    (Mutability, operation(ADD, "schemas", ["urn:example:1.0:User"])),
    (InvalidValue, operation(REPLACE, "userName", None)),
    (InvalidValue, operation(REPLACE, "userName", "")),
    (InvalidValue, operation(REPLACE, None, {"userName": None})),
    (InvalidValue, operation(ADD, "title")),
    (InvalidValue, operation(ADD, "title", None)),
    (InvalidValue, operation(REPLACE, "title")),
    (InvalidValue, operation(ADD)),
    (InvalidValue, operation(REPLACE, None, None)),
    (InvalidValue, operation(REPLACE, None, "x")),
    (InvalidValue, operation(REPLACE, None, [{"title": "x"}])),
    (InvalidValue, operation(REPLACE, "title", 5)),
    (InvalidValue, operation(REPLACE, "title", ["x"])),
    (InvalidValue, operation(REPLACE, "active", "maybe")),
    (InvalidValue, operation(REPLACE, "name", "Bob")),
    (InvalidValue, operation(REPLACE, "emails", "n@x")),
    (InvalidValue, operation(ADD, "emails", [5])),
    (InvalidValue, operation(REMOVE, "emails", "w@x")),
    (InvalidValue, operation(REPLACE, 'emails[type eq "work"]', "n@x")),
    (InvalidValue, operation(REPLACE, 'emails[type eq "work"]', [NEW, HOME])),
    (InvalidValue, operation(REPLACE, 'emails[type eq "work"].value', 5)),
    (InvalidValue, operation(REPLACE, "emails.primary", True)),
    (InvalidValue, operation(ADD, "emails", [{**NEW, "primary": True}, {**HOME, "primary": True}])),
    (InvalidValue, operation(REPLACE, "title", "a\x00")),
    (InvalidValue, operation(REPLACE, ENTERPRISE_SCHEMA, "x")),
    (InvalidValue, operation(REPLACE, "password", 5)),
    (InvalidValue, operation(REPLACE, None, {"name.givenName": 5})),
    (InvalidSyntax, {"path": "title", "value": "x"}),
    (InvalidSyntax, operation("set", "title", "x")),
    (InvalidSyntax, {"op": 5, "path": "title", "value": "x"}),
]


@pytest.mark.parametrize(("reason", "refused"), REFUSED)
def test_what_cannot_be_applied_is_refused_with_its_reason(reason: type[ScimError], refused: dict[str, Any]) -> None:
    with pytest.raises(reason):
        patched(refused)


@pytest.mark.parametrize(("reason", "refused"), REFUSED)
def test_a_refused_operation_takes_the_whole_request_with_it(reason: type[ScimError], refused: dict[str, Any]) -> None:
    with pytest.raises(reason):
        patched(operation(REPLACE, "title", "Chief"), refused, operation(REPLACE, "nickName", "B"))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"Operations": None},
        {"Operations": []},
        {"Operations": {}},
        {"Operations": "x"},
        {"Operations": [5]},
        {"Operations": [None]},
        {"schemas": [USER_SCHEMA], "Operations": [operation(REPLACE, "title", "x")]},
        {"schemas": "x", "Operations": [operation(REPLACE, "title", "x")]},
        {"userName": "bob"},
    ],
)
def test_what_is_no_patch_is_invalid_syntax(body: dict[str, Any]) -> None:
    with pytest.raises(InvalidSyntax):
        parse_patch(body, USER)


@pytest.mark.parametrize(
    "urns",
    [["urn:ietf:params:scim:api:messages:2.0:PatchOp"], ["URN:IETF:params:scim:api:messages:2.0:patchop"], [], ["x"]],
)
def test_a_patch_is_known_by_its_operations(urns: list[str]) -> None:
    assert parse_patch(
        {"SCHEMAS": urns, "operations": [{"OP": "REPLACE", "Path": "title", "VALUE": "x"}]}, USER
    ).operations


def test_there_is_a_limit_to_operations_and_to_values() -> None:
    with pytest.raises(TooMany):
        patched(*[operation(REPLACE, "title", "x")] * (MAX_USER_EFFORT + 1))
    with pytest.raises(TooMany):
        patched(*[operation(REMOVE, 'emails[type eq "a" or type eq "b"]')] * (MAX_USER_EFFORT // 3 + 1))
    with pytest.raises(InvalidValue, match="roles"):
        patched(
            operation(REPLACE, "roles", [{"value": str(i)} for i in range(MAX_VALUES)]),
            operation(ADD, "roles", {"value": "one more"}),
        )
