"""One serving process: clients' lines, and the threads that answer what comes by them.

All threads wait side by side at one epoll. Whom the kernel wakes reads from that line, answers once a request is whole,
and waits again: a request is handed from no thread to another, and wakes one. A line is armed for a single event
(EPOLLONESHOT), so whoever was woken has it to themselves. What isn't whole yet is kept with its line and holds no
thread; neither does an answer whose reader is slow. The kernel wakes the thread that came last, whose memory is warm.

How HTTP is read and written is waitress's: its parser, its tasks. Its own loop, which hands each request to a thread
and is told by a pipe of each answer, is for systems without epoll (docs/decisions/0030-lines.md).
"""

import logging
import math
import os
import select
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final
from wsgiref.types import WSGIApplication, WSGIEnvironment

import waitress
from waitress.adjustments import Adjustments
from waitress.buffers import OverflowableBuffer
from waitress.channel import ClientDisconnected, HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.proxy_headers import proxy_headers_middleware
from waitress.task import ErrorTask, WSGITask
from waitress.utilities import BadRequest, InternalServerError

log = logging.getLogger(__name__)

_CONNECTIONS = 2000  # a process; slow clients cost a file descriptor each, and no thread
#: More than the application takes, which can say so once it is called; up to here a body waits in a file.
_LARGEST_BODY = 32 * 2**20
_LARGEST_HEADERS = 64 * 2**10
#: What is read at once: more would let a client that sends request after request keep its thread for longer.
_PIECE: Final = 16 * 2**10
_SECONDS_OF_SILENCE: Final = 30
_SECONDS_BETWEEN_LOOKS: Final = 5.0
_SECONDS_TO_FINISH: Final = 3.0  # less than the parent waits (bridge.server), or `at_end` would never come
_SHORT_PAUSE: Final = 0.05

#: The words for a request that the server can't hand on: its target, the status, what is wrong -> type and body.
Render = Callable[[str, int, str], tuple[str, bytes]]


def answer(
    app: WSGIApplication,
    ready: Callable[[], None],
    *,
    listener: socket.socket,
    render: Render,
    threads: int,
    url_scheme: str,
    trusted_proxies: int,
) -> None:
    """Answer who comes to this socket, by so many threads, until SystemExit is raised in the one that calls; requests
    under way are answered before this returns. `ready` is called once clients are heard, `render` has the words for
    what is no HTTP, or too much of it.
    """
    options = _options(threads, url_scheme, trusted_proxies)
    if hasattr(select, "epoll"):
        Lines(app, listener, _speaking(Line, render), options).run(ready)
        return
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a queue is no news
    server = waitress.create_server(app, sockets=[listener], **options)
    server.channel_class = _speaking(HTTPChannel, render)
    ready()
    server.run()


def _options(threads: int, url_scheme: str, trusted_proxies: int) -> dict[str, Any]:
    options: dict[str, Any] = {
        "threads": threads,
        "connection_limit": _CONNECTIONS,
        "channel_timeout": _SECONDS_OF_SILENCE,
        "asyncore_use_poll": True,  # select() knows no file descriptor from 1024 on
        "max_request_body_size": _LARGEST_BODY,
        "max_request_header_size": _LARGEST_HEADERS,
        "ident": None,
        "url_scheme": url_scheme,
        "clear_untrusted_proxy_headers": True,
    }
    if trusted_proxies:
        options["trusted_proxy"] = "*"
        options["trusted_proxy_count"] = trusted_proxies
        options["trusted_proxy_headers"] = {"x-forwarded-for", "x-forwarded-proto"}
    return options


# -- Threads that wait ---------------------------------------------------------------------------------------------


class Lines:
    """All lines of this process. Waitress's tasks know it as their server."""

    def __init__(
        self, app: WSGIApplication, listener: socket.socket, line_class: type["Line"], options: dict[str, Any]
    ) -> None:
        self.adj = Adjustments(sockets=[listener], **options)
        self.application = _believing_proxies(app, self.adj)
        self.server_name: str = self.adj.server_name
        self.effective_port: int = listener.getsockname()[1]
        self._listener = listener
        self._line_class = line_class
        self._lines: dict[int, Line] = {}
        self._epoll = select.epoll()
        self._end, self._ending = os.pipe()
        self._epoll.register(self._end, select.EPOLLIN)  # what comes is never read: it wakes every thread

    def run(self, ready: Callable[[], None]) -> None:
        """Take calls until SystemExit; then let the threads finish what they are at."""
        threads = [threading.Thread(target=self._wait, daemon=True) for _ in range(self.adj.threads)]
        for thread in (*threads, threading.Thread(target=self._drop_silent, daemon=True)):
            thread.start()
        try:
            ready()
            while True:
                self._take_call()
        except SystemExit:
            os.write(self._ending, b".")
            deadline = time.monotonic() + _SECONDS_TO_FINISH
            for thread in threads:
                thread.join(max(0.0, deadline - time.monotonic()))

    def _take_call(self) -> None:
        if len(self._lines) >= self.adj.connection_limit:
            time.sleep(_SHORT_PAUSE)
            return
        try:
            sock, address = self._listener.accept()
        except OSError:  # the client has gone already, or there is no file descriptor left
            time.sleep(_SHORT_PAUSE)
            return
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lines[sock.fileno()] = self._line_class(self, sock, address)
        self._epoll.register(sock, select.EPOLLIN | select.EPOLLONESHOT)

    def _wait(self) -> None:
        """What each thread does."""
        while True:
            for number, _ in self._epoll.poll(-1, 1):
                if number == self._end:
                    return
                line = self._lines[number]
                if event := line.go_on():
                    self._epoll.modify(number, event | select.EPOLLONESHOT)
                else:
                    del self._lines[number]  # first: once it is closed, a new line may have its number
                    line.close()

    def _drop_silent(self) -> None:
        while True:
            time.sleep(_SECONDS_BETWEEN_LOOKS)
            for line in list(self._lines.values()):
                if time.monotonic() - line.silent_since > self.adj.channel_timeout:
                    line.hang_up()


