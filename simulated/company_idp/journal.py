"""What was pushed and what came back: the last few hundred, newest first."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

from simulated.company_idp.database import Database
from simulated.dialects.scim_client import Exchange

Outcome = Literal["accepted", "refused", "not sent"]
KEPT = 300


@dataclass(frozen=True, slots=True)
class Push:
    """One change that was pushed: what it was, how it ended, what the bridge said, and the calls it took."""

    id: int
    at: datetime
    what: str
    outcome: Outcome
    said: str
    exchanges: tuple[Exchange, ...] = ()


class Journal:
    """The pushes, in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, at: datetime, what: str, outcome: Outcome, said: str, exchanges: Sequence[Exchange] = ()) -> Push:
        """Keeps one, and drops the oldest beyond the last few hundred."""
        rows = json.dumps([asdict(exchange) for exchange in exchanges])
        with self._database.transaction() as db:
            push_id = db.execute(
                "INSERT INTO pushes (at, what, outcome, said, exchanges) VALUES (?, ?, ?, ?, ?)",
                (at.isoformat(), what, outcome, said, rows),
            ).lastrowid
            assert push_id is not None
            db.execute("DELETE FROM pushes WHERE id <= ?", (push_id - KEPT,))
        return Push(push_id, at, what, outcome, said, tuple(exchanges))

    def find(self, push_id: int) -> Push | None:
        """The push with that id."""
        found = self._read("WHERE id = ?", push_id)
        return found[0] if found else None

    def latest(self, limit: int = 50) -> tuple[Push, ...]:
        """The last pushes, newest first."""
        return self._read("ORDER BY id DESC LIMIT ?", limit)

    def _read(self, clause: str, value: int) -> tuple[Push, ...]:
        with self._database.transaction() as db:
            rows = db.execute(f"SELECT * FROM pushes {clause}", (value,)).fetchall()  # noqa: S608
        return tuple(
            Push(
                row["id"],
                datetime.fromisoformat(row["at"]),
                row["what"],
                row["outcome"],
                row["said"],
                tuple(Exchange(**exchange) for exchange in json.loads(row["exchanges"])),
            )
            for row in rows
        )
