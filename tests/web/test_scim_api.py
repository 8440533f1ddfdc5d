"""`/scim/v2` as IdPs call it: status codes, headers, and each vendor's own way of saying things."""

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from bridge.flows.context import OPERATOR
from bridge.flows.provision_users import get_user
from bridge.flows.tokens import revoke_token
from bridge.storage.changes import changing
from bridge.storage.connections import set_connection
from tests.overheard import statements
from tests.web.scim_calls import (
    ERROR,
    GROUP,
    USER,
    Call,
    body_of,
    caller,
    created,
    new_token,
    new_user,
    patch,
    refused,
    token_of,
)
from tests.world import World, another_connection

# -- What a reading costs ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/Users/{id}", '/Users?filter=userName eq "ANN@acme.example"', '/Users?filter=id eq "{id}"']
)
def test_to_read_a_person_with_their_groups_takes_two_statements(world: World, call: Call, path: str) -> None:
    """Who calls, at every call anew; and who is asked for."""
    ann = created(call, "/Users", new_user())
    groups = [
        created(call, "/Groups", {"schemas": [GROUP], "displayName": name, "members": [{"value": ann["id"]}]})
        for name in ("ops", "eng", "all")
    ]
    created(call, "/Users", new_user("ben@acme.example"))
    with statements(world.context.database) as said:
        answer = body_of(call("GET", path.format(id=ann["id"])))
    assert len(said) == 2, said
    [shown] = answer.get("Resources", [answer])
    assert shown["id"] == ann["id"]
    assert [(each["value"], each["display"]) for each in shown["groups"]] == [
        (group["id"], group["displayName"]) for group in groups
    ]


def test_an_address_of_ours_goes_into_headers_as_a_uri(app: Flask, world: World) -> None:
    app.extensions["bridge"] = replace(world.context, public_url="https://žluť.example")
    answer = caller(app.test_client(), token_of(world))("POST", "/Users", new_user())
    assert answer.headers["Location"].startswith("https://xn--lu-")
    assert body_of(answer)["meta"]["location"].startswith("https://žluť.example/scim/v2/Users/")


# -- Who calls ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/Users", "/ServiceProviderConfig", "/Nowhere", "/Users/x"])
@pytest.mark.parametrize("sent", ["", "Bearer", "Bearer bscim_wrong", "Basic YTpi", "Bearer \x00"])
def test_without_a_good_token_everything_is_401(client: FlaskClient, path: str, sent: str) -> None:
    answer = client.get(f"/scim/v2{path}", headers={"Authorization": sent} if sent else {})
    refused(answer, 401)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_revoked_token_is_refused_at_the_next_call(world: World, client: FlaskClient) -> None:
    token = new_token(world)
    call = caller(client, token.token)
    assert call("GET", "/Users").status_code == 200
    revoke_token(world.context, OPERATOR, world.workspace.slug, token.id, world.now)
    refused(call("GET", "/Users"), 401)


def test_a_disabled_connection_is_closed_now(world: World, call: Call) -> None:
    with changing(world.context.database, OPERATOR, world.now) as change:
        set_connection(change, world.connection.key, enabled=False)
    refused(call("POST", "/Users", new_user()), 403)


def test_a_token_sees_its_own_connections_directory_only(world: World, client: FlaskClient, call: Call) -> None:
    ann = created(call, "/Users", new_user())
    group = created(call, "/Groups", {"schemas": [GROUP], "displayName": "eng", "members": [{"value": ann["id"]}]})
    other = caller(client, token_of(another_connection(world, "Entra")))
    for path in (f"/Users/{ann['id']}", f"/Groups/{group['id']}"):
        refused(other("GET", path), 404)
        refused(other("DELETE", path), 404)
        remove = patch({"op": "replace", "path": "displayName", "value": "x"})
        refused(other("PATCH", path, remove), 404)
    assert body_of(other("GET", f'/Users?filter=id eq "{ann["id"]}"'))["totalResults"] == 0
    assert body_of(other("GET", "/Groups"))["totalResults"] == 0
    refused(other("POST", "/Groups", {"displayName": "x", "members": [{"value": ann["id"]}]}), 400, "invalidValue")


# -- Users -------------------------------------------------------------------------------------------


