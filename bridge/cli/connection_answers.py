"""What commands about a connection answer: what it is, in full or with the addresses that its IdP asks for."""

from dataclasses import asdict

from bridge.cli.shown import text_details, wire_connection, wire_details
from bridge.cli.terminal import House, Told
from bridge.domain.workspace import Connection
from bridge.flows import rotate_key
from bridge.flows.connect_oidc import addresses_of
from bridge.flows.connection_overview import get_overview


def shown_connection(house: House, workspace: str, connection_id: str) -> Told:
    """All of it: its addresses, settings and certificates, and what hangs on it."""
    seen = get_overview(house.context, workspace, connection_id, house.now)
    keys = None
    if seen.connection.kind == "saml":
        keys = rotate_key.find_keys(house.context, workspace, connection_id)
    wire = wire_details(house.context, seen, keys)
    return Told({"connection": wire}, text_details(wire))


def told_connection(house: House, found: Connection, text: str) -> Told:
    """What was done, and the addresses that its IdP asks for."""
    lines = [f"  {label:<24}{url}" for label, url in asdict(addresses_of(house.context, found)).items()]
    shown = "\n".join([text, f"  {'id':<24}{found.id}", *lines])
    return Told({"connection": wire_connection(house.context, found)}, shown)
