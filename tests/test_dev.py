"""./dev: one file of standard-library Python that sets up a checkout on a machine with nothing but Python."""

import ast
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
DEV = ROOT / "dev"
SOURCES = ("dev", "requirements.lock", "requirements-dev.lock", "bridge", "oidc", "saml", "scim", "simulated", "config")


@pytest.fixture
def dev(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """./dev as a module, its checkout an empty folder with two lock files."""
    spec = importlib.util.spec_from_loader("dev", SourceFileLoader("dev", str(DEV)))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    spec.loader.exec_module(module)
    for name in ("RUNTIME_LOCK", "DEV_LOCK"):
        monkeypatch.setattr(module, name, tmp_path / f"{name.lower()}.lock")
        getattr(module, name).write_text("flask==3.1.3\n")
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "STAMP", tmp_path / "set-up.json")
    monkeypatch.setattr(module, "PYTHON", Path(sys.executable))
    return module


def run_dev(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, DEV, *arguments], capture_output=True, text=True, check=False)


def test_help_names_every_command(dev: ModuleType) -> None:
    shown = run_dev("--help").stdout
    assert all(f"./dev {command} " in shown for command in dev.COMMANDS)


def test_every_command_explains_itself(dev: ModuleType) -> None:
    for command in dev.COMMANDS:
        assert run_dev(command, "--help").stdout.startswith(f"./dev {command}")


@pytest.mark.parametrize("arguments", [["nope"], ["setup", "nope"], ["lint", "nope"], ["lock", "nope"]])
def test_an_unknown_word_is_wrong_usage(arguments: list[str]) -> None:
    answer = run_dev(*arguments)
    assert answer.returncode == 2
    assert "'nope'" in answer.stderr
    assert "--help" in answer.stderr


def test_old_pythons_can_read_it() -> None:
    ast.parse(DEV.read_text(), feature_version=(3, 8))


def test_it_needs_the_standard_library_only() -> None:
    imports = [node for node in ast.walk(ast.parse(DEV.read_text())) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {name for node in imports for name in imported_names(node)}
    assert names <= sys.stdlib_module_names


def imported_names(node: ast.Import | ast.ImportFrom) -> list[str]:
    return [str(node.module)] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]


@pytest.mark.parametrize(("platform", "remedy"), [("linux", "apt-get install"), ("darwin", "brew install")])
def test_a_python_that_is_too_old_is_told_what_to_install(
    dev: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    platform: str,
    remedy: str,
) -> None:
    monkeypatch.setattr(dev, "supported_python", lambda: None)
    monkeypatch.setattr(sys, "platform", platform)
    with pytest.raises(SystemExit) as ended:
        dev.switch_python()
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert "needs Python 3.11" in said
    assert remedy in said


def test_without_ensurepip_it_names_the_package_that_brings_it(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dev, "has_ensurepip", lambda: False)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(SystemExit):
        dev.make_venv()
    assert "-venv" in capsys.readouterr().err


@pytest.mark.parametrize("version", [(3, 10, 9), (2, 7, 18), (3, 15, 0)])
def test_a_python_without_locked_wheels_is_not_supported(dev: ModuleType, version: tuple[int, ...]) -> None:
    assert not dev.is_supported(version)


def test_a_venv_made_from_this_lock_is_left_alone(dev: ModuleType) -> None:
    assert not dev.is_prepared(dev.RUNTIME_LOCK)
    dev.STAMP.write_text(json.dumps(dev.stamp(dev.RUNTIME_LOCK)))
    assert dev.is_prepared(dev.RUNTIME_LOCK)


def test_a_venv_for_the_tests_serves_the_demo_but_not_the_reverse(dev: ModuleType) -> None:
    dev.STAMP.write_text(json.dumps(dev.stamp(dev.DEV_LOCK)))
    assert dev.is_prepared(dev.RUNTIME_LOCK)
    dev.STAMP.write_text(json.dumps(dev.stamp(dev.RUNTIME_LOCK)))
    assert not dev.is_prepared(dev.DEV_LOCK)


@pytest.mark.parametrize("name", ["RUNTIME_LOCK", "DEV_LOCK"])
def test_a_changed_lock_is_installed(dev: ModuleType, name: str) -> None:
    dev.STAMP.write_text(json.dumps(dev.stamp(dev.DEV_LOCK)))
    getattr(dev, name).write_text("flask==3.1.4\n")
    assert not dev.is_prepared(dev.RUNTIME_LOCK)


def test_a_moved_checkout_is_set_up_again(dev: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dev.STAMP.write_text(json.dumps(dev.stamp(dev.DEV_LOCK)))
    monkeypatch.setattr(dev, "ROOT", tmp_path / "elsewhere")
    assert not dev.is_prepared(dev.RUNTIME_LOCK)


def test_a_damaged_stamp_means_setting_up_again(dev: ModuleType) -> None:
    dev.STAMP.write_text("{")
    assert not dev.is_prepared(dev.RUNTIME_LOCK)


@pytest.mark.parametrize("options", [["-n0"], ["-n", "4"], ["--pdb"]])
def test_a_caller_may_choose_how_many_processes_test(dev: ModuleType, options: list[str]) -> None:
    assert dev.parallel(options) == []


def test_tests_run_on_all_cores(dev: ModuleType) -> None:
    assert dev.parallel(["-k", "patch"])[:2] == ["-n", str(os.cpu_count())]


# -- A fresh checkout, for real ----------------------------------------------------------------------------------


def fresh_checkout(folder: Path) -> Path:
    """This checkout's sources without its .venv, in a folder whose name holds a space."""
    folder.mkdir()
    for source in SOURCES:
        copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
        copy(ROOT / source, folder / source)
    return folder


def path_with(*names: str, folder: Path) -> str:
    """A PATH of the system's own folders and of these programs only."""
    folder.mkdir()
    for name in names:
        (folder / name).symlink_to(Path(sys.executable).parent / name)
    return f"{folder}:/usr/bin:/bin"


@pytest.mark.long
@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_setup_makes_the_bridge_command_in_a_fresh_checkout(tmp_path: Path, installer: str) -> None:
    checkout = fresh_checkout(tmp_path / "a checkout")
    path = path_with(*(["uv"] if installer == "uv" else []), folder=tmp_path / "bin")
    here = {**os.environ, "PATH": path}
    set_up = subprocess.run([sys.executable, "dev", "setup"], cwd=checkout, env=here, check=False)
    assert set_up.returncode == 0
    shown = subprocess.run([checkout / ".venv/bin/bridge", "--help"], capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr
    assert "workspace" in shown.stdout


NOISE = "import sys; print('WARNING: a location is ignored\\nERROR: no such wheel', file=sys.stderr); sys.exit({})"


def test_an_installers_warnings_are_dropped_where_it_succeeds(
    dev: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    dev.calmly_call([sys.executable, "-c", NOISE.format(0)])
    assert capsys.readouterr().err == "ERROR: no such wheel\n"


def test_an_installer_that_fails_is_heard_out(dev: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        dev.calmly_call([sys.executable, "-c", NOISE.format(3)])
    assert end.value.code == 3
    assert capsys.readouterr().err.startswith("WARNING: a location is ignored\nERROR: no such wheel\nFailed: ")
