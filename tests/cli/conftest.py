"""Commands run as `bridge` does, in this process, with a data directory of their own."""

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bridge.cli import main

METADATA = Path(__file__).parent.parent / "flows" / "idp_metadata.xml"


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def wire(self) -> Any:
        """Stdout, which must be one JSON object and nothing else."""
        return json.loads(self.out)


class Shell:
    """Runs commands, one after the other."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch, self.capfd = monkeypatch, capfd

    def run(self, *arguments: str, stdin: str = "") -> Ran:
        """`bridge ARGUMENT...`."""
        self.monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        with pytest.raises(SystemExit) as end:
            main(arguments)
        out, err = self.capfd.readouterr()
        return Ran(end.value.code if isinstance(end.value.code, int) else 0, out, err)

    def json(self, *arguments: str, stdin: str = "") -> Any:
        """The JSON of a command that must succeed."""
        ran = self.run(*arguments, "--json", stdin=stdin)
        assert (ran.status, ran.err) == (0, ""), ran
        return ran.wire


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Shell:
    """A shell with the embedded default and nothing set."""
    for name in ("BRIDGE_CONFIG", "BRIDGE_DATABASE_URL", "BRIDGE_SECRET_KEYS", "BRIDGE_MAIL_URL", "BRIDGE_PUBLIC_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BRIDGE_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("BRIDGE_SQLITE_SYNCHRONOUS", "NORMAL")
    return Shell(monkeypatch, capfd)


@pytest.fixture
def kicks(shell: Shell) -> Shell:
    """The same, with the workspace `kicks`, whose owner is Marcus."""
    command = ("workspace", "create", "kicks", "--name", "Kicks Co", "--owner", "marcus@kicks.example")
    shell.json(*command, "--owner-password-stdin", stdin="break-glass-at-kicks\n")
    return shell


@pytest.fixture
def okta(kicks: Shell) -> str:
    """The id of a SAML connection of `kicks`."""
    command = ("connection", "create", "kicks", "--kind", "saml", "--idp-metadata", str(METADATA))
    return str(kicks.json(*command, "--preset", "okta")["connection"]["id"])
