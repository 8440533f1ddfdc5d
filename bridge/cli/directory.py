"""`bridge directory`: a connection's people and groups, from a file; who has no account; what groups are tied to."""

import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import click

from bridge.cli.previews import foretell
from bridge.cli.shown import table, wire_time
from bridge.cli.terminal import House, Told, told
from bridge.domain.imports import Counted, ImportReport
from bridge.domain.previews import DeleteIdpGroup
from bridge.domain.waiting_records import WaitingRecord
from bridge.flows.import_directory import ImportOptions, import_directory
from bridge.flows.tie_groups import TiedGroup, list_groups
from bridge.flows.waiting_records import list_waiting_records
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


@directory.command("unlinked")
@click.argument("workspace")
@click.option("--connection", "connection_id", metavar="ID", required=True, help="Of whose directory.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, help="How many, 100 otherwise.")
@told
def unlinked(house: House, workspace: str, connection_id: str, limit: int) -> Told:
    """List pushed people who have no account, with the reason and what to do."""
    found = list_waiting_records(house.context, workspace, connection_id, size=limit)
    idp = found.connection.name
    wire = [_wire_waiting(one, idp) for one in found.records]
    lines = [f"{one.user_name} ({one.name}), {one.id}\n    {one.why} {one.advice(idp)}" for one in found.records]
    head = f"{found.total:,} without an account." if found.total else "Everybody whom it pushed has an account."
    return Told({"records": wire, "count": found.total}, "\n".join([head, *lines]))


@directory.command("groups")
@click.argument("workspace")
@click.option("--connection", "connection_id", metavar="ID", required=True, help="Of whose directory.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, help="How many, 100 otherwise.")
@told
def groups(house: House, workspace: str, connection_id: str, limit: int) -> Told:
    """List pushed groups by name, each with the User Group it is tied to."""
    found = list_groups(house.context, workspace, connection_id, size=limit)
    rows = [(one.id, one.name, f"{one.members:,}", _tied_to(one)) for one in found.groups]
    wire = [_wire_group(one) for one in found.groups]
    return Told({"groups": wire, "count": found.total}, table(["Id", "IdP group", "People", "User Group"], rows))


@directory.command("preview-deletion")
@click.argument("workspace")
@click.option("--connection", "connection_id", metavar="ID", required=True, help="Whose pushed group,")
@click.option("--group-id", metavar="ID", required=True, help="by the id that `bridge directory groups` tells.")
@told
def preview_deletion(house: House, workspace: str, connection_id: str, group_id: str) -> Told:
    """Say who would gain and lose what, were the IdP to delete a group. Changes nothing: only the IdP can do it."""
    return foretell(house, workspace, DeleteIdpGroup(connection_id, group_id))


def _wire_waiting(one: WaitingRecord, idp: str) -> dict[str, object]:
    said = {"id": one.id, "user_name": one.user_name, "name": one.name, "email": one.email, "active": one.active}
    return {**said, "since": wire_time(one.since), "reason": one.reason, "why": one.why, "advice": one.advice(idp)}


def _wire_group(one: TiedGroup) -> dict[str, object]:
    user_group = one.user_group and {"id": one.user_group[0], "name": one.user_group[1]}
    return {
        "id": one.id, "name": one.name, "member_count": one.members,
        "user_group": user_group, "tie": one.tie.origin if one.tie else None,
    }  # fmt: skip


def _tied_to(one: TiedGroup) -> str:
    if one.tie is None or one.user_group is None:
        return ""
    return f"{one.user_group[1]} ({'mirror' if one.tie.origin == 'mirror' else 'linked'})"


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
