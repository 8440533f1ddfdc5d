"""The examiner: nothing to say of a server that is right, and each planted fault found, named, and cleaned up after."""

import json
from collections.abc import Iterator
from contextlib import suppress
from random import Random
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulated.dialects import scim_client
from simulated.dialects.scim_client import Exchange, ScimUnreachable
from simulated.dialects.speaking import DialectName
from simulated.examiner.__main__ import begin
from simulated.examiner.answers import check_answer
from simulated.examiner.examination import Examination, render_request
from simulated.examiner.findings import Fault, Report, Step
from simulated.examiner.life_cycle import play
from simulated.examiner.people_steps import NoScimServer, NothingToExamine, TokenRefused
from tests.simulated.small_server import FAULTS, GROUP, MESSAGES, USER, Erratic, SmallServer, listening, serving

DIALECTS = get_args(DialectName)
MICROSOFTS_GROUP = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"
EVERYBODY = ("okta", "entra", "entra-compliant", "onelogin")


@pytest.fixture
def server() -> Iterator[SmallServer]:
    with serving() as small:
        yield small


def examine(server: SmallServer, name: Any, *, users: int = 5, token: str = "t0ken") -> Examination:
    exam = begin(name, server.url, token)
    play(exam, "abc123", users, 2)
    return exam


def outcomes(exam: Examination) -> dict[str, str]:
    return {step.step: step.outcome for step in exam.steps}


def says(exam: Examination, title: str) -> str:
    return next(step.says for step in exam.steps if step.step == title)


# -- A server that is right ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DIALECTS)
def test_a_server_that_is_right_has_no_fault_and_is_left_empty(server: SmallServer, name: str) -> None:
    exam = examine(server, name)
    assert exam.faults == []
    assert "wrong" not in outcomes(exam).values()
    assert server.kept == {"Users": {}, "Groups": {}}


@pytest.mark.parametrize("name", DIALECTS)
def test_every_request_is_counted_and_there_are_not_many(server: SmallServer, name: str) -> None:
    exam = examine(server, name)
    assert exam.calls == len(server.log) == sum(step.calls for step in exam.steps)
    assert exam.calls < 100


@pytest.mark.parametrize(
    ("name", "skipped"),
    [
        ("okta", {"Ask whether somebody is a member"}),
        ("entra", set()),
        ("onelogin", {"Ask whether somebody is a member", "Set a manager", "Delete a group"}),
    ],
)
def test_what_a_vendor_never_does_is_skipped_with_the_reason(server: SmallServer, name: str, skipped: set[str]) -> None:
    exam = examine(server, name)
    assert {title for title, outcome in outcomes(exam).items() if outcome == "skipped"} == skipped
    assert all(says(exam, title) for title in skipped)


@pytest.mark.parametrize("name", ["okta", *(pytest.param(name, marks=pytest.mark.long) for name in EVERYBODY[1:])])
def test_more_people_than_fit_into_a_patch(server: SmallServer, name: str) -> None:
    assert examine(server, name, users=103).faults == []


def test_what_a_server_has_no_place_for_is_said_and_no_fault(server: SmallServer) -> None:
    server.leaves_out = {"title"}
    exam = examine(server, "okta")
    assert exam.faults == []
    assert "keeps no title" in says(exam, "Create people")


@pytest.mark.parametrize(
    ("name", "schema", "step"),
    [
        ("onelogin", "urn:scim:schemas:core:2.0", "Create people"),
        (
            "entra",
            MICROSOFTS_GROUP,
            "Create groups with members",
        ),
    ],
)
def test_who_is_refused_in_the_vendors_words_is_made_in_the_standards_and_the_rest_examined(
    server: SmallServer, name: Any, schema: str, step: str
) -> None:
    server.refuses_schemas = {schema}
    exam = examine(server, name)
    [fault] = exam.faults
    assert fault.step == step
    assert schema in fault.request
    assert "refused with 400 invalidSyntax: No such schema" in fault.why
    assert outcomes(exam)[step] == "wrong"
    assert outcomes(exam)["Remove members"] == "right"
    assert server.kept == {"Users": {}, "Groups": {}}


def test_members_who_could_not_be_removed_are_rightly_found_as_members() -> None:
    with serving("removing members by an array removes nobody") as server:
        exam = examine(server, "entra")
    assert outcomes(exam)["Ask whether somebody is a member"] == "right"
    assert {fault.step for fault in exam.faults} == {"Remove members", "Empty a group"}


