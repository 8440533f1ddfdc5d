"""Metadata of IdPs, read anew where a connection names its address: each day by the worker, or at once.

Fetch first, then one short transaction. What is good and new is trusted from then on, with an audit event and a mail to
the owners; what is bad changes nothing but the note of why, so the last good version stays. A connection that was
changed meanwhile wins.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from bridge.domain.errors import Conflict, DomainError, Invalid
from bridge.domain.mail import Mail
from bridge.domain.workspace import Connection
from bridge.flows import connection_mails
from bridge.flows.context import SYSTEM, Context
from bridge.flows.deliver import queue_mail
from bridge.flows.named import get_connection, get_workspace, owner_acting
from bridge.flows.outside import Fetch, Outside
from bridge.flows.trusted_idp import check_metadata_url, describe_idp, signers_of
from bridge.storage import connections, metadata_refreshes, people, workspaces
from bridge.storage.changes import Change
from bridge.storage.mappings import hold_connections
from bridge.storage.metadata_refreshes import Refresh
from oidc.errors import OidcError
from oidc.provider import Provider, discovery_url, parse_discovery
from saml.certificates import certificate_facts
from saml.errors import InvalidMetadata
from saml.identity_provider import IdentityProvider, parse_metadata, read_again_within

#: After so many failures in a row (with the waits below, seven hours) owners are told, once.
TOLD_AFTER_FAILURES = 4
#: How long a connection is left to the one who claimed it, should they never come back.
_LEASE = timedelta(minutes=10)
_AT_ONCE = 20
_PLANNED_AT_ONCE = 500
_FIRST_WAIT = timedelta(hours=1)
#: However soon metadata wants to be read again (`cacheDuration`, `validUntil`).
_LEAST = timedelta(hours=1)
_SECONDS, _LARGEST = 15.0, 4 * 2**20
_ADDRESSES = ("sso_redirect_url", "sso_post_url", "slo_url", "slo_answer_url")
_log = logging.getLogger(__name__)

MetadataState = Refresh


class BadMetadata(Invalid):
    """What stands at the address isn't taken; the text says why."""

    def __init__(self, text: str) -> None:
        super().__init__(text, field="idp_metadata")


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What came of one reading: what changed, in phrases for people; () where nothing did."""

    connection: Connection
    changes: tuple[str, ...]


def metadata_states(context: Context, workspace_slug: str) -> dict[str, MetadataState]:
    """How reading it anew goes, for each connection of a workspace with an address to read, by id. Raises NotFound."""
    with context.database.reading() as connection:
        return metadata_refreshes.list_refreshes(connection, get_workspace(connection, workspace_slug).key)


def failing(context: Context) -> list[tuple[Connection, MetadataState]]:
    """Enabled connections whose owners were told that their metadata can't be read."""
    with context.database.reading() as connection:
        return metadata_refreshes.list_failing(connection, TOLD_AFTER_FAILURES)


# -- By the worker ---------------------------------------------------------------------------------------------------


def refresh_due(context: Context, outside: Outside, now: datetime) -> int:
    """Read what is due, at most twenty. Returns how many were read well.

    Several processes may do this at once: each connection is claimed by one. Each is read by itself: one that fails,
    or doesn't answer, is one.
    """
    _plan(context, now)
    with context.database.writing() as connection:
        claimed = metadata_refreshes.claim_due(connection, now, until=now + _LEASE, at_most=_AT_ONCE)
    return sum(_refresh_claimed(context, outside.fetch, one, now) for one in claimed)


def _plan(context: Context, now: datetime) -> None:
    with context.database.reading() as connection:
        unplanned = metadata_refreshes.list_unplanned(connection, _PLANNED_AT_ONCE)
    if not unplanned:
        return

    def plan(change: Change) -> None:
        for found in unplanned:
            if connections.find_by_uid(change.connection, found.id) is not None:
                metadata_refreshes.plan(change, found, _address_of(found), now + _between(context, found, now))

    context.change(SYSTEM, now, plan)


def _refresh_claimed(context: Context, fetch: Fetch, connection_id: str, now: datetime) -> bool:
    with context.database.reading() as connection:
        found = connections.find_by_uid(connection, connection_id)
    if found is None:
        return False
    try:
        _refresh(context, fetch, found, SYSTEM, now)
    except DomainError as error:
        _log.info("metadata of connection %s: %s", found.id, error.text)
        return False
    except Exception:  # a fault of ours with one connection's metadata costs the others nothing
        _log.exception("metadata of connection %s can't be refreshed", found.id)
        _note_failure(context, found, "The bridge failed at it; its operator finds why in the log.", now)
        return False
    return True


# -- At once ---------------------------------------------------------------------------------------------------------


