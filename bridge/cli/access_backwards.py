"""`bridge access`, read backwards: who may do something, and what an IdP group, a rule or a User Group gives."""

from collections.abc import Sequence
from typing import Any

import click

from bridge.cli.shown import text_because
from bridge.cli.terminal import House, Told, told
from bridge.domain.sentences import counted
from bridge.flows.access_json import wire_because, wire_obstacle, wire_scope
from bridge.flows.explain import ask
from bridge.flows.what_it_gives import (
    GivenRole,
    IdpGroupGives,
    RuleGives,
    UserGroupGives,
    idp_group_gives,
    rule_gives,
    user_group_gives,
)
from bridge.flows.who_may import PAGE, WhoMay, who_may

#: Paths of one person in a list of many; `access check` shows all.
_MOST_PATHS = 3


@click.command("who")
@click.argument("workspace")
@click.argument("action", type=click.Choice(["read", "edit", "create"]))
@click.argument("target", metavar="TYPE:ID")
@click.option("--after", default="", help="Begin after this address: `after` of the page before.")
@click.option("--limit", type=click.IntRange(1, 1000), default=PAGE, show_default=True, help="People on a page.")
@told
def who(house: House, workspace: str, action: str, target: str, after: str, limit: int) -> Told:
    """List who may read or edit TYPE:ID or an area (pii), or create TYPE, and by what."""
    found = who_may(house.context, workspace, ask(action, target), house.now, after=after, size=limit)
    wire = {"count": found.total, "people": [_wire_person(one) for one in found.people], "after": found.after}
    lines = [line for one in found.people for line in _text_person(one)]
    more = [f"More: --after {found.after}"] if found.after else []
    return Told(wire, "\n".join([f"{_people(found.total)} may {action} {target}.", *lines, *more]))


def _people(count: int) -> str:
    return counted(count, "person", "people")


def _wire_person(one: WhoMay) -> dict[str, Any]:
    because = [{**wire_because(path), **wire_scope(each)} for each in one.because for path in each.because]
    return {"email": one.email, "name": one.name, "because": because}


def _text_person(one: WhoMay) -> list[str]:
    paths = [f"{each.role.name}: {text_because(path)}" for each in one.because for path in each.because]
    left = [counted(len(paths) - _MOST_PATHS, "more path")] if len(paths) > _MOST_PATHS else []
    return [f"  {one.email}", *(f"    {line}" for line in (*paths[:_MOST_PATHS], *left))]


# -- What it gives -----------------------------------------------------------------------------------


@click.command("gives")
@click.argument("workspace")
@click.option("--idp-group", "idp_group", help="The id of an IdP group.")
@click.option("--mapping", "mapping", help="The id of a rule.")
@click.option("--user-group", "user_group", help="The name of a User Group.")
@told
def gives(house: House, workspace: str, idp_group: str | None, mapping: str | None, user_group: str | None) -> Told:
    """Say what an IdP group, a rule or a User Group gives, and to how many people."""
    if sum(each is not None for each in (idp_group, mapping, user_group)) != 1:
        raise click.UsageError("Name one thing: --idp-group, --mapping or --user-group.")
    if idp_group is not None:
        return _group_told(idp_group_gives(house.context, workspace, idp_group, house.now))
    if mapping is not None:
        rule = rule_gives(house.context, workspace, mapping, house.now)
        return Told({"mapping": _wire_rule(rule)}, "\n".join(_text_rule(rule)))
    group = user_group_gives(house.context, workspace, user_group or "", house.now)
    lines = [f"User Group {group.name}: {_people(group.people)}.", *_text_roles(group.roles)]
    return Told({"user_group": _wire_user_group(group)}, "\n".join(lines))


def _group_told(found: IdpGroupGives) -> Told:
    wire: dict[str, Any] = {"id": found.id, "name": found.name, "source": found.source}
    wire |= {"connection": {"id": found.connection[0], "name": found.connection[1]}}
    wire |= {"members": found.members, "people": found.people, "mappings": [_wire_rule(rule) for rule in found.rules]}
    head = f"{found.connection[1]} group {found.name}: counts for {found.people:,} of {found.members:,} members."
    lines = [line for rule in found.rules for line in _text_rule(rule)] or ["No rule takes it."]
    return Told({"idp_group": wire}, "\n".join([head, *(f"  {line}" for line in lines)]))


def _wire_rule(one: RuleGives) -> dict[str, Any]:
    return {
        "id": one.rule.id,
        "sentence": one.rule.sentence,
        "people": one.people,
        "roles": [_wire_role(role) for role in one.roles],
        "user_groups": [_wire_user_group(group) for group in one.user_groups],
        "obstacles": [wire_obstacle(obstacle) for obstacle in one.obstacles],
    }


def _wire_user_group(one: UserGroupGives) -> dict[str, Any]:
    return {"id": one.id, "name": one.name, "people": one.people, "roles": [_wire_role(role) for role in one.roles]}


def _wire_role(one: GivenRole) -> dict[str, Any]:
    return {**wire_scope(one.given), "obstacles": [wire_obstacle(one.obstacle)] if one.obstacle else []}


def _text_rule(one: RuleGives) -> list[str]:
    head = [f"{one.rule.sentence} {_people(one.people)} now.", *(each.text for each in one.obstacles)]
    lines = [" ".join(head), *_text_roles(one.roles)]
    for group in one.user_groups:
        lines += [f"  User Group {group.name}", *(f"  {line}" for line in _text_roles(group.roles))]
    return lines


def _text_roles(roles: Sequence[GivenRole]) -> list[str]:
    return [
        f"  {one.given.role.name} on {', '.join(one.given.scope.render())}"
        + (f" ({one.obstacle.text})" if one.obstacle else "")
        for one in roles
    ]
