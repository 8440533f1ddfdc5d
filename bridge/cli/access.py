"""`bridge access`: what somebody may do, and why."""

from textwrap import indent
from typing import Any

import click

from bridge.cli.shown import text_explained, text_traced, wire_explained, wire_scope, wire_traced
from bridge.cli.terminal import House, Told, told
from bridge.flows.explain import WayToGet, ask, what_would_give
from bridge.flows.explain_links import explain_access, explain_check


@click.group()
def access() -> None:
    """Explain who may do what, and why."""


@access.command("show")
@click.argument("workspace")
@click.argument("email")
@told
def show(house: House, workspace: str, email: str) -> Told:
    """List all that a person may do, each with every path that gives it, and who made its links."""
    permissions = explain_access(house.context, workspace, email, house.now)
    text = "\n".join(map(text_explained, permissions)) or f"{email} may do nothing in {workspace}."
    return Told({"permissions": [wire_explained(one) for one in permissions]}, text)


@access.command("check")
@click.argument("workspace")
@click.argument("email")
@click.argument("action", type=click.Choice(["read", "edit", "create"]))
@click.argument("target", metavar="TYPE:ID")
@told
def check(house: House, workspace: str, email: str, action: str, target: str) -> Told:
    """Say whether a person may read or edit TYPE:ID, or create TYPE; and why, or what would give it."""
    question = ask(action, target)
    given = explain_check(house.context, workspace, email, question, house.now)
    because = [{**wire_traced(path), **wire_scope(one.permission)} for one in given for path in one.paths]
    wire: dict[str, Any] = {"allowed": bool(given), "because": because}
    if given:
        lines = [
            indent(f"{one.permission.role.name}: {text_traced(path)}", "  ") for one in given for path in one.paths
        ]
        return Told(wire, "\n".join([f"Yes, {email} may {action} {target}:", *lines]))
    ways = what_would_give(house.context, workspace, question, house.now)
    wire["what_would_give"] = [_wire_way(way) for way in ways]
    lines = [f"  {_text_way(way)}" for way in ways]
    return Told(wire, "\n".join([f"No, {email} may not {action} {target}. What would give it:", *lines]))


def _wire_way(way: WayToGet) -> dict[str, Any]:
    told: dict[str, Any] = {"kind": way.kind, "role": way.role.name, "scope": way.scope.render()}
    if way.user_group_id:
        told["user_group"] = {"id": way.user_group_id, "name": way.user_group}
    if way.mapping_id:
        told["mapping"] = {"id": way.mapping_id, "name": way.mapping}
        told |= {"connection": way.connection, "idp_groups": list(way.idp_groups)}
    return told


def _text_way(way: WayToGet) -> str:
    what = f"{way.role.name} on {', '.join(way.scope.render())}"
    if way.kind == "role":
        return f"{what}, given by hand"
    if way.kind == "user_group":
        return f"the User Group {way.user_group}: {what}"
    by = f", by the User Group {way.user_group}" if way.user_group else ""
    return f"the {way.connection} group {' or '.join(way.idp_groups)}{by}: {what}"
