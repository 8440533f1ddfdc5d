"""`bridge api-token`: the keys of programs that call the Public API."""

import click

from bridge.cli.scim_token import tell_tokens, text_token
from bridge.cli.shown import wire_time
from bridge.cli.terminal import House, Told, told
from bridge.flows.context import OPERATOR
from bridge.flows.roles_given import parse_role_in_scope
from bridge.flows.tokens import create_api_token, list_tokens, revoke_token


@click.group("api-token")
def api_token() -> None:
    """Make, list and revoke tokens of the Public API."""


@api_token.command("create")
@click.argument("workspace")
@click.option("--role", required=True, metavar="ROLE", help='Such as "Workspace Owner".')
@click.option(
    "--on", "scope", multiple=True, metavar="all|TYPE:ID|label:k:v", help="Where the role holds; all otherwise."
)
@click.option("--expires-in", "days", type=int, metavar="DAYS", help="Otherwise it doesn't run out.")
@click.option("--description", default="", metavar="TEXT")
@told
def create(house: House, workspace: str, role: str, scope: tuple[str, ...], days: int | None, description: str) -> Told:
    """Make a token. It is shown this one time."""
    gives = [parse_role_in_scope(role, scope)]
    made = create_api_token(house.context, OPERATOR, workspace, gives, days, description, house.now)
    wire = {"token": made.token, "base_url": made.base_url, "id": made.id, "expires_at": wire_time(made.expires_at)}
    return Told(wire, text_token(made))


@api_token.command("list")
@click.argument("workspace")
@told
def show_all(house: House, workspace: str) -> Told:
    """List a workspace's tokens of both kinds."""
    return tell_tokens(list_tokens(house.context, workspace, house.now))


@api_token.command("revoke")
@click.argument("workspace")
@click.argument("token_id", metavar="ID")
@told
def revoke(house: House, workspace: str, token_id: str) -> Told:
    """End a token at once."""
    revoke_token(house.context, OPERATOR, workspace, token_id, house.now)
    return Told({"id": token_id}, "Revoked. The next call with it is refused.")
