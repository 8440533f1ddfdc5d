"""The production server: several processes on one socket (bridge.lines), and what runs beside them.

The parent binds the socket, forks, and watches; it opens no database and starts no thread, so that nothing is shared
by accident. A child that dies is replaced; when the parent ends, however it ends, its children do too.
"""

import errno
import os
import resource
import select
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import FrameType
from typing import Final, TypeVar
from wsgiref.types import WSGIApplication

from bridge.lines import Render, answer

_THREADS = 8  # in all processes together: more only queue for SQLite's one writer
#: At least: five logins, four with Twilio and an owner may wait for outside, and three, one and one for their
#: turn (bridge.outside.calls); others go on. Threads that wait cost nothing.
_THREADS_OF_ONE = 16
_OPEN_FILES = 4096
_SECONDS_TO_STOP: Final = 4
_SHORTEST_DELAY: Final = 0.1
_LONGEST_DELAY: Final = 10.0
_SECONDS_OF_HEALTH: Final = 10.0  # a child that lived this long is restarted without a longer delay

Ready = Callable[[], None]
Work = Callable[[Ready], None]
App = TypeVar("App", bound=WSGIApplication)


def render_plainly(_target: str, _status: int, text: str) -> tuple[str, bytes]:
    """A refusal for anybody."""
    return "text/plain; charset=utf-8", f"{text}\n".encode()


def _nothing(_app: object) -> None:
    """What most apps do at their end."""


