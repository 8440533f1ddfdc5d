"""Users and Groups from the wire: tolerant of how it is said, strict in what is kept."""

from typing import Any

import orjson
import pytest

from scim.errors import InvalidValue
from scim.patch import apply_to_user, parse_patch
from scim.resources import MAX_DOCUMENT, GroupBody, parse_document, parse_group, parse_user, replace_user
from scim.schemas import ENTERPRISE_SCHEMA, GROUP_SCHEMA, USER, USER_SCHEMA
from scim.values import MAX_TEXT, MAX_VALUES


def user(**attributes: Any) -> dict[str, Any]:
    """The document of a user with these attributes, less what every one has."""
    document = parse_user({"userName": "bob", **attributes})
    assert document.pop("userName") == "bob"
    assert document.pop("active") is True
    return document


def enterprise(**attributes: Any) -> Any:
    return user(**{ENTERPRISE_SCHEMA: attributes}).get(ENTERPRISE_SCHEMA, {})


# -- Names and unknown attributes --------------------------------------------------------------------------------


def test_names_get_the_case_of_the_schema() -> None:
    body = {"USERNAME": "bob", "Emails": [{"VALUE": "b@x", "Primary": True}], "NAME": {"givenname": "B"}}
    assert parse_user(body) == {
        "userName": "bob",
        "emails": [{"value": "b@x", "primary": True}],
        "name": {"givenName": "B"},
        "active": True,
    }


def test_unknown_attributes_are_ignored_at_every_level() -> None:
    unknown = {"shoeSize": 44, "department": None, "urn:example:ext:1.0:User": {"x": 1}, "": 1}
    assert user(**unknown, name={"givenName": "B", "nom": "x"}, emails=[{"value": "b@x", "verified": True}]) == {
        "name": {"givenName": "B"},
        "emails": [{"value": "b@x"}],
    }


def test_what_is_the_servers_is_ignored() -> None:
    server = {"id": "7", "meta": {"version": 5}, "groups": [{"value": "g"}], "schemas": [USER_SCHEMA]}
    assert user(**server, **{ENTERPRISE_SCHEMA: {"manager": {"value": "m", "displayName": "Boss"}}}) == {
        ENTERPRISE_SCHEMA: {"manager": {"value": "m"}}
    }


def test_a_password_is_kept_nowhere() -> None:
    assert "s3cret" not in repr(parse_user({"userName": "bob", "password": "s3cret"}))


def test_external_id_is_kept_as_it_is() -> None:
    assert user(externalId="AbC ") == {"externalId": "AbC "}


# -- Unassigned --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("nothing", [None, "", []])
def test_null_empty_text_and_empty_list_are_all_unassigned(nothing: object) -> None:
    assert user(emails=nothing, roles=nothing) == {}


@pytest.mark.parametrize("nothing", [None, ""])
def test_a_cleared_text_is_not_there(nothing: object) -> None:
    assert user(title=nothing, name={"givenName": nothing}, externalId=nothing) == {}


def test_a_value_with_nothing_in_it_is_not_there() -> None:
    assert user(emails=[None, {}, {"value": None}, {"type": ""}], name={}) == {}


def test_an_empty_extension_is_not_there() -> None:
    for empty in ({}, None, {"department": None}):
        assert user(**{ENTERPRISE_SCHEMA: empty}) == {}


