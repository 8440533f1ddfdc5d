"""Bulk as a message: what is read, what is refused, and in which order it is done (RFC 7644 3.7)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim.bulk import (
    BULK_REQUEST_SCHEMA,
    MAX_OPERATIONS,
    MAX_PAYLOAD,
    Bulk,
    BulkOperation,
    check_payload,
    parse_bulk,
    resolve,
    steps,
)
from scim.errors import Conflict, InvalidSyntax, InvalidValue, NotFound, PayloadTooLarge, ScimError
from scim.schemas import GROUP, USER

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def bulk(*operations: Any, **said: Any) -> Bulk:
    return parse_bulk({"schemas": [BULK_REQUEST_SCHEMA], "Operations": list(operations), **said})


def post(bulk_id: str, path: str = "/Users", **body: Any) -> dict[str, Any]:
    return {"method": "POST", "path": path, "bulkId": bulk_id, "data": body}


def reporting_to(bulk_id: str, manager: str) -> dict[str, Any]:
    return post(bulk_id, "/Users", userName=bulk_id, **{ENTERPRISE: {"manager": {"value": f"bulkId:{manager}"}}})


def refusal(operation: Any) -> ScimError | None:
    return bulk(operation).operations[0].refusal


# -- Reading -----------------------------------------------------------------------------------------------------


def test_an_operation_is_read_with_all_it_says() -> None:
    body = {"userName": "ann"}
    (operation,) = bulk(
        {"method": "PUT", "path": "/Users/7", "version": 'W/"3"', "data": body}, failOnErrors=2
    ).operations
    assert operation == BulkOperation("PUT", None, USER, "7", 'W/"3"', body)


@pytest.mark.parametrize("path", ["/Groups", "Groups", "/Groups/"])
def test_an_endpoint_is_found_with_or_without_slashes(path: str) -> None:
    assert bulk(post("g", path)).operations[0].resource_type is GROUP


def test_names_and_methods_are_read_in_any_case() -> None:
    (operation,) = parse_bulk({"operations": [{"Method": "delete", "Path": "/Users/7"}]}).operations
    assert (operation.method, operation.resource_id, operation.refusal) == ("DELETE", "7", None)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"Operations": None},
        {"Operations": []},
        {"Operations": {}},
        {"Operations": "x"},
        {"Operations": [None]},
        {"Operations": [[]]},
        {"Operations": ["POST"]},
        {"Operations": [{}]},
        {"Operations": [{"method": 5, "path": "/Users"}]},
        {"Operations": [post("q") | {"bulkId": 7}]},
        {"Operations": [post("")]},
        {"Operations": [post("q")], "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]},
        {"Operations": [post("q")], "schemas": BULK_REQUEST_SCHEMA},
        {"Operations": [post("q")], "failOnErrors": -1},
        {"Operations": [post("q")], "failOnErrors": "1"},
        {"Operations": [post("q")], "failOnErrors": 1.5},
        {"Operations": [post("q")], "failOnErrors": True},
        {"Operations": [post("q")], "failOnErrors": [1]},
    ],
    ids=str,
)
def test_what_is_no_bulk_request_is_refused_as_a_whole(body: dict[str, Any]) -> None:
    with pytest.raises(InvalidSyntax):
        parse_bulk(body)


def test_a_bulk_id_given_twice_is_refused_as_a_whole() -> None:
    with pytest.raises(InvalidValue):
        bulk(post("q"), post("q"))


def test_the_limits_are_said_when_they_are_passed() -> None:
    delete = {"method": "DELETE", "path": "/Users/1"}
    assert len(bulk(*[delete] * MAX_OPERATIONS).operations) == MAX_OPERATIONS
    with pytest.raises(PayloadTooLarge, match=str(MAX_OPERATIONS)):
        bulk(*[delete] * (MAX_OPERATIONS + 1))
    check_payload(MAX_PAYLOAD)
    with pytest.raises(PayloadTooLarge, match=str(MAX_PAYLOAD)):
        check_payload(MAX_PAYLOAD + 1)


@pytest.mark.parametrize(("given", "stops_after"), [(None, None), (0, 1), (1, 1), (7, 7)])
def test_fail_on_errors_is_how_many_end_it(given: int | None, stops_after: int | None) -> None:
    assert bulk(post("q"), failOnErrors=given).fail_on_errors == stops_after


@pytest.mark.parametrize(
    ("operation", "error"),
    [
        (post("q") | {"method": "GET"}, InvalidValue),
        (post("q") | {"method": "FLY" * 1000}, InvalidValue),
        ({"method": "POST", "bulkId": "q", "data": {}}, InvalidValue),
        (post("q", "/Nowhere"), NotFound),
        (post("q", "/users"), NotFound),
        (post("q", "/Bulk"), NotFound),
        (post("q", "https://elsewhere.example/Users"), NotFound),
        (post("q", "/Users/7"), InvalidValue),
        ({"method": "PUT", "path": "/Users", "data": {}}, InvalidValue),
        ({"method": "DELETE", "path": "/Users/"}, InvalidValue),
        ({"method": "POST", "path": "/Users", "data": {}}, InvalidValue),
        ({"method": "POST", "path": "/Users", "bulkId": "q"}, InvalidValue),
        ({"method": "PATCH", "path": "/Users/7", "data": []}, InvalidValue),
        ({"method": "PUT", "path": "/Users/7", "data": "{}"}, InvalidValue),
        ({"method": "DELETE", "path": "/Users/7", "version": 3}, InvalidValue),
    ],
    ids=lambda value: str(value)[:70],
)
def test_what_is_wrong_with_one_operation_stays_with_it(operation: Any, error: type[ScimError]) -> None:
    first, second = bulk(operation, {"method": "DELETE", "path": "/Users/1"}).operations
    assert type(first.refusal) is error
    assert second.refusal is None


def test_a_patch_may_be_a_bare_list_as_in_the_example_of_the_rfc() -> None:
    operations = [{"op": "remove", "path": "nickName"}, {"op": "replace", "path": "userName", "value": "Dave"}]
    (patch,) = bulk({"method": "PATCH", "path": "/Users/7", "data": operations}).operations
    assert (patch.refusal, patch.body) == (None, {"Operations": operations})


def test_a_delete_needs_no_body_and_takes_any() -> None:
    assert refusal({"method": "DELETE", "path": "/Users/7", "data": [1]}) is None


# -- References --------------------------------------------------------------------------------------------------


def test_every_form_of_a_reference_is_resolved() -> None:
    ids = {"ann": "id-1", "eng": "id-2"}
    patch = {
        "Operations": [
            {"op": "remove", "path": 'members[value eq "bulkId:ann"]'},
            {"op": "add", "path": "members", "value": [{"value": "bulkId:ann", "$ref": "../Users/bulkId:ann"}]},
        ]
    }
    operation = bulk(
        post("ann"), post("eng", "/Groups"), {"method": "PATCH", "path": "/Groups/bulkId:eng", "data": patch}
    ).operations[2]
    assert operation.needs == {"ann", "eng"}
    resolved = resolve(operation, ids)
    assert resolved.resource_id == "id-2"
    assert resolved.body == {
        "Operations": [
            {"op": "remove", "path": 'members[value eq "id-1"]'},
            {"op": "add", "path": "members", "value": [{"value": "id-1", "$ref": "../Users/id-1"}]},
        ]
    }


@pytest.mark.parametrize("text", ["see bulkId:ann", "BulkId:ann", "bulkId:", "x/bulkId:ann"])
def test_a_text_that_only_speaks_of_a_bulk_id_is_a_text(text: str) -> None:
    (operation,) = bulk(post("ann", title=text)).operations
    assert operation.needs == frozenset()
    assert resolve(operation, {}) == operation


@pytest.mark.parametrize(
    "operation",
    [
        post("eng", "/Groups", members=[{"value": "bulkId:nobody"}]),
        {"method": "PATCH", "path": "/Users/bulkId:nobody", "data": {}},
        {"method": "DELETE", "path": "/Users/bulkId:nobody"},
        reporting_to("ann", "nobody"),
    ],
    ids=str,
)
def test_a_reference_to_what_never_comes_is_refused(operation: Any) -> None:
    assert isinstance(refusal(operation), InvalidValue)


def test_what_a_put_is_called_is_nothing_to_refer_to() -> None:
    renamed = {"method": "PUT", "path": "/Users/7", "bulkId": "ann", "data": {}}
    assert isinstance(bulk(renamed, reporting_to("ben", "ann")).operations[1].refusal, InvalidValue)


def test_a_group_is_no_member_and_no_manager_and_a_person_no_group() -> None:
    group = post("eng", "/Groups", displayName="eng")
    for strange in (
        post("all", "/Groups", members=[{"value": "bulkId:eng"}]),
        reporting_to("ann", "eng"),
        {"method": "DELETE", "path": "/Users/bulkId:eng"},
    ):
        assert isinstance(bulk(group, strange).operations[1].refusal, InvalidValue), strange
    person = bulk(post("ann"), {"method": "DELETE", "path": "/Groups/bulkId:ann"})
    assert isinstance(person.operations[1].refusal, InvalidValue)


def test_what_was_not_created_cannot_be_referred_to() -> None:
    operation = bulk(post("ann"), reporting_to("ben", "ann")).operations[1]
    with pytest.raises(Conflict):
        resolve(operation, {})


# -- Order -------------------------------------------------------------------------------------------------------


def test_without_references_the_order_is_that_of_the_request() -> None:
    operations = [{"method": "DELETE", "path": "/Users/1"}, post("a"), {"method": "DELETE", "path": "/Users/2"}]
    assert steps(bulk(*operations)) == [[0], [1], [2]]


def test_what_is_referred_to_comes_first_and_nothing_else_moves() -> None:
    group = post("eng", "/Groups", members=[{"value": "bulkId:c"}])
    assert steps(bulk(post("a"), group, post("b"), post("c"))) == [[0], [3], [1], [2]]


def test_a_circle_is_one_step_and_who_refers_to_it_comes_after() -> None:
    circle = (reporting_to("a", "b"), reporting_to("b", "c"), reporting_to("c", "a"))
    group = post("eng", "/Groups", members=[{"value": "bulkId:b"}])
    assert steps(bulk(group, *circle, reporting_to("d", "d"))) == [[1, 2, 3], [0], [4]]


def test_a_chain_as_long_as_a_bulk_is_no_trouble() -> None:
    chain = [reporting_to(str(n), str(n + 1)) for n in range(MAX_OPERATIONS - 1)]
    order = steps(bulk(*chain, post(str(MAX_OPERATIONS - 1))))
    assert order == [[n] for n in reversed(range(MAX_OPERATIONS))]
    ring = [reporting_to(str(n), str((n + 1) % MAX_OPERATIONS)) for n in range(MAX_OPERATIONS)]
    assert steps(bulk(*ring)) == [list(range(MAX_OPERATIONS))]


references = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=20)


@given(references=references)
def test_every_order_has_what_is_needed_before_and_circles_together(references: list[tuple[int, int]]) -> None:
    needs: dict[int, set[int]] = {n: {to for from_, to in references if from_ == n} for n in range(10)}
    said = [post(str(n), photos=[f"bulkId:{to}" for to in sorted(needs[n])]) for n in range(10)]
    order = steps(bulk(*said))
    assert sorted(n for step in order for n in step) == list(range(10))
    place = {n: k for k, step in enumerate(order) for n in step}
    reached = {n: _reached(n, needs) for n in range(10)}
    for n in range(10):
        assert all(place[to] <= place[n] for to in needs[n])
        assert set(order[place[n]]) == {n} | {m for m in reached[n] if n in reached[m]}


def _reached(start: int, needs: dict[int, set[int]]) -> set[int]:
    found: set[int] = set()
    while more := {to for n in found | {start} for to in needs[n]} - found:
        found |= more
    return found


# -- Whatever is sent --------------------------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["bulkId:q", "bulkId:", "POST"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(["method", "path", "bulkId", "version", "data"])
values = json_values | st.sampled_from(["POST", "PATCH", "DELETE", "/Users", "/Users/bulkId:q", "/Groups", "q"])


@given(operations=st.lists(st.dictionaries(names, values, max_size=5), max_size=4), fail=json_values)
def test_whatever_is_sent_is_read_or_refused(operations: list[dict[str, Any]], fail: object) -> None:
    try:
        read = parse_bulk({"Operations": operations, "failOnErrors": fail})
    except ScimError:
        return
    assert sorted(n for step in steps(read) for n in step) == list(range(len(operations)))
