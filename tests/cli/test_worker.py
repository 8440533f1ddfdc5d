"""`bridge worker`: sends what waits, and ends well when it is told to."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.domain.mail import Mail
from bridge.flows.context import OPERATOR
from bridge.flows.deliver import queue_mail
from bridge.settings import read_settings
from bridge.wiring import make_context
from tests.cli.conftest import Shell

ROOT = Path(__file__).parents[2]


def wait_for(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_sends_what_waits_until_it_is_told_to_stop(shell: Shell, tmp_path: Path, end: signal.Signals) -> None:
    context = make_context(read_settings())
    with context.changing(OPERATOR, datetime.now(UTC)) as change:
        queue_mail(context, change, Mail("ines@kicks.example", "Hello", "Hello", None))
    context.database.close()
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    running = subprocess.Popen(
        [sys.executable, "-m", "bridge", "worker"], cwd=tmp_path, env=environ, stderr=subprocess.PIPE, text=True
    )
    try:
        wait_for(lambda: list((tmp_path / "var" / "mail").glob("*.eml")))
    finally:
        running.send_signal(end)
        _, said = running.communicate(timeout=30)
    assert (running.returncode, said) == (0, "")
