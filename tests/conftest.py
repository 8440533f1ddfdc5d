"""What every test can count on: options and profiles, and that whatever was skipped is said aloud.

Databases come from tests/databases.py. A test marked `long` runs with --long only. A test marked `browser` or `node`
is skipped where Chromium or Node's peers are missing, and fails there instead when BRIDGE_TEST_REQUIRE_BROWSER=1 or
BRIDGE_TEST_REQUIRE_NODE=1 says that they must be there, as in CI (and BRIDGE_TEST_REQUIRE_POSTGRES=1, likewise). So is
one marked `simplesamlphp`.
"""

import os
import re
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

pytest_plugins = ["tests.databases", "tests.certificate", "tests.costs", "tests.chromium"]

NODE_PEERS = Path(__file__).parent / "node"
OLDEST_NODE = 20
SIMPLESAMLPHP = Path("/usr/share/simplesamlphp")
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_ON_MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")


# -- Hypothesis profiles: few examples, always the same; many, and new ones each time but in CI ------------------

SLOW_MACHINES_ARE_FINE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("short", SLOW_MACHINES_ARE_FINE, max_examples=20, derandomize=True, database=None)
settings.register_profile(
    "long",
    SLOW_MACHINES_ARE_FINE,
    max_examples=30,
    derandomize=bool(os.environ.get("CI")),  # there, a failure is the change's own, not a lucky find
    print_blob=True,
)


# -- The option --long -------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --long."""
    text = "also run the tests marked long, and many generated examples (CI does; at most 20 minutes)"
    parser.addoption("--long", action="store_true", help=text)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Load the profile, before Hypothesis reads --hypothesis-profile, which may name another one."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # by a shell that started us in the background
        signal.signal(signal.SIGINT, signal.default_int_handler)  # programs that tests start inherit it
    is_long = config.getoption("--long")
    settings.load_profile("long" if is_long else "short")
    if is_long and config.option.timeout is None:
        config.option.timeout = 600


# -- Chromium, Node and PHP ---------------------------------------------------------------------------------------


@cache
def find_chromium() -> Path | None:
    """A Chromium on this machine: the one BRIDGE_TEST_CHROMIUM names, else the first on PATH."""
    named = os.environ.get("BRIDGE_TEST_CHROMIUM")
    paths = [named] if named else [*map(shutil.which, CHROMIUM_NAMES), str(CHROMIUM_ON_MAC)]
    return next((Path(path) for path in paths if path and Path(path).exists()), None)


@cache
def find_node() -> Path | None:
    """Node, when it is new enough and `./dev test` has installed the peers of tests/node."""
    node = shutil.which("node")
    if node is None or not (NODE_PEERS / "node_modules").is_dir():
        return None
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"v(\d+)", answer)
    return Path(node) if version and int(version.group(1)) >= OLDEST_NODE else None


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    """The browser for Playwright's `executable_path`; for tests marked `browser`."""
    path = find_chromium()
    assert path is not None, "mark the test with @pytest.mark.browser"
    return path


@pytest.fixture(scope="session")
def node_path() -> Path:
    """Node's executable, to be run with `cwd=NODE_PEERS` (tests/node); for tests marked `node`."""
    path = find_node()
    assert path is not None, "mark the test with @pytest.mark.node"
    return path


@cache
def find_simplesamlphp() -> Path | None:
    """SimpleSAMLphp as Debian packages it, with a PHP that can run it."""
    return SIMPLESAMLPHP if shutil.which("php") and (SIMPLESAMLPHP / "www" / "module.php").exists() else None


# -- What can't run here, and how to get it ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Need:
    """Something outside Python that tests marked with its name can't do without."""

    marker: str
    find: Callable[[], Path | None]
    missing: str
    remedy: str

    @property
    def is_required(self) -> bool:
        """Whether the environment turns a skip into a failure."""
        return os.environ.get(f"BRIDGE_TEST_REQUIRE_{self.marker.upper()}") == "1"


