"""One keep-alive client, as thin as it can be: what is measured is the server, not the reading of its headers."""

import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

_PIECE = 1 << 20


class Headers:
    """The head of an answer, read when it is asked for."""

    def __init__(self, head: bytes) -> None:
        self._head = head

    def __getitem__(self, name: str) -> str:
        """The first header of that name, which is written in its usual case."""
        lines = self._head.decode("latin-1").split("\r\n")[1:]
        return next(value.strip() for given, _, value in (line.partition(":") for line in lines) if given == name)


class Client:
    """One connection to one server, cookies kept by hand."""

    def __init__(self, url: str, headers: Mapping[str, str] = {}) -> None:
        self._url = urlsplit(url)
        self._headers = {"Host": self._url.netloc, **headers}
        self._line: socket.socket | None = None

    def call(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = {}
    ) -> tuple[int, Headers, bytes]:
        """One request. Returns status, headers and body; fails on a 5xx, and where no length is said."""
        message = self._message(method, path, body, headers)
        try:
            head, said = self._exchange(message)
        except ConnectionError:  # it was silent for longer than the server waits
            self._line = None
            head, said = self._exchange(message)
        status = int(head[9:12])
        assert status < 500, (method, path, status, said[:500])
        return status, Headers(head), said

    def _message(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> bytes:
        sent = {**self._headers, **headers} | ({} if body is None else {"Content-Length": str(len(body))})
        lines = "".join([f"{name}: {value}\r\n" for name, value in sent.items()])
        return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + (body or b"")

    def _exchange(self, message: bytes) -> tuple[bytes, bytes]:
        if self._line is None:
            self._line = socket.create_connection((self._url.hostname or "", self._url.port or 80))
            self._line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._line.sendall(message)
        return self._answer(self._line)

    def _answer(self, line: socket.socket) -> tuple[bytes, bytes]:
        head, end, said = b"", b"", b""
        while not end:
            head, end, said = (head + _some(line)).partition(b"\r\n\r\n")
        if b"Transfer-Encoding: chunked" in head:
            while not said.endswith(b"0\r\n\r\n"):
                said += _some(line)
            return head, _joined(said)
        length = self._length(head)
        while len(said) < length:
            said += _some(line)
        return head, said

    def _length(self, head: bytes) -> int:
        if head[9:12] in (b"204", b"304"):
            return 0
        _, found, rest = head.lower().partition(b"\r\ncontent-length:")
        assert found, head
        return int(rest.partition(b"\r\n")[0])


def _some(line: socket.socket) -> bytes:
    piece = line.recv(_PIECE)
    if not piece:
        raise ConnectionResetError("the server hung up")
    return piece


def _joined(chunks: bytes) -> bytes:
    """RFC 9112 7.1."""
    said = b""
    while chunks:
        size, _, rest = chunks.partition(b"\r\n")
        said, chunks = said + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return said
