"""`bridge label`: what resources carry, and roles may be given on."""

from typing import Any

import click

from bridge.cli.shown import table
from bridge.cli.terminal import House, Told, told
from bridge.domain.labels import LabelFacts, parse_label
from bridge.flows import resources
from bridge.flows.context import OPERATOR


@click.group()
def label() -> None:
    """Make labels, say what they are for, and forget those that nothing uses."""


@label.command("list")
@click.argument("workspace")
@told
def show_all(house: House, workspace: str) -> Told:
    """List a workspace's labels, and how many resources carry each and grants name it."""
    found = resources.list_label_facts(house.context, workspace)
    rows = [(str(one.label), one.description, str(one.resources), str(one.grants)) for one in found]
    return Told({"labels": [_wire(one) for one in found]}, table(["Label", "What for", "Resources", "Grants"], rows))


@label.command("add")
@click.argument("workspace")
@click.argument("label", metavar="k:v")
@click.option("--description", default="", metavar="D", help="What it is for.")
@told
def add(house: House, workspace: str, label: str, description: str) -> Told:
    """Make a label."""
    parsed = parse_label(label)
    resources.add_label(house.context, OPERATOR, workspace, parsed, house.now, description=description)
    return Told({"label": {"label": str(parsed)}}, f"Made the label {parsed}.")


@label.command("describe")
@click.argument("workspace")
@click.argument("label", metavar="k:v")
@click.argument("description")
@told
def describe(house: House, workspace: str, label: str, description: str) -> Told:
    """Say what a label is for; nothing, where that is empty."""
    parsed = parse_label(label)
    resources.describe_label(house.context, OPERATOR, workspace, parsed, description, house.now)
    return Told({"label": {"label": str(parsed)}}, f"Described the label {parsed}.")


@label.command("delete")
@click.argument("workspace")
@click.argument("label", metavar="k:v")
@told
def delete(house: House, workspace: str, label: str) -> Told:
    """Forget a label that no resource carries and no grant names."""
    parsed = parse_label(label)
    resources.delete_label(house.context, OPERATOR, workspace, parsed, house.now)
    return Told({"label": {"label": str(parsed)}}, f"Deleted the label {parsed}.")


def _wire(one: LabelFacts) -> dict[str, Any]:
    return {
        "label": str(one.label),
        "description": one.description,
        "resources": one.resources,
        "grants": one.grants,
        "built_in": one.built_in,
    }
