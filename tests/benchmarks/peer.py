"""npm `scimmy-routers` in the same run: a SCIM server in memory, one process, run by tests/node/scim_peer.js."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "node"
NEEDED = ("express", "scimmy", "scimmy-routers")


@contextmanager
def running_peer() -> Iterator[str | None]:
    """Its address for the length of a block; None where Node or the peers of tests/node are missing."""
    node = shutil.which("node")
    if node is None or not all((FOLDER / "node_modules" / name).is_dir() for name in NEEDED):
        yield None
        return
    command = [node, "--no-deprecation", "scim_peer.js"]
    with subprocess.Popen(command, cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()  # then its stdin is closed, which ends it
