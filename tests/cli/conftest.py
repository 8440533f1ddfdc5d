"""Commands run as `bridge` does, in this process, with a data directory of their own."""

import io
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
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


class Typed(io.StringIO):
    """What somebody types on a terminal."""

    def isatty(self) -> bool:
        return True


class WebServer(ThreadingHTTPServer):
    """An IdP's web server, which answers every GET with `body`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.body = b""

    @property
    def url(self) -> str:
        """Its one address."""
        return f"http://127.0.0.1:{self.server_port}/metadata"


class _Answer(BaseHTTPRequestHandler):
    server: WebServer

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def web_server() -> Iterator[WebServer]:
    """An IdP's web server on the loopback."""
    with WebServer() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Shell:
    """Runs commands, one after the other."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch, self.capfd = monkeypatch, capfd

    def run(self, *arguments: str, stdin: str = "", terminal: bool = False) -> Ran:
        """`bridge ARGUMENT...`; on a terminal `stdin` is what somebody types there, who reads stderr."""
        self.monkeypatch.setattr("sys.stdin", Typed(stdin) if terminal else io.StringIO(stdin))
        with pytest.MonkeyPatch.context() as patch:
            if terminal:
                patch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
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
