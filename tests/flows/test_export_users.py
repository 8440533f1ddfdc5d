"""The CSV of a workspace's people (product.md 1.9)."""

import csv
import io
import tracemalloc

import pytest

from bridge.domain.errors import NotFound
from bridge.flows.export_users import COLUMNS, export_users, render_rows
from bridge.flows.give_roles import give_to_member
from bridge.flows.invite import InviteDraft, invite
from bridge.flows.members import find_member_id, remove_member
from bridge.flows.roles_given import parse_role_in_scope
from bridge.storage import people
from tests.world import World


def rows(kicks: World) -> dict[str, dict[str, str]]:
    text = "".join(export_users(kicks.context, "kicks", kicks.now))
    return {row["email"]: row for row in csv.DictReader(io.StringIO(text))}


def test_a_row_for_each_member_with_roles_and_where_from(kicks: World, marcus: str) -> None:
    kicks.push_group("eng", kicks.push("ines@kicks.example", name="Ines"))
    member = find_member_id(kicks.context, "kicks", "ines@kicks.example")
    given = parse_role_in_scope("Source Admin", ["label:environment:prod"])
    give_to_member(kicks.context, marcus, "kicks", member, given, kicks.now)
    found = rows(kicks)
    assert list(found) == ["marcus@kicks.example", "ines@kicks.example"]
    ines = found["ines@kicks.example"]
    assert (ines["name"], ines["status"], ines["user_groups"], ines["idp"]) == ("Ines", "active", "eng", "Okta")
    assert "Source Admin on label:environment:prod" in ines["roles"]
    assert found["marcus@kicks.example"]["roles"] == "Workspace Owner"


def test_suspended_and_invited_people_are_said_removed_ones_are_not_there(kicks: World, marcus: str) -> None:
    kicks.push("lars@kicks.example", active=False)
    kicks.push("gone@kicks.example")
    remove_member(
        kicks.context, marcus, "kicks", find_member_id(kicks.context, "kicks", "gone@kicks.example"), kicks.now
    )
    invite(kicks.context, marcus, "kicks", InviteDraft(("lucia@kicks.example",)), kicks.now)
    statuses = {email: row["status"] for email, row in rows(kicks).items()}
    assert statuses == {
        "marcus@kicks.example": "active",
        "lars@kicks.example": "suspended",
        "lucia@kicks.example": "invited",
    }


def test_a_member_with_a_pending_invitation_has_one_row(kicks: World, marcus: str) -> None:
    invite(kicks.context, marcus, "kicks", InviteDraft(("Ines@kicks.example",)), kicks.now)
    kicks.push("ines@kicks.example", active=False)
    text = "".join(export_users(kicks.context, "kicks", kicks.now))
    assert [row["status"] for row in csv.DictReader(io.StringIO(text))] == ["active", "suspended"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", " =", "  @"])
def test_no_cell_begins_a_formula(start: str) -> None:
    [[cell]] = csv.reader(io.StringIO(render_rows([[f'{start}cmd|"/c calc"!A1']]), newline=""))
    assert cell == f'\'{start}cmd|"/c calc"!A1'


@pytest.mark.parametrize("cell", ["Ines", "O'Neill", "a,b", 'say "hi"', "two\nlines", "", "1-2", "x=y"])
def test_other_cells_come_back_as_they_were(cell: str) -> None:
    assert list(csv.reader(io.StringIO(render_rows([[cell, "end"]]), newline=""))) == [[cell, "end"]]


def test_a_name_an_idp_made_up_is_harmless(kicks: World) -> None:
    kicks.push("ines@kicks.example", name='=HYPERLINK("http://evil.example","x")')
    assert rows(kicks)["ines@kicks.example"]["name"].startswith("'=")


def test_more_than_a_page(kicks: World) -> None:
    add_people(kicks, 1100)
    pieces = list(export_users(kicks.context, "kicks", kicks.now))
    assert [piece.count("\r\n") for piece in pieces] == [1, 500, 500, 101, 0]


def test_memory_stays_flat(kicks: World) -> None:
    add_people(kicks, 3000)
    exported = export_users(kicks.context, "kicks", kicks.now)
    next(exported), next(exported)
    tracemalloc.start()
    total = sum(len(piece) for piece in exported)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert total > 100_000
    assert peak < 8 * 2**20


def test_an_unknown_workspace_is_said_before_the_first_piece(kicks: World) -> None:
    with pytest.raises(NotFound):
        export_users(kicks.context, "nowhere", kicks.now)


def test_the_first_line_names_the_columns(kicks: World) -> None:
    assert next(export_users(kicks.context, "kicks", kicks.now)) == ",".join(COLUMNS) + "\r\n"


def add_people(kicks: World, count: int) -> None:
    with kicks.context.changing("system", kicks.now) as change:
        for n in range(count):
            user = people.insert_user(change, f"p{n}@kicks.example", f"Person {n}")
            people.insert_membership(change, kicks.workspace.key, user.key, accepted=True)