def test_what_a_server_says_over_several_lines_is_told_in_one(server: SmallServer) -> None:
    server.refuses_schemas, server.says = {"urn:scim:schemas:core:2.0"}, "1 error\n  in\n  schemas"
    assert "invalidSyntax: 1 error in schemas." in examine(server, "onelogin").faults[0].why


def test_a_refusal_of_an_unknown_attribute_is_said_and_no_fault(server: SmallServer) -> None:
    server.refuses_unknown = True
    exam = examine(server, "okta")
    assert exam.faults == []
    assert "refuses what it doesn't know (400)" in says(exam, "Send an attribute of the company's own")


# -- Planted faults --------------------------------------------------------------------------------------------------

#: Whose life cycle meets it, in which step, and the beginning of the sentence; the first fault of the report.
FOUND = {
    "a filter is ignored and everybody answered": (
        EVERYBODY,
        "Create people",
        "A look-up of a userName that nobody has",
    ),
    "userName is compared with case": (EVERYBODY, "Look up people", "userName eq \"O'BRIEN.ABC123@"),
    "a POST is answered 200": (EVERYBODY, "Create people", "A POST that succeeded was answered 200, not 201."),
    "a POST has no Location": (EVERYBODY, "Create people", "The answer to a POST has no Location header."),
    "a second person of one userName is made": (
        EVERYBODY,
        "Create somebody again",
        "A POST of a userName that is taken",
    ),
    "active is kept as the string that was sent": (
        ("entra",),
        "Deactivate somebody",
        "After `Replace active` active is a string, not a boolean.",
    ),
    "a PATCH without a path is ignored": (
        ("okta",),
        "Deactivate somebody",
        "After `replace` without a path active isn't what was sent.",
    ),
    "removing some members removes all": (
        ("okta", "entra-compliant", "onelogin"),
        "Remove members",
        "After `remove members[value eq …]` the group lost all 5 members, not those two.",
    ),
    "removing members by an array removes all": (
        ("entra",),
        "Remove members",
        "After `Remove members` with an array of values the group lost all 5 members, not those two.",
    ),
    "removing members by an array removes nobody": (
        ("entra",),
        "Remove members",
        "After `Remove members` with an array of values those who were removed are still members.",
    ),
    "adding members replaces all": (
        ("okta", "entra-compliant", "onelogin"),
        "Add members",
        "After `add members` the group has 2 members, not 5: adding replaced the others.",
    ),
    "renaming a group unsets its externalId": (
        ("entra-compliant",),
        "Rename a group",
        "After `replace displayName` externalId of the group isn't what was sent.",
    ),
    "members are answered though excluded": (EVERYBODY, "Look up a group without its members", "Members were answered"),
    "a DELETE is answered 204 and nothing is deleted": (
        ("okta", "entra"),
        "Delete a group",
        "The DELETE of a group was answered",
    ),
    "the second page repeats the first": (EVERYBODY, "Read people page by page", "The second page repeats people"),
    "whoever is inactive isn't found": (EVERYBODY, "Deactivate somebody", "Who was deactivated isn't found any more"),
    "an unknown attribute is answered 500": (
        EVERYBODY,
        "Send an attribute of the company's own",
        "A POST that an IdP sends every day was answered 500",
    ),
    "errors are plain text": (EVERYBODY, "Create somebody again", "The body of a 409 isn't a SCIM error"),
    "a new address leaves the old one found": (
        EVERYBODY,
        "Change a userName and address",
        "Somebody is still found by their former userName.",
    ),
    "a POST is answered without a body": (
        EVERYBODY,
        "Create people",
        "The answer to a POST that succeeded isn't a JSON",
    ),
    "a filter on externalId is ignored": (
        ("entra", "entra-compliant"),
        "Create people",
        "Entra ID looked up a new person",
    ),
    "a PUT is answered and nothing is stored": (
        ("okta", "onelogin"),
        "Change a profile",
        "After a PUT name.familyName isn't what was sent.",
    ),
}
#: Each fault by each vendor who meets it; the short run has one vendor for each.
CASES = [
    pytest.param(fault, name, marks=pytest.mark.long if name != names[place % len(names)] else ())
    for place, (fault, (names, _, _)) in enumerate(FOUND.items())
    for name in names
]


