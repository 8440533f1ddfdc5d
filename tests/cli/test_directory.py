"""`bridge directory import`."""

import io
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Shell

CSV = "userName,email,active,groups\nann@kicks.example,ann@kicks.example,true,eng;all\nbob@kicks.example,,,all\n"


def _file(tmp_path: Path, text: str) -> str:
    path = tmp_path / "people.csv"
    path.write_text(text)
    return str(path)


def test_import_says_what_it_did_as_json_and_gives_access(kicks: Shell, okta: str, tmp_path: Path) -> None:
    said = kicks.json("directory", "import", "kicks", "--connection", okta, _file(tmp_path, CSV))
    assert said["people"]["created"] == {"count": 2, "first": ["ann@kicks.example", "bob@kicks.example"]}
    assert said["members"]["added"]["count"] == 3
    access = kicks.json("access", "show", "kicks", "ann@kicks.example")["permissions"]
    assert {because["kind"] for one in access for because in one["because"]} == {"individual", "mapping"}


def test_a_dry_run_says_the_same_in_words_and_changes_nothing(kicks: Shell, okta: str, tmp_path: Path) -> None:
    for _ in range(2):
        ran = kicks.run("directory", "import", "kicks", "--connection", okta, _file(tmp_path, CSV), "--dry-run")
        assert (ran.status, ran.err) == (0, "")
        assert ran.out.splitlines()[0] == "This would change:"
        assert "2 people created: ann@kicks.example; bob@kicks.example" in ran.out
        assert "3 members added: ann@kicks.example in eng;" in ran.out


def test_every_fault_is_a_line_on_stderr(kicks: Shell, okta: str, tmp_path: Path) -> None:
    faulty = _file(tmp_path, "userName,active\nann,maybe\nbob,true\nBOB,true\n,true")
    ran = kicks.run("directory", "import", "kicks", "--connection", okta, faulty)
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.splitlines() == [
        "3 faults in the file; nothing was imported.",
        "line 2: active must be true or false.",
        "line 4: userName 'BOB' is in line 3 already.",
        "line 5: userName is required.",
    ]
    assert kicks.run("directory", "import", "kicks", "--connection", okta, faulty, "--json").wire["error"]["code"] == (
        "faulty_file"
    )


def test_yes_suspends_more_than_half(kicks: Shell, okta: str, tmp_path: Path) -> None:
    command = ("directory", "import", "kicks", "--connection", okta)
    kicks.json(*command, _file(tmp_path, CSV))
    alone = _file(tmp_path, "userName\n")
    ran = kicks.run(*command, alone, "--deactivate-missing")
    assert ran.status == 1
    assert "suspend 2 of 2 active people, more than half" in ran.err
    assert kicks.json(*command, alone, "--deactivate-missing", "--yes")["people"]["deactivated"]["count"] == 2


class _Terminal(io.StringIO):
    """Stderr that somebody looks at."""

    def isatty(self) -> bool:
        return True


def test_progress_is_shown_on_a_terminal_only(
    kicks: Shell, okta: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = _Terminal()
    monkeypatch.setattr("sys.stderr", shown)
    ran = kicks.run("directory", "import", "kicks", "--connection", okta, _file(tmp_path, CSV), "--json")
    assert json.loads(ran.out)["people"]["created"]["count"] == 2
    assert "members of groups: 2 of 2" in shown.getvalue()
    assert shown.getvalue().endswith("\r")
