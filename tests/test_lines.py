"""What a serving process does with its clients' lines, by either loop: slow clients hold up nobody, answers come whole
and in order, and what breaks is one line.
"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.raw_http import message, send
from tests.served import NUMBERS, Server, serving

LOOPS = {"epoll": "pass", "waitress": "import select; del select.epoll"}
LONG = "".join(f"{n} " for n in range(NUMBERS)).encode()
SLOW = {
    "headers": b"GET / HTTP/1.1\r\nHost: local",
    "body": b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nslow",
    "chunks": b"POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsl",
    "reading": b"GET /long HTTP/1.1\r\nHost: localhost\r\n\r\n",
}


@pytest.fixture(scope="module", params=LOOPS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with serving(options="workers=1", in_make_app=LOOPS[request.param]) as running:
        yield running


@contextmanager
def lines(server: Server, number: int) -> Iterator[list[socket.socket]]:
    port = int(server.url.rpartition(":")[2])
    with ExitStack() as stack:
        yield [stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20)) for _ in range(number)]


def read_answer(line: socket.socket) -> tuple[bytes, bytes]:
    """The head and the body of the next answer, and no byte more."""
    said = b""
    while b"\r\n\r\n" not in said:
        octet = line.recv(1)
        assert octet, "the line ended without an answer"
        said += octet
    head, _, _ = said.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    body = b""
    while len(body) < length:
        piece = line.recv(min(length - len(body), 65536))
        assert piece, "the line ended within an answer"
        body += piece
    return head, body


@pytest.mark.parametrize("what", SLOW)
def test_five_hundred_slow_clients_hold_up_nobody(server: Server, what: str) -> None:
    with lines(server, 50 if what == "reading" else 500) as slow:
        for client in slow:
            client.sendall(SLOW[what])
        for _ in range(5):
            assert requests.get(server.url, timeout=5).status_code == 200


def test_a_slow_reader_gets_all_of_it(server: Server) -> None:
    with lines(server, 1) as (line,):
        line.sendall(SLOW["reading"])
        time.sleep(0.3)  # by now nothing more fits into the socket
        assert read_answer(line)[1] == LONG
        line.sendall(b"GET /query?next HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert read_answer(line)[1] == b"next"


def test_what_was_asked_behind_a_long_answer_is_answered_after_it(server: Server) -> None:
    with lines(server, 1) as (line,):
        line.sendall(SLOW["reading"] + b"GET /query?behind HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(0.3)
        assert [read_answer(line)[1] for _ in range(2)] == [LONG, b"behind"]


def test_who_asks_on_without_reading_gets_one_answer_made_at_a_time(server: Server) -> None:
    before = int(requests.get(f"{server.url}/asked?/long", timeout=5).text)
    with lines(server, 1) as (line,):
        line.sendall(SLOW["reading"] * 50)
        time.sleep(0.5)
        assert int(requests.get(f"{server.url}/asked?/long", timeout=5).text) - before <= 8  # of fifty


def test_a_file_comes_whole(server: Server) -> None:
    assert requests.get(f"{server.url}/file", timeout=10).content == LONG


@settings(max_examples=25)
@given(bodies=st.lists(st.binary(max_size=60), min_size=1, max_size=5), cuts=st.lists(st.integers(0, 900), max_size=8))
def test_requests_in_a_row_are_answered_in_their_order_however_they_are_cut(
    server: Server, bodies: list[bytes], cuts: list[int]
) -> None:
    requests_in_a_row = b"".join(
        message("POST", f"/query?{n}", {"Connection": "keep-alive"}, body) for n, body in enumerate(bodies)
    )
    ends = sorted({cut for cut in cuts if cut < len(requests_in_a_row)} | {len(requests_in_a_row)})
    with lines(server, 1) as (line,):
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start, end in zip([0, *ends], ends, strict=False):
            line.sendall(requests_in_a_row[start:end])
        assert [read_answer(line)[1] for _ in bodies] == [str(n).encode() for n in range(len(bodies))]


def test_an_answer_comes_in_one_piece(server: Server) -> None:
    with lines(server, 1) as (line,):
        for _ in range(20):
            line.sendall(message("GET", "/", {"Connection": "keep-alive"}))
            head, _, body = line.recv(4096).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 OK\r\n")
            assert body.isdigit(), "the head came first, and alone"


def test_an_answer_without_a_body_leaves_the_line_open(server: Server) -> None:
    with lines(server, 1) as (line,):
        for _ in range(3):
            line.sendall(message("GET", "/nothing", {"Connection": "keep-alive"}))
            head, _, body = line.recv(4096).partition(b"\r\n\r\n")
            assert (head.split(b"\r\n")[0], body) == (b"HTTP/1.1 204 No Content", b"")
            assert b"close" not in head
        line.sendall(message("GET", "/nothing", {"Connection": "close"}))
        assert b"Connection: close" in line.recv(4096)
        assert line.recv(4096) == b""


def test_a_client_that_asks_whether_to_send_its_body_is_told_to(server: Server) -> None:
    with lines(server, 1) as (line,):
        line.sendall(message("POST", "/echo", {"Expect": "100-continue", "Content-Length": "5"}))
        assert line.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        line.sendall(b"hello")
        assert read_answer(line)[1] == b"5"


@pytest.mark.parametrize("length", [{}, {"Content-Length": "0"}], ids=["no length", "no bytes"])
def test_who_asks_so_and_has_no_body_is_answered_at_once(server: Server, length: dict[str, str]) -> None:
    with lines(server, 1) as (line,):
        for _ in range(2):
            line.sendall(message("GET", "/query?a", {"Expect": "100-continue", "Connection": "keep-alive"} | length))
            head, body = read_answer(line)
            assert (head.partition(b"\r\n")[0], body) == (b"HTTP/1.1 200 OK", b"a")


CHUNKED = {"Transfer-Encoding": "chunked", "Connection": "keep-alive"}
UNCLEAR = {
    "both lengths": message("POST", "/query?a", CHUNKED | {"Content-Length": "5"}),
    "HTTP/1.0": message("POST", "/query?a", CHUNKED).replace(b"HTTP/1.1", b"HTTP/1.0"),
    "HTTP/1.2": message("POST", "/query?a", CHUNKED).replace(b"HTTP/1.1", b"HTTP/1.2"),
}


@pytest.mark.parametrize("head", UNCLEAR.values(), ids=UNCLEAR)
def test_a_request_that_a_proxy_may_find_to_end_elsewhere_is_refused_and_nothing_behind_it_is_read(
    server: Server, head: bytes
) -> None:
    answer = send(server.url, head + b"0\r\n\r\n" + message("GET", "/query?smuggled", {}))
    assert answer.status == 400
    assert b"smuggled" not in answer.body


@pytest.mark.parametrize("hosts", [b"", b"Host: a\r\nHost: b\r\n"], ids=["none", "two"])
def test_a_request_names_one_host(server: Server, hosts: bytes) -> None:
    assert send(server.url, b"GET / HTTP/1.1\r\n" + hosts + b"\r\n").status == 400


@pytest.mark.parametrize("first", [b"1;", b"0\r\n"], ids=["a chunk's line", "a trailer"])
def test_what_stands_between_chunks_has_a_limit(server: Server, first: bytes) -> None:
    endless = first + b"a" * 2**20  # each piece of it would be read as often as pieces come behind it
    assert send(server.url, message("POST", "/echo", CHUNKED) + endless, seconds=5).status == 400


def test_an_application_that_fails_ends_its_own_line_only(server: Server) -> None:
    failed = send(server.url, message("GET", "/fail", {"Connection": "keep-alive"}))
    assert (failed.status, failed.body) == (500, b"The server failed.\n")
    assert requests.get(server.url, timeout=5).status_code == 200


def test_an_application_that_ends_its_thread_does_not(server: Server) -> None:
    for _ in range(2 * 16):  # threads
        with suppress(TimeoutError):  # what waitress's own loop says of it is nothing
            send(server.url, message("GET", "/exit", {}), seconds=0.05)
    assert requests.get(server.url, timeout=5).status_code == 200


def test_clients_that_leave_without_their_answer_do_no_harm(server: Server) -> None:
    for leaves_after in (b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n", SLOW["reading"], SLOW["body"]):
        with lines(server, 10) as leaving:
            for line in leaving:
                line.sendall(leaves_after)
    assert requests.get(server.url, timeout=10).status_code == 200


def test_more_slow_requests_than_threads_are_all_answered(server: Server) -> None:
    statuses: list[int] = []
    ask = [
        threading.Thread(target=lambda: statuses.append(requests.get(f"{server.url}/slow", timeout=20).status_code))
        for _ in range(16)
    ]
    for thread in ask:
        thread.start()
    for thread in ask:
        thread.join()
    assert statuses == [200] * 16


def test_who_says_nothing_is_hung_up_on_and_who_waits_for_an_answer_is_not() -> None:
    soon = "import bridge.lines as lines; lines._SECONDS_OF_SILENCE = 0.4; lines._SECONDS_BETWEEN_LOOKS = 0.1"
    with serving(options="workers=1", in_make_app=soon) as server, lines(server, 4) as (mute, slow, reader, waits):
        slow.sendall(SLOW["body"])
        reader.sendall(SLOW["reading"])
        waits.sendall(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert read_answer(waits)[0].startswith(b"HTTP/1.1 200 OK")
        assert (mute.recv(1), slow.recv(1)) == (b"", b"")
        got = sum(len(piece) for piece in iter(lambda: reader.recv(65536), b""))
        assert got < len(LONG)


def test_who_comes_when_all_lines_are_taken_waits_for_one() -> None:
    few = "import bridge.lines as lines; lines._CONNECTIONS = 3"
    with serving(options="workers=1", in_make_app=few) as server:
        with lines(server, 3) as taken, lines(server, 1) as (last,):
            for line in taken:
                line.sendall(SLOW["headers"])
            last.sendall(b"GET /query?last HTTP/1.1\r\nHost: localhost\r\n\r\n")
            last.settimeout(0.5)
            with pytest.raises(TimeoutError):
                last.recv(1)
            taken[0].close()
            last.settimeout(10)
            assert read_answer(last)[1] == b"last"
        assert requests.get(server.url, timeout=10).status_code == 200
