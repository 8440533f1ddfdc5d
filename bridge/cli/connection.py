"""`bridge connection`: links to companies' IdPs."""

import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click

from bridge.cli.previews import foreseeing, foretell
from bridge.cli.shown import table, text_details, wire_connection, wire_details, wire_keys, wire_time
from bridge.cli.terminal import House, Told, read_secret, told
from bridge.domain.errors import Invalid
from bridge.domain.previews import DeleteConnection, Seen, SwitchConnection
from bridge.domain.workspace import Connection
from bridge.flows import connect, connection_settings, own_connections, rotate_client_key, rotate_key, trusted_idp
from bridge.flows.connect_oidc import (
    PRIVATE_KEY,
    OidcDraft,
    addresses_of,
    create_oidc,
    oidc_addresses,
    read_provider,
    replace_client_secret,
)
from bridge.flows.connection_overview import Closing, foresee_closing, get_overview
from bridge.flows.context import OPERATOR
from bridge.flows.oidc_settings import change_oidc_settings
from bridge.flows.refresh_metadata import refresh_now
from bridge.flows.try_connection import allow_test
from bridge.flows.warn_expiries import connection_expiries
from bridge.outside.web import FetchFailed, fetch
from bridge.settings import Settings
from bridge.wiring import make_outside

_METADATA_SECONDS, _METADATA_BYTES = 15.0, 4 * 2**20


@click.group()
def connection() -> None:
    """Connect companies' identity providers."""


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
    _check_chosen(idp_metadata, idp_entity_id)
    if kind == "oidc":
        secret = _read_client_secret(issuer, client_id, client_secret_stdin, token_auth)
        named = OidcDraft(issuer or "", client_id or "", secret, name, preset, idp_initiated, token_auth, hosted_domain)
        return _create_oidc(house, workspace, named)
    if idp_metadata is None:
        raise click.UsageError("--kind saml needs --idp-metadata.")
    url = idp_metadata if _is_url(idp_metadata) else None
    draft = connect.SamlDraft(
        _read(house, idp_metadata),
        name,
        preset,
        idp_initiated,
        metadata_url=url,
        idp_entity_id=idp_entity_id,
        signed_by=tuple(_signers(metadata_certificate) or ()),
    )
    made = connect.create_saml(house.context, OPERATOR, workspace, draft, house.now)
    return _told(house, made, f"Made the connection {made.name}. Its IdP asks for these addresses:")


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
    return _told(house, made, f"Made the connection {made.name}. Its provider asks for these addresses:")


def _check_chosen(idp_metadata: str | None, idp_entity_id: str | None) -> None:
    if idp_entity_id and idp_metadata is None:
        raise click.UsageError("--idp-entity-id chooses in what --idp-metadata names.")


def _signers(file: str | None) -> list[str] | None:
    """The certificates in a file; none of an empty name; None where no file was named."""
    if file is None:
        return None
    return trusted_idp.parse_signers(_text_of(file) if file else "")


