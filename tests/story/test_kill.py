"""Properties 13 and 16: eight clients push and people sign in, everything is killed in the middle, and whatever
was answered 2xx is there when the bridge is back.
"""

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from saml.service_provider import ServiceProvider
from tests.benchmarks.cells import request_id_of
from tests.running import Bridge, free_port, start
from tests.saml.idp import KICKS, sign_in

PUSHING = 8
SECONDS_BEFORE, SECONDS_AFTER = 6, 4
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


@dataclass(slots=True)
class Told:
    """What the bridge has acknowledged to one client: people with their titles, and members of the group.

    `unsure` holds what was asked for when the line broke: it may have happened or not.
    """

    titles: dict[str, str] = field(default_factory=dict)
    members: set[str] = field(default_factory=set)
    unsure: set[str] = field(default_factory=set)
    answers: int = 0


@dataclass(slots=True)
class Load:
    """Clients at work against one bridge."""

    bridge: Bridge
    token: str
    connection: dict[str, Any]
    group: str = ""
    stopping: threading.Event = field(default_factory=threading.Event)
    told: list[Told] = field(default_factory=lambda: [Told() for _ in range(PUSHING)])
    sessions: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def scim(self, http: requests.Session, method: str, path: str, body: Any = None) -> requests.Response:
        """One call; a 5xx is a fault whatever happens to the server."""
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = http.request(method, f"{self.bridge.url}/scim/v2{path}", json=body, headers=headers, timeout=20)
        if answer.status_code >= 500:
            self.faults.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
        return answer


def test_what_was_answered_survives_a_kill(tmp_path: Path, database_url: str) -> None:
    port = free_port()
    bridge = start(tmp_path, database_url=database_url, port=port)
    try:
        load = _set_up(bridge, tmp_path)
        threads = [threading.Thread(target=_push, args=(load, n)) for n in range(PUSHING)]
        threads += [threading.Thread(target=_sign_in_again_and_again, args=(load,))]
        for thread in threads:
            thread.start()
        time.sleep(SECONDS_BEFORE)
        bridge.kill()
        bridge = load.bridge = start(tmp_path, database_url=database_url, port=port)
        time.sleep(SECONDS_AFTER / 2)
        bridge.kill_workers()
        time.sleep(SECONDS_AFTER / 2)
        load.stopping.set()
        for thread in threads:
            thread.join(30)
        _everything_acknowledged_is_there(load)
    finally:
        bridge.kill()


def _set_up(bridge: Bridge, folder: Path) -> Load:
    metadata = folder / "idp.xml"
    metadata.write_bytes(KICKS.metadata)
    bridge.run("workspace", "create", "acme", "--name", "Acme", "--owner", "olga@acme.example")
    made = bridge.run("connection", "create", "acme", "--kind", "saml", "--idp-metadata", str(metadata))
    connection = made["connection"]
    token = bridge.run("scim-token", "create", "acme", "--connection", connection["id"])["token"]
    load = Load(bridge, token, connection)
    with requests.Session() as http:
        load.group = load.scim(http, "POST", "/Groups", {"displayName": "everybody"}).json()["id"]
    return load


def _push(load: Load, number: int) -> None:
    told = load.told[number]
    with requests.Session() as http:
        for n in itertools.count():
            if load.stopping.is_set():
                return
            key = f"client{number}-{n}"
            try:
                _one_round(load, http, told, key)
            except requests.RequestException:
                time.sleep(0.2)


def _one_round(load: Load, http: requests.Session, told: Told, key: str) -> None:
    """Create somebody, change them, put them into the group; take every other one out again."""
    told.unsure.add(key)
    email = f"{key}@acme.example"
    made = load.scim(http, "POST", "/Users", {"userName": email, "title": "new"})
    if made.status_code != 201:
        return
    uid = made.json()["id"]
    told.titles[uid] = "new"
    _sure(told, uid, lambda: _set_title(load, http, told, uid))
    _sure(told, uid, lambda: _change_member(load, http, told, uid, "add"))
    if told.answers % 2:
        _sure(told, uid, lambda: _change_member(load, http, told, uid, "remove"))
    told.unsure.discard(key)
    told.answers += 1


def _sure(told: Told, uid: str, do: Callable[[], None]) -> None:
    told.unsure.add(uid)
    do()
    told.unsure.discard(uid)


def _set_title(load: Load, http: requests.Session, told: Told, uid: str) -> None:
    body = {"schemas": [PATCH], "Operations": [{"op": "replace", "path": "title", "value": "changed"}]}
    if load.scim(http, "PATCH", f"/Users/{uid}", body).ok:
        told.titles[uid] = "changed"


def _change_member(load: Load, http: requests.Session, told: Told, uid: str, op: str) -> None:
    operation = {"op": op, "path": "members", "value": [{"value": uid}]}
    if load.scim(http, "PATCH", f"/Groups/{load.group}", {"schemas": [PATCH], "Operations": [operation]}).ok:
        (told.members.add if op == "add" else told.members.discard)(uid)


def _sign_in_again_and_again(load: Load) -> None:
    ours = load.connection
    sp = ServiceProvider(ours["sp_entity_id"], ours["acs_url"], ours["slo_url"], "", ())
    for n in itertools.count():
        if load.stopping.is_set():
            return
        with requests.Session() as browser:
            try:
                _sign_in(load, browser, sp, f"visitor{n}@acme.example")
            except requests.RequestException:
                time.sleep(0.2)


def _sign_in(load: Load, browser: requests.Session, sp: ServiceProvider, email: str) -> None:
    asked = browser.get(load.connection["login_url"], allow_redirects=False, timeout=20)
    request_id = request_id_of(parse_qs(urlsplit(asked.headers["Location"]).query)["SAMLRequest"][0])
    form = sign_in(KICKS, sp, datetime.now(UTC), email=email, in_response_to=request_id)
    browser.post(load.connection["acs_url"], data=form, allow_redirects=False, timeout=20)
    taken = browser.post(load.connection["acs_url"], data=form, allow_redirects=False, timeout=20)
    assert taken.status_code != 303, "a replay was accepted"
    form = sign_in(KICKS, sp, datetime.now(UTC), email=email, in_response_to=_ask_again(load, browser))
    came = browser.post(load.connection["acs_url"], data=form, allow_redirects=True, timeout=20)
    cookie = browser.cookies.get("bridge_session")
    if came.status_code < 500 and cookie:
        load.sessions.append(cookie)


def _ask_again(load: Load, browser: requests.Session) -> str:
    asked = browser.get(load.connection["login_url"], allow_redirects=False, timeout=20)
    return request_id_of(parse_qs(urlsplit(asked.headers["Location"]).query)["SAMLRequest"][0])


def _everything_acknowledged_is_there(load: Load) -> None:
    assert load.faults == []
    assert all(told.answers > 2 for told in load.told), [told.answers for told in load.told]
    assert load.sessions
    with requests.Session() as http:
        group = load.scim(http, "GET", f"/Groups/{load.group}").json()
        members = {each["value"] for each in group.get("members", [])}
        for told in load.told:
            for uid, title in told.titles.items():
                if uid in told.unsure:
                    continue
                kept = load.scim(http, "GET", f"/Users/{uid}")
                assert kept.status_code == 200, uid
                assert kept.json()["title"] == title
                assert (uid in members) == (uid in told.members)
    for cookie in load.sessions:
        said = requests.get(f"{load.bridge.url}/session", cookies={"bridge_session": cookie}, timeout=20)
        assert said.status_code == 200, said.text


pytestmark = pytest.mark.long
