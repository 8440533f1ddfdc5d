"""Connections to IdPs: made from metadata, switched, deleted, and loaded for a sign-in.

`config` of a SAML connection is its public side:

    {"preset", "idp": {"entity_id", "sso_redirect_url", "sso_post_url", "slo_url", "slo_by_post", "slo_answer_url",
     "certificates", "name_id_format", "want_requests_signed"}, "attributes": {claim: [names]} where the admin chose
     other names than the preset's, "allow_idp_initiated", "jit", "mirror_groups", "asserted_days", "clock_skew",
     "sign_requests", "force_authn", "authn_context": [URIs], "name_id_format": a URI to ask for, where not the
     metadata's}

Its secrets are our key and certificates, encrypted: {"private_key", "certificates": [the present one], "next":
{"private_key", "certificate"} while a rotation is under way}.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from functools import cache
from typing import Any
from uuid import uuid4

import orjson

from bridge.domain.errors import Conflict, DomainError, Invalid, NotFound
from bridge.domain.people import clean_name, fold
from bridge.domain.workspace import Connection, Workspace
from bridge.flows.context import Context
from bridge.flows.named import check_sso_in_plan, get_connection, get_workspace, owner_acting
from bridge.storage import connection_removal, connections, provisioning_requests
from bridge.storage.changes import Change
from bridge.storage.mappings import refresh_connection_matches
from bridge.storage.secret_box import CannotDecrypt
from saml.attributes import PRESETS, AttributeMapping
from saml.errors import InvalidMetadata
from saml.identity_provider import IdentityProvider, parse_metadata
from saml.service_provider import ServiceProvider, make_key_pair

_PURPOSE = "connections.secrets_enc"
#: How many lines of a connection's SCIM log go in one transaction.
FORGOTTEN_AT_ONCE = 5_000
_DEFAULT_CONFIG: Mapping[str, Any] = {"jit": True, "mirror_groups": True, "clock_skew": 60}
_PRESET_NAMES = {
    "generic": "SAML",
    "okta": "Okta",
    "entra": "Entra ID",
    "onelogin": "OneLogin",
    "google": "Google Workspace",
    "jumpcloud": "JumpCloud",
    "ping": "PingOne",
    "adfs": "AD FS",
}


@dataclass(frozen=True, slots=True)
class SamlAddresses:
    """The URLs that an IdP's console asks for. The entity id is the metadata's own URL."""

    login_url: str
    acs_url: str
    slo_url: str
    sp_entity_id: str
    sp_metadata_url: str


@dataclass(frozen=True, slots=True)
class SamlConnection:
    """All that signing in through one SAML connection needs."""

    connection: Connection
    idp: IdentityProvider
    sp: ServiceProvider
    attributes: AttributeMapping
    allow_idp_initiated: bool
    jit: bool
    force_authn: bool


def addresses(context: Context, connection_id: str) -> SamlAddresses:
    """Our URLs of a SAML connection."""
    base = f"{context.public_url}/saml/{connection_id}"
    return SamlAddresses(f"{base}/login", f"{base}/acs", f"{base}/slo", f"{base}/metadata", f"{base}/metadata")


# -- Making, switching, deleting ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SamlDraft:
    """What an admin gives for a new SAML connection. `metadata` is the IdP's, as fetched or uploaded."""

    metadata: bytes
    name: str | None = None
    preset: str | None = None
    allow_idp_initiated: bool = False


def create_saml(context: Context, actor: str, workspace_slug: str, draft: SamlDraft, now: datetime) -> Connection:
    """A new SAML connection, enabled, with a key pair of its own.

    Raises Invalid (metadata, preset, name), NotFound, NotInPlan, Conflict (name in use), Forbidden (not an owner).
    """
    config = _config(context, draft)
    name = clean_name(draft.name or _PRESET_NAMES[config["preset"]], field="name", longest=100)
    uid = str(uuid4())
    secrets = _new_secrets(context, uid, now)
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        check_sso_in_plan(workspace)
        _check_name_free(change, workspace.key, name)
        connections.insert_connection(change, workspace.key, "saml", name, config, uid=uid, secrets_enc=secrets)
        after = {"kind": "saml", "name": name, "preset": config["preset"], "idp": config["idp"]["entity_id"]}
        change.record(workspace.key, "connection.created", uid, after=after)
        return get_connection(change.connection, workspace, uid)


