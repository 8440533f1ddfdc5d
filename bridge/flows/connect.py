"""Connections to IdPs are made: of SAML here, of OpenID Connect in `connect_oidc`. A sign-in loads them by
`saml_connection`; `own_connections` switches and deletes them; what an admin may change later is in
`connection_settings` and `rotate_key`.

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
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson

from bridge.domain.errors import Conflict, Expired, Invalid
from bridge.domain.people import clean_name, fold
from bridge.domain.presets import get_preset
from bridge.domain.workspace import Connection, Workspace
from bridge.flows.connection_secrets import seal
from bridge.flows.context import Context
from bridge.flows.named import check_sso_in_plan, get_connection, get_workspace, owner_acting
from bridge.flows.trusted_idp import IdpFields, check_metadata_url, read_identity_provider
from bridge.storage import connections
from bridge.storage.changes import Change
from bridge.storage.secret_box import CannotDecrypt
from saml.attributes import PRESETS
from saml.service_provider import make_key_pair

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


# -- Making ------------------------------------------------------------------------------------------


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
