"""The Dockerfile, without an engine: linted, its facts checked, and its steps run in a folder."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

ROOT = Path(__file__).parent.parent
HOME = "/srv/bridge"


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction of a Dockerfile: `RUN`, and what follows."""

    instruction: str
    rest: str

    @property
    def words(self) -> list[str]:
        return self.rest.split()

    @property
    def command(self) -> list[str]:
        """The words of a CMD in exec form."""
        form: list[str] = json.loads(self.rest[self.rest.index("[") :])
        return form


def stages() -> list[list[Step]]:
    """The Dockerfile's steps by stage, each beginning with FROM."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    found: list[list[Step]] = []
    for instruction, _, rest in (line.partition(" ") for line in lines if line):
        if instruction == "FROM":
            found.append([])
        found[-1].append(Step(instruction, rest.strip()))
    return found


def all_of(instruction: str) -> list[Step]:
    return [step for step in stages()[-1] if step.instruction == instruction]


def the_only(instruction: str) -> Step:
    (step,) = all_of(instruction)
    return step


def sources_from_the_checkout() -> list[str]:
    copies = [step for stage in stages() for step in stage if step.instruction == "COPY"]
    return [source for step in copies if "--from=" not in step.rest for source in step.words[:-1]]


def test_hadolint_finds_no_fault() -> None:
    checked = subprocess.run(
        [Path(sys.executable).parent / "hadolint", "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout


def test_the_bridge_does_not_run_as_root() -> None:
    user = the_only("USER").rest
    assert int(user) > 0  # a number: Kubernetes' runAsNonRoot can't look a name up
    assert any(f"useradd --system --uid {user} " in step.rest for step in all_of("RUN"))


def test_the_image_is_made_without_the_tools_of_development() -> None:
    assert [step.rest for step in stages()[0] if step.instruction == "RUN"] == ["./dev setup"]


def test_the_image_holds_every_package_of_the_house() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert packages <= set(sources_from_the_checkout())


def test_everything_copied_exists_and_is_let_in_by_dockerignore() -> None:
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert let_in == set(sources_from_the_checkout())
    assert {source for source in let_in if not (ROOT / source).exists()} == set()


def test_secrets_and_state_stay_out_of_the_build() -> None:
    patterns = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] not in {"#", "!", ""}]
    assert all(any(fnmatch(name, pattern) for pattern in patterns) for name in ("var", ".git", ".venv", ".env"))


# -- The healthcheck ---------------------------------------------------------------------------------------------


@contextmanager
def bridge_that_answers(status: int) -> Iterator[int]:
    """A server on a free port of this machine that answers /healthz with one status."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def check_health(port: int) -> int:
    command = [part.replace(":8000/", f":{port}/") for part in the_only("HEALTHCHECK").command]
    return subprocess.run([sys.executable, *command[1:]], stderr=subprocess.DEVNULL, check=False).returncode


def test_a_bridge_that_answers_is_healthy() -> None:
    with bridge_that_answers(200) as port:
        assert check_health(port) == 0


def test_a_bridge_that_fails_is_unhealthy() -> None:
    with bridge_that_answers(503) as port:
        assert check_health(port) != 0


def test_a_bridge_that_is_gone_is_unhealthy() -> None:
    with bridge_that_answers(200) as port:
        pass
    assert check_health(port) != 0


# -- The steps, run in a folder in place of /srv/bridge ----------------------------------------------------------


def carry_out(step: Step, home: Path, environment: dict[str, str]) -> None:
    """Do what a COPY, ENV or RUN says, inside a folder; steps that change the system are left out."""
    if step.instruction == "COPY" and "--from=" not in step.rest:
        for source in step.words[:-1]:
            copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
            copy(ROOT / source, home / source)
    elif step.instruction == "ENV":
        assignments = dict(word.split("=", 1) for word in step.words)
        environment |= {
            name: value.replace(HOME, str(home)).replace("$PATH", environment["PATH"])
            for name, value in assignments.items()
        }
    elif step.instruction == "RUN" and "useradd" not in step.rest:
        subprocess.run(["/bin/sh", "-c", step.rest], cwd=home, env=environment, check=True)


@pytest.mark.long
def test_the_steps_make_a_bridge_that_starts(tmp_path: Path) -> None:
    environment = dict(os.environ)
    for stage in stages():
        for step in stage:
            carry_out(step, tmp_path, environment)
    command = the_only("CMD").command
    program = shutil.which(command[0], path=environment["PATH"])
    assert program == str(tmp_path / ".venv/bin" / command[0])
    asked = [program, *command[1:], "--help"]
    shown = subprocess.run(asked, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr
    assert "--port" in shown.stdout
