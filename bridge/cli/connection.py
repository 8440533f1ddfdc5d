"""`bridge connection`: links to companies' IdPs."""

import sys
from dataclasses import asdict
from pathlib import Path

import click

from bridge.cli.shown import table, wire_connection
from bridge.cli.terminal import House, Told, read_secret, told
from bridge.domain.errors import DomainError, Invalid
from bridge.domain.workspace import Connection
from bridge.flows import connect
from bridge.flows.context import OPERATOR
from bridge.outside.web import FetchFailed, fetch
from bridge.settings import Settings

_METADATA_SECONDS, _METADATA_BYTES = 15.0, 4 * 2**20


@click.group()
def connection() -> None:
    """Connect companies' identity providers."""


@connection.command("create")
@click.argument("workspace")
@click.option("--kind", type=click.Choice(["saml", "oidc"]), required=True)
@click.option("--idp-metadata", metavar="FILE_OR_URL", help="The IdP's SAML metadata.")
@click.option("--idp-initiated/--no-idp-initiated", default=False, help="Whether sign-in may begin at the IdP.")
@click.option("--issuer", metavar="URL", help="OpenID Connect: the provider's issuer.")
@click.option("--client-id", metavar="ID", help="OpenID Connect: our client id there.")
@click.option("--client-secret-stdin", is_flag=True, help="OpenID Connect: read our client secret from stdin.")
@click.option(
    "--preset",
    metavar="IDP",
    help="Whose names of attributes: generic (otherwise), okta, entra, onelogin, google, jumpcloud, ping, adfs.",
)
@click.option("--name", help="What people see; otherwise the preset's.")
@told
def create(
    house: House,
    workspace: str,
    kind: str,
    idp_metadata: str | None,
    idp_initiated: bool,
    issuer: str | None,
    client_id: str | None,
    client_secret_stdin: bool,
    preset: str | None,
    name: str | None,
) -> Told:
    """Make a connection, with a key pair of its own. It is enabled at once."""
    if kind == "oidc":
        _check_oidc(issuer, client_id, client_secret_stdin)
        raise DomainError("This version of the bridge makes SAML connections only: OpenID Connect is not built yet.")
    if idp_metadata is None:
        raise click.UsageError("--kind saml needs --idp-metadata.")
    draft = connect.SamlDraft(_read(house, idp_metadata), name, preset, idp_initiated)
    made = connect.create_saml(house.context, OPERATOR, workspace, draft, house.now)
    return _told(house, made, f"Made the connection {made.name}. Its IdP asks for these addresses:")


def _check_oidc(issuer: str | None, client_id: str | None, client_secret_stdin: bool) -> None:
    if not (issuer and client_id and client_secret_stdin):
        raise click.UsageError("--kind oidc needs --issuer, --client-id and --client-secret-stdin.")
    read_secret()


def _read(house: House, file_or_url: str) -> bytes:
    if file_or_url.startswith(("http://", "https://")):
        return fetch_metadata(house.settings, file_or_url)
    try:
        return Path(file_or_url).read_bytes()
    except OSError as error:
        raise click.UsageError(f"--idp-metadata: {file_or_url}: {error.strerror}.") from error


@connection.command("list")
@click.argument("workspace")
@told
def show_all(house: House, workspace: str) -> Told:
    """List a workspace's connections."""
    found = connect.list_connections(house.context, workspace)
    rows = [(one.id, one.kind, one.name, "on" if one.enabled else "off") for one in found]
    wire = {"connections": [wire_connection(house.context, one) for one in found]}
    return Told(wire, table(["Id", "Kind", "Name", "Enabled"], rows))


@connection.command("enable")
@click.argument("workspace")
@click.argument("connection_id", metavar="ID")
@told
def enable(house: House, workspace: str, connection_id: str) -> Told:
    """Switch a connection on."""
    found = connect.set_enabled(house.context, OPERATOR, workspace, connection_id, True, house.now)
    return _told(house, found, f"{found.name} is on.")


@connection.command("disable")
@click.argument("workspace")
@click.argument("connection_id", metavar="ID")
@told
def disable(house: House, workspace: str, connection_id: str) -> Told:
    """Switch a connection off: its sign-ins, its SCIM, and what its groups give, at once."""
    found = connect.set_enabled(house.context, OPERATOR, workspace, connection_id, False, house.now)
    return _told(house, found, f"{found.name} is off: nobody signs in by it, and its groups give nothing.")


@connection.command("delete")
@click.argument("workspace")
@click.argument("connection_id", metavar="ID")
@click.option("--yes", is_flag=True, help="Don't ask.")
@told
def delete(house: House, workspace: str, connection_id: str, yes: bool) -> Told:
    """Delete a connection with its directory, rules and tokens. Asks first, on a terminal."""
    _confirm(yes, "Delete the connection with its directory, rules and tokens? It can't be undone.")
    gone = connect.delete_connection(house.context, OPERATOR, workspace, connection_id, house.now)
    return _told(house, gone, f"Deleted the connection {gone.name}.")


def _confirm(yes: bool, question: str) -> None:
    if not yes and sys.stdin.isatty():
        click.confirm(question, abort=True, err=True)


def _told(house: House, found: Connection, text: str) -> Told:
    lines = [f"  {label:<16}{url}" for label, url in asdict(connect.addresses(house.context, found.id)).items()]
    shown = "\n".join([text, f"  {'id':<16}{found.id}", *lines])
    return Told({"connection": wire_connection(house.context, found)}, shown)


def fetch_metadata(settings: Settings, url: str) -> bytes:
    """An IdP's metadata from where an admin says it is, within limits. Raises Invalid, saying why."""
    try:
        return fetch(
            url,
            timeout=_METADATA_SECONDS,
            max_bytes=_METADATA_BYTES,
            allow_private=settings.fetch_private_addresses,
        )
    except FetchFailed as error:
        raise Invalid(str(error), field="idp_metadata") from error
