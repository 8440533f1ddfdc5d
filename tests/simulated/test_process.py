"""The program, started as the demo starts it: says where it is, keeps its state, imports nothing of the bridge."""

import json
import re
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.simulated.conftest import SP, STORY
from tests.simulated.program import DEMO, ROOT, command, running


def test_it_serves_and_a_second_start_finds_key_and_changes(tmp_path: Path) -> None:
    with running(tmp_path, "--story", str(STORY)) as url:
        key = re.findall("<ds:X509Certificate>.*", requests.get(f"{url}/metadata", timeout=10).text)
        requests.post(f"{url}/api/groups", json={"name": "crew"}, timeout=10).raise_for_status()
    with running(tmp_path, "--story", str(STORY)) as url:
        again = requests.get(f"{url}/metadata", timeout=10).text
        assert re.findall("<ds:X509Certificate>.*", again) == key
        groups = requests.get(f"{url}/api/groups", timeout=10).json()["groups"]
        assert "crew" in {group["name"] for group in groups}


def test_its_key_is_for_its_owner_only(tmp_path: Path) -> None:
    with running(tmp_path / "state", "--story", str(STORY)):
        assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
        assert stat.S_IMODE((tmp_path / "state" / "saml-signing.pem").stat().st_mode) == 0o600


def test_the_demo_company_opens_with_settings_from_a_file(tmp_path: Path) -> None:
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps({"service_provider": SP}))
    with running(tmp_path / "state", "--story", str(DEMO), "--settings", str(settings)) as url:
        state = requests.get(f"{url}/api/state", timeout=10).json()
    assert (state["company"], len(state["groups"])) == ("Kicks Co", 21)
    assert state["settings"]["service_provider"]["acs_url"] == SP["acs_url"]


def test_a_port_in_use_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            command(tmp_path, "--port", port), capture_output=True, text=True, cwd=ROOT, timeout=60, check=False
        )
    assert done.returncode == 1
    assert done.stderr == f"Port {port} of 127.0.0.1 is in use. Choose another with --port.\n"


@pytest.mark.parametrize(("option", "text"), [("--story", "no JSON"), ("--settings", '{"nonsense": 1}')])
def test_a_file_that_cannot_be_used_is_said_in_one_line(tmp_path: Path, option: str, text: str) -> None:
    (tmp_path / "file").write_text(text)
    done = subprocess.run(
        command(tmp_path / "state", "--port", "0", option, str(tmp_path / "file")),
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Can't start: ")
    assert done.stderr.count("\n") == 1


def test_it_imports_nothing_of_the_bridge() -> None:
    code = (
        "import sys, simulated.company_idp.__main__; "
        "print([m for m in sys.modules if m.split('.')[0] in ('bridge', 'saml', 'scim', 'oidc', 'onelogin')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=True,
    )
    assert done.stdout == "[]\n"
