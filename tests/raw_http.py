"""HTTP as bytes, for requests that no client library would send."""

import socket
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back before the server closed the connection; status 0 where nothing did."""

    status: int
    headers: dict[str, str]
    body: bytes


def message(method: str, target: str, headers: dict[str, str], body: bytes | None = None) -> bytes:
    """A request as it goes over the wire, asking the server to close afterwards; nothing in it is checked."""
    sized = {"Content-Length": str(len(body))} if body is not None else {}
    lines = [
        f"{name}: {value}" for name, value in ({"Host": "localhost", "Connection": "close"} | sized | headers).items()
    ]
    return "\r\n".join([f"{method} {target} HTTP/1.1", *lines, "", ""]).encode("latin-1") + (body or b"")


def send(url: str, request: bytes, seconds: float = 30) -> Answer:
    """Send one request and read until the server closes."""
    with socket.create_connection((str(urlsplit(url).hostname), urlsplit(url).port or 80), timeout=seconds) as line:
        with suppress(BrokenPipeError, ConnectionResetError):  # it has heard enough; what it said may still be there
            line.sendall(request)
        return _parse(_read(line))


def _read(line: socket.socket) -> bytes:
    said = b""
    with suppress(ConnectionResetError):
        while piece := line.recv(65536):
            said += piece
    return said


def _parse(said: bytes) -> Answer:
    if not said:
        return Answer(0, {}, b"")
    head, _, body = said.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(": ") for line in lines)
    return Answer(int(first.split(" ")[1]), {name.lower(): value for name, _, value in pairs}, body)
