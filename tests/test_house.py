"""The house rules, held by machine: who imports whom, how long a function is, how things are named."""

import ast
import os
import re
import shutil
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests import conftest as order

ROOT = Path(__file__).parent.parent
PACKAGES = ("bridge", "oidc", "saml", "scim", "simulated")
GENERATED = "bridge/storage/migrations/versions/"
EMPTY_WORDS = {"util", "helper", "common", "manager", "handler", "process", "processor", "data", "info"}
LOCKS = ("requirements.lock", "requirements-dev.lock", "tests/node/package-lock.json")
INDEX_ADDRESS = re.compile(
    r"://(?:[^/\s\"']*(?:pypi|pythonhosted|npmjs|registry|artifactory|devpi)|[\w./:-]*/simple\b)"
)

BARE_MODULES = (
    *(
        "bridge",
        "bridge.app",
        "bridge.wiring",
        "bridge.server",
        "bridge.lines",
        "bridge.settings",
        "bridge.cli",
        "bridge.worker",
    ),
    *("bridge.web", "bridge.flows", "bridge.outside", "bridge.storage", "bridge.domain"),
    *("saml", "saml.toolkit", "saml.response", "oidc", "oidc.toolkit", "oidc.token", "scim", "simulated"),
    *("simulated.company_idp", "simulated.google", "simulated.twilio"),
)
FORBIDDEN_IMPORTS = [
    ("bridge.flows", "bridge.web"),
    ("bridge.flows", "bridge.outside"),
    ("bridge.flows", "bridge.settings"),
    ("bridge.flows", "werkzeug"),
    ("bridge.flows", "sqlalchemy"),
    ("bridge.storage", "bridge.flows"),
    ("bridge.storage", "bridge.app"),
    ("bridge.flows", "bridge.wiring"),
    ("bridge.wiring", "bridge.app"),
    ("bridge.domain", "bridge.storage"),
    ("bridge.domain", "scim"),
    ("bridge.domain", "sqlalchemy"),
    ("bridge.web", "bridge.app"),
    ("bridge.web", "bridge.cli"),
    ("bridge.web", "bridge.storage"),
    ("bridge.web", "bridge.settings"),
    ("bridge.web", "sqlalchemy"),
    ("bridge.cli", "bridge.storage"),
    ("bridge.outside", "bridge.storage"),
    ("bridge.cli", "simulated"),
    ("scim", "bridge.domain"),
    ("scim", "saml"),
    ("scim", "flask"),
    ("saml", "requests"),
    ("saml.response", "onelogin"),
    ("bridge.web", "onelogin"),
    ("oidc", "saml"),
    ("oidc", "requests"),
    ("oidc.token", "authlib"),
    ("bridge.web", "joserfc"),
    ("simulated", "bridge"),
    ("simulated", "scim"),
    ("simulated.twilio", "simulated.google"),
]
ALLOWED_IMPORTS = [
    ("bridge.app", "bridge.settings"),
    ("bridge.app", "bridge.wiring"),
    ("bridge.wiring", "bridge.flows"),
    ("bridge.wiring", "bridge.outside"),
    ("bridge.cli", "bridge.wiring"),
    ("bridge.cli", "bridge.app"),
    ("bridge.cli", "bridge.server"),
    ("bridge.server", "bridge.app"),
    ("bridge.web", "bridge.flows"),
    ("bridge.web", "bridge.outside"),
    ("bridge.web", "scim"),
    ("bridge.worker", "bridge.outside"),
    ("bridge.flows", "bridge.storage"),
    ("bridge.storage", "sqlalchemy"),
    ("saml.toolkit", "onelogin"),
    ("oidc.toolkit", "authlib"),
    ("oidc.toolkit", "joserfc"),
]

Function = ast.FunctionDef | ast.AsyncFunctionDef


