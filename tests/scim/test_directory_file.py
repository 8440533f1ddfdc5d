"""A file of people and groups: its three forms, and all that can be wrong with them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim.directory_file import DirectoryFile
from scim.file_forms import parse_directory_file
from scim.resources import NO_GROUPS_IN_GROUPS
from scim.schemas import ENTERPRISE_SCHEMA, GROUP_SCHEMA, USER_SCHEMA


def parse(said: str | dict[str, Any]) -> DirectoryFile:
    return parse_directory_file((said if isinstance(said, str) else json.dumps(said, indent=1)).encode())


def faults(said: str | dict[str, Any]) -> list[tuple[int, str]]:
    return [(fault.line, fault.text) for fault in parse(said).faults]


def documents(file: DirectoryFile) -> list[dict[str, Any]]:
    assert file.faults == ()
    return [person.document_after(None) for person in file.people]


# -- CSV ---------------------------------------------------------------------------------------------


def test_a_row_is_a_scim_user() -> None:
    [ann] = documents(
        parse(
            "\ufeffUSERNAME,email,givenName,name.formatted,Active,externalId,department,manager\r\n"
            'ann,ann@acme.example,Ann,"Doe, Ann",False,E1,Eng,E2\r\n'
        )
    )
    assert ann == {
        "userName": "ann",
        "emails": [{"value": "ann@acme.example", "type": "work", "primary": True}],
        "name": {"givenName": "Ann", "formatted": "Doe, Ann"},
        "active": False,
        "externalId": "E1",
        ENTERPRISE_SCHEMA: {"department": "Eng", "manager": {"value": "E2"}},
    }


def test_groups_are_named_once_a_person_whatever_their_case() -> None:
    file = parse("userName,groups\nann,eng; Ops ;ENG;;\nbob,OPS")
    assert [(group.name, group.members, group.line) for group in file.groups] == [("eng", [0], 2), ("Ops", [0, 1], 2)]
    assert file.telling == "groups of people"
    assert parse("userName\nann").telling == "nothing"


def test_a_fault_has_the_line_that_its_row_begins_in() -> None:
    assert faults('userName,title,active\nann,"two\nlines",true\nbob,,what\n\neve,x\n') == [
        (4, "active must be true or false."),
        (6, "This row has 2 cells where the heading has 3."),
    ]


@pytest.mark.parametrize(
    ("heading", "fault"),
    [
        ("userName,e-mail", "There is no column 'e-mail'"),
        ("userName,password", "There is no column 'password'"),
        ("userName,phoneNumbers", "There is no column 'phoneNumbers'"),
        ("userName,name", "There is no column 'name'"),
        ("userName,id", "There is no column 'id'"),
        ("userName,title,TITLE", "The column 'TITLE' is there twice"),
        ("userName,givenName,name.givenName", "The column 'givenName' is there twice"),
        ("userName,groups,Groups", "The column 'Groups' is there twice"),
        ("email,title", "The column userName is missing."),
        (",,", "The first line must name the columns"),
        ("userName|email", "Columns are separated by commas, semicolons or tabs, not by '|'."),
    ],
)
def test_a_heading_that_is_not_understood_is_refused(heading: str, fault: str) -> None:
    assert any(line == 1 and text.startswith(fault) for line, text in faults(f"{heading}\nann,b,c"))


def test_a_column_is_twice_only_where_another_is_the_same() -> None:
    of_user = "a column is an attribute of User with one value, or groups."
    for names in ("email,groups,foo", "foo,groups", "email,emails,foo,foo"):
        unknown = [name for name in names.split(",") if name in ("foo", "emails")]
        assert faults(f"userName,{names}\n") == [(1, f"There is no column {name!r}: {of_user}") for name in unknown]


def test_what_is_no_csv_and_no_text_is_refused() -> None:
    assert faults('[{"userName": "ann"}]') == [
        (1, 'A JSON file is one object, {"Users": […], "Groups": […]}, and no list.')
    ]
    assert faults('userName\nann\n"bob\n')[0][0] == 3
    assert [(fault.line, fault.text) for fault in parse_directory_file(b"userName\n\xff").faults] == [
        (2, "This is not UTF-8. Save it as UTF-8 (in Excel: CSV UTF-8).")
    ]
    assert faults(" \n") == [(1, "The file is empty.")]
    assert faults("userName\nann\x00") == [(2, "userName must not contain NUL.")]


def test_columns_say_nothing_of_the_rest() -> None:
    [ann] = parse("userName,active,title,familyName,email\nann,,,Doe,ann@acme.example").people
    email = {"value": "ann@acme.example", "type": "home"}
    present = {"userName": "ann", "active": False, "title": "Boss", "nickName": "A", "emails": [email]}
    assert ann.document_after(present) == {
        "userName": "ann",
        "active": False,
        "nickName": "A",
        "name": {"familyName": "Doe"},
        "emails": [email],
    }


@pytest.mark.parametrize("parting", [",", ";", "\t"])
def test_a_sheet_is_read_as_excel_saves_it(parting: str) -> None:
    """A mark of UTF-8 in front, semicolons where commas are for decimals, quotes as needed, rows of nothing."""
    rows = [
        ["userName", "title", "groups"],
        ["ann", '"Head, ""R&D""; acting"', '"eng;ops"'],
        ["", " ", ""],
        ["bob", "", ""],
    ]
    file = parse("\ufeff" + "\r\n".join(parting.join(row) for row in rows) + "\r\n")
    assert [person["userName"] for person in documents(file)] == ["ann", "bob"]
    assert documents(file)[0]["title"] == 'Head, "R&D"; acting'
    assert [group.name for group in file.groups] == ["eng", "ops"]


@pytest.mark.parametrize("cell", ["=1+1", "@SUM(A1)", "<script>", "'; DROP TABLE users; --", "\u202egro.elgoog", "%_"])
def test_a_cell_is_taken_as_it_is(cell: str) -> None:
    [ann] = documents(parse(f"userName,title\nann,{cell}"))
    assert ann["title"] == cell


def test_a_column_of_addresses_says_nothing_of_those_at_home() -> None:
    work, home = {"value": "a@w.example", "type": "work", "primary": True}, {"value": "a@h.example", "type": "home"}
    present = {"userName": "ann", "active": True, "emails": [work, {**home, "primary": False}]}
    [moved] = parse("userName,email\nann,b@w.example").people
    assert moved.document_after(present)["emails"] == [{**work, "value": "b@w.example"}, home]
    [cleared] = parse("userName,email\nann,").people
    assert cleared.document_after({**present, "emails": [work, home]})["emails"] == [home]
    [same] = parse("userName,email\nann,a@h.example").people
    first = same.document_after(present)
    assert first["emails"] == [{**work, "value": "a@h.example"}]
    assert same.document_after(first) == first


# -- JSON --------------------------------------------------------------------------------------------

ANN, BOB = {"id": "1", "userName": "ann"}, {"id": "2", "userName": "bob"}


def test_members_are_people_of_the_file_by_its_ids_else_somebody_elsewhere() -> None:
    group = {"displayName": "eng", "externalId": "g", "members": [{"value": "2"}, {"value": "far"}]}
    file = parse({"Groups": [group], "Users": [ANN, BOB]})
    assert [(each.name, each.external_id, each.members, each.others) for each in file.groups] == [
        ("eng", "g", [1], ["far"])
    ]
    assert file.telling == "members of groups"


def test_a_group_as_a_member_is_told_as_one() -> None:
    groups = [{"id": "all", "displayName": "all"}, {"displayName": "eng", "members": [{"value": "all"}]}]
    [fault] = parse({"Groups": groups, "Users": [ANN]}).faults
    assert fault.text.endswith("The member all is a group of this file. " + NO_GROUPS_IN_GROUPS)
    bulk = [
        operation("/Groups", {"displayName": "all"}, bulkId="a"),
        operation("/Groups", {"displayName": "eng", "members": [{"value": "bulkId:a"}]}),
    ]
    [fault] = parse({"Operations": bulk}).faults
    assert fault.text.endswith("The member bulkId:a is a group of this file. " + NO_GROUPS_IN_GROUPS)


def test_a_list_response_tells_users_and_groups_apart() -> None:
    group = {"schemas": [GROUP_SCHEMA], "displayName": "eng", "members": [{"value": "1"}]}
    file = parse({"totalResults": 2, "Resources": [{**ANN, "schemas": [USER_SCHEMA]}, group]})
    assert (file.faults, len(file.people), file.groups[0].members) == ((), 1, [0])


def test_a_page_of_a_list_is_not_taken_for_all_of_it() -> None:
    """Or with --deactivate-missing the other pages would be suspended."""
    assert faults({"totalResults": 3, "Resources": [ANN, BOB]}) == [
        (1, "This is a page of a list: it says totalResults 3 and has 2.")
    ]


def test_every_fault_has_the_line_of_its_element() -> None:
    text = '{"Users": [\n{"userName": "ann"},\n{"userName": 7},\n\n{"userName": "ANN"},\n[1]\n],\n"Groups": {"a": 1}}'
    assert faults(text) == [
        (3, "userName must be a string."),
        (5, "userName 'ANN' is in line 2 already."),
        (6, "The body must be a JSON object."),
        (8, "Groups must be a list."),
    ]


def test_what_is_twice_in_one_line_is_twice() -> None:
    """A program writes a file of JSON in one line; its elements are then told by their places."""
    users, groups = [ANN, {**BOB, "userName": "Ann"}, {"userName": 7}], [{"displayName": "eng"}, {"displayName": "ENG"}]
    assert [
        (fault.line, fault.text)
        for fault in parse_directory_file(json.dumps({"Users": users, "Groups": groups}).encode()).faults
    ] == [
        (1, "Users[1]: userName 'Ann' is in line 1 already."),
        (1, "Users[2]: userName must be a string."),
        (1, "Groups[1]: displayName of a group without externalId 'ENG' is in line 1 already."),
    ]


def test_a_group_may_have_more_members_than_a_request_may_hold_values() -> None:
    members = [{"value": "1", "type": "User", "display": "x", "$ref": "y"}] * 90_000
    file = parse({"Users": [ANN], "Groups": [{"displayName": "eng", "members": members}]})
    assert (file.faults, file.groups[0].members) == ((), [0])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('{"Users": [\n{"userName": "ann"}\n{"userName": "bob"}]}', 3),
        ('{"Users": [{"userName": "ann"},\n]}', 2),
        ('{"Users": [{"userName": "ann"}]}\n}', 2),
        ('{"Users": [{"userName": "ann"', 1),
        ('{"Users": [{"userName": NaN}]}', 1),
        ("{7: []}", 1),
        ('{"x": ' + "[" * 100_000, 1),
        ('{"Users": [{"userName": "\\ud800"}]}', 1),
        ('{"Users": [' + '{"a":' * 40 + "1" + "}" * 40 + "]}", 1),
        ('{"people": []}', 1),
        ("{}", 1),
    ],
)
def test_what_is_not_json_or_no_directory_is_refused_in_its_line(text: str, line: int) -> None:
    assert [found for found, _ in faults(text)] == [line]


def test_a_record_is_what_the_file_says_but_for_active_and_external_id() -> None:
    [ann] = parse({"Users": [ANN]}).people
    assert ann.document_after({"userName": "ann", "active": False, "externalId": "E", "title": "x"}) == {
        "userName": "ann",
        "active": False,
        "externalId": "E",
    }


# -- Bulk --------------------------------------------------------------------------------------------


def operation(path: str, data: Any, **more: str) -> dict[str, Any]:
    return {"method": "POST", "path": path, "data": data, **more}


def test_a_bulk_request_ties_members_by_bulk_id_whichever_comes_first() -> None:
    group = operation("/Groups", {"displayName": "eng", "members": [{"value": "bulkId:a"}]})
    file = parse({"Operations": [group, operation("/Users", {"userName": "ann"}, bulkId="a")]})
    assert (file.faults, file.groups[0].members) == ((), [0])


@pytest.mark.parametrize(
    "refused",
    [
        {**operation("/Users", {"userName": "ann"}), "method": "DELETE"},
        operation("/Users/7", {"userName": "ann"}),
        operation("/Users", None),
        operation("/Groups", {"displayName": "eng", "members": [{"value": "bulkId:nobody"}]}),
        operation("/Users", {"userName": "ann", ENTERPRISE_SCHEMA: {"manager": {"value": "bulkId:nobody"}}}),
    ],
)
def test_no_operation_of_a_bulk_request_is_dropped(refused: dict[str, Any]) -> None:
    assert len(faults({"Operations": [operation("/Users", {"userName": "bob"}), refused]})) == 1


def managed_by(reference: str, **user: Any) -> dict[str, Any]:
    return {**user, ENTERPRISE_SCHEMA: {"manager": {"value": reference, "$ref": "../Users/far"}}}


def test_a_manager_is_one_of_the_file_whichever_comes_first() -> None:
    """RFC 7644 3.7.2, circles and oneself included; and by the ids that the file gives its people."""
    bulk = parse(
        {
            "Operations": [
                operation("/Users", managed_by("bulkId:b", userName="ann"), bulkId="a"),
                operation("/Users", managed_by("bulkId:a", userName="bob"), bulkId="b"),
                operation("/Users", managed_by("bulkId:c", userName="cat"), bulkId="c"),
                operation("/Users", managed_by("E17", userName="dan"), bulkId="d"),
            ]
        }
    )
    assert (bulk.faults, [person.manager for person in bulk.people]) == ((), [1, 0, 2, None])
    ids = parse({"Users": [managed_by("2", **ANN), managed_by("far", **BOB)]})
    assert [person.manager for person in ids.people] == [1, None]
    said = ids.people[0].document_after(None, "our id of bob")
    assert said[ENTERPRISE_SCHEMA] == {"manager": {"value": "our id of bob"}}


# -- Anything ----------------------------------------------------------------------------------------


SOMETHING = st.one_of(st.text(), st.text().map('{"Users":['.__add__), st.text().map("userName,groups\n".__add__))


@given(content=st.one_of(st.binary(), SOMETHING.map(str.encode)))
def test_whatever_is_in_a_file_it_is_understood_or_refused(content: bytes) -> None:
    file = parse_directory_file(content)
    assert all(fault.line >= 1 and fault.text for fault in file.faults)
    assert all(0 <= place < len(file.people) for group in file.groups for place in group.members)
    assert file.faults or all(person.document_after(None)["userName"] for person in file.people)
