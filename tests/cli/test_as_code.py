"""`bridge export`, `plan` and `apply`: what they print, ask and refuse."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import METADATA, Shell

STAGE = """version: 1
workspace: kicks
connections:
  - {name: Okta, kind: saml, idp: {metadata_file: idp.xml}}
user_groups:
  - name: Guild
    members: [marcus@kicks.example]
    grants: [{role: Source Read-only}]
"""


@pytest.fixture
def file(kicks: Shell, tmp_path: Path) -> Path:
    """A file of `kicks`, with the metadata that it names beside it."""
    (tmp_path / "idp.xml").write_bytes(METADATA.read_bytes())
    path = tmp_path / "kicks.yaml"
    path.write_text(STAGE)
    return path


def test_export_then_plan_then_apply_say_there_is_nothing_to_do(kicks: Shell, file: Path) -> None:
    assert kicks.run("apply", str(file)).status == 0
    exported = kicks.run("export", "kicks").out
    assert exported.startswith("# yaml-language-server: $schema=http")
    file.write_text(exported)
    for command in ("plan", "apply"):
        ran = kicks.run(command, str(file), "--prune")
        assert (ran.status, ran.out.splitlines()[0]) == (0, "kicks is what the file says: nothing to do.")


def test_a_plan_is_lines_with_places(kicks: Shell, file: Path) -> None:
    out = kicks.run("plan", str(file)).out.splitlines()
    assert out[0] == "kicks: 4 to create, 0 to change, 0 to delete."
    assert "  + User Group Guild  (line 6)" in out
    assert "      people: marcus@kicks.example" in out
    assert out[-1].startswith("Digest: ")


def test_it_may_come_from_stdin(kicks: Shell) -> None:
    ran = kicks.run("plan", "-", stdin="version: 1\nworkspace: kicks\nlabels: [a:b]\n")
    assert (ran.status, ran.out.splitlines()[1]) == (0, "  + label a:b  (line 3)")


def test_a_bad_file_is_told_line_by_line(kicks: Shell, file: Path) -> None:
    file.write_text("version: 1\nworkspace: kicks\nlabel: []\nplan: gold\n")
    ran = kicks.run("apply", str(file))
    assert ran.status == 1
    assert [line.split(":")[0] for line in ran.err.splitlines()] == ["line 3, label", "line 4, plan"]
    assert json.loads(kicks.run("plan", str(file), "--json").out)["error"]["code"] == "bad_file"


def test_what_takes_something_is_asked_for_and_refused_where_nobody_answers(kicks: Shell, file: Path) -> None:
    kicks.run("apply", str(file))
    file.write_text("version: 1\nworkspace: kicks\nuser_groups: []\n")
    pruning = ("apply", str(file), "--prune")
    refused = kicks.run(*pruning)
    assert refused.status == 1
    assert "  - User Group Guild" in refused.out.splitlines()
    assert "nobody agreed" in refused.err
    wire = json.loads(kicks.run(*pruning, "--json").out)
    assert (wire["error"]["code"], wire["plan"]["needs_agreement"]) == ("not_agreed", True)
    assert kicks.run(*pruning, stdin="n\n", terminal=True).status == 1
    assert kicks.json("user-group", "list", "kicks")["user_groups"]
    assert kicks.run(*pruning, stdin="y\n", terminal=True).status == 0
    assert kicks.json("user-group", "list", "kicks")["user_groups"] == []


def test_yes_agrees_to_whatever_it_is(kicks: Shell, file: Path) -> None:
    kicks.run("apply", str(file))
    file.write_text("version: 1\nworkspace: kicks\nuser_groups: []\n")
    assert kicks.run("apply", str(file), "--prune", "--yes").status == 0


def test_a_plan_that_was_kept_is_what_is_applied_or_nothing(kicks: Shell, file: Path, tmp_path: Path) -> None:
    kept = str(tmp_path / "plan.json")
    digest = kicks.json("plan", str(file), "--out", kept)["plan"]["digest"]
    kicks.run("user-group", "create", "kicks", "Guild")
    moved = kicks.run("apply", str(file), "--expect", kept)
    assert moved.status == 1
    assert "-   + User Group Guild  (line 6)" in moved.out.splitlines()
    assert "something changed since" in moved.err
    assert json.loads(kicks.run("apply", str(file), "--expect", kept, "--json").out)["differs"]
    assert kicks.run("apply", str(file), "--expect", digest).status == 1
    kicks.run("plan", str(file), "--out", kept)
    assert kicks.run("apply", str(file), "--expect", kept).status == 0


def test_a_file_may_make_another_workspace_the_same(kicks: Shell, file: Path) -> None:
    kicks.json("workspace", "create", "shoes", "--name", "Shoes", "--owner", "marcus@kicks.example")
    assert kicks.run("apply", str(file), "--workspace", "shoes").status == 0
    assert [one["name"] for one in kicks.json("user-group", "list", "shoes")["user_groups"]] == ["Guild"]
    assert kicks.json("user-group", "list", "kicks")["user_groups"] == []


def test_names_that_a_terminal_would_obey_are_not_printed_as_they_are(kicks: Shell, file: Path) -> None:
    file.write_text('version: 1\nworkspace: kicks\ndomains: []\nmappings: [{connection: "\\x1b[2J", groups: {name: x}, '
                    'gives: {user_groups: ["\\x1b[31m"]}}]\n')  # fmt: skip
    ran = kicks.run("plan", str(file))
    assert ran.status == 1
    assert "\x1b" not in ran.out + ran.err


def test_usage_is_told(kicks: Shell, file: Path, tmp_path: Path) -> None:
    (tmp_path / "no.json").write_text("[]")
    for wrong in (
        ("plan", str(tmp_path / "gone.yaml")),
        ("apply", str(file), "--expect", str(tmp_path / "gone.json")),
        ("apply", str(file), "--expect", str(tmp_path / "no.json")),
        ("export",),
        ("export", "kicks", "--schema"),
        ("plan", str(file), "--out", str(tmp_path / "no" / "where.json")),
    ):
        assert kicks.run(*wrong).status == 2, wrong


def test_the_schema_is_printed_for_editors(kicks: Shell) -> None:
    assert kicks.json("export", "--schema") == json.loads(kicks.run("export", "--schema").out)
