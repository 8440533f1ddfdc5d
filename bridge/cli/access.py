"""`bridge access`: what somebody may do, and why."""

from datetime import datetime
from textwrap import indent
from typing import Any

import click

from bridge.cli.shown import (
    text_because,
    text_explained,
    text_permission,
    text_traced,
    wire_because,
    wire_explained,
    wire_permission,
    wire_scope,
    wire_time,
    wire_traced,
)
from bridge.cli.terminal import House, Told, told
from bridge.cli.times import MOMENT
from bridge.flows.explain import Question, WayToGet, ask, what_would_give
from bridge.flows.explain_links import explain_access, explain_check
from bridge.flows.explain_past import access_at, check_at


@click.group()
def access() -> None:
    """Explain who may do what, and why."""


@access.command("show")
@click.argument("workspace")
@click.argument("email")
@click.option("--at", type=MOMENT, help="What they could do then: an ISO 8601 time, of UTC unless it says otherwise.")
@told
def show(house: House, workspace: str, email: str, at: datetime | None) -> Told:
    """List all that a person may do, or could do at a time, each with every path that gives it."""
    if at is not None:
        return _show_at(house, workspace, email, at)
    permissions = explain_access(house.context, workspace, email, house.now)
    text = "\n".join(map(text_explained, permissions)) or f"{email} may do nothing in {workspace}."
    return Told({"permissions": [wire_explained(one) for one in permissions]}, text)


@access.command("check")
@click.argument("workspace")
@click.argument("email")
@click.argument("action", type=click.Choice(["read", "edit", "create"]))
@click.argument("target", metavar="TYPE:ID")
@click.option("--at", type=MOMENT, help="Whether they might do it then: an ISO 8601 time, of UTC unless it says more.")
@told
def check(house: House, workspace: str, email: str, action: str, target: str, at: datetime | None) -> Told:
    """Say whether a person may read or edit TYPE:ID, or create TYPE; and why, or what would give it."""
    question = ask(action, target)
    if at is not None:
        return _check_at(house, workspace, email, question, f"{action} {target}", at)
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


def _show_at(house: House, workspace: str, email: str, at: datetime) -> Told:
    past = access_at(house.context, workspace, email, at, house.now)
    wire = {"at": wire_time(at), "state": past.state, "told": past.told or None}
    if past.permissions is None:
        return Told({**wire, "permissions": None}, past.told)
    nothing = f"{email} could do nothing in {workspace} on {at:%d %b %Y, %H:%M} UTC. {past.told}".rstrip()
    text = "\n".join(map(text_permission, past.permissions)) or nothing
    return Told({**wire, "permissions": [wire_permission(one) for one in past.permissions]}, text)


def _check_at(house: House, workspace: str, email: str, question: Question, asked: str, at: datetime) -> Told:
    answer = check_at(house.context, workspace, email, question, at, house.now)
    because = [{**wire_because(path), **wire_scope(one)} for one in answer.because for path in one.because]
    wire = {"at": wire_time(at), "state": answer.state, "told": answer.told or None}
    told = {**wire, "allowed": answer.allowed, "because": because}
    if answer.allowed is None:
        return Told(told, answer.told)
    then = f"on {at:%d %b %Y, %H:%M} UTC"
    if not answer.allowed:
        return Told(told, f"No, {email} might not {asked} {then}. {answer.told}".rstrip())
    lines = [f"  {one.role.name}: {text_because(path)}" for one in answer.because for path in one.because]
    return Told(told, "\n".join([f"Yes, {email} might {asked} {then}:", *lines]))


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
