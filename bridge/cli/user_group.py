"""`bridge user-group`: the product's groups of members."""

import click

from bridge.cli.previews import asking, foretell, wire_preview
from bridge.cli.shown import table, wire_user_group
from bridge.cli.terminal import House, Told, told
from bridge.domain.members import UserGroup
from bridge.domain.previews import DeleteUserGroup, Seen, TakeOut
from bridge.flows import map_groups, tie_groups, user_groups
from bridge.flows.context import OPERATOR


@click.group("user-group")
def user_group() -> None:
    """Make User Groups, put members in by hand, and link pushed groups to them."""


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
@asking
def remove(house: House, workspace: str, name: str, emails: tuple[str, ...], dry_run: bool, seen: Seen | None) -> Told:
    """Take out members who were put in by hand."""
    group_id = user_groups.find_user_group_id(house.context, workspace, name)
    if dry_run:
        return foretell(house, workspace, TakeOut(group_id, emails))
    its = (house.context, OPERATOR, workspace, group_id)
    return _told(user_groups.remove_members(*its, emails, house.now, seen=seen))


@user_group.command("delete")
@click.argument("workspace")
@click.argument("name")
@told
@asking
def delete(house: House, workspace: str, name: str, dry_run: bool, seen: Seen | None) -> Told:
    """Delete a User Group and its grants. Nobody leaves the workspace."""
    group_id = user_groups.find_user_group_id(house.context, workspace, name)
    if dry_run:
        return foretell(house, workspace, DeleteUserGroup(group_id))
    loss = user_groups.delete_user_group(house.context, OPERATOR, workspace, group_id, house.now, seen=seen)
    wire = {"id": group_id, "name": name, "member_count": 0}
    text = f"Deleted {name}: {loss.members} people lose {len(loss.grants)} grants."
    return Told({"user_group": wire, "people": loss.members, "grants": len(loss.grants)}, text)


@user_group.command("link")
@click.argument("workspace")
@click.argument("name")
@click.option("--connection", "connection_id", metavar="ID", required=True, help="Whose pushed group,")
@click.option("--group-id", metavar="ID", required=True, help="by the id that `bridge directory groups` tells.")
@told
@asking
def link(
    house: House, workspace: str, name: str, connection_id: str, group_id: str, dry_run: bool, seen: Seen | None
) -> Told:
    """Bring the people of a pushed group into a User Group that is there, in the place of the group's mirror."""
    asked = (workspace, connection_id, group_id, name, house.now)
    foreseen = tie_groups.preview_link(house.context, *asked)
    if dry_run:
        return _tie_told(foreseen, f"{foreseen.now.group} would be linked to {name}")
    map_groups.link_group(house.context, OPERATOR, *asked, seen=seen)
    return _tie_told(foreseen, f"{foreseen.now.group} is linked to {name}")


@user_group.command("unlink")
@click.argument("workspace")
@click.option("--connection", "connection_id", metavar="ID", required=True, help="Whose pushed group,")
@click.option("--group-id", metavar="ID", required=True, help="by the id that `bridge directory groups` tells.")
@told
@asking
def unlink(house: House, workspace: str, connection_id: str, group_id: str, dry_run: bool, seen: Seen | None) -> Told:
    """End the link of a pushed group. Who is in the User Group by hand stays."""
    asked = (workspace, connection_id, group_id, house.now)
    foreseen = tie_groups.preview_unlink(house.context, *asked)
    tie = f"linked to {foreseen.now.user_group} any more"
    if dry_run:
        return _tie_told(foreseen, f"{foreseen.now.group} would not be {tie}")
    tie_groups.unlink_group(house.context, OPERATOR, *asked, seen=seen)
    return _tie_told(foreseen, f"{foreseen.now.group} is not {tie}")


def _tie_told(seen: tie_groups.TiePreview, text: str) -> Told:
    wire = {
        "group": {"name": seen.now.group, "member_count": seen.now.members},
        "former_user_group": seen.now.user_group,
        **wire_preview(seen.preview),
    }
    return Told(wire, f"{text}: {seen.gains.count:,} gain, {seen.loses.count:,} lose.")


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
