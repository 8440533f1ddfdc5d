"""Who is logged in, and which browsers are between two pages of logging in. Cookies hold secrets; hashes are kept."""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from simulated.openid_provider.clients import hash_of
from simulated.openid_provider.grants import Authentication
from simulated.state_file import StateFile

SESSION_SECONDS = 12 * 3600
STEP_SECONDS = 15 * 60
#: The first mark that is there counts: most browsers name those that they want to be taken for, too.
_BROWSERS = (("Edg", "Edge"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    *(("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows")),
    *(("Mac OS", "macOS"), ("Linux", "Linux")),
)
Kind = Literal["factor", "set-up", "google"]


@dataclass(frozen=True, slots=True)
class Session:
    """A session of a person: `sid` is its public name, `at` the time of the login."""

    sid: str
    account_id: str
    at: int
    amr: tuple[str, ...]
    device: str
    address: str

    @property
    def authentication(self) -> Authentication:
        """What the provider says of it."""
        return Authentication(self.account_id, self.sid, self.at, self.amr)


@dataclass(frozen=True, slots=True)
class Step:
    """Where a browser is between two pages: what is due, of whose account if there is one yet, and what it brought."""

    kind: Kind
    account_id: str | None = None
    document: Mapping[str, Any] = field(default_factory=dict)


class Sessions:
    """Both, in the file. `clock` answers seconds since 1970."""

    def __init__(self, file: StateFile, clock: Callable[[], float]) -> None:
        self._file, self._clock = file, clock

    def begin(self, account_id: str, amr: tuple[str, ...], device: str, address: str, sid: str | None = None) -> str:
        """Starts a session, or renews the one of that name with another secret; answers the cookie's value."""
        secret, now = secrets.token_urlsafe(32), int(self._clock())
        sid = sid or secrets.token_urlsafe(16)
        row = (hash_of(secret), sid, account_id, now, json.dumps(amr), device[:200], address, now + SESSION_SECONDS)
        with self._file.transaction() as db:
            db.execute("DELETE FROM sessions WHERE ends_at <= ? OR sid = ?", (now, sid))
            db.execute("INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        return secret

    def find(self, secret: str | None) -> Session | None:
        """The session with this cookie, if it hasn't ended."""
        with self._file.transaction() as db:
            row = db.execute(
                "SELECT * FROM sessions WHERE hash = ? AND ends_at > ?", (hash_of(secret or ""), self._clock())
            ).fetchone()
        return _read(row) if row else None

    def of(self, account_id: str) -> list[Session]:
        """A person's sessions, the latest first."""
        with self._file.transaction() as db:
            rows = db.execute(
                "SELECT * FROM sessions WHERE account_id = ? AND ends_at > ? ORDER BY at DESC",
                (account_id, self._clock()),
            ).fetchall()
        return [_read(row) for row in rows]

    def end(self, sids: list[str]) -> None:
        """Ends these sessions."""
        with self._file.transaction() as db:
            db.execute("DELETE FROM sessions WHERE sid IN (SELECT value FROM json_each(?))", (json.dumps(sids),))

    # -- steps ----------------------------------------------------------------------------------------------------

    def step(self, step: Step) -> str:
        """Remembers where a browser is for a quarter of an hour; answers its cookie's value."""
        secret, now = secrets.token_urlsafe(32), int(self._clock())
        row = (hash_of(secret), step.kind, step.account_id, json.dumps(dict(step.document)), now + STEP_SECONDS)
        with self._file.transaction() as db:
            db.execute("DELETE FROM steps WHERE ends_at <= ?", (now,))
            db.execute("INSERT INTO steps VALUES (?, ?, ?, ?, ?)", row)
        return secret

    def find_step(self, secret: str | None, kind: Kind) -> Step | None:
        """Where the browser with this cookie is, if it is at a step of that kind."""
        with self._file.transaction() as db:
            row = db.execute(
                "SELECT * FROM steps WHERE hash = ? AND kind = ? AND ends_at > ?",
                (hash_of(secret or ""), kind, self._clock()),
            ).fetchone()
        return Step(row["kind"], row["account_id"], json.loads(row["document"])) if row else None

    def amend(self, secret: str, /, **more: Any) -> None:
        """Adds to what a step brought."""
        with self._file.transaction() as db:
            db.execute(
                "UPDATE steps SET document = json_patch(document, ?) WHERE hash = ?",
                (json.dumps(more), hash_of(secret)),
            )

    def forget_steps(self, account_id: str) -> None:
        """Whoever is between two pages with this account starts anew."""
        with self._file.transaction() as db:
            db.execute("DELETE FROM steps WHERE account_id = ?", (account_id,))

    def take_step(self, secret: str | None) -> bool:
        """Whether the step was there; now it is done. One of two browsers with one cookie gets it."""
        with self._file.transaction() as db:
            return db.execute("DELETE FROM steps WHERE hash = ?", (hash_of(secret or ""),)).rowcount == 1


def describe_device(user_agent: str) -> str:
    """A browser and its system in words that people know, such as "Firefox on Linux"."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return " on ".join(filter(None, (browser or "A browser", system)))


def _read(row: Any) -> Session:
    return Session(
        row["sid"], row["account_id"], row["at"], tuple(json.loads(row["amr"])), row["device"], row["address"]
    )
