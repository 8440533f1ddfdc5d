"""Input meant to hurt, over the wire to a real `bridge serve`: each is refused in SCIM's own form, within a second of
the processor's time and 50 MB, and the next good request works (properties 18; RFC 7644 7.7, 3.12).

tests/scim/test_hostile.py has what can hurt inside the parsers; here is what HTTP, the server and the database see.
"""

import gzip
import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.raw_http import Answer, message, send
from tests.running import Bridge, running
from tests.saml.idp import KICKS

SECONDS = 1.0
MEBIBYTES = 50
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
NOBODY = "00000000-0000-4000-8000-000000000000"


# -- The server ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Target:
    """A bridge that runs, a token to it, and a person and a group in its directory."""

    bridge: Bridge
    token: str
    user: str = ""
    group: str = ""

    def send(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """One request under `/scim/v2`, with the token unless `Authorization` says otherwise."""
        return send(self.bridge.url, self.message(method, f"/scim/v2{path}", body, **headers))

    def message(self, method: str, path: str, body: bytes | None = None, **headers: str) -> bytes:
        """The same as bytes, for any path."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        usual = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/scim+json"}
        return message(method, path, usual | given, body)

    def make(self, path: str, body: dict[str, Any]) -> str:
        """Create something; its id."""
        answer = self.send("POST", path, json.dumps(body).encode())
        assert answer.status == 201, answer
        return str(json.loads(answer.body)["id"])

    def pids(self) -> list[int]:
        """The processes of the server, all but the parent."""
        parent = self.bridge.process.pid
        return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("memory of other processes is measured by Linux's /proc")
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "idp.xml").write_bytes(KICKS.metadata)
    with running(folder, workers=1) as bridge:
        bridge.run("workspace", "create", "acme", "--name", "Acme", "--owner", "olga@acme.example")
        made = bridge.run("connection", "create", "acme", "--kind", "saml", "--idp-metadata", str(folder / "idp.xml"))
        token = bridge.run("scim-token", "create", "acme", "--connection", made["connection"]["id"])["token"]
        bare = Target(bridge, token)
        user = bare.make("/Users", {"userName": "ann@acme.example", "emails": [{"value": "ann@acme.example"}]})
        group = bare.make("/Groups", {"displayName": "eng", "members": [{"value": user}]})
        yield Target(bridge, token, user, group)


# -- What is measured ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cost:
    """What a request took from the server: seconds of the processor, and bytes at its peak above where it was."""

    seconds: float
    memory: int


def measured(target: Target, do: Callable[[], Answer]) -> tuple[Answer, Cost]:
    """Do it. Processor time, because a machine that is busy elsewhere makes any wait long."""
    pids = target.pids()
    for pid in pids:
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # proc(5): the peak starts again from here
    began, held = sum(map(processor_seconds, pids)), sum(kibibytes(pid, "VmRSS") for pid in pids)
    answer = do()
    spent = sum(map(processor_seconds, pids)) - began
    return answer, Cost(spent, (sum(kibibytes(pid, "VmHWM") for pid in pids) - held) * 1024)


def processor_seconds(pid: int) -> float:
    """What a process has had of the processor so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def kibibytes(pid: int, name: str) -> int:
    """What a process holds: `VmRSS` now, `VmHWM` at the most it ever did."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def check_refusal(answer: Answer, *statuses: int) -> None:
    """A refusal in SCIM's own form, with one of these statuses (RFC 7644 3.12)."""
    assert answer.status in statuses, answer
    assert answer.headers["content-type"] == "application/scim+json", answer
    said = json.loads(answer.body)
    assert said["schemas"] == [ERROR]
    assert said["status"] == str(answer.status)
    assert said["detail"]


def check_well(target: Target) -> None:
    """The next good request works, and nothing of the bad one stayed."""
    answer = target.send("GET", f"/Users/{target.user}")
    assert answer.status == 200, answer
    assert json.loads(answer.body)["userName"] == "ann@acme.example"


# -- Bodies ----------------------------------------------------------------------------------------------------------


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def user(**more: Any) -> bytes:
    return as_json({"userName": "eve@acme.example", **more})


def patched(*operations: Any) -> bytes:
    return as_json({"schemas": [PATCH], "Operations": list(operations)})


BODIES: dict[str, bytes] = {
    "nothing": b"",
    "a brace": b"{",
    "half an object": b'{"userName": "eve@acme.ex',
    "a trailing comma": b'{"userName": "eve@acme.example",}',
    "two objects": b'{"userName": "eve"}{"userName": "mallory"}',
    "a comment": b'{"userName": "eve" /* hello */}',
    "single quotes": b"{'userName': 'eve'}",
    "XML": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    "a form": b"userName=eve%40acme.example",
    "null": b"null",
    "a number": b"42",
    "a text": b'"eve"',
    "a list": b'[{"userName": "eve"}]',
    "NaN": b'{"userName": "eve", "x": NaN}',
    "infinity": b'{"userName": "eve", "x": -Infinity}',
    "a byte order mark": b'\xef\xbb\xbf{"userName": "eve"}',
    "UTF-16": '{"userName": "eve"}'.encode("utf-16"),
    "UTF-32": '{"userName": "eve"}'.encode("utf-32"),
    "Latin-1": '{"userName": "Zoë"}'.encode("latin-1"),
    "a lone surrogate": b'{"userName": "eve\\ud800"}',
    "a lone surrogate in UTF-8": b'{"userName": "eve\xed\xa0\x80"}',
    "overlong UTF-8": b'{"userName": "eve\xc0\xaf"}',
    "a raw control character": b'{"userName": "e\nve"}',
    "a NUL byte": b'{"userName": "eve\x00"}',
    "only NULs": b"\x00" * 1_000_000,
    "an escaped NUL": user(userName="eve\0"),
    "an escaped NUL in a name nobody knows": user(emails=[{"value": "e\0@acme.example"}]),
    "a deep list": b"[" * 5_000_000,
    "a deep object": user(x=0)[:-2] + b'{"a":' * 40 + b"1" + b"}" * 41,
    "3,000,000 empty lists": b'{"userName": "eve", "x": [' + b"[]," * 3_000_000 + b"[]]}",
    "2,000,000 empty objects": b'{"userName": "eve", "x": [' + b"{}, " * 2_000_000 + b"{}]}",
    "4,000,000 numbers": b'{"x": [' + b"7," * 4_000_000 + b"7]}",
    "90,000 objects": as_json({"x": [{"a": f"{n}", "b": f"{n}"} for n in range(90_000)]}),
    "240,000 texts": as_json({"x": [f"{n:030}" for n in range(240_000)]}),
    "no user name": as_json({"displayName": "Eve"}),
    "an empty user name": as_json({"userName": ""}),
    "a user name of spaces": as_json({"userName": "   "}),
    "a user name of 9 MB": user(userName="e" * 9_000_000),
    "a huge number": b'{"userName": ' + b"9" * 1_000_000 + b"}",
    "a huge exponent": b'{"userName": 1e999999}',
    "100,000 emails": user(emails=[{"value": f"{n}@acme.example"} for n in range(100_000)]),
    "another type's schema": user(schemas=["urn:ietf:params:scim:schemas:core:2.0:Group"]),
    "a name with a bell": user(displayName="Eve\x07\x00"),
    **{
        f"{name} as {shown}": user(**{name: wrong})
        for name, wrong, shown in [
            ("userName", 1, "a number"),
            ("userName", ["eve"], "a list"),
            ("userName", {"value": "eve"}, "an object"),
            ("userName", True, "a boolean"),
            ("active", "perhaps", "a text"),
            ("active", 2, "a number"),
            ("active", {}, "an object"),
            ("name", "Eve", "a text"),
            ("name", {"givenName": {"x": 1}}, "an object in it"),
            ("emails", "eve", "a text"),
            ("emails", [[["eve"]]], "lists of lists"),
            ("emails", [{"value": {"value": "x"}}], "an object in it"),
            ("emails", [{"value": "e@x.org", "primary": "often"}], "a text for primary"),
            ("emails", [{"value": 5}], "a number in it"),
            ("displayName", {"a": "b"}, "an object"),
            ("schemas", "urn:x", "a text"),
            ("schemas", {"urn:x": 1}, "an object"),
            ("externalId", ["x"], "a list"),
            ("x509Certificates", [{"value": "!!"}], "what is no base64"),
            ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", "x", "a text"),
            ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", {"manager": [[1]]}, "lists in it"),
        ]
    },
}

#: What is bad in no way that a server may refuse: it is taken, and means what it says.
TAKEN: dict[str, bytes] = {
    "a key given twice": b'{"userName": "first@acme.example", "userName": "twice@acme.example"}',
    "100,000 keys that nobody knows": as_json(
        {"userName": "wide@acme.example"} | {f"k{number}": number for number in range(100_000)}
    ),
    "a name of emoji and right-to-left marks": user(userName="e\u202e\U0001f600@acme.example"),
    "a text that looks like SQL": user(userName="x'); DROP TABLE directory_users; --"),
    "a text that looks like a template": user(userName="{{7*7}}${7*7}%s%n"),
}

PATCHES: dict[str, bytes] = {
    "no operations": patched(),
    "Operations as an object": as_json({"schemas": [PATCH], "Operations": {"op": "add"}}),
    "Operations as a text": as_json({"schemas": [PATCH], "Operations": "add"}),
    "an operation that is a list": patched(["add"]),
    "an operation that is null": patched(None),
    "an unknown op": patched({"op": "sudo", "path": "title", "value": "x"}),
    "an op that is a list": patched({"op": ["add"], "path": "title", "value": "x"}),
    "a path that is a number": patched({"op": "replace", "path": 5, "value": "x"}),
    "a path with NUL": patched({"op": "replace", "path": "ti\0tle", "value": "x"}),
    "a value with NUL": patched({"op": "replace", "path": "title", "value": "x\0"}),
    "a path to Python's insides": patched({"op": "replace", "path": "__class__.__init__", "value": "x"}),
    "a path of 1 MB": patched({"op": "remove", "path": "emails[" + "(" * 1_000_000}),
    "100,000 operations": patched(*[{"op": "replace", "path": "title", "value": "x"}] * 100_000),
    "a good one, then a bad one": patched(
        {"op": "replace", "path": "userName", "value": "mallory@acme.example"}, {"op": "replace", "path": "nowhere"}
    ),
    "active as a list": patched({"op": "replace", "path": "active", "value": [True, False]}),
    "an email without form": patched({"op": "add", "path": "emails", "value": [[]]}),
    "the id": patched({"op": "replace", "path": "id", "value": NOBODY}),
}

GROUPS: dict[str, bytes] = {
    "no name": as_json({"members": []}),
    "members as a text": as_json({"displayName": "g", "members": "ann"}),
    "members as lists": as_json({"displayName": "g", "members": [["ann"]]}),
    "members without value": as_json({"displayName": "g", "members": [{"display": "Ann"}]}),
    "a member nobody knows": as_json({"displayName": "g", "members": [{"value": NOBODY}]}),
    "a member with NUL": as_json({"displayName": "g", "members": [{"value": "\0"}]}),
    "a member with a number": as_json({"displayName": "g", "members": [{"value": 7}]}),
    "a group in a group": as_json({"displayName": "g", "members": [{"value": NOBODY, "type": "Group"}]}),
    "100,000 members nobody knows": as_json(
        {"displayName": "g", "members": [{"value": f"{n:08x}{NOBODY[8:]}"} for n in range(100_000)]}
    ),
    "a name of 9 MB": as_json({"displayName": "g" * 9_000_000}),
}

SEARCHES: dict[str, bytes] = {
    "count as a list": as_json({"count": [1]}),
    "count as a fraction": as_json({"count": 1.5}),
    "startIndex as a text": as_json({"startIndex": "first"}),
    "a filter that is an object": as_json({"filter": {"userName": "ann"}}),
    "a filter of 100,000 characters": as_json({"filter": 'userName eq "' + "x" * 100_000 + '"'}),
    "10,000 brackets": as_json({"filter": "(" * 10_000 + "id pr" + ")" * 10_000}),
    "301 terms with or": as_json({"filter": " or ".join(f'userName eq "{n}"' for n in range(301))}),
    "a filter with a lone surrogate": b'{"filter": "userName eq \\"\\ud800\\""}',
    "attributes as numbers": as_json({"attributes": [1, 2]}),
    "100,000 attributes": as_json({"attributes": ["title"] * 100_000}),
    "another message": as_json({"schemas": [PATCH]}),
    "sortBy of brackets": as_json({"sortBy": "emails[" * 1_000}),
    "sortOrder sideways": as_json({"sortBy": "userName", "sortOrder": "sideways"}),
}


def sent_to(method: str, path: str, bodies: dict[str, bytes]) -> list[Any]:
    return [pytest.param(method, path, body, id=f"{method} {path}: {name}") for name, body in bodies.items()]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        *sent_to("POST", "/Users", BODIES),
        *sent_to("PATCH", "/Users/{user}", PATCHES),
        *sent_to("POST", "/Groups", GROUPS),
        *sent_to("PUT", "/Groups/{group}", GROUPS),
        *sent_to("POST", "/Users/.search", SEARCHES),
        *sent_to("POST", "/.search", {"a filter of neither type": as_json({"filter": "nothing eq 1"})}),
    ],
)
def test_a_bad_body_is_refused_in_time_and_changes_nothing(target: Target, method: str, path: str, body: bytes) -> None:
    address = path.format(user=target.user, group=target.group)
    answer, cost = measured(target, lambda: target.send(method, address, body))
    check_refusal(answer, 400, 413)
    check_cost(cost)
    check_well(target)


