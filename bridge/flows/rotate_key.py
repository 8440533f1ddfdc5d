"""Our key of a SAML connection: replaced in two steps, so that nobody is locked out in between.

`begin_rotation` makes the next key: our metadata publishes both certificates, encrypted assertions are opened by
either, requests are signed with the present one. The IdP is given the next certificate. `finish_rotation` makes it the
present one, and the old key is forgotten, also in the rows of the past. `cancel_rotation` forgets the next one instead.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bridge.flows.connection_settings import check_saml
from bridge.flows.context import Context
from bridge.flows.key_rotation import KeyKind, Secrets
from saml.certificates import CertificateFacts, certificate_facts
from saml.service_provider import make_key_pair


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
    return _KEYS.find(context, workspace_slug, connection_id)


def begin_rotation(context: Context, actor: str, workspace_slug: str, connection_id: str, now: datetime) -> OwnKeys:
    """Make the next key and publish its certificate beside the present one. Nothing else changes yet.

    Raises Conflict (under way already), NotFound, Forbidden (not an owner).
    """
    # Outside the transaction: making a key takes a tenth of a second.
    private_key, certificate = make_key_pair(f"bridge {connection_id}", now)
    made = {"private_key": private_key, "certificate": certificate}
    return _KEYS.begin(context, actor, workspace_slug, connection_id, made, now)


def finish_rotation(
    context: Context, actor: str, workspace_slug: str, connection_id: str, now: datetime, *, shown: str | None = None
) -> OwnKeys:
    """The next key is the present one from now on; the old one is forgotten.

    An IdP that wasn't given the next certificate refuses our signed requests from now on, and what it encrypts for the
    old key can't be opened. `shown` is the fingerprint of the next key that somebody was asked about. Raises Conflict
    (none under way), Stale (another one is), NotFound, Forbidden (not an owner).
    """
    return _KEYS.finish(context, actor, workspace_slug, connection_id, now, shown)


def cancel_rotation(
    context: Context, actor: str, workspace_slug: str, connection_id: str, now: datetime, *, shown: str | None = None
) -> OwnKeys:
    """Forget the next key; the present one stays. An IdP that encrypts for the next one already is locked out.

    `shown` as in `finish_rotation`. Raises Conflict (none under way), Stale (another one is), NotFound, Forbidden (not
    an owner).
    """
    return _KEYS.cancel(context, actor, workspace_slug, connection_id, now, shown)


def _told(kept: Secrets) -> OwnKeys:
    coming = kept.get("next")
    return OwnKeys(_certificate(kept["certificates"][0]), _certificate(coming["certificate"]) if coming else None)


def _certificate(pem: str) -> OwnCertificate:
    return OwnCertificate(pem, certificate_facts(pem))


def _fingerprints(keys: OwnKeys) -> dict[str, str | None]:
    return {"current": keys.current.facts.sha256, "next": keys.next.facts.sha256 if keys.next else None}


def _present(coming: Secrets) -> dict[str, Any]:
    return {"private_key": coming["private_key"], "certificates": [coming["certificate"]]}


_KEYS = KeyKind(
    check_saml,
    _told,
    _fingerprints,
    _present,
    missed="Another next key was made meanwhile. Look at its certificate first: the IdP may not have it yet.",
)
