"""What access costs in a big workspace: a check, its reasons, by HTTP; a rule, its preview; everybody as CSV."""

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlalchemy import text

from bridge.domain.access_checks import Check
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.previews import AddRule, MappingDraft
from bridge.flows.access_checks import answer_checks, find_access_caller
from bridge.flows.context import OPERATOR, Context
from bridge.flows.explain import ask, check
from bridge.flows.explain_links import explain_check
from bridge.flows.map_groups import add_mapping, remove_mapping
from bridge.flows.open_context import open_context
from bridge.flows.preview import list_moved, preview
from bridge.flows.roles_given import parse_role_in_scope
from tests.benchmarks.access_world import BigWorld, Sizes, fill
from tests.benchmarks.cells import WORKSPACE, Cell, set_up
from tests.benchmarks.http import Client
from tests.running import Bridge

#: Of whom a page of reasons shows so many paths.
SHOWN = 20
_EVERYBODY, _TEN = "g0", "g1"
JSON = {"Content-Type": "application/json"}


def access_table(bridge: Bridge, folder: Path, people: int) -> list[Cell]:
    """Fill a workspace with so many people, and give the cells."""
    connection, _ = set_up(bridge, folder)
    token = bridge.run("api-token", "create", WORKSPACE, "--role", "Workspace Owner")["token"]
    url = bridge.settings.get("BRIDGE_DATABASE_URL") or f"sqlite:///{folder / 'data' / 'bridge.db'}"
    context = open_context(
        database_url=url, synchronous="FULL", secret_keys=("for-tests",), public_url=bridge.url,
        session_days=7, invite_days=3, asserted_groups_days=7,
    )  # fmt: skip
    began = perf_counter()
    world = fill(context.database, WORKSPACE, connection["id"], Sizes(people=people))
    print(f"  wrote {people:,} people and what they may do in {perf_counter() - began:.0f} s", flush=True)
    hello = Client(bridge.url)
    return [
        Cell("H", "hello", lambda: hello.call("GET", "/healthz"), ()),
        Cell("S", "indexed one-row select", _select(context, world), ()),
        *_asking(context, world, token),
        *_by_http(bridge, world, token),
        *_rules(context, world),
        *_csv(bridge, people),
    ]


def _select(context: Context, world: BigWorld) -> Callable[[], object]:
    statement, turn = text("SELECT id FROM directory_users WHERE uid = :uid"), itertools.count()

    def select() -> object:
        with context.database.reading() as rows:
            return rows.execute(statement, {"uid": f"d{next(turn) % world.sizes.people}"}).scalar_one()

    return select


def _asking(context: Context, world: BigWorld, token: str) -> list[Cell]:
    """In this process: a typical person, another each time, of whom some may and some may not."""
    caller, turn = find_access_caller(context, token, datetime.now(UTC)), itertools.count(1)
    assert caller is not None

    def question() -> tuple[str, str]:
        n = next(turn)
        return world.email(n % 500 + 1), world.resource(n * 13)

    def may() -> None:
        email, about = question()
        asked = ask("read", about)
        answer_checks(context, caller, [Check(email, "read", asked.type, asked.resource)], datetime.now(UTC))

    def why() -> None:
        email, about = question()
        check(context, WORKSPACE, email, ask("read", about), datetime.now(UTC))

    def giant() -> None:
        about = ask("read", world.resource(next(turn) * 5))
        explain_check(context, WORKSPACE, world.email(0), about, datetime.now(UTC), most=SHOWN)

    return [
        Cell("check", "access check", may, ("S",), "≤ 15 S (SQLite), 6 S (PostgreSQL)", 200),
        Cell("why", "the same with every path that gives it", why, ("S",), "≤ 25 S, 8 S", 200),
        Cell("giant", f"why, of who is in all {world.sizes.groups:,} groups: {SHOWN} paths", giant, ("S",), times=5),
    ]  # fmt: skip


