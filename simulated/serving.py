"""How a simulated program listens: on loopback alone, until it is told to stop."""

import signal
import socket
from types import FrameType

from flask import Flask
from waitress.server import create_server

HOST = "127.0.0.1"


def listen(port: int) -> socket.socket:
    """A listener on that port of loopback; 0 takes a free one. Raises OSError when the port is in use."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError:
        listener.close()
        raise
    return listener


def serve(app: Flask, listener: socket.socket, announcement: str) -> None:
    """Prints one line, then serves until Ctrl-C or SIGTERM."""
    server = create_server(app, sockets=[listener], threads=8, ident=None)
    signal.signal(signal.SIGTERM, _stop)
    try:
        print(announcement, flush=True)
        server.run()
    except KeyboardInterrupt:
        pass
    finally:
        server.close()


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
