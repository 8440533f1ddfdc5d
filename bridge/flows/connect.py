"""Connections to IdPs: made, switched, deleted, and loaded for a sign-in. OpenID Connect's own making and loading is in
`connect_oidc`; what an admin may change later in `connection_settings` and `rotate_key`.

`config` of a SAML connection is its public side:

    {"preset", "idp": {"entity_id", "sso_redirect_url", "sso_post_url", "slo_url", "slo_by_post", "slo_answer_url",
     "certificates", "name_id_format", "want_requests_signed"}, "metadata_url" where `idp` was read from an address,
     "metadata_certificates": [PEM] by one of which metadata must be signed, where there are any,
     "attributes": {"email", "name", "groups": [names]} where the admin chose other names than the preset's,
     "allow_idp_initiated", "jit", "mirror_groups", "asserted_days", "clock_skew", "sign_requests", "requests_by_post",
     "force_authn", "authn_context": [URIs], "name_id_format" where the admin chose another than the metadata's}

What is missing in an older row stands at its default, see `connection_settings.settings_of`. Its secrets are our keys
and their certificates, see `connection_secrets`. What changes by itself (when metadata was last fetched, warnings sent)
isn't here, since each change of a connection keeps the former row.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import uuid4

import orjson

from bridge.domain.errors import Conflict, DomainError, Expired, Invalid, NotFound
from bridge.domain.people import clean_name, fold
from bridge.domain.presets import get_preset
from bridge.domain.workspace import Connection, Workspace
from bridge.flows.connection_overview import Foreseen, check_foreseen
from bridge.flows.connection_secrets import open_secrets, seal
from bridge.flows.context import Context
from bridge.flows.named import (
    check_sso_in_plan,
    get_connection,
    get_own_connection,
    get_workspace,
    owner_acting,
)
from bridge.flows.trusted_idp import IdpFields, check_metadata_url, read_identity_provider
from bridge.storage import connection_removal, connections, provisioning_requests
from bridge.storage.changes import Change
from bridge.storage.mappings import refresh_connection_matches
from bridge.storage.pending import drop_logins
from bridge.storage.secret_box import CannotDecrypt
from saml.attributes import PRESETS, AttributeMapping
from saml.identity_provider import IdentityProvider
from saml.service_provider import ServiceProvider, make_key_pair

#: How many lines of a connection's SCIM log go in one transaction.
FORGOTTEN_AT_ONCE = 5_000
#: How long an id may be promised before its connection is made: an admin works at the IdP meanwhile.
RESERVED_FOR = timedelta(days=7)
_RESERVED = "connections.reserved_id"
_DEFAULT_CONFIG: Mapping[str, Any] = {
    "jit": True,
    "mirror_groups": True,
    "clock_skew": 60,
    "sign_requests": True,
    "requests_by_post": False,
    "force_authn": False,
    "authn_context": [],
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
    requests_by_post: bool = False

    @property
    def asks_by_post(self) -> bool:
        """By which binding the IdP is asked: of the two that it has, the admin's choice (SAML Metadata 2.4.3)."""
        if self.idp.sso_post_url is None or self.idp.sso_redirect_url is None:
            return self.idp.sso_redirect_url is None
        return self.requests_by_post


def addresses(context: Context, connection_id: str) -> SamlAddresses:
    """Our URLs of a SAML connection."""
    base = f"{context.public_url}/saml/{connection_id}"
    return SamlAddresses(f"{base}/login", f"{base}/acs", f"{base}/slo", f"{base}/metadata", f"{base}/metadata")


# -- What an admin gives -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SamlDraft:
    """What an admin gives for a new SAML connection: the IdP's metadata as fetched or uploaded, or its fields.

    `metadata_url` is where the metadata came from, and will be read again; `idp_entity_id` chooses where it has several
    IdPs. `reserved` is what `reserve_id` gave, `trusted` what `read_identity_provider` did, in the place of both.
    """

    metadata: bytes | None = None
    name: str | None = None
    preset: str | None = None
    allow_idp_initiated: bool = False
    idp: IdpFields | None = None
    metadata_url: str | None = None
    reserved: str | None = None
    enabled: bool = True
    idp_entity_id: str | None = None
    signed_by: tuple[str, ...] = ()
    trusted: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class NewConnection:
    """A connection of either kind, ready to be made: `idp` is how the IdP calls itself, `secrets` are sealed."""

    kind: str
    name: str
    config: Mapping[str, Any]
    idp: str
    enabled: bool
    uid: str
    secrets: bytes = field(repr=False)


