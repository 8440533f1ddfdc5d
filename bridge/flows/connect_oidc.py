"""OpenID Connect connections: made from a provider's discovery document, and loaded for a sign-in; what
an admin may change later is in `oidc_settings`.

`config` of such a connection is its public side:

    {"preset", "issuer", "client_id", "token_auth", "scopes", "claims": {"email" | "name" | "groups": [names]} where the
     admin chose other names than the preset's, "hosted_domain" or absent, "provider": the discovery document's facts as
     last read, "allow_idp_initiated", "jit", "mirror_groups", "asserted_days", "clock_skew", "trust_email",
     "force_authn", "logout_return"}

Its secrets, encrypted, are what we show at the token endpoint: {"client_secret"}, or {"private_key", "kid"},
and with the latter "next": {"private_key", "kid"} while `rotate_client_key` is under way.
"""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bridge.domain.domains import parse_domain
from bridge.domain.errors import DomainError, Invalid, NotFound
from bridge.domain.people import clean_name
from bridge.domain.web_calls import Ask, WebCall
from bridge.domain.workspace import Connection
from bridge.flows.connect import NewConnection, free_name, make_connection, reserved_id
from bridge.flows.connection_secrets import read_secrets, seal
from bridge.flows.context import Context
from bridge.flows.named import check_sso_in_plan, get_connection, get_own_connection, get_workspace, owner_acting
from bridge.flows.saml_connection import SamlAddresses, addresses
from bridge.storage import connections
from oidc.authorization_request import SCOPES
from oidc.claims import PRESETS, ClaimMapping
from oidc.client import TOKEN_AUTH, Client
from oidc.errors import OidcError
from oidc.provider import Provider, discovery_url, parse_discovery

PRIVATE_KEY = "private_key_jwt"
GOOGLE = "https://accounts.google.com"
_DEFAULT_CONFIG: Mapping[str, Any] = {
    "jit": True,
    "mirror_groups": True,
    "clock_skew": 60,
    "trust_email": False,
    "force_authn": False,
    "logout_return": False,
}
_PRESET_NAMES = {
    "generic": "OpenID Connect",
    "okta": "Okta",
    "entra": "Entra ID",
    "google": "Google Workspace",
    "onelogin": "OneLogin",
    "ping": "PingOne",
    "jumpcloud": "JumpCloud",
    "auth0": "Auth0",
    "keycloak": "Keycloak",
}
#: Asked for where a provider knows it: Okta and OneLogin tell a person's groups only then.
_GROUPS_SCOPE = "groups"
_LONGEST_CLIENT_ID, _LONGEST_SECRET = 1000, 4000


@dataclass(frozen=True, slots=True)
class OidcAddresses:
    """The URLs that a provider's console asks for."""

    login_url: str
    redirect_uri: str
    backchannel_logout_uri: str


@dataclass(frozen=True, slots=True)
class OidcConnection:
    """All that signing in through one OpenID Connect connection needs. `logout_return`: None where the provider doesn't
    know where to send people who have signed out there. `next_key`: the key that is to follow ours, and its name.
    """

    connection: Connection
    provider: Provider
    client: Client
    claims: ClaimMapping
    scopes: tuple[str, ...]
    allow_idp_initiated: bool
    force_authn: bool = False
    logout_return: str | None = None
    next_key: tuple[str, str] | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """What people call it."""
        return self.connection.name

    @property
    def keys_of(self) -> int | None:
        """Under what its provider's keys are kept."""
        return self.connection.key


def signed_out_url(context: Context, connection_id: str) -> str:
    """Where a provider that knows it sends people who have signed out there (post_logout_redirect_uri)."""
    return f"{context.public_url}/oidc/{connection_id}/signed-out"


def oidc_addresses(context: Context, connection_id: str) -> OidcAddresses:
    """Our URLs of an OpenID Connect connection."""
    base = f"{context.public_url}/oidc/{connection_id}"
    return OidcAddresses(f"{base}/login", f"{base}/callback", f"{base}/backchannel-logout")


def addresses_of(context: Context, connection: Connection) -> SamlAddresses | OidcAddresses:
    """Our URLs of a connection of either kind."""
    return (oidc_addresses if connection.kind == "oidc" else addresses)(context, connection.id)


# -- Making ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OidcDraft:
    """What an admin gives for a new OpenID Connect connection.

    `token_auth` None: the way that the provider announces, by `client_secret`. With private_key_jwt there is no secret:
    we make a key, and publish its other half at `/oidc/<connection>/jwks`. `hosted_domain`: the Google Workspace domain
    that people must be of. `reserved` is what `connect.reserve_id` gave.
    """

    issuer: str
    client_id: str
    client_secret: str | None
    name: str | None = None
    preset: str | None = None
    allow_idp_initiated: bool = False
    token_auth: str | None = None
    hosted_domain: str | None = None
    scopes: tuple[str, ...] | None = None
    reserved: str | None = None
    enabled: bool = True


