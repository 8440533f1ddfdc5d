"""Mail and SMS, as the simulated companies deliver them: into a table, which two pages show. And mailed links."""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from simulated.openid_provider.clients import hash_of
from simulated.state_file import StateFile

Purpose = Literal["sign-up", "reset", "email"]
LINK_SECONDS = 3600
KEPT = 200


@dataclass(frozen=True, slots=True)
class Message:
    """A mail or an SMS that has arrived. `link` is a path of this site, or empty."""

    id: int
    kind: Literal["mail", "sms"]
    recipient: str
    subject: str
    text: str
    link: str
    at: int


@dataclass(frozen=True, slots=True)
class Link:
    """What a mailed link stands for."""

    purpose: Purpose
    account_id: str | None
    document: Mapping[str, Any]


class Messages:
    """All of it, in the file. `clock` answers seconds since 1970."""

    def __init__(self, file: StateFile, clock: Callable[[], float]) -> None:
        self._file, self._clock = file, clock

    def mail(self, recipient: str, subject: str, text: str, link: str = "") -> None:
        """Delivers a mail."""
        self._deliver("mail", recipient, subject, text, link)

    def sms(self, recipient: str, text: str) -> None:
        """Delivers an SMS."""
        self._deliver("sms", recipient, "", text, "")

    def latest(self, kind: Literal["mail", "sms"], limit: int = 50) -> list[Message]:
        """What has arrived, newest first."""
        with self._file.transaction() as db:
            rows = db.execute(
                "SELECT * FROM messages WHERE kind = ? ORDER BY id DESC LIMIT ?", (kind, limit)
            ).fetchall()
        return [Message(**row) for row in rows]

    def new_link(self, link: Link) -> str:
        """The secret of a link that works once, for an hour. Those before it, of one purpose and account, die."""
        secret, now = secrets.token_urlsafe(32), int(self._clock())
        with self._file.transaction() as db:
            db.execute("DELETE FROM links WHERE ends_at <= ?", (now,))
            db.execute("DELETE FROM links WHERE purpose = ? AND account_id = ?", (link.purpose, link.account_id))
            row = (hash_of(secret), link.purpose, link.account_id, json.dumps(dict(link.document)), now + LINK_SECONDS)
            db.execute("INSERT INTO links VALUES (?, ?, ?, ?, ?)", row)
        return secret

    def find_link(self, secret: str, purpose: Purpose) -> Link | None:
        """What the link stands for, if it still works."""
        with self._file.transaction() as db:
            row = db.execute(
                "SELECT * FROM links WHERE hash = ? AND purpose = ? AND ends_at > ?",
                (hash_of(secret), purpose, self._clock()),
            ).fetchone()
        return Link(row["purpose"], row["account_id"], json.loads(row["document"])) if row else None

    def spend_link(self, secret: str) -> None:
        """The link has done its work."""
        with self._file.transaction() as db:
            db.execute("DELETE FROM links WHERE hash = ?", (hash_of(secret),))

    def forget_links(self, account_id: str) -> None:
        """No link that was mailed for this account works any more."""
        with self._file.transaction() as db:
            db.execute("DELETE FROM links WHERE account_id = ?", (account_id,))

    def _deliver(self, kind: str, recipient: str, subject: str, text: str, link: str) -> None:
        with self._file.transaction() as db:
            db.execute(
                "INSERT INTO messages (kind, recipient, subject, text, link, at) VALUES (?, ?, ?, ?, ?, ?)",
                (kind, recipient, subject, text, link, int(self._clock())),
            )
            db.execute("DELETE FROM messages WHERE id <= (SELECT max(id) FROM messages) - ?", (KEPT,))
