"""Owners are warned of what ends by itself, 30, 14 and 3 days before and when it is over: certificates and tokens.

Of several certificates only the last to stand counts: as long as another is good, nothing stops. A certificate's end
closes no sign-in here, since it is trusted because it is configured; but an IdP changes to another by then, which must
be known.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from bridge.domain.errors import DomainError
from bridge.domain.expiry import STILL_WARNED, WARNED_AT, Ending, Expiry, covered_until
from bridge.domain.mail import Mail
from bridge.domain.workspace import Connection
from bridge.flows import connection_mails
from bridge.flows.connection_secrets import read_secrets
from bridge.flows.context import SYSTEM, Context
from bridge.flows.deliver import queue_mail
from bridge.flows.named import get_workspace
from bridge.storage import expiry_warnings, people, workspaces
from bridge.storage.changes import Change
from saml.certificates import certificate_facts

_log = logging.getLogger(__name__)


def connection_expiries(context: Context, workspace_slug: str, now: datetime) -> dict[str, tuple[Expiry, ...]]:
    """Until when the certificates of each enabled SAML connection are good, by its id: the earliest end first.

    One for the IdP's (the last of them to stand) and one for ours. Raises NotFound.
    """
    with context.database.reading() as connection:
        workspace = get_workspace(connection, workspace_slug)
        listed = expiry_warnings.list_saml(connection, workspace.key)
        return {found.id: _of_connection(context, connection, found, now) for found in listed}


def near_expiries(context: Context, now: datetime) -> list[Expiry]:
    """All that ends within thirty days, or has ended and still stands there, in every workspace: the earliest first."""
    near = [one for one in _list_expiries(context, now) if one.ends_at - now <= timedelta(days=WARNED_AT[0])]
    return sorted(near, key=lambda one: one.ends_at)


def warn_of_expiries(context: Context, now: datetime) -> int:
    """Give the warnings that are due, each once and in a transaction of its own. Returns how many.

    What is known only shortly before its end is warned of once for that time, not for those that went by.
    """
    with context.database.reading() as connection:
        warned = expiry_warnings.warned_of(connection)
    due = [(one, days) for one in _list_expiries(context, now) if (days := one.warning(now)) is not None]
    given = sum(_warn(context, one, days, now) for one, days in due if (one.mark, days) not in warned)
    with context.database.writing() as connection:
        expiry_warnings.forget_warnings(connection, now - 2 * STILL_WARNED)
    return given


def _list_expiries(context: Context, now: datetime) -> list[Expiry]:
    soonest, latest = now - STILL_WARNED, now + timedelta(days=WARNED_AT[0])
    with context.database.reading() as connection:
        found = [
            expiry
            for one in expiry_warnings.list_saml(connection)
            for expiry in _of_connection(context, connection, one, now)
        ]
        return [*found, *expiry_warnings.list_ending_tokens(connection, soonest, latest)]


def _of_connection(context: Context, connection: Any, found: Connection, now: datetime) -> tuple[Expiry, ...]:
    both = (
        _last_standing("idp_certificate", found, found.config.get("idp", {}).get("certificates", ()), now),
        _last_standing("our_certificate", found, _our_certificates(context, connection, found), now),
    )
    return tuple(sorted((one for one in both if one), key=lambda one: one.ends_at))


def _our_certificates(context: Context, connection: Any, found: Connection) -> Sequence[str]:
    """Ours that signs requests now: a next one counts from the day on which the rotation is finished."""
    try:
        certificates: list[str] = read_secrets(context, connection, found)["certificates"]
    except DomainError as error:  # its key is gone: `bridge doctor` and every sign-in say so
        _log.warning("connection %s: %s", found.id, error.text)
        return ()
    return certificates[:1]


def _last_standing(kind: Ending, found: Connection, certificates: Sequence[str], now: datetime) -> Expiry | None:
    facts = [certificate_facts(pem) for pem in certificates]
    last = covered_until([(one.not_before, one.not_after) for one in facts], now)
    if last is None:
        return None
    one = facts[last]
    mark = f"{kind}:{found.id}:{one.sha256}"
    return Expiry(kind, found.workspace_key, found.id, found.name, mark, one.not_before, one.not_after)


# -- Telling ---------------------------------------------------------------------------------------------------------


def _warn(context: Context, expiry: Expiry, days: int, now: datetime) -> bool:
    def warn(change: Change) -> bool:
        if not expiry_warnings.note_warning(change, expiry, days):
            return False
        after = {"what": expiry.kind, "name": expiry.name, "ends_at": expiry.ends_at.isoformat(), "warned_at": days}
        change.record(expiry.workspace_key, _event(expiry, days), expiry.subject, after=after)
        _mail_owners(context, change, expiry, _TEXTS[expiry.kind])
        return True

    return context.change(SYSTEM, now, warn)


def _event(expiry: Expiry, days: int) -> str:
    if expiry.is_certificate:
        return "connection.certificate_ending" if days else "connection.certificate_ended"
    return "token.ending" if days else "token.ended"


def _mail_owners(context: Context, change: Change, expiry: Expiry, text: Callable[..., Mail]) -> None:
    workspace = workspaces.find_by_key(change.connection, expiry.workspace_key)
    named = workspace.name if workspace else ""
    for email in people.owner_emails(change.connection, expiry.workspace_key):
        queue_mail(context, change, text(email, expiry.name, named, expiry.ends_at, expiry.is_over(change.now)))


_TEXTS: dict[Ending, Callable[..., Mail]] = {
    "idp_certificate": connection_mails.idp_certificate_ends,
    "our_certificate": connection_mails.our_certificate_ends,
    "scim_token": connection_mails.token_ends,
    "api_token": connection_mails.token_ends,
}
