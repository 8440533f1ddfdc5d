"""Searches that are allowed and dear: what takes too long is refused with `tooMany` (RFC 7644 3.12).

How the time is counted, and that statements end: tests/storage/test_time_limit.py.
"""

import json
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask

from bridge.flows.context import Context
from bridge.storage.time_limit import TimeLimit
from tests.databases import database_of_its_own
from tests.running import running
from tests.saml.idp import KICKS
from tests.web.scim_calls import GROUP, PATCH, Call, body_of, caller, created, new_user, patch, refused, token_of
from tests.web.test_scim_hostile import MEBIBYTES, SECONDS, Target, check_refusal, measured, processor_seconds
from tests.world import World

SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
TITLE = 'title co "x"'


def asking(path: str, query: dict[str, str]) -> str:
    return f"{path}?{urlencode(query)}"


@pytest.fixture
def call(app: Flask, world: World) -> Call:
    """The IdP, where no search has any time at all."""
    app.extensions["bridge"] = replace(world.context, scim_search_seconds=0)
    return caller(app.test_client(), token_of(world))


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", asking("/Users", {"filter": TITLE}), None),
        ("GET", asking("/Users", {"filter": TITLE, "count": "0"}), None),
        ("GET", "/Users?sortBy=title", None),
        ("GET", asking("/Users", {"filter": TITLE, "cursor": ""}), None),
        ("GET", "/Users?sortBy=userName&cursor=", None),
        ("GET", asking("/Groups", {"filter": 'members.display co "x"'}), None),
        ("GET", asking("/", {"filter": "meta.lastModified pr"}), None),
        ("POST", "/Users/.search", {"schemas": [SEARCH], "filter": TITLE}),
        ("POST", "/.search", {"schemas": [SEARCH], "filter": 'displayName co "x"'}),
    ],
    ids=["filter", "total", "order", "cursor", "order by cursor", "members", "root", "search", "search of both"],
)
def test_a_search_without_time_is_refused(call: Call, method: str, path: str, body: Any) -> None:
    refused(call(method, path, body), 400, "tooMany")