# -- What is measured --------------------------------------------------------------------------------------------


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the house by its path; migrations are generated and left out."""
    paths = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    named = {path.relative_to(ROOT).as_posix(): path for path in paths}
    return {name: ast.parse(path.read_bytes()) for name, path in named.items() if not name.startswith(GENERATED)}


@cache
def texts() -> dict[str, str]:
    """Every text file that is, or would be, in the repository."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    contents = {name: (ROOT / name).read_bytes() for name in names if (ROOT / name).is_file()}
    return {name: content.decode() for name, content in contents.items() if b"\0" not in content[:8192]}


def functions(tree: ast.Module) -> Iterator[Function]:
    """Every function and method, inner ones too."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def length(function: Function) -> int:
    """A function's lines from `def` to its last, without its docstring."""
    first = function.body[0]
    docstring = (first.end_lineno or 0) - first.lineno + 1 if ast.get_docstring(function) is not None else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring


def public_functions(body: list[ast.stmt]) -> Iterator[Function]:
    """The functions and methods of this scope that others may call by name."""
    for node in body:
        if isinstance(node, Function) and not node.name.startswith("_") and not is_overload(node):
            yield node
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node.body)


def is_overload(function: Function) -> bool:
    """Whether this only states types, or sets what its getter describes."""
    names = {ast.unparse(decorator).rpartition(".")[2] for decorator in function.decorator_list}
    return bool(names & {"overload", "setter"})


