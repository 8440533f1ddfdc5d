"""What the first table measures, each with what it is compared to and the goal."""

import base64
import itertools
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from lxml import etree
from sqlalchemy import text

from bridge.flows.explain import ask, check
from bridge.flows.open_context import open_context
from bridge.storage.database import Database, open_database
from saml.service_provider import ServiceProvider
from tests.benchmarks.http import Client
from tests.benchmarks.peer import Peer
from tests.benchmarks.spent import spent_by_group, spent_by_process
from tests.running import Bridge
from tests.saml.idp import KICKS, sign_in

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SCIM = {"Content-Type": "application/scim+json"}
WORKSPACE = "bench"
PATCH_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
USER_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE_SCHEMA = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GROUP_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:Group"


@dataclass(frozen=True, slots=True)
class Cell:
    """One thing to time: done `times` times a round; `against` names the cells it is divided by.

    What is told is `scale` times what it took by `clock`, in seconds: of a part, the whole. `spent` tells how much of
    a processor the server has used so far, in seconds, where that is measured too.
    """

    name: str
    title: str
    do: Callable[[], object]
    against: tuple[str, ...] = ("H",)
    goal: str = ""
    times: int = 100
    scale: float = 1
    clock: Callable[[], float] = perf_counter
    unit: str = "µs"
    spent: Callable[[], float] | None = None


def first_table(bridge: Bridge, folder: Path, people: int, peer: Peer | None) -> list[Cell]:
    """Fill a workspace, and the peer at that address where there is one, and give the cells."""
    connection, scim = set_up(bridge, folder)
    _rule(bridge, connection["id"])  # first: meanwhile the server would end a client's connection that is idle
    ids, group = _fill(scim, people)
    url = bridge.settings.get("BRIDGE_DATABASE_URL") or f"sqlite:///{folder / 'data' / 'bridge.db'}"
    database = open_database(url)
    with database.writing() as rows:
        rows.execute(text("CREATE TABLE bench_floor (id INTEGER PRIMARY KEY, n INTEGER)"))
    hello, spent = Client(bridge.url), partial(spent_by_group, bridge.process.pid)
    return [
        Cell("H", "hello", lambda: hello.call("GET", "/healthz"), (), spent=spent),
        Cell("C", "raw commit of one row", _commit(database), ("H",)),
        Cell("S", "indexed one-row select", _select(database, ids[0]), ()),
        *_beside_peer([replace(cell, spent=spent) for cell in _scim_cells(scim, ids, group)], peer, people),
        Cell("login", "SAML login, whole (3 requests)", login_by(bridge, connection), ("H", "C"), times=30),
        *_access_cells(bridge, url),
    ]


# -- Setting up ----------------------------------------------------------------------------------------------------


def set_up(bridge: Bridge, folder: Path, workspace: str = WORKSPACE) -> tuple[dict[str, Any], Client]:
    """A workspace with a connection, and a client with a token to its directory."""
    metadata = folder / "idp.xml"
    metadata.write_bytes(KICKS.metadata)
    bridge.run("workspace", "create", workspace, "--name", "Bench", "--owner", "olga@kicks.example")
    connection = bridge.run(
        "connection", "create", workspace, "--kind", "saml", "--idp-metadata", str(metadata), "--preset", "okta"
    )["connection"]
    token = bridge.run("scim-token", "create", workspace, "--connection", connection["id"])["token"]
    return connection, Client(bridge.url, {**SCIM, "Authorization": f"Bearer {token}"})


def _fill(scim: Client, people: int) -> tuple[list[str], str]:
    """So many people, and a group of the first hundred: their ids, and the group's."""
    ids = [create_user(scim, f"person{n}@kicks.example") for n in range(people)]
    members = [{"value": each} for each in ids[:100]]
    return ids, post(scim, "/Groups", {"schemas": [GROUP_SCHEMA], "displayName": "eng", "members": members})