@pytest.mark.parametrize("name", TAKEN)
def test_a_strange_body_that_is_none_the_less_right_is_taken_in_time(target: Target, name: str) -> None:
    answer, cost = measured(target, lambda: target.send("POST", "/Users", TAKEN[name]))
    assert answer.status == 201, answer
    check_cost(cost)
    made = json.loads(answer.body)
    assert made["userName"] == json.loads(TAKEN[name])["userName"]
    assert target.send("DELETE", f"/Users/{made['id']}").status == 204
    check_well(target)


def check_cost(cost: Cost) -> None:
    assert cost.seconds < SECONDS
    assert cost.memory < MEBIBYTES * 2**20


# -- How a body is sent ----------------------------------------------------------------------------------------------


def chunked(body: bytes, size: int) -> bytes:
    pieces = (body[start : start + size] for start in range(0, len(body), size))
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


GOOD = b'{"userName": "eve@acme.example"}'
CHUNKED = {"Transfer_Encoding": "chunked"}


@pytest.mark.parametrize(
    ("headers", "statuses"),
    [
        pytest.param({"Content_Encoding": "gzip"}, (415,), id="gzip"),
        pytest.param({"Content_Type": "text/xml"}, (415,), id="XML"),
        pytest.param({"Content_Type": "application/x-www-form-urlencoded"}, (415,), id="a form"),
        pytest.param({"Content_Type": "multipart/form-data; boundary=x"}, (415,), id="parts"),
        pytest.param({"Content_Type": "a/" * 20_000}, (415,), id="a long type"),
        pytest.param({"Content_Type": "\xe9/\xff"}, (415,), id="a type that is no ASCII"),
    ],
)
def test_a_body_that_says_it_is_something_else_is_refused(
    target: Target, headers: dict[str, str], statuses: tuple[int, ...]
) -> None:
    body = gzip.compress(b" " * 50_000_000 + GOOD) if "Content_Encoding" in headers else GOOD
    answer, cost = measured(target, lambda: target.send("POST", "/Users", body, **headers))
    check_refusal(answer, *statuses)
    check_cost(cost)
    check_well(target)