def refresh_now(
    context: Context, fetch: Fetch, actor: str, workspace_slug: str, connection_id: str, now: datetime
) -> Refreshed:
    """Read a connection's metadata now, enabled or not.

    Raises Invalid (it names no address, or what stands there is bad: noted too, and the last good version stays),
    Conflict (the connection was changed meanwhile), NotFound, Forbidden (not an owner).
    """

    def begin(change: Change) -> Connection:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        found = get_connection(change.connection, workspace, connection_id)
        metadata_refreshes.plan(change, found, _address_of(found), now)
        return found

    found = context.change(actor, now, begin)
    if _address_of(found) is None:
        raise Invalid(
            f"The metadata of {found.name} came from no address, so there is nowhere to read it again. "
            "Give it an address, or new metadata.",
            field="idp_metadata",
        )
    return _refresh(context, fetch, found, actor, now)


# -- One connection --------------------------------------------------------------------------------------------------


def _refresh(context: Context, fetch: Fetch, found: Connection, actor: str, now: datetime) -> Refreshed:
    try:
        body = _fetch(fetch, _address_of(found) or "")
        reading = _Reading(_read(found, body, now), sha256(body).digest(), _wanted(found, body, now))
    except DomainError as error:
        _note_failure(context, found, error.text, now)
        raise BadMetadata(error.text) from error
    return context.change(actor, now, lambda change: _take(context, change, found, reading))


@dataclass(frozen=True, slots=True)
class _Reading:
    """What came of a good one: the entry of `config`, the hash of the body, and within what time it wants another."""

    after: dict[str, Any]
    content: bytes
    within: timedelta | None


def _wanted(found: Connection, body: bytes, now: datetime) -> timedelta | None:
    return read_again_within(body, found.config["idp"]["entity_id"], now) if found.kind == "saml" else None


def _address_of(found: Connection) -> str | None:
    """Where its metadata stands: of SAML where an admin said so, of OpenID Connect below the issuer (Discovery 4)."""
    if found.kind == "oidc":
        return discovery_url(found.config["issuer"])
    address: str | None = found.config.get("metadata_url")
    return address


def _part_of(found: Connection) -> str:
    """The entry of `config` that metadata gives."""
    return "provider" if found.kind == "oidc" else "idp"


def _read(found: Connection, body: bytes, now: datetime) -> dict[str, Any]:
    """That entry as a body gives it. Raises BadMetadata."""
    if found.kind == "saml":
        return _read_saml(found.config["idp"], body, now, tuple(signers_of(found.config)))
    try:
        return parse_discovery(body, found.config["issuer"]).facts()
    except OidcError as error:
        raise BadMetadata(error.text) from error


def _fetch(fetch: Fetch, url: str) -> bytes:
    """Whoever could change what is fetched could sign in as anybody, so it comes encrypted. Raises DomainError."""
    check_metadata_url(url)
    return fetch(url, timeout=_SECONDS, max_bytes=_LARGEST)


def _read_saml(trusted: Mapping[str, Any], body: bytes, now: datetime, signed_by: tuple[str, ...]) -> dict[str, Any]:
    """The IdP as its metadata gives it; nothing is let through that is weaker than what is trusted now."""
    try:
        idp = parse_metadata(body, trusted["entity_id"], now, signed_by)
    except InvalidMetadata as error:
        raise BadMetadata(str(error)) from error
    for name in _ADDRESSES:
        was, becomes = trusted.get(name), getattr(idp, name)
        if was and becomes and was.startswith("https:") and not becomes.startswith("https:"):
            raise BadMetadata(f"The metadata has {becomes[:200]} in place of an https address.")
    _check_certificates(trusted["certificates"], idp.certificates, now)
    is_same = set(idp.certificates) == set(trusted["certificates"])  # in another order, perhaps
    return {**_kept(idp), **({"certificates": trusted["certificates"]} if is_same else {})}


def _check_certificates(trusted: list[str], offered: tuple[str, ...], now: datetime) -> None:
    if not set(offered) - set(trusted):
        return
    if all(certificate_facts(pem).not_after <= now for pem in offered):
        raise BadMetadata("Every signing certificate in the metadata has expired.")


def _take(context: Context, change: Change, seen: Connection, reading: _Reading) -> Refreshed:
    hold_connections(change, [seen.key])
    present = connections.find_by_uid(change.connection, seen.id)
    if present is None or _trusted(present) != _trusted(seen):
        raise Conflict(f"{seen.name} was changed meanwhile: what was read for it as it was is dropped.")
    before, after = _whole(present), reading.after
    phrases = _trust(context, change, present, before, after) if before != after else ()
    _note_good(context, change, present, reading, before != after)
    return Refreshed(connections.find_by_uid(change.connection, seen.id) or present, phrases)


def _trusted(found: Connection) -> tuple[str | None, Any, list[str]]:
    return _address_of(found), found.config[_part_of(found)], signers_of(found.config)


