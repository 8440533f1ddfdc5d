"""Applications that really listen, in this process."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from simulated.serving import HOST


class Silent(WSGIRequestHandler):
    """Says nothing on the test's output."""

    def log(self, *_: object) -> None: ...


@contextmanager
def serving(app: Flask, listener: socket.socket) -> Iterator[None]:
    """Answers on that listener, for the length of a block."""
    listener.listen()
    server = make_server(HOST, 0, app, threaded=True, request_handler=Silent, fd=listener.fileno())
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        listener.close()


def address(listener: socket.socket, host: str = HOST) -> str:
    """Where it listens."""
    return f"http://{host}:{listener.getsockname()[1]}"
