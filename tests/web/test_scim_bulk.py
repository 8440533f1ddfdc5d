"""`/scim/v2/Bulk`: many operations in one request, each as if it had come alone (RFC 7644 3.7)."""

from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from bridge.storage.tables import audit
from bridge.web import scim_operations
from scim.bulk import BULK_REQUEST_SCHEMA, BULK_RESPONSE_SCHEMA, MAX_OPERATIONS, MAX_PAYLOAD
from scim.errors import ERROR_SCHEMA
from tests.web.scim_calls import Call, caller, token_of
from tests.world import World, another_connection

BASE = "http://localhost:8000/scim/v2"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

Answers = list[dict[str, Any]]

#: The id of nothing; always the same, so that each worker gives the tests the same names.
NOBODY = "5b1f4b2e-9d0c-4b6a-8f2d-3c7e1a9b0d42"


def bulk(call: Call, *operations: dict[str, Any], **said: Any) -> Answers:
    answer = call("POST", "/Bulk", {"schemas": [BULK_REQUEST_SCHEMA], "Operations": list(operations), **said})
    body = answer.get_json(force=True)
    assert answer.status_code == 200, body
    assert body["schemas"] == [BULK_RESPONSE_SCHEMA]
    told: Answers = body["Operations"]
    return told


def post(bulk_id: str, path: str = "/Users", **body: Any) -> dict[str, Any]:
    said = {"userName": f"{bulk_id}@acme.example"} if path == "/Users" else {"displayName": bulk_id}
    return {"method": "POST", "path": path, "bulkId": bulk_id, "data": said | body}


def group_of(bulk_id: str, *members: str) -> dict[str, Any]:
    return post(bulk_id, "/Groups", members=[{"value": f"bulkId:{each}"} for each in members])


def reporting_to(bulk_id: str, manager: str) -> dict[str, Any]:
    return post(bulk_id, "/Users", **{ENTERPRISE: {"manager": {"value": f"bulkId:{manager}"}}})


def patch(path: str, *operations: dict[str, Any], **said: Any) -> dict[str, Any]:
    return {"method": "PATCH", "path": path, "data": {"schemas": [PATCH], "Operations": list(operations)}, **said}


def statuses(answers: Answers) -> list[str]:
    return [each["status"] for each in answers]


def read(call: Call, location: str) -> dict[str, Any]:
    said: dict[str, Any] = call("GET", location.removeprefix(BASE)).get_json(force=True)
    return said


def id_of(answer: dict[str, Any]) -> str:
    return str(answer["location"]).rpartition("/")[2]


def total(call: Call, path: str) -> int:
    count: int = read(call, path)["totalResults"]
    return count


# -- What is done ----------------------------------------------------------------------------------------------------


def test_each_answer_says_what_a_request_of_its_own_would_have_been_told(call: Call) -> None:
    (made,) = bulk(call, post("ann"))
    assert made == {
        "method": "POST",
        "bulkId": "ann",
        "version": 'W/"0"',
        "location": f"{BASE}/Users/{id_of(made)}",
        "status": "201",
    }
    path = f"/Users/{id_of(made)}"
    put = {"method": "PUT", "path": path, "data": {"userName": "ann@acme.example", "title": "Lead"}}
    answers = bulk(call, put, patch(path, {"op": "remove", "path": "title"}), {"method": "DELETE", "path": path})
    assert [(each["method"], each["status"], each.get("version")) for each in answers] == [
        ("PUT", "200", 'W/"1"'),
        ("PATCH", "200", 'W/"2"'),
        ("DELETE", "204", None),
    ]
    assert {each["location"] for each in answers} == {f"{BASE}{path}"}


def test_groups_are_changed_as_people_are(call: Call) -> None:
    ann, eng = bulk(call, post("ann"), group_of("eng", "ann"))
    path = f"/Groups/{id_of(eng)}"
    put = {"method": "PUT", "path": path, "data": {"displayName": "all"}}
    add = patch(path, {"op": "add", "path": "members", "value": [{"value": id_of(ann)}]})
    assert statuses(bulk(call, put, add)) == ["200", "204"]
    assert (read(call, path)["displayName"], len(read(call, path)["members"])) == ("all", 1)
    assert statuses(bulk(call, {"method": "DELETE", "path": path})) == ["204"]
    assert total(call, "/Groups") == 0