def list_connections(context: Context, workspace_slug: str) -> tuple[Connection, ...]:
    """A workspace's connections, oldest first. Raises NotFound."""
    with context.database.reading() as connection:
        return tuple(connections.list_connections(connection, get_workspace(connection, workspace_slug).key))


def set_enabled(
    context: Context, actor: str, workspace_slug: str, connection_id: str, enabled: bool, now: datetime
) -> Connection:
    """Switch a connection. Off closes it now: its sign-ins, its SCIM, and what its groups give (properties.md 5).

    Raises NotFound, Forbidden (not an owner).
    """
    with context.changing(actor, now) as change:
        workspace, found = _owned(change, workspace_slug, connection_id)
        if found.enabled != enabled:
            connections.set_connection(change, found.key, enabled=enabled)
            refresh_connection_matches(change, found.key)
            kind = "connection.enabled" if enabled else "connection.disabled"
            change.record(workspace.key, kind, found.id, after={"name": found.name})
        return get_connection(change.connection, workspace, connection_id)


def replace_metadata(
    context: Context, actor: str, workspace_slug: str, connection_id: str, metadata: bytes, now: datetime
) -> Connection:
    """Trust what the IdP's metadata says now, and no longer what it said before: certificates, addresses.

    Raises Invalid, NotFound, Forbidden (not an owner).
    """
    idp = _parse_idp(metadata)
    with context.changing(actor, now) as change:
        workspace, found = _owned(change, workspace_slug, connection_id)
        if found.config["idp"] != idp:
            connections.set_connection(change, found.key, config={**found.config, "idp": idp})
            told = {"before": found.config["idp"]["entity_id"], "after": idp["entity_id"]}
            change.record(workspace.key, "connection.metadata_replaced", found.id, **told)
        return get_connection(change.connection, workspace, connection_id)


def delete_connection(
    context: Context, actor: str, workspace_slug: str, connection_id: str, now: datetime
) -> Connection:
    """Delete a connection with its directory, rules, tokens, sign-ins and log. Members stay, but those it held out.

    The log, which may be millions of lines, goes first and a part at a time: nobody waits for all of it.

    Raises NotFound, Forbidden (not an owner).
    """
    while _forget_calls(context, actor, workspace_slug, connection_id, now) == FORGOTTEN_AT_ONCE:
        pass
    with context.changing(actor, now) as change:
        workspace, found = _owned(change, workspace_slug, connection_id)
        ended = connection_removal.delete_connection(change, found)
        before = {"name": found.name, "kind": found.kind, "members_ended": ended}
        change.record(workspace.key, "connection.deleted", found.id, before=before)
        return found


def _forget_calls(context: Context, actor: str, workspace_slug: str, connection_id: str, now: datetime) -> int:
    with context.changing(actor, now) as change:
        _, found = _owned(change, workspace_slug, connection_id)
        return provisioning_requests.delete_requests(change.connection, found.key, FORGOTTEN_AT_ONCE)


def _owned(change: Change, workspace_slug: str, connection_id: str) -> tuple[Workspace, Connection]:
    workspace = get_workspace(change.connection, workspace_slug)
    owner_acting(change, workspace)
    return workspace, get_connection(change.connection, workspace, connection_id)


def _config(context: Context, draft: SamlDraft) -> dict[str, Any]:
    preset = draft.preset or "generic"
    if preset not in PRESETS:
        raise Invalid(f"There is no preset {preset[:40]!r}. Presets are: {', '.join(PRESETS)}.", field="preset")
    return {
        "preset": preset,
        "idp": _parse_idp(draft.metadata),
        "allow_idp_initiated": draft.allow_idp_initiated,
        "asserted_days": context.asserted_groups_days,
        **_DEFAULT_CONFIG,
    }


def _parse_idp(metadata: bytes) -> dict[str, Any]:
    try:
        idp = parse_metadata(metadata)
    except InvalidMetadata as error:
        raise Invalid(str(error), field="idp_metadata") from error
    return {**asdict(idp), "certificates": list(idp.certificates)}


