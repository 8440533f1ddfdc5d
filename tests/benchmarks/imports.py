"""What a first load costs: `bridge directory import` beside the same people and memberships pushed over HTTP.

10,000 people, 500 groups of 200, 100,000 memberships; the push is a fiftieth of that, scaled, at 200 members a PATCH.
Each round has a workspace, people and files of its own, so that in every one of them everybody is new.
"""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.benchmarks.cells import GROUP_SCHEMA, WORKSPACE, Cell, create_user, patch_members, post, set_up
from tests.benchmarks.http import Client
from tests.running import Bridge

PEOPLE, GROUPS, GROUPS_OF_ONE = 10_000, 500, 10
MEMBERS_A_PATCH = PEOPLE * GROUPS_OF_ONE // GROUPS
PART = 50


def import_table(bridge: Bridge, folder: Path, rounds: int) -> list[Cell]:
    """Write the files, make the workspaces, and give the cells."""
    _, scim = set_up(bridge, folder)
    made = [_Load(bridge, folder, number) for number in range(rounds)]
    first, again = iter(made), iter(made)
    of_it = f"{PEOPLE:,} people, {PEOPLE * GROUPS_OF_ONE:,} memberships"
    return [
        Cell("push", f"push of {of_it} by HTTP, {MEMBERS_A_PATCH} members a PATCH (a {PART}th, scaled)",
             _push(scim), (), times=1, scale=PART),
        Cell("import", f"import of {of_it}, the command whole", lambda: next(first).run(1), ("push",),
             "≤ 0.04 push (SQLite), 0.1 push (PostgreSQL)", times=1),
        Cell("again", "the same file with 1 % changed", lambda: next(again).run(2), ("import",), "≤ 1 import", times=1),
    ]  # fmt: skip


class _Load:
    """One round's workspace, with two files for it."""

    def __init__(self, bridge: Bridge, folder: Path, number: int) -> None:
        self._bridge = bridge
        self._workspace = f"{WORKSPACE}-{number}"
        self._files = {day: folder / f"load-{number}-{day}.csv" for day in (1, 2)}
        connection, _ = set_up(bridge, folder, self._workspace)
        self._connection: str = connection["id"]
        for day, file in self._files.items():
            file.write_text("\n".join(["userName,email,title,groups", *_rows(number, day)]) + "\n")

    def run(self, day: int) -> None:
        """Import the file of that day."""
        options = ("--connection", self._connection)
        self._bridge.run_by_itself("directory", "import", self._workspace, str(self._files[day]), *options, seconds=600)


def _rows(number: int, day: int) -> Iterator[str]:
    """A row a person; on the second day every hundredth has another title and other groups."""
    for n in range(PEOPLE):
        moved = day == 2 and n % 100 == 0
        first = n + moved
        groups = ";".join(f"group{(first + GROUPS // GROUPS_OF_ONE * k) % GROUPS}" for k in range(GROUPS_OF_ONE))
        name = f"p{n}@round{number}.example"
        yield f"{name},{name},{'Head' if moved else ''},{groups}"


def _push(scim: Client) -> Callable[[], object]:
    turn = itertools.count()

    def push() -> None:
        number = next(turn)
        ids = [create_user(scim, f"pushed{n}@part{number}.example") for n in range(PEOPLE // PART)]
        for n in range(GROUPS // PART):
            group = post(scim, "/Groups", {"schemas": [GROUP_SCHEMA], "displayName": f"part {number} group {n}"})
            patch_members(scim, group, [], ids[:MEMBERS_A_PATCH])

    return push
