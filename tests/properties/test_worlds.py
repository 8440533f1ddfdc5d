"""What SQL says of access is what access means (`bridge.domain.access_facts`), on SQLite and PostgreSQL, in whatever
world: may they, why, who, how many; pairs of rules and groups that are kept ready; the export.

Worlds are drawn (`worlds`), written as rows (`world_rows`), and asked everything (`world_answers`). Every bug of
`planted_in_access` is come upon.
"""

import re
from itertools import count

import pytest
from hypothesis import HealthCheck, given, note, settings

from bridge.flows.context import OPERATOR
from bridge.storage.changes import changing
from bridge.storage.database import Database
from tests.properties import world_answers
from tests.properties.conftest import Warm
from tests.properties.planted_in_access import BUGS, Bug
from tests.properties.world_rows import facts_of, put
from tests.properties.worlds import NOW, Dice, drawn_bytes, world_of
from tests.world import make_context

_HERE = "tests/properties/test_worlds.py"
_serial = count(1)


def look(database: Database, drawn: bytes) -> None:
    """One world: written, and asked everything."""
    facts = world_of(Dice(drawn))
    note(f"{facts}")
    with changing(database, OPERATOR, NOW, durable=False) as change:
        workspace = put(change, f"w{next(_serial)}", facts)
    with database.snapshot() as rows:
        assert facts_of(rows, workspace) == facts
        world_answers.check(world_answers.look(rows, workspace, NOW))
    world_answers.check_export(make_context(database), workspace, facts, NOW)


def explore(database: Database, worlds: int) -> int:
    """Look at so many worlds. Returns how many it looked at, shrinking included."""
    first = next(_serial)

    @settings(max_examples=worlds, database=None, suppress_health_check=list(HealthCheck), deadline=None)
    @given(drawn=drawn_bytes)
    def each(drawn: bytes) -> None:
        look(database, drawn)

    try:
        each()
    except BaseException as found:
        raise AssertionError(f"after {next(_serial) - first} worlds: {found}") from found
    return next(_serial) - first


def test_a_few_worlds(database: Database, request: pytest.FixtureRequest) -> None:
    """With a bug planted (`switch`), as many as it takes."""
    name = request.config.getoption("without", None)
    bug = next((bug for bug in BUGS if bug.name == name), None)
    explore(database, bug.worlds if bug else 20)


@pytest.mark.long
def test_thousands_of_worlds(database: Database) -> None:
    explore(database, 1500 if database.is_sqlite else 500)


@pytest.mark.long
@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_is_found(bug: Bug, warm: Warm) -> None:
    options = ("-p", "tests.properties.switch", f"--without={bug.name}", "-p", "no:cacheprovider", "--tb=line")
    calm = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
    said = warm.run(*options, *calm, "-k", "not postgresql", f"{_HERE}::test_a_few_worlds")
    found = re.search(r"after (\d+) worlds: (.*)", said)
    assert found, f"not found: {said}"
    print(f"found within {found[1]} worlds: {found[2]}")
