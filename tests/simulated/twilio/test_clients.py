"""Registering clients, and the program: its commands, its files."""

import json
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from simulated.openid_provider.clients import parse_client
from simulated.openid_provider.errors import Invalid
from tests.simulated.program import ROOT
from tests.simulated.twilio.conftest import PERSON
from tests.simulated.twilio.program import command, running, write
from tests.simulated.twilio.relying_party import CLIENT


def run(arguments: list[str], stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(arguments, input=stdin, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)


WRONG: dict[str, dict[str, Any]] = {
    "no redirect": {"redirect_uris": []},
    "redirects that are no list": {"redirect_uris": CLIENT["redirect_uris"][0]},
    "plain http": {"redirect_uris": ["http://segment.example/callback"]},
    "a script": {"initiate_login_uri": "javascript:alert(1)"},
    "a fragment": {"post_logout_redirect_uris": ["https://segment.example/#x"]},
    "a user in an address": {"event_endpoint": "https://me@segment.example/"},
    "a quote in an address": {"redirect_uris": ["https://segment.example/;'"]},
    "a bad port": {"redirect_uris": ["https://segment.example:x/"]},
    "a short secret": {"client_secret": "x" * 31},
    "no secret": {"client_secret": ""},
    "no name": {"client_name": " "},
    "an id that is no text": {"client_id": 5},
    "something unknown": {"jwks": {}},
}


@pytest.mark.parametrize("what", WRONG)
def test_a_registration_is_refused_for(what: str) -> None:
    with pytest.raises(Invalid):
        parse_client(CLIENT | WRONG[what])


@pytest.mark.parametrize("document", [[], "x", None, {}], ids=str)
def test_a_registration_is_an_object(document: Any) -> None:
    with pytest.raises(Invalid):
        parse_client(document)


def test_its_commands_work_beside_a_running_server(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with running(state, "--people", write(tmp_path / "people", [PERSON])) as url:
        assert run(command("register", state, "-"), json.dumps(CLIENT)).stdout == "Registered segment (Segment).\n"
        asked = requests.get(
            f"{url}/oauth2/authorize?client_id=segment&response_type=code", allow_redirects=False, timeout=10
        )
        assert "Missing &#39;redirect_uri&#39;" in asked.text
        before = requests.get(f"{url}/oauth2/jwks", timeout=10).json()["keys"]
        assert run(command("rotate-keys", state)).returncode == 0
        after = requests.get(f"{url}/oauth2/jwks", timeout=10).json()["keys"]
        assert after[1:] == before
        assert set(after[0]) == {"kty", "n", "e", "kid", "use", "alg"}
        assert run(command("disable", state, PERSON["email"])).stdout == "Priya Raman is disabled.\n"
        assert stat.S_IMODE(state.stat().st_mode) == 0o700
        assert CLIENT["client_secret"] not in (state / "twilio.sqlite3").read_bytes().decode("latin-1")


def test_a_refusal_is_one_line(tmp_path: Path) -> None:
    done = run(command("register", tmp_path / "state", "-"), json.dumps(CLIENT | {"client_secret": "short"}))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("Can't register: client_secret")


@pytest.mark.parametrize("program", ["twilio", "google"])
def test_it_imports_nothing_of_the_bridge(program: str) -> None:
    code = (
        f"import sys, simulated.{program}.__main__; "
        "print([m for m in sys.modules if m.split('.')[0] in ('bridge', 'saml', 'scim', 'oidc', 'onelogin')])"
    )
    assert run([sys.executable, "-c", code]).stdout == "[]\n"
