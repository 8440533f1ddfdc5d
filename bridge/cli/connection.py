"""`bridge connection`: links to companies' IdPs, made, shown, switched, tested and deleted."""

import sys

import click

from bridge.cli.connection_answers import shown_connection, told_connection
from bridge.cli.connection_keys import rotate
from bridge.cli.connection_settings import change, set_client_secret
from bridge.cli.idp_metadata import check_chosen, is_url, read_metadata, signers_in
from bridge.cli.previews import asking, foreseeing, foretell, preview_text
from bridge.cli.shown import table, wire_connection, wire_time
from bridge.cli.terminal import House, Told, read_secret, told
from bridge.domain.previews import DeleteConnection, Seen, SwitchConnection
from bridge.domain.workspace import Connection
from bridge.flows import connect, own_connections
from bridge.flows.connect_oidc import PRIVATE_KEY, OidcDraft, create_oidc, read_provider
from bridge.flows.connection_overview import Closing, foresee_closing
from bridge.flows.context import OPERATOR
from bridge.flows.refresh_metadata import refresh_now
from bridge.flows.try_connection import allow_test
from bridge.flows.warn_expiries import connection_expiries
from bridge.wiring import make_outside


@click.group()
def connection() -> None:
    """Connect companies' identity providers."""


for _command in (change, set_client_secret, rotate):
    connection.add_command(_command)


@connection.command("create")
@click.argument("workspace")
@click.option("--kind", type=click.Choice(["saml", "oidc"]), required=True)
@click.option("--idp-metadata", metavar="FILE_OR_URL", help="The IdP's SAML metadata.")
@click.option("--idp-entity-id", metavar="ID", help="Which one, where the metadata has several IdPs.")
@click.option("--metadata-certificate", metavar="FILE", help="Take metadata signed by this certificate only.")
@click.option("--idp-initiated/--no-idp-initiated", default=False, help="Whether sign-in may begin at the IdP.")
@click.option("--issuer", metavar="URL", help="OpenID Connect: the provider's issuer.")
@click.option("--client-id", metavar="ID", help="OpenID Connect: our client id there.")
@click.option("--client-secret-stdin", is_flag=True, help="OpenID Connect: read our client secret from stdin.")
@click.option(
    "--token-auth",
    metavar="WAY",
    help="OpenID Connect: client_secret_basic, client_secret_post or private_key_jwt; otherwise as the provider says.",
)
@click.option("--hosted-domain", metavar="DOMAIN", help="OpenID Connect, Google: the domain that people must be of.")
@click.option(
    "--preset",
    metavar="IDP",
    help="Whose names of attributes: generic (otherwise), okta, entra, onelogin, google, jumpcloud, ping; SAML: adfs; "
    "OpenID Connect: auth0, keycloak.",
)
@click.option("--name", help="What people see; otherwise the preset's.")
@told
def create(
    house: House,
    workspace: str,
    kind: str,
    idp_metadata: str | None,
    idp_entity_id: str | None,
    metadata_certificate: str | None,
    idp_initiated: bool,
    issuer: str | None,
    client_id: str | None,
    client_secret_stdin: bool,
    token_auth: str | None,
    hosted_domain: str | None,
    preset: str | None,
    name: str | None,
) -> Told:
    """Make a connection. It is enabled at once."""
    check_chosen(idp_metadata, idp_entity_id)
    if kind == "oidc":
        secret = _read_client_secret(issuer, client_id, client_secret_stdin, token_auth)
        named = OidcDraft(issuer or "", client_id or "", secret, name, preset, idp_initiated, token_auth, hosted_domain)
        return _create_oidc(house, workspace, named)
    if idp_metadata is None:
        raise click.UsageError("--kind saml needs --idp-metadata.")
    url = idp_metadata if is_url(idp_metadata) else None
    draft = connect.SamlDraft(
        read_metadata(house, idp_metadata),
        name,
        preset,
        idp_initiated,
        metadata_url=url,
        idp_entity_id=idp_entity_id,
        signed_by=tuple(signers_in(metadata_certificate) or ()),
    )
    made = connect.create_saml(house.context, OPERATOR, workspace, draft, house.now)
    return told_connection(house, made, f"Made the connection {made.name}. Its IdP asks for these addresses:")


def _read_client_secret(
    issuer: str | None, client_id: str | None, client_secret_stdin: bool, token_auth: str | None
) -> str | None:
    if not (issuer and client_id and (client_secret_stdin or token_auth == PRIVATE_KEY)):
        raise click.UsageError("--kind oidc needs --issuer, --client-id and --client-secret-stdin.")
    return read_secret() if client_secret_stdin else None


def _create_oidc(house: House, workspace: str, draft: OidcDraft) -> Told:
    with make_outside(house.settings).calls.turn() as ask:
        provider = read_provider(draft.issuer, ask)
    made = create_oidc(house.context, OPERATOR, workspace, draft, provider, house.now)
    return told_connection(house, made, f"Made the connection {made.name}. Its provider asks for these addresses:")


