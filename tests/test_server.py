"""The server as a real process: it answers from several processes, replaces the dead, and stops when told."""

import os
import re
import signal
import threading
import time
from pathlib import Path

import pytest
import requests

from tests.raw_http import message, send
from tests.served import serving, wait_until


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
        wait_until(lambda: "was killed" in server.output)  # until then it may take the request with it
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
