"""`bridge users`: the people of a workspace as CSV."""

import sys
from datetime import UTC, datetime

import click

from bridge.cli.terminal import Terminal
from bridge.flows.export_users import export_users


@click.group()
def users() -> None:
    """Export the people of a workspace."""


@users.command("export")
@click.argument("workspace")
@click.pass_obj
def export(terminal: Terminal, workspace: str) -> None:
    """Write a workspace's people with their roles to stdout, as CSV."""
    if terminal.is_json:
        raise click.UsageError("This command writes CSV: leave --json out.")
    house = terminal.open_house()
    try:
        for piece in export_users(house.context, workspace, datetime.now(UTC)):
            sys.stdout.write(piece)
        sys.stdout.flush()
    finally:
        house.context.database.close()
