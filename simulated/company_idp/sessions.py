"""Who is signed in here, and which sign-in requests wait for a login."""

import secrets
from dataclasses import dataclass
from hashlib import sha256

from simulated.company_idp.database import Database

SESSION_SECONDS = 8 * 3600
PENDING_SECONDS = 15 * 60


@dataclass(frozen=True, slots=True)
class Pending:
    """A checked sign-in request that waits until the person has logged in. `force`: even who has must again."""

    id: str
    request_id: str
    relay_state: str | None
    force: bool


class Sessions:
    """Sessions are rows; the cookie holds a secret of which only the hash is kept."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, person_id: str, now: float) -> str:
        """Starts a session; answers the cookie's value."""
        secret = secrets.token_urlsafe(32)
        with self._database.transaction() as db:
            db.execute("DELETE FROM sessions WHERE ends_at <= ?", (now,))
            db.execute("INSERT INTO sessions VALUES (?, ?, ?)", (_hash(secret), person_id, now + SESSION_SECONDS))
        return secret

    def find(self, secret: str | None, now: float) -> str | None:
        """The id of the person whose session that is, if it hasn't ended."""
        if not secret:
            return None
        with self._database.transaction() as db:
            row = db.execute(
                "SELECT person_id FROM sessions WHERE hash = ? AND ends_at > ?", (_hash(secret), now)
            ).fetchone()
        return row["person_id"] if row else None

    def end(self, secret: str | None) -> None:
        """Ends that session, if there is one."""
        if secret:
            with self._database.transaction() as db:
                db.execute("DELETE FROM sessions WHERE hash = ?", (_hash(secret),))

    def keep(self, request_id: str, relay_state: str | None, *, force: bool, now: float) -> Pending:
        """Stores a sign-in request until the login is done."""
        pending = Pending(secrets.token_urlsafe(16), request_id, relay_state, force)
        with self._database.transaction() as db:
            db.execute("DELETE FROM pending WHERE ends_at <= ?", (now,))
            db.execute(
                "INSERT INTO pending VALUES (?, ?, ?, ?, ?)",
                (pending.id, request_id, relay_state, force, now + PENDING_SECONDS),
            )
        return pending

    def find_pending(self, pending_id: str, now: float) -> Pending | None:
        """The waiting request with that id."""
        with self._database.transaction() as db:
            row = db.execute("SELECT * FROM pending WHERE id = ? AND ends_at > ?", (pending_id, now)).fetchone()
        return Pending(row["id"], row["request_id"], row["relay_state"], bool(row["force"])) if row else None

    def drop_pending(self, pending_id: str) -> None:
        """Forgets it, once it is answered."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM pending WHERE id = ?", (pending_id,))


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