def _rule(bridge: Bridge, connection: str) -> None:
    for n in range(20):
        labels = ["--label", "environment:prod"] if n % 2 else ["--label", "environment:dev"]
        bridge.run("resource", "add", WORKSPACE, "source", f"Source {n}", "--id", f"s{n}", *labels)
    on = ["--gives-role", "Source Admin", "--on", "label:environment:prod"]
    bridge.run("mapping", "add", WORKSPACE, "--connection", connection, "--group", "eng", *on)


def post(scim: Client, path: str, body: dict[str, Any]) -> str:
    """One more resource. Returns its id."""
    status, _, said = scim.call("POST", f"/scim/v2{path}", json.dumps(body).encode())
    assert status == 201, said
    made: str = json.loads(said)["id"]
    return made


def create_user(scim: Client, user_name: str) -> str:
    """One more person, as Okta's app of the integration network sends one by default. Returns their id."""
    given = user_name.partition("@")[0]
    said = {
        "schemas": [USER_SCHEMA, ENTERPRISE_SCHEMA],
        "externalId": f"00u{given}",
        "userName": user_name,
        "name": {"givenName": given, "familyName": "Kicker"},
        "displayName": f"{given} Kicker",
        "emails": [{"primary": True, "value": user_name, "type": "work"}],
        "phoneNumbers": [{"primary": True, "value": "+49 30 901820", "type": "work"}],
        "title": "Engineer",
        "locale": "en-US",
        "active": True,
        "groups": [],
        ENTERPRISE_SCHEMA: {"employeeNumber": given, "department": "Shoes", "organization": "Kicks"},
    }
    return post(scim, "/Users", said)


def patch_members(scim: Client, group: str, leave: list[str], come: list[str]) -> None:
    """One PATCH: these out of the group, those in."""
    operations: list[dict[str, Any]] = [{"op": "remove", "path": f'members[value eq "{each}"]'} for each in leave]
    if come:
        operations.append({"op": "add", "path": "members", "value": [{"value": each} for each in come]})
    body = json.dumps({"schemas": [PATCH_SCHEMA], "Operations": operations}).encode()
    status, _, said = scim.call("PATCH", f"/scim/v2/Groups/{group}", body)
    assert status in (200, 204), said


# -- The cells -----------------------------------------------------------------------------------------------------


def _commit(database: Database) -> Callable[[], object]:
    def commit() -> None:
        with database.writing() as rows:
            rows.execute(text("INSERT INTO bench_floor (id, n) SELECT COALESCE(MAX(id), 0) + 1, 1 FROM bench_floor"))

    return commit


def _select(database: Database, uid: str) -> Callable[[], object]:
    statement = text("SELECT id FROM directory_users WHERE uid = :uid")

    def select() -> object:
        with database.reading() as rows:
            return rows.execute(statement, {"uid": uid}).scalar_one()

    return select


def _scim_cells(scim: Client, ids: list[str], group: str) -> list[Cell]:
    turn, name = itertools.cycle(ids), itertools.count()

    def get() -> None:
        assert scim.call("GET", f"/scim/v2/Users/{next(turn)}")[0] == 200

    def find() -> None:
        wanted = quote(f'userName eq "person{next(name) % len(ids)}@kicks.example"')
        assert scim.call("GET", f"/scim/v2/Users?filter={wanted}")[0] == 200

    def page() -> None:
        assert scim.call("GET", "/scim/v2/Users?count=100")[0] == 200

    def create() -> None:
        create_user(scim, f"new{next(name)}@kicks.example")

    def deactivate() -> None:
        value = {"active": bool(next(name) % 2)}
        body = {"schemas": [PATCH_SCHEMA], "Operations": [{"op": "replace", "value": value}]}
        assert scim.call("PATCH", f"/scim/v2/Users/{ids[-1]}", json.dumps(body).encode())[0] == 200

    def swap() -> None:
        one, other = (ids[150], ids[151]) if next(name) % 2 else (ids[151], ids[150])
        patch_members(scim, group, [one], [other])

    write = ("H", "C")
    return [
        Cell("get", "SCIM get user", get, goal="≤ 2.5 H (SQLite), 5 H (PostgreSQL)"),
        Cell("filter", "SCIM filter `userName eq`", find, goal="≤ 3 H, 5 H"),
        Cell("page", "SCIM page of 100", page, goal="≤ 9 H, 18 H", times=30),
        Cell("create", "SCIM create user", create, write, goal="≤ 5 H + 5 C (SQLite), 6 H + 6 C (PostgreSQL)"),
        Cell("patch", "SCIM patch `active`", deactivate, write, goal="as create"),
        Cell("group", "SCIM patch of a group: one in, one out", swap, write, goal="as create"),
    ]


