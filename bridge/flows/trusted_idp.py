"""What is trusted of a SAML connection's IdP: read from metadata or from fields, and replaced. What reads it again each
day is `refresh_metadata`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

from bridge.domain.errors import DomainError, Invalid
from bridge.domain.workspace import Connection, Workspace
from bridge.flows.context import Context
from bridge.flows.named import check_not_stale, get_connection, get_own_connection, get_workspace
from bridge.storage import connections
from bridge.storage.changes import Change
from saml.certificates import certificate_facts, parse_certificates
from saml.errors import InvalidMetadata, SeveralIdentityProviders, quoted
from saml.identity_provider import IdentityProvider, parse_address, parse_metadata

_LONGEST_ENTITY_ID = 1024
_OF_METADATA = ("metadata_url", "metadata_certificates")
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
Given = TypeVar("Given")
Read = TypeVar("Read")


class SeveralIdps(Invalid):
    """The metadata has several IdPs, and nobody chose. `choices`: the entity ID and the name, "" for none, of each."""

    def __init__(self, text: str, choices: tuple[tuple[str, str], ...]) -> None:
        super().__init__(text, field="idp_choice")
        self.choices = choices


# -- Given by an admin -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class IdpFields:
    """An IdP as its console shows it, where it gives no metadata. `certificates` are one or more, as pasted."""

    entity_id: str
    sso_url: str
    certificates: str
    slo_url: str = ""
    by_post: bool = False


def read_identity_provider(
    metadata: bytes | None,
    given: IdpFields | None,
    now: datetime,
    *,
    entity_id: str | None = None,
    signed_by: Sequence[str] = (),
) -> dict[str, Any]:
    """The IdP as `config` keeps it, from its metadata or else from fields. Raises Invalid, about the field it names.

    `entity_id` chooses in metadata of several IdPs; without it, SeveralIdps is raised. Metadata that says itself that
    it is over (`validUntil`, SAML Metadata 2.3.1) is refused, and where there are certificates (PEM) that it must be
    `signed_by`, what they haven't signed.
    """
    if metadata is not None:
        idp = _checked("idp_metadata", lambda xml: parse_metadata(xml, entity_id, now, tuple(signed_by)), metadata)
    elif given is not None:
        idp = _from_fields(given)
    else:
        raise Invalid("Give the IdP's metadata, or its entity ID, address and certificate.", field="idp_metadata")
    return {**asdict(idp), "certificates": list(idp.certificates)}


def read_facts(given: Mapping[str, Any]) -> dict[str, Any]:
    """The IdP as `config` keeps it, from just such facts, which may be incomplete. Raises Invalid, by their names."""
    entity_id = _checked_entity_id(str(given["entity_id"]))
    names = ("sso_redirect_url", "sso_post_url", "slo_url", "slo_answer_url")
    addresses = {name: _checked(name, parse_address, given[name]) for name in names if given.get(name)}
    each = (_checked("certificates", parse_certificates, one) for one in given.get("certificates", ()))
    certificates = tuple(dict.fromkeys(pem for pems in each for pem in pems))
    others = {name: given[name] for name in ("name_id_format", "want_requests_signed", "slo_by_post") if name in given}
    blank: dict[str, Any] = dict.fromkeys(("sso_redirect_url", "sso_post_url", "slo_url"))
    idp = IdentityProvider(entity_id=entity_id, certificates=certificates, **blank | addresses, **others)
    return {**asdict(idp), "certificates": list(idp.certificates)}


def _from_fields(given: IdpFields) -> IdentityProvider:
    entity_id = _checked_entity_id(given.entity_id)
    sso_url = _checked("sso_url", parse_address, given.sso_url)
    return IdentityProvider(
        entity_id=entity_id,
        sso_redirect_url=None if given.by_post else sso_url,
        sso_post_url=sso_url if given.by_post else None,
        slo_url=_checked("slo_url", parse_address, given.slo_url) if given.slo_url.strip() else None,
        certificates=_checked("certificates", parse_certificates, given.certificates),
    )


def _checked_entity_id(written: str) -> str:
    entity_id = written.strip()
    if not entity_id or len(entity_id) > _LONGEST_ENTITY_ID or not entity_id.isprintable():
        raise Invalid("Give the IdP's entity ID, also called issuer, exactly as it shows it.", field="entity_id")
    return entity_id


def _checked(field: str, read: Callable[[Given], Read], given: Given) -> Read:
    try:
        return read(given)
    except SeveralIdentityProviders as error:
        raise SeveralIdps(str(error), error.found) from error
    except InvalidMetadata as error:
        raise Invalid(str(error), field=field) from error


def describe_idp(idp: Mapping[str, Any]) -> dict[str, Any]:
    """An IdP as the audit trail tells of it: certificates by their fingerprints."""
    return {**idp, "certificates": _fingerprints(idp["certificates"])}


def _fingerprints(certificates: Sequence[str]) -> list[str]:
    return [certificate_facts(pem).sha256 for pem in certificates]


def parse_signers(written: str) -> list[str]:
    """The certificates (PEM) that metadata is held to, from one text; none of an empty one. Raises Invalid."""
    return list(_checked("metadata_certificate", parse_certificates, written)) if written.strip() else []


def signers_of(config: Mapping[str, Any]) -> list[str]:
    """The certificates (PEM) that a connection's metadata must be signed by one of; none: signed or not."""
    return list(config.get("metadata_certificates", ()))


