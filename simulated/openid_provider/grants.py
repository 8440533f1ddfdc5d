"""Codes, access tokens, requests that wait for a login, and who is signed in where. Secrets are hashed."""

import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from typing import Any
from urllib.parse import parse_qs

from simulated.openid_provider.clients import hash_of
from simulated.state_file import StateFile

CODE_SECONDS = 60
TOKEN_SECONDS = 3600
WAITING_SECONDS = 30 * 60


@dataclass(frozen=True, slots=True)
class Authentication:
    """That a person logged in: who, in which of their sessions (`sid`), when (seconds), and how (`amr`, RFC 8176)."""

    subject: str
    sid: str
    at: int
    amr: tuple[str, ...] = ()

    def get_user_id(self) -> str:
        """What Authlib calls the subject."""
        return self.subject


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code that was redeemed just now."""

    hash: str
    redirect_uri: str
    scope: str
    nonce: str | None
    code_challenge: str
    authentication: Authentication

    #: What Authlib compares the verifier by; there is no other here.
    code_challenge_method = "S256"

    def get_redirect_uri(self) -> str:
        """RFC 6749 4.1.3."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """RFC 6749 3.3."""
        return self.scope


@dataclass(frozen=True, slots=True)
class Token:
    """An access token that is known here and lives. `authlib` asks it the rest."""

    client_id: str
    subject: str
    scope: str
    ends_at: int
    now: int

    def get_scope(self) -> str:
        """RFC 6749 3.3."""
        return self.scope

    def is_expired(self) -> bool:
        """RFC 6750 3.1."""
        return self.ends_at <= self.now

    def is_revoked(self) -> bool:
        """A revoked one isn't found in the first place."""
        return False


@dataclass(frozen=True, slots=True)
class Waiting:
    """An authorization request that waits for a login; `query` are its parameters as they came."""

    id: str
    query: str
    client_id: str
    login_hint: str
    asked_at: int

    @property
    def wants_sign_up(self) -> bool:
        """Whether the client asks for a new account (Initiating User Registration 1.0 4.1)."""
        return "create" in parse_qs(self.query).get("prompt", [""])[0].split()

    @property
    def path(self) -> str:
        """Our own address to go on at."""
        return f"/oauth2/authorize?{self.query}&resumed={self.id}"


@dataclass(frozen=True, slots=True)
class Linked:
    """A client that a person has used; times in seconds."""

    client_id: str
    first_at: int
    last_at: int


