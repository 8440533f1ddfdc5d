"""`bridge grant`: roles given by hand."""

import click

from bridge.cli.previews import asking, foretell
from bridge.cli.shown import wire_grant
from bridge.cli.terminal import House, Told, told
from bridge.domain.access import RoleInScope
from bridge.domain.previews import EndGrant, Seen
from bridge.flows import give_roles
from bridge.flows.context import OPERATOR
from bridge.flows.give_roles import NewGrant
from bridge.flows.members import find_member_id
from bridge.flows.roles_given import parse_role_in_scope
from bridge.flows.user_groups import find_user_group_id


@click.group()
def grant() -> None:
    """Give and take roles by hand."""


@grant.command("add")
@click.argument("workspace")
@click.option("--member", metavar="EMAIL", help="To one member ...")
@click.option("--user-group", metavar="NAME", help="... or to everybody in a User Group.")
@click.option("--role", required=True, metavar="ROLE", help='Such as "Source Admin".')
@click.option(
    "--on",
    "scope",
    multiple=True,
    metavar="all|TYPE:ID|label:k:v",
    help="Where it holds: several resources widen, several labels narrow. All otherwise.",
)
@told
def add(
    house: House, workspace: str, member: str | None, user_group: str | None, role: str, scope: tuple[str, ...]
) -> Told:
    """Give a role in a scope."""
    given = parse_role_in_scope(role, scope)
    if (member is None) == (user_group is None):
        raise click.UsageError("Name either --member or --user-group.")
    if member is not None:
        made = _to_member(house, workspace, member, given)
    else:
        made = _to_user_group(house, workspace, user_group or "", given)
    return _told(made, f"Gave {given.role.name} on {', '.join(given.scope.render())} to {member or user_group}.")


@grant.command("remove")
@click.argument("workspace")
@click.argument("grant_id", metavar="ID")
@told
@asking
def remove(house: House, workspace: str, grant_id: str, dry_run: bool, seen: Seen | None) -> Told:
    """Take a grant that was given by hand."""
    if dry_run:
        return foretell(house, workspace, EndGrant(grant_id))
    ended = give_roles.end_grant(house.context, OPERATOR, workspace, grant_id, house.now, seen=seen)
    return _told(ended, f"Took {ended.given.role.name} on {', '.join(ended.given.scope.render())}.")


def _to_member(house: House, workspace: str, email: str, given: RoleInScope) -> NewGrant:
    member = find_member_id(house.context, workspace, email)
    return give_roles.give_to_member(house.context, OPERATOR, workspace, member, given, house.now)


def _to_user_group(house: House, workspace: str, name: str, given: RoleInScope) -> NewGrant:
    group = find_user_group_id(house.context, workspace, name)
    return give_roles.give_to_user_group(house.context, OPERATOR, workspace, group, given, house.now)


def _told(made: NewGrant, text: str) -> Told:
    return Told({"grant": wire_grant(made)}, f"{text}\nId: {made.id}")
