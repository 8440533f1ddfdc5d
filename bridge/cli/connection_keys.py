"""`bridge connection rotate-key`: our key of a connection is replaced in two steps."""

import click

from bridge.cli.shown import wire_keys
from bridge.cli.terminal import House, Told, told
from bridge.domain.workspace import Connection
from bridge.flows import own_connections, rotate_client_key, rotate_key
from bridge.flows.connect_oidc import oidc_addresses
from bridge.flows.context import OPERATOR


@click.command("rotate-key")
@click.argument("workspace")
@click.argument("connection_id", metavar="ID")
@click.argument("step", type=click.Choice(["begin", "finish", "cancel"]))
@told
def rotate(house: House, workspace: str, connection_id: str, step: str) -> Told:
    """Replace our key of a connection: begin, give the IdP the next certificate or key, finish. Or cancel."""
    found = own_connections.find_own(house.context, workspace, connection_id)
    if found.kind == "oidc":
        return _rotate_client_key(house, workspace, found, step)
    turn, text = _STEPS[step]
    keys = turn(house.context, OPERATOR, workspace, connection_id, house.now)
    shown = [text, *([keys.next.pem.strip()] if keys.next else [])]
    return Told({"keys": wire_keys(keys)}, "\n".join(shown))


_STEPS = {
    "begin": (
        rotate_key.begin_rotation,
        "The metadata now holds both certificates. Give the IdP this one, or let it read the metadata; then finish. "
        "Requests are still signed with the present key, and what is encrypted for either is opened.",
    ),
    "finish": (
        rotate_key.finish_rotation,
        "The next key is the present one, and the old one is forgotten. An IdP that has only the old certificate "
        "refuses signed requests, and what it encrypts can't be opened.",
    ),
    "cancel": (rotate_key.cancel_rotation, "The next key is forgotten; the present one stays."),
}


def _rotate_client_key(house: House, workspace: str, found: Connection, step: str) -> Told:
    turn, text = _CLIENT_STEPS[step]
    keys = turn(house.context, OPERATOR, workspace, found.id, house.now)
    published = f"{oidc_addresses(house.context, found.id).login_url.removesuffix('/login')}/jwks"
    names = [f"  {name:<12}{kid}" for name, kid in (("present", keys.current), ("next", keys.next)) if kid]
    wire = {"current": {"kid": keys.current}, "next": keys.next and {"kid": keys.next}}
    return Told({"keys": {**wire, "jwks_uri": published}}, "\n".join([text, f"  {'published':<12}{published}", *names]))


_CLIENT_STEPS = {
    "begin": (
        rotate_client_key.begin_rotation,
        "Both keys are published now. Have the provider read them, or give it the next one; then finish. Tokens are "
        "still asked for with the present key.",
    ),
    "finish": (
        rotate_client_key.finish_rotation,
        "The next key is the present one, and the old one is forgotten. A provider that has only the old one refuses "
        "every sign-in.",
    ),
    "cancel": (rotate_client_key.cancel_rotation, "The next key is forgotten; the present one stays."),
}