def test_a_created_user_is_answered_whole_with_location_and_version(call: Call) -> None:
    answer = call("POST", "/Users", new_user(externalId="00u1", name={"givenName": "Ann", "familyName": "Lee"}))
    said = body_of(answer)
    assert answer.status_code == 201
    assert answer.headers["Location"] == said["meta"]["location"] == f"http://localhost:8000/scim/v2/Users/{said['id']}"
    assert answer.headers["ETag"] == said["meta"]["version"] == 'W/"0"'
    assert said["name"] == {"givenName": "Ann", "familyName": "Lee"}
    assert body_of(call("GET", f"/Users/{said['id']}")) == said


def test_a_password_is_taken_and_forgotten(call: Call) -> None:
    said = created(call, "/Users", new_user(password="correct horse"))
    assert "password" not in said
    assert "correct horse" not in call("GET", f"/Users/{said['id']}").text


def test_the_same_user_name_twice_is_409_uniqueness(call: Call) -> None:
    created(call, "/Users", new_user())
    refused(call("POST", "/Users", new_user("ANN@acme.example")), 409, "uniqueness")


def test_who_is_not_found_can_be_created_and_who_conflicts_can_be_found(call: Call) -> None:
    look_up = '/Users?filter=userName eq "Ann@Acme.example"'
    assert body_of(call("GET", look_up))["totalResults"] == 0
    created(call, "/Users", new_user())
    assert body_of(call("GET", look_up))["totalResults"] == 1


def test_absent_is_not_false(call: Call) -> None:
    ann = created(call, "/Users", new_user())
    answer = call("PATCH", f"/Users/{ann['id']}", patch({"op": "replace", "value": {"displayName": "Ann"}}))
    assert body_of(answer)["active"] is True
    assert body_of(call("PUT", f"/Users/{ann['id']}", new_user()))["active"] is True


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "value": {"active": False}},
        {"op": "Replace", "path": "active", "value": "False"},
        {"op": "replace", "path": "urn:ietf:params:scim:schemas:core:2.0:User:active", "value": False},
    ],
    ids=["Okta", "Entra", "URN"],
)
def test_each_vendors_deactivation_deactivates(call: Call, operation: dict[str, Any]) -> None:
    ann = created(call, "/Users", new_user())
    answer = call("PATCH", f"/Users/{ann['id']}", patch(operation))
    assert body_of(answer)["active"] is False
    assert body_of(call("GET", f"/Users/{ann['id']}"))["active"] is False


CLEARED = [
    {"op": "remove", "path": "active"},
    {"op": "replace", "path": "active", "value": None},
    {"op": "replace", "value": {"active": None}},
    {"op": "Add", "value": {"active": None}},
    {"op": "remove", "path": f"{USER}:active"},
]


@pytest.mark.parametrize("was", [True, False])
@pytest.mark.parametrize("operation", CLEARED, ids=str)
def test_clearing_active_neither_suspends_nor_brings_back(
    world: World, call: Call, was: bool, operation: dict[str, Any]
) -> None:
    ann = created(call, "/Users", new_user(active=was))
    for method, body in (("PATCH", patch(operation)), ("PUT", new_user(title="Lead"))):
        assert call(method, f"/Users/{ann['id']}", body).status_code == 200
        assert get_user(world.context, world.connection, ann["id"]).pushed.active is was
        in_sql = f"active eq {str(was).lower()}"
        for text in (in_sql, f'{in_sql} and nickName ne "x"'):
            assert body_of(call("GET", f"/Users?filter={text}"))["totalResults"] == 1


def test_what_is_set_after_active_was_cleared_is_set(call: Call) -> None:
    ann = created(call, "/Users", new_user(active=False))
    both = patch({"op": "remove", "path": "active"}, {"op": "add", "path": "active", "value": True})
    assert body_of(call("PATCH", f"/Users/{ann['id']}", both))["active"] is True


def test_a_refused_patch_changes_nothing(call: Call) -> None:
    ann = created(call, "/Users", new_user())
    operations = patch(
        {"op": "replace", "path": "active", "value": False}, {"op": "replace", "path": "nope", "value": 1}
    )
    refused(call("PATCH", f"/Users/{ann['id']}", operations), 400, "invalidPath")
    assert body_of(call("GET", f"/Users/{ann['id']}")) == ann


def test_a_put_replaces_what_it_does_not_say(call: Call) -> None:
    ann = created(call, "/Users", new_user(title="Lead"))
    assert "title" not in body_of(call("PUT", f"/Users/{ann['id']}", new_user()))