def _text_of(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise click.UsageError(f"--metadata-certificate: {file}: {error.strerror}.") from error


def _is_url(file_or_url: str) -> bool:
    return file_or_url.startswith(("http://", "https://"))


def _read(house: House, file_or_url: str) -> bytes:
    if _is_url(file_or_url):
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
    return _shown(house, workspace, connection_id)


@connection.command("set")
@click.argument("workspace")
@click.argument("connection_id", metavar="ID")
@click.option("--name", help="What people see.")
@click.option("--idp-initiated/--no-idp-initiated", default=None, help="Whether sign-in may begin at the IdP.")
@click.option("--jit/--no-jit", default=None, help="Whether a first sign-in makes an account.")
@click.option("--mirror-groups/--no-mirror-groups", default=None, help="Whether a pushed group gets a User Group.")
@click.option("--sign-requests/--no-sign-requests", default=None, help="Whether requests to the IdP are signed.")
@click.option(
    "--requests-by-post/--no-requests-by-post",
    default=None,
    help="Whether the IdP is asked by POST where it takes both that and Redirect.",
)
@click.option("--force-authn/--no-force-authn", default=None, help="Whether the IdP must ask anew at each sign-in.")
@click.option("--authn-context", metavar="URI", multiple=True, help="How the IdP must ask; repeat for several.")
@click.option("--name-id-format", metavar="FORMAT", help="persistent, email, transient, unspecified, or its URI.")
@click.option(
    "--email-attribute",
    "--email-claim",
    "email",
    metavar="NAME",
    multiple=True,
    help="Where the email is; several in order.",
)
@click.option(
    "--name-attribute", "--name-claim", "display_name", metavar="NAME", multiple=True, help="Where the name is."
)
@click.option(
    "--groups-attribute", "--groups-claim", "groups", metavar="NAME", multiple=True, help="Where the groups are."
)
@click.option("--clock-skew", metavar="SECONDS", type=int, help="By how much clocks may differ.")
@click.option("--asserted-days", metavar="DAYS", type=int, help="How long groups named at a sign-in count.")
@click.option("--idp-metadata", metavar="FILE_OR_URL", help="The IdP's metadata, to trust from now on.")
@click.option("--idp-entity-id", metavar="ID", help="Which one, where that metadata has several IdPs.")
@click.option("--metadata-certificate", metavar="FILE", help="Take metadata signed by this certificate only.")
@click.option("--client-id", metavar="ID", help="OpenID Connect: our client id there.")
@click.option(
    "--token-auth",
    metavar="WAY",
    help="OpenID Connect: client_secret_basic, client_secret_post or private_key_jwt; a key is made for the last.",
)
@click.option(
    "--scope", "scopes", metavar="SCOPE", multiple=True, help="OpenID Connect: what to ask for; repeat for several."
)
@click.option("--hosted-domain", metavar="DOMAIN", help="OpenID Connect, Google: the domain that people must be of.")
@click.option(
    "--trust-email/--no-trust-email",
    default=None,
    help="OpenID Connect: whether addresses open accounts even where the provider doesn't say that it verified them.",
)
@click.option(
    "--logout-return/--no-logout-return",
    default=None,
    help="OpenID Connect: whether the provider knows our address for people who have signed out there.",
)
@click.option("--client-secret-stdin", is_flag=True, help="OpenID Connect: read our new client secret from stdin.")
@told
def change(
    house: House,
    /,
    workspace: str,
    connection_id: str,
    idp_metadata: str | None,
    idp_entity_id: str | None,
    metadata_certificate: str | None,
    client_secret_stdin: bool,
    **options: Any,
) -> Told:
    """Change a connection. What isn't named stays; an empty text takes back what was chosen.

    Of an OpenID Connect connection all but its issuer: another issuer is another connection.
    """
    _check_chosen(idp_metadata, idp_entity_id)
    wanted, signers = _wanted(options), _signers(metadata_certificate)
    if not wanted and idp_metadata is None and signers is None and not client_secret_stdin:
        raise click.UsageError("Say what to change.")
    found = own_connections.find_own(house.context, workspace, connection_id)
    others = {"idp_metadata": idp_metadata, "metadata_certificate": signers is not None}
    _check_kind(found, {*wanted, *_named(**others, client_secret_stdin=client_secret_stdin)})
    named = (house.context, OPERATOR, workspace, connection_id)
    if found.kind == "oidc":
        secret = read_secret() if client_secret_stdin else None
        change_oidc_settings(*named, lambda settings: replace(settings, **wanted), house.now, client_secret=secret)
        return _shown(house, workspace, connection_id)
    if idp_metadata is not None:
        url = idp_metadata if _is_url(idp_metadata) else None
        metadata = _read(house, idp_metadata)
        trusted_idp.replace_metadata(*named, metadata, house.now, url=url, entity_id=idp_entity_id, signed_by=signers)
    elif signers is not None:
        trusted_idp.hold_metadata_to(*named, signers, house.now)
    connection_settings.change_settings(*named, lambda settings: replace(settings, **wanted), house.now)
    return _shown(house, workspace, connection_id)


#: Options of `set` that one kind of connection has and the other hasn't, by the names of their values.
_ONLY = {
    "saml": (
        "sign_requests",
        "requests_by_post",
        "authn_context",
        "name_id_format",
        "idp_metadata",
        "metadata_certificate",
    ),
    "oidc": (
        "client_id",
        "token_auth",
        "scopes",
        "hosted_domain",
        "trust_email",
        "logout_return",
        "client_secret_stdin",
    ),
}


def _named(**options: object) -> set[str]:
    return {name for name, value in options.items() if value}


def _check_kind(found: Connection, named: set[str]) -> None:
    """Refuse options of the other kind, before anything changes. Raises Invalid."""
    other, speaks = ("oidc", "SAML") if found.kind == "saml" else ("saml", "OpenID Connect")
    wrong = [f"--{name.replace('_', '-').replace('scopes', 'scope')}" for name in _ONLY[other] if name in named]
    if wrong:
        raise Invalid(f"{found.name} speaks {speaks}, which has no {', '.join(wrong)}.", field=wrong[0])


def _wanted(options: dict[str, Any]) -> dict[str, Any]:
    """The settings that were named. Of a repeated option, an empty text leaves none."""
    given = {name: value for name, value in options.items() if value not in (None, ())}
    if "name_id_format" in given:
        given["name_id_format"] = connection_settings.parse_name_id_format(given["name_id_format"])
    return {name: _chosen(value) if isinstance(value, tuple) else value for name, value in given.items()}


def _chosen(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(value for value in values if value)


@connection.command("set-client-secret")
@click.argument("workspace")
@click.argument("connection_id", metavar="ID")
@told
def set_client_secret(house: House, workspace: str, connection_id: str) -> Told:
    """Show the OpenID provider another client secret, read from stdin."""
    secret = read_secret()
    found = replace_client_secret(house.context, OPERATOR, workspace, connection_id, secret, house.now)
    return _told(house, found, f"{found.name} shows its provider the new client secret.")


@connection.command("enable")
@click.argument("workspace")
@click.argument("connection_id", metavar="ID")
@foreseeing
@told
def enable(house: House, workspace: str, connection_id: str, dry_run: bool, seen: Seen | None) -> Told:
    """Switch a connection on."""
    if dry_run:
        return foretell(house, workspace, SwitchConnection(connection_id, True))
    found = own_connections.set_enabled(house.context, OPERATOR, workspace, connection_id, True, house.now, seen=seen)
    return _told(house, found, f"{found.name} is on.")


@connection.command("disable")
@click.argument("workspace")
@click.argument("connection_id", metavar="ID")
@foreseeing
@told
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
@foreseeing
@told
def delete(house: House, workspace: str, connection_id: str, yes: bool, dry_run: bool, seen: Seen | None) -> Told:
    """Delete a connection with its directory, rules and tokens. On a terminal it asks for the connection's name."""
    if dry_run:
        return foretell(house, workspace, DeleteConnection(connection_id))
    closing = foresee_closing(house.context, workspace, connection_id, house.now)
    typed = _ask_for_name(closing) if not yes and sys.stdin.isatty() else None
    its, asked = (house.context, OPERATOR, workspace, connection_id), closing.foreseen if typed is not None else None
    gone = own_connections.delete_connection(*its, house.now, typed_name=typed, seen=seen or asked)
    return _closed(house, gone, f"Deleted the connection {gone.name}. {_loss(closing)}", closing)


def _ask_for_name(closing: Closing) -> str:
    counts, name = closing.overview.counts, closing.overview.connection.name
    goes = [
        f"the directory of {counts.pushed:,} people and {counts.groups:,} groups",
        f"{counts.rules:,} rules",
        f"{counts.tokens:,} SCIM tokens",
    ]
    click.echo(f"This deletes {name} with {', '.join(goes)}. {_loss(closing)} It can't be undone.", err=True)
    return str(click.prompt("Type its name to go on", err=True))


def _loss(closing: Closing) -> str:
    count = closing.loses.count
    people = "1 person loses" if count == 1 else f"{count:,} people lose"
    last = " It was the only way in while SSO is required." if closing.last_way else ""
    return f"{people} access by it.{last}"


def _closed(house: House, found: Connection, text: str, closing: Closing) -> Told:
    told_of = _told(house, found, text)
    return Told({**told_of.wire, "loses": {"count": closing.loses.count}}, told_of.text)


@connection.command("rotate-key")
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


@connection.command("refresh-metadata")
@click.argument("workspace")
@click.argument("connection_id", metavar="ID")
@told
def refresh_metadata(house: House, workspace: str, connection_id: str) -> Told:
    """Read the IdP's metadata again from where it was read before. What can't be trusted leaves the last good one."""
    fetch = make_outside(house.settings).fetch
    done = refresh_now(house.context, fetch, OPERATOR, workspace, connection_id, house.now)
    shown = _shown(house, workspace, connection_id)
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


def _shown(house: House, workspace: str, connection_id: str) -> Told:
    seen = get_overview(house.context, workspace, connection_id, house.now)
    keys = None
    if seen.connection.kind == "saml":
        keys = rotate_key.find_keys(house.context, workspace, connection_id)
    wire = wire_details(house.context, seen, keys)
    return Told({"connection": wire}, text_details(wire))


def _told(house: House, found: Connection, text: str) -> Told:
    lines = [f"  {label:<24}{url}" for label, url in asdict(addresses_of(house.context, found)).items()]
    shown = "\n".join([text, f"  {'id':<24}{found.id}", *lines])
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
