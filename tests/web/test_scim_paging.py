"""Lists page by page over HTTP: by index (RFC 7644 3.4.2.4) and by cursor (RFC 9865)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from bridge.flows.cursors import LIFETIME
from bridge.storage.database import Database
from bridge.web import scim_api, scim_search
from tests.web.scim_calls import Call, body_of, caller, refused, token_of
from tests.world import World, another_connection, make_world

SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
PEOPLE = 7


@pytest.fixture
def world(database: Database) -> World:
    made = make_world(database, datetime.now(UTC))
    people = [made.push(f"person{n}@acme.example") for n in range(PEOPLE)]
    for n in range(3):
        made.push_group(f"group{n}", people[n])
    return made


def page(call: Call, path: str) -> dict[str, Any]:
    answer = call("GET", path)
    assert answer.status_code == 200, answer.text
    return body_of(answer)


def walk(call: Call, path: str) -> list[dict[str, Any]]:
    """The pages of a walk, the cursor put behind the path."""
    pages = [page(call, f"{path}&cursor")]
    while "nextCursor" in pages[-1]:
        pages.append(page(call, f"{path}&cursor={pages[-1]['nextCursor']}"))
    return pages


def ids(pages: list[dict[str, Any]]) -> list[str]:
    return [each["id"] for said in pages for each in said["Resources"]]


# -- By index --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "start", "shown"),
    [
        ("startIndex=0", 1, 7),
        ("startIndex=-7", 1, 7),
        ("startIndex=1&count=3", 1, 3),
        ("startIndex=7&count=3", 7, 1),
        ("startIndex=8", 8, 0),
        (f"startIndex={2**31}", 2**31, 0),
        (f"startIndex={2**63}", 2**53, 0),
        (f"startIndex={'9' * 300}", 2**53, 0),
        ("startIndex=", 1, 7),
        ("count=0", 1, 0),
        ("count=-1", 1, 0),
        (f"count=-{'9' * 300}", 1, 0),
        ("count=1000000", 1, 7),
        (f"count={'9' * 300}", 1, 7),
        ("count=", 1, 7),
    ],
)
@pytest.mark.parametrize("path", ["/Users", "/Groups", ""])
def test_pages_by_index_at_their_edges(call: Call, path: str, query: str, start: int, shown: int) -> None:
    there = {"/Users": PEOPLE, "/Groups": 3, "": PEOPLE + 3}[path]
    said = page(call, f"{path}?{query}")
    assert (said["totalResults"], said["startIndex"]) == (there, start)
    wanted = shown if path == "/Users" else len(said["Resources"])
    assert said["itemsPerPage"] == len(said["Resources"]) == wanted
    assert not {"nextCursor", "previousCursor"} & set(said)


@pytest.mark.parametrize("given", ["x", "1.5", "1e3", "0x1", "NaN", "٣", "1 2", "true"])
@pytest.mark.parametrize("name", ["startIndex", "count"])
def test_what_is_no_number_is_refused(call: Call, name: str, given: str) -> None:
    for path in ("/Users", "/Groups", ""):
        refused(call("GET", f"{path}?{name}={given}"), 400, "invalidValue")
        refused(call("POST", f"{path}/.search", {name: given}), 400, "invalidValue")


# -- By cursor -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "sizes"),
    [
        ("/Users?count=3", [3, 3, 1]),
        ("/Users?count=7", [7]),
        ("/Users?count=3&sortBy=userName&sortOrder=descending", [3, 3, 1]),
        ('/Users?count=2&filter=userName co "person" and emails.type eq "work"', [2, 2, 2, 1]),
        ("/Groups?count=2", [2, 1]),
        ("?count=4", [4, 4, 2]),
        ("?count=4&sortBy=id", [4, 4, 2]),
    ],
)
def test_a_walk_is_the_list_in_pages(call: Call, path: str, sizes: list[int]) -> None:
    pages = walk(call, path)
    assert [len(said["Resources"]) for said in pages] == [said["itemsPerPage"] for said in pages] == sizes
    assert ids(pages) == ids([page(call, path.replace("count=", "count=100&x="))])
    assert {said["totalResults"] for said in pages} == {sum(sizes)}
    assert all("startIndex" not in said for said in pages)
    assert ["previousCursor" in said for said in pages] == [False] + [True] * (len(pages) - 1)


def test_back_by_the_previous_cursor(call: Call) -> None:
    first, second, third = walk(call, "/Users?count=3")
    back = page(call, f"/Users?count=3&cursor={third['previousCursor']}")
    assert back["Resources"] == second["Resources"]
    again = page(call, f"/Users?count=3&cursor={back['previousCursor']}")
    assert again["Resources"] == first["Resources"]
    assert "previousCursor" not in again


@pytest.mark.parametrize("path", ["/Users/.search", "/Groups/.search", "/.search"])
def test_a_walk_by_post_is_the_same(call: Call, path: str) -> None:
    query = {"schemas": [SEARCH], "attributes": ["id"], "count": 2}
    pages = [body_of(call("POST", path, query | {"cursor": ""}))]
    while (cursor := pages[-1].get("nextCursor")) is not None:
        pages.append(body_of(call("POST", path, query | {"cursor": cursor})))
    assert ids(pages) == ids([body_of(call("POST", path, {"count": 100}))])
    assert set(pages[0]["Resources"][0]) == {"schemas", "id"}


def test_members_are_read_only_where_they_are_wanted(call: Call) -> None:
    assert all("members" in each for said in walk(call, "/Groups?count=2") for each in said["Resources"])
    without = walk(call, "/Groups?count=2&excludedAttributes=members")
    assert not any("members" in each for said in without for each in said["Resources"])


def test_people_on_a_page_say_their_groups(call: Call) -> None:
    first = page(call, "/Users?count=1&cursor")
    assert [each["display"] for each in first["Resources"][0]["groups"]] == ["group0"]


@pytest.mark.parametrize("count", ["0", "-5"])
def test_a_count_of_nothing_tells_the_total_alone(call: Call, count: str) -> None:
    said = page(call, f"/Users?cursor&count={count}")
    assert (said["totalResults"], said["Resources"]) == (PEOPLE, [])
    assert "nextCursor" not in said


def test_without_a_count_pages_have_the_size_that_is_announced(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    announced = page(call, "/ServiceProviderConfig")["pagination"]
    assert announced == {
        "cursor": True,
        "index": True,
        "defaultPaginationMethod": "index",
        "defaultPageSize": 100,
        "maxPageSize": 1000,
        "cursorTimeout": LIFETIME.total_seconds(),
    }
    assert page(call, "/Users?cursor")["itemsPerPage"] == PEOPLE


# -- What is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cursor", ["x", "null", "0", "%00", "é", "AAAA", "..%2F", "x" * 20_000, "A" * 63], ids=ascii)
def test_a_made_up_cursor_is_invalid(call: Call, cursor: str) -> None:
    for path in ("/Users", "/Groups", ""):
        refused(call("GET", f"{path}?cursor={cursor}"), 400, "invalidCursor")


@pytest.mark.parametrize("cursor", [5, True, [], {}])
def test_a_cursor_that_is_no_string_is_invalid(call: Call, cursor: object) -> None:
    refused(call("POST", "/Users/.search", {"cursor": cursor}), 400, "invalidCursor")


def test_a_cursor_is_good_for_its_own_query_only(call: Call) -> None:
    cursor = page(call, '/Users?count=2&cursor&filter=userName sw "person"')["nextCursor"]
    for other in (
        "/Users?count=2",
        '/Users?count=2&filter=userName sw "perso"',
        '/Users?count=2&filter=userName sw "person"&sortBy=userName',
        '/Users?count=2&filter=userName sw "person"&attributes=userName',
        "/Groups?count=2",
        '?count=2&filter=userName sw "person"',
    ):
        refused(call("GET", f"{other}&cursor={cursor}"), 400, "invalidCursor")
    same = f'/Users?filter=userName sw "person"&cursor={cursor}'
    for count in ("&count=3", "", "&count=many", "&count=0"):
        refused(call("GET", same + count), 400, "invalidCount")
    assert page(call, f"{same}&count=2")["itemsPerPage"] == 2
    refused(call("GET", f"{same}&count=2&startIndex=1"), 400, "invalidValue")


def test_a_cursor_shows_nothing_to_another_connection(world: World, client: FlaskClient, call: Call) -> None:
    entra = another_connection(world, "Entra")
    entra.push("other@acme.example")
    theirs = caller(client, token_of(entra))
    cursor = page(call, "/Users?count=2&cursor")["nextCursor"]
    made_up = refused(theirs("GET", "/Users?count=2&cursor=x"), 400, "invalidCursor")
    assert refused(theirs("GET", f"/Users?count=2&cursor={cursor}"), 400, "invalidCursor") == made_up
    another_token = caller(client, token_of(world))
    assert page(another_token, f"/Users?count=2&cursor={cursor}")["itemsPerPage"] == 2


def test_a_cursor_expires(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    cursor = page(call, "/Users?count=2&cursor")["nextCursor"]
    later = datetime.now(UTC) + LIFETIME + timedelta(minutes=1)
    monkeypatch.setattr(scim_api, "current_time", lambda: later)
    refused(call("GET", f"/Users?count=2&cursor={cursor}"), 400, "expiredCursor")
    assert page(call, "/Users?count=2&cursor")["itemsPerPage"] == 2


def test_the_root_in_one_order_by_index_has_an_end(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scim_search, "MAX_MERGED", 5)
    refused(call("GET", "?sortBy=id&startIndex=4&count=3"), 400, "tooMany")
    assert len(ids(walk(call, "?sortBy=id&count=2"))) == PEOPLE + 3
