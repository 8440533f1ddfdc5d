"""`bridge scim-log`: what IdPs asked by SCIM, what they were answered, and what it did."""

import click

from bridge.cli.shown import table, wire_time
from bridge.cli.terminal import House, Told, told
from bridge.domain.request_log import ProvisioningRequest, RequestsQuery
from bridge.flows.request_log import list_requests


@click.group("scim-log")
def scim_log() -> None:
    """Look at what IdPs asked by SCIM, and at what it did."""


@scim_log.command("show")
@click.argument("workspace")
@click.option("--connection", "connection_id", default="", metavar="ID", help="Only what this connection's IdP asked.")
@click.option("--failed", is_flag=True, help="Only what was refused.")
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True, metavar="N")
@told
def show(house: House, workspace: str, connection_id: str, failed: bool, limit: int) -> Told:
    """List the latest calls, newest first."""
    query = RequestsQuery(connection_id, "refused" if failed else "")
    page = list_requests(house.context, workspace, query, limit)
    rows = [(f"{one.at:%Y-%m-%d %H:%M:%S}", str(one.status), one.sentence) for one in page.requests]
    text = table(("At (UTC)", "Status", "What happened"), rows) if rows else "Nothing in the log."
    return Told({"requests": [_wire(one) for one in page.requests]}, text)


def _wire(one: ProvisioningRequest) -> dict[str, object]:
    return {
        "id": one.id,
        "at": wire_time(one.at),
        "connection": {"id": one.connection_id, "name": one.connection},
        "method": one.method,
        "path": one.path,
        "status": one.status,
        "outcome": one.outcome,
        "sentence": one.sentence,
    }
