"""Owners are told by mail when their IdP asked for what would have locked them out (product.md 1.1)."""

from datetime import datetime, timedelta

from bridge.domain.directory import PushedUser, usable_email
from bridge.domain.people import fold_letters
from bridge.domain.workspace import Connection
from bridge.flows import workspace_mails
from bridge.flows.bearer_secrets import digest
from bridge.flows.context import SYSTEM, Context
from bridge.flows.deliver import queue_mail
from bridge.storage import people
from bridge.storage.counters import count_try

#: An IdP that was refused asks again, Entra ID every 40 minutes: its owners are told once in such a time.
TOLD_ONCE_IN = timedelta(days=1)


def warn_of_last_owner(context: Context, connection: Connection, person: PushedUser, now: datetime) -> None:
    """Mail every owner named by hand, in a transaction of its own: the one that was refused is undone.

    At most once a day for one person of one connection, and as often an event in the audit trail.
    """
    known_as = usable_email(person) or person.user_name
    key = f"owner-kept:{connection.key}:{digest(fold_letters(known_as)).hex()}"
    named = person.name if person.name == known_as else f"{person.name} ({known_as})"
    with context.changing(SYSTEM, now) as change:
        asked, _ = count_try(change.connection, key, now, TOLD_ONCE_IN)
        if asked > 1:
            return
        for email in people.owner_emails(change.connection, connection.workspace_key):
            queue_mail(context, change, workspace_mails.last_owner_kept(email, connection.name, named))
        change.record(connection.workspace_key, "owner.kept", connection.id, after={"asked_for": named})
