"""`bridge resource`: what roles are given on."""

import click

from bridge.cli.previews import asking, foretell
from bridge.cli.shown import table, wire_resource
from bridge.cli.terminal import House, Told, told
from bridge.domain.access import parse_resource_ref
from bridge.domain.labels import parse_label
from bridge.domain.previews import DeleteResource, Seen, SetLabels
from bridge.flows import resources
from bridge.flows.context import OPERATOR


@click.group()
def resource() -> None:
    """Register sources, warehouses, functions, spaces and tracking plans."""


@resource.command("add")
@click.argument("workspace")
@click.argument("resource_type", metavar="TYPE")
@click.argument("name")
@click.option("--id", "resource_id", metavar="ID", help="The application's own id of it; otherwise one is made.")
@click.option("--label", "labels", multiple=True, metavar="k:v", help="Several are possible; new ones are made.")
@told
def add(
    house: House, workspace: str, resource_type: str, name: str, resource_id: str | None, labels: tuple[str, ...]
) -> Told:
    """Register a resource."""
    draft = resources.ResourceDraft(resource_type, name, resource_id, frozenset(map(parse_label, labels)))
    made = resources.add_resource(house.context, OPERATOR, workspace, draft, house.now)
    return Told({"resource": wire_resource(made)}, f"Added {made.ref}, {made.name}.")


@resource.command("list")
@click.argument("workspace")
@told
def show_all(house: House, workspace: str) -> Told:
    """List a workspace's resources."""
    found = resources.list_resources(house.context, workspace)
    rows = [(str(one.ref), one.name, ", ".join(map(str, sorted(one.labels)))) for one in found]
    return Told({"resources": [wire_resource(one) for one in found]}, table(["Resource", "Name", "Labels"], rows))


@resource.command("label")
@click.argument("workspace")
@click.argument("ref", metavar="TYPE:ID")
@click.option("--label", "labels", multiple=True, metavar="k:v", help="It carries these labels, and no others.")
@told
@asking
def label(house: House, workspace: str, ref: str, labels: tuple[str, ...], dry_run: bool, seen: Seen | None) -> Told:
    """Have a resource carry these labels and no others, whoever gains or loses by it."""
    parsed, wanted = parse_resource_ref(ref), frozenset(parse_label(one) for one in labels)
    if dry_run:
        return foretell(house, workspace, SetLabels(parsed, wanted))
    found = resources.set_labels(house.context, OPERATOR, workspace, parsed, wanted, house.now, seen=seen)
    carried = ", ".join(map(str, sorted(found.labels))) or "no labels"
    return Told({"resource": wire_resource(found)}, f"{found.ref} carries {carried}.")


@resource.command("delete")
@click.argument("workspace")
@click.argument("ref", metavar="TYPE:ID")
@told
@asking
def delete(house: House, workspace: str, ref: str, dry_run: bool, seen: Seen | None) -> Told:
    """Forget a resource, and the grants that list nothing else."""
    parsed = parse_resource_ref(ref)
    if dry_run:
        return foretell(house, workspace, DeleteResource(parsed))
    ended = resources.delete_resource(house.context, OPERATOR, workspace, parsed, house.now, seen=seen)
    wire = {"id": parsed.id, "type": parsed.type}
    return Told(
        {"resource": wire, "grants_ended": ended.ended}, f"Deleted {parsed}; {ended.ended} grants ended with it."
    )