@pytest.mark.parametrize("mebibytes", [11, 30])
@pytest.mark.parametrize("in_chunks", [False, True], ids=["whole", "in chunks"])
def test_a_body_over_10_mebibytes_is_413_in_scims_form(target: Target, mebibytes: int, in_chunks: bool) -> None:
    body = b'{"userName": "' + b"e" * mebibytes * 2**20 + b'"}'
    request = target.message("POST", "/scim/v2/Users", body)
    if in_chunks:
        request = target.message("POST", "/scim/v2/Users", None, **CHUNKED) + chunked(body, 65536)
    answer, cost = measured(target, lambda: send(target.bridge.url, request))
    check_refusal(answer, 413)
    check_cost(cost)
    check_well(target)


@pytest.mark.parametrize("headers", [{}, {"Expect": "100-continue"}])
def test_a_body_that_the_server_does_not_even_read_is_413_in_scims_form(
    target: Target, headers: dict[str, str]
) -> None:
    request = target.message("POST", "/scim/v2/Users", None, Content_Length=str(2**40), **headers)
    answer, cost = measured(target, lambda: send(target.bridge.url, request))
    check_refusal(answer, 413)
    check_cost(cost)
    check_well(target)


@pytest.mark.parametrize(
    ("headers", "body", "statuses"),
    [
        pytest.param(CHUNKED, b"zz\r\n{}\r\n0\r\n\r\n", (400,), id="a chunk whose size is no number"),
        pytest.param(CHUNKED, b"-5\r\n{}\r\n0\r\n\r\n", (400,), id="a chunk of negative size"),
        pytest.param(CHUNKED, chunked(b"{" * 3, 1), (400,), id="bad JSON in chunks"),
        pytest.param({"Transfer_Encoding": "gzip"}, GOOD, (400,), id="an unknown transfer coding"),
        pytest.param({"Transfer_Encoding": "gzip, chunked"}, chunked(GOOD, 8), (400,), id="gzip in chunks"),
        pytest.param({"Content_Length": "-1"}, GOOD, (400,), id="a negative length"),
        pytest.param({"Content_Length": "many"}, GOOD, (400,), id="a length that is no number"),
        pytest.param({"Content_Length": "9" * 5_000}, GOOD, (400, 413), id="a length of 5,000 digits"),
        pytest.param({"Content_Length": "9" * 30}, GOOD, (413,), id="a length past all memory"),
        pytest.param({"X_Long": "x" * 100_000}, GOOD, (431,), id="a header of 100,000 characters"),
        pytest.param({f"X_{n}": "x" for n in range(10_000)}, GOOD, (431,), id="10,000 headers"),
        pytest.param({"Bad Name": "x"}, GOOD, (400,), id="a header with a space in its name"),
        pytest.param({"X_Split": "a\nb"}, GOOD, (400,), id="a header over two lines"),
    ],
)
def test_a_broken_message_is_refused_in_scims_form(
    target: Target, headers: dict[str, str], body: bytes, statuses: tuple[int, ...]
) -> None:
    sized = {} if {"Transfer_Encoding", "Content_Length"} & set(headers) else {"Content_Length": str(len(body))}
    request = target.message("POST", "/scim/v2/Users", None, **sized, **headers) + body
    answer, cost = measured(target, lambda: send(target.bridge.url, request))
    check_refusal(answer, *statuses)
    check_cost(cost)
    check_well(target)


