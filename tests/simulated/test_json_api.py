"""The API for seeding and tests."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from simulated.company_idp.company import Company
from simulated.company_idp.signing_key import SigningKey
from tests.simulated.conftest import SP
from tests.simulated.saml_peer import sp_metadata
from tests.simulated.scim_server import ScimServer


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_the_state_at_a_glance_has_no_token(client: FlaskClient, connected: Company) -> None:
    answer = client.get("/api/state")
    assert answer.json is not None
    assert answer.json["company"] == "Acme"
    assert answer.json["people"] == 5
    assert [(group["name"], group["member_count"]) for group in answer.json["groups"]] == [
        ("eng-mobile", 1),
        ("eng-prod", 1),
        ("everyone", 5),
    ]
    assert "t0ken" not in answer.text


def test_settings_are_put_part_by_part(client: FlaskClient, company: Company, scim: ScimServer) -> None:
    client.put("/api/settings", json={"provisioning": {"url": scim.url + "/", "token": "a"}})
    answer = client.put("/api/settings", json={"sign_in": {"send_groups": False}})
    assert answer.json is not None
    assert answer.json["settings"]["provisioning"] == {"url": scim.url, "dialect": "okta"}
    assert answer.json["settings"]["sign_in"]["send_groups"] is False
    assert answer.json["settings"]["service_provider"]["acs_url"] == SP["acs_url"]


def test_the_service_provider_is_taken_from_its_metadata(
    client: FlaskClient, company: Company, keys: dict[str, SigningKey]
) -> None:
    client.put("/api/settings", json={"service_provider": {"metadata": sp_metadata(keys["sp"])}})
    sp = company.settings.read().service_provider
    assert sp is not None
    assert (sp.entity_id, sp.acs_url) == (SP["entity_id"], SP["acs_url"])
    assert sp.signing_certificate == sp.encryption_certificate == keys["sp"].certificate_pem.decode()


@pytest.mark.parametrize(
    "wanted",
    [
        {"nonsense": 1},
        {"service_provider": {"entity_id": "x"}},
        {"service_provider": {"entity_id": "x", "acs_url": "javascript:alert(1)"}},
        {"service_provider": {"metadata": "<md/>"}},
        {"service_provider": {"metadata": "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"}},
        {"service_provider": {"metadata": sp_metadata().replace("HTTP-POST", "HTTP-Artifact")}},
        {"service_provider": []},
        {"sign_in": {"name_id": "nickname"}},
        {"sign_in": {"signs": "nothing"}},
        {"sign_in": {"token": "x"}},
        {"provisioning": {"url": "ftp://x", "token": "t"}},
        {"provisioning": {"url": "http://x"}},
        {"provisioning": {"url": "http://x", "token": "a\nb"}},
        {"provisioning": {"url": "http://x", "token": "t", "dialect": "klingon"}},
        {"company": ""},
    ],
)
def test_a_setting_that_cannot_be_is_refused_and_changes_nothing(
    client: FlaskClient, company: Company, wanted: dict[str, Any]
) -> None:
    before = company.settings.read()
    answer = client.put("/api/settings", json=wanted)
    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["error"]
    assert company.settings.read() == before


def test_a_persons_life(client: FlaskClient, connected: Company, scim: ScimServer) -> None:
    fay = {"email": "fay@acme.example", "given_name": "Fay", "family_name": "Adams"}
    made = client.post("/api/people", json=fay)
    assert made.status_code == 201
    assert made.json is not None
    assert made.json["person"]["remote_id"] == "u1"
    assert made.json["push"]["outcome"] == "accepted"
    assert made.json["person"]["id"].startswith("00u")
    changed = client.patch("/api/people/fay@acme.example", json={"family_name": "Marsh", "active": False})
    assert changed.json is not None
    assert (changed.json["person"]["family_name"], changed.json["person"]["active"]) == ("Marsh", False)
    assert (scim.resources["Users"]["u1"]["displayName"], scim.resources["Users"]["u1"]["active"]) == (
        "Fay Marsh",
        False,
    )
    client.patch("/api/people/fay@acme.example", json={"active": True})
    assert scim.resources["Users"]["u1"]["active"] is True
    client.delete("/api/people/fay@acme.example")
    assert client.get("/api/people/fay@acme.example").status_code == 404


def test_a_groups_life(client: FlaskClient, connected: Company, scim: ScimServer) -> None:
    assert client.post("/api/groups", json={"name": "crew"}).status_code == 201
    answer = client.post("/api/groups/crew/members", json={"add": ["ana@acme.example", "00uben"]})
    assert answer.json is not None
    assert [push["what"] for push in answer.json["pushes"]] == ["Added Ana Costa, Ben Ito to crew"]
    answer = client.post("/api/groups/crew/members", json={"add": ["cai@acme.example"], "remove": ["00uana"]})
    assert answer.json is not None
    assert len(answer.json["pushes"]) == 2
    members = client.get("/api/groups/crew/members").json
    assert members is not None
    assert [person["email"] for person in members["people"]] == ["ben@acme.example", "cai@acme.example"]
    renamed = client.patch("/api/groups/crew", json={"name": "deck"}).json
    assert renamed is not None
    assert renamed["group"]["name"] == "deck"
    client.delete("/api/groups/deck")
    assert scim.resources["Groups"] == {}


def test_people_are_listed_by_page_search_and_group(client: FlaskClient) -> None:
    everybody = client.get("/api/people?limit=2").json
    assert everybody is not None
    assert (len(everybody["people"]), everybody["total"]) == (2, 5)
    found = client.get("/api/people?q=o’neill&group=everyone").json
    assert found is not None
    assert [person["id"] for person in found["people"]] == ["00ucai"]
    ana = client.get("/api/people/00uana").json
    assert ana is not None
    assert ana["groups"] == ["eng-prod", "everyone"]


def test_a_push_streams_a_line_for_each_and_ends_with_a_summary(client: FlaskClient, connected: Company) -> None:
    *progress, last = lines(client.post("/api/push").text)
    assert [line["phase"] for line in progress] == ["people"] * 4 + ["groups"] * 3
    assert last == {
        "finished": True,
        "stopped": None,
        "failures": [],
        "said": "4 people and 3 groups, 0 refused.",
    }


def test_a_push_that_had_to_stop_says_why(client: FlaskClient, connected: Company, scim: ScimServer) -> None:
    scim.refuse(401, "No such token.", only="/")
    last = lines(client.post("/api/push").text)[-1]
    assert (last["finished"], last["stopped"]) == (False, "The bridge answered 401: No such token.")


def test_the_connection_can_be_tested(client: FlaskClient, connected: Company) -> None:
    answer = client.post("/api/test").json
    assert answer is not None
    assert answer["push"]["outcome"] == "accepted"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("post", "/api/people", {"email": "a@b.example"}, 422),
        ("post", "/api/people", {"email": 1, "given_name": "A", "family_name": "B"}, 422),
        ("post", "/api/people", ["a"], 400),
        ("patch", "/api/people/00uana", {}, 422),
        ("patch", "/api/people/00uana", {"active": "no"}, 422),
        ("patch", "/api/people/nobody", {"active": True}, 404),
        ("post", "/api/groups", {"name": "eng-prod"}, 409),
        ("post", "/api/groups", {}, 422),
        ("post", "/api/groups/eng-prod/members", {"add": "ana"}, 422),
        ("post", "/api/groups/eng-prod/members", {}, 422),
        ("get", "/api/nothing", None, 404),
    ],
)
def test_a_bad_call_is_refused_in_json(
    client: FlaskClient, company: Company, method: str, path: str, body: Any, status: int
) -> None:
    answer = client.open(path, method=method.upper(), json=body)
    assert answer.status_code == status
    assert set(answer.json) == {"error"}


def test_what_is_no_json_is_refused(client: FlaskClient) -> None:
    assert client.post("/api/people", data="email=a").status_code == 415
    assert client.post("/api/people", data="{", content_type="application/json").status_code == 400
    assert client.post("/api/people", data=b"[" * 2_000_000, content_type="application/json").status_code == 413
