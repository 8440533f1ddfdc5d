"""The server as a real process: it answers from several processes, replaces the dead, and stops when told."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.raw_http import message, send

ROOT = Path(__file__).parent.parent

PROGRAM = """
import os, sys, time
from bridge.server import serve

def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/slow":
        time.sleep(1)
    body = {
        "/echo": lambda: str(len(environ["wsgi.input"].read())),
        "/from": lambda: f"{environ['wsgi.url_scheme']} {environ['REMOTE_ADDR']}",
    }.get(path, lambda: str(os.getpid()))()
    start_response("200 OK", [("Content-Type", "text/plain")])
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
        code = PROGRAM % {"options": options, "in_make_app": in_make_app}
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


def test_a_line_says_when_all_processes_answer_and_where() -> None:
    with serving() as server:
        assert re.fullmatch(r"Serving http://127\.0\.0\.1:\d+ with 2 processes\n", server.output)
        assert server.process.pid not in server.pids()


def test_a_killed_process_is_replaced() -> None:
    with serving() as server:
        victim = int(requests.get(server.url, timeout=5).text)
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: "another follows" in server.output)
        assert f"Process {victim} was killed by SIGKILL; another follows in 0.1 s." in server.output
        assert victim not in server.pids()


def test_with_every_process_killed_it_comes_back() -> None:
    with serving(options="workers=1") as server:
        first = int(requests.get(server.url, timeout=5).text)
        os.kill(first, signal.SIGKILL)
        # The socket is the parent's: this request waits for the new process instead of being refused.
        assert int(requests.get(server.url, timeout=10).text) != first


def test_a_process_that_keeps_dying_is_started_less_and_less_often(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    dies_later = f"os.path.exists({str(broken)!r}) and sys.exit(3)"
    with serving(options="workers=1", in_make_app=dies_later) as server:
        broken.touch()
        os.kill(int(requests.get(server.url, timeout=5).text), signal.SIGKILL)
        wait_until(lambda: server.output.count("another follows") == 4)
        assert re.findall(r"follows in (\S+) s", server.output) == ["0.1", "0.2", "0.4", "0.8"]
        broken.unlink()
        assert requests.get(server.url, timeout=10).status_code == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all_processes_soon(number: signal.Signals) -> None:
    with serving(options="workers=2, beside=[beside]") as server:
        wait_until(lambda: "beside" in server.output)
        began = time.monotonic()
        server.process.send_signal(number)
        assert server.end() == 0
        assert server.is_gone
        assert time.monotonic() - began < 10


def test_a_request_under_way_is_answered_before_the_end() -> None:
    with serving(options="workers=1") as server:
        answers: list[requests.Response] = []
        slow = threading.Thread(target=lambda: answers.append(requests.get(f"{server.url}/slow", timeout=10)))
        slow.start()
        time.sleep(0.3)
        server.process.terminate()
        slow.join()
        assert [answer.status_code for answer in answers] == [200]
        assert server.end() == 0


def test_when_the_parent_is_killed_its_children_end() -> None:
    with serving(options="workers=2, beside=[beside]") as server:
        wait_until(lambda: "beside" in server.output)
        server.process.kill()
        wait_until(lambda: server.is_gone, seconds=6)


@pytest.mark.long
def test_a_process_that_does_not_listen_is_killed_in_time() -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    with serving(in_make_app=deaf) as server:
        began = time.monotonic()
        server.process.terminate()
        assert server.end() == 0
        assert server.is_gone
        assert time.monotonic() - began < 10


def test_a_port_in_use_is_said_in_one_line() -> None:
    with serving() as first:
        port = int(first.url.rpartition(":")[2])
        with serving(port, ready=False) as second:
            assert second.end() == 1
            assert second.output == (
                f"Port {port} of 127.0.0.1 is in use by another program: "
                "stop that one, or choose another with --port.\n"
            )


def test_an_unknown_host_is_said_in_one_line() -> None:
    with serving(options="host='256.0.0.1'", ready=False) as server:
        assert server.end() == 1
        assert re.fullmatch(r"Can't listen on port 0 of 256\.0\.0\.1: .+\.\n", server.output)


def test_an_application_that_cannot_be_made_ends_the_server() -> None:
    with serving(in_make_app="raise RuntimeError('no database')", ready=False) as server:
        assert server.end() == 1
        assert "RuntimeError: no database" in server.output
        assert "giving up" in server.output


def test_each_process_makes_its_own_application() -> None:
    with serving(in_make_app="os.write(2, b'made in %d;' % os.getpid())") as server:  # one write each: never mixed
        assert {int(pid) for pid in re.findall(r"made in (\d+);", server.output)} >= server.pids()


def test_it_answers_while_hundreds_of_clients_are_slow() -> None:
    with serving() as server:
        port = int(server.url.rpartition(":")[2])
        slow = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(300)]
        for client in slow:
            client.sendall(b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nslow")
        assert requests.get(server.url, timeout=5).status_code == 200
        for client in slow:
            client.close()


def test_no_header_names_the_software() -> None:
    with serving(options="workers=1") as server:
        assert "Server" not in requests.get(server.url, timeout=5).headers


def test_bodies_and_headers_have_a_limit() -> None:
    with serving(options="workers=1") as server:
        assert requests.post(f"{server.url}/echo", data=b"x" * 10_000_000, timeout=20).text == "10000000"
        # Refused by its length alone: the rest would not be read.
        refused = send(server.url, message("POST", "/echo", {"Content-Length": str(33 * 2**20)}))
        assert (refused.status, refused.body) == (413, b"The body is too large.\n")
        assert requests.get(server.url, headers={"Long": "x" * 100_000}, timeout=5).status_code == 431


@pytest.mark.parametrize(
    ("trusted_proxies", "seen"), [(0, "http 127.0.0.1"), (1, "https 203.0.113.7"), (2, "https 198.51.100.1")]
)
def test_forwarded_headers_count_from_trusted_proxies_only(trusted_proxies: int, seen: str) -> None:
    forwarded = {"X-Forwarded-For": "198.51.100.1, 203.0.113.7", "X-Forwarded-Proto": "https"}
    with serving(options=f"workers=1, trusted_proxies={trusted_proxies}") as server:
        assert requests.get(f"{server.url}/from", headers=forwarded, timeout=5).text == seen


def test_the_scheme_is_as_told() -> None:
    with serving(options="workers=1, url_scheme='https'") as server:
        assert requests.get(f"{server.url}/from", timeout=5).text == "https 127.0.0.1"


def test_an_answer_comes_in_one_piece() -> None:
    with (
        serving(options="workers=1") as server,
        socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as line,
    ):
        for _ in range(20):
            line.sendall(message("GET", "/", {"Connection": "keep-alive"}))
            head, _, body = line.recv(4096).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 OK\r\n")
            assert body.isdigit(), "the head came first, and alone"
