"""The real thing, running: `bridge serve` in processes of its own, and the `bridge` command beside it."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.error import URLError
from urllib.request import urlopen

from bridge.cli import main

SECONDS_TO_START = 60


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def free_ports_in_a_row(number: int = 5) -> int:
    """The first of so many ports in a row that nobody uses, below those that `free_port` and clients are given: one of
    these may be somebody else's by the time it is wanted.
    """
    for first in range(18_000 + os.getpid() % 10_000, 60_000, 7):
        with ExitStack() as probes:
            try:
                for port in range(first, first + number):
                    probes.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    raise AssertionError("no free ports")


@dataclass(slots=True)
class Bridge:
    """A bridge that runs: its address, its settings, and its processes."""

    url: str
    settings: dict[str, str]
    process: subprocess.Popen[bytes]
    log: Path

    def run(self, *arguments: str, stdin: str = "") -> Any:
        """Run one `bridge` command with `--json`. Returns its answer; fails loudly on any other exit than 0."""
        return json.loads(self.run_text(*arguments, "--json", stdin=stdin))

    def run_text(self, *arguments: str, stdin: str = "") -> str:
        """Run one `bridge` command. Returns what it printed; fails loudly on any other exit than 0."""
        return run_here(_environment(self.settings), *arguments, stdin=stdin)

    def run_by_itself(self, *arguments: str, stdin: str = "", seconds: float = 120) -> Any:
        """The same as `run`, in a process of its own: for what is measured as a whole."""
        done = subprocess.run(
            [sys.executable, "-m", "bridge", *arguments, "--json"],
            env=_environment(self.settings),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return json.loads(done.stdout)

    def kill_workers(self) -> None:
        """kill -9 every process that serves; the parent starts others."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for pid in children:
            os.kill(int(pid), signal.SIGKILL)

    def kill(self) -> None:
        """kill -9 everything at once, as a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """End it as an operator would."""
        self.process.terminate()
        self.process.wait(timeout=30)


def run_here(environment: Mapping[str, str], *arguments: str, stdin: str = "") -> str:
    """What `bridge ARGUMENT...` prints; fails loudly on any other exit than 0.

    In this process, one at a time: to start Python and import the house would take most of the time of most tests.
    """
    out, err = io.StringIO(), io.StringIO()
    typed = patch("sys.stdin", io.StringIO(stdin))
    with patch.dict(os.environ, environment, clear=True), typed, redirect_stdout(out), redirect_stderr(err):
        try:
            main(arguments)
        except SystemExit as end:
            status = end.code
    assert status == 0, f"{arguments}: {out.getvalue()}{err.getvalue()}"
    return out.getvalue()


def _environment(settings: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")} | settings


def start(
    folder: Path,
    *,
    database_url: str | None = None,
    workers: int = 2,
    port: int | None = None,
    more: Mapping[str, str] | None = None,
) -> Bridge:
    """Start a bridge whose data is in `folder` and wait until it is ready."""
    port = port or free_port()
    url = f"http://localhost:{port}"
    settings = {"BRIDGE_PUBLIC_URL": url, "BRIDGE_DATA_DIR": str(folder / "data"), "BRIDGE_SECRET_KEYS": "for-tests"}
    settings |= {"BRIDGE_DATABASE_URL": database_url} if database_url else {}
    settings |= more or {}
    log = folder / "serve.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "bridge", "serve", "--port", str(port), "--workers", str(workers)],
            env=_environment(settings),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    bridge = Bridge(url, settings, process, log)
    wait_until_ready(bridge)
    return bridge


def wait_until_ready(bridge: Bridge) -> None:
    """Until `/readyz` says yes."""
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        assert bridge.process.poll() is None, bridge.log.read_text()
        try:
            with urlopen(f"{bridge.url}/readyz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            time.sleep(0.1)
    raise AssertionError(f"not ready after {SECONDS_TO_START} s: {bridge.log.read_text()}")


@contextmanager
def running(
    folder: Path, *, database_url: str | None = None, workers: int = 2, more: Mapping[str, str] | None = None
) -> Iterator[Bridge]:
    """A bridge for the length of a block; `more` are settings beside the usual ones."""
    bridge = start(folder, database_url=database_url, workers=workers, more=more)
    try:
        yield bridge
    finally:
        if bridge.process.poll() is None:
            bridge.kill()
