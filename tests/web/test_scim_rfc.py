"""`/scim/v2` held to the letter of RFC 7643 and 7644: addresses, headers, and what a refusal leaves behind."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.web.scim_calls import GROUP, USER, Call, body_of, created, new_user, patch, refused


@pytest.fixture
def ann(call: Call) -> dict[str, Any]:
    return created(call, "/Users", new_user())


# -- A refusal changes nothing -----------------------------------------------------------------------


@pytest.mark.parametrize("query", ["attributes=userName&excludedAttributes=name", f"attributes={'a,' * 300}"])
def test_an_answer_that_cannot_be_given_as_asked_is_refused_before_the_change(
    call: Call, ann: dict[str, Any], query: str
) -> None:
    group = created(call, "/Groups", {"displayName": "eng"})
    change = patch({"op": "replace", "path": "displayName", "value": "changed"})
    refused(call("POST", f"/Users?{query}", new_user("ben@acme.example")), 400, "invalidValue")
    refused(call("POST", f"/Groups?{query}", {"displayName": "ops"}), 400, "invalidValue")
    for thing, path in ((ann, "/Users"), (group, "/Groups")):
        whole = {"userName": "other@acme.example", "displayName": "changed"}
        refused(call("PATCH", f"{path}/{thing['id']}?{query}", change), 400, "invalidValue")
        refused(call("PUT", f"{path}/{thing['id']}?{query}", whole), 400, "invalidValue")
        found = body_of(call("GET", path))
        assert found["totalResults"] == 1
        assert found["Resources"][0]["meta"] == thing["meta"]


@pytest.mark.parametrize("query", ["count=many", "cursor=abc", "filter=nonsense", "sortOrder=sideways"])
def test_what_only_a_search_asks_says_nothing_of_one_resource(call: Call, query: str) -> None:
    assert call("POST", f"/Users?{query}", new_user()).status_code == 201


# -- Conditions (RFC 7644 3.14, RFC 9110 13) ---------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_reading_keeps_both_conditions(call: Call, ann: dict[str, Any], method: str) -> None:
    path, version = f"/Users/{ann['id']}", ann["meta"]["version"]
    assert call(method, path, If_Match=version).status_code == 200
    assert call(method, path, If_Match="*").status_code == 200
    assert call(method, path, If_Match='W/"other"').status_code == 412
    unchanged = call(method, path, If_None_Match=version)
    assert (unchanged.status_code, unchanged.data, unchanged.headers["ETag"]) == (304, b"", version)
    assert call(method, path, If_None_Match='W/"other"').status_code == 200


# -- Addresses ---------------------------------------------------------------------------------------


def test_every_answer_with_a_resource_says_where_it_is(call: Call) -> None:
    for path, body in (("/Users", new_user()), ("/Groups", {"displayName": "eng"})):
        made = call("POST", path, body)
        location = body_of(made)["meta"]["location"]
        one = f"{path}/{body_of(made)['id']}"
        for answer in (made, call("GET", one), call("PUT", one, body)):
            assert answer.headers["Location"] == answer.headers["Content-Location"] == location
            assert answer.headers["ETag"] == body_of(answer)["meta"]["version"]


def test_an_address_may_name_the_format(call: Call, ann: dict[str, Any]) -> None:
    assert body_of(call("GET", f"/Users/{ann['id']}.scim")) == ann
    assert call("GET", "/ResourceTypes/User.scim").status_code == 200
    refused(call("GET", f"/Users/{ann['id']}.xml"), 404)


@pytest.mark.parametrize("path", ["/ServiceProviderConfig/", "/Schemas/", f"/Schemas/{USER}/", "/ResourceTypes/User/"])
def test_a_slash_at_the_end_says_nothing(call: Call, path: str) -> None:
    assert call("GET", path).status_code == 200


def test_several_slashes_are_one(call: Call, client: FlaskClient, ann: dict[str, Any]) -> None:
    """Where an admin ended the base address with a slash."""
    assert body_of(call("GET", f"//Users//{ann['id']}")) == ann
    assert call("POST", "//Users", new_user("ben@acme.example")).status_code == 201
    assert body_of(call("GET", "///Users"))["totalResults"] == 2
    refused(client.get("/scim/v2//Users"), 401)


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("", "GET, HEAD"),
        ("/", "GET, HEAD"),
        ("/Users", "GET, HEAD, POST"),
        ("/Users/", "GET, HEAD, POST"),
        ("/Users/0", "GET, HEAD, PUT, PATCH, DELETE"),
        ("/Groups/0", "GET, HEAD, PUT, PATCH, DELETE"),
        ("/Users/.search", "POST"),
        ("/.search", "POST"),
        ("/Bulk", "POST"),
        ("/Schemas", "GET, HEAD"),
        (f"/Schemas/{USER}", "GET, HEAD"),
        ("/openapi.json", "GET, HEAD"),
    ],
)
def test_options_says_what_may_be_done(call: Call, client: FlaskClient, path: str, allowed: str) -> None:
    answer = call("OPTIONS", path)
    assert (answer.status_code, answer.headers["Allow"], answer.data) == (204, allowed, b"")
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - set(allowed.split(", ")):
        refusal = call(method, path, {})
        refused(refusal, 405)
        assert refusal.headers["Allow"] == allowed
    refused(client.options(f"/scim/v2{path}"), 401)


@pytest.mark.parametrize(("path", "status"), [("/Nowhere", 404), ("/Users/0/x", 404), ("/Me", 501), ("/Me/", 501)])
def test_options_of_what_is_not_there_is_refused(call: Call, path: str, status: int) -> None:
    refused(call("OPTIONS", path), status)


@pytest.mark.parametrize("wanted", ["application/scim+json", "application/json", "text/html", "*/*;q=0", "\xff"])
def test_there_is_one_form_of_answer_whatever_is_accepted(call: Call, ann: dict[str, Any], wanted: str) -> None:
    answer = call("GET", f"/Users/{ann['id']}", Accept=wanted)
    assert (body_of(answer), answer.content_type) == (ann, "application/scim+json")


@pytest.mark.parametrize("path", ["/Users/.search", "/Groups/.search", "/.search", "/Bulk"])
def test_a_search_and_a_bulk_are_posted(call: Call, path: str) -> None:
    answer = call("GET", path)
    refused(answer, 405)
    assert answer.headers["Allow"] == "POST"


@pytest.mark.parametrize(
    "path", ["/ServiceProviderConfig", "/Schemas", f"/Schemas/{GROUP}", "/ResourceTypes", "/ResourceTypes/User"]
)
def test_discovery_is_not_filtered_and_ignores_the_rest_of_a_query(call: Call, path: str) -> None:
    refused(call("GET", f'{path}?filter=name eq "User"'), 403)
    refused(call("GET", f'{path}?FILTER=name eq "User"'), 403)
    plain = body_of(call("GET", path))
    assert body_of(call("GET", f"{path}?count=1&startIndex=2&sortBy=id&attributes=id")) == plain


@pytest.mark.parametrize("path", ["", "/"])
def test_the_root_is_searched_by_get_too(call: Call, ann: dict[str, Any], path: str) -> None:
    created(call, "/Groups", {"displayName": "eng"})
    assert body_of(call("GET", f"{path}?attributes=id"))["totalResults"] == 2
    found = body_of(call("GET", f'{path}?filter=userName eq "ann@acme.example"'))
    assert found["Resources"] == [ann]


# -- Both types at once (RFC 7644 3.4.2.1) -----------------------------------------------------------


@pytest.fixture
def both(call: Call) -> None:
    for name in ("ben", "Ann"):
        person = created(call, "/Users", new_user(f"{name}@acme.example", displayName=name))
        created(call, "/Groups", {"displayName": f"{name}s", "members": [{"value": person["id"]}]})


def names(said: dict[str, Any]) -> list[str]:
    return [each["displayName"] for each in said["Resources"]]


@pytest.mark.usefixtures("both")
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('userName sw "b" or displayName eq "anns"', ["ben", "Anns"]),
        ('displayName sw "b" and not (userName pr)', ["bens"]),
        ('displayName sw "b" and userName pr', ["ben"]),
        ('meta.resourceType eq "User" and displayName co "n"', ["ben", "Ann"]),
        ('(meta.resourceType eq "Group" and members pr) or userName sw "ann"', ["Ann", "bens", "Anns"]),
        ('userName ne "ben@acme.example"', ["Ann", "bens", "Anns"]),
    ],
)
def test_at_the_root_an_attribute_of_one_type_has_no_value_in_the_other(
    call: Call, text: str, found: list[str]
) -> None:
    said = body_of(call("POST", "/.search", {"filter": text}))
    assert names(said) == found
    assert said["totalResults"] == len(found)


@pytest.mark.usefixtures("both")
def test_the_root_is_sorted_and_paged_as_one_list(call: Call) -> None:
    search = {"sortBy": "displayName", "attributes": ["displayName"]}
    assert names(body_of(call("POST", "/.search", search))) == ["Ann", "Anns", "ben", "bens"]
    assert names(body_of(call("POST", "/.search", search | {"startIndex": 2, "count": 2}))) == ["Anns", "ben"]
    descending = search | {"sortOrder": "descending"}
    assert names(body_of(call("POST", "/.search", descending))) == ["bens", "ben", "Anns", "Ann"]
    # Who has no userName comes last, and first where it is turned round.
    assert names(body_of(call("GET", "/?sortBy=userName"))) == ["Ann", "ben", "bens", "Anns"]
    assert names(body_of(call("GET", "/?sortBy=userName&sortOrder=descending"))) == ["bens", "Anns", "ben", "Ann"]
    refused(call("GET", "/?sortBy=nope"), 400, "invalidPath")
    refused(call("GET", "/?sortBy=id&startIndex=5001"), 400, "tooMany")


# -- What is shown of others -------------------------------------------------------------------------


def test_not_modified_never_hides_a_group(call: Call, ann: dict[str, Any]) -> None:
    path, seen = f"/Users/{ann['id']}", [ann["meta"]["version"]]
    group = created(call, "/Groups", {"displayName": "eng", "members": [{"value": ann["id"]}]})
    rename = patch({"op": "replace", "path": "displayName", "value": "engineering"})
    for do in (None, lambda: call("PATCH", f"/Groups/{group['id']}", rename)):
        assert do is None or do().status_code == 204
        answer = call("GET", path, If_None_Match=", ".join(seen))
        assert answer.status_code == 200
        assert body_of(answer)["meta"]["version"] == answer.headers["ETag"]
        seen.append(answer.headers["ETag"])
        assert call("GET", path, If_None_Match=seen[-1]).status_code == 304
        assert body_of(call("GET", f"/Users?filter=meta.version eq {json.dumps(seen[-1])}"))["totalResults"] == 1
    assert call("DELETE", f"/Groups/{group['id']}").status_code == 204
    assert call("GET", path).headers["ETag"] == seen[0]


def test_a_version_guards_a_change_whatever_groups_came_since(call: Call, ann: dict[str, Any]) -> None:
    created(call, "/Groups", {"displayName": "eng", "members": [{"value": ann["id"]}]})
    change = patch({"op": "replace", "path": "title", "value": "Lead"})
    changed = call("PATCH", f"/Users/{ann['id']}", change, If_Match=ann["meta"]["version"])
    assert changed.status_code == 200
    refused(call("PATCH", f"/Users/{ann['id']}", change, If_Match=ann["meta"]["version"]), 412)
    assert call("PATCH", f"/Users/{ann['id']}", change, If_Match=changed.headers["ETag"]).status_code == 200


# -- Members chosen by a filter (RFC 7644 3.5.2.2) ---------------------------------------------------


@pytest.mark.parametrize(
    "where",
    [
        'display eq "ANN"',
        'display sw "a"',
        'value sw "{ann}"',
        '$ref eq "http://localhost:8000/scim/v2/Users/{ann}"',
        'not (value eq "{ben}")',
        'value ne "{ben}" and type eq "User"',
        'value eq "{ann}" or display eq "nobody"',
    ],
)
def test_a_remove_takes_those_members_whom_the_filter_is_true_of(call: Call, where: str) -> None:
    people = {
        name: created(call, "/Users", new_user(f"{name}@acme.example", displayName=name)) for name in ("ann", "ben")
    }
    ids = {name: person["id"] for name, person in people.items()}
    group = created(call, "/Groups", {"displayName": "eng", "members": [{"value": each} for each in ids.values()]})
    path = f"/Groups/{group['id']}"
    operation = {"op": "remove", "path": f"members[{where.format(**ids)}]"}
    assert call("PATCH", path, patch(operation)).status_code == 204
    assert [each["value"] for each in body_of(call("GET", path))["members"]] == [ids["ben"]]
    version = call("GET", path).headers["ETag"]
    assert call("PATCH", path, patch(operation)).headers["ETag"] == version


def test_members_who_are_not_there_are_not_changed_by_a_filter(call: Call) -> None:
    group = created(call, "/Groups", {"displayName": "eng"})
    for op in ("add", "replace"):
        operation = {"op": op, "path": 'members[display eq "ann"]', "value": [{"value": group["id"]}]}
        refused(call("PATCH", f"/Groups/{group['id']}", patch(operation)), 400, "invalidFilter")