def _whole(found: Connection) -> dict[str, Any]:
    """An IdP as it is kept today, where an older version of the bridge kept less of it."""
    kept = found.config[_part_of(found)]
    if found.kind == "oidc":
        return Provider.from_facts(kept).facts()
    return _kept(IdentityProvider(**{**kept, "certificates": tuple(kept["certificates"])}))


def _kept(idp: IdentityProvider) -> dict[str, Any]:
    return {**asdict(idp), "certificates": list(idp.certificates)}


def _trust(
    context: Context, change: Change, present: Connection, before: dict[str, Any], after: dict[str, Any]
) -> tuple[str, ...]:
    connections.set_connection(change, present.key, config={**present.config, _part_of(present): after})
    is_saml = present.kind == "saml"
    was, becomes = (describe_idp(before), describe_idp(after)) if is_saml else (before, after)
    differing = sorted(name for name in becomes if was[name] != becomes[name])
    change.record(
        present.workspace_key,
        "connection.metadata_refreshed",
        present.id,
        before={name: was[name] for name in differing},
        after={name: becomes[name] for name in differing},
    )
    phrases = _phrases(before, after)
    if phrases:
        _mail_owners(context, change, present, connection_mails.metadata_changed, phrases)
    return phrases or ("it asks for requests in another way",)


def _phrases(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    had, has = before.get("certificates", ()), after.get("certificates", ())
    added = [pem for pem in has if pem not in had]
    removed = [pem for pem in had if pem not in has]
    phrases = [f"it now signs with {_named(pem)}" for pem in added]
    phrases += [f"it no longer signs with {_named(pem)}" for pem in removed]
    for name, called in _ADDRESS_NAMES.items():
        if before.get(name) != after.get(name):
            phrases.append(f"{called} is now {after.get(name) or 'none'}")
    return tuple(phrases)


_ADDRESS_NAMES = {
    "sso_redirect_url": "its sign-in address",
    "sso_post_url": "its sign-in address (POST)",
    "slo_url": "its sign-out address",
    "slo_answer_url": "its address for answers at sign-out",
    "authorization_endpoint": "its sign-in address",
    "token_endpoint": "its address for tokens",
    "jwks_uri": "the address of its keys",
    "userinfo_endpoint": "its address for claims",
    "end_session_endpoint": "its sign-out address",
}


def _named(pem: str) -> str:
    facts = certificate_facts(pem)
    return f"the certificate {facts.subject} (SHA-256 {facts.sha256[:23]}…, until {facts.not_after:%d %B %Y})"


def _note_good(context: Context, change: Change, present: Connection, reading: _Reading, is_changed: bool) -> None:
    known = metadata_refreshes.find_refresh(change.connection, present.key)
    if known is not None and known.failures >= TOLD_AFTER_FAILURES:
        after = {"failures": known.failures}
        change.record(present.workspace_key, "connection.metadata_recovered", present.id, after=after)
    usual = _between(context, present, change.now)
    changed = {"changed_at": change.now, "version": present.version + 1} if is_changed else {}
    metadata_refreshes.set_refresh(
        change,
        present.key,
        tried_at=change.now,
        good_at=change.now,
        failures=0,
        error=None,
        content_hash=reading.content,
        next_at=change.now + max(_LEAST, min(usual, reading.within or usual)),
        **changed,
    )


def _note_failure(context: Context, seen: Connection, error: str, now: datetime) -> None:
    def note(change: Change) -> None:
        hold_connections(change, [seen.key])
        present = connections.find_by_uid(change.connection, seen.id)
        known = metadata_refreshes.find_refresh(change.connection, seen.key)
        if present is None or known is None or _address_of(present) != _address_of(seen):
            return
        failures = known.failures + 1
        wait = min(_FIRST_WAIT * 2 ** min(failures - 1, 16), _between(context, seen, now))
        values = {"tried_at": now, "failures": failures, "error": error[:500], "next_at": now + wait}
        metadata_refreshes.set_refresh(change, seen.key, **values)
        if failures == TOLD_AFTER_FAILURES:
            after = {"error": error[:500], "failures": failures}
            change.record(present.workspace_key, "connection.metadata_failing", present.id, after=after)
            _mail_owners(context, change, present, connection_mails.metadata_failing, (error,))

    context.change(SYSTEM, now, note)


def _mail_owners(
    context: Context, change: Change, found: Connection, text: Callable[..., Mail], phrases: tuple[str, ...]
) -> None:
    workspace = workspaces.find_by_key(change.connection, found.workspace_key)
    for email in people.owner_emails(change.connection, found.workspace_key):
        queue_mail(context, change, text(email, found.name, workspace.name if workspace else "", phrases))


def _between(context: Context, found: Connection, now: datetime) -> timedelta:
    """The time to the next reading: the setting, more or less a tenth, so that not all are read at once."""
    chance = int.from_bytes(sha256(f"{found.id} {now.isoformat()}".encode()).digest()[:4]) / 2**32
    return context.metadata_refresh_every * (0.9 + 0.2 * chance)