def words(name: str) -> set[str]:
    """The words of a snake_case or CamelCase name, in the singular."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    return {part.lower() if part.lower() in EMPTY_WORDS else part.lower().removesuffix("s") for part in parts}


# -- Who imports whom --------------------------------------------------------------------------------------------


def lint_imports(checkout: Path) -> subprocess.CompletedProcess[str]:
    """Check the packages in a folder against the contracts in its pyproject.toml."""
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache", "--no-logo"]
    here = {**os.environ, "PYTHONPATH": str(checkout), "NO_COLOR": "1", "COLUMNS": "200"}
    return subprocess.run(command, cwd=checkout, env=here, capture_output=True, text=True, check=False)


def test_import_contracts_hold() -> None:
    checked = lint_imports(ROOT)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.fixture
def bare_house(tmp_path: Path) -> Path:
    """The house without its furniture: the contracts, and an empty package for each module they name."""
    for module in BARE_MODULES:
        folder = tmp_path / module.replace(".", "/")
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_an_empty_house_holds_the_import_contracts(bare_house: Path) -> None:
    checked = lint_imports(bare_house)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize(("importer", "imported"), FORBIDDEN_IMPORTS)
def test_a_forbidden_import_breaks_a_contract(bare_house: Path, importer: str, imported: str) -> None:
    (bare_house / importer.replace(".", "/") / "__init__.py").write_text(f"import {imported}\n")
    checked = lint_imports(bare_house)
    assert checked.returncode == 1
    assert f"{importer} -> {imported} (l.1)" in checked.stdout


@pytest.mark.long  # `./dev lint` would say so too
@pytest.mark.parametrize(("importer", "imported"), ALLOWED_IMPORTS)
def test_an_allowed_import_breaks_none(bare_house: Path, importer: str, imported: str) -> None:
    (bare_house / importer.replace(".", "/") / "__init__.py").write_text(f"import {imported}\n")
    checked = lint_imports(bare_house)
    assert checked.returncode == 0, checked.stdout


def test_every_package_stands_under_the_import_contracts() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    present = {package for package in PACKAGES if (ROOT / package).is_dir()}
    assert set(contracts["root_packages"]) == present


def test_an_import_circle_breaks_a_contract(bare_house: Path) -> None:
    for name, other in (("aller", "retour"), ("retour", "aller")):
        (bare_house / "scim" / f"{name}.py").write_text(f"from scim import {other}\n")
    checked = lint_imports(bare_house)
    assert checked.returncode == 1
    assert "No import circles BROKEN" in checked.stdout


def test_no_function_imports() -> None:
    late = {
        f"{path}:{node.lineno}"
        for path, tree in modules().items()
        for function in functions(tree)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert late == set()


# -- How long a function is --------------------------------------------------------------------------------------


def lengths() -> dict[str, int]:
    return {
        f"{path}:{function.lineno} {function.name}": length(function)
        for path, tree in modules().items()
        for function in functions(tree)
    }


def test_half_of_all_functions_have_ten_lines_at_most() -> None:
    assert statistics.median(lengths().values()) <= 10


def test_nine_of_ten_functions_have_thirty_lines_at_most() -> None:
    assert statistics.quantiles(lengths().values(), n=10)[8] <= 30


def test_no_function_is_longer_than_sixty_lines() -> None:
    assert {name: lines for name, lines in lengths().items() if lines > 60} == {}


# -- How things are named and described --------------------------------------------------------------------------


def test_no_module_or_class_has_an_empty_name() -> None:
    names = {part for path in modules() for part in path.removesuffix(".py").split("/")}
    for tree in modules().values():
        names |= {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    assert {name for name in names if words(name) & EMPTY_WORDS} == set()


def test_every_package_has_a_page() -> None:
    folders = {path.rpartition("/")[0] for path in modules()}
    silent = {
        folder
        for folder in folders
        if not ast.get_docstring(modules().get(f"{folder}/__init__.py", ast.Module([], [])))
    }
    assert silent == set()


def test_every_public_function_has_a_docstring() -> None:
    silent = {
        f"{path}:{function.lineno} {function.name}"
        for path, tree in modules().items()
        for function in public_functions(tree.body)
        if ast.get_docstring(function) is None
    }
    assert silent == set()


# -- What the files hold -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_holds_no_address(lock: str) -> None:
    assert "://" not in (ROOT / lock).read_text()


def test_no_file_names_a_package_index() -> None:
    assert {name for name, text in texts().items() if INDEX_ADDRESS.search(text)} == set()


def pins(lock: str) -> dict[str, Version]:
    """The versions that a lock file pins, by package."""
    found = re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / lock).read_text(), flags=re.MULTILINE)
    return {canonicalize_name(name): Version(version) for name, version in found}


def test_the_locks_satisfy_pyproject() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = {
        "requirements.lock": project["project"]["dependencies"],
        "requirements-dev.lock": project["project"]["dependencies"] + project["dependency-groups"]["dev"],
    }
    for lock, requirements in wanted.items():
        for requirement in map(Requirement, requirements):
            assert pins(lock)[canonicalize_name(requirement.name)] in requirement.specifier, "run ./dev lock"


def test_the_tests_run_on_the_versions_that_are_shipped() -> None:
    assert pins("requirements.lock").items() <= pins("requirements-dev.lock").items()


# -- The measures themselves -------------------------------------------------------------------------------------


def test_length_counts_all_lines_but_the_docstring() -> None:
    code = 'def f(\n    a: int,\n) -> int:\n    """One.\n\n    Two.\n    """\n\n    # why\n    return a\n'
    assert length(next(functions(ast.parse(code)))) == 6


@pytest.mark.parametrize("name", ["utils", "UserInfo", "form_helpers", "SAMLManager", "process"])
def test_an_empty_word_is_seen_in_any_spelling(name: str) -> None:
    assert words(name) & EMPTY_WORDS


@pytest.mark.parametrize("name", ["database", "SpMetadata", "provision", "subprocess"])
def test_a_word_that_only_ends_like_an_empty_one_is_fine(name: str) -> None:
    assert not words(name) & EMPTY_WORDS


def test_public_functions_are_those_with_a_public_way_to_them() -> None:
    code = "def a(): pass\ndef _b(): pass\nclass C:\n  def d(): pass\n  def __eq__(): pass\nclass _E:\n  def f(): pass"
    assert [function.name for function in public_functions(ast.parse(code).body)] == ["a", "d"]


def test_every_file_that_the_order_of_tests_names_is_there() -> None:
    named = {*order.FIRST, *order.BOTH_ENGINES_ALWAYS, *order.ONLY_IN_THE_LONG_RUN, order.LAST.partition("::")[0]}
    assert [path for path in named if not (ROOT / path).is_file()] == []