def check_metadata_url(url: str) -> None:
    """Refuse an address of metadata that anybody on the way could answer in the IdP's place. Raises Invalid."""
    try:
        parts = urlsplit(url)
        is_safe = parts.scheme == "https" or parts.hostname in _THIS_MACHINE
    except ValueError:
        is_safe = False
    if not is_safe:
        text = "Metadata is read from https addresses only: who can change it can sign in as anybody. "
        raise Invalid(f"{text}Give an https address, or the metadata as a file.", field="metadata_url")


# -- Replaced ----------------------------------------------------------------------------------------


def replace_metadata(
    context: Context,
    actor: str,
    workspace_slug: str,
    connection_id: str,
    metadata: bytes,
    now: datetime,
    *,
    url: str | None = None,
    entity_id: str | None = None,
    signed_by: Sequence[str] | None = None,
    read_at: int | None = None,
) -> Connection:
    """Trust what the IdP's metadata says now, and no longer what it said before: certificates, addresses.

    `url` is where it was read from, and will be read again; without it, it is read again from nowhere. `entity_id`
    chooses where it has several IdPs. `signed_by` are the certificates (PEM) that it is held to from now on; None: to
    those that it was. `read_at` is the version of the connection that a form showed. Raises Invalid (SeveralIdps;
    another IdP, once this one named people), NotFound, Forbidden (not an owner), Stale (the connection was changed
    since).
    """
    if url:
        check_metadata_url(url)
    if signed_by is None:
        signed_by, read_at = _present_signers(context, workspace_slug, connection_id, read_at)
    idp = read_identity_provider(metadata, None, now, entity_id=entity_id, signed_by=signed_by)
    trusted = Trusted(idp, "idp_metadata", url, read_at, tuple(signed_by))
    return _trust(context, actor, workspace_slug, connection_id, trusted, now)


def _present_signers(
    context: Context, workspace_slug: str, connection_id: str, read_at: int | None
) -> tuple[list[str], int | None]:
    """Those of the connection; and, where there are any, its version, so that what is verified stays asked for."""
    with context.database.reading() as rows:
        found = get_connection(rows, get_workspace(rows, workspace_slug), connection_id)
    present = signers_of(found.config)
    return present, found.version if present and read_at is None else read_at


