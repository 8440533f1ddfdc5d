"""`bridge demo`: the story is there, ends with Ctrl-C, and is found again."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from bridge.cli.demo import Places, _commands, _stopped_by_signals
from bridge.cli.demo_story import read_story
from tests.running import free_ports_in_a_row, run_here

ROOT = Path(__file__).parents[2]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "bridge", *arguments]


def environ(folder: Path) -> dict[str, str]:
    named = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}
    return {**named, "BRIDGE_DATA_DIR": str(folder), "BRIDGE_SQLITE_SYNCHRONOUS": "NORMAL", "PYTHONPATH": str(ROOT)}


def start(folder: Path, port: int) -> "subprocess.Popen[str]":
    demo = command("demo", "--port", str(port), "--json")
    return subprocess.Popen(demo, env=environ(folder), cwd=folder, stdout=subprocess.PIPE, text=True)


@contextmanager
def demo(folder: Path, port: int, *, end: signal.Signals) -> Iterator[dict[str, Any]]:
    """A demo that has said that it is ready; at the end it is told to stop, and must end well."""
    running = start(folder, port)
    assert running.stdout is not None
    try:
        told: dict[str, Any] = json.loads(running.stdout.readline())
        yield told
    finally:
        running.send_signal(end)
        rest, _ = running.communicate(timeout=30)
    assert (running.returncode, rest) == (0, "")


def break_off(folder: Path, port: int, how: signal.Signals, after: str, seconds: float) -> None:
    """End a demo while it seeds, so many seconds after a step was noted. Returns when its ports are free again."""
    running = start(folder, port)
    try:
        wait_until(lambda: listening(port) == 5 and after in done(folder))
        time.sleep(seconds)
    finally:
        running.send_signal(how)
        running.communicate(timeout=30)  # on a quick machine it may have been ready before the last of the moments
    wait_until(lambda: listening(port) == 0)


def done(folder: Path) -> list[str]:
    notes = folder / "demo.json"
    return ["", *json.loads(notes.read_text())["done"]] if notes.exists() else [""]


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def listening(first: int) -> int:
    """On how many of the five ports somebody listens."""
    found = 0
    for port in range(first, first + 5):
        with socket.socket() as attempt:
            found += attempt.connect_ex(("127.0.0.1", port)) == 0
    return found


def ask(folder: Path, *arguments: str) -> str:
    return run_here(environ(folder), *arguments)


def permissions(folder: Path, email: str) -> set[tuple[str, str]]:
    wire = json.loads(ask(folder, "access", "show", "demo-ecommerce", email, "--json"))
    return {(one["role"], scope) for one in wire["permissions"] for scope in one["scope"]}


@pytest.mark.long  # the first start is in tests/browser too
@pytest.mark.timeout(180)
def test_the_story_is_there_and_is_found_again_on_other_ports(tmp_path: Path) -> None:
    port = free_ports_in_a_row()
    with demo(tmp_path, port, end=signal.SIGTERM) as told:
        assert told["bridge"] == f"http://localhost:{port}"
        assert told["company_idp"] == f"http://127.0.0.1:{port + 1}"
        assert (told["twilio"], told["workspace"]) == (f"http://127.0.0.1:{port + 3}", "demo-ecommerce")
        assert "Log in with Twilio" in requests.get(f"{told['bridge']}/login", timeout=30).text
        assert {"at", "email", "password", "what"} == set(told["logins"][0])
        everybody = ask(tmp_path, "users", "export", "demo-ecommerce").splitlines()
        assert len(everybody) == 1 + 312 + 6
        with closing(sqlite3.connect(tmp_path / "bridge.db")) as database:
            assert database.execute("SELECT count(*) FROM access_requests").fetchone() == (3,)
        assert ("Source Admin", "source:ios-prod") in permissions(tmp_path, "tomas.herrera@kicks.example")
        leave = {"remove": ["tomas.herrera@kicks.example"]}
        answer = requests.post(f"{told['company_idp']}/api/groups/eng-mobile/members", json=leave, timeout=30)
        assert answer.ok
        assert ("Source Admin", "source:ios-prod") not in permissions(tmp_path, "tomas.herrera@kicks.example")
        everybody = ask(tmp_path, "users", "export", "demo-ecommerce").splitlines()
    again = free_ports_in_a_row()
    with demo(tmp_path, again, end=signal.SIGINT) as told:
        assert ask(tmp_path, "users", "export", "demo-ecommerce").splitlines() == everybody
        join = {"add": ["tomas.herrera@kicks.example"]}
        answer = requests.post(f"{told['company_idp']}/api/groups/eng-mobile/members", json=join, timeout=30)
        assert [push["outcome"] for push in answer.json()["pushes"]] == ["accepted"], answer.text
        assert ("Source Admin", "source:ios-prod") in permissions(tmp_path, "tomas.herrera@kicks.example")


#: Until this step was noted, so many seconds more, and then the demo ends so.
BROKEN_OFF = (
    (signal.SIGKILL, "", 0.0),
    (signal.SIGINT, "make_workspace", 0.05),
    (signal.SIGKILL, "add_resources", 0.02),
    (signal.SIGINT, "add_user_groups", 0.05),
    (signal.SIGKILL, "add_connections", 0.02),
    (signal.SIGINT, "introduce", 0.5),
    (signal.SIGKILL, "introduce", 1.0),
    (signal.SIGKILL, "push_people", 0.15),
    (signal.SIGINT, "add_rules", 0.05),
    (signal.SIGKILL, "give_by_hand", 0.1),
    (signal.SIGINT, "send_invitations", 0.01),
)
LISTS = (("mapping", "list"), ("api-token", "list"), ("resource", "list"), ("user-group", "list"), ("domain", "list"))


def everything(folder: Path) -> list[Any]:
    """What the workspace holds, but for what a second sign-in and new tokens change."""
    people = [line.rpartition(",")[0] for line in ask(folder, "users", "export", "demo-ecommerce").splitlines()]
    lists = [json.loads(ask(folder, *noun, "demo-ecommerce", "--json")) for noun in LISTS]
    tokens = sorted(token["description"] for token in lists[1]["tokens"])
    return [people, tokens, lists[0], *lists[2:]]


@pytest.mark.timeout(300)
@pytest.mark.long
def test_seeding_goes_on_wherever_it_was_broken_off(tmp_path: Path) -> None:
    port = free_ports_in_a_row()
    for how, after, seconds in BROKEN_OFF:
        break_off(tmp_path, port, how, after, seconds)
    with demo(tmp_path, port, end=signal.SIGINT):
        found = everything(tmp_path)
    people, tokens, rules = found[:3]
    assert len(people) == 1 + 312 + 6
    assert len(set(tokens)) == len(tokens) == 3 + 4
    assert len(rules["mappings"]) == 10
    (tmp_path / "demo.json").unlink()  # each step was done, and none was noted
    with demo(tmp_path, port, end=signal.SIGINT):
        assert everything(tmp_path) == found


def test_a_port_in_use_is_said_clearly(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = subprocess.run(
            command("demo", "--port", str(port)), env=environ(tmp_path), cwd=tmp_path, capture_output=True, text=True,
            check=False, timeout=60,
        )  # fmt: skip
    assert ran.returncode == 1
    assert f"Port {port} is in use" in ran.stderr
    assert "--port" in ran.stderr


def test_commands_beside_the_demo_are_told_its_address_where_they_could_not_guess_it() -> None:
    story = read_story(ROOT / "config" / "demo")
    places = (Places(0, f"http://localhost:{port}", {}, twilio="", google="") for port in (8000, 8730))
    usual, other = (" ".join(_commands(one, story)) for one in places)
    assert "BRIDGE_PUBLIC_URL" not in usual
    assert "BRIDGE_PUBLIC_URL=http://localhost:8730 " in other


class Swallows:
    """Has a destructor in which a signal comes, and Python drops what its handler raises."""

    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)


def be_interrupted_in_a_destructor() -> None:
    with _stopped_by_signals():
        Swallows()
        time.sleep(10)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_signal_that_python_drops_ends_the_demo_all_the_same() -> None:
    with pytest.raises(SystemExit) as ended:
        be_interrupted_in_a_destructor()
    assert ended.value.code == 0
