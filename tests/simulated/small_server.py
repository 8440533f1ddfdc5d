"""A small SCIM server that is right, in memory, over WSGI: as much of RFC 7643 and 7644 as vendors use.

`planted` makes it wrong in one way, named in FAULTS.
"""

import json
import re
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from random import Random
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Any
from urllib.parse import parse_qs
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

FAULTS = (
    "a filter is ignored and everybody answered",
    "userName is compared with case",
    "a POST is answered 200",
    "a POST has no Location",
    "a second person of one userName is made",
    "active is kept as the string that was sent",
    "a PATCH without a path is ignored",
    "removing some members removes all",
    "removing members by an array removes all",
    "removing members by an array removes nobody",
    "adding members replaces all",
    "renaming a group unsets its externalId",
    "members are answered though excluded",
    "a DELETE is answered 204 and nothing is deleted",
    "the second page repeats the first",
    "whoever is inactive isn't found",
    "an unknown attribute is answered 500",
    "errors are plain text",
    "a new address leaves the old one found",
    "a PUT is answered and nothing is stored",
    "a filter on externalId is ignored",
    "a POST is answered without a body",
)

Resource = dict[str, Any]
Environ = dict[str, Any]
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
MESSAGES = "urn:ietf:params:scim:api:messages:2.0"
_KNOWN = {
    "Users": {"userName", "externalId", "active", "name", "displayName", "title", "emails", "locale", ENTERPRISE},
    "Groups": {"displayName", "externalId", "members"},
}
_SENT = {*_KNOWN["Users"], *_KNOWN["Groups"], "schemas", "id", "meta", "groups", "roles", "password"}
_COMPARISON = re.compile(r'(\w+) eq ("(?:[^"\\]|\\.)*")')


