"""What every flow is handed: where rows are, how secrets are kept, and what the operator has set."""

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bridge.storage.changes import Change, changing
from bridge.storage.database import Database
from bridge.storage.secret_box import SecretBox

#: Actors as the audit trail names them; people, connections and tokens are `user:ID`, `connection:ID`, `token:ID`.
OPERATOR = "operator"
SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Context:
    """Made once a process by `app`; the first argument of every flow."""

    database: Database
    secrets: SecretBox = field(repr=False)
    public_url: str
    session_lifetime: timedelta = timedelta(days=7)
    invite_lifetime: timedelta = timedelta(days=3)

    def changing(self, actor: str, now: datetime) -> AbstractContextManager[Change]:
        """One transaction with its audit events under one cause; when the block raises, nothing happened."""
        return changing(self.database, actor, now)
