"""What a big directory costs: one group of everybody beside one of 100, and pages near the end beside the first.

The people come by `bridge directory import`, whose own time the page tells too.
"""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import quote

from tests.benchmarks.cells import WORKSPACE, Cell, patch_members, set_up
from tests.benchmarks.http import Client
from tests.running import Bridge

FEW = 100
PAGE = 100


def crowd_table(bridge: Bridge, folder: Path, people: int) -> list[Cell]:
    """Import `people`, and give the cells."""
    connection, scim = set_up(bridge, folder)
    took = _import(bridge, folder, connection["id"], people)
    print(f"  imported {people:,} people, {people + FEW:,} memberships in {took:.0f} s", flush=True)
    everybody, few = _group_named(scim, "everybody"), _group_named(scim, "few")
    return [
        Cell("small", f"change of one member, group of {FEW}", _change(scim, few), ("H",)),
        Cell("big", f"change of one member, group of {people:,}", _change(scim, everybody), ("small",), "≤ 1.25 small"),
        Cell("first", f"first page of {PAGE}", _page(scim, 1), ("H",), times=30),
        Cell("deep", "page at 90 %, jumped to", _page(scim, people * 9 // 10), ("first",), "≤ 5 first, 3 first", 30),
        Cell("walked", "page at 90 %, walked to by cursor", _walked(scim, people), ("first",), "≤ 2 first", 30),
        Cell("walk", "whole walk by cursor, 1,000 a page", _walk(scim), ("first",), times=1),
        Cell("H", "hello", _hello(bridge), ()),
    ]


def _import(bridge: Bridge, folder: Path, connection: str, people: int) -> float:
    file = folder / "people.csv"
    rows = (
        f"p{n}@kicks.example,p{n}@kicks.example,{'everybody;few' if n < FEW else 'everybody'}" for n in range(people)
    )
    file.write_text("\n".join(["userName,email,groups", *rows]) + "\n")
    began = perf_counter()
    bridge.run_by_itself("directory", "import", WORKSPACE, str(file), "--connection", connection, seconds=1800)
    return perf_counter() - began


def _group_named(scim: Client, name: str) -> str:
    wanted = quote(f'displayName eq "{name}"')
    path = f"/scim/v2/Groups?excludedAttributes=members&filter={wanted}"
    found: str = _got(scim, path)["Resources"][0]["id"]
    return found


def _got(scim: Client, path: str) -> dict[str, Any]:
    status, _, said = scim.call("GET", path)
    assert status == 200, said
    answer: dict[str, Any] = json.loads(said)
    return answer


def _change(scim: Client, group: str) -> Callable[[], object]:
    """One person of the group out, and in again."""
    one = _got(scim, "/scim/v2/Users?count=1&attributes=id")["Resources"][0]["id"]
    turn = itertools.count()

    def change() -> None:
        leaves, comes = ([one], []) if next(turn) % 2 == 0 else ([], [one])
        patch_members(scim, group, leaves, comes)

    return change


def _page(scim: Client, start: int) -> Callable[[], object]:
    return lambda: _got(scim, f"/scim/v2/Users?startIndex={start}&count={PAGE}")


def _walked(scim: Client, people: int) -> Callable[[], object]:
    """The page that a walk by cursor (RFC 9865) reaches after nine tenths of all."""
    path, cursor = f"/scim/v2/Users?count={PAGE}&cursor=", ""
    for _ in range(people * 9 // 10 // PAGE):
        cursor = quote(_got(scim, path + cursor)["nextCursor"])
    return lambda: _got(scim, path + cursor)


def _walk(scim: Client) -> Callable[[], object]:
    def walk() -> None:
        page = _got(scim, "/scim/v2/Users?cursor=&count=1000")
        while "nextCursor" in page:
            page = _got(scim, f"/scim/v2/Users?cursor={quote(page['nextCursor'])}&count=1000")

    return walk


def _hello(bridge: Bridge) -> Callable[[], object]:
    hello = Client(bridge.url)
    return lambda: hello.call("GET", "/healthz")