NEEDS = (
    Need(
        "browser",
        find_chromium,
        "no Chromium",
        "apt-get install chromium, or name one in BRIDGE_TEST_CHROMIUM",
    ),
    Need(
        "node",
        find_node,
        f"no Node >= {OLDEST_NODE} with the peers of tests/node",
        f"install Node >= {OLDEST_NODE} and npm; ./dev test does the rest",
    ),
    Need(
        "simplesamlphp",
        find_simplesamlphp,
        "no SimpleSAMLphp",
        "on Debian, apt-get install --no-install-recommends simplesamlphp php-cli php-xml",
    ),
)


#: Rooms whose tests say nothing of their own about an engine: PostgreSQL has its turn there in the long run. Storage
#: runs on both engines always.
ONE_ENGINE_WILL_DO = (
    "tests/flows/",
    "tests/web/",
    "tests/properties/",
    "tests/conformance/",
    "tests/cli/",
    "tests/browser/",
    "tests/story/",
)


#: Files in those rooms that are about what engines do differently: races, locks, statements, large sets.
BOTH_ENGINES_ALWAYS = (
    "tests/flows/test_at_once.py",
    "tests/flows/test_last_owner.py",
    "tests/flows/test_provision_groups.py",
    "tests/flows/test_statements.py",
)


#: Whole files for the long run: each of their tests is quick, and there are hundreds.
ONLY_IN_THE_LONG_RUN = (
    "tests/simulated/test_examiner.py",
    "tests/web/test_saml_logout.py",
    "tests/web/test_scim_hostile.py",
    "tests/web/test_scim_openapi.py",
)

#: Files that take longest: they come first, or one worker would be alone with one of them while the others are done.
FIRST = (
    "tests/cli/test_demo.py",
    "tests/browser/test_gallery.py",
    "tests/browser/test_demo.py",
    "tests/story/test_story.py",
    "tests/web/test_saml_corpus.py",
    "tests/web/test_oidc_corpus.py",
    "tests/flows/test_import_directory.py",
    "tests/story/test_kill.py",
    "tests/web/test_saml_attacks_over_http.py",
    "tests/saml/test_fuzz.py",
    "tests/browser/test_signing_in.py",
    "tests/simulated/test_examiner.py",
    "tests/web/test_scim_openapi.py",
)

#: These come last, each on its own to whichever worker is free: hundreds, of a second each.
LAST = "tests/properties/test_guards.py::test_without_it"


class ByFile(LoadFileScheduling):  # type: ignore[misc]
    """The tests of a file go to one worker, one file after the other, but for those that come last."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid if nodeid.startswith(LAST) else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile | None:
    """Give tests out by `ByFile` for --dist loadfile, which ./dev test asks for."""
    return ByFile(config, log) if config.option.dist == "loadfile" else None


def turn(item: pytest.Item) -> int:
    """When it comes, among all."""
    path = item.nodeid.partition("::")[0]
    if item.nodeid.startswith(LAST):
        return len(FIRST) + 1
    return FIRST.index(path) if path in FIRST else len(FIRST)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put items in their turn. Mark as long what the other engine has said already, and the files named above; not in
    a file that was asked for by its name.
    """
    items.sort(key=turn)
    asked_for = {(config.invocation_params.dir / arg.partition("::")[0]).resolve() for arg in config.args}
    for item in items:
        if item.path in asked_for:
            continue
        room = item.path.relative_to(config.rootpath).as_posix()
        if room in ONLY_IN_THE_LONG_RUN:
            item.add_marker(pytest.mark.long)
        engine = getattr(item, "callspec", None) and item.callspec.params.get("engine")  # type: ignore[attr-defined]
        one_will_do = room.startswith(ONE_ENGINE_WILL_DO) and room not in BOTH_ENGINES_ALWAYS
        if engine == "postgresql" and one_will_do:
            item.add_marker(pytest.mark.long)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave out long tests; skip what can't run here, or fail where it was promised to."""
    if item.get_closest_marker("long") and not item.config.getoption("--long"):
        pytest.skip("long; ./dev test --long runs it")
    for need in NEEDS:
        if item.get_closest_marker(need.marker) and need.find() is None:
            stop = pytest.fail if need.is_required else pytest.skip
            stop(f"{need.missing}: {need.remedy}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in the last lines what was skipped and how to get it."""
    reasons = Counter(str(report.longrepr[2]) for report in terminalreporter.stats.get("skipped", []))
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"{count} skipped: {reason.removeprefix('Skipped: ')}", yellow=True)
