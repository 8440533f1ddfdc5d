"""Registering clients, and the program: its commands, its files."""

import io
import json
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from simulated.openid_provider.clients import parse_client
from simulated.openid_provider.errors import Invalid
from simulated.twilio.__main__ import main
from simulated.twilio.site import open_site
from tests.simulated.program import ROOT
from tests.simulated.twilio.conftest import PERSON
from tests.simulated.twilio.program import command, running
from tests.simulated.twilio.relying_party import CLIENT


def run(arguments: list[str], stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(arguments, input=stdin, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)


OTHER = {**CLIENT, "client_id": "other"}
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


@pytest.mark.long  # a program a command; each but `serve` is tried below, too
def test_its_commands_work_beside_a_running_server(prepared: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    shutil.copytree(prepared, state)
    with running(state) as url:
        assert run(command("register", state, "-"), json.dumps(OTHER)).stdout == "Registered other (Segment).\n"
        asked = requests.get(f"{url}/oauth2/authorize?client_id=other&response_type=code", timeout=10)
        assert "Missing &#39;redirect_uri&#39;" in asked.text
        before = requests.get(f"{url}/oauth2/jwks", timeout=10).json()["keys"]
        assert run(command("rotate-keys", state)).returncode == 0
        after = requests.get(f"{url}/oauth2/jwks", timeout=10).json()["keys"]
        assert after[1:] == before
        assert set(after[0]) == {"kty", "n", "e", "kid", "use", "alg"}
        assert run(command("disable", state, PERSON["email"])).stdout == "Priya Raman is disabled.\n"


Call = Callable[..., int]


@pytest.fixture
def call(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Runs a command of the program in this process, on a copy of the prepared state; answers its exit status."""
    shutil.copytree(prepared, tmp_path / "state")

    def run_it(name: str, *more: str, stdin: str = "") -> int:
        monkeypatch.setattr(sys, "argv", ["twilio", name, "--state", str(tmp_path / "state"), *more])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        return main()

    return run_it


def test_a_client_is_registered_and_its_secret_isn_t_kept(
    call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("register", "-", stdin=json.dumps(OTHER)) == 0
    assert capsys.readouterr().out == "Registered other (Segment).\n"
    kept = b"".join(path.read_bytes() for path in (tmp_path / "state").iterdir())
    assert b"other" in kept
    assert CLIENT["client_secret"].encode() not in kept


@pytest.mark.parametrize("name", ["disable", "enable"])
def test_an_account_is_disabled_where_the_site_was_last(
    call: Call, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(name, PERSON["email"].upper()) == 0
    assert capsys.readouterr().out == f"Priya Raman is {name}d.\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("register", "-"), "Can't register: Expecting value"),
        (("register", "missing.json"), "Can't register: [Errno 2]"),
        (("disable", "nobody@kicks.example"), "Can't disable: There is no account"),
    ],
    ids=["no-json", "no-file", "nobody"],
)
def test_a_refusal_is_one_line(
    call: Call, arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*arguments) == 1
    errors = capsys.readouterr().err
    assert errors.startswith(said)
    assert errors.count("\n") == 1


def test_state_is_for_its_owner_only(tmp_path: Path) -> None:
    open_site(tmp_path / "new", "", time.time).close()
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


@pytest.mark.long  # an import contract says so, too
def test_neither_imports_anything_of_the_bridge() -> None:
    code = (
        "import sys, simulated.twilio.__main__, simulated.google.__main__; "
        "print([m for m in sys.modules if m.split('.')[0] in ('bridge', 'saml', 'scim', 'oidc', 'onelogin')])"
    )
    assert run([sys.executable, "-c", code]).stdout == "[]\n"
