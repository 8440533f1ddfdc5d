"""`bridge export`, `bridge plan`, `bridge apply`: a workspace as one file."""

import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from difflib import ndiff
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import click

from bridge.cli.shown import wire_moved
from bridge.cli.terminal import House, Terminal, Told, told
from bridge.domain.as_code_reading import FileRead, read_file
from bridge.domain.as_code_schema import json_schema
from bridge.domain.as_code_step import Step
from bridge.domain.as_code_writing import write_file
from bridge.domain.as_code_yaml import LARGEST
from bridge.domain.errors import DomainError, Invalid
from bridge.domain.sentences import counted
from bridge.flows.as_code import (
    NAMED,
    Moves,
    NotAgreed,
    Plan,
    PlanMoved,
    PlannedStep,
    apply_file,
    export_workspace,
    plan_file,
)
from bridge.flows.as_code_outside import Found, Ways, find_outside
from bridge.flows.context import OPERATOR
from bridge.wiring import make_outside

_REFUSED = 1
_DIGEST = re.compile(r"[0-9a-f]{64}")
_SIGNS = {"create": "+", "change": "~", "delete": "-"}
_WHAT = {
    "workspace": "workspace",
    "setting": "setting",
    "label": "label",
    "resource": "resource",
    "connection": "connection",
    "domain": "domain",
    "user_group": "User Group",
    "people": "by hand in the User Group",
    "grant": "grant of",
    "mapping": "rule:",
}
_LEFT = {
    "labels": ("label", "labels"),
    "resources": ("resource", "resources"),
    "connections": ("connection", "connections"),
    "domains": ("domain", "domains"),
    "user_groups": ("User Group", "User Groups"),
    "members": ("member with something given by hand", "members with something given by hand"),
    "mappings": ("rule", "rules"),
    "people": ("person by hand in a User Group", "people by hand in User Groups"),
    "grants": ("grant", "grants"),
}
#: So many are named of each kind of what is left alone, and one more where that is the last.
_LEFT_NAMED = 3

_workspace_option = click.option(
    "--workspace", "slug", metavar="SLUG", help="Another workspace than the file names, as it stands otherwise."
)
_prune_option = click.option(
    "--prune", is_flag=True, help="What stands and isn't in the file's lists goes. People and what an IdP pushed stay."
)


# -- Export ------------------------------------------------------------------------------------------


@click.command("export")
@click.argument("workspace", required=False)
@click.option("--schema", is_flag=True, help="Print the JSON Schema of such files instead.")
@told
def export(house: House, workspace: str | None, schema: bool) -> Told:
    """Write a workspace as a file: what stands, without secrets.

    A plan of the file says that there is nothing to do.
    """
    if schema != (workspace is None):
        raise click.UsageError("Name a workspace, or --schema.")
    if workspace is None:
        return Told(json_schema(), json.dumps(json_schema(), indent=2))
    at = f"{house.context.public_url}/workspace.schema.json"
    text = write_file(export_workspace(house.context, workspace), schema=at)
    return Told({"workspace": workspace, "yaml": text}, text.rstrip("\n"))


# -- Plan and apply ----------------------------------------------------------------------------------


@click.command("plan")
@click.argument("file")
@_workspace_option
@_prune_option
@click.option("--out", metavar="FILE", help="Keep the plan there, for apply --expect.")
@told
def plan(house: House, file: str, slug: str | None, prune: bool, out: str | None) -> Told:
    """Say what applying a file would do, and who would gain or lose what. Changes nothing."""
    read, found = _read(house, file, slug)
    seen = plan_file(house.context, OPERATOR, found, read, house.now, prune=prune)
    if out is not None:
        _write(out, json.dumps({"plan": _wire(seen), "text": _text(seen)}, ensure_ascii=False, indent=2) + "\n")
    return Told({"plan": _wire(seen)}, _text(seen))


