"""What must leave the house, kept until it has: written in the transaction that wants it sent."""

from dataclasses import asdict

from sqlalchemy import insert

from bridge.domain.mail import Mail
from bridge.storage.changes import Change
from bridge.storage.tables import outbox


def put_mail(change: Change, mail: Mail) -> None:
    """Have `mail` sent once the change is committed, and never if it isn't."""
    row = {"kind": "mail", "subject": mail.to, "body": asdict(mail), "tries": 0}
    change.connection.execute(insert(outbox).values(**row, due_at=change.now, created_at=change.now))