def read_provider(issuer: str, ask: Ask) -> Provider:
    """The provider that an issuer's discovery document describes, asked now. Raises Invalid, saying what to fix."""
    try:
        reply = ask(WebCall(discovery_url(issuer), {"Accept": "application/json"}))
        if reply.status != 200:
            text = f"The provider's discovery address answers with status {reply.status}. Check the issuer."
            raise Invalid(f"{text} ({discovery_url(issuer)[:300]})", field="issuer")
        return parse_discovery(reply.body, issuer)
    except OidcError as error:
        raise Invalid(error.text, field="issuer") from error
    except Invalid:
        raise
    except DomainError as error:
        raise Invalid(error.text, field="issuer") from error


def create_oidc(
    context: Context, actor: str, workspace_slug: str, draft: OidcDraft, provider: Provider, now: datetime
) -> Connection:
    """A new OpenID Connect connection, on at once unless the draft says otherwise. `provider` is what `read_provider`
    gave for the draft's issuer.

    Raises Invalid (preset, name, client id, secret), NotFound, NotInPlan, Conflict (name in use), Expired (the reserved
    id), Forbidden (not an owner).
    """
    made = prepare_oidc(context, draft, provider)
    with context.database.reading() as connection:
        workspace = get_workspace(connection, workspace_slug)
    if draft.reserved:
        made = replace(made, uid=reserved_id(context, workspace, draft.reserved, now))
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        check_sso_in_plan(workspace)
        usual = _PRESET_NAMES.get(made.config["preset"], "OpenID Connect")
        name = free_name(change, workspace.key, made.name or None, otherwise=usual)
        return make_connection(change, workspace, replace(made, name=name))


def prepare_oidc(context: Context, draft: OidcDraft, provider: Provider) -> NewConnection:
    """A connection with its secrets sealed, ready to be made inside another flow. Raises Invalid."""
    config = _config(context, draft, provider)
    name = clean_name(draft.name, field="name", longest=100) if draft.name else ""
    secrets = seal(context, _secrets(draft, config["token_auth"]))
    return NewConnection("oidc", name, config, config["issuer"], draft.enabled, str(uuid4()), secrets)


def replace_client_secret(
    context: Context, actor: str, workspace_slug: str, connection_id: str, secret: str, now: datetime
) -> Connection:
    """Show the provider another client secret from now on; the former one is forgotten: it ends, or was seen.

    Raises Invalid (the secret; a connection that shows none), NotFound, Forbidden (not an owner).
    """
    given = clean_client_secret(secret)
    with context.changing(actor, now) as change:
        workspace, found = get_own_connection(change, workspace_slug, connection_id)
        check_shows_secret(found)
        connections.set_secrets(change, found.key, seal(context, {"client_secret": given}))
        change.record(workspace.key, "connection.client_secret_replaced", found.id, after={"name": found.name})
        return get_connection(change.connection, workspace, connection_id)


def check_shows_secret(found: Connection) -> None:
    """Refuse a connection that shows its IdP no client secret. Raises Invalid."""
    if found.kind != "oidc" or found.config["token_auth"] == PRIVATE_KEY:
        raise Invalid(f"{found.name} shows its IdP no client secret.", field="client_secret")


def _config(context: Context, draft: OidcDraft, provider: Provider) -> dict[str, Any]:
    preset = draft.preset or _preset_of(provider.issuer)
    if preset not in PRESETS:
        known = ", ".join(PRESETS)
        raise Invalid(f"There is no preset {preset[:40]!r} for OpenID Connect. Presets are: {known}.", field="preset")
    config = {
        "preset": preset,
        "issuer": provider.issuer,
        "client_id": clean_client_id(draft.client_id),
        "token_auth": _token_auth(draft, provider),
        "scopes": list(draft.scopes or usual_scopes(provider)),
        "claims": {},
        "provider": provider.facts(),
        "allow_idp_initiated": draft.allow_idp_initiated,
        "asserted_days": context.asserted_groups_days,
        **_DEFAULT_CONFIG,
    }
    return config | ({"hosted_domain": parse_domain(draft.hosted_domain)} if draft.hosted_domain else {})


def _preset_of(issuer: str) -> str:
    if issuer == GOOGLE:
        return "google"
    return "entra" if issuer.startswith("https://login.microsoftonline.com/") else "generic"


def _token_auth(draft: OidcDraft, provider: Provider) -> str:
    """How we show who we are at the token endpoint: as the admin says, else as the provider announces."""
    if draft.token_auth is not None:
        if draft.token_auth not in TOKEN_AUTH:
            raise Invalid(f"Ways of authenticating are: {', '.join(TOKEN_AUTH)}.", field="token_auth")
        return draft.token_auth
    announced = provider.token_auth_methods or TOKEN_AUTH
    chosen = next((way for way in TOKEN_AUTH if way in announced), None)
    if chosen is None:
        raise Invalid("The provider takes none of: " + ", ".join(TOKEN_AUTH) + ".", field="issuer")
    if chosen == PRIVATE_KEY and draft.client_secret:
        raise Invalid("The provider takes no client secret: it wants private_key_jwt.", field="token_auth")
    return chosen