@click.command("apply")
@click.argument("file")
@_workspace_option
@_prune_option
@click.option("--yes", is_flag=True, help="Agree to whatever it takes from anybody, or deletes.")
@click.option("--expect", metavar="PLAN", help="Agree to this plan alone: the file of plan --out, or a plan's digest.")
@told
def apply(house: House, file: str, slug: str | None, prune: bool, yes: bool, expect: str | None) -> Told:
    """Make a workspace what a file says: all of it, or nothing.

    Before anybody loses access, or anything is deleted, it asks; where nobody can answer, it is refused.
    """
    read, found = _read(house, file, slug)
    run = partial(apply_file, house.context, OPERATOR, found, read, house.now, prune=prune)
    expected = _expected(expect) if expect is not None else None
    try:
        done = run(agreed=yes, expect=expected.digest if expected else None)
    except PlanMoved as moved:
        _refuse(moved, moved.plan, expected)
    except NotAgreed as asking:
        if not _agrees(asking.plan):
            _refuse(asking, asking.plan, None)
        done = run(expect=asking.plan.digest)
    return Told({"applied": _wire(done)}, _text(done, done=True))


def _agrees(seen: Plan) -> bool:
    terminal = click.get_current_context().find_object(Terminal)
    if not sys.stdin.isatty() or terminal is None or terminal.is_json:
        return False
    print(_text(seen), file=sys.stderr)
    return click.confirm("Apply this?", err=True)


@dataclass(frozen=True, slots=True)
class _Expected:
    """A plan that was agreed to: its digest, and its text where it was kept."""

    digest: str
    text: str | None = None