class Refused(Exception):
    """A refusal, by status and scimType."""

    def __init__(self, status: int, detail: str, scim_type: str | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.scim_type = status, detail, scim_type


class SmallServer:
    """The WSGI application; `log` holds each request's line."""

    def __init__(self, planted: str | None = None) -> None:
        self.planted = planted
        self.url = ""
        self.kept: dict[str, dict[str, Resource]] = {"Users": {}, "Groups": {}}
        self.former: dict[str, str] = {}
        self.log: list[str] = []
        #: What it doesn't do (methods), and what it has no place for (attributes): both are its right.
        self.refuses: set[str] = set()
        self.leaves_out: set[str] = set()
        self.refuses_unknown = False
        self.refuses_schemas: set[str] = set()
        self.says = "No such schema."
        self.pause = 0.0
        self._numbers = count(1)

    def has(self, fault: str) -> bool:
        """Whether this is what is wrong with it."""
        assert fault in FAULTS, fault
        return self.planted == fault

    def __call__(self, environ: Environ, start: Callable[..., object]) -> Iterable[bytes]:
        """One request."""
        self.log.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        time.sleep(self.pause)
        status, headers, body = self._answer(environ)
        headers |= {"Content-Type": "application/scim+json"} if body is not None else {}
        said = b"" if body is None else json.dumps(body).encode()
        if status >= 400 and self.has("errors are plain text"):
            headers, said = {"Content-Type": "text/plain"}, b"Something went wrong."
        start(f"{status} So", [*headers.items(), ("Content-Length", str(len(said)))])
        return [said]

    def _answer(self, environ: Environ) -> tuple[int, dict[str, str], Any]:
        try:
            if environ.get("HTTP_AUTHORIZATION") != "Bearer t0ken":
                raise Refused(401, "No such token.")
            return self._route(environ)
        except Refused as refusal:
            error = {"schemas": [f"{MESSAGES}:Error"], "status": str(refusal.status), "detail": refusal.detail}
            return refusal.status, {}, error | ({"scimType": refusal.scim_type} if refusal.scim_type else {})

    def _route(self, environ: Environ) -> tuple[int, dict[str, str], Any]:
        kind, _, resource_id = environ["PATH_INFO"].removeprefix("/scim/v2/").partition("/")
        query = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = json.loads(environ["wsgi.input"].read(length)) if length else {}
        method = environ["REQUEST_METHOD"]
        if method in self.refuses:
            raise Refused(405, "That isn't done here.")
        if kind not in self.kept or (resource_id and resource_id not in self.kept[kind]):
            raise Refused(404, "There is no such thing.")
        if self.refuses_schemas & set(body.get("schemas", [])):
            raise Refused(400, self.says, "invalidSyntax")
        if not resource_id:
            return self._create(kind, body) if method == "POST" else (200, {}, self._list(kind, query))
        return self._one(method, kind, resource_id, body)

    def _one(self, method: str, kind: str, resource_id: str, body: Resource) -> tuple[int, dict[str, str], Any]:
        there = self.kept[kind][resource_id]
        if method == "DELETE":
            if not self.has("a DELETE is answered 204 and nothing is deleted"):
                del self.kept[kind][resource_id]
            return 204, {}, None
        if method == "PUT":
            self._put(kind, resource_id, self._clean(kind, body))
        if method == "PATCH":
            self._patch(kind, resource_id, there, body["Operations"])
            if kind == "Groups":
                return 204, {}, None
        return 200, {}, self._render(kind, resource_id)

    # -- people and groups --------------------------------------------------------------------------------------

    def _create(self, kind: str, body: Resource) -> tuple[int, dict[str, str], Any]:
        if self.has("an unknown attribute is answered 500") and set(body) - _SENT:
            raise Refused(500, "KeyError")
        if self.refuses_unknown and set(body) - _SENT:
            raise Refused(400, "There is no such attribute.", "invalidSyntax")
        resource = self._clean(kind, body)
        if kind == "Users" and not self.has("a second person of one userName is made"):
            self._check_free(resource["userName"], "")
        resource_id = f"r{next(self._numbers)}"
        self.kept[kind][resource_id] = resource
        if self.has("a POST is answered without a body"):
            return 201, {}, None
        shown = self._render(kind, resource_id)
        headers = {} if self.has("a POST has no Location") else {"Location": shown["meta"]["location"]}
        return (200 if self.has("a POST is answered 200") else 201), headers, shown

    def _check_free(self, user_name: str, resource_id: str) -> None:
        taken = {str(one["userName"]).casefold() for key, one in self.kept["Users"].items() if key != resource_id}
        if user_name.casefold() in taken:
            raise Refused(409, "That userName is taken.", "uniqueness")

    def _put(self, kind: str, resource_id: str, resource: Resource) -> None:
        if kind == "Users":
            self._check_free(resource["userName"], resource_id)
            self._note_former(resource_id, resource)
        if not self.has("a PUT is answered and nothing is stored"):
            self.kept[kind][resource_id] = resource

    def _note_former(self, resource_id: str, resource: Resource) -> None:
        before = str(self.kept["Users"][resource_id]["userName"])
        if before != resource["userName"] and self.has("a new address leaves the old one found"):
            self.former[before.casefold()] = resource_id

    def _clean(self, kind: str, body: Resource) -> Resource:
        kept = _KNOWN[kind] - self.leaves_out
        known = {name: value for name, value in body.items() if name in kept and value not in (None, "", [])}
        if ENTERPRISE in known:
            known[ENTERPRISE] = {name: value for name, value in known[ENTERPRISE].items() if value}
        return known

    def _render(self, kind: str, resource_id: str) -> Resource:
        resource = self.kept[kind][resource_id]
        extension = [ENTERPRISE] if ENTERPRISE in resource else []
        return {
            **resource,
            "schemas": [USER if kind == "Users" else GROUP, *extension],
            "id": resource_id,
            "meta": {"resourceType": kind[:-1], "location": f"{self.url}/{kind}/{resource_id}"},
        }

    # -- lists --------------------------------------------------------------------------------------------------

    def _list(self, kind: str, query: dict[str, str]) -> Resource:
        found = [key for key in self.kept[kind] if self._matches(kind, key, query.get("filter", ""))]
        start, wanted = max(1, int(query.get("startIndex", 1))), int(query.get("count", 100))
        first = 0 if self.has("the second page repeats the first") and start <= len(found) else start - 1
        page = [self._render(kind, key) for key in found[first : first + wanted]]
        if query.get("excludedAttributes") == "members" and not self.has("members are answered though excluded"):
            page = [{name: value for name, value in one.items() if name != "members"} for one in page]
        return {
            "schemas": [f"{MESSAGES}:ListResponse"],
            "totalResults": len(found),
            "startIndex": start,
            "itemsPerPage": len(page),
            "Resources": page,
        }

    def _matches(self, kind: str, key: str, filter_: str) -> bool:
        if self.has("a filter is ignored and everybody answered"):
            return True
        if filter_ and self.has("whoever is inactive isn't found") and self.kept[kind][key].get("active") is False:
            return False
        return all(self._equals(kind, key, one[1], json.loads(one[2])) for one in _COMPARISON.finditer(filter_))

    def _equals(self, kind: str, key: str, attribute: str, wanted: str) -> bool:
        resource = self.kept[kind][key]
        if attribute == "externalId" and self.has("a filter on externalId is ignored"):
            return True
        if attribute == "members":
            return any(one["value"] == wanted for one in resource.get("members", []))
        value = key if attribute == "id" else str(resource.get(attribute, ""))
        if attribute in ("id", "externalId") or self.has("userName is compared with case"):
            return value == wanted
        return value.casefold() == wanted.casefold() or self.former.get(wanted.casefold()) == key

    # -- PATCH --------------------------------------------------------------------------------------------------

    def _patch(self, kind: str, resource_id: str, before: Resource, operations: list[Resource]) -> None:
        after: Resource = json.loads(json.dumps(before))
        if any(operation.get("path") in self.leaves_out for operation in operations):
            raise Refused(400, "There is no such attribute.", "invalidPath")
        for operation in operations:
            path, value = operation.get("path", ""), operation.get("value")
            if path.startswith("members"):
                self._patch_members(after, operation["op"].lower(), path, value)
            elif path:
                self._set(after, path, value)
            elif not self.has("a PATCH without a path is ignored"):
                for name, inner in value.items():
                    self._set(after, name, inner)
        if kind == "Users":
            self._check_free(after["userName"], resource_id)
            self._note_former(resource_id, after)
        self.kept[kind][resource_id] = after

    def _set(self, resource: Resource, path: str, value: Any) -> None:
        if path == "active" and isinstance(value, str) and not self.has("active is kept as the string that was sent"):
            value = value.lower() == "true"
        if path == "id":
            return
        if path == 'emails[type eq "work"].value':
            resource["emails"] = [{"type": "work", "primary": True, "value": value}]
        elif path.startswith(f"{ENTERPRISE}:"):
            name = path.removeprefix(f"{ENTERPRISE}:")
            resource.setdefault(ENTERPRISE, {})[name] = {"value": value} if name == "manager" else value
        elif "." in path:
            first, _, rest = path.partition(".")
            resource.setdefault(first, {})[rest] = value
        else:
            resource[path] = value
        if path == "displayName" and self.has("renaming a group unsets its externalId") and "userName" not in resource:
            resource.pop("externalId", None)

    def _patch_members(self, group: Resource, operation: str, path: str, value: Any) -> None:
        members = {one["value"]: one for one in group.get("members", [])}
        selected = re.fullmatch(r'members\[value eq "(.*)"\]', path)
        named = [{"value": selected[1]}] if selected else value or []
        if operation == "remove":
            gone = {one["value"] for one in named}
            fault = "removing some members removes all" if selected else "removing members by an array removes all"
            everybody = self.has(fault) or not named
            if not selected and self.has("removing members by an array removes nobody"):
                return
            members = {} if everybody else {key: one for key, one in members.items() if key not in gone}
        elif operation == "replace" or self.has("adding members replaces all"):
            members = {one["value"]: one for one in named}
        else:
            members |= {one["value"]: one for one in named}
        group["members"] = [{"value": key} for key in members]


class Erratic:
    """A SmallServer of whose answers one in eight is anything at all."""

    def __init__(self, chance: Random) -> None:
        self.chance, self.small = chance, SmallServer()

    def __call__(self, environ: Environ, start: Callable[..., object]) -> Iterable[bytes]:
        """One request."""
        if self.chance.random() < 7 / 8:
            return self.small(environ, start)
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        said = self.chance.choice([json.dumps(self._anything()).encode()] * 5 + [b"", b"<html>", b"\xff\xfe\x00"])
        status = self.chance.choice([200, 200, 201, 302, 400, 404, 409, 418, 500])
        kind = self.chance.choice(["application/json", "text/html", "application/scim+json; charset=bogus"])
        start(f"{status} So", [("Content-Type", kind), ("Content-Length", str(len(said)))])
        return [said]

    def _anything(self) -> Any:
        odd: list[Any] = [
            None,
            5,
            [],
            "text",
            {},
            [1],
            [None],
            {"value": {}},
            [{"value": None}],
            [{"type": "work", "value": 5}],
        ]
        names = ["schemas", "id", "userName", "emails", "name", "active", "members", "meta", "displayName", ENTERPRISE]
        names += ["Resources", "totalResults", "detail", "scimType", "status"]
        resource = {name: self.chance.choice(odd) for name in names if self.chance.random() < 0.7}
        return self.chance.choice([*odd[:6], resource, {"Resources": [resource], "totalResults": 10**30}])


@contextmanager
def serving(planted: str | None = None) -> Iterator[SmallServer]:
    """The server over real HTTP, for the length of a block."""
    application = SmallServer(planted)
    with listening(application) as application.url:
        yield application


@contextmanager
def listening(application: Any, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Any WSGI application over real HTTP, or HTTPS; its SCIM base address."""
    server = make_server("127.0.0.1", 0, application, _Threaded, _Silent)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_port}/scim/v2"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Threaded(ThreadingMixIn, WSGIServer):
    """A connection that a broken-off client left open keeps no other waiting."""

    daemon_threads = True


class _Silent(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Says nothing on the test's output."""
