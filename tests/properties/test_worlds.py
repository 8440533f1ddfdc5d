"""What SQL says of access is what access means (`bridge.domain.access_facts`), on SQLite and PostgreSQL, in whatever
world: may they, why, who, how many; pairs of rules and groups that are kept ready; the export;
what applications are told; what was, then; and what a preview says of a change, which is then made.

Worlds are drawn (`worlds`), written as rows (`world_rows`), and asked everything (`world_answers`); in some of them
things happen first, by the flows that do them (`world_steps`). Every bug of `planted_in_access` is come upon.
"""

import os
import re
from collections.abc import Callable
from itertools import count
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, Phase, given, note, seed, settings
from hypothesis.strategies import SearchStrategy

from bridge.domain.access_facts import Facts
from bridge.domain.errors import DomainError
from bridge.flows.context import OPERATOR
from bridge.flows.preview import preview
from bridge.storage import moves
from bridge.storage.changes import changing
from bridge.storage.database import Database
from bridge.storage.workspaces import count_keeping_owners
from tests.properties import world_answers
from tests.properties.conftest import Warm
from tests.properties.planted_in_access import BUGS, Bug
from tests.properties.world_api import check_api
from tests.properties.world_rows import facts_of, put
from tests.properties.world_steps import Lab, NothingToDo, happen, perform, propose
from tests.properties.worlds import NOW, SIZE, Dice, drawn_histories, drawn_worlds, world_of
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
    check_api(make_context(database), workspace, facts, NOW)


def live(database: Database, drawn: bytes) -> None:
    """One world in which things happen: after each of them everybody has what the facts then mean, and from the end
    that is what they had then. What is refused changes nothing; the last owner by hand is kept.
    """
    facts, dice = world_of(Dice(drawn[:SIZE])), Dice(drawn[SIZE:])
    note(f"{facts}")
    with changing(database, OPERATOR, NOW, durable=False) as change:
        workspace = put(change, f"w{next(_serial)}", facts)
    lab, history = Lab(make_context(database), workspace, dice, NOW), [(NOW, facts)]
    for _ in range(1 + dice.below(6)):
        lab.pause()
        with database.reading() as rows:
            owned = count_keeping_owners(rows, workspace.key)
        facts = step(lab, facts)
        history.append((lab.now, facts))
        with database.snapshot() as rows:
            world_answers.check(world_answers.look(rows, workspace, lab.now), soon=True)
            assert count_keeping_owners(rows, workspace.key) or not owned, "nobody keeps the workspace"
    with database.snapshot() as rows:
        world_answers.check(world_answers.look(rows, workspace, lab.now))
    world_answers.check_past(lab.context, workspace, history, lab.now)
    check_api(lab.context, workspace, facts, lab.now)


def step(lab: Lab, facts: Facts) -> Facts:
    """One thing happens, or is refused. Returns the facts after it."""
    try:
        return propose_and_do(lab, facts) if lab.dice.below(2) else just_do(lab, facts)
    except NothingToDo:
        return facts
    except DomainError as refused:
        note(f"refused: {refused!r}")
        assert lab.facts() == facts
        return facts


def propose_and_do(lab: Lab, facts: Facts) -> Facts:
    """A change is previewed and then made: it does what the preview said, or is refused by both."""
    proposal = propose(lab, facts)
    note(f"{lab.now} {proposal}")
    try:
        foreseen = preview(lab.context, lab.slug, proposal, lab.now)
    except DomainError as refused:
        with pytest.raises(type(refused)):
            perform(lab, proposal)
        raise
    with patch.multiple(moves, _FEW=0, _FEW_QUESTIONS={"sqlite": 0, "postgresql": 0}):  # as of many people
        assert preview(lab.context, lab.slug, proposal, lab.now) == foreseen
    perform(lab, proposal)
    after = lab.facts()
    world_answers.check_preview(foreseen, proposal, facts, after, lab.now)
    return after


def just_do(lab: Lab, facts: Facts) -> Facts:
    """What nobody previews."""
    happen(lab, facts)
    return lab.facts()


def explore(
    one: Callable[[Database, bytes], None],
    drawing: SearchStrategy[bytes],
    database: Database,
    n: int,
    *,
    at: int | None = None,
) -> None:
    """Look at `n` worlds: others each time, or always those that a number (`at`) stands for.

    One that fails is told as it was drawn: to look for a smaller one takes minutes.
    """
    first = next(_serial)

    @settings(
        max_examples=n,
        database=None,
        suppress_health_check=list(HealthCheck),
        deadline=None,
        phases=[Phase.generate],
    )
    @given(drawn=drawing)
    def each(drawn: bytes) -> None:
        one(database, drawn)

    try:
        (each if at is None else seed(at)(each))()
    except BaseException as found:
        raise AssertionError(f"after {next(_serial) - first} worlds: {found}") from found


def planted(request: pytest.FixtureRequest) -> Bug | None:
    """The bug that is planted, if one is (`switch`): then as many worlds are looked at as it may take, and no others
    the next time.
    """
    name = request.config.getoption("without", None)
    return next((bug for bug in BUGS if bug.name == name), None)


def test_a_few_worlds(database: Database, request: pytest.FixtureRequest) -> None:
    bug = planted(request)
    explore(look, drawn_worlds, database, bug.far if bug else 20, at=bug.at if bug else None)


def test_a_few_histories(database: Database, request: pytest.FixtureRequest) -> None:
    bug = planted(request)
    explore(live, drawn_histories, database, bug.far if bug else 20, at=bug.at if bug else None)


#: As many times what the long run has time for: of the order of ten for a night.
LONGER = int(os.environ.get("BRIDGE_TEST_LONGER", "1"))


@pytest.mark.long
@pytest.mark.timeout(600 * LONGER)
def test_hundreds_of_worlds(database: Database) -> None:
    explore(look, drawn_worlds, database, LONGER * (400 if database.is_sqlite else 50))


@pytest.mark.long
@pytest.mark.timeout(600 * LONGER)
def test_many_histories(database: Database) -> None:
    explore(live, drawn_histories, database, LONGER * (80 if database.is_sqlite else 20))


@pytest.mark.long
@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_is_found(bug: Bug, warm: Warm) -> None:
    options = ("-p", "tests.properties.switch", f"--without={bug.name}", "-p", "no:cacheprovider", "--tb=line")
    calm = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
    said = warm.run(*options, *calm, "-k", "not postgresql", f"{_HERE}::test_a_few_{bug.where}")
    found = re.search(r"after (\d+) worlds:(.*)", said)
    assert found, f"not found: {said}"
    print(f"found within {found[1]} worlds:{found[2]}")
