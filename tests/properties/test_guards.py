"""Every guard guards: with each taken out in turn, the tests that the table names fail; with none, they pass."""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.properties.guards import GUARDS, Guard
from tests.properties.switch import weakened

ROOT = Path(__file__).parents[2]
#: One that is quick, tried at every run; the others with --long.
QUICK = frozenset({"SSO opens its own workspace"})
PROPERTIES = {"1", "2", "4", "5", "6", "7", "7a", "10", "11", "12", "13", "14", "15", "16", "17", "18", "20"}


@dataclass(frozen=True, slots=True)
class Warm:
    """A process of `tests.properties.warm`, which has imported what this one has and isn't ours; and its folder."""

    process: subprocess.Popen[str]
    folder: Path

    def ask(self, line: object) -> None:
        """Write it a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{json.dumps(line)}\n")
        self.process.stdin.flush()

    def run(self, *arguments: str) -> str:
        """What pytest says with these arguments."""
        said = self.folder / "said.txt"
        self.ask({"arguments": [*arguments, f"--basetemp={self.folder / 'temp'}"], "said": str(said)})
        assert self.process.stdout is not None
        assert self.process.stdout.readline(), "it has ended"
        return said.read_text()


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Warm]:
    environment = os.environ | {"BRIDGE_TEST_SQLITE_TEMPLATE": str(sqlite_template)}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.properties.warm"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        warm = Warm(process, tmp_path_factory.mktemp("warm"))
        warm.ask([name for name, module in sys.modules.items() if "site-packages" in str(vars(module).get("__spec__"))])
        yield warm


def outcomes(guard: Guard, warm: Warm) -> tuple[set[str], str]:
    """The named tests of which something failed with the guard taken out, and what pytest said."""
    options = ("-p", "tests.properties.switch", f"--without={guard.name}", "-p", "no:cacheprovider", "--tb=line", "-rf")
    # Its plugins were imported before it could rewrite their assertions.
    calm = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
    said = warm.run(*options, *calm, "-k", "not postgresql", *guard.tests)
    return set(re.findall(r"^FAILED (\S+?::\w+)", said, flags=re.MULTILINE)), said


@pytest.mark.parametrize(
    "guard",
    [pytest.param(guard, marks=() if guard.name in QUICK else pytest.mark.long, id=guard.name) for guard in GUARDS],
)
def test_without_it_its_tests_fail(guard: Guard, warm: Warm) -> None:
    failed, said = outcomes(guard, warm)
    assert failed == set(guard.tests), said


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_each_guard_stands_in_its_module_once_and_its_tests_are_there(guard: Guard) -> None:
    spec = find_spec(guard.module)
    assert spec is not None
    assert spec.origin is not None
    ast.parse(weakened(guard, Path(spec.origin).read_text()))
    for test in guard.tests:
        path, _, name = test.partition("::")
        assert re.search(rf"^def {name}\(", (ROOT / path).read_text(), flags=re.MULTILINE), test


def test_guards_have_distinct_names_and_every_property_has_one() -> None:
    assert len({guard.name for guard in GUARDS}) == len(GUARDS)
    assert {guard.property for guard in GUARDS} == PROPERTIES
    assert {guard.name for guard in GUARDS} >= QUICK
