"""`bridge scim-client`: OAuth clients by which IdPs push (client credentials, RFC 6749 4.4)."""

import click

from bridge.cli.scim_token import tell_tokens
from bridge.cli.shown import wire_time
from bridge.cli.terminal import House, Told, told
from bridge.domain.tokens import NewScimClient
from bridge.flows.context import OPERATOR
from bridge.flows.scim_clients import create_scim_client, rotate_scim_client
from bridge.flows.tokens import list_tokens, revoke_token


@click.group("scim-client")
def scim_client() -> None:
    """Make, list, rotate and revoke OAuth clients: the second way for IdPs to push people and groups."""


@scim_client.command("create")
@click.argument("workspace")
@click.option("--connection", "connection_id", required=True, metavar="ID", help="Into whose directory.")
@click.option("--expires-in", "days", type=int, metavar="DAYS", help="Otherwise it doesn't run out.")
@click.option("--description", default="", metavar="TEXT", help="What the list calls it.")
@told
def create(house: House, workspace: str, connection_id: str, days: int | None, description: str) -> Told:
    """Make a client. Its secret is shown this one time."""
    made = create_scim_client(house.context, OPERATOR, workspace, connection_id, days, description, house.now)
    return Told(_wire(made), _text(made))


@scim_client.command("list")
@click.argument("workspace")
@told
def show_all(house: House, workspace: str) -> Told:
    """List a workspace's OAuth clients, newest first."""
    found = list_tokens(house.context, workspace, house.now)
    return tell_tokens([one for one in found if one.kind == "scim_client"])


@scim_client.command("rotate")
@click.argument("workspace")
@click.argument("client_id", metavar="ID")
@click.option("--at-once", is_flag=True, help="The former secret, and what it was given, end now: it leaked.")
@told
def rotate(house: House, workspace: str, client_id: str, at_once: bool) -> Told:
    """Make another secret. The former one works on for a day."""
    made = rotate_scim_client(house.context, OPERATOR, workspace, client_id, at_once=at_once, now=house.now)
    return Told({**_wire(made), "former_until": wire_time(made.former_until)}, _text(made))


@scim_client.command("revoke")
@click.argument("workspace")
@click.argument("client_id", metavar="ID")
@told
def revoke(house: House, workspace: str, client_id: str) -> Told:
    """End a client at once, and all that it was given."""
    revoke_token(house.context, OPERATOR, workspace, client_id, house.now)
    return Told({"client_id": client_id}, "Revoked. The next call by it is refused.")


def _wire(made: NewScimClient) -> dict[str, str | None]:
    return {
        "client_id": made.client_id,
        "client_secret": made.client_secret,
        "token_url": made.token_url,
        "base_url": made.base_url,
        "expires_at": wire_time(made.expires_at),
    }


def _text(made: NewScimClient) -> str:
    until = "It doesn't run out." if made.expires_at is None else f"It works until {made.expires_at:%d %b %Y}."
    former = (
        "" if made.former_until is None else f"\nThe former secret works until {made.former_until:%d %b %Y, %H:%M} UTC."
    )
    return (
        f"Client id: {made.client_id}\nClient secret: {made.client_secret}\nThis is the only time it is shown. {until}"
        f"{former}\nToken endpoint: {made.token_url}\nBase URL: {made.base_url}"
    )
