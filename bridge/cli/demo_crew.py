"""The processes of the demo: started together, watched, stopped together."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import requests

from bridge.domain.errors import DomainError

_WATCHED = Path(__file__).with_name("demo_watched.py")
_SECONDS_TO_START = 60.0
_SECONDS_TO_STOP = 10.0


class DemoFailed(DomainError):
    """A process of the demo didn't come up, or died."""

    code = "demo_failed"


@dataclass(slots=True)
class Crew:
    """Runs Python programs beside this one, their output in `log`; leaving the block stops them all."""

    log: Path
    running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    output: IO[bytes] | None = None

    def __enter__(self) -> Self:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.output = self.log.open("wb")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for process in self.running.values():
            process.terminate()
        deadline = time.monotonic() + _SECONDS_TO_STOP
        for process in self.running.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdin is not None:
                process.stdin.close()
        if self.output is not None:
            self.output.close()

    def start(self, name: str, arguments: list[str], environ: Mapping[str, str]) -> None:
        """Start `python -m ARGUMENT...`. It gets no signal of the terminal's: this program passes the end on.

        Should this program be killed before it can, the pipe that it holds ends, and the other one with it.
        """
        self.running[name] = subprocess.Popen(  # noqa: S603 - our own programs, with arguments of our own
            [sys.executable, "-P", str(_WATCHED), *arguments],
            env={**os.environ, **environ},
            stdin=subprocess.PIPE,
            stdout=self.output,
            stderr=self.output,
            start_new_session=True,
        )

    def wait_for(self, url: str) -> None:
        """Return when this address answers 200. Raises DemoFailed when a process ends first, or it takes too long."""
        deadline = time.monotonic() + _SECONDS_TO_START
        while time.monotonic() < deadline:
            self._check_alive()
            try:
                if requests.get(url, timeout=5).ok:
                    return
            except requests.RequestException:
                time.sleep(0.1)
        raise DemoFailed(f"{url} doesn't answer. What was said meanwhile is in {self.log}.")

    def watch(self) -> None:
        """Wait until the person ends the demo. Raises DemoFailed when a process ends by itself."""
        while True:
            self._check_alive()
            time.sleep(0.3)

    def _check_alive(self) -> None:
        for name, process in self.running.items():
            if process.poll() is not None:
                raise DemoFailed(f"{name} ended ({self._last_line()}). All it said is in {self.log}.")

    def _last_line(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else "without a word"