def _new_secrets(context: Context, uid: str, now: datetime) -> bytes:
    # Outside the transaction: making a key takes a tenth of a second.
    private_key, certificate = make_key_pair(f"bridge {uid}", now)
    return context.secrets.encrypt(
        orjson.dumps({"private_key": private_key, "certificates": [certificate]}), purpose=_PURPOSE
    )


def _check_name_free(change: Change, workspace_key: int, name: str) -> None:
    taken = {fold(one.name) for one in connections.list_connections(change.connection, workspace_key)}
    if fold(name) in taken:
        raise Conflict(f"There is a connection called {name} already. Give this one another name.")


# -- Loading for a sign-in ---------------------------------------------------------------------------


def load_saml(context: Context, connection_id: str) -> SamlConnection:
    """Both sides of a SAML connection, ready for `saml.response.validate`. Enabled or not: the caller checks.

    Raises NotFound; a DomainError for a connection of another kind.
    """
    with context.database.reading() as connection:
        found = connections.find_by_uid(connection, connection_id)
        if found is None:
            raise NotFound("There is no such connection.")
        if found.kind != "saml":
            raise DomainError(f"{found.name} is not a SAML connection.")
        sealed = connections.find_secrets(connection, found.key)
    if sealed is None:
        raise DomainError(f"{found.name} has no key of its own. Delete it and make it again.")
    force_authn = found.config.get("force_authn", False)
    return SamlConnection(
        connection=found,
        idp=_identity_provider(found.config),
        sp=_service_provider(addresses(context, found.id), orjson.loads(_opened(context, found, sealed)), found.config),
        attributes=_attributes(found.config),
        # An answer that nobody asked for answers no demand to sign in anew.
        allow_idp_initiated=found.config["allow_idp_initiated"] and not force_authn,
        jit=found.config["jit"],
        force_authn=force_authn,
    )


def _opened(context: Context, found: Connection, sealed: bytes) -> bytes:
    try:
        return context.secrets.decrypt(sealed, purpose=_PURPOSE)
    except CannotDecrypt as error:
        raise DomainError(
            f"The keys of {found.name} can't be read. The operator's `bridge doctor` says why."
        ) from error


def _identity_provider(config: Mapping[str, Any]) -> IdentityProvider:
    kept = config["idp"]
    idp = IdentityProvider(**{**kept, "certificates": tuple(kept["certificates"])})
    return replace(idp, name_id_format=config.get("name_id_format") or idp.name_id_format)


def _service_provider(ours: SamlAddresses, secrets: Mapping[str, Any], config: Mapping[str, Any]) -> ServiceProvider:
    following = secrets.get("next")
    return ServiceProvider(
        ours.sp_entity_id,
        ours.acs_url,
        None,  # no address for single logout yet: metadata must not name what isn't there
        secrets["private_key"],
        (*secrets["certificates"], *([following["certificate"]] if following else ())),
        clock_skew=config["clock_skew"],
        next_private_key_pem=following["private_key"] if following else None,
        sign_requests=config.get("sign_requests", True),
        authn_contexts=tuple(config.get("authn_context", ())),
    )


def _attributes(config: Mapping[str, Any]) -> AttributeMapping:
    chosen = config.get("attributes")
    return _of_preset(config["preset"]) if not chosen else _of_admin(config["preset"], chosen)


@cache
def _of_preset(preset: str) -> AttributeMapping:
    """The preset's names, then the usual ones: an admin who skipped that step of the guide still gets in."""
    own, usual = PRESETS[preset], PRESETS["generic"]
    claims = [field.name for field in fields(AttributeMapping)]
    return AttributeMapping(
        **{claim: tuple(dict.fromkeys(getattr(own, claim) + getattr(usual, claim))) for claim in claims}
    )


def _of_admin(preset: str, chosen: Mapping[str, list[str]]) -> AttributeMapping:
    own = PRESETS[preset]
    names = {claim: tuple(chosen[claim]) for claim in ("email", "groups") if chosen.get(claim)}
    if chosen.get("name"):
        names |= {"display_name": tuple(chosen["name"]), "given_name": (), "family_name": ()}
    claims = [field.name for field in fields(AttributeMapping)]
    return AttributeMapping(**{claim: names.get(claim, getattr(own, claim)) for claim in claims})
