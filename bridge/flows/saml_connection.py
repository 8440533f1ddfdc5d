"""A SAML connection as a sign-in needs it: both sides of it, ready for `saml.response.validate`, and our addresses."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any

from bridge.domain.errors import DomainError, NotFound
from bridge.domain.workspace import Connection
from bridge.flows.connection_secrets import open_secrets
from bridge.flows.context import Context
from bridge.storage import connections
from saml.attributes import PRESETS, AttributeMapping
from saml.identity_provider import IdentityProvider
from saml.service_provider import ServiceProvider


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
