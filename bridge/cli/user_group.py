"""`bridge user-group`: the product's groups of members."""

import click

from bridge.cli.shown import table, wire_user_group
from bridge.cli.terminal import House, Told, told
from bridge.domain.members import UserGroup
from bridge.flows import user_groups
from bridge.flows.context import OPERATOR


@click.group("user-group")
def user_group() -> None:
    """Make User Groups, and put members in by hand."""


@user_group.command("create")
@click.argument("workspace")
@click.argument("name")
@told
def create(house: House, workspace: str, name: str) -> Told:
    """Make an empty User Group."""
    return _told(user_groups.create_user_group(house.context, OPERATOR, workspace, name, house.now))


@user_group.command("add")
@click.argument("workspace")
@click.argument("name")
@click.argument("emails", nargs=-1, required=True, metavar="EMAIL...")
@told
def add(house: House, workspace: str, name: str, emails: tuple[str, ...]) -> Told:
    """Put members in by hand."""
    group_id = user_groups.find_user_group_id(house.context, workspace, name)
    return _told(user_groups.add_members(house.context, OPERATOR, workspace, group_id, emails, house.now))


@user_group.command("remove")
@click.argument("workspace")
@click.argument("name")
@click.argument("emails", nargs=-1, required=True, metavar="EMAIL...")
@told
def remove(house: House, workspace: str, name: str, emails: tuple[str, ...]) -> Told:
    """Take out members who were put in by hand."""
    group_id = user_groups.find_user_group_id(house.context, workspace, name)
    return _told(user_groups.remove_members(house.context, OPERATOR, workspace, group_id, emails, house.now))


@user_group.command("delete")
@click.argument("workspace")
@click.argument("name")
@told
def delete(house: House, workspace: str, name: str) -> Told:
    """Delete a User Group and its grants. Nobody leaves the workspace."""
    group_id = user_groups.find_user_group_id(house.context, workspace, name)
    loss = user_groups.delete_user_group(house.context, OPERATOR, workspace, group_id, house.now)
    wire = {"id": group_id, "name": name, "member_count": 0}
    text = f"Deleted {name}: {loss.members} people lose {len(loss.grants)} grants."
    return Told({"user_group": wire, "people": loss.members, "grants": len(loss.grants)}, text)


@user_group.command("list")
@click.argument("workspace")
@told
def show_all(house: House, workspace: str) -> Told:
    """List a workspace's User Groups with their people counted."""
    found: list[UserGroup] = []
    page = 1
    while chunk := user_groups.list_user_groups(house.context, workspace, house.now, page=page).groups:
        found += chunk
        page += 1
    rows = [(one.name, str(one.member_count), "IdP" if one.mirror else "") for one in found]
    return Told({"user_groups": [wire_user_group(one) for one in found]}, table(["Name", "People", "Mirror of"], rows))


def _told(group: UserGroup) -> Told:
    return Told({"user_group": wire_user_group(group)}, f"{group.name}: {group.member_count} people.")
