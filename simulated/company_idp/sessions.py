"""Who is signed in here, and which sign-in requests wait for a login."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from simulated.company_idp.database import Database
from simulated.company_idp.logout import NamedSession

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

    def name(self, secret: str, named: NamedSession) -> None:
        """Remembers what the session with this cookie was called in an answer."""
        with self._database.transaction() as db:
            db.execute(
                "INSERT INTO named_sessions VALUES (?, ?, ?, ?)",
                (named.session_index, _hash(secret), named.name_id, named.name_id_format),
            )

    def names(self, secret: str | None) -> list[NamedSession]:
        """What it was called."""
        with self._database.transaction() as db:
            rows = db.execute("SELECT * FROM named_sessions WHERE hash = ?", (_hash(secret or ""),)).fetchall()
        return [NamedSession(row["name_id"], row["name_id_format"], row["session_index"]) for row in rows]

    def end_named(self, name_id: str, session_indexes: Sequence[str]) -> None:
        """Ends the sessions that were called so; all of that name where no index is given."""
        with self._database.transaction() as db:
            rows = db.execute("SELECT * FROM named_sessions WHERE name_id = ?", (name_id,)).fetchall()
            for row in rows:
                if not session_indexes or row["session_index"] in session_indexes:
                    db.execute("DELETE FROM sessions WHERE hash = ?", (row["hash"],))

    def ask_logout(self, request_id: str, now: float) -> None:
        """Remembers a logout request until it is answered."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM logouts WHERE ends_at <= ?", (now,))
            db.execute("INSERT INTO logouts VALUES (?, ?)", (request_id, now + PENDING_SECONDS))

    def take_logout(self, request_id: str) -> bool:
        """Whether that request was ours and unanswered; now it is answered."""
        with self._database.transaction() as db:
            return db.execute("DELETE FROM logouts WHERE request_id = ?", (request_id,)).rowcount == 1

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
