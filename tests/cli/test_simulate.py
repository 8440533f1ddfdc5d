"""`bridge simulate` as a program: its JSON, its exit status, and Ctrl-C in the middle."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.certificate import Certificate
from tests.cli.conftest import Shell
from tests.simulated.small_server import SmallServer, listening, serving

ROOT = Path(__file__).parents[2]


@pytest.fixture
def server() -> Iterator[SmallServer]:
    with serving() as small:
        yield small


def start(idp: str, url: str, *more: str) -> "subprocess.Popen[str]":
    """The command, with its token on stdin, in a session of its own as on a terminal of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bridge", "simulate", idp, "--scim-url", url, "--token-stdin", *more],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdin is not None
    process.stdin.write("t0ken\n")
    process.stdin.flush()
    return process


def test_a_faultless_server_is_exit_status_0_and_one_object(server: SmallServer) -> None:
    process = start("okta", server.url, "--users", "3", "--groups", "1", "--json")
    out, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    told = json.loads(out)
    assert set(told) == {"idp", "calls", "steps", "faults"}
    assert (told["idp"], told["calls"], told["faults"]) == ("okta", len(server.log), [])
    assert set(told["steps"][0]) == {"step", "outcome", "calls", "says"}


def test_a_fault_is_exit_status_1_and_a_sentence() -> None:
    with serving("removing members by an array removes all") as server:
        process = start("entra", server.url)
        out, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (1, "")
    assert "the group lost all 5 members, not those two. (Entra ID: application-provisioning-" in out


def test_a_fault_in_json_has_these_keys() -> None:
    with serving("a POST is answered 200") as server:
        out, _ = start("onelogin", server.url, "--json").communicate(timeout=60)
    [fault] = json.loads(out)["faults"]
    assert set(fault) == {"step", "request", "expected", "got", "why", "standard"}
    assert fault["request"].startswith("POST /scim/v2/Users {")


def test_entras_flag_in_the_address_changes_how_it_speaks() -> None:
    with serving("removing members by an array removes all") as server:
        process = start("entra", f"{server.url}?aadOptscim062020")
        process.communicate(timeout=60)
    assert process.returncode == 0


@pytest.mark.parametrize(
    "url",
    [
        "no-address",
        pytest.param("ftp://x.example/scim", marks=pytest.mark.long),
        pytest.param("http://x.example/scim?key=1", marks=pytest.mark.long),
    ],
)
def test_a_wrong_address_is_exit_status_2(url: str) -> None:
    process = start("okta", url)
    out, errors = process.communicate(timeout=60)
    assert (process.returncode, out, errors.count("\n")) == (2, "", 1)


def test_no_scim_server_there_is_exit_status_2_and_one_sentence() -> None:
    def page(_environ: object, begin: Callable[..., object]) -> list[bytes]:
        begin("404 Not Found", [("Content-Type", "text/html")])
        return [b"<!doctype html>"]

    with listening(page) as url:
        process = start("okta", url)
        out, errors = process.communicate(timeout=60)
    assert (process.returncode, out, errors.count("\n")) == (2, "", 1)
    assert "was answered 404 with text/html. --scim-url is the server's base address" in errors


def test_an_app_of_oktas_wizard_at_a_server_of_ones_own_ca(server: SmallServer, certificate: Certificate) -> None:
    with listening(server, certificate.for_server()) as url:
        process = start("okta", url, "--app", "wizard", "--ca-file", str(certificate.path), "--users", "3")
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert not [line for line in server.log if line.startswith("PATCH /scim/v2/Users/")]


def test_nobody_there_is_exit_status_2_and_said_in_json() -> None:
    process = start("okta", "http://127.0.0.1:9/scim/v2", "--json")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert json.loads(out)["error"]["code"] == "unreachable"


@pytest.mark.parametrize(
    "arguments",
    [
        ("okta", "--scim-url", "http://x.example"),
        ("okta", "--token-stdin"),
        ("okta", "--scim-url", "https://x.example", "--token-stdin", "--ca-file", "nowhere.pem"),
        ("okta", "--scim-url", "http://x.example", "--token-stdin", "--app", "mobile"),
        ("google", "--scim-url", "http://x.example", "--token-stdin"),
        ("okta", "--scim-url", "http://x.example", "--token-stdin", "--users", "2"),
    ],
)
def test_wrong_usage_is_exit_status_2(shell: Shell, arguments: tuple[str, ...]) -> None:
    assert shell.run("simulate", *arguments).status == 2


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.long)])
def test_broken_off_it_cleans_up_and_tells_what_it_found_so_far(server: SmallServer, number: signal.Signals) -> None:
    server.pause = 0.01
    process = start("okta", server.url, "--users", "20", "--json")
    while not server.kept["Users"]:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    if number is signal.SIGINT:
        os.killpg(process.pid, number)  # a terminal sends Ctrl-C to all that run on it
    else:
        process.send_signal(number)
    out, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, "")
    assert json.loads(out)["steps"][-1]["step"] == "Clean up"
    assert server.kept["Users"] == {}
