"""`bridge access`: what somebody may do, and why."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from textwrap import indent
from typing import Any

import click

from bridge.cli.access_backwards import gives, who
from bridge.cli.shown import text_explained, text_permission, text_traced, wire_explained
from bridge.cli.terminal import House, Told, told
from bridge.cli.times import MOMENT
from bridge.domain.access import Permission
from bridge.domain.obstacles import NearMiss
from bridge.flows.access_json import wire_because, wire_paths, wire_scope, wire_time, wire_why_not
from bridge.flows.explain import Question, WayToGet, ask, left_out_by_plan
from bridge.flows.explain_history import AccessChange, history_of
from bridge.flows.explain_links import Explained, explain_access, explain_check
from bridge.flows.explain_not import WhyNot, why_not
from bridge.flows.explain_not_past import why_not_at
from bridge.flows.explain_past import Traces, access_at, check_at


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
    left_out = left_out_by_plan(house.context, workspace, email, house.now)
    lines = [*map(text_explained, permissions)] or [f"{email} may do nothing in {workspace}."]
    if left_out:
        lines += ["Given, but gives nothing on the workspace's plan:", *map(text_permission, left_out)]
    wire = {"permissions": [wire_explained(one) for one in permissions]}
    return Told(wire | {"not_in_plan": [_wire_left_out(one) for one in left_out]}, "\n".join(lines))


def _wire_left_out(one: Permission) -> dict[str, Any]:
    return wire_scope(one) | {"because": [wire_because(each) for each in one.because]}


@access.command("check")
@click.argument("workspace")
@click.argument("email")
@click.argument("action", type=click.Choice(["read", "edit", "create"]))
@click.argument("target", metavar="TYPE:ID")
@click.option("--at", type=MOMENT, help="Whether they might do it then: an ISO 8601 time, of UTC unless it says more.")
@told
def check(house: House, workspace: str, email: str, action: str, target: str, at: datetime | None) -> Told:
    """Say whether a person may read or edit TYPE:ID or an area (pii), or create TYPE; and why, or why not."""
    question = ask(action, target)
    if at is not None:
        return _check_at(house, workspace, email, question, f"{action} {target}", at)
    given = explain_check(house.context, workspace, email, question, house.now)
    wire: dict[str, Any] = {"allowed": bool(given), "because": wire_paths(given)}
    if given:
        return Told(wire, "\n".join([f"Yes, {email} may {action} {target}:", *_text_paths(given)]))
    reasons = why_not(house.context, workspace, email, question, house.now)
    wire |= wire_why_not(reasons)
    return Told(wire, "\n".join([f"No, {email} may not {action} {target}.", *_text_why_not(reasons)]))


def _text_paths(given: Iterable[Explained]) -> list[str]:
    return [indent(f"{one.permission.role.name}: {text_traced(path)}", "  ") for one in given for path in one.paths]


def _text_why_not(reasons: WhyNot) -> list[str]:
    lines = [f"  {one.text}" for one in reasons.person]
    if reasons.nearly:
        left = reasons.total - len(reasons.nearly)
        lines.append(f"What nearly gives it{f', and {left:,} more' if left else ''}:")
        for one in reasons.nearly:
            lines += [f"  {_text_near_miss(one)}", *(f"    {obstacle.text}" for obstacle in one.obstacles)]
    ways = [f"  {_text_way(way)}" for way in reasons.ways]
    return [*lines, *(["What would give it:", *ways] if ways else [])]


def _text_near_miss(one: NearMiss) -> str:
    steps = [f"{one.connection} group {' or '.join(one.idp_groups)}"] if one.idp_groups else []
    steps += [f"User Group {one.user_group}"] if one.user_group else []
    what = f"{one.role.name} on {', '.join(one.scope.render())}"
    return " → ".join([*(steps or ["by hand"]), what])


@access.command("history")
@click.argument("workspace")
@click.argument("email")
@click.option("--since", type=MOMENT, help="Only what changed after that time.")
@click.option("--until", type=MOMENT, help="Only what changed until then.")
@click.option("--resource", metavar="TYPE:ID", help="Only what they may do with this one, also if it is gone.")
@told
def history(
    house: House, workspace: str, email: str, since: datetime | None, until: datetime | None, resource: str | None
) -> Told:
    """List when what a person may do has changed, what they gained and lost, and what did it; newest first."""
    about = ask("read", resource).resource if resource else None
    found = history_of(house.context, workspace, email, house.now, since=since, until=until, resource=about)
    wire: dict[str, Any] = {"since": wire_time(found.since), "until": wire_time(found.until)}
    wire |= {"known_since": wire_time(found.known_since), "changes": list(map(_wire_change, found.changes))}
    lines = [line for one in found.changes for line in _text_change(one)] or [f"Nothing changed for {email}."]
    if found.older is not None:
        lines.append(f"There may be more, before that: --until {wire_time(found.older)}")
    return Told({**wire, "older": wire_time(found.older)}, "\n".join(lines))


def _wire_change(change: AccessChange) -> dict[str, Any]:
    events = [{**asdict(event), "at": wire_time(event.at)} for event in change.events]
    told: dict[str, Any] = {"at": wire_time(change.at), "gained": list(map(wire_scope, change.gained))}
    reach = [{"gained": one.gained, "resource": str(one.resource), **wire_scope(one.given)} for one in change.reach]
    told |= {"lost": list(map(wire_scope, change.lost)), "reach": reach}
    return told | {"events": events, "elapsed": list(change.elapsed)}


def _text_change(change: AccessChange) -> Iterator[str]:
    yield f"{change.at:%d %b %Y, %H:%M:%S} UTC"
    for sign, given in (("+", change.gained), ("-", change.lost)):
        yield from (f"  {sign} {one.role.name} on {', '.join(one.scope.render())}" for one in given)
    for one in change.reach:
        what = f"{one.given.role.name} on {', '.join(one.given.scope.render())}"
        yield f"  {what} {'holds on' if one.gained else 'holds no more on'} {one.resource}"
    yield from (f"    {text}" for text in (*(event.text for event in change.events), *change.elapsed))


def _show_at(house: House, workspace: str, email: str, at: datetime) -> Told:
    past = access_at(house.context, workspace, email, at, house.now, traces=Traces())
    wire = {"at": wire_time(at), "state": past.state, "told": past.told or None}
    if past.permissions is None:
        return Told({**wire, "permissions": None}, past.told)
    nothing = f"{email} could do nothing in {workspace} on {at:%d %b %Y, %H:%M} UTC. {past.told}".rstrip()
    text = "\n".join(map(text_explained, past.traced)) or nothing
    return Told({**wire, "permissions": list(map(wire_explained, past.traced))}, text)


def _check_at(house: House, workspace: str, email: str, question: Question, asked: str, at: datetime) -> Told:
    answer = check_at(house.context, workspace, email, question, at, house.now, traces=Traces())
    wire = {"at": wire_time(at), "state": answer.state, "told": answer.told or None}
    told = {**wire, "allowed": answer.allowed, "because": wire_paths(answer.traced)}
    if answer.allowed is None:
        return Told(told, answer.told)
    then = f"on {at:%d %b %Y, %H:%M} UTC"
    if not answer.allowed:
        reasons = why_not_at(house.context, workspace, email, question, at, house.now)
        told |= {"why_not": wire_why_not(reasons)["why_not"]}
        no = f"No, {email} might not {asked} {then}. {answer.told}".rstrip()
        return Told(told, "\n".join([no, *_text_why_not(reasons)]))
    return Told(told, "\n".join([f"Yes, {email} might {asked} {then}:", *_text_paths(answer.traced)]))


def _text_way(way: WayToGet) -> str:
    return " ".join([_text_open_way(way), *(f"But: {one.text}" for one in way.obstacles)])


def _text_open_way(way: WayToGet) -> str:
    what = f"{way.role.name} on {', '.join(way.scope.render())}"
    if way.kind == "role":
        return f"{what}, given by hand"
    if way.kind == "user_group":
        return f"the User Group {way.user_group}: {what}"
    by = f", by the User Group {way.user_group}" if way.user_group else ""
    return f"the {way.connection} group {' or '.join(way.idp_groups)}{by}: {what}"


access.add_command(who)
access.add_command(gives)