def test_a_deleted_user_is_gone_and_may_come_again_under_another_id(call: Call) -> None:
    ann = created(call, "/Users", new_user())
    assert call("DELETE", f"/Users/{ann['id']}").status_code == 204
    refused(call("GET", f"/Users/{ann['id']}"), 404)
    refused(call("DELETE", f"/Users/{ann['id']}"), 404)
    assert created(call, "/Users", new_user())["id"] != ann["id"]


def test_the_last_owner_is_kept_with_a_409(call: Call) -> None:
    olga = created(call, "/Users", new_user("olga@acme.example"))
    refused(call("DELETE", f"/Users/{olga['id']}"), 409)
    off = patch({"op": "replace", "value": {"active": False}})
    refused(call("PATCH", f"/Users/{olga['id']}", off), 409)


def test_if_match_guards_and_if_none_match_saves(call: Call) -> None:
    ann = created(call, "/Users", new_user())
    path, off = f"/Users/{ann['id']}", patch({"op": "replace", "value": {"title": "Lead"}})
    assert call("GET", path, If_None_Match='W/"0"').status_code == 304
    assert call("PATCH", path, off, If_Match='W/"0"').status_code == 200
    for stale in ('W/"0"', '"nonsense"', 'W/"99999999999999999999999"'):
        refused(call("DELETE", path, If_Match=stale), 412)
    assert call("GET", path).headers["ETag"] == 'W/"1"'


@pytest.fixture(params=["/Users", "/Groups"])
def once_changed(request: pytest.FixtureRequest, call: Call) -> tuple[str, dict[str, Any]]:
    """The path of a user and of a group in version 1, and a body to put there."""
    body = new_user() if request.param == "/Users" else {"schemas": [GROUP], "displayName": "eng"}
    path = f"{request.param}/{created(call, request.param, body)['id']}"
    assert call("PUT", path, {**body, "externalId": "e1"}).headers["ETag"] == 'W/"1"'
    return path, body


@pytest.mark.parametrize("tags", ["*", " * ", 'W/"1"', '"1"', 'W/"0", W/"1"', '"other","1"'])
def test_if_match_takes_any_of_a_list(call: Call, once_changed: tuple[str, dict[str, Any]], tags: str) -> None:
    path, body = once_changed
    assert call("GET", path, If_None_Match=tags).status_code == 304
    refused(call("PUT", path, body, If_None_Match=tags), 412)
    assert call("PUT", path, body, If_Match=tags).status_code == 200


@pytest.mark.parametrize("tags", ["", ",", 'W/"0"', 'W/"0", W/"2"', '"*"', '"11"', 'W/"99999999999999999999999"'])
def test_if_match_refuses_every_other_version(call: Call, once_changed: tuple[str, dict[str, Any]], tags: str) -> None:
    path, body = once_changed
    assert call("GET", path, If_None_Match=tags).status_code == 200
    for method, said in (("PUT", body), ("PATCH", patch({"op": "remove", "path": "externalId"})), ("DELETE", None)):
        refused(call(method, path, said, If_Match=tags), 412)
    assert call("PUT", path, body, If_None_Match=tags).status_code == 200


def test_only_the_attributes_asked_for(call: Call) -> None:
    created(call, "/Users", new_user(title="Lead"))
    (found,) = body_of(call("GET", "/Users?attributes=userName"))["Resources"]
    assert set(found) == {"schemas", "id", "userName"}
    (found,) = body_of(call("GET", "/Users?excludedAttributes=emails,title"))["Resources"]
    assert not {"emails", "title"} & set(found)


NOBODY = "0b9f2c1e-5f0a-4d3b-8a56-7c1d2e3f4a5b"
NOT_OURS = [
    "%00",
    "x",
    "%F0%9F%92%A9",
    "0",
    "'",
    NOBODY[:-1],
    NOBODY,
    NOBODY.upper(),
    NOBODY.replace("-", ""),
    "x" * 4000,
]


@pytest.mark.parametrize("resource_id", NOT_OURS, ids=lambda text: text[:40])
def test_an_id_that_we_never_gave_is_not_found(call: Call, resource_id: str) -> None:
    group = {"displayName": "x"}
    rename = patch({"op": "replace", "path": "displayName", "value": "x"})
    for path, body in ((f"/Users/{resource_id}", new_user()), (f"/Groups/{resource_id}", group)):
        for method, said in (("GET", None), ("PUT", body), ("PATCH", rename), ("DELETE", None)):
            refused(call(method, path, said), 404)