def _expected(given: str) -> _Expected:
    if _DIGEST.fullmatch(given):
        return _Expected(given)
    try:
        kept = json.loads(Path(given).read_bytes())
        return _Expected(str(kept["plan"]["digest"]), str(kept["text"]))
    except OSError as error:
        raise click.UsageError(f"--expect: {given}: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise click.UsageError(f"--expect: {given} isn't what plan --out wrote.") from error


def _refuse(error: DomainError, seen: Plan, expected: _Expected | None) -> NoReturn:
    """Say why, and what the plan is by now; where the one agreed to was kept, in what they differ."""
    terminal = click.get_current_context().find_object(Terminal)
    text, before = _text(seen), expected.text if expected else None
    differs = (
        [] if before is None else [line for line in ndiff(before.splitlines(), text.splitlines()) if line[0] in "+-"]
    )
    if terminal is not None and terminal.is_json:
        wire = {"error": {"code": error.code, "message": error.text}, "plan": _wire(seen)}
        print(json.dumps(wire | ({"differs": differs} if expected else {}), ensure_ascii=False), flush=True)
    else:
        print("\n".join(differs) if differs else text, flush=True)
        print(error.text, file=sys.stderr, flush=True)
    raise click.exceptions.Exit(_REFUSED)


# -- Reading -----------------------------------------------------------------------------------------


def _read(house: House, file: str, slug: str | None) -> tuple[FileRead, Found]:
    read = read_file(_bytes(file))
    if slug is not None:
        read = replace(read, workspace=replace(read.workspace, slug=slug))
    outside = make_outside(house.settings)
    folder = Path.cwd() if file == "-" else Path(file).parent
    ways = Ways(os.environ, partial(_beside, folder), outside.fetch, outside.calls.turn)
    return read, find_outside(house.context, read.workspace.slug, read, ways, datetime.now(UTC))


def _bytes(file: str) -> bytes:
    if file == "-":
        return sys.stdin.read(LARGEST + 1).encode("utf-8", "surrogateescape")
    try:
        with Path(file).open("rb") as opened:
            return opened.read(LARGEST + 1)
    except OSError as error:
        raise click.UsageError(f"{file}: {error.strerror}.") from error


def _beside(folder: Path, name: str) -> bytes:
    """A file that the file names, as seen from its folder. Raises Invalid."""
    try:
        with (folder / name).open("rb") as opened:
            return opened.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        raise Invalid(f"{name[:200]}: {getattr(error, 'strerror', None) or 'is no name of a file'}.") from error


def _write(file: str, text: str) -> None:
    try:
        Path(file).write_text(text)
    except OSError as error:
        raise click.UsageError(f"--out: {file}: {error.strerror}.") from error


# -- Showing -----------------------------------------------------------------------------------------


def _wire(seen: Plan) -> dict[str, Any]:
    steps = [{"line": one.line or None, **_wire_step(one.step)} for one in seen.steps]
    return {
        "workspace": seen.workspace.slug,
        "digest": seen.digest,
        "changes": steps,
        "gains": wire_moved(seen.gains.people) | {"count": seen.gains.count},
        "loses": wire_moved(seen.loses.people) | {"count": seen.loses.count},
        "left_alone": [
            {"what": what, "count": len(names), "names": list(names[:NAMED])} for what, names in seen.left_alone.items()
        ],
        "secrets_kept": list(seen.kept),
        "needs_agreement": seen.takes,
    }


def _wire_step(step: Step) -> dict[str, Any]:
    fields = [{"name": one.name, "before": one.before, "after": one.after} for one in step.fields]
    return {"action": step.action, "what": step.what, "name": step.name, "fields": fields}


def _text(seen: Plan, *, done: bool = False) -> str:
    return "\n".join(_printable(line) for line in _lines(seen, done))


def _printable(line: str) -> str:
    """Without anything that a terminal would obey: names come from elsewhere."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in line)


def _lines(seen: Plan, done: bool) -> Iterator[str]:
    yield _head(seen, done)
    for one in seen.steps:
        yield from _step(one)
    yield from _people("+", "gains access", "gain access", seen.gains)
    yield from _people("-", "loses access", "lose access", seen.loses)
    if seen.left_alone:
        yield "Not in the file, and left alone:"
    for what, names in seen.left_alone.items():
        few = (
            list(names)
            if len(names) <= _LEFT_NAMED + 1
            else [*names[:_LEFT_NAMED], f"{len(names) - _LEFT_NAMED:,} more"]
        )
        yield f"    {counted(len(names), *_LEFT[what])}: {'; '.join(few)}"
    if seen.kept:
        yield f"The client secret of {', '.join(seen.kept)} stays what it is; nobody compares it."
    if not done:
        yield f"Digest: {seen.digest}"


def _head(seen: Plan, done: bool) -> str:
    if not seen.steps:
        return f"{seen.workspace.slug} is what the file says: nothing to do."
    words = ("created", "changed", "deleted") if done else ("to create", "to change", "to delete")
    counts = [sum(one.step.action == action for one in seen.steps) for action in _SIGNS]
    return f"{seen.workspace.slug}: {', '.join(f'{n:,} {word}' for n, word in zip(counts, words, strict=True))}."


def _step(one: PlannedStep) -> Iterator[str]:
    step, where = one.step, f"  (line {one.line})" if one.line else ""
    yield f"  {_SIGNS[step.action]} {_WHAT[step.what]} {step.name}{where}"
    for said in step.fields:
        before = None if said.before == step.name else said.before  # a rule's sentence stands above
        values = [value for value in (before, said.after) if value is not None]
        yield f"      {said.name}: {' → '.join(values)}"


def _people(sign: str, singular: str, plural: str, moves: Moves) -> Iterator[str]:
    if moves.count:
        yield f"{counted(moves.count, 'person', 'people')} {singular if moves.count == 1 else plural}:"
    for person in moves.people:
        what = "; ".join(f"{given.role.name} on {', '.join(given.scope.render())}" for given in person.roles)
        yield f"  {sign} {person.email}: {what}"
    if moves.count > len(moves.people):
        yield f"  {sign} and {moves.count - len(moves.people):,} more"