def _by_http(bridge: Bridge, world: BigWorld, token: str) -> list[Cell]:
    program, turn = Client(bridge.url, {**JSON, "Authorization": f"Bearer {token}"}), itertools.count(1)

    def post(body: dict[str, Any], **headers: str) -> Any:
        said = json.dumps(body).encode()
        status, answered, text = program.call("POST", "/access/check", said, headers)
        assert status in (200, 304), text
        return answered

    def one() -> None:
        n = next(turn)
        post({"subject": world.email(n % 500 + 1), "action": "read", "resource": world.resource(n * 13)})

    still = {"subject": world.email(7), "action": "read", "resource": world.resource(1)}
    checks = [{"resource": world.resource(n)} for n in range(1000)]
    many = {"subject": world.email(7), "action": "read", "checks": checks}

    def again() -> None:
        tag = post(still)["Etag"]  # as the server writes it
        post(still, **{"If-None-Match": tag})

    return [
        Cell("http", "`/access/check`", one, ("H", "S"), "≤ 2.5 H"),
        Cell("again", "`/access/check`, and again with its ETag: 304", again, ("H", "http")),
        Cell("batch", "`/access/check`, 1,000 checks of one person", lambda: post(many), ("http",), times=5),
    ]  # fmt: skip


def _rules(context: Context, world: BigWorld) -> list[Cell]:
    """A rule on the group of everybody, and on one of ten; each is deleted again, which isn't timed apart."""

    def draft(group: str) -> MappingDraft:
        gives = (parse_role_in_scope("Source Admin", ["label:environment:prod"]),)
        return MappingDraft(world.connection, GroupMatch("id", group), (), gives)

    def save(group: str) -> Callable[[], object]:
        def saved() -> None:
            now = datetime.now(UTC)
            made = add_mapping(context, OPERATOR, WORKSPACE, draft(group), now)
            remove_mapping(context, OPERATOR, WORKSPACE, made.id, now)

        return saved

    def foreseen() -> None:
        preview(context, WORKSPACE, AddRule(draft(_EVERYBODY)), datetime.now(UTC))

    def first_page() -> None:
        list_moved(context, WORKSPACE, AddRule(draft(_EVERYBODY)), "gains", datetime.now(UTC))

    people = f"{world.sizes.people:,}"
    return [
        Cell("few", "a rule for 10 people saved, and deleted", save(_TEN), ("S",), times=10),
        Cell("all", f"a rule for {people} people saved, and deleted", save(_EVERYBODY), ("few",), "≤ 2 few", 10),
        Cell("preview", f"its preview: {people} people counted, first page", foreseen, ("S",), "≤ 1 s", 1),
        Cell("page", "a page of who gains", first_page, ("S",), "≤ 100 ms", 1),
    ]


def _csv(bridge: Bridge, people: int) -> list[Cell]:
    """A process of its own, whose memory is read at its end; beside one that exports a workspace of one person.

    Each is run once: it takes a minute, and memory is no matter of luck.
    """
    bridge.run("workspace", "create", "tiny", "--name", "Tiny", "--owner", "tim@tiny.example")
    peak_of = cache(partial(_peak_of_export, bridge))
    told: dict[str, float] = {"tiny": 0.0, WORKSPACE: 0.0}

    def cell(name: str, title: str, workspace: str, against: tuple[str, ...], goal: str) -> Cell:
        def export() -> None:
            told[workspace] += peak_of(workspace)

        return Cell(name, title, export, against, goal, 1, clock=lambda: told[workspace] / 1e6, unit="MiB")

    return [
        cell("tiny", "memory of a CSV of one person", "tiny", (), ""),
        cell("csv", f"memory of a CSV of {people:,} people with their roles", WORKSPACE, ("tiny",), "≤ 1.3 tiny"),
    ]


_MEASURED = """
import resource, sys
from bridge.cli import main
sys.argv[0] = "bridge"
try:
    main()
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""


def _peak_of_export(bridge: Bridge, workspace: str) -> float:
    """The most memory that the process had, in MiB."""
    command = [sys.executable, "-c", _MEASURED, "users", "export", workspace]
    began = perf_counter()
    done = subprocess.run(command, env=os.environ | bridge.settings, capture_output=True, text=True, check=True)
    lines = done.stdout.count("\n")
    print(f"  exported {lines:,} lines in {perf_counter() - began:.0f} s", flush=True)
    return int(done.stderr.split()[-1]) / (2**20 if sys.platform == "darwin" else 2**10)