NUL_OPERATIONS = [
    {"op": "add", "path": "members", "value": [{"value": "\x00"}]},
    {"op": "remove", "path": "members", "value": [{"value": "\x00"}]},
    {"op": "replace", "value": {"members": [{"value": "a\x00"}]}},
    {"op": "replace", "path": "externalId", "value": "\x00"},
    {"op": "replace", "path": "displayName", "value": "a\x00"},
    {"op": "remove", "path": 'members[value eq "\\u0000"]'},
    {"op": "remove", "path": 'members[value eq "\x00"]'},
]


@pytest.mark.parametrize("operation", NUL_OPERATIONS, ids=ascii)
def test_a_nul_in_a_patch_is_refused(call: Call, group: str, operation: dict[str, Any]) -> None:
    assert call("PATCH", f"/Groups/{group}", patch(operation)).status_code == 400
    assert call("PUT", f"/Groups/{group}", {"displayName": "x", "members": [{"value": "\x00"}]}).status_code == 400


@pytest.mark.parametrize("text", [r'"\u0000"', '"\x00"', '"%00"', r'"a\u0000b"'], ids=ascii)
def test_a_nul_in_a_filter_is_refused(call: Call, text: str) -> None:
    for path in ("/Users", "/Groups"):
        for name in ("id", "externalId", "displayName", "meta.created"):
            refused(call("GET", f"{path}?filter={name} eq {text}"), 400, "invalidFilter")
    refused(
        call("POST", "/Groups/.search", {"filter": f"members eq {text.replace('%00', chr(0))}"}), 400, "invalidFilter"
    )


# -- Lists -------------------------------------------------------------------------------------------


def test_pages_by_index(call: Call) -> None:
    for n in range(5):
        created(call, "/Users", new_user(f"person{n}@acme.example"))
    said = body_of(call("GET", "/Users?startIndex=2&count=2"))
    assert (said["totalResults"], said["startIndex"], said["itemsPerPage"]) == (5, 2, 2)
    assert [each["userName"][6] for each in said["Resources"]] == ["1", "2"]
    assert body_of(call("GET", "/Users?count=0"))["Resources"] == []
    assert body_of(call("GET", "/Users?startIndex=99"))["Resources"] == []
    refused(call("GET", "/Users?count=many"), 400, "invalidValue")


def test_sorts_by_what_is_asked_and_refuses_what_it_cannot(call: Call) -> None:
    for name in ("ben", "Ann", "cid"):
        created(call, "/Users", new_user(f"{name}@acme.example"))
        created(call, "/Groups", {"schemas": [GROUP], "displayName": name})
    said = body_of(call("GET", "/Users?sortBy=userName&sortOrder=descending&count=2"))
    assert [each["userName"][:3] for each in said["Resources"]] == ["cid", "ben"]
    said = body_of(call("POST", "/Groups/.search", {"sortBy": "displayName"}))
    assert [each["displayName"] for each in said["Resources"]] == ["Ann", "ben", "cid"]
    refused(call("GET", "/Users?sortBy=nope"), 400, "invalidPath")
    refused(call("GET", "/Users?sortBy=name"), 400, "invalidPath")


def test_a_filter_in_the_body_is_a_filter(call: Call) -> None:
    created(call, "/Users", new_user())
    search = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": 'userName sw "ann"'}
    assert body_of(call("POST", "/Users/.search", search))["totalResults"] == 1
    assert body_of(call("POST", "/Groups/.search", {"filter": 'displayName eq "x"'}))["totalResults"] == 0


def test_a_search_at_the_root_finds_people_and_then_groups_in_one_paging(call: Call) -> None:
    for n in range(2):
        created(call, "/Users", new_user(f"person{n}@acme.example"))
        created(call, "/Groups", {"schemas": [GROUP], "displayName": f"group{n}"})
    pages = [body_of(call("POST", "/.search", {"startIndex": n, "count": 1})) for n in range(1, 5)]
    assert {page["totalResults"] for page in pages} == {4}
    found = [each for page in pages for each in page["Resources"]]
    assert [each.get("userName") or each["displayName"] for each in found] == [
        "person0@acme.example",
        "person1@acme.example",
        "group0",
        "group1",
    ]
    assert body_of(call("POST", "/.search", {"filter": 'userName sw "person"'}))["totalResults"] == 2
    refused(call("POST", "/.search", {"filter": 'nope eq "x"'}), 400, "invalidFilter")