def _believing_proxies(app: WSGIApplication, adj: Adjustments) -> WSGIApplication:
    believing: WSGIApplication = proxy_headers_middleware(
        app,
        trusted_proxy=adj.trusted_proxy,
        trusted_proxy_count=adj.trusted_proxy_count,
        trusted_proxy_headers=adj.trusted_proxy_headers,
        clear_untrusted=adj.clear_untrusted_proxy_headers,
        logger=log,
    )
    return believing


class Line:
    """A client's connection: what of a request has come by it, and what of an answer hasn't left yet.

    Waitress's tasks know it as their channel. One thread at a time has it.
    """

    task_class: type[WSGITask]
    error_task_class: type[ErrorTask]
    parser_class: type[HTTPRequestParser]

    def __init__(self, server: Lines, sock: socket.socket, address: Any) -> None:
        self.server = server
        self.adj = server.adj
        self.addr = address
        #: By the monotonic clock; never, while a thread has it.
        self.silent_since = time.monotonic()
        self._sock = sock
        self._request: HTTPRequestParser | None = None
        self._unread = b""
        self._unsent: OverflowableBuffer | None = None  # in memory or, when it is long, in a file
        self._ends = False

    def go_on(self) -> int:
        """Do what can be done without waiting for the client. Returns the event to wait for; 0 when this is the end."""
        self.silent_since = math.inf
        try:
            return self._go_on()
        except (OSError, ClientDisconnected):  # the client has gone
            return 0
        except BaseException:  # an application's SystemExit, too: a thread that ends is missed for ever
            log.exception("A line broke")
            return 0
        finally:
            self.silent_since = time.monotonic()

    def _go_on(self) -> int:
        if self._unsent is not None:
            self._send_rest()
        else:
            self._unread = self._sock.recv(_PIECE)
            self._ends = not self._unread
        while self._unread and not self._ends and self._unsent is None:
            self._read()
        if self._unsent is not None:
            return select.EPOLLOUT
        return 0 if self._ends else select.EPOLLIN

    def _read(self) -> None:
        request = self._request = self._request or self.parser_class(self.adj)
        self._unread = self._unread[request.received(self._unread) :]
        if request.expect_continue and request.headers_finished:
            request.expect_continue = request.completed = False
            self.write_soon(b"HTTP/1.1 100 Continue\r\n\r\n")
        if request.completed:
            self._request = None
            if not request.empty:
                self._answer(request)

    def _answer(self, request: HTTPRequestParser) -> None:
        try:
            task = (self.error_task_class if request.error else self.task_class)(self, request)
            try:
                task.service()
            except ClientDisconnected:
                task.close_on_finish = True
            except Exception:
                log.exception("No answer to %s", request.path)
                task = self._fail(request, task)
            self._ends = task.close_on_finish
        finally:
            request.close()

    def _fail(self, request: HTTPRequestParser, task: WSGITask) -> WSGITask:
        """Say that the server failed, where nothing was said yet; the line ends."""
        if not task.wrote_header:
            failed = self.parser_class(self.adj)
            failed.error, failed.version = InternalServerError(""), request.version
            with suppress(ClientDisconnected):
                self.error_task_class(self, failed).service()
        task.close_on_finish = True
        return task

    def write_soon(self, piece: bytes) -> int:
        """For tasks: send this, as soon as the client takes it. Raises ClientDisconnected."""
        sent = 0
        if self._unsent is None:
            try:
                sent = self._sock.send(piece)
            except BlockingIOError:
                pass
            except OSError as error:
                raise ClientDisconnected from error
        if sent < len(piece):
            if self._unsent is None:
                self._unsent = OverflowableBuffer(self.adj.outbuf_overflow)
            self._unsent.append(piece[sent:])
        return len(piece)

    def _send_rest(self) -> None:
        assert self._unsent is not None
        with suppress(BlockingIOError):
            while piece := self._unsent.get(_PIECE):
                self._unsent.skip(self._sock.send(piece), True)
            self._unsent.close()
            self._unsent = None

    def check_client_disconnected(self) -> bool:
        """For tasks: nobody looks, while an answer is being made."""
        return False

    def hang_up(self) -> None:
        """For a thread that hasn't got the line: tell the one that will have it that it ended."""
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """The end."""
        if self._request is not None:
            self._request.close()
        if self._unsent is not None:
            self._unsent.close()
        self._sock.close()