def usual_scopes(provider: Provider) -> tuple[str, ...]:
    """The scopes that are asked for where nobody chose."""
    return (*SCOPES, *((_GROUPS_SCOPE,) if _GROUPS_SCOPE in provider.scopes else ()))


def clean_client_id(given: str) -> str:
    """Our client id as it was given, without spaces around it. Raises Invalid."""
    return _printable(given, "client_id", "client ID", _LONGEST_CLIENT_ID)


def clean_client_secret(given: str | None) -> str:
    """The same of a client secret. Raises Invalid."""
    return _printable(given, "client_secret", "client secret", _LONGEST_SECRET)


def _printable(given: str | None, field: str, what: str, longest: int) -> str:
    text = (given or "").strip()
    if not 0 < len(text) <= longest or not text.isprintable() or not text.isascii():
        raise Invalid(f"The {what} must be 1 to {longest} letters, digits and signs, without line breaks.", field=field)
    return text


def _secrets(draft: OidcDraft, token_auth: str) -> dict[str, str]:
    if token_auth != PRIVATE_KEY:
        return {"client_secret": clean_client_secret(draft.client_secret)}
    return new_private_key()


def new_private_key() -> dict[str, str]:
    """A key for private_key_jwt, as a connection's secrets. Its name is new too: providers keep keys by their names."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return {"private_key": key.private_bytes(serialization.Encoding.PEM, *form).decode(), "kid": f"bridge-{uuid4()}"}


# -- Loading for a sign-in ---------------------------------------------------------------------------


def load_oidc(context: Context, connection_id: str) -> OidcConnection:
    """Both sides of an OpenID Connect connection. Enabled or not: the flow that lets in checks.

    Raises NotFound; a DomainError for secrets that can't be read.
    """
    with context.database.reading() as connection:
        found = connections.find_by_uid(connection, connection_id)
        if found is None or found.kind != "oidc":
            raise NotFound("There is no such connection.")
        secrets = read_secrets(context, connection, found)
    return OidcConnection(
        connection=found,
        provider=Provider.from_facts(found.config["provider"]),
        client=_client(context, found, secrets),
        claims=_claims(found.config),
        scopes=tuple(found.config["scopes"]),
        allow_idp_initiated=found.config["allow_idp_initiated"],
        force_authn=found.config.get("force_authn", False),
        logout_return=signed_out_url(context, found.id) if found.config.get("logout_return", False) else None,
        next_key=_next_key(secrets),
    )


def _next_key(secrets: Mapping[str, Any]) -> tuple[str, str] | None:
    coming = secrets.get("next")
    return (coming["private_key"], coming["kid"]) if coming else None


def _client(context: Context, found: Connection, secrets: Mapping[str, str]) -> Client:
    config = found.config
    return Client(
        client_id=config["client_id"],
        redirect_uri=oidc_addresses(context, found.id).redirect_uri,
        token_auth=config["token_auth"],
        client_secret=secrets.get("client_secret"),
        private_key=secrets.get("private_key"),
        key_id=secrets.get("kid"),
        clock_skew=config["clock_skew"],
        hosted_domain=config.get("hosted_domain"),
    )


def public_keys(ours: OidcConnection) -> dict[str, Any]:
    """Our public keys as a JWK Set (RFC 7517), the present one first, for a provider that private_key_jwt is shown to;
    else an empty one.
    """
    present = (ours.client.private_key, ours.client.key_id)
    return {"keys": [_jwk(pem, kid) for pem, kid in (present, ours.next_key or (None, None)) if pem]}


def _jwk(pem: str, kid: str | None) -> dict[str, str | None]:
    key = serialization.load_pem_private_key(pem.encode(), None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise DomainError("The connection's private key isn't an RSA key. Make a new one.")
    numbers = key.public_key().public_numbers()
    own: dict[str, str | None] = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid}
    return own | {"n": _base64url(numbers.n), "e": _base64url(numbers.e)}


def _base64url(number: int) -> str:
    return urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8)).rstrip(b"=").decode()


_CLAIMS = {"email": ("email",), "name": ("display_name", "given_name", "family_name"), "groups": ("groups",)}


def _claims(config: Mapping[str, Any]) -> ClaimMapping:
    """The preset's claims, but those that the admin chose. Google's accounts are everybody's, whatever the preset."""
    mapping = replace(PRESETS[config["preset"]], trusted=config.get("trust_email", False))
    for what, chosen in config.get("claims", {}).items():
        if chosen:
            first, *others = _CLAIMS[what]
            names: dict[str, Any] = {first: tuple(chosen)} | dict.fromkeys(others, ())
            mapping = replace(mapping, **names)
    return replace(mapping, hosted=True, says_verified=True) if config["issuer"] == GOOGLE else mapping