def reserve_id(context: Context, workspace_slug: str, now: datetime) -> str:
    """A promise of an id for a connection still to be made, so that the IdP can be given its addresses first.

    Nothing is stored: the promise is sealed, holds for this workspace alone, and counts for a week. Raises NotFound.
    """
    with context.database.reading() as connection:
        workspace = get_workspace(connection, workspace_slug)
    promise = {"id": str(uuid4()), "workspace": workspace.id, "until": (now + RESERVED_FOR).timestamp()}
    return context.secrets.encrypt(orjson.dumps(promise), purpose=_RESERVED).hex()


def reserved_id(context: Context, workspace: Workspace, reserved: str, now: datetime) -> str:
    """The id that a promise holds. Raises Expired for one that is old, or was never given to this workspace."""
    try:
        promise = orjson.loads(context.secrets.decrypt(bytes.fromhex(reserved), purpose=_RESERVED))
    except (ValueError, CannotDecrypt):
        promise = {}
    if promise.get("workspace") != workspace.id or promise.get("until", 0) < now.timestamp():
        raise Expired("This form was open for more than a week. Begin again: the addresses for the IdP are new ones.")
    return str(promise["id"])


def show_reserved(context: Context, workspace_slug: str, reserved: str, now: datetime) -> str:
    """The id that a promise holds, for a form that shows its addresses again. Raises Expired, NotFound."""
    with context.database.reading() as connection:
        return reserved_id(context, get_workspace(connection, workspace_slug), reserved, now)


# -- Making, switching, deleting ---------------------------------------------------------------------


def create_saml(context: Context, actor: str, workspace_slug: str, draft: SamlDraft, now: datetime) -> Connection:
    """A new SAML connection with a key pair of its own, on at once unless the draft says otherwise.

    Raises Invalid (metadata or fields, preset, name), NotFound, NotInPlan, Conflict (name in use), Expired (the
    reserved id), Forbidden (not an owner).
    """
    config = _config(context, draft, now)
    with context.database.reading() as connection:
        workspace = get_workspace(connection, workspace_slug)
    uid = reserved_id(context, workspace, draft.reserved, now) if draft.reserved else str(uuid4())
    made = _prepare(context, draft, config, uid, now)
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        check_sso_in_plan(workspace)
        name = free_name(change, workspace.key, made.name or None, otherwise=get_preset(config["preset"]).name)
        return make_connection(change, workspace, replace(made, name=name))


def prepare_saml(context: Context, draft: SamlDraft, now: datetime) -> NewConnection:
    """A connection with a key pair of its own, ready to be made inside another flow. Raises Invalid."""
    return _prepare(context, draft, _config(context, draft, now), str(uuid4()), now)


def _prepare(context: Context, draft: SamlDraft, config: Mapping[str, Any], uid: str, now: datetime) -> NewConnection:
    name = clean_name(draft.name, field="name", longest=100) if draft.name else ""
    secrets = _new_secrets(context, uid, now)
    return NewConnection("saml", name, config, config["idp"]["entity_id"], draft.enabled, uid, secrets)


def make_connection(change: Change, workspace: Workspace, made: NewConnection) -> Connection:
    """Make it inside another flow, which knows who may and that the name is free. Raises Conflict (the id)."""
    check_id_free(change, made.uid)
    connections.insert_connection(
        change,
        workspace.key,
        made.kind,
        made.name,
        made.config,
        uid=made.uid,
        secrets_enc=made.secrets,
        enabled=made.enabled,
    )
    after = {"kind": made.kind, "name": made.name, "preset": made.config["preset"], "idp": made.idp}
    change.record(workspace.key, "connection.created", made.uid, after={**after, "enabled": made.enabled})
    return get_connection(change.connection, workspace, made.uid)


