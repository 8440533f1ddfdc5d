"""`bridge scim-token`: the keys by which IdPs push."""

import click

from bridge.cli.shown import wire_time
from bridge.cli.terminal import House, Told, told
from bridge.domain.tokens import NewToken
from bridge.flows.context import OPERATOR
from bridge.flows.tokens import create_scim_token, revoke_token


@click.group("scim-token")
def scim_token() -> None:
    """Make and revoke the tokens by which IdPs push people and groups."""


@scim_token.command("create")
@click.argument("workspace")
@click.option("--connection", "connection_id", required=True, metavar="ID")
@click.option("--expires-in", "days", type=int, metavar="DAYS", help="Otherwise it doesn't run out.")
@click.option("--description", default="", metavar="TEXT")
@told
def create(house: House, workspace: str, connection_id: str, days: int | None, description: str) -> Told:
    """Make a token. It is shown this one time."""
    made = create_scim_token(house.context, OPERATOR, workspace, connection_id, days, description, house.now)
    return Told({**_wire(made), "expires_at": wire_time(made.expires_at)}, text_token(made))


@scim_token.command("revoke")
@click.argument("workspace")
@click.argument("token_id", metavar="ID")
@told
def revoke(house: House, workspace: str, token_id: str) -> Told:
    """End a token at once."""
    revoke_token(house.context, OPERATOR, workspace, token_id, house.now)
    return Told({"id": token_id}, "Revoked. The next call with it is refused.")


def _wire(made: NewToken) -> dict[str, str]:
    return {"token": made.token, "base_url": made.base_url, "id": made.id}


def text_token(made: NewToken) -> str:
    """A new token for people."""
    until = "It doesn't run out." if made.expires_at is None else f"It works until {made.expires_at:%d %b %Y}."
    return f"{made.token}\nThis is the only time it is shown. {until}\nBase URL: {made.base_url}\nId: {made.id}"
