"""Other people's servers in the same run, each one process with everything in memory: npm `scimmy-routers`, run by
tests/node/scim_peer.js, and npm `@boxyhq/saml-jackson`, run by jackson_peer.js of the folder beside.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

FOLDER = Path(__file__).parents[1] / "node"
JACKSON = Path(__file__).parent / "node"
NEEDED = ("express", "scimmy", "scimmy-routers")


@dataclass(frozen=True, slots=True)
class Peer:
    """A scimmy-routers that runs: its address, and its process."""

    url: str
    pid: int


@contextmanager
def running_peer() -> Iterator[Peer | None]:
    """One for the length of a block; None where Node or the peers of tests/node are missing."""
    node = shutil.which("node")
    if node is None or not all((FOLDER / "node_modules" / name).is_dir() for name in NEEDED):
        yield None
        return
    command = [node, "--no-deprecation", "scim_peer.js"]
    with subprocess.Popen(command, cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield Peer(process.stdout.readline().strip(), process.pid)  # then its stdin is closed, which ends it


@dataclass(frozen=True, slots=True)
class Jackson:
    """A saml-jackson that runs: its address, the application it knows, and its process group."""

    url: str
    client_id: str
    client_secret: str
    group: int


@contextmanager
def running_jackson(metadata: bytes) -> Iterator[Jackson | None]:
    """One that trusts the IdP of that metadata; None where Node or its folder's packages are missing."""
    node = shutil.which("node")
    if node is None or not (JACKSON / "node_modules" / "@boxyhq" / "saml-jackson").is_dir():
        yield None
        return
    command = [node, "--no-deprecation", "jackson_peer.js"]
    with subprocess.Popen(
        command, cwd=JACKSON, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(metadata)
        process.stdin.close()
        url = process.stdout.readline().decode().strip()
        with urlopen(f"{url}/about") as told:
            known = json.load(told)
        try:
            yield Jackson(url, known["client_id"], known["client_secret"], process.pid)
        finally:
            process.terminate()
