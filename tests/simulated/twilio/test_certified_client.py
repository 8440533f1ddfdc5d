"""npm `openid-client`, a certified relying party, takes the simulated Twilio for an OpenID Provider."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import NODE_PEERS
from tests.simulated.twilio.conftest import PERSON
from tests.simulated.twilio.program import Visitor, running, write
from tests.simulated.twilio.relying_party import CLIENT, HOME, SECRET

pytestmark = pytest.mark.node


class Peer:
    """The Node program: a line in, a line out."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def tell(self, **given: Any) -> Any:
        """Its answer."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(given) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@pytest.fixture(scope="module")
def issuer(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("certified")
    files = ("--clients", write(folder / "clients", [CLIENT]), "--people", write(folder / "people", [PERSON]))
    with running(folder / "state", *files) as address:
        yield address


@pytest.fixture
def peer(issuer: str, node_path: Path) -> Iterator[Peer]:
    with subprocess.Popen(
        [node_path, "--no-deprecation", "openid_client.js", issuer],
        cwd=NODE_PEERS,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Peer(process)


def begin(peer: Peer, *, basic: bool = False) -> str:
    who = {"client_id": "segment", "client_secret": SECRET, "redirect_uri": f"{HOME}/callback"}
    begun = peer.tell(**who, basic=basic)
    assert "address" in begun, begun
    return str(begun["address"])


def come_back(visitor: Visitor, address: str) -> str:
    """Where the browser is sent from there, which nobody serves here."""
    answer = visitor.get(address, allow_redirects=False, timeout=30)
    assert answer.headers["Location"].startswith(HOME), answer.text
    return answer.headers["Location"]


def test_it_logs_in_reads_the_person_and_logs_out(peer: Peer, issuer: str) -> None:
    visitor = Visitor()
    go_on = visitor.log_in(visitor.get(begin(peer), timeout=30), PERSON["email"])
    told = peer.tell(arrived=come_back(visitor, go_on), post_logout_redirect_uri=f"{HOME}/bye")
    assert "refused" not in told, told
    assert told["claims"]["iss"] == issuer
    assert told["userinfo"]["email"] == PERSON["email"]
    assert come_back(visitor, told["logout"]) == f"{HOME}/bye?state=done"
    assert visitor.get(f"{issuer}/console", timeout=30).url == f"{issuer}/login"


def test_a_second_login_asks_the_person_for_nothing(peer: Peer) -> None:
    visitor = Visitor()
    visitor.log_in(visitor.get(begin(peer), timeout=30), PERSON["email"])
    told = peer.tell(arrived=come_back(visitor, begin(peer, basic=True)), post_logout_redirect_uri=f"{HOME}/bye")
    assert told["claims"]["email"] == PERSON["email"]


def test_an_answer_to_somebody_else_is_refused_by_it(peer: Peer) -> None:
    visitor = Visitor()
    go_on = visitor.log_in(visitor.get(begin(peer), timeout=30), PERSON["email"])
    arrived = come_back(visitor, go_on)
    begin(peer)
    assert "refused" in peer.tell(arrived=arrived, post_logout_redirect_uri=f"{HOME}/bye")
