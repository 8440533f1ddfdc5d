"""What clients are still to be told: kept in the file until they have taken it, so that a restart loses nothing.

Each client gets what is of one kind in the order it happened: what comes later waits for what is being retried, so that
an old name never overwrites a new one. Every attempt is signed anew, with the key of that moment; the `jti` stays, by
which a client knows what it has had.
"""

import json
import secrets
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any, Literal

import requests

from simulated.openid_provider.clients import Client, Clients
from simulated.openid_provider.keys import SigningKeys
from simulated.state_file import StateFile

Kind = Literal["event", "logout"]
State = Literal["waiting", "delivered", "refused"]
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
LOGOUT_TOKEN_SECONDS = 120
LONGEST_PAUSE = 3600
SECONDS_TO_ANSWER = 10
LONGEST_REASON = 10_000
KEPT = 500


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell one client; times in seconds. `said` is how the last attempt ended."""

    id: int
    kind: Kind
    client_id: str
    claims: Mapping[str, Any]
    made_at: int
    due_at: float
    tries: int
    state: State
    said: str


class Outbox:
    """The notices, in the host's file, and the post that takes them out. `clock` answers seconds since 1970."""

    def __init__(
        self, file: StateFile, issuer: str, keys: SigningKeys, clients: Clients, clock: Callable[[], float]
    ) -> None:
        self._file, self._issuer, self._keys, self._clients, self._clock = file, issuer, keys, clients, clock

    def add_event(self, client: Client, subject: Mapping[str, Any], event_type: str, event: Mapping[str, Any]) -> None:
        """Will tell the client of a change (RFC 8417 2.2), if it wants to hear of any."""
        if client.event_endpoint:
            self._add("event", client, {"sub_id": dict(subject), "events": {event_type: dict(event)}})

    def add_logout(self, client: Client, subject: str, sid: str) -> None:
        """Will tell the client that a session has ended (Back-Channel Logout 1.0 2.4), if it wants to know."""
        if client.backchannel_logout_uri:
            self._add("logout", client, {"sub": subject, "sid": sid, "events": {LOGOUT_EVENT: {}}})

    def latest(self, limit: int = 50) -> list[Notice]:
        """The last notices, newest first."""
        with self._file.transaction() as db:
            rows = db.execute("SELECT * FROM outbox ORDER BY id DESC LIMIT ?", (limit,)).fetchall()
        return [_read(row) for row in rows]

    def deliver_due(self) -> int:
        """Tells what is due, the first of each client and kind, until nothing is. Answers how many attempts it took."""
        attempts = 0
        while due := self._due():
            for notice in due:
                self._attempt(notice)
            attempts += len(due)
        return attempts

    def _add(self, kind: Kind, client: Client, claims: Mapping[str, Any]) -> None:
        now = int(self._clock())
        whole = {"iss": self._issuer, "aud": client.client_id, "iat": now, "jti": secrets.token_urlsafe(16), **claims}
        with self._file.transaction() as db:
            db.execute(
                "INSERT INTO outbox (kind, client_id, claims, made_at, due_at) VALUES (?, ?, ?, ?, ?)",
                (kind, client.client_id, json.dumps(whole), now, now),
            )
            db.execute(
                "DELETE FROM outbox WHERE state != 'waiting' AND id <= (SELECT max(id) FROM outbox) - ?", (KEPT,)
            )

    def _due(self) -> list[Notice]:
        with self._file.transaction() as db:
            rows = db.execute(
                "SELECT * FROM outbox WHERE due_at <= ? AND id IN"
                " (SELECT min(id) FROM outbox WHERE state = 'waiting' GROUP BY client_id, kind) ORDER BY id",
                (self._clock(),),
            ).fetchall()
        return [_read(row) for row in rows]

    def _attempt(self, notice: Notice) -> None:
        client = self._clients.find(notice.client_id)
        state, said = ("refused", "The client is gone.") if client is None else self._send(client, notice)
        pause = min(2**notice.tries, LONGEST_PAUSE)
        with self._file.transaction() as db:
            db.execute(
                "UPDATE outbox SET state = ?, said = ?, tries = tries + 1, due_at = ? WHERE id = ?",
                (state, said, self._clock() + pause, notice.id),
            )

    def _send(self, client: Client, notice: Notice) -> tuple[State, str]:
        try:
            if notice.kind == "event":
                with self._push_event(client, notice) as answer:
                    return _read_event_answer(answer)
            with self._push_logout(client, notice) as answer:
                return _read_logout_answer(answer)
        except requests.RequestException as error:
            return "waiting", f"No answer: {type(error).__name__}."

    def _push_event(self, client: Client, notice: Notice) -> requests.Response:
        """RFC 8935 2.1."""
        headers = {"Content-Type": "application/secevent+jwt", "Accept": "application/json"}
        if client.event_token:
            headers["Authorization"] = f"Bearer {client.event_token}"
        token = self._keys.sign(notice.claims, "secevent+jwt")
        return _post(client.event_endpoint, token.encode(), headers)

    def _push_logout(self, client: Client, notice: Notice) -> requests.Response:
        """Back-Channel Logout 1.0 2.5. Its life begins at the attempt, since it is short."""
        now = int(self._clock())
        claims = {**notice.claims, "iat": now, "exp": now + LOGOUT_TOKEN_SECONDS}
        token = self._keys.sign(claims, "logout+jwt")
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return _post(client.backchannel_logout_uri, f"logout_token={token}".encode(), headers)


class Post:
    """A thread that takes out what is due, every second until it is closed."""

    def __init__(self, outbox: Outbox, pause: float = 1.0) -> None:
        self._outbox, self._pause, self._closing = outbox, pause, Event()
        self._thread = Thread(target=self._run, name="outbox", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends it, after the attempt that is under way."""
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._outbox.deliver_due()
            except Exception:  # whatever it is, what comes later has to be delivered too
                traceback.print_exc()
            self._closing.wait(self._pause)


def _post(address: str, body: bytes, headers: Mapping[str, str]) -> requests.Response:
    """The answer, of which only a beginning will be read."""
    return requests.post(
        address,
        body,
        headers=dict(headers),
        timeout=SECONDS_TO_ANSWER,
        allow_redirects=False,
        stream=True,
    )


def _read_event_answer(answer: requests.Response) -> tuple[State, str]:
    """RFC 8935 2.2 and 2.3: 202 takes it, 400 refuses it for good and says why; everything else may pass."""
    if answer.status_code == 202:
        return "delivered", "202: taken."
    if answer.status_code != 400:
        return "waiting", f"{answer.status_code}: to be tried again."
    try:
        fault = json.loads(next(answer.iter_content(LONGEST_REASON), b""))
        return "refused", f"400 {fault['err']}: {fault.get('description', '')}"[:500]
    except (ValueError, KeyError, TypeError, AttributeError):
        return "refused", "400, without a reason."


def _read_logout_answer(answer: requests.Response) -> tuple[State, str]:
    """Back-Channel Logout 1.0 2.8: 200 (some send 204) is done, 400 will never be."""
    if answer.status_code in (200, 204):
        return "delivered", f"{answer.status_code}: signed out there."
    if answer.status_code == 400:
        return "refused", "400: not signed out there."
    return "waiting", f"{answer.status_code}: to be tried again."


def _read(row: Any) -> Notice:
    return Notice(**{**dict(row), "claims": json.loads(row["claims"])})
