"""Every guard guards: with each taken out in turn, the tests that the table names fail; with none, they pass."""

import ast
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.properties.conftest import Warm
from tests.properties.guards import GUARDS, Guard
from tests.properties.planted import PLANTED, Piece, Planted
from tests.properties.planted_in_access import BUGS, Bug
from tests.properties.switch import weakened

ROOT = Path(__file__).parents[2]
#: One that is quick, tried at every run; the others with --long.
QUICK = frozenset({"SSO opens its own workspace"})
PROPERTIES = {"1", "2", "4", "5", "6", "7", "7a", "10", "11", "12", "13", "14", "15", "16", "17", "18", "20"}


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
    check_it_stands(guard)
    for test in guard.tests:
        path, _, name = test.partition("::")
        assert re.search(rf"^def {name}\(", (ROOT / path).read_text(), flags=re.MULTILINE), test


def check_it_stands(piece: Guard | Piece) -> None:
    """It is in its module once, which is a module without it, too."""
    spec = find_spec(piece.module)
    assert spec is not None
    assert spec.origin is not None
    ast.parse(weakened(piece, Path(spec.origin).read_text()))


@pytest.mark.parametrize("bug", [*BUGS, *PLANTED], ids=lambda bug: bug.name)
def test_each_bug_that_is_planted_has_its_place(bug: Bug | Planted) -> None:
    for piece in bug.pieces:
        check_it_stands(piece)


def test_guards_have_distinct_names_and_every_property_has_one() -> None:
    names = [each.name for each in (*GUARDS, *BUGS)]
    assert len(set(names)) == len(names)
    assert {guard.property for guard in GUARDS} == PROPERTIES
    assert {guard.name for guard in GUARDS} >= QUICK
