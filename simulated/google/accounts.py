"""Accounts, and which browser is logged in as whom. Cookies hold secrets; hashes are kept."""

import secrets
from collections.abc import Callable
from dataclasses import astuple, dataclass
from typing import Any

from simulated.openid_provider.clients import hash_of
from simulated.openid_provider.grants import Authentication
from simulated.state_file import StateFile

SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS accounts (
    id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE COLLATE NOCASE, given_name TEXT NOT NULL,
    family_name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sessions (
    hash TEXT PRIMARY KEY, sid TEXT NOT NULL UNIQUE, account_id TEXT NOT NULL REFERENCES accounts, at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL);
"""
SESSION_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody at Google."""

    id: str
    email: str
    given_name: str
    family_name: str

    @property
    def name(self) -> str:
        """Given and family name."""
        return f"{self.given_name} {self.family_name}".strip()


class Accounts:
    """Both, in the file. `clock` answers seconds since 1970."""

    def __init__(self, file: StateFile, clock: Callable[[], float]) -> None:
        self._file, self._clock = file, clock

    def all(self) -> list[Account]:
        """Everybody."""
        with self._file.transaction() as db:
            return [Account(**row) for row in db.execute("SELECT * FROM accounts ORDER BY given_name, email")]

    def find(self, account_id: str) -> Account | None:
        """The account with that id."""
        with self._file.transaction() as db:
            row = db.execute("SELECT * FROM accounts WHERE id = ?", (account_id,)).fetchone()
        return Account(**row) if row else None

    def get_or_create(self, email: str, given_name: str, family_name: str) -> Account:
        """The account with that address, made when there is none; its id is 21 digits, as Google's are."""
        new = Account(f"1{secrets.randbelow(10**20):020}", email, given_name, family_name)
        with self._file.transaction() as db:
            db.execute("INSERT OR IGNORE INTO accounts VALUES (?, ?, ?, ?)", astuple(new))
            return Account(**db.execute("SELECT * FROM accounts WHERE email = ?", (email,)).fetchone())

    def begin(self, account_id: str) -> str:
        """Starts a session; answers the cookie's value."""
        secret, now = secrets.token_urlsafe(32), int(self._clock())
        row = (hash_of(secret), secrets.token_urlsafe(16), account_id, now, now + SESSION_SECONDS)
        with self._file.transaction() as db:
            db.execute("DELETE FROM sessions WHERE ends_at <= ?", (now,))
            db.execute("INSERT INTO sessions VALUES (?, ?, ?, ?, ?)", row)
        return secret

    def find_authentication(self, secret: str | None) -> Authentication | None:
        """Who is logged in with this cookie."""
        with self._file.transaction() as db:
            row: Any = db.execute(
                "SELECT * FROM sessions WHERE hash = ? AND ends_at > ?", (hash_of(secret or ""), self._clock())
            ).fetchone()
        return Authentication(row["account_id"], row["sid"], row["at"]) if row else None

    def end(self, sid: str) -> None:
        """Ends that session."""
        with self._file.transaction() as db:
            db.execute("DELETE FROM sessions WHERE sid = ?", (sid,))

    def form_key(self) -> str:
        """What forms are signed with; made once."""
        with self._file.transaction() as db:
            db.execute("INSERT OR IGNORE INTO settings VALUES ('form_key', ?)", (secrets.token_hex(32),))
            return str(db.execute("SELECT value FROM settings WHERE name = 'form_key'").fetchone()["value"])