# -- What the application never sees -------------------------------------------------------------------------------

_TOO_MUCH = {
    413: "The body is too large.",
    431: f"The address and the headers together are longer than {_LARGEST_HEADERS // 2**10} KiB.",
}


def _speaking(base: type[Any], render: Render) -> type[Any]:
    """A connection that refuses in these words."""

    class Refusal(ErrorTask):  # type: ignore[misc]
        def execute(self) -> None:
            # Only this process's own faults are 5xx: a transfer coding that nobody knows is a bad request.
            error = self.request.error
            status = error.code if error.code in (*_TOO_MUCH, 500) else 400
            text = _TOO_MUCH.get(status) or ("The server failed." if status == 500 else error.body)
            content_type, body = render(_target_of(self.request), status, text)
            self.status = f"{status} {error.reason if status == error.code else 'Bad Request'}"
            self.response_headers.append(("Content-Type", content_type))
            self.set_close_on_finish()
            self.content_length = len(body)
            self.write(body)

    class Speaking(base):  # type: ignore[misc]
        task_class = _InOnePiece
        error_task_class = Refusal
        parser_class = _Parser

    return Speaking


def _go_on() -> None:
    """Nothing ends."""


class _InOnePiece(WSGITask):  # type: ignore[misc]
    """An answer that is whole goes out whole: waitress itself sends the head first, and the client is woken twice."""

    wrote_header: bool = False

    def write(self, piece: bytes) -> None:
        is_whole = not self.wrote_header and self.complete and self.content_length == len(piece) > 0
        if not is_whole or not self.has_body:
            super().write(piece)
            return
        head = self.build_response_header()
        self.wrote_header = True
        self.content_bytes_written = len(piece)
        self.channel.write_soon(head + piece)

    def build_response_header(self) -> bytes:
        """An answer of 204 or 304 ends with its head (RFC 9112 6.3), so the line is good for the next request: waitress
        would end it, as where nobody could tell how long an answer is.
        """
        is_last = self.version != "1.1" or self.request.headers.get("CONNECTION", "").lower() == "close"
        if not self.has_body and not is_last:
            self.set_close_on_finish = _go_on
        head: bytes = super().build_response_header()
        return head

    def get_environment(self) -> WSGIEnvironment:
        environ: WSGIEnvironment = super().get_environment()
        environ.pop("wsgi.file_wrapper", None)  # it would hand a line a file; who brings one reads it himself
        return environ


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    """waitress's own, but for some holes (3.0.2)."""

    def received(self, piece: bytes) -> int:
        try:
            consumed: int = super().received(piece)
        except ValueError:  # Content-Length has more digits than Python makes a number of
            self.error, self.completed, consumed = BadRequest("Content-Length is invalid"), True, len(piece)
        if self.chunked and not self.completed and self._between_chunks() > _LARGEST_HEADERS:
            self.error, self.completed = BadRequest("What stands between the chunks is too long."), True
        if self.completed:  # whoever is told to go on now would wait for an answer, and we for a body
            self.expect_continue = False
        return consumed

    def _between_chunks(self) -> int:
        """How much is kept that is no body; it is looked through anew with each piece."""
        return 0 if self.body_rcv is None else len(self.body_rcv.control_line) + len(self.body_rcv.trailer)

    def parse_header(self, head: bytes) -> None:
        """Refuses what a proxy before us may find to end elsewhere: there, another's request begins (RFC 9112 6.1)."""
        super().parse_header(head)
        if "TRANSFER_ENCODING" in self.headers:  # waitress takes it away where it obeys it
            raise ParsingError("Transfer-Encoding is of HTTP/1.1 only.")
        if self.chunked and "CONTENT_LENGTH" in self.headers:
            raise ParsingError("Content-Length and Transfer-Encoding exclude each other.")
        if self.version == "1.1" and "," in self.headers.get("HOST", ","):  # several are joined; RFC 9112 3.2
            raise ParsingError("A request names one Host.")


def _target_of(request: HTTPRequestParser) -> str:
    """What the request was for, as far as it was understood."""
    line = getattr(request, "first_line", b"")
    if request.error.code == 431:  # waitress puts another first line in place of the real one
        line = request.header_plus.lstrip().partition(b"\r\n")[0]
    parts = line.split(b" ", 2)
    return parts[1].decode("latin-1") if len(parts) > 1 else ""
