"""`bridge scim-token`: the keys by which IdPs push."""

from collections.abc import Sequence

import click

from bridge.cli.shown import table, wire_scope, wire_time
from bridge.cli.terminal import House, Told, told
from bridge.domain.tokens import NewToken, TokenFacts
from bridge.flows.context import OPERATOR
from bridge.flows.tokens import create_scim_token, list_tokens, revoke_token


@click.group("scim-token")
def scim_token() -> None:
    """Make, list and revoke the tokens by which IdPs push people and groups."""


@scim_token.command("create")
@click.argument("workspace")
@click.option("--connection", "connection_id", required=True, metavar="ID", help="Into whose directory.")
@click.option("--expires-in", "days", type=int, metavar="DAYS", help="Otherwise it doesn't run out.")
@click.option("--description", default="", metavar="TEXT", help="What the list calls it.")
@told
def create(house: House, workspace: str, connection_id: str, days: int | None, description: str) -> Told:
    """Make a token. It is shown this one time."""
    made = create_scim_token(house.context, OPERATOR, workspace, connection_id, days, description, house.now)
    return Told({**_wire(made), "expires_at": wire_time(made.expires_at)}, text_token(made))


@scim_token.command("list")
@click.argument("workspace")
@told
def show_all(house: House, workspace: str) -> Told:
    """List a workspace's SCIM tokens, newest first."""
    found = list_tokens(house.context, workspace, house.now)
    return tell_tokens([one for one in found if one.kind == "scim"])


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


def tell_tokens(found: Sequence[TokenFacts]) -> Told:
    """Tokens, one a line."""
    rows = [(one.id, one.kind, one.description, _day(one.last_used_at), _expiry(one)) for one in found]
    wire = [_wire_facts(one) for one in found]
    return Told({"tokens": wire}, table(["Id", "Kind", "Name", "Last used", "Expires"], rows))


def _wire_facts(one: TokenFacts) -> dict[str, object]:
    return {
        "id": one.id,
        "kind": one.kind,
        "description": one.description,
        "connection": one.connection_id,
        "roles": [wire_scope(given) for given in one.roles],
        "works": one.works,
        "created_at": wire_time(one.created_at),
        "expires_at": wire_time(one.expires_at),
        "last_used_at": wire_time(one.last_used_at),
    }


def _day(moment: object) -> str:
    return "never" if moment is None else f"{moment:%d %b %Y}"


def _expiry(one: TokenFacts) -> str:
    return _day(one.expires_at) if one.works else f"{_day(one.expires_at)} (doesn't work)"
