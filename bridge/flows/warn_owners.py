"""Owners are told by mail when their IdP asked for what would have locked them out (product.md 1.1)."""

from datetime import datetime
from html import escape

from bridge.domain.mail import Mail
from bridge.domain.workspace import Connection
from bridge.flows.context import SYSTEM, Context
from bridge.storage import people
from bridge.storage.outbox import put_mail


def warn_of_last_owner(context: Context, connection: Connection, person: str, now: datetime) -> None:
    """Mail every owner named by hand, in a transaction of its own: the one that was refused is undone."""
    text = (
        f"{connection.name} asked the bridge to deactivate or delete {person}, the last owner who can sign in "
        "without it. The bridge refused, so nothing has changed. If it is meant, make somebody else an owner by "
        f"hand first; {connection.name} will ask again by itself."
    )
    with context.changing(SYSTEM, now) as change:
        for email in people.owner_emails(change.connection, connection.workspace_key):
            put_mail(
                change, Mail(email, f"{connection.name} tried to remove the last owner", text, f"<p>{escape(text)}</p>")
            )
        change.record(connection.workspace_key, "owner.kept", connection.id, after={"asked_for": person})