def test_what_comes_later_may_be_referred_to_and_answers_keep_the_order(call: Call) -> None:
    answers = bulk(call, group_of("eng", "ann", "ben"), post("ann"), reporting_to("ben", "ann"))
    assert [each["bulkId"] for each in answers] == ["eng", "ann", "ben"]
    assert statuses(answers) == ["201"] * 3
    eng, ann, ben = answers
    assert {each["value"] for each in read(call, eng["location"])["members"]} == {id_of(ann), id_of(ben)}
    assert read(call, ben["location"])[ENTERPRISE]["manager"]["value"] == id_of(ann)


def test_what_was_just_created_may_be_changed(call: Call) -> None:
    answers = bulk(call, patch("/Users/bulkId:ann", {"op": "replace", "path": "title", "value": "Lead"}), post("ann"))
    assert statuses(answers) == ["200", "201"]
    assert read(call, answers[1]["location"])["title"] == "Lead"
    assert answers[0]["location"] == answers[1]["location"]


def test_people_in_a_circle_have_each_other_as_managers(call: Call) -> None:
    answers = bulk(call, reporting_to("ann", "ben"), reporting_to("ben", "cid"), reporting_to("cid", "ann"))
    assert statuses(answers) == ["201"] * 3
    managers = [read(call, each["location"])[ENTERPRISE]["manager"]["value"] for each in answers]
    assert managers == [id_of(answers[1]), id_of(answers[2]), id_of(answers[0])]
    (alone,) = bulk(call, reporting_to("dee", "dee"))
    assert read(call, alone["location"])[ENTERPRISE]["manager"]["value"] == id_of(alone)


def test_a_circle_that_cannot_be_closed_creates_nobody(call: Call) -> None:
    bulk(call, post("ben"))
    answers = bulk(call, reporting_to("ann", "ben"), reporting_to("ben", "ann"), group_of("eng", "ann"), post("cid"))
    assert statuses(answers) == ["409", "409", "409", "201"]
    assert answers[0]["response"]["scimType"] == "uniqueness"
    assert total(call, "/Users") == 2
    assert total(call, "/Groups") == 0


def test_a_version_guards_its_operation(call: Call) -> None:
    (ann,) = bulk(call, post("ann"))
    path = f"/Users/{id_of(ann)}"
    retitle = {"op": "replace", "path": "title", "value": "Lead"}
    answers = bulk(call, patch(path, retitle, version='W/"7"'), patch(path, retitle, version='W/"0"'))
    assert statuses(answers) == ["412", "200"]
    assert statuses(bulk(call, {"method": "DELETE", "path": path, "version": 'W/"0"'})) == ["412"]


def test_each_operation_has_a_cause_of_its_own_in_the_trail(world: World, call: Call) -> None:
    bulk(call, post("ann"), post("ben"), group_of("eng", "ann"))
    with world.context.database.reading() as rows:
        kinds = ("directory_user.created", "idp_group.created")
        chosen = select(func.count(audit.c.cause.distinct())).where(audit.c.type.in_(kinds))
        assert rows.execute(chosen).scalar_one() == 3


# -- What is refused -------------------------------------------------------------------------------------------------


def test_a_failure_leaves_the_others_alone(call: Call) -> None:
    answers = bulk(call, post("ann"), post("ann2", userName="ANN@acme.example"), post("ben"))
    assert statuses(answers) == ["201", "409", "201"]
    failed = answers[1]
    assert "location" not in failed
    assert failed["response"]["schemas"] == [ERROR_SCHEMA]
    assert (failed["response"]["status"], failed["response"]["scimType"]) == ("409", "uniqueness")
    assert total(call, "/Users") == 2


@pytest.mark.parametrize(("fail_on_errors", "answered"), [(None, 5), (1, 2), (2, 4), (3, 5)])
def test_fail_on_errors_stops_and_says_what_was_done(call: Call, fail_on_errors: int | None, answered: int) -> None:
    gone = {"method": "DELETE", "path": f"/Users/{uuid4()}"}
    said = {} if fail_on_errors is None else {"failOnErrors": fail_on_errors}
    answers = bulk(call, post("ann"), gone, post("ben"), gone, post("cid"), **said)
    assert statuses(answers) == ["201", "404", "201", "404", "201"][:answered]
    assert total(call, "/Users") == statuses(answers).count("201")