def test_every_fault_that_can_be_planted_is_looked_for() -> None:
    assert set(FOUND) == set(FAULTS)


@pytest.mark.parametrize(("planted", "name"), CASES)
def test_a_planted_fault_is_found_and_named(planted: str, name: str) -> None:
    with serving(planted) as server:
        exam = examine(server, name)
    _, step, sentence = FOUND[planted]
    assert exam.faults[0].why.startswith(sentence), exam.faults
    assert (exam.faults[0].step, outcomes(exam)[step]) == (step, "wrong")
    assert exam.faults[0].standard.startswith("Entra ID: " if "by an array" in planted else "RFC 764")


@pytest.mark.long
@pytest.mark.parametrize(("planted", "name"), CASES)
def test_whatever_is_wrong_nothing_is_left_behind_unsaid(planted: str, name: str) -> None:
    with serving(planted) as server:
        exam = examine(server, name)
    left = [f"({kind}/{key})" for kind in server.kept for key in server.kept[kind]]
    assert all(one in says(exam, "Clean up") for one in left)
    assert bool(left) == (planted == "a DELETE is answered 204 and nothing is deleted")


def test_the_same_fault_is_told_once() -> None:
    with serving("a POST has no Location") as server:
        assert len(examine(server, "okta").faults) == 1


@pytest.mark.parametrize("name", EVERYBODY)
def test_nobody_elses_person_is_touched_when_filters_answer_everybody(name: str) -> None:
    real = {"userName": "real@person.example", "name": {"givenName": "Real"}, "active": True}
    with serving("a filter is ignored and everybody answered") as server:
        server.kept["Users"]["real"] = dict(real)
        exam = examine(server, name)
        assert server.kept == {"Users": {"real": real}, "Groups": {}}
    assert "was told of somebody else (Users/real)" in exam.faults[1].why


@pytest.mark.parametrize("name", ["entra", "entra-compliant"])
def test_a_second_look_up_that_finds_another_of_ours_is_told_and_ends_the_step(name: str) -> None:
    with serving("a filter on externalId is ignored") as server:
        exam = examine(server, name)
    assert exam.faults[0].why.startswith("Entra ID looked up a new person, was told of another")
    assert outcomes(exam)["Look up people"] == "skipped"


def test_a_refusal_of_what_a_vendor_sends_names_the_vendors_document(server: SmallServer) -> None:
    server.refuses = {"PUT"}
    exam = examine(server, "onelogin")
    [fault] = exam.faults
    assert fault.why.startswith("What OneLogin sends every day was refused with 405")
    assert fault.standard == "OneLogin: scim/implement-scim-api"


@given(st.randoms(use_true_random=False), st.sampled_from(EVERYBODY))
def test_answers_of_any_form_are_faults_and_never_a_crash(chance: Random, name: Any) -> None:
    with listening(Erratic(chance)) as url:
        exam = begin(name, url, "t0ken")
        with suppress(NothingToExamine):
            play(exam, "abc123", 3, 1)
    report = Report(name, exam.calls, exam.steps, exam.faults)
    assert json.loads(json.dumps(report.render_json()))["calls"] == exam.calls
    assert report.render_text()


# -- Servers that can't be examined to the end -----------------------------------------------------------------------


def test_a_token_that_is_not_taken_ends_it_at_once(server: SmallServer) -> None:
    with pytest.raises(TokenRefused, match=r"doesn't take the token \(401\): No such token"):
        examine(server, "okta", token="wrong")
    assert len(server.log) == 1


def test_nobody_there_ends_it_at_once(server: SmallServer) -> None:
    exam = begin("okta", "http://127.0.0.1:9/scim/v2", "t0ken")
    with pytest.raises(ScimUnreachable):
        play(exam, "abc123", 5, 2)
    assert len(exam.steps) == 1


def test_an_address_that_is_no_scim_server_is_one_fault(server: SmallServer) -> None:
    server.url = server.url.replace("/scim/v2", "/elsewhere")
    exam = examine(server, "onelogin")
    assert [step.step for step in exam.steps] == ["Test the connection"]
    assert "refused with 404" in exam.faults[0].why