# -- Types -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attributes", "named"),
    [
        ({"title": 5}, "title"),
        ({"title": ["x"]}, "title"),
        ({"title": {"value": "x"}}, "title"),
        ({"active": "yes"}, "active"),
        ({"active": 1}, "active"),
        ({"active": ""}, "active"),
        ({"name": "Bob"}, "name"),
        ({"name": []}, "name"),
        ({"name": {"givenName": 5}}, "name.givenName"),
        ({"emails": "b@x"}, "emails"),
        ({"emails": 5}, "emails"),
        ({"emails": ["b@x"]}, "emails"),
        ({"emails": [[]]}, "emails"),
        ({"emails": [{"value": 5}]}, "emails.value"),
        ({"emails": [{"value": "b@x", "primary": "maybe"}]}, "emails.primary"),
        ({"photos": [{"value": {}}]}, "photos.value"),
        ({"x509Certificates": [{"value": "not base64!"}]}, "x509Certificates.value"),
        ({"password": 5}, "password"),
        ({"externalId": 5}, "externalId"),
        ({ENTERPRISE_SCHEMA: "x"}, ENTERPRISE_SCHEMA),
        ({ENTERPRISE_SCHEMA: {"department": 5}}, "department"),
        ({ENTERPRISE_SCHEMA: {"manager": 5}}, "manager"),
        ({ENTERPRISE_SCHEMA: {"manager": [{"value": "a"}, {"value": "b"}]}}, "manager"),
        ({ENTERPRISE_SCHEMA: {"manager": {"value": 5}}}, "manager.value"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_by_name(attributes: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidValue, match=rf"^{named.replace('.', '[.]')} must "):
        user(**attributes)


@pytest.mark.parametrize("text", ["a\x00b", "\x00", "\ud800", "x\udfff"])
@pytest.mark.parametrize("where", ["userName", "title", "externalId", "name", "emails", "password"])
def test_nul_and_lone_surrogates_are_refused_everywhere(text: str, where: str) -> None:
    value: Any = {"name": {"familyName": text}, "emails": [{"display": text}]}.get(where, text)
    with pytest.raises(InvalidValue):
        parse_user({"userName": "bob", where: value})


@pytest.mark.parametrize(
    "name", ["Bjørn", "李小龍", "🐝", "a\nb", "o'neil; drop table", "x" * 2_000, "e\u0301", "\u202eabc"]
)
def test_any_other_text_is_kept_as_it_is(name: str) -> None:
    assert parse_user({"userName": name})["userName"] == name


@pytest.mark.parametrize("where", ["userName", "externalId", "emails"])
def test_what_is_looked_up_by_fits_into_an_index(where: str) -> None:
    long = "ΐ" * 1_000
    with pytest.raises(InvalidValue, match=where):
        parse_user({"userName": "bob", where: [{"value": long}] if where == "emails" else long})


@pytest.mark.parametrize("said", [True, "True", "true", "TRUE"])
def test_true_is_understood_in_the_words_of_entra(said: object) -> None:
    assert parse_user({"userName": "bob", "active": said})["active"] is True


@pytest.mark.parametrize("said", [False, "False", "false"])
def test_false_is_understood_in_the_words_of_entra(said: object) -> None:
    assert parse_user({"userName": "bob", "active": said})["active"] is False


# -- Required and multi-valued -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [None, "", " ", "\t\n"])
def test_a_user_has_a_user_name(name: object) -> None:
    with pytest.raises(InvalidValue, match="userName"):
        parse_user({"userName": name})
    with pytest.raises(InvalidValue, match="userName"):
        parse_user({})


def test_one_object_is_taken_for_a_list_of_it() -> None:
    assert user(emails={"value": "b@x"}) == {"emails": [{"value": "b@x"}]}


def test_the_same_value_twice_is_kept_once_and_in_order() -> None:
    one, other = {"value": "a@x", "type": "work"}, {"value": "b@x", "type": "work"}
    assert user(emails=[one, other, dict(one)]) == {"emails": [one, other]}


def test_two_primary_values_are_refused() -> None:
    with pytest.raises(InvalidValue, match="primary"):
        user(emails=[{"value": "a@x", "primary": True}, {"value": "b@x", "primary": "True"}])


def test_one_primary_and_any_number_of_others_are_fine() -> None:
    emails = [{"value": "a@x", "primary": False}, {"value": "b@x", "primary": True}, {"value": "c@x", "primary": False}]
    assert user(emails=emails) == {"emails": emails}


def test_there_is_a_limit_to_a_user_in_all() -> None:
    """Or a page of users would be as large as anybody makes it."""

    def largest(more: str = "") -> dict[str, Any]:
        photos = [{"value": "x" * MAX_TEXT}, {"value": "x" * (MAX_TEXT - room) + more}]
        return {"userName": "bob", "active": True, "photos": photos}

    room = 0
    room = len(orjson.dumps(largest())) - MAX_DOCUMENT
    present = parse_document(largest())
    with pytest.raises(InvalidValue, match="bytes"):
        parse_document(largest("x"))
    for path in ("title", f"{ENTERPRISE_SCHEMA}:department"):
        with pytest.raises(InvalidValue, match="bytes"):
            apply_to_user(present, parse_patch({"Operations": [{"op": "add", "path": path, "value": "x"}]}, USER))


def test_there_is_a_limit_to_how_many_values() -> None:
    assert len(user(roles=[{"value": str(i)} for i in range(MAX_VALUES)])["roles"]) == MAX_VALUES
    with pytest.raises(InvalidValue, match="roles"):
        user(roles=[{"value": str(i)} for i in range(MAX_VALUES + 1)])


@pytest.mark.parametrize("where", ["title", "photos", ENTERPRISE_SCHEMA])
def test_there_is_a_limit_to_how_long_a_text_is(where: str) -> None:
    def with_text(text: str) -> Any:
        return user(**{where: {"title": text, "photos": [{"value": text}]}.get(where, {"department": text})})

    assert "x" * MAX_TEXT in str(with_text("x" * MAX_TEXT))
    with pytest.raises(InvalidValue, match=str(MAX_TEXT)):
        with_text("x" * (MAX_TEXT + 1))


# -- Schemas and the extension -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "urns",
    [
        [USER_SCHEMA],
        [],
        ["urn:scim:schemas:core:2.0"],
        ["urn:scim:schemas:core:1.0", USER_SCHEMA],
        [USER_SCHEMA, GROUP_SCHEMA],
        [USER_SCHEMA.upper()],
        [ENTERPRISE_SCHEMA],
    ],
)
def test_unknown_schemas_are_taken_as_long_as_the_type_is_clear(urns: list[str]) -> None:
    assert user(schemas=urns) == {}


@pytest.mark.parametrize("urns", [[GROUP_SCHEMA], [GROUP_SCHEMA.lower(), "urn:x"], USER_SCHEMA, [5], {}, 5])
def test_another_type_or_no_list_of_urns_is_refused(urns: object) -> None:
    with pytest.raises(InvalidValue, match="schemas"):
        user(schemas=urns)


@pytest.mark.parametrize(
    "urn",
    [
        ENTERPRISE_SCHEMA,
        ENTERPRISE_SCHEMA.upper(),
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0User",
        "urn:scim:schemas:extension:enterprise:1.0",
    ],
)
def test_the_enterprise_extension_is_known_by_all_its_names(urn: str) -> None:
    assert user(**{urn: {"Department": "R&D", "EMPLOYEENUMBER": "7"}}) == {
        ENTERPRISE_SCHEMA: {"department": "R&D", "employeeNumber": "7"}
    }


@pytest.mark.parametrize(
    "said",
    [
        "m1",
        {"value": "m1"},
        {"Value": "m1"},
        [{"value": "m1"}],
        ["m1"],
        {"value": "m1", "displayName": "Boss"},
        {"value": "m1", "$ref": None},
    ],
)
def test_a_manager_is_understood_in_every_spelling(said: object) -> None:
    assert enterprise(manager=said) == {"manager": {"value": "m1"}}


def test_a_manager_by_reference_alone_is_who_it_refers_to() -> None:
    uri = "https://bridge.example/scim/v2/Users/m1"
    for said in ({"$ref": uri}, [{"$ref": uri, "value": ""}]):
        assert enterprise(manager=said) == {"manager": {"$ref": uri, "value": "m1"}}


@pytest.mark.parametrize("said", [None, "", [], {}, {"value": None}, {"value": "", "$ref": None}])
def test_no_manager_is_understood_in_every_spelling(said: object) -> None:
    assert enterprise(manager=said) == {}


def test_a_manager_outside_of_the_extension_is_put_into_it() -> None:
    assert user(manager="m1", **{ENTERPRISE_SCHEMA: {"department": "R&D"}}) == {
        ENTERPRISE_SCHEMA: {"department": "R&D", "manager": {"value": "m1"}}
    }


# -- PUT ---------------------------------------------------------------------------------------------------------


def test_a_put_replaces_everything() -> None:
    present = {"userName": "bob", "title": "Boss", "active": True, ENTERPRISE_SCHEMA: {"department": "R&D"}}
    assert replace_user(present, {"userName": "rob", "nickName": "R"}) == {
        "userName": "rob",
        "nickName": "R",
        "active": True,
    }


@pytest.mark.parametrize("active", [True, False])
def test_a_put_without_active_leaves_it_as_it_was(active: bool) -> None:
    assert replace_user({"userName": "bob", "active": active}, {"userName": "bob"})["active"] is active


def test_a_put_with_active_sets_it() -> None:
    assert replace_user({"userName": "bob", "active": False}, {"userName": "bob", "active": "True"})["active"] is True


# -- Groups ------------------------------------------------------------------------------------------------------


def test_a_group_has_a_name_an_external_id_and_members() -> None:
    body = {"DisplayName": "eng", "externalID": "E-1", "members": [{"value": "a", "display": "Ann"}, {"value": "b"}]}
    assert parse_group(body) == GroupBody("eng", "E-1", ("a", "b"))


@pytest.mark.parametrize("members", [None, [], ""])
def test_a_group_may_be_empty(members: object) -> None:
    assert parse_group({"displayName": "eng", "members": members}) == GroupBody("eng", None, ())


def test_a_member_named_twice_is_in_once() -> None:
    assert parse_group({"displayName": "eng", "members": [{"value": "b"}, {"value": "a"}, {"value": "b"}]}).members == (
        "b",
        "a",
    )


@pytest.mark.parametrize(
    "member",
    [
        {"value": "g", "type": "Group"},
        {"value": "g", "TYPE": "group"},
        {"value": "g", "$ref": "https://bridge.example/scim/v2/Groups/g"},
    ],
)
def test_a_group_within_a_group_is_refused(member: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue, match="group"):
        parse_group({"displayName": "eng", "members": [{"value": "a"}, member]})


@pytest.mark.parametrize(
    "members", [5, "a", ["a"], [None], [{}], [{"display": "Ann"}], [{"value": ""}], [{"value": 5}]]
)
def test_members_are_objects_with_a_value(members: object) -> None:
    with pytest.raises(InvalidValue, match="member"):
        parse_group({"displayName": "eng", "members": members})


@pytest.mark.parametrize("name", [None, "", " ", 5, "a\x00", "ΐ" * 1_000])
def test_a_group_has_a_proper_name(name: object) -> None:
    with pytest.raises(InvalidValue, match="displayName"):
        parse_group({"displayName": name})


def test_a_user_is_no_group() -> None:
    with pytest.raises(InvalidValue, match="schemas"):
        parse_group({"schemas": [USER_SCHEMA], "displayName": "eng"})
