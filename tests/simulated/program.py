"""Starts the company IdP, or another simulated program, as the demo does."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "config" / "demo" / "company_idp.json"


def command(state: Path, *more: str) -> list[str]:
    """The command line, with its state in a folder."""
    return [sys.executable, "-m", "simulated.company_idp", "--state", str(state), *more]


def running(state: Path, *more: str) -> AbstractContextManager[str]:
    """Its address, while it runs on a free port; ends it as Ctrl-C would, and sees that it ends well."""
    return running_program(command(state, "--port", "0", *more))


@contextmanager
def running_program(arguments: list[str]) -> Iterator[str]:
    """The address that a simulated program says it listens at, while it runs. It has to end well."""
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    try:
        first = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", first)
        assert found, first
        yield found[0]
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
        busy = re.compile(r"^Task queue depth is \d+\n", re.MULTILINE)  # waitress's, of a machine that is slow
        assert (process.returncode, busy.sub("", errors)) == (0, "")
    finally:
        process.kill()
        process.communicate()
