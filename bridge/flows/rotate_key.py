"""Our key of a SAML connection: replaced in two steps, so that nobody is locked out in between.

`begin_rotation` makes the next key: our metadata publishes both certificates, encrypted assertions are opened by
either, requests are signed with the present one. The IdP is given the next certificate. `finish_rotation` makes it the
present one, and the old key is forgotten, also in the rows of the past. `cancel_rotation` forgets the next one instead.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bridge.domain.errors import Conflict, Stale
from bridge.flows.connection_secrets import read_secrets, seal
from bridge.flows.connection_settings import check_saml
from bridge.flows.context import Context
from bridge.flows.named import get_connection, get_own_connection, get_workspace
from bridge.storage import connections
from saml.certificates import CertificateFacts, certificate_facts
from saml.service_provider import make_key_pair

_Secrets = dict[str, Any]


@dataclass(frozen=True, slots=True)
class OwnCertificate:
    """A certificate of ours: public, to be given to the IdP."""

    pem: str
    facts: CertificateFacts


@dataclass(frozen=True, slots=True)
class OwnKeys:
    """A SAML connection's certificates; `next` only while a rotation is under way."""

    current: OwnCertificate
    next: OwnCertificate | None = None


def find_keys(context: Context, workspace_slug: str, connection_id: str) -> OwnKeys:
    """Our certificates of a SAML connection. Raises NotFound, DomainError (of another kind, or unreadable)."""
    with context.database.reading() as rows:
        found = get_connection(rows, get_workspace(rows, workspace_slug), connection_id)
        check_saml(found)
        return _told(read_secrets(context, rows, found))


def begin_rotation(context: Context, actor: str, workspace_slug: str, connection_id: str, now: datetime) -> OwnKeys:
    """Make the next key and publish its certificate beside the present one. Nothing else changes yet.

    Raises Conflict (under way already), NotFound, Forbidden (not an owner).
    """
    # Outside the transaction: making a key takes a tenth of a second.
    private_key, certificate = make_key_pair(f"bridge {connection_id}", now)

    def begin(kept: _Secrets) -> _Secrets:
        if kept.get("next"):
            raise Conflict("A next key is there already. Finish that rotation, or cancel it.")
        return {**kept, "next": {"private_key": private_key, "certificate": certificate}}

    return _change(context, actor, workspace_slug, connection_id, "connection.key_rotation_begun", begin, now)


def finish_rotation(
    context: Context, actor: str, workspace_slug: str, connection_id: str, now: datetime, *, shown: str | None = None
) -> OwnKeys:
    """The next key is the present one from now on; the old one is forgotten.

    An IdP that wasn't given the next certificate refuses our signed requests from now on, and what it encrypts for the
    old key can't be opened. `shown` is the fingerprint of the next key that somebody was asked about. Raises Conflict
    (none under way), Stale (another one is), NotFound, Forbidden (not an owner).
    """

    def finish(kept: _Secrets) -> _Secrets:
        coming = _next(kept, shown)
        return {"private_key": coming["private_key"], "certificates": [coming["certificate"]]}

    return _change(context, actor, workspace_slug, connection_id, "connection.key_rotated", finish, now)


def cancel_rotation(
    context: Context, actor: str, workspace_slug: str, connection_id: str, now: datetime, *, shown: str | None = None
) -> OwnKeys:
    """Forget the next key; the present one stays. An IdP that encrypts for the next one already is locked out.

    `shown` as in `finish_rotation`. Raises Conflict (none under way), Stale (another one is), NotFound, Forbidden (not
    an owner).
    """

    def cancel(kept: _Secrets) -> _Secrets:
        _next(kept, shown)
        return {name: value for name, value in kept.items() if name != "next"}

    return _change(context, actor, workspace_slug, connection_id, "connection.key_rotation_cancelled", cancel, now)


def _next(kept: Mapping[str, Any], shown: str | None) -> Mapping[str, str]:
    coming: Mapping[str, str] | None = kept.get("next")
    if not coming:
        raise Conflict("There is no next key. Begin a rotation first.")
    if shown is not None and certificate_facts(coming["certificate"]).sha256 != shown:
        raise Stale("Another next key was made meanwhile. Look at its certificate first: the IdP may not have it yet.")
    return coming


def _change(
    context: Context,
    actor: str,
    workspace_slug: str,
    connection_id: str,
    event: str,
    rotate: Callable[[_Secrets], _Secrets],
    now: datetime,
) -> OwnKeys:
    with context.changing(actor, now) as change:
        workspace, found = get_own_connection(change, workspace_slug, connection_id)
        check_saml(found)
        kept = read_secrets(context, change.connection, found)
        rotated = rotate(kept)
        connections.set_secrets(change, found.key, seal(context, rotated))
        before, after = _told(kept), _told(rotated)
        change.record(workspace.key, event, found.id, before=_fingerprints(before), after=_fingerprints(after))
        return after


def _told(kept: Mapping[str, Any]) -> OwnKeys:
    coming = kept.get("next")
    return OwnKeys(_certificate(kept["certificates"][0]), _certificate(coming["certificate"]) if coming else None)


def _certificate(pem: str) -> OwnCertificate:
    return OwnCertificate(pem, certificate_facts(pem))


def _fingerprints(keys: OwnKeys) -> dict[str, str | None]:
    return {"current": keys.current.facts.sha256, "next": keys.next.facts.sha256 if keys.next else None}