@pytest.mark.parametrize("text", ["userName eq", "nope eq 1", "userName zz 1", "((((", "userName eq 'x'", "(" * 9000])
def test_a_bad_filter_is_400_and_never_everybody(call: Call, text: str) -> None:
    created(call, "/Users", new_user())
    refused(call("POST", "/Users/.search", {"filter": text}), 400, "invalidFilter")


# -- Groups ------------------------------------------------------------------------------------------


@pytest.fixture
def four(call: Call) -> list[str]:
    return [created(call, "/Users", new_user(f"person{n}@acme.example"))["id"] for n in range(4)]


@pytest.fixture
def group(call: Call, four: list[str]) -> str:
    members = [{"value": each} for each in four[:3]]
    made: str = created(call, "/Groups", {"schemas": [GROUP], "displayName": "eng", "members": members})["id"]
    return made


def members(call: Call, group: str) -> list[str]:
    return [each["value"] for each in body_of(call("GET", f"/Groups/{group}")).get("members", [])]


@pytest.mark.parametrize(
    ("operation", "left"),
    [
        ({"op": "remove", "path": 'members[value eq "{1}"]'}, [0, 2]),
        ({"op": "Remove", "path": "members", "value": [{"value": "{1}", "$ref": None}]}, [0, 2]),
        ({"op": "remove", "path": "members", "value": [{"value": "{0}"}, {"value": "{2}"}]}, [1]),
        ({"op": "remove", "path": "members"}, []),
        ({"op": "add", "path": "members", "value": [{"value": "{3}"}, {"value": "{0}"}]}, [0, 1, 2, 3]),
        ({"op": "Add", "path": "members", "value": [{"$ref": None, "value": "{3}"}]}, [0, 1, 2, 3]),
        ({"op": "add", "value": {"members": [{"value": "{3}"}]}}, [0, 1, 2, 3]),
        ({"op": "replace", "path": "members", "value": [{"value": "{3}"}]}, [3]),
        ({"op": "replace", "value": {"members": [], "displayName": "eng"}}, []),
        ({"op": "replace", "path": "displayName", "value": "other"}, [0, 1, 2]),
    ],
    ids=str,
)
def test_a_change_of_members_changes_just_those(
    call: Call, four: list[str], group: str, operation: dict[str, Any], left: list[int]
) -> None:
    said = _filled(operation, four)
    assert call("PATCH", f"/Groups/{group}", patch(said)).status_code == 204
    assert members(call, group) == [four[n] for n in left]


def _filled(value: Any, ids: list[str]) -> Any:
    if isinstance(value, str):
        for n, each in enumerate(ids):
            value = value.replace("{%d}" % n, each)  # noqa: UP031
        return value
    if isinstance(value, dict):
        return {name: _filled(each, ids) for name, each in value.items()}
    return [_filled(each, ids) for each in value] if isinstance(value, list) else value


def test_oktas_swap_in_one_request(call: Call, four: list[str], group: str) -> None:
    swap = patch(
        {"op": "remove", "path": f'members[value eq "{four[0]}"]'},
        {"op": "add", "path": "members", "value": [{"value": four[3]}]},
    )
    assert call("PATCH", f"/Groups/{group}", swap).status_code == 204
    assert members(call, group) == four[1:]


def test_a_user_says_its_groups(call: Call, four: list[str], group: str) -> None:
    (shown,) = body_of(call("GET", f"/Users/{four[0]}"))["groups"]
    assert (shown["value"], shown["display"]) == (group, "eng")
    assert "groups" not in body_of(call("GET", f"/Users/{four[3]}"))


@pytest.mark.parametrize("query", ["filter=", "filter=%20", "FILTER", "filter=&sortBy=&sortOrder=&startIndex=&count="])
def test_a_parameter_without_a_value_counts_as_left_out(call: Call, four: list[str], query: str) -> None:
    everybody = body_of(call("GET", "/Users"))
    assert everybody["totalResults"] == len(four)
    assert body_of(call("GET", f"/Users?{query}")) == everybody


def test_entra_never_asks_for_members(call: Call, group: str) -> None:
    (found,) = body_of(call("GET", '/Groups?excludedAttributes=members&filter=displayName eq "ENG"'))["Resources"]
    assert "members" not in found


