"""The bridge takes the simulated Twilio for what it is, an OpenID Provider: by a connection, with all rules of one."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.running import Bridge
from tests.running import running as running_bridge
from tests.simulated.program import ROOT
from tests.simulated.twilio.conftest import PERSON
from tests.simulated.twilio.program import Visitor, command, running, write
from tests.simulated.twilio.relying_party import CLIENT, SECRET

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Bridge, str, str]]:
    """The bridge, Twilio's address, and where a login by Twilio begins."""
    folder = tmp_path_factory.mktemp("twilio-and-bridge")
    people = ("--people", write(folder / "people", [PERSON]))
    with running_bridge(folder) as bridge, running(folder / "twilio", *people) as twilio:
        bridge.run("workspace", "create", "kicks", "--name", "Kicks", "--owner", "olga@kicks.example")
        own = ("--kind", "oidc", "--issuer", twilio, "--client-id", "segment", "--client-secret-stdin")
        connection: dict[str, Any] = bridge.run("connection", "create", "kicks", *own, stdin=f"{SECRET}\n")[
            "connection"
        ]
        bridge.run("domain", "add", "kicks", "kicks.example", "--connection", connection["id"])
        bridge.run("domain", "verify", "kicks", "kicks.example", "--trust")
        client = {name: CLIENT[name] for name in ("client_id", "client_secret", "client_name")}
        client |= {"redirect_uris": [connection["redirect_uri"]]}
        client |= {"backchannel_logout_uri": connection["backchannel_logout_uri"]}
        register(folder, client)
        yield bridge, twilio, connection["login_url"]


def register(folder: Path, client: dict[str, Any]) -> None:
    """Beside the program that runs."""
    from_file = write(folder / "client", client)
    done = subprocess.run(command("register", folder / "twilio", from_file), cwd=ROOT, check=True, timeout=60)
    assert done.returncode == 0


def whoami(visitor: Visitor, bridge: Bridge) -> Any:
    answer = visitor.get(f"{bridge.url}/session", timeout=30)
    return answer.json() if answer.ok else None


def test_it_signs_in_there_and_a_logout_at_twilio_ends_the_session(parts: tuple[Bridge, str, str]) -> None:
    bridge, twilio, login_url = parts
    visitor = Visitor()
    page = visitor.get(login_url, timeout=30)
    assert urlsplit(page.url).path == "/login"
    visitor.get(visitor.log_in(page, PERSON["email"]), timeout=30)
    said = whoami(visitor, bridge)
    assert (said["user"]["email"], said["user"]["name"]) == (PERSON["email"], "Priya Raman")
    visitor.submit(visitor.get(f"{twilio}/console", timeout=30), "/logout")
    deadline = time.monotonic() + 20
    while whoami(visitor, bridge) is not None and time.monotonic() < deadline:
        time.sleep(0.2)
    assert whoami(visitor, bridge) is None
