"""A preview as CSV: the people of `list_moved`, all of them (product.md 5.3)."""

import csv
import io
import tracemalloc

import pytest

from bridge.domain.errors import NotFound
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.previews import AddRule, DeleteRule, MappingDraft, Proposal, RequireSso
from bridge.flows.export_moved import COLUMNS, export_moved
from bridge.flows.map_groups import add_mapping
from bridge.flows.preview import preview
from bridge.flows.roles_given import parse_role_in_scope
from tests.flows.test_export_users import add_people
from tests.world import World


def rows(kicks: World, proposal: Proposal) -> list[dict[str, str]]:
    text = "".join(export_moved(kicks.context, "kicks", proposal, kicks.now))
    return list(csv.DictReader(io.StringIO(text)))


def draft(kicks: World, group: str, *roles: str) -> MappingDraft:
    given = tuple(parse_role_in_scope(role, []) for role in roles)
    return MappingDraft(kicks.connection.id, GroupMatch("name", group), (), given)


@pytest.fixture
def everyone(kicks: World) -> World:
    """Five people in eng, one of whom has a name that a spreadsheet would run."""
    names = ("Ann", "Bob", '=HYPERLINK("http://evil.example","x")', "Dan", "Eve")
    people = [kicks.push(f"p{n}@kicks.example", name=name) for n, name in enumerate(names)]
    kicks.push_group("eng", *people)
    return kicks


def test_all_who_gain_or_lose_have_a_row(everyone: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.flows.export_moved._PAGE", 2)
    proposal = AddRule(draft(everyone, "eng", "Source Admin", "PII Access"))
    seen = preview(everyone.context, "kicks", proposal, everyone.now)
    found = rows(everyone, proposal)
    assert [row["email"] for row in found] == [one.email for one in seen.gains.people]
    assert len(found) == 5
    assert {row["change"] for row in found} == {"gains"}
    assert {row["revision"] for row in found} == {str(seen.revision)}
    assert {tuple(sorted(row["roles"].split("; "))) for row in found} == {("PII Access", "Source Admin on all")}
    made = add_mapping(everyone.context, "operator", "kicks", proposal.draft, everyone.now)
    assert {row["change"] for row in rows(everyone, DeleteRule(made.id))} == {"loses"}


def test_no_name_begins_a_formula(everyone: World) -> None:
    [name] = {
        row["name"] for row in rows(everyone, AddRule(draft(everyone, "eng", "Source Admin"))) if "HYPER" in row["name"]
    }
    assert name.startswith("'=")


def test_what_the_change_refuses_is_refused_before_the_first_piece(kicks: World) -> None:
    with pytest.raises(NotFound):
        export_moved(kicks.context, "kicks", DeleteRule("0f0f0f0f-0000-4000-8000-000000000000"), kicks.now)


def test_where_nobody_moves_there_is_the_first_line(everyone: World) -> None:
    nothing = AddRule(draft(everyone, "nobody", "Source Admin"))
    pieces = export_moved(everyone.context, "kicks", nothing, everyone.now)
    assert "".join(pieces) == ",".join(COLUMNS) + "\r\n"


def test_memory_stays_flat(kicks: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.flows.export_moved._PAGE", 200)
    add_people(kicks, 900)
    exported = export_moved(kicks.context, "kicks", RequireSso(), kicks.now)
    first = next(exported), next(exported)
    tracemalloc.start()
    total = sum(piece.count("\r\n") for piece in exported)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert total + first[1].count("\r\n") == 901  # and Marcus
    assert peak < 2 * 2**20