def test_people_and_groups_of_one_request_are_searched_under_one_limit(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = []
    limit_of_search = Context.limit_of_search

    def noted(context: Context) -> TimeLimit:
        limits.append(limit_of_search(context))
        return limits[-1]

    monkeypatch.setattr(Context, "limit_of_search", noted)
    call = caller(app.test_client(), token_of(world))
    body_of(call("GET", asking("/", {"filter": "meta.lastModified pr"})))
    assert len(limits) > 2
    assert len({id(limit) for limit in limits}) == 1


def test_looking_up_listing_and_changing_need_no_time(call: Call) -> None:
    ann = created(call, "/Users", new_user())
    eng = created(call, "/Groups", {"schemas": [GROUP], "displayName": "eng", "members": [{"value": ann["id"]}]})
    by_name = urlencode({"filter": 'userName eq "ann@acme.example"'})
    for path in ("/Users", "/Groups", "/Users?cursor=", f"/Users?{by_name}"):
        assert body_of(call("GET", path))["totalResults"] == 1
    removal = {"op": "remove", "path": f'members[value eq "{ann["id"]}"]'}
    assert call("PATCH", f"/Groups/{eng['id']}", patch(removal)).status_code == 204


def test_members_are_compared_within_the_time(call: Call) -> None:
    ann = created(call, "/Users", new_user())
    eng = created(call, "/Groups", {"schemas": [GROUP], "displayName": "eng", "members": [{"value": ann["id"]}]})
    removal = patch({"op": "remove", "path": 'members[display co "ann"]'})
    refused(call("PATCH", f"/Groups/{eng['id']}", removal), 400, "tooMany")
    operations = [{"method": "PATCH", "path": f"/Groups/{eng['id']}", "data": removal}] * 2
    told = body_of(call("POST", "/Bulk", {"schemas": [BULK], "Operations": operations}))["Operations"]
    assert [(one["status"], one["response"]["scimType"]) for one in told] == [("400", "tooMany")] * 2
    assert [one["value"] for one in body_of(call("GET", f"/Groups/{eng['id']}"))["members"]] == [ann["id"]]


# -- A directory of some size ----------------------------------------------------------------------------------------

PEOPLE = 4_000
#: What may come on top of a search's own time: reading the request, writing the answer, a look at the clock too late.
BESIDE = 0.5


def any_of(*tests: str) -> str:
    return " or ".join(tests)


DEAR: dict[str, dict[str, str]] = {
    "300 titles": {"filter": any_of(*(f'title eq "{n}"' for n in range(300)))},
    "300 parts of addresses": {"filter": any_of(*(f'emails.value co "{n}"' for n in range(250)))},
    "150 ends of addresses": {"filter": any_of(*(f'emails[type eq "work" and value ew "{n}"]' for n in range(150)))},
    "names and no names": {
        "filter": any_of(*(f'displayName co "{n}" and not (name.familyName sw "{n}")' for n in range(90)))
    },
    "groups by name": {"filter": any_of(*(f'groups.display co "x{n}"' for n in range(250)))},
    "versions": {"filter": any_of(*(f'meta.version eq "{n}"' for n in range(250)))},
    "by version": {"sortBy": "meta.version"},
    "by groups": {"sortBy": "groups.display", "sortOrder": "descending"},
    "by version, from a cursor": {"sortBy": "meta.version", "cursor": "", "count": "1000"},
    "300 titles, from a cursor": {"filter": any_of(*(f'title eq "{n}"' for n in range(300))), "cursor": ""},
    "everybody whole": {"filter": "userName pr", "count": "1000"},
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def crowd(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A bridge whose one connection has pushed four thousand people, all in one group and each in some others."""
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("memory of other processes is measured by Linux's /proc")
    is_sqlite = request.param == "sqlite"
    database = nullcontext(None) if is_sqlite else database_of_its_own(request.getfixturevalue("postgres_server"))
    folder = tmp_path_factory.mktemp("crowd")
    (folder / "idp.xml").write_bytes(KICKS.metadata)
    rows = (f"p{n}@acme.example,p{n}@acme.example,Person {n},Title {n},all;g{n % 40};h{n % 7}" for n in range(PEOPLE))
    (folder / "people.csv").write_text("\n".join(["userName,email,displayName,title,groups", *rows]) + "\n")
    with database as url, running(folder, database_url=url, workers=1) as bridge:
        bridge.run("workspace", "create", "acme", "--name", "Acme", "--owner", "olga@acme.example")
        made = bridge.run("connection", "create", "acme", "--kind", "saml", "--idp-metadata", str(folder / "idp.xml"))
        token = bridge.run("scim-token", "create", "acme", "--connection", made["connection"]["id"])["token"]
        bridge.run("directory", "import", "acme", str(folder / "people.csv"), "--connection", made["connection"]["id"])
        yield Target(bridge, token)


def group_of_all(crowd: Target) -> str:
    answer = crowd.send("GET", asking("/Groups", {"filter": 'displayName eq "all"', "attributes": "id"}))
    return str(json.loads(answer.body)["Resources"][0]["id"])


@pytest.mark.long
@pytest.mark.parametrize("name", DEAR)
def test_a_dear_search_is_answered_or_refused_in_time(crowd: Target, name: str) -> None:
    answer, cost = measured(crowd, lambda: crowd.send("GET", f"/Users?{urlencode(DEAR[name])}"))
    if answer.status != 200:
        check_refusal(answer, 400)
        assert json.loads(answer.body)["scimType"] == "tooMany"
    assert cost.seconds < SECONDS + BESIDE
    assert cost.memory < MEBIBYTES * 2**20


@pytest.mark.long
def test_a_bulk_of_dear_changes_ends_in_time(crowd: Target) -> None:
    group = group_of_all(crowd)
    removal = {"schemas": [PATCH], "Operations": [{"op": "remove", "path": 'members[display co "nobody"]'}]}
    operations = [{"method": "PATCH", "path": f"/Groups/{group}", "data": removal}] * 500
    body = json.dumps({"schemas": [BULK], "Operations": operations}).encode()
    began = sum(map(processor_seconds, crowd.pids()))
    answer = crowd.send("POST", "/Bulk", body)
    # Each operation is a transaction of its own, with time of its own: 500 of them take about one more second.
    assert sum(map(processor_seconds, crowd.pids())) - began < 2 * SECONDS + BESIDE
    statuses = [one["status"] for one in json.loads(answer.body)["Operations"]]
    assert statuses[-1] == "400"
    assert set(statuses) <= {"204", "400"}
    answer = crowd.send("GET", f"/Groups/{group}")
    assert len(json.loads(answer.body)["members"]) == PEOPLE


@pytest.mark.long
def test_nothing_of_all_this_was_a_fault(crowd: Target) -> None:
    assert "Traceback" not in crowd.bridge.log.read_text()