@pytest.mark.parametrize("size", [1, 7, 65536])
def test_a_good_body_in_chunks_is_taken(target: Target, size: int) -> None:
    request = target.message("POST", "/scim/v2/Users", None, **CHUNKED) + chunked(GOOD, size)
    answer = send(target.bridge.url, request)
    assert answer.status == 201, answer
    assert target.send("DELETE", f"/Users/{json.loads(answer.body)['id']}").status == 204


# -- Addresses, methods and headers ----------------------------------------------------------------------------------


LONG = "x" * 60_000

ADDRESSES: dict[str, tuple[str, str, tuple[int, ...]]] = {
    "NUL in an id": ("GET", "/Users/%00", (404,)),
    "NUL in a filter": ("GET", "/Users?filter=userName%20eq%20%22a%00%22", (200, 400)),
    "dots": ("GET", "/Users/../../../etc/passwd", (404,)),
    "dots, escaped": ("GET", "/Users/%2e%2e%2f%2e%2e%2fetc%2fpasswd", (404,)),
    "dots that lead back here": ("GET", "/Users/../Groups/x", (404,)),
    "two slashes": ("GET", "//Users", (200,)),
    "a slash at the end": ("GET", "/Users/", (200,)),
    "many slashes": ("GET", "/" * 30_000, (200,)),
    "bytes that are no UTF-8": ("GET", "/Users/%ff%fe", (404,)),
    "a lone surrogate": ("GET", "/Users/%ed%a0%80", (404,)),
    "an escape that is none": ("GET", "/Users/%zz", (404,)),
    "a very long id": ("GET", f"/Users/{LONG}", (404,)),
    "a very long address": ("GET", f"/{LONG}", (404,)),
    "an address past the limit of headers": ("GET", "/Users?filter=" + "x" * 100_000, (431,)),
    "a quote in an id": ("GET", "/Users/'%20OR%201=1--", (404,)),
    "another's kind of id": ("GET", "/Groups/{user}", (404,)),
    "a schema that isn't there": ("GET", f"/Schemas/{LONG}", (404,)),
    "a count past all integers": ("GET", "/Users?count=" + "9" * 40_000, (400,)),
    "a start past all integers": ("GET", "/Users?startIndex=" + "9" * 400, (200,)),
    "a count of 1e9": ("GET", "/Users?count=1e9", (400,)),
    "a count that is no number": ("GET", "/Users?count=all", (400,)),
    "30,000 arguments": ("GET", "/Users?" + "a=&" * 20_000 + "count=x", (400,)),
    "a filter of brackets": ("GET", "/Users?filter=" + "(" * 10_000, (400,)),
    "a filter of nots": ("GET", "/Users?filter=" + "not%20(" * 4_000, (400,)),
    "a filter with bytes that are no UTF-8": ("GET", "/Users?filter=userName%20eq%20%22%ff%22", (200, 400)),
    "attributes without end": ("GET", "/Users?attributes=" + "a," * 20_000, (400,)),
    "an unknown method": ("FROBNICATE", "/Users", (404, 405)),
    "a method of 8,000 letters": ("G" * 8_000, "/Users", (400, 404, 405)),
    "TRACE": ("TRACE", "/Users", (404, 405)),
    "CONNECT": ("CONNECT", "/Users", (404, 405)),
    "PROPFIND": ("PROPFIND", "/Users/{user}", (404, 405)),
    "PATCH of all": ("PATCH", "/Users", (405,)),
    "DELETE of all": ("DELETE", "/Users", (405,)),
    "PUT of all": ("PUT", "/Groups", (405,)),
    "DELETE of the root": ("DELETE", "/", (404, 405)),
}