def list_connections(context: Context, workspace_slug: str) -> tuple[Connection, ...]:
    """A workspace's connections, oldest first. Raises NotFound."""
    with context.database.reading() as connection:
        return tuple(connections.list_connections(connection, get_workspace(connection, workspace_slug).key))


def find_own(context: Context, workspace_slug: str, connection_id: str) -> Connection:
    """One connection of a workspace. Raises NotFound."""
    with context.database.reading() as connection:
        return get_connection(connection, get_workspace(connection, workspace_slug), connection_id)


def set_enabled(
    context: Context,
    actor: str,
    workspace_slug: str,
    connection_id: str,
    enabled: bool,
    now: datetime,
    *,
    seen: Foreseen | None = None,
) -> Connection:
    """Switch a connection. Off closes it now: its sign-ins, its SCIM, and what its groups give (properties.md 5).

    Who was shown what that takes gives it as `seen`. Raises NotFound, Forbidden (not an owner), Stale (by now it takes
    something else).
    """
    with context.changing(actor, now) as change:
        workspace, found = get_own_connection(change, workspace_slug, connection_id)
        if found.enabled != enabled:
            check_foreseen(change, workspace_slug, found, seen)
            switch_connection(change, workspace, found, enabled)
        return get_connection(change.connection, workspace, connection_id)


def switch_connection(change: Change, workspace: Workspace, found: Connection, enabled: bool) -> None:
    """Switch one that is switched otherwise, inside another flow, which holds it and knows who may."""
    connections.set_connection(change, found.key, enabled=enabled)
    if enabled:  # what was under way when it was switched off has ended with that
        drop_logins(change, found.key)
    refresh_connection_matches(change, found.key)
    kind = "connection.enabled" if enabled else "connection.disabled"
    change.record(workspace.key, kind, found.id, after={"name": found.name})


def delete_connection(
    context: Context,
    actor: str,
    workspace_slug: str,
    connection_id: str,
    now: datetime,
    *,
    typed_name: str | None = None,
    seen: Foreseen | None = None,
) -> Connection:
    """Delete a connection with its directory, rules, tokens, sign-ins and log. Members stay, but those it held out.

    The log, which may be millions of lines, goes first and a part at a time: nobody waits for all of it. Who had to
    type its name as a confirmation gives it as `typed_name`, who was shown what goes gives it as `seen`.

    Raises NotFound, Forbidden (not an owner), Invalid (another name was typed), Stale (by now something else goes).
    """

    def get_confirmed(change: Change) -> tuple[Workspace, Connection]:
        workspace, found = get_own_connection(change, workspace_slug, connection_id)
        if typed_name is not None and typed_name.strip() != found.name:
            raise Invalid(f"Type the connection’s name to delete it: {found.name}", field="typed_name")
        check_foreseen(change, workspace_slug, found, seen)
        return workspace, found

    def forget_calls() -> int:
        with context.changing(actor, now) as change:
            _, found = get_confirmed(change)
            return provisioning_requests.delete_requests(change.connection, found.key, FORGOTTEN_AT_ONCE)

    while forget_calls() == FORGOTTEN_AT_ONCE:
        pass
    with context.changing(actor, now) as change:
        workspace, found = get_confirmed(change)
        remove_connection(change, workspace, found)
        return found


def remove_connection(change: Change, workspace: Workspace, found: Connection) -> None:
    """Delete one inside another flow, which holds it and knows who may."""
    ended = connection_removal.delete_connection(change, found)
    before = {"name": found.name, "kind": found.kind, "members_ended": ended}
    change.record(workspace.key, "connection.deleted", found.id, before=before)


def check_name_free(change: Change, workspace_key: int, name: str, *, but: str = "") -> None:
    """Refuse a name that another connection of the workspace (but the one with the id `but`) has. Raises Conflict."""
    every = connections.list_connections(change.connection, workspace_key)
    if fold(name) in {fold(one.name) for one in every if one.id != but}:
        text = f"There is a connection called {name} already. Give this one another name."
        raise Conflict(text, field="name")