@pytest.mark.parametrize(
    ("operation", "status", "scim_type"),
    [
        (post("q") | {"method": "GET"}, "400", "invalidValue"),
        (post("q", "/Nowhere"), "404", None),
        (post("q", "/Me"), "404", None),
        (post("q", userName=5), "400", "invalidValue"),
        (post("q", userName=None), "400", "invalidValue"),
        (group_of("q", "nobody"), "400", "invalidValue"),
        (group_of("q", "q"), "400", "invalidValue"),
        (post("q", "/Groups", members=[{"value": "x", "type": "Group"}]), "400", "invalidValue"),
        ({"method": "PUT", "path": "/Users/%00", "data": {"userName": "x"}}, "404", None),
        ({"method": "DELETE", "path": "/Users/\x00"}, "404", None),
        ({"method": "DELETE", "path": "/Users/a/b?c=d#e"}, "404", None),
        ({"method": "DELETE", "path": f"/Users/{'x' * 10_000}"}, "404", None),
        (patch(f"/Users/{NOBODY}", {"op": "fly"}), "400", "invalidSyntax"),
        (patch(f"/Users/{NOBODY}", {"op": "replace", "path": "nope", "value": 1}), "400", "invalidPath"),
        (patch(f"/Groups/{NOBODY}", {"op": "remove", "path": "members"}), "404", None),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_hostile_operation_is_a_4xx_of_its_own_and_changes_nothing(
    call: Call, operation: dict[str, Any], status: str, scim_type: str | None
) -> None:
    bad, good = bulk(call, operation, post("good"))
    assert (bad["status"], bad["response"].get("scimType")) == (status, scim_type)
    assert bad["response"]["detail"]
    assert good["status"] == "201"
    assert (total(call, "/Users"), total(call, "/Groups")) == (1, 0)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"Operations": [post("q"), 5]}, 400),
        ({"Operations": [post("q"), post("q")]}, 400),
        ({"Operations": [post("q")], "failOnErrors": "many"}, 400),
        ({"Operations": [post(str(n)) for n in range(MAX_OPERATIONS + 1)]}, 413),
        ({"Operations": [post("q", title="x" * MAX_PAYLOAD)]}, 413),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_hostile_bulk_is_refused_as_a_whole(call: Call, body: dict[str, Any], status: int) -> None:
    answer = call("POST", "/Bulk", body)
    assert (answer.status_code, answer.get_json(force=True)["schemas"]) == (status, [ERROR_SCHEMA])
    assert total(call, "/Users") == 0


def test_bulk_is_announced_with_its_limits_and_takes_only_post(call: Call) -> None:
    announced = read(call, "/ServiceProviderConfig")["bulk"]
    assert announced == {"supported": True, "maxOperations": MAX_OPERATIONS, "maxPayloadSize": MAX_PAYLOAD}
    answer = call("GET", "/Bulk")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


def test_a_fault_of_ours_is_told_of_its_operation_alone(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(scim_operations, "create_group", fail)
    answers = bulk(call, post("ann"), group_of("eng", "ann"), post("ben"))
    assert statuses(answers) == ["201", "500", "201"]
    assert "fault" not in str(answers[1]["response"])


# -- Whose directory -------------------------------------------------------------------------------------------------


def test_what_another_connection_has_is_what_nobody_has(world: World, client: FlaskClient, call: Call) -> None:
    entra = another_connection(world, "Entra")
    ann = entra.push("ann@other.example")
    secret = entra.push_group("Secret", ann)
    theirs = caller(client, token_of(entra))
    before = [read(theirs, path) for path in ("/Users", "/Groups")]

    def told(user: str, group: str) -> list[tuple[str, str]]:
        answers = bulk(
            call,
            {"method": "PUT", "path": f"/Users/{user}", "data": {"userName": "x"}},
            patch(f"/Users/{user}", {"op": "replace", "path": "active", "value": False}),
            {"method": "DELETE", "path": f"/Users/{user}"},
            {"method": "PUT", "path": f"/Groups/{group}", "data": {"displayName": "x"}},
            patch(f"/Groups/{group}", {"op": "remove", "path": "members"}),
            {"method": "DELETE", "path": f"/Groups/{group}"},
            post("eng", "/Groups", members=[{"value": user}]),
        )
        return [(each["status"], str(each).replace(user, "USER").replace(group, "GROUP")) for each in answers]

    assert told(ann.id, secret.id) == told(str(uuid4()), str(uuid4()))
    assert [read(theirs, path) for path in ("/Users", "/Groups")] == before


def test_without_a_token_there_is_no_bulk(client: FlaskClient) -> None:
    assert client.post("/scim/v2/Bulk", json={"Operations": [post("q")]}).status_code == 401
