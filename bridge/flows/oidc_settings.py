"""What an admin may change of an OpenID Connect connection once it is made: all but its issuer.

A subject is unique and stable within its issuer alone (OpenID Connect Core 2, 5.7): under another issuer the same
subject may be somebody else, who would open the accounts that are linked. Another issuer is another connection.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from bridge.domain.domains import parse_domain
from bridge.domain.errors import DomainError, Invalid
from bridge.domain.people import clean_name
from bridge.domain.workspace import Connection, Workspace
from bridge.flows.connect import check_name_free
from bridge.flows.connect_oidc import PRIVATE_KEY, clean_client_id, clean_client_secret, new_private_key, usual_scopes
from bridge.flows.connection_secrets import seal
from bridge.flows.connection_settings import check_limits, check_names, difference
from bridge.flows.context import Context
from bridge.flows.named import (
    check_not_stale,
    check_sso_in_plan,
    get_connection,
    get_own_connection,
    get_workspace,
)
from bridge.storage import connections
from bridge.storage.changes import Change
from oidc.authorization_request import is_scope
from oidc.client import TOKEN_AUTH
from oidc.provider import Provider

_MOST_SCOPES, _LONGEST_SCOPE = 30, 255
_CLAIMS = (("email", "email"), ("name", "display_name"), ("groups", "groups"))


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """An OpenID Connect connection's settings. Names of claims: the first that has a value counts; none: the preset's.

    `clock_skew` is in seconds. `token_auth` is one of `oidc.client.TOKEN_AUTH`. `scopes` hold "openid", whoever chose
    them. `hosted_domain` is the Google Workspace domain that people must be of; None: the domains that are proved.
    `trust_email`: its addresses open accounts even where the provider doesn't say that it verified them, since nobody
    but its administrators writes them. `force_authn`: at each sign-in the person has to show there anew who they are.
    `logout_return`: the provider knows where to send people back to who have signed out there (it is registered).
    """

    name: str
    client_id: str
    token_auth: str
    scopes: tuple[str, ...]
    allow_idp_initiated: bool = False
    jit: bool = True
    trust_email: bool = False
    force_authn: bool = False
    logout_return: bool = False
    mirror_groups: bool = True
    email: tuple[str, ...] = ()
    display_name: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    hosted_domain: str | None = None
    clock_skew: int = 60
    asserted_days: int = 7


def oidc_settings_of(found: Connection) -> OidcSettings:
    """An OpenID Connect connection's settings; what an older row doesn't say stands at its default."""
    config, chosen = found.config, found.config.get("claims") or {}
    others = ("hosted_domain", "clock_skew", "asserted_days")
    switches = ("allow_idp_initiated", "jit", "trust_email", "force_authn", "logout_return", "mirror_groups")
    return OidcSettings(
        name=found.name,
        client_id=config["client_id"],
        token_auth=config["token_auth"],
        scopes=with_openid(config["scopes"]),
        email=tuple(chosen.get("email", ())),
        display_name=tuple(chosen.get("name", ())),
        groups=tuple(chosen.get("groups", ())),
        **{name: config[name] for name in (*switches, *others) if name in config},
    )


def change_oidc_settings(
    context: Context,
    actor: str,
    workspace_slug: str,
    connection_id: str,
    edit: Callable[[OidcSettings], OidcSettings],
    now: datetime,
    *,
    read_at: int | None = None,
    client_secret: str | None = None,
) -> Connection:
    """Set what `edit` makes of the settings that stand, and the client secret where one is given. Audited with what
    was and what is, where they differ; of a secret, that it was replaced.

    From private_key_jwt to a client secret needs the secret; the other way makes a key. What was shown before is
    forgotten. `read_at` is the version that a form showed: raises Stale where the connection was changed since. Raises
    Invalid about a field of OidcSettings or "client_secret", Conflict (name in use), NotInPlan, NotFound, Forbidden
    (not an owner), DomainError (of another kind).
    """
    with context.changing(actor, now) as change:
        workspace, found = get_own_connection(change, workspace_slug, connection_id)
        set_oidc_settings(context, change, workspace, found, edit, read_at=read_at, client_secret=client_secret)
        return get_connection(change.connection, workspace, connection_id)


def set_oidc_settings(
    context: Context,
    change: Change,
    workspace: Workspace,
    found: Connection,
    edit: Callable[[OidcSettings], OidcSettings],
    *,
    read_at: int | None = None,
    client_secret: str | None = None,
) -> None:
    """The same inside another flow, which holds the connection and knows who may."""
    check_sso_in_plan(workspace)
    check_oidc(found)
    before = oidc_settings_of(found)
    after = _checked(edit(before), found)
    secrets = _new_secrets(before.token_auth, after.token_auth, client_secret)
    told = difference(before, after)
    if told or secrets:
        check_not_stale(found, read_at)
        check_name_free(change, workspace.key, after.name, but=found.id)
        values = {"name": after.name, "config": _config(found.config, after)}
        if secrets:
            connections.set_secrets(change, found.key, seal(context, secrets), **values)
        else:
            connections.set_connection(change, found.key, **values)
    if told:
        was, became = ({name: pair[n] for name, pair in told.items()} for n in (0, 1))
        change.record(workspace.key, "connection.changed", found.id, before=was, after=became)
    if "client_secret" in secrets:
        change.record(workspace.key, "connection.client_secret_replaced", found.id, after={"name": after.name})


def read_oidc_settings(context: Context, workspace_slug: str, connection_id: str) -> tuple[Connection, OidcSettings]:
    """An OpenID Connect connection and its settings. Raises NotFound, DomainError (of another kind)."""
    with context.database.reading() as connection:
        found = get_connection(connection, get_workspace(connection, workspace_slug), connection_id)
    check_oidc(found)
    return found, oidc_settings_of(found)


def check_oidc(found: Connection) -> None:
    """Refuse what only OpenID Connect connections have. Raises DomainError."""
    if found.kind != "oidc":
        raise DomainError(f"{found.name} is not an OpenID Connect connection.")


def _checked(wanted: OidcSettings, found: Connection) -> OidcSettings:
    clean_name(wanted.name, field="name", longest=100)
    check_limits(wanted.clock_skew, wanted.asserted_days)
    for field, names in (("email", wanted.email), ("display_name", wanted.display_name), ("groups", wanted.groups)):
        check_names(field, names)
    if wanted.token_auth not in TOKEN_AUTH:
        raise Invalid(f"Ways of authenticating are: {', '.join(TOKEN_AUTH)}.", field="token_auth")
    return replace(
        wanted,
        client_id=clean_client_id(wanted.client_id),
        scopes=_checked_scopes(wanted.scopes) or usual_scopes(Provider.from_facts(found.config["provider"])),
        hosted_domain=_checked_domain(wanted.hosted_domain) if wanted.hosted_domain else None,
    )


def _checked_scopes(scopes: tuple[str, ...]) -> tuple[str, ...]:
    if len(scopes) > _MOST_SCOPES:
        raise Invalid(f"Give at most {_MOST_SCOPES}.", field="scopes")
    for scope in scopes:
        if not is_scope(scope) or len(scope) > _LONGEST_SCOPE:
            raise Invalid(
                f"{scope[:80]!r} is no scope: one word, without quotation marks or backslashes.", field="scopes"
            )
    return with_openid(scopes) if scopes else ()


def with_openid(scopes: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """As they are sent: each once, openid first."""
    return tuple(dict.fromkeys(("openid", *scopes)))


def _checked_domain(written: str) -> str:
    try:
        return parse_domain(written)
    except Invalid as error:
        raise Invalid(error.text, field="hosted_domain") from error


def _new_secrets(before: str, after: str, client_secret: str | None) -> dict[str, str]:
    """What is shown to the provider from now on in place of what was; empty where that stays."""
    if after == PRIVATE_KEY:
        if client_secret:
            raise Invalid("With private_key_jwt the provider is shown no client secret.", field="client_secret")
        # Made inside the transaction, in a tenth of a second: nobody changes this twice.
        return new_private_key() if before != PRIVATE_KEY else {}
    if client_secret is not None or before == PRIVATE_KEY:
        return {"client_secret": clean_client_secret(client_secret)}
    return {}


def _config(config: Mapping[str, Any], wanted: OidcSettings) -> dict[str, Any]:
    kept = {name: value for name, value in config.items() if name != "hosted_domain"}
    plain = asdict(wanted)
    names = {claim: list(plain.pop(field)) for claim, field in _CLAIMS}
    plain.pop("name")
    hosted_domain = plain.pop("hosted_domain")
    return {
        **kept,
        **plain,
        "scopes": list(wanted.scopes),
        "claims": {claim: chosen for claim, chosen in names.items() if chosen},
        **({"hosted_domain": hosted_domain} if hosted_domain else {}),
    }
