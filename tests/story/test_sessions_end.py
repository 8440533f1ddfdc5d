"""Properties 10: what ended a session is known in every process at the next request: deactivated by SCIM, ended in the
person's own list, with requests of that session under way all the while.
"""

import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from saml.service_provider import ServiceProvider
from tests.benchmarks.cells import request_id_of
from tests.running import Bridge, running
from tests.saml.idp import KICKS, sign_in

pytestmark = pytest.mark.long

OWNER, PASSWORD, ANN = "olga@acme.example", "correct horse battery staple", "ann@acme.example"
PROCESSES, AT_ONCE = 3, 4
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[Bridge]:
    """Three processes, and a workspace whose owner has a password."""
    with running(tmp_path, workers=PROCESSES) as bridge:
        made = ("workspace", "create", "acme", "--name", "Acme", "--owner", OWNER, "--owner-password-stdin")
        bridge.run(*made, stdin=PASSWORD)
        yield bridge


@dataclass(slots=True)
class Watch:
    """One session, used by several clients at once, each time by a new line, so in whichever process takes it.

    `seen`: when each request began, and its status.
    """

    bridge: Bridge
    cookie: str
    seen: list[tuple[float, int]] = field(default_factory=list)

    def until_ended_by(self, step: Callable[[], None]) -> tuple[set[int], set[int]]:
        """The statuses of answers before the step, and of those to requests that began after it was answered."""
        stopping = threading.Event()
        threads = [threading.Thread(target=self._use, args=(stopping,)) for _ in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        before = {status for _, status in self.seen}
        step()
        ended = time.monotonic()
        time.sleep(0.7)
        stopping.set()
        for thread in threads:
            thread.join(30)
        return before, {status for began, status in self.seen if began > ended}

    def _use(self, stopping: threading.Event) -> None:
        while not stopping.is_set():
            began = time.monotonic()
            headers = {"Connection": "close", "Cookie": f"bridge_session={self.cookie}"}
            answer = requests.get(f"{self.bridge.url}/session", headers=headers, timeout=20)
            self.seen.append((began, answer.status_code))


def enter(bridge: Bridge) -> requests.Session:
    """The owner signs in by password."""
    browser = requests.Session()
    shown = browser.get(f"{bridge.url}/login?way=password", timeout=20)
    fields = {"csrf_token": token_in(shown.text), "email": OWNER, "password": PASSWORD, "way": "password"}
    browser.post(f"{bridge.url}/login", data=fields, timeout=20)
    return browser


def token_in(html: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', html)
    assert found, html
    return found[1]


def test_one_ended_in_the_list_is_signed_out_in_every_process(bridge: Bridge) -> None:
    here, there = enter(bridge), enter(bridge)
    page = here.get(f"{bridge.url}/account/sessions", timeout=20).text

    def end() -> None:
        told = here.post(f"{bridge.url}/account/sessions/end-others", data={"csrf_token": token_in(page)}, timeout=20)
        assert "1 session ended" in told.text

    before, after = Watch(bridge, there.cookies["bridge_session"]).until_ended_by(end)
    assert (before, after) == ({200}, {401})
    assert here.get(f"{bridge.url}/session", timeout=20).status_code == 200


def test_one_whose_person_is_deactivated_is_signed_out_in_every_process(bridge: Bridge, tmp_path: Path) -> None:
    metadata = tmp_path / "idp.xml"
    metadata.write_bytes(KICKS.metadata)
    ours = bridge.run("connection", "create", "acme", "--kind", "saml", "--idp-metadata", str(metadata))["connection"]
    token = bridge.run("scim-token", "create", "acme", "--connection", ours["id"])["token"]
    scim = requests.Session()
    scim.headers["Authorization"] = f"Bearer {token}"
    made = scim.post(f"{bridge.url}/scim/v2/Users", json={"userName": ANN, "emails": [{"value": ANN}]}, timeout=20)
    browser = requests.Session()
    asked = browser.get(ours["login_url"], allow_redirects=False, timeout=20)
    request_id = request_id_of(parse_qs(urlsplit(asked.headers["Location"]).query)["SAMLRequest"][0])
    sp = ServiceProvider(ours["sp_entity_id"], ours["acs_url"], ours["slo_url"], "", ())
    answer = sign_in(KICKS, sp, datetime.now(UTC), email=ANN, name_id=ANN, in_response_to=request_id)
    browser.post(ours["acs_url"], data=answer, timeout=20)

    def deactivate() -> None:
        body = {"schemas": [PATCH], "Operations": [{"op": "replace", "path": "active", "value": False}]}
        assert scim.patch(f"{bridge.url}/scim/v2/Users/{made.json()['id']}", json=body, timeout=20).status_code == 200

    before, after = Watch(bridge, browser.cookies["bridge_session"]).until_ended_by(deactivate)
    assert (before, after) == ({200}, {401})