def free_name(change: Change, workspace_key: int, chosen: str | None, *, otherwise: str) -> str:
    """The chosen name, if no other connection of the workspace has it; without one `otherwise`, or that with the first
    number that makes it new: "Okta", "Okta 2". Raises Conflict (chosen, and in use)."""
    if chosen:
        check_name_free(change, workspace_key, chosen)
        return chosen
    taken = {fold(one.name) for one in connections.list_connections(change.connection, workspace_key)}
    numbered = (f"{otherwise} {number}" for number in range(2, len(taken) + 3))
    return next(name for name in (otherwise, *numbered) if fold(name) not in taken)


def check_id_free(change: Change, uid: str) -> None:
    """Refuse an id that a connection has, or had. Raises Conflict."""
    if connections.was_used(change.connection, uid):
        raise Conflict("This connection was made already; look for it in the list.")


def _config(context: Context, draft: SamlDraft, now: datetime) -> dict[str, Any]:
    preset = draft.preset or "generic"
    if draft.metadata_url:
        check_metadata_url(draft.metadata_url)
    if preset not in PRESETS:
        raise Invalid(f"There is no preset {preset[:40]!r}. Presets are: {', '.join(PRESETS)}.", field="preset")
    return {
        "preset": preset,
        "idp": draft.trusted or _read_idp(draft, now),
        "allow_idp_initiated": draft.allow_idp_initiated,
        "asserted_days": context.asserted_groups_days,
        **_DEFAULT_CONFIG,
        **({"metadata_url": draft.metadata_url} if draft.metadata_url and draft.idp is None else {}),
        **({"metadata_certificates": list(draft.signed_by)} if draft.signed_by else {}),
    }


def _read_idp(draft: SamlDraft, now: datetime) -> dict[str, Any]:
    return read_identity_provider(
        draft.metadata, draft.idp, now, entity_id=draft.idp_entity_id, signed_by=draft.signed_by
    )


def _new_secrets(context: Context, uid: str, now: datetime) -> bytes:
    # Outside the transaction: making a key takes a tenth of a second.
    private_key, certificate = make_key_pair(f"bridge {uid}", now)
    return seal(context, {"private_key": private_key, "certificates": [certificate]})


# -- Loading for a sign-in ---------------------------------------------------------------------------


def load_saml(context: Context, connection_id: str) -> SamlConnection:
    """Both sides of a SAML connection, ready for `saml.response.validate`. Enabled or not: the caller checks.

    Raises NotFound; a DomainError for a connection of another kind.
    """
    with context.database.reading() as connection:
        kept = connections.find_with_secrets(connection, connection_id)
    if kept is None:
        raise NotFound("There is no such connection.")
    found, sealed = kept
    if found.kind != "saml":
        raise DomainError(f"{found.name} is not a SAML connection.")
    secrets = open_secrets(context, found, sealed)
    force_authn = found.config.get("force_authn", False)
    return SamlConnection(
        connection=found,
        idp=_identity_provider(found.config),
        sp=_service_provider(addresses(context, found.id), secrets, found.config),
        attributes=_attributes(found.config),
        # An answer that nobody asked for answers no demand to sign in anew.
        allow_idp_initiated=found.config["allow_idp_initiated"] and not force_authn,
        jit=found.config["jit"],
        force_authn=force_authn,
        requests_by_post=found.config.get("requests_by_post", False),
    )


def _identity_provider(config: Mapping[str, Any]) -> IdentityProvider:
    kept = config["idp"]
    idp = IdentityProvider(**{**kept, "certificates": tuple(kept["certificates"])})
    return replace(idp, name_id_format=config.get("name_id_format") or idp.name_id_format)


def _service_provider(ours: SamlAddresses, secrets: Mapping[str, Any], config: Mapping[str, Any]) -> ServiceProvider:
    following = secrets.get("next")
    return ServiceProvider(
        ours.sp_entity_id,
        ours.acs_url,
        ours.slo_url,
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
    own = _of_preset(preset)
    names = {claim: tuple(chosen[claim]) for claim in ("email", "groups") if chosen.get(claim)}
    if chosen.get("name"):
        names |= {"display_name": tuple(chosen["name"]), "given_name": (), "family_name": ()}
    claims = [field.name for field in fields(AttributeMapping)]
    return AttributeMapping(**{claim: names.get(claim, getattr(own, claim)) for claim in claims})
