"""A pytest plugin that runs tests with one guard of `guards.py` taken out of the program.

    python -m pytest -p tests.properties.switch --without="a guard's name" tests/…

The module that holds the guard is executed from its own source less that guard, before anything else imports it, so
that every importer has the same weaker module. No file is changed.

One failure of a test is enough: its other cases are skipped then, and Hypothesis looks for no smaller example.
"""

import importlib
import sys
from importlib.util import find_spec, module_from_spec
from pathlib import Path

import pytest
from hypothesis import Phase, settings

from tests.properties.guards import GUARDS, Guard


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --without."""
    parser.addoption("--without", metavar="GUARD", help="run with this guard of tests/properties/guards.py taken out")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Take the guard out before any conftest imports the program."""
    name = early_config.known_args_namespace.without
    if name:
        take_out(next(guard for guard in GUARDS if guard.name == name))


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


def take_out(guard: Guard) -> None:
    """Put the weaker module where imports look for it. Raises ValueError where it is too late, or nothing to take."""
    if guard.module in sys.modules:
        raise ValueError(f"{guard.module} was imported already")
    spec = find_spec(guard.module)
    if spec is None or spec.origin is None:
        raise ValueError(f"there is no {guard.module}")
    module = module_from_spec(spec)
    sys.modules[guard.module] = module
    exec(compile(weakened(guard, Path(spec.origin).read_text()), spec.origin, "exec"), module.__dict__)
    parent, _, name = guard.module.rpartition(".")
    setattr(importlib.import_module(parent), name, module)


def weakened(guard: Guard, source: str) -> str:
    """The module's source less the guard. Raises ValueError unless the guard stands there exactly once."""
    if source.count(guard.code) != 1:
        raise ValueError(f"{guard.module} holds {source.count(guard.code)} times: {guard.code!r}")
    return source.replace(guard.code, guard.without)
