"""`bridge directory`: a connection's people and groups, from a file."""

import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import click

from bridge.cli.terminal import House, Told, told
from bridge.domain.imports import Counted, ImportReport
from bridge.flows.import_directory import ImportOptions, import_directory
from scim.file_forms import parse_directory_file

_PROGRESS_WIDTH = 60


@click.group()
def directory() -> None:
    """What a company's IdP says: its people and groups."""


@directory.command("import")
@click.argument("workspace")
@click.option("--connection", "connection_id", metavar="ID", required=True, help="Into whose directory.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would change. Changes nothing.")
@click.option("--deactivate-missing", is_flag=True, help="Suspend whoever isn't in the file.")
@click.option("--yes", is_flag=True, help="Suspend more than half of the active people, if that is what comes of it.")
@told
def import_(
    house: House, workspace: str, connection_id: str, file: Path, dry_run: bool, deactivate_missing: bool, yes: bool
) -> Told:
    """Bring a connection's people and groups to what FILE says: CSV, SCIM resources as JSON, or a SCIM Bulk request.

    All of it or nothing, as if the IdP had pushed it.
    """
    options = ImportOptions(dry_run=dry_run, deactivate_missing=deactivate_missing, suspend_many=yes)
    parsed, progress = parse_directory_file(_read(file)), _progress()
    try:
        report = import_directory(house.context, workspace, connection_id, parsed, options, house.now, progress)
    finally:
        progress("", 0, 0)
    return Told(_wire(report, dry_run), _text(report, dry_run))


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise click.UsageError(f"{file}: {error.strerror}.") from error


def _progress() -> Callable[[str, int, int], None]:
    """One line on stderr that is written over, if somebody is looking at it; empty again for nothing of nothing."""
    if not sys.stderr.isatty():
        return lambda _what, _done, _all: None

    def show(what: str, done: int, of: int) -> None:
        line = f"{what}: {done:,} of {of:,}" if of else ""
        print(f"\r{line:<{_PROGRESS_WIDTH}}", end="\r", file=sys.stderr, flush=True)

    return show


def _wire(report: ImportReport, dry_run: bool) -> dict[str, object]:
    return {
        "dry_run": dry_run,
        "people": {
            "created": asdict(report.people_created),
            "changed": asdict(report.people_changed),
            "deactivated": asdict(report.people_deactivated),
            "reactivated": asdict(report.people_reactivated),
            "unchanged": report.people_unchanged,
        },
        "groups": {"created": asdict(report.groups_created), "changed": asdict(report.groups_changed)},
        "members": {"added": asdict(report.members_added), "removed": asdict(report.members_removed)},
    }


def _text(report: ImportReport, dry_run: bool) -> str:
    parts = (
        ("people created", report.people_created),
        ("people changed", report.people_changed),
        ("people deactivated", report.people_deactivated),
        ("people reactivated", report.people_reactivated),
        ("groups created", report.groups_created),
        ("groups changed", report.groups_changed),
        ("members added", report.members_added),
        ("members removed", report.members_removed),
    )
    lines = [f"  {part.count:>7,} {what}{_first(part)}" for what, part in parts if part.count]
    head = "This would change:" if dry_run else "Changed:"
    if not lines:
        head = "This would change nothing." if dry_run else "The directory is as the file says already."
    return "\n".join([head, *lines, f"  {report.people_unchanged:>7,} people unchanged"])


def _first(part: Counted) -> str:
    return f": {'; '.join(part.first)}{'; …' if part.count > len(part.first) else ''}"
