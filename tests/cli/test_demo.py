"""`bridge demo`: the story is there, ends with Ctrl-C, and is found again."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

ROOT = Path(__file__).parents[2]


def three_free_ports() -> int:
    """The first of three ports in a row that nobody uses."""
    for first in range(18_000 + os.getpid() % 10_000, 60_000, 7):
        listeners = [socket.socket() for _ in range(3)]
        try:
            for n, listener in enumerate(listeners):
                listener.bind(("127.0.0.1", first + n))
        except OSError:
            continue
        finally:
            for listener in listeners:
                listener.close()
        return first
    raise AssertionError("no free ports")


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "bridge", *arguments]


def environ(folder: Path) -> dict[str, str]:
    named = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}
    return {**named, "BRIDGE_DATA_DIR": str(folder), "BRIDGE_SQLITE_SYNCHRONOUS": "NORMAL", "PYTHONPATH": str(ROOT)}


@contextmanager
def demo(folder: Path, port: int, *, end: signal.Signals) -> Iterator[dict[str, Any]]:
    """A demo that has said that it is ready; at the end it is told to stop, and must end well."""
    running = subprocess.Popen(
        command("demo", "--port", str(port), "--json"),
        env=environ(folder),
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    try:
        told: dict[str, Any] = json.loads(running.stdout.readline())
        yield told
    finally:
        running.send_signal(end)
        rest, _ = running.communicate(timeout=30)
    assert (running.returncode, rest) == (0, "")


def ask(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        command(*arguments), env=environ(folder), cwd=folder, capture_output=True, text=True, check=True
    ).stdout


def permissions(folder: Path, email: str) -> set[tuple[str, str]]:
    wire = json.loads(ask(folder, "access", "show", "demo-ecommerce", email, "--json"))
    return {(one["role"], scope) for one in wire["permissions"] for scope in one["scope"]}


@pytest.mark.timeout(180)
def test_the_story_is_there_and_is_found_again_on_other_ports(tmp_path: Path) -> None:
    port = three_free_ports()
    with demo(tmp_path, port, end=signal.SIGTERM) as told:
        assert told["bridge"] == f"http://localhost:{port}"
        assert told["company_idp"] == f"http://127.0.0.1:{port + 1}"
        assert (told["twilio"], told["workspace"]) == (None, "demo-ecommerce")
        assert {"at", "email", "password", "what"} == set(told["logins"][0])
        everybody = ask(tmp_path, "users", "export", "demo-ecommerce").splitlines()
        assert len(everybody) == 1 + 312 + 6
        assert ("Source Admin", "source:ios-prod") in permissions(tmp_path, "tomas.herrera@kicks.example")
        leave = {"remove": ["tomas.herrera@kicks.example"]}
        answer = requests.post(f"{told['company_idp']}/api/groups/eng-mobile/members", json=leave, timeout=30)
        assert answer.ok
        assert ("Source Admin", "source:ios-prod") not in permissions(tmp_path, "tomas.herrera@kicks.example")
        everybody = ask(tmp_path, "users", "export", "demo-ecommerce").splitlines()
    again = three_free_ports()
    with demo(tmp_path, again, end=signal.SIGINT) as told:
        assert ask(tmp_path, "users", "export", "demo-ecommerce").splitlines() == everybody
        join = {"add": ["tomas.herrera@kicks.example"]}
        answer = requests.post(f"{told['company_idp']}/api/groups/eng-mobile/members", json=join, timeout=30)
        assert [push["outcome"] for push in answer.json()["pushes"]] == ["accepted"], answer.text
        assert ("Source Admin", "source:ios-prod") in permissions(tmp_path, "tomas.herrera@kicks.example")


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