@pytest.mark.parametrize(
    ("operation", "scim_type"),
    [
        ({"op": "add", "path": "members", "value": [{"value": "nobody"}]}, "invalidValue"),
        ({"op": "add", "path": "members", "value": [{"value": "x", "type": "Group"}]}, "invalidValue"),
        ({"op": "remove", "path": "displayName"}, "mutability"),
        ({"op": "replace", "path": "nope", "value": "x"}, "invalidPath"),
        ({"op": "fly", "path": "members"}, "invalidSyntax"),
    ],
    ids=str,
)
def test_what_cannot_be_applied_is_refused_and_changes_nothing(
    call: Call, group: str, operation: dict[str, Any], scim_type: str
) -> None:
    before = body_of(call("GET", f"/Groups/{group}"))
    rename = {"op": "replace", "path": "displayName", "value": "changed"}
    refused(call("PATCH", f"/Groups/{group}", patch(rename, operation)), 400, scim_type)
    assert body_of(call("GET", f"/Groups/{group}")) == before


def test_a_group_as_a_member_is_told_as_such_though_nothing_calls_it_one(
    world: World, client: FlaskClient, call: Call, group: str
) -> None:
    inner = created(call, "/Groups", {"schemas": [GROUP], "displayName": "inner"})["id"]
    add = patch({"op": "add", "path": "members", "value": [{"value": inner}]})
    whole = {"schemas": [GROUP], "displayName": "outer", "members": [{"value": inner}]}
    for answer in (
        call("PATCH", f"/Groups/{group}", add),
        call("PUT", f"/Groups/{group}", whole),
        call("POST", "/Groups", whole),
    ):
        said = refused(answer, 400, "invalidValue")
        assert said["detail"] == "A group cannot be a member of a group here: push its people instead."
    other = caller(client, token_of(another_connection(world, "Entra")))
    said = refused(other("POST", "/Groups", whole), 400, "invalidValue")
    assert said["detail"] == f"There is no user '{inner}' in this connection."


def test_a_put_of_a_group_is_exactly_its_members(call: Call, four: list[str], group: str) -> None:
    body = {"schemas": [GROUP], "displayName": "renamed", "members": [{"value": four[3]}]}
    said = body_of(call("PUT", f"/Groups/{group}", body))
    assert (said["displayName"], [each["value"] for each in said["members"]]) == ("renamed", [four[3]])


# -- Discovery and the rest --------------------------------------------------------------------------


def test_discovery_says_what_is_supported(call: Call) -> None:
    config = body_of(call("GET", "/ServiceProviderConfig"))
    supported = {
        name for name in ("patch", "filter", "etag", "sort", "bulk", "changePassword") if config[name]["supported"]
    }
    assert supported == {"patch", "filter", "sort", "etag", "bulk"}
    assert {each["name"] for each in body_of(call("GET", "/ResourceTypes"))["Resources"]} == {"User", "Group"}
    for each in body_of(call("GET", "/Schemas"))["Resources"]:
        assert body_of(call("GET", f"/Schemas/{each['id']}"))["id"] == each["id"]
    refused(call("GET", "/Schemas?filter=id pr"), 403)
    refused(call("GET", "/Schemas/urn:nope"), 404)


def test_me_is_refused_aloud(call: Call) -> None:
    refused(call("GET", "/Me"), 501)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"\xff\xfe", 400),
        (b'{"userName": "\\ud800"}', 400),
        (b'{"userName": "a\\u0000b"}', 400),
        (b'{"userName": 5}', 400),
        (b"[" * 100_000, 400),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, 400),
        (b'{"userName": "' + b"x" * 10_500_000 + b'"}', 413),
    ],
    ids=lambda value: str(value)[:24],
)
def test_hostile_bodies_are_4xx_and_the_next_call_works(
    world: World, client: FlaskClient, call: Call, body: bytes, status: int
) -> None:
    headers = {"Authorization": f"Bearer {token_of(world)}", "Content-Type": "application/scim+json"}
    answer = client.post("/scim/v2/Users", data=body, headers=headers)
    assert answer.status_code == status
    assert body_of(answer)["schemas"] == [ERROR]
    assert body_of(call("GET", "/Users"))["totalResults"] == 0


def test_a_body_that_is_not_json_by_its_own_word_is_415(world: World, client: FlaskClient) -> None:
    headers = {"Authorization": f"Bearer {token_of(world)}", "Content-Type": "text/xml"}
    refused(client.post("/scim/v2/Users", data=b"<a/>", headers=headers), 415)


def test_a_method_that_is_not_there_is_405(call: Call) -> None:
    refused(call("DELETE", "/Users"), 405)
    answer = call("POST", "/Users/x", {})
    refused(answer, 405)
    assert answer.headers["Allow"] == "GET, HEAD, PUT, PATCH, DELETE"
