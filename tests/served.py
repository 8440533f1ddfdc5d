"""A server of a small application, as a process of its own."""

import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

ROOT = Path(__file__).parent.parent

#: How many of them "/long" counts; some megabytes, more than a socket takes at once.
NUMBERS = 1_000_000

PROGRAM = """
import io, os, sys, time
from wsgiref.util import FileWrapper
from bridge.server import serve

#: Nowhere like itself, so that a lost or doubled piece is seen.
LONG = "".join(f"{n} " for n in range(%(long)d))

asked = []

def application(environ, start_response):
    path = environ["PATH_INFO"]
    asked.append(path)
    if path == "/slow":
        time.sleep(1)
    if path == "/fail":
        raise RuntimeError("on purpose")
    if path == "/exit":
        sys.exit("on purpose")
    body = {
        "/echo": lambda: str(len(environ["wsgi.input"].read())),
        "/query": lambda: environ["QUERY_STRING"],
        "/long": lambda: LONG,
        "/asked": lambda: str(asked.count(environ["QUERY_STRING"])),
        "/from": lambda: f"{environ['wsgi.url_scheme']} {environ['REMOTE_ADDR']}",
    }.get(path, lambda: str(os.getpid()))()
    if path == "/nothing":
        start_response("204 No Content", [])
        return []
    start_response("200 OK", [("Content-Type", "text/plain")])
    if path == "/file":  # as frameworks hand one over
        return environ.get("wsgi.file_wrapper", FileWrapper)(io.BytesIO(LONG.encode()))
    return [body.encode()]

def make_app():
    %(in_make_app)s
    return application

def beside():
    print("beside", os.getpid(), file=sys.stderr, flush=True)
    time.sleep(3600)

sys.exit(serve(make_app, port=int(sys.argv[1]), %(options)s))
"""


class Server:
    """A server under test, its output as it comes."""

    def __init__(self, port: int, options: str, in_make_app: str) -> None:
        code = PROGRAM % {"options": options, "in_make_app": in_make_app, "long": NUMBERS}
        command = [sys.executable, "-c", code, str(port)]
        self.process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
        self.lines: list[str] = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            self.lines.extend(iter(lines.readline, ""))

    @property
    def output(self) -> str:
        return "".join(self.lines)

    @property
    def url(self) -> str:
        found = re.search(r"http://\S+", self.output)
        assert found is not None
        return found.group()

    def pids(self) -> set[int]:
        """The processes that answer, as a few dozen requests find them."""
        return {int(requests.get(self.url, timeout=5).text) for _ in range(40)}

    def end(self) -> int:
        """Wait until it has ended and give its exit status."""
        status = self.process.wait(timeout=20)
        self.reader.join(timeout=5)
        return status

    @property
    def is_gone(self) -> bool:
        """Whether each of its processes has ended: all of them hold the pipe that the reader reads."""
        return not self.reader.is_alive()


def wait_until(condition: Callable[[], object], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@contextmanager
def serving(
    port: int = 0, options: str = "workers=2", in_make_app: str = "pass", ready: bool = True
) -> Iterator[Server]:
    server = Server(port, options, in_make_app)
    try:
        if ready:
            wait_until(lambda: "Serving" in server.output or server.process.poll() is not None)
            assert "Serving" in server.output, server.output
        yield server
    finally:
        server.process.terminate()
        server.end()