@pytest.mark.parametrize("name", ADDRESSES)
def test_an_odd_address_or_method_is_refused(target: Target, name: str) -> None:
    method, path, statuses = ADDRESSES[name]
    answer, cost = measured(target, lambda: target.send(method, path.format(user=target.user)))
    assert answer.status in statuses, answer
    if answer.status >= 400:
        check_refusal(answer, *statuses)
    check_cost(cost)
    check_well(target)


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer " + "x" * 50_000},
        {"Authorization": "Bearer bscim_\xe9\xff"},
        {"Authorization": "Basic " + "=" * 1_000},
        {"Authorization": "Bearer bscim_' OR 1=1 --"},
    ],
    ids=["empty", "no secret", "long", "no ASCII", "basic", "SQL"],
)
def test_an_odd_token_is_401(target: Target, headers: dict[str, str]) -> None:
    answer, cost = measured(target, lambda: target.send("GET", "/Users", None, **headers))
    check_refusal(answer, 401)
    check_cost(cost)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If_Match": '"' * 10_000}, 412),
        ({"If_Match": "W/" * 10_000}, 412),
        ({"If_Match": 'W/"' + "9" * 10_000 + '"'}, 412),
        ({"If_None_Match": "," * 30_000}, 400),
        ({"X_HTTP_Method_Override": "DELETE"}, 400),
        ({"X_Forwarded_For": "\xff" * 1_000, "X_Forwarded_Proto": "gopher"}, 400),
        ({"Accept": "*/*," * 10_000, "Accept_Charset": "utf-16", "Accept_Encoding": "zstd;q=nan"}, 400),
        ({"Host": "evil.example"}, 400),
        ({"Host": "[::"}, 400),
        ({"Cookie": "a=" * 20_000}, 400),
        ({"Range": "bytes=-1-,5-2"}, 400),
    ],
)
def test_an_odd_header_neither_helps_nor_hurts(target: Target, headers: dict[str, str], status: int) -> None:
    body = patched({"op": "replace", "path": "nowhere", "value": "x"})
    if status == 412:
        body = patched({"op": "replace", "path": "title", "value": "x"})
    answer, cost = measured(target, lambda: target.send("PATCH", f"/Users/{target.user}", body, **headers))
    check_refusal(answer, status)
    check_cost(cost)
    check_well(target)


def test_a_client_that_stops_in_the_middle_costs_nothing(target: Target) -> None:
    whole = target.message("POST", "/scim/v2/Users", GOOD)
    for end in (5, 40, len(whole) - 5):
        with suppress(TimeoutError):
            send(target.bridge.url, whole[:end], seconds=0.1)
    check_well(target)


def test_nothing_of_all_this_was_a_fault_or_stayed(target: Target) -> None:
    answer = target.send("GET", "/Users?attributes=userName")
    assert [each["userName"] for each in json.loads(answer.body)["Resources"]] == ["ann@acme.example"]
    log = target.bridge.log.read_text()
    assert "failed" not in log
    assert "Traceback" not in log
