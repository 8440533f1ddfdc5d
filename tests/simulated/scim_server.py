"""A small SCIM server for the tests: keeps what it is sent, answers as the standard asks, can be told to refuse.

It applies only as much of PATCH as the clients under test read back; what they sent is in `calls`, to be compared.
"""

import json
import re
from collections import deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it arrived; `path` is decoded and holds the query."""

    method: str
    path: str
    body: Any
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Planned:
    """An answer to give instead of the real one; `only` limits it to paths that contain the text."""

    status: int
    headers: dict[str, str]
    body: bytes
    only: str


class ScimServer:
    """Answers at `url` until `close`."""

    def __init__(self) -> None:
        self.resources: dict[str, dict[str, dict[str, Any]]] = {"Users": {}, "Groups": {}}
        self._numbers = {"Users": count(1), "Groups": count(1)}
        self.calls: list[Call] = []
        self.planned: deque[Planned] = deque()
        self.always: list[Planned] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_for(self))
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/scim/v2"

    def close(self) -> None:
        """Stops answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def plan(self, status: int, body: Any = None, *, only: str = "", **headers: str) -> None:
        """The next call (whose path holds `only`) gets this answer."""
        text = b"" if body is None else json.dumps(body).encode()
        self.planned.append(Planned(status, {k.replace("_", "-"): v for k, v in headers.items()}, text, only))

    def refuse(self, status: int, detail: str, *, only: str) -> None:
        """Every call whose path holds `only` is refused, from now on."""
        body = json.dumps({"detail": detail, "status": str(status)}).encode()
        self.always.append(Planned(status, {}, body, only))

    def add(self, kind: str, **resource: Any) -> str:
        """Puts a resource there, as if it had been before; answers its id."""
        resource_id = f"{kind[0].lower()}{next(self._numbers[kind])}"
        self.resources[kind][resource_id] = {"id": resource_id, **resource}
        return resource_id

    def sent(self) -> list[dict[str, Any]]:
        """What arrived since the last look, without random passwords."""
        calls, self.calls = self.calls, []
        return [_comparable(call) for call in calls]

    def answer(self, call: Call) -> tuple[int, dict[str, str], bytes]:
        """The status, headers and body for one call."""
        self.calls.append(call)
        for planned in self.always:
            if planned.only in call.path:
                return planned.status, planned.headers, planned.body
        if self.planned and self.planned[0].only in call.path:
            planned = self.planned.popleft()
            return planned.status, planned.headers, planned.body
        status, body = self._real_answer(call)
        return status, {}, b"" if body is None else json.dumps(body).encode()

    def _real_answer(self, call: Call) -> tuple[int, Any]:
        address = urlsplit(call.path)
        kind, _, resource_id = address.path.removeprefix("/scim/v2/").partition("/")
        known = self.resources[kind]
        if call.method == "POST":
            return 201, known[self.add(kind, **call.body)]
        if not resource_id:
            found = _filtered(known, parse_qs(address.query).get("filter", [""])[0])
            return 200, {"totalResults": len(found), "Resources": found}
        if resource_id not in known:
            return 404, {"detail": "There is no such resource.", "status": "404"}
        if call.method == "DELETE":
            del known[resource_id]
            return 204, None
        if call.method == "PUT":
            known[resource_id] = {**call.body, "id": resource_id}
        if call.method == "PATCH":
            _apply(known[resource_id], call.body["Operations"])
        return 200, known[resource_id]


def _filtered(known: dict[str, dict[str, Any]], filter_: str) -> list[dict[str, Any]]:
    match = re.fullmatch(r'(\w+) eq ("(?:[^"\\]|\\.)*")', filter_)
    if not match:
        return list(known.values())
    wanted = json.loads(match[2])
    return [one for one in known.values() if str(one.get(match[1], "")).casefold() == wanted.casefold()]


def _apply(resource: dict[str, Any], operations: list[dict[str, Any]]) -> None:
    for operation in operations:
        path, value = operation.get("path", ""), operation.get("value")
        if not path and isinstance(value, dict):
            resource.update(value)
        elif path == "displayName":
            resource["displayName"] = value


def _comparable(call: Call) -> dict[str, Any]:
    shown: dict[str, Any] = {"call": f"{call.method} {call.path.removeprefix('/scim/v2')}"}
    if call.body is not None:
        body = dict(call.body)
        if "password" in body:
            assert len(body["password"]) >= 8
            body["password"] = "(random)"
        shown["body"] = body
    return shown


def _handler_for(server: ScimServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet, else each answer waits 40 ms for an acknowledgement

        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            path = unquote(self.path.replace("+", " "))
            status, headers, answer = server.answer(Call(self.command, path, body, dict(self.headers)))
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(answer))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)
            self.wfile.flush()

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Says nothing on the test's output."""

    return Handler