@pytest.mark.parametrize(
    ("status", "headers", "body", "why"),
    [
        (404, {"Content-Type": "text/html; charset=utf-8"}, "<!doctype html>", "answered 404 with text/html"),
        (200, {"Content-Type": "text/html"}, "<!doctype html>", "answered 200 with text/html"),
        (502, {"Content-Type": "text/plain"}, "Bad Gateway", "answered 502 with text/plain"),
        (404, {"Content-Type": "application/json"}, '{"detail": "Not Found"}', "404, and not in SCIM's form"),
        (404, {}, "", "answered 404 with nothing"),
        (301, {"Location": "https://x.example/scim/v2"}, "", r"sent elsewhere \(301\), to https://x.example/scim/v2"),
    ],
)
@pytest.mark.parametrize("name", ["okta", "entra"])
def test_what_is_no_scim_server_is_told_by_its_first_answer(
    name: Any, status: int, headers: dict[str, str], body: str, why: str
) -> None:
    def answer(_environ: Any, start: Any) -> list[bytes]:
        start(f"{status} So", [*headers.items(), ("Content-Length", str(len(body)))])
        return [body.encode()]

    with listening(answer) as url, pytest.raises(NoScimServer, match=why):
        play(begin(name, url, "t0ken"), "abc123", 5, 2)


def test_a_server_that_falls_silent_on_the_way_is_a_fault_of_that_request(
    server: SmallServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scim_client, "TIMEOUT", (5, 0.2))
    exam = begin("okta", server.url, "t0ken")

    def fall_silent(title: str) -> None:
        server.pause = 0.6 if title == "Change a profile" else 0.0

    exam.on_start = fall_silent
    with pytest.raises(ScimUnreachable, match=r"gave no answer within 0\.2 seconds"):
        play(exam, "abc123", 3, 1)
    [fault] = exam.faults
    assert (fault.step, fault.got) == ("Change a profile", "none")
    assert "/scim/v2/Users/" in fault.request
    assert server.kept == {"Users": {}, "Groups": {}}


def test_an_app_of_oktas_wizard_deactivates_by_put(server: SmallServer) -> None:
    exam = examine(server, "okta-wizard")
    assert exam.faults == []
    assert not [line for line in server.log if line.startswith("PATCH /scim/v2/Users/")]
    assert exam.dialect.name == "Okta"


def test_people_who_cannot_be_deleted_are_deactivated_and_named(server: SmallServer) -> None:
    server.refuses = {"DELETE"}
    exam = examine(server, "onelogin")
    left = server.kept["Users"]
    assert len(left) == 6
    assert not any(person["active"] for person in left.values())
    assert all(f"(Users/{key})" in says(exam, "Clean up") for key in left)


@pytest.mark.parametrize("title", ["Create people", "Remove members", "Delete somebody"])
def test_broken_off_at_any_step_it_cleans_up(server: SmallServer, title: str) -> None:
    exam = begin("entra", server.url, "t0ken")

    def interrupt(starting: str) -> None:
        server.kept["Users"].setdefault("other", {"userName": "other@person.example"})
        if starting == title:
            raise KeyboardInterrupt

    exam.on_start = interrupt
    with pytest.raises(KeyboardInterrupt):
        play(exam, "abc123", 5, 2)
    assert server.kept == {"Users": {"other": {"userName": "other@person.example"}}, "Groups": {}}


def test_broken_off_again_while_it_cleans_up_it_says_what_is_left(server: SmallServer) -> None:
    exam = begin("okta", server.url, "t0ken")

    def interrupt(starting: str) -> None:
        if starting in ("Remove members", "Clean up, 3 of 7"):
            raise KeyboardInterrupt

    exam.on_start = interrupt
    with pytest.raises(KeyboardInterrupt):
        play(exam, "abc123", 5, 1)
    left = server.kept["Users"]
    assert len(left) == 5
    assert all(f"(Users/{key})" in says(exam, "Clean up") for key in left)


def test_somebody_made_without_an_answer_is_found_by_name_and_deleted() -> None:
    with serving("a POST is answered without a body") as server:
        examine(server, "okta")
        assert server.kept == {"Users": {}, "Groups": {}}


# -- One answer by itself --------------------------------------------------------------------------------------------

LIST = {"schemas": [f"{MESSAGES}:ListResponse"], "totalResults": 1, "Resources": [{"id": "1"}]}
PERSON = {"schemas": [USER], "id": "1", "userName": "a", "meta": {"location": "http://x/Users/1"}}
JSON = "application/scim+json; charset=utf-8"