def serve(
    make_app: Callable[[], App],
    *,
    at_end: Callable[[App], None] = _nothing,
    host: str = "127.0.0.1",
    port: int = 8000,
    workers: int | None = None,
    url_scheme: str = "http",
    trusted_proxies: int = 0,
    render_refusal: Render = render_plainly,
    beside: Sequence[Callable[[], None]] = (),
) -> int:
    """Serve what `make_app` makes in each process, until SIGTERM or SIGINT. Returns the exit status.

    `workers` is the number of processes, by default that of cores. Each of `beside` runs in a process of its own; it
    ends by the SystemExit that SIGTERM raises in it. `render_refusal` has the words for what is no HTTP, or too much of
    it. `at_end` is called in each process after its last answer. `port` 0 takes a free one; a line on stderr says when
    all processes answer, and where. 1 is returned, with a line on stderr, where the port can't be had or a process
    doesn't come up.
    """
    try:
        listener = _listen(host, port)
    except OSError as error:
        print(_explain(error, host, port), file=sys.stderr)
        return 1
    count = workers or os.cpu_count() or 1
    answer_all = partial(
        answer,
        listener=listener,
        render=render_refusal,
        threads=max(_THREADS_OF_ONE, _THREADS // count),
        url_scheme=url_scheme,
        trusted_proxies=trusted_proxies,
    )
    answering = [_Child(partial(_answer, make_app, at_end, answer_all)) for _ in range(count)]
    others = [_Child(partial(_run_beside, work)) for work in beside]
    with listener:
        address = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
        return _Supervisor(answering + others, f"Serving {address} with {count} process{'es' * (count > 1)}").run()


# -- The socket ----------------------------------------------------------------------------------------------------


def _listen(host: str, port: int) -> socket.socket:
    family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    return socket.create_server(address[:2], family=family, backlog=1024)


def _explain(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is in use by another program: stop that one, or choose another with --port."
    if error.errno == errno.EACCES:
        return f"Port {port} of {host} needs more rights than these: choose one from 1024 on."
    return f"Can't listen on port {port} of {host}: {error.strerror}."


# -- In a child ----------------------------------------------------------------------------------------------------


def _answer(
    make_app: Callable[[], App],
    at_end: Callable[[App], None],
    answer_all: Callable[[App, Ready], None],
    ready: Ready,
) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    app = make_app()
    answer_all(app, ready)  # until SystemExit
    at_end(app)


def _run_beside(work: Callable[[], None], ready: Ready) -> None:
    ready()
    work()


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _end_with(parent: int) -> None:
    """End this child when nobody holds the other end of the pipe `parent` any more."""
    os.read(parent, 1)
    os.kill(os.getpid(), signal.SIGTERM)


# -- In the parent -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Child:
    """One place in the crew: the work, and the process that does it now."""

    work: Work
    pid: int = 0
    started: float = 0.0
    delay: float = 0.0
    restart_at: float = 0.0

    def ended(self) -> int | None:
        """How the process ended, if it has: its exit status, or minus the signal that killed it."""
        if self.pid == 0:
            return None
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid == 0:
            return None
        self.pid = 0
        return os.waitstatus_to_exitcode(status)


@dataclass(slots=True)
class _Supervisor:
    """Keeps every child running until it is told to stop."""

    children: list[_Child]
    announcement: str
    stopping: bool = False
    status: int = 0
    announced: bool = False
    ready: int = 0
    lifeline: tuple[int, int] = field(default_factory=os.pipe)
    news: tuple[int, int] = field(default_factory=os.pipe)

    def run(self) -> int:
        """Start all, replace who dies, and at the end stop all. Returns the exit status."""
        with self._signals() as wake:
            for child in self.children:
                self._start(child)
            while not self.stopping:
                heard, _, _ = select.select([wake, self.news[0]], [], [], self._seconds_to_next_start())
                if wake in heard:
                    os.read(wake, 4096)
                if self.news[0] in heard:
                    self._count_ready()
                self._look_after_children()
            self._stop()
        for end in (*self.lifeline, *self.news):
            os.close(end)
        return self.status

    @contextmanager
    def _signals(self) -> Iterator[int]:
        """Signals wake the parent by the file descriptor that this gives."""

        def stop(_signal: int, _frame: FrameType | None) -> None:
            self.stopping = True

        read, write = os.pipe()
        os.set_blocking(write, False)
        told = signal.set_wakeup_fd(write)
        handlers = {signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGCHLD: lambda *_: None}
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield read
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(told)
            os.close(read)
            os.close(write)

    def _seconds_to_next_start(self) -> float | None:
        waiting = [child.restart_at for child in self.children if child.pid == 0]
        return max(0.0, min(waiting) - time.monotonic()) if waiting else None

    def _count_ready(self) -> None:
        self.ready += len(os.read(self.news[0], 4096))
        if not self.announced and self.ready >= len(self.children):
            self.announced = True
            print(self.announcement, file=sys.stderr, flush=True)

    def _look_after_children(self) -> None:
        for child in self.children:
            pid, status = child.pid, child.ended()
            if status is not None and not self.stopping:
                self._plan_restart(child, pid, status)
            if child.pid == 0 and not self.stopping and time.monotonic() >= child.restart_at:
                self._start(child)

    def _plan_restart(self, child: _Child, pid: int, status: int) -> None:
        how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        if not self.announced:
            print(f"A process {how} before it was ready: giving up.", file=sys.stderr, flush=True)
            self.stopping, self.status = True, 1
            return
        now = time.monotonic()
        lived_long = now - child.started >= _SECONDS_OF_HEALTH
        child.delay = _SHORTEST_DELAY if lived_long else min(_LONGEST_DELAY, child.delay * 2 or _SHORTEST_DELAY)
        child.restart_at = now + child.delay
        print(f"Process {pid} {how}; another follows in {child.delay:g} s.", file=sys.stderr, flush=True)

    def _start(self, child: _Child) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        # A signal between the fork and the child's own handlers would be lost.
        held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
        child.pid = os.fork()
        if child.pid == 0:
            self._be(child.work, held)
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
        child.started = time.monotonic()

    def _be(self, work: Work, mask: set[signal.Signals | int]) -> None:
        """What the child does; it never returns from here."""
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGTERM, _end)
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the parent decides
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            os.close(self.lifeline[1])
            threading.Thread(target=_end_with, args=[self.lifeline[0]], daemon=True).start()
            work(self._say_ready)
            status = 0
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else 1
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def _say_ready(self) -> None:
        os.write(self.news[1], b".")

    def _stop(self) -> None:
        self._tell(signal.SIGTERM)
        deadline = time.monotonic() + _SECONDS_TO_STOP
        while any(child.pid for child in self.children) and time.monotonic() < deadline:
            time.sleep(0.02)
            for child in self.children:
                child.ended()
        self._tell(signal.SIGKILL)
        for child in self.children:
            if child.pid:
                os.waitpid(child.pid, 0)

    def _tell(self, number: signal.Signals) -> None:
        for child in self.children:
            if child.pid:
                os.kill(child.pid, number)
