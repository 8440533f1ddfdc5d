"""`bridge connection set` and `set-client-secret`: what an admin may change of a connection."""

from dataclasses import replace
from typing import Any

import click

from bridge.cli.connection_answers import shown_connection, told_connection
from bridge.cli.idp_metadata import check_chosen, is_url, read_metadata, signers_in
from bridge.cli.terminal import House, Told, read_secret, told
from bridge.domain.errors import Invalid
from bridge.domain.workspace import Connection
from bridge.flows import connection_settings, own_connections, trusted_idp
from bridge.flows.connect_oidc import replace_client_secret
from bridge.flows.context import OPERATOR
from bridge.flows.oidc_settings import change_oidc_settings


@click.command("set")
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
    check_chosen(idp_metadata, idp_entity_id)
    wanted, signers = _wanted(options), signers_in(metadata_certificate)
    if not wanted and idp_metadata is None and signers is None and not client_secret_stdin:
        raise click.UsageError("Say what to change.")
    found = own_connections.find_own(house.context, workspace, connection_id)
    others = {"idp_metadata": idp_metadata, "metadata_certificate": signers is not None}
    _check_kind(found, {*wanted, *_named(**others, client_secret_stdin=client_secret_stdin)})
    named = (house.context, OPERATOR, workspace, connection_id)
    if found.kind == "oidc":
        secret = read_secret() if client_secret_stdin else None
        change_oidc_settings(*named, lambda settings: replace(settings, **wanted), house.now, client_secret=secret)
        return shown_connection(house, workspace, connection_id)
    if idp_metadata is not None:
        url = idp_metadata if is_url(idp_metadata) else None
        metadata = read_metadata(house, idp_metadata)
        trusted_idp.replace_metadata(*named, metadata, house.now, url=url, entity_id=idp_entity_id, signed_by=signers)
    elif signers is not None:
        trusted_idp.hold_metadata_to(*named, signers, house.now)
    connection_settings.change_settings(*named, lambda settings: replace(settings, **wanted), house.now)
    return shown_connection(house, workspace, connection_id)


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


@click.command("set-client-secret")
@click.argument("workspace")
@click.argument("connection_id", metavar="ID")
@told
def set_client_secret(house: House, workspace: str, connection_id: str) -> Told:
    """Show the OpenID provider another client secret, read from stdin."""
    secret = read_secret()
    found = replace_client_secret(house.context, OPERATOR, workspace, connection_id, secret, house.now)
    return told_connection(house, found, f"{found.name} shows its provider the new client secret.")
