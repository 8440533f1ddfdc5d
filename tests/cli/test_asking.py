"""Whoever types a command that takes access away sees the preview first, and is asked; a program isn't."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from io import StringIO
from itertools import product
from pathlib import Path

import pytest

from bridge.cli.terminal import Terminal
from tests.cli.conftest import Shell, Typed
from tests.cli.test_reference import COMMANDS

PEOPLE = "userName,email,groups\nann@kicks.example,ann@kicks.example,eng;ops\nbob@kicks.example,bob@kicks.example,eng\n"

#: What takes access from Ann or Bob in the world of `world`, one after the other; ids stand in it by their names.
TAKING = (
    "resource label kicks source:orders --label environment:dev",
    "resource delete kicks source:refunds",
    "user-group remove kicks Crew ann@kicks.example",
    "user-group delete kicks Crew",
    "user-group link kicks Bare --connection OKTA --group-id OPS",
    "user-group unlink kicks --connection OKTA --group-id OPS",
    "mapping change kicks RULE --connection OKTA --group eng --gives-role tracking_plan_read_only",
    "mapping disable kicks RULE",
    "mapping delete kicks OTHER",
    "grant remove kicks GRANT",
    "connection disable kicks OKTA",
    "workspace set-plan kicks team",
)
#: What takes nothing from anybody.
GIVING = (
    "connection enable kicks OKTA",
    "connection enable kicks OKTA",
    "mapping enable kicks RULE",
    "mapping enable kicks RULE",
    "workspace set-plan kicks business",
    "mapping add kicks --connection OKTA --group ops --gives-role function_admin",
    "workspace require-sso kicks off",
)


def _name(line: str) -> str:
    return " ".join(line.split()[:2])


@pytest.fixture
def world(kicks: Shell, okta: str, tmp_path: Path) -> Callable[[str], list[str]]:
    """A workspace in which every command of TAKING takes something; turns its line into arguments."""
    (tmp_path / "people.csv").write_text(PEOPLE)
    known = {"OKTA": okta}
    kicks.json("directory", "import", "kicks", "--connection", okta, str(tmp_path / "people.csv"))
    groups = kicks.json("directory", "groups", "kicks", "--connection", okta)["groups"]
    known["OPS"] = next(one["id"] for one in groups if one["name"] == "ops")

    def typed(line: str) -> list[str]:
        return [known.get(word, word) for word in line.split()]

    for line in (
        "resource add kicks source Orders --id orders --label environment:prod",
        "resource add kicks source Refunds --id refunds",
        "user-group create kicks Crew",
        "user-group create kicks Linked",
        "user-group create kicks Bare",
        "user-group add kicks Crew ann@kicks.example bob@kicks.example",
        "user-group link kicks Linked --connection OKTA --group-id OPS",
        "grant add kicks --member ann@kicks.example --role source_read_only --on label:environment:prod",
        "grant add kicks --member ann@kicks.example --role source_admin --on source:refunds",
        "grant add kicks --user-group Crew --role function_admin",
        "grant add kicks --user-group Linked --role identity_admin",
        "grant add kicks --user-group Bare --role function_read_only",
        "grant add kicks --member bob@kicks.example --role warehouse_admin",
    ):
        kicks.json(*typed(line))
    member = "grant add kicks --member ann@kicks.example --role warehouse_admin"
    known["GRANT"] = kicks.json(*typed(member))["grant"]["id"]
    rules = {"RULE": "tracking_plan_admin", "OTHER": "entities_read_only", "LAST": "unify_and_engage_admin"}
    for name, role in rules.items():
        rule = f"mapping add kicks --connection OKTA --group eng --gives-role {role}"
        known[name] = kicks.json(*typed(rule))["mapping"]["id"]
    return typed


def _revision(tmp_path: Path) -> int:
    with closing(sqlite3.connect(tmp_path / "var" / "bridge.db")) as database:
        [[revision]] = database.execute("SELECT rev FROM workspaces")
        return int(revision)


def test_every_command_that_has_a_preview_is_asked_of_here() -> None:
    foreseeing = {name for name, each in COMMANDS.items() if any("--seen" in option.opts for option in each.params)}
    alone = {"connection delete"}  # it asks for the name, and shows the preview with that: see below
    assert foreseeing - alone <= {_name(line) for line in TAKING + GIVING}
    for name in foreseeing:
        options = {written for option in COMMANDS[name].params for written in option.opts}
        assert options >= {"--yes", "--dry-run"}, name


def test_who_takes_access_at_a_terminal_is_shown_whose_and_asked(
    kicks: Shell, world: Callable[[str], list[str]], tmp_path: Path
) -> None:
    for line in TAKING:
        before, command = _revision(tmp_path), world(line)
        foretold = kicks.run(*command, "--dry-run").out
        refused = kicks.run(*command, stdin="n\n", terminal=True)
        assert (refused.status, refused.out) == (1, ""), line
        assert refused.err.startswith(f"{foretold}Go on? [y/N]: "), line
        assert refused.err.endswith("Nothing was changed.\n"), line
        assert _revision(tmp_path) == before, line
        done = kicks.run(*command, stdin="y\n", terminal=True)
        assert (done.status, done.out != "") == (0, True), (line, done)
        assert _revision(tmp_path) > before, line


def test_who_takes_nothing_from_anybody_is_not_asked(kicks: Shell, world: Callable[[str], list[str]]) -> None:
    kicks.json(*world("mapping disable kicks RULE"))
    kicks.json(*world("connection disable kicks OKTA"))
    for line in GIVING:
        ran = kicks.run(*world(line), terminal=True)
        assert (ran.status, ran.err) == (0, ""), (line, ran)


def test_a_program_is_not_asked_nor_who_says_yes_or_hands_back_what_was_seen(
    kicks: Shell, world: Callable[[str], list[str]]
) -> None:
    first, second, third, fourth = (world(line) for line in TAKING[:4])
    assert kicks.run(*first).err == ""
    assert kicks.run(*second, "--json", terminal=True).err == ""
    assert kicks.run(*third, "--yes", terminal=True).err == ""
    seen = kicks.json(*fourth, "--dry-run")["seen"]
    ran = kicks.run(*fourth, "--seen", seen, terminal=True)
    assert (ran.status, ran.err) == (0, "")


def test_who_can_be_asked_types_and_reads_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for types, reads, is_json in product((True, False), repeat=3):
        monkeypatch.setattr("sys.stdin", Typed() if types else StringIO())
        monkeypatch.setattr("sys.stderr", Typed() if reads else StringIO())
        assert Terminal(is_json).has_person == (types and reads and not is_json)


def test_what_moved_while_somebody_was_asked_is_told_and_nothing_is_done(
    kicks: Shell, world: Callable[[str], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def agree(*_: object, **__: object) -> bool:
        kicks.run(*world("user-group remove kicks Crew ann@kicks.example"))
        return True

    monkeypatch.setattr("click.confirm", agree)
    moved = kicks.run(*world("user-group delete kicks Crew"), terminal=True)
    assert (moved.status, moved.out) == (1, "")
    assert "Now 0 gain and 1 lose, 0 and 2 when you looked" in moved.err
    assert "Crew" in kicks.run("user-group", "list", "kicks").out


def test_require_sso_shows_whom_it_keeps_out_and_deleting_a_connection_who_loses_by_it(
    kicks: Shell, world: Callable[[str], list[str]]
) -> None:
    sso = kicks.run("workspace", "require-sso", "kicks", "on", stdin="n\n", terminal=True)
    assert (sso.status, "- marcus@kicks.example" in sso.err.replace("−", "-")) == (1, True)
    gone = kicks.run(*world("connection delete kicks OKTA"), stdin="no\n", terminal=True)
    assert (gone.status, "ann@kicks.example: " in gone.err) == (1, True)
