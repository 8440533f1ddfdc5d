"""`bridge mapping`: rules from IdP groups to User Groups and roles."""

import functools
from collections.abc import Callable
from typing import Any

import click

from bridge.cli.previews import asking, foretell
from bridge.cli.shown import table, wire_mapping
from bridge.cli.terminal import House, Told, told
from bridge.domain.access import EVERYWHERE, RoleInScope
from bridge.domain.group_mapping import parse_match
from bridge.domain.previews import AddRule, ChangeRule, DeleteRule, MappingDraft, Proposal, Seen, SwitchRule
from bridge.domain.roles import OWNER
from bridge.flows import map_groups
from bridge.flows.context import OPERATOR
from bridge.flows.map_groups import MappingFacts
from bridge.flows.roles_given import parse_role_in_scope

_OPTIONS = (
    click.option("--connection", "connection_id", metavar="ID"),
    click.option("--group", metavar="NAME", help="People in the IdP group of this name,"),
    click.option("--group-id", metavar="ID", help="of this id (the bridge's, or external:ID),"),
    click.option("--pattern", metavar="GLOB", help="or of any name like this one (* and ?)."),
    click.option("--gives-role", metavar="ROLE", help='They get this role, such as "Source Admin",'),
    click.option("--on", "scope", multiple=True, metavar="all|TYPE:ID|label:k:v", help="here (all otherwise),"),
    click.option("--gives-user-group", "user_groups", multiple=True, metavar="NAME", help="join this User Group,"),
    click.option("--gives-owner", is_flag=True, help="or become Workspace Owners."),
)


def draft_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that write a rule down."""
    return functools.reduce(lambda decorated, option: option(decorated), reversed(_OPTIONS), command)


@click.group()
def mapping() -> None:
    """Rules: which IdP groups give which User Groups and roles."""


@mapping.command("add")
@click.argument("workspace")
@draft_options
@told
@asking
def add(house: House, /, workspace: str, dry_run: bool, seen: Seen | None, **options: Any) -> Told:
    """Add a rule. It counts at once; preview it first."""
    draft = _draft(**options)
    if dry_run:
        return foretell(house, workspace, AddRule(draft))
    return _told(map_groups.add_mapping(house.context, OPERATOR, workspace, draft, house.now, seen=seen))


@mapping.command("change")
@click.argument("workspace")
@click.argument("mapping_id", metavar="ID")
@draft_options
@told
@asking
def change(house: House, /, workspace: str, mapping_id: str, dry_run: bool, seen: Seen | None, **options: Any) -> Told:
    """Have a rule take these groups and give this, in the place of all it took and gave. It stays on, or off."""
    draft = _draft(**options)
    if dry_run:
        return foretell(house, workspace, ChangeRule(mapping_id, draft))
    its = (house.context, OPERATOR, workspace, mapping_id)
    return _told(map_groups.change_mapping(*its, draft, house.now, seen=seen))


@mapping.command("preview")
@click.argument("workspace")
@click.option("--delete", "deleted", metavar="ID", help="Preview the deletion of this rule instead,")
@click.option("--enable", "enabled", metavar="ID", help="or that it is switched on,")
@click.option("--disable", "disabled", metavar="ID", help="or off,")
@click.option("--change", "changed", metavar="ID", help="or changed to what the other options say.")
@draft_options
@told
def preview(house: House, /, workspace: str, **options: Any) -> Told:
    """Say who would gain and who would lose what. Changes nothing."""
    return foretell(house, workspace, _proposed(**options))


def _proposed(
    deleted: str | None, enabled: str | None, disabled: str | None, changed: str | None, **options: Any
) -> Proposal:
    alone: list[Proposal] = [DeleteRule(deleted)] if deleted else []
    alone += [SwitchRule(mapping_id, on) for mapping_id, on in ((enabled, True), (disabled, False)) if mapping_id]
    if alone and (len(alone) > 1 or changed or any(options.values())):
        raise click.UsageError("--delete, --enable and --disable stand alone: the rule is there already.")
    if alone:
        return alone[0]
    return ChangeRule(changed, _draft(**options)) if changed else AddRule(_draft(**options))


@mapping.command("delete")
@click.argument("workspace")
@click.argument("mapping_id", metavar="ID")
@told
@asking
def delete(house: House, workspace: str, mapping_id: str, dry_run: bool, seen: Seen | None) -> Told:
    """Delete a rule, and with it all access that came by it alone."""
    if dry_run:
        return foretell(house, workspace, DeleteRule(mapping_id))
    loses = map_groups.preview_delete(house.context, workspace, mapping_id, house.now).loses.count
    gone = map_groups.remove_mapping(house.context, OPERATOR, workspace, mapping_id, house.now, seen=seen)
    people = "1 person loses" if loses == 1 else f"{loses:,} people lose"
    text = f"Deleted: {gone.sentence.removesuffix('.')}; {people} access by it."
    return Told({"mapping": wire_mapping(gone), "loses": {"count": loses}}, text)


@mapping.command("enable")
@click.argument("workspace")
@click.argument("mapping_id", metavar="ID")
@told
@asking
def enable(house: House, workspace: str, mapping_id: str, dry_run: bool, seen: Seen | None) -> Told:
    """Switch a rule on."""
    if dry_run:
        return foretell(house, workspace, SwitchRule(mapping_id, True))
    its = (house.context, OPERATOR, workspace, mapping_id)
    return _told(map_groups.set_enabled(*its, True, house.now, seen=seen))


@mapping.command("disable")
@click.argument("workspace")
@click.argument("mapping_id", metavar="ID")
@told
@asking
def disable(house: House, workspace: str, mapping_id: str, dry_run: bool, seen: Seen | None) -> Told:
    """Switch a rule off; it stays, and gives nothing."""
    if dry_run:
        return foretell(house, workspace, SwitchRule(mapping_id, False))
    its = (house.context, OPERATOR, workspace, mapping_id)
    return _told(map_groups.set_enabled(*its, False, house.now, seen=seen))


@mapping.command("list")
@click.argument("workspace")
@click.option("--mirrors", is_flag=True, help="The system-made rules of mirrors too.")
@told
def show_all(house: House, workspace: str, mirrors: bool) -> Told:
    """List a workspace's rules as sentences."""
    found = map_groups.list_mappings(house.context, workspace, mirrors_too=mirrors)
    rows = [(one.id, "on" if one.enabled else "off", str(one.matched_groups), one.sentence) for one in found]
    return Told({"mappings": [wire_mapping(one) for one in found]}, table(["Id", "", "Groups", "Rule"], rows))


def _draft(
    connection_id: str | None,
    group: str | None,
    group_id: str | None,
    pattern: str | None,
    gives_role: str | None,
    scope: tuple[str, ...],
    user_groups: tuple[str, ...],
    gives_owner: bool,
) -> MappingDraft:
    if connection_id is None:
        raise click.UsageError("Missing option '--connection'.")
    if scope and gives_role is None:
        raise click.UsageError("--on says where a role holds: name it by --gives-role.")
    match = parse_match(name=group, group_id=group_id, pattern=pattern)
    roles = [parse_role_in_scope(gives_role, scope)] if gives_role else []
    roles += [RoleInScope(OWNER, EVERYWHERE)] if gives_owner else []
    return MappingDraft(connection_id, match, user_groups, tuple(dict.fromkeys(roles)))


def _told(found: MappingFacts) -> Told:
    return Told({"mapping": wire_mapping(found)}, f"{found.sentence}\nId: {found.id}")