def heard(method: str, path: str, status: int, answer: Any, **more: Any) -> list[str]:
    text = answer if isinstance(answer, str) else json.dumps(answer)
    exchange = Exchange(method, f"/scim/v2/{path}", None, status, text, 0.0, **{"content_type": JSON, **more})
    return [finding.why for finding in check_answer(exchange)]


@pytest.mark.parametrize(
    ("method", "path", "status", "answer"),
    [
        ("GET", "Users?filter=x", 200, LIST),
        ("GET", "Users?", 200, {"schemas": LIST["schemas"], "totalResults": 0}),
        ("GET", "Users/1", 200, PERSON),
        ("PUT", "Users/1?", 200, PERSON),
        ("PATCH", "Groups/1", 204, ""),
        ("PATCH", "Groups/1", 200, {"schemas": [GROUP], "id": "1"}),
        ("DELETE", "Users/1", 204, ""),
        ("GET", "Users/1", 404, {"schemas": [f"{MESSAGES}:Error"], "status": "404"}),
    ],
)
def test_an_answer_that_is_right_is_not_faulted(method: str, path: str, status: int, answer: Any) -> None:
    assert heard(method, path, status, answer) == []


@pytest.mark.parametrize(
    ("method", "path", "status", "answer", "why"),
    [
        ("GET", "Users", 200, {**LIST, "schemas": []}, "doesn't say that it is one"),
        ("GET", "Users", 200, {**LIST, "totalResults": "1"}, "how many there are"),
        ("GET", "Users", 200, {**LIST, "totalResults": 0}, "more than it says"),
        ("GET", "Users", 200, {**LIST, "Resources": {}}, "isn't an array"),
        ("GET", "Users", 200, "<html>", "isn't a JSON object"),
        ("GET", "Users/1", 200, {**PERSON, "id": 1}, "has no id"),
        ("GET", "Users/1", 200, {**PERSON, "schemas": []}, "doesn't name its schema"),
        ("GET", "Users/1", 200, {**PERSON, "password": "x"}, "password"),
        ("PUT", "Users/1", 201, PERSON, "answered 201, not 200"),
        ("PUT", "Users/1", 200, "", "isn't a JSON object"),
        ("DELETE", "Users/1", 200, "", "answered 200, not 204"),
        ("GET", "Users/1", 404, "Not found", "isn't a SCIM error"),
        ("GET", "Users/1", 404, {"schemas": [f"{MESSAGES}:Error"], "status": 404}, "as a string"),
        ("GET", "Users/1", 503, "", "answered 503"),
    ],
)
def test_an_answer_that_is_wrong_is_faulted(method: str, path: str, status: int, answer: Any, why: str) -> None:
    [only] = heard(method, path, status, answer)
    assert why in only


def test_a_success_that_is_not_marked_as_json_is_faulted() -> None:
    [only] = heard("GET", "Users/1", 200, PERSON, content_type="text/html")
    assert "isn't marked as JSON" in only


def test_two_addresses_for_one_resource_are_faulted() -> None:
    assert heard("POST", "Users", 201, PERSON, location="http://x/Users/1") == []
    [only] = heard("POST", "Users", 201, PERSON, location="http://y/Users/1")
    assert "another address in meta.location" in only


# -- The report ------------------------------------------------------------------------------------------------------


def test_the_report_as_text_gives_the_sentence_its_paragraph_and_what_was_sent() -> None:
    fault = Fault("Remove members", "PATCH /Groups/1", "3 members", "0 members", "All are gone.", "RFC 7644 3.5.2.2")
    steps = [Step("Remove members", "wrong", 2), Step("Set a manager", "skipped", 0, "None is sent.")]
    assert Report("okta", 2, steps, [fault]).render_text().splitlines() == [
        "wrong    Remove members",
        "skipped  Set a manager: None is sent.",
        "",
        "1. Remove members: All are gone. (RFC 7644 3.5.2.2)",
        "   sent      PATCH /Groups/1",
        "   expected  3 members",
        "   got       0 members",
        "",
        "2 calls, 1 fault.",
    ]


def test_a_request_is_shown_without_its_password_and_not_at_length() -> None:
    sent = {"userName": "a", "password": "hunter2", "displayName": "x" * 1000}
    shown = render_request(Exchange("POST", "/Users", sent, 201, "", 0.0))
    assert "hunter2" not in shown
    assert len(shown) < 400
