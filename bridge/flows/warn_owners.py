"""Owners are told by mail when their IdP asked for what would have locked them out (product.md 1.1)."""

from datetime import datetime

from bridge.domain.workspace import Connection
from bridge.flows import mail_texts
from bridge.flows.context import SYSTEM, Context
from bridge.flows.deliver import queue_mail
from bridge.storage import people


def warn_of_last_owner(context: Context, connection: Connection, person: str, now: datetime) -> None:
    """Mail every owner named by hand, in a transaction of its own: the one that was refused is undone."""
    with context.changing(SYSTEM, now) as change:
        for email in people.owner_emails(change.connection, connection.workspace_key):
            queue_mail(context, change, mail_texts.last_owner_kept(email, connection.name, person))
        change.record(connection.workspace_key, "owner.kept", connection.id, after={"asked_for": person})
