"""A pytest plugin that runs tests with one guard of `guards.py` taken out of the program, or one bug of `planted.py`
or `planted_in_access.py` planted in it.

    python -m pytest -p tests.properties.switch --without="a guard's name" tests/…

The module that holds the guard is imported from its own source less that guard, so that every importer has the same
weaker module. No file is changed.

One failure of a test is enough: its other cases are skipped then, and Hypothesis looks for no smaller example.
"""

import sys
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from hypothesis import Phase, settings

from tests.properties.guards import GUARDS, Guard
from tests.properties.planted import PLANTED, Piece
from tests.properties.planted_in_access import BUGS


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --without."""
    parser.addoption("--without", metavar="GUARD", help="run with this guard taken out, or this bug planted")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Take the guard out before any conftest imports the program."""
    name = early_config.known_args_namespace.without
    if name:
        take_out(_by_module(name))


def _by_module(name: str) -> dict[str, list[Guard | Piece]]:
    taken: dict[str, list[Guard | Piece]] = {}
    guards = tuple(guard for guard in GUARDS if guard.name == name)
    pieces: Sequence[Guard | Piece] = guards or next(bug.pieces for bug in (*PLANTED, *BUGS) if bug.name == name)
    for piece in pieces:
        taken.setdefault(piece.module, []).append(piece)
    return taken


def pytest_configure(config: pytest.Config) -> None:
    """Stop at the first example that fails; after tests/conftest.py has chosen the profile."""
    if config.getoption("without"):
        settings.register_profile("switched", phases=(Phase.explicit, Phase.generate))
        settings.load_profile("switched")
        config.pluginmanager.register(_OnceIsEnough())


class _OnceIsEnough:
    """Skips what is left of a test that has failed."""

    def __init__(self) -> None:
        self._failed: set[str] = set()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if item.nodeid.partition("[")[0] in self._failed:
            pytest.skip("it has failed already")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.failed:
            self._failed.add(report.nodeid.partition("[")[0])


def take_out(weaker: Mapping[str, Sequence[Guard | Piece]]) -> None:
    """From now on these modules are imported without these pieces. Raises ValueError where it is too late."""
    late = weaker.keys() & sys.modules.keys()
    if late:
        raise ValueError(f"imported already: {', '.join(sorted(late))}")
    sys.meta_path.insert(0, _Finder(weaker))


class _Finder(MetaPathFinder):
    """Finds the weaker modules first, whoever imports them."""

    def __init__(self, weaker: Mapping[str, Sequence[Guard | Piece]]) -> None:
        self._weaker = weaker

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        pieces = self._weaker.get(fullname)
        found = PathFinder.find_spec(fullname, path) if pieces else None
        if found is None or found.origin is None or pieces is None:
            return None
        return spec_from_file_location(fullname, found.origin, loader=_Weaker(fullname, found.origin, pieces))


class _Weaker(SourceFileLoader):
    """A module from its source less the pieces. Raises ValueError where one isn't there."""

    def __init__(self, name: str, path: str, pieces: Sequence[Guard | Piece]) -> None:
        super().__init__(name, path)
        self._pieces = pieces

    def get_code(self, fullname: str) -> CodeType:
        source = Path(self.path).read_text()
        for piece in self._pieces:
            source = weakened(piece, source)
        return compile(source, self.path, "exec")


def weakened(piece: Guard | Piece, source: str) -> str:
    """The module's source less the guard. Raises ValueError unless the guard stands there exactly once."""
    if source.count(piece.code) != 1:
        raise ValueError(f"{piece.module} holds {source.count(piece.code)} times: {piece.code!r}")
    return source.replace(piece.code, piece.without)