@connection.command("list")
@click.argument("workspace")
@told
def show_all(house: House, workspace: str) -> Told:
    """List a workspace's connections."""
    found = own_connections.list_connections(house.context, workspace)
    expiries = connection_expiries(house.context, workspace, house.now)
    ends = {id_: wire_time(listed[0].ends_at) for id_, listed in expiries.items() if listed}
    rows = [(one.id, one.kind, one.name, "on" if one.enabled else "off", ends.get(one.id) or "") for one in found]
    wire = {
        "connections": [{**wire_connection(house.context, one), "certificates_end": ends.get(one.id)} for one in found]
    }
    return Told(wire, table(["Id", "Kind", "Name", "Enabled", "Certificates end"], rows))


@connection.command("show")
@click.argument("workspace")
@click.argument("connection_id", metavar="ID")
@told
def show(house: House, workspace: str, connection_id: str) -> Told:
    """Show a connection: its addresses, settings and certificates, and what hangs on it."""
    return shown_connection(house, workspace, connection_id)


@connection.command("enable")
@click.argument("workspace")
@click.argument("connection_id", metavar="ID")
@told
@asking
def enable(house: House, workspace: str, connection_id: str, dry_run: bool, seen: Seen | None) -> Told:
    """Switch a connection on."""
    if dry_run:
        return foretell(house, workspace, SwitchConnection(connection_id, True))
    found = own_connections.set_enabled(house.context, OPERATOR, workspace, connection_id, True, house.now, seen=seen)
    return told_connection(house, found, f"{found.name} is on.")


@connection.command("disable")
@click.argument("workspace")
@click.argument("connection_id", metavar="ID")
@told
@asking
def disable(house: House, workspace: str, connection_id: str, dry_run: bool, seen: Seen | None) -> Told:
    """Switch a connection off: its sign-ins, its SCIM, and what its groups give, at once. Says who loses by it."""
    if dry_run:
        return foretell(house, workspace, SwitchConnection(connection_id, False))
    closing = foresee_closing(house.context, workspace, connection_id, house.now)
    found = own_connections.set_enabled(house.context, OPERATOR, workspace, connection_id, False, house.now, seen=seen)
    said = f"{found.name} is off: nobody signs in by it, and its groups give nothing. {_loss(closing)}"
    return _closed(house, found, said, closing)


@connection.command("delete")
@click.argument("workspace")
@click.argument("connection_id", metavar="ID")
@click.option("--yes", is_flag=True, help="Don't ask.")
@told
@foreseeing
def delete(house: House, workspace: str, connection_id: str, yes: bool, dry_run: bool, seen: Seen | None) -> Told:
    """Delete a connection with its directory, rules and tokens. On a terminal it asks for the connection's name."""
    if dry_run:
        return foretell(house, workspace, DeleteConnection(connection_id))
    closing = foresee_closing(house.context, workspace, connection_id, house.now)
    typed = _ask_for_name(closing) if not yes and sys.stdin.isatty() else None
    its, asked = (house.context, OPERATOR, workspace, connection_id), closing.foreseen if typed is not None else None
    now = house.later().now
    gone = own_connections.delete_connection(*its, now, typed_name=typed, seen=seen or asked)
    return _closed(house, gone, f"Deleted the connection {gone.name}. {_loss(closing)}", closing)


def _ask_for_name(closing: Closing) -> str:
    counts, name = closing.overview.counts, closing.overview.connection.name
    goes = [
        f"the directory of {counts.pushed:,} people and {counts.groups:,} groups",
        f"{counts.rules:,} rules",
        f"{counts.tokens:,} SCIM tokens",
    ]
    click.echo(preview_text(closing.preview), err=True)
    click.echo(f"This deletes {name} with {', '.join(goes)}. {_loss(closing)} It can't be undone.", err=True)
    return str(click.prompt("Type its name to go on", err=True))


def _loss(closing: Closing) -> str:
    count = closing.loses.count
    people = "1 person loses" if count == 1 else f"{count:,} people lose"
    last = " It was the only way in while SSO is required." if closing.last_way else ""
    return f"{people} access by it.{last}"


def _closed(house: House, found: Connection, text: str, closing: Closing) -> Told:
    told_of = told_connection(house, found, text)
    return Told({**told_of.wire, "loses": {"count": closing.loses.count}}, told_of.text)


@connection.command("refresh-metadata")
@click.argument("workspace")
@click.argument("connection_id", metavar="ID")
@told
def refresh_metadata(house: House, workspace: str, connection_id: str) -> Told:
    """Read the IdP's metadata again from where it was read before. What can't be trusted leaves the last good one."""
    fetch = make_outside(house.settings).fetch
    done = refresh_now(house.context, fetch, OPERATOR, workspace, connection_id, house.now)
    shown = shown_connection(house, workspace, connection_id)
    changes = "; ".join(done.changes) or "nothing has changed"
    return Told({**shown.wire, "changes": list(done.changes)}, f"{done.connection.name}: {changes}.\n{shown.text}")


@connection.command("test")
@click.argument("workspace")
@click.argument("connection_id", metavar="ID")
@told
def test(house: House, workspace: str, connection_id: str) -> Told:
    """Make an address that tests the connection in a browser, once, and signs nobody in. Works while it is off, too."""
    url = house.context.public_url + allow_test(house.context, OPERATOR, workspace, connection_id, house.now)
    text = f"Open this in a browser within half an hour. It works once, and signs nobody in:\n  {url}"
    return Told({"url": url}, text)