class Grants:
    """All of it, in the host's file. `clock` answers seconds since 1970."""

    def __init__(self, file: StateFile, clock: Callable[[], float]) -> None:
        self._file, self._clock = file, clock

    # -- requests that wait ---------------------------------------------------------------------------------------

    def wait(self, query: str, client_id: str, login_hint: str) -> Waiting:
        """Keeps a request until its person has logged in."""
        waiting = Waiting(secrets.token_urlsafe(16), query, client_id, login_hint, int(self._clock()))
        with self._file.transaction() as db:
            db.execute("DELETE FROM waiting WHERE asked_at < ?", (waiting.asked_at - WAITING_SECONDS,))
            db.execute("INSERT INTO waiting VALUES (?, ?, ?, ?, ?)", astuple(waiting))
        return waiting

    def find_waiting(self, waiting_id: str) -> Waiting | None:
        """The request with that id, if it hasn't waited too long."""
        oldest = int(self._clock()) - WAITING_SECONDS
        with self._file.transaction() as db:
            row = db.execute("SELECT * FROM waiting WHERE id = ? AND asked_at >= ?", (waiting_id, oldest)).fetchone()
        return Waiting(**row) if row else None

    # -- codes ----------------------------------------------------------------------------------------------------

    def keep_code(self, code: str, client_id: str, asked: Any, scope: str, authentication: Authentication) -> None:
        """Remembers a code for a minute. `asked` are the request's parameters."""
        now = int(self._clock())
        wanted = (asked.get("redirect_uri"), scope, asked.get("nonce"), asked.get("code_challenge"))
        who = (authentication.subject, authentication.sid, authentication.at, json.dumps(authentication.amr))
        with self._file.transaction() as db:
            db.execute("DELETE FROM codes WHERE ends_at < ?", (now - TOKEN_SECONDS,))
            db.execute(
                "INSERT INTO codes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
                (hash_of(code), client_id, *wanted, *who, now + CODE_SECONDS),
            )

    def redeem(self, code: str, client_id: str) -> Code | None:
        """The code, once, for its own client; what was given for it is taken back when it comes again (RFC 6749 10.5).

        It is spent before the verifier is looked at, so that a thief has one guess.
        """
        hashed = hash_of(code)
        with self._file.transaction() as db:
            row = db.execute("SELECT * FROM codes WHERE hash = ? AND client_id = ?", (hashed, client_id)).fetchone()
            if row is None:
                return None
            if row["used"]:
                db.execute("DELETE FROM tokens WHERE code_hash = ?", (hashed,))
            db.execute("UPDATE codes SET used = 1 WHERE hash = ?", (hashed,))
        return None if row["used"] or row["ends_at"] <= self._clock() else _read_code(row)

    # -- tokens ---------------------------------------------------------------------------------------------------

    def keep_token(self, token: str, code: Code, client_id: str) -> None:
        """Remembers an access token, and that its session has signed its person in at this client."""
        now, who = int(self._clock()), code.authentication
        with self._file.transaction() as db:
            db.execute("DELETE FROM tokens WHERE ends_at <= ?", (now,))
            db.execute(
                "INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?)",
                (hash_of(token), code.hash, client_id, who.subject, who.sid, code.scope, now + TOKEN_SECONDS),
            )
            db.execute("INSERT OR IGNORE INTO signed_in VALUES (?, ?, ?)", (who.sid, client_id, who.subject))
            db.execute(
                "INSERT INTO linked VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET last_at = excluded.last_at",
                (who.subject, client_id, now, now),
            )

    def find_token(self, token: str) -> Token | None:
        """The access token, if it was given here and not taken back."""
        with self._file.transaction() as db:
            row = db.execute("SELECT * FROM tokens WHERE hash = ?", (hash_of(token),)).fetchone()
        if row is None:
            return None
        return Token(row["client_id"], row["subject"], row["scope"], row["ends_at"], int(self._clock()))

    # -- who is signed in where -----------------------------------------------------------------------------------

    def forget_sessions(self, sids: Sequence[str]) -> list[tuple[str, str, str]]:
        """Takes back what these sessions gave; answers who was signed in where: (sid, client, subject)."""
        marks = json.dumps(list(sids))
        named = "sid IN (SELECT value FROM json_each(?))"
        with self._file.transaction() as db:
            rows = db.execute(f"SELECT sid, client_id, subject FROM signed_in WHERE {named}", (marks,)).fetchall()  # noqa: S608
            for table in ("signed_in", "tokens", "codes"):
                db.execute(f"DELETE FROM {table} WHERE {named}", (marks,))  # noqa: S608
        return [tuple(row) for row in rows]

    def linked(self, subject: str) -> list[Linked]:
        """The clients that this person has used, the latest first."""
        with self._file.transaction() as db:
            rows = db.execute(
                "SELECT client_id, first_at, last_at FROM linked WHERE subject = ? ORDER BY last_at DESC", (subject,)
            ).fetchall()
        return [Linked(**row) for row in rows]

    def forget_person(self, subject: str) -> None:
        """Nobody is to hear of this person any more."""
        with self._file.transaction() as db:
            db.execute("DELETE FROM linked WHERE subject = ?", (subject,))


def _read_code(row: Any) -> Code:
    authentication = Authentication(row["subject"], row["sid"], row["auth_time"], tuple(json.loads(row["amr"])))
    wanted = (row["redirect_uri"], row["scope"], row["nonce"], row["challenge"])
    return Code(row["hash"], *wanted, authentication)
