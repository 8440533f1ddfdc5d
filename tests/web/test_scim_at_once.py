"""Many IdPs' requests at once against several server processes, over HTTP: properties 7a, 13, 14 and 17 under load.

All of a round leave at the same moment, each over a connection of its own. Whatever they do, no answer is a 5xx, and
what is there afterwards is what one of their orders would have left.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import count
from threading import Barrier
from typing import Any

import pytest
import requests

from tests.databases import database_of_its_own
from tests.running import Bridge, running
from tests.saml.idp import KICKS

pytestmark = pytest.mark.long

PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
AT_ONCE = 20
WORKERS = 3
_serial = count()

Ask = Callable[[], requests.Response]


@dataclass(frozen=True, slots=True)
class Idp:
    """An IdP with a token to a running bridge."""

    bridge: Bridge
    connection: str
    url: str
    token: str

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Ask:
        """A request that is ready to leave."""
        bearer = {"Authorization": f"Bearer {self.token}"}

        def leave() -> requests.Response:
            return requests.request(method, self.url + path, json=body, headers=bearer | headers, timeout=60)

        return leave

    def patch(self, path: str, *operations: dict[str, Any], **headers: str) -> Ask:
        return self.ask("PATCH", path, {"schemas": [PATCH], "Operations": operations}, **headers)

    def member(self, op: str, group: str, user: str) -> Ask:
        """One member in or out, as Okta and Entra say it."""
        if op == "remove":
            return self.patch(f"/Groups/{group}", {"op": "remove", "path": f'members[value eq "{user}"]'})
        return self.patch(f"/Groups/{group}", {"op": "add", "path": "members", "value": [{"value": user}]})

    def get(self, path: str) -> Any:
        answer = self.ask("GET", path)()
        assert answer.status_code == 200, answer.text
        return answer.json()

    def make(self, collection: str, body: dict[str, Any]) -> str:
        answer = self.ask("POST", f"/{collection}", body)()
        assert answer.status_code == 201, answer.text
        made: str = answer.json()["id"]
        return made

    def make_users(self, how_many: int) -> list[str]:
        return [self.make("Users", user(name)) for name in new_names(how_many)]

    def members(self, group: str) -> list[str]:
        return [member["value"] for member in self.get(f"/Groups/{group}").get("members", ())]


def user(name: str, **said: Any) -> dict[str, Any]:
    return {"userName": name, "emails": [{"value": name, "type": "work", "primary": True}], "active": True} | said


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def bridge(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bridge]:
    """One bridge for all of these: each test takes names that nobody had before."""
    is_sqlite = request.param == "sqlite"
    database = nullcontext(None) if is_sqlite else database_of_its_own(request.getfixturevalue("postgres_server"))
    with database as url, running(tmp_path_factory.mktemp("bridge"), database_url=url, workers=WORKERS) as bridge:
        bridge.run("workspace", "create", "acme", "--name", "Acme", "--owner", "olga@acme.example")
        yield bridge


@pytest.fixture(scope="module")
def okta(bridge: Bridge) -> Idp:
    return connect(bridge, "Okta")


@pytest.fixture(scope="module")
def entra(bridge: Bridge) -> Idp:
    return connect(bridge, "Entra")


def new_names(how_many: int) -> list[str]:
    return [f"p{next(_serial)}@acme.example" for _ in range(how_many)]


def connect(bridge: Bridge, name: str) -> Idp:
    metadata = bridge.log.with_name("idp.xml")
    metadata.write_bytes(KICKS.metadata)
    described = ["--kind", "saml", "--idp-metadata", str(metadata), "--name", name]
    made = bridge.run("connection", "create", "acme", *described)
    connection = made["connection"]["id"]
    token = bridge.run("scim-token", "create", "acme", "--connection", connection)
    return Idp(bridge, connection, token["base_url"], token["token"])


def at_once(requests_: Sequence[Ask]) -> list[requests.Response]:
    """Let all of them leave at the same moment. None is answered with a 5xx."""
    start = Barrier(len(requests_))

    def leave(ask: Ask) -> requests.Response:
        start.wait()
        return ask()

    with ThreadPoolExecutor(len(requests_)) as pool:
        answers = list(pool.map(leave, requests_))
    assert [(each.status_code, each.text) for each in answers if each.status_code >= 500] == []
    return answers


def statuses(answers: Sequence[requests.Response]) -> Counter[int]:
    return Counter(each.status_code for each in answers)


def test_of_many_creates_of_one_name_one_is_made(okta: Idp) -> None:
    [name] = new_names(1)
    spelt = [(name, name.title(), name.upper())[n % 3] for n in range(AT_ONCE)]
    answers = at_once([okta.ask("POST", "/Users", user(each)) for each in spelt])
    assert statuses(answers) == {201: 1, 409: AT_ONCE - 1}
    assert {each.json()["scimType"] for each in answers if each.status_code == 409} == {"uniqueness"}
    found = okta.get(f'/Users?filter=userName eq "{name}"')
    made = next(each.json()["id"] for each in answers if each.status_code == 201)
    assert [each["id"] for each in found["Resources"]] == [made]


def test_of_many_renames_to_one_name_one_is_made(okta: Idp) -> None:
    people, [name] = okta.make_users(AT_ONCE), new_names(1)
    rename = {"op": "replace", "path": "userName", "value": name}
    answers = at_once([okta.patch(f"/Users/{each}", rename) for each in people])
    assert statuses(answers) == {200: 1, 409: AT_ONCE - 1}


def test_groups_of_one_name_are_all_made_and_mirrored_under_names_of_their_own(okta: Idp) -> None:
    [name] = new_names(1)
    ann = okta.make("Users", user(name))
    body = {"displayName": "Engineering", "members": [{"value": ann}]}
    answers = at_once([okta.ask("POST", "/Groups", body) for _ in range(AT_ONCE)])
    assert statuses(answers) == {201: AT_ONCE}
    assert len(okta.get(f"/Users/{ann}")["groups"]) == AT_ONCE
    shown = okta.bridge.run("access", "show", "acme", name)
    because = [why for each in shown["permissions"] for why in each["because"] if why["kind"] == "mapping"]
    assert len({why["user_group"]["name"] for why in because}) == AT_ONCE


def test_members_added_at_once_are_all_there(okta: Idp) -> None:
    people = okta.make_users(AT_ONCE)
    group = okta.make("Groups", {"displayName": "Engineering"})
    assert statuses(at_once([okta.member("add", group, each) for each in people])) == {204: AT_ONCE}
    assert okta.members(group) == people


def test_adds_and_removes_at_once_end_right(okta: Idp) -> None:
    people = okta.make_users(AT_ONCE)
    group = okta.make("Groups", {"displayName": "Engineering", "members": [{"value": each} for each in people[::2]]})
    for out, into in ((people[::2], people[1::2]), (people[1::2], people[::2])):
        asked = [okta.member("remove", group, each) for each in out] + [
            okta.member("add", group, each) for each in into
        ]
        assert statuses(at_once(asked)) == {204: AT_ONCE}
        assert okta.members(group) == sorted(into, key=people.index)


@pytest.mark.parametrize("collection", ["Users", "Groups"])
def test_if_match_has_one_winner(okta: Idp, collection: str) -> None:
    made = okta.make(collection, {"userName": new_names(1)[0], "displayName": "0"})
    path = f"/{collection}/{made}"
    for _ in range(2):
        version = okta.get(path)["meta"]["version"]
        names = [{"op": "replace", "path": "displayName", "value": f"{n + 1} after {version}"} for n in range(AT_ONCE)]
        answers = at_once([okta.patch(path, each, **{"If-Match": version}) for each in names])
        assert statuses(answers)[412] == AT_ONCE - 1
        [won] = [n for n, each in enumerate(answers) if each.status_code in (200, 204)]
        assert okta.get(path)["displayName"] == names[won]["value"]


def test_two_idps_that_push_the_same_people_make_each_one_once(okta: Idp, entra: Idp) -> None:
    names = new_names(AT_ONCE // 2)
    answers = at_once([idp.ask("POST", "/Users", user(name)) for name in names for idp in (okta, entra)])
    assert statuses(answers) == {201: AT_ONCE}
    members = okta.bridge.run_text("users", "export", "acme").splitlines()
    assert [sum(name in line for line in members) for name in names] == [1] * len(names)


def test_a_storm_over_the_same_people_and_groups_leaves_a_directory_that_agrees_with_itself(okta: Idp) -> None:
    """Groups are made, renamed, refilled and deleted while their people change, leave and are deleted."""
    for turn in range(4):
        people = okta.make_users(8)
        group = okta.make("Groups", {"displayName": f"Any {turn}", "members": [{"value": people[0]}]})
        everybody = [{"value": each} for each in people]
        answers = at_once(
            [
                *(
                    okta.ask("POST", "/Groups", {"displayName": f"New {turn}", "members": everybody[:6]})
                    for _ in range(3)
                ),
                *(
                    okta.patch(f"/Users/{each}", {"op": "replace", "path": "title", "value": "x"})
                    for each in people[:4]
                ),
                *(okta.patch(f"/Users/{each}", {"op": "replace", "value": {"active": False}}) for each in people[:3]),
                okta.ask("PUT", f"/Groups/{group}", {"displayName": f"Whole {turn}", "members": everybody[::-1]}),
                okta.patch(f"/Groups/{group}", {"op": "replace", "value": {"displayName": f"Renamed {turn}"}}),
                *(okta.member("add", group, each) for each in people[:3]),
                *(okta.member("remove", group, each) for each in people[:3]),
                *(okta.ask("DELETE", f"/Users/{each}") for each in people[6:]),
                *(okta.ask("POST", "/Users", user(name)) for name in new_names(2)),
            ]
        )
        # A member who was deleted first is nobody to a group: 400. Nobody is told to try again.
        assert set(statuses(answers)) <= {200, 201, 204, 400}
    check_directory(okta)


def check_directory(idp: Idp) -> None:
    """Totals are numbers of things, and groups and people say the same of each other."""
    users, groups = idp.get("/Users?count=1000"), idp.get("/Groups?count=1000")
    for page in (users, groups):
        assert page["totalResults"] == len(page["Resources"])
    by_groups = {(each["id"], member["value"]) for each in groups["Resources"] for member in each.get("members", ())}
    by_users = {(group["value"], each["id"]) for each in users["Resources"] for group in each.get("groups", ())}
    assert by_groups == by_users


def test_nobody_is_refused_for_having_come_at_once(okta: Idp) -> None:
    """A group made with members, while each of them is changed: on PostgreSQL all lock rows in one order."""
    people = okta.make_users(AT_ONCE // 2)
    body = {"displayName": "All", "members": [{"value": each} for each in people]}
    for turn in range(8):
        title = {"op": "replace", "path": "title", "value": str(turn)}
        asked = [okta.patch(f"/Users/{each}", title) for each in people]
        asked += [okta.ask("POST", "/Groups", body) for _ in people]
        assert statuses(at_once(asked)) == {200: len(people), 201: len(people)}
    check_directory(okta)