#: The most that each may take, as a part of what the peer takes.
_BESIDE_PEER = {"get": 0.67, "filter": 0.67, "page": 0.11, "create": 1.43, "patch": 1.43, "group": 0.1}


def _beside_peer(ours: list[Cell], peer: Peer | None, people: int) -> list[Cell]:
    """Ours, each beside the peer's own; ours alone where there is no peer."""
    if peer is None:
        return ours
    scim = Client(peer.url, {**SCIM, "Authorization": "Bearer anything"})
    spent = partial(spent_by_process, peer.pid)
    theirs = [
        replace(
            cell,
            name=f"scimmy {cell.name}",
            title=f"scimmy-routers: {cell.title}",
            against=("H",),
            goal="",
            spent=spent,
        )
        for cell in _scim_cells(scim, *_fill(scim, people))
    ]
    beside = [
        replace(
            cell,
            against=(*cell.against, f"scimmy {cell.name}"),
            goal=f"{cell.goal}; ≤ {_BESIDE_PEER[cell.name]} scimmy {cell.name}",
        )
        for cell in ours
    ]
    return [each for pair in zip(beside, theirs, strict=True) for each in pair]


def login_by(bridge: Bridge, connection: dict[str, Any]) -> Callable[[], object]:
    """One whole SAML login at a time, each by a browser that was never here before."""
    base = f"{bridge.url}/saml/{connection['id']}"
    sp = ServiceProvider(connection["sp_entity_id"], connection["acs_url"], connection["slo_url"], "", ())
    number, browser = itertools.count(), Client(bridge.url)
    path = urlsplit(base).path

    def login() -> None:
        _, headers, _ = browser.call("GET", f"{path}/login")
        cookie = headers["Set-Cookie"].split(";")[0]
        asked = request_id_of(parse_qs(urlsplit(headers["Location"]).query)["SAMLRequest"][0])
        email = f"person{next(number) % 100}@kicks.example"
        form = sign_in(KICKS, sp, datetime.now(UTC), email=email, in_response_to=asked)
        status, headers, said = browser.call("POST", f"{path}/acs", urlencode(form).encode(), FORM)
        assert status == 303, said
        onward = urlsplit(headers["Location"])
        status, headers, said = browser.call("GET", f"{onward.path}?{onward.query}", headers={"Cookie": cookie})
        assert status in (302, 303), said
        assert "bridge_session" in headers["Set-Cookie"]

    return login


def request_id_of(saml_request: str) -> str:
    """The ID of an AuthnRequest as the Redirect binding carries it."""
    said = etree.fromstring(zlib.decompress(base64.b64decode(saml_request), -15))
    return str(said.get("ID"))


def _access_cells(bridge: Bridge, url: str) -> list[Cell]:
    context = open_context(
        database_url=url, synchronous="FULL", secret_keys=("for-tests",), public_url=bridge.url,
        session_days=7, invite_days=3, asserted_groups_days=7,
    )  # fmt: skip

    question = ask("edit", "source:s1")

    def may() -> None:
        assert check(context, WORKSPACE, "person1@kicks.example", question, datetime.now(UTC)).allowed

    return [Cell("check", "access check with its reasons, in process", may, ("S",), goal="")]
