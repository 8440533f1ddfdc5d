"""No sequence of link, unlink, invite, SCIM, single sign-on, change of address or closing lets anybody into another's
account, loses the last way in, or leaves a session alive after its ground has gone.

The walks are those of `account_steps`; they come upon every bug of `planted`.
"""

import ast
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.properties.account_steps import STEPS, Accounts, only
from tests.properties.accounts import Lab
from tests.properties.conftest import Warm
from tests.properties.planted import PLANTED, Planted
from tests.properties.switch import weakened

AT_LEAST = 5_000
#: How far the search for a planted bug goes.
FAR = 1_200
_HERE = "tests/properties/test_nobody_in_anothers_account.py"


@pytest.fixture
def lab(sqlite_template: Path) -> Iterator[Lab]:
    """The application, and a database for each walk."""
    lab = Lab(sqlite_template)
    yield lab
    lab.database.close()


def walk(lab: Lab, *, walks: int, steps: int, number: int, machine: type[Accounts] = Accounts) -> None:
    """So many walks of at most so many steps: always the same ones for a number, as long as the steps are the same."""
    chosen = settings(
        max_examples=walks,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    begin = seed(number)(lambda: machine(lab))
    run_state_machine_as_test(begin, settings=chosen)  # type: ignore[arg-type]  # whatever makes one will do


def test_a_few_walks(lab: Lab, request: pytest.FixtureRequest) -> None:
    """With a bug planted (`switch`), as many as it takes."""
    name = request.config.getoption("without", None)
    bug = next((bug for bug in PLANTED if bug.name == name), None)
    if bug is None:
        walk(lab, walks=2, steps=25, number=1)
        return
    try:
        walk(lab, walks=FAR // 40, steps=40, number=bug.seed, machine=only(bug.steps))
    except BaseException as found:
        raise AssertionError(f"after {lab.steps} steps: {found}") from found


@pytest.mark.long
def test_thousands_of_steps(lab: Lab) -> None:
    number = 0
    while lab.steps < AT_LEAST:
        number += 1
        walk(lab, walks=50, steps=60, number=number)
    print(f"{lab.steps} steps, of which went well: {lab.done}")


@pytest.mark.long
@pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.name)
def test_a_planted_bug_is_found(bug: Planted, warm: Warm) -> None:
    """The failure is what its line says, not something else that broke."""
    options = (
        "-p",
        "tests.properties.switch",
        f"--without={bug.name}",
        "-p",
        "no:cacheprovider",
        "--tb=line",
        "--timeout=500",
    )
    said = warm.run(*options, "-W", "ignore::pytest.PytestAssertRewriteWarning", f"{_HERE}::test_a_few_walks")
    found = re.search(r"after (\d+) steps: (.*)", said)
    assert found, f"not found: {said}"
    assert re.search(bug.says, found[2]), f"another was found: {said}"
    print(f"found within {found[1]} steps")


@pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.name)
def test_each_piece_stands_in_its_module_once(bug: Planted) -> None:
    for piece in bug.pieces:
        spec = find_spec(piece.module)
        assert spec is not None
        assert spec.origin is not None
        ast.parse(weakened(piece, Path(spec.origin).read_text()))
    assert set(bug.steps) <= set(STEPS)