def hold_metadata_to(
    context: Context, actor: str, workspace_slug: str, connection_id: str, signers: Sequence[str], now: datetime
) -> Connection:
    """Take metadata signed by one of these certificates (PEM) only, whenever it is read from now on; none: any.

    What is trusted already stays. Raises NotFound, Forbidden (not an owner), DomainError (of another kind).
    """
    with context.changing(actor, now) as change:
        workspace, found = get_own_connection(change, workspace_slug, connection_id)
        if found.kind != "saml":
            raise DomainError(f"{found.name} is not a SAML connection.")
        before = signers_of(found.config)
        if before != list(signers):
            config = {**found.config, "metadata_certificates": list(signers)}
            connections.set_connection(change, found.key, config=config)
            was, is_now = ({"metadata_certificates": _fingerprints(each)} for each in (before, signers))
            change.record(workspace.key, "connection.changed", found.id, before=was, after=is_now)
        return get_connection(change.connection, workspace, connection_id)


def replace_fields(
    context: Context,
    actor: str,
    workspace_slug: str,
    connection_id: str,
    given: IdpFields,
    now: datetime,
    *,
    read_at: int | None = None,
) -> Connection:
    """The same by fields, for an IdP that gives no metadata. Raises what `replace_metadata` raises."""
    idp = read_identity_provider(None, given, now)
    return _trust(context, actor, workspace_slug, connection_id, Trusted(idp, "entity_id", None, read_at), now)


@dataclass(frozen=True, slots=True)
class Trusted:
    """What is to be trusted, which field said so, where it was read, and at which version of the connection somebody
    decided so."""

    idp: dict[str, Any]
    field: str
    url: str | None
    read_at: int | None = None
    signed_by: tuple[str, ...] = ()


def _trust(
    context: Context, actor: str, workspace_slug: str, connection_id: str, trusted: Trusted, now: datetime
) -> Connection:
    with context.changing(actor, now) as change:
        workspace, found = get_own_connection(change, workspace_slug, connection_id)
        trust(change, workspace, found, trusted)
        return get_connection(change.connection, workspace, connection_id)


def trust(change: Change, workspace: Workspace, found: Connection, trusted: Trusted) -> None:
    """Trust that from now on, inside another flow, which holds the connection and knows who may.

    Raises Invalid (another IdP, once this one named people), DomainError (of another kind), Stale.
    """
    if found.kind != "saml":
        raise DomainError(f"{found.name} is not a SAML connection.")
    _check_same_idp(change, found, trusted)
    config = {name: value for name, value in found.config.items() if name not in _OF_METADATA}
    config |= {"idp": trusted.idp} | ({"metadata_url": trusted.url} if trusted.url else {})
    config |= {"metadata_certificates": list(trusted.signed_by)} if trusted.signed_by else {}
    if found.config != config:
        check_not_stale(found, trusted.read_at)
        connections.set_connection(change, found.key, config=config)
        before, after = _told_of(found.config), _told_of(config)
        change.record(workspace.key, "connection.metadata_replaced", found.id, before=before, after=after)


def _check_same_idp(change: Change, found: Connection, wanted: Trusted) -> None:
    """A name identifier counts within one IdP (SAML Core 2.2.2, 8.3.7), as `sub` does within one issuer: by another's,
    somebody else would open the accounts that are linked."""
    known, entity_id = found.config["idp"]["entity_id"], wanted.idp["entity_id"]
    if entity_id == known or not connections.knows_people(change.connection, found.key):
        return
    raise Invalid(
        f"This is another identity provider: {found.name} is connected to {quoted(known)}, and this one is called "
        f"{quoted(entity_id)}. The names by which people are known here count within one identity provider; another "
        "may give the same one to somebody else. For another identity provider make a new connection, and delete this "
        "one when nobody needs it any more.",
        field=wanted.field,
    )


def _told_of(config: Mapping[str, Any]) -> dict[str, Any]:
    signers = {"metadata_certificates": _fingerprints(signers_of(config))} if signers_of(config) else {}
    return {**describe_idp(config["idp"]), "metadata_url": config.get("metadata_url"), **signers}
